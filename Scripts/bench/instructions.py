#!/usr/bin/env python3
"""Counts the instructions a packet, and the allocations, retains and releases, of small captures, and holds them to budgets.

    instructions.py SYNSCOPE MAKE_WORKLOAD [--write]

Counts by valgrind's callgrind do not depend on what else a machine does. What a capture of one frame costs is taken off, so that
starting is not counted. Budgets are in instruction-budgets.tsv; --write sets them to 5 percent above what is measured now.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUDGETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instruction-budgets.tsv")
# Of plain connections the second half is what counts: by then the tables have grown as far as they will.
WORKLOADS = [("w1", 20000), ("w1-ipv6", 20000), ("w2", 50000), ("w3", 100000)]
COUNTED = {
    "allocations": r"^(malloc|calloc|realloc|posix_memalign|aligned_alloc)$|^swift_(slow)?[aA]lloc",
    "retains": r"^swift_(bridgeObject)?[rR]etain",
    "releases": r"^swift_(bridgeObject)?[rR]elease",
}
# So many a packet are none: it is what is done once for each batch of 64 frames, and for attempts out of the ordinary.
MOST_CALLS = 0.1


def callgrind(program, capture, folder):
    """Instructions, and the calls of the counted functions."""
    out = os.path.join(folder, "callgrind.out")
    environment = dict(os.environ, SWIFT_DETERMINISTIC_HASHING="1", SYNSCOPE_UNCONFINED="1")
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, "-q", "-j", "1", capture],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"valgrind failed on {capture}:\n{done.stderr[-2000:]}")
    names, calls, total, called = {}, dict.fromkeys(COUNTED, 0), 0, None
    for line in open(out, encoding="utf-8", errors="replace"):
        match = re.match(r"^(fn|cfn)=\((\d+)\)(?: (.*))?$", line.rstrip("\n"))
        if match:
            if match[3]:
                names[match[2]] = match[3]
            if match[1] == "cfn":
                called = names.get(match[2], "")
        elif line.startswith("calls=") and called is not None:
            number = int(line[6:].split()[0])
            for kind, pattern in COUNTED.items():
                if re.search(pattern, called):
                    calls[kind] += number
        elif line.startswith(("summary:", "totals:")):
            total = int(line.split()[1])
    return total, calls


def main():
    program, make = sys.argv[1:3]
    writes = "--write" in sys.argv
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    folder = tempfile.mkdtemp(prefix="synscope-instructions-")
    failures = []
    try:
        # Without debugging information: valgrind need not read it.
        stripped = os.path.join(folder, "synscope")
        subprocess.run(["objcopy", "--strip-debug", program, stripped], check=True)

        def capture(kind, count):
            path = os.path.join(folder, f"{kind}-{count}")
            subprocess.run([make, kind, str(count), path], check=True)
            frames = subprocess.run([stripped, "-q", "-T", "json", path], check=True, capture_output=True, text=True).stdout
            return path, int(re.search(r'"read":(\d+)', frames)[1])

        start, _ = callgrind(stripped, capture("w3", 1)[0], folder)
        budgets = {}
        if os.path.exists(BUDGETS):
            for line in open(BUDGETS, encoding="utf-8"):
                if not line.startswith("#") and line.strip():
                    name, most = line.split("\t")
                    budgets[name] = float(most)
        measured = {}
        print("workload        packets  instructions a packet  budget")
        for kind, count in WORKLOADS:
            path, packets = capture(kind, count)
            total, _ = callgrind(stripped, path, folder)
            measured[kind] = (total - start) / packets
            budget = budgets.get(kind)
            print(f"{kind:12} {packets:10} {measured[kind]:22.1f}  {budget if budget else 'none'}")
            if not writes and (budget is None or measured[kind] > budget):
                failures.append(f"{kind}: {measured[kind]:.1f} instructions a packet, the budget is {budget}")
        # What of it is allocation and counting of references: plain connections, after the tables have grown.
        (small, few), (large, many) = capture("w1-plain", 20000), capture("w1-plain", 40000)
        before, after = callgrind(stripped, small, folder)[1], callgrind(stripped, large, folder)[1]
        for kind in COUNTED:
            each = (after[kind] - before[kind]) / (many - few)
            print(f"w1-plain: {kind} {each:.4f} a packet ({after[kind] - before[kind]} in {many - few} packets more)")
            if each > MOST_CALLS:
                failures.append(f"{kind}: {each:.4f} a packet, at most {MOST_CALLS}")
        if writes:
            with open(BUDGETS, "w", encoding="utf-8") as out:
                out.write("# workload\tinstructions a packet at most: 5 percent above what was measured\n")
                for kind, value in measured.items():
                    out.write(f"{kind}\t{value * 1.05:.0f}\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
