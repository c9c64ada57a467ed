# SPDX-License-Identifier: GPL-2.0
"""What to run: options, the scenarios and their .conf files, which tests on which kernel."""

import argparse
import difflib
import fnmatch
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

from . import host

TIMEOUT_BOOT = 240      # seconds for each boot of a scenario that sets no TIMEOUT
# A CPU that TCG emulates fast and that boots without complaints, with 1G pages and
# what guards the kernel from user memory.
VM_CPU = "Nehalem,+pdpe1gb,+smep,+smap,+fsgsbase,+erms,+rdrand"
# For scenarios with guests: a CPU that offers them nested KVM. One CPU only, and time
# that goes by the instruction (1 ns each): an exit from a guest costs half a millisecond
# of real time, and on a busy machine the VM would do nothing but handle timer ticks.
VM_CPU_SVM = "Opteron_G3,-misalignsse,+svm,+npt,+pdpe1gb,+smep,+smap,+fsgsbase,+erms,+rdrand"
# No calibration of a delay loop (a second), no page table switch for each system
# call, no check of the timer, which panics when the host is busy; the rest is as
# Debian boots.
VM_CMDLINE = ("console=ttyS0 panic=-1 panic_on_warn=1 loglevel=6 lpj=4000000"
              " mitigations=off no_timer_check")

# The variables of a .conf file, with their defaults: see README.md.
VARIABLES = {
    "STAGES": "*", "KERNELS_CHAIN": "", "KERNELS_ONLY": "", "MEM": "8G", "SMP": "",
    "CPU": "", "APPEND": "", "QEMU_ARGS": "", "FIRMWARE": "bios", "PACKAGES": "",
    "FILES": "", "MODULES": "", "NEXT_FILES": "", "ALLOW_KMSG": "", "QEMU": "",
    "GUEST": "", "NET": "", "YNL": "", "ROOT": "", "TIMEOUT": "", "TIMES_OUT": "",
}

HELP = """\
Run test scenarios in virtual machines and report in TAP.

A scenario is a file in selftests/vm/tests/; PATTERN is a glob for its name, or for
DIRECTORY/NAME. PATTERN.TEST selects tests of it, by their name with or without the fixture's.

  selftests/vm/run                             every scenario on every kernel
  selftests/vm/run -k 6.12 -t smoke            one scenario on one kernel
  selftests/vm/run -k 6.12 -t 'smoke.boots*'   some tests of it
  selftests/vm/run -k 6.12 -t smoke -i         a shell in the VM
  selftests/vm/run -p                          fetch and build for all of it

See selftests/vm/README.md."""


class Usage(Exception):
    """The command line asks for something that does not exist."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"run: {message}\nrun: `run -h` lists the options", file=sys.stderr)
        sys.exit(2)


def options(argv):
    """Parse the command line."""
    series, more = host.bash('echo "$PKRAM_SERIES"; echo "$PKRAM_MORE_SERIES"').splitlines()
    parser = _Parser(prog="run", usage="run [-k KERNELS] [-t PATTERNS] [-x PATTERNS] [-j JOBS] [-dvilpnh]",
                     description=HELP, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", dest="kernels", metavar="KERNELS", default=series,
                        help=f"kernels to test, 6.12-debug for a debug kernel (default: {series})")
    parser.add_argument("-t", dest="patterns", metavar="PATTERNS",
                        help="scenarios to run (default: all)")
    parser.add_argument("-x", dest="excepted", metavar="PATTERNS", default="",
                        help="scenarios to leave out")
    parser.add_argument("-j", dest="jobs", metavar="JOBS", type=int, default=1,
                        help="VMs at a time (default: 1)")
    parser.add_argument("-d", dest="details", action="store_true",
                        help="show what all tests print, not only failed ones")
    parser.add_argument("-v", dest="verbose", action="store_true",
                        help="show the VM's console too")
    parser.add_argument("-i", dest="interactive", action="store_true",
                        help="run no tests: open a shell in the VM, on this terminal")
    parser.add_argument("-l", dest="list", action="store_true",
                        help="list the tests of the selected scenarios")
    parser.add_argument("-p", dest="prepare", action="store_true",
                        help="only fetch and build what the selected scenarios need")
    parser.add_argument("-n", dest="no_module", action="store_true",
                        help="without pkram's modules")
    opts = parser.parse_args(argv)
    if opts.verbose or opts.interactive:
        opts.jobs = 1
    opts.details |= opts.verbose
    if opts.jobs < 1:
        parser.error("-j: at least 1 VM at a time")
    opts.kernels = opts.kernels.split()
    for kernel in opts.kernels:
        if (kernel.removesuffix("-debug") not in series.split() and
                kernel not in more.split()):
            parser.error(f"-k: unknown kernel {kernel} (known: {series}, each also with -debug, "
                         f"and {more})")
    if opts.patterns is None:
        # Two boots, and nothing special
        opts.patterns = "smoke_kexec" if opts.interactive else "*"
    return opts


def conf(path, series=""):
    """The variables that a .conf file sets, as bash reads it."""
    values = dict(VARIABLES)
    if path.exists():
        text = ('while (($# > 1)); do declare "$1=$2"; shift 2; done; . "$1" || exit;'
                    f'for name in {" ".join(VARIABLES)}; do printf "%s\\0" "${{!name}}"; done')
        argv = [word for pair in values.items() for word in pair]
        done = subprocess.run(["/bin/bash", "-c", text, "conf", *argv, str(path)], check=False,
                              env={**os.environ, "series": series}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode or done.stderr:
            raise Usage(f"{path}: {done.stderr.strip() or 'cannot be read'}")
        values = dict(zip(VARIABLES, done.stdout.split("\0")))
    return values


@dataclass
class Scenario:
    """A scenario on one kernel; conf has its variables."""

    name: str
    filter: str
    series: str
    conf: dict
    limits: dict = field(default_factory=dict)      # seconds, by test

    @property
    def debug(self):
        """Is this a kernel with checkers?"""
        return self.series.endswith("-debug")

    @property
    def stages(self):
        """The stage of each boot."""
        return self.conf["STAGES"].split()

    @property
    def kernels(self):
        """The kernel series of each boot."""
        chain = self.conf["KERNELS_CHAIN"].split()
        chain += ["%"] * (len(self.stages) - len(chain))
        return [self.series if k == "%" else k for k in chain[:len(self.stages)]]

    @property
    def guests(self):
        """Does the scenario run guests? Then its time goes by the instruction."""
        return bool(self.conf["QEMU"])

    @property
    def smp(self):
        """Number of CPUs."""
        return self.conf["SMP"] or ("1" if self.guests else "2")

    @property
    def cpu(self):
        """QEMU's CPU model."""
        return self.conf["CPU"] or (VM_CPU_SVM if self.guests else VM_CPU)

    @property
    def memory(self):
        """RAM of the VM, for -m."""
        mem = self.conf["MEM"]
        if self.debug and "memory-backend" not in self.conf["QEMU_ARGS"]:
            # What the checkers need must not be in each GiB, nor leave none.
            return f"{int(mem.removesuffix('G')) + 3}G"
        return mem

    @property
    def limit(self):
        """Seconds of the VM's own time that the whole scenario may take."""
        limit = int(self.conf["TIMEOUT"] or TIMEOUT_BOOT * len(self.stages))
        # Checkers make it several times as slow, and so does counting instructions.
        if self.debug:
            limit *= 4
        if self.guests and not self.conf["TIMEOUT"]:
            limit *= 2
        return limit

    def test_limit(self, test):
        """Seconds of the VM's own time for one test; None if the VM itself sees to that."""
        if self.guests or test not in self.limits:
            return None
        return self.limits[test] * (4 if self.debug else 1)

    @property
    def cmdline(self):
        """The kernel's command line, the same for each boot."""
        words = [VM_CMDLINE]
        append = self.conf["APPEND"]
        if self.debug:
            words.append("movablecore=60%")
            # Of 8 GiB that are all RAM KASAN's shadow can be one 1G leaf, which no
            # GiB of them can be taken from (docs/kernels.md): keep 128 MiB out.
            if "memmap=" not in append:
                gibs = int(self.memory.removesuffix("G")) + 2
                words += [f"memmap=128M${gib}G" for gib in range(8, gibs - 7, 8)]
        # With two CPUs, 7.3 can hang while it checks the TSC (docs/kernels.md). Not to
        # check it would not do: on a busy machine it is at times calibrated badly.
        if self.smp != "1":
            words.append("tsc=unstable")
        if self.conf["ROOT"]:
            words.append("root=LABEL=root rw systemd.show_status=no")
        return " ".join(words + ([append] if append else []))

    def runs_on(self):
        """Is the scenario meant for its kernel? KERNELS_ONLY says."""
        only = self.conf["KERNELS_ONLY"].split()
        return not only or self.series in only or self.series.removesuffix("-debug") in only

    def prefix(self, boot):
        """What the names of the tests of one boot begin with."""
        return f"{self.name}[{boot}]" if len(self.stages) > 1 else self.name

    def expected(self):
        """The tests that must report, by the names that the report has."""
        return [f"{self.prefix(boot)}.{test}"
                for boot, stage in enumerate(self.stages)
                for test in self.limits
                if stage == "*" or fnmatch.fnmatchcase(test, stage + ".*")
                if test_matches(test, self.filter)]


def test_matches(test, pattern):
    """Does a test, as FIXTURE.TEST, match the part of a pattern behind the dot?"""
    return (not pattern or fnmatch.fnmatchcase(test, pattern) or
            fnmatch.fnmatchcase(test.rpartition(".")[2], pattern))


def sources():
    """The scenarios of the tree: their C files, by name."""
    tests = host.VM / "tests"
    found = {path.stem: path for path in sorted(tests.rglob("*.c"))}
    return dict(sorted(found.items()))


def _glob(text, pattern):
    """Does a glob match? It may have alternatives, as bash has them: @(this|that)_*"""
    found = re.search(r"@\(([^()]*)\)", pattern)
    if not found:
        return fnmatch.fnmatchcase(text, pattern)
    return any(_glob(text, pattern[:found.start()] + word + pattern[found.end():])
               for word in found[1].split("|"))


def _matches(name, path, pattern):
    return _glob(f"{path.parent.name}/{name}" if "/" in pattern else name, pattern)


def _near(word, words):
    near = difflib.get_close_matches(word, words, 3, 0.5)
    plain = re.sub(r"[][*?]", "", word)
    near += [w for w in words if plain and plain in w and w not in near][:3]
    return near


def _no_match(pattern, names):
    near = _near(pattern, names)
    hint = f"; near it: {', '.join(near)}" if near else "; `run -l` lists all tests"
    return f"no scenario is named {pattern}{hint}"


def select(opts):
    """The scenarios that the options select, in the order to run them."""
    found = sources()
    excepted = opts.excepted.split()
    for pattern in excepted:
        if not any(_matches(n, p, pattern) for n, p in found.items()):
            raise Usage(f"-x: {_no_match(pattern, found)}")
    chosen = []         # (name, filter)
    for word in opts.patterns.split():
        pattern, _, test = word.partition(".")
        named = [n for n, p in found.items() if _matches(n, p, pattern)]
        if not named:
            raise Usage(_no_match(pattern, found))
        left = [n for n in named if not any(_matches(n, found[n], x) for x in excepted)]
        if not left:
            raise Usage(f"{word} selects nothing: -x {opts.excepted} leaves out "
                        + ", ".join(named))
        chosen += [(name, test) for name in left]
    if not chosen:
        raise Usage("-t: no pattern given")
    plan = []
    for series in opts.kernels:
        for name, test in chosen:
            one = Scenario(name, test, series,
                           conf(found[name].with_suffix(".conf"), series))
            if opts.list:
                # What there is, whatever the kernel; once
                if series == opts.kernels[0]:
                    plan.append(one)
            elif one.runs_on():
                plan.append(one)
    _check_kernels(opts, chosen, found, plan)
    return plan


def _check_kernels(opts, chosen, found, plan):
    """Raise Usage if a pattern selects only scenarios that are for other kernels."""
    running = {(one.name, one.filter) for one in plan}
    for word in opts.patterns.split():
        pattern, _, test = word.partition(".")
        mine = [(n, t) for n, t in chosen if t == test and _matches(n, found[n], pattern)]
        if running.intersection(mine):
            continue
        why = []
        for name, _ in mine:
            only = conf(found[name].with_suffix(".conf"), opts.kernels[0])["KERNELS_ONLY"]
            why.append(f"{name} is not for kernel {', '.join(opts.kernels)}: "
                       f"KERNELS_ONLY={only}; try -k {only.split()[0]}")
        raise Usage("\n".join(why))


def check_tests(plan):
    """Raise Usage if a pattern names a test that no scenario has. Limits are known now."""
    for name, pattern in {(one.name, one.filter): None for one in plan if one.filter}:
        same = [one for one in plan if one.name == name and one.filter == pattern]
        if any(one.limits and not one.expected() for one in same):
            tests = [t for one in same for t in one.limits]
            near = _near(pattern, tests + [t.rpartition(".")[2] for t in tests])
            hint = f"; near it: {', '.join(dict.fromkeys(near))}" if near else ""
            raise Usage(f"{name} has no test {pattern}{hint}")
