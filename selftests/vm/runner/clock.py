# SPDX-License-Identifier: GPL-2.0
"""The VM's own time, by which its limits go.

A VM on a busy machine is slower, and that must not make a test fail. So the clock of a VM
stands still while it waits for a processor: its time is the wall-clock time less what its
threads spent on a run queue. The kernel counts that for each thread, in
/proc/PID/task/TID/schedstat: nanoseconds that it ran, nanoseconds that it waited to run.
Of the threads the one that waited longest counts, as the others may depend on it; but at
least the time passes that a thread ran.

A VM that computes for ever and one that sleeps for ever both reach their limit this way:
the first gets its share of the processors, and the second does not wait for one at all.
CPU time alone would never end the second kind. A QEMU that is stopped, or blocked in the
kernel, does not wait for a processor either: no other limit is needed for it.

The kernel adds a wait when it is over. So threads are compared over WINDOW seconds, which
is long against one wait: else waits at the same time would be added up.

Where the kernel does not count what threads wait for (the second number is 0), this is
the wall-clock time.
"""

import os
import time

WINDOW = 5


class Clock:
    """The own time of the process pid, in seconds, from now on."""

    def __init__(self, pid, now=time.monotonic, read=None):
        self.tasks = f"/proc/{pid}/task"
        self.now = now
        self.read = read or self._read
        self.passed = 0.0       # up to the window's begin
        self.last = 0.0
        self.begin = now()
        self.before = self.read()

    def _read(self):
        """What each thread has run and waited, in seconds: {TID: (ran, waited)}"""
        threads = {}
        try:
            for tid in os.listdir(self.tasks):
                try:
                    with open(f"{self.tasks}/{tid}/schedstat", encoding="ascii") as file:
                        ran, waited = file.read().split()[:2]
                        threads[tid] = int(ran) / 1e9, int(waited) / 1e9
                except (OSError, ValueError):
                    pass
        except OSError:
            pass
        return threads

    def sample(self):
        """Return the time; to be called every second or more often."""
        threads, length = self.read(), self.now() - self.begin
        ran = waited = 0.0
        for tid, (run, wait) in threads.items():
            run_before, wait_before = self.before.get(tid, (0.0, 0.0))
            ran = max(ran, run - run_before)
            waited = max(waited, wait - wait_before)
        time_now = self.passed + max(ran, length - waited)
        # A wait that ends now may have been taken for time before.
        self.last = max(self.last, time_now)
        if length >= WINDOW:
            self.passed, self.before = time_now, threads
            self.begin += length
        return self.last
