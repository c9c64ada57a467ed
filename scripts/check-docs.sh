#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-docs.sh - check the documents as far as possible: links between files and to
# headings resolve, paths that are named exist, messages that docs/troubleshooting.md
# quotes are in the code

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

python3 - <<'EOT'
import os
import re
import subprocess
import sys

bad = 0


def fail(where, text):
    global bad
    bad += 1
    print(f"{where}: {text}")


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
                         check=True, capture_output=True, text=True).stdout
    return [f for f in out.split("\n") if f and os.path.exists(f)]


def without_code(text):
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    return re.sub(r"^(    |\t).*$", "", text, flags=re.M)


def anchors(path):
    """Names of headings, as GitHub makes them"""
    names = set()
    with open(path, encoding="utf-8") as f:
        text = without_code(f.read())
    for title in re.findall(r"^#+ +(.*?) *$", text, flags=re.M):
        name = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        names.add(name)
    return names


def check_links(path):
    with open(path, encoding="utf-8") as f:
        text = without_code(f.read())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        file = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if not os.path.exists(file):
            fail(path, f"link to {target}: there is no {file}")
        elif anchor and file.endswith(".md") and anchor not in anchors(file):
            fail(path, f"link to {target}: {file} has no such heading")


# Files of this tree that a text names, in code font
PATH = re.compile(r"`((?:kmod|uapi|userspace|selftests|scripts|docs|debian|bench|qemu-patches)"
                  r"/[\w./+@-]+)`")


FOREIGN = ("docs/system/pkram.rst", "qemu-patches/BASE")


def check_paths(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for name in PATH.findall(text):
        if not os.path.exists(name.rstrip("/.")) and name not in FOREIGN:
            fail(path, f"names {name}, which is not there")


# pkram's functions that a text names; all of them in the walks through the code
OURS = re.compile(r"`(pkram(?:fs)?_\w+)\(\)`")
ANY = re.compile(r"`(\w+)\(\)`")


def check_functions(path, code):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    pattern = ANY if path == "docs/architecture.md" else OURS
    for name in set(pattern.findall(text)):
        if not re.search(rf"\b{name}\b", code):
            fail(path, f"names {name}(), which is not in the code")


def check_messages(path, code):
    """The first cell of each row: text in code font that we print"""
    with open(path, encoding="utf-8") as f:
        rows = [line for line in f if line.startswith("| `")]
    for row in rows:
        cell = row.split(" | ")[0]
        if re.search(r"\((?:modprobe|QEMU|DKMS)\)", cell):
            continue
        for part in re.findall(r"`([^`]+)`", re.sub(r"\(.*?\)", "", cell)):
            if part.strip() not in code:
                fail(path, f'quotes "{part}", which nothing prints')


def check_scenarios(path, tests):
    """The table of scenarios, and those that there are"""
    with open(path, encoding="utf-8") as f:
        named = set(re.findall(r"^\|[^|]*\| `(\w+)` \|", f.read(), re.M))
    there = {os.path.splitext(os.path.basename(test))[0] for test in tests}
    for name in sorted(there - named):
        fail(path, f"has no row for the scenario {name}")
    for name in sorted(named - there):
        fail(path, f"has a row for {name}, which is not a scenario")


def strip_comments(text):
    """C without its comments, so that a message is one that is printed"""
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def contents(files):
    text = ""
    for file in files:
        with open(file, encoding="utf-8", errors="replace") as f:
            text += f.read()
    return text


docs = tracked("*.md")
code = contents(tracked("kmod/*", "userspace/*", "uapi/*", "qemu-patches/*"))
printed = contents(tracked("kmod/*", "userspace/lib/*", "userspace/pkramctl/*",
                           "userspace/systemd/*", "qemu-patches/*"))
for file in docs:
    check_links(file)
    check_paths(file)
    check_functions(file, code)
check_messages("docs/troubleshooting.md", re.sub(r'"\s*\n\s*"', "", strip_comments(printed)))
check_scenarios("selftests/vm/README.md", tracked("selftests/vm/tests/*/*.c"))
sys.exit(bad != 0)
EOT
