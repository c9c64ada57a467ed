#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vfio.sh - compare mapping for DMA by pkram_vfio and by type1, in one VM with an emulated
# VT-d.  "times ours" is the ratio; absolute times are those of emulated CPUs.
#
#   bench/vfio.sh [KERNEL]

set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"

out=$("$PKRAM_TOP/selftests/vm/run" -d -k "${1:-6.12}" -t bench_vfio) || {
	echo "$out" >&2
	die "cannot measure"
}
grep '^# \(memory\|pkram,\|type1,\) ' <<<"$out" | sed 's/^# //'
