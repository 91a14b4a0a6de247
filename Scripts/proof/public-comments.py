#!/usr/bin/env python3
"""Lists public names of the libraries that have no documentation comment, and fails if there are any.

    public-comments.py [FOLDER of the project]

The libraries are the targets of Package.swift's `.library` products. A name is what `public` stands before, and each case of a
public enum.
"""
import pathlib
import re
import sys

PUBLIC = re.compile(r"\s*(@\w+(\([^)]*\))?\s+)*public (?!import|extension)")
CASE = re.compile(r"\s*case [a-z`]")


def indentation(line):
    return len(line) - len(line.lstrip())


def is_of_public_enum(lines, number):
    """Whether the line that encloses this one is a public enum's."""
    for line in reversed(lines[:number]):
        if line.strip() and indentation(line) < indentation(lines[number]):
            return re.search(r"public (indirect )?enum", line) is not None
    return False


def undocumented(lines):
    for number, line in enumerate(lines):
        if not (PUBLIC.match(line) or CASE.match(line) and is_of_public_enum(lines, number)):
            continue
        above = number - 1
        while above >= 0 and lines[above].strip().startswith("@"):
            above -= 1
        if not lines[above].strip().startswith("///"):
            yield number + 1, line.strip()


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    targets = re.findall(r'\.library\(name: "\w+", targets: \["(\w+)"\]\)', (root / "Package.swift").read_text())
    found = 0
    for target in targets:
        for path in sorted((root / "Sources" / target).rglob("*.swift")):
            for number, line in undocumented(path.read_text().split("\n")):
                print(f"{path.relative_to(root)}:{number}: no comment: {line}")
                found += 1
    print(f"public names: {found} of {', '.join(targets)} have no comment" if found else
          f"public names: each of {', '.join(targets)} has a comment")
    sys.exit(found > 0 or not targets)


main()
