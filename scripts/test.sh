#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh - fetch and build what the tests need, run every suite, and write all results
# as one TAP stream
#
# The last line is always "N passed, N failed".

set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$PKRAM_TOP"
make="make --no-print-directory"
# Of the scenarios with guests only the fastest; make test-qemu runs all.
guests="qemu_refuse qemu_modes qemu_vfio"
# Fetch and build first, for these and for those of test-vm: not qemu_*, not bench_*.
selftests/vm/run -p -k "$PKRAM_SERIES" -t "[!bq]* $guests"
exec scripts/tap \
	unit="$make test-unit" \
	guard=selftests/guard \
	userspace="$make test-userspace" \
	install="$make test-install" \
	vm="$make test-vm KERNELS='$PKRAM_SERIES'" \
	qemu="$make test-qemu KERNELS=6.12 TESTS='$guests'"
