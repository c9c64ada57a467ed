# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Helpers of the scripts that test guests: guests with a QEMU without a guest (fake_qemu.py), in
# a directory of their own. The script that includes this file got the build directory as $1.
O=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
tmp=$(mktemp -d) || exit 1
export LC_ALL=C.UTF-8 TZ=UTC
# Whether this machine has kexec(8) changes nothing
export PKRAM_KEXEC=/none
umask 022	# others may not write to definitions
. "$here/cli_lib.sh"
out_is=E

# Clean up after a failed test. The sockets are in $tmp, so no other cleanup finds them.
end_all()
{
	ctl guest stop --all --force
	rm -rf "${tmp:?}/run" "$tmp/log.d" "$tmp/state" "$tmp/guests" "$tmp/pool" "$tmp"/ram*
	mkdir -p "$tmp/state" "$tmp/guests" "$tmp/pool/.pkram"
}
trap 'end_all; rm -rf "${tmp:?}" "${ram:-$tmp}"' EXIT

# ctl ARGS... - run pkramctl; set $rc, $tmp/out, $tmp/err
ctl()
{
	PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=${state:-$tmp/state} \
		PKRAM_RUN_DIR=$tmp/run PKRAM_LOG_DIR=$tmp/log.d FAKE_QEMU_LOG=$tmp/qemu.log \
		PATH=$tmp/bin:$PATH "$O/tests/pkramctl" "$@" \
		>"$tmp/out" 2>"$tmp/err"
	rc=$?
	keep_json "$@"
}

# host WORDS ARGS... - run pkramctl with the fake kernel (PKRAM_FAKE=WORDS). The program
# built with sanitizers cannot be used here: they conflict with LD_PRELOAD.
host()
{
	local words=$1
	shift
	PKRAM_FAKE=$words PKRAM_FAKE_LOG=$tmp/log LD_PRELOAD=$O/tests/fake.so \
		PKRAM_MODULES_DIR=$tmp/modules PKRAM_BOOT_DIR=$tmp/boot PKRAM_POOL_CONF=$tmp/pool.conf \
		PKRAM_FAKE_POOL=$tmp/pool PKRAM_DIR=$tmp/pool PKRAM_NOTE_DIR=$tmp/notes \
		PKRAM_GUESTS_DIR=$tmp/guests PKRAM_STATE_DIR=${state:-$tmp/state} \
		PKRAM_RUN_DIR=$tmp/run PKRAM_LOG_DIR=$tmp/log.d FAKE_QEMU_LOG=$tmp/qemu.log \
		PATH=$tmp/bin:$PATH "$O/pkramctl" "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	keep_json "$@"
}

evidence() { ls "$tmp/state"; }

also() { grep -qE -- "$1" "$tmp/$2"; report $? "$3"; }
there() { [ -e "$tmp/state/$1" ]; report $? "$2"; }
gone() { [ ! -e "$tmp/state/$1" ]; report $? "$2"; }

# does NAME STATE WHAT - check the state of a guest
does()
{
	ctl guest show "$1"
	awk -v s="$2" 'NR == 2 && $2 == s { good = 1 } END { exit !good }' "$tmp/out"
	report $? "$3"
}

# ask NAME COMMAND [ARGUMENTS] - send a QMP command to a guest's QEMU without pkramctl; print
# its answer
ask()
{
	python3 -c '
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile()
f.readline()
for c, a in ("qmp_capabilities", "{}"), sys.argv[2:]:
    s.sendall(json.dumps({"execute": c, "arguments": json.loads(a)}).encode())
    line = f.readline()
    while "event" in json.loads(line):
        line = f.readline()
print(line, end="")' "$tmp/run/$1/qmp" "$2" "${3:-{\}}"
}

tell() { ask "$@" >/dev/null; }

# wait_for COMMAND... - repeat a command until it succeeds. After 20 seconds it gives up,
# and the next check fails.
wait_for()
{
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" && return
		sleep 0.1
	done
}

is_listed() { ctl guest show "$1"; grep -q "$2" "$tmp/out"; }

# define NAME [OPTIONS] - write the definition of a guest
define()
{
	local nr=${1//[!0-9]/}
	cat >"$tmp/guests/$1.conf" <<-END
		# $1
		uuid = 5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a${nr:-0}
		qemu = $qemu
		stop-timeout = 2
		-machine ${machine:-pc-q35-10.0},memory-backend=ram0 -m 16M
		-object memory-backend-file,id=ram0,size=16M,share=on,mem-path=$ram/ram-$1
		-display none -nodefaults
		${2:-}
	END
}

# answer TEXT ARGS... - run pkramctl on a terminal, and answer its questions; what it prints is in out,
# with its escape sequences; TEXT of q: end `pkramctl top`
answer()
{
	PKRAM_FAKE=${words:-empty} PKRAM_FAKE_LOG=$tmp/log PKRAM_MODULES_DIR=$tmp/modules \
		PKRAM_FAKE_POOL=$tmp/pool PKRAM_DIR=$tmp/pool PKRAM_NOTE_DIR=$tmp/notes PKRAM_GUESTS_DIR=$tmp/guests \
		PKRAM_STATE_DIR=$tmp/state PKRAM_RUN_DIR=$tmp/run FAKE_QEMU_LOG=$tmp/qemu.log \
		PATH=$tmp/bin:$PATH python3 - "$O/tests/fake.so" "$@" >"$tmp/out" 2>"$tmp/err" <<-'END'
		import os, pty, sys
		shim, text, pid_fd = sys.argv[1], sys.argv[2], pty.fork()
		if not pid_fd[0]:
		    os.environ.update(LD_PRELOAD=shim, TERM="xterm")
		    os.execv(sys.argv[3], sys.argv[3:])
		seen, asked = b"", 0
		end = text.startswith("q") and len(text) == 1
		while True:
		    if end and b"q ends it" in seen:
		        os.write(pid_fd[1], b"q")
		        end = False
		    try:
		        data = os.read(pid_fd[1], 4096)
		    except OSError:
		        break
		    if not data:
		        break
		    seen += data
		    if seen.count(b"[y/N] ") > asked:
		        asked += 1
		        os.write(pid_fd[1], text.encode() + b"\n")
		print(seen.decode().replace("\r", ""), end="")
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid_fd[0], 0)[1]))
	END
	rc=$?
}

# sealed NAME [OPTIONS] - define a guest with its RAM in pkram, and make its object
sealed()
{
	define "$@"
	sed -i "s|^-object .*|-object memory-backend-pkram,id=ram0,size=16M,name=$1,dir=$tmp/pool|" \
		"$tmp/guests/$1.conf"
	truncate -s 16M "$tmp/pool/$1"
}

# shows NAME STATE WHAT - check the state that guest show prints
shows()
{
	host idle guest show "$1"
	grep -q "^$1 \+$2" "$tmp/out"; report $? "$3"
}

qemu_lives() { kill -0 "$(cat "$tmp/run/$1/pid")"; report $? "$2"; }

mkdir -p "$tmp/bin" "$tmp/state" "$tmp/guests" "$tmp/pool/.pkram"
# RAM of the guests is not saved from a file system in RAM, as /tmp may be
ram=$(mktemp -d -p "$O/tests") || exit 1
touch "$ram/ram-vm1" "$ram/ram-vm2" "$ram/ram-vm3"
# The fake kernel is preloaded into pkramctl only.
printf '#!/bin/sh\nunset LD_PRELOAD\nexec "%s/fake_qemu.py" "$@"\n' "$here" >"$tmp/bin/fake"
# $JOBS, and the file jobs, are what is queued; the file start is run for what is started;
# with the file mute it does not tell. Units of guests are started in the background
cat >"$tmp/bin/systemctl" <<END
#!/bin/sh
echo "systemctl \$*" >>$tmp/log
case \$* in
*list-jobs*) [ ! -e $tmp/mute ] || exit 1; echo "\$JOBS"; cat $tmp/jobs 2>/dev/null; exit \${JOBS_RC:-0} ;;
*TimeoutStopUSec*) echo "\${STOP_TIMEOUT:-15min}" ;;
*show*Timestamp*) echo "\$BOOT_TIMES" ;;
*list-units*failed*) [ -z "\$FAILED" ] || echo "\$FAILED loaded failed failed Guest" ;;
*is-enabled*) exit \${DISABLED:-1} ;;
*is-active*)
	if grep -q "^State:.[^ZX]" "/proc/\$(cat $tmp/unit 2>/dev/null)/status" 2>/dev/null; then
		echo \${ACTIVE:-active}
	else
		echo \${INACTIVE-inactive}
		exit 3
	fi ;;
*ActiveState,Job*)
	for unit; do :; done
	! kill -0 "\$(cat $tmp/starts.\$unit 2>/dev/null)" 2>/dev/null || echo ActiveState=activating ;;
start*--no-block*pkram-guest*)
	for unit; do :; done
	(
		[ ! -e $tmp/start ] || . $tmp/start
	) &
	echo \$! >$tmp/starts.\$unit ;;
start*) [ ! -e $tmp/start ] || . $tmp/start ;;
esac
END
# As systemd-run: run what comes after -- in the background, in the environment that it is given
cat >"$tmp/bin/systemd-run" <<END
#!/bin/sh
echo "systemd-run \$*" >>$tmp/log
[ -z "\$NO_RUN" ] || exit 5
while [ "\$1" != -- ]; do
	case \$1 in
	--setenv=*) export "\${1#--setenv=}" ;;
	--property=StandardOutput=*) out=\${1#*:} ;;
	--property=StandardError=*) err=\${1#*:} ;;
	esac
	shift
done
shift
setsid "\$@" >"\$out" 2>"\$err" </dev/null &
echo \$! >$tmp/unit
END
chmod +x "$tmp/bin/fake" "$tmp/bin/systemctl" "$tmp/bin/systemd-run"
: >"$tmp/qemu.log"

qemu=$tmp/bin/fake
