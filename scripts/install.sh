#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# install.sh - install a part of the project
#
#   install.sh modules DESTDIR PREFIX KVER   the modules, built for that kernel
#   install.sh userspace DESTDIR PREFIX      library, tool, manual pages, units
#   install.sh dkms DESTDIR PREFIX           the modules' source, for `dkms add`

set -euo pipefail
. "$(dirname "$0")/lib.sh"

install_modules() {
	local built kver module
	built=$("$PKRAM_TOP/scripts/build-modules.sh" "$1")
	kver=${built##*/kmod-}
	for module in "$built"/kmod/*.ko "$built"/kmod/*/*.ko; do
		[[ -e $module ]] || continue
		install -D -m 644 -t "$destdir/lib/modules/$kver/updates" "$module"
	done
	[[ $destdir ]] || depmod "$kver"
}

install_userspace() {
	"$PKRAM_TOP/scripts/need.sh" userspace
	make --no-print-directory -C "$PKRAM_TOP/userspace" install \
		DESTDIR="$destdir" PREFIX="$prefix"
}

# The version is that of user space. Remove sources of other versions: they would be built
# too.
install_dkms() {
	local version to
	version=$(sed -n 's/^VERSION[[:space:]]*:= *//p' "$PKRAM_TOP/userspace/Makefile")
	[[ $version ]] || die "there is no VERSION in userspace/Makefile"
	to=$destdir$prefix/src/pkram-$version
	rm -rf "$to"
	mkdir -p "$to"
	(cd "$PKRAM_TOP" && find Kbuild kmod uapi -type f \
		\( -name '*.[chS]' -o -name '*.sh' -o -name Kbuild \) -exec cp -p --parents -t "$to" {} +)
	sed "s/#MODULE_VERSION#/$version/" "$PKRAM_TOP/dkms.conf" >"$to/dkms.conf"
	[[ $destdir ]] || say "to build it: dkms install pkram/$version"
}

usage="usage: install.sh modules|userspace|dkms DESTDIR PREFIX [KVER]"
(($# >= 3)) || die "$usage"
part=$1 destdir=$2 prefix=$3
shift 3
case $part in
modules) install_modules "${1:?KVER}" ;;
userspace) install_userspace ;;
dkms) install_dkms ;;
*) die "$usage" ;;
esac
