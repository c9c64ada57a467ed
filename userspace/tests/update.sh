#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of what pkramctl update tells: the blackouts by phase, and what happens to each guest
# while it happens. With the fake kernel and a QEMU without a guest.
# usage: update.sh BUILD-DIRECTORY
set -u
. "$(dirname "$0")/guests_lib.sh"

# resumed NAME SAVED COMPLETE RAN [BATCH] - leave the record of a resume; times of the save are in
# seconds before this kernel, which began at 1700000000, RAN is in seconds since then
resumed()
{
	mkdir -p "$tmp/run/$1"
	python3 -c '
import json, sys
name, saved, complete, ran, batch = sys.argv[1], *map(float, sys.argv[2:])
began = 1700000000
us = lambda s: round(s * 1e6)
print(json.dumps({"saved": us(began - saved), "complete": us(began - complete), "batch": int(batch),
    "boot": "old", "from": "6.1", "to": "6.12", "resumed": us(began + ran), "ran": us(ran),
    "began": us(ran - 1), "greeted": us(ran - 0.25)}))' "$1" "$2" "$3" "$4" "${5:-7}" >"$tmp/run/$1/report"
}

reports()
{
	local log=$'<6>[    0.000000] Linux version 6.12\n<6>[    1.500000] Run /init as init process\n'
	local systemd=$'InitRDTimestampMonotonic=0\nUserspaceTimestampMonotonic=2500000'
	define vm1; define vm2
	ctl update --report;		is 0 '' 'no guest was saved: there is nothing to report' 'without a save there is nothing to report'

	# In one kernel
	ctl guest start vm1; ctl guest save vm1; ctl guest resume vm1
	ctl -j update --report;		json '[p["phase"] for p in d["guests"][0]["phases"]] == ["save", "wait", "qemu", "load"]' 'a guest that was resumed in the same kernel has no phases of a boot'
	json 'abs(sum(p["seconds"] for p in d["guests"][0]["phases"]) - d["guests"][0]["blackout"]) < 0.01' 'they add up to its blackout'
	ctl update --report;		also '^ +\(host\) .*[sql.]$' out 'the host has a bar'
	ctl guest stop vm1 --force

	resumed vm1 10 9 6; resumed vm2 9.5 8.5 7
	mkdir -p "$tmp/notes"
	echo "$((1700000000 - 4))000000 old" >"$tmp/notes/down"
	export PKRAM_FAKE_SYSTEMD=1 PKRAM_FAKE_DMESG=$log BOOT_TIMES=$systemd
	host idle -j update --report
	json '{p["phase"]: p["seconds"] for p in d["guests"][0]["phases"]} == {"save": 1, "wait": 0.5, "shutdown": 4.5, "kexec": 4, "kernel": 1.5, "initramfs": 1, "units": 2.499, "attach": 0, "qemu": 0.75, "load": 0.25}' 'each phase of an update has its time'
	json 'all(abs(sum(p["seconds"] for p in g["phases"]) - g["blackout"]) < 0.005 for g in d["guests"] + [d["host"]])' 'they add up to the blackout of each guest and of the host'
	json 'd["host"]["blackout"] == 17 and {p["phase"]: p["seconds"] for p in d["host"]["phases"]}["save"] == 1.5' "the host's begins with the first guest and ends with the last"
	json 'len(d["remarks"]) == 1 and "whole seconds" in d["remarks"][0]["text"]' 'how exact they are is said'
	host idle update --report
	also '^ +NAME +SAVE +WAIT +SHUTDOWN +KEXEC +KERNEL +INITRAMFS +UNITS +ATTACH +QEMU +LOAD$' out 'the phases are a table'
	also '^ +vm1 +1\.000 s +0\.500 s +4\.500 s ' out 'with a row for each guest'
	also '^ +\(host\) +17\.000 s +s{5}d{16}x{14}k{5,6}i{3,4}u{8,9}q{6,7}l$' out 'the bar of the host shows their shares'
	also '^ +vm1 +16\.000 s +s{4}\.{1,2}d{15,16}x{14}k{5,6}i{3,4}u{8,9}q{2,3}l?$' out 'that of a guest has the same scale'
	also '^ +d +shutdown +until the pool' out 'the letters are explained'

	# What cannot be told is said
	PKRAM_FAKE_DMESG='<6>[ 99.0] later' host idle update --report; is 0 'the kernel is a part of initramfs' '' 'a log without its begin is told'
	BOOT_TIMES='' host idle update --report; is 0 'kernel and initramfs are a part of units' '' 'a systemd that does not answer is told'
	BOOT_TIMES=$'InitRDTimestampMonotonic=2000000\nUserspaceTimestampMonotonic=2500000' host idle -j update --report
	json '{p["phase"]: p["seconds"] for p in d["host"]["phases"]}["kernel"] == 2' "an initramfs with systemd says when it began"
	echo "$((1700000000 - 4))000000 another" >"$tmp/notes/down"
	host idle update --report;	is 0 'the shutdown is a part of kexec' '' 'the note of another boot is not used'
	host idle -j update --report;	json '"shutdown" not in [p["phase"] for p in d["host"]["phases"]] and {p["phase"]: p["seconds"] for p in d["host"]["phases"]}["kexec"] == 8.5' 'the kexec is longer then'
	# One that was saved earlier, by hand, says nothing of the host's blackout
	resumed vm1 3600 3599 6 0
	host idle -j update --report;	json 'd["guests"][0]["blackout"] == 3606 and d["host"]["blackout"] == 16.5' 'a guest that was saved before the update is not of the host'
	echo '{"saved": 5000000, "resumed": 9000000, "from": "6.1", "to": "6.12"}' >"$tmp/run/vm1/report"
	host idle update --report;	is 0 'a guest without phases was saved or resumed by an older pkramctl' '' 'a record without phases is told'
	also '^ +vm1 +resumed +4\.000 s' out 'its blackout is there'
	unset PKRAM_FAKE_SYSTEMD PKRAM_FAKE_DMESG BOOT_TIMES
	end_all
}

# screen - print what a terminal of 80 columns shows at the end of what is in out
screen()
{
	python3 -c '
import re, sys
rows, row = [""], 0
for part in re.findall(r"\033\[(?:\d*)[A-Za-z]|\n|\r|[^\033\n\r]+", sys.stdin.read()):
    if part == "\n":
        row += 1
        rows += [""] * (row + 1 - len(rows))
    elif part == "\033[J":
        del rows[row + 1:]
        rows[row] = ""
    elif re.fullmatch(r"\033\[\d+A", part):
        row = max(0, row - int(part[2:-1]))
    elif part == "\033[K" or part == "\r":
        pass
    else:
        rows[row] = part
print("\n".join(rows))' <"$tmp/out" >"$tmp/screen"
}

# on_screen PATTERN TIMES WHAT
on_screen() { [ "$(grep -cE -- "$1" "$tmp/screen")" = "$2" ]; report $? "$3"; }

lives()
{
	local way
	next_kernel
	define vm1 '-fake slowly'; define vm2
	# shellcheck disable=SC2086
	for way in 'the unit' --no-unit; do
		[ "$way" = --no-unit ] || export PKRAM_FAKE_SYSTEMD=1 DISABLED=0
		host empty guest start vm1 vm2
		# In a log each event has a line
		host empty update $k --yes ${way#the unit}
		also '^pkramctl: vm1: is being saved$' err "$way: a log has the begin of each save"
		also '^pkramctl: vm2: saved, [0-9.]+ [KM]?i?B in [0-9]+\.[0-9]{3} s; waits for the others$' err 'and its end'
		also '^pkramctl: vm1: saving, 5.* MiB done, 3.* MiB left$' err 'how far it is'
		also '^pkramctl: vm2: its QEMU has ended$' err 'and the end of QEMU'
		! grep -q $'\033' "$tmp/err"; report $? 'it has no escape sequences'
		host empty guest resume --all
		host empty -j update $k --yes ${way#the unit}
		! grep -qE 'waits for|its QEMU has' "$tmp/err"; report $? "$way: with -j there are no events"
		host empty guest resume --all
		# A terminal shows one line for each guest
		answer y "$O/pkramctl" update $k --yes ${way#the unit}
		cp "$tmp/out" "$tmp/raw"; screen
		on_screen '^  vm[12] .*saved$' 2 "$way: on a terminal each guest has one line at the end"
		on_screen 'is being saved|waits for the others|MiB left' 0 'which replaced the others'
		grep -q 'vm1 .*is being saved' "$tmp/raw"; report $? 'it said that a guest is being saved'
		grep -q 'vm2 .*saved, waits for the others' "$tmp/raw"; report $? 'and that another one waits'
		host empty guest resume --all
		unset PKRAM_FAKE_SYSTEMD DISABLED
	done
	host empty guest stop --all --force
	# One that fails
	define vm1 '-fake fail-late'
	host empty guest start vm1 vm2
	# shellcheck disable=SC2086
	host empty update $k --yes
	also '^pkramctl: vm1: cannot be saved$' err 'a log says which guest cannot be saved'
	also '^pkramctl: vm2: runs again$' err 'and that the others run again'
	answer y "$O/pkramctl" update --rehearse; screen
	on_screen '^  vm2 .*runs again$' 1 'a rehearsal shows the guests, too'
	end_all
}

reports
lives
tap_finish
