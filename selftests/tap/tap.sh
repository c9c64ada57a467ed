# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# tap.sh - write TAP from bash: call tap_result or tap_check for each result, then tap_finish

tap_passed=0 tap_failed=0

# tap_result STATUS NAME - write a result: passed if STATUS is 0; return STATUS
tap_result() {
	local number=$((tap_passed + tap_failed + 1))
	if (($1)); then
		((++tap_failed))
		echo "not ok $number - $2"
	else
		((++tap_passed))
		echo "ok $number - $2"
	fi
	return "$1"
}

# tap_note - write standard input as diagnostics
tap_note() { sed 's/^/# /'; }

# tap_check NAME COMMAND... - passed if the command succeeds; otherwise show its output.
# The command runs in a subshell.
tap_check() {
	local said name=$1
	shift
	said=$("$@" 2>&1)
	tap_result $? "$name" || tap_note <<<"$said"
}

# tap_finish - write plan and sum; fail if a test failed or none passed
tap_finish() {
	echo "1..$((tap_passed + tap_failed))"
	echo "$tap_passed passed, $tap_failed failed"
	((tap_failed == 0 && tap_passed > 0))
}
