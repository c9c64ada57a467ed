#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# deb.sh [SERIES...] - build the packages, install them on the release they are for, and
# build the modules by DKMS for kernels of these series (default: all)
#
# No kernel is booted: a root of that release has the kernels' headers and the hooks
# that a kernel's package calls when it is installed.
#
# deb.sh --build SUITE - the part that builds the packages

set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/../tap/tap.sh"

if [[ ${1:-} == --build ]]; then
	tap_check "the packages build, and lintian finds no error" \
		"$PKRAM_TOP/scripts/deb.sh" build "$2" || :
	tap_finish
	exit
fi

(($#)) || eval "set -- $PKRAM_SERIES"
bookworm=() trixie=()
for series; do
	kver=$("$PKRAM_TOP/scripts/kernels.sh" version "$series")
	"$PKRAM_TOP/scripts/kernels.sh" fetch "$kver" >/dev/null
	case $series in
	7*) trixie+=("$kver") ;;
	*) bookworm+=("$kver") ;;
	esac
done

programs=()
# on SUITE KVER... - test on a release, if there are kernels for it
on() {
	(($# > 1)) || return 0
	programs+=("$1=selftests/packaging/deb.sh --build $1"
		"$1=scripts/deb.sh try $1 $PKRAM_TOP/selftests/packaging/deb-inside.sh $*")
}

on bookworm "${bookworm[@]}"
on trixie "${trixie[@]}"
cd "$PKRAM_TOP"
exec scripts/tap "${programs[@]}"
