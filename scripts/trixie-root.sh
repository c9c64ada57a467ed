#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# trixie-root.sh - a Debian 13 tool chain in a folder, for what Debian 12's gcc and
# glibc cannot build (modules for 7.x kernels).
#
#   trixie-root.sh fetch              make the root, or find it; print its path
#   trixie-root.sh exec COMMAND...    run COMMAND in it
#
# In the root, the work tree and the cache appear under their own paths, and
# /proc is mounted (objtool reads it).  The mounts are in a namespace of their
# own and go with the command.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

PACKAGES=make,gcc-14,pahole,sparse,libc6-dev,libelf1t64,libssl3t64,zlib1g,libelf-dev,libssl-dev,flex,bison,bc,xz-utils,kmod,cpio,python3-minimal,zstd
root=$PKRAM_CACHE/trixie-$(md5sum <<<"$PACKAGES" | cut -c 1-8)

fetch() {
	local sources=$PKRAM_CACHE/trixie.sources
	need_packages mmdebstrap util-linux
	(
		flock 9
		[[ -e $root/.complete ]] && exit 0
		say "making a Debian 13 root for the tool chain (once, a minute or two)"
		rm -rf "$root" "$root.tmp"
		debian_stanza trixie >"$sources"
		mmdebstrap --quiet --variant=apt --include="$PACKAGES" \
			--aptopt='APT::Install-Recommends "false"' \
			--dpkgopt='path-exclude=/usr/share/doc/*' \
			--dpkgopt='path-exclude=/usr/share/man/*' \
			trixie "$root.tmp" "$sources" >&2
		ln -sf gcc-14 "$root.tmp/usr/bin/gcc"
		ln -sf gcc-14 "$root.tmp/usr/bin/cc"
		"$root.tmp/usr/bin/env" true 2>/dev/null || chroot "$root.tmp" gcc --version >/dev/null
		touch "$root.tmp/.complete"
		mv "$root.tmp" "$root"
	) 9>"$(lock_file trixie)" || die "cannot make the Debian 13 root"
	echo "$root"
}

enter() {
	fetch >/dev/null
	# shellcheck disable=SC2016
	exec unshare --mount --propagation unchanged sh -euc '
		root=$1; shift
		mount --make-rprivate / 2>/dev/null || : # a chroot has no such mount
		for dir in "$1" "$2"; do
			mkdir -p "$root$dir"
			mount --bind "$dir" "$root$dir"
		done
		shift 2
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		exec chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"
	' sh "$root" "$PKRAM_TOP" "$PKRAM_CACHE" "$@"
}

case ${1:-} in
fetch) fetch ;;
exec)
	shift
	enter "$@"
	;;
*) die "usage: trixie-root.sh fetch | exec COMMAND..." ;;
esac
