#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# prepare.sh [KERNEL...] - fetch and build what tests in VMs need, and show progress
#
# A step whose result is in the cache takes a second or less.  On a terminal one line
# changes; in a log each step has a line, and each download or build within it another.
# All output of the steps is in build/prepare.log; if a step fails, its end is shown.

set -uo pipefail
. "$(dirname "$0")/lib.sh"

log=$PKRAM_BUILD/prepare.log
names=() commands=()
step='' follower=''
trap 'kill $step $follower 2>/dev/null' EXIT
trap 'exit 130' INT TERM

# plan NAME COMMAND... - add a step
plan() {
	names+=("$1")
	shift
	commands+=("$*")
}

# clock SECONDS - minutes and seconds
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# messages - of the lines of a step, those that its scripts wrote for people
messages() { sed -un 's/^[a-z-]*\.sh: //p; s/^ *\([0-9]* of [0-9]* steps\)$/\1/p'; }

# show NUMBER NAME PID - until the step ends, change one line of the terminal
show() {
	local start=$SECONDS
	while kill -0 "$3" 2>/dev/null; do
		printf '\r\e[K[%d/%d] %s, %s: %.60s' "$1" "${#names[@]}" "$2" \
			"$(clock $((SECONDS - start)))" \
			"$(messages <"$log.step" | tail -n 1)"
		sleep 0.5
	done
	printf '\r\e[K'
}

# run_step NUMBER NAME COMMAND
run_step() {
	local start=$SECONDS status
	: >"$log.step"
	[[ -t 1 ]] || echo "[$1/${#names[@]}] $2"
	bash -c "$3" >"$log.step" 2>&1 </dev/null &
	step=$!
	if [[ -t 1 ]]; then
		show "$1" "$2" "$step"
	else
		tail -n +1 -s 1 --pid="$step" -f "$log.step" | messages | sed -u 's/^/        /' &
		follower=$!
	fi
	wait "$step"
	status=$?
	[[ ! $follower ]] || wait "$follower"
	step='' follower=''
	cat "$log.step" >>"$log"
	echo "[$1/${#names[@]}] $2: $( ((status)) && echo failed || echo ready), $(clock $((SECONDS - start))); $(clock "$SECONDS") in all"
	((!status)) || {
		tail -n 40 "$log.step" >&2
		die "$2 failed (log: $log)"
	}
}

cd "$PKRAM_TOP" || exit 1
mkdir -p "$PKRAM_BUILD"
: >"$log"
plan "packages" 'scripts/need.sh userspace && scripts/need.sh vm'
plan "test harness" scripts/linux-source.sh tools
# shellcheck disable=SC2086
(($#)) || set -- $PKRAM_SERIES
for series in "$@"; do
	plan "Debian kernel $series" scripts/kernels.sh fetch "$series"
	plan "modules for $series" scripts/build-modules.sh "$series"
done
plan "library and tools" make -s userspace
plan "QEMU for guests" scripts/qemu.sh build
plan "QEMU for test hosts" "QEMU_ALSO=$PKRAM_TOP/selftests/vm/qemu-patches" \
	scripts/qemu.sh build
for i in "${!names[@]}"; do
	run_step "$((i + 1))" "${names[i]}" "${commands[i]}"
done
rm -f "$log.step"
