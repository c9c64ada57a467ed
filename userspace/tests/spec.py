#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0
"""Compare uapi/pkram.yaml with the C code: headers, module, library.

Prints TAP.  scripts/netlink-code.py generates a part of that code; this test finds stale
code without the generator.  The VM scenario ynl compares the spec with the running module.
"""

import os
import re
import sys

import yaml

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(TOP, "selftests", "tap"))
from tap import Tap  # noqa: E402 - the path comes first

tap = Tap()


def same(a, b, what):
    tap.ok(a == b and a, what, a, b)


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


def c_enum(text, name):
    """Return the constants of an enum in order, without those that begin with __"""
    body = re.search(r"enum %s \{([^}]*)\}" % name, text).group(1)
    return [n for n in re.findall(r"^\t(\w+)(?: = 1)?,?$", body, re.M) if not n.startswith("__")]


def c_name(prefix, name):
    return (prefix + name).upper().replace("-", "_")


def c_policies(text):
    """Return policies by name: {attribute: type}"""
    policies = {}
    for name, body in re.findall(r"struct nla_policy (\w+)\[.*?\] = \{(.*?)\n\};", text, re.S):
        policies[name] = dict(re.findall(
            r"\[PKRAM_A_(\w+)\] =\s+(?:NLA_POLICY_\w+\(|\{ \.type = )NLA_(\w+)", body))
    return policies


def c_ops(text):
    """Return operations by name: (do or dump, policy or None)"""
    ops = {}
    table = re.search(r"struct genl_split_ops pkram_nl_ops\[\d+\] = \{(.*?)\n\};", text, re.S).group(1)
    for entry in re.split(r"\},\s+\{", table):
        cmd = re.search(r"\.cmd\s+= PKRAM_CMD_(\w+)", entry).group(1)
        how = "do" if ".doit" in entry else "dump"
        policy = re.search(r"\.policy\s+= (\w+)", entry)
        ops[cmd] = (how, policy and policy.group(1))
    return ops


def main():
    header = read("uapi", "linux", "pkram.h")
    netlink = read("uapi", "linux", "pkram_netlink.h")
    genl = read("kmod", "ctl", "generated", "pkram_nl.c")
    spec = yaml.safe_load(read("uapi", "pkram.yaml"))
    sets = {s["name"]: s for s in spec["attribute-sets"]}
    attrs = {a["name"]: a for a in sets["pkram"]["attributes"]}
    ops = {o["name"]: o for o in spec["operations"]["list"]}

    def define(name):
        return re.search(r"#define\s+%s\s+(\S+)" % name.upper().replace("-", "_"),
                         netlink).group(1).strip('"')

    same(define(spec["c-family-name"]), spec["name"], "the family's name")
    tap.ok(define(spec["c-version-name"]).isdigit(), "the family's version is a number")
    same([define("PKRAM_GENL_MCGRP_EVENTS")],
         [g["name"] for g in spec["mcast-groups"]["list"]], "the multicast group")
    same(c_enum(netlink, "pkram_cmd"),
         [c_name(spec["operations"]["name-prefix"], o) for o in ops], "commands and events")
    same(c_enum(netlink, "pkram_attr"),
         [c_name(sets["pkram"]["name-prefix"], a) for a in attrs], "attributes")
    for d in spec["definitions"]:
        same(c_enum(header, "pkram_" + d["name"].replace("-", "_")),
             [c_name(d["name-prefix"], e) for e in d["entries"]], d["name"])

    # The module's tables
    policies, table = c_policies(genl), c_ops(genl)
    same(sorted(table), sorted(c_name("", o) for o in ops if "event" not in ops[o]),
         "the module's commands")
    for name, op in ops.items():
        if "event" in op:
            tap.ok(name.endswith("-ntf") and op.get("mcgrp") == "events",
                   "%s is an event" % name)
            continue
        how, policy = table[c_name("", name)]
        tap.ok(how in op and len({"do", "dump"} & set(op)) == 1, "%s is a %s" % (name, how))
        request = op[how].get("request", {}).get("attributes", [])
        want = {c_name("", a): attrs[a]["type"].upper() for a in request}
        tap.ok(policies.get(policy, {}) == want, "the attributes that %s accepts" % name,
               policies.get(policy), want)

    # Each operation, event and nest names known attributes only.
    for name, op in ops.items():
        told = op.get("event") or op.get("do", op.get("dump", {})).get("reply", {})
        tap.ok(set(told.get("attributes", [])) <= set(attrs),
               "the attributes that %s sends" % name)
    for s in sets.values():
        if "subset-of" in s:
            tap.ok({a["name"] for a in s["attributes"]} <= set(attrs), "nest %s" % s["name"])

    # The library has a table of its own to check the types of attributes.
    shapes = dict(re.findall(r"\[PKRAM_A_(\w+)\]\s*= (\w+),", read("userspace", "lib", "nl.c")))
    kinds = {"u32": "U32", "u64": "U64", "string": "STRING", "flag": "FLAG", "nest": "NEST",
             "binary": "UUID"}
    same(shapes, {c_name("", a): kinds[d["type"]] for a, d in attrs.items() if a != "pad"},
         "the library's attributes")
    events = re.findall(r"\[PKRAM_CMD_(\w+)_NTF\]\s*= \"([\w-]+)\"",
                        read("userspace", "lib", "event.c"))
    same(dict(events), {c_name("", o[:-4]): o[:-4] for o in ops if "event" in ops[o]},
         "the library's names of events")

    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
