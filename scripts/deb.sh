#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# deb.sh - build the Debian packages, each on the release it is for
#
#   deb.sh build [SUITE...]        build them (default: bookworm and trixie), run
#                                  lintian on them, print their directories
#   deb.sh try SUITE COMMAND...    run COMMAND where they are built, with debian-root.sh
#
# The sources are the tracked files of the work tree; the packages are written to
# build/deb/SUITE.  The tests of user space do not run here, but in make test-userspace;
# DEB_BUILD_OPTIONS= (empty) runs them, as in any build of a Debian package.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# packages SUITE - list the build dependencies, and DKMS with its tools
packages() {
	local all=build-essential,debhelper,dh-dkms,dkms,kmod,libelf-dev,libjson-c-dev
	all+=,libmnl-dev,liburing-dev,lintian,pahole,pkg-config,python3-minimal,xz-utils,zstd
	case $1 in
	bookworm) echo "$all,systemd" ;;
	trixie) echo "$all,systemd-dev" ;;
	*) die "packages are built for bookworm and trixie, not for $1" ;;
	esac
}

# in_root exec|try SUITE COMMAND...
in_root() {
	local list
	list=$(packages "$2")
	"$PKRAM_TOP/scripts/debian-root.sh" "$1" "$2" "$list" "${@:3}"
}

# sources DIR - copy the tracked files, or all where there is no git
sources() {
	rm -rf "$1"
	mkdir -p "$1"
	if [[ -e $PKRAM_TOP/.git ]]; then
		need_packages git
		git -c safe.directory='*' -C "$PKRAM_TOP" ls-files -z
	else
		(cd "$PKRAM_TOP" && find . -path ./build -prune -o -type f -print0)
	fi | tar -c -C "$PKRAM_TOP" --null -T - | tar -x -C "$1"
}

build() {
	local suite=$1 out=$PKRAM_BUILD/deb/$1 version
	version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$PKRAM_TOP/debian/changelog")
	grep -qx "VERSION[[:space:]]*:= $version" "$PKRAM_TOP/userspace/Makefile" ||
		die "debian/changelog says $version, VERSION in userspace/Makefile does not"
	rm -rf "$out"
	sources "$out/pkram-$version"
	# The suite is a part of the version, so that an upgrade of the release brings the package of
	# the new one
	sed -i "1s/($version)/($(deb_version "$suite"))/" "$out/pkram-$version/debian/changelog"
	say "building the packages for $suite"
	# shellcheck disable=SC2016
	logged "$out/build.log" in_root exec "$suite" \
		sh -euc 'cd "$1" && DEB_BUILD_OPTIONS=$2 dpkg-buildpackage -us -uc' \
		sh "$out/pkram-$version" "${DEB_BUILD_OPTIONS-nocheck}"
	rm -rf "$out/pkram-$version"
	# shellcheck disable=SC2016
	logged "$out/lintian.log" in_root exec "$suite" \
		sh -euc 'cd "$1" && lintian --allow-root --fail-on error *.changes' sh "$out"
	echo "$out"
}

case ${1:-} in
build)
	shift
	(($#)) || set -- bookworm trixie
	for suite; do
		build "$suite"
	done
	;;
try)
	(($# > 2)) || die "usage: deb.sh try SUITE COMMAND..."
	in_root "$@"
	;;
*) die "usage: deb.sh build [SUITE...] | try SUITE COMMAND..." ;;
esac
