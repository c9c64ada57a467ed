#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of the packages' maintainer scripts with a fake pkramctl. That of the packages
# (selftests/packaging/deb.sh) runs them by dpkg.
# usage: maintainer.sh BUILD-DIRECTORY
set -u
here=$(realpath "$(dirname "$0")")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "${tmp:?}"' EXIT
. "$here/cli_lib.sh"
evidence() { cat "$tmp/objects"; }
debian=$here/../../debian

mkdir -p "$tmp/bin" "$tmp/sys/module/pkram"
printf '#!/bin/sh\ncase $* in\n"-j object show") cat %s/objects || exit 1 ;;\n"-j pool show") cat %s/pool ;;\nesac\n' \
	"$tmp" "$tmp" >"$tmp/bin/pkramctl"
chmod +x "$tmp/bin/pkramctl"

# script PACKAGE.SCRIPT ARGS...
script()
{
	PKRAM_SYS=$tmp/sys PKRAM_NOTE_DIR=$tmp/notes PKRAM_STATE_DIR=$tmp/states PKRAM_RUN_DIR=$tmp/run PATH=$tmp/bin:$PATH sh "$debian/$1" "${@:2}" >"$tmp/out" 2>"$tmp/err"
	rc=$?
}

# objects STATE NAME... - set what pkramctl lists
objects()
{
	local list=''
	while (($#)); do
		list+="${list:+,}{\"key\":\"0x1\",\"id\":1,\"state\":\"$1\",\"size\":4,\"uid\":0,\"name\":\"$2\"}"
		shift 2
	done
	echo "[$list]" >"$tmp/objects"
}

objects idle /db running /old
script pkram-tools.prerm remove;	is 0 '' '' 'the tools are removed while nothing needs them'
objects idle /db sealed /vm1 claimed /vm2
script pkram-tools.prerm upgrade 0.2;	is 0 '' '' 'an upgrade leaves guests alone'
script pkram-tools.prerm remove;	is 1 '' '/vm1 (sealed)' 'the tools are not removed while a guest is saved'
grep -qF '/vm2 (claimed)' "$tmp/err"; report $? 'one that runs is named, too'
! grep -q /db "$tmp/err"; report $? 'other objects are not'
PKRAM_REMOVE_ANYWAY=1 script pkram-tools.prerm remove; is 0 '' '' 'PKRAM_REMOVE_ANYWAY overrides that'
objects idle /db sealed '/a{b}\"c' idle /e
script pkram-tools.prerm remove;	is 1 '' '/a{b}' 'a name may have braces and quotes'
rm "$tmp/objects"
script pkram-tools.prerm remove;	is 1 '' 'does not tell whether guests are in the pool' 'nor if pkramctl fails'
objects idle /db
mkdir "$tmp/states"; touch "$tmp/states/vm3.state"
script pkram-tools.prerm remove;	is 1 '' 'vm3.state (saved)' 'nor while a guest without an object is saved'
rm "$tmp/states/vm3.state"
mkdir -p "$tmp/run/vm5" "$tmp/run/vm6" "$tmp/run/vm7"
sh -c 'read -r x' qemu -pidfile "$tmp/run/vm5/pid" < <(exec sleep 600 2>/dev/null) & pid=$!
echo $pid >"$tmp/run/vm5/pid"; echo $$ >"$tmp/run/vm6/pid"; echo 4194305 >"$tmp/run/vm7/pid"
script pkram-tools.prerm remove;	is 1 '' 'vm5 (runs)' 'nor while a guest runs that has not claimed its RAM'
! grep -qE 'vm[67]' "$tmp/err"; report $? 'a pid that is another process, or none, is no guest'
mv "$tmp/sys/module/pkram" "$tmp/sys/pkram"
script pkram-tools.prerm remove;	is 1 '' 'vm5 (runs)' 'the module need not be loaded for that'
mv "$tmp/sys/pkram" "$tmp/sys/module/pkram"
kill "$pid"; wait "$pid" 2>/dev/null
script pkram-tools.prerm remove;	is 0 '' '' 'when it has ended they are removed'
rm -r "$tmp/sys/module/pkram"
mkdir "$tmp/notes"; echo vm4 >"$tmp/notes/saved"; touch -d 2001-01-01 "$tmp/notes/saved"
script pkram-tools.prerm remove;	is 1 '' 'vm4 (saved' 'nor without the module, while its pool waits'
touch "$tmp/notes/saved"
script pkram-tools.prerm remove;	is 0 '' '' 'a note of this boot is no reason: the module was unloaded'
: >"$tmp/notes/saved"; touch -d 2001-01-01 "$tmp/notes/saved"
script pkram-tools.prerm remove;	is 0 '' '' 'a pool without saved guests is no reason'
rm "$tmp/notes/saved"
script pkram-tools.prerm remove;	is 0 '' '' 'without the module there is no guest'
mkdir "$tmp/sys/module/pkram"

echo '{"regions":2,"size":4}' >"$tmp/pool"
script pkram-dkms.prerm remove;		is 0 '' 'there is a pool, and no kernel that is booted from now on has a' 'removing the module warns of a pool'
script pkram-dkms.prerm upgrade 0.2;	is 0 '' '' 'an upgrade does not'
echo '{"regions":0,"size":0}' >"$tmp/pool"
script pkram-dkms.prerm remove;		is 0 '' '' 'without a pool there is nothing to warn of'
tap_finish
