# SPDX-License-Identifier: GPL-2.0
"""What the runner is doing: one changing line on a terminal, a line a step in a log."""

import shutil
import sys
import threading
import time


class Progress:
    """Say on stderr what goes on; print on stdout without mixing the two up."""

    def __init__(self, enabled=True):
        self.enabled = enabled
        self.tty = enabled and sys.stderr.isatty()
        self.lock = threading.RLock()
        self.items = {}         # what goes on: key -> [text, detail, since]
        self.shown = False
        if self.tty:
            threading.Thread(target=self._tick, daemon=True).start()

    def _tick(self):
        while True:
            time.sleep(1)
            with self.lock:
                self._draw()

    def _clear(self):
        if self.shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self.shown = False

    def _draw(self):
        if not self.tty:
            return
        self._clear()
        parts = []
        for text, detail, since in self.items.values():
            seconds = int(time.monotonic() - since)
            parts.append(f"{text} ({seconds} s)" + (f": {detail}" if detail else ""))
        if parts:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(" | ".join(parts)[:width])
            sys.stderr.flush()
            self.shown = True

    def begin(self, key, text, log=True):
        """Work named key begins. Without log it is for the terminal only."""
        with self.lock:
            self.items[key] = [text, "", time.monotonic()]
            if self.enabled and not self.tty and log:
                print(f"# {text}", file=sys.stderr, flush=True)
            self._draw()

    def detail(self, text, key=None, log=True):
        """More about the work named key, or about the newest."""
        with self.lock:
            if key is None and self.items:
                key = next(reversed(self.items))
            if key in self.items:
                self.items[key][1] = text.strip()
            if self.enabled and not self.tty and log:
                print(f"#   {text}", file=sys.stderr, flush=True)
            self._draw()

    def end(self, key):
        """Work named key is over."""
        with self.lock:
            self.items.pop(key, None)
            self._draw()

    def print(self, text):
        """Write a line to stdout."""
        with self.lock:
            self._clear()
            print(text, flush=True)
            self._draw()

    def quiet(self):
        """Write nothing more: the terminal is the VM's."""
        with self.lock:
            self._clear()
            self.items.clear()
            self.enabled = self.tty = False
