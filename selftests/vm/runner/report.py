# SPDX-License-Identifier: GPL-2.0
"""Turn what init wrote into TAP, and count."""

import threading
from pathlib import Path

from . import host


class Tap:
    """The results of a run: one numbering, whatever runs side by side."""

    def __init__(self, progress):
        self.lock = threading.RLock()
        self.progress = progress
        self.count = {"ok": 0, "fail": 0, "skip": 0}

    def line(self, text):
        """Write a line that is no result."""
        self.progress.print(text)

    def result(self, verdict, name, seconds, reason=""):
        """Write one result: ok, fail or skip."""
        with self.lock:
            self.count[verdict] += 1
            number = sum(self.count.values())
            if verdict == "ok":
                text = f"ok {number} - {name} ({seconds} s)"
            elif verdict == "fail":
                text = f"not ok {number} - {name} ({seconds} s)" + \
                    (f" # {reason}" if reason else "")
            else:
                text = f"ok {number} - {name} # SKIP {reason}"
            self.progress.print(text)

    def finish(self):
        """Write the plan and the last line; return the exit status."""
        passed, failed, skipped = (self.count[key] for key in ("ok", "fail", "skip"))
        self.line(f"1..{passed + failed + skipped}")
        if skipped:
            self.line(f"# {skipped} skipped")
        self.line(f"{passed} passed, {failed} failed")
        return 0 if passed and not failed else 1


class Report:
    """The report of one scenario."""

    def __init__(self, scenario, folder, tap, details):
        self.scenario = scenario
        self.folder = Path(folder)
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
                self.tap.line(f"# {line}")

    def _result(self, verdict, name, seconds, reason=""):
        self.tap.result(verdict, f"{self.scenario.series} {name}", seconds, reason)

    def _show_output(self):
        for line in self.output:
            self.tap.line(line if line.startswith("#") else f"# {line}")

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
            results = self.folder / "results"
            text = results.read_text(errors="replace") if results.exists() else ""
            for line in text.splitlines():
                self._read(line.rstrip("\r"))
            self._write_lost(boot)
            self.tap.line(f"# {self.scenario.series} {self.scenario.name}: {seconds:.0f} s"
                          f" ({boot.time:.0f} s without waiting for a CPU), console in"
                          f" {self._path('console')}")

    def _path(self, name):
        path = self.folder / name
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
            self.tap.line("# -- end of the console:")
            for line in self._tail("console")[-50:]:
                self.tap.line(f"# | {line}")
            for line in self._tail("qemu.log"):
                self.tap.line(f"# qemu: {line}")

    def _tail(self, name):
        path = self.folder / name
        if not path.exists():
            return []
        return path.read_text(errors="replace").replace("\r", "").splitlines()
