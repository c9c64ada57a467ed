#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""test.py QEMU TINY SHIM [TEST...]: run all tests, or these; see run. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tap"))
import tap  # noqa: E402
import test_commands  # noqa: E402
import test_objects  # noqa: E402
from qemu import Host  # noqa: E402

known = [t.__name__ for t in test_objects.TESTS] + [s.__name__ for s in test_commands.STATES]
unknown = [name for name in sys.argv[4:] if name not in known]
if unknown:
    sys.exit("run: no test %s; there are: %s" % (unknown[0], " ".join(known)))
out = tap.Tap(lambda text: print(text, flush=True))
host = Host(*sys.argv[1:4])
try:
    for tests in test_objects, test_commands:
        tests.run(out, host, sys.argv[4:])
finally:
    host.remove()
sys.exit(out.finish())
