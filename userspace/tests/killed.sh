#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test: pkramctl is killed at random points of an update. Afterwards every guest runs, or
# is brought on by the one command that guest show names. The update comes to its end without
# a boot, as reboot(2) of the fake kernel fails: so it saves, leaves, and resumes.
# usage: killed.sh BUILD-DIRECTORY [POINTS]
set -u
. "$(dirname "$0")/guests_lib.sh"
points=${2:-50}

make_image 6.99.1-test "$tmp/vmlinuz"
make_module "$tmp/modules" 6.99.1-test pkram_format=1
for name in vm1 vm2; do
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

# field NAME KEY - print a value that guest show has of a guest
field()
{
	host empty -j guest show "$1"
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[0].get(sys.argv[2], ""))' \
		"$tmp/out" "$2"
}

# comes_on NAME - check that a guest runs, at once or after one command
comes_on()
{
	local next
	before=$(field "$1" state)
	[ "$before" != running ] || return 0
	next=$(field "$1" next)
	# shellcheck disable=SC2086 # words of a command
	[ -n "$next" ] && host empty ${next#pkramctl }
	[ "$(field "$1" state)" = running ]
}

host empty guest start --all
start=$(date +%s%N)
update
wait "$pid"; rc=$?
took=$((($(date +%s%N) - start) / 1000000))
grep -q 'the guests were resumed' "$tmp/err"; report $? "an update that is not killed resumes the guests ($took ms)"
declare -A seen=()
for ((i = 0; i < points; i++)); do
	at=$(((RANDOM * 32768 + RANDOM) % took))
	update
	sleep "$((at / 1000)).$(printf %03d $((at % 1000)))"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null; rc=$?
	bad=0
	for name in vm1 vm2; do
		comes_on "$name" || bad=1
		seen[$before]=$((${seen[$before]:-0} + 1))
	done
	report $bad "the guests are there after SIGKILL at $at ms"
done
for name in "${!seen[@]}"; do
	echo "# $name: ${seen[$name]} times"
done
# Some of the points were in the middle of it
[ "${#seen[@]}" -gt 1 ]; report $? 'some guests were found in the middle of the update'
ctl guest stop --all --force
tap_finish
