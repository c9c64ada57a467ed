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

slow_start
slow_resume
tap_finish
