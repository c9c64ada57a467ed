#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernels.sh - find, fetch and unpack the Debian kernels pkram is tested on.
#
#   kernels.sh version SERIES|KVER   print the kernel version (uname -r)
#   kernels.sh fetch SERIES|KVER     make sure it is in the cache, print its directory
#
# SERIES is 6.1 (Debian 12), 6.12 (its backports), 7 (newest 7.x of Debian 13's
# backports), 7.2 (of the same), next (the newest of sid and experimental, to see what
# comes: it is built for, not tested on), or one of the first three with -debug: the
# kernel debug-kernel.sh builds. Versions are looked up at run time, through Debian's
# metapackages where these name the series.  A kernel's
# directory in the cache holds vmlinuz, modules/ (as /lib/modules/KVER), build/
# (what `make -C` wants) and, written last, a checksum in .complete.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# suites SERIES - the apt suites where SERIES comes from
suites() {
	case $1 in
	6.1) echo host ;;
	6.12) echo bookworm-backports ;;
	7 | 7.2) echo trixie-backports ;;
	next) echo sid experimental ;;
	*) die "unknown kernel series: $1 (know: $PKRAM_SERIES $PKRAM_MORE_SERIES)" ;;
	esac
}

# newest SERIES - linux-image-VERSION of its newest kernel
newest() {
	case $1 in
	# The metapackage is for a newer one.
	7.2) apt_private "$(suites "$1")" apt-cache pkgnames "linux-image-$1." |
		grep -E '[0-9]-amd64$' ;;
	next) apt_private "$(suites "$1")" apt-cache pkgnames linux-image- |
		grep -E '^linux-image-[0-9.]+(\+deb[0-9]+)?-amd64$' ;;
	*) depends "$(suites "$1")" linux-image-amd64 ;;
	esac
}

# depends SUITES PACKAGE - direct dependencies of its newest version, by name
depends() {
	apt_private "$1" apt-cache show --no-all-versions "$2" |
		sed -n 's/^\(Pre-\)\?Depends: //p' | tr ',|' '\n' |
		sed 's/^ *//; s/[ (].*//' | sort -u
}

# parts SUITES PACKAGE REGEX - PACKAGE's dependencies that match, recursively
parts() {
	local p
	for p in $(depends "$1" "$2" | grep -E "$3" || true); do
		echo "$p"
		parts "$1" "$p" "$3"
	done | sort -u
}

# version SERIES - uname -r of the newest kernel of the series
version() {
	local image stamp=$PKRAM_CACHE/kernels/series-$1
	if [[ $(find "$stamp" -mmin -1440 2>/dev/null) ]]; then
		cat "$stamp"
		return
	fi
	image=$(newest "$1" |
		sed -n 's/^linux-image-\([0-9].*\)$/\1/p' | sort -V | tail -n 1) || true
	if [[ $image != "$1".* && ! ($1 == next && $image) ]]; then
		[[ -s $stamp ]] || die "cannot find the $1 kernel (got '$image')"
		cat "$stamp"
		return
	fi
	mkdir -p "$PKRAM_CACHE/kernels"
	echo "$image" >"$stamp.$BASHPID"
	mv "$stamp.$BASHPID" "$stamp"
	echo "$image"
}

# complete DIR - true when DIR holds a complete kernel
complete() {
	[[ -s $1/.complete ]] && (cd "$1" && sha256sum --status -c .complete)
}

# unpack SERIES KVER DIR - download the packages and fill the directory
unpack() {
	local series=$1 kver=$2 dir=$3 sources tmp f
	sources=$(suites "$series")
	tmp=$(mktemp -d "$PKRAM_CACHE/kernels/.tmp.XXXXXX") || exit 1
	# The trap runs after this function's locals are gone.
	# shellcheck disable=SC2064
	trap "rm -rf '$tmp'" EXIT
	local want=("linux-image-$kver" "linux-headers-$kver")
	for f in linux-image linux-headers; do
		mapfile -t -O "${#want[@]}" want < <(parts "$sources" "$f-$kver" \
			'^linux-(binary|modules|headers|kbuild)-')
	done
	say "fetching Debian kernel $kver ($(package_megabytes "$sources" "${want[@]}"))"
	mkdir "$tmp/debs" "$tmp/root" "$tmp/kernel"
	(cd "$tmp/debs" && apt_private "$sources" apt-get -qq download "${want[@]}") >&2
	for f in "$tmp"/debs/*.deb; do
		dpkg -x "$f" "$tmp/root"
	done
	f=$(find "$tmp/root" -type f \( -path "*/boot/vmlinuz-$kver" -o \
		-path "*/modules/$kver/vmlinuz" \))
	mv "$f" "$tmp/kernel/vmlinuz"
	f=$(find "$tmp/root" -path "*/lib/modules/$kver/kernel" -type d)
	mv "${f%/kernel}" "$tmp/kernel/modules"
	rm -f "$tmp/kernel/modules"/{build,source}
	mv "$tmp/root/usr" "$tmp/kernel/usr"
	ln -s "usr/src/linux-headers-$kver" "$tmp/kernel/build"
	# The packages refer to /usr/src; point them to the cache.
	sed -i "s|/usr/src/|$dir/usr/src/|g" \
		"$tmp/kernel/usr/src/linux-headers-$kver/Makefile"
	find "$tmp/kernel/usr/src" -maxdepth 2 -type l -lname '/usr/*' |
		while read -r f; do
			ln -sfn "$dir$(readlink "$f")" "$f"
		done
	modules_dep "$tmp/kernel" "$kver"
	(cd "$tmp/kernel" && sha256sum vmlinuz build/Module.symvers build/.config \
		build/Makefile modules/modules.dep) >"$tmp/complete"
	rm -rf "$dir"
	mv "$tmp/kernel" "$dir"
	mv "$tmp/complete" "$dir/.complete"
	rm -rf "${tmp:?}"
	trap - EXIT
}

# modules_dep DIR KVER - write modules.dep, as the packages' postinst script would
modules_dep() {
	local root
	root=$(mktemp -d) || exit 1
	mkdir -p "$root/lib/modules"
	ln -s "$1/modules" "$root/lib/modules/$2"
	depmod -b "$root" "$2" 2>/dev/null
	rm -rf "${root:?}"
}

# fetch SERIES|KVER - download it unless the cache has it; print its directory
fetch() {
	local series kver dir
	case $1 in
	*-debug)
		"$PKRAM_TOP/scripts/debug-kernel.sh" "${1%-debug}"
		return
		;;
	esac
	kver=$(canonical "$1")
	dir=$PKRAM_CACHE/kernels/$kver
	mkdir -p "$PKRAM_CACHE/kernels"
	(
		flock 9
		if ! complete "$dir"; then
			series=$(series_of "$1")
			unpack "$series" "$kver" "$dir"
		fi
	) 9>"$(lock_file "kernel-$kver")"
	echo "$dir"
}

# canonical SERIES|KVER - always the full version
canonical() {
	case $1 in
	*-amd64) echo "$1" ;;
	*) version "$1" ;;
	esac
}

series_of() {
	case $1 in
	6.1 | 6.1.*) echo 6.1 ;;
	6.12 | 6.12.*) echo 6.12 ;;
	7.2 | 7.2.*) echo 7.2 ;;
	next) echo next ;;
	7 | 7.*) echo 7 ;;
	*) die "unknown kernel: $1 (know the series: $PKRAM_SERIES $PKRAM_MORE_SERIES)" ;;
	esac
}

need_packages kmod
case ${1:-} in
version)
	case ${2:?SERIES} in
	*-debug) "$PKRAM_TOP/scripts/debug-kernel.sh" --version "${2%-debug}" ;;
	*) canonical "$2" ;;
	esac
	;;
fetch) fetch "${2:?SERIES}" ;;
*) die "usage: kernels.sh version|fetch SERIES|KVER" ;;
esac
