#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0
"""Self test: the JSON output of pkramctl matches the schema.

usage: schema.py BUILD-DIRECTORY

keep_json in cli_lib.sh stored the output of the other tests in tests/json: N.args has the
words of the command, each followed by a NUL, and N.out has its output. The schema must
describe each verb that the help lists, and no other; and each must have been run.
"""
import copy
import json
import os
import subprocess
import sys

import jsonschema

here = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(here, "../../selftests/tap"))
from tap import Tap  # noqa: E402 - the path comes first

build = sys.argv[1]
tap = Tap()


def commands():
    """Return a dictionary of objects and their verbs; the first verb is the default"""
    text = subprocess.run([build + "/pkramctl", "-j", "help"], check=True,
                          stdout=subprocess.PIPE).stdout
    known = {o["name"]: [v["name"] for v in o["verbs"]]
             for o in json.loads(text)["objects"]}
    known.update({"version": [""], "help": [""]})
    return known


def command_of(words, known):
    words = [w for w in words if not w.startswith("-")]
    verbs = known[words[0]]
    verb = words[1] if len(words) > 1 and words[1] in verbs else verbs[0]
    return (words[0] + " " + verb).rstrip()


def documents(text):
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        value, used = decoder.raw_decode(rest)
        rest = rest[used:].lstrip()
        yield value


def objects(schema):
    """Yield all descriptions of objects in a schema"""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def errors(schema, name, value):
    part = {"$ref": "#/definitions/" + name, "definitions": schema["definitions"]}
    return [e.message for e in jsonschema.Draft7Validator(part).iter_errors(value)]


def spoilt(value):
    """Return a copy with an unknown key, or None if the value has no keys"""
    value = copy.deepcopy(value)
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict):
        first["no such key"] = 1
        return value
    return None


def main():
    with open(os.path.join(here, "../schema/pkramctl.json")) as f:
        schema = json.load(f)
    known = commands()
    jsonschema.Draft7Validator.check_schema(schema)
    defined = {d for d in schema["definitions"] if d[0] != "."}
    wanted = {(o + " " + v).rstrip() for o in known for v in known[o]}
    tap.ok(wanted == defined, "schema and help list the same commands",
           "only in one of them: %s" % sorted(wanted ^ defined))
    tap.ok(all(o.get("additionalProperties") is False for o in objects(schema)),
           "the schema allows no additional keys")

    seen, noticed = {}, set()
    directory = os.path.join(build, "tests/json")
    for name in sorted(os.listdir(directory)):
        if not name.endswith(".args"):
            continue
        path = os.path.join(directory, name)
        with open(path, "rb") as f:
            words = f.read().decode().split("\0")[:-1]
        command = command_of(words, known)
        bad = seen.setdefault(command, [])
        with open(path[:-len("args")] + "out", "rb") as f:
            text = f.read().decode("utf-8")
        for value in documents(text):
            bad += ["%s: %s: %s" % (" ".join(words), e, text[:2000])
                    for e in errors(schema, command, value)]
            other = spoilt(value)
            if other is not None and errors(schema, command, other):
                noticed.add(command)
    for command in sorted(wanted):
        tap.ok(command in seen, command + " -j was run")
        tap.ok(not seen.get(command), command + " -j matches the schema",
               "\n".join(seen.get(command, [])))
        tap.ok(command in noticed, "the schema refuses an additional key of " + command)

    return tap.finish()


sys.exit(main())
