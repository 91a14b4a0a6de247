#!/usr/bin/env python3
"""Compares what the program writes before and after a change, octet by octet.

    compare-outputs.py SYNSCOPE SIMULATE [--base COMMIT | --against BINARY] [--corpus FOLDER] [--worlds N]
                       [--tenth today|0...9]

Both programs read the same captures: those of Captures/, each scenario of Tests/Scenarios as SYNSCOPE crafts it,
N simulated worlds as SIMULATE writes them (files of 100 worlds that were captured in the same way), and those of the
corpus. Each capture is read in every format, listed and as the summary alone, with 1, 2, 3 and 7 workers. Compared are
standard output, standard error and the exit status.

--base builds COMMIT in a worktree below .build, by its own Makefile. The worktree stays, so that another base is built
from what it shares with the last one; the program stays under the commit's name, and is built once.

Without a base the outputs of SYNSCOPE are compared among themselves: each number of workers with one worker, and the
formats with each other (the same attempts in JSON, JSON Lines and CSV, the same summary in JSON and JSON Lines).

Differences that are meant are named in compare-outputs-exceptions.tsv: a pattern of the capture's name, the format, and
the reason. They are counted, and do not fail. Every other difference is shown with its first differing line, and the
exit status is 1.

--tenth reads every tenth capture, beginning behind so many; today's tenth is the day of the year modulo 10.
"""
import argparse
import concurrent.futures
import csv
import fnmatch
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import tenths

PROJECT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
EXCEPTIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare-outputs-exceptions.tsv")
FORMATS = {
    "text": ["-T", "text"],
    "json": ["-T", "json"],
    "jsonl": ["-T", "jsonl"],
    "csv": ["-T", "csv"],
    "text-summary": ["-q", "-T", "text"],
    "json-summary": ["-q", "-T", "json"],
}
WORKERS = [1, 2, 3, 7]
# Differences that are shown.
MOST_SHOWN = 40
# Seconds that a run may take.
LONGEST = 120


class Capture:
    def __init__(self, name, path):
        self.name, self.path = name, path


class Difference:
    def __init__(self, capture, form, workers, what):
        self.capture, self.form, self.workers, self.what = capture, form, workers, what

    def __str__(self):
        return f"{self.capture.name}, {self.form}, -j {self.workers}: {self.what}"


def base_program(commit):
    """The path of a commit's program, which is built where it is not there yet."""
    def git(*words, folder=PROJECT):
        return subprocess.run(
            ["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()

    try:
        commit = git("rev-parse", "--verify", commit + "^{commit}")
    except subprocess.CalledProcessError as failure:
        sys.exit(f"there is no commit {commit}: {failure.stderr.strip()}")
    folder = os.path.join(PROJECT, ".build", "compare-outputs")
    program = os.path.join(folder, "synscope-" + commit)
    if os.path.exists(program):
        return program
    tree = os.path.join(folder, "base")
    git("worktree", "prune")
    if os.path.exists(os.path.join(tree, ".git")):
        git("checkout", "--quiet", "--force", "--detach", commit, folder=tree)
    else:
        os.makedirs(folder, exist_ok=True)
        git("worktree", "add", "--quiet", "--force", "--detach", tree, commit)
    print(f"building the base, {commit[:12]}", flush=True)
    began = time.time()
    # What this run of make was told is not meant for the other.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    run = subprocess.run(["make", "all"], cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode:
        sys.exit("the base does not build:\n" + run.stdout.decode("utf-8", "replace")[-3000:])
    built = os.path.join(tree, ".build", "release", "synscope")
    shutil.copy2(built, program + ".new")
    os.rename(program + ".new", program)
    print(f"built in {time.time() - began:.0f} s", flush=True)
    return program


def is_capture(path):
    """Whether a file of a corpus begins as a capture, or a compressed file, does."""
    with open(path, "rb") as handle:
        start = handle.read(4)
    return start in (
        b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\xcd\x34",
        b"\x34\xcd\xb2\xa1", b"\x0a\x0d\x0d\x0a", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18",
    ) or start[:2] == b"\x1f\x8b"


def below(folder):
    """Paths of the files below a folder, relative to it, in order."""
    return sorted(
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, names in os.walk(folder) for name in names)


def captures(arguments, folder):
    """Every capture that is read, in an order that is the same everywhere."""
    found = []
    kept = os.path.join(PROJECT, "Captures")
    for name in below(kept):
        if name.endswith((".pcap", ".pcapng")):
            found.append(Capture("Captures/" + name, os.path.join(kept, name)))
    scenarios = os.path.join(PROJECT, "Tests", "Scenarios")
    crafted = []
    for name in below(scenarios):
        if name.endswith(".pkt"):
            path = os.path.join(folder, name.replace("/", "-")[:-4] + ".pcap")
            crafted.append(([arguments.synscope, "craft", os.path.join(scenarios, name), "-w", path], name, path))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = pool.map(lambda craft: subprocess.run(craft[0], capture_output=True, text=True), crafted)
    for (_, name, path), run in zip(crafted, runs):
        if run.returncode:
            sys.exit(f"{name} cannot be crafted: {run.stderr[-2000:]}")
        found.append(Capture("Tests/Scenarios/" + name, path))
    if arguments.worlds:
        worlds = os.path.join(folder, "worlds")
        os.makedirs(worlds)
        run = subprocess.run([arguments.simulate, str(arguments.worlds), "--captures", worlds])
        if run.returncode:
            sys.exit("simulated worlds cannot be written")
        found += [Capture("worlds/" + name, os.path.join(worlds, name)) for name in below(worlds)]
    if arguments.corpus and os.path.isdir(arguments.corpus):
        for name in below(arguments.corpus):
            path = os.path.join(arguments.corpus, name)
            if not name.endswith((".jsonl.zst", ".py", ".tsv", ".md")) and is_capture(path):
                found.append(Capture("corpus/" + name, path))
    elif arguments.corpus:
        print(f"there is no corpus ({arguments.corpus})")
    return found


def output(program, capture, form, workers):
    """What a run writes, in one piece: standard output, then standard error, then how it ended."""
    command = [program, "analyze", *FORMATS[form], "-j", str(workers), capture.path]
    # Once more where it does not end: the machine may have slept.
    for _ in range(2):
        try:
            run = subprocess.run(command, capture_output=True, timeout=LONGEST, stdin=subprocess.DEVNULL)
            break
        except subprocess.TimeoutExpired:
            pass
    else:
        return f"no end in {LONGEST} s, twice".encode()
    return run.stdout + b"\n-- standard error\n" + run.stderr + f"\n-- exit status {run.returncode}\n".encode()


def first_difference(one, other, names):
    """The first line that differs, of both; None where nothing does."""
    if one == other:
        return None
    lines, others = one.split(b"\n"), other.split(b"\n")
    for number in range(max(len(lines), len(others))):
        line = lines[number] if number < len(lines) else None
        its = others[number] if number < len(others) else None
        if line != its:
            place = 0
            while line and its and place < min(len(line), len(its)) and line[place] == its[place]:
                place += 1
            start = max(0, place - 60)

            def shown(text):
                return "nothing" if text is None else repr(text[start:start + 160].decode("utf-8", "replace"))

            return (
                f"line {number + 1}, octet {place + 1}\n        {names[0]}: {shown(line)}"
                f"\n        {names[1]}: {shown(its)}")
    return "only in line ends"


def contradiction(outputs):
    """What the formats of one capture say otherwise; None where they agree."""
    def standard_output(form):
        return outputs[form].split(b"\n-- standard error\n")[0].decode("utf-8", "replace")

    if not standard_output("json").strip():
        return None if not standard_output("csv").strip() else "JSON has nothing, CSV has something"
    attempts = [json.loads(line) for line in standard_output("jsonl").splitlines()]
    document = json.loads(standard_output("json"))
    if document["attempts"] != attempts:
        return "JSON and JSON Lines have other attempts"
    if json.loads(standard_output("json-summary"))["summary"] != document["summary"]:
        return "the summary alone is another than behind the attempts"
    rows = list(csv.DictReader(io.StringIO(standard_output("csv"))))
    if [(row["id"], row["outcome"]) for row in rows] != [(str(one["id"]), one["outcome"]) for one in attempts]:
        return "CSV and JSON Lines have other attempts or outcomes"
    return None


def compare(capture, program, base):
    """-> the differences of one capture, and how many runs and octets were compared"""
    found, runs, octets = [], 0, 0
    alone = {}
    for form in FORMATS:
        first = alone[form] = output(program, capture, form, 1)
        before = None
        for workers in WORKERS:
            now = first if workers == 1 else output(program, capture, form, workers)
            runs, octets = runs + 1, octets + len(now)
            if base:
                # With each number of workers: the base need not be the same with all.
                before = output(base, capture, form, workers)
                runs += 1
                what = first_difference(before, now, ("before", "now"))
                if what:
                    found.append(Difference(capture, form, workers, what))
            if now != first:
                what = first_difference(first, now, ("-j 1", f"-j {workers}"))
                found.append(Difference(capture, form, workers, "beside -j 1: " + what))
    what = contradiction(alone)
    if what:
        found.append(Difference(capture, "all", 1, what))
    return found, runs, octets


def exceptions():
    """-> [(pattern, format, reason)]"""
    rows = []
    with open(EXCEPTIONS, encoding="utf-8") as handle:
        for line in handle:
            if line.strip() and not line.startswith("#"):
                columns = line.rstrip("\n").split("\t")
                if len(columns) != 3:
                    sys.exit(f"{EXCEPTIONS}: a row has {len(columns)} columns, not 3: {line.rstrip()}")
                rows.append(tuple(columns))
    return rows


def exception(named, difference):
    """The row that names a difference; None for none."""
    return next(
        (row for row in named
         if fnmatch.fnmatch(difference.capture.name, row[0]) and row[1] in ("*", difference.form)), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("synscope", type=os.path.abspath)
    parser.add_argument("simulate", type=os.path.abspath)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--base", help="the commit to compare with")
    which.add_argument("--against", type=os.path.abspath, help="the program to compare with")
    parser.add_argument("--corpus", help="a folder of captures")
    parser.add_argument("--worlds", type=int, default=10_000, help="simulated worlds")
    tenths.add_option(parser, "capture")
    arguments = parser.parse_args()

    base = base_program(arguments.base) if arguments.base else arguments.against
    tenth = tenths.number(arguments.tenth)
    named = exceptions()
    folder = tempfile.mkdtemp(prefix="synscope-outputs-")
    try:
        chosen = captures(arguments, folder)
        if tenth is not None:
            chosen = chosen[tenth::10]
        began = time.time()
        runs, octets, unnamed, used = 0, 0, 0, {}
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for its, count, size in pool.map(lambda one: compare(one, arguments.synscope, base), chosen):
                runs, octets = runs + count, octets + size
                for difference in its:
                    row = exception(named, difference)
                    if row:
                        used[row] = used.get(row, 0) + 1
                        continue
                    unnamed += 1
                    if unnamed <= MOST_SHOWN:
                        print(f"DIFFERS {difference}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    if unnamed > MOST_SHOWN:
        print(f"... and {unnamed - MOST_SHOWN} more")
    for row, count in used.items():
        print(f"meant: {count} differences of {row[0]}, {row[1]}: {row[2]}")
    kinds = {}
    for capture in chosen:
        kind = capture.name.split("/")[0]
        kinds[kind] = kinds.get(kind, 0) + 1
    print(
        f"{len(chosen)} captures ({', '.join(f'{count} {kind}' for kind, count in kinds.items())}), "
        f"{len(FORMATS)} formats, -j {' '.join(map(str, WORKERS))}, "
        + ("with the base and among themselves" if base else "among themselves")
        + f": {runs} runs, {octets} octets, {unnamed} differences, {sum(used.values())} meant, "
        f"{time.time() - began:.0f} s")
    sys.exit(1 if unnamed else 0)


if __name__ == "__main__":
    main()
