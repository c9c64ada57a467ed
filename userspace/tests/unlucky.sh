#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test: what may go wrong around a save or a resume loses no guest. With a QEMU
# without a guest (fake_qemu.py) and the fake kernel, whose objects have seals.
# usage: unlucky.sh BUILD-DIRECTORY
set -u
. "$(dirname "$0")/guests_lib.sh"

# sealed NAME [OPTIONS] - define a guest with its RAM in pkram, and make its object
sealed()
{
	define "$@"
	sed -i "s|^-object .*|-object memory-backend-pkram,id=ram0,size=16M,name=$1,dir=$tmp/pool|" \
		"$tmp/guests/$1.conf"
	: >"$tmp/pool/$1"
}

# shows NAME STATE WHAT - check the state that guest show prints
shows()
{
	host idle guest show "$1"
	grep -q "^$1 \+$2" "$tmp/out"; report $? "$3"
}

qemu_lives() { kill -0 "$(cat "$tmp/run/$1/pid")"; report $? "$2"; }
not_ended() { ! grep -q "^$1 quit" "$tmp/qemu.log"; report $? "$2"; }

# A QEMU that says "completed" ends only if nothing is lost with it
saves()
{
	sealed vm1
	: >"$tmp/log"; : >"$tmp/qemu.log"
	host idle guest start vm1
	host idle guest save vm1; is 0 '^vm1 +saved' '' 'a guest with sealed RAM is saved'
	grep -q "^fsync $tmp/state/vm1.state$" "$tmp/log"; report $? 'the state is written to its medium'
	grep -q "^fsync $tmp/state$" "$tmp/log"; report $? 'the folder of the state, too'
	shows vm1 saved 'show lists it as saved'
	host idle guest resume vm1;	is 0 '^vm1 +running' '' 'and it is resumed'
	host idle guest stop --force vm1

	sealed vm1 '-fake no-seal'
	host idle guest start vm1
	: >"$tmp/qemu.log"
	host idle guest save vm1;	is 1 '' "its RAM in $tmp/pool/vm1 is not sealed" 'a save without a seal fails'
	shows vm1 running 'the guest goes on'
	not_ended vm1 'its QEMU was not asked to end'
	gone vm1.state 'its state is removed'
	host idle guest stop --force vm1

	sealed vm1 '-fake cut-off'
	host idle guest start vm1
	: >"$tmp/qemu.log"
	host idle guest save vm1;	is 1 '' "vm1.state: the state is not whole" 'a save whose state is cut off fails'
	shows vm1 running 'the guest goes on after it'
	not_ended vm1 'its QEMU was not asked to end either'
	host idle guest stop --force vm1

	sealed vm1
	host idle guest start vm1
	: >"$tmp/qemu.log"
	PKRAM_FAKE_FSYNC_ERRNO=5 host idle guest save vm1; is 1 '' 'to its medium: Input/output error' 'a save that cannot be written to its medium fails'
	shows vm1 running 'the guest goes on, too'
	host idle guest stop --force vm1

	sealed vm1 '-fake is-continued'
	host idle guest start vm1
	: >"$tmp/qemu.log"
	host idle guest save vm1;	is 1 '' 'is running after the save, which is void' 'a guest that somebody continues after the save fails'
	shows vm1 running 'it goes on'
	not_ended vm1 'its QEMU is not ended'
	host idle guest stop --force vm1

	# The same in an update: the others are taken back
	make_image 6.99.1-test "$tmp/vmlinuz"
	make_module "$tmp/modules" 6.99.1-test pkram_format=1
	local k="--kernel $tmp/vmlinuz --no-initrd --command-line x" word
	for word in no-seal cut-off is-continued; do
		sealed vm1; sealed vm2 "-fake $word"
		host idle guest start --all
		: >"$tmp/qemu.log"; : >"$tmp/log"
		# shellcheck disable=SC2086
		host idle update $k;	also 'update cancelled' err "update is cancelled by a guest with $word"
		! grep -q reboot "$tmp/log"; report $? 'it does not boot'
		shows vm1 running 'the other guest goes on'
		shows vm2 running "the guest with $word goes on"
		not_ended vm1 'no QEMU was asked to end'
		not_ended vm2 'not that of the other guest either'
		host idle guest stop --all --force
	done
	end_all
}

resumes()
{
	local pid
	sealed vm1
	host idle guest start vm1; host idle guest save vm1
	sealed vm1 '-fake uses-ram'
	host idle guest resume vm1;	is 1 '' 'its QEMU is not ended, as it uses the RAM already' 'a QEMU that used the RAM is not ended when the load fails'
	qemu_lives vm1 'it lives'
	host idle guest stop --force vm1
	shows vm1 'stopped (with a stale state)' 'without it, the state is stale'
	host idle guest start vm1;	is 0 '^vm1 +running' 'removed the stale state' 'the guest can be started afresh'
	host idle guest stop --force vm1

	sealed vm1
	host idle guest start vm1; host idle guest save vm1
	sealed vm1 '-fake uses-ram'
	host idle guest up vm1;		is 0 '^vm1 +' 'warning: vm1: ' 'up does not fail then, so that systemd kills nothing'
	qemu_lives vm1 'its QEMU lives'
	host idle guest stop --force vm1; rm "$tmp/state/vm1.state"

	# The state of the object counts, not the file
	sealed vm1
	host idle guest start vm1; host idle guest save vm1
	sealed vm1 '-fake die-in-load'
	mv "$tmp/state/vm1.state" "$tmp/kept"
	shows vm1 'sealed (its state is missing)' 'show tells RAM that is sealed without a state'
	host idle guest start vm1;	is 1 '' "its RAM is sealed, but there is no $tmp/state/vm1.state" 'start refuses it'
	host idle guest resume vm1;	is 1 '' 'although its RAM is sealed' 'resume says what is missing'
	mv "$tmp/kept" "$tmp/state/vm1.state"
	host idle guest resume vm1;	is 1 '' 'are unchanged. To try again' 'a failed resume says that the RAM is still sealed'
	rm "$tmp/state/vm1.state"
	host idle guest unseal vm1;	is 0 '^vm1 +stopped' '' 'unseal gives RAM up whose state is missing'

	# A QEMU that stands still after a start is no failure either
	sealed vm1 '-fake starts-paused'
	host idle guest start vm1;	is 0 '^vm1 +io-error' 'it is started and stands still, as it is io-error' 'start keeps a guest with an I/O error'
	qemu_lives vm1 'its QEMU lives on'
	host idle guest stop --force vm1

	# A paused guest whose update was cancelled
	make_image 6.99.1-test "$tmp/vmlinuz"
	make_module "$tmp/modules" 6.99.1-test pkram_format=1
	local k="--kernel $tmp/vmlinuz --no-initrd --command-line x"
	sealed vm1; sealed vm2 '-fake fail-late'
	host idle guest start --all
	tell vm1 stop
	: >"$tmp/qemu.log"
	# shellcheck disable=SC2086
	host idle update $k;		also 'update cancelled' err 'an update with a paused guest is cancelled'
	host idle guest show vm1;	is 0 'pkramctl guest resume vm1' '' 'show names the command that brings the paused guest on'
	host idle guest resume vm1;	is 0 '^vm1 +paused' 'stands still, as it is paused' 'resume leaves it paused'
	! grep -q '^vm1 cont' "$tmp/qemu.log"; report $? 'it did not run in between'
	shows vm1 paused 'it stays paused'
	gone vm1.state 'its state is used up'
	host idle guest stop --all --force

	# pkramctl is killed after it started a QEMU for the load, and before the load
	sealed vm1
	host idle guest start vm1; host idle guest save vm1
	mkdir -p "$tmp/run/vm1"
	"$tmp/bin/fake" -name vm1 -object "memory-backend-pkram,name=vm1,dir=$tmp/pool" \
		-incoming defer -qmp "unix:$tmp/run/vm1/qmp" -pidfile "$tmp/run/vm1/pid" & pid=$!
	wait_for [ -S "$tmp/run/vm1/qmp" ]
	shows vm1 'inmigrate .*pkramctl guest resume vm1' 'show names the command for a QEMU that waits for its state'
	host idle guest resume vm1;	is 0 '^vm1 +running' '' 'resume takes it over'
	! kill -0 "$pid" 2>/dev/null; report $? "the QEMU that waited has ended"
	wait "$pid" 2>/dev/null
	end_all
}

saves
resumes
tap_finish
