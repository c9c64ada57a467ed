#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# install.sh KVER DESTDIR PREFIX - install the modules for KVER, and user space

set -euo pipefail
. "$(dirname "$0")/lib.sh"

kver=$1 destdir=$2 prefix=$3
built=$("$PKRAM_TOP/scripts/build-modules.sh" "$kver")
kver=${built##*/kmod-}
for module in "$built"/kmod/*.ko "$built"/kmod/*/*.ko; do
	[[ -e $module ]] || continue
	install -D -m 644 -t "$destdir/lib/modules/$kver/updates" "$module"
done
[[ $destdir ]] || depmod "$kver"
make --no-print-directory -C "$PKRAM_TOP/userspace" install \
	DESTDIR="$destdir" PREFIX="$prefix"
