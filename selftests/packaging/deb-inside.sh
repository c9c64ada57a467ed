#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# deb-inside.sh SUITE KVER... - the part of deb.sh that runs in a root of that release;
# the root is discarded

# Functions are called through tap_check.
# shellcheck disable=SC2317

set -uo pipefail
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "${tmp:?}"' EXIT
. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/../tap/tap.sh"

suite=$1
shift
kernels=("$@")
debs=$PKRAM_BUILD/deb/$suite
names=(libpkram-dev libpkram1 pkram-dkms pkram-tools)
# Of the modules; that of the packages has the suite, too
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$PKRAM_TOP/debian/changelog")

# Only these four packages and their dependencies: dpkg does not fetch anything.
dpkg_install() {
	local files=() name
	for name in "${names[@]}"; do
		files+=("$debs/${name}_$(deb_version "$suite")_amd64.deb")
	done
	dpkg --force-confnew --path-include='/usr/share/man/*' \
		--path-include='/usr/share/doc/*' -i "${files[@]}" &&
		[[ $(dpkg-query -W -f '${db:Status-Status} ' "${names[@]}") == \
			'installed installed installed installed ' ]]
}

tool_uses_library() {
	ldd /usr/sbin/pkramctl | grep 'libpkram\.so\.1 => /' && pkramctl version
}

depends_on() {
	dpkg-query -W -f '${Depends} ${Pre-Depends}' "$1" | grep -F "$2"
}

# The documents are plain text, and each file that they link to is in the package. What
# only contributors need links to the sources, too.
links_resolve() {
	local doc=/usr/share/doc/pkram-tools file target dead=0
	for file in "$doc"/*.md "$doc"/docs/*.md; do
		while IFS= read -r target; do
			[[ -e ${file%/*}/$target ]] && continue
			echo "$file: there is no $target"
			dead=1
		done < <(sed -E 's/\]\(/\n&/g' "$file" |
			sed -nE '/^\]\([a-z]+:/d; s/^\]\(([^)# ]+).*/\1/p')
	done
	((!dead)) && [[ -f $doc/README.md && -f $doc/CHANGELOG.md && -f $doc/docs/troubleshooting.md ]]
}

units_are_enabled() {
	[[ -L /etc/systemd/system/local-fs.target.wants/dev-pkram.mount &&
	-L /etc/systemd/system/sysinit.target.wants/pkram-pool.service &&
	-L /etc/systemd/system/multi-user.target.wants/pkram-saved.path &&
	-L /etc/systemd/system/timers.target.wants/pkram-health.timer ]]
}

# What watches runs from the installation on; what touches the pool or guests does not
units_are_started() {
	local starts
	# shellcheck disable=SC2016 # of the script
	starts=$(grep -E 'deb-systemd-invoke +(start|\$_dh_action)' /var/lib/dpkg/info/pkram-tools.postinst)
	[[ $starts == *pkram-saved.path* && $starts == *pkram-health.timer* &&
	$starts != *mount* && $starts != *pkram-pool* && $starts != *guest* ]]
}

units_are_right() {
	local dir=/usr/lib/systemd/system
	systemd-analyze verify --man=no $dir/{dev-pkram.mount,pkram-pool.service,pkram-guest@.service,pkram-health.service,pkram-health.timer,pkram-saved.path,pkram-saved.service}
}

# hardened UNIT EXPOSURE - check that `systemd-analyze security` finds at most this, of 100
hardened() {
	systemd-analyze security --offline=true --no-pager --threshold="$2" "/usr/lib/systemd/system/$1"
}

# The real maintainer scripts, with a pool that pkramctl tells of
removal_is_refused() {
	local tool=/usr/sbin/pkramctl
	mkdir -p "$tmp/sys/module/pkram"
	dpkg-divert --local --rename "$tool" >/dev/null
	printf '#!/bin/sh\necho %s\n' "'[{\"key\":\"0x1\",\"state\":\"sealed\",\"size\":1,\"name\":\"/vm1\"}]'" >"$tool"
	chmod +x "$tool"
	out=$(PKRAM_SYS=$tmp/sys dpkg --remove pkram-tools 2>&1)
	local rc=$?
	rm "$tool"
	dpkg-divert --local --rename --remove "$tool" >/dev/null
	echo "$out"
	[[ $rc != 0 && $out == *'/vm1 (sealed)'* &&
		$(dpkg-query -W -f '${db:Status-Status}' pkram-tools) == installed ]]
}

program_builds() {
	echo '#include <pkram.h>
	int main(void) { return !pkram_version(); }' >"$tmp/p.c"
	# shellcheck disable=SC2046
	gcc -o "$tmp/p" "$tmp/p.c" $(pkg-config --cflags --libs libpkram) && "$tmp/p"
}

# Do what a kernel's package does when it is installed after its headers.
kernel_comes() {
	mkdir -p "/lib/modules/$1"
	ln -s "$PKRAM_CACHE/kernels/$1"/{build,modules/kernel} "/lib/modules/$1/"
	cp "$PKRAM_CACHE/kernels/$1/modules"/modules.* "/lib/modules/$1/"
	ln -s "$PKRAM_CACHE/kernels/$1/vmlinuz" "/boot/vmlinuz-$1"
	run-parts --exit-on-error --arg="$1" /etc/kernel/header_postinst.d
}

# module_is_there KVER MODULE
module_is_there() {
	local file magic
	file=$(find "/lib/modules/$1/updates" -name "$2.ko*")
	magic=$(modinfo -F vermagic "$file")
	echo "$file: $magic"
	[[ $magic == "$1 "* ]] && depmod "$1" && modprobe -S "$1" -n -v "$2"
}

# built_again KVER - run `dkms build`; print its output, return its status
built_again() {
	dkms remove "pkram/$version" -k "$1" >/dev/null
	dkms build "pkram/$version" -k "$1" || { cat "/var/lib/dkms/pkram/$version/build/make.log"; false; }
}

# A kernel whose VFIO has an operation that the module does not know
vfio_mismatch_refused() {
	local header=/usr/src/pkram-$version/kmod/compat/vfio.h out
	cp "$header" "$tmp/vfio.h"
	sed -i '/^struct vfio_iommu_driver_ops {/a\	void *one_more;' "$header"
	out=$(built_again "$1" 2>&1) && { echo "$out"; return 1; }
	cp "$tmp/vfio.h" "$header"
	echo "$out"
	[[ $out == *one_more* && $out == *PKRAM_NO_VFIO* ]]
}

vfio_left_out() {
	mkdir -p /etc/pkram && touch /etc/pkram/no-vfio
	built_again "$1" && dkms install "pkram/$version" -k "$1" &&
		module_is_there "$1" pkram && ! module_is_there "$1" pkram_vfio || return 1
	dkms remove "pkram/$version" -k "$1" && rm /etc/pkram/no-vfio
}

# An unsupported kernel version, with the headers of a supported one
refused() {
	local build=$PKRAM_CACHE/kernels/${kernels[0]}/build out
	out=$(dkms build "pkram/$version" -k "$1" --kernelsourcedir "$build" 2>&1)
	echo "status $?: $out"
	[[ $out == *BUILD_EXCLUSIVE* && ! -e /var/lib/dkms/pkram/$version/$1 ]]
}

# Without DKMS, the build itself refuses.
build_refuses() {
	local dir=$tmp/version
	mkdir -p "$dir/linux"
	printf '#define LINUX_VERSION_MAJOR %s\n#define LINUX_VERSION_PATCHLEVEL %s\n%s\n' \
		"$1" "$2" '#error stop' >"$dir/linux/version.h"
	out=$(gcc -fsyntax-only -I "$dir" -x c "/usr/src/pkram-$version/kmod/compat/compat.h" 2>&1)
	echo "$out"
	[[ $out == *'supports Linux 6.1, 6.12 and 7.x'* ]]
}

build_accepts() { ! build_refuses "$1" "$2" && [[ $out == *stop* ]]; }

all_is_gone() {
	dpkg --purge "${names[@]}" || return 1
	local left
	left=$(find / -xdev \( -path /proc -o -path "$PKRAM_TOP" -o -path "$PKRAM_CACHE" -o \
		-path "$tmp" \) -prune -o -name '*pkram*' -print |
		grep -vE '^(/var/lib/dpkg|/var/log|/root)')
	echo "$left"
	[[ ! $left ]]
}

tap_check "the packages install" dpkg_install
tap_check "pkramctl uses the library's package" tool_uses_library
tap_check "pkram-tools depends on libpkram1 by its symbols" depends_on pkram-tools 'libpkram1 (>= 0.1.0)'
tap_check "pkram-dkms depends on dkms" depends_on pkram-dkms 'dkms (>= '
tap_check "links in the documents resolve" links_resolve
tap_check "mount, pool, inhibitor and timer are enabled" units_are_enabled
tap_check "inhibitor and timer are started, mount and pool are not" units_are_started
# The root of Debian 13 has no systemd.
[[ $suite != bookworm ]] || tap_check "systemd-analyze accepts the units" units_are_right
# The root of Debian 13 has no systemd.
if [[ $suite == bookworm ]]; then
	tap_check "guests' units are hardened" hardened pkram-guest@.service 54
	tap_check "the pool's unit is hardened" hardened pkram-pool.service 25
	tap_check "the unit of the health is hardened" hardened pkram-health.service 30
fi
tap_check "a package with a saved guest is not removed" removal_is_refused
tap_check "a program builds with libpkram-dev" program_builds
for kver in "${kernels[@]}"; do
	tap_check "DKMS builds for $kver when that kernel is installed" kernel_comes "$kver"
	tap_check "modprobe finds pkram.ko" module_is_there "$kver" pkram
	tap_check "modprobe finds pkram_vfio.ko" module_is_there "$kver" pkram_vfio
done
tap_check "DKMS refuses a kernel with another VFIO" vfio_mismatch_refused "${kernels[0]}"
tap_check "/etc/pkram/no-vfio leaves pkram_vfio.ko out" vfio_left_out "${kernels[0]}"
for kver in 5.10.0-30-amd64 6.6.13-amd64 6.10.1-amd64 6.13.0-amd64 8.0.0-amd64; do
	tap_check "DKMS refuses $kver" refused "$kver"
done
for kver in '5 19' '6 0' '6 2' '6 11' '6 13' '8 1'; do
	# shellcheck disable=SC2086
	tap_check "the build refuses ${kver/ /.}" build_refuses $kver
done
for kver in '6 1' '6 12' '7 0' '7 3'; do
	# shellcheck disable=SC2086
	tap_check "the build accepts ${kver/ /.}" build_accepts $kver
done
tap_check "purging the packages removes all files" all_is_gone
tap_finish
