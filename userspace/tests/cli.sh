#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of the tool as people use it, against the fake kernel (fake.so).
# usage: cli.sh BUILD-DIRECTORY
set -u
O=$(realpath "$1")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C.UTF-8
. "$(dirname "$0")/cli_lib.sh"

# ctl WORDS ARGS...: run with PKRAM_FAKE=WORDS; leaves $rc, $tmp/out, $tmp/err
ctl()
{
	local words=$1
	shift
	: >"$tmp/log"
	PKRAM_FAKE=$words PKRAM_FAKE_LOG=$tmp/log LD_PRELOAD=$O/tests/fake.so \
		PKRAM_FAKE_POOL=$tmp/pool PKRAM_BOOT_DIR=$tmp/boot \
		PKRAM_MODULES_DIR=$tmp/modules PATH=$tmp/bin:$PATH "$O/pkramctl" "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	keep_json "$@"
}

evidence() { echo "log:"; cat "$tmp/log"; }

logged() { grep -qF -- "$1" "$tmp/log"; report $? "$2"; }
not_logged() { ! grep -qF -- "$1" "$tmp/log"; report $? "$2"; }

# Words
ctl '' ;				is 2 '' 'no command given' 'nothing to do is wrong usage'
ctl '' --help;				is 0 'handover' '' '--help is help'
ctl '' help pool;			is 0 'pool grow SIZE' '' 'help pool'
ctl '' pool --help;			is 0 'pool grow SIZE' '' 'pool --help'
ctl '' pool grow -h;			is 0 'pool grow SIZE' '' 'pool grow -h'
ctl '' kexec --help;			is 0 '--reuse-cmdline' '' 'kexec --help'
ctl '' version;				is 0 'libpkram' '' 'version'
ctl '' -V;				is 0 'libpkram' '' '-V'
ctl '' -j help;				json 'd["objects"][0]["name"] == "status"' 'help as JSON'
ctl '' help -j;				json 'd["objects"][0]["verbs"]' 'the other way, too'
ctl '' -j version;			json 'd["interface"] == 1' 'version as JSON'
ctl '' poll;				is 2 '' 'unknown object or command "poll"; use one of: pool, ' 'an unknown object is wrong usage'
ctl '' pool gorw;			is 2 '' 'pool: unknown verb "gorw"; use one of: grow, show, adopt, shrink' 'an unknown verb is wrong usage'
ctl '' -x;				is 2 '' 'unknown option "-x"' 'an unknown option is wrong usage'
ctl '' pool show -x;			is 2 '' 'unknown option "-x"' 'behind the verb too'
ctl '' pool show now;			is 2 '' 'unexpected argument "now"' 'too many words are wrong usage'
ctl '' pool grow;			is 2 '' 'no size given' 'grow needs a size'
ctl '' pool grow 1.5G;			is 2 '' 'whole GiB' 'grow needs whole GiB'
ctl '' pool grow 4G node 1;		is 2 '' 'unexpected argument "node"' 'grow: a node is an option'
ctl '' pool grow 4G --nude 1;		is 2 '' 'unknown option "--nude"' 'grow: --nude is no option'
ctl '' pool grow 4G --format;		is 2 '' 'unknown option "--format"' 'grow: an option of another verb'
ctl '' pool grow 4G --node;		is 2 '' 'option "--node" needs a value' 'grow: a node has a number'
ctl '' pool grow 4G --node=;		is 2 '' 'option "--node" needs a value' 'grow: an empty number'
ctl '' pool grow 4G --node 4G;		is 2 '' '"4G" is not a number' 'grow: a node is a plain number'
ctl '' pool grow --node=1;		is 2 '' 'no size given' 'grow: a node is no size'
ctl '' pool adopt 4G;			is 2 '' 'BASE+SIZE' 'adopt needs a range'
ctl '' pool adopt;			is 2 '' 'no memory given' 'adopt needs memory'
ctl '' pool adopt 4G+4G format;		is 2 '' 'unexpected argument "format"' 'adopt: format is an option'
ctl '' pool shrink;			is 2 '' 'no size and no --region given' 'shrink needs to know how much'
ctl '' pool shrink --region;		is 2 '' 'option "--region" needs a value' 'shrink --region needs a range'
ctl '' pool shrink 1G --region 4G+4G;	is 2 '' 'unexpected argument "1G"' 'shrink takes one of the two'
ctl '' object unseal;			is 2 '' 'no object given' 'unseal needs a file'
ctl '' object unseal /dev/null;		is 1 '' '/dev/null: not a file of pkramfs' 'unseal wants a file of pkramfs'
ctl '' object unseal /no/such;		is 1 '' '/no/such: No such file' 'unseal names the file'
ctl '' object unseal a b;		is 2 '' 'unexpected argument "b"' 'unseal takes one file'
ctl '' object unseal no-such;		is 1 '' '/dev/pkram/no-such: No such file' 'a name is one in /dev/pkram'
ctl '' object discard;			is 2 '' 'no object given' 'discard needs an object'
ctl '' object discard vm1;		is 2 '' '"vm1" is not a KEY; use the one that object show prints, or object unseal' 'discard takes a KEY'

# Objects as files
mkdir -p "$tmp/pool/.pkram"
p=$tmp/pool/db
uuid=5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a1
ctl '' object create;			is 2 '' 'no object given' 'create needs a name'
ctl '' object create "$p";		is 2 '' 'no size given' 'create needs a size'
ctl '' object create "$p" big;		is 2 '' '"big" is not a size' 'which is one'
ctl '' object create "$p" 4GB;		is 2 '' 'not GB' 'in units that all agree on'
ctl '' object create "$p" 4M node 1;	is 2 '' 'unexpected argument "node"' 'create: a node is an option'
ctl '' object create "$p" 4M --node;	is 2 '' 'option "--node" needs a value' 'create: a node has a number'
ctl '' object create "$p" 4M --node=x;	is 2 '' '"x" is not a number' 'create: a node is a number'
ctl '' object create "$p" 4M --mode 0999; is 2 '' 'not a mode' 'create: a mode is octal'
ctl '' object create "$tmp/db" 4M;	is 1 '' 'not a file of pkramfs' 'create wants pkramfs'
[ ! -e "$tmp/db" ]; report $? 'and leaves nothing elsewhere'
ctl '' object create "$p" 4M --node 2;	is 1 '' 'No space left on device in the pool or on the node' 'a node without memory'
[ ! -e "$p" ]; report $? 'leaves nothing'
ctl '' object create --node=1 "$p" 4M --mode 0640; is 0 'size             4 MiB' '' 'create'
[ "$(stat -c '%s %a' "$p")" = '4194304 640' ]; report $? 'makes the file'
logged 'alloc 4194304 node=1 flags=1' 'of that node alone'
ctl '' -j object create "$p.2" 8M;	json 'd["state"] == "idle" and d["mode"] == "0600"' 'as JSON'
ctl '' object create "$p" 4M;		is 1 '' 'db: File exists' 'create does not replace'
ctl '' object show "$p";		is 0 'state            idle' '' 'object show of one'
ctl '' -j object show "$p";		json 'd["size"] == 4 << 20 and d["mode"] == "0640" and d["labels"] == [] and d["leaves_2m"] == 7 and "vm_uuid" not in d' 'as JSON'
ctl '' object show 0xffffffff00000005 -j; json 'len(d) == 1' 'object show of a KEY as JSON'
ctl '' object show 0xffffffff00000005;	is 0 'extent 3 overlaps' '' 'object show of a KEY'
[ "$(wc -l <"$tmp/out")" = 2 ]; report $? 'shows that alone'
ctl '' object show 0x1;			is 1 '' 'no object with the key 0x1' 'a KEY that is none'
ctl '' object show /dev/null;		is 1 '' 'not a file of pkramfs' 'show wants a file of pkramfs'
ctl '' object label "$p" os=debian 'why=a = b'; is 0 'why   a = b' '' 'labels are set'
ctl '' object label "$p" --remove why;	is 0 'os    debian' '' 'and removed'
! grep -q why "$tmp/out"; report $? 'for good'
ctl '' object label "$p" --remove why;	is 1 '' 'label why: no such label' 'a label is removed once'
ctl '' object label "$p" os;		is 2 '' '"os" is not NAME=VALUE' 'a label has a value'
ctl '' object label "$p" --remove;	is 2 '' 'option "--remove" needs a value' 'label --remove needs a name'
ctl '' object label "$p" -j;		json 'd["labels"] == [{"name": "os", "value": "debian"}]' 'labels as JSON'
ctl '' object seal "$p" --uuid 1;	is 2 '' 'uuidgen' 'seal: a UUID that is none'
ctl '' object seal "$p" --cookie 00000000-0000-0000-0000-000000000000; is 2 '' 'a cookie of zeroes' 'seal: a cookie is not zero'
ctl '' object seal "$p" uuid $uuid;	is 2 '' 'unexpected argument "uuid"' 'seal: a UUID is an option'
ctl '' -j object seal "$p" --uuid $uuid;	json 'd["state"] == "sealed" and d["vm_uuid"] == "'$uuid'" and len(d["cookie"]) == 36 and d["generation"] == 1' 'seal'
ctl '' object seal "$p";		is 1 '' 'db: sealed, because it has a saved guest; pkramctl object unseal' 'an object is sealed once'
ctl '' object remove "$p";		is 1 '' 'db: sealed' 'a sealed object is not removed'
ctl '' object unseal "$p";		is 0 'unsealed' '' 'unseal'
ctl '' object unseal "$p";		is 1 '' 'has no saved guest' 'a seal is given up once'
ctl '' object seal "$p.2"
ctl '' object unseal -j "$p.2";		json 'd["unsealed"].endswith("db.2")' 'unseal as JSON'
ctl '' object seal --cookie=$uuid "$p";	is 0 "cookie           $uuid" '' 'seal with a cookie'
ctl '' object unseal "$p"
ctl '' object remove "$p" "$tmp/pool/none" -j; json 'd == [{"removed": "'"$p"'"}]' 'remove'
[ "$rc" = 3 ]; report $? 'of one of two is status 3'
[ ! -e "$p" ]; report $? 'removes the file'
ctl '' object remove;			is 2 '' 'no object given' 'remove needs a name'

# DMA tables
ctl '' dma-table show;			is 0 '0x201  suspended    no             3  64055:0  vm2' '' 'dma-table show'
ctl '' dma-table list;			is 0 'a mapping is not possible' '' 'dma-table list is the same'
ctl '' dma-table;			is 0 'a mapping is not possible' '' 'dma-table alone shows all'
ctl '' -j dma-table show;		json 'len(d) == 3 and d[0]["in_use"] and d[0]["state"] == "running" and d[1]["mappings"] == 3 and d[2]["quarantine"]' 'dma-table show as JSON'
ctl '' dma-table show vm2;		is 0 '0x40000000  1 GiB  w            2  0x1000  /vm2' '' 'a DMA table by its name'
ctl '' -j dma-table show 0x201;		json 'd["name"] == "vm2" and [e["access"] for e in d["entries"]] == ["r", "w", "rw"] and "name" not in d["entries"][2]' 'a DMA table by its KEY, as JSON'
ctl '' dma-table show vm3;		is 1 '' 'vm3: no such DMA table' 'a DMA table that is not there'
ctl '' dma-table remove;		is 2 '' 'no DMA table given' 'remove needs a DMA table'
ctl '' dma-table discard;		is 2 '' 'no DMA table given' 'discard needs a DMA table'
ctl '' -j dma-table remove vm2;		json 'd["removed"] == "0x201"' 'dma-table remove'
ctl '' dma-table remove vm1;		is 1 '' 'vm1: the DMA table is in use' 'remove of one that is in use'
ctl '' dma-table remove 0x202;		is 1 '' '0x202: the DMA table is quarantined' 'remove of a quarantined one'
ctl '' dma-table discard 0x202;		is 0 'discarded        0x202' '' 'dma-table discard'
ctl '' -j dma-table discard 0x202;	json 'd["discarded"] == "0x202"' 'dma-table discard as JSON'
ctl '' dma-table discard vm2;		is 1 '' 'not quarantined' 'discard of one that is not quarantined'
ctl secret dma-table show;		is 1 '' 'this needs root' 'dma-table show needs root'

# Errors
ctl absent pool show;			is 1 '' 'pkram module is not loaded: modprobe pkram' 'without the module'
export PKRAM_FAKE_MODULE=1
ctl absent pool show;			is 1 '' 'is loaded, but has no netlink family' 'without the family'
unset PKRAM_FAKE_MODULE
ctl old status;				is 1 '' 'older than this program' 'an old module'
ctl unprivileged pool grow 4G;		is 1 '' 'needs root' 'without privilege'
ctl malformed pool show;		is 1 '' 'malformed attribute' 'a malformed answer'

# Showing
ctl '' pool show;			is 0 'size             6 GiB' '' 'pool show'
ctl '' pool;				is 0 'a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf' '' 'pool alone shows'
ctl remark pool show;			is 0 'free             3.5 GiB' 'warning: the pool is nearly full' 'a remark of the kernel is passed on'
ctl '' -j pool show;			json 'd["size"] == 6 << 30 and d["read_only"] is False and d["regions"] == 2' 'pool show as JSON'
ctl '' pool show -j;			json 'd["free"] == 7 << 29' 'the option may come last'
ctl '' -jp pool show
lines=$(wc -l <"$tmp/out");		[ "$lines" -gt 5 ]; report $? 'pretty JSON has lines'
ctl '' region show;			is 0 '0x10200000000  2 GiB    2 GiB     1   0   2  read-only' '' 'region show'
ctl '' -j region show;			json 'len(d) == 2 and d[1]["base"] == 0x10200000000 and d[1]["read_only"] and "meta" not in d[0]' 'region show as JSON'
ctl '' region show 0x10200000000;	is 0 '0x10200000000' '' 'a region by its address'
[ "$(wc -l <"$tmp/out")" = 2 ]; report $? 'alone'
ctl '' -j region show;			second=$(sed 's/.*"uuid":"\([^"]*\)".*/\1/' "$tmp/out")
ctl '' -j region show "$second";	json 'len(d) == 1 and d[0]["base"] == 0x10200000000' 'or by its UUID'
ctl '' region show 0x1;			is 1 '' 'no region that begins at 0x1' 'one that is not there'
ctl '' region show first;		is 1 '' 'no region' 'nor by a name'
ctl damaged region show;		is 0 'no valid label' '' 'an unusable region is shown'
grep -q '0x10000000000  4 GiB  5 GiB' "$tmp/out"; report $? 'a region with a hole shows its span'
ctl damaged -j region show;		json 'd[0]["span_gib"] == 5 and d[2]["quarantine"] == "no valid label" and "uuid" not in d[2]' 'both as JSON'
ctl secret region show;			is 0 '4 GiB' '' 'region show without root has no addresses'
ctl secret status;			is 0 'only root may see them' '' 'status without root shows the rest'
ctl secret object show;			is 1 '' 'this needs root' 'object show needs root'
ctl empty region show;			is 0 '' '' 'no region, nothing shown'
ctl empty -j region show;		json 'd == []' 'no region as JSON'
ctl '' object show;			is 0 'vm1' '' 'object show'
grep -q 'sealed .*4 GiB .*-rw------- .*64055:0 .*vm1' "$tmp/out"; report $? 'a sealed object'
grep -q 'drwxrwxrwt' "$tmp/out";	report $? 'a directory with a sticky bit'
grep -q -- '-rwsr-xr-x' "$tmp/out";	report $? 'a setuid file'
grep -q 'quarantined .*extent 3 overlaps object 0x100000001' "$tmp/out"; report $? 'a quarantined object'
grep -qF 'evil\033[2J\012"\134\377\302\233ä' "$tmp/out"; report $? 'a name cannot steer the terminal'
ctl '' object list;			is 0 'vm1' '' 'list is another name of show'
ctl '' -j object show
json 'd[0]["key"] == "0x100000001" and d[0]["state"] == "sealed" and d[0]["mode"] == "0600"' 'an object as JSON'
json 'd[3]["name"] == "evil\x1b[2J\n\"\\\\377\x9bä"' 'an odd name is valid JSON'
json 'd[4]["quarantine"].startswith("extent 3") and "name" not in d[4]' 'a quarantined object as JSON'
ctl '' object discard 0xffffffff00000005; is 0 '0xffffffff00000005' '' 'discard'
ctl '' object discard 0xffffffff00000005 -j; json 'd["discarded"] == "0xffffffff00000005"' 'as JSON'
ctl '' object discard 0x11;		is 1 '' '0x11: object is not quarantined' 'discard of another is refused'
ctl '' handover show;			is 0 'e820' '' 'handover show'
ctl memmap handover show;		is 0 'pkram.attach=0x' '' 'handover by the command line'
ctl memmap -j handover show;		json 'd["mode"] == "memmap" and d["kexec_guard"] and not d["kexec_loaded"] and "$" in d["cmdline"]' 'handover as JSON'

# Events
ctl '' monitor --count 0;		is 2 '' '"0" is not a number of events' 'monitor: a number of events is not 0'
ctl '' monitor --count;			is 2 '' 'option "--count" needs a value' 'monitor: the number is missing'
ctl '' monitor now;			is 2 '' 'unexpected argument "now"' 'monitor takes no other words'
ctl unprivileged monitor;		is 1 '' 'need root' 'monitor needs root'
ctl eventless monitor;			is 1 '' 'older than this program' 'and a module that has events'
ctl '' monitor --count 19;		is 0 'pool-grow base 0x10000000000 size 2 GiB' '' 'monitor tells of memory'
lines=$(wc -l <"$tmp/out");		[ "$lines" = 19 ]; report $? 'a line for each event'
grep -qxF 'region-quarantine base 0x10000000000 size 2 GiB because: no valid label' "$tmp/out"; report $? 'why a range is unusable'
grep -qxF 'handover mode e820' "$tmp/out";	report $? 'the handover'
grep -qxF 'object-rename /vm1 state claimed size 4 GiB mode -rw------- from /dir/evil\033[2J' "$tmp/out"; report $? 'a rename, which cannot steer the terminal'
grep -q '^object-label /vm1 .* label owner$' "$tmp/out"; report $? 'a label'
grep -q '^object-damage /vm1 .* because: it would do harm$' "$tmp/out"; report $? 'damage'
ctl '' monitor --timestamp --count 1
grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z pool-grow ' "$tmp/out"; report $? 'with the time'
ctl '' -j monitor --timestamp --count 20
python3 -c '
import json, sys
d = [json.loads(l) for l in open(sys.argv[1])]
names = [e["event"] for e in d]
objects = [e for e in d if "object" in e]
sys.exit(not (len(set(names)) == 20 and names[-1] == "unknown" and len(objects) == 13 and
    all(e["object"]["key"] == "0x100000001" and e["object"]["name"] == "/vm1" for e in objects) and
    all("time" in e for e in d) and d[0]["base"] == 1 << 40 and d[0]["size"] == 2 << 30 and
    d[8]["old_name"] == "/dir/evil\33[2J" and d[10]["label"] == "owner"))' "$tmp/out" 2>>"$tmp/err"
report $? 'each event is a JSON object on a line'
ctl lost -j monitor --count 3
python3 -c '
import json, sys
d = [json.loads(l)["event"] for l in open(sys.argv[1])]
sys.exit(d != ["pool-grow", "lost", "pool-adopt"])' "$tmp/out" 2>>"$tmp/err"
report $? 'lost ones are an event, and it goes on'

ctl '' status;				is 0 'quarantined:' '' 'status'
grep -q '^  claimed  *1$' "$tmp/out";	report $? 'status counts objects by state'
ctl '' -j status
json 'd["objects"] == {"total": 5, "idle": 1, "claimed": 1, "sealed": 1, "running": 1, "quarantined": 1} and d["pool"]["size"] and len(d["regions"]) == 2 and len(d["quarantined"]) == 1 and d["handover"]["mode"] == "e820"' 'status as JSON'
ctl empty status;			is 0 'none' '' 'status without a pool'
ctl 'intr stale eintr' status;		is 0 'claimed' '' 'status while all is changing'
ctl '' pool show;			PKRAM_FAKE='' LD_PRELOAD=$O/tests/fake.so "$O/pkramctl" pool show >/dev/full 2>"$tmp/err"; rc=$?
: >"$tmp/out";				is 1 '' 'standard output' 'output that cannot be written is an error'

# Growing and shrinking
ctl '' pool grow 8G;			is 0 'got 8 GiB' '' 'grow'
ctl '' pool grow 8G --node 1;		is 0 'got 8 GiB' '' 'grow on a node'
ctl few pool grow 8G;			is 3 'got 4 of 8 GiB' '' 'fewer than asked is status 3'
[ "$(grep -c 'holds pages that cannot be moved' "$tmp/out")" = 4 ]; report $? 'each refused GiB has its reason'
ctl few -j pool grow 8G;		json 'd["asked_gib"] == 8 and d["got_gib"] == 4 and d["taken"][0]["size"] == 4 << 30 and len(d["refused"]) == 4 and d["refused"][0]["errno"] == 16 and d["offline"] == []' 'grow as JSON'
ctl none pool grow 2G;			is 1 'holds pages' 'no GiB could be taken' 'none is status 1, with the reasons'
ctl '' -j pool adopt 4G+4G;		json 'd["got_gib"] == 4' 'adopt as JSON'
ctl '' -j pool shrink 2G;		json 'd["got_gib"] == 2 and len(d["offline"]) == 1' 'shrink as JSON'
ctl '' pool adopt 4G+4G;		is 0 'got 4 GiB' '' 'adopt'
ctl '' pool adopt 4G+4G --format;		is 0 '0x100000000  4 GiB' '' 'adopt with format'
ctl '' pool shrink 2G;			is 3 'gave back 2 GiB' 'is not online' 'memory that does not come online is status 3'
ctl '' pool shrink --region 1T+2G;	is 3 'no memory block' 'is not online' 'shrink by range'
ctl none pool shrink 2G;		is 1 'holds pages' 'no GiB' 'nothing given back is status 1'

# kexec
mkdir "$tmp/bin"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "systemctl $*" >>%s/log\nexit ${FAKE_RC:-0}\n' "$tmp" >"$tmp/bin/systemctl"
chmod +x "$tmp/bin/systemctl"
make_image 6.99.1-test "$tmp/vmlinuz"
make_module "$tmp/modules" 6.99.1-test pkram_format=1
echo initrd >"$tmp/initrd"
export PKRAM_FAKE_CMDLINE=$'BOOT_IMAGE=/vmlinuz-1 root=/dev/sda1 quiet\n'
k="--kernel $tmp/vmlinuz"
# shellcheck disable=SC2086,SC2016
{
ctl '' kexec;				is 2 '' 'no kernel given' 'kexec needs a kernel'
ctl '' kexec $k --fast;			is 2 '' 'unknown option' 'kexec: an unknown option'
ctl '' kexec $k now;			is 2 '' 'unexpected argument "now"' 'kexec: too many words'
ctl '' kexec $k --command-line a --reuse-cmdline; is 2 '' 'exclude each other' 'kexec: one command line'
ctl '' kexec $k --unload;		is 2 '' 'excludes all other options' 'kexec: --unload takes no other option'
ctl absent kexec --unload;		is 0 'unloaded' '' 'kexec --unload'
logged unload 'unloads'
ctl absent kexec --unload -j;		json 'd["unloaded"] is True' 'as JSON'
ctl absent kexec $k;			is 1 '' 'not loaded' 'kexec without the module'
ctl idle kexec --kernel "$tmp/none";	is 1 '' 'No such file' 'kexec: a kernel that is not there'
ctl idle kexec $k --initrd "$tmp/none";	is 1 '' 'No such file' 'kexec: an initrd that is not there'
ctl '' kexec $k;			is 1 '' 'vm2 is claimed and not sealed' 'kexec is refused while a guest runs'
not_logged load 'and nothing was loaded'
ctl '' kexec $k --dry-run;		is 1 'nothing: it is refused' 'vm2 is claimed' 'a dry run tells that too'
ctl '' kexec $k --dry-run -j;		json 'd["in_use"] == [{"key": "0x100000002", "size": 1 << 30, "name": "/vm2"}] and d["module"].endswith("dkms/pkram.ko") and d["version"] == "6.99.1-test"' 'and all the rest'
ctl '' kexec $k --force;		is 1 'reboot(2)' 'warning: /vm2 is claimed' '--force only warns'
logged 'reboot kexec' 'and goes'
ctl '' kexec $k --load-only;		is 0 'nothing (--load-only)' 'warning: /vm2' '--load-only loads while guests run'
logged 'load initrd=no' 'really'
not_logged reboot 'and does not boot'
ctl idle kexec $k --load-only
logged 'cmdline_len=21 nul=1 flags=4: root=/dev/sda1 quiet' 'this kernel'\''s command line is used again'
ctl idle kexec $k --reuse-cmdline --append 'x y' --load-only
logged ': root=/dev/sda1 quiet x y' 'with words added'
ctl idle kexec $k --initrd "$tmp/initrd" --command-line 'a -- b' --load-only
logged 'load initrd=yes cmdline_len=7 nul=1 flags=0: a -- b' 'or another, with an initrd'
ctl 'idle memmap' kexec $k --command-line 'a -- b' --load-only
logged ': a memmap=4G$0x10000000000 memmap=2G$0x10200000000 pkram.attach=0x10000000000+0x100000000,0x10200000000+0x80000000 -- b' 'and the words that the handover needs'
ctl idle -j kexec $k --dry-run;		json 'd["cmdline"] == "root=/dev/sda1 quiet" and d["dry_run"] and d["then"] == "reboot(2)"' 'a dry run as JSON'
not_logged load 'loads nothing'
ctl idle kexec $k --dry-run -j;		json 'd["dry_run"]' 'the option may come last'
ctl idle kexec $k --command-line "$(printf %02047d 0)" --dry-run; is 0 '00000' 'quarantined' 'a command line of 2047 bytes is taken'
ctl idle kexec $k --command-line "$(printf %02048d 0)" --dry-run; is 1 'refused' '2048 bytes' 'one of 2048 is refused'
ctl idle kexec $k --command-line "$(printf %09000d 0)" --dry-run; is 1 'refused' 'is too long' 'a very long one too'
ctl 'idle nomode' kexec $k;		is 1 '' 'the regions have no handover' 'regions without a handover: refused'
ctl 'idle silent' kexec $k;		is 1 '' 'does not say how' 'a handover that is not told: refused'
ctl 'secret memmap' kexec $k; is 1 '' 'this needs root' 'kexec without root'
ctl empty kexec $k --load-only;		is 0 'none' 'nothing will be preserved' 'an empty pool is only told of'
ctl 'idle moves' kexec $k;		is 1 '' 'changed while' 'a pool that changes meanwhile: refused'
logged unload 'and unloaded'
not_logged reboot 'and not booted'
ctl claimed_late kexec $k;		is 1 '' 'vm2 is claimed' 'a guest that starts meanwhile: refused'
logged unload 'and unloaded too'
export PKRAM_FAKE_KEXEC_ERRNO=16
ctl idle kexec $k;			is 1 '' 'another kexec is under way' 'a load that fails'
not_logged reboot 'is not booted'
export PKRAM_FAKE_KEXEC_ERRNO=1
ctl idle kexec $k;			is 1 '' 'needs root' 'a load without privilege'
unset PKRAM_FAKE_KEXEC_ERRNO
ctl idle kexec $k -j;			json 'd["booting"] and d["then"] == "reboot(2)" and d["in_use"] == []' 'what is booted as JSON'
logged 'reboot kexec' 'without systemd it reboots itself'

# on_terminal ANSWER ARGS...: with somebody there who answers
on_terminal()
{
	PKRAM_FAKE='' PKRAM_FAKE_LOG=$tmp/log PKRAM_MODULES_DIR=$tmp/modules python3 -c '
import os, pty, sys
pid, fd = pty.fork()
if not pid:
    os.environ["LD_PRELOAD"] = sys.argv[2]
    os.execv(sys.argv[3], sys.argv[3:])
text = b""
try:
    while True:
        part = os.read(fd, 4096)
        if not part:
            break
        text += part
        if b"[y/N]" in part:
            os.write(fd, sys.argv[1].encode() + b"\n")
except OSError:
    pass
print(text.decode().replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' \
		"$1" "$O/tests/fake.so" "$O/pkramctl" "${@:2}" >"$tmp/out" 2>"$tmp/err"
	rc=$?
}
: >"$tmp/log"
on_terminal n kexec $k;			is 1 'Boot anyway' '' 'on a terminal it asks'
not_logged load 'and does nothing if the answer is no'
on_terminal y kexec $k
logged 'reboot kexec' 'and goes if it is yes'
on_terminal y kexec $k --dry-run
! grep -q 'Boot anyway' "$tmp/out"; report $? 'a dry run does not ask'

# Which kernel, and is there a module for it?
mkdir -p "$tmp/boot/grub" "$tmp/boot/loader/entries" "$tmp/boot/6.99.3"
make_image 6.99.2-test "$tmp/boot/vmlinuz-6.99.2-test"
echo initrd >"$tmp/boot/initrd.img-6.99.2-test"
v='--kernel 6.99.2-test'
ctl idle kexec --kernel 6.98;		is 1 '' 'there is no kernel 6.98: found neither' 'a version that is not there'
ctl idle kexec $v;			is 1 '' 'there is no pkram module for 6.99.2-test' 'a kernel without modules: refused'
not_logged load 'and nothing was loaded'
make_module "$tmp/modules" 6.99.2-test
echo 'kernel/fs/ext4.ko:' >"$tmp/modules/6.99.2-test/modules.dep"
ctl idle kexec $v;			is 1 '' 'modules.dep: it lists none): build it, and run depmod 6.99.2-test' 'one without our module: refused'
make_module "$tmp/modules" 6.99.2-test
ctl idle kexec $v;			is 1 '' 'does not declare which formats' 'a module that does not tell: refused'
make_module "$tmp/modules" 6.99.2-test 'pkram_format=2 3'
ctl idle kexec $v;			is 1 '' 'does not support format 1, which this pool has' 'a module of other formats: refused'
ctl idle kexec $v --force --load-only;	is 0 'vmlinuz-6.99.2-test' 'warning: ' '--force goes on'
logged 'load initrd=yes' 'with the initrd that belongs to it'
make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
rm "$tmp/modules/6.99.2-test/updates/dkms/pkram.ko"
ctl idle kexec $v;			is 1 '' 'pkram.ko: No such file' 'a module that is gone: refused'
make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
for c in xz zstd; do
	make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
	# zstd keeps what it packs
	$c -q "$tmp/modules/6.99.2-test/updates/dkms/pkram.ko"
	rm -f "$tmp/modules/6.99.2-test/updates/dkms/pkram.ko"
	ko=$(basename "$tmp/modules/6.99.2-test/updates/dkms/"*)
	echo "updates/dkms/$ko:" >"$tmp/modules/6.99.2-test/modules.dep"
	ctl idle kexec $v --dry-run;	is 0 "dkms/$ko" 'quarantined' "a module in $ko"
	rm "$tmp/modules/6.99.2-test/updates/dkms/$ko"
done
make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
echo kernel >"$tmp/junk"
ctl idle kexec --kernel "$tmp/junk";	is 1 '' 'junk does not contain its version' 'an image without a version: refused'
ctl idle kexec --kernel "$tmp/junk" --force --load-only; is 0 'junk' 'warning: ' 'unless with --force'
ctl empty kexec --kernel "$tmp/junk" --load-only; is 0 'junk' 'no region' 'without a pool no module is asked for'
ctl idle -j kexec $v --dry-run;		json 'd["cmdline_from"] == "this kernel" and d["kernel"].endswith("boot/vmlinuz-6.99.2-test") and d["initrd"].endswith("initrd.img-6.99.2-test")' 'a kernel by its version'
cat >"$tmp/boot/grub/grub.cfg" <<'END'
menuentry 'Debian' {
	linux	/boot/vmlinuz-6.99.1-test root=UUID=1 ro other
	linux	/boot/vmlinuz-6.99.2-test root=UUID=1 ro  quiet 
	initrd	/boot/initrd.img-6.99.2-test
	linux	/boot/vmlinuz-6.99.2-test root=UUID=1 ro single
	linux	/boot/vmlinuz-6.99.4-test root=$device ro
}
END
ctl idle -j kexec $v --dry-run;		json 'd["cmdline"] == "root=UUID=1 ro quiet" and d["cmdline_from"].endswith("grub.cfg")' 'with what GRUB gives it'
ctl idle -j kexec $v --dry-run --append x; json 'd["cmdline"] == "root=UUID=1 ro quiet x"' 'and more words'
ctl idle -j kexec $v --dry-run --reuse-cmdline; json 'd["cmdline"] == "root=/dev/sda1 quiet"' 'unless told otherwise'
ctl idle -j kexec $v --dry-run --command-line x; json 'd["cmdline"] == "x" and d["cmdline_from"] == "given"' 'or otherwise'
make_image 6.99.4-test "$tmp/boot/vmlinuz-6.99.4-test"
make_module "$tmp/modules" 6.99.4-test pkram_format=1
ctl idle -j kexec --kernel 6.99.4-test --dry-run; json 'd["cmdline_from"] == "this kernel" and "initrd" not in d' 'what only GRUB can tell is not taken'
make_image 6.99.3 "$tmp/boot/6.99.3/linux"
make_module "$tmp/modules" 6.99.3 pkram_format=1
echo initrd >"$tmp/boot/6.99.3/initrd"
printf 'title x\nversion 6.99.9\nlinux /6.99.9/linux\noptions wrong\n' >"$tmp/boot/loader/entries/a.conf"
printf '# x\ntitle x\nversion\t6.99.3\noptions root=UUID=2 rw\nlinux /6.99.3/linux\ninitrd /6.99.3/initrd\n' \
	>"$tmp/boot/loader/entries/b.conf"
ctl idle -j kexec --kernel 6.99.3 --dry-run; json 'd["cmdline"] == "root=UUID=2 rw" and d["kernel"].endswith("boot/6.99.3/linux") and d["initrd"].endswith("6.99.3/initrd") and d["cmdline_from"].endswith("entries/b.conf")' 'an entry of the Boot Loader Specification'
echo initrd >"$tmp/boot/6.99.3/more"
echo 'initrd /6.99.3/more' >>"$tmp/boot/loader/entries/b.conf"
ctl idle kexec --kernel 6.99.3 --dry-run; is 0 'more' 'has 2 initrds; kexec loads only one' 'that names two initrds'
ctl idle kexec --kernel vmlinuz;	is 1 '' 'the name of a file needs a /' 'a file that looks like a version'
export PKRAM_FAKE_SYSTEMD=1
ctl idle kexec $k;			is 0 'systemctl kexec' 'quarantined' 'with systemd'
logged 'systemctl kexec' 'systemctl does it'
not_logged reboot 'alone'
export FAKE_RC=1
ctl idle kexec $k;			is 1 'systemctl kexec' 'systemctl kexec failed' 'a systemctl that fails'
}

# Copies, of ordinary files
mkdir "$tmp/disk"
head -c 3000000 /dev/urandom >"$tmp/pool/vm1"
head -c 5000001 /dev/urandom >"$tmp/pool/vm2"
truncate -s 20M "$tmp/pool/vm2"
chmod 604 "$tmp/pool/vm1"
d="--dir $tmp/pool"
same() { cmp -s "$tmp/$1" "$tmp/$2"; report $? "$3"; }
# shellcheck disable=SC2086
{
ctl '' export;				is 2 '' 'no objects and no target given' 'export needs objects'
ctl '' export vm1;			is 2 '' 'no target given' 'and a place for them'
ctl '' export --help;			is 0 '--chunk SIZE' '' 'export --help'
ctl '' export vm1 vm2 "$tmp/none";	is 2 '' 'not a directory' 'a directory for several'
ctl '' export vm1 "$tmp/disk" --name x; is 2 '' 'unknown option' 'an option of import'
ctl '' export vm1 "$tmp/disk" --depth 0; is 2 '' '"0" is not a valid number' 'a depth of nothing'
ctl '' export vm1 "$tmp/disk" --chunk 5000; is 1 '' 'power of two' 'a chunk of an odd size'
ctl '' import;				is 2 '' 'no files given' 'import needs files'
ctl '' import a b --name c;		is 2 '' '--name applies to one file' 'one name for two files'
ctl '' verify "$tmp/none";		is 1 '' 'none.manifest: No such file' 'a file that is not there'
ctl '' export none "$tmp/disk" $d;	is 1 '' 'pool/none: No such file' 'an object that is not there'
ctl '' export vm1 vm2 "$tmp/disk" $d;	is 0 'vm2' '' 'export of several objects'
same pool/vm1 disk/vm1 'the first is the same'
same pool/vm2 disk/vm2 'and the second'
ctl '' export vm1 "$tmp/disk" $d;	is 1 '' 'disk/vm1: File exists' 'export does not replace'
ctl '' export -f vm1 "$tmp/disk" $d;	is 0 'ok' '' 'unless with --force'
ctl '' export "$tmp/pool/vm1" "$tmp/disk/other" --chunk 64K --depth 2 -j
json 'd[0]["result"] == "ok" and d[0]["size"] == 3000000 and d[0]["kept"] == 0 and d[0]["object"].endswith("pool/vm1")' 'export by path, as JSON'
ctl '' export vm1 none vm2 "$tmp/disk" $d -f -j
[ "$rc" = 3 ]; report $? 'some of several is status 3'
json '[t["result"] for t in d] == ["ok", "failed", "ok"] and d[1]["errno"] == 2 and "none" in d[1]["error"]' 'each with its result'
ctl '' verify "$tmp/disk/vm1" "$tmp/disk/vm2" "$tmp/disk/other"; is 0 'other' '' 'verify'
ctl '' object verify vm1;		is 2 '' 'no exported files given' 'object verify needs files'
ctl '' object verify vm1 vm2 "$tmp/disk" $d; is 0 'vm2' '' 'objects are what was exported'
cp "$tmp/pool/vm1" "$tmp/vm1"
printf x | dd of="$tmp/pool/vm1" bs=1 seek=2500000 conv=notrunc status=none
ctl '' object verify vm1 "$tmp/disk" $d; is 1 '' 'pool/vm1: object vm1: chunk 1, 902848 bytes at byte 2097152, is damaged' 'one that was changed is not'
ctl '' object verify -j vm1 vm2 "$tmp/disk" $d; json '[t["damaged"] for t in d] == [1, 0]' 'as JSON'
ctl '' object verify vm1 "$tmp/disk" $d --force; is 2 '' 'unknown option' 'nothing is to be replaced there'
cp "$tmp/vm1" "$tmp/pool/vm1"
rm "$tmp/pool/vm2"
ctl '' import "$tmp/disk/vm1" "$tmp/disk/vm2" $d; is 3 'vm2' 'pool/vm1: File exists' 'import does not replace'
same pool/vm2 disk/vm2 'but brings back the other'
ctl '' import "$tmp/disk/vm1" $d -j --name vm5; json 'd[0]["written"] == 3000000 and d[0]["object"].endswith("vm5")' 'import as JSON'
ctl '' import "$tmp/disk/vm1" $d --name vm3; is 0 'vm3' '' 'import by another name'
same pool/vm3 disk/vm1 'is the same'
[ "$(stat -c %a "$tmp/pool/vm3")" = 604 ]; report $? 'with its mode'
printf x | dd of="$tmp/disk/vm1" bs=1 seek=2500000 conv=notrunc status=none
ctl '' verify "$tmp/disk/vm1" "$tmp/disk/vm2"; is 3 'vm2' 'disk/vm1: object vm1: chunk 1, 902848 bytes at byte 2097152, is damaged' 'verify names a damaged chunk'
ctl '' verify -j "$tmp/disk/vm1";	json 'd[0]["damaged"] == 1 and d[0]["chunks"] == 2 and "chunk 1" in d[0]["error"]' 'as JSON'
ctl '' import "$tmp/disk/vm1" $d --name vm4; is 1 '' 'is damaged' 'import refuses it'
[ ! -e "$tmp/pool/vm4" ] && [ ! -e "$tmp/pool/vm4.part" ]; report $? 'and leaves nothing'
# One small request at a time: slow enough to be stopped
head -c 100M /dev/zero | tr '\0' x >"$tmp/pool/big"
"$O/pkramctl" export $d big "$tmp/disk" --depth 1 --chunk 4K >"$tmp/out" 2>"$tmp/err" & pid=$!
while [ ! -s "$tmp/disk/big.part" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -INT $pid; wait $pid; rc=$?
is 1 '' 'the same command continues from there' 'SIGINT stops an export'
[ ! -e "$tmp/disk/big" ] && [ -e "$tmp/disk/big.part" ]; report $? 'which is not finished'
ctl '' export $d big "$tmp/disk" --chunk 4K -j; json 'd[0]["result"] == "ok"' 'the same command continues'
same pool/big disk/big 'to the end'
}

# The real thing: sockets, without the module
if [ ! -e /sys/module/pkram ]; then
	for p in pkramctl pkramctl.static; do
		"$O/$p" pool show >"$tmp/out" 2>"$tmp/err"; rc=$?
		is 1 '' 'pkram module is not loaded' "$p asks the real kernel"
	done
fi

finish
