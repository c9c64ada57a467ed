#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of pkramctl's guests and update: with a QEMU that has no guest
# (fake_qemu.py), and with the real one that PKRAM_TEST_QEMU names.
# usage: guests.sh BUILD-DIRECTORY
set -u
O=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
tmp=$(mktemp -d)
export LC_ALL=C.UTF-8 TZ=UTC
. "$here/cli_lib.sh"
out_is=E

# What a failed test left: nothing else knows these sockets
end_all()
{
	ctl guest stop --all --force
	rm -rf "$tmp/run" "$tmp/state" "$tmp/guests" "$tmp"/ram*
	mkdir "$tmp/state" "$tmp/guests"
}
trap 'end_all; rm -rf "$tmp"' EXIT

# ctl ARGS...; leaves $rc, $tmp/out, $tmp/err
ctl()
{
	PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=${state:-$tmp/state} \
		PKRAM_RUN_DIR=$tmp/run FAKE_QEMU_LOG=$tmp/qemu.log \
		PATH=$tmp/bin:$PATH "$O/tests/pkramctl" "$@" \
		>"$tmp/out" 2>"$tmp/err"
	rc=$?
	keep_json "$@"
}

# The same, against the fake kernel, which is not for the sanitizers' program
host()
{
	local words=$1
	shift
	PKRAM_FAKE=$words PKRAM_FAKE_LOG=$tmp/log LD_PRELOAD=$O/tests/fake.so \
		PKRAM_MODULES_DIR=$tmp/modules \
		PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=$tmp/state \
		PKRAM_RUN_DIR=$tmp/run FAKE_QEMU_LOG=$tmp/qemu.log \
		PATH=$tmp/bin:$PATH "$O/pkramctl" "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	keep_json "$@"
}

evidence() { ls "$tmp/state"; }

also() { grep -qE -- "$1" "$tmp/$2"; report $? "$3"; }
there() { [ -e "$tmp/state/$1" ]; report $? "$2"; }
gone() { [ ! -e "$tmp/state/$1" ]; report $? "$2"; }

# Does guest NAME do what STATE says?
does()
{
	ctl guest show "$1"
	awk -v s="$2" 'NR == 2 && $2 == s { good = 1 } END { exit !good }' "$tmp/out"
	report $? "$3"
}

# tell NAME COMMAND [ARGUMENTS]: its QEMU, behind pkramctl's back
tell()
{
	python3 -c '
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile()
f.readline()
for c, a in ("qmp_capabilities", "{}"), sys.argv[2:]:
    s.sendall(json.dumps({"execute": c, "arguments": json.loads(a)}).encode())
    while "event" in json.loads(f.readline()):
        pass' "$tmp/run/$1/qmp" "$2" "${3:-{\}}"
}

# wait_for COMMAND...: until it succeeds; if it never does, what follows fails
wait_for()
{
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" && return
		sleep 0.1
	done
}

is_listed() { ctl guest show "$1"; grep -q "$2" "$tmp/out"; }

# define NAME [OPTIONS]: a guest
define()
{
	local nr=${1//[!0-9]/}
	cat >"$tmp/guests/$1.conf" <<-END
		# $1
		uuid = 5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a${nr:-0}
		qemu = $qemu
		stop-timeout = 2
		-machine q35,memory-backend=ram0 -m 16M
		-object memory-backend-file,id=ram0,size=16M,share=on,mem-path=$tmp/ram-$1
		-display none -nodefaults
		${2:-}
	END
}

# What any QEMU does
verbs()
{
	define vm1; define vm2
	ctl guest show;			is 0 "^vm1 +stopped +[0-9a-f-]+a1 +$tmp/ram-vm1" '' 'guests are listed'
	ctl guest start vm1 vm2;	is 0 '^vm2 +running' '' 'guests are started'
	ctl guest show -j;		json 'd[0]["state"] == "running" and d[0]["pid"] > 1 and d[1]["name"] == "vm2"' 'and are listed as JSON'
	ctl guest start vm1;		is 1 '' 'vm1: already has a QEMU' 'one that runs is not started again'
	ctl guest resume vm1;		is 1 '' 'vm1: already has a QEMU' 'nor resumed'
	ctl guest up vm1;		is 0 'running' '' 'but it is up'
	ctl guest stop vm1;		is 1 '' 'has not powered down within 2 seconds' 'a guest that does not power down goes on'
	ctl guest save --all;		is 0 '^vm1 +saved .* B$' '' 'guests are saved'
	there vm1.state 'the state is where it should be'
	does vm1 saved 'and they are known to be'
	ctl guest save vm1;		is 1 '' 'is saved already' 'and not saved twice'
	ctl guest start vm1;		is 1 '' 'pkramctl guest discard vm1 gives it up' 'a saved guest is not started'
	ctl guest down vm1;		is 0 'saved' '' 'but it is down'
	ctl update --report;		is 0 '^vm1 +saved +20' '' 'the report knows that they are saved'
	ctl guest resume --all;		is 0 '^vm2 +running .* s +[0-9]+\.[0-9]+ s$' '' 'guests are resumed, and their blackout is told'
	gone vm1.state 'the state is used up'
	gone vm1.state.info 'and what was remembered of it'
	ctl update --report;		is 0 '^vm1 +resumed +[0-9]+\.[0-9]{3} s ' '' 'the report tells the blackout'
	ctl update --report -j;		json '0 < d[0]["blackout"] < 60 and d[0]["resumed"].endswith("Z")' 'as JSON, too'

	state=$tmp/none ctl guest save vm1; is 1 '' "Could not create '$tmp/none/vm1.state'" 'a save that cannot begin'
	does vm1 running 'leaves the guest running'
	mkdir "$tmp/state/vm2.state"
	ctl guest save --all;		is 3 '^vm1 +saved' 'vm2: Could not create' 'one save that fails does not stop the others'
	rmdir "$tmp/state/vm2.state"
	does vm2 running 'and its guest goes on'

	mv "$tmp/state/vm1.state" "$tmp/kept"
	echo junk >"$tmp/state/vm1.state"
	ctl guest resume vm1;		is 1 '' 'load of migration failed' 'a state that is none is not loaded'
	also 'run pkramctl guest resume vm1' err 'how to try again is said'
	[ "$(cat "$tmp/state/vm1.state")" = junk ]; report $? 'the state is as it was'
	does vm1 saved 'the guest is still saved, and has no QEMU'
	ctl update --report;		is 0 'vm1 +not resumed .*load of migration failed' '' 'the report says why'
	ctl guest up vm1;		is 1 '' 'load of migration failed' 'nor does it go up afresh'
	mv "$tmp/kept" "$tmp/state/vm1.state"
	ctl guest up vm1;		is 0 '^vm1 +running' '' 'when the cause is gone it is resumed'

	tell vm1 stop
	ctl guest save vm1;		is 1 '' 'is paused: only a guest that runs can be saved' 'a guest that is paused is not saved'
	does vm1 paused 'and stays so'
	tell vm1 cont
	tell vm1 migrate "{\"uri\": \"file:$tmp/elsewhere\"}"
	wait_for is_listed vm1 postmigrate
	ctl guest resume vm1;		is 1 '' 'already has a QEMU, which is postmigrate' 'one that was migrated by others does not run here, too'
	ctl guest save vm1;		is 1 '' 'is postmigrate: only' 'nor is it saved'
	echo >"$tmp/state/vm1.state"
	ctl guest resume vm1;		is 0 '^vm1 +running' '' 'one whose save was not brought to its end goes on'
	gone vm1.state 'and its state is removed'

	ctl guest stop vm1 --force;	is 0 '^vm1 +stopped' '' 'a guest is ended by force'
	ctl guest stop vm1;		is 1 '' 'does not run' 'once'
	ctl guest down vm1;		is 0 'stopped' '' 'then it is down'
	ctl guest discard vm1;		is 1 '' 'is not saved; there is nothing' 'and nothing is there to be given up'
	ctl guest resume vm1;		is 1 '' 'is not saved' 'and nothing is there to be resumed'
	ctl guest up vm1;		is 0 'running' '' 'up starts it'
	ctl guest stop --all --force;	is 0 'vm2 +stopped' '' 'all are ended'
	define vm1 '-device no-such-device'
	ctl guest start vm1
	[ "$qemu" = "$tmp/bin/fake" ] || {
		is 1 '' "QEMU ended: " 'a QEMU that does not start'
		also 'no-such-device' err 'has its own words'
	}
	end_all
}

usage()
{
	define vm1; define vm2
	ctl guest start;		is 2 '' 'no guest given' 'start needs a guest'
	ctl guest start vm1 --all;	is 2 '' 'exclude each other' 'start takes names or --all'
	ctl guest start vm1 --force;	is 2 '' 'unknown option "--force"' 'start has no --force'
	ctl guest up --all;		is 2 '' 'unknown option "--all"' 'up has no --all'
	ctl guest start vm3;		is 1 '' "$tmp/guests/vm3.conf: No such file" 'a guest that is not defined'
	ctl guest start ../vm1;		is 1 '' 'not a valid name of a guest' 'a name is no path'
	echo 'uuid = 1' >"$tmp/guests/vm2.conf"
	ctl guest show;			is 1 '^vm1' "vm2.conf:1: \"1\" is not a UUID" 'a definition that is wrong does not hide the others'
	ctl update --kernel x;		is 1 '' 'vm2.conf:1' 'but there is no update with it'
	ctl update;			is 2 '' 'no kernel given' 'an update is to a kernel'
	ctl update --help;		is 0 'dry-run' '' 'update --help'
	ctl guest --help;		is 0 'guest resume NAME' '' 'guest --help'
	rm -r "$tmp/guests"
	ctl guest show;			is 0 '' '' 'without definitions there is no guest'
	end_all
}

# What was done with guests, as JSON
as_json()
{
	define vm1; define vm2 '-fake blocked'
	ctl -j guest start --all;	json '[g["state"] for g in d] == ["running", "running"]' 'start as JSON'
	ctl -j guest save vm1 vm2;	json 'd[0]["state"] == "saved" and d[0]["bytes"] and "cannot be migrated" in d[1]["error"]' 'save as JSON, with what failed'
	ctl -j guest resume vm1;	json 'd[0]["blackout"] > 0' 'resume as JSON'
	ctl -j guest up vm1;		json 'd[0]["state"] == "running"' 'up as JSON'
	ctl -j guest stop --all --force; json 'd[1]["state"] == "stopped"' 'stop as JSON'
	ctl -j guest start vm1; ctl guest save vm1
	ctl -j guest discard vm1;	json 'd[0]["state"] == "stopped"' 'discard as JSON'
	gone vm1.state 'removes the state'
	gone vm1.state.info 'and what was remembered of it'
	ctl guest discard --all;	is 2 '' 'unknown option "--all"' 'discard has no --all'
	ctl -j guest down vm1;		json 'd[0]["state"] == "stopped"' 'down as JSON'
	end_all
}

# What a QEMU does that is not as it should be
trouble()
{
	local pid
	define vm1 '-fake no-start'
	ctl guest start vm1;		is 1 '' 'QEMU ended: fake_qemu: no such machine' 'a QEMU that does not start'
	does vm1 stopped 'its guest is stopped'
	define vm1 '-fake blocked'
	ctl guest start vm1
	: >"$tmp/qemu.log"
	ctl guest save vm1;		is 1 '' 'the disk cannot be migrated' 'a guest that cannot be saved'
	! grep -q '^vm1 migrate ' "$tmp/qemu.log"; report $? 'is not even stopped'
	end_all
	define vm1 '-fake fail-late'
	ctl guest start vm1
	ctl guest save vm1;		is 1 '' 'No space left on device' 'a save that fails late'
	gone vm1.state 'leaves no state'
	does vm1 running 'and the guest goes on'
	also 'vm1 migrate-set-parameters {"mode": "cpr-reboot", "max-bandwidth": 1099511627776}' qemu.log 'a save has no limit of its speed'
	also 'vm1 migrate-set-parameters {"mode": "normal", "max-bandwidth": 5242880}' qemu.log 'and is as it was before'
	end_all
	define vm1 '-fake die-in-save'
	ctl guest start vm1
	ctl guest save vm1;		is 1 '' 'QEMU has ended' 'a QEMU that dies when it saves'
	end_all
	define vm1 '-fake slow'
	ctl guest start vm1
	PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=$tmp/state PKRAM_RUN_DIR=$tmp/run \
		"$O/tests/pkramctl" guest save vm1 >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	wait_for grep -q left "$tmp/err"
	PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=$tmp/state PKRAM_RUN_DIR=$tmp/run \
		"$O/tests/pkramctl" guest stop vm1 >"$tmp/second" 2>&1
	grep -q 'another pkramctl is working on it' "$tmp/second"; report $? 'two do not work on one guest'
	kill "$pid"
	wait "$pid"; rc=$?
	is 1 '' 'vm1: interrupted' 'a save can be interrupted'
	also 'vm1: saving, 5 MiB done, 3 MiB left' err 'and tells how far it is'
	does vm1 running 'the guest goes on'
	end_all
	define vm1
	ctl guest start vm1; ctl guest save vm1
	define vm1 '-fake die-in-load'
	ctl guest resume vm1;		is 1 '' 'object vm is not sealed' 'a QEMU that dies when it loads'
	there vm1.state 'the state stays'
	define vm1 '-fake stays-paused'
	ctl guest resume vm1;		is 1 '' 'does not run: it is paused' 'a guest that does not run after the load'
	does vm1 saved 'it stays saved'
	end_all
	define vm1 '-fake powers-down'
	ctl guest start vm1
	ctl guest stop vm1;		is 0 '^vm1 +stopped' '' 'a guest that powers down'
	end_all
	define vm1 '-fake mute'
	"$tmp/bin/fake" -fake mute -name vm1 -qmp "unix:$tmp/qmp" -pidfile "$tmp/pid" &
	pid=$!
	mkdir -p "$tmp/run/vm1"
	wait_for [ -S "$tmp/qmp" ]
	ln -s "$tmp/qmp" "$tmp/run/vm1/qmp"
	ctl guest show;			is 0 'no answer .*another program is connected' '' 'a QEMU that does not talk'
	ctl guest save vm1;		is 1 '' 'another program is connected' 'cannot be asked to save'
	kill "$pid"
	wait "$pid" 2>/dev/null
	rm -f "$tmp/run/vm1/qmp" "$tmp/qmp"
	end_all
}

update()
{
	make_image 6.99.1-test "$tmp/vmlinuz"
	make_module "$tmp/modules" 6.99.1-test pkram_format=1
	: >"$tmp/log"
	define vm1; define vm2; define vm3
	local k="--kernel $tmp/vmlinuz --command-line x"
	# shellcheck disable=SC2086
	{
	ctl guest start vm1 vm2
	host idle update $k --dry-run;	is 0 '^ +vm1 +running' '' 'a dry run shows the guests'
	! grep -q . "$tmp/log"; report $? 'and does nothing'
	host '' update $k;		is 1 '' 'vm2 is claimed by a process that is not a guest' 'an object of somebody else stops the update'
	sed -i "s|mem-path=.*|mem-path=$tmp/vm2|" "$tmp/guests/vm2.conf"
	host '' update $k --dry-run;	is 0 '^ +vm2 +running' '' 'one of a guest that will be saved does not'
	: >"$tmp/qemu.log"
	host idle update --kernel "$tmp/none"; is 1 '' 'none: No such file' 'a kernel that is not there'
	PKRAM_FAKE_KEXEC_ERRNO=16 host idle update $k; is 1 '' 'another kexec is under way' 'a load that fails'
	mv "$tmp/modules" "$tmp/away"
	host idle update $k;		is 1 '' 'there is no pkram module for 6.99.1-test' 'a kernel without a module'
	PKRAM_FAKE_KEXEC_ERRNO=16 host idle update $k --force; is 1 '' 'warning: there is no pkram module' '--force takes it'
	mv "$tmp/away" "$tmp/modules"
	! grep -q '^vm. migrate ' "$tmp/qemu.log"; report $? 'stops it before a guest was stopped'

	mkdir "$tmp/state/vm2.state"
	: >"$tmp/log"
	host idle -j update $k;		also 'update cancelled' err 'a guest that cannot be saved stops the update'
	also "vm2: Could not create" err 'and it is said why'
	grep -q '^unload' "$tmp/log" && ! grep -q reboot "$tmp/log"; report $? 'the image is unloaded, and not booted'
	gone vm1.state 'the state of the other is removed'
	does vm1 running 'the other goes on'
	does vm2 running 'and it itself'
	rmdir "$tmp/state/vm2.state"

	: >"$tmp/log"
	host claimed_late update $k;	also 'vm2 is claimed' err 'an object that is used meanwhile stops it, too'
	does vm1 running 'the guests go on'

	: >"$tmp/log"
	host idle update $k;		is 1 '^ +vm1 +saved' 'the guests were resumed' 'a kexec that fails'
	grep -q '^reboot kexec' "$tmp/log"; report $? 'was tried'
	does vm1 running 'the guests are resumed'
	gone vm1.state 'and have no state any more'

	export PKRAM_FAKE_SYSTEMD=1
	: >"$tmp/log"
	host idle update $k --dry-run;	is 0 'systemctl kexec' 'warning: vm2: its unit pkram-guest@vm2.service is not enabled' 'a unit that is not enabled is warned of'
	! grep -q vm3 "$tmp/err"; report $? 'but not of a guest that does not run'
	export DISABLED=0
	host idle update $k;		is 0 '^ +vm2 +saved' '' 'systemd is asked to boot the kernel'
	grep -q 'systemctl kexec' "$tmp/log"; report $? 'by systemctl kexec'
	does vm1 saved 'the guests are saved'
	does vm3 stopped 'one that did not run is not'
	ctl guest resume --all;		is 0 'vm2 +running' '' 'and are resumed afterwards'

	unset DISABLED
	JOBS='12 kexec.target start waiting' host idle guest down vm1
	is 0 '^vm1 +saved' '' 'on the way into a kexec down means save'
	host idle guest up vm1
	define vm1 '-fake fail-late'
	host idle guest down vm2;	is 1 '' 'has not powered down' 'else it means stop'
	host idle guest stop --all --force
	define vm1 '-fake fail-late,powers-down'
	host idle guest up vm1
	JOBS='12 kexec.target start waiting' host idle guest down vm1
	is 0 '^vm1 +stopped' 'vm1 cannot be saved and is powered down instead: No space left' 'a guest that cannot be saved then is stopped'
	unset PKRAM_FAKE_SYSTEMD
	}
	end_all
}

mkdir "$tmp/bin" "$tmp/state" "$tmp/guests"
# The fake kernel is for pkramctl alone
printf '#!/bin/sh\nunset LD_PRELOAD\nexec "%s/fake_qemu.py" "$@"\n' "$here" >"$tmp/bin/fake"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "systemctl $*" >>%s/log\ncase $* in\n*list-jobs*) echo "$JOBS" ;;\n*is-enabled*) exit ${DISABLED:-1} ;;\nesac\n' \
	"$tmp" >"$tmp/bin/systemctl"
chmod +x "$tmp/bin/fake" "$tmp/bin/systemctl"
: >"$tmp/qemu.log"

qemu=$tmp/bin/fake kind=fake
verbs
usage
as_json
trouble
update
if [ -n "${PKRAM_TEST_QEMU:-}" ]; then
	# Without a guest's kernel the firmware runs, on any machine
	qemu=$PKRAM_TEST_QEMU kind=QEMU
	verbs
else
	echo "the verbs with a real QEMU: not run, PKRAM_TEST_QEMU names none"
fi

finish
