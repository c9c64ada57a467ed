# SPDX-License-Identifier: GPL-2.0
"""Write TAP from Python: a Tap, its ok() for each result, then its finish()."""


class Tap:
    """Results, numbered in order; write takes a line."""

    def __init__(self, write=print):
        self.write = write
        self.count = {"ok": 0, "fail": 0, "skip": 0}

    def result(self, verdict, name, reason=""):
        """Write a result: ok, fail or skip."""
        self.count[verdict] += 1
        text = f"{'not ' if verdict == 'fail' else ''}ok {sum(self.count.values())} - {name}"
        if verdict == "skip":
            text += f" # SKIP {reason}"
        elif reason:
            text += f" # {reason}"
        self.write(text)

    def ok(self, good, name, *why):
        """Write a result, and why as diagnostics if it is not good."""
        self.result("ok" if good else "fail", name)
        for text in why if not good else ():
            self.note(text)

    def note(self, text):
        """Write diagnostics."""
        for line in str(text).splitlines():
            self.write(f"# {line}")

    def finish(self):
        """Write plan and sum; return the exit status."""
        passed, failed, skipped = (self.count[key] for key in ("ok", "fail", "skip"))
        self.write(f"1..{passed + failed + skipped}")
        if skipped:
            self.note(f"{skipped} skipped")
        self.write(f"{passed} passed, {failed} failed")
        return 0 if passed and not failed else 1
