#!/usr/bin/env python3
"""Looks with readelf at how a binary is protected, and at the objects of C that it is made of.

    check-hardening.py [--with-runpath] BINARY [FOLDER]

FOLDER is the build's, with a folder of objects for each module. A release build that is not static needs its RUNPATH. Ends with 1 where
something is missing, and says what.
"""
import glob
import re
import subprocess
import sys

# C that reads data from outside, or gives rights up.
MODULES = ["CLinux", "CYaml"]


def readelf(flags, path):
    return subprocess.run(["readelf", "-W", flags, path], check=True, capture_output=True, text=True).stdout


def flaws(binary, folder, with_runpath):
    dynamic, segments, sections = readelf("-d", binary), readelf("-l", binary), readelf("-S", binary)
    if "(Position-Independent Executable file)" not in readelf("-h", binary):
        yield "is no position-independent executable"
    if not re.search(r"\(BIND_NOW\)|\(FLAGS\) .*BIND_NOW|\(FLAGS_1\) .*NOW", dynamic):
        yield "binds functions late: it is not BIND_NOW"
    if not re.search(r"GNU_STACK .* RW  ", segments):
        yield "has an executable stack, or does not say that it has none"
    if re.search(r"LOAD .* RWE ", segments):
        yield "has memory that is both writable and executable"
    relro = re.search(r"GNU_RELRO +\S+ (0x\S+) \S+ \S+ (0x\S+)", segments)
    start, end = (int(relro[1], 16), int(relro[1], 16) + int(relro[2], 16)) if relro else (0, 0)
    if not relro:
        yield "has no RELRO"
    for line in sections.splitlines():
        # [Nr] Name Type Address Off Size ES Flg ...
        found = re.match(r" *\[ *\d+\] (\S+) +[A-Z_0-9]+ +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +([A-Za-z]*)", line)
        if not found or "W" not in found[4] or not re.match(r"\.(rodata|data\.rel\.ro|got|dynamic|init_array|fini_array)", found[1]):
            continue
        address, size = int(found[2], 16), int(found[3], 16)
        if not start <= address <= address + size <= end:
            yield f"leaves {found[1]} writable"
    runpath = re.search(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", dynamic)
    if runpath and not with_runpath:
        yield f"looks for libraries on a path of its own (RUNPATH {runpath[1]})"
    for module in MODULES if folder else []:
        objects = glob.glob(f"{folder}/{module}.build/**/*.o", recursive=True)
        if not any("__stack_chk_fail" in readelf("-s", path) for path in objects):
            yield f"has no stack protector in {module}, as its {len(objects)} objects in {folder} say"


def main():
    arguments = sys.argv[1:]
    with_runpath = "--with-runpath" in arguments
    names = [word for word in arguments if not word.startswith("-")]
    binary, folder = names[0], names[1] if len(names) > 1 else None
    found = list(flaws(binary, folder, with_runpath))
    for flaw in found:
        print(f"{binary} {flaw}", file=sys.stderr)
    if not found:
        print(f"{binary}: PIE, BIND_NOW, RELRO, constants read-only, stack not executable"
              + ("" if with_runpath else ", no RUNPATH") + (", stack protector" if folder else ""))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
