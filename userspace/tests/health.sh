#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of pkramctl health and status with the fake kernel and a QEMU without a guest.
# usage: health.sh BUILD-DIRECTORY
set -u
. "$(dirname "$0")/guests_lib.sh"

prom=$tmp/pkram.prom
metric() { grep -qxF -- "$1" "$prom"; report $? "the file has $1"; }

mkdir -p "$tmp/boot"
echo SIZE=4G >"$tmp/pool.conf"
for v in 6.99.1-test 6.99.10-test; do
	make_image $v "$tmp/boot/vmlinuz-$v"
	make_module "$tmp/modules" $v pkram_format=1
done

# A host with nothing wrong
host 'idle whole' health;		is 0 '^health +OK: no guests are defined' '' 'health without guests is OK'
also '^ *kernel +ok +6.99.10-test has the module' out 'it looks at each kernel'
define vm1; define vm2
host idle guest start --all
host 'idle whole' health;		is 0 '^health +OK: 2 of 2 guests run, and can be saved' '' 'health is OK when all guests can be saved'
host 'idle whole' -j health;		json 'd["healthy"] and d["verdict"].startswith("OK") and any(c["check"] == "guest" and c["text"] == "vm1: running" for c in d["checks"])' 'health -j prints the same'
host 'idle whole' health --textfile "$prom"; is 0 'OK' '' 'health --textfile succeeds'
metric 'pkram_up 1'; metric 'pkram_problems 0'; metric 'pkram_pool_size_bytes 6442450944'
metric 'pkram_guest_savable{guest="vm1"} 1'; metric 'pkram_module_available{kernel="6.99.1-test"} 1'
# Each line is what the collector accepts: a comment, or a sample with a number; each metric once
! grep -qvE '^(# (HELP|TYPE) pkram_[a-z_]+ .*|pkram_[a-z_]+(\{[a-z]+="[^"\\]*"\})? [0-9]+)$' "$prom"
report $? 'the file has comments and samples only'
[ -z "$(grep '^# TYPE' "$prom" | sort | uniq -d)" ]; report $? 'no metric is described twice'
[ "$(stat -c %a "$prom")" = 644 ]; report $? 'the collector can read it'
host 'idle whole' health --textfile "$tmp/none/x.prom"; is 1 'OK' 'none/x.prom' 'a file that cannot be written is a failure'

# The same in the status, first
truncate -s 16M "$ram/ram-vm1"
host 'idle whole' status;		is 0 '^health +OK: 2 of 2 guests run$' '' 'status begins with a verdict'
[ "$(head -n 1 "$tmp/out" | cut -d' ' -f1)" = health ]; report $? 'it is the first line'
also '^  vm1 +running +16 MiB' out 'status lists the guests with their RAM'
also "^  pool mounted on +$tmp/pool\$" out 'and the mount'
host 'idle whole' -j status;		json 'd["healthy"] and d["attention"] == [] and d["host"]["ram"] > 0 and [g["state"] for g in d["guests"]] == ["running"] * 2' 'status -j has the same'
host 'idle whole secret' status;		is 0 '^health +OK, as far as this user may see it' '' 'status does not say more than its user may see'
host 'idle whole missing' status;	is 0 'pool +critical +1 of its regions is missing: pkramctl pool adopt' '' 'status says what to do'
also '^health +ATTENTION: 1 problem$' out 'and that in the verdict'

# Each of these needs attention
attention() { is 1 "$1" '' "$2"; also '^health +ATTENTION' out 'and the verdict says so'; }
host idle health;			attention '^ *objects +warning +1 is quarantined' 'a quarantined object needs attention'
host 'idle whole damaged' health;	attention 'region +warning +0x11000000000 is quarantined: no valid label' 'a quarantined region needs attention'
host 'idle whole missing' health;	attention 'pool +critical +1 of its regions is missing' 'a missing region needs attention'
host 'idle whole nomode' health;	attention 'handover +critical' 'a pool without a handover needs attention'
host 'absent' health;			attention 'module +critical' 'a module that does not answer needs attention'
PKRAM_FAKE_UNMOUNTED=1 host 'idle whole' health; attention 'mount +critical +pkramfs is not mounted' 'a missing mount needs attention'
: >"$tmp/pool.conf"
host 'idle whole' health;		attention 'pool.conf +warning .*after a reboot there is no pool' 'a pool that a reboot loses needs attention'
for size in '' x 4 4M 4G8; do
	echo "SIZE=$size" >"$tmp/pool.conf"
	host 'idle whole' health;	attention 'pool.conf +warning .*no SIZE= in whole GiB' "SIZE=$size is no size"
done
echo SIZE=4G >"$tmp/pool.conf"
rm -r "$tmp/modules/6.99.10-test"
host 'idle whole' health --textfile "$prom"; attention 'kernel +warning +6.99.10-test has no module' 'a kernel for which DKMS failed needs attention'
metric 'pkram_module_available{kernel="6.99.10-test"} 0'; metric 'pkram_problems 1'
make_module "$tmp/modules" 6.99.10-test pkram_format=7
host 'idle whole' health;		attention '6.99.10-test has no module that can use the pool' 'a module of another format needs attention'
make_module "$tmp/modules" 6.99.10-test pkram_format=1
host idle guest stop --force vm1
define vm1 -snapshot; host idle guest start vm1
host 'idle whole' health --textfile "$prom"; attention 'guest +warning +vm1: running, but cannot be saved: .*-snapshot' 'a guest that cannot be saved needs attention'
metric 'pkram_guest_savable{guest="vm1"} 0'; metric 'pkram_guest_savable{guest="vm2"} 1'
host idle guest stop --force vm1; define vm1
host idle guest start vm1; host idle guest save vm1
host 'idle whole' health;		attention 'vm1: is saved and does not run: pkramctl guest resume vm1' 'a guest that stays saved needs attention'
host idle guest resume vm1
echo nonsense >"$tmp/guests/bad.conf"
host 'idle whole' health
[ "$rc" = 1 ] && grep -q 'definition  *warning' "$tmp/out"; report $? 'a broken definition needs attention'
rm "$tmp/guests/bad.conf"

# What systemd and the last boot have to tell, also in the status
export PKRAM_FAKE_SYSTEMD=1
host 'idle whole' health;		is 0 '^health +OK' '' 'units that did not fail need no attention'
FAILED=pkram-guest@vm1.service host 'idle whole' health; attention 'unit +warning +pkram-guest@vm1.service failed: systemctl status pkram-guest@vm1.service has the reason, systemctl start' 'a unit that failed needs attention'
FAILED=pkram-guest@vm1.service host 'idle whole' status; is 0 '^health +ATTENTION: 1 problem' '' 'the status is not OK with it'
unset PKRAM_FAKE_SYSTEMD
mkdir -p "$tmp/notes"; printf '%s\n' '2026-11-30 12:00' vm1 db >"$tmp/notes/lost"
host 'idle whole' health --textfile "$prom"; attention "lost +critical +vm1, db: were saved, and lost by the reboot of 2026-11-30 12:00: .*rm $tmp/notes/lost when" 'guests that a reboot lost need attention'
metric 'pkram_guests_lost 2'
host 'idle whole' status;		is 0 '^health +ATTENTION: 1 problem' '' 'the status is not OK then'
rm "$tmp/notes/lost"

# Another pkramctl works on a guest
flock "$tmp/run/vm1" sh -c 'touch "$0"; while [ -e "$0" ]; do sleep 0.1; done' "$tmp/locked" &
wait_for [ -e "$tmp/locked" ]
host 'idle whole' health --textfile "$prom"; is 0 '^health +OK: 2 of 2 guests run, and those that no other pkramctl works on can be saved' '' 'health does not say that a guest can be saved that is locked'
also 'vm1: running; another pkramctl works on it, so whether it can be saved was not looked at' out 'it says why'
! grep -q 'savable{guest="vm1"}' "$prom"; report $? 'the file has no sample for it'
metric 'pkram_guest_savable{guest="vm2"} 1'
rm "$tmp/locked"; wait

# A kernel that is older than this one needs no module; check has the rows, too
make_image 2.6.32-test "$tmp/boot/vmlinuz-2.6.32-test"
host 'idle whole' health;		is 0 'kernel +ok +2.6.32-test has no module that can use the pool; it is older than' '' 'an old kernel without a module is not a problem'
host 'empty' check;			is 0 '^kernel +ok +6.99.10-test has the module' '' 'check without a kernel looks at all that are installed'
mv "$tmp/modules/6.99.10-test" "$tmp/away"
host 'empty' check;			is 0 '^kernel +warning +6.99.10-test has no module .*make.log' '' 'it sees that DKMS failed for one'
host 'empty' check --kernel "$tmp/boot/vmlinuz-6.99.1-test" --no-initrd --command-line x; ! grep -qE 'has (the|no) module' "$tmp/out"; report $? 'with a kernel only that is looked at'
mv "$tmp/away" "$tmp/modules/6.99.10-test"; rm "$tmp/boot/vmlinuz-2.6.32-test"

# It keeps nobody from saving a guest: here it waits for a QEMU, and has the lock
kill -STOP "$(cat "$tmp/run/vm1/pid")"
host 'idle whole' health & pid=$!
wait_for bash -c "! flock -n '$tmp/run/vm1' true"
(sleep 1; kill -CONT "$(cat "$tmp/run/vm1/pid")") &
ctl guest save vm1;			is 0 '^vm1 +saved' '' 'a guest is saved while health looks at it'
wait "$pid"
host '' health now;			is 2 '' 'unexpected argument' 'health takes no argument'
end_all
tap_finish
