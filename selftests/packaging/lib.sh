# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# lib.sh - TAP for the tests of what is installed: set $tmp, say what to check, finish

. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
count=0 bad=0

# check WHAT COMMAND... - one test: it passes if the command does; else its output is shown
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
