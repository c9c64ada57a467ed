#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pool.sh - the time of an attach against the number of objects, and the latency of
# allocations and page faults while an object of 700 GiB is removed, each in a VM.
# Compare rows with each other; absolute times are those of emulated CPUs.
#
#   bench/pool.sh [KERNEL]

set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"

out=$("$PKRAM_TOP/selftests/vm/run" -d -k "${1:-6.12}" -t 'bench_attach bench_remove') || {
	echo "$out" >&2
	die "cannot measure"
}
grep -E '^# (attach,|what|allocation|fault|removal) ' <<<"$out" | sed 's/^# //'
