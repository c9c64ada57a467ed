#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# install.sh [KVER] - test that make install installs everything, in a usable form

# Functions are called through tap_check.
# shellcheck disable=SC2317

set -uo pipefail
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "${tmp:?}"' EXIT
. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/../tap/tap.sh"

kver=$("$PKRAM_TOP/scripts/kernels.sh" version "${1:-6.12}")
to=$tmp/to
version=$(sed -n 's/^VERSION[[:space:]]*:= *//p' "$PKRAM_TOP/userspace/Makefile")

install_all() {
	make --no-print-directory -C "$PKRAM_TOP" install DESTDIR="$to" KVER="$kver"
}

there() {
	local file missing=0
	for file; do
		[[ -e $to/$file ]] || {
			echo "missing: $file"
			missing=1
		}
	done
	return $missing
}

# The directory has all of the module's sources, and no build results.
dkms_source() {
	diff -r -x '*.o' "$PKRAM_TOP/kmod" "$to/usr/src/pkram-$version/kmod" &&
		diff -r "$PKRAM_TOP/uapi/linux" "$to/usr/src/pkram-$version/uapi/linux" &&
		diff "$PKRAM_TOP/Kbuild" "$to/usr/src/pkram-$version/Kbuild" &&
		grep -qx "PACKAGE_VERSION=\"$version\"" "$to/usr/src/pkram-$version/dkms.conf"
}

# `dkms remove` and autoremove run it.
dkms_clean() {
	local kbuild
	kbuild=$("$PKRAM_TOP/scripts/kernels.sh" fetch "${1:-6.12}")/build
	make -C "$kbuild" M="$to/usr/src/pkram-$version" clean
}

module_is_for() {
	local magic
	magic=$(modinfo -F vermagic "$to/lib/modules/$1/updates/pkram.ko")
	echo "$magic"
	[[ $magic == "$1 "* ]]
}

# A program that uses the library builds with the flags that pkg-config prints.
pkg_config() {
	PKG_CONFIG_PATH=$to/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$to \
		PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 pkg-config "$@" libpkram
}

build_program() {
	cat >"$tmp/program.c" <<-'END'
	#include <linux/pkram.h>
	#include <linux/pkram_netlink.h>
	#include <linux/pkram_vfio.h>
	#include <pkram.h>
	#include <stdio.h>
	int main(void) { return puts(pkram_version()) < 0; }
	END
	# shellcheck disable=SC2046
	gcc -o "$tmp/$1" "$tmp/program.c" $(pkg_config --cflags "${@:2}") "${libs[@]}"
}

shared_program() {
	local libs
	read -ra libs < <(pkg_config --libs)
	# No pipe to grep -q: it ends early, ldd gets SIGPIPE, and pipefail reports a
	# failure.
	build_program shared && [[ $(ldd "$tmp/shared") == *libpkram.so.1* ]] &&
		[[ $(LD_LIBRARY_PATH=$to/usr/lib "$tmp/shared") == "$version" ]]
}

# The other libraries come from the system.
static_program() {
	local libs=("$to/usr/lib/libpkram.a" -lmnl -luring -pthread)
	build_program static --static && [[ $("$tmp/static") == "$version" ]]
}

only_ours() {
	! nm -D --defined-only "$to/usr/lib/libpkram.so" |
		awk '{ print $NF }' | grep -v '^pkram_[a-z_]*@@LIBPKRAM_1\.0$\|^LIBPKRAM_1\.0$'
}

tool_runs() { "$to/usr/sbin/pkramctl" version | grep -F "$version"; }

# The programs that units and completion call are installed.
units_name_files() {
	local file
	grep -hoE '^Exec[A-Za-z]*=/[^ ]+' "$to"/usr/lib/systemd/system/* | sed 's/[^=]*=//' |
		while read -r file; do
			[[ $file == /bin/sh || -x $to$file ]] || {
				echo "$file"
				return 1
			}
		done
}

completion_loads() {
	bash -euc '. "$1"; complete -p pkramctl' sh \
		"$to/usr/share/bash-completion/completions/pkramctl"
}

# An operator's changes are kept.
conf_is_kept() {
	echo SIZE=5G >"$to/etc/pkram/pool.conf" &&
		make -s -C "$PKRAM_TOP" install-userspace DESTDIR="$to" &&
		grep -qx SIZE=5G "$to/etc/pkram/pool.conf"
}

mounted_for_data() {
	grep -qx 'Options=nosuid,nodev,noexec' "$to/usr/lib/systemd/system/dev-pkram.mount"
}

another_prefix() {
	to=$tmp/other
	make -s -C "$PKRAM_TOP" install-userspace DESTDIR="$to" PREFIX=/opt/pkram &&
		grep -qx prefix=/opt/pkram "$to/opt/pkram/lib/pkgconfig/libpkram.pc" &&
		grep -q '^ExecStart=/opt/pkram/libexec/' \
			"$to/opt/pkram/lib/systemd/system/pkram-pool.service" &&
		[[ ! -e $to/usr ]]
}

tap_check "make install DESTDIR=" install_all
tap_check "modules, library, tool, manual, units, completion, configuration are installed" there \
	"lib/modules/$kver/updates/"{pkram,pkram_vfio}.ko usr/sbin/pkramctl usr/libexec/pkram/pool \
	usr/lib/libpkram.{a,so,so.1,so.1.0.0} usr/lib/pkgconfig/libpkram.pc \
	usr/include/{pkram.h,linux/pkram.h,linux/pkram_vfio.h} usr/share/man/man8/pkramctl{,-pool,-object,-import}.8 \
	usr/share/man/man3/libpkram.3 usr/share/man/man5/pkram-guests.5 \
	usr/share/pkram/pkramctl.json usr/share/bash-completion/completions/pkramctl \
	usr/lib/systemd/system/{dev-pkram.mount,pkram-pool.service,pkram-guest@.service,pkram-health.service,pkram-health.timer,pkram-saved.path,pkram-saved.service} \
	usr/lib/modules-load.d/pkram.conf etc/pkram/{pool.conf,guests.d} \
	etc/needrestart/conf.d/pkram.conf etc/logrotate.d/pkram usr/share/pkram/examples/vm1.conf \
	usr/share/zsh/vendor-completions/_pkramctl
tap_check "the source for DKMS is complete and has its version" dkms_source
tap_check "make clean works in the source for DKMS" dkms_clean "$@"
tap_check "the module is for $kver" module_is_for "$kver"
tap_check "a program with the shared library builds and runs" shared_program
tap_check "a program with the static library builds and runs" static_program
tap_check "the library exports only pkram_*, with versions" only_ours
tap_check "pkramctl runs" tool_runs
tap_check "programs that the units start are installed" units_name_files
tap_check "/dev/pkram is mounted nosuid, nodev, noexec" mounted_for_data
tap_check "the completion loads" completion_loads
tap_check "a second installation keeps pool.conf" conf_is_kept
tap_check "the installed files contain another PREFIX" another_prefix
tap_finish
