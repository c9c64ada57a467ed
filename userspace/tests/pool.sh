#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of the script that pkram-pool.service runs, with a fake pkramctl.
# usage: pool.sh BUILD-DIRECTORY
set -u
here=$(realpath "$(dirname "$0")")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "${tmp:?}"' EXIT
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

# pool REGIONS SIZE - set what the fake pkramctl reports
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
is 0 '' '' 'up without a pool prints nothing'
run up SIZE=4G
is 0 '' '' 'up grows an empty pool'
grown 4G 'up grows an empty pool to SIZE'
pool 1 $((3 << 30))
run up SIZE=4G
is 0 '' '<5>pool 0c1e9fa0' 'up prints an existing pool'
grown 1G 'up grows an existing pool by what is missing'
pool 1 $((4 << 30))
run up SIZE=4G
grown '' 'up does not grow a pool that is large enough'
run up SIZE=4T
is 1 '' 'SIZE=4T is not a number of GiB' 'up refuses SIZE in TiB'
run up SIZE=G
is 1 '' 'SIZE=G is not a number of GiB' 'up refuses SIZE without a number'
grown '' 'up with an invalid SIZE does not grow the pool'

touch "$tmp/states/vm1.state" "$tmp/states/vm1.state.info" "$tmp/states/vm2.state"
run down
is 0 '' '' 'down succeeds with saved guests'
grep -qE "^[0-9]{16} $(cat /proc/sys/kernel/random/boot_id)\$" "$tmp/notes/down"; report $? 'down notes when it ran, and in which boot'
rm "$tmp/states"/*
pool 0 0
run up SIZE=4G
is 0 '' 'the pool 0c1e9fa0-0000-4000-8000-000000000001' 'up reports a lost pool'
said "last used by kernel $(uname -r), is gone" 'up prints the kernel that last used the lost pool'
said 'guest vm1 was saved in it, and is lost' 'up prints the first lost guest'
said 'guest vm2 was saved in it, and is lost' 'up prints the second lost guest'
[ "$(grep -c guest "$tmp/err")" = 2 ]
report $? 'up prints no other guest'
grown 4G 'up grows a new pool after a loss'
[ "$(sed 1d "$tmp/notes/lost")" = "vm1
vm2" ] && head -n 1 "$tmp/notes/lost" | grep -qxE '20[0-9-]{8} [0-9:]{5}'; report $? 'up notes the lost guests for pkramctl health'
run up
is 0 '' '' 'up reports a lost pool once'
[ "$(wc -l <"$tmp/notes/lost")" = 3 ]; report $? 'and leaves the note of the guests'
touch "$tmp/states/vm2.state" "$tmp/states/vm3.state"
pool 1 $((4 << 30)); run down; rm "$tmp/states"/*; pool 0 0; run up
[ "$(sed 1d "$tmp/notes/lost" | tr '\n' ' ')" = 'vm1 vm2 vm3 ' ]; report $? 'the guests of a second loss are added'

pool 1 $((4 << 30))
run up
pool 0 0
run down
run up
is 0 '' '' 'up does not report a pool that was shrunk to nothing'
echo nonsense >"$tmp/pool"
chmod -x "$tmp/bin/pkramctl"
run up
[ "$rc" = 1 ]
report $? 'up fails if pkramctl fails'
run sideways
is 2 '' 'usage: pool up|down' 'an unknown argument is a usage error'
tap_finish
