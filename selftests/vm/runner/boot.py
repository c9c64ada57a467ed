# SPDX-License-Identifier: GPL-2.0
"""Run QEMU for one scenario, and end it, or one of its tests, at its limit."""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

from . import host
from .clock import Clock

# Say again that a test is over if nothing happens for so long, in seconds
REPEAT = 5
DRIVE = "if=none,format=raw"


def slot():
    """Wait for one of the machine's VM slots and return it, an open lock file.

    So runs side by side do not slow each other down too much.
    """
    slots = int(os.environ.get("PKRAM_VM_SLOTS") or len(os.sched_getaffinity(0)))
    while True:
        for number in range(slots):
            lock = host.try_lock(host.CACHE / f"locks/vm-slot-{number}")
            if lock:
                return lock
        time.sleep(0.5)


class Boot:
    """One run of QEMU."""

    def __init__(self, scenario, image, opts, sockets):
        self.scenario = scenario
        self.image = image
        self.opts = opts
        self.directory = image.directory
        self.socket = Path(sockets) / f"{scenario.series}-{scenario.name}-{os.getpid()}"
        self.results = self.directory / "results"
        self.time = 0.0             # of the VM's own
        self.timed_out = False

    # -- the command line ------------------------------------------------------------

    def command(self):
        """QEMU with all its arguments."""
        one, conf, directory = self.scenario, self.scenario.conf, self.directory
        accel = ["-accel", "tcg,thread=multi"]
        if one.guests:
            accel = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=on,align=off"]
        console = f"file,id=console,path={directory}/console"
        if self.opts.interactive or self.opts.verbose:
            console = f"stdio,id=console,mux=on,signal=off,logfile={directory}/console"
        cmdline = f"{one.cmdline} vmtest.boot=0"
        if self.opts.interactive and conf["ROOT"]:
            cmdline += " systemd.journald.forward_to_console=0"
        return [
            self.image.prepared.get("host_qemu"), "-nodefaults", "-no-user-config",
            "-machine", "q35", *accel, "-cpu", one.cpu, "-m", one.memory, "-smp", one.smp,
            "-display", "none", "-no-reboot",
            "-kernel", f"{self.image.kernel_dir(one.kernels[0])}/vmlinuz",
            "-initrd", f"{directory}/initrd", "-append", cmdline,
            "-chardev", console, "-serial", "chardev:console",
            # init is told on the same port when a test has reached its limit.
            "-chardev", f"socket,id=results,path={self.socket},server=on,wait=off,"
            f"logfile={self.results}", "-serial", "chardev:results",
            *self._disks(), *self._net(), *self._firmware(), *conf["QEMU_ARGS"].split(),
        ]

    def _disk(self, name, path, serial, more=",readonly=on"):
        return ["-drive", f"file={path},id={name},{DRIVE}{more}",
                "-device", f"virtio-blk-pci,drive={name}{serial}"]

    def _disks(self):
        one, arguments = self.scenario, []
        if one.conf["ROOT"]:
            # A reset is a reset there, and boots the first kernel again.
            arguments += ["-action", "reboot=reset"]
            arguments += self._disk("root", f"{self.image.debian}/root", "", ",snapshot=on")
        elif len(one.stages) > 1:
            files = {"initrd": self.directory / "initrd"}
            for series in dict.fromkeys(one.kernels):
                files[self.image.image_id(series)] = \
                    Path(self.image.kernel_dir(series)) / "vmlinuz"
            for name, path in files.items():
                arguments += self._disk(name, path, f",serial={name}:{path.stat().st_size}")
        if one.guests:
            arguments += self._disk("guest", self.directory / "guest", ",serial=guest:")
        return arguments

    def _net(self):
        if not self.scenario.conf["NET"]:
            return []
        peer = f"{host.VM}/guest/peer.sh"
        forward = ",".join(f"guestfwd=tcp:10.0.2.100:{port}-cmd:{peer} {what} {self.directory}/peer"
                           for port, what in ((7000, "serve"), (7001, "show")))
        return ["-netdev", f"user,id=net,restrict=on,{forward}",
                "-device", "virtio-net-pci,netdev=net,romfile="]

    def _firmware(self):
        if self.scenario.conf["FIRMWARE"] != "uefi":
            return []
        shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", self.directory / "vars")
        pflash = "if=pflash,format=raw"
        return ["-drive", f"{pflash},readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
                "-drive", f"{pflash},file={self.directory}/vars"]

    # -- the run -----------------------------------------------------------------------

    def run(self, progress):
        """Run QEMU to its end, or to the scenario's limit."""
        command = self.command()
        (self.directory / "command").write_text(shlex.join(command) + "\n")
        self.results.unlink(missing_ok=True)
        if self.opts.interactive or self.opts.verbose:
            self._wait(host.start(command), progress)
        else:
            with open(self.directory / "qemu.log", "wb") as log:
                self._wait(host.start(command, stdin=subprocess.DEVNULL, stdout=log,
                                      stderr=subprocess.STDOUT), progress)

    def _wait(self, qemu, progress):
        clock = Clock(qemu.pid)
        watch = Watch(self.scenario)
        limit = None if self.opts.interactive else self.scenario.limit
        key = (self.scenario.series, self.scenario.name)
        init = Init(self.socket)
        try:
            while True:
                try:
                    qemu.wait(timeout=0.25)
                    break
                except subprocess.TimeoutExpired:
                    pass
                self.time = clock.sample()
                if watch.read(self.results, self.time) and watch.test:
                    progress.detail(watch.test, key, log=False)
                init.drain()
                if watch.over(self.time):
                    init.tell(f"over {watch.test}\n")
                if limit and self.time > limit:
                    self.timed_out = True
                    qemu.terminate()
                    try:
                        qemu.wait(timeout=5)
                    except subprocess.TimeoutExpired:
                        qemu.kill()
                        qemu.wait()
                    break
        finally:
            init.close()
            host.ended(qemu)
            self.socket.unlink(missing_ok=True)


class Init:
    """The connection to init in the VM, made when there is something to tell it.

    It stays open: QEMU drops what it has not yet read when the peer hangs up. What init
    writes comes here too, and is drained, as QEMU would wait for that (the results are
    read from a file).
    """

    def __init__(self, path):
        self.path = str(path)
        self.sock = None

    def tell(self, text):
        """Send a line to init. If it cannot be sent, the caller repeats it later."""
        try:
            if not self.sock:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.settimeout(1)
                self.sock.connect(self.path)
            self.sock.sendall(text.encode())
        except OSError:
            self.close()

    def drain(self):
        """Throw away what init wrote."""
        with contextlib.suppress(OSError):
            while self.sock and self.sock.recv(65536, socket.MSG_DONTWAIT):
                pass

    def close(self):
        """Hang up."""
        if self.sock:
            self.sock.close()
            self.sock = None


class Watch:
    """Which test runs, since when, by what init writes; and is it over its limit?"""

    def __init__(self, scenario):
        self.scenario = scenario
        self.place = 0
        self.test = None
        self.since = 0.0
        self.told = None

    def read(self, path, now):
        """Read what is new; was there anything?"""
        try:
            with open(path, "rb") as file:
                file.seek(self.place)
                text = file.read()
        except OSError:
            return False
        text = text[:text.rfind(b"\n") + 1]
        self.place += len(text)
        for line in text.decode(errors="replace").splitlines():
            if line.startswith("@begin "):
                self.test, self.since, self.told = line.split()[1], now, None
            elif line.startswith(("@result ", "@boot ", "@leaving", "@end")):
                self.test = None
        return bool(text)

    def over(self, now):
        """Must init be told that the test has reached its limit?"""
        limit = self.test and self.scenario.test_limit(self.test)
        if not limit or now - self.since < limit:
            return False
        if self.told is not None and now - self.told < REPEAT:
            return False
        self.told = now
        return True
