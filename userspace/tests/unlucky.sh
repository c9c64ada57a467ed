#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test: what may go wrong around a save or a resume loses no guest. With a QEMU
# without a guest (fake_qemu.py) and the fake kernel, whose objects have seals.
# usage: unlucky.sh BUILD-DIRECTORY
set -u
. "$(dirname "$0")/guests_lib.sh"

not_ended() { ! grep -q "^$1 quit" "$tmp/qemu.log"; report $? "$2"; }

ended() { ! kill -0 "$1" 2>/dev/null; }

# A QEMU that says "completed" ends only if nothing is lost with it
saves()
{
	sealed vm1
	: >"$tmp/log"; : >"$tmp/qemu.log"
	host idle guest start vm1
	host idle guest save vm1; is 0 '^vm1 +saved' '' 'a guest with sealed RAM is saved'
	grep -q "^fsync $tmp/state/vm1.state$" "$tmp/log"; report $? 'the state is written to its medium'
	grep -q "^fsync $tmp/state$" "$tmp/log"; report $? 'the directory of the state, too'
	shows vm1 saved 'show lists it as saved'
	shows vm1 '.* pkramctl guest resume vm1' 'and the command that resumes it'
	# In its unit, if that is enabled
	export PKRAM_FAKE_SYSTEMD=1 DISABLED=0
	shows vm1 '.* systemctl start pkram-guest@vm1' 'which is that of its unit, if it is enabled'
	host idle guest start vm1;	is 1 '' 'is saved; systemctl start pkram-guest@vm1 continues it' 'start names it'
	host idle health;		also 'is saved and does not run: systemctl start pkram-guest@vm1' out 'health, too'
	FAKE_QEMU_WORDS=no-start host idle guest resume vm1; is 1 '' 'To try again, run systemctl start pkram-guest@vm1;' 'and a resume that failed'
	unset PKRAM_FAKE_SYSTEMD DISABLED
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
	PKRAM_FAKE_FSYNC_ERRNO=5 PKRAM_FAKE_FSYNC_END=.state host idle guest save vm1; is 1 '' 'to its medium: Input/output error' 'a save that cannot be written to its medium fails'
	shows vm1 running 'the guest goes on, too'
	host idle guest stop --force vm1

	sealed vm1 '-fake is-continued'
	host idle guest start vm1
	: >"$tmp/qemu.log"
	host idle guest save vm1;	is 1 '' 'is running after the save, which is void' 'a guest that is continued after the save fails'
	shows vm1 running 'it goes on'
	not_ended vm1 'its QEMU is not ended'
	host idle guest stop --force vm1

	# The same in an update: the others are taken back
	local word
	next_kernel
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
	FAKE_QEMU_WORDS=uses-ram host idle guest resume vm1; is 1 '' 'its QEMU is not ended, as it uses the RAM already' 'a QEMU that used the RAM is not ended when the load fails'
	qemu_lives vm1 'it lives'
	host idle guest stop --force vm1
	shows vm1 'stopped (with a stale state)' 'without it, the state is stale'
	host idle guest start vm1;	is 0 '^vm1 +running' 'removed the stale state' 'the guest can be started afresh'
	host idle guest stop --force vm1

	sealed vm1
	host idle guest start vm1; host idle guest save vm1
	FAKE_QEMU_WORDS=uses-ram host idle guest up vm1; is 0 '^vm1 +' 'warning: vm1: ' 'up does not fail then, so that systemd kills nothing'
	qemu_lives vm1 'its QEMU lives'
	host idle guest stop --force vm1; rm "$tmp/state/vm1.state"

	# The state of the object counts, not the file
	sealed vm1
	host idle guest start vm1; host idle guest save vm1
	mv "$tmp/state/vm1.state" "$tmp/kept"
	shows vm1 'sealed (its state is missing)' 'show tells RAM that is sealed without a state'
	host idle -j guest show vm1;	json 'not d[0].get("next")' 'no command is recommended for it, as its state may be somewhere'
	host idle guest start vm1;	is 1 '' "its RAM is sealed, but there is no $tmp/state/vm1.state" 'start refuses it'
	host idle guest resume vm1;	is 1 '' 'although its RAM is sealed' 'resume says what is missing'
	mv "$tmp/kept" "$tmp/state/vm1.state"
	FAKE_QEMU_WORDS=die-in-load host idle guest resume vm1; is 1 '' 'are unchanged. To try again' 'a failed resume says that the RAM is still sealed'
	rm "$tmp/state/vm1.state"
	host idle guest unseal vm1;	is 0 '^vm1 +stopped' '' 'unseal gives RAM up whose state is missing'

	# It may be saved in the region that is missing
	host 'idle missing' guest up vm1; is 1 '' "1 of the pool's regions is missing, and this guest may be saved there" 'a unit starts no guest afresh while a region is missing'
	host idle guest show vm1;	is 0 '^vm1 +stopped' '' 'it has no QEMU then'
	host 'idle missing' guest start vm1; is 0 '^vm1 +running' '' 'an operator may start it'
	host idle guest stop vm1 --force

	# A QEMU that stands still after a start is no failure either
	sealed vm1 '-fake starts-paused'
	host idle guest start vm1;	is 0 '^vm1 +io-error' 'it is started and stands still, as it is io-error' 'start keeps a guest with an I/O error'
	qemu_lives vm1 'its QEMU lives on'
	host idle guest stop --force vm1

	# A paused guest whose update was cancelled
	next_kernel
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
	host idle guest stop vm1;	is 1 '' 'and may have the only copy; wait: pkramctl guest resume vm1' 'stop does not advise to end a QEMU that loads'
	host idle guest resume vm1;	is 0 '^vm1 +running' '' 'resume takes it over'
	! kill -0 "$pid" 2>/dev/null; report $? "the QEMU that waited has ended"
	wait "$pid" 2>/dev/null
	end_all
}

# A guest that stands still does so after a whole update, too
stands_still()
{
	next_kernel
	sealed vm1; sealed vm2; sealed vm3 '-fake starts-paused'
	host idle guest start --all
	tell vm2 stop
	: >"$tmp/qemu.log"
	# shellcheck disable=SC2086
	PKRAM_FAKE_SYSTEMD=1 DISABLED=0 host empty update $k --no-unit
	[ "$rc" = 0 ] && grep -q '^ \+vm2 \+saved' "$tmp/out" && grep -q '^ \+vm3 \+saved' "$tmp/out"; report $? 'an update saves a paused guest, and one with an I/O error'
	host idle guest up vm1;		is 0 '^vm1 +running' '' 'after it the other guest runs'
	host idle guest up vm2;		is 0 '^vm2 +paused' 'stands still, as it is paused' 'the paused guest is paused'
	host idle guest up vm3;		is 0 '^vm3 +io-error' 'stands still, as it is io-error' 'that with the I/O error has it'
	! grep -qE '^vm[23] cont' "$tmp/qemu.log"; report $? 'they did not run in between'
	end_all
}

# hold FILE - map a file, as a vhost-user backend does; set $holder
hold()
{
	python3 -c '
import mmap, os, sys, time
f = os.open(sys.argv[1], os.O_RDWR)
os.truncate(f, 4096)
m = mmap.mmap(f, 4096)
os.close(f)
open(sys.argv[2], "w").close()
time.sleep(100)' "$1" "$tmp/held" & holder=$!
	wait_for [ -e "$tmp/held" ]
	rm "$tmp/held"
}

let_go() { kill "$holder"; wait "$holder"; } 2>/dev/null

holders()
{
	next_kernel
	sealed vm1
	hold "$tmp/pool/vm1"
	host idle object show vm1;	is 0 "$holder +python3 +maps it, may write" '' 'object show names the process that maps an object'
	host idle -j object show vm1;	json "d['holders'] == [{'pid': $holder, 'command': 'python3', 'maps': True, 'writes': True}]" 'object show -j does, too'
	host idle object show /vm1;	is 0 "$tmp/pool/vm1" '' 'object show takes the name that the list prints'
	# Sealed, and still in use
	python3 -c 'import struct, sys
open(sys.argv[1], "wb").write(struct.pack("<I4xQ16s16s", 2, 1, b"", b""))' "$tmp/pool/.pkram/vm1"
	host idle object remove vm1;	is 1 '' 'sealed, because' 'object remove refuses a sealed object'
	python3 -c 'import struct, sys
open(sys.argv[1], "wb").write(struct.pack("<I4xQ16s16s", 1, 1, b"", b""))' "$tmp/pool/.pkram/vm1"
	host idle object remove vm1;	is 1 '' "in use by python3 (PID $holder)" 'EBUSY names the process'
	# shellcheck disable=SC2086
	{
	: >"$tmp/log"
	host idle kexec $k;		is 1 '' "$tmp/pool/vm1 has a saved guest, and python3 (PID $holder) may still write to it" 'kexec refuses a sealed object that a process may write to'
	! grep -q load "$tmp/log"; report $? 'it loads no image'
	host idle kexec $k --force --load-only; is 0 'vmlinuz' 'is quarantined' 'kexec --load-only only loads'
	host idle update $k --dry-run;	also "refused|python3 .PID $holder. may still write" err 'update refuses it, too'
	host idle update $k --force;	is 1 '' "may still write to it" 'no --force of update overrides that'
	host idle kexec $k;		is 1 '' 'may still write to it: end that first. --force boots it anyway; what that process still writes' 'kexec says what --force risks'
	let_go
	: >"$tmp/pool/vm2"
	hold "$tmp/pool/vm2"
	host idle kexec $k --dry-run;	also "warning: $tmp/pool/vm2 is in use by python3 .PID $holder., which has not claimed it" err 'kexec names the process that uses an object without a claim'
	host idle check $k;		also '^object +warning +.*vm2 is in use by python3' out 'check does, too'
	let_go
	rm "$tmp/pool"/vm? "$tmp/pool/.pkram"/vm?

	sealed vm1; sealed vm2
	host idle guest start --all
	hold "$tmp/pool/vm1"
	# A backend that ends with QEMU
	(while kill -0 "$(cat "$tmp/run/vm1/pid")"; do sleep 0.1; done; kill "$holder") 2>/dev/null &
	: >"$tmp/log"
	host empty update $k;		also 'reboot kexec' log 'an update goes on if the holder of RAM ends with QEMU'
	also "warning: vm1: $tmp/pool/vm1 is held by python3" err 'it is told before'
	let_go
	hold "$tmp/pool/vm1"
	: >"$tmp/log"
	host empty update $k;		also "vm1: $tmp/pool/vm1 is held by python3 .PID $holder., which may write to it although the guest is saved" err 'an update is cancelled if it holds it longer'
	! grep -q reboot "$tmp/log"; report $? 'it does not boot'
	shows vm2 running 'the guests run again'
	let_go
	}
	end_all
}

# Nobody reads what an update prints any more, and it is told to end, after the guests have left
left_alone()
{
	local pid
	next_kernel
	sealed vm1; sealed vm2 '-fake slow-quit'
	host empty guest start --all
	: >"$tmp/log"
	# shellcheck disable=SC2086
	{
	mkfifo "$tmp/pipe"
	# One is slow to leave
	: >"$tmp/qemu.log"
	PKRAM_FAKE_SYSTEMD=1 DISABLED=0 PKRAM_FAKE=empty PKRAM_FAKE_LOG=$tmp/log LD_PRELOAD=$O/tests/fake.so \
		PKRAM_MODULES_DIR=$tmp/modules PKRAM_FAKE_POOL=$tmp/pool PKRAM_DIR=$tmp/pool PKRAM_NOTE_DIR=$tmp/notes \
		PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=$tmp/state PKRAM_RUN_DIR=$tmp/run PKRAM_LOG_DIR=$tmp/log.d \
		PATH=$tmp/bin:$PATH "$O/pkramctl" update $k --no-unit >"$tmp/pipe" 2>&1 & pid=$!
	# The terminal goes away
	exec 3<"$tmp/pipe"
	until grep -q '^vm1 quit' "$tmp/qemu.log"; do sleep 0.1; done
	exec 3<&-
	kill -TERM "$pid"; kill -INT "$pid"; kill -HUP "$pid"; kill -PIPE "$pid"
	wait "$pid"; rc=$?
	also 'systemctl start .*kexec.target' log 'an update whose guests have left goes on without a terminal, and whatever signal comes'
	shows vm1 saved 'its guests are saved'
	shows vm2 saved 'also the one that left last'
	}
	rm "$tmp/pipe"
	end_all
}

# QEMU is killed between two of the seals of a save
half_sealed()
{
	local two="-smp 1 -object memory-backend-pkram,id=ram1,size=16M,name=vm1.2,dir=$tmp/pool"
	sealed vm1 "$two"; truncate -s 16M "$tmp/pool/vm1.2"
	host idle guest start vm1; host idle guest save vm1; is 0 '^vm1 +saved' '' 'a guest with two objects is saved'
	python3 -c 'import struct, sys
open(sys.argv[1], "wb").write(struct.pack("<I4xQ16s16s", 3, 1, b"", b""))' "$tmp/pool/.pkram/vm1.2"
	shows vm1 'sealed in part (cannot be resumed)' 'a guest of which only one object is sealed is not shown as saved'
	host idle -j guest show vm1;	json 'not d[0].get("next")' 'no command is recommended that cannot work'
	host idle guest resume vm1;	is 1 '' "only a part of its RAM is sealed, and $tmp/pool/vm1.2 is not" 'resume says why it cannot'
	host idle guest start vm1;	is 1 '' 'pkramctl guest unseal vm1 gives it up' 'start names the way out'
	host idle guest up vm1;		is 1 '' 'pkramctl guest unseal vm1 gives it up' 'so does up'
	host idle guest unseal vm1;	is 0 '^vm1 +stopped' '' 'unseal gives it up'
	host idle guest start vm1;	is 0 '^vm1 +running' '' 'then it starts afresh'
	end_all
}

# RAM that a kexec would lose, wherever it is named
lost_ram()
{
	local type name
	for type in 958458f6:hugetlbfs 858458f6:ramfs 01021994:tmpfs; do
		name=${type#*:}
		define vm1 "-object memory-backend-file,id=x,size=1M,share=on,mem-path=$ram/ram-vm3"
		host idle guest start vm1
		export PKRAM_FAKE_FS=${type%:*} PKRAM_FAKE_FS_END=/ram-vm3
		host idle guest save vm1;	is 1 '' "its RAM would be lost: $ram/ram-vm3 is on $name" "save refuses RAM in a file on $name"
		host empty check;	is 1 "^guest +refused +vm1: its RAM would be lost: .*is on $name" '' 'check refuses it, too'
		unset PKRAM_FAKE_FS PKRAM_FAKE_FS_END
		host idle guest save vm1;	is 0 '^vm1 +saved' '' 'it is accepted on a disk'
		host idle guest unseal vm1
	done
	: >"/dev/shm/pkram-test.$$"
	for name in file memfd; do
		printf '[object "x"]\nqom-type = "memory-backend-%s"\nmem-path = "%s"\nshare = "on"\n' \
			$name "/dev/shm/pkram-test.$$" >"$tmp/config"
		define vm1 "-readconfig $tmp/config"
		host idle guest start vm1
		host idle guest save vm1;	is 1 '' "$(case $name in file) echo "/dev/shm/pkram-test.$$ is on tmpfs" ;; *) echo 'its RAM in a memory-backend-memfd would be lost' ;; esac)" "save refuses a memory-backend-$name that a file of -readconfig names"
		shows vm1 running 'the guest with it runs on'
		host idle guest stop --force vm1
	done
	rm "/dev/shm/pkram-test.$$"
	end_all
}

# What was started is what is resumed, and what differs is told before
started()
{
	next_kernel
	sealed vm1
	host idle guest start vm1
	# shellcheck disable=SC2086
	{
	host empty check $k;		also '^QEMU +ok +vm1: runs in 10.2.1; .* is 10.2.1' out 'check compares the QEMU that runs with that on disk'
	also '^space +ok +.*/state: .* free; the states may need 32 MiB' out 'check looks for room for the states'
	! grep -qE '^(definition|machine)' "$tmp/out"; report $? 'check says nothing of a definition that is unchanged'
	FAKE_QEMU_VERSION=10.0.9 host empty check $k; is 1 '^QEMU +refused +vm1: runs in 10.2.1; .* is 10.0.9, which is older' '' 'check refuses an older QEMU'
	FAKE_QEMU_VERSION=11.0.0 host empty check $k; is 0 '^QEMU +warning +.* is 11.0.0, which resumes it' '' 'check tells of a newer QEMU'
	mv "$tmp/bin/fake" "$tmp/bin/away"
	host empty check $k;		is 1 '^QEMU +refused +.*fake, which is to resume it, cannot be run' '' 'check refuses a guest whose QEMU is not there any more'
	mv "$tmp/bin/away" "$tmp/bin/fake"

	sealed vm1 '-smp 7'
	sed -i 's/5d0ac0f5f0a1/5d0ac0f5f0aa/' "$tmp/guests/vm1.conf"
	host empty check $k;		also '^definition +warning +vm1: its definition was changed since it was started' out 'check tells of a definition that was edited'
	host empty update $k --dry-run;	also 'warning: vm1: its definition was changed' err 'update does, too'
	host idle guest save vm1
	: >"$tmp/qemu.log"
	host idle guest resume vm1;	is 0 '^vm1 +running' 'warning: vm1: its definition was changed since it was started: it is resumed as' 'a guest is resumed as it was started'
	! tr '\0' ' ' <"/proc/$(cat "$tmp/run/vm1/pid")/cmdline" | grep -qE 'smp 7|f0aa'; report $? 'without what was added meanwhile'
	host idle guest stop --force vm1; host idle guest start vm1
	tr '\0' ' ' <"/proc/$(cat "$tmp/run/vm1/pid")/cmdline" | grep -q 'smp 7.*' ; report $? 'the change counts from the next start'
	host idle guest save vm1
	[ "$(stat -c %a "$tmp/state/vm1.state.info")" = 600 ]; report $? 'only root can read the command line'
	chmod 666 "$tmp/state/vm1.state.info"
	sealed vm1
	host idle guest resume vm1;	is 0 '^vm1 +running' '' 'a command line that others may have written is not used'
	host idle guest stop --force vm1

	machine=q35 sealed vm1
	host idle guest start vm1
	host empty check $k;		also '^machine +warning +vm1: its machine q35 is pc-q35-10.2 in this QEMU, .*write -machine pc-q35-10.2' out 'check tells the versioned name of a machine'
	host idle guest save vm1; host idle guest resume vm1
	tr '\0' ' ' <"/proc/$(cat "$tmp/run/vm1/pid")/cmdline" | grep -q -- '-machine q35,memory-backend=ram0 .*-machine type=pc-q35-10.2 '; report $? 'the guest is resumed with the versioned machine'
	host idle guest stop --force vm1
	sealed vm1 '-fake huge'
	host idle guest start vm1
	host empty check $k;		also '^space +warning +.*the states may need 1.0 EiB: if they do not fit' out 'check warns if there is no room for the states'
	}
	end_all
}

cmdline() { tr '\0' ' ' <"/proc/$(cat "$tmp/run/$1/pid")/cmdline"; }

# What a QEMU does not accept any more can be changed after the save
as_defined()
{
	sealed vm1 '-smp 2'
	host idle guest start vm1; host idle guest save vm1
	FAKE_QEMU_WORDS=no-start host idle guest resume vm1; is 1 '' 'with other options: change its definition, and run pkramctl guest resume --as-defined vm1' 'a failed resume names the way to other options'
	sealed vm1 '-smp 7'
	FAKE_QEMU_WORDS=no-start host idle guest resume vm1; is 1 '' '; pkramctl guest resume --as-defined vm1 would' 'the warning of an edited definition names it, too'
	FAKE_QEMU_WORDS=no-start host idle guest resume --as-defined vm1; is 1 '' 'are unchanged. To try again' 'a failed resume with the definition can be repeated'
	sed -i 's/5d0ac0f5f0a1/5d0ac0f5f0aa/' "$tmp/guests/vm1.conf"
	host idle guest resume --as-defined vm1; is 1 '' 'has the uuid 5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0aa, but it was saved as 5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a1' 'a definition with another uuid is refused'
	sealed vm1 '-smp 7'
	sed -i 's/name=vm1/name=vm9/' "$tmp/guests/vm1.conf"
	host idle guest resume --as-defined vm1; is 1 '' "does not have its RAM in $tmp/pool/vm1" 'a definition without its RAM is refused'
	sealed vm1 "-smp 7 -object memory-backend-pkram,id=ram1,size=16M,name=vm9,dir=$tmp/pool"
	host idle guest resume --as-defined vm1; is 1 '' "has RAM in $tmp/pool/vm9, which is not in its state" 'a definition with more RAM is refused'
	shows vm1 saved 'the guest is still saved'
	sealed vm1 '-smp 7'
	host idle guest resume --as-defined vm1; is 0 '^vm1 +running' '' 'resume --as-defined resumes the guest'
	cmdline vm1 | grep -q 'smp 7 '; report $? 'with the options of the definition'
	! cmdline vm1 | grep -q 'smp 2'; report $? 'and not with those of the start'
	host idle guest resume --as-defined vm1; is 1 '' 'already has a QEMU' 'it is refused for a guest that runs'
	host idle guest save vm1; host idle guest resume vm1; is 0 '^vm1 +running' '' 'the next save has the new options'
	cmdline vm1 | grep -q 'smp 7 '; report $? 'which the next resume uses'
	host idle guest save vm1
	rm "$tmp/state/vm1.state.info"
	host idle guest resume --as-defined vm1; is 0 '^vm1 +running' '' 'it needs no record'
	host idle guest resume --as-defined --all; is 2 '' 'exclude each other' 'it is for named guests only'
	host idle guest start --as-defined vm1; is 2 '' 'unknown option "--as-defined"' 'start has no --as-defined'
	end_all
}

# One way to give a guest up, and a way out of a wrong size
gives_up()
{
	sealed vm1
	host idle guest start vm1; host idle guest save vm1
	host idle object remove vm1;	is 1 '' 'sealed, because it has the saved guest vm1; pkramctl guest unseal vm1 gives the guest up' 'a sealed object names the way to give its guest up'
	host idle object unseal vm1;	is 1 '' 'is RAM of the guest vm1: pkramctl guest unseal vm1 gives up all' 'object unseal leaves the RAM of a guest alone'
	shows vm1 saved 'the guest is still saved'
	host idle guest unseal vm1;	is 0 '^vm1 +stopped' '' 'guest unseal gives it up'
	FAKE_QEMU_WORDS=wrong-size host idle guest start vm1; is 1 '' 'but size= says 536870912' 'the size of an object that QEMU refuses is printed'
	also 'was made with another size: write that as size= and -m, or.*.pkramctl object remove' err 'with the ways out'
	end_all
}

# A save counts only with its record, which has the command line and the machine
records()
{
	sealed vm1
	host idle guest start vm1
	mkdir "$tmp/state/vm1.state.info"
	: >"$tmp/qemu.log"
	host idle guest save vm1;	is 1 '' "writing $tmp/state/vm1.state.info, without which it might be resumed in another way: " 'a save whose record cannot be written fails'
	shows vm1 running 'the guest goes on'
	not_ended vm1 'its QEMU is not ended'
	gone vm1.state 'no state is left'
	gone vm1.state.info.new 'nor a part of the record'
	rmdir "$tmp/state/vm1.state.info"
	PKRAM_FAKE_FSYNC_ERRNO=5 PKRAM_FAKE_FSYNC_END=.info.new host idle guest save vm1; is 1 '' 'vm1.state.info, without which it might be resumed in another way: Input/output error' 'a record that cannot be written to its medium fails the save'
	shows vm1 running 'the guest goes on then'
	gone vm1.state.info 'no record is left'
	host idle guest save vm1;	is 0 '^vm1 +saved' '' 'it can be saved later'
	[ "$(stat -c %a "$tmp/state/vm1.state.info")" = 600 ]; report $? 'its record is for root only'
	host idle guest resume vm1; host idle guest stop --force vm1

	sealed vm1 '-fake no-machine'
	host idle guest start vm1
	host empty check;		is 1 '^machine +refused +vm1: QEMU does not tell its machine' '' 'check refuses a QEMU that does not tell its machine'
	host idle guest save vm1;	is 1 '' "QEMU does not tell its machine, which its resume needs: Property 'machine.type' not found" 'such a guest is not saved'
	shows vm1 running 'it goes on'
	host idle guest stop --force vm1

	# A pkramctl that was killed right after the save of a paused guest
	sealed vm1
	host idle guest start vm1
	tell vm1 stop
	echo paused >"$tmp/run/vm1/was"
	tell vm1 migrate "{\"uri\": \"file:$tmp/state/vm1.state\"}"
	wait_for is_listed vm1 postmigrate
	tell vm1 query-migrate
	host idle guest resume vm1;	is 0 '^vm1 +paused' 'stands still, as it is paused' 'a save without a record gets it before the QEMU ends'
	end_all
}

# The machine is the recorded one, wherever the command line names it
pinned()
{
	local word args FAKE_QEMU_Q35
	next_kernel
	for word in '' '-machine accel=tcg,type=q35' '-M q35' '--machine type=q35,x=a,,type=pc'; do
		sealed vm1
		sed -i "s|^-machine [^ ]*|$word|" "$tmp/guests/vm1.conf"
		host idle guest start vm1
		# shellcheck disable=SC2086
		host empty check $k;	also '^machine +warning +vm1: its machine (q35|.none is named.) is pc-q35-10.2 in this QEMU' out "check tells the versioned name of \"$word\""
		host idle guest save vm1
		export FAKE_QEMU_Q35=pc-q35-11.0
		host idle guest resume vm1; is 0 '^vm1 +running' '' "a guest with \"$word\" is resumed"
		ask vm1 qom-get '{"path": "/machine", "property": "type"}' | grep -q '"pc-q35-10.2-machine"'; report $? 'its machine is that of the save in a newer QEMU'
		unset FAKE_QEMU_Q35
		host idle guest save vm1
		grep -q 'type=pc-q35' "$tmp/state/vm1.state.info" && args=1 || args=0
		report $args 'the record keeps the words of the definition'
		host idle guest unseal vm1
	done
	sealed vm1
	sed -i "s|^-machine [^ ]*|-machine accel=tcg,type=pc-q35-10.2|" "$tmp/guests/vm1.conf"
	host idle guest start vm1
	# shellcheck disable=SC2086
	host empty check $k;		! grep -q '^machine' "$tmp/out"; report $? 'check accepts a versioned type after other properties'
	end_all
}

# A device that was plugged in is found before the update
plugged()
{
	sealed vm1
	host idle guest start vm1
	tell vm1 device_add '{"driver": "usb-tablet"}'
	host empty check;		is 1 '^guest +refused +vm1: its device /machine/peripheral-anon/device.9. .usb-tablet. was plugged in after the start' '' 'check refuses a device that was plugged in, without an id too'
	host empty update --rehearse;	is 1 '' 'unplug it (device_del), or add it to the definition and restart the guest' 'a rehearsal says what to do'
	host idle guest stop --force vm1
	host idle guest start vm1
	tell vm1 device_add '{"driver": "usb-tablet", "id": "t"}'
	host idle guest save vm1;	is 1 '' 'its device t (usb-tablet) was plugged in' 'save names it by its id'
	tell vm1 device_del '{"id": "t"}'
	host idle guest save vm1;	is 0 '^vm1 +saved' '' 'the guest can be saved when it is unplugged'
	end_all
}

# ROMs on disk that have another size than those of the QEMU that runs
roms()
{
	export FAKE_QEMU_DATA=$tmp/data
	mkdir -p "$tmp/data"
	truncate -s 75776 "$tmp/data/virtio.rom"; truncate -s 256K "$tmp/data/bios.bin"
	sealed vm1 '-fake rom'
	host idle guest start vm1
	host empty check;		is 0 '^guest +ok +vm1: running' '' 'check accepts ROMs of the same size'
	! grep -q '^ROM' "$tmp/out"; report $? 'and says nothing of them'
	truncate -s 131072 "$tmp/data/virtio.rom"
	host empty check;		! grep -q '^ROM' "$tmp/out"; report $? 'a ROM that is rounded up to the same size is accepted, too'
	truncate -s 131073 "$tmp/data/virtio.rom"
	host empty check;		is 1 '^ROM +refused +vm1: the ROM of its device cold has 131072 bytes, but that on disk, virtio.rom, has another size .262144. by now' '' 'check refuses a ROM of a device that has grown'
	host empty update --rehearse;	is 1 '' 'install the package that it had' 'a rehearsal says what to do'
	rm "$tmp/data/virtio.rom"
	host empty check;		is 1 '^ROM +refused +vm1: the ROM virtio.rom of its device cold is not there any more' '' 'check refuses one that is gone'
	truncate -s 1000 "$tmp/data/virtio.rom"
	host empty check;		is 1 '^ROM +refused +.* has another size .1024.' '' 'and one that has shrunk'
	host idle guest stop --force vm1
	sealed vm1 '-fake rom -device virtio-net-pci,romsize=131072'
	host idle guest start vm1
	host empty check;		! grep -q '^ROM' "$tmp/out"; report $? 'but not if its options say the size'
	truncate -s 75776 "$tmp/data/virtio.rom"; truncate -s 128K "$tmp/data/bios.bin"
	host empty check;		is 1 '^ROM +refused +vm1: the ROM of its firmware has 262144 bytes, but that on disk, bios.bin, has another size .131072.' '' 'check refuses firmware of another size'
	unset FAKE_QEMU_DATA
	end_all
}

# Storage that is elsewhere than in a file
elsewhere()
{
	sealed vm1 "-drive id=d0,file=fat:rw:$tmp/boot"
	host idle guest start vm1
	host idle guest save vm1;	is 1 '' "its disk fat:rw:$tmp/boot would be lost: it is a directory that QEMU shows as a disk" 'save refuses a directory as a disk that the guest writes to'
	host idle guest stop --force vm1
	sealed vm1 "-drive id=d0,file=fat:$tmp/boot"
	host idle guest start vm1
	host idle guest save vm1;	is 0 '^vm1 +saved' '' 'but not one that it only reads'
	host idle guest unseal vm1
	sealed vm1 "-drive id=d0,file=nbd+unix:///?socket=/run/nbd -drive id=d1,file=nbd://127.0.0.1:10809/x -drive id=d2,file=nbd://server:10809/x -fake tpm"
	host idle guest start vm1
	host empty check;		is 0 '^disk +warning +vm1: a server on this host has its disk nbd.unix:///.socket=/run/nbd, and ends with this kernel' '' 'check names a disk that a server on this host has'
	also '^disk +warning .*nbd://127.0.0.1' out 'also by TCP'
	! grep -q 'nbd://server' "$tmp/out"; report $? 'but not one on another host'
	also '^TPM +warning +vm1: the process that emulates its TPM tpm0 ends with this kernel' out 'and the emulator of a TPM'
	host idle guest stop --force vm1
	# The variables of its firmware
	truncate -s 1M "/dev/shm/pkram-vars.$$"
	sealed vm1 "-drive if=pflash,format=raw,file=/dev/shm/pkram-vars.$$"
	host idle guest start vm1
	host idle guest save vm1;	is 1 '' "its disk /dev/shm/pkram-vars.$$ would be lost: it is on tmpfs" "save refuses the firmware's variables on tmpfs"
	host idle guest stop --force vm1
	rm "/dev/shm/pkram-vars.$$"
	end_all
}

# The command line of the start is that of the resume: what differs by then is found before
disks()
{
	local d=$ram/disk text
	truncate -s 1M "$d" "$d".{a,b,c,d}
	sealed vm1 "-drive id=d0,file=$d.a -drive id=cd0,media=cdrom,file=$d.c"
	host idle guest start vm1
	tell vm1 blockdev-snapshot-sync "{\"device\": \"d0\", \"snapshot-file\": \"$d.b\"}"
	text="its disk d0 is in $d.b now, but the QEMU that resumes it would open $d.a"
	host idle guest save vm1;	is 1 '' "$text" 'save refuses a disk that was replaced by a snapshot'
	shows vm1 running 'the guest with it runs on'
	host empty check;		is 1 "^guest +refused +vm1: $text" '' 'check refuses it, too'
	host empty update --rehearse;	is 1 '' 'bring it back there (block-commit, or a mirror), or write the file in use into its definition' 'a rehearsal says what to do about it'
	# Started by a pkramctl that did not note them
	mv "$tmp/run/vm1/disks" "$tmp/kept"
	host idle guest save vm1;	is 1 '' "its disk d0 is in $d.b, which its command line does not name" 'without a note the command line must name a disk'
	tell vm1 blockdev-snapshot-sync "{\"device\": \"d0\", \"snapshot-file\": \"$d\"}"
	host idle guest save vm1;	is 1 '' "its disk d0 is in $d, which its command line does not name" 'with its whole name'
	mv "$tmp/kept" "$tmp/run/vm1/disks"
	tell vm1 blockdev-snapshot-sync "{\"device\": \"d0\", \"snapshot-file\": \"$d.a\"}"
	rm "$tmp/run/vm1/disks"
	host idle guest save vm1;	is 0 '^vm1 +saved' '' 'a disk that was brought back is accepted'
	host idle guest resume vm1;	is 0 '^vm1 +running' '' 'the guest with it is resumed'
	tell vm1 blockdev-snapshot-sync "{\"device\": \"d0\", \"snapshot-file\": \"$d.b\"}"
	host idle guest save vm1;	is 1 '' "$text" 'a snapshot after a resume is found as well'
	tell vm1 blockdev-snapshot-sync "{\"device\": \"d0\", \"snapshot-file\": \"$d.a\"}"

	# Another file of the same name
	mv "$d.a" "$d.away"; truncate -s 1M "$d.a"
	host idle guest save vm1;	is 1 '' "its disk $d.a is another file by now than the one that QEMU has open" 'save refuses a disk whose file was replaced'
	mv "$d.away" "$d.a"
	host empty check;		is 0 '^guest +ok +vm1' '' 'it can be saved when the file is back'

	tell vm1 drive-mirror '{"device": "d0"}'
	host idle guest save vm1;	is 1 '' 'its block job d0 (mirror) is under way' 'save refuses a guest with a block job'
	host idle guest stop --force vm1

	# A medium has to follow the guest
	host idle guest start vm1
	tell vm1 blockdev-change-medium "{\"id\": \"cd0\", \"filename\": \"$d.d\"}"
	host empty check;		is 0 "^medium +warning +vm1: the medium in its drive cd0 is $d.d, not $d.c as at the start" '' 'check tells of a medium that was changed'
	: >"$tmp/qemu.log"
	host idle guest save vm1;	is 0 '^vm1 +saved' '' 'a guest with another medium is saved'
	mv "$d.d" "$d.away"
	host idle guest resume vm1;	is 1 '' "the medium $d.d, which its drive cd0 had at the save, cannot be put in: Could not open" 'a resume without that medium fails before the load'
	host idle guest up vm1 & pid=$!
	wait_for ended "$pid"
	ended "$pid"; report $? 'up does not wait for a medium that nobody puts back'
	pkill -TERM -P "$pid"; wait "$pid"
	! grep -q 'vm1 migrate-incoming' "$tmp/qemu.log"; report $? 'nothing was loaded'
	mv "$d.away" "$d.d"
	host idle guest resume vm1;	is 0 '^vm1 +running' '' 'a guest with another medium is resumed'
	ask vm1 query-block | grep -q "$d.d"; report $? 'it has the medium of the save'
	tell vm1 eject '{"id": "cd0"}'
	host empty check;		also '^medium +warning +vm1: the medium in its drive cd0 is .none.' out 'check tells of a drive that was emptied'
	host idle guest save vm1; host idle guest resume vm1
	! ask vm1 query-block | grep -q "$d.[cd]"; report $? 'an empty drive is empty after the resume'
	tell vm1 blockdev-change-medium "{\"id\": \"cd0\", \"filename\": \"$d.d\"}"
	mv "$tmp/run/vm1/disks" "$tmp/kept"
	host empty check;		is 0 "^medium +warning +vm1: the medium in its drive cd0 is $d.d, not that of its command line" '' 'without a note, too'
	host idle guest save vm1; host idle guest resume vm1
	ask vm1 query-block | grep -q "$d.d"; report $? 'it is put in again then'
	host idle guest save vm1; host idle guest resume --as-defined vm1
	ask vm1 query-block | grep -q "$d.c"; report $? 'resume --as-defined puts the medium of the definition in'
	host idle guest stop --force vm1

	host idle guest start vm1
	tell vm1 device_del '{"id": "cold"}'
	host idle guest save vm1;	is 1 '' 'its device cold (virtio-rng-pci), with which it was started, was unplugged' 'save refuses a guest whose device was unplugged'
	end_all
}

# A unit does the work of an update, and the terminal watches it
units()
{
	local pid
	next_kernel
	export PKRAM_FAKE_SYSTEMD=1 DISABLED=0
	# shellcheck disable=SC2016,SC2086
	{
	host idle update --watch;	is 1 '' 'no update runs, and none has since the boot' 'there is nothing to watch before the first update'
	sealed vm1
	host idle guest start vm1
	: >"$tmp/log"
	NO_RUN=1 host idle update $k;	is 1 '' 'its unit cannot be started (systemd-run, exit status 5); --no-unit does the work' 'an update whose unit cannot be started fails'
	shows vm1 running 'nothing has happened to the guest'
	: >"$tmp/log"
	host empty update $k;		is 0 '^ +vm1 +saved' 'the update runs in pkram-update.service; pkramctl update --watch' 'an update prints what its unit prints'
	also 'systemd-run .*--unit=pkram-update.service .*KillMode=process .* update --kernel .* --no-unit --yes$' log 'a unit does the work'
	also '^systemctl start .*kexec.target' log 'it boots'
	host empty update --watch;	is 0 '^ +vm1 +saved' 'the pool has no region' 'the result can be watched again'
	host empty guest resume vm1
	: >"$tmp/log"
	host empty -j update $k --force --append 'a=$HOME'; json 'd["guests"][0]["state"] == "saved"' 'its JSON is that of the unit'
	grep -qF 'a=$$HOME --json --no-unit' "$tmp/log"; report $? 'systemd expands nothing in its arguments'
	host empty guest resume vm1
	: >"$tmp/log"
	host empty update $k --no-unit;	is 0 '^ +vm1 +saved' 'the pool has no region' '--no-unit does the work in this process'
	! grep -q systemd-run "$tmp/log"; report $? 'and starts no unit'
	host empty guest resume vm1; host empty guest stop --force vm1

	# The guest is saved until somebody stops it
	sealed vm1 '-fake slow'
	host empty guest start vm1
	: >"$tmp/log"
	host empty update $k & pid=$!
	wait_for grep -qs left "$tmp/run/.update/events"
	cp "$tmp/err" "$tmp/kept"
	pkill -INT -P "$pid"
	wait "$pid"
	also 'the update goes on in pkram-update.service; pkramctl update --watch shows it again' err '^C ends the watch and says that the update goes on'
	kill -0 "$(cat "$tmp/unit")"; report $? 'it goes on'
	host empty update $k;		is 1 '' 'another update is under way, in pkram-update.service' 'a second update is refused'
	host empty update $k --no-unit;	is 1 '' "another update is under way: process $(cat "$tmp/unit")" 'also one without a unit'
	host empty update --rehearse;	is 1 '' "another update is under way: process $(cat "$tmp/unit")" 'and a rehearsal'
	(sleep 1; kill -TERM "$(cat "$tmp/unit")") &
	host empty update --watch;	is 1 'vm1 +running' 'interrupted' 'another terminal can watch it to its end'
	shows vm1 running 'the guest runs after it'

	# It is killed
	rm "$tmp/run/.update/events"
	host empty update $k & pid=$!
	wait_for grep -qs left "$tmp/run/.update/events"
	kill -KILL "$(cat "$tmp/unit")"
	wait "$pid"
	also 'the update ended without a result: see journalctl -u pkram-update.service' err 'the end of a unit that was killed is seen'
	}
	unset PKRAM_FAKE_SYSTEMD DISABLED
	end_all
}

# A guest agent, whose clock is 100 s behind as the guest stood still
clocks()
{
	sealed vm1; sealed vm2
	sed -i "1a agent = $tmp/agent" "$tmp/guests/vm1.conf"
	python3 - "$tmp/agent" "$tmp/agent.log" <<-'END' &
		import json, socket, sys, time
		server = socket.socket(socket.AF_UNIX)
		server.bind(sys.argv[1])
		server.listen(1)
		client, _ = server.accept()
		# What somebody asked before
		client.sendall(b'{"return": 7}\n{"error": {"desc": "JSON parse error"}}\n')
		decoder, text = json.JSONDecoder(), ""
		while data := client.recv(4096):
		    text += data.replace(b"\xff", b"").decode()
		    while text:
		        try:
		            message, used = decoder.raw_decode(text)
		        except ValueError:
		            break
		        text = text[used:]
		        args, answer = message.get("arguments", {}), {}
		        if message["execute"] == "guest-sync":
		            answer = args["id"]
		        elif message["execute"] == "guest-get-time":
		            answer = int((time.time() - 100) * 1e9)
		        else:
		            with open(sys.argv[2], "a") as log:
		                print(message["execute"], args["time"] / 1e9 - time.time() > -60, file=log)
		        client.sendall(json.dumps({"return": answer}).encode() + b"\n")
	END
	wait_for [ -S "$tmp/agent" ]
	host idle guest start vm1; host idle guest start vm2
	host idle guest save vm1; host idle guest save vm2
	host idle guest resume vm1;	is 0 '^vm1 +running' '' 'a guest with an agent is resumed'
	host idle guest resume vm2
	grep -qx 'guest-set-time True' "$tmp/agent.log"; report $? 'its agent has set its clock to the time of the host'
	host idle update --report;	is 0 '^ +vm1 .*set forward by 1[0-9][0-9][.][0-9]{3} s' '' 'the report has the step'
	! grep -q '^ *vm2 .*set' "$tmp/out"; report $? 'but none of a guest without an agent'
	wait
	rm "$tmp/agent"
	host idle guest save vm1
	host idle guest resume vm1;	is 0 '^vm1 +running' "vm1: its clock is not set: $tmp/agent: No such file" 'without its agent it is resumed, too'
	host idle update --report;	also '^ +vm1 .*not set' out 'the report says that its clock was not set'

	# An agent that is slow, and answers something else
	python3 - "$tmp/agent" <<-'END' &
		import json, socket, sys, time
		server = socket.socket(socket.AF_UNIX)
		server.bind(sys.argv[1])
		server.listen(1)
		client, _ = server.accept()
		try:
		    for _ in range(6):
		        time.sleep(0.3)
		        client.sendall(b'{"return": 0}\n')
		    while data := client.recv(4096):
		        message = json.loads(data.replace(b"\xff", b""))
		        answer = message.get("arguments", {}).get("id", int((time.time() - 100) * 1e9))
		        client.sendall(json.dumps({"return": answer}).encode() + b"\n")
		except OSError:
		    pass
	END
	wait_for [ -S "$tmp/agent" ]
	host idle guest save vm1
	PKRAM_FAKE_SPEED=5 host idle guest resume vm1; is 0 '^vm1 +running' 'vm1: its clock is not set: the guest agent does not answer' 'an agent that only talks does not keep the resume waiting'
	wait
	rm "$tmp/agent"
	# A clock that is ahead
	python3 - "$tmp/agent" <<-'END' &
		import json, socket, sys, time
		server = socket.socket(socket.AF_UNIX)
		server.bind(sys.argv[1])
		server.listen(1)
		client, _ = server.accept()
		while data := client.recv(4096):
		    message = json.loads(data.replace(b"\xff", b""))
		    answer = message.get("arguments", {}).get("id", int((time.time() + 3600) * 1e9))
		    client.sendall(json.dumps({"return": answer}).encode() + b"\n")
	END
	wait_for [ -S "$tmp/agent" ]
	host idle guest save vm1
	host idle guest resume vm1;	is 0 '^vm1 +running' "vm1: its clock is not set: it is not behind the host's" 'a clock is not set back'
	wait
	end_all
}

# A kernel that offers less of the CPU
cpus()
{
	sealed vm1
	host idle guest start vm1; host idle guest save vm1
	: >"$tmp/qemu.log"
	FAKE_QEMU_CPU=sse2 host idle guest resume vm1; is 1 '' 'its CPU would not have any more what it had at the save, and programs in it may end: avx512f; boot the kernel' 'a resume with a CPU that lacks a feature is refused'
	! grep -q 'vm1 migrate-incoming' "$tmp/qemu.log"; report $? 'nothing was loaded'
	shows vm1 saved 'the guest is still saved'
	FAKE_QEMU_CPU=sse2,avx512f,amx-tile host idle guest resume vm1; is 0 '^vm1 +running' '' 'more features do no harm'
	host idle guest save vm1
	host idle guest resume vm1; is 1 '' 'amx-tile' 'they count from then on'
	host idle guest resume --as-defined vm1; is 0 '^vm1 +running' 'vm1: its CPU does not have any more what it had at the save: amx-tile' 'resume --as-defined takes what there is'
	host idle guest save vm1
	FAKE_QEMU_CPU=sse2 host idle guest resume --all; is 1 '' 'guest resume --any-cpu vm1 to resume it nevertheless' 'the refusal names the option for that'
	FAKE_QEMU_CPU=sse2 host idle guest resume --all --any-cpu; is 0 '^vm1 +running' 'vm1: its CPU does not have any more what it had at the save: avx512f' 'which may be given for all guests'
	host idle guest stop --force vm1; host idle guest start vm1; host idle guest save vm1
	FAKE_QEMU_FEATURES=sse2 host idle guest resume vm1; is 0 '^vm1 +running' 'vm1: this QEMU does not know what its CPU had at the save: avx512f' 'what a QEMU does not know by this name is not missing'
	end_all
}

# Programs that ask logind not to shut down
inhibitors()
{
	next_kernel
	sealed vm1
	host idle guest start vm1
	printf '#!/bin/sh\necho "busctl $*" >>"%s/log"\ncat "%s/inhibitors"\n' "$tmp" "$tmp" >"$tmp/bin/busctl"
	chmod +x "$tmp/bin/busctl"
	cat >"$tmp/inhibitors" <<-'END'
	{"type":"a(ssssuu)","data":[[["shutdown:sleep","fwupd","Firmware update in progress","block",0,77],["sleep","lid","x","block",0,78],["shutdown","late","x","delay",0,79],["shutdown","pkram","guests are saved","block",0,80],["idle:shutdown","weak","x","block-weak",1000,81]]]}
	END
	# shellcheck disable=SC2086
	{
	PKRAM_FAKE_SYSTEMD=1 host empty check $k; is 0 '^inhibitor +warning +fwupd .process 77. asks not to shut down now: Firmware update in progress; it is ended' '' 'check tells of a program that inhibits a shutdown'
	also '^inhibitor +warning +weak .process 81.' out 'also of a weak one, of a user'
	[ "$(grep -c ^inhibitor "$tmp/out")" = 2 ]; report $? 'but not of pkram, of what only delays, nor of what inhibits something else'
	echo garbage >"$tmp/inhibitors"
	PKRAM_FAKE_SYSTEMD=1 host empty check $k; is 0 '^guest +ok' '' 'an answer that is not understood is no reason against an update'
	: >"$tmp/log"
	host empty check $k
	! grep -q busctl "$tmp/log"; report $? 'without systemd nothing is asked'
	}
	rm "$tmp/bin/busctl"
	end_all
}

asks()
{
	next_kernel
	sealed vm1
	host idle guest start vm1
	: >"$tmp/log"
	# shellcheck disable=SC2086
	{
	answer n "$O/pkramctl" update $k; is 1 'Save these guests and boot this kernel now\? .y/N. n' '' 'update asks on a terminal'
	also '^ +vm1 +.*running' out 'it shows the guests before'
	also 'nothing was done: the answer was not yes' out 'no ends it'
	! grep -qE 'load|reboot' "$tmp/log"; report $? 'nothing was loaded'
	shows vm1 running 'the guest runs'
	answer y "$O/pkramctl" update $k; also '^reboot kexec' log 'yes boots'
	host idle guest resume vm1
	: >"$tmp/log"
	answer n "$O/pkramctl" update $k --yes; also '^reboot kexec' log '--yes does not ask'
	! grep -q 'y/N' "$tmp/out"; report $? 'there is no question then'
	host idle guest resume vm1; host idle guest stop vm1 --force
	: >"$tmp/log"
	answer n "$O/pkramctl" kexec $k; is 1 'Boot it now\? .y/N. n' '' 'kexec asks on a terminal'
	! grep -qE 'load|reboot' "$tmp/log"; report $? 'no loads nothing'
	answer y "$O/pkramctl" kexec $k; also '^reboot kexec' log 'yes boots the kernel'
	: >"$tmp/log"
	answer n "$O/pkramctl" kexec $k --load-only; is 0 'vmlinuz' '' '--load-only needs no answer'
	! grep -q 'y/N' "$tmp/out"; report $? 'it does not ask'
	}
	end_all
}

# Objects of two guests may have the same name in two directories
twins()
{
	next_kernel
	export PKRAM_FAKE_INNER=1
	sealed vm1; sealed vm2 '-fake twin'
	host idle guest start --all
	# shellcheck disable=SC2086
	{
	host empty check $k
	! grep -q 'vm1 is held by' "$tmp/out"; report $? "the QEMU of another guest does not hold this one's RAM"
	# It keeps its QEMU until the boot
	echo running >"$tmp/run/vm2/was"
	tell vm2 migrate "{\"uri\": \"file:$tmp/state/vm2.state\"}"
	wait_for is_listed vm2 postmigrate
	: >"$tmp/log"
	host empty update $k
	grep -q '^reboot kexec' "$tmp/log"; report $? 'nor does one of a guest that is saved already cancel an update'
	}
	unset PKRAM_FAKE_INNER
	end_all
}

# Bad pages with which the next QEMU would not start
broken()
{
	export PKRAM_FAKE_BAD_PAGES=3
	sealed vm1
	host idle guest start vm1
	host empty check;		! grep -q '^bad pages' "$tmp/out"; report $? 'check accepts bad pages that nothing touches'
	host idle guest stop --force vm1
	sealed vm1 -mem-prealloc
	host idle guest start vm1
	host empty check;		! grep -q '^bad pages' "$tmp/out"; report $? 'check accepts bad pages with -mem-prealloc, which QEMU ignores then'
	host idle guest stop --force vm1
	sealed vm1
	sed -i 's/size=16M/size=16M,bad-pages=refuse/' "$tmp/guests/vm1.conf"
	host idle guest start vm1
	host empty check;		is 1 '^bad pages +refused +vm1: its RAM in .*/vm1 has 3 bad pages' '' 'check refuses bad pages that QEMU would refuse'
	PKRAM_FAKE_BAD_PAGES=0 host empty check; ! grep -q '^bad pages' "$tmp/out"; report $? 'check accepts bad-pages=refuse without bad pages'
	host empty update --rehearse;	is 1 '' 'because of bad-pages=refuse: remove that from its definition, then run pkramctl guest save vm1 and pkramctl guest resume --as-defined vm1' 'a rehearsal says what to do about bad pages'
	sealed vm1
	host idle guest save vm1; host idle guest resume --as-defined vm1
	host empty check;		is 0 '^guest +ok +vm1: running' '' 'that helps'
	! grep -q '^bad pages' "$tmp/out"; report $? 'and nothing more is said'
	end_all
	unset PKRAM_FAKE_BAD_PAGES
}

# Everything but the boot
rehearsals()
{
	next_kernel
	sealed vm1; sealed vm2; sealed vm3
	host empty guest start --all
	tell vm2 stop
	: >"$tmp/log"; : >"$tmp/qemu.log"
	# shellcheck disable=SC2086
	{
	host empty update --rehearse $k; is 0 '^ +vm1 +running .* s +.* B +.* s' 'a save that takes longer than 20 s is cancelled' 'a rehearsal saves the guests and lets them continue'
	also '^ +save and seal +[0-9.]+ s' out 'it prints how long each step took'
	also 'rehearsal done: every guest that was saved runs again, the kernel was loaded and unloaded' err 'it says that nothing else happened'
	also 'vm2 is paused: it is left out' err 'it leaves a paused guest alone'
	also '^vm1 migrate ' qemu.log 'it saved'
	! grep -qE '^vm2 (migrate|cont) ' "$tmp/qemu.log"; report $? 'but not the paused guest'
	grep -q '^load' "$tmp/log" && grep -q '^unload' "$tmp/log" && ! grep -q reboot "$tmp/log"; report $? 'it loads the kernel, unloads it, and does not boot'
	! grep -q ' quit ' "$tmp/qemu.log"; report $? 'it ends no QEMU'
	shows vm1 running 'the guests run after it'
	shows vm2 paused 'the paused guest is paused'
	gone vm1.state 'no state is left'
	host empty -j update --rehearse; json 'd["guests"][0]["stood"] < 20 and [s["step"] for s in d["steps"]] == ["check", "save and seal", "take back"]' 'it needs no kernel'
	host empty update --rehearse --dry-run; is 2 '' 'exclude each other' '--rehearse and --dry-run exclude each other'
	: >"$tmp/log"; : >"$tmp/qemu.log"
	PKRAM_FAKE_IMAGE=1 host empty update --rehearse $k; is 1 '' 'a kexec image is loaded, which a rehearsal with --kernel would replace' 'a rehearsal leaves the image alone that an operator loaded'
	! grep -qE 'load' "$tmp/log" && ! grep -q '^vm1 migrate ' "$tmp/qemu.log"; report $? 'it loads nothing, and saves nothing'
	PKRAM_FAKE_IMAGE=1 host empty update --rehearse; is 0 '^ +vm1 +running' 'and no kernel was loaded' 'a rehearsal without a kernel does not mind the image'
	! grep -qE 'load' "$tmp/log"; report $? 'and does not unload it'
	host empty guest stop --force vm3
	sealed vm3 '-fake no-seal'
	host empty guest start vm3
	host empty update --rehearse $k; is 1 '^ +vm3 +running .*is not sealed' 'vm3: QEMU says that the save is complete' 'a rehearsal finds a guest that cannot be saved'
	shows vm3 running 'that guest goes on'
	shows vm1 running 'the others go on'
	}
	end_all
}

saves
resumes
half_sealed
lost_ram
stands_still
left_alone
holders
started
as_defined
gives_up
records
pinned
plugged
disks
elsewhere
roms
units
clocks
cpus
inhibitors
asks
twins
broken
rehearsals
tap_finish
