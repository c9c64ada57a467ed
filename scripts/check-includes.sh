#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-includes.sh [DIR] - check that the includes in kmod/ (or DIR) only go down its
# layers, and that no files include each other, or call each other's functions, in a circle.
# X.c and X.h count as one file.

set -euo pipefail
cd "${1:-$(dirname "$0")/../kmod}"

# Each include as "file.c other/file.h", in quotes, or of a layer in angle brackets as
# generated files have it
includes() {
	grep -rHE --include='*.[ch]' \
		'^\s*#\s*include\s*("|<(compat|core|event|mem|handover|store|fs|pool|ctl|vfio)/)' . |
		sed -E 's|^\./([^:]+):\s*#\s*include\s*["<]([^">]*)[">].*|\1 \2|' |
		sed -E '/^ctl\/generated\//s| (pkram_nl\.h)$| ctl/generated/\1|'
}

bad=0
includes | awk '
BEGIN {	# What each layer may include besides itself; main.c is on top.
	may["compat"] = ""
	may["core"] = "compat"
	may["event"] = "compat core"
	may["mem"] = may["handover"] = "compat core event"
	may["store"] = "compat core event mem"
	may["fs"] = "compat core event mem store"
	may["pool"] = "compat core event mem store handover"
	may["ctl"] = "compat core event mem store handover pool"
	may["vfio"] = "compat core store/pin.h store/dma_table.h fs/vma.h"
}
{
	from = $1 ~ /\// ? $1 : "main"; sub(/\/.*/, "", from)
	to = $2; sub(/\/.*/, "", to)
	list = " " may[from] " "
	if ($2 !~ /\//)
		why = "it must name the layer: \"layer/file.h\""
	else if (from != "main" && !(from in may))
		why = from "/ is no layer: add it to scripts/check-includes.sh"
	else if (from == "main" || from == to || index(list, " " to " ") ||
		 index(list, " " $2 " "))
		next
	else
		why = from "/ may include only " (may[from] ? may[from] : "itself")
	print $1 ": #include \"" $2 "\": " why
	bad = 1
}
END { exit bad }' || bad=1

# Which file calls functions of which other one, wherever their prototypes are.  Tables of
# operations, as the VFS has them, are no calls: they point at functions of files above.
calls() {
	python3 - <<'EOT'
import pathlib
import re

source, home = {}, {}
for path in pathlib.Path(".").rglob("*.c"):
    text = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\])*"', "", path.read_text(), flags=re.S)
    source[path.with_suffix("")] = text
for path, text in source.items():
    for name in re.findall(r"^(?!static|[#\t}])[\w *]*?\b(\w+)\([^;{]*?\)\n\{", text, re.M):
        home[name] = path
for path, text in source.items():
    for name in set(re.findall(r"\b(\w+)\(", text)):
        if home.get(name, path) != path:
            print(path, home[name])
EOT
}

# circles WHAT - report circles among pairs of files
circles() {
	tsort 2>&1 >/dev/null | sed "s/^tsort: -: input contains a loop:/$1:/; s/^tsort: /\t/"
}

loops=$(
	includes | sed -E 's/\.[ch]( |$)/\1/g' | awk '$1 != $2' |
		circles "these files include each other"
	calls | circles "these files call each other"
) || :
[[ ! $loops ]] || {
	echo "$loops"
	bad=1
}
exit "$bad"
