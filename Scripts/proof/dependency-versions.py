#!/usr/bin/env python3
"""Compares the Swift packages that docs/architecture.md lists with those that were resolved: names, versions, licences.

    dependency-versions.py [FOLDER]

FOLDER is the repository, of which a build has resolved the packages. Direct ones must be exact in Package.swift.
"""
import json
import pathlib
import re
import sys

ROW = re.compile(r"^\| ([a-z-]+) \| (\d+\.\d+\.\d+) \| ([^|]+) \| ([a-z, -]*)\|$", re.MULTILINE)
LICENCES = {
    "Apache-2.0": ("Apache License",),
    "Apache-2.0 with Runtime Library Exception": ("Apache License", "Runtime Library Exception"),
    "MIT": ("MIT License",),
}


def licence(folder):
    """What the text of its licence is; None where that is not known."""
    texts = [path.read_text() for path in folder.glob("LICENSE*")]
    fitting = [name for name, words in LICENCES.items() if any(all(word in text for word in words) for text in texts)]
    return max(fitting, key=len, default=None)


def faults(root):
    resolved = {pin["identity"]: pin["state"].get("version") for pin in json.loads((root / "Package.resolved").read_text())["pins"]}
    manifest = (root / "Package.swift").read_text()
    rows = {name: (version, kind.strip(), owner.strip()) for name, version, kind, owner in
            ROW.findall((root / "docs/architecture.md").read_text())}
    for name in sorted(resolved.keys() - rows.keys()):
        yield f"{name} {resolved[name]} was resolved and is not listed"
    for name in sorted(rows.keys() - resolved.keys()):
        yield f"{name} is listed and was not resolved"
    for name in sorted(rows.keys() & resolved.keys()):
        version, kind, owner = rows[name]
        if version != resolved[name]:
            yield f"{name} is listed as {version}, and {resolved[name]} was resolved"
        found = [path for path in (root / ".build/checkouts").iterdir() if path.name.lower() == name]
        actual = licence(found[0]) if found else None
        if actual != kind:
            yield f"{name} is listed under {kind}, and its text is that of {actual}"
        direct = re.search(rf'url: "[^"]*/{name}(?:\.git)?", exact: "{re.escape(version)}"', manifest, re.IGNORECASE)
        if not owner and not direct:
            yield f"{name} is listed as our own choice, and is not exact: {version} in Package.swift"
        if owner and direct:
            yield f"{name} is listed as brought along by {owner}, and Package.swift names it"
    for url in re.findall(r'\.package\(url: "([^"]*)", (?!exact:)', manifest):
        yield f"{url} has no exact version in Package.swift"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
    found = list(faults(root))
    for fault in found:
        print(f"dependencies: {fault}")
    print(f"dependencies: {len(found)} differ" if found else "dependencies: as docs/architecture.md lists them")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
