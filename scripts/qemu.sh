#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu.sh - QEMU with the pkram backend: Debian's source and qemu-patches/
#
#   qemu.sh build [BASE]          print the directory that holds bin/qemu-system-x86_64
#                                 and share/qemu/, its ROMs (it finds them itself)
#   qemu.sh qtest [BASE]          print the path of QEMU's own migration-test
#   qemu.sh source [BASE [DIR]]   a git tree to work on: the source is branch base,
#                                 on branch pkram each patch is a commit
#   qemu.sh check [BASE]          QEMU's checkpatch on every patch; build each commit
#   qemu.sh version [BASE]        Debian's version that would be built
#
# BASE is 10.2 (the default) or 10.0.  The newest version of it that Debian lists is
# used; if Debian lists none, the other base is used, and a message says so.
#
#   QEMU_SRC=TREE|TARBALL|DSC     this source in place of Debian's
#   QEMU_PATCHES=DIR|none         these patches in place of qemu-patches/BASE
#   QEMU_ALSO=DIR                 these patches too, after the others
#
# A build's directory in the cache is named by a hash of source, patches, options and
# ROMs.  The git tree and the build directory of each base stay in the cache too: after
# a change of the patches only what depends on them is compiled again.

set -euo pipefail
shopt -s inherit_errexit
. "$(dirname "$0")/lib.sh"

BASES="10.2 10.0"
SUITES="src:bookworm-backports trixie trixie-backports sid"
# microvm needs libfdt, host-nodes= needs libnuma, the NIC of test hosts needs slirp.
OPTIONS=(--disable-download --target-list=x86_64-softmmu --without-default-features
	--enable-system --enable-tcg --enable-kvm --enable-linux-aio
	--enable-linux-io-uring --enable-vhost-kernel --enable-vhost-net
	--enable-fdt=system --enable-numa --enable-slirp
	--enable-werror --disable-install-blobs --disable-debug-info)
# Raise this when a change of this script makes older builds unusable.
BUILDER=1

cache=$PKRAM_CACHE/qemu

# Ignore the user's git configuration: it must not change what is built.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=pkram GIT_AUTHOR_EMAIL=pkram@localhost
export GIT_COMMITTER_NAME=pkram GIT_COMMITTER_EMAIL=pkram@localhost

# hash - the first digits of standard input's checksum
hash() { sha256sum | cut -c 1-16; }

# sums_hold DIR - true when DIR is complete and unchanged
sums_hold() {
	[[ -s $1/.complete ]] && (cd "$1" && sha256sum --status -c .complete)
}

# sums_write DIR - record the checksums of all its files, for sums_hold
sums_write() {
	(
		cd "$1"
		find . -type f ! -name '.complete*' -print0 | sort -z |
			xargs -0 sha256sum >.complete.new
		mv .complete.new .complete
	)
}

# listed BASE - the newest version of it in Debian's archive; nothing if there is none
listed() {
	apt_private "$SUITES" apt-cache showsrc --only-source qemu |
		sed -n "s/^Version: \(\([0-9]*:\)\?${1//./\\.}[.+~-].*\)/\1/p" |
		sort -V | tail -n 1
}

# held BASE - the newest version of it whose source is in the cache
held() {
	local dir
	for dir in "$cache/source/$1".*; do
		if [[ -e $dir/.complete ]]; then
			echo "${dir##*/}"
		fi
	done | sort -V | tail -n 1
}

# choose BASE - set base and version to what Debian has of it
choose() {
	local other
	version=$(listed "$1")
	base=$1
	[[ ! $version ]] || return 0
	version=$(held "$1")
	if [[ $version ]]; then
		say "Debian has no QEMU $1 any more; using $version from the cache"
		return
	fi
	for other in $BASES; do
		version=$(listed "$other")
		if [[ $version ]]; then
			say "Debian has no QEMU $1 any more; using QEMU $other"
			base=$other
			return
		fi
	done
	die "Debian has none of QEMU $BASES any more; name a source by QEMU_SRC="
}

# source_megabytes VERSION - size of its source package
source_megabytes() {
	apt_private "$SUITES" apt-cache showsrc --only-source qemu |
		awk -v version="$1" '/^Version:/ { on = $2 == version }
			/^[A-Z]/ { sums = on && /^Checksums-Sha256:/ }
			sums && NF == 3 { print $2 }' | megabytes
}

# fetch VERSION - its source package to the cache; apt compares the checksums.
# Prints the path of the .dsc.
fetch() {
	local dir=$cache/source/${1#*:}
	if ! sums_hold "$dir"; then
		say "fetching the source of QEMU $1 ($(source_megabytes "$1"))"
		rm -rf "$dir" "$dir.tmp"
		mkdir -p "$dir.tmp"
		(cd "$dir.tmp" && apt_private "$SUITES" \
			apt-get -qq source --download-only "qemu=$1") >&2
		sums_write "$dir.tmp"
		mv "$dir.tmp" "$dir"
	fi
	echo "$dir"/*.dsc
}

# tools - a Python environment with the meson that QEMU wants, which Debian 12 has
# among its backports; print its directory
tools() {
	local deb name dir version names=(meson python3-pycotap)
	version=$(for name in "${names[@]}"; do
		apt_private bookworm-backports apt-cache show --no-all-versions "$name" |
			sed -n 's/^Version: //p'
	done)
	dir=$cache/tools-$(python3 --version | cat - <(echo "$version") | hash)
	(
		flock 9
		[[ ! -e $dir/.complete ]] || exit 0
		say "fetching meson ${version%%$'\n'*}"
		rm -rf "$dir"
		python3 -m venv --without-pip --system-site-packages "$dir"
		mkdir "$dir/debs"
		cd "$dir/debs"
		apt_private bookworm-backports apt-get -qq download "${names[@]}" >&2
		for deb in ./*.deb; do
			dpkg-deb -x "$deb" .
		done
		cp -r usr/lib/python3/dist-packages/. "$dir"/lib/python3.*/site-packages/
		cd "$dir"
		rm -r debs
		touch .complete
	) 9>"$(lock_file qemu-tools)"
	echo "$dir"
}

# unpack SOURCE DIR - a tree, a tarball or a .dsc
unpack() {
	mkdir -p "${2%/*}"
	rm -rf "$2"
	case $1 in
	*.dsc)
		logged "$2.log" dpkg-source --no-copy -x "$1" "$2"
		rm -rf "$2/.pc" "$2.log"
		;;
	*)
		mkdir "$2"
		if [[ -d $1 ]]; then
			tar c -C "$1" --exclude=.git --exclude=./build . | tar x -C "$2"
		else
			tar xf "$1" -C "$2" --strip-components=1
		fi
		;;
	esac
	[[ -x $2/configure && -s $2/VERSION ]] || {
		rm -rf "$2"
		die "not the source of QEMU: $1"
	}
}

# import DIR MESSAGE - commit DIR to $work/tree's repository as branch base; print
# the id of its tree.  The work tree's own index and files are not touched: what
# git thinks of their times stays true, and ninja compiles no more than it must.
import() (
	export GIT_DIR=$work/tree/.git GIT_WORK_TREE=$1 GIT_INDEX_FILE=$work/import.index
	export GIT_AUTHOR_DATE="1 Jan 2025 00:00 +0000"
	export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
	rm -f "$GIT_INDEX_FILE"
	if [[ ! -e $GIT_DIR ]]; then
		(unset GIT_DIR GIT_WORK_TREE && git init -q -b base "$work/tree")
		git config gc.auto 0
	fi
	(cd "$1" && git add -A -f .)
	tree=$(git write-tree)
	git update-ref refs/heads/base "$(git commit-tree -m "$2" "$tree")"
	rm -f "$GIT_INDEX_FILE"
	echo "$tree"
)

# base_of VERSION - the base whose patches a user's own source gets
base_of() {
	local known
	for known in $BASES; do
		if [[ $1 == "$known".* ]]; then
			echo "$known"
			return
		fi
	done
	known=${BASES%% *}
	say "note: QEMU $1 gets the patches for $known"
	echo "$known"
}

# lock_work - make the directory $work and lock it
lock_work() {
	mkdir -p "$work"
	exec 9>"$(lock_file "qemu-${work##*/}")"
	flock -n 9 || {
		say "waiting for another build of the same source"
		flock 9
	}
}

# prepare [BASE] - install packages, set base, version, work (the build directory) and id
# (of the source); for a user's own source also lock $work
prepare() {
	local want=${1:-} src=${QEMU_SRC:-}
	if [[ $want && " $BASES " != *" $want "* ]]; then
		die "unknown QEMU_BASE: $want (know: $BASES)"
	fi
	need_packages build-essential dpkg-dev git ninja-build pkg-config python3 \
		python3-distlib python3-venv xz-utils bzip2 libglib2.0-dev zlib1g-dev \
		libaio-dev liburing-dev libfdt-dev libnuma-dev libslirp-dev seabios ipxe-qemu qemu-system-data
	if [[ ! $src ]]; then
		choose "${want:-${BASES%% *}}"
		work=$cache/$base
		id=debian-${version#*:}
		return
	fi
	src=$(realpath -e "$src" 2>/dev/null) || die "no such source: $QEMU_SRC"
	work=$cache/own-$(hash <<<"$src")
	lock_work
	unpack "$src" "$work/unpacked"
	version=$(<"$work/unpacked/VERSION")
	base=${want:-$(base_of "$version")}
	id=$(import "$work/unpacked" "QEMU $version from $src")
	rm -rf "$work/unpacked"
}

# choose_patches - set patches, an array of files
choose_patches() {
	local dir file
	patches=()
	for dir in "${QEMU_PATCHES:-$PKRAM_TOP/qemu-patches/$base}" "${QEMU_ALSO:-none}"; do
		[[ $dir != none ]] || continue
		[[ -d $dir ]] || die "no such directory: $dir"
		for file in "$(realpath "$dir")"/*.patch; do
			if [[ -e $file && ${file##*/} != 0000-* ]]; then
				patches+=("$file")
			fi
		done
	done
}

# import_debian - lock $work and import Debian's version as branch base, unless it is
# there; for a user's own source prepare has done both
import_debian() {
	local dsc
	[[ $id == debian-* ]] || return 0
	lock_work
	[[ $(cat "$work/imported" 2>/dev/null) != "$id" ]] || return 0
	dsc=$(fetch "$version")
	say "unpacking QEMU $version"
	# The build of another version cannot be reused.
	rm -rf "$work"/{tree,build,imported,configured}
	unpack "$dsc" "$work/unpacked"
	import "$work/unpacked" "Debian's QEMU $version, with its patches" >/dev/null
	rm -rf "$work/unpacked"
	echo "$id" >"$work/imported"
}

# am DIR PATCH... - git am there; on failure name the patch
am() {
	local dir=$1 log=$work/am.log next state
	shift
	(($#)) || return 0
	git -C "$dir" -c gc.auto=0 am -q --committer-date-is-author-date "$@" >"$log" 2>&1 && return
	grep -E '^(error|fatal|Patch)' "$log" >&2 || cat "$log" >&2
	state=$(git -C "$dir" rev-parse --git-path rebase-apply)
	[[ $state == /* ]] || state=$dir/$state
	next=$(cat "$state/next")
	next=${!next}
	if git -C "$dir" apply --check --reverse "$next" 2>/dev/null; then
		say "this source has the patch already; QEMU_PATCHES=none builds it without patches"
	fi
	[[ $dir == "$work/am" ]] || say "to resolve: cd $dir, edit, git am --continue"
	die "does not apply to QEMU $version: $next"
}

# patch_tree - apply the patches beside the work tree, then move that to the result,
# so that only files that differ from the last time are written; print the commit
patch_tree() {
	local dir=$work/am
	cd "$work/tree"
	rm -rf "$dir"
	git worktree prune
	# An empty work tree: am checks out the files it needs.
	git worktree add -q --no-checkout --detach "$dir" base
	git -C "$dir" read-tree HEAD
	am "$dir" "${patches[@]}"
	git -C "$dir" rev-parse HEAD
	rm -rf "$dir"
	git worktree prune
}

# move_tree COMMIT - check it out in $work/tree
move_tree() {
	git -C "$work/tree" checkout -q -f --detach "$1"
	git -C "$work/tree" clean -fdxq
}

# configure - unless $work/build has the same source, options and tools
configure() {
	local python key
	python=$(tools)/bin/python3
	key="$BUILDER $id $python ${OPTIONS[*]}"
	# A user's own tree changes often; ninja calls meson where needed.
	[[ $id == debian-* ]] || key=${key/ $id / }
	[[ $(cat "$work/configured" 2>/dev/null) != "$key" ]] || return 0
	say "configuring QEMU $version"
	rm -rf "$work"/{build,configured}
	mkdir "$work/build"
	cd "$work/build"
	logged "$work/configure.log" ../tree/configure --python="$python" "${OPTIONS[@]}"
	echo "$key" >"$work/configured"
}

# ninja_run TARGET... - build, with a line every tenth of the way
ninja_run() {
	local log=$work/build.log
	say "building QEMU $version; log in $log"
	NINJA_STATUS='[%f/%t] ' ninja -C "$work/build" -j"$(nproc)" "$@" 2>&1 | tee "$log" |
		awk -F '[][/]' '/^\[[0-9]+\/[0-9]+\]/ && $3 >= 20 {
			now = int(10 * $2 / $3)
			if (now > last) {
				print "  " $2 " of " $3 " steps"
				fflush()
			}
			last = now
		}' >&2 || {
		# Leave out successful steps and the long command lines.
		sed '/^\[[0-9]*\/[0-9]*\] /d; /^cc -m64 /d' "$log" | tail -n 40 >&2
		die "QEMU did not build (log: $log)"
	}
}

# roms DIR - copy what the PC machines load, from Debian's packages
roms() {
	mkdir -p "$1"
	cp -L /usr/share/seabios/{bios,bios-256k,bios-microvm}.bin \
		/usr/share/seabios/vgabios*.bin \
		/usr/share/qemu/{kvmvapic,linuxboot,linuxboot_dma,multiboot}.bin \
		/usr/share/qemu/{multiboot_dma,pvh}.bin /usr/share/qemu/qboot.rom \
		/usr/lib/ipxe/qemu/{efi,pxe}-*.rom "$1"
}

# prune - keep the eight builds of each base that were used last
prune() {
	local dir
	find "$cache/builds" -maxdepth 1 -name "$base-*" -printf '%T@ %p\n' | sort -rn |
		tail -n +9 | while read -r _ dir; do
		rm -rf "$dir"
	done
}

# make_build TARGET... - build them from the patched tree and put them into $out
make_build() {
	local commit target
	import_debian
	# Another process may have built it meanwhile.
	! holds "$out" "$@" || return 0
	((${#patches[@]})) || say "without patches"
	commit=$(patch_tree)
	move_tree "$commit"
	configure
	ninja_run "$@"
	rm -rf "$out.tmp"
	mkdir -p "$out.tmp/bin"
	for target in "$@"; do
		cp "$work/build/$target" "$out.tmp/bin/"
	done
	roms "$out.tmp/share/qemu"
	"$out.tmp/bin/qemu-system-x86_64" --version >/dev/null
	sums_write "$out.tmp"
	rm -rf "$out"
	mv "$out.tmp" "$out"
	prune
}

# holds DIR TARGET... - true when DIR is a complete build of them
holds() {
	local dir=$1 target
	shift
	for target in "$@"; do
		[[ -e $dir/bin/${target##*/} ]] || return
	done
	sums_hold "$dir"
}

# build TARGET... - set out to the directory that holds them; build it if needed
build() {
	local key
	key=$({
		echo "$BUILDER $id ${OPTIONS[*]}"
		dpkg-query -W seabios ipxe-qemu qemu-system-data
		((!${#patches[@]})) || cat "${patches[@]}"
	} | hash)
	out=$cache/builds/$base-$key
	holds "$out" "$@" || make_build "$@"
	touch "$out"
}

# source_tree [DIR] - see the head of the file
source_tree() {
	local dir=${1:-$PKRAM_BUILD/qemu-$base}
	[[ ! -e $dir || ! $(ls -A "$dir") ]] || die "there is something already: $dir"
	import_debian
	git clone -q -b base "$work/tree" "$dir"
	git -C "$dir" remote remove origin
	git -C "$dir" checkout -q -b pkram
	am "$dir" "${patches[@]}"
	echo "$dir"
}

# check_patches - see the head of the file
check_patches() {
	local file said commit bad=0
	import_debian
	commit=$(patch_tree)
	move_tree "$commit"
	for file in "${patches[@]}"; do
		said=$(cd "$work/tree" && scripts/checkpatch.pl -q --no-summary "$file") || bad=1
		if [[ $said ]]; then
			# checkpatch returns success if there are only warnings.
			printf '%s\n%s\n' "$file:" "$said"
			bad=1
		fi
	done
	for commit in $(git -C "$work/tree" rev-list --reverse base..HEAD); do
		say "$(git -C "$work/tree" show -s --format=%s "$commit")"
		move_tree "$commit"
		configure
		ninja_run qemu-system-x86_64 tests/qtest/migration-test
	done
	return "$bad"
}

command=${1:-}
case $command in
build | qtest | source | check | version) ;;
*) die "usage: qemu.sh build|qtest|source|check|version [BASE]" ;;
esac
prepare "${2:-}"
choose_patches
case $command in
build)
	build qemu-system-x86_64
	echo "$out"
	;;
qtest)
	build qemu-system-x86_64 tests/qtest/migration-test
	echo "$out/bin/migration-test"
	;;
source) source_tree "${3:-}" ;;
check) check_patches ;;
version) echo "$version" ;;
esac
