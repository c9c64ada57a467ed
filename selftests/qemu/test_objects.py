# SPDX-License-Identifier: GPL-2.0
"""memory-backend-pkram: starts, saves and loads that fail, and how they leave the objects.
"""
import os
import signal
import subprocess

from qemu import Failure, Refused, until
from test_commands import ARGS, ONE, RESET, TWO, postmigrate, spare

LOADER = "loader,addr=0x300000,data=1,data-len=4"


def need(condition, *why):
    if not condition:
        raise Failure(" ".join(str(text) for text in why) or "not so")


def saved(host, objects=ONE):
    """Save a guest; return its count."""
    q = host.start(*objects, args=ARGS[objects])
    count = q.guest()
    postmigrate(q)
    q.quit()
    return count


def resumes(host, count, objects=ONE):
    q = host.start(*objects, args=ARGS[objects], incoming=True)
    need(q.load() == "completed", q.errors())
    q.guest(count)
    need(q.ask("verify") == "ok", "the pattern is wrong")


def refused(host, text, *objects, **args):
    q = host.start(*objects, **args)
    try:
        q.wait_end()
    except subprocess.TimeoutExpired as e:
        raise Failure("QEMU starts") from e
    need(text in q.errors(), q.errors())


def backend_that_is_deleted_leaves_the_others(host):
    q = host.start()
    spare(q)
    need(host.state("spare") == "claimed", host.state("spare"))
    q.do("object-del", id="spare")
    until("the claim ends", lambda: host.state("spare") == "running")
    need(os.path.exists(host.path("spare")), "it is gone")
    need(host.state("vm1") == "claimed", host.state("vm1"))
    # The name is free again.
    spare(q)
    q.do("object-del", id="spare")
    count = q.guest()
    need(q.save() == "completed", q.migration())
    q.quit()
    resumes(host, count)


def object_add_that_fails_late_leaves_nothing(host):
    q = host.start()
    try:
        q.do("object-add", qom_type="memory-backend-pkram", id="late", size=2 << 20, name="late",
             dir=host.dir, policy="bind")
    except Refused as e:
        need("host-nodes must be set" in str(e), e)
    else:
        raise Failure("accepted")
    until("the object is gone", lambda: not os.path.exists(host.path("late")))
    count = q.guest()
    need(q.save() == "completed", q.migration())
    q.quit()
    resumes(host, count)


def every_loader_is_found(host):
    count = saved(host)
    for nr in 1, 2, 3:
        refused(host, "-device loader would write", incoming=True, args=("-device", LOADER) * nr)
        need(host.state("vm1") == "sealed", host.state("vm1"))
    resumes(host, count)


def reset_after_a_failed_load_keeps_the_seal(host):
    count = saved(host)
    with open(host.file("state"), "rb") as f:
        stream = f.read()
    with open(host.file("damaged"), "wb") as f:
        f.write(stream[:stream.index(b"pkram-end") + 200])
    q = host.start(incoming=True, args=RESET)
    need(q.load("damaged", exit_on_error=False) == "failed", "it was loaded")
    for _ in range(2):
        q.do("system_reset")
        until("the reset is done", lambda: q.seen("RESET"))
        need(host.state("vm1") == "sealed", host.state("vm1"))
    q.quit()
    resumes(host, count)


def killed_before_the_seals_are_consumed(host):
    """Wherever QEMU dies while it consumes them, all objects hold a seal or none does."""
    for objects in ONE, TWO:
        for nr in range(1, len(objects) + 2):
            host.clean()
            count = saved(host, objects)
            q = host.start(*objects, args=ARGS[objects], incoming=True,
                           fake="die-in-resume=%d" % nr)
            q.arm()
            try:
                q.do("migrate-incoming", uri="file:" + host.file("state"))
                q.guest(count)
            except Failure:
                need(q.wait_end() == -signal.SIGKILL, q.errors())
            states = {host.state(name) for name in ("vm1", "vm2")[:len(objects)]}
            need(len(states) == 1, states)
            if states == {"sealed"}:
                resumes(host, count, objects)


def tmpfs_memory_refuses_the_save(host):
    """Without any object of pkram, too"""
    ram = "memory-backend-file,id=ram0,size=8M,share=on,mem-path=" + host.file("ram")
    q = host.start(ram)
    count = q.guest()
    q.arm()
    try:
        q.do("migrate", uri="file:" + host.file("state"))
        raise Failure("the save is " + q.over())
    except Refused as e:
        need("RAM block 'ram0' would be lost" in str(e), e)
    q.guest(count)
    # A memory backend for a DIMM besides one in pkram
    host.clean()
    ram = ram.replace("ram0", "dimm")
    q = host.start(*ONE, ram, args=("-device", "pc-dimm,memdev=dimm,id=dimm1"))
    count = q.guest()
    q.arm()
    try:
        q.do("migrate", uri="file:" + host.file("state"))
        raise Failure("the save is " + q.over())
    except Refused as e:
        need("RAM block 'dimm' would be lost" in str(e), e)
    need(host.state("vm1") == "claimed", host.state("vm1"))
    q.guest(count)
    # The host is not rebooted, only QEMU is replaced.
    q.quit()
    q = host.start(ram.replace("dimm", "ram0"),
                   args=("-global", "migration.x-cpr-host-stays=on"))
    q.guest()
    need(q.save() == "completed", q.migration())


def memory_on_a_disk_is_saved(host):
    path = "/var/tmp/pkram-test-%d" % os.getpid()
    ram = "memory-backend-file,id=ram0,size=8M,share=on,mem-path="
    try:
        q = host.start(ram + path)
        q.guest()
        need(q.save() == "completed", q.migration())
        q.quit()
    finally:
        os.unlink(path)
    # A directory: the file has no name.
    q = host.start(ram + "/var/tmp")
    q.guest()
    q.arm()
    try:
        q.do("migrate", uri="file:" + host.file("state"))
        raise Failure("the save is " + q.over())
    except Refused as e:
        need("RAM block 'ram0' would be lost" in str(e), e)


def object_with_bad_pages_is_used_with_a_warning(host):
    text = "pkram object '%s' lost 1 pages to memory errors, at 0x5000+0x1000" % host.path("vm1")
    count = saved(host)
    refused(host, text, ONE[0] + ",bad-pages=refuse", incoming=True, fake="bad=0x5000")
    need(host.state("vm1") == "sealed", host.state("vm1"))
    q = host.start(incoming=True, fake="bad=0x5000")
    need("warning: " + text in q.errors(), q.errors())
    need(q.do("query-pkram")[0]["bad-pages"] == 1, q.do("query-pkram"))
    need("bad pages:  1" in q.hmp("info pkram"), q.hmp("info pkram"))
    need(q.load() == "completed", q.errors())
    q.guest(count)


def bad_pages_do_not_fail_prealloc(host):
    prealloc = ONE[0] + ",prealloc=on"
    q = host.start(prealloc)
    need([m["prealloc"] for m in q.do("query-memdev") if m["id"] == "ram0"] == [True],
         q.do("query-memdev"))
    count = q.guest()
    need(q.save() == "completed", q.migration())
    q.quit()
    q = host.start(prealloc, incoming=True, fake="bad=0x5000")
    need("prealloc=on has no effect" in q.errors(), q.errors())
    need(q.load() == "completed", q.errors())
    q.guest(count)


def receive_forgotten_for_one_of_two(host):
    """The RAM of a stream is not copied over a saved guest."""
    count = saved(host, TWO)
    q = host.start(TWO[0].replace("vm1", "vm3"), TWO[1].replace("vm2", "vm4"), args=ARGS[TWO])
    q.guest()
    q.do("migrate", uri="file:" + host.file("copy"))
    need(q.over() == "completed", q.migration())
    q.quit()
    before = host.content("vm1")
    # The object with receive=on comes first.
    q = host.start(TWO[1].replace("vm2", "vm5") + ",receive=on", TWO[0], args=ARGS[TWO],
                   incoming=True)
    q.do("migrate-incoming", uri="file:" + host.file("copy"), exit_on_error=False)
    status = q.over()
    need(host.content("vm1") == before, "the saved RAM changed; the load is " + status)
    need(status == "failed", "the load is " + status)
    # QEMU 10.0 writes the reason to its log.
    said = q.migration()["error-desc"] + q.errors()
    need("which this load would overwrite" in said, said)
    need(host.state("vm1") == "sealed", host.state("vm1"))
    q.quit()
    resumes(host, count, TWO)


def module_without_resume_all(host):
    """One object needs no PKRAM_IOC_RESUME_ALL; several are refused before the save."""
    def forget():
        with open(host.path(".no-resume-all"), "w"):
            pass

    forget()
    count = saved(host)
    q = host.start(incoming=True)
    need(q.load() == "completed", q.errors())
    count = q.guest(count)
    need(q.save() == "completed", q.migration())
    q.do("cont")
    count = q.guest(count)
    q.quit()
    text = "'%s' is not the only one of this guest" % host.path("vm2")
    refused(host, text, *TWO, args=ARGS[TWO])
    need(not os.path.exists(host.path("vm2")), "the refused object was left")
    # Objects that an older QEMU handed over are refused by the save.
    host.clean()
    q = host.start(*TWO, args=ARGS[TWO])
    count = q.guest()
    forget()
    need(q.save() == "failed", q.migration())
    need("is not the only one of this guest" in q.migration()["error-desc"], q.migration())
    count = q.guest(count)
    os.unlink(host.path(".no-resume-all"))
    need(q.save() == "completed", q.migration())
    q.quit()
    resumes(host, count, TWO)


def object_without_reserve_is_larger_than_the_pool(host):
    big = "memory-backend-pkram,id=big,size=2G,name=big"
    host.start().quit()
    refused(host, "no 2048 MiB for pkram object", *ONE, big, fake="full")
    q = host.start(*ONE, big + ",reserve=off", fake="full")
    need(q.greeted, q.errors())
    need(os.stat(host.path("big")).st_blocks == 0, "it has memory")
    q.guest()


def save_again_after_failures(host):
    q = host.start(args=RESET)
    count = q.guest()
    for _ in range(3):
        q.save_slowly()
        q.do("migrate_cancel")
        q.over()
        need(host.state("vm1") == "claimed", host.state("vm1"))
        q.guest(count)
    count = q.guest()
    need(q.save() == "completed", q.migration())
    q.quit()
    resumes(host, count)


TESTS = [f for f in list(globals().values())
         if callable(f) and getattr(f, "__module__", "") == __name__ and
         f.__code__.co_varnames[:1] == ("host",) and f.__code__.co_argcount == 1]


def run(out, host, only):
    for test in TESTS:
        if only and test.__name__ not in only:
            continue
        host.clean()
        try:
            test(host)
            out.ok(True, test.__name__)
        except (Failure, Refused, OSError) as e:
            out.ok(False, test.__name__, repr(e))
