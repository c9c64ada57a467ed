#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test: definitions of guests that are wrong, missing, or not to be trusted, and a pool
# that is not mounted. None of them loses a guest that runs or is saved, or hides another one.
# usage: defs.sh BUILD-DIRECTORY
set -u
. "$(dirname "$0")/guests_lib.sh"

conf() { echo "$tmp/guests/$1.conf"; }

# Two guests with one RAM or one uuid
clashes()
{
	define vm1; define vm2
	sed "s/0a1/0a9/" "$(conf vm1)" >"$(conf copy)"
	ctl guest start copy;		is 1 '' "copy: the guest vm1 has the same RAM, $ram/ram-vm1" 'start refuses a guest with the RAM of another'
	ctl guest start vm1;		is 1 '' "vm1: the guest copy has the same RAM" 'and the other one, too'
	ctl guest up vm1;		is 1 '' 'the guest copy has the same RAM' 'so does up'
	ctl guest show;			is 0 '^copy +stopped .*the guest vm1 has the same RAM' '' 'show says why'
	ctl guest start vm2;		is 0 '^vm2 +running' '' 'a third guest starts'
	rm "$(conf copy)"
	ctl guest start vm1;		is 0 '^vm1 +running' '' 'without the copy the guest starts'
	ctl guest save vm1
	sed "s/0a1/0a9/" "$(conf vm1)" >"$(conf copy)"
	: >"$tmp/state/copy.state"
	ctl guest unseal copy;		is 1 '' 'the guest vm1 has the same RAM' 'unseal refuses a guest with the RAM of another, which may be saved there'
	rm "$tmp/state/copy.state"
	ctl guest resume vm1;		is 0 '^vm1 +running' '' 'a saved guest is resumed all the same'
	sed -i "s|$ram/ram-vm1|$ram//ram-vm1|" "$(conf copy)"
	ctl guest start copy;		is 1 '' 'the guest vm1 has the same RAM' 'another spelling of the path is the same RAM'
	sed "s/ram-vm1/ram-vm3/" "$(conf vm1)" >"$(conf copy)"
	ctl guest start copy;		is 1 '' 'the guest vm1 has the same uuid' 'start refuses a guest with the uuid of another'
	ctl guest stop --all --force
	# A file that both guests show by ivshmem is shared on purpose
	local shm="-object memory-backend-file,id=shm,size=1M,share=on,mem-path=$ram/shm"
	define vm1 "$shm -device ivshmem-plain,memdev=shm"; define vm2 "$shm -device ivshmem-plain,memdev=shm"
	rm "$(conf copy)"
	ctl guest start vm1;		is 0 '^vm1 +running' '' 'guests may share a file by ivshmem'
	end_all
}

# What others can change is not run as root
trust()
{
	define vm1
	chmod 664 "$(conf vm1)"
	ctl guest start vm1;		is 1 '' "vm1.conf can be written by others, who could run programs as root by it: chmod go-w $(conf vm1)" 'start refuses a definition that others can change'
	ctl guest show;			is 0 '^vm1 +stopped .*can be written by others' '' 'show says so'
	chmod 644 "$(conf vm1)"; chmod 777 "$tmp/guests"
	ctl guest start vm1;		is 1 '' "chmod go-w $tmp/guests" 'start refuses a directory that others can change'
	chmod 755 "$tmp/guests"
	ctl guest start vm1;		is 0 '^vm1 +running' '' 'with the right mode it starts'
	chmod 666 "$(conf vm1)"
	ctl guest save vm1;		is 0 '^vm1 +saved' '' 'a guest that runs is saved all the same'
	ctl guest resume --as-defined vm1; is 1 '' 'can be written by others' 'resume --as-defined refuses the definition'
	ctl guest resume vm1;		is 0 '^vm1 +running' '' 'it is resumed as it was started'
	if [ "$(id -u)" = 0 ]; then
		chmod 644 "$(conf vm1)"
		chown 65534 "$(conf vm1)"
		ctl guest stop vm1 --force
		ctl guest start vm1;	is 1 '' 'belongs to user 65534' 'start refuses a definition of another user'
	fi
	end_all
}

# A definition that is edited to nonsense, or removed, while its guest runs or is saved
broken()
{
	define vm1; define vm2
	ctl guest start --all
	echo nonsense >>"$(conf vm1)"
	ctl guest show;			is 1 '^vm1 +running' 'vm1.conf:9: "nonsense"' 'show lists a guest with a broken definition'
	also '^vm2 +running' out 'and the others'
	host idle guest show -j;	json 'd[0]["state"] == "running" and "nonsense" in d[0]["error"]' 'show -j has the reason'
	PKRAM_FAKE_SYSTEMD=1 PKRAM_FAKE_IMAGE=1 JOBS='1 kexec.target start waiting' host idle guest down vm1
	is 0 '^vm1 +saved' 'is taken as it was started' 'down before a kexec saves a guest with a broken definition'
	# The next kernel has no /run
	rm -r "$tmp/run/vm1"
	host idle guest show vm1;	is 0 '^vm1 +saved' 'nonsense' 'show lists it as saved'
	host idle guest up vm1;		is 0 '^vm1 +running' 'is taken as it was started' 'up resumes it as it was started'
	host idle guest save vm1
	rm "$(conf vm1)"
	host idle guest up vm1;		is 0 '^vm1 +running' 'vm1.conf: No such file' 'up resumes a saved guest whose definition is gone'
	host idle guest stop vm1 --force
	host idle guest start vm1;	is 1 '' 'its definition cannot be used' 'but it is not started afresh'
	host idle guest start vm3;	is 1 '' 'there is no guest vm3; there ' 'a guest that never was is an error'

	# One bad file
	next_kernel
	echo nonsense >"$(conf bad)"
	# shellcheck disable=SC2086
	{
	host idle update $k --dry-run;	is 1 'nothing: it is refused' 'bad.conf:1: "nonsense"' 'update --dry-run names a bad file'
	also '^ *vm2 +running' out 'and has its verdict of the others'
	host idle check;		is 1 'definition +refused' 'bad.conf:1' 'check has a row for it'
	also 'vm2: running, can be saved' out 'and rows for the others'
	host idle update $k;		is 1 '' 'bad.conf:1' 'update refuses it'
	}
	end_all
}

# Where pkramfs is not mounted, a saved guest looks like one that is stopped
unmounted()
{
	define vm1
	sed -i "s|^-object .*|-object memory-backend-pkram,id=ram0,size=16M,name=vm1,dir=$tmp/pool|" "$(conf vm1)"
	truncate -s 16M "$tmp/pool/vm1"
	local no="vm1: pkramfs is not mounted on $tmp/pool: systemctl start dev-pkram.mount"
	export PKRAM_FAKE_UNMOUNTED=1
	host idle guest show;		is 0 '^vm1 +unknown .*pkramfs is not mounted on' '' 'show does not know the state of a guest without the mount'
	host idle guest start vm1;	is 1 '' "$no" 'start refuses it'
	host idle guest up vm1;		is 1 '' "$no" 'up refuses it, too'
	host idle guest resume vm1;	is 1 '' "$no" 'so does resume'
	host idle guest unseal vm1;	is 1 '' "$no" 'and unseal'
	host idle guest down vm1;	is 0 '^vm1 +unknown' '' 'down has nothing to do'
	host idle check;		is 0 'guest +warning +vm1: pkramfs is not mounted' '' 'check says so'
	unset PKRAM_FAKE_UNMOUNTED
	host idle guest start vm1;	is 0 '^vm1 +running' '' 'with the mount it starts'
	export PKRAM_FAKE_UNMOUNTED=1
	host idle guest show vm1; is 0 '^vm1 +running' '' 'one that runs is shown as such'
	state=$tmp/pool host idle guest save vm1; is 1 '' "$no" 'its state is not saved to what is there instead'
	unset PKRAM_FAKE_UNMOUNTED
	end_all
}

# Verbs around a definition
verbs()
{
	define vm1; define vm2
	ctl guest validate;		is 0 '^vm1 +ok' '' 'validate accepts definitions'
	ctl guest validate -j vm1;	json 'd == [{"name": "vm1", "result": "ok"}]' 'validate -j prints JSON'
	sed -i 's|^qemu = .*|qemu = no-such-qemu|' "$(conf vm2)"
	ctl guest validate;		is 1 '^vm2 +refused +there is no no-such-qemu: install it' '' 'validate looks for QEMU'
	also '^vm1 +ok' out 'and goes on with the others'
	define vm2; chmod 666 "$(conf vm2)"
	ctl guest validate;		is 1 '^vm2 +refused .*chmod go-w' '' 'validate says who can change it'
	chmod 644 "$(conf vm2)"; echo nonsense >>"$(conf vm2)"
	ctl guest validate;		is 1 '^vm1 +ok' 'vm2.conf:9: "nonsense"' 'validate names a line that is wrong'
	ctl guest validate vm3;		is 1 '' 'there is no guest vm3; there ' 'validate names a definition that is not there'
	define vm2

	sed "s|^#qemu = .*|qemu = $qemu|" "$here/../examples/vm1.conf" >"$(conf example)"
	ctl guest validate example;	is 0 '^example +ok' '' 'the example that is installed is a valid definition'
	rm "$(conf example)"
	define vm3
	sed -i 's/^stop-timeout.*/stop-timeout = 86400/' "$(conf vm3)"
	ctl guest validate vm3;		is 0 '^vm3 +ok' 'warning: vm3: its stop-timeout of 86400 s does not end before the TimeoutStopSec of its unit (900 s)' 'validate warns of a stop-timeout that systemd does not wait for'
	PKRAM_FAKE_SYSTEMD=1 STOP_TIMEOUT='1d 30min' host idle guest validate vm3; is 0 '^vm3 +ok' '' 'not if the unit waits'
	host idle guest start vm3
	host empty check;		also '^stop-timeout +warning +vm3: its stop-timeout of 86400 s' out 'check warns, too'
	host idle guest stop --force vm3
	rm "$(conf vm3)"
	define vm3 '-fake sleeps'
	ctl guest start vm3
	ctl guest wake -j vm3;		json 'd[0]["state"] == "running"' 'wake wakes a guest that is suspended'
	ctl guest wake vm3;		is 1 '' 'is running: only one that is suspended' 'and none that runs'
	tell vm3 stop
	ctl guest stop vm3;		is 1 '' 'is paused and cannot power down; continue it first: pkramctl guest wake vm3' 'stop names the command'
	ctl guest wake --all;		is 0 '^vm3 +running' '' 'wake lets a paused guest run'
	ctl guest stop --force vm3
	ctl guest wake vm3;		is 1 '' 'vm3: does not run' 'wake needs a QEMU'
	ctl guest start vm3; ctl guest save vm3
	ctl guest resume vm3;		is 0 '^vm3 +suspended' '' 'a guest that was suspended is suspended after the resume'
	ctl guest wake vm3;		is 0 '^vm3 +running' '' 'and can be woken'
	ctl guest stop --force vm3
	define vm3 '-fake sleeps-on'
	ctl guest start vm3
	PKRAM_FAKE_SPEED=50 host idle guest wake vm3; is 1 '' 'vm3: does not run: it is suspended' 'wake says that a guest does not wake up'
	ctl guest stop --force vm3
	rm "$(conf vm3)"
	# The editor is a program that changes the file
	EDITOR="sed -i s/16M/18M/" ctl guest edit vm1; is 0 'changed +yes' '' 'edit changes a definition'
	grep -q 'size=18M' "$(conf vm1)"; report $? 'it is in its place'
	EDITOR=true ctl guest edit vm1 -j; json 'd["changed"] is False' 'edit -j says that nothing was changed'
	cp "$(conf vm1)" "$tmp/kept"
	EDITOR="sed -i s/^uuid/uudi/" ctl guest edit vm1; is 1 '' 'vm1: line 2: unknown setting "uudi"' 'edit refuses what cannot be used'
	cmp -s "$tmp/kept" "$(conf vm1)"; report $? 'the definition is as it was'
	mkdir "$tmp/elsewhere"
	mv "$(conf vm1)" "$tmp/elsewhere/vm1"; ln -s "$tmp/elsewhere/vm1" "$(conf vm1)"
	[ "$(id -u)" != 0 ] || chgrp 8 "$tmp/elsewhere/vm1"
	EDITOR="sed -i s/18M/20M/" ctl guest edit vm1; is 0 "^definition +$tmp/elsewhere/vm1" '' 'edit follows a link'
	[ -L "$(conf vm1)" ] && grep -q 20M "$tmp/elsewhere/vm1"; report $? 'which stays'
	[ "$(id -u)" != 0 ] || [ "$(stat -c %g "$tmp/elsewhere/vm1")" = 8 ]; report $? 'the file keeps its group'
	rm "$(conf vm1)"; mv "$tmp/elsewhere/vm1" "$(conf vm1)"
	EDITOR=false ctl guest edit vm1; is 1 '' 'the editor failed' 'an editor that fails changes nothing'
	[ "$(ls "$tmp/guests")" = $'vm1.conf\nvm2.conf' ]; report $? 'no draft is left'
	ctl guest edit ../x;		is 2 '' 'not a valid name' 'edit refuses a path'
	define vm1
	ctl guest console vm1;		is 1 '' 'vm1: it has no console' 'a guest without a serial port has no console'
	define vm1 "-serial unix:$tmp/console,server=on,wait=off"
	ctl guest console vm1;		is 1 '' 'it does not run' 'a guest that does not run has none either'
	ctl guest console vm1 -j;	json 'd["console"].endswith("/console")' 'console -j prints the socket'
	printf '#!/bin/sh\necho "socat $*"\n' >"$tmp/bin/socat"; chmod +x "$tmp/bin/socat"
	ctl guest start vm1
	ctl guest console vm1;		is 0 "^socat .* UNIX-CONNECT:$tmp/console" 'ends the connection' 'console connects the terminal'
	ctl guest stop --force vm1
	define vm1
	ctl guest restart vm1;		is 0 '^vm1 +running' '' 'restart starts a guest that is stopped'
	local pid
	pid=$(cat "$tmp/run/vm1/pid")
	ctl guest restart vm1;		is 1 '' 'has not powered down within 2 seconds' 'restart waits for the power-down'
	does vm1 running 'and leaves a guest alone that does not'
	define vm1 '-m 17M'
	ctl guest restart vm1 --force;	is 0 '^vm1 +running' '' 'restart --force ends QEMU and starts it again'
	[ "$pid" != "$(cat "$tmp/run/vm1/pid")" ]; report $? 'it is another QEMU'
	tr '\0' ' ' <"/proc/$(cat "$tmp/run/vm1/pid")/cmdline" | grep -q -- '-m 17M'; report $? 'with the options of now'
	ctl guest restart --all --force -j; json '[g["name"] for g in d] == ["vm1"]' 'restart --all restarts those that run'
	truncate -s 16M "$ram/ram-vm1"
	ctl guest show vm1;		is 0 " 16 MiB  $(date +%Y)-[0-9-]+ [0-9:]{8}" '' 'show prints the size of the RAM, and since when a guest runs'
	ctl guest save vm1
	ctl guest show -j vm1;		json 'd[0]["size"] == 16 << 20 and d[0]["since"].endswith("Z") and d[0]["state"] == "saved"' 'show -j since when it is saved'
	ctl guest restart vm1;		is 1 '' 'is saved; pkramctl guest resume vm1' 'restart refuses a saved guest'
	ctl guest resume vm1
	chmod 666 "$(conf vm1)"
	ctl guest restart vm1 --force;	is 1 '' 'chmod go-w' 'restart refuses a definition that others can change'
	does vm1 running 'before the guest is ended'
	chmod 644 "$(conf vm1)"
	cp "$(conf vm1)" "$tmp/kept"
	sed -i 's|^qemu = .*|qemu = /none/qemu|' "$(conf vm1)"
	ctl guest restart vm1 --force;	is 1 '' '/none/qemu: No such file' 'restart looks for QEMU'
	does vm1 running 'before the guest is ended, too'
	cp "$tmp/kept" "$(conf vm1)"
	echo $$ >"$tmp/unit"
	PKRAM_FAKE_SYSTEMD=1 host idle guest restart vm1 --force; is 1 '' 'systemctl restart pkram-guest@vm1' 'restart leaves a guest to its unit'
	rm "$tmp/unit"
	ctl guest log vm1;		is 0 'resumed by pkramctl' '' 'log prints what QEMU wrote'
	[ "$(grep -c ' by pkramctl$' "$tmp/out")" = 5 ]; report $? 'of all starts'
	ctl guest log vm1 -j;		json 'd["log"].endswith("log.d/vm1.log")' 'log -j prints its name'
	ctl guest log vm2;		is 1 '' 'vm2.log: it was not started yet' 'log of a guest that never ran says so'
	[ "$(stat -c %a "$tmp/log.d/vm1.log")" = 600 ]; report $? 'a log is private'
	ctl guest stop vm1 --force
	truncate -s 2M "$tmp/log.d/vm1.log"
	ctl guest start vm1
	# Somebody looks at the guest while it is to be saved
	flock "$tmp/run/vm1" sleep 1 &
	wait_for bash -c "! flock -n '$tmp/run/vm1' true"
	PKRAM_FAKE_SYSTEMD=1 PKRAM_FAKE_IMAGE=1 JOBS='1 kexec.target start waiting' host idle guest down vm1
	is 0 '^vm1 +saved' '' 'down before a kexec waits for the lock of the guest'
	ctl guest resume vm1
	flock "$tmp/run/vm1" sleep 1 &
	wait_for bash -c "! flock -n '$tmp/run/vm1' true"
	ctl guest save vm1;		is 0 '^vm1 +saved' '' 'save waits for it, too'
	flock "$tmp/run/vm1" sleep 1 &
	wait_for bash -c "! flock -n '$tmp/run/vm1' true"
	ctl guest up vm1;		is 0 '^vm1 +running' '' 'so does up'
	# Its only connection is taken for longer than a look takes, too
	define vm1 '-fake powers-down'; ctl guest restart vm1 --force
	flock "$tmp/run/vm1" sleep 4 &
	wait_for bash -c "! flock -n '$tmp/run/vm1' true"
	kill -STOP "$(cat "$tmp/run/vm1/pid")"
	(sleep 4; kill -CONT "$(cat "$tmp/run/vm1/pid")") &
	PKRAM_FAKE_SYSTEMD=1 host idle guest down vm1; is 0 '^vm1 +stopped' '' 'down without a kexec waits for the guest and its lock'
	[ "$(stat -c %s "$tmp/log.d/vm1.log")" -lt 10000 ] && [ -e "$tmp/log.d/vm1.log.1" ]; report $? 'a long log gets another name'
	end_all
}

clashes
trust
verbs
broken
unmounted
tap_finish
