#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# deb.sh [SERIES...] - build the packages, install them on the release they are for, and
# build the modules by DKMS for kernels of these series (default: all)
#
# No kernel is booted: a root of that release has the kernels' headers and the hooks that
# a kernel's package calls when it is installed.

set -uo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
. "$(dirname "$0")/lib.sh"

(($#)) || eval "set -- $PKRAM_SERIES"
bookworm=() trixie=()
for series; do
	kver=$("$PKRAM_TOP/scripts/kernels.sh" version "$series") &&
		"$PKRAM_TOP/scripts/kernels.sh" fetch "$kver" >/dev/null || exit 1
	case $series in
	7*) trixie+=("$kver") ;;
	*) bookworm+=("$kver") ;;
	esac
done

# on SUITE KVER...
on() {
	check "the packages build on $1, and lintian finds no error" \
		"$PKRAM_TOP/scripts/deb.sh" build "$1"
	"$PKRAM_TOP/scripts/deb.sh" try "$1" "$PKRAM_TOP/selftests/packaging/deb-inside.sh" \
		"$@" || ((++bad))
}

((${#bookworm[@]} == 0)) || on bookworm "${bookworm[@]}"
((${#trixie[@]} == 0)) || on trixie "${trixie[@]}"
finish
