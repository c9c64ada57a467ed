# SPDX-License-Identifier: GPL-2.0
"""QEMU under the fake pkramfs: start it, talk QMP, look at its objects.

The guest is selftests/vm/guest/tiny.c, without KVM: it fills its RAM with a pattern,
counts, and checks the pattern as it counts.
"""
import contextlib
import ctypes
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

# Limit for what takes a fraction of a second if it does not hang
SECONDS = 30
UUID = "0b000000-0000-4000-8000-000000000001"


class Failure(Exception):
    """A test failed; the text says why."""


class Refused(Exception):
    """QEMU answered a command with an error."""


class State(ctypes.Structure):
    """struct object of pkramfs.c"""
    _fields_ = [("id", ctypes.c_uint64), ("generation", ctypes.c_uint64),
                ("sealed", ctypes.c_uint32), ("ran", ctypes.c_uint32),
                ("pid", ctypes.c_int32), ("fd", ctypes.c_int32),
                ("cookie", ctypes.c_uint8 * 16), ("vm_uuid", ctypes.c_uint8 * 16)]


class Host:
    """A directory with objects, and the QEMUs that use it."""

    def __init__(self, qemu, tiny, shim):
        self.qemu, self.tiny, self.shim = qemu, tiny, shim
        self.top = tempfile.mkdtemp(prefix="pkram-qemu-", dir="/dev/shm")
        self.dir = os.path.join(self.top, "pkram")
        os.mkdir(self.dir)
        self.running = []

    def path(self, name):
        return os.path.join(self.dir, name)

    def file(self, name):
        return os.path.join(self.top, name)

    def start(self, *objects, args=(), incoming=False, fake=""):
        q = Qemu(self, objects, args, incoming, fake)
        self.running.append(q)
        return q

    def state(self, name):
        """Return what the kernel would call the object's state."""
        try:
            with open(self.path("." + name + ".state"), "rb") as f:
                s = State.from_buffer_copy(f.read())
        except FileNotFoundError:
            return "idle"
        if s.sealed:
            return "sealed"
        if s.pid and alive(s.pid):
            return "claimed"
        return "running" if s.ran else "idle"

    def content(self, name):
        with open(self.path(name), "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def disk(self):
        """Make an empty disk of 64 MiB, in the format qcow2 version 2."""
        size, cluster = 64 << 20, 1 << 16
        header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, size, 0, 1,
                             3 * cluster, cluster, 1, 0, 0)
        with open(self.file("disk"), "wb") as f:
            f.write(header.ljust(cluster, b"\0"))
            f.write(struct.pack(">Q", 2 * cluster).ljust(cluster, b"\0"))
            f.write((4 * struct.pack(">H", 1)).ljust(cluster, b"\0"))
            f.write(bytes(cluster))

    def clean(self):
        for q in self.running:
            q.kill()
        self.running = []
        for directory in self.dir, self.top:
            for name in os.listdir(directory):
                with contextlib.suppress(IsADirectoryError):
                    os.unlink(os.path.join(directory, name))

    def remove(self):
        self.clean()
        shutil.rmtree(self.top)


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def until(what, condition, seconds=SECONDS):
    """Wait for a condition; the time is only a limit for a hang."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("waited in vain: " + what)
        time.sleep(0.02)


class Qemu:
    used = set()        # commands that any QEMU was given

    def __init__(self, host, objects, args, incoming, fake):
        self.host = host
        self.log = os.path.join(host.top, "log%d" % len(host.running))
        if not os.path.exists(host.file("disk")):
            host.disk()
        self.ports = [self.log + ".port0", self.log + ".port1"]
        command = [host.qemu, "-nodefaults", "-display", "none", "-accel", "tcg",
                   "-machine", "q35,memory-backend=ram0", "-m", "8M,slots=4,maxmem=4G",
                   "-uuid", UUID, "-bios", host.tiny,
                   "-chardev", "file,id=port0,path=" + self.ports[0], "-serial", "chardev:port0",
                   "-chardev", "socket,id=port1,server=on,wait=off,path=" + self.ports[1],
                   "-serial", "chardev:port1",
                   "-chardev", "stdio,id=qmp,signal=off", "-mon", "chardev=qmp,mode=control"]
        for obj in objects or ("memory-backend-pkram,id=ram0,size=8M,name=vm1",):
            if obj.startswith("memory-backend-pkram"):
                obj += ",dir=" + host.dir
            command += ["-object", obj]
        # Its RAM is in the stream, which is then long enough for save_slowly().
        command += ["-object", "memory-backend-ram,id=private,size=256M",
                    "-device", "pc-dimm,memdev=private,id=dimm0",
                    "-blockdev", "qcow2,node-name=disk,file.driver=file,file.filename=" +
                    host.file("disk")]
        command += ["-incoming", "defer"] if incoming else []
        self.events = []
        self.fd, theirs = socket.socketpair()
        self.fd.settimeout(SECONDS)
        env = dict(os.environ, LD_PRELOAD=host.shim, PKRAM_FAKE_DIR=host.dir, PKRAM_FAKE=fake,
                   ASAN_OPTIONS="detect_leaks=0")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command + list(args), stdin=theirs, stdout=theirs,
                                            stderr=log, env=env)
        theirs.close()
        self.reader = self.fd.makefile()
        self.greeted = bool(self.reader.readline())
        try:
            if self.greeted:
                self.do("qmp_capabilities")
        except Failure:
            self.greeted = False

    def errors(self):
        with open(self.log) as f:
            return f.read()

    def do(self, command, **args):
        """Run a QMP command; return its answer, or raise Refused."""
        Qemu.used.add(command)
        args = {name.replace("_", "-"): value for name, value in args.items()}
        try:
            self.fd.sendall(json.dumps({"execute": command, "arguments": args}).encode())
            while True:
                line = self.reader.readline()
                if not line:
                    break
                answer = json.loads(line)
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise Refused(answer["error"]["desc"])
                self.events.append(answer)
        except (BrokenPipeError, ConnectionResetError):
            pass
        except TimeoutError as e:
            raise Failure("no answer to " + command) from e
        raise Failure("QEMU ended in %s: %s" % (command, self.ended()))

    def ended(self):
        code = self.process.wait(SECONDS)
        return "%s; %s" % (signal.Signals(-code).name if code < 0 else "exit status %d" % code,
                           self.errors())

    def hmp(self, text):
        return self.do("human-monitor-command", command_line=text)

    def said(self, text):
        """Run a command of HMP that says something only if it fails."""
        said = self.hmp(text)
        if said:
            raise Refused(said)

    def status(self):
        return self.do("query-status")["status"]

    def migration(self):
        return self.do("query-migrate")

    def seen(self, event):
        self.do("query-status")
        return any(e["event"] == event for e in self.events)

    def wait_end(self):
        self.process.wait(SECONDS)
        return self.process.returncode

    def quit(self):
        self.do("quit")
        return self.wait_end()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.close()
        self.fd.close()

    # The guest

    def guest(self, above=0):
        """Wait until the guest counted above a number; return the count."""
        def look():
            if self.process.poll() is not None:
                raise Failure("QEMU ended: " + self.ended())
            with open(self.ports[0]) as f:
                lines = re.findall(r"counter=(\d+) .* pattern=(\S+)", f.read())
            for count, pattern in lines:
                if pattern != "ok":
                    raise Failure("the guest's RAM changed: " + pattern)
            return lines and int(lines[-1][0]) > above and int(lines[-1][0])
        return until("the guest counts above %d" % above, look)

    def ask(self, command):
        """Have the guest run a command of tiny.c; return its answer."""
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.ports[1])
        s.sendall(command.encode() + b"\n")
        with s, s.makefile() as f:
            for line in f:
                if line.startswith("guest: %s: " % command):
                    return line.partition(": ")[2].partition(": ")[2].strip()
        return ""

    # Saves and loads

    def arm(self, mode="cpr-reboot"):
        self.do("migrate-set-parameters", mode=mode)
        self.do("migrate-set-capabilities",
                capabilities=[{"capability": "x-ignore-shared", "state": True}])

    def over(self):
        def look():
            return self.migration().get("status") in ("completed", "failed", "cancelled") and \
                self.status() not in ("finish-migrate", "restore-vm")
        until("the migration is over", look)
        return self.migration()["status"]

    def save(self, name="state"):
        """Save to a file; return the final status."""
        self.arm()
        self.do("migrate", uri="file:" + self.host.file(name))
        return self.over()

    def save_slowly(self, name="state"):
        """Begin a save that does not end before finish(): its stream is not read."""
        self.arm()
        path = self.host.file("stream")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            self.do("migrate", uri="unix:" + path)
            self.stream, _ = server.accept()
        self.stream_file = self.host.file(name)
        until("the save begins", lambda: self.migration().get("status") != "setup")
        if self.migration()["status"] != "active":
            raise Failure("the save is over too early: %s" % self.migration())

    def finish(self):
        """Let the save of save_slowly() end; return its final status."""
        def drain():
            with self.stream, open(self.stream_file, "wb") as f:
                while True:
                    data = self.stream.recv(1 << 16)
                    if not data:
                        break
                    f.write(data)
        thread = threading.Thread(target=drain)
        thread.start()
        status = self.over()
        thread.join()
        return status

    def load(self, name="state", **args):
        """Load from a file; return the final status. Without exit_on_error QEMU may end."""
        self.arm()
        self.do("migrate-incoming", uri="file:" + self.host.file(name), **args)
        return self.over()
