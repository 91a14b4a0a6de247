#!/usr/bin/env python3
"""Annotated copies beside their captures, as tshark reads both: annotate.py SYNSCOPE CAPTURE...

Of each capture: frames, times, lengths, interfaces and older comments are the same, and each finding's comment is at exactly the
frames that the records name. With --only-evidence: the frames of attempts that failed or have a warning, and nothing else changed.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

FIELDS = ["frame.time_epoch", "frame.len", "frame.cap_len", "frame.encap_type", "frame.interface_name", "frame.md5_hash", "frame.comment"]
OURS = "synscope: "
# Octets that separate fields and comments: no comment has them.
FIELD, VALUE = "\x1e", "\x1f"


def frames(path):
    """-> [(fields without comments, older comments, our comments)], as tshark reads the file."""
    command = ["tshark", "-n", "-r", path, "-o", "frame.generate_md5_hash:TRUE", "-T", "fields", "-E", f"separator={FIELD}", "-E",
               f"aggregator={VALUE}"]
    for field in FIELDS:
        command += ["-e", field]
    run = subprocess.run(command, capture_output=True)
    found = []
    # A comment may have lines of its own: a record ends where the next begins with a time.
    rows, row = [], None
    for line in run.stdout.decode(errors="replace").split("\n"):
        if line.count(FIELD) == len(FIELDS) - 1:
            rows.append(row := [line])
        elif row:
            row.append(line)
    for row in rows:
        *fields, comments = "\n".join(row).rstrip("\n").split(FIELD)
        comments = [c for c in comments.split(VALUE) if c]
        found.append((fields, [c for c in comments if not c.startswith(OURS)], [c for c in comments if c.startswith(OURS)]))
    return found


def expected(synscope, path):
    """-> {finding code: frames}, {frame of an attempt's first segment: outcomes}, by the records."""
    codes, outcomes = collections.defaultdict(set), collections.defaultdict(list)
    run = subprocess.run([synscope, "-T", "jsonl", path], capture_output=True, text=True)
    for line in run.stdout.splitlines():
        attempt = json.loads(line)
        outcomes[attempt["segments"][0]["frame"] if attempt["segments"] else attempt["id"]].append(attempt["outcome"])
        for finding in attempt["findings"]:
            codes[finding["code"]] |= set(finding["frames"])
    return codes, outcomes


def compare(synscope, path, folder):
    """-> what is wrong with the copies of a capture; None where it cannot be read or copied."""
    copy, part = os.path.join(folder, "copy.pcapng"), os.path.join(folder, "part.pcapng")
    run = subprocess.run([synscope, "annotate", path, "-w", copy], capture_output=True, text=True)
    if run.returncode not in (0, 3) or run.returncode == 3 and not run.stdout:
        return None
    wrong = []
    before, after = frames(path), frames(copy)
    # A file that is damaged is copied as far as it was read; tshark may give up elsewhere.
    if run.returncode == 3:
        count = min(len(before), len(after))
        before, after = before[:count], after[:count]
    if not before:
        return None
    if len(before) != len(after):
        return [f"{len(before)} frames, {len(after)} in the copy"]
    # pcapng cannot hold a time of which the fraction is a second or more.
    untimed = re.search(r"(\d+) frames? without a valid time", run.stderr)
    untimed = int(untimed[1]) if untimed else 0
    for number, (old, new) in enumerate(zip(before, after), 1):
        one, other = list(old[0]), list(new[0])
        if one[0] != other[0] and untimed > 0:
            untimed -= 1
            one[0] = other[0]
        if not one[4]:
            # pcap has no interfaces; a copy has one without a name.
            one[4] = other[4]
        if one != other:
            wrong.append(f"frame {number}: {one} is {other} in the copy")
        if old[1] != new[1]:
            wrong.append(f"frame {number}: its comments {old[1]} are {new[1]}")
    codes, outcomes = expected(synscope, path)
    said = collections.defaultdict(set)
    for number, (_, _, comments) in enumerate(after, 1):
        for comment in comments:
            said[comment[len(OURS):].split(" (")[0].split(":")[0]].add(number)
    for code, numbers in codes.items():
        numbers = {n for n in numbers if n <= len(after)}
        if said[code] != numbers:
            wrong.append(f"{code}: frames {sorted(said[code])[:8]}, not {sorted(numbers)[:8]}")
    for number, list_ in outcomes.items():
        for outcome in list_:
            if number <= len(after) and number not in said[outcome]:
                wrong.append(f"{outcome} is not said at frame {number}")
    run = subprocess.run([synscope, "annotate", path, "-w", part, "--only-evidence"], capture_output=True, text=True)
    kept = [frame for frame in frames(part)]
    rest = iter(after)
    for frame in kept:
        if not any(other == frame for other in rest):
            wrong.append("--only-evidence has a frame that the copy has not")
            break
    return wrong


def main():
    synscope, paths = sys.argv[1], sys.argv[2:]
    compared = left = count = 0
    failed = []
    with tempfile.TemporaryDirectory(prefix="synscope-annotate-") as folder:
        for path in paths:
            wrong = compare(synscope, path, folder)
            if wrong is None:
                left += 1
                continue
            compared += 1
            for text in wrong[:5]:
                print(f"{path}: {text}")
            if wrong:
                failed.append(path)
    print(f"{compared} captures annotated, {left} that synscope or tshark does not read, {len(failed)} with differences")
    sys.exit(1 if failed or not compared else 0)


if __name__ == "__main__":
    main()
