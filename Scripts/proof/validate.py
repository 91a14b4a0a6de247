#!/usr/bin/env python3
"""Validates JSON Lines against a committed schema: validate.py [--schema NAME] [FILE...] (standard input without one).

Needs jsonschema (Debian: python3-jsonschema; PyPI: jsonschema). Exit status 1, and each error with its line, if one fails.
"""
import json
import os
import sys

from jsonschema import Draft202012Validator

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")


def main(paths):
    name = "schema.json"
    if paths[:1] == ["--schema"]:
        name, paths = paths[1], paths[2:]
    schema = json.load(open(os.path.join(DOCS, name), encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    # Each line is checked against the shape that its type names: the errors are then about the line, not about all three.
    shapes = {
        name: Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{name}"}) for name in schema["$defs"]
    }
    lines = errors = 0
    for path in paths or ["-"]:
        source = sys.stdin if path == "-" else open(path, encoding="utf-8")
        for number, line in enumerate(source, 1):
            record = json.loads(line)
            lines += 1
            shape = shapes.get(record.get("type"))
            found = [f"no such type: {record.get('type')}"] if shape is None else shape.iter_errors(record)
            for error in found:
                errors += 1
                place = "/".join(str(p) for p in getattr(error, "path", []))
                print(f"{path}:{number}: {place}: {getattr(error, 'message', error)}"[:400])
    print(f"{lines} lines, {errors} errors")
    return 1 if errors or not lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
