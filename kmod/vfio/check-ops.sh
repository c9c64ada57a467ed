#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# check-ops.sh OBJECT KERNELRELEASE KBUILD - compare the types that compat/vfio.h
# declares with those of the kernel.  Kbuild calls it; the build fails if they differ,
# or if they cannot be compared.
#
# VFIO does not export struct vfio_iommu_driver_ops, so symbol versions do not protect
# it.  pahole prints our declarations from the debug information of OBJECT, and those of
# the kernel from its BTF.  Both must be the same text: members, their order, offsets and
# the arguments of functions.  KBUILD is the directory given to `make -C`; if it contains
# the complete source, its header is compared instead.  The kernel image is searched
# where Debian installs it; PKRAM_KERNEL=DIR names a directory with vmlinuz and modules/
# instead.

set -eu
object=$1 release=$2 kbuild=$3
types='vfio_iommu_driver_ops vfio_group_type'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

refuse() {
	echo "pkram_vfio: $*" >&2
	echo "pkram_vfio: cannot build the module; set PKRAM_NO_VFIO=1 to build pkram.ko alone" >&2
	exit 1
}

# unpacked FILE - print its contents, decompressed
unpacked() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# has_btf FILE - true if pahole finds type information in it
has_btf() { [ -s "$1" ] && pahole -F btf -C list_head "$1" 2>/dev/null | grep -q next; }

# number FORMAT OFFSET - print a number in the image's header
number() { od -An -t "$1" -j "$2" -N "${1#u}" "$image" | tr -d ' '; }

# unpack_image - extract $tmp/vmlinux from $image; offsets: Documentation/arch/x86/boot.rst
unpack_image() {
	offset=$((($(number u1 $((0x1f1))) + 1) * 512 + $(number u4 $((0x248)))))
	length=$(number u4 $((0x24c)))
	# The last 4 bytes are the unpacked size, not compressed data.
	tail -c "+$((offset + 1))" "$image" | head -c $((length - 4)) >"$tmp/payload"
	for unpack in 'zstd -qdc' 'xz -dc' 'gzip -dc' 'lz4 -qdc'; do
		$unpack <"$tmp/payload" >"$tmp/vmlinux" 2>/dev/null && return 0
	done
	return 1
}

# find_base - set $base to a file with the BTF of vmlinux
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

# find_module - unpack vfio.ko to $tmp; fails if VFIO is built in
find_module() {
	for dir in "${PKRAM_KERNEL:-/nowhere}/modules" "/lib/modules/$release"; do
		for file in "$dir"/kernel/drivers/vfio/vfio.ko*; do
			[ ! -s "$file" ] || { unpacked "$file" >"$tmp/vfio.ko" && return 0; }
		done
	done
	return 1
}

# compile_header - compile the types of the source to $tmp/theirs.o
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

# print_type TYPE PAHOLE-ARGUMENT... - print a type without comments on cache lines
print_type() {
	type=$1
	shift
	pahole -C "$type" "$@" 2>/dev/null | grep -v -e cacheline: -e cachelines: -e '^$' \
		-e 'last cacheline' -e '--- cacheline' | tr -s ' \t' '  '
}

command -v pahole >/dev/null || refuse "pahole is missing; install dwarves (Debian: package dwarves or pahole)"
header=$kbuild/drivers/vfio/vfio.h
if [ -s "$header" ]; then
	compile_header || refuse "cannot compile the types of $header"
	set -- -F dwarf "$tmp/theirs.o"
else
	find_base || refuse "found no BTF of $release in $kbuild or its image in /boot"
	set -- -F btf "$base"
	if ! pahole -F btf -C vfio_iommu_driver_ops "$base" 2>/dev/null | grep -q .; then
		find_module || refuse "found no vfio.ko of $release in /lib/modules"
		set -- -F btf --btf_base "$base" "$tmp/vfio.ko"
	fi
fi
for type in $types; do
	print_type "$type" -F dwarf "$object" >"$tmp/ours"
	print_type "$type" "$@" >"$tmp/theirs"
	[ -s "$tmp/ours" ] || refuse "$object has no debug information on $type"
	[ -s "$tmp/theirs" ] || refuse "$release has no $type"
	diff -u "$tmp/theirs" "$tmp/ours" >"$tmp/diff" || {
		sed -n '3,$p' "$tmp/diff" >&2
		refuse "$type of $release differs from kmod/compat/vfio.h (above: -theirs, +ours)"
	}
done
