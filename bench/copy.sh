#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# copy.sh - compare export, import and verify with fio, alternating: the same disk,
# request size and depth, O_DIRECT.  The object is in a tmpfs of huge pages, which like
# the pool is RAM in pieces of 2 MiB; the other side is a file in BENCH_DIR.  The memory
# that an import fills is allocated in advance, as in a pool.  Needs root, for the mount.
#
#   bench/copy.sh [SIZE_MIB [CHUNK_KIB [DEPTH [ROUNDS]]]]

set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"

size=${1:-512} chunk=${2:-2048} depth=${3:-16} rounds=${4:-5}
disk=${BENCH_DIR:-$PKRAM_BUILD/bench}
ctl=$PKRAM_BUILD/userspace/pkramctl

# value FILE EXPRESSION - print a number from a JSON file; d in the Python EXPRESSION is
# the file
value() { python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(int(eval(sys.argv[2])))' "$1" "$2"; }

# ours WORDS... - run pkramctl; print MiB/s of wall time, including syncs and renames
ours() {
	"$ctl" -j "$@" --quiet --depth "$depth" >"$work/json"
	value "$work/json" 'd[0]["data"] * 1000 / max(d[0]["elapsed_ms"], 1) / 2**20'
}

# theirs WORDS... - run fio; print the MiB/s that it reports
theirs() {
	fio --name=bench --ioengine=io_uring --fixedbufs=1 --direct=1 --bs="${chunk}k" \
		--iodepth="$depth" --size="${size}m" --output-format=json "$@" >"$work/json"
	value "$work/json" '(lambda j: (j["read"]["bw_bytes"] + j["write"]["bw_bytes"]) / 2**20)(d["jobs"][0])'
}

median() { sort -n "$1" | sed -n "$(((rounds + 1) / 2))p"; }

# row NAME OURS THEIRS - print the medians of two columns
row() {
	local a b
	a=$(median "$work/$2") b=$(median "$work/$3")
	printf '%-8s %8d MiB/s   %-9s %8d MiB/s   %3d %%\n' "$1" "$a" "fio ${3##*-}" "$b" \
		$((a * 100 / (b ? b : 1)))
}

need_packages fio python3
make -s -C "$PKRAM_TOP" userspace >&2
mkdir -p "$disk"
work=$(mktemp -d "$disk/copy-XXXXXX") || exit 1
ram=$work/ram
mkdir "$ram"
trap 'umount "$ram"; rm -rf "${work:?}"' EXIT
mount -t tmpfs -o "huge=always,size=$((size * 2 + 64))m" pkram-bench "$ram"
head -c "${size}M" /dev/urandom >"$ram/object"

for ((i = 0; i < rounds; i++)); do
	rm -f "$work"/image* "$work/fio" "$ram/back"
	ours export --chunk "${chunk}K" "$ram/object" "$work/image" >>"$work/export"
	theirs --rw=write --end_fsync=1 --filename="$work/fio" >>"$work/fio-write"
	fallocate -l "${size}M" "$ram/back.part"
	ours import --name "$ram/back" "$work/image" >>"$work/import"
	theirs --rw=read --filename="$work/fio" >>"$work/fio-read"
	ours verify "$work/image" >>"$work/verify"
	cmp "$ram/object" "$ram/back"
done

echo "$size MiB of random bytes, $depth requests of $chunk KiB in flight, on $(df --output=source,fstype "$disk" | tail -n 1 | tr -s ' '); median of $rounds rounds"
row export export fio-write
row import import fio-read
row verify verify fio-read
