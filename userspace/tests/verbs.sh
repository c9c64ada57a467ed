#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test: man pages and completion describe exactly the verbs and options that
# pkramctl's help lists.
# usage: verbs.sh BUILD-DIRECTORY
set -u
O=$(realpath "$1")
top=$(realpath "$(dirname "$0")/..")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "${tmp:?}"' EXIT
export LC_ALL=C.UTF-8
. "$(dirname "$0")/cli_lib.sh"
evidence() { :; }
# shellcheck disable=SC2034 # report prints it
rc=0
: >"$tmp/out"; : >"$tmp/err"

# page_of OBJECT - print the man page that describes an object or command
page_of()
{
	case $1 in
	status | version | help) echo "$top/man/pkramctl.8" ;;
	import | verify) echo "$top/man/pkramctl-export.8" ;;
	*) echo "$top/man/pkramctl-$1.8" ;;
	esac
}

# synopsis PAGE - print each synopsis of a page on one line
synopsis()
{
	awk '/^\.Sh/ { in_it = $2 == "SYNOPSIS" } in_it && /^\.Nm/ { print line; line = "" }
		in_it { sub(/^\./, " "); line = line $0 } END { print line }' "$1" |
		sed 's/\<Nm pkramctl\>//; s/\<\(Op\|Cm\|Ar\|Ns\) *//g'
}

# complete_words WORD... - print what the completion offers after these words
complete_words()
{
	PATH=$tmp/bin:$PATH bash -c '
		_init_completion() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
			words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
		_filedir() { COMPREPLY=(); }
		complete() { :; }
		. "$1"
		shift
		COMP_WORDS=(pkramctl "$@" "") COMP_CWORD=$(($# + 1))
		case ${!#} in -) COMP_WORDS=(pkramctl "$@") COMP_CWORD=$#;; esac
		_pkramctl
		printf "%s\n" "${COMPREPLY[@]}"' complete "$top/completion/pkramctl" "$@" 2>"$tmp/err"
}
mkdir "$tmp/bin"
printf '#!/bin/sh\nexit 1\n' >"$tmp/bin/pkramctl"
chmod +x "$tmp/bin/pkramctl"

offers() { complete_words "${@:2}" | grep -qxF -- "$1"; }

"$O/pkramctl" -j help >"$tmp/out"
json 'all(o["name"] and o["help"] and o["verbs"] for o in d["objects"]) and len(d["objects"]) > 10' '-j help lists objects and verbs'
# Lines "OBJECT VERB ARGUMENTS"; a command has "-" for its verb
python3 -c '
import json, sys
for o in json.load(open(sys.argv[1]))["objects"]:
    for v in o["verbs"]:
        print(o["name"], v["name"] or "-", " ".join(v["args"].split()))' "$tmp/out" >"$tmp/verbs"

objects=$(cut -d' ' -f1 "$tmp/verbs" | uniq)
for object in $objects; do
	"$O/pkramctl" --help | grep -q "^  $object "; report $? "$object is in the help"
	page=$(page_of "$object")
	synopsis "$page" | grep -q "^ *$object\>"; report $? "$object has a man page"
	name=$(basename "$page")
	[ "$name" = pkramctl.8 ] || grep -q "^\.It Xr ${name%.8} 8" "$top/man/pkramctl.8"
	report $? "the overview names the page of $object"
	offers "$object"; report $? "$object is completed"
	offers "$object" help; report $? "help $object is completed"
	verbs=$(awk -v o="$object" '$1 == o && $2 != "-" { print $2 }' "$tmp/verbs")
	for verb in $verbs; do
		"$O/pkramctl" "$object" "$verb" --help >"$tmp/out"
		grep -q "^  pkramctl $object $verb\b" "$tmp/out"; report $? "$object $verb --help"
		synopsis "$page" | grep -q "^ *$object .*\<$verb\>"
		report $? "$object $verb is in the synopsis"
		grep -q "^\.It .*Cm $object $verb\>" "$page"
		report $? "$object $verb is described"
		offers "$verb" "$object"; report $? "$object $verb is completed"
	done
	# The completion offers nothing else.
	[ -z "$verbs" ] || for word in $(complete_words "$object"); do
		case " ${verbs//$'\n'/ } help " in *" $word "*) true ;; *) false ;; esac
		report $? "$object $word is a verb"
	done
done

# Options
while read -r object verb args; do
	grep -oE -- '--[a-z-]+' <<<"$args" | sort -u >"$tmp/options"
	sed -n '/^\.It/s/\<Fl -/--/gp' "$(page_of "$object")" >"$tmp/page"
	while read -r option; do
		grep -qwF -- "$option" "$tmp/page"; report $? "$object ${verb#-} $option is in the man page"
		[ "$verb" = - ] && verb=''
		# shellcheck disable=SC2086
		complete_words "$object" $verb - | grep -qxF -- "$option" ||
			complete_words "$object" $verb x | grep -qxF -- "$option"
		report $? "$object $verb $option is completed"
	done <"$tmp/options"
done <"$tmp/verbs"

# mandoc accepts all pages without warnings, and all have examples.
for page in "$top"/man/*.[1-8]; do
	name=$(basename "$page")
	grep -q '^\.Os Linux$' "$page"; report $? "$name names the system"
	grep -q '^\.Sh EXAMPLES$' "$page"; report $? "$name has examples"
	command -v mandoc >/dev/null || continue
	mandoc -T lint -W warning "$page" >"$tmp/out" 2>&1; report $? "mandoc has no warnings for $name"
done

# The library
sed -n 's/^\t\(pkram_[a-z_]*\);$/\1/p' "$top/lib/libpkram.map" | sort >"$tmp/exported"
grep -ohE '\<Fn pkram_[a-z_]+' "$top/man/libpkram.3" | cut -d' ' -f2 | sort -u >"$tmp/described"
diff "$tmp/exported" "$tmp/described" >"$tmp/out"
report $? "libpkram(3) describes exactly the functions that the library exports"

tap_finish
