#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh - the demonstration: a guest lives through two replacements of its host's
# kernel, told on the terminal as it happens.  It is the scenario
# selftests/vm/tests/qemu_demo.c; what that says in lines that begin with "> " is
# shown here.

set -uo pipefail
. "$(dirname "$0")/lib.sh"

results=$PKRAM_BUILD/vm/logs/6.1/qemu_demo/results
log=$PKRAM_BUILD/demo.log
mkdir -p "$PKRAM_BUILD"
rm -f "$results"

echo 'pkram: RAM that outlives the kernel. A virtual machine plays the host; the guest runs'
echo 'inside it, under nested KVM, and its TCP peer is outside of both.'
echo 'Setting up: kernels, module, tools, QEMU (the first time takes a quarter of an hour) ...'
"$PKRAM_TOP/selftests/vm/run" -k 6.1 -t qemu_demo >"$log" 2>&1 &
run=$!
trap 'kill $run 2>/dev/null' INT TERM

while [[ ! -e $results ]] && kill -0 $run 2>/dev/null; do
	sleep 0.2
done
started=$SECONDS
[[ ! -e $results ]] ||
	tail -n +1 -s 0.2 --pid=$run -f "$results" | sed -un 's/^# > \?//p'
if wait $run; then
	echo
	echo "It worked: three kernels, one guest, not a byte lost ($((SECONDS - started)) s)."
else
	echo
	cat "$log"
	die 'the demonstration failed; the console is beside it in build/vm/logs/6.1/qemu_demo'
fi
