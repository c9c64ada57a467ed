#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# linux-source.sh tools|tree SERIES - fetch files that only linux-source packages have
#
#   tools   print a directory with the few files of the newest source that tests and
#           checks use: kselftest_harness.h and what it includes, checkpatch.pl, the
#           client for netlink specs (ynl) with the schema of specs
#   tree    print the path of the source tarball for SERIES, and its version, on
#           one line (for debug-kernel.sh)

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# package SERIES - set sources, package and version of its newest linux-source
package() {
	case $1 in
	6.1) sources=host ;;
	6.12) sources=bookworm-backports ;;
	7) sources=trixie-backports ;;
	*) die "unknown kernel series: $1 (know: $PKRAM_SERIES)" ;;
	esac
	local show
	show=$(apt_private "$sources" apt-cache show --no-all-versions linux-source)
	version=$(sed -n 's/^Version: //p' <<<"$show")
	package=$(sed -n 's/^Depends: .*\(linux-source-[0-9.]*[0-9]\).*/\1/p' <<<"$show")
	[[ $package && $version ]] || die "cannot find the source of $1"
}

# tree SERIES - download and unpack the package, leaving the tarball
tree() {
	local sources package version dir tmp
	package "$1"
	dir=$PKRAM_CACHE/source/$package-$version
	(
		flock 9
		[[ -e $dir/.complete ]] && exit 0
		say "fetching $package $version ($(package_megabytes "$sources" "$package=$version"))"
		tmp=$dir.tmp
		rm -rf "$tmp" "$dir"
		mkdir -p "$tmp"
		cd "$tmp"
		apt_private "$sources" apt-get -qq download "$package=$version" >&2
		dpkg-deb --fsys-tarfile ./*.deb |
			tar x --strip-components=3 --wildcards '*.tar.xz'
		rm ./*.deb
		touch .complete
		mv "$tmp" "$dir"
	) 9>"$(lock_file source)" || die "cannot fetch $package"
	echo "$dir"/*.tar.xz "$version"
}

# tools - keep the few files, not the tarball
tools() {
	# The number changes with the list of files.
	local dir=$PKRAM_CACHE/source/tools-2 tarball tmp
	if [[ ! -e $dir/.complete ]]; then
		(
			flock 9
			[[ -e $dir/.complete ]] && exit 0
			read -r tarball _ < <(tree 7)
			[[ $tarball ]] || exit 1
			tmp=$dir.tmp
			rm -rf "$tmp" "$dir"
			mkdir -p "$tmp"
			tar xf "$tarball" -C "$tmp" --strip-components=1 --wildcards \
				'*/tools/testing/selftests/kselftest*.h' \
				'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
				'*/scripts/const_structs.checkpatch' \
				'*/tools/net/ynl/*.py' '*/Documentation/netlink/genetlink*.yaml' \
				'*/Documentation/netlink/specs/nlctrl.yaml'
			[[ -e $tmp/tools/testing/selftests/kselftest_harness.h ]]
			touch "$tmp/.complete"
			mv "$tmp" "$dir"
			rm -rf "${tarball%/*}"
		) 9>"$(lock_file source-tools)" || die "cannot fetch the source tools"
	fi
	echo "$dir"
}

case ${1:-} in
tools) tools ;;
tree) tree "${2:?SERIES}" ;;
*) die "usage: linux-source.sh tools | tree SERIES" ;;
esac
