#!/usr/bin/env python3
"""Breaks the sources in many small ways, one at a time, and says which of them the tests notice.

    mutate.py [--only N | --first N] [--tenth today|0...9] [--least 95] [--folder FOLDER] [--seconds S]
    mutate.py --check

Each line of mutations.tsv is a file, a text that stands in it exactly once, and the text that a mutant has in its
place; \\n is a line's end. A file is named by its module and its own name: it may be in any folder of the module.
The mutants are built in a copy of the project. The tests of a mutant's module are run: those of the decoder, of capture
files, of expressions, of the diagnosis, or else of the analysis, the scenarios and 2,000 simulated worlds.

Every mutant ends in one of these ways, and none ends the run:

    noticed             tests fail
    noticed (timeout)   tests do not end
    SURVIVES            no test fails
    NOT BUILT           the mutant does not compile: the row proves nothing
    NOT FOUND           the text does not stand in the file exactly once

It fails where a mutant is not built or not found, or where fewer than --least percent of all are noticed.

--check only looks whether the rows can be used, without a build. --tenth runs every tenth row, beginning behind so many
rows; today's tenth is the day of the year modulo 10. --folder keeps the copy and its build for the next run. --seconds
begins no mutant after so many seconds: those that are left are named, and count neither way.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tenths

PROJECT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TABLE = os.path.join("Scripts", "proof", "mutations.tsv")
BUILD = ["swift", "build", "--build-tests"]
# The tests of a module; those of the analysis for any other.
TESTS = {
    "PacketWire": "PacketWireTests", "PacketCapture": "PacketCaptureTests", "HandshakeExpectation": "ExpectationTests",
    "HandshakeDiagnosis": "DiagnosisTests",
}
ANALYSIS = "HandshakeAnalysisTests|HandshakeRecordTests|ScenarioTests|SimulationTests"
# What Swift Testing writes before the first thing that fails. A mutant's tests need no more time.
FAILURE = "✘".encode()


class Mutation:
    def __init__(self, number, line):
        self.number = number
        columns = line.rstrip("\n").split("\t")
        self.fault = None if len(columns) == 3 else f"has {len(columns)} columns, not 3"
        self.file, self.old, self.new = (columns + ["", ""])[:3]
        self.old, self.new = (text.replace("\\n", "\n") for text in (self.old, self.new))

    @property
    def title(self):
        lines = self.old.splitlines() or [""]
        return f"{self.file}: {lines[0].strip()[:70]}"

    @property
    def tests(self):
        return TESTS.get(self.file.split("/")[0], ANALYSIS)

    def path(self, project):
        """Where the file is; fails where there is none, or more than one."""
        module, name = self.file.split("/")
        found = [
            os.path.join(folder, name)
            for folder, _, names in os.walk(os.path.join(project, "Sources", module)) if name in names]
        if len(found) != 1:
            raise OSError(f"there are {len(found)} files of that name in {module}")
        return found[0]

    def read(self, project):
        with open(self.path(project), encoding="utf-8", newline="") as handle:
            return handle.read()

    def write(self, project, text):
        with open(self.path(project), "w", encoding="utf-8", newline="") as handle:
            handle.write(text)

    def problem(self, project):
        """Why the row cannot be used; None where it can."""
        if self.fault:
            return self.fault
        if self.file.count("/") != 1:
            return "names no module and file"
        if not self.old or self.old == self.new:
            return "changes nothing"
        try:
            count = self.read(project).count(self.old)
        except OSError:
            return "there is no such file, or more than one"
        return None if count == 1 else f"its text stands there {count} times"


def mutations(project):
    with open(os.path.join(project, TABLE), encoding="utf-8") as handle:
        lines = [line for line in handle if line.strip() and not line.startswith("#")]
    return [Mutation(number, line) for number, line in enumerate(lines, 1)]


def chosen(rows, only=None, first=1, tenth=None):
    """The rows that are run."""
    if only is not None:
        return [row for row in rows if row.number == only]
    return [row for row in rows if row.number >= first and (tenth is None or (row.number - 1) % 10 == tenth)]


def check(project):
    """Prints the rows that cannot be used, and returns their number."""
    rows = mutations(project)
    faults = [(row, row.problem(project)) for row in rows]
    faults = [(row, fault) for row, fault in faults if fault]
    seen = {}
    for row in rows:
        twin = seen.setdefault((row.file, row.old, row.new), row.number)
        if twin != row.number:
            faults.append((row, f"is row {twin} again"))
    for row, fault in faults:
        print(f"{TABLE}: row {row.number} {fault}: {row.title}")
    if not faults:
        print(f"{TABLE}: {len(rows)} rows can be used")
    return len(faults)


def ready():
    # Where memory runs out, the mutant ends and nothing else does.
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as handle:
            handle.write("1000")
    except OSError:
        pass


def run(folder, command, timeout, until=None):
    """The status and output of a command; status None where it did not end in time, and was ended.

    It is ended, with status 1, where its output has the text `until`.
    """
    environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")
    # A mutant may leave a value unused: that is a warning, and no reason not to build it.
    environment.pop("SYNSCOPE_WERROR", None)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=ready)
        deadline = time.monotonic() + timeout
        status = None
        try:
            while status is None and time.monotonic() < deadline:
                try:
                    status = process.wait(0.2 if until else deadline - time.monotonic())
                except subprocess.TimeoutExpired:
                    if until and until in os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0):
                        status = 1
        finally:
            # Also what a test has left behind.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        output.seek(0)
        return status, output.read().decode("utf-8", "replace")


def synchronise(source, target):
    """Makes the copy equal to the project, and touches only what differs: the rest needs no new build."""
    def names(folder):
        skipped = (".build", ".git", ".swiftpm", "__pycache__")
        return {name for name in os.listdir(folder) if not name.startswith(skipped) or name == ".gitignore"}

    os.makedirs(target, exist_ok=True)
    for name in names(target) - names(source):
        path = os.path.join(target, name)
        (shutil.rmtree if os.path.isdir(path) and not os.path.islink(path) else os.remove)(path)
    for name in names(source):
        one, other = os.path.join(source, name), os.path.join(target, name)
        if os.path.isdir(one) and not os.path.islink(one):
            synchronise(one, other)
            continue
        with open(one, "rb") as handle:
            octets = handle.read()
        if os.path.exists(other):
            with open(other, "rb") as handle:
                if handle.read() == octets:
                    continue
        shutil.copy2(one, other)
        os.utime(other)


def outcome(copy, row, timeout):
    """What becomes of a mutant, and the end of what the build said where it matters."""
    problem = row.problem(copy)
    if problem:
        return "NOT FOUND", problem
    text = row.read(copy)
    row.write(copy, text.replace(row.old, row.new))
    try:
        status, output = run(copy, BUILD, timeout)
        if status != 0:
            errors = [line for line in output.splitlines() if "error:" in line]
            return "NOT BUILT", (errors or output.splitlines()[-1:] or ["the build does not end"])[0]
        status, _ = run(
            copy, ["swift", "test", "--skip-build", "--disable-xctest", "--filter", row.tests], timeout, FAILURE)
        return ("noticed (timeout)" if status is None else "noticed" if status else "SURVIVES"), None
    finally:
        row.write(copy, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="look only whether the rows can be used")
    parser.add_argument("--only", type=int, help="the mutation of this number alone")
    parser.add_argument("--first", type=int, default=1, help="the mutations from this number on")
    tenths.add_option(parser, "mutation")
    parser.add_argument("--least", type=float, default=95.0, help="percent of all that must be noticed")
    parser.add_argument("--folder", help="where the copy is, and stays")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no mutant after so many seconds")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds for a build, and for the tests")
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(check(PROJECT) > 0)

    rows = chosen(mutations(PROJECT), arguments.only, arguments.first, tenths.number(arguments.tenth))
    if not rows:
        sys.exit("there is no such mutation")
    print(f"mutations {', '.join(str(row.number) for row in rows)}", flush=True)

    folder = arguments.folder or tempfile.mkdtemp(prefix="synscope-mutants-")
    try:
        copy = os.path.join(folder, "project")
        synchronise(PROJECT, copy)
        status, output = run(copy, BUILD, 4 * arguments.timeout)
        if status != 0:
            sys.exit("the project itself does not build:\n" + output[-3000:])
        began = time.time()
        ends = {}
        left = []
        for row in rows:
            if time.time() - began > arguments.seconds:
                left.append(row)
                continue
            how, why = outcome(copy, row, arguments.timeout)
            ends.setdefault(how, []).append((row, why))
            print(f"{row.number:3} {how:17} {row.title}", flush=True)
            if why:
                print(f"    {why}", flush=True)
    finally:
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)

    noticed = len(ends.get("noticed", [])) + len(ends.get("noticed (timeout)", []))
    tried = len(rows) - len(left)
    share = 100 * noticed / tried if tried else 0.0
    if left:
        print(f"not tried for want of time: {', '.join(str(row.number) for row in left)}")
    for how in ("SURVIVES", "NOT BUILT", "NOT FOUND"):
        for row, why in ends.get(how, []):
            print(f"{how}: {row.number} {row.title}" + (f": {why}" if why else ""))
    counts = [len(ends.get(how, [])) for how in ("SURVIVES", "NOT BUILT", "NOT FOUND")]
    print(
        f"of {tried} mutations {noticed} noticed ({share:.1f} %), {counts[0]} survived, {counts[1]} not built, "
        f"{counts[2]} not found, in {time.time() - began:.0f} s")
    sys.exit(share < arguments.least or counts[1] + counts[2] > 0)


if __name__ == "__main__":
    main()
