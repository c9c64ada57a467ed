#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh - the demonstration: memory that survives a kexec, in a VM, told on the
# terminal as it happens.  It is the scenario selftests/vm/tests/demo.c; what that
# says in lines that begin with "> " is shown here.

set -uo pipefail
. "$(dirname "$0")/lib.sh"

results=$PKRAM_BUILD/vm/logs/6.1/demo/results
log=$PKRAM_BUILD/demo.log
mkdir -p "$PKRAM_BUILD"
rm -f "$results"

echo 'pkram: RAM that outlives the kernel. A virtual machine plays the host.'
echo 'Setting up: kernels, module, tools (the first time takes some minutes) ...'
"$PKRAM_TOP/selftests/vm/run" -k 6.1 -t demo >"$log" 2>&1 &
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
	echo "It worked: $((SECONDS - started)) s, three kernels, no byte lost."
else
	echo
	cat "$log"
	die 'the demonstration failed; the console is beside it in build/vm/logs/6.1/demo'
fi
