#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test: pkramctl is killed at random points of an update. Afterwards every guest runs, or
# is brought on by the one command that guest list names; one that was paused is paused. The
# update comes to its end without a boot, as reboot(2) of the fake kernel fails: so it saves,
# leaves, and resumes.
# usage: killed.sh BUILD-DIRECTORY [POINTS [SEED]]
set -u
. "$(dirname "$0")/guests_lib.sh"
points=${2:-50}
seed=${3:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "# seed $seed"

next_kernel
for name in vm1 vm2 vm3; do
	define "$name"
	sed -i "s|^-object .*|-object memory-backend-pkram,id=ram0,size=16M,name=$name,dir=$tmp/pool|" \
		"$tmp/guests/$name.conf"
	truncate -s 16M "$tmp/pool/$name"
done

# update - begin an update in the background; set $pid
update()
{
	PKRAM_FAKE=empty PKRAM_FAKE_LOG=$tmp/log LD_PRELOAD=$O/tests/fake.so \
		PKRAM_MODULES_DIR=$tmp/modules PKRAM_FAKE_POOL=$tmp/pool PKRAM_DIR=$tmp/pool \
		PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=$tmp/state PKRAM_RUN_DIR=$tmp/run PKRAM_LOG_DIR=$tmp/log.d \
		"$O/pkramctl" update --kernel "$tmp/vmlinuz" --no-initrd --command-line x \
		>"$tmp/out" 2>"$tmp/err" &
	pid=$!
}

# look - read what guest list says of all guests
look()
{
	local name state next
	host empty -j guest list
	while IFS=: read -r name state next; do
		states[$name]=$state nexts[$name]=$next
	done < <(python3 -c 'import json, sys
for g in json.load(open(sys.argv[1])):
    print(g["name"], g["state"], g.get("next", ""), sep=":")' "$tmp/out")
}

# come_on - check that the guests are as before the update, at once or after one command each
come_on()
{
	local name
	look
	for name in "${!was[@]}"; do
		seen[${states[$name]}]=$((${seen[${states[$name]}]:-0} + 1))
		# shellcheck disable=SC2086 # words of a command
		[ "${states[$name]}" = "${was[$name]}" ] || [ -z "${nexts[$name]}" ] ||
			host empty ${nexts[$name]#pkramctl }
	done
	look
	for name in "${!was[@]}"; do
		[ "${states[$name]}" = "${was[$name]}" ] || return 1
	done
}

declare -A was=([vm1]=running [vm2]=running [vm3]=paused) states=() nexts=() seen=()
host empty guest start --all
tell vm3 stop
start=$(date +%s%N)
update
wait "$pid"; rc=$?
took=$((($(date +%s%N) - start) / 1000000))
grep -q 'the guests were resumed' "$tmp/err"; report $? "an update that is not killed resumes the guests ($took ms)"
for ((i = 0; i < points; i++)); do
	at=$(((RANDOM * 32768 + RANDOM) % took))
	update
	sleep "$((at / 1000)).$(printf %03d $((at % 1000)))"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null; rc=$?
	come_on; report $? "the guests are there after SIGKILL at $at ms"
done
for name in "${!seen[@]}"; do
	echo "# $name: ${seen[$name]} times"
done
# Some of the points were in the middle of it
[ "${#seen[@]}" -gt 2 ]; report $? 'some guests were found in the middle of the update'
ctl guest stop --all --force
tap_finish
