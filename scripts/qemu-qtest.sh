#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu-qtest.sh [BASE] - run QEMU's own migration tests for RAM that stays in place
# (ignore-shared, the cpr modes) on the build with our patches; prints TAP
#
# Two tests that QEMU marks as flaky are included.

set -uo pipefail
. "$(dirname "$0")/lib.sh"
. "$PKRAM_TOP/selftests/tap/tap.sh"

test=$("$PKRAM_TOP/scripts/qemu.sh" qtest "${1:-}") || exit 1
export QTEST_QEMU_BINARY=${test%/*}/qemu-system-x86_64 QEMU_TEST_FLAKY_TESTS=1
names=$("$test" --full -l 2>/dev/null | grep -E '^/x86_64/migration/(ignore-shared$|mode/)')
[[ $names ]] || die "no such test in $test"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
while read -r name; do
	# A name also selects the tests below it.
	skip=()
	while read -r below; do
		skip+=(-s "$below")
	done < <(grep "^$name/" <<<"$names")
	start=$SECONDS
	timeout -k 5 600 "$test" --full -p "$name" "${skip[@]}" >"$log" 2>&1 </dev/null &&
		grep -q "^ok 1 $name\$" "$log"
	tap_result $? "qtest $name ($((SECONDS - start)) s)" || tail -n 30 "$log" | tap_note
done <<<"$names"
tap_finish
