#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh - run every suite and add up the results
#
# A suite writes TAP.  One that fails without saying which test failed counts as
# one failed test.  The last line is always "N passed, N failed".

set -uo pipefail
. "$(dirname "$0")/lib.sh"

out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0 failed=0 skipped=0

# suite NAME COMMAND... - run it, show its output, add its results to the totals
suite() {
	local name=$1 status p f s start=$SECONDS
	shift
	echo "# == $name"
	"$@" 2>&1 | tee "$out"
	status=${PIPESTATUS[0]}
	read -r p f s < <(awk -f "$PKRAM_TOP/scripts/tap-sum.awk" "$out")
	if ((status && !f)); then
		echo "not ok - $name (exit status $status)"
		f=1
	fi
	((passed += p, failed += f, skipped += s))
	echo "# $name: $p passed, $f failed, $s skipped, $((SECONDS - start)) s"
}

cd "$PKRAM_TOP" || exit 1
suite unit make --no-print-directory test-unit
suite guard selftests/guard
suite userspace make --no-print-directory test-userspace
suite install make --no-print-directory test-install
suite vm make --no-print-directory test-vm "KERNELS=$PKRAM_SERIES"
# Of the tests with guests those that take the least; make test-qemu runs all.
suite qemu make --no-print-directory test-qemu KERNELS=6.12 \
	"TESTS=qemu_refuse qemu_modes qemu_vfio"

((skipped == 0)) || echo "# $skipped skipped"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
