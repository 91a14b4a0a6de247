#!/usr/bin/env python3
"""Builds binaries that each lack one protection, and sees that check-hardening.py says so."""
import os
import subprocess
import sys
import tempfile

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check-hardening.py")
SOURCE = """
#include <string.h>
const char *const words[] = {"one", "two"};
int main(int count, char **arguments) { char copy[64]; strcpy(copy, arguments[0]); return copy[count] == *words[0]; }
"""
GOOD = ["-fPIE", "-pie", "-Wl,-z,relro,-z,now,-z,noexecstack"]
# What is added to the good flags, and the words that are to be said of it.
LACKING = [
    (["-fno-PIE", "-no-pie"], "is no position-independent executable"),
    (["-Wl,-z,lazy"], "is not BIND_NOW"),
    (["-Wl,-z,norelro"], "has no RELRO"),
    (["-Wl,-z,execstack"], "has an executable stack"),
    (["-Wl,-rpath,/opt/elsewhere"], "RUNPATH /opt/elsewhere"),
    (["-DBOTH"], "both writable and executable"),
    (["-DWRITABLE"], "leaves .rodata"),
    (["-fno-stack-protector"], "has no stack protector in CLinux"),
]
MORE = {
    "-DWRITABLE": 'int table[4] __attribute__((section(".rodata.table"))) = {1};\n',
    "-DBOTH": '__asm__(".section .both,\\"awx\\",@progbits\\n.quad 0\\n.text\\n");\n',
}


def build(folder, flags):
    build_folder = os.path.join(folder, "build")
    source, binary = os.path.join(folder, "main.c"), os.path.join(folder, "main")
    with open(source, "w", encoding="utf-8") as handle:
        handle.write("".join(MORE.get(flag, "") for flag in flags) + SOURCE)
    objects = [f"{build_folder}/{module}.build/main.o" for module in ("CLinux", "CYaml")]
    for path in objects:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        subprocess.run(["cc", "-c", "-fstack-protector-strong", *GOOD[:1], *[f for f in flags if f[:2] == "-f"], source, "-o", path], check=True,
                       stderr=subprocess.DEVNULL)
    subprocess.run(["cc", objects[0], *GOOD, *flags, "-o", binary], check=True, stderr=subprocess.DEVNULL)
    done = subprocess.run([CHECK, binary, build_folder], capture_output=True, text=True)
    return done.returncode, done.stderr


def main():
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        status, words = build(folder, [])
        if status != 0:
            failed.append(f"nothing is missing, and it says: {words}")
        for flags, expected in LACKING:
            status, words = build(folder, flags)
            if status != 1 or expected not in words:
                failed.append(f"{' '.join(flags)}: it is to say '{expected}', and says: {words or 'nothing'}")
    for failure in failed:
        print(failure, file=sys.stderr)
    if not failed:
        print(f"check-hardening.py: sees each of {len(LACKING)} flaws, and none where there is none")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
