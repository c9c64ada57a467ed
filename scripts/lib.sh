# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# lib.sh - shared by the build and test scripts: the cache directory, messages, package
# installation, and a private apt configuration.  Source it; it runs nothing by itself.

PKRAM_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PKRAM_BUILD=$PKRAM_TOP/build
PKRAM_CACHE=${PKRAM_CACHE:-${HOME:-/root}/.cache/pkram}
export PKRAM_TOP PKRAM_BUILD PKRAM_CACHE

# The series the project is built for and tested on; 7 is the newest 7.x.
export PKRAM_SERIES="6.1 6.12 7"
# Series that some tests run on, besides.
export PKRAM_MORE_SERIES="7.2 next"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# logged LOG COMMAND... - run it, its output in LOG; show the end if it fails
logged() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 || {
		tail -n 40 "$log" >&2
		die "failed: $* (log: $log)"
	}
}

# have_packages NAME... - true when dpkg says all of them are installed
have_packages() {
	local p
	for p in "$@"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) == installed ]] ||
			return 1
	done
}

# megabytes - sum of the sizes on standard input, a number of bytes a line
megabytes() { awk '{ n += $1 } END { printf "%.0f MB", n / 1e6 }'; }

# install_packages NAME... - as root, without questions
install_packages() {
	local options=(-y -qq -o Acquire::Retries=3 --no-install-recommends)
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq -o Acquire::Retries=3 || return
	say "installing $* ($(apt-get install "${options[@]}" --print-uris "$@" |
		awk '{ print $3 }' | megabytes))" 2>&3
	apt-get install "${options[@]}" "$@"
}

# need_packages NAME... - install those that are missing; keep the log on failure
need_packages() {
	have_packages "$@" && return 0
	local log
	log=$(mktemp) || exit 1
	(
		flock 9
		# Another process may have installed them meanwhile.
		have_packages "$@" || install_packages "$@"
	) 3>&2 >"$log" 2>&1 9>"$(lock_file apt-install)" || {
		tail -n 20 "$log" >&2
		die "cannot install: $* (log: $log)"
	}
	rm -f "$log"
}

# package_megabytes SUITES PACKAGE... - size of what apt would download of them
package_megabytes() {
	apt_private "$1" apt-cache show --no-all-versions "${@:2}" |
		sed -n 's/^Size: //p' | megabytes
}

# lock_file NAME - print the path of a lock file for flock(1); make its directory
lock_file() {
	mkdir -p "$PKRAM_CACHE/locks"
	printf '%s\n' "$PKRAM_CACHE/locks/$1"
}

# debian_stanza SUITES [TYPES] - deb822 source for SUITES, on the mirror this
# machine's own bookworm source names; TYPES is deb or deb-src
debian_stanza() {
	local uri
	uri=$(awk '$1 == "URIs:" { u = $2 }
		$1 == "Suites:" { for (i = 2; i <= NF; i++) if ($i == "bookworm") s = 1 }
		/^$/ { if (s) exit; u = "" }
		END { if (s) print u }' /etc/apt/sources.list.d/debian.sources 2>/dev/null)
	[[ $uri ]] || uri=$(awk '$1 == "deb" {
		for (i = 2; i < NF; i++) if ($(i + 1) == "bookworm") { print $i; exit }
		}' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null)
	[[ $uri ]] || die "no apt source for bookworm is configured on this machine"
	printf '%s\n' "Types: ${2:-deb}" "URIs: $uri" "Suites: $1" "Components: main" \
		"Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"
}

# apt_private SUITES COMMAND... - run an apt command that sees only SUITES, or
# with "host" the machine's own sources; its lists live in the cache, and the
# machine's apt state is left alone.  Lists are refreshed once a day.  With
# "src:" before SUITES it sees their source packages, and no others.
apt_private() {
	local suites=$1 dir=$PKRAM_CACHE/apt/${1//[ :]/+} types=deb
	if [[ $suites == src:* ]]; then
		suites=${suites#src:}
		types=deb-src
	fi
	shift
	mkdir -p "$dir"/{lists/partial,archives/partial,parts}
	{
		if [[ $suites != host ]]; then
			debian_stanza "$suites" "$types" >"$dir/sources.$BASHPID"
			mv "$dir/sources.$BASHPID" "$dir/parts/pkram.sources"
			echo 'Dir::Etc::sourcelist "/dev/null";'
			echo "Dir::Etc::sourceparts \"$dir/parts\";"
		fi
		echo "Dir::State::lists \"$dir/lists\";"
		echo "Dir::Cache \"$dir\";"
		echo 'APT::Sandbox::User "root";'
		echo 'APT::Architecture "amd64";'
		echo 'Acquire::Retries "3";'
		# Do not run the machine's hooks on these lists.
		echo '#clear APT::Update::Post-Invoke-Success;'
		echo '#clear APT::Update::Post-Invoke;'
	} >"$dir/apt.conf.$BASHPID"
	mv "$dir/apt.conf.$BASHPID" "$dir/apt.conf"
	(
		flock 9
		if [[ ! $(find "$dir/fresh" -mmin -1440 2>/dev/null) ]]; then
			APT_CONFIG=$dir/apt.conf apt-get update -qq &&
				touch "$dir/fresh" || [[ -e $dir/fresh ]]
		fi
	) 9>"$dir/lock" >&2 || die "apt-get update failed for: $suites"
	APT_CONFIG=$dir/apt.conf "$@"
}

# deb_version SUITE - print the version of the packages for a release of Debian
deb_version() {
	local version
	version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$PKRAM_TOP/debian/changelog")
	case $1 in
	bookworm) echo "$version+deb12" ;;
	trixie) echo "$version+deb13" ;;
	*) die "there are no packages for $1" ;;
	esac
}
