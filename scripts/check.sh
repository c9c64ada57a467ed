#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh - run all static checks: checkpatch, sparse and W=1 on every kernel, with
# codespell, pyflakes, shellcheck and the project's own checks.  All of them run; it fails
# at the end if one found something.

# Functions are called through step.
# shellcheck disable=SC2317

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

# tracked PATTERN... - list the files that git tracks
tracked() { git -C "$PKRAM_TOP" ls-files -- "$@"; }

# checkpatch IGNORED FILE... - strict, without the checks that do not apply out of tree
checkpatch() {
	local tools ignored=FILE_PATH_CHANGES,EMBEDDED_FILENAME,LINUX_VERSION_CODE,$1
	shift
	(($#)) || return 0
	tools=$("$PKRAM_TOP/scripts/linux-source.sh" tools) || return
	"$tools/scripts/checkpatch.pl" --strict --no-tree --terse --no-summary \
		--show-types --quiet --ignore "$ignored" -f "$@"
}

run_checkpatch_kernel() {
	local files ignored status=0
	# kzalloc_obj() and its like are not in 6.1 and 6.12.
	ignored=ALLOC_WITH_SIZEOF
	mapfile -t files < <(tracked 'kmod/*.[ch]' 'kmod/*Kbuild' 'selftests/vm/kmod/*' \
		':!kmod/compat' ':!kmod/event/trace.h')
	checkpatch "$ignored" "${files[@]}" || status=1
	# A tracepoint is written as a table.
	checkpatch "$ignored,COMPLEX_MACRO,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE" \
		kmod/event/trace.h || status=1
	# LINUX_VERSION_CODE looks like a constant that is compared with a call.
	ignored+=,CONSTANT_COMPARISON
	# These macros rename functions, and drop or repeat arguments for that.
	ignored+=,COMPLEX_MACRO,MACRO_ARG_UNUSED,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE
	mapfile -t files < <(tracked 'kmod/compat/*.h')
	checkpatch "$ignored" "${files[@]}" || status=1
	# A uapi header cannot use the kernel's own macros.
	mapfile -t files < <(tracked 'uapi/*.h')
	checkpatch BIT_MACRO "${files[@]}" || status=1
	return "$status"
}

# Programs are written in the same style, with C's own types and no kernel macros.
run_checkpatch_user() {
	local files ignored status=0
	ignored=PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,ARRAY_SIZE,BIT_MACRO
	ignored+=,EMBEDDED_FUNCTION_NAME,STATIC_CONST_CHAR_ARRAY,CAMELCASE,VOLATILE
	ignored+=,CONST_STRUCT,NEW_TYPEDEFS,MACRO_WITH_FLOW_CONTROL,AVOID_EXTERNS
	ignored+=,SSCANF_TO_KSTRTO,STRCPY,STRNCPY,CONSIDER_KSTRTO
	# Messages are not split (SPLIT_STRING), so that grep finds them.
	ignored+=,LONG_LINE_STRING
	# A program that receives ENOSYS may report it.
	ignored+=,ENOSYS
	mapfile -t files < <(tracked '*.[ch]' ':!kmod' ':!uapi' ':!qemu-patches' ':!selftests')
	checkpatch "$ignored" "${files[@]}" || status=1
	# The harness's EXPECT_*() are several statements followed by a block: a macro
	# that wraps them cannot be an expression and needs braces.
	ignored+=,COMPLEX_MACRO,BRACES
	# A macro that reports a failure repeats its arguments.
	ignored+=,MACRO_ARG_REUSE
	# STAGE() declares a fixture.
	ignored+=,MULTISTATEMENT_MACRO_USE_DO_WHILE
	mapfile -t files < <(tracked 'selftests/*.[ch]' ':!selftests/unit/kernel' \
		':!selftests/vm/kmod')
	checkpatch "$ignored" "${files[@]}" || status=1
	# Macros that stand in for the kernel's take the kernel's arguments.
	ignored+=,MACRO_ARG_UNUSED,MACRO_ARG_PRECEDENCE,MEMORY_BARRIER
	mapfile -t files < <(tracked 'selftests/unit/kernel/*.[ch]')
	checkpatch "$ignored" "${files[@]}" || status=1
	return "$status"
}

# Check the netlink spec against the schema of specs, and the checked-in generated code
# against the spec
run_spec() {
	need_packages python3-yaml python3-jsonschema
	"$PKRAM_TOP/scripts/netlink-code.py" check
}

# sparse runs beside the compiler; its findings are warnings on stderr
run_sparse() {
	local log=$PKRAM_BUILD/sparse-$1.log
	mkdir -p "$PKRAM_BUILD"
	"$PKRAM_TOP/scripts/build-modules.sh" "$1" PKRAM_TESTS=m C=2 "CHECK=sparse" \
		>/dev/null 2>"$log" || {
		grep -E 'error|warning' "$log" || tail -n 20 "$log"
		return 1
	}
	! grep -E '(^|/)(kmod|uapi)/[^ ]*:[0-9]+:.*(warning|error):' "$log"
}

run_shellcheck() {
	local files
	mapfile -t files < <(tracked | while read -r f; do
		[[ -f $f ]] && head -c 64 "$f" | head -n 1 |
			grep -qaE '^#!.*\b(ba)?sh\b' && echo "$f"
	done)
	((${#files[@]} == 0)) || shellcheck -x "${files[@]}"
}

run_pyflakes() {
	local files
	mapfile -t files < <(tracked | while read -r f; do
		[[ -f $f ]] && { [[ $f == *.py ]] || head -c 64 "$f" | head -n 1 |
			grep -qaE '^#!.*\bpython3\b'; } && echo "$f"
	done)
	pyflakes3 "${files[@]}"
}

run_codespell() {
	local files
	mapfile -t files < <(tracked ':!qemu-patches' ':!*.bin')
	# iput() is a function, .Nd a macro of mdoc, "skipp" is part of an output of
	# stress-ng.
	codespell --quiet-level=3 --ignore-words-list=ser,iput,nd,skipp \
		"${files[@]}"
}

"$PKRAM_TOP/scripts/need.sh" check
cd "$PKRAM_TOP" || exit 1
step shellcheck run_shellcheck
step pyflakes run_pyflakes
step codespell run_codespell
step documents scripts/check-docs.sh
step "the header in qemu-patches" scripts/qemu-header.sh check
step includes scripts/check-includes.sh
step "checkpatch, kernel" run_checkpatch_kernel
step "checkpatch, user space" run_checkpatch_user
step "netlink spec" run_spec
for series in $PKRAM_SERIES; do
	step "W=1 and sparse, $series" run_sparse "$series"
done
exit "$bad"
