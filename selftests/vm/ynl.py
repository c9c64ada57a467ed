#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Test the module with the kernel's own netlink client (tools/net/ynl), which knows only
what the spec says about pkram. One check per run: ynl.py NAME
"""

import os
import sys

from pyynl.lib import NlError, YnlFamily

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = "/dev/pkram/told"


def family(name):
    return YnlFamily(os.path.join(HERE, name + ".yaml"), "")


def want(good, *what):
    if not good:
        print(*what)
        sys.exit(1)


def operations(pkram, ctrl):
    """The controller reports the family as the spec describes it"""
    told = ctrl.do("getfamily", {"family-name": "pkram"})
    want(told["family-name"] == "pkram" and told["version"] == 1, told)
    groups = [g["name"] for entry in told["mcast-groups"] for g in entry.values()]
    want(groups == list(pkram.mcast_groups), groups, pkram.mcast_groups)
    flags = {op["id"]: op["flags"] for entry in told["ops"] for op in entry.values()}
    want(set(flags) == {op.req_value for op in pkram.ops.values()}, flags)
    for op in pkram.ops.values():
        caps = {"cmd-cap-" + m for m in ("do", "dump") if m in op.yaml}
        # A command without attributes has a policy too, which refuses all.
        told = set(flags[op.req_value])
        want(told - {"cmd-cap-haspol"} == caps and
             ("cmd-cap-haspol" in told or not request(op)), op.name, told, caps)


def mode(op):
    return op.yaml["do" if "do" in op.yaml else "dump"]


def request(op):
    return mode(op).get("request", {}).get("attributes", [])


def policies(pkram, ctrl):
    """The module's policies match the spec, including the range of each number"""
    for op in pkram.ops.values():
        names = request(op)
        if not names:
            continue
        policy = pkram.get_policy(op.name, "do")
        want(set(policy.keys()) == set(names), op.name, policy)
        for name in names:
            attr = pkram.attr_sets["pkram"][name]
            told = policy[name].to_dict()
            checks = attr.yaml.get("checks", {})
            want(told["type"] == attr.type, op.name, name, told)
            for key in checks:
                want(told[key + "-value"] == checks[key], op.name, name, told, checks)


def commands(pkram, ctrl):
    """Each command works"""
    want(pkram.do("handover-get", {})["handover-mode"] == "none", "handover")
    got = pkram.do("pool-grow", {"gib": 1})
    want(got["gib"] == 1 and got["taken"][0]["size"] == 1 << 30, got)
    pool = pkram.do("pool-get", {})
    want(pool["size"] == 1 << 30 and len(pool["pool-uuid"]) == 36, pool)
    regions = pkram.dump("region-get", {})
    want(len(regions) == 1 and regions[0]["size"] == 1 << 30, regions)
    handover = pkram.do("handover-get", {})
    want(handover == {"handover-mode": "e820", "kexec-guard": True}, handover)
    want(pkram.dump("object-get", {}) == [], "objects")
    counters = pkram.do("counters-get", {})
    want(list(counters) == mode(pkram.ops["counters-get"])["reply"]["attributes"] and
         counters["populates"] > 0, counters)
    with open(FILE, "x", encoding="utf-8") as f:
        os.fchmod(f.fileno(), 0o640)
    objects = pkram.dump("object-get", {})
    want(len(objects) == 1 and objects[0]["name"] == "/told" and
         objects[0]["state"] == "idle" and objects[0]["mode"] == 0o100640, objects)
    # All attributes are in the spec: ynl would print unknown ones by number.
    for op, told in ("pool-get", pool), ("region-get", regions[0]), ("object-get", objects[0]):
        reply = mode(pkram.ops[op])["reply"]["attributes"]
        want(set(told) <= set(reply), op, told)
    os.unlink(FILE)
    got = pkram.do("pool-shrink", {"base": regions[0]["base"], "size": 1 << 30})
    want(got["taken"] == [{"base": regions[0]["base"], "size": 1 << 30}], got)


def refused(pkram, op, attributes, error, words, attribute=None, missing=None):
    try:
        told = pkram.do(op, attributes)
    except NlError as e:
        ext = e.nl_msg.extack
        want(e.error == error and words in ext.get("msg", "") and
             ext.get("bad-attr") == attribute and ext.get("miss-type") == missing,
             op, attributes, e.error, ext)
        return
    want(False, op, attributes, told)


def refusals(pkram, ctrl):
    """Each refusal has a text and names the attribute that is wrong"""
    refused(pkram, "pool-grow", {}, 22, "number of GiB is missing", missing="gib")
    refused(pkram, "pool-grow", {"gib": 0}, 34, "out of range", ".gib")
    refused(pkram, "pool-grow", {"gib": 1, "node": 9}, 22, "no such NUMA node", ".node")
    refused(pkram, "pool-adopt", {"base": 0, "size": 4096}, 34, "out of range", ".size")
    refused(pkram, "pool-adopt", {"base": 4096, "size": 1 << 30}, 22, "base is not", ".base")
    refused(pkram, "object-discard", {"object-key": 99}, 2, "no object", ".object-key")
    refused(pkram, "object-discard", {"object-key": 1}, 22, "not quarantined", ".object-key")


def events(pkram, ctrl):
    """Events arrive with the attributes that the spec lists"""
    pkram.ntf_subscribe("events")
    pkram.do("pool-grow", {"gib": 1})
    with open(FILE, "x", encoding="utf-8"):
        pass
    os.setxattr(FILE, "user.os", b"debian")
    os.rename(FILE, FILE + "2")
    os.unlink(FILE + "2")
    pkram.do("pool-shrink", {"gib": 1})
    pkram.check_ntf()
    told = []
    while not pkram.async_msg_queue.empty():
        told.append(pkram.async_msg_queue.get())
    names = [e["name"] for e in told]
    want(names == ["handover-ntf", "pool-grow-ntf", "object-create-ntf", "object-label-ntf",
                   "object-rename-ntf", "object-remove-ntf", "handover-ntf",
                   "pool-shrink-ntf"], names)
    want(told[3]["msg"]["label"] == "os" and told[4]["msg"]["old-name"] == "/told" and
         told[4]["msg"]["name"] == "/told2" and told[4]["msg"]["state"] == "idle", told)
    for e in told:
        spec = pkram.msgs[e["name"]].yaml["event"]["attributes"]
        want(set(e["msg"]) <= set(spec), e, spec)


if __name__ == "__main__":
    globals()[sys.argv[1]](family("pkram"), family("nlctrl"))
