# SPDX-License-Identifier: GPL-2.0
"""The run as a whole: select, prepare, then one VM after the other, or some side by side."""

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from . import boot, host, plan, prepare, report
from .host import Failed
from .image import Image
from .progress import Progress


class Run:
    """One call of selftests/vm/run."""

    def __init__(self, opts):
        self.opts = opts
        self.progress = Progress()
        self.tap = report.Tap(self.progress)
        self.sockets = tempfile.mkdtemp(prefix="pkram-vm.")
        self.prepared = None

    def main(self):
        """Do all of it; return the exit status."""
        scenarios = plan.select(self.opts)
        if self.opts.interactive:
            scenarios = scenarios[:1]
        elif not (self.opts.list or self.opts.prepare):
            self._say_what(scenarios)
        for directory in ("tests", "logs"):
            (host.OUT / directory).mkdir(parents=True, exist_ok=True)
        self.prepared = prepare.Prepared(scenarios, self.progress)
        steps = prepare.steps_to_run(scenarios, self.opts, bool(os.environ.get("PKRAM_QEMU")))
        if self.opts.prepare:
            self.prepared.run_all(steps)
            return 0
        # A test that does not exist is found before kernels and QEMU are fetched.
        to_list = prepare.steps_to_list()
        self.prepared.run(to_list, len(to_list if self.opts.list else set(steps)))
        prepare.read_limits(scenarios, self.prepared)
        plan.check_tests(scenarios)
        if self.opts.list:
            return self._list(scenarios)
        self.prepared.run(steps)
        if self.opts.interactive:
            return self._interactive(scenarios[0])
        with ThreadPoolExecutor(self.opts.jobs) as pool:
            for done in [pool.submit(self._scenario, one) for one in scenarios]:
                done.result()
        return self.tap.finish()

    def close(self):
        """Leave nothing behind."""
        host.end_all()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _say_what(self, scenarios):
        names = list(dict.fromkeys(one.name for one in scenarios))
        what = ", ".join(names) if len(names) <= 6 else f"{len(names)} scenarios"
        kernels = ", ".join(dict.fromkeys(one.series for one in scenarios))
        self.tap.note(f"{what} on {kernels}: {len(scenarios)} VM"
                      f"{'s'[:len(scenarios) > 1]}, {self.opts.jobs} at a time")

    def _list(self, scenarios):
        bad = self.prepared.get("tests")
        for name, failed in bad.items():
            print(f"run: {name} does not compile: {failed}", file=sys.stderr)
        for one in scenarios:
            for test in one.expected():
                print(test)
        return 1 if bad else 0

    # -- one scenario on one kernel ---------------------------------------------------

    def _directory(self, one):
        """A log directory, and the lock that keeps another run out of it."""
        directory = host.OUT / "logs" / one.series / one.name
        lock = host.try_lock(f"{directory}.lock")
        if not lock:
            directory = directory.with_name(f"{one.name}.{os.getpid()}")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        return directory, lock

    def _make_image(self, one, directory):
        """Make what the VM boots; raise Failed with the reason if that fails."""
        bad = self.prepared.get("tests").get(one.name)
        if bad:
            raise Failed("does not compile", bad.said)
        image = Image(one, directory, self.prepared, self.opts)
        image.make()
        self.prepared.get("host_qemu")
        return image

    def _scenario(self, one):
        directory, lock = self._directory(one)
        key, name = (one.series, one.name), f"{one.series} {one.name}"
        told = report.Report(one, directory, self.tap, self.opts.details)
        self.progress.begin(key, f"{name}: image", log=False)
        try:
            image = self._make_image(one, directory)
            self.progress.begin(key, f"{name}: waits for a VM slot", log=False)
            with boot.slot():
                self.progress.begin(key, name, log=False)
                self._boot(one, image, told)
            image.remove()
        except Failed as failed:
            told.could_not_start(str(failed), failed.said)
        except Exception:       # pylint: disable=broad-except
            # The others still run, and the last line still comes.
            told.could_not_start("the runner failed", traceback.format_exc().splitlines())
        finally:
            self.progress.end(key)
            if lock:
                lock.close()

    def _boot(self, one, image, told):
        begin = time.monotonic()
        for last in (False, True):
            vm = boot.Boot(one, image, self.opts, self.sockets)
            vm.run(self.progress)
            # Before init starts for the first time, nothing of pkram's is in the VM.
            if last or self._booted(vm):
                break
            console = image.directory / "console"
            if console.exists():
                console.rename(image.directory / "console.first")
            self.tap.note(f"{one.series} {one.name}: init did not start within "
                          f"{vm.time:.0f} s; trying once more (see console.first in "
                          f"{image.directory.relative_to(host.TOP)})")
        told.write(vm, time.monotonic() - begin)

    @staticmethod
    def _booted(vm):
        return vm.results.exists() and "@boot " in vm.results.read_text(errors="replace")

    def _interactive(self, one):
        directory, lock = self._directory(one)
        try:
            image = self._make_image(one, directory)
            self.progress.print(f"Starting a VM: {one.name} on kernel {one.series}, "
                                f"{one.memory} of RAM, {one.smp} CPUs. "
                                "Ctrl-A X ends it at once.")
            self.progress.quiet()
            boot.Boot(one, image, self.opts, self.sockets).run(self.progress)
            image.remove()
        finally:
            if lock:
                lock.close()
        return 0


def main(argv):
    """The entry of selftests/vm/run."""
    opts = plan.options(argv)
    run = Run(opts)

    def interrupted(*_):
        run.close()
        os._exit(130)

    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    try:
        status = run.main()
    except plan.Usage as usage:
        print("\n".join(f"run: {line}" for line in str(usage).splitlines()), file=sys.stderr)
        status = 2
    except Failed as failed:
        for line in failed.said:
            print(line, file=sys.stderr)
        print(f"run: {failed}", file=sys.stderr)
        status = 1
    finally:
        run.close()
    sys.exit(status)
