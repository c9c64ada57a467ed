#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of pkramctl's command line with the fake kernel (fake.so).
# usage: cli.sh BUILD-DIRECTORY
set -u
O=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "${tmp:?}"' EXIT
export LC_ALL=C.UTF-8
. "$(dirname "$0")/cli_lib.sh"

# ctl WORDS ARGS... - run pkramctl with PKRAM_FAKE=WORDS; set $rc, $tmp/out, $tmp/err
ctl()
{
	local words=$1
	shift
	: >"$tmp/log"
	PKRAM_FAKE=$words PKRAM_FAKE_LOG=$tmp/log LD_PRELOAD=$O/tests/fake.so \
		PKRAM_FAKE_POOL=$tmp/pool PKRAM_BOOT_DIR=$tmp/boot \
		PKRAM_MODULES_DIR=$tmp/modules PKRAM_RUN_DIR=$tmp/run PATH=$tmp/bin:$PATH \
		"$O/pkramctl" "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	keep_json "$@"
}

evidence() { echo "log:"; cat "$tmp/log"; }

logged() { grep -qF -- "$1" "$tmp/log"; report $? "$2"; }
not_logged() { ! grep -qF -- "$1" "$tmp/log"; report $? "$2"; }

# Arguments
ctl '' ;				is 2 '' 'no command given' 'no command is a usage error'
ctl '' --help;				is 0 'handover' '' '--help prints the help'
ctl '' help pool;			is 0 'pool grow SIZE' '' 'help pool prints the help of pool'
ctl '' pool --help;			is 0 'pool grow SIZE' '' 'pool --help prints the help of pool'
ctl '' pool grow -h;			is 0 'pool grow SIZE' '' 'pool grow -h prints the help of pool'
ctl '' kexec --help;			is 0 '--reuse-cmdline' '' 'kexec --help prints the options of kexec'
ctl '' version;				is 0 'libpkram' '' 'version prints the version of libpkram'
ctl '' -V;				is 0 'libpkram' '' '-V prints the version of libpkram'
ctl '' -j help;				json 'd["objects"][0]["name"] == "status"' '-j help prints JSON'
ctl '' help -j;				json 'd["objects"][0]["verbs"]' 'help -j prints JSON'
ctl '' -j version;			json 'd["interface"] == 1' '-j version prints JSON'
ctl '' poll;				is 2 '' 'unknown object or command "poll"; use one of: pool, ' 'an unknown object is a usage error'
ctl '' pool gorw;			is 2 '' 'pool: unknown verb "gorw"; use one of: grow, show, adopt, shrink' 'an unknown verb is a usage error'
ctl '' -x;				is 2 '' 'unknown option "-x"' 'an unknown option is a usage error'
ctl '' pool show -x;			is 2 '' 'unknown option "-x"' 'an unknown option after the verb is a usage error'
ctl '' pool show now;			is 2 '' 'unexpected argument "now"' 'an additional argument is a usage error'
ctl '' pool grow;			is 2 '' 'no size given' 'grow without a size is a usage error'
ctl '' pool grow 1.5G;			is 2 '' 'whole GiB' 'grow refuses a fraction of a GiB'
ctl '' pool grow 4G node 1;		is 2 '' 'unexpected argument "node"' 'grow refuses a node that is not an option'
ctl '' pool grow 4G --nude 1;		is 2 '' 'unknown option "--nude"' 'grow refuses an unknown option'
ctl '' pool grow 4G --format;		is 2 '' 'unknown option "--format"' 'grow refuses an option of another verb'
ctl '' pool grow 4G --node;		is 2 '' 'option "--node" needs a value' 'grow refuses --node without a value'
ctl '' pool grow 4G --node=;		is 2 '' 'option "--node" needs a value' 'grow refuses --node with an empty value'
ctl '' pool grow 4G --node 4G;		is 2 '' '"4G" is not a number' 'grow refuses a node with a unit'
ctl '' pool grow 4G --node 7;		is 1 '' 'there is no node 7; this host has 0-2,5' 'grow refuses a node that is not there, and lists those that are'
ctl '' pool grow 4G --node 3;		is 1 '' 'there is no node 3' 'a gap in the list of nodes is no node'
ctl '' pool grow 4G --node 5;		is 0 'got 4 GiB' '' 'grow accepts the last node'
ctl '' pool grow 4G --timeout 0;		is 2 '' 'not a number of seconds' 'grow refuses a timeout of zero'
ctl '' pool grow 4G --timeout 1m;	is 2 '' 'not a number of seconds' 'grow refuses a timeout with a unit'
ctl '' pool grow --node=1;		is 2 '' 'no size given' 'grow with a node but no size is a usage error'
ctl '' pool adopt 4G;			is 2 '' 'BASE+SIZE' 'adopt refuses an address without a size'
ctl '' pool adopt;			is 2 '' 'no memory given' 'adopt without a range is a usage error'
ctl '' pool adopt 4G+4G format;		is 2 '' 'unexpected argument "format"' 'adopt refuses "format" that is not an option'
ctl '' pool shrink;			is 2 '' 'no size and no --region given' 'shrink without a size or region is a usage error'
ctl '' pool shrink --region;		is 2 '' 'option "--region" needs a value' 'shrink refuses --region without a value'
ctl '' pool shrink 1G --region 4G+4G;	is 2 '' 'unexpected argument "1G"' 'shrink refuses a size together with --region'
ctl '' object unseal;			is 2 '' 'no object given' 'unseal without an object is a usage error'
ctl '' object unseal /dev/null;		is 1 '' '/dev/null: not a file of pkramfs' 'unseal refuses a file outside of pkramfs'
ctl '' object unseal /no/such;		is 1 '' '/no/such: No such file' 'unseal prints the path of a missing file'
ctl '' object unseal a b;		is 2 '' 'unexpected argument "b"' 'unseal refuses a second object'
ctl '' object unseal no-such;		is 1 '' '/dev/pkram/no-such: No such file' 'a name without a slash is looked up in /dev/pkram'
ctl '' object discard;			is 2 '' 'no object given' 'discard without an object is a usage error'
ctl '' object discard vm1;		is 2 '' '"vm1" is not a KEY; use the one that object show prints of a quarantined object' 'discard refuses a name'

# Objects as files
mkdir -p "$tmp/pool/.pkram"
p=$tmp/pool/db
uuid=5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a1
ctl '' object create;			is 2 '' 'no object given' 'create without a name is a usage error'
ctl '' object create "$p";		is 2 '' 'no size given' 'create without a size is a usage error'
ctl '' object create "$p" big;		is 2 '' '"big" is not a size' 'create refuses an invalid size'
ctl '' object create "$p" 4GB;		is 2 '' 'not GB' 'create refuses the unit GB'
ctl '' object create "$p" 4M node 1;	is 2 '' 'unexpected argument "node"' 'create refuses a node that is not an option'
ctl '' object create "$p" 4M --node;	is 2 '' 'option "--node" needs a value' 'create refuses --node without a value'
ctl '' object create "$p" 4M --node=x;	is 2 '' '"x" is not a number' 'create refuses an invalid node'
ctl '' object create "$p" 4M --node 3;	is 1 '' 'object create: there is no node 3; this host has 0-2,5' 'create refuses a node that is not there'
ctl '' object create "$p" 4M --mode 0999; is 2 '' 'not a mode' 'create refuses a mode that is not octal'
ctl '' object create "$tmp/db" 4M;	is 1 '' 'not a file of pkramfs' 'create refuses a path outside of pkramfs'
[ ! -e "$tmp/db" ]; report $? 'the refused create leaves no file'
ctl '' object create "$p" 4M --node 2;	is 1 '' 'No space left on device in the pool or on the node' 'create on a node without memory fails'
[ ! -e "$p" ]; report $? 'the failed create leaves no file'
ctl '' object create --node=1 "$p" 4M --mode 0640; is 0 'size             4 MiB' '' 'create prints the object'
[ "$(stat -c '%s %a' "$p")" = '4194304 640' ]; report $? 'create sets size and mode'
logged 'alloc 4194304 node=1 flags=1' 'create --node allocates on that node only'
ctl '' -j object create "$p.2" 8M;	json 'd["state"] == "idle" and d["mode"] == "0600"' 'create -j prints JSON'
ctl '' object create "$p" 4M;		is 1 '' 'db: File exists' 'create does not replace an object'
ctl '' object show "$p";		is 0 'state            idle' '' 'object show prints one object'
ctl '' -j object show "$p";		json 'd["size"] == 4 << 20 and d["mode"] == "0640" and d["labels"] == [] and d["leaves_2m"] == 7 and "vm_uuid" not in d' 'object show -j prints one object'
ctl '' object show 0xffffffff00000005 -j; json 'len(d) == 1' 'object show -j accepts a KEY'
ctl '' object show 0xffffffff00000005;	is 0 'extent 3 overlaps' '' 'object show accepts a KEY'
[ "$(wc -l <"$tmp/out")" = 2 ]; report $? 'object show of a KEY prints only that object'
ctl '' object show 0x1;			is 1 '' 'no object with the key 0x1' 'object show refuses an unknown KEY'
ctl '' object show /dev/null;		is 1 '' 'not a file of pkramfs' 'object show refuses a file outside of pkramfs'
ctl '' object label "$p" os=debian 'why=a = b'; is 0 'why   a = b' '' 'label sets labels'
ctl '' object label "$p" --remove why;	is 0 'os    debian' '' 'label --remove removes a label'
! grep -q why "$tmp/out"; report $? 'a removed label is not shown'
ctl '' object label "$p" --remove why;	is 1 '' 'label why: no such label' 'label --remove refuses a missing label'
ctl '' object label "$p" os;		is 2 '' '"os" is not NAME=VALUE' 'label refuses a name without a value'
ctl '' object label "$p" --remove;	is 2 '' 'option "--remove" needs a value' 'label --remove without a name is a usage error'
ctl '' object label "$p" -j;		json 'd["labels"] == [{"name": "os", "value": "debian"}]' 'label -j prints labels'
ctl '' object seal "$p" --uuid 1;	is 2 '' 'uuidgen' 'seal refuses an invalid UUID'
ctl '' object seal "$p" --cookie 00000000-0000-0000-0000-000000000000; is 2 '' 'a cookie of zeroes' 'seal refuses a cookie of zeroes'
ctl '' object seal "$p" uuid $uuid;	is 2 '' 'unexpected argument "uuid"' 'seal refuses a UUID that is not an option'
ctl '' -j object seal "$p" --uuid $uuid;	json 'd["state"] == "sealed" and d["vm_uuid"] == "'$uuid'" and len(d["cookie"]) == 36 and d["generation"] == 1' 'seal -j prints UUID, cookie and generation'
ctl '' object seal "$p";		is 1 '' 'db: sealed, because it has a saved guest; pkramctl object unseal' 'seal refuses a sealed object'
ctl '' object remove "$p";		is 1 '' 'db: sealed' 'remove refuses a sealed object'
ctl '' object unseal "$p";		is 0 'unsealed' '' 'unseal prints the new state'
ctl '' object unseal "$p";		is 1 '' 'has no saved guest' 'unseal refuses an object that is not sealed'
ctl '' object seal "$p.2"
ctl '' object unseal -j "$p.2";		json 'd["unsealed"].endswith("db.2")' 'unseal -j prints JSON'
ctl '' object seal --cookie=$uuid "$p";	is 0 "cookie           $uuid" '' 'seal --cookie sets the cookie'
ctl '' object show "$p";		is 0 "cookie           $uuid" '' 'show shows it again'
PKRAM_FAKE_STRANGER=1 ctl '' object show "$p"; ! grep -q '^cookie' "$tmp/out"; report $? 'but not to another user'
ctl '' object unseal "$p"
ctl '' object remove "$p" "$tmp/pool/none" -j; json 'd == [{"removed": "'"$p"'"}]' 'remove -j prints what was removed'
[ "$rc" = 3 ]; report $? 'remove that fails for one object exits with 3'
[ ! -e "$p" ]; report $? 'remove deletes the file'
ctl '' object remove;			is 2 '' 'no object given' 'remove without a name is a usage error'

# Without the mount: not an error of the object, nor a file of another file system
export PKRAM_FAKE_UNMOUNTED=1 PKRAM_DIR=$tmp/pool
before=$(ls "$tmp/pool")
no="pkramfs is not mounted on $tmp/pool: systemctl start dev-pkram.mount"
for verb in show seal unseal label remove; do
	ctl '' object $verb db;		is 1 '' "$no" "object $verb says that pkramfs is not mounted"
done
ctl '' object create db 4M;		is 1 '' "$no" 'object create says that pkramfs is not mounted'
[ ! -e "$p" ]; report $? 'and creates no file'
ctl '' object show "$p";		is 1 '' "$no" 'a path in the directory is told as well'
ctl '' export db "$tmp/file";		is 1 '' "$no" 'export says that pkramfs is not mounted'
ctl '' import "$tmp/file";		is 1 '' "$no" 'import says that pkramfs is not mounted'
ctl '' object verify db "$tmp/file";	is 1 '' "$no" 'object verify says that pkramfs is not mounted'
[ "$(ls "$tmp/pool")" = "$before" ]; report $? 'nothing is written there'
unset PKRAM_FAKE_UNMOUNTED PKRAM_DIR

# DMA tables
ctl '' dma-table show;			is 0 '0x201  suspended    no             3  64055:0  vm2' '' 'dma-table show prints the tables'
ctl '' dma-table list;			is 0 'a mapping is not possible' '' 'dma-table list is an alias of show'
ctl '' dma-table;			is 0 'a mapping is not possible' '' 'dma-table without a verb shows the tables'
ctl '' -j dma-table show;		json 'len(d) == 3 and d[0]["in_use"] and d[0]["state"] == "running" and d[1]["mappings"] == 3 and d[2]["quarantine"]' 'dma-table show -j prints JSON'
ctl '' dma-table show vm2;		is 0 '0x40000000  1 GiB  w            2  0x1000  /vm2' '' 'dma-table show accepts a name'
ctl '' -j dma-table show 0x201;		json 'd["name"] == "vm2" and [e["access"] for e in d["entries"]] == ["r", "w", "rw"] and "name" not in d["entries"][2]' 'dma-table show -j accepts a KEY'
ctl '' dma-table show vm3;		is 1 '' 'vm3: no such DMA table' 'dma-table show refuses an unknown name'
ctl '' dma-table remove;		is 2 '' 'no DMA table given' 'dma-table remove without a name is a usage error'
ctl '' dma-table discard;		is 2 '' 'no DMA table given' 'dma-table discard without a name is a usage error'
ctl '' -j dma-table remove vm2;		json 'd["removed"] == "0x201"' 'dma-table remove accepts a name'
ctl '' dma-table remove vm1;		is 1 '' 'vm1: the DMA table is in use' 'dma-table remove refuses a table that is in use'
ctl '' dma-table remove 0x202;		is 1 '' '0x202: the DMA table is quarantined' 'dma-table remove refuses a quarantined table'
ctl '' dma-table discard 0x202;		is 0 'discarded        0x202' '' 'dma-table discard discards a quarantined table'
ctl '' -j dma-table discard 0x202;	json 'd["discarded"] == "0x202"' 'dma-table discard -j prints JSON'
ctl '' dma-table discard vm2;		is 1 '' 'not quarantined' 'dma-table discard refuses a table that is not quarantined'
ctl secret dma-table show;		is 1 '' 'this needs root' 'dma-table show needs root'

# Errors
ctl absent pool show;			is 1 '' 'pkram module is not loaded: modprobe pkram' 'an error says that the module is not loaded'
export PKRAM_FAKE_MODULE=1
ctl absent pool show;			is 1 '' 'is loaded, but has no netlink family' 'an error says that the netlink family is missing'
unset PKRAM_FAKE_MODULE
ctl old status;				is 1 '' 'older than this program' 'an error says that the module is too old'
ctl unprivileged pool grow 4G;		is 1 '' 'needs root' 'an error says that root is needed'
ctl malformed pool show;		is 1 '' 'malformed attribute' 'a malformed answer is an error'

# Verbs that show something
ctl '' pool show;			is 0 'size             6 GiB' '' 'pool show prints the size'
ctl '' pool;				is 0 'a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf' '' 'pool without a verb shows the pool'
ctl remark pool show;			is 0 'free             3.5 GiB' 'warning: the pool is nearly full' 'a warning of the kernel is printed'
ctl '' -j pool show;			json 'd["size"] == 6 << 30 and d["read_only"] is False and d["regions"] == 2' 'pool show -j prints JSON'
ctl '' pool show -j;			json 'd["free"] == 7 << 29' '-j is accepted after the verb'
ctl '' -jp pool show
lines=$(wc -l <"$tmp/out");		[ "$lines" -gt 5 ]; report $? '-jp prints JSON on several lines'
ctl '' region show;			is 0 '0x10200000000  2 GiB    2 GiB     1   0   2  read-only' '' 'region show prints regions'
ctl '' -j region show;			json 'len(d) == 2 and d[1]["base"] == 0x10200000000 and d[1]["read_only"] and "meta" not in d[0]' 'region show -j prints JSON'
ctl '' region show 0x10200000000;	is 0 '0x10200000000' '' 'region show accepts an address'
[ "$(wc -l <"$tmp/out")" = 2 ]; report $? 'region show of an address prints only that region'
ctl '' -j region show;			second=$(sed 's/.*"uuid":"\([^"]*\)".*/\1/' "$tmp/out")
ctl '' -j region show "$second";	json 'len(d) == 1 and d[0]["base"] == 0x10200000000' 'region show accepts a UUID'
ctl '' region show 0x1;			is 1 '' 'no region that begins at 0x1' 'region show refuses an unknown address'
ctl '' region show first;		is 1 '' 'no region' 'region show refuses a name'
ctl damaged region show;		is 0 'no valid label' '' 'region show prints a quarantined region'
grep -q '0x10000000000  4 GiB  5 GiB' "$tmp/out"; report $? 'region show prints the span of a region with a hole'
ctl damaged -j region show;		json 'd[0]["span_gib"] == 5 and d[2]["quarantine"] == "no valid label" and "uuid" not in d[2]' 'region show -j prints span and quarantine'
ctl secret region show;			is 0 '4 GiB' '' 'region show without root hides addresses'
ctl bad_pages region show;		is 0 '3  0x10000005000+4096,0x10040000000+8192' '' 'region show prints bad pages'
ctl bad_pages -j region show;		json 'd[0]["bad_pages"] == 3 and d[0]["bad_ranges"] == "0x10000005000+4096,0x10040000000+8192" and "bad_pages" not in d[1] and "bad_ranges" not in d[1]' 'region show -j prints bad pages'
ctl 'bad_pages secret' -j region show;	json 'd[0]["bad_pages"] == 3 and "bad_ranges" not in d[0]' 'region show without root prints how many pages are bad'
ctl secret status;			is 0 'only root may see them' '' 'status without root says what is hidden'
ctl secret object show;			is 1 '' 'this needs root' 'object show needs root'
ctl empty region show;			is 0 '' 'the pool has no memory: pkramctl pool grow' 'region show without regions says so'
ctl empty object show;			is 0 '' 'there are no objects in the pool' 'object show without objects says so'
ctl empty dma-table show;		is 0 '' 'there are no DMA tables' 'dma-table show without tables says so'
ctl empty -j object show;		is 0 '[]' '' 'as JSON the list is empty'
ctl empty -j region show;		json 'd == []' 'region show -j without regions prints an empty array'
ctl '' object show;			is 0 'vm1' '' 'object show lists objects'
grep -q 'sealed .*4 GiB .*-rw------- .*64055:0 .*vm1' "$tmp/out"; report $? 'object show prints a sealed object'
grep -q 'drwxrwxrwt' "$tmp/out";	report $? 'object show prints a sticky bit'
grep -q -- '-rwsr-xr-x' "$tmp/out";	report $? 'object show prints a setuid bit'
grep -q 'quarantined .*extent 3 overlaps object 0x100000001' "$tmp/out"; report $? 'object show prints a quarantined object'
grep -qF 'evil\033[2J\012"\134\377\302\233ä' "$tmp/out"; report $? 'object show escapes control characters'
ctl '' object list;			is 0 'vm1' '' 'object list is an alias of show'
ctl '' -j object show
json 'd[0]["key"] == "0x100000001" and d[0]["state"] == "sealed" and d[0]["mode"] == "0600"' 'object show -j prints an object'
json 'd[3]["name"] == "evil\x1b[2J\n\"\\\\377\x9bä"' 'object show -j prints a name with special characters as valid JSON'
json 'd[4]["quarantine"].startswith("extent 3") and "name" not in d[4]' 'object show -j prints a quarantined object'
ctl '' object discard 0xffffffff00000005; is 0 '0xffffffff00000005' '' 'object discard accepts a KEY'
ctl '' object discard 0xffffffff00000005 -j; json 'd["discarded"] == "0xffffffff00000005"' 'object discard -j prints JSON'
ctl '' object discard 0x11;		is 1 '' '0x11: object is not quarantined' 'object discard refuses an object that is not quarantined'
ctl '' handover show;			is 0 'e820' '' 'handover show prints the mode'
ctl memmap handover show;		is 0 'pkram.attach=0x' '' 'handover show prints the words of the command line'
ctl memmap -j handover show;		json 'd["mode"] == "memmap" and d["kexec_guard"] and not d["kexec_loaded"] and "$" in d["cmdline"]' 'handover show -j prints JSON'

# Events
ctl '' monitor --count 0;		is 2 '' '"0" is not a number of events' 'monitor refuses a count of 0'
ctl '' monitor --count;			is 2 '' 'option "--count" needs a value' 'monitor refuses --count without a value'
ctl '' monitor now;			is 2 '' 'unexpected argument "now"' 'monitor refuses other arguments'
ctl unprivileged monitor;		is 1 '' 'need root' 'monitor needs root'
ctl eventless monitor;			is 1 '' 'older than this program' 'monitor refuses a module without events'
ctl '' monitor --count 19;		is 0 'pool-grow base 0x10000000000 size 2 GiB' '' 'monitor prints a change of the pool'
lines=$(wc -l <"$tmp/out");		[ "$lines" = 19 ]; report $? 'monitor prints one line for each event'
grep -qxF 'region-quarantine base 0x10000000000 size 2 GiB because: no valid label' "$tmp/out"; report $? 'monitor prints why a range is quarantined'
grep -qxF 'handover mode e820' "$tmp/out";	report $? 'monitor prints a change of the handover'
grep -qxF 'object-rename /vm1 state claimed size 4 GiB mode -rw------- from /dir/evil\033[2J' "$tmp/out"; report $? 'monitor prints a rename and escapes control characters'
grep -q '^object-label /vm1 .* label owner$' "$tmp/out"; report $? 'monitor prints a change of a label'
grep -q '^object-damage /vm1 .* because: it would do harm$' "$tmp/out"; report $? 'monitor prints damage'
ctl '' monitor --timestamp --count 1
grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z pool-grow ' "$tmp/out"; report $? 'monitor --timestamp prints the time'
ctl '' -j monitor --timestamp --count 21
python3 -c '
import json, sys
d = [json.loads(l) for l in open(sys.argv[1])]
names = [e["event"] for e in d]
objects = [e for e in d if "object" in e]
sys.exit(not (len(set(names)) == 21 and names[-1] == "unknown" and len(objects) == 14 and
    all(e["object"]["key"] == "0x100000001" and e["object"]["name"] == "/vm1" for e in objects) and
    all("time" in e for e in d) and d[0]["base"] == 1 << 40 and d[0]["size"] == 2 << 30 and
    d[8]["old_name"] == "/dir/evil\33[2J" and d[10]["label"] == "owner"))' "$tmp/out" 2>>"$tmp/err"
report $? 'monitor -j prints one JSON object for each event'
ctl lost -j monitor --count 3
python3 -c '
import json, sys
d = [json.loads(l)["event"] for l in open(sys.argv[1])]
sys.exit(d != ["pool-grow", "lost", "pool-adopt"])' "$tmp/out" 2>>"$tmp/err"
report $? 'monitor prints an event for lost events and continues'

ctl '' status;				is 0 'quarantined:' '' 'status prints the number of quarantined objects'
grep -q '^  claimed  *1$' "$tmp/out";	report $? 'status counts objects by state'
ctl '' -j status
json 'd["objects"] == {"total": 5, "idle": 1, "claimed": 1, "sealed": 1, "running": 1, "quarantined": 1} and d["pool"]["size"] and len(d["regions"]) == 2 and len(d["quarantined"]) == 1 and d["handover"]["mode"] == "e820"' 'status -j prints JSON'
ctl '' status --verbose;		is 0 'faults, 2M' '' 'status --verbose prints the counters'
ctl '' -j status --verbose
json 'd["counters"]["commits"] == 100 and d["counters"]["kexec_refused"] == 108 and d["counters"]["bad_pages"] == 111 and d["objects"]' 'status --verbose -j prints the counters'
ctl secret status --verbose;		is 0 'counters and objects: only root' '' 'status --verbose without root says what is hidden'
ctl empty status;			is 0 'none' '' 'status without a pool prints "none"'
ctl 'intr stale eintr' status;		is 0 'claimed' '' 'status works while objects change'
ctl '' pool show;			PKRAM_FAKE='' LD_PRELOAD=$O/tests/fake.so "$O/pkramctl" pool show >/dev/full 2>"$tmp/err"; rc=$?
: >"$tmp/out";				is 1 '' 'standard output' 'a write error on standard output is an error'

# Growing and shrinking
ctl '' pool grow 8G;			is 0 'got 8 GiB' '' 'grow prints the size'
ctl '' pool grow 8G --timeout 30;	is 0 'got 8 GiB' '' 'grow --timeout succeeds'
ctl '' pool grow 8G --node 1;		is 0 'got 8 GiB' '' 'grow --node succeeds'
ctl few pool grow 8G;			is 3 'got 4 of 8 GiB' '' 'grow that takes less than requested exits with 3'
[ "$(grep -c 'holds pages that cannot be moved' "$tmp/out")" = 4 ]; report $? 'grow prints a reason for each refused GiB'
ctl few pool grow 20G;			is 3 'got 10 of 20 GiB' '' 'many refused GiB are an end with 3 as well'
[ "$(grep -c 'holds pages that cannot be moved' "$tmp/out")" = 1 ] && grep -q '^ *10  10 GiB  .*holds pages' "$tmp/out"
report $? 'their reasons are counted'
ctl few pool grow 20G --verbose;	is 3 'got 10 of 20 GiB' '' 'grow --verbose succeeds as far'
[ "$(grep -c 'holds pages that cannot be moved' "$tmp/out")" = 10 ]; report $? 'and lists each'
ctl few -j pool grow 20G;		json 'len(d["refused"]) == 10' 'as JSON each is there, too'
ctl few -j pool grow 8G;		json 'd["asked_gib"] == 8 and d["got_gib"] == 4 and d["taken"][0]["size"] == 4 << 30 and len(d["refused"]) == 4 and d["refused"][0]["errno"] == 16 and d["offline"] == []' 'grow -j prints refused GiB'
ctl none pool grow 2G;			is 1 'holds pages' 'no GiB could be taken' 'grow that takes nothing exits with 1 and prints the reasons'
ctl '' -j pool adopt 4G+4G;		json 'd["got_gib"] == 4' 'adopt -j prints JSON'
ctl missing pool show;			is 0 'regions missing' '' 'pool show prints how many regions are missing'
ctl missing -j pool show;		json 'd["missing"] == 1' 'pool show -j has the number of missing regions'
ctl '' pool shrink --missing 0;		is 2 '' 'not a number of regions' 'shrink refuses to give up no region'
ctl '' pool shrink --missing 1;		is 0 'gave up 1 missing region' '' 'shrink --missing gives up regions'
ctl '' -j pool shrink --missing 1;	json 'd["got_gib"] == 0' 'shrink --missing -j has what shrink -j has'
ctl '' -j pool shrink 2G;		json 'd["got_gib"] == 2 and len(d["offline"]) == 1' 'shrink -j prints offline memory'
ctl '' pool adopt 4G+4G;		is 0 'got 4 GiB' '' 'adopt prints the size'
ctl '' pool adopt 4G+4G --format;		is 0 '0x100000000  4 GiB' '' 'adopt --format prints the region'
ctl '' pool shrink 2G;			is 3 'gave back 2 GiB' 'is not online' 'shrink exits with 3 if memory does not come online'
ctl '' pool shrink --region 1T+2G;	is 3 'no memory block' 'is not online' 'shrink --region exits with 3 if memory does not come online'
q=0x11000000000+1G
ctl damaged pool shrink --region $q;	is 1 '' 'may hold a region with its objects (no valid label)' 'shrink refuses a quarantined range that may hold objects'
[ ! -s "$tmp/out" ]; report $? 'a refused range is not given back'
ctl damaged pool shrink --region $q --erase;	is 3 'gave back 1 GiB' 'is not online' 'shrink --erase gives a quarantined range back'
ctl 'damaged left_over' pool shrink --region $q;	is 3 'gave back 1 GiB' 'is not online' 'shrink gives back a quarantined range that holds nothing'
ctl damaged pool adopt $q --format;	is 1 '' 'may hold a region with its objects (no valid label): adopt it without --format' 'adopt --format refuses a quarantined range that may hold objects'
ctl damaged pool adopt 0x10f40000000+4G --format;	is 1 '' 'no valid label' 'adopt --format refuses a range with a part of it'
ctl damaged pool adopt $q;		is 0 '1 GiB' '' 'adopt without --format is not refused'
ctl damaged pool adopt $q --format --erase;	is 0 '1 GiB' '' 'adopt --format --erase takes it'
ctl 'damaged left_over' pool adopt $q --format;	is 0 '1 GiB' '' 'adopt --format takes a quarantined range that holds nothing'
ctl damaged pool adopt $q --erase;	is 2 '' '--erase goes with --format only' 'adopt refuses --erase without --format'
for text in 'growing failed' 'out of the pool,'; do
	grep -q "^#define TEXT_.*\"$text" "$(dirname "$0")/../../kmod/pool/pool.c"
	report $? "the module says \"$text\" of a range that holds nothing"
done
ctl '' pool shrink 2G --erase;		is 2 '' '--erase goes with --region only' 'shrink refuses --erase without --region'
ctl none pool shrink 2G;		is 1 'holds pages' 'no GiB' 'shrink that gives back nothing exits with 1'

# kexec
mkdir "$tmp/bin"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "systemctl $*" >>%s/log\nexit ${FAKE_RC:-0}\n' "$tmp" >"$tmp/bin/systemctl"
chmod +x "$tmp/bin/systemctl"
make_image 6.99.1-test "$tmp/vmlinuz"
make_module "$tmp/modules" 6.99.1-test pkram_format=1
make_initrd "$tmp/initrd"
export PKRAM_FAKE_CMDLINE=$'BOOT_IMAGE=/vmlinuz-1 root=/dev/sda1 quiet\n'
k="--kernel $tmp/vmlinuz --no-initrd"
# shellcheck disable=SC2086,SC2016
{
ctl '' kexec;				is 2 '' 'no kernel given' 'kexec without a kernel is a usage error'
ctl '' kexec $k --fast;			is 2 '' 'unknown option' 'kexec refuses an unknown option'
ctl '' kexec $k now;			is 2 '' 'unexpected argument "now"' 'kexec refuses other arguments'
ctl '' kexec $k --command-line a --reuse-cmdline; is 2 '' 'exclude each other' 'kexec refuses two sources of the command line'
ctl '' kexec $k --unload;		is 2 '' 'excludes all other options' 'kexec --unload refuses other options'
ctl absent kexec --unload;		is 0 'unloaded' '' 'kexec --unload works without the module'
logged unload 'kexec --unload unloads the image'
ctl absent kexec --unload -j;		json 'd["unloaded"] is True' 'kexec --unload -j prints JSON'
ctl absent kexec $k;			is 1 '' 'not loaded' 'kexec needs the module'
ctl idle kexec --kernel "$tmp/none";	is 1 '' 'No such file' 'kexec refuses a missing kernel'
ctl idle kexec --kernel "$tmp/vmlinuz" --initrd "$tmp/none"; is 1 '' 'none: No such file' 'kexec refuses an initrd that does not exist'
ctl '' kexec $k --initrd "$tmp/initrd";	is 2 '' 'exclude each other' 'kexec refuses an initrd beside --no-initrd'
ctl idle kexec --kernel "$tmp/vmlinuz";	is 1 '' 'no initrd given for' 'kexec refuses a kernel file without an initrd'
ctl idle kexec --kernel "$tmp/vmlinuz" --force; is 1 '' 'no initrd given for' 'kexec --force does not accept a missing initrd'
ctl '' kexec $k;			is 1 '' 'vm2 is claimed and not sealed' 'kexec is refused while a guest runs'
not_logged load 'the refused kexec loads no image'
ctl '' kexec $k --dry-run;		is 1 'nothing: it is refused' 'vm2 is claimed' 'kexec --dry-run reports the refusal'
ctl '' kexec $k --dry-run -j;		json 'd["in_use"] == [{"key": "0x100000002", "size": 1 << 30, "name": "/vm2"}] and d["module"].endswith("dkms/pkram.ko") and d["version"] == "6.99.1-test"' 'kexec --dry-run -j prints kernel, module and version'
ctl '' kexec $k --force;		is 1 'reboot(2)' 'warning: /vm2 is claimed' 'kexec --force turns the refusal into a warning'
logged 'reboot kexec' 'kexec boots with reboot(2)'
ctl '' kexec $k --load-only;		is 0 'nothing (--load-only)' 'warning: /vm2' 'kexec --load-only is accepted while guests run'
logged 'load initrd=no' 'kexec --load-only loads an image'
not_logged reboot 'kexec --load-only does not boot'
ctl idle kexec $k --load-only
logged 'cmdline_len=21 nul=1 flags=4: root=/dev/sda1 quiet' 'kexec --reuse-cmdline passes the running command line'
ctl idle kexec $k --reuse-cmdline --append 'x y' --load-only
logged ': root=/dev/sda1 quiet x y' 'kexec --append appends to the running command line'
ctl idle kexec --kernel "$tmp/vmlinuz" --initrd "$tmp/initrd" --command-line 'a -- b' --load-only
logged 'load initrd=yes cmdline_len=7 nul=1 flags=0: a -- b' 'kexec --command-line and --initrd are passed to the kernel'
ctl 'idle memmap' kexec $k --command-line 'a -- b' --load-only
logged ': a memmap=4G$0x10000000000 memmap=2G$0x10200000000 pkram.attach=0x10000000000+0x100000000,0x10200000000+0x80000000 -- b' 'kexec adds the words of the memmap handover'
ctl idle -j kexec $k --dry-run;		json 'd["cmdline"] == "root=/dev/sda1 quiet" and d["dry_run"] and d["then"] == "reboot(2)"' 'kexec --dry-run -j prints the plan'
not_logged load 'kexec --dry-run loads no image'
ctl idle kexec $k --dry-run -j;		json 'd["dry_run"]' '-j is accepted after the options of kexec'
ctl idle kexec $k --command-line "$(printf %02047d 0)" --dry-run; is 0 '00000' 'quarantined' 'kexec accepts a command line of 2047 bytes'
ctl idle kexec $k --command-line "$(printf %02048d 0)" --dry-run; is 1 'refused' '2048 bytes' 'kexec refuses a command line of 2048 bytes'
ctl idle kexec $k --command-line "$(printf %09000d 0)" --dry-run; is 1 'refused' 'is too long' 'kexec refuses a command line of 9000 bytes'
ctl 'idle nomode' kexec $k;		is 1 '' 'the regions have no handover' 'kexec refuses regions without a handover'
ctl 'idle silent' kexec $k;		is 1 '' 'does not say how' 'kexec refuses a memmap handover without words'
ctl 'secret memmap' kexec $k; is 1 '' 'this needs root' 'kexec needs root'
ctl empty kexec $k --load-only;		is 0 'none' 'nothing will be preserved' 'kexec --load-only with an empty pool warns'
ctl 'idle moves' kexec $k;		is 1 '' 'changed while' 'kexec refuses a pool that changes meanwhile'
logged unload 'the image is unloaded if the pool changed'
not_logged reboot 'the kernel is not booted if the pool changed'
ctl claimed_late kexec $k;		is 1 '' 'vm2 is claimed' 'kexec refuses a guest that starts meanwhile'
logged unload 'the image is unloaded if a guest started'
PKRAM_FAKE_KEXEC_BUSY=299 ctl idle kexec $k --load-only; is 0 'load-only' 'quarantined' 'kexec waits for another load'
logged 'load initrd' 'the image is loaded after that'
PKRAM_FAKE_KEXEC_BUSY=5 ctl idle kexec --unload; is 0 'unloaded' '' 'so does kexec --unload'
export PKRAM_FAKE_KEXEC_ERRNO=16
ctl idle kexec $k;			is 1 '' 'for 30 s' 'kexec gives up after 30 s'
not_logged reboot 'the kernel is not booted if the load failed'
export PKRAM_FAKE_KEXEC_ERRNO=1
ctl idle kexec $k;			is 1 '' 'needs root' 'kexec reports a missing privilege'
unset PKRAM_FAKE_KEXEC_ERRNO
ctl idle kexec $k -j;			json 'd["booting"] and d["then"] == "reboot(2)" and d["in_use"] == []' 'kexec -j prints how it boots'
logged 'reboot kexec' 'kexec calls reboot(2) without systemd'

# on_terminal ANSWER ARGS... - run pkramctl on a terminal on which ANSWER is typed
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
on_terminal n kexec $k;			is 1 'Boot anyway' '' 'kexec asks on a terminal'
not_logged load 'kexec loads no image if the answer is no'
on_terminal y kexec $k
logged 'reboot kexec' 'kexec boots if the answer is yes'
on_terminal y kexec $k --dry-run
! grep -q 'Boot anyway' "$tmp/out"; report $? 'kexec --dry-run does not ask'

# Find the kernel and its module.
mkdir -p "$tmp/boot/grub" "$tmp/boot/loader/entries" "$tmp/boot/6.99.3"
make_image 6.99.2-test "$tmp/boot/vmlinuz-6.99.2-test"
make_initrd "$tmp/boot/initrd.img-6.99.2-test"
v='--kernel 6.99.2-test'
ctl idle kexec --kernel 6.98;		is 1 '' 'there is no kernel 6.98: found neither' 'kexec refuses an unknown version'
ctl idle kexec $v;			is 1 '' 'there is no pkram module for 6.99.2-test' 'kexec refuses a kernel without modules'
not_logged load 'kexec without a module loads no image'
make_module "$tmp/modules" 6.99.2-test
echo 'kernel/fs/ext4.ko:' >"$tmp/modules/6.99.2-test/modules.dep"
ctl idle kexec $v;			is 1 '' 'modules.dep: it lists none): build it, and run depmod 6.99.2-test' 'kexec refuses a kernel without a pkram module'
make_module "$tmp/modules" 6.99.2-test
ctl idle kexec $v;			is 1 '' 'does not declare which formats' 'kexec refuses a module that does not declare its formats'
make_module "$tmp/modules" 6.99.2-test 'pkram_format=2 3'
ctl idle kexec $v;			is 1 '' 'does not support format 1, which this pool has' 'kexec refuses a module that does not support the pool'
ctl idle kexec $v --force --load-only;	is 0 'vmlinuz-6.99.2-test' 'warning: ' 'kexec --force accepts a kernel without a usable module'
logged 'load initrd=yes' 'kexec loads the initrd of that version'
make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
rm "$tmp/modules/6.99.2-test/updates/dkms/pkram.ko"
ctl idle kexec $v;			is 1 '' 'pkram.ko: No such file' 'kexec refuses a missing module file'
make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
for c in xz zstd; do
	make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
	# zstd does not delete its input.
	$c -q "$tmp/modules/6.99.2-test/updates/dkms/pkram.ko"
	rm -f "$tmp/modules/6.99.2-test/updates/dkms/pkram.ko"
	ko=$(basename "$tmp/modules/6.99.2-test/updates/dkms/"*)
	printf '%s\n' "updates/dkms/$ko:" updates/dkms/pkram_vfio.ko: >"$tmp/modules/6.99.2-test/modules.dep"
	ctl idle kexec $v --dry-run;	is 0 "dkms/$ko" 'quarantined' "kexec reads a module in $ko"
	rm "$tmp/modules/6.99.2-test/updates/dkms/$ko"
done
make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
sed -i /vfio/d "$tmp/modules/6.99.2-test/modules.dep"
ctl idle kexec $v;			is 1 '' 'there are DMA tables, but no pkram_vfio module for 6.99.2-test' 'kexec refuses a kernel without pkram_vfio if there are DMA tables'
make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
: >"$tmp/log"
for junk in /bin/sh "$tmp/junk"; do
	echo kernel >"$tmp/junk"
	ctl idle kexec --kernel $junk --no-initrd;	is 1 '' "$junk is not a kernel (a bzImage" 'kexec refuses a file that is no kernel'
	! grep -q force "$tmp/err"; report $? 'it does not offer it with --force'
	ctl idle kexec --kernel $junk --no-initrd --force --load-only; is 1 '' "$junk is not a kernel" 'nor does --force load it'
	ctl empty kexec --kernel $junk --no-initrd --force; is 1 '' "$junk is not a kernel" 'nor if there is no pool'
	ctl idle check --kernel $junk --no-initrd;	is 1 'not a kernel' '' 'check refuses it'
done
not_logged load 'nothing of it was loaded'
make_image '' "$tmp/junk"
ctl idle kexec --kernel "$tmp/junk" --no-initrd;	is 1 '' 'junk does not contain its version' 'kexec refuses an image without a version'
ctl idle kexec --kernel "$tmp/junk" --no-initrd --force --load-only; is 0 'junk' 'warning: ' 'kexec --force accepts an image without a version'
ctl empty kexec --kernel "$tmp/junk" --no-initrd --load-only; is 0 'junk' 'no region' 'kexec needs no module if there is no pool'
ctl idle -j kexec $v --dry-run;		json 'd["cmdline_from"] == "this kernel" and d["kernel"].endswith("boot/vmlinuz-6.99.2-test") and d["initrd"].endswith("initrd.img-6.99.2-test")' 'kexec --kernel accepts a version'
# Signatures, as the next kernel wants them if this one does; and the crash kernel
for words in "PKRAM_FAKE_LOCKDOWN=none [integrity] confidentiality:lockdown" "PKRAM_FAKE_SIG_ENFORCE=Y:module.sig_enforce"; do
	export "${words%:*}"
	ctl idle kexec $v --dry-run;	is 1 'it is refused' "dkms/pkram.ko is not signed, and this host loads signed modules only (${words##*:})" "kexec refuses an unsigned module under ${words##*:}"
	ctl idle kexec $v --load-only --force; is 0 'nothing (--load-only)' 'pkram.ko is not signed' 'kexec --force loads it'
	make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2' signer=me
	ctl idle check $v;		is 0 'pkram.ko is signed' '' 'check accepts a signed module'
	make_module "$tmp/modules" 6.99.2-test 'pkram_format=1 2'
	export -n "${words%%=*}"
done
PKRAM_FAKE_LOCKDOWN='[none] integrity' PKRAM_FAKE_SIG_ENFORCE=N ctl idle kexec $v --dry-run; is 0 'dkms/pkram.ko' 'quarantined' 'no signature is needed without both'
export PKRAM_FAKE_KDUMP=$'# x\nUSE_KDUMP=1\n'
PKRAM_FAKE_CRASH=0 ctl idle check $v;	is 0 'kdump is enabled, but no crash kernel is loaded: systemctl restart kdump-tools' '' 'check warns if kdump is enabled and not loaded'
PKRAM_FAKE_CRASH=1 ctl idle check $v;	is 0 'the crash kernel is loaded' '' 'check says that it is loaded'
PKRAM_FAKE_KDUMP='#USE_KDUMP=1' PKRAM_FAKE_CRASH=0 ctl idle check $v; ! grep -q kdump "$tmp/out"; report $? 'nothing is said if it is not enabled'
export -n PKRAM_FAKE_KDUMP
cat >"$tmp/boot/grub/grub.cfg" <<'END'
menuentry 'Debian' {
	linux	/boot/vmlinuz-6.99.1-test root=UUID=1 ro other
	linux	/boot/vmlinuz-6.99.2-test root=UUID=1 ro  quiet 
	initrd	/boot/initrd.img-6.99.2-test
	linux	/boot/vmlinuz-6.99.2-test root=UUID=1 ro single
	linux	/boot/vmlinuz-6.99.4-test root=$device ro
}
END
ctl idle -j kexec $v --dry-run;		json 'd["cmdline"] == "root=UUID=1 ro quiet" and d["cmdline_from"].endswith("grub.cfg")' 'kexec takes the command line from grub.cfg'
ctl idle -j kexec $v --dry-run --append x; json 'd["cmdline"] == "root=UUID=1 ro quiet x"' 'kexec --append appends to the command line'
ctl idle -j kexec $v --dry-run --reuse-cmdline; json 'd["cmdline"] == "root=/dev/sda1 quiet"' 'kexec --reuse-cmdline takes the running command line'
ctl idle -j kexec $v --dry-run --command-line x; json 'd["cmdline"] == "x" and d["cmdline_from"] == "given"' 'kexec --command-line sets the command line'
ctl idle -j kexec --kernel 6.99.2 --dry-run; json 'd["version"] == "6.99.2-test" and d["initrd"].endswith("initrd.img-6.99.2-test")' 'kexec accepts the beginning of a version'
ctl idle kexec --kernel 6.99.2 --dry-run; is 0 '6.99.2-test' 'warning: there is no kernel 6.99.2: taking 6.99.2-test' 'and says which one it takes'
ctl idle kexec --kernel 6.9 --dry-run;	is 1 'refused' 'there is no kernel 6.9: ' 'a number is not the beginning of a longer one'
grep -q 'there is 6.99.2-test$' "$tmp/err"; report $? 'the error lists the kernels that there are'
make_image 6.99.4-test "$tmp/boot/vmlinuz-6.99.4-test"
ctl idle kexec --kernel 6.99 --dry-run;	is 1 'refused' '2 kernels begin with 6.99: name one of 6.99.2-test, 6.99.4-test' 'kexec refuses a beginning that several kernels have'
make_module "$tmp/modules" 6.99.4-test pkram_format=1
ctl idle -j kexec --kernel 6.99.4-test --no-initrd --dry-run; json 'd["cmdline_from"] == "this kernel" and "initrd" not in d' 'kexec ignores an entry with variables of GRUB'
make_image 6.99.3 "$tmp/boot/6.99.3/linux"
make_module "$tmp/modules" 6.99.3 pkram_format=1
make_initrd "$tmp/boot/6.99.3/initrd"
printf 'title x\nversion 6.99.9\nlinux /6.99.9/linux\noptions wrong\n' >"$tmp/boot/loader/entries/a.conf"
printf '# x\ntitle x\nversion\t6.99.3\noptions root=UUID=2 rw\nlinux /6.99.3/linux\ninitrd /6.99.3/initrd\n' \
	>"$tmp/boot/loader/entries/b.conf"
ctl idle -j kexec --kernel 6.99.3 --dry-run; json 'd["cmdline"] == "root=UUID=2 rw" and d["kernel"].endswith("boot/6.99.3/linux") and d["initrd"].endswith("6.99.3/initrd") and d["cmdline_from"].endswith("entries/b.conf")' 'kexec reads an entry of the Boot Loader Specification'
make_initrd "$tmp/boot/6.99.3/more"
echo 'initrd /6.99.3/more' >>"$tmp/boot/loader/entries/b.conf"
ctl idle kexec --kernel 6.99.3 --dry-run; is 0 'more' 'has 2 initrds; kexec loads only one' 'kexec warns about an entry with two initrds'

# The initrd. The type of the root file system here stands for its module.
type=$(awk '$5 == "/" { for (i = 6; $i != "-"; i++); t = $(i + 1) } END { print t }' /proc/self/mountinfo)
echo "kernel/fs/$type/$type.ko.xz:" >>"$tmp/modules/6.99.2-test/modules.dep"
mkdir -p "$tmp/modules/6.99.2-test/kernel/fs/$type"
: >"$tmp/modules/6.99.2-test/kernel/fs/$type/$type.ko.xz"
rd=$tmp/boot/initrd.img-6.99.2-test
mod=lib/modules/6.99.2-test/kernel/fs/$type/$type.ko
make_initrd "$rd" "$mod.zst";		ctl idle kexec $v --dry-run; is 0 'initrd.img' 'quarantined' 'kexec accepts an initrd with the module of the root file system'
make_initrd "$rd" "usr/$mod";		ctl idle kexec $v --dry-run; is 0 'initrd.img' 'quarantined' 'kexec accepts an initrd whose modules are in /usr'
make_initrd "$rd" lib/modules/6.99.2-test/kernel/x.ko
ctl idle kexec $v;			is 1 '' "it lacks $type, which" 'kexec refuses an initrd without the module of the root file system'
not_logged load 'kexec with a useless initrd loads no image'
ctl idle kexec $v;			is 1 '' 'the pool and all saved guests are lost' 'the refusal says what --force risks'
ctl idle kexec $v --force --load-only;	is 0 'initrd.img' "warning: $rd: it lacks $type" 'kexec --force accepts it and says so'
make_initrd "$rd" lib/modules/6.99.9-test/kernel/x.ko "lib/modules/6.99.9-test/$type.ko"
ctl idle kexec $v;			is 1 '' 'it has modules of another kernel, not of 6.99.2-test' 'kexec refuses the initrd of another kernel'
make_initrd "$rd" "$mod";		truncate -s -2000 "$rd"
ctl idle kexec $v;			is 1 '' 'it is damaged or cut off' 'kexec refuses an initrd that is cut off'
ctl idle kexec $v --force --load-only;	is 0 'initrd.img' 'warning: ' 'kexec --force accepts it: lsinitramfs may be wrong'
echo initrd >"$rd";			ctl idle kexec $v; is 1 '' 'it is not an initrd' 'kexec refuses a file that is no initrd'
: >"$rd";				ctl idle kexec $v; is 1 '' 'the file is empty' 'kexec refuses an empty initrd'
rm "$rd";				ctl idle kexec $v; is 1 '' "there is no initrd for $tmp/boot/vmlinuz-6.99.2-test: make it" 'kexec refuses a kernel of this host without its initrd'
not_logged load 'kexec without an initrd loads no image'
ctl idle kexec $v --no-initrd --load-only; is 0 'vmlinuz' 'quarantined' 'kexec --no-initrd boots a kernel without an initrd'
logged 'load initrd=no' 'kexec --no-initrd loads no initrd'
make_initrd "$rd" "$mod"
printf '#!/bin/sh\nexit 127\n' >"$tmp/bin/lsinitramfs"; chmod +x "$tmp/bin/lsinitramfs"
ctl idle kexec $v --load-only;		is 0 'initrd.img' 'its content was not checked: install initramfs-tools-core' 'kexec warns if the content of an initrd cannot be checked'
rm "$tmp/bin/lsinitramfs"
ctl idle kexec --kernel vmlinuz;	is 1 '' 'the name of a file needs a /' 'kexec --kernel refuses a file name without a slash'
export PKRAM_FAKE_SYSTEMD=1
ctl idle kexec $k;			is 0 'systemctl start kexec.target' 'quarantined' 'kexec boots through systemd'
logged 'systemctl start --no-block --job-mode=replace-irreversibly kexec.target' 'kexec starts kexec.target, which an inhibitor of reboots does not stop'
not_logged reboot 'kexec with systemd does not call reboot(2)'
export FAKE_RC=1
ctl idle kexec $k;			is 1 'systemctl start kexec.target' 'systemd does not start kexec.target' 'kexec reports a failure of systemctl'
}

# Copies of ordinary files
mkdir "$tmp/disk"
head -c 3000000 /dev/urandom >"$tmp/pool/vm1"
head -c 5000001 /dev/urandom >"$tmp/pool/vm2"
truncate -s 20M "$tmp/pool/vm2"
chmod 604 "$tmp/pool/vm1"
d="--dir $tmp/pool"
same() { cmp -s "$tmp/$1" "$tmp/$2"; report $? "$3"; }
# shellcheck disable=SC2086
{
ctl '' export;				is 2 '' 'no objects and no target given' 'export without arguments is a usage error'
ctl '' export vm1;			is 2 '' 'no target given' 'export without a target is a usage error'
ctl '' export --help;			is 0 '--chunk SIZE' '' 'export --help prints the options'
ctl '' export vm1 vm2 "$tmp/none";	is 2 '' 'not a directory' 'export of several objects needs a directory'
ctl '' export vm1 "$tmp/disk" --name x; is 2 '' 'unknown option' 'export refuses an option of import'
ctl '' export vm1 "$tmp/disk" --depth 0; is 2 '' '"0" is not a valid number' 'export refuses a depth of 0'
ctl '' export vm1 "$tmp/disk" --chunk 5000; is 1 '' 'power of two' 'export refuses a chunk size that is not a power of two'
ctl '' import;				is 2 '' 'no files given' 'import without files is a usage error'
ctl '' import a b --name c;		is 2 '' '--name applies to one file' 'import refuses one name for two files'
ctl '' verify "$tmp/none";		is 1 '' 'none.manifest: No such file' 'verify refuses a missing file'
ctl '' export none "$tmp/disk" $d;	is 1 '' 'pool/none: No such file' 'export refuses a missing object'
ctl '' export vm1 vm2 "$tmp/disk" $d;	is 0 'vm2' '' 'export accepts several objects'
same pool/vm1 disk/vm1 'the first exported file has the same content'
same pool/vm2 disk/vm2 'the second exported file has the same content'
ctl '' export vm1 "$tmp/disk" $d;	is 1 '' 'disk/vm1: File exists' 'export does not replace a file'
ctl '' export -f vm1 "$tmp/disk" $d;	is 0 'ok' '' 'export --force replaces a file'
ctl '' export "$tmp/pool/vm1" "$tmp/disk/other" --chunk 64K --depth 2 -j
json 'd[0]["result"] == "ok" and d[0]["size"] == 3000000 and d[0]["kept"] == 0 and d[0]["object"].endswith("pool/vm1")' 'export -j accepts a path'
ctl '' export vm1 none vm2 "$tmp/disk" $d -f -j
[ "$rc" = 3 ]; report $? 'export that fails for some objects exits with 3'
json '[t["result"] for t in d] == ["ok", "failed", "ok"] and d[1]["errno"] == 2 and "none" in d[1]["error"]' 'export -j prints a result for each object'
ctl '' verify "$tmp/disk/vm1" "$tmp/disk/vm2" "$tmp/disk/other"; is 0 'other' '' 'verify accepts intact files'
ctl '' verify "$tmp/disk"/*; is 0 'other' '' 'verify DIR/* takes each file once'
[ "$(wc -l <"$tmp/out")" = 4 ]; report $? 'and no manifest as a file'
ctl '' verify "$tmp/disk/vm1.manifest"; is 0 'disk/vm1 ' '' 'a manifest stands for its file'
ctl '' object verify vm1;		is 2 '' 'no exported files given' 'object verify without files is a usage error'
ctl '' object verify vm1 vm2 "$tmp/disk" $d; is 0 'vm2' '' 'object verify accepts unchanged objects'
cp "$tmp/pool/vm1" "$tmp/vm1"
printf x | dd of="$tmp/pool/vm1" bs=1 seek=2500000 conv=notrunc status=none
ctl '' object verify vm1 "$tmp/disk" $d; is 1 '' 'pool/vm1: chunk 1, 902848 bytes at byte 2097152, differs from its export' 'object verify finds a changed object'
! grep -q damaged "$tmp/err"; report $? 'which is not called damaged'
ctl '' object verify -j vm1 vm2 "$tmp/disk" $d; json '[t["damaged"] for t in d] == [1, 0] and [t["result"] for t in d] == ["differs", "ok"]' 'object verify -j prints chunks that differ'
ctl '' object verify vm1 "$tmp/disk" $d --force; is 2 '' 'unknown option' 'object verify refuses --force'
cp "$tmp/vm1" "$tmp/pool/vm1"
rm "$tmp/pool/vm2"
ctl '' import "$tmp/disk/vm1" "$tmp/disk/vm2" $d; is 3 'vm2' 'pool/vm1: File exists' 'import does not replace an object'
same pool/vm2 disk/vm2 'import continues with the next object'
ctl '' import "$tmp/disk/vm1" $d -j --name vm5; json 'd[0]["written"] == 3000000 and d[0]["object"].endswith("vm5")' 'import -j prints JSON'
ctl '' import "$tmp/disk/vm1" $d --name vm3; is 0 'vm3' '' 'import --name sets another name'
same pool/vm3 disk/vm1 'the imported object has the same content'
[ "$(stat -c %a "$tmp/pool/vm3")" = 604 ]; report $? 'the imported object has the same mode'
printf x | dd of="$tmp/disk/vm1" bs=1 seek=2500000 conv=notrunc status=none
ctl '' verify "$tmp/disk/vm1" "$tmp/disk/vm2"; is 3 'vm2' 'disk/vm1: object vm1: chunk 1, 902848 bytes at byte 2097152, is damaged' 'verify prints a damaged chunk'
ctl '' verify -j "$tmp/disk/vm1";	json 'd[0]["damaged"] == 1 and d[0]["chunks"] == 2 and "chunk 1" in d[0]["error"]' 'verify -j prints damaged chunks'
ctl '' import "$tmp/disk/vm1" $d --name vm4; is 1 '' 'is damaged' 'import refuses a damaged file'
[ ! -e "$tmp/pool/vm4" ] && [ ! -e "$tmp/pool/vm4.part" ]; report $? 'the refused import leaves no object'
# One small request at a time, so that the export can be interrupted
head -c 100M /dev/zero | tr '\0' x >"$tmp/pool/big"
"$O/pkramctl" export $d big "$tmp/disk" --depth 1 --chunk 4K >"$tmp/out" 2>"$tmp/err" & pid=$!
while [ ! -s "$tmp/disk/big.part" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -INT $pid; wait $pid; rc=$?
is 1 '' 'the same command continues from there' 'SIGINT interrupts an export'
[ ! -e "$tmp/disk/big" ] && [ -e "$tmp/disk/big.part" ]; report $? 'the interrupted export leaves only a part'
ctl '' export $d big "$tmp/disk" --chunk 4K -j; json 'd[0]["result"] == "ok"' 'the same command continues an interrupted export'
same pool/big disk/big 'the continued export has the same content'
}

# Without the fake kernel and without the module: real sockets
if [ ! -e /sys/module/pkram ]; then
	for p in pkramctl pkramctl.static; do
		"$O/$p" pool show >"$tmp/out" 2>"$tmp/err"; rc=$?
		is 1 '' 'pkram module is not loaded' "$p reports that the module is not loaded"
	done
fi

# Without a directory of its own a test does nothing, and above all removes nothing
for t in "$here"/*.sh; do
	case $t in
	*_lib.sh | */run.sh) continue ;;
	esac
	TMPDIR=/none bash "$t" "$O" >"$tmp/out" 2>"$tmp/err"; rc=$?
	is 1 '' '/none' "${t##*/} ends at once without a temporary directory"
done
tap_finish
