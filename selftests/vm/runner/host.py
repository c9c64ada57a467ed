# SPDX-License-Identifier: GPL-2.0
"""This machine: where things are, locks, and the programs that the runner calls."""

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
VM = TOP / "selftests/vm"
BUILD = TOP / "build"
OUT = BUILD / "vm"
CACHE = Path(os.environ.get("PKRAM_CACHE") or
             os.environ.get("HOME", "/root") + "/.cache/pkram")

_children: set[subprocess.Popen] = set()
_children_lock = threading.RLock()       # a signal handler takes it, too
_ending = False


class Failed(Exception):
    """Something could not be done: a line that says what, and what a program said."""

    def __init__(self, what, said=()):
        super().__init__(what)
        self.said = list(said)


def start(argv, **keywords):
    """Start a program that ends when the run is interrupted."""
    with _children_lock:
        if _ending:
            raise Failed("interrupted")
        child = subprocess.Popen([str(a) for a in argv], **keywords)
        _children.add(child)
    return child


def ended(child):
    """Forget a program that has ended."""
    with _children_lock:
        _children.discard(child)


def end_all():
    """End all programs that still run, and start no more."""
    global _ending
    with _children_lock:
        _ending = True
        for child in _children:
            with contextlib.suppress(OSError):
                child.send_signal(signal.SIGTERM)


def _read_said(stream, said, progress):
    for line in stream:
        line = line.rstrip("\n")
        said.append(line)
        if progress and line.strip():
            # In a log only what our scripts say, not what compilers do
            progress.detail(line, log=re.match(r"[\w.-]+: ", line))


def call(*argv, progress=None, env=None, cwd=None, log=None, merge=False):
    """Run a program and return what it prints.

    What it says on stderr goes to progress a line at a time, and to the file log. With
    merge, stdout does so too. Raise Failed, with the end of what it said, if it fails.
    """
    child = start(argv, env={**os.environ, **(env or {})}, cwd=cwd,
                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                  stderr=subprocess.STDOUT if merge else subprocess.PIPE,
                  text=True, errors="replace")
    said, out = [], ""
    try:
        if merge:
            _read_said(child.stdout, said, progress)
        else:
            reader = threading.Thread(target=_read_said, daemon=True,
                                      args=(child.stderr, said, progress))
            reader.start()
            out = child.stdout.read()
            reader.join()
        status = child.wait()
    finally:
        ended(child)
    if log:
        Path(log).write_text("".join(line + "\n" for line in said))
    if status:
        last = next((line for line in reversed(said) if line.strip()),
                    f"{Path(argv[0]).name} ends with status {status}")
        raise Failed(last, said[-40:])
    return out


def script(name, *argv, **keywords):
    """Run scripts/NAME and return the last line that it prints."""
    lines = call(TOP / "scripts" / name, *argv, **keywords).splitlines()
    return lines[-1] if lines else ""


def bash(text, *argv, **keywords):
    """Run bash commands that may use scripts/lib.sh; return what they print."""
    return call("/bin/bash", "-c", f'set -uo pipefail; . "{TOP}/scripts/lib.sh"; {text}',
                "run", *argv, **keywords)


def need_packages(*names, progress=None):
    """Install the Debian packages that are missing."""
    if names:
        bash('need_packages "$@"', *names, progress=progress)


@contextlib.contextmanager
def locked(path):
    """Hold the lock file path; runs beside this one wait."""
    with open(path, "a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def try_lock(path):
    """Return the open lock file, or None if another process has the lock."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    file = open(path, "a", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def libraries(program):
    """Paths of the shared libraries that a program loads; none for a static one."""
    done = subprocess.run(["ldd", str(program)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    return re.findall(r"/[^ \n]*", done.stdout) if done.returncode == 0 else []
