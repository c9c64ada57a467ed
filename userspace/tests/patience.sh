#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test: what takes long, or fails for a while, loses no guest. With a QEMU without a guest
# (fake_qemu.py) and the fake kernel, for which time passes a hundred times as fast: see
# PKRAM_FAKE_SPEED in fake_system.c.
# usage: patience.sh BUILD-DIRECTORY
set -u
. "$(dirname "$0")/guests_lib.sh"

# fast ARGS... - run pkramctl a hundred times as fast
fast() { PKRAM_FAKE_SPEED=100 host idle "$@"; }

# did RC TEXT-IN-OUT WHAT - check the last run but for what it tells meanwhile
did() { [ "$rc" = "$1" ] && grep -qE "$2" "$tmp/out"; report $? "$3"; }

# A QEMU that allocates hundreds of GiB has its socket long before it answers
slow_start()
{
	local pid
	sealed vm1 '-fake slow-start'
	fast guest start vm1;		is 0 '^vm1 +running' 'vm1: QEMU starts; it has not answered for 30 s' 'a start that takes minutes is not ended'
	also 'it has not answered for 1[0-9][0-9] s' err 'it tells so now and then'
	host idle guest stop --force vm1
	sealed vm1 '-fake slow-start,no-late-start'
	fast guest start vm1;		is 1 '' 'QEMU ended: fake_qemu: no memory' 'a QEMU that ends meanwhile is seen'
	shows vm1 stopped 'the guest is stopped then'

	# The operator does not want to wait
	local verb
	for verb in start up; do
		sealed vm1 '-fake slow-start'
		: >"$tmp/qemu.log"
		FAKE_QEMU_SLOW=4 fast guest $verb vm1 & pid=$!
		wait_for grep -q allocates "$tmp/qemu.log"
		pkill -TERM -P "$pid"
		wait "$pid"; rc=$?
		also 'vm1: interrupted; its QEMU is not ended, as it still starts' err "SIGTERM ends $verb, but not QEMU"
		qemu_lives vm1 'it lives'
		wait_for is_listed vm1 running
		shows vm1 running 'it runs when it is ready'
		host idle guest stop --force vm1
	done
	end_all
}

slow_resume()
{
	local pid
	sealed vm1
	host idle guest start vm1; host idle guest save vm1
	export FAKE_QEMU_WORDS=slow-start
	fast guest up vm1;		is 0 '^vm1 +running' 'vm1: QEMU starts; it has not answered for 30 s' 'a load whose QEMU starts for minutes is waited for'
	unset FAKE_QEMU_WORDS
	host idle guest save vm1
	: >"$tmp/qemu.log"
	FAKE_QEMU_WORDS=slow-start FAKE_QEMU_SLOW=4 fast guest up vm1 & pid=$!
	wait_for grep -q allocates "$tmp/qemu.log"
	pkill -TERM -P "$pid"
	wait "$pid"; rc=$?
	also 'vm1: interrupted; its QEMU is not ended, as it still starts' err 'SIGTERM ends up, but not QEMU'
	qemu_lives vm1 'it lives then'
	wait_for is_listed vm1 inmigrate
	shows vm1 'inmigrate .*pkramctl guest resume vm1' 'show names the command that goes on'
	host idle guest resume vm1;	is 0 '^vm1 +running' '' 'that resumes the guest'
	host idle guest save vm1
	FAKE_QEMU_WORDS=slow-load fast guest up vm1; is 0 '^vm1 +running' 'vm1: loading; QEMU does not answer meanwhile' 'a load during which QEMU answers nothing for minutes is waited for'
	gone vm1.state 'its state is used up'
	end_all
}

pid_of() { cat "$tmp/run/$1/pid"; }

# down ARGS... - run guest down, fast, while systemd goes to a kexec
down()
{
	PKRAM_FAKE_SYSTEMD=1 PKRAM_FAKE_IMAGE=1 JOBS=${JOBS-'1 kexec.target start waiting'} fast guest down "$@"
}

# Before a kexec systemd stops the units of guests, and kills what is left after 15 minutes
downs()
{
	local pid
	sealed vm1
	host idle guest start vm1
	kill -STOP "$(pid_of vm1)"
	(sleep 7; kill -CONT "$(pid_of vm1)") & pid=$!
	down vm1;			did 0 '^vm1 +saved' 'down waits for a QEMU that is silent for minutes'
	wait "$pid"
	host idle guest resume vm1

	# Somebody has the socket that is documented
	python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.recv(1)
open(sys.argv[2], "w").close()
time.sleep(100)' "$tmp/run/vm1/qmp" "$tmp/held" & pid=$!
	wait_for [ -e "$tmp/held" ]
	host idle guest save vm1;	is 0 '^vm1 +saved' '' 'a client of the documented socket does not keep pkramctl waiting'
	kill "$pid"; wait "$pid" 2>/dev/null
	host idle guest resume vm1
	# It was started by an older pkramctl
	rm "$tmp/run/vm1/qmp-pkramctl"
	shows vm1 running 'a QEMU without the second socket is asked by the first'
	host idle guest stop --force vm1

	sealed vm1 '-fake slow-flush'
	FAKE_QEMU_SLOW=3 host idle guest start vm1
	down vm1;			did 0 '^vm1 +saved' 'down waits for a flush that takes minutes'
	host idle guest unseal vm1

	sealed vm1 '-fake fail-once'
	host idle guest start vm1
	down vm1;			is 0 '^vm1 +saved' 'vm1: it is not saved yet, and that is tried again: No space left on device' 'down saves again after a save that failed'
	host idle guest resume vm1
	tell vm1 drive-mirror '{"device": "x"}'
	(sleep 3; tell vm1 block-job-cancel '{"device": "x"}') & pid=$!
	down vm1;			is 0 '^vm1 +saved' 'tried again: its block job x (mirror) is under way' 'down waits for a block job'
	wait "$pid"
	host idle guest unseal vm1

	# It stands still
	sealed vm1
	host idle guest start vm1
	tell vm1 stop
	down vm1;			did 0 '^vm1 +saved' 'down saves a paused guest before a kexec'
	host idle guest up vm1;		is 0 '^vm1 +paused' 'stands still, as it is paused' 'it is paused after it'
	host idle guest stop --force vm1
	sealed vm1 '-fake starts-paused'
	host idle guest start vm1
	: >"$tmp/qemu.log"
	down vm1;			did 0 '^vm1 +saved' 'down saves a guest with an I/O error'
	host idle guest up vm1;		is 0 '^vm1 +io-error' 'stands still, as it is io-error' 'it has it after the kexec'
	! grep -q '^vm1 cont' "$tmp/qemu.log"; report $? 'it did not run in between'
	host idle guest stop --force vm1

	# systemd does not answer
	sealed vm1
	host idle guest start vm1
	JOBS='' JOBS_RC=1 down vm1;	did 0 '^vm1 +saved' 'down saves a guest if systemd cannot be asked'
	host idle guest resume vm1
	JOBS='' down vm1;		is 1 '' 'has not powered down' 'down powers it down if there is no kexec'
	host idle guest stop --force vm1

	# What does not pass, and what does not pass in time
	sealed vm1 '-fake powers-down -snapshot'
	sed -i 's/^stop-timeout.*/stop-timeout = 90/' "$tmp/guests/vm1.conf"
	host idle guest start vm1
	down vm1;			is 0 '^vm1 +stopped' 'cannot be saved and is powered down instead: what it wrote to its disks would be lost' 'a guest that can never be saved is powered down at once'
	! grep -q 'tried again' "$tmp/err"; report $? 'it is not tried again'
	sealed vm1 '-fake fail-late,powers-down'
	sed -i 's/^stop-timeout.*/stop-timeout = 300/' "$tmp/guests/vm1.conf"
	host idle guest start vm1
	STOP_TIMEOUT='13min 20s' down vm1; is 0 '^vm1 +stopped' 'cannot be saved and is powered down instead: No space left' 'one whose save fails to the end is powered down while there is time'
	# What QEMU does not leave by itself
	sealed vm1
	host idle guest start vm1
	tell vm1 fake-status '{"status": "internal-error"}'
	STOP_TIMEOUT='2min' down vm1;	is 1 '' 'is internal-error and cannot power down' 'a guest that can neither be saved nor power down is told at once'
	! grep -q 'tried again' "$tmp/err"; report $? 'nor is that tried again'
	host idle guest stop --force vm1
	host idle guest start vm1
	tell vm1 migrate "{\"uri\": \"file:$tmp/state/vm1.state\"}"; tell vm1 query-migrate
	STOP_TIMEOUT='2min' down vm1;	is 0 '^vm1 +saved' '' 'down leaves a guest that stands still after a save as it is'
	host idle guest resume vm1;	is 0 '^vm1 +running' '' 'it can be resumed'
	host idle guest stop --force vm1
	sealed vm1
	host idle guest start vm1
	kill -STOP "$(pid_of vm1)"
	STOP_TIMEOUT='2min' down vm1;	is 1 '' 'vm1: QEMU does not answer' 'a QEMU that is silent to the end is told'
	kill -CONT "$(pid_of vm1)"
	shows vm1 running 'it was not touched'
	end_all
}

ended() { ! kill -0 "$1" 2>/dev/null; }

# A saved guest whose QEMU cannot be started yet
retries()
{
	local waiter text again='vm1: it is not resumed yet, which is tried again in 1 s, as its RAM and state are unchanged: ' pid
	export FAKE_QEMU_WORDS=busy FAKE_QEMU_BUSY=$tmp/busy
	for text in 'cannot open pkram object: Device or resource busy' "Could not open '/srv/disk': No such file or directory" \
		    "cannot set up guest memory 'ram0': Cannot allocate memory" 'object vm1 is in use by another process'; do
		sealed vm1
		host idle guest start vm1; host idle guest save vm1
		echo "$text" >"$tmp/busy"
		: >"$tmp/err"
		(until grep -qs 'tried again' "$tmp/err"; do sleep 0.1; done; rm "$tmp/busy") & pid=$!
		fast guest up vm1;	is 0 '^vm1 +running' "$again""QEMU ended: fake_qemu: $text" "up tries again after \"$text\""
		kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -f "$tmp/busy"
		host idle guest stop --force vm1
	done

	host idle guest start vm1; host idle guest save vm1
	echo "$text" >"$tmp/busy"
	PKRAM_FAKE_SPEED=1 host idle guest up vm1 & pid=$!
	wait_for grep -qs 'tried again in 4 s' "$tmp/err"
	pkill -TERM -P "$pid"
	wait "$pid"
	also 'are unchanged. To try again' err 'SIGTERM ends that'
	shows vm1 saved 'the guest is still saved'
	host idle guest up vm1 & pid=$!
	wait_for grep -qs 'tried again in 8 s' "$tmp/err"
	rm "$tmp/busy"
	ctl guest resume vm1;		is 0 '^vm1 +running' '' 'an operator can resume it meanwhile'
	: >"$tmp/out"
	wait "$pid"
	also '^vm1 +running' out 'up finds it running then'
	host idle guest save vm1

	# While an attempt ends its QEMU
	: >"$tmp/qemu.log"
	echo "$text" >"$tmp/busy"
	FAKE_QEMU_WORDS=busy-load,slow-quit FAKE_QEMU_SLOW=2 host idle guest up vm1 & pid=$!
	wait_for grep -q '^vm1 quit' "$tmp/qemu.log"
	pkill -TERM -P "$pid"
	wait_for ended "$pid"
	ended "$pid"; report $? 'SIGTERM during an attempt ends up as well'
	pkill -KILL -P "$pid"; wait "$pid"
	also 'are unchanged. To try again' err 'it says that the guest stays saved'
	shows vm1 saved 'as it does'

	# Another process has the lock for longer than up waits for it at once
	rm "$tmp/busy"; : >"$tmp/err"
	flock "$tmp/run/vm1" sleep 600 & pid=$!
	wait_for bash -c "! flock -n '$tmp/run/vm1' true"
	(until grep -qs 'tried again' "$tmp/err"; do sleep 0.1; done; pkill -P "$pid") &
	waiter=$!
	fast guest up vm1;		is 0 '^vm1 +running' 'vm1: it is not up yet, which is tried again in 1 s: another pkramctl is working on it' 'up waits for another pkramctl'
	kill "$waiter" 2>/dev/null; pkill -P "$pid"; wait "$pid" "$waiter" 2>/dev/null
	host idle guest save vm1

	# An operator gives it up, or resumes it and powers it down
	echo "$text" >"$tmp/busy"
	host idle guest up vm1 & pid=$!
	wait_for grep -qs 'tried again in 4 s' "$tmp/err"
	host idle guest unseal vm1
	rm "$tmp/busy"; : >"$tmp/err"
	wait "$pid"
	shows vm1 stopped 'after a resume that failed up starts no guest afresh'
	host idle guest stop --force vm1
	host idle guest start vm1; host idle guest save vm1

	# For good
	echo 'no such machine' >"$tmp/busy"
	host idle guest up vm1;		is 1 '' 'QEMU ended: fake_qemu: no such machine' 'what does not pass ends up at once'
	! grep -q 'tried again in' "$tmp/err"; report $? 'it is not tried again'
	rm "$tmp/busy"
	FAKE_QEMU_WORDS=die-in-load host idle guest up vm1; is 1 '' 'object vm is not sealed' 'so does a refused state'
	host idle guest unseal vm1
	echo "$text" >"$tmp/busy"
	host idle guest up vm1;		is 1 '' "$text" 'a guest that is not saved is started once'
	unset FAKE_QEMU_WORDS FAKE_QEMU_BUSY
	end_all
}

slow_start
slow_resume
downs
retries
tap_finish
