# SPDX-License-Identifier: GPL-2.0
"""Commands of QEMU's monitor in each state of a guest whose RAM is in pkram.

After each command, each object is what the table says it is; while it is sealed, its
content does not change; and QEMU lives. A command that is refused names the reason.
A state that was reached is left by one way: its stream is loaded where the seals hold, the
guest counts on and its pattern is right; elsewhere the load is refused.
"""
import contextlib
import fnmatch

from qemu import Failure, Qemu, Refused, until

ONE = ("memory-backend-pkram,id=ram0,size=8M,name=vm1",)
TWO = ONE + ("memory-backend-pkram,id=ram1,size=4M,name=vm2",)
NAMES = {ONE: ("vm1",), TWO: ("vm1", "vm2")}
ARGS = {ONE: (), TWO: ("-device", "pc-dimm,memdev=ram1,id=dimm1")}
RESET = ("-action", "reboot=reset")

REFUSED, VOID, ENDS = "refused", "void", "ends"


def spare(q, name="spare"):
    q.do("object-add", qom_type="memory-backend-pkram", id="spare", size=2 << 20, name=name,
         dir=q.host.dir)


def spare_comes_and_goes(q):
    spare(q)
    q.do("object-del", id="spare")


def capability(q, name, on):
    q.do("migrate-set-capabilities", capabilities=[{"capability": name, "state": on}])


def reset(q):
    q.events.clear()
    q.do("system_reset")
    # In the state finish-migrate the event comes as well.
    until("the reset is done", lambda: q.seen("RESET"))


def load_again(q):
    q.do("migrate-incoming", uri="file:" + q.host.file("state"))


def save_again(q):
    q.do("migrate", uri="file:" + q.host.file("again"))


def mode(q, name):
    q.do("migrate-set-parameters", mode=name)
    q.do("migrate-set-parameters", mode="normal")


def netdev_comes_and_goes(q):
    q.do("netdev_add", type="hubport", id="net9", hubid=9)
    q.do("netdev_del", id="net9")


def chardev_comes_and_goes(q):
    q.do("chardev-add", id="null9", backend={"type": "null", "data": {}})
    q.do("chardev-remove", id="null9")


def disk_comes_and_goes(q):
    q.do("blockdev-add", driver="null-co", node_name="null9", read_zeroes=True)
    q.do("blockdev-del", node_name="null9")


def snapshot(q, job, tag="begin"):
    q.do(job, job_id="job", tag=tag, vmstate="disk", devices=["disk"])
    try:
        def done():
            return [j for j in q.do("query-jobs") if j["status"] == "concluded"]
        error = until("the job is over", done)[0].get("error")
    finally:
        with contextlib.suppress(Refused):
            q.do("job-dismiss", id="job")
    if error:
        raise Refused(error)


COMMANDS = {
    "stop": lambda q: q.do("stop"),
    "cont": lambda q: q.do("cont"),
    "system_reset": reset,
    "system_wakeup": lambda q: q.do("system_wakeup"),
    "system_powerdown": lambda q: q.do("system_powerdown"),
    "inject-nmi": lambda q: q.do("inject-nmi"),
    "query-pkram": lambda q: q.do("query-pkram"),
    "object-del of RAM": lambda q: q.do("object-del", id="ram0"),
    "object-add, object-del": spare_comes_and_goes,
    "object-add of the same object": lambda q: spare(q, "vm1"),
    "device_add loader": lambda q: q.do("device_add", driver="loader", addr=3 << 20, data=1,
                                        data_len=4),
    "qom-set name": lambda q: q.do("qom-set", path="/objects/ram0", property="name",
                                   value="vm9"),
    "mode normal": lambda q: mode(q, "normal"),
    "mode cpr-transfer": lambda q: mode(q, "cpr-transfer"),
    "mode cpr-exec": lambda q: mode(q, "cpr-exec"),
    "x-ignore-shared off": lambda q: capability(q, "x-ignore-shared", False),
    "snapshot-save": lambda q: snapshot(q, "snapshot-save", "now"),
    "snapshot-load": lambda q: snapshot(q, "snapshot-load"),
    "migrate": save_again,
    "migrate-incoming": load_again,
    "migrate_cancel": lambda q: q.do("migrate_cancel"),
    "migrate-pause": lambda q: q.do("migrate-pause"),
    "migrate-recover": lambda q: q.do("migrate-recover", uri="file:" + q.host.file("state")),
    "migrate-continue": lambda q: q.do("migrate-continue", state="pre-switchover"),
    "migrate-start-postcopy": lambda q: q.do("migrate-start-postcopy"),
    "xen-save-devices-state": lambda q: q.do("xen-save-devices-state",
                                             filename=q.host.file("devices")),
    "xen-load-devices-state": lambda q: q.do("xen-load-devices-state",
                                             filename=q.host.file("state")),
    "dump-guest-memory": lambda q: q.do("dump-guest-memory", paging=False,
                                        protocol="file:" + q.host.file("dump")),
    "pmemsave": lambda q: q.do("pmemsave", val=0, size=8 << 20, filename=q.host.file("dump")),
    "memsave": lambda q: q.do("memsave", val=2 << 20, size=4096, filename=q.host.file("dump")),
    "calc-dirty-rate": lambda q: q.do("calc-dirty-rate", calc_time=1),
    "balloon": lambda q: q.do("balloon", value=4 << 20),
    "set-action": lambda q: q.do("set-action", reboot="reset"),
    "device_del": lambda q: q.do("device_del", id="dimm0"),
    "netdev_add, netdev_del": netdev_comes_and_goes,
    "chardev-add, chardev-remove": chardev_comes_and_goes,
    "blockdev-add, blockdev-del": disk_comes_and_goes,
    "x-exit-preconfig": lambda q: q.do("x-exit-preconfig"),
    "savevm of HMP": lambda q: q.said("savevm now"),
    "loadvm of HMP": lambda q: q.said("loadvm begin"),
    "quit": lambda q: q.do("quit"),
}

# Commands that no row tries, by what makes a row of no use. A command of QEMU that is neither
# tried nor here fails the test: look at what it does to guest RAM, then add it.
UNTRIED = {
    "they only tell": "query-* x-query-* qom-get qom-list* device-list-properties x-accel-stats "
                      "trace-event-get-state ringbuf-read x-debug-* xen-event-list",
    "they concern the connection, or this QEMU's own files and clients":
        "qmp_capabilities add_client add-fd remove-fd getfd closefd client_migrate_info "
        "display-* expire_password set_password trace-event-set-state yank dumpdtb",
    "they change a disk, not RAM; pkramctl looks at the disks":
        "block-* block_* blockdev-* x-blockdev-* drive-* change-backing-file eject "
        "nbd-server-* transaction snapshot-delete job-*",
    "they act on a device that the guest drives, as it would itself":
        "announce-self chardev-change chardev-send-break device-sync-config input-send-event "
        "rtc-reset-reinjection ringbuf-write send-key set_link watchdog-set-action "
        "xen-event-inject",
    "they need what this guest has not: CXL, SEV, Xen, ACPI GHES, other targets, record and "
    "replay, a dirty ring, the state preconfig":
        "cxl-* sev-* xen-set-global-dirty-log inject-ghes-v2-error dump-skeys replay-* "
        "set-cpu-topology set-numa-node set-vcpu-dirty-limit cancel-vcpu-dirty-limit",
}


def running(q):
    pass


def paused(q):
    q.do("stop")


def suspended(q):
    q.ask("suspend")
    until("the guest is suspended", lambda: q.status() == "suspended")


def saving(q):
    q.save_slowly()


def postmigrate(q):
    if q.save() != "completed":
        raise Failure("the save failed: %s" % q.migration())


def inmigrate(q):
    q.arm()


def failed_load(q):
    """The load of a damaged stream, of which much was loaded"""
    if q.load("damaged", exit_on_error=False) != "failed":
        raise Failure("a damaged stream was loaded")


def failed_early(q):
    if q.load("empty", exit_on_error=False) != "failed":
        raise Failure("an empty stream was loaded")


def loaded(q):
    if q.load() != "completed" or q.status() != "paused":
        raise Failure("the load failed, %s" % q.status())


# For each state the commands that do not leave everything as it is. Where a state differs
# from one that is like it, the command is named again.
RUNNING = {
    "migrate-pause": REFUSED, "migrate-recover": REFUSED, "migrate-continue": REFUSED,
    "migrate-start-postcopy": REFUSED, "balloon": REFUSED, "x-exit-preconfig": REFUSED,
    "xen-save-devices-state": REFUSED, "xen-load-devices-state": REFUSED,
    "object-del of RAM": REFUSED, "object-add of the same object": REFUSED,
    "device_add loader": REFUSED, "qom-set name": REFUSED, "migrate-incoming": REFUSED,
    "system_wakeup": REFUSED, "migrate": None, "quit": ENDS,
}
SAVED = dict(RUNNING, **{
    "savevm of HMP": REFUSED, "loadvm of HMP": REFUSED,
    "cont": VOID, "system_reset": VOID, "migrate": REFUSED,
    "snapshot-save": REFUSED, "snapshot-load": REFUSED,
})
INCOMING = dict(RUNNING, **{
    "savevm of HMP": REFUSED, "loadvm of HMP": REFUSED, "dump-guest-memory": REFUSED,
    "migrate": REFUSED, "object-add, object-del": REFUSED,
    "snapshot-save": REFUSED, "snapshot-load": REFUSED,
})
STATES = {
    running: RUNNING,
    paused: RUNNING,
    suspended: RUNNING,         # it does not stay so: the reset ends it
    saving: dict(RUNNING, **{
        "savevm of HMP": REFUSED, "loadvm of HMP": REFUSED, "dump-guest-memory": REFUSED,
        "device_del": REFUSED, "mode cpr-transfer": REFUSED, "mode cpr-exec": REFUSED,
        "cont": REFUSED, "migrate": REFUSED, "object-add, object-del": REFUSED,
        "system_reset": VOID, "migrate_cancel": VOID, "x-ignore-shared off": REFUSED,
        "mode normal": REFUSED, "snapshot-save": REFUSED, "snapshot-load": REFUSED,
        # It waits for the thread that saves.
        "device_add loader": None,
    }),
    postmigrate: SAVED,
    inmigrate: dict(INCOMING, **{"migrate-incoming": None}),
    failed_early: INCOMING,
    failed_load: INCOMING,
    loaded: dict(SAVED, **{"migrate": None}),
}
# The object is sealed in these, and claimed in the others.
SEALED = (postmigrate, inmigrate, failed_early, failed_load, loaded)
LOADS = (inmigrate, failed_early, failed_load, loaded)


class Table:
    """A QEMU in a state, and what is expected of its objects."""

    def __init__(self, host, state, objects):
        self.host, self.state, self.names = host, state, NAMES[objects]
        self.args = ARGS[objects] + RESET
        self.objects = objects
        if state in LOADS:
            self.save()
        self.q = host.start(*objects, args=self.args + (("-S",) if state is loaded else ()),
                            incoming=state in LOADS)
        if state not in LOADS:
            self.count = self.q.guest()
            snapshot(self.q, "snapshot-save")
        state(self.q)
        self.saved = state in SEALED
        self.kept = state is not suspended      # the guest's count
        self.content = [host.content(n) for n in self.names]

    def save(self):
        q = self.host.start(*self.objects, args=self.args)
        self.count = q.guest()
        snapshot(q, "snapshot-save")
        postmigrate(q)
        q.quit()
        with open(self.host.file("state"), "rb") as f:
            stream = f.read()
        with open(self.host.file("damaged"), "wb") as f:
            f.write(stream[:stream.rindex(b"pkram-end", 0, stream.rindex(b'"devices"')) + 200])
        with open(self.host.file("empty"), "wb"):
            pass

    def expect(self, want):
        for name, content in zip(self.names, self.content):
            state = self.host.state(name)
            if state != want:
                raise Failure("object %s is %s, not %s" % (name, state, want))
            if want == "sealed" and self.host.content(name) != content:
                raise Failure("object %s is sealed, but its content changed" % name)

    def run(self, command, want):
        """Run a command that leaves the state as it is."""
        try:
            COMMANDS[command](self.q)
        except Refused as e:
            if want != REFUSED:
                raise Failure("refused: %s" % e) from e
        else:
            if want == REFUSED:
                raise Failure("accepted")
        if command in ("system_reset", "snapshot-load"):
            self.kept = self.saved
        self.expect("sealed" if self.saved else "claimed")

    def end(self):
        """Leave the state: the guest goes on, or is resumed by another QEMU."""
        if self.state is saving:
            status = self.q.finish()
            if status != "completed":
                raise Failure("the save ends as %s: %s" % (status, self.q.migration()))
        elif not self.saved:
            postmigrate(self.q)
        if not self.saved:
            self.content = [self.host.content(n) for n in self.names]
        self.q.quit()
        self.expect("sealed")
        q = self.host.start(*self.objects, args=self.args, incoming=True)
        if q.load() != "completed":
            raise Failure("the load failed: %s" % q.errors())
        # The guest was paused or suspended, or it was reset.
        with contextlib.suppress(Refused):
            q.do("system_wakeup")
        q.do("cont")
        q.guest(self.count if self.kept else 0)
        if q.ask("verify") != "ok":
            raise Failure("the pattern is wrong")

    def void(self, command):
        """Run a command that gives up the saved state, or the save."""
        COMMANDS[command](self.q)
        if self.state is saving:
            if command == "migrate_cancel":
                self.q.over()
            else:
                status = self.q.finish()
                why = self.q.migration().get("error-desc", "")
                if status != "failed" or "reset during the save" not in why:
                    raise Failure("the save ends as %s: %s" % (status, why))
            until("the guest runs on", lambda: self.q.status() == "running")
        self.expect("claimed")
        self.q.quit()
        self.expect("running")
        q = self.host.start(*self.objects, args=self.args, incoming=True)
        if q.greeted or "holds no saved guest" not in q.errors():
            raise Failure("the load is not refused: %s" % q.errors())

    def ends(self, command):
        COMMANDS[command](self.q)
        self.q.wait_end()
        self.expect("sealed" if self.saved else "running")


def row(out, host, name, test):
    try:
        test()
    except (Failure, Refused) as e:
        out.ok(False, name, str(e))
        return False
    out.ok(True, name)
    return True


def run_state(out, host, state, objects):
    what = "%s, %d object%s" % (state.__name__, len(objects), "s" * (len(objects) > 1))
    table = []

    def begin():
        host.clean()
        table[:] = [Table(host, state, objects)]

    wants = {command: STATES[state].get(command, "") for command in COMMANDS}
    if not row(out, host, what, begin):
        return
    for command, want in wants.items():
        if want in ("", REFUSED):
            if not row(out, host, "%s: %s" % (what, command),
                       lambda: table[0].run(command, want)):
                if not row(out, host, what + ", again", begin):
                    return
    row(out, host, what + ": goes on", lambda: table[0].end())
    for command, want in wants.items():
        if want in (VOID, ENDS):
            def test():
                begin()
                (table[0].void if want == VOID else table[0].ends)(command)
            row(out, host, "%s: %s: %s" % (what, command, want), test)


def no_command_is_unknown(host):
    """Fail if QEMU has a command that no test and no line of UNTRIED names."""
    host.clean()
    patterns = " ".join(UNTRIED.values()).split()
    names = {c["name"] for c in host.start().do("query-commands")}
    unknown = [n for n in sorted(names - Qemu.used)
               if not any(fnmatch.fnmatchcase(n, p) for p in patterns)]
    if unknown:
        raise Failure("QEMU's commands have no row: " + " ".join(unknown))


def run(out, host, only):
    for objects in ONE, TWO:
        for state in STATES:
            if not only or state.__name__ in only:
                run_state(out, host, state, objects)
    if not only:
        row(out, host, "each command of QEMU has a row", lambda: no_command_is_unknown(host))
