# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Helpers of the scripts that test pkramctl. A command under test sets $rc,
# $tmp/out and $tmp/err; the functions here check these and print TAP. The script that
# includes this file sets $tmp, and may set $kind, a prefix of test names. It defines
# evidence(), which prints more details of a failure.
# shellcheck disable=SC2154 # rc and tmp are the reader's
. "$(dirname "${BASH_SOURCE[0]}")/../../selftests/tap/tap.sh"
kind=''
out_is=F	# grep's kind of pattern for TEXT-IN-OUT: F or E

# report STATUS WHAT - write a result, and details of the last run if it failed
report()
{
	tap_result "$1" "${kind:+$kind: }$2" || {
		echo "rc $rc, out:"; cat "$tmp/out"
		echo "err:"; cat "$tmp/err"
		evidence
	} | tap_note
}

# is RC TEXT-IN-OUT TEXT-IN-ERR WHAT - check the last run; '' means that nothing was
# printed
is()
{
	local good=0
	[ "$rc" = "$1" ] || good=1
	if [ -n "$2" ]; then grep -q$out_is -- "$2" "$tmp/out" || good=1
	else [ ! -s "$tmp/out" ] || good=1; fi
	if [ -n "$3" ]; then grep -qF -- "$3" "$tmp/err" || good=1
	else [ ! -s "$tmp/err" ] || good=1; fi
	report $good "$4"
}

# json EXPRESSION WHAT - check the last output, which the Python expression sees as d
json()
{
	python3 -c '
import json, sys
d = json.loads(open(sys.argv[1], "rb").read().decode("utf-8"))
sys.exit(0 if eval(sys.argv[2]) else 1)' "$tmp/out" "$1" 2>>"$tmp/err"
	report $? "$2"
}

# make_image VERSION FILE - write the parts of a bzImage that contain its version
make_image()
{
	python3 -c '
import struct, sys
text = sys.argv[1].encode() + b" (who@where) #1 SMP\0"
image = bytearray(0x500) + text + bytes(512)
image[0x1fe:0x206] = b"\x55\xaa\xeb\x00HdrS"
struct.pack_into("<H", image, 0x20e, 0x300)
open(sys.argv[2], "wb").write(image)' "$1" "$2"
}

# make_initrd FILE [NAME...] - write an initrd, as initramfs-tools does, with these files
make_initrd()
{
	local file=$1 dir name
	shift
	dir=$(mktemp -d) || exit 1
	for name in conf/initramfs.conf "$@"; do
		mkdir -p "$dir/$(dirname "$name")"
		head -c 5000 /dev/urandom >"$dir/$name"
	done
	(cd "$dir" && find . | cpio -o -H newc 2>/dev/null | zstd -q) >"$file"
	rm -r "${dir:?}"
}

# make_module DIR VERSION [MODINFO...] - build a pkram module and list it in modules.dep,
# with a file in place of pkram_vfio
make_module()
{
	local dir=$1/$2 info
	shift 2
	mkdir -p "$dir/updates/dkms"
	for info in description=x "$@"; do
		printf '__attribute__((section(".modinfo"), used)) static const char x%d[] = "%s";\n' \
			$((++n_info)) "$info"
	done | gcc -c -x c -o "$dir/updates/dkms/pkram.ko" -
	: >"$dir/updates/dkms/pkram_vfio.ko"
	printf '%s\n' 'kernel/lib/crc32.ko.xz:' 'updates/dkms/pkram.ko: kernel/lib/crc32.ko.xz' \
		'updates/dkms/pkram_vfio.ko: updates/dkms/pkram.ko' >"$dir/modules.dep"
}

# next_kernel - make a kernel image and its module; set $k to the options that boot it
next_kernel()
{
	make_image 6.99.1-test "$tmp/vmlinuz"
	make_module "$tmp/modules" 6.99.1-test pkram_format=1
	# shellcheck disable=SC2034 # for the tests
	k="--kernel $tmp/vmlinuz --no-initrd --command-line x"
}
n_info=0

# keep_json ARGS... - keep the JSON output of a command for schema.py
keep_json()
{
	local arg
	[ -n "${PKRAM_JSON_DIR:-}" ] && [ -s "$tmp/out" ] || return 0
	for arg; do
		case $arg in
		-j | -jp | --json)
			n_json=$((n_json + 1))
			printf '%s\0' "$@" >"$PKRAM_JSON_DIR/$$.$n_json.args"
			cp "$tmp/out" "$PKRAM_JSON_DIR/$$.$n_json.out"
			return
			;;
		esac
	done
}
n_json=0
