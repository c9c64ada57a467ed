# SPDX-License-Identifier: GPL-2.0
"""Turn what init wrote into TAP, and count."""

import threading
from pathlib import Path

import tap

from . import host


class Tap(tap.Tap):
    """The results of a run: one numbering, whatever runs side by side."""

    def __init__(self, progress):
        super().__init__(progress.print)
        self.lock = threading.RLock()

    def result(self, verdict, name, reason=""):
        with self.lock:
            super().result(verdict, name, reason)


class Report:
    """The report of one scenario."""

    def __init__(self, scenario, directory, tap, details):
        self.scenario = scenario
        self.directory = Path(directory)
        self.tap = tap
        self.details = details
        self.seen = set()
        self.prefix = scenario.name
        self.test = ""              # that runs
        self.output = []            # of it
        self.leaving = ""           # the test that ends with its kernel
        self.ended = False

    def could_not_start(self, why, said=()):
        """The scenario did not even start."""
        with self.tap.lock:
            self._result("fail", self.scenario.name, 0, why)
            for line in list(said)[-30:]:
                self.tap.note(line)

    def _result(self, verdict, name, seconds, reason=""):
        name = f"{self.scenario.series} {name}"
        if verdict != "skip":
            name += f" ({seconds} s)"
        self.tap.result(verdict, name, reason)

    def _show_output(self):
        for line in self.output:
            self.tap.note(line.removeprefix("# "))

    def _read(self, line):
        word, _, rest = line.partition(" ")
        if word == "@boot":
            self.prefix = self.scenario.prefix(rest.split()[0])
            if self.leaving:
                self.seen.add(self.leaving)
                self._result("ok", self.leaving, "-")
                self.leaving = self.test = ""
        elif word == "@begin":
            self.test = f"{self.prefix}.{rest}"
            self.output = []
        elif word == "@leaving":
            self.leaving = self.test
        elif word == "@result":
            verdict, test, seconds, *reason = rest.split(None, 3)
            reason = "".join(reason)
            if test in self.scenario.conf["TIMES_OUT"].split():
                timed_out = verdict == "fail" and reason == "timed out"
                verdict = "ok" if timed_out else "fail"
                reason = "" if timed_out else "was not ended at its limit"
            self.seen.add(f"{self.prefix}.{test}")
            self._result(verdict, f"{self.prefix}.{test}", seconds, reason)
            if verdict == "fail" or self.details:
                self._show_output()
            self.output, self.test, self.leaving = [], "", ""
        elif word == "@end":
            self.ended = True
        elif not word.startswith("@"):
            self.output.append(line)

    def write(self, boot, seconds):
        """Report all tests of a scenario whose VM has ended; seconds are wall-clock time."""
        with self.tap.lock:
            results = self.directory / "results"
            text = results.read_text(errors="replace") if results.exists() else ""
            for line in text.splitlines():
                self._read(line.rstrip("\r"))
            self._write_lost(boot)
            self.tap.note(f"{self.scenario.series} {self.scenario.name}: {seconds:.0f} s"
                          f" ({boot.time:.0f} s without waiting for a CPU), console in"
                          f" {self._path('console')}")

    def _path(self, name):
        path = self.directory / name
        return path.relative_to(host.TOP) if path.is_relative_to(host.TOP) else path

    def _write_lost(self, boot):
        """Report the tests that did not report, as failed."""
        if boot.timed_out:
            why = f"timed out after {boot.time:.0f} s"
        elif not self.ended:
            why = "the VM died"
        else:
            why = "did not report"
        lost = [test for test in self.scenario.expected() if test not in self.seen]
        for test in lost:
            if test == self.test:
                self._result("fail", test, "-", f"{why} while it ran")
                self._show_output()
            else:
                self._result("fail", test, "-", f"{why} before it")
        if not self.ended and not lost:
            lost = [self.scenario.name]
            self._result("fail", f"{self.scenario.name}.end", "-", why)
        if lost:
            self.tap.note("-- end of the console:")
            for line in self._tail("console")[-50:]:
                self.tap.note(f"| {line}")
            for line in self._tail("qemu.log"):
                self.tap.note(f"qemu: {line}")

    def _tail(self, name):
        path = self.directory / name
        if not path.exists():
            return []
        return path.read_text(errors="replace").replace("\r", "").splitlines()
