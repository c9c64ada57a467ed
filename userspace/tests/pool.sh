#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of what pkram-pool.service runs, with a pkramctl that has no kernel.
# usage: pool.sh BUILD-DIRECTORY
set -u
here=$(realpath "$(dirname "$0")")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
. "$here/cli_lib.sh"

mkdir "$tmp/bin" "$tmp/states"
cat >"$tmp/bin/pkramctl" <<'END'
#!/bin/sh
case $* in
"-j pool show") cat "$FAKE_POOL" ;;
"pool grow "*) echo "$3" >>"$FAKE_POOL.grown" ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/bin/pkramctl"

# pool REGIONS SIZE: what there is
pool()
{
	echo '{"uuid":"0c1e9fa0-0000-4000-8000-000000000001","format_version":1,"read_only":false,' \
		"\"regions\":$1,\"objects\":2,\"quarantined\":0,\"size\":$2,\"free\":5}" |
		tr -d ' ' >"$tmp/pool"
	rm -f "$tmp/pool.grown"
}

# run up|down [VARIABLE=VALUE...]
run()
{
	local what=$1
	shift
	env FAKE_POOL="$tmp/pool" PKRAM_NOTE_DIR="$tmp/notes" PKRAM_STATE_DIR="$tmp/states" \
		PATH="$tmp/bin:$PATH" "$@" "$here/../systemd/pkram-pool" "$what" \
		>"$tmp/out" 2>"$tmp/err"
	rc=$?
}

evidence() { grep -r . "$tmp/notes"; }
grown() { [ "$(cat "$tmp/pool.grown" 2>/dev/null)" = "$1" ]; report $? "$2"; }
said() { grep -qF -- "$1" "$tmp/err"; report $? "$2"; }

pool 0 0
run up
is 0 '' '' 'no pool, and there was none: nothing to say'
run up SIZE=4G
is 0 '' '' 'an empty pool grows'
grown 4G '... to SIZE'
pool 1 $((3 << 30))
run up SIZE=4G
is 0 '' '<5>pool 0c1e9fa0' 'a pool that is there is shown'
grown 1G '... and grows by what is missing'
pool 1 $((4 << 30))
run up SIZE=4G
grown '' 'a pool that is large enough stays'
run up SIZE=4T
is 1 '' 'SIZE=4T is not a number of GiB' 'another unit is refused'
run up SIZE=G
is 1 '' 'SIZE=G is not a number of GiB' 'no number is refused'
grown '' '... and nothing is done'

touch "$tmp/states/vm1.state" "$tmp/states/vm1.state.info" "$tmp/states/vm2.state"
run down
is 0 '' '' 'a host goes down with saved guests'
rm "$tmp/states"/*
pool 0 0
run up SIZE=4G
is 0 '' 'the pool 0c1e9fa0-0000-4000-8000-000000000001' 'a pool that was lost is named'
said "last used by kernel $(uname -r), is gone" '... with the kernel that had it'
said 'guest vm1 was saved in it, and is lost' '... and the first guest'
said 'guest vm2 was saved in it, and is lost' '... and the second'
[ "$(grep -c guest "$tmp/err")" = 2 ]
report $? '... and no others'
grown 4G '... and there is one anew'
run up
is 0 '' '' 'it is said once'

pool 1 $((4 << 30))
run up
pool 0 0
run down
run up
is 0 '' '' 'a pool that was given back is not missed'
echo nonsense >"$tmp/pool"
chmod -x "$tmp/bin/pkramctl"
run up
[ "$rc" = 1 ]
report $? 'without pkramctl it fails'
run sideways
is 2 '' 'usage: pool up|down' 'what is wanted must be said'
finish
