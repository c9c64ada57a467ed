# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# lib.sh - TAP for the packaging tests: set $tmp, call check for each test, then finish

. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
count=0 bad=0

# check WHAT COMMAND... - run a test: it passes if the command succeeds; else print its
# output
# shellcheck disable=SC2154 # tmp is the reader's
check() {
	local what=$1
	shift
	((++count))
	if "$@" >"$tmp/check" 2>&1; then
		echo "ok $count - $what"
	else
		((++bad))
		echo "not ok $count - $what"
		sed 's/^/# /' "$tmp/check"
	fi
}

finish() {
	echo "1..$count"
	((bad == 0))
}
