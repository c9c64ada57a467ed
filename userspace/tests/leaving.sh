#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test: what may happen between a save and the boot of the next kernel loses no guest: the
# image goes away, systemd does not answer, the host goes down otherwise, a unit stops late.
# With the fake kernel, a fake systemd and a QEMU without a guest.
# usage: leaving.sh BUILD-DIRECTORY
# shellcheck disable=SC2086 # $k is several words
set -u
. "$(dirname "$0")/guests_lib.sh"

# Of the last update; its systemctl calls are in the log
not_unloaded() { ! grep -q '^unload' "$tmp/log"; report $? "$1"; }
unloaded() { grep -q '^unload' "$tmp/log"; report $? "$1"; }
not_booted() { ! grep -q 'start .*kexec.target' "$tmp/log"; report $? "$1"; }

pid_of() { cat "$tmp/run/$1/pid"; }

# begin NAME [OPTIONS] - a guest that runs, and empty logs
begin()
{
	rm -f "$tmp/jobs" "$tmp/start" "$tmp/image"
	sealed "$@"
	host idle guest start "$1"
	: >"$tmp/log"; : >"$tmp/qemu.log"
}

queued='1 kexec.target start waiting'
rebooting=$'1 shutdown.target start waiting\n2 reboot.target start waiting'

# systemctl has failed, and systemd boots nevertheless
late_jobs()
{
	begin vm1
	# shellcheck disable=SC2016
	echo 'case $* in *kexec.target) echo "'"$queued"'" >'"$tmp/jobs"'; exit 1 ;; esac' >"$tmp/start"
	host empty update $k --no-unit;		is 0 '^ +vm1 +saved' 'the pool has no region' 'an update goes on if the job is queued although systemctl failed'
	not_unloaded 'it does not unload the image'
	rm "$tmp/jobs"
	shows vm1 saved 'the guest stays saved'
	host idle guest resume vm1
	: >"$tmp/log"
	# shellcheck disable=SC2016
	echo 'case $* in *kexec.target) echo "'"$queued"'" >'"$tmp/jobs"'; kill -TERM $$ ;; esac' >"$tmp/start"
	host empty update $k --no-unit;		is 0 '^ +vm1 +saved' 'the pool has no region' 'or although systemctl was killed'
	not_unloaded 'it does not unload the image then'
	rm "$tmp/jobs"
	host idle guest resume vm1
	: >"$tmp/log"
	# shellcheck disable=SC2016
	echo 'case $* in *kexec.target) exit 1 ;; esac' >"$tmp/start"
	host empty update $k --no-unit;		is 1 '^ +vm1 +saved' 'update cancelled; the guests were resumed' 'a kexec.target that is not queued cancels the update'
	unloaded 'the image is unloaded'
	shows vm1 running 'and the guest runs'
	[ "$(grep -c list-jobs "$tmp/log")" -gt 3 ]; report $? 'systemd was asked more than once'
	: >"$tmp/log"
	echo "touch $tmp/mute; exit 1" >"$tmp/start"
	host empty update $k --no-unit;		is 1 '^ +vm1 +saved' 'systemd does not say whether it boots another kernel; the guests stay saved' 'a systemd that does not answer is taken for one that boots'
	not_unloaded 'the image stays'
	rm "$tmp/mute" "$tmp/start"
	shows vm1 saved 'and the guest, too'
	: >"$tmp/log"
	JOBS=$queued PKRAM_FAKE_IMAGE=1 host empty kexec --unload; is 1 '' 'the image stays loaded: systemd is about to boot it' 'kexec --unload refuses to unload what systemd is about to boot'
	not_unloaded 'it does not'
	touch "$tmp/mute"
	host empty check;	is 1 '^host +refused +systemd does not answer' '' 'check refuses a host whose systemd does not answer'
	rm "$tmp/mute"
	JOBS=$rebooting host empty update $k --no-unit; is 1 '' 'it goes down already' 'an update refuses a host that goes down'
	end_all
}

# systemctl kexec by somebody else while guests are being saved
overtaken()
{
	local pid
	begin vm1 '-fake slow'
	export PKRAM_FAKE_IMAGE_FILE=$tmp/image
	host empty update $k --no-unit & pid=$!
	wait_for grep -qs left "$tmp/err"
	echo "$queued" >"$tmp/jobs"
	pkill -TERM -P "$pid"
	wait "$pid"
	also 'the image stays loaded: systemd is about to boot it' err 'an update that a kexec overtakes does not unload its image'
	not_unloaded 'so that kexec has one'
	host idle guest stop --force vm1
	begin vm1; : >"$tmp/image"
	JOBS=$queued host idle guest down vm1; is 0 '^vm1 +saved' '' 'down saves the guest for it'
	rm "$tmp/image"
	host idle guest resume vm1
	host idle guest stop --force vm1
	begin vm1 '-fake powers-down'
	JOBS=$queued host idle guest down vm1; is 0 '^vm1 +stopped' 'no kernel is loaded, and the host would reboot through its firmware' 'without an image down powers the guest down'
	begin vm1
	printf '#!/bin/sh\n' >"$tmp/kexec"; chmod +x "$tmp/kexec"
	PKRAM_KEXEC=$tmp/kexec JOBS=$queued host idle guest down vm1; is 0 '^vm1 +saved' '' 'with kexec(8), which may load one, it saves it'
	unset PKRAM_FAKE_IMAGE_FILE
	end_all
}

# A reboot or a power-off after the saves
rebooted()
{
	begin vm1 '-fake powers-down'
	# shellcheck disable=SC2016
	echo 'case $* in *kexec.target) echo "'"$rebooting"'" >'"$tmp/jobs"'; exit 1 ;; esac' >"$tmp/start"
	host empty update $k --no-unit;		is 1 '^ +vm1 +saved' 'this host goes down, and not by a kexec' 'a reboot in between cancels the update'
	also 'update cancelled: the host goes down' err 'it says so'
	also '^vm1 system_powerdown' qemu.log 'the guest is resumed, and powered down'
	! grep -q 'start pkram-guest' "$tmp/log"; report $? 'its unit, which could not be started, is left alone'
	rm "$tmp/jobs" "$tmp/start"
	shows vm1 stopped 'it is stopped'
	end_all
}

ended() { ! kill -0 "$1" 2>/dev/null; }

# What systemctl says of a unit is not what becomes of the guest
resumed()
{
	local pids
	cp "$tmp/bin/fake" "$tmp/bin/fake3"
	begin vm1; begin vm2; qemu=$tmp/bin/fake3 begin vm3
	cat >"$tmp/start" <<-END
	case \$* in
	*kexec.target) exit 1 ;;
	*@vm1.service) "$O/pkramctl" guest up vm1 >/dev/null; exit 1 ;;
	*@vm3.service) rm $tmp/bin/fake3 ;;
	esac
	END
	host empty update $k --no-unit;	is 1 '^ +vm1 +saved' 'the guests were resumed, except those named above' 'an update whose guests cannot all be resumed says so'
	shows vm1 running 'a guest runs that its unit resumed, whatever systemctl said'
	[ "$(grep -c '^vm1 migrate-incoming' "$tmp/qemu.log")" = 1 ]; report $? 'it was resumed once'
	shows vm2 running 'one is resumed that its unit did not resume, whatever systemctl said'
	shows vm3 saved 'one that cannot be resumed stays saved'
	pids=$(cat "$tmp"/run/vm[12]/pid | wc -l)
	[ "$pids" = 2 ]; report $? 'each has one QEMU'
	end_all

	# A unit tries for ever
	begin vm1; begin vm2
	cat >"$tmp/start" <<-END
	case \$* in
	*kexec.target) exit 1 ;;
	*@vm1.service) sleep 600 & echo \$! >$tmp/endless; wait ;;
	esac
	END
	PKRAM_FAKE_SPEED=10 host empty update $k --no-unit & pids=$!
	wait_for [ -s "$tmp/endless" ]
	wait_for ended "$pids"
	also 'vm1: its unit still tries to resume it' err 'a unit that tries for ever is told'
	grep -q '^vm2 migrate-incoming' "$tmp/qemu.log"; report $? 'and keeps no other guest stopped'
	kill "$(cat "$tmp/endless")"; wait "$pids"
	shows vm1 saved 'its guest is left to it'
	shows vm2 running 'the other one runs'
	end_all
}

# Another program unloads the image, or changes the pool
images()
{
	local pid
	export PKRAM_FAKE_IMAGE_FILE=$tmp/image
	begin vm1 '-fake slow'
	host empty update $k --no-unit & pid=$!
	wait_for grep -qs left "$tmp/err"
	cp "$tmp/err" "$tmp/kept"
	host empty kexec --unload;	is 1 '' "another update is under way: process" 'kexec --unload refuses to unload the image of an update'
	host empty kexec $k --load-only; is 1 '' "another update is under way: process" 'kexec --load-only refuses to replace it'
	host empty kexec $k --dry-run;	is 0 'kernel' 'the pool has no region' '--dry-run changes nothing, and is not refused'
	host empty pool grow 1G;	is 1 '' 'an update, or a load of its kernel, is under way' 'pool grow says that an update is under way'
	host empty pool shrink 1G;	is 1 '' 'is under way' 'so does pool shrink'
	[ -e "$tmp/image" ]; report $? 'the image is still loaded'
	pkill -TERM -P "$pid"; wait "$pid"
	host idle guest stop --force vm1
	# By other means
	begin vm1
	host empty guest stop --force vm1
	FAKE_QEMU_UNLOADS=$tmp/image host idle guest start vm1
	host empty update $k --no-unit;		is 1 '' 'no image is loaded any more (/sys/kernel/kexec_loaded): another program unloaded it' 'an update looks at the image again before it boots'
	also 'update cancelled; the guests were resumed' err 'and is cancelled without one'
	not_booted 'it boots nothing'
	shows vm1 running 'the guest runs'
	unset PKRAM_FAKE_IMAGE_FILE
	end_all
}

# Locks and PIDs of a unit that stops late
late_units()
{
	local pid
	begin vm1; pid=$(pid_of vm1)
	host idle guest save vm1; host idle guest resume --as-defined vm1
	: >"$tmp/qemu.log"
	host idle guest down vm1 --main-pid=; is 0 '' '' 'down of a unit whose QEMU has ended does nothing'
	host idle guest down vm1 "--main-pid=$pid"; is 0 '^vm1 +running' '' "down leaves a QEMU alone that is not its unit's"
	! grep -q system_powerdown "$tmp/qemu.log"; report $? 'it was not asked to power down'
	host idle guest stop --force vm1
	begin vm1 '-fake powers-down'
	host idle guest down vm1 "--main-pid=$(pid_of vm1)"; is 0 '^vm1 +stopped' '' "down powers the unit's QEMU down"
	begin vm1 '-fake powers-down'
	# The lock is another one's, who needs the only connection to QEMU
	flock "$tmp/run/vm1" sleep 600 & pid=$!
	wait_for bash -c "! flock -n '$tmp/run/vm1' true"
	host idle guest down vm1 &
	wait_for grep -q 'vm1 query-status' "$tmp/qemu.log"
	timeout 20 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
sys.exit(not s.recv(1))' "$tmp/run/vm1/qmp"; report $? 'down keeps no connection while it waits for the lock'
	pkill -P "$pid"; wait
	shows vm1 stopped 'then it powers the guest down'
	end_all
}

# What is not known is not "no"
unknown()
{
	begin vm1
	mkdir -p "$tmp/run/.update"; echo kept >"$tmp/run/.update/err"
	export INACTIVE=
	host empty update $k;		is 1 '' 'or systemd does not answer' 'an update is refused if systemd does not say whether one runs'
	[ "$(cat "$tmp/run/.update/err")" = kept ]; report $? 'the output of that one is kept'
	host idle guest restart vm1;	is 1 '' 'its unit runs it' 'restart is refused if systemd does not say whether a unit runs the guest'
	unset INACTIVE
	sealed vm2
	host absent guest up vm2;	is 1 '' 'the module does not say whether regions of the pool are missing' 'a unit starts no guest afresh if the module does not answer'
	host idle guest up vm2;		is 0 '^vm2 +running' '' 'it does if it answers'
	# Not yet known to systemd, or about to be
	flock "$tmp/run/.update" sleep 600 & pid=$!
	wait_for bash -c "! flock -n '$tmp/run/.update' true"
	host empty update $k;		is 1 '' 'another update is being started' 'of two updates that begin at the same time one is refused'
	[ "$(cat "$tmp/run/.update/err")" = kept ]; report $? 'and leaves the files of the other alone'
	pkill -P "$pid"; wait "$pid"
	end_all
}

# Disks that are not those of the definition
disks()
{
	local d=$ram/disk
	truncate -s 1M "$d".{a,b}
	unset PKRAM_FAKE_SYSTEMD
	begin vm1 "-drive id=d0,file=$d.a -fake powers-down"
	tell vm1 blockdev-snapshot-sync "{\"device\": \"d0\", \"snapshot-file\": \"$d.b\"}"
	host idle guest restart vm1;	is 1 '' "its disk d0 is in $d.b, which its definition does not name, and a start opens an older one" 'restart refuses a guest whose disk was moved'
	shows vm1 running 'it runs on'
	host idle guest restart --all;	is 1 '' "its disk d0 is in $d.b" 'restart --all names it, too'
	sed -i "s|$d.a|$d.b|" "$tmp/guests/vm1.conf"
	host idle guest restart vm1;	is 0 '^vm1 +running' '' 'with the file in its definition it is restarted'
	tell vm1 blockdev-snapshot-sync "{\"device\": \"d0\", \"snapshot-file\": \"$d.a\"}"
	host idle guest restart vm1 --force; is 0 '^vm1 +running' '' '--force restarts it on what the definition names'
	tell vm1 blockdev-snapshot-sync "{\"device\": \"d0\", \"snapshot-file\": \"$d.a\"}"
	host idle guest stop vm1;	is 0 '^vm1 +stopped' "warning: vm1: its disk d0 is in $d.a" 'stop says what the next start would open'
	# Of all
	begin vm1
	kill -STOP "$(pid_of vm1)"
	host idle guest restart --all --force; is 1 '' 'vm1: QEMU does not answer' 'restart --all names a guest that does not answer'
	kill -CONT "$(pid_of vm1)"
	export PKRAM_FAKE_SYSTEMD=1
	end_all
}

# Names and output of others do not control the terminal
terminals()
{
	local esc=$'\e'
	host idle kexec --kernel "/none/${esc}[31mred"$'\npkramctl: forged'; is 1 '' '/none/\033[31mred' 'a message escapes what controls a terminal'
	! grep -q '^pkramctl: forged' "$tmp/err"; report $? 'a line in it does not look like a message'
	sealed vm1
	mkdir -p "$tmp/log.d"; printf '%s[2Jred\r\nnext\n' "$esc" >"$tmp/log.d/vm1.log"
	host idle guest log vm1;	is 0 "$esc" '' 'log writes what there is to a file'
	PKRAM_GUESTS_DIR=$tmp/guests PKRAM_RUN_DIR=$tmp/run PKRAM_LOG_DIR=$tmp/log.d \
		python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$O/pkramctl" guest log vm1 >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	grep -qF '\033[2Jred' "$tmp/out" && ! grep -q "$esc" "$tmp/out"; report $? 'and escapes it on a terminal'
	end_all
}

# A host that boots another kernel now starts none
starts()
{
	begin vm1; : >"$tmp/jobs"
	host idle guest save vm1
	PKRAM_FAKE_IMAGE=1; export PKRAM_FAKE_IMAGE
	local verb
	for verb in start resume up restart; do
		JOBS=$queued host idle guest $verb vm1; is 1 '' 'this host boots another kernel now' "$verb refuses a host that boots another kernel"
	done
	shows vm1 saved 'the guest stays saved'
	unset PKRAM_FAKE_IMAGE
	host idle guest resume vm1;	is 0 '^vm1 +running' 'vm1: its QEMU is not in its unit, which is enabled' 'otherwise it is resumed, with a warning, as its unit should do that'

	# An update has the locks of all until its job is queued
	local pid holder
	host idle guest save vm1
	: >"$tmp/log"
	flock "$tmp/run/vm1" sleep 600 & holder=$!
	wait_for bash -c "! flock -n '$tmp/run/vm1' true"
	export PKRAM_FAKE_IMAGE=1
	host idle guest resume vm1 & pid=$!
	wait_for grep -q list-jobs "$tmp/log"
	echo "$queued" >"$tmp/jobs"
	pkill -P "$holder"; wait "$holder" "$pid"
	also 'vm1: this host boots another kernel now' err 'resume asks again when it has the lock'
	shows vm1 saved 'the guest stays saved'
	: >"$tmp/jobs"; : >"$tmp/err"
	echo 'Device or resource busy' >"$tmp/busy"
	FAKE_QEMU_WORDS=busy FAKE_QEMU_BUSY=$tmp/busy host idle guest up vm1 & pid=$!
	wait_for grep -qs 'tried again' "$tmp/err"
	echo "$queued" >"$tmp/jobs"
	rm "$tmp/busy"
	wait "$pid"
	also 'vm1: this host boots another kernel now' err 'up asks before each attempt'
	shows vm1 saved 'the guest stays saved then'
	unset PKRAM_FAKE_IMAGE
	end_all
}

next_kernel
export PKRAM_FAKE_SYSTEMD=1 DISABLED=0
{
late_jobs
overtaken
rebooted
resumed
images
late_units
unknown
starts
disks
terminals
}
tap_finish
