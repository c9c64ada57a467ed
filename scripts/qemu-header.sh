#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu-header.sh [check] - print the part of uapi/linux/pkram.h that QEMU's backend uses,
# in QEMU's style, for the patch that adds backends/hostmem-pkram.h
#
#   check   compare it with what the patches add

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

# added PATCH... - print the header as the patches add it
added() {
	awk '/^diff / { on = 0 }
		/^\+\+\+ b\/backends\/hostmem-pkram.h/ { on = 1; next }
		on && /^\+/ { print substr($0, 2) }' "$@"
}

case ${1:-} in
'') header ;;
check)
	for dir in "$PKRAM_TOP"/qemu-patches/*/; do
		diff <(header) <(added "$dir"*.patch) >&2 ||
			die "$dir: hostmem-pkram.h is not what qemu-header.sh prints"
	done
	;;
*) die "usage: qemu-header.sh [check]" ;;
esac
