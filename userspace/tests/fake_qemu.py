#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A QEMU without a guest: it speaks QMP, saves to a file and loads from it.

-fake WORD,..., or FAKE_QEMU_WORDS in the environment: simulate failures
    no-start        exit with an error
    wrong-size      exit as with an object of another size
    busy            exit with the text in the file FAKE_QEMU_BUSY, if there is one
    busy-load       fail the load with that text
    mute            do not answer on the QMP socket
    blocked         report that migration is blocked
    blocked-normal  the same in mode normal only
    fail-late       fail the migration after the guest was stopped; refuse cont twice
    die-in-save     exit during the save
    slow            never complete a save
    slowly          complete a save after 100 looks at it, which take two seconds
    fail-once       fail the first save after it began
    slow-quit       quit after FAKE_QEMU_SLOW seconds
    slow-flush      answer nothing for FAKE_QEMU_SLOW seconds when a save begins
    hang-in-save    stop this process when a save begins
    die-in-load     print an error and exit during the load
    stays-paused    have an I/O error after the load
    sleeps          be suspended after the start; sleeps-on: and do not wake up
    starts-paused   have an I/O error after the start
    powers-down     power down on request
    huge            have more RAM than fits on any disk, outside of files
    rom             have a device and firmware with a ROM
    tpm             have a TPM that swtpm emulates
    twin            map a removed file named vm1, as its RAM in another directory may be
    no-machine      do not tell the machine
    no-seal         do not seal the RAM in a save
    cut-off         write only a part of the state
    is-continued    run again soon after a save, as if another client had sent "cont"
    no-late-start   end after slow-start
    slow-load       answer nothing for so long after a load has begun
    slow-start      serve its sockets FAKE_QEMU_SLOW seconds after the start
    uses-ram        fail the load after the RAM was used

FAKE_QEMU_UNLOADS: a file to remove when a save begins: the loaded image of fake_system.c

RAM in memory-backend-pkram has its state where fake_system.c looks for it.
"""
import json
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time

STREAM = "the state of "
DESCRIPTION = b'{"page_size": 4096, "devices": []}'
CPU = "/machine/unattached/device[0]"
FEATURES = os.environ.get("FAKE_QEMU_FEATURES", "sse2,avx512f,amx-tile").split(",")
CLAIMED, SEALED, RUNNING = 1, 2, 3


def value(option):
    return sys.argv[sys.argv.index(option) + 1] if option in sys.argv else ""


def machine_type():
    """Return the type of all -machine, of which the last counts"""
    machine = "q35"
    for before, text in zip(sys.argv, sys.argv[1:]):
        if before in ("-machine", "-M"):
            words = text.split(",")
            if "=" not in words[0]:
                words[0] = "type=" + words[0]
            machine = dict(word.split("=", 1) for word in words).get("type", machine)
    return machine


def end(text):
    print("fake_qemu: " + text, file=sys.stderr, flush=True)
    os._exit(1)


def pkram_objects():
    """Return the files with the states of this guest's objects"""
    for before, text in zip(sys.argv, sys.argv[1:]):
        if before == "-object" and text.startswith("memory-backend-pkram,"):
            keys = dict(word.split("=", 1) for word in text.split(",")[1:])
            yield os.path.join(keys["dir"], ".pkram", keys["name"])


def backends():
    """Return the memory backends of the command line, and of the file of -readconfig, by their id"""
    found = {}
    for before, text in zip(sys.argv, sys.argv[1:]):
        if before == "-object" and text.startswith("memory-backend-"):
            kind, *words = text.split(",")
            keys = dict(word.split("=", 1) for word in words)
            found[keys["id"]] = dict(keys, type=kind)
        elif before == "-readconfig":
            with open(text) as f:
                for section in f.read().split("[object ")[1:]:
                    head, *lines = section.strip().split("\n")
                    keys = dict(line.replace('"', "").split(" = ") for line in lines)
                    found[head.strip('"]')] = dict(keys, type=keys["qom-type"])
    return found


class Drive:
    """A -drive, whose file may be replaced"""

    def __init__(self, text, nr):
        keys = dict(word.split("=", 1) for word in text.split(","))
        self.device = keys.get("id", "drive%d" % nr)
        self.removable = keys.get("media") == "cdrom"
        self.open(keys.get("file"))

    def open(self, name):
        # As QEMU, this has it open, whatever becomes of its name
        self.file, self.handle = name, name and not self.protocol(name) and open(name, "rb")

    @staticmethod
    def protocol(name):
        return "vvfat" if name.startswith("fat:") else "nbd" if name.startswith("nbd") else \
            "http" if "://" in name else None

    def nodes(self):
        if self.file and self.protocol(self.file):
            yield {"drv": self.protocol(self.file), "file": self.file, "node-name": "#block1",
                   "ro": not self.file.startswith("fat:rw:")}
        elif self.file:
            yield {"drv": "file", "file": self.file, "node-name": "#block1"}
            yield {"drv": "raw", "file": self.file, "node-name": "#block0"}

    def block(self):
        block = {"device": self.device, "qdev": "/machine/peripheral/%s/virtio-backend" % self.device,
                 "removable": self.removable}
        if self.file:
            # As it is called if it has options
            block["inserted"] = {"drv": "raw", "file": "json:" + json.dumps(
                {"driver": "raw", "file": {"driver": "file", "filename": self.file}})}
        return block


def slow():
    time.sleep(float(os.environ.get("FAKE_QEMU_SLOW", "2")))


def set_state(state):
    for path in pkram_objects():
        with open(path, "wb") as f:
            f.write(struct.pack("<I4xQ16s16s", state, state == SEALED, b"", b""))


class Refusal(Exception):
    pass


class Qemu:
    def __init__(self):
        self.words = (value("-fake") + "," + os.environ.get("FAKE_QEMU_WORDS", "")).split(",")
        self.name = value("-name")
        self.status = "inmigrate" if value("-incoming") else "running"
        if "starts-paused" in self.words and self.status == "running":
            self.status = "io-error"
        if ("sleeps" in self.words or "sleeps-on" in self.words) and self.status == "running":
            self.status = "suspended"
        # It may change its root
        self.log = open(os.environ.get("FAKE_QEMU_LOG", "/dev/null"), "a", buffering=1)
        self.migration = {}
        self.mode = "normal"
        self.devices = {"cold": ("virtio-rng-pci", False)}
        self.drives = [Drive(text, nr) for nr, (before, text)
                       in enumerate(zip(sys.argv, sys.argv[1:])) if before == "-drive"]
        self.jobs = []
        self.refusals = 2
        self.ending = False
        self.asked = self.looks = 0
        if self.status != "inmigrate":
            set_state(CLAIMED)

    def event(self, name, **data):
        now = time.time()
        for monitor in self.monitors:
            monitor.send({"timestamp": {"seconds": int(now),
                                        "microseconds": int(now % 1 * 1e6)},
                          "event": name, "data": data})

    def command(self, name, args):
        self.log.write("%s %s %s\n" % (self.name, name, json.dumps(args)))
        if name == "query-status":
            self.asked += self.status == "postmigrate"
            if "is-continued" in self.words and self.asked == 2:
                self.status = "running"
                set_state(CLAIMED)
            return {"status": self.status, "running": self.status == "running"}
        if name == "query-migrate":
            return self.query_migrate()
        if name == "device_add":
            self.devices[args.get("id", "device[9]")] = (args["driver"], True)
            return {}
        if name == "device_del":
            del self.devices[args["id"]]
            return {}
        if name == "query-cpus-fast":
            return [{"cpu-index": 0, "qom-path": CPU}]
        if name == "qom-list" and args["path"] == CPU:
            return [{"name": key, "type": "bool"} for key in FEATURES] + [
                {"name": "family", "type": "int"}]
        if name == "qom-get" and args["path"] == CPU and args["property"] not in FEATURES:
            raise Refusal("Property '%s' not found" % args["property"])
        if name == "qom-get" and args["path"] == CPU:
            return args["property"] in os.environ.get("FAKE_QEMU_CPU", "sse2,avx512f").split(",")
        if name == "qom-list":
            return [{"name": "type", "type": "string"}] + [
                {"name": key, "type": "child<%s>" % driver}
                for key, (driver, _) in self.devices.items()
                if key.startswith("device[") == args["path"].endswith("-anon")]
        if name == "query-memdev":
            return [{"id": key, "share": b.get("share", "off") == "on" or b["type"].endswith("-pkram")}
                    for key, b in backends().items()]
        if name == "qom-get" and args["path"].startswith("/objects/"):
            return backends()[args["path"].split("/")[-1]][args["property"]]
        if name == "qom-get" and args["property"] in ("romfile", "romsize", "firmware"):
            if "rom" not in self.words or args["path"] not in ("/machine", "/machine/peripheral/cold"):
                raise Refusal("Property '%s' not found" % args["property"])
            return {"romfile": "virtio.rom", "romsize": 131072, "firmware": "bios.bin"}[args["property"]]
        if name == "human-monitor-command" and "rom" in self.words:
            return "Block Name PSize\r\n   ram0    4 KiB  0x0 0x10 0x10 0x7f rw\r\n" \
                "   pc.bios    4 KiB  0x0000000004000000 0x0000000000040000 0x0000000000040000 0x7f ro\r\n"
        if name == "qom-get" and args["property"] == "hotplugged":
            return self.devices[args["path"].split("/")[-1]][1]
        if name == "qom-get":
            if "no-machine" in self.words:
                raise Refusal("Property 'machine.type' not found")
            machine = machine_type()
            return {"q35": os.environ.get("FAKE_QEMU_Q35", "pc-q35-10.2")}.get(machine, machine) + "-machine"
        if name == "query-version":
            return {"qemu": {"major": 10, "minor": 2, "micro": 1}, "package": ""}
        if name == "query-memory-size-summary":
            return {"base-memory": 1 << (60 if "huge" in self.words else 24)}
        if name == "query-named-block-nodes":
            return [node for drive in self.drives for node in drive.nodes()]
        if name == "query-block":
            return [drive.block() for drive in self.drives]
        if name == "query-tpm" and "tpm" in self.words:
            return [{"id": "tpm0", "options": {"type": "emulator", "data": {"chardev": "c"}}}]
        if name == "query-block-jobs":
            return self.jobs
        if name == "blockdev-snapshot-sync":
            self.drive(args["device"]).open(args["snapshot-file"])
            return {}
        if name in ("blockdev-change-medium", "eject"):
            try:
                self.drive(args["id"]).open(args.get("filename"))
            except OSError as e:
                raise Refusal("Could not open '%s': %s" % (e.filename, e.strerror))
            return {}
        if name == "drive-mirror":
            self.jobs = [{"device": args["device"], "type": "mirror"}]
            return {}
        if name == "block-job-cancel":
            self.jobs = []
            return {}
        if name == "query-migrate-parameters":
            return {"max-bandwidth": 5 << 20}
        if name == "migrate":
            self.looks = 0
            self.save(args["uri"][len("file:"):])
        elif name == "migrate-incoming":
            self.load(args["uri"][len("file:"):])
        elif name == "migrate_cancel":
            if self.migration.get("status") == "active":
                self.migration = {"status": "cancelled"}
                self.status = self.before
        elif name == "cont":
            if "fail-late" in self.words and self.refusals:
                self.refusals -= 1
                raise Refusal("Migration is not finalized yet")
            self.status = "running"
            set_state(CLAIMED)
            self.event("RESUME")
        elif name == "system_wakeup":
            if self.status != "suspended":
                raise Refusal("Unable to wake up: guest is not in suspended state")
            if "sleeps-on" not in self.words:
                self.status = "running"
        elif name == "stop":
            self.status = "paused"
        elif name == "fake-status":
            self.status = args["status"]
        elif name == "quit":
            self.ending = True
            if "slow-quit" in self.words:
                slow()
        elif name == "system_powerdown":
            self.event("POWERDOWN")
            self.ending = "powers-down" in self.words
        elif name == "migrate-set-parameters":
            self.mode = args.get("mode", self.mode)
        elif name not in ("qmp_capabilities", "object-add",
                          "migrate-set-capabilities"):
            raise Refusal("The command %s has not been found" % name)
        return {}

    def drive(self, name):
        return next(d for d in self.drives if name in (d.device, d.block()["qdev"]))

    def query_migrate(self):
        if "slow-load" in self.words and self.migration.get("status") == "active":
            slow()
        answer = dict(self.migration)
        if "blocked" in self.words:
            answer["blocked-reasons"] = ["the disk cannot be migrated"]
        if "blocked-normal" in self.words and self.mode == "normal":
            answer["blocked-reasons"] = ["VFIO migration is not supported"]
        self.looks += answer.get("status") == "active"
        if self.looks >= 100 or "slowly" not in self.words:
            self.end_migration()
        return answer

    def end_migration(self):
        """End what is under way, as if some time had passed"""
        if "slow" in self.words or self.migration.get("status") != "active":
            return
        self.migration = self.outcome
        if self.outcome["status"] == "completed":
            set_state(CLAIMED if self.status != "postmigrate" else
                      RUNNING if "no-seal" in self.words else SEALED)

    def save(self, path):
        if "die-in-save" in self.words:
            os._exit(1)
        if "slow-flush" in self.words:
            slow()
        if os.environ.get("FAKE_QEMU_UNLOADS"):
            os.unlink(os.environ["FAKE_QEMU_UNLOADS"])
        if "hang-in-save" in self.words:
            os.kill(os.getpid(), signal.SIGSTOP)
        try:
            with open(path, "wb") as f:
                f.write(b"QEVM" + (STREAM + self.name + "\n" + self.status).encode())
                if "cut-off" not in self.words:
                    f.write(b"\0\x06" + struct.pack(">I", len(DESCRIPTION)) + DESCRIPTION)
        except OSError as e:
            self.migration = {"status": "failed"}
            raise Refusal("Could not create '%s': %s" % (path, e.strerror))
        self.before = self.status
        self.event("STOP")
        self.status = "postmigrate"
        self.migration = {"status": "active",
                          "ram": {"transferred": 5 << 20, "remaining": 3 << 20}}
        self.outcome = {"status": "completed"}
        if "fail-late" in self.words or "fail-once" in self.words:
            self.words = [word for word in self.words if word != "fail-once"]
            self.outcome = {"status": "failed",
                            "error-desc": "No space left on device"}

    def load(self, path):
        if "die-in-load" in self.words:
            end("object vm is not sealed")
        self.migration = {"status": "active"}
        with open(path, "rb") as f:
            text = f.read().partition(b"\0")[0].removeprefix(b"QEVM").decode()
        name, _, before = text.partition("\n")
        good = name == STREAM + self.name
        if "uses-ram" in self.words:
            set_state(CLAIMED)
            good = False
        self.outcome = {"status": "completed"}
        if "busy-load" in self.words:
            with open(os.environ["FAKE_QEMU_BUSY"]) as f:
                self.outcome = {"status": "failed", "error-desc": f.read().strip()}
        elif not good:
            self.outcome = {"status": "failed",
                            "error-desc": "load of migration failed"}
        elif "stays-paused" in self.words:
            self.status = "io-error"
        elif before != "running":
            self.status = before
        else:
            self.status = "running"
            self.event("RESUME")

    def slow_start(self):
        """Allocate RAM, as a QEMU that has its sockets already, and does not serve them"""
        if "slow-start" in self.words:
            self.log.write("%s allocates\n" % self.name)
            slow()
            if "no-late-start" in self.words:
                end("no memory")


class Monitor:
    """A QMP socket, with one client at a time"""

    def __init__(self, qemu, path):
        self.qemu, self.path = qemu, path
        self.server, self.client = socket.socket(socket.AF_UNIX), None
        self.server.bind(path)
        # As QEMU does
        self.server.listen(1)

    def fileno(self):
        return (self.client or self.server).fileno()

    def send(self, message):
        try:
            if self.client and "mute" not in self.qemu.words:
                self.client.sendall(json.dumps(message).encode() + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass

    def serve(self):
        """Handle what has come"""
        if not self.client:
            self.client, _ = self.server.accept()
            self.text = ""
            # Whoever began a migration may have been killed: that ends without being asked.
            if "slowly" not in self.qemu.words:
                self.qemu.end_migration()
            self.send({"QMP": {"version": {}, "capabilities": []}})
            return
        try:
            data = self.client.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.client.close()
            self.client = None
            return
        self.text += data.decode()
        while self.text and "mute" not in self.qemu.words:
            try:
                message, used = json.JSONDecoder().raw_decode(self.text)
            except ValueError:
                break
            self.text = self.text[used:]
            try:
                answer = self.qemu.command(message["execute"], message.get("arguments"))
                self.send({"return": answer})
            except Refusal as e:
                self.send({"error": {"class": "GenericError", "desc": str(e)}})


def main():
    if "--version" in sys.argv:
        print("QEMU emulator version " + os.environ.get("FAKE_QEMU_VERSION", "10.2.1"))
        return
    if sys.argv[-2:] == ["-L", "help"]:
        print("/none\n" + os.environ.get("FAKE_QEMU_DATA", "/none"))
        return
    qemu = Qemu()
    if "busy" in qemu.words and os.path.exists(os.environ["FAKE_QEMU_BUSY"]):
        with open(os.environ["FAKE_QEMU_BUSY"]) as f:
            end(f.read())
    if "wrong-size" in qemu.words:
        end("-object memory-backend-pkram: pkram object 'vm1' has 268435456 bytes, but size= says 536870912")
    if "no-start" in qemu.words:
        end("no such machine")
    qemu.monitors = [Monitor(qemu, text[len("unix:"):].split(",")[0])
                     for before, text in zip(sys.argv, sys.argv[1:]) if before == "-qmp"]
    if "twin" in qemu.words:
        path_of_twin = os.path.join(os.path.dirname(value("-pidfile")), "vm1")
        with open(path_of_twin, "w+b") as f:
            f.truncate(4096)
            qemu.twin = mmap.mmap(f.fileno(), 4096)
        os.unlink(path_of_twin)
    qemu.slow_start()
    with open(value("-pidfile"), "w") as f:
        f.write("%d\n" % os.getpid())
    if value("-run-with").startswith("chroot="):
        os.chroot(value("-run-with")[len("chroot="):])
        os.chdir("/")
    while not qemu.ending:
        for monitor in select.select(qemu.monitors, [], [])[0]:
            monitor.serve()
    if qemu.status != "postmigrate" and qemu.status != "inmigrate":
        set_state(RUNNING)
    for path in [m.path for m in qemu.monitors] + [value("-pidfile")]:
        if os.path.exists(path):
            os.unlink(path)


main()
