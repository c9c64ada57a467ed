#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run all self tests of user space and print one TAP stream.
# usage: run.sh BUILD-DIRECTORY
set -eu
O=$1
dir=$(dirname "$0")

# The tests keep the tool's JSON output here for schema.py, which runs last.
PKRAM_JSON_DIR=$O/tests/json
export PKRAM_JSON_DIR
rm -rf "$PKRAM_JSON_DIR"
mkdir -p "$PKRAM_JSON_DIR"

for t in "$O/tests/test_pure" "$O/tests/test_guest" "$O/tests/test_lib" \
	 "$O/tests/test_lib_static" "$O/tests/test_manifest" \
	 "$O/tests/test_copy" "$dir/spec.py" "$dir/cli.sh" "$dir/guests.sh" "$dir/defs.sh" "$dir/health.sh" "$dir/unlucky.sh" "$dir/leaving.sh" "$dir/patience.sh" "$dir/update.sh" "$dir/term.sh" "$dir/killed.sh" \
	 "$dir/verbs.sh" "$dir/pool.sh" "$dir/maintainer.sh" "$dir/report.sh" "$dir/schema.py"; do
	set -- "$@" "$(basename "${t%.*}")='$t' '$O'"
done
shift
exec "$dir/../../scripts/tap" "$@"
