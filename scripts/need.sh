#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# need.sh PURPOSE - install the Debian packages that a make target needs, if missing
#
# The scripts that build kernels or roots install what they need themselves; this
# is for the parts of the project that are built by make alone.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

case ${1:-} in
userspace)
	need_packages build-essential pkg-config libmnl-dev libjson-c-dev \
		liburing-dev python3 python3-jsonschema python3-yaml kmod xz-utils zstd cpio procps \
		initramfs-tools-core
	;;
fuzz)
	need_packages build-essential clang pkg-config libmnl-dev libjson-c-dev
	;;
vm)
	need_packages build-essential libmnl-dev libjson-c-dev liburing-dev \
		busybox-static cpio kmod xz-utils zstd squashfs-tools
	;;
check)
	need_packages build-essential sparse shellcheck codespell perl pyflakes3
	;;
*) die "usage: need.sh userspace|fuzz|vm|check" ;;
esac
