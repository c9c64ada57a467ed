# SPDX-License-Identifier: GPL-2.0
"""What is fetched and built once in a run, before the first VM: kernels, modules, programs.

A step that fails does not end the run: what it would have made is missing, and the
scenarios that need it fail with its message.
"""

import subprocess
import time

from . import host
from .host import Failed

MAKE_LOCK = host.BUILD / "vm.lock"


class Prepared:
    """What the steps have made."""

    def __init__(self, plan, progress):
        self.names = list(dict.fromkeys(one.name for one in plan))
        self.progress = progress
        self.made = {}          # (step, argument) -> result, or Failed

    def get(self, step, argument=""):
        """The result of a step; raise Failed if it failed."""
        result = self.made[step, argument]
        if isinstance(result, Failed):
            raise result
        return result

    def run(self, steps, of=0):
        """Run the steps, (step, argument) pairs, each once; say which one it is (of @of)."""
        for _ in self._run(steps, of):
            pass

    def run_all(self, steps):
        """Run the steps, say how long each took, and raise Failed if one fails."""
        begin = before = time.monotonic()
        for text, result in self._run(steps):
            if isinstance(result, Failed):
                raise Failed(f"{text}: {result}", result.said)
            now = time.monotonic()
            self.progress.print(f"{text}: ready, {clock(now - before)}; "
                                f"{clock(now - begin)} in all")
            before = now
        for name, failed in self.get("tests").items():
            raise Failed(f"{name} does not compile: {failed}", failed.said)

    def _run(self, steps, of=0):
        """Run the steps that were not run yet; yield the title of each, and its result."""
        steps = list(dict.fromkeys(steps))
        for number, (step, argument) in enumerate(steps, 1):
            if (step, argument) in self.made:
                continue
            text = STEPS[step][1].format(argument if isinstance(argument, str)
                                         else " ".join(argument))
            text = f"[{number}/{of or len(steps)}] {text}"
            self.progress.begin("step", text)
            try:
                self.made[step, argument] = STEPS[step][0](self, argument)
            except Failed as failed:
                self.made[step, argument] = failed
            self.progress.end("step")
            yield text, self.made[step, argument]

    # -- the steps -----------------------------------------------------------------

    def _packages(self, names):
        host.need_packages(*names, progress=self.progress)

    def _needs(self, purpose):
        host.script("need.sh", purpose, progress=self.progress)

    def _tools(self, _):
        return host.script("linux-source.sh", "tools", progress=self.progress)

    def _kernel(self, series):
        version = host.script("kernels.sh", "version", series, progress=self.progress)
        return version, host.script("kernels.sh", "fetch", series, progress=self.progress)

    def _modules(self, series):
        self.get("kernel", series)
        return host.script("build-modules.sh", series, "PKRAM_TESTS=m", progress=self.progress)

    def _make(self, *arguments, where=host.TOP, keep_going=False):
        with host.locked(MAKE_LOCK):
            host.call("make", "-s", *(["-k"] if keep_going else []), "-C", where, *arguments,
                      progress=self.progress, merge=True)

    def _userspace(self, _):
        self._make("userspace")

    def _vm_make(self, *targets, keep_going=False):
        tools = self.get("tools")
        self._make(f"O={host.OUT}", f"KSELFTEST={tools}/tools/testing/selftests",
                   *targets, where=host.VM, keep_going=keep_going)

    def _init(self, _):
        self._vm_make(host.OUT / "init")

    def _tests(self, _):
        """Compile the tests; return what went wrong, by name."""
        self.get("userspace")
        programs = {name: test_program(name) for name in self.names}
        try:
            self._vm_make(*programs.values(), keep_going=True)
            return {}
        except Failed:
            pass
        bad = {}
        for name, program in programs.items():
            try:
                self._vm_make(program)
            except Failed as failed:
                bad[name] = failed
        return bad

    def _guests(self, _):
        self._vm_make("guest")

    def _host_qemu(self, _):
        """The QEMU that is the host under test: see emulation.md for why it is not Debian's."""
        directory = host.script("qemu.sh", "build", progress=self.progress, env={
            "QEMU_ALSO": str(host.VM / "qemu-patches")})
        return f"{directory}/bin/qemu-system-x86_64"

    def _guest_qemu(self, version):
        """The directory of a QEMU for guests: bin/qemu-system-x86_64, and share/qemu."""
        env = {}
        if version.endswith("-unpatched"):
            version = version.removesuffix("-unpatched")
            env["QEMU_PATCHES"] = "none"
        return host.script("qemu.sh", "build", version, progress=self.progress, env=env)

    def _debian(self, kernels):
        """The directory that holds a disk with Debian."""
        out = host.call(host.VM / "debian-image", *kernels, progress=self.progress)
        return out.splitlines()[-1]


# The function of each step, and what the runner says meanwhile
# pylint: disable=protected-access
STEPS = {
    "needs": (Prepared._needs, "Debian packages for the {} tests"),
    "packages": (Prepared._packages, "Debian packages: {}"),
    "tools": (Prepared._tools, "kselftest's headers, of Debian's kernel source"),
    "kernel": (Prepared._kernel, "Debian's kernel {}"),
    "modules": (Prepared._modules, "pkram's modules for kernel {}"),
    "userspace": (Prepared._userspace, "pkram's user space"),
    "init": (Prepared._init, "init of the VMs"),
    "tests": (Prepared._tests, "tests"),
    "guests": (Prepared._guests, "guests for the VMs"),
    "host_qemu": (Prepared._host_qemu, "QEMU for the VMs (once: 6 minutes)"),
    "guest_qemu": (Prepared._guest_qemu, "QEMU {} for guests"),
    "debian": (Prepared._debian, "disk with Debian (once: 12 minutes)"),
}


def clock(seconds):
    """Minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def test_program(name):
    """The test program of a scenario."""
    return host.OUT / "tests" / name


def steps_to_list():
    """The steps that `run -l` needs."""
    return [("needs", "vm"), ("needs", "userspace"), ("tools", ""), ("userspace", ""),
            ("init", ""), ("tests", "")]


def steps_to_run(plan, opts, qemu_given):
    """All steps that the scenarios need."""
    steps = steps_to_list()
    kernels, modules = [], []
    for one in plan:
        kernels += one.kernels + ([one.conf["GUEST"]] if one.conf["GUEST"] else [])
        modules += [] if one.conf["ROOT"] or opts.no_module else one.kernels
    steps += [("kernel", series) for series in kernels]
    steps += [("modules", series) for series in modules]
    steps.append(("host_qemu", ""))
    for one in plan:
        packages = one.conf["PACKAGES"].split()
        packages += ["ovmf"] if one.conf["FIRMWARE"] == "uefi" else []
        packages += ["python3", "python3-yaml"] if one.conf["YNL"] else []
        if packages:
            steps.append(("packages", tuple(packages)))
        if one.guests:
            steps.append(("guests", ""))
            if one.conf["QEMU"] != "debian" and not qemu_given:
                steps.append(("guest_qemu", one.conf["QEMU"]))
        if one.conf["ROOT"]:
            steps.append(("debian", tuple(one.kernels)))
    return steps


def read_limits(plan, prepared):
    """Ask the test programs for their tests and the limits of each, in seconds."""
    limits = {}
    bad = prepared.get("tests")
    for one in plan:
        if one.name in bad:
            continue
        if one.name not in limits:
            said = subprocess.run([test_program(one.name), "--limits"], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout
            limits[one.name] = {test: int(seconds) for test, seconds in
                                (line.split() for line in said.splitlines())}
        one.limits = limits[one.name]
