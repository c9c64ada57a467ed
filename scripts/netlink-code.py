#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""netlink-code.py [check] - write the C code that comes from uapi/pkram.yaml

    uapi/linux/pkram_netlink.h      names of commands and attributes
    kmod/ctl/generated/pkram_nl.h   prototypes of the handlers
    kmod/ctl/generated/pkram_nl.c   policies, and the table of operations

The code is what the kernel's generator prints (tools/net/ynl).  It knows no kernel-doc
for commands and attributes, which is added here, and no family whose multicast group
has flags, so its table of groups is dropped: kmod/ctl/genl.c has that.

    check   write nothing; fail if the files are not what would be written
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = {
    "uapi/linux/pkram_netlink.h": ("uapi", "--header"),
    "kmod/ctl/generated/pkram_nl.h": ("kernel", "--header"),
    "kmod/ctl/generated/pkram_nl.c": ("kernel", "--source"),
}


def c_name(prefix, name):
    return (prefix + name).upper().replace("-", "_")


class Docs:
    """Return the kernel-doc of the two enums"""

    def __init__(self, spec):
        self.sets = {s["name"]: s for s in spec["attribute-sets"]}
        self.attrs = {a["name"]: a for a in self.sets["pkram"]["attributes"]}
        self.ops = spec["operations"]["list"]
        self.cmd_prefix = spec["operations"]["name-prefix"]
        by_name = {o["name"]: o for o in self.ops}
        self.object = by_name["object-get"]["dump"]["reply"]["attributes"]

    def attr(self, name):
        return "%" + c_name("pkram-a-", name)

    def listed(self, names):
        """Return attributes as a list, nests with their attributes"""
        text = []
        for name in names:
            nest = self.attrs[name].get("nested-attributes")
            inner = [a["name"] for a in self.sets[nest]["attributes"]] if nest else []
            text.append(self.attr(name) +
                        (" {%s}" % self.listed(inner) if nest else ""))
        return ", ".join(text)

    def op(self, op):
        doc = op["doc"]
        if "event" in op:
            names = op["event"]["attributes"]
            if set(names) >= set(self.object):
                names = [n for n in names if n not in self.object]
                return "event; %s.%s" % (doc, names and " Also: %s." % self.listed(names) or "")
            return "event; %s. Has: %s." % (doc, self.listed(names))
        kind = "do" if "do" in op else "dump"
        text = "%s; %s." % (kind, doc)
        for key, word in (("request", "In"), ("reply", "Out")):
            names = op[kind].get(key, {}).get("attributes", [])
            if names:
                text += " %s: %s." % (word, self.listed(names))
        return text

    def enum(self, title, lines):
        text = ["/**", " * %s" % title]
        for name, doc in lines:
            text += textwrap.wrap("@%s: %s" % (name, doc), 80, initial_indent=" * ",
                                  subsequent_indent=" *\t", expand_tabs=False,
                                  break_long_words=False, break_on_hyphens=False,
                                  tabsize=8)
        return "\n".join(text + [" */\n"])

    def attribute(self, attr):
        doc = "%s, %s" % (attr["type"], attr["doc"])
        if "enum" in attr:
            doc += ", &enum pkram_" + attr["enum"].replace("-", "_")
        return doc

    def attributes(self):
        return self.enum("enum pkram_attr - attributes of the family, one space for all",
                         [(c_name("pkram-a-", n), self.attribute(a))
                          for n, a in self.attrs.items()])

    def commands(self):
        return self.enum("enum pkram_cmd - commands and events of the family",
                         [(c_name(self.cmd_prefix, o["name"]), self.op(o))
                          for o in self.ops])


def finish(text, docs):
    """Return the generator's output as it is checked in"""
    text = text.replace("run: tools/net/ynl/ynl-regen.sh", "run: scripts/netlink-code.py")
    # Out of tree there is no include/uapi.
    text = text.replace("#include <uapi/linux/", "#include <linux/")
    text = re.sub(r"\nstatic const struct genl_multicast_group .*?\n};\n", "", text,
                  flags=re.S)
    text = text.rstrip().replace("};\n#define", "};\n\n#define") + "\n"
    text = text.replace("enum pkram_attr {", docs.attributes() + "enum pkram_attr {")
    return text.replace("enum pkram_cmd {", docs.commands() + "enum pkram_cmd {")


def generate(tools):
    """Return the files: {path: text}"""
    with open(os.path.join(TOP, "uapi/pkram.yaml"), encoding="utf-8") as f:
        docs = Docs(yaml.safe_load(f))
    out = {}
    with tempfile.TemporaryDirectory() as tmp:
        # The generator looks for the root of a kernel tree, and for the schema there.
        os.mkdir(os.path.join(tmp, "uapi"))
        open(os.path.join(tmp, "MAINTAINERS"), "w", encoding="utf-8").close()
        spec = shutil.copy(os.path.join(TOP, "uapi/pkram.yaml"), os.path.join(tmp, "uapi"))
        shutil.copy(os.path.join(tools, "Documentation/netlink/genetlink-c.yaml"), tmp)
        for path, (mode, kind) in FILES.items():
            made = os.path.join(tmp, os.path.basename(path))
            subprocess.run([sys.executable, "-B",
                            os.path.join(tools, "tools/net/ynl/pyynl/ynl_gen_c.py"),
                            "--mode", mode, kind, "--spec", spec, "-o", made], check=True)
            with open(made, encoding="utf-8") as f:
                out[path] = finish(f.read(), docs)
    return out


def main():
    if sys.argv[1:] not in ([], ["check"]):
        sys.exit("usage: netlink-code.py [check]")
    tools = subprocess.run([os.path.join(TOP, "scripts/linux-source.sh"), "tools"],
                           check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    stale = 0
    for path, text in generate(tools).items():
        there = ""
        if os.path.exists(os.path.join(TOP, path)):
            with open(os.path.join(TOP, path), encoding="utf-8") as f:
                there = f.read()
        if there == text:
            continue
        if sys.argv[1:]:
            stale += 1
            sys.stderr.writelines(difflib.unified_diff(
                there.splitlines(True), text.splitlines(True), path, path + " (generated)"))
            continue
        os.makedirs(os.path.dirname(os.path.join(TOP, path)), exist_ok=True)
        with open(os.path.join(TOP, path), "w", encoding="utf-8") as f:
            f.write(text)
        print("wrote %s" % path)
    if stale:
        sys.exit("%d files differ from uapi/pkram.yaml: run scripts/netlink-code.py" % stale)


if __name__ == "__main__":
    main()
