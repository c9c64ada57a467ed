#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-modules.sh SERIES|KVER [MAKE-ARGUMENT...] - build the kernel modules for one
# kernel, in build/kmod-KVER/, with W=1 and warnings as errors.
#
# The sources are mirrored there as symbolic links, so that one tree can be built for many
# kernels and stays clean.  Headers that are installed on this machine
# (/lib/modules/KVER/build) are used; others come from the cache.  Modules for kernels that
# need a newer compiler are built in the Debian 13 root; "next" is what experimental or
# sid has, as a warning of what comes.  Prints the directory that holds the
# modules.  PKRAM_NO_VFIO=1 leaves out pkram_vfio.ko; PKRAM_TESTS=m (an argument) adds those
# of the VM tests, in selftests/vm/kmod.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

(($#)) || die "usage: build-modules.sh SERIES|KVER [MAKE-ARGUMENT...]"
which=$1
shift

# The kernel's build directory, for `make -C`, and its version
if [[ -e /lib/modules/$which/build/Makefile ]]; then
	kver=$which
	kbuild=/lib/modules/$which/build
elif [[ $which == "$(uname -r)" && $which != *-amd64 ]]; then
	die "no headers for the running kernel, $which; name one of: $PKRAM_SERIES (KVER=)"
else
	kver=$("$PKRAM_TOP/scripts/kernels.sh" version "$which")
	kbuild=$("$PKRAM_TOP/scripts/kernels.sh" fetch "$which")/build
fi

# mirror - fill $out with links to the sources; remove links to files that are gone
mirror() {
	local file
	find "$out" -type l -delete
	cp "$PKRAM_TOP/Kbuild" "$out/Kbuild.new"
	if cmp -s "$out/Kbuild.new" "$out/Kbuild"; then
		rm "$out/Kbuild.new"
	else
		mv "$out/Kbuild.new" "$out/Kbuild"
	fi
	(cd "$PKRAM_TOP" && find kmod uapi selftests/vm/kmod -type f \
		\( -name '*.[chS]' -o -name '*.sh' -o -name Kbuild -o -name 'Makefile*' \)) |
		while read -r file; do
			mkdir -p "$out/${file%/*}"
			ln -s "$PKRAM_TOP/$file" "$out/$file"
		done
}

# newer_compiler - true if this kernel needs a newer gcc than Debian 12's
newer_compiler() {
	local built have
	built=$(sed -n 's/^CONFIG_GCC_VERSION=//p' "$kbuild/.config")
	have=$(gcc -dumpversion)
	((built / 10000 > have))
}

[[ -e $PKRAM_TOP/kmod/Kbuild ]] || die "there is no kmod/Kbuild to build"
need_packages build-essential libelf1 kmod pahole
out=$PKRAM_BUILD/kmod-$kver
mkdir -p "$out"
# KASAN's stack frames exceed the warning's limit; that is not an error.
strict=(KCFLAGS=-Werror)
[[ $which != *-debug ]] || strict=()
# Its compiler is not in Debian 13; the older one does not know all that the headers use.
[[ $which != next ]] || strict=(CC=gcc KCFLAGS=-Wno-attributes)
if [[ ${PKRAM_NO_VFIO:-} ]]; then
	export PKRAM_NO_VFIO
	rm -f "$out"/kmod/vfio/*.ko
fi
export PKRAM_KERNEL=${kbuild%/build}
run=()
newer_compiler && run=("$PKRAM_TOP/scripts/trixie-root.sh" exec)
(
	flock 9
	mirror
	"${run[@]}" make -C "$kbuild" M="$out" -j"$(nproc)" --no-print-directory \
		W=1 "${strict[@]}" "$@" modules >&2
) 9>"$out.lock"
echo "$out"
