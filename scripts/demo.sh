#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh - the demonstration: memory that survives a kexec, in a VM, with the
# guest's own words on the terminal.  It is the scenario selftests/vm/tests/demo.c.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

[[ -e $PKRAM_TOP/selftests/vm/tests/demo.c ]] ||
	die "the demonstration is not part of this version"
exec "$PKRAM_TOP/selftests/vm/run" -k "${DEMO_KERNEL:-6.12}" -t demo -d
