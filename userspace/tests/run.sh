#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run all self tests of user space: TAP, one numbering, one last line.
# usage: run.sh BUILD-DIRECTORY
set -u
O=$1
dir=$(dirname "$0")
out=$(mktemp)
n=0
trap 'rm -f "$out"' EXIT

# What the tool prints as JSON in its tests, for schema.py
PKRAM_JSON_DIR=$O/tests/json
export PKRAM_JSON_DIR
rm -rf "$PKRAM_JSON_DIR"
mkdir -p "$PKRAM_JSON_DIR"

for t in "$O/tests/test_pure" "$O/tests/test_guest" "$O/tests/test_lib" \
	 "$O/tests/test_lib_static" "$O/tests/test_manifest" \
	 "$O/tests/test_copy" "$dir/spec.py" "$dir/cli.sh" "$dir/guests.sh" \
	 "$dir/verbs.sh" "$dir/pool.sh" "$dir/schema.py"; do
	name=$(basename "${t%.*}")
	# A test that dies (sanitizer, signal) without its last line has failed
	"$t" "$O" >"$out.1" 2>&1
	grep -q '^[0-9]* passed, [0-9]* failed$' "$out.1" ||
		echo "not ok 0 - ran to its end" >>"$out.1"
	awk -v n="$n" -v name="$name" '
		/^1\.\./ || /^[0-9]+ passed, / { next }
		/^(not )?ok [0-9]+ - / {
			not = sub(/^not /, "") ? "not " : ""
			sub(/^ok [0-9]+ - /, "")
			print not "ok " ++n " - " name ": " $0
			next
		}
		{ print "# " $0 }' "$out.1" | tee -a "$out"
	n=$(grep -c '^\(not \)\?ok ' "$out")
	rm -f "$out.1"
done
passed=$(grep -c '^ok ' "$out")
failed=$(grep -c '^not ok ' "$out")
echo "1..$((passed + failed))"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
