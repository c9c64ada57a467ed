#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of pkramctl's guest and update commands. It uses a QEMU without a guest
# (fake_qemu.py) and the real QEMU that PKRAM_TEST_QEMU names.
# usage: guests.sh BUILD-DIRECTORY
set -u
. "$(dirname "$0")/guests_lib.sh"

# Commands that the fake and the real QEMU handle alike
verbs()
{
	local score
	define vm1; define vm2
	ctl guest show;			is 0 "^vm1 +stopped +[0-9a-f-]+a1 +$ram/ram-vm1" '' 'show lists defined guests'
	ctl guest start vm1 vm2;	is 0 '^vm2 +running' '' 'start starts guests'
	ctl guest show -j;		json 'd[0]["state"] == "running" and d[0]["pid"] > 1 and d[1]["name"] == "vm2"' 'show -j lists guests as JSON'
	# Only with CAP_SYS_RESOURCE it can be lowered
	{ (echo -900 >/proc/self/oom_score_adj) && score=-900 || score=$(cat /proc/self/oom_score_adj); } 2>/dev/null
	grep -qx -- "$score" "/proc/$(cat "$tmp/run/vm1/pid")/oom_score_adj"; report $? 'QEMU is killed last when memory runs out, where that may be set'
	ctl guest start vm1;		is 1 '' 'vm1: already has a QEMU' 'start refuses a running guest'
	ctl guest resume vm1;		is 1 '' 'vm1: already has a QEMU' 'resume refuses a running guest'
	ctl guest up vm1;		is 0 'running' '' 'up accepts a running guest'
	ctl guest stop vm1;		is 1 '' 'has not powered down within 2 seconds' 'stop fails if the guest does not power down'
	ctl guest save --all;		is 0 '^vm1 +saved .* B$' '' 'save --all saves guests'
	there vm1.state 'save writes the state file'
	does vm1 saved 'show lists a saved guest as saved'
	ctl guest save vm1;		is 1 '' 'is saved already' 'save refuses a saved guest'
	ctl guest start vm1;		is 1 '' 'pkramctl guest unseal vm1 gives it up' 'start refuses a saved guest'
	ctl guest down vm1;		is 0 'saved' '' 'down accepts a saved guest'
	ctl update --report;		is 0 '^ +vm1 +saved +20' '' 'the report lists saved guests'
	ctl guest resume --all;		is 0 '^vm2 +running .* s +[0-9]+\.[0-9]+ s$' '' 'resume --all resumes guests and prints the blackout'
	gone vm1.state 'resume removes the state file'
	gone vm1.state.info 'resume removes the info file'
	ctl update --report;		is 0 '^ +vm1 +resumed +[0-9]+\.[0-9]{3} s ' '' 'the report shows the blackout'
	ctl update --report -j;		json '0 < d["guests"][0]["blackout"] < 60 and d["guests"][0]["resumed"].endswith("Z")' 'the report shows the blackout as JSON'

	state=$tmp/none ctl guest save vm1; is 1 '' "Could not create '$tmp/none/vm1.state'" 'save fails if the state file cannot be created'
	does vm1 running 'the guest runs after a save that failed early'
	mkdir "$tmp/state/vm2.state"
	ctl guest save --all;		is 3 '^vm1 +saved' 'vm2: Could not create' 'a failed save does not stop the others'
	rmdir "$tmp/state/vm2.state"
	does vm2 running 'the guest whose save failed runs'

	mv "$tmp/state/vm1.state" "$tmp/kept"
	echo junk >"$tmp/state/vm1.state"
	ctl guest resume vm1;		is 1 '' 'load of migration failed' 'resume refuses an invalid state file'
	also 'run pkramctl guest resume vm1' err 'the error of resume names the command to repeat'
	[ "$(cat "$tmp/state/vm1.state")" = junk ]; report $? 'a failed resume does not change the state file'
	does vm1 saved 'the guest is still saved after a failed resume'
	ctl update --report;		is 0 'vm1 +not resumed .*load of migration failed' '' 'the report shows why a resume failed'
	ctl guest up vm1;		is 1 '' 'load of migration failed' 'up does not start a guest whose state is invalid'
	mv "$tmp/kept" "$tmp/state/vm1.state"
	ctl guest up vm1;		is 0 '^vm1 +running' '' 'up resumes a saved guest'

	tell vm1 stop
	ctl guest save vm1;		is 0 '^vm1 +saved' '' 'save accepts a paused guest'
	ctl guest resume vm1;		is 0 '^vm1 +paused' 'it is resumed and stands still, as it is paused' 'a guest that was paused is paused after the resume'
	does vm1 paused 'it does not run later either'
	gone vm1.state 'the resume of a paused guest removes its state'
	tell vm1 cont
	tell vm1 migrate "{\"uri\": \"file:$tmp/elsewhere\"}"
	wait_for is_listed vm1 postmigrate
	ctl guest resume vm1;		is 1 '' 'already has a QEMU, which is postmigrate' 'resume refuses a guest that another program migrated'
	ctl guest save vm1;		is 1 '' 'is postmigrate: only' 'save refuses a guest that another program migrated'
	echo >"$tmp/state/vm1.state"
	ctl guest resume vm1;		is 0 '^vm1 +running' '' 'resume continues a guest whose save was not completed'
	gone vm1.state 'resume removes the incomplete state'

	ctl guest stop vm1 --force;	is 0 '^vm1 +stopped' '' 'stop --force ends a guest'

	# Only the options of the start are there for the next QEMU
	define vm1 '-device pcie-root-port,id=slot0 -device virtio-rng-pci'
	ctl guest start vm1
	tell vm1 device_add '{"driver": "virtio-balloon-pci", "id": "plugged", "bus": "slot0"}'
	ctl guest save vm1;		is 1 '' 'its device plugged (virtio-balloon-pci) was plugged in after the start' 'save refuses a device that was plugged in'
	does vm1 running 'the guest that has it runs on'
	ctl guest stop vm1 --force; ctl guest start vm1
	tell vm1 object-add '{"qom-type": "rng-random", "id": "unused"}'
	ctl guest save vm1;		is 0 '^vm1 +saved' '' 'save accepts an object that was added alone'
	ctl guest resume vm1;		is 0 '^vm1 +running' '' 'the guest with it is resumed without it'
	ctl guest stop vm1 --force

	# Disks that are not there for the next QEMU
	truncate -s 1M "$ram/disk" "/dev/shm/pkram-disk.$$"
	local disk=-drive\ if=none,id=d0,format=raw,file=
	define vm1 "$disk/dev/shm/pkram-disk.$$"
	ctl guest start vm1
	ctl guest save vm1;		is 1 '' "its disk /dev/shm/pkram-disk.$$ would be lost: it is on tmpfs" 'save refuses a disk on tmpfs'
	does vm1 running 'the guest with it runs on'
	ctl guest stop vm1 --force
	define vm1 "$disk$ram/disk"
	ctl guest start vm1; ctl guest save vm1; is 0 '^vm1 +saved' '' 'save accepts a disk in a file'
	ctl guest resume vm1
	mv "$ram/disk" "$ram/moved"
	ctl guest save vm1;		is 1 '' "its disk $ram/disk would be lost: it is a temporary file, or was removed" 'save refuses a disk that was removed'
	mv "$ram/moved" "$ram/disk"
	ctl guest stop vm1 --force
	# QEMU opens its disks before it changes its root
	if [ "$(id -u)" = 0 ]; then
		mkdir -p "$tmp/jail"
		define vm1 "$disk$ram/disk -run-with chroot=$tmp/jail"
		ctl guest start vm1
		mv "$ram/disk" "$ram/moved"
		ctl guest save vm1;	is 1 '' "its disk $ram/disk would be lost: it is a temporary file, or was removed" 'save refuses a disk that was removed, behind a chroot'
		mv "$ram/moved" "$ram/disk"
		# Its state would be there, too
		ctl guest save vm1;	is 1 '' "$tmp/state/vm1.state" 'save looks for a disk where QEMU opened it'
		! grep -q 'would be lost' "$tmp/err"; report $? 'and does not miss it behind a chroot'
		ctl guest stop vm1 --force
	fi
	define vm1 "$disk$ram/disk,snapshot=on"
	ctl guest start vm1; ctl guest save vm1; is 1 '' 'would be lost: snapshot=on lets QEMU write to a temporary file' 'save refuses snapshot=on by name'
	ctl guest stop vm1 --force
	define vm1 -snapshot
	ctl guest start vm1; ctl guest save vm1; is 1 '' 'would be lost: -snapshot lets' 'save refuses -snapshot by name'
	ctl guest stop vm1 --force
	rm "/dev/shm/pkram-disk.$$"
	define vm1
	ctl guest stop vm1;		is 1 '' 'does not run' 'stop refuses a stopped guest'
	ctl guest down vm1;		is 0 'stopped' '' 'down accepts a stopped guest'
	ctl guest unseal vm1;		is 1 '' 'is not saved; there is nothing' 'unseal refuses a guest that is not saved'
	ctl guest resume vm1;		is 1 '' 'is not saved' 'resume refuses a guest that is not saved'
	ctl guest up vm1;		is 0 'running' '' 'up starts a stopped guest'
	ctl guest stop --all --force;	is 0 'vm2 +stopped' '' 'stop --all --force ends all guests'
	define vm1 '-device no-such-device'
	ctl guest start vm1
	[ "$qemu" = "$tmp/bin/fake" ] || {
		is 1 '' "QEMU ended: " 'start fails if QEMU exits'
		also 'no-such-device' err 'the message of QEMU is printed'
	}
	end_all
}

usage()
{
	define vm1; define vm2
	ctl guest start;		is 2 '' 'no guest given' 'start without a guest is a usage error'
	ctl guest start vm1 --all;	is 2 '' 'exclude each other' 'start with names and --all is a usage error'
	ctl guest start vm1 --force;	is 2 '' 'unknown option "--force"' 'start has no --force'
	ctl guest up --all;		is 2 '' 'unknown option "--all"' 'up has no --all'
	ctl guest start vm3;		is 1 '' 'there is no guest vm3; there are vm1, vm2' 'start refuses a guest that is not defined'
	define web1; define web2; define db
	ctl guest show web;		is 1 '' 'there is no guest web; there are web1, web2, db, vm1, vm2' 'the guests with similar names come first'
	rm "$tmp/guests/"{web1,web2,db}.conf
	ctl guest start ../vm1;		is 1 '' 'not a valid name of a guest' 'start refuses a path as the name of a guest'
	echo 'uuid = 1' >"$tmp/guests/vm2.conf"
	ctl guest show;			is 1 '^vm1' "vm2.conf:1: \"1\" is not a UUID" 'an invalid definition does not hide the other guests'
	ctl update --kernel x;		is 1 '' 'vm2.conf:1' 'update refuses an invalid definition'
	ctl update;			is 2 '' 'no kernel given' 'update without a kernel is a usage error'
	ctl update --help;		is 0 'dry-run' '' 'update --help'
	ctl guest --help;		is 0 'guest resume NAME' '' 'guest --help'
	rm -r "$tmp/guests"
	ctl guest show;			is 0 '' 'no guests are defined: pkram-guests(5)' 'show without definitions says so'
	end_all
}

# JSON output of commands that act on guests
as_json()
{
	define vm1; define vm2 '-fake blocked'
	ctl -j guest start --all;	json '[g["state"] for g in d] == ["running", "running"]' 'start -j prints states'
	ctl -j guest save vm1 vm2;	json 'd[0]["state"] == "saved" and d[0]["bytes"] and "cannot be migrated" in d[1]["error"]' 'save -j prints sizes and errors'
	ctl -j guest resume vm1;	json 'd[0]["blackout"] > 0' 'resume -j prints the blackout'
	ctl -j guest up vm1;		json 'd[0]["state"] == "running"' 'up -j prints the state'
	ctl -j guest stop --all --force; json 'd[1]["state"] == "stopped"' 'stop -j prints states'
	ctl -j guest start vm1; ctl guest save vm1
	ctl -j guest unseal vm1;	json 'd[0]["state"] == "stopped"' 'unseal -j prints the state'
	gone vm1.state 'unseal removes the state file'
	gone vm1.state.info 'unseal removes the info file'
	ctl guest unseal --all;	is 2 '' 'unknown option "--all"' 'unseal has no --all'
	ctl -j guest down vm1;		json 'd[0]["state"] == "stopped"' 'down -j prints the state'
	end_all
}

# Failures of QEMU
trouble()
{
	local pid
	define vm1 '-fake no-start'
	ctl guest start vm1;		is 1 '' 'QEMU ended: fake_qemu: no such machine' 'start prints why QEMU ended'
	does vm1 stopped 'a guest whose QEMU did not start is stopped'
	define vm1 '-fake blocked-normal'
	ctl guest start vm1
	ctl guest save vm1;		is 0 '^vm1 +saved' '' 'what blocks a live migration, as a VFIO device does, does not block a save'
	ctl guest unseal vm1
	define vm1 '-fake blocked'
	ctl guest start vm1
	: >"$tmp/qemu.log"
	ctl guest save vm1;		is 1 '' 'the disk cannot be migrated' 'save refuses a guest that cannot be migrated'
	! grep -q '^vm1 migrate ' "$tmp/qemu.log"; report $? 'the refused save does not begin a migration'
	end_all
	define vm1 '-fake fail-late'
	ctl guest start vm1
	ctl guest save vm1;		is 1 '' 'No space left on device' 'save fails if the migration fails late'
	gone vm1.state 'a late failure leaves no state file'
	does vm1 running 'a late failure leaves the guest running'
	also 'vm1 migrate-set-parameters {"mode": "cpr-reboot", "max-bandwidth": 1099511627776}' qemu.log 'save sets no bandwidth limit'
	also 'vm1 migrate-set-parameters {"mode": "normal", "max-bandwidth": 5242880}' qemu.log 'a failed save restores the migration parameters'
	end_all
	define vm1 '-fake die-in-save'
	ctl guest start vm1
	ctl guest save vm1;		is 1 '' 'QEMU has ended' 'save reports that QEMU ended'
	end_all
	define vm1 '-fake slow'
	ctl guest start vm1
	PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=$tmp/state PKRAM_RUN_DIR=$tmp/run \
		"$O/tests/pkramctl" guest save vm1 >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	wait_for grep -q left "$tmp/err"
	PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=$tmp/state PKRAM_RUN_DIR=$tmp/run \
		"$O/tests/pkramctl" guest stop vm1 >"$tmp/second" 2>&1
	grep -q 'another pkramctl is working on it' "$tmp/second"; report $? 'a second pkramctl on the same guest is refused'
	kill "$pid"
	wait "$pid"; rc=$?
	is 1 '' 'vm1: interrupted' 'SIGTERM interrupts a save'
	also 'vm1: saving, 5 MiB done, 3 MiB left' err 'save prints its progress'
	does vm1 running 'an interrupted save leaves the guest running'
	end_all
	define vm1
	ctl guest start vm1; ctl guest save vm1
	FAKE_QEMU_WORDS=die-in-load ctl guest resume vm1; is 1 '' 'object vm is not sealed' 'resume prints why QEMU ended'
	there vm1.state 'the state file stays if QEMU ends during resume'
	FAKE_QEMU_WORDS=slow PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=$tmp/state PKRAM_RUN_DIR=$tmp/run \
		"$O/tests/pkramctl" guest resume vm1 >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	wait_for grep -q 'vm1: loading' "$tmp/err"
	kill "$pid"
	wait "$pid"; rc=$?
	is 1 '' 'vm1: interrupted; its QEMU is not ended, as it goes on with the load' 'SIGTERM ends a resume, but not QEMU'
	does vm1 running 'the guest, which was loaded, runs'
	tell vm1 stop
	ctl guest stop vm1 --force
	echo "the state of vm1" >"$tmp/state/vm1.state"
	FAKE_QEMU_WORDS=stays-paused ctl guest resume vm1; is 0 'vm1 +io-error' 'warning: vm1: it is resumed and stands still, as it is io-error' 'resume keeps a guest that has an I/O error after the load'
	does vm1 io-error 'its QEMU is not ended'
	gone vm1.state 'its state, which cannot be loaded again, is removed'
	end_all
	define vm1 '-fake powers-down'
	ctl guest start vm1
	ctl guest stop vm1;		is 0 '^vm1 +stopped' '' 'stop waits until the guest has powered down'
	end_all
	define vm1
	ctl guest start vm1
	kill -STOP "$(cat "$tmp/run/vm1/pid")"
	# Each of these stays in the queue of QEMU's socket, which is full then.
	for _ in 1 2 3 4; do
		timeout 100 env PKRAM_GUESTS_DIR="$tmp/guests" PKRAM_STATE_DIR="$tmp/state" \
			PKRAM_RUN_DIR="$tmp/run" "$O/tests/pkramctl" guest show >"$tmp/out" 2>"$tmp/err"
		rc=$?
	done
	is 0 'no answer .*nor accept connections' '' 'show does not hang on a QEMU that hangs'
	ctl guest stop vm1;		is 1 '' 'QEMU does not answer' 'stop needs a QEMU that answers'
	ctl guest stop vm1 --force;	is 0 '^vm1 +stopped' '' 'stop --force ends a QEMU that hangs'
	does vm1 stopped 'it is gone'
	end_all
	define vm1 '-fake mute'
	"$tmp/bin/fake" -fake mute -name vm1 -qmp "unix:$tmp/qmp" -pidfile "$tmp/pid" &
	pid=$!
	mkdir -p "$tmp/run/vm1"
	wait_for [ -S "$tmp/qmp" ]
	ln -s "$tmp/qmp" "$tmp/run/vm1/qmp"
	ctl guest show;			is 0 'no answer .*another program is connected' '' 'show reports a QEMU that does not answer'
	ctl guest save vm1;		is 1 '' 'another program is connected' 'save fails if QEMU does not answer'
	kill "$pid"
	wait "$pid" 2>/dev/null
	rm -f "$tmp/run/vm1/qmp" "$tmp/qmp"
	end_all
}

update()
{
	next_kernel
	: >"$tmp/log"
	define vm1; define vm2; define vm3
	# shellcheck disable=SC2086
	{
	ctl guest start vm1 vm2
	host idle update $k --dry-run;	is 0 '^ +vm1 +running' 'warning: vm1 is in use by a process that is not a guest' 'update --dry-run lists the guests'
	! grep -q . "$tmp/log"; report $? 'update --dry-run changes nothing'
	host '' update $k;		is 1 '' 'vm2 is claimed by a process that is not a guest' 'update refuses an object claimed by another process'
	sed -i "s|mem-path=.*|mem-path=$ram/vm2|" "$tmp/guests/vm2.conf"; touch "$ram/vm2"
	ctl guest stop vm2 --force; ctl guest start vm2
	host '' update $k --dry-run;	is 1 'refused' 'vm2 is claimed by a process that is not a guest' 'a file of that name elsewhere is not the object'
	sealed vm2
	ctl guest stop vm2 --force; host '' guest start vm2
	host '' update $k --dry-run;	is 0 '^ +vm2 +running' 'warning: vm1 is in use by a process that is not a guest in guests.d, and its device may do DMA' 'update accepts an object claimed by a guest'
	host '' check $k;		is 0 '^guest +ok +vm1: running, can be saved' '' 'check lists the guests that can be saved'
	also '^module +ok +.*supports format 1' out 'check lists the module of the kernel'
	also '^initrd +ok' out 'check lists the initrd'
	host '' check;			is 0 '^handover +ok +by e820' '' 'check needs no kernel'
	also '^DMA tables +warning +vm1 is in use by a process that is not a guest' out 'it looks for DMA tables of others'
	also '^DMA tables +ok +1 in use, 1 suspended' out 'and counts all'
	! grep -q '^initrd' "$tmp/out"; report $? 'check without a kernel checks no initrd'
	host claimed_late check --kernel "$tmp/vmlinuz"; is 1 '^initrd +refused +no initrd given' '' 'check fails if a check fails'
	also '^module +ok' out 'check continues after a check that fails'
	host '' -j check $k;		json '[c["check"] for c in d if c["result"] != "ok"] == ["DMA tables"] and "initrd" in [c["check"] for c in d]' 'check -j prints the results'
	host '' check $k --force;	is 2 '' 'unknown option' 'check refuses --force'
	! grep -q . "$tmp/log"; report $? 'check changes nothing'
	: >"$tmp/qemu.log"
	host idle update --kernel "$tmp/none"; is 1 '' 'none: No such file' 'update refuses a missing kernel'
	PKRAM_FAKE_KEXEC_ERRNO=16 host idle update $k; is 1 '' 'for 30 s' 'update fails if the kexec image cannot be loaded'
	mv "$tmp/modules" "$tmp/away"
	host idle update $k;		is 1 '' 'there is no pkram module for 6.99.1-test' 'update refuses a kernel without a pkram module'
	PKRAM_FAKE_KEXEC_ERRNO=16 host idle update $k --force; is 1 '' 'warning: there is no pkram module' 'update --force accepts a kernel without a module'
	mv "$tmp/away" "$tmp/modules"
	! grep -q '^vm. migrate ' "$tmp/qemu.log"; report $? 'no guest is saved before the image is loaded'

	mkdir "$tmp/state/vm2.state"
	: >"$tmp/log"
	host idle -j update $k;		also 'update cancelled' err 'update is cancelled if a guest cannot be saved'
	also "vm2: Could not create" err 'the cancelled update prints the reason'
	grep -q '^unload' "$tmp/log" && ! grep -q reboot "$tmp/log"; report $? 'the cancelled update unloads the image and does not boot it'
	gone vm1.state 'the cancelled update removes the states of other guests'
	does vm1 running 'the cancelled update resumes the other guests'
	does vm2 running 'the guest whose save failed still runs'
	rmdir "$tmp/state/vm2.state"

	: >"$tmp/log"
	host claimed_late update $k;	also 'vm2 is claimed' err 'update fails if an object is claimed after the load'
	does vm1 running 'the guests run after that failure'

	: >"$tmp/log"
	host idle update $k;		is 1 '^ +vm1 +saved' 'the guests were resumed' 'update resumes the guests if the kexec fails'
	grep -q '^reboot kexec' "$tmp/log"; report $? 'the failed kexec was attempted'
	does vm1 running 'the guests run after the failed kexec'
	gone vm1.state 'no state file remains after the failed kexec'

	# RAM that a kexec would lose
	local bad word text
	for bad in "file,id=x,size=1M,share=on,mem-path=/dev/shm:/dev/shm; name a file" \
		   "file,id=x,size=1M,share=on,mem-path=/dev/shm/pkram-test.$$:is on tmpfs" \
		   "file,id=x,size=1M,share=on,mem-path=$ram/none:none: No such file" \
		   "memfd,id=x,size=1M:memory-backend-memfd would be lost" \
		   "ram,id=x,size=1M,share=on:memory-backend-ram would be lost" \
		   "shm,id=x,size=1M:memory-backend-shm would be lost"; do
		text=${bad#*:} word=${bad%%:*}
		define vm3 "-object memory-backend-$word"
		: >"/dev/shm/pkram-test.$$"
		ctl guest start vm3
		ctl guest save vm3;	is 1 '' "$text" "save refuses RAM in $word"
		host idle update $k;	also "would be lost" err 'update refuses it, too'
		does vm3 running 'the guest runs on'
		ctl guest stop --force vm3
	done
	for word in "file,id=x,size=1M,mem-path=/dev/shm" "memfd,id=x,size=1M,share=off" "ram,id=x,size=1M"; do
		define vm3 "-object memory-backend-$word"
		ctl guest start vm3
		ctl guest save vm3;	is 0 '^vm3 +saved' '' "save accepts RAM in $word, which is copied"
		ctl guest unseal vm3
	done
	rm "/dev/shm/pkram-test.$$"
	define vm3

	# One guest that hangs does not keep the others from running.
	define vm3 '-fake hang-in-save'
	ctl guest start vm3
	: >"$tmp/log"
	host idle update $k;		is 1 'vm1 +running' 'vm3: QEMU does not answer; process' 'update is cancelled if a guest hangs in the save'
	also 'update cancelled' err 'it says so'
	! grep -q reboot "$tmp/log"; report $? 'it does not boot'
	does vm1 running 'the guests that do not hang run'
	ctl guest stop vm3;		is 1 '' 'another pkramctl is working on it' 'the guest that hangs is locked'
	kill -CONT "$(cat "$tmp/run/vm3/pid")"
	wait_for is_listed vm3 running; report $? 'it runs as soon as it answers'
	gone vm3.state 'the state that it wrote then is removed'
	ctl guest stop --force vm3
	define vm3

	define vm2 '-fake slow'
	ctl guest stop --force vm2; ctl guest start vm2
	: >"$tmp/log"
	host idle update $k & pid=$!
	wait_for grep -q left "$tmp/err"
	pkill -HUP -P "$pid"; pkill -PIPE -P "$pid"
	sleep 0.5
	kill -0 "$pid"; report $? 'an update goes on when its terminal goes away'
	pkill -TERM -P "$pid"
	wait "$pid"
	also interrupted err 'SIGTERM takes an update back'
	does vm1 running 'the guests run after it'
	does vm2 running 'also the one whose save was not complete'
	ctl guest stop --force vm2; define vm2
	sed -i "s|mem-path=.*|mem-path=$ram/vm2|" "$tmp/guests/vm2.conf"; touch "$ram/vm2"
	ctl guest start vm2

	export PKRAM_FAKE_SYSTEMD=1
	: >"$tmp/log"
	host idle update $k --dry-run;	is 0 'systemctl start kexec.target' 'warning: vm2: its unit pkram-guest@vm2.service is not enabled' 'update warns about a unit that is not enabled'
	! grep -q vm3 "$tmp/err"; report $? 'no warning is printed for a stopped guest'
	export DISABLED=0
	host idle update $k;		is 0 '^ +vm2 +saved' 'pkram-update.service' 'update boots the kernel through systemd'
	grep -q 'systemctl start .*kexec.target' "$tmp/log"; report $? 'update starts kexec.target'
	does vm1 saved 'running guests are saved'
	does vm3 stopped 'a stopped guest is not saved'
	unset DISABLED
	ctl guest resume --all;		is 0 'vm2 +running' '' 'the saved guests can be resumed'

	PKRAM_FAKE_IMAGE=1 JOBS='12 kexec.target start waiting' host idle guest down vm1
	is 0 '^vm1 +saved' '' 'down saves a guest while systemd goes to kexec.target'
	host idle guest up vm1
	define vm1 '-fake fail-late'
	host idle guest down vm2;	is 1 '' 'has not powered down' 'down stops a guest otherwise'
	host idle guest stop --all --force
	define vm1 '-fake fail-late,powers-down'
	host idle guest up vm1
	PKRAM_FAKE_IMAGE=1 JOBS='12 kexec.target start waiting' STOP_TIMEOUT=1min PKRAM_FAKE_SPEED=10 host idle guest down vm1
	is 0 '^vm1 +stopped' 'vm1 cannot be saved and is powered down instead: No space left' 'down stops a guest that cannot be saved'
	unset PKRAM_FAKE_SYSTEMD
	}
	end_all
}

kind=fake
verbs
usage
as_json
trouble
update
if [ -n "${PKRAM_TEST_QEMU:-}" ]; then
	# Without a kernel the guest stays in its firmware, which works on every machine.
	qemu=$PKRAM_TEST_QEMU kind=QEMU
	verbs
else
	echo "tests with a real QEMU were not run: set PKRAM_TEST_QEMU"
fi

tap_finish
