#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu-header.sh [check] - print the part of uapi/linux/pkram.h that QEMU's backend uses,
# in QEMU's style, for the patch that adds backends/hostmem-pkram.h
#
#   check   compare it with what the patches add; also the declarations of
#           uapi/linux/pkram_vfio.h, which the patch that adds include/hw/vfio/vfio-pkram.h has

set -euo pipefail
. "$(dirname "$0")/lib.sh"

uapi=$PKRAM_TOP/uapi/linux/pkram.h

header() {
	cat <<-'EOF'
		/*
		 * The interface of pkramfs, from the pkram project's uapi/linux/pkram.h
		 *
		 * SPDX-License-Identifier: GPL-2.0-or-later
		 */

		#ifndef HOSTMEM_PKRAM_H
		#define HOSTMEM_PKRAM_H

		#include <linux/ioctl.h>
		#include <linux/types.h>

	EOF
	{
		grep -E '^#define PKRAM_(FS_MAGIC|UNIT_SIZE)' "$uapi"
		echo
		awk '/^ \* enum pkram_state / { print "/**"; on = 1 }
			on { print }
			/^};/ { on = 0 }' "$uapi"
		echo
		awk '/^ \* ioctls on a regular file/ { print "/*"; on = 1 }
			/^#endif/ { print "#endif"; on = 0 }
			on { print }' "$uapi"
	} | sed -E 's/^\t/    /; /^#define/s/\t+/ /g' | expand
}

# added FILE PATCH... - print the lines that the patches add to FILE
added() {
	awk -v file="+++ b/$1" '/^diff / { on = 0 }
		$0 == file { on = 1; next }
		on && /^\+/ { print substr($0, 2) }' "${@:2}"
}

# declarations - print structs and constants of pkram_vfio, without comments and layout,
# one each line
declarations() {
	sed 's/PKRAM_IOC_MAGIC/0xb7/' |
		gcc -fpreprocessed -dD -E -P - 2>/dev/null |
		sed -e ':more' -e '/\\$/{N;s/\\\n/ /;b more' -e '}' |
		awk '/^struct pkram_vfio/ { on = 1 }
			on { printf "%s ", $0; if (/^};/) { on = 0; print "" } }
			/^#define (VFIO_PKRAM|PKRAM_VFIO)/' |
		tr -s ' \t' ' '
}

case ${1:-} in
'') header ;;
check)
	tmp=$(mktemp)
	trap 'rm -f "$tmp"' EXIT
	for dir in "$PKRAM_TOP"/qemu-patches/*/; do
		diff <(header) <(added backends/hostmem-pkram.h "$dir"*.patch) >&2 ||
			die "$dir: hostmem-pkram.h is not what qemu-header.sh prints"
		added include/hw/vfio/vfio-pkram.h "$dir"*.patch >"$tmp"
		[[ -s $tmp ]] || continue
		diff <(declarations <"${uapi%.h}_vfio.h" | sort) <(declarations <"$tmp" | sort -u) >&2 ||
			die "$dir: vfio-pkram.h does not declare what uapi/linux/pkram_vfio.h does"
	done
	;;
*) die "usage: qemu-header.sh [check]" ;;
esac
