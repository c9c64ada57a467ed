#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh - show on the terminal how a guest survives two kernel updates of its host
#
# The demonstration is the scenario qemu_demo of selftests/vm. Its output lines that begin
# with "> " are for people, and are shown here.

set -uo pipefail
. "$(dirname "$0")/lib.sh"

logs=$PKRAM_BUILD/vm/logs/6.1/qemu_demo
log=$PKRAM_BUILD/demo.log
mkdir -p "$PKRAM_BUILD"
rm -f "$logs/results"

echo 'pkram: RAM that outlives the kernel. A virtual machine plays the host; the guest runs'
echo 'inside it, under nested KVM, and its TCP peer is outside of both.'
echo
echo 'Getting ready (about 15 minutes the first time, seconds after that):'
"$PKRAM_TOP/selftests/vm/run" -p -k 6.1 -t qemu_demo || exit

"$PKRAM_TOP/selftests/vm/run" -k 6.1 -t qemu_demo >"$log" 2>&1 &
run=$!
trap 'kill $run 2>/dev/null' INT TERM

echo
echo 'The host boots:'
while [[ ! -e $logs/results ]] && kill -0 $run 2>/dev/null; do
	sleep 0.2
done
started=$SECONDS
[[ ! -e $logs/results ]] ||
	tail -n +1 -s 0.2 --pid=$run -f "$logs/results" | sed -un 's/^# > \?//p'
if wait $run; then
	echo
	echo "It worked: three kernels, one guest, not a byte lost ($((SECONDS - started)) s)."
else
	echo
	cat "$log"
	die "the demonstration failed; the VM's console is $logs/console"
fi
