#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of pkramctl report with the fake kernel (fake.so) and fake programs.
# usage: report.sh BUILD-DIRECTORY
set -u
O=$(realpath "$1")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "${tmp:?}"' EXIT
export LC_ALL=C.UTF-8
. "$(dirname "$0")/cli_lib.sh"
evidence() { ls -lR "$tmp"; }

# report_to ARGS... - run pkramctl report in $tmp/here; set $rc, $tmp/out, $tmp/err
report_to()
{
	(cd "$tmp/here" && PKRAM_FAKE='' LD_PRELOAD=$O/tests/fake.so TMPDIR=$tmp/tmp \
		PKRAM_GUESTS_DIR=$tmp/guests.d PKRAM_STATE_DIR=$tmp/pool PKRAM_RUN_DIR=$tmp/run \
		PATH=${path-$tmp/bin:$PATH} "$O/pkramctl" "$@") >"$tmp/out" 2>"$tmp/err"
	rc=$?
	keep_json "$@"
}

mkdir "$tmp"/{here,tmp,bin,guests.d,pool,run}
cat >"$tmp/guests.d/vm1.conf" <<-'END'
	uuid = 5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a1
	-object secret,id=s0,data=SECRET1 -object '{"qom-type":"secret","id":"s1","data":"SECRET2"}'
	-drive file=nbd://user:SECRET3@host/disk,if=virtio -m 4G
	-object memory-backend-pkram,id=ram0,size=4G,name=vm1
END
cat >"$tmp/bin/journalctl" <<-'END'
	#!/bin/sh
	echo "journal $*"
END
cat >"$tmp/bin/systemctl" <<-'END'
	#!/bin/sh
	echo "cannot connect" >&2
	exit 1
END
chmod +x "$tmp"/bin/*

report_to report
is 0 'pkram-report-' '' 'report writes an archive'
archive=$(echo "$tmp"/here/pkram-report-*-*.tar.gz)
[ "$(stat -c %a "$archive")" = 600 ]; report $? 'only its owner can read it'
[ -z "$(ls "$tmp/tmp")" ]; report $? 'nothing is left of the temporary directory'
tar -C "$tmp" -xzf "$archive"
dir=$tmp/$(basename "$archive" .tar.gz)
[ -d "$dir" ]; report $? 'it has one directory, of the same name'
for file in README kernel cmdline iomem module-parameters version.json status.json pool-show.json \
	region-show.json object-show.json dma-table-show.json handover-show.json guest-show.json \
	journal guest-vm1.json; do
	[ -s "$dir/$file" ]; report $? "it has $file"
done
cp "$dir/status.json" "$tmp/out"
json 'd["counters"]["commits"] and d["pool"]["size"]' 'the status has the counters'
cp "$dir/guest-vm1.json" "$tmp/out"
json 'd["uuid"].startswith("5aef") and "-m" in d["args"] and d["ram"] == ["/dev/pkram/vm1"]' 'a guest is JSON'
! grep -rq SECRET "$dir"; report $? 'no secret is in it'
grep -qF 'guest-vm1.json (secrets removed: 3)' "$dir/README"; report $? 'README has the number of secrets'
grep -qF 'journal --no-pager --boot -u dev-pkram.mount' "$dir/journal"; report $? 'the journal is that of the units'
grep -qF 'units: cannot connect' "$dir/README"; report $? 'README names what is missing, and why'
! grep -q '^  units$' "$dir/README"; report $? 'what is missing is not listed as taken'
[ -z "$(find "$dir" -type f -perm /077)" ]; report $? 'the files are private'

echo mine >"$tmp/here/x.tar.gz"
report_to report x.tar.gz
is 1 '' 'x.tar.gz exists already; name another one' 'a file is not overwritten'
[ "$(cat "$tmp/here/x.tar.gz")" = mine ]; report $? 'its content is as it was'
ln -s nowhere "$tmp/here/link"
report_to report link
is 1 '' 'link exists already' 'a symbolic link is not followed'
report_to report none/x.tar.gz
is 1 '' 'none/x.tar.gz: No such file or directory' 'a missing directory is an error'
report_to report x y
is 2 '' 'unexpected argument "y"' 'a second file is a usage error'
report_to report --what
is 2 '' 'unknown option "--what"' 'an unknown option is a usage error'

report_to report -j directory --directory
is 0 '"report":"directory"' '' 'report --directory -j prints the name of the directory'
json '{"file": "guest-vm1.json", "removed": 3} in d["taken"] and any(m["file"] == "units" and m["reason"] == "cannot connect" for m in d["missed"])' 'and what was taken and missed'
[ "$(stat -c %a "$tmp/here/directory")" = 700 ] && [ -s "$tmp/here/directory/README" ]
report $? 'the directory is private'
report_to report directory --directory
is 1 '' 'directory exists already; name another one' 'a directory is not overwritten'

# Only pkramctl itself can be run.
path=$tmp/empty report_to report new.tar.gz
is 1 '' 'tar is not installed; write the report as a directory: pkramctl report --directory' 'without tar the error says what to do'
[ ! -e "$tmp/here/new.tar.gz" ] && [ -z "$(ls "$tmp/tmp")" ]; report $? 'and nothing is left'
path=$tmp/empty report_to report new --directory
is 0 'the program is not installed' '' 'a directory needs no tar'

tap_finish
