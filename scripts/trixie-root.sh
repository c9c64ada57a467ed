#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# trixie-root.sh - a Debian 13 tool chain in a directory, for what Debian 12's gcc and
# glibc cannot build (modules for 7.x kernels).
#
#   trixie-root.sh fetch              make the root, or find it; print its path
#   trixie-root.sh exec COMMAND...    run COMMAND in it, see debian-root.sh

set -euo pipefail
. "$(dirname "$0")/lib.sh"

PACKAGES=make,gcc-14,pahole,sparse,libc6-dev,libelf1t64,libssl3t64,zlib1g,libelf-dev,libssl-dev,flex,bison,bc,xz-utils,kmod,cpio,python3-minimal,zstd

case ${1:-} in
fetch | exec) exec "$PKRAM_TOP/scripts/debian-root.sh" "$1" trixie "$PACKAGES" "${@:2}" ;;
*) die "usage: trixie-root.sh fetch | exec COMMAND..." ;;
esac
