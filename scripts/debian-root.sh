#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# debian-root.sh - another Debian release in a directory, to build or try things in
#
#   debian-root.sh fetch SUITE PACKAGES            make it if needed; print its path
#   debian-root.sh exec SUITE PACKAGES COMMAND...  run COMMAND in it
#   debian-root.sh try SUITE PACKAGES COMMAND...   the same; changes are discarded
#
# PACKAGES, separated by commas, are installed beside apt.  Each list has a root of its
# own, which is made once and kept in the cache.
#
# In the root, the work tree and the cache appear under their own paths, and
# /proc is mounted (objtool reads it).  The mounts are in a namespace of their
# own and go with the command.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

usage="usage: debian-root.sh fetch SUITE PACKAGES | exec|try SUITE PACKAGES COMMAND..."
command=${1:-} suite=${2:-} packages=${3:-}
[[ $suite && $packages ]] || die "$usage"
shift 3
root=$PKRAM_CACHE/$suite-$(md5sum <<<"$packages" | cut -c 1-8)

fetch() {
	local sources=$PKRAM_CACHE/$suite.sources gcc
	need_packages mmdebstrap util-linux
	mkdir -p "$PKRAM_CACHE"
	(
		flock 9
		[[ -e $root/.complete ]] && exit 0
		say "making a $suite root (once, a minute or two)"
		rm -rf "$root" "$root.tmp"
		debian_stanza "$suite" >"$sources"
		mmdebstrap --quiet --variant=apt --include="$packages" \
			--aptopt='APT::Install-Recommends "false"' \
			--aptopt='Acquire::Retries "3"' \
			--dpkgopt=force-unsafe-io \
			--dpkgopt='path-exclude=/usr/share/doc/*' \
			--dpkgopt='path-exclude=/usr/share/man/*' \
			"$suite" "$root.tmp" "$sources" >&2
		# The root may have gcc-14 without the package that provides gcc.
		for gcc in "$root.tmp"/usr/bin/gcc-[0-9]*; do
			[[ -e $gcc && ! -e $root.tmp/usr/bin/gcc ]] || continue
			ln -s "${gcc##*/}" "$root.tmp/usr/bin/gcc"
			ln -s "${gcc##*/}" "$root.tmp/usr/bin/cc"
		done
		chroot "$root.tmp" true
		touch "$root.tmp/.complete"
		mv "$root.tmp" "$root"
	) 9>"$(lock_file "$suite")" || die "cannot make the $suite root"
	echo "$root"
}

# enter exec|try COMMAND...
enter() {
	fetch >/dev/null
	# shellcheck disable=SC2016
	exec unshare --mount --propagation unchanged sh -euc '
		root=$1 how=$2; shift 2
		mount --make-rprivate / 2>/dev/null || : # a chroot does not have this mount
		if [ "$how" = try ]; then
			mkdir -p "$root.try"
			mount -t tmpfs tmpfs "$root.try"
			mkdir "$root.try/upper" "$root.try/work" "$root.try/root"
			mount -t overlay overlay "$root.try/root" -o \
				"lowerdir=$root,upperdir=$root.try/upper,workdir=$root.try/work"
			root=$root.try/root
		fi
		for dir in "$1" "$2"; do
			mkdir -p "$root$dir"
			mount --bind "$dir" "$root$dir"
		done
		shift 2
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		exec chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"
	' sh "$root" "$1" "$PKRAM_TOP" "$PKRAM_CACHE" "${@:2}"
}

case $command in
fetch) fetch ;;
exec | try)
	(($#)) || die "$usage"
	enter "$command" "$@"
	;;
*) die "$usage" ;;
esac
