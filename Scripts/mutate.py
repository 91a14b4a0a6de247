#!/usr/bin/env python3
"""Breaks the analysis in many small ways, one at a time, and says which of them the tests notice.

    mutate.py [--only N | --first N] [--least 95]

Each line of mutations.tsv is a file of Sources/HandshakeAnalysis, a text that stands in it once (the first place counts), and
what a mutant has in its place; \\n is a line's end. It works on a copy of the project, and runs the tests of the analysis, the scenarios
and 2,000 simulated worlds. Fails if fewer than --least percent are noticed.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(folder, *command):
    environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, text=True)
    except subprocess.TimeoutExpired:
        return 124, "timeout"
    return done.returncode, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, help="the mutation of this number alone")
    parser.add_argument("--first", type=int, default=1, help="the mutations from this number on")
    parser.add_argument("--least", type=float, default=95.0)
    arguments = parser.parse_args()
    mutations = []
    for line in open(os.path.join(PROJECT, "Scripts", "mutations.tsv"), encoding="utf-8"):
        if not line.startswith("#") and line.strip():
            name, old, new = line.rstrip("\n").split("\t")
            mutations.append((name, old.replace("\\n", "\n"), new.replace("\\n", "\n")))

    folder = tempfile.mkdtemp(prefix="synscope-mutants-")
    try:
        copy = os.path.join(folder, "project")
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(".build*", ".git"))
        build = ["swift", "build", "--build-tests"]
        status, output = run(copy, *build)
        if status:
            sys.exit("the project itself does not build:\n" + output[-2000:])
        noticed, survivors, began = 0, [], time.time()
        chosen = [m for n, m in enumerate(mutations, 1) if (arguments.only or n) == n and n >= arguments.first]
        for number, (name, old, new) in enumerate(chosen, 1):
            path = os.path.join(copy, "Sources", "HandshakeAnalysis", name)
            text = open(path, encoding="utf-8").read()
            if old not in text:
                sys.exit(f"mutation {number}: {name} no longer has {old!r}: write it anew")
            open(path, "w", encoding="utf-8").write(text.replace(old, new, 1))
            status, output = run(copy, *build)
            how = "does not build" if status else None
            if how is None:
                status, output = run(
                    copy, "swift", "test", "--skip-build", "--disable-xctest", "--filter",
                    "HandshakeAnalysisTests|ScenarioTests|SimulationTests")
                how = "noticed" if status else "SURVIVES"
            open(path, "w", encoding="utf-8").write(text)
            noticed += how == "noticed"
            print(f"{number:3} {how:14} {name}: {old.splitlines()[0].strip()[:70]}", flush=True)
            if how == "does not build":
                sys.exit(output[-3000:])
            if how == "SURVIVES":
                survivors.append(number)
        share = 100 * noticed / len(chosen)
        print(f"{len(chosen)} mutations, {noticed} noticed ({share:.1f} %), {time.time() - began:.0f} s; survive: {survivors or 'none'}")
        sys.exit(share < arguments.least)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
