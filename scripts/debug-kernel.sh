#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# debug-kernel.sh [--version] SERIES - build the kernel of a series with all checkers on
#
# Builds it from Debian's linux-source package with scripts/debug.config, once for
# each version of source and configuration (about an hour on two cores), and
# prints its directory in the cache, which is laid out as those of kernels.sh; with
# --version, prints its uname -r.  An interrupted build continues where it was.
# Not for continuous integration.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

config=$PKRAM_TOP/scripts/debug.config
print=directory
if [[ ${1:-} == --version ]]; then
	print=version
	shift
fi
series=${1:?usage: debug-kernel.sh [--version] SERIES}

# in_root COMMAND... - run it with the compiler that suits the series
in_root() {
	if [[ $series == 7 ]]; then
		"$PKRAM_TOP/scripts/trixie-root.sh" exec "$@"
	else
		"$@"
	fi
}

# configure TREE - tinyconfig and the fragment; name the lines that had no effect
configure() {
	local line
	in_root make -s -C "$1" tinyconfig >/dev/null
	cat "$config" >>"$1/.config"
	in_root make -s -C "$1" olddefconfig >/dev/null 2>&1
	while read -r line; do
		case $line in
		CONFIG_*=*)
			grep -qxF "$line" "$1/.config" ||
				say "note: $series does not have $line"
			;;
		esac
	done <"$config"
}

build() {
	local tree=$dir.tmp
	if [[ ! -e $tree/.configured ]]; then
		rm -rf "$tree"
		mkdir -p "$tree/build"
		say "unpacking the source of $series"
		tar xf "$1" -C "$tree/build" --strip-components=1
		configure "$tree/build"
		touch "$tree/.configured"
	fi
	say "building the debug kernel of $series; log in $tree/log"
	in_root make -C "$tree/build" -j"$(nproc)" bzImage modules >"$tree/log" 2>&1 || {
		tail -n 20 "$tree/log" >&2
		die "the debug kernel did not build"
	}
	cp "$tree/build/arch/x86/boot/bzImage" "$tree/vmlinuz"
	cp "$tree/build/include/config/kernel.release" "$tree/version"
	# Modules need only the files that remain.
	find "$tree/build" -name '*.o' ! -path '*/scripts/*' ! -path '*/tools/*' -delete
	find "$tree/build" -name '*.a' ! -path '*/scripts/*' ! -path '*/tools/*' -delete
	rm -f "$tree/build"/vmlinux* "$tree/build"/.tmp_vmlinux*
	(cd "$tree" && sha256sum vmlinuz version build/Module.symvers build/.config >.complete)
	mv "$tree" "$dir"
}

need_packages build-essential bc bison flex libelf-dev libssl-dev cpio zstd xz-utils
read -r tarball version < <("$PKRAM_TOP/scripts/linux-source.sh" tree "$series")
[[ $tarball ]] || die "no source for $series"
hash=$(sed '/^# --\|^#$\|^$/d' "$config" | sha256sum | cut -c 1-8)
dir=$PKRAM_CACHE/kernels/debug-$version-$hash
(
	flock 9
	[[ -s $dir/.complete ]] && (cd "$dir" && sha256sum --status -c .complete) && exit 0
	rm -rf "$dir"
	build "$tarball"
) 9>"$(lock_file "debug-$version-$hash")"
if [[ $print == version ]]; then
	cat "$dir/version"
else
	echo "$dir"
fi
