#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# check-ops.sh OBJECT KERNELRELEASE KBUILD - is what compat/vfio.h declares what this
# kernel has?  Called by Kbuild; fails, and with it the build, if it is not, or if
# nobody can tell.
#
# VFIO does not export struct vfio_iommu_driver_ops, so no version of a symbol protects
# it.  Our declarations are read from the debug information of OBJECT, the kernel's
# from its BTF, by the same program (pahole), and must be the same text: members,
# their order, offsets, the arguments of functions.  KBUILD is what `make -C` has; if
# that is all of the source, its header is compared instead.  The kernel itself is
# looked for where Debian puts it; PKRAM_KERNEL=DIR names a folder with vmlinuz and
# modules/ instead.

set -eu
object=$1 release=$2 kbuild=$3
types='vfio_iommu_driver_ops vfio_group_type'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

refuse() {
	echo "pkram_vfio: $*" >&2
	echo "pkram_vfio: no module without that check; PKRAM_NO_VFIO=1 builds pkram.ko alone" >&2
	exit 1
}

# unpacked FILE - its contents, which may be packed
unpacked() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# has_btf FILE - does pahole find type information in it?
has_btf() { [ -s "$1" ] && pahole -F btf -C list_head "$1" 2>/dev/null | grep -q next; }

# number FORMAT OFFSET - a number in the image's header
number() { od -An -t "$1" -j "$2" -N "${1#u}" "$image" | tr -d ' '; }

# unpack_image - $tmp/vmlinux of $image; offsets: Documentation/arch/x86/boot.rst
unpack_image() {
	offset=$((($(number u1 $((0x1f1))) + 1) * 512 + $(number u4 $((0x248)))))
	length=$(number u4 $((0x24c)))
	# The last 4 bytes, the unpacked size, are no part of what was packed.
	tail -c "+$((offset + 1))" "$image" | head -c $((length - 4)) >"$tmp/payload"
	for unpack in 'zstd -qdc' 'xz -dc' 'gzip -dc' 'lz4 -qdc'; do
		$unpack <"$tmp/payload" >"$tmp/vmlinux" 2>/dev/null && return 0
	done
	return 1
}

# find_base - set $base to something with the BTF of vmlinux
find_base() {
	for base in "$kbuild/vmlinux" "/usr/lib/debug/boot/vmlinux-$release"; do
		has_btf "$base" && return 0
	done
	base=/sys/kernel/btf/vmlinux
	[ "$(uname -r)" != "$release" ] || ! has_btf "$base" || return 0
	base=$tmp/vmlinux
	for image in "${PKRAM_KERNEL:-/nowhere}/vmlinuz" "/boot/vmlinuz-$release" \
		"/lib/modules/$release/vmlinuz"; do
		[ ! -s "$image" ] || ! unpack_image || ! has_btf "$base" || return 0
	done
	return 1
}

# find_module - $tmp/vfio.ko; nothing if VFIO is built in
find_module() {
	for dir in "${PKRAM_KERNEL:-/nowhere}/modules" "/lib/modules/$release"; do
		for file in "$dir"/kernel/drivers/vfio/vfio.ko*; do
			[ ! -s "$file" ] || { unpacked "$file" >"$tmp/vfio.ko" && return 0; }
		done
	done
	return 1
}

# compile_header - $tmp/theirs.o, with the types as the source has them
compile_header() {
	{
		echo 'typedef _Bool bool; typedef unsigned long size_t;'
		echo 'typedef unsigned long long dma_addr_t;'
		for type in $types; do
			sed -n "/^[a-z]* $type {/,/^};/p" "$header"
		done
		echo 'struct vfio_iommu_driver_ops ops; enum vfio_group_type type;'
	} >"$tmp/theirs.c"
	${CC:-cc} -g -w -c "$tmp/theirs.c" -o "$tmp/theirs.o" >&2
}

# print_type TYPE PAHOLE-ARGUMENT... - without blanks and comments on cache lines
print_type() {
	type=$1
	shift
	pahole -C "$type" "$@" 2>/dev/null | grep -v -e cacheline: -e cachelines: -e '^$' \
		-e 'last cacheline' -e '--- cacheline' | tr -s ' \t' '  '
}

command -v pahole >/dev/null || refuse "pahole is not installed (Debian: dwarves, or pahole)"
header=$kbuild/drivers/vfio/vfio.h
if [ -s "$header" ]; then
	compile_header || refuse "cannot compile what $header declares"
	set -- -F dwarf "$tmp/theirs.o"
else
	find_base || refuse "found no BTF of $release: not in $kbuild, nor in its image in /boot"
	set -- -F btf "$base"
	if ! pahole -F btf -C vfio_iommu_driver_ops "$base" 2>/dev/null | grep -q .; then
		find_module || refuse "found no vfio.ko of $release in /lib/modules"
		set -- -F btf --btf_base "$base" "$tmp/vfio.ko"
	fi
fi
for type in $types; do
	print_type "$type" -F dwarf "$object" >"$tmp/ours"
	print_type "$type" "$@" >"$tmp/theirs"
	[ -s "$tmp/ours" ] || refuse "no debug information on $type in $object"
	[ -s "$tmp/theirs" ] || refuse "$release has no $type"
	diff -u "$tmp/theirs" "$tmp/ours" >"$tmp/diff" || {
		sed -n '3,$p' "$tmp/diff" >&2
		refuse "$type of $release is not what kmod/compat/vfio.h says (above: -theirs, +ours)"
	}
done
