#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh - what can be said about the sources without running them: checkpatch,
# sparse and W=1 on every kernel, shellcheck, codespell.  Goes through all of them
# and fails at the end if one found something.

set -uo pipefail
. "$(dirname "$0")/lib.sh"

bad=0

# step NAME COMMAND... - run it; remember a failure
step() {
	local name=$1
	shift
	echo "== $name"
	"$@" || {
		echo "== $name: failed"
		bad=1
	}
}

# tracked PATTERN... - files that git knows, which may be linted
tracked() { git -C "$PKRAM_TOP" ls-files -- "$@"; }

run_checkpatch() {
	local tools files
	tools=$("$PKRAM_TOP/scripts/linux-source.sh" tools) || return
	mapfile -t files < <(tracked 'kmod/*.[ch]' 'uapi/*.h' 'userspace/*.[ch]' \
		'selftests/*.[ch]' 'bench/*.[ch]' 'kmod/Kbuild' ':!qemu-patches')
	((${#files[@]})) || return 0
	# What does not hold outside the kernel tree: MAINTAINERS, the tree's own
	# documentation folders.  100 columns are checkpatch's own default.
	"$tools/scripts/checkpatch.pl" --strict --no-tree --terse --no-summary \
		--show-types --quiet \
		--ignore FILE_PATH_CHANGES,EMBEDDED_FILENAME,LINUX_VERSION_CODE \
		-f "${files[@]}"
}

# sparse reads what the compiler does; its findings are warnings on stderr
run_sparse() {
	local log=$PKRAM_BUILD/sparse-$1.log
	mkdir -p "$PKRAM_BUILD"
	"$PKRAM_TOP/scripts/build-modules.sh" "$1" C=2 "CHECK=sparse" \
		>/dev/null 2>"$log" || {
		grep -E 'error|warning' "$log" || tail -n 20 "$log"
		return 1
	}
	! grep -E 'build/kmod-[^ ]*(kmod|uapi)/.*(warning|error):' "$log"
}

run_shellcheck() {
	local files
	mapfile -t files < <(tracked | while read -r f; do
		[[ -f $f ]] && head -c 64 "$f" | head -n 1 |
			grep -qaE '^#!.*\b(ba)?sh\b' && echo "$f"
	done)
	((${#files[@]} == 0)) || shellcheck -x "${files[@]}"
}

run_codespell() {
	local files
	mapfile -t files < <(tracked ':!qemu-patches' ':!*.bin')
	codespell --quiet-level=3 --ignore-words-list=fo,te,nd,iif,mmaped,unmapp \
		"${files[@]}"
}

"$PKRAM_TOP/scripts/need.sh" check
cd "$PKRAM_TOP" || exit 1
step shellcheck run_shellcheck
step codespell run_codespell
step checkpatch run_checkpatch
for series in $PKRAM_SERIES; do
	step "W=1 and sparse, $series" run_sparse "$series"
done
exit "$bad"
