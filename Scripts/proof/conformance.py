#!/usr/bin/env python3
"""Compares synscope with an independent reader's answers over a folder of captures.

    conformance.py CORPUS [--synscope PATH] [--explained FILE] [--table FILE]

CORPUS holds capture files and oracle.jsonl.zst (or oracle.jsonl): for each file a line {"_meta": {"path": ...}}, then a
line a TCP stream. New answers are made with the corpus's own oracle.py, which needs tshark; this script does not.

Streams with a SYN are matched with attempts by file, client, server and x. Compared: the outcome (compatible, by the table
below), the number of SYNs, y, both MSS, and the round trips where the answers call them unambiguous. Each difference must be
listed in the explained file (tab-separated: path, stream, field, whose rule it is, the test that holds ours, reason), or the
exit status is 1. So must each stream that is not found; and each test that is named must be there.

Where CORPUS has an index.tsv (columns path and packets, or repo, path and packets), each file's frames must be as many as that says:
of stream *, the field is frames. Where capinfos is installed it is asked too. --table writes what was read of each file as markdown.
"""
import argparse
import collections
import csv
import json
import os
import shutil
import subprocess
import sys

PROJECT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
WHOSE = {
    "theirs": "the other reader's rule",
    "ours": "ours: not decoded",
    "file": "the file's own damage",
}
COMPATIBLE = {
    "complete": {"established"},
    "syn_synack_only": {"half-open", "reset-by-client", "stale", "reset-by-server", "invalid", "pending"},
    "refused": {"refused"},
    "syn_only": {"unanswered", "pending", "superseded", "challenged", "invalid", "unreachable", "stale", "reset-by-client"},
}


def answers(corpus):
    """-> {path: [stream, ...]}"""
    packed, plain = os.path.join(corpus, "oracle.jsonl.zst"), os.path.join(corpus, "oracle.jsonl")
    if os.path.exists(plain):
        text = open(plain, encoding="utf-8").read()
    else:
        text = subprocess.run(["zstd", "-dcq", packed], check=True, capture_output=True).stdout.decode()
    files, streams = collections.OrderedDict(), None
    for line in text.splitlines():
        record = json.loads(line)
        if "_meta" in record:
            streams = files.setdefault(record["_meta"]["path"], [])
        else:
            streams.append(record)
    return files


def indexed_frames(corpus):
    """-> {path: frames}; empty without an index"""
    index = os.path.join(corpus, "index.tsv")
    if not os.path.exists(index):
        return {}
    with open(index, encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    return {
        (row["repo"].replace("/", "+") + "/" if row.get("repo") else "") + row["path"]: int(row["packets"])
        for row in rows
        if row["packets"].isdigit()
    }


def capinfos_frames(path):
    """-> frames, or None where it is not installed or does not read the file"""
    if not shutil.which("capinfos"):
        return None
    run = subprocess.run(["capinfos", "-c", "-M", "-T", "-r", path], capture_output=True, timeout=60)
    word = run.stdout.decode().strip().split("\t")[-1]
    return int(word) if word.isdigit() else None


def analyse(synscope, path):
    """-> (attempts, summary, exit status, standard error). Fails on a crash, a hang or frames that do not add up."""
    run = subprocess.run([synscope, "analyze", "-T", "json", path], capture_output=True, timeout=120)
    if run.returncode not in (0, 3):
        raise SystemExit(f"{path}: exit status {run.returncode}: {run.stderr.decode()[:400]}")
    document = json.loads(run.stdout) if run.stdout else {}
    attempts, summary = document.get("attempts", []), document.get("summary")
    if summary:
        frames = summary["frames"]
        total = frames["segments"] + frames["cut"] + sum(frames["ignored"].values()) + sum(frames["malformed"].values())
        if total != frames["read"]:
            raise SystemExit(f"{path}: {frames['read']} frames read, {total} accounted for")
    return attempts, summary, run.returncode, run.stderr.decode().strip()


def syn_frames(attempt):
    """Every SYN of the client that was captured, also those captured twice."""
    again = sum(1 for s in attempt["segments"] if s["kind"] == "syn" and s["from"] == "client" and s.get("capture_duplicate"))
    return attempt["counts"]["syn"] + again


def differences(stream, attempt):
    """-> [(field, theirs, ours)], and the names of the fields compared."""
    compared, found = [], []

    def compare(field, theirs, ours):
        compared.append(field)
        if theirs != ours:
            found.append((field, theirs, ours))

    compared.append("outcome")
    if attempt["outcome"] not in COMPATIBLE[stream["outcome"]]:
        found.append(("outcome", stream["outcome"], attempt["outcome"]))
    compare("syn count", stream["syn_count"], syn_frames(attempt))
    if stream["server_isn"] is not None or attempt["server_isn"] is not None:
        compare("y", stream["server_isn"], attempt["server_isn"])
    compare("mss client", stream["mss_client"], attempt["mss"]["client"])
    if stream["server_isn"] is not None:
        compare("mss server", stream["mss_server"], attempt["mss"]["server"])
    if not (stream["rtt_ambiguous"] or stream["reordered"] or stream["time_reversed"]):
        for field, key, ours in (
            ("rtt syn to syn-ack", "server_rtt", "syn_to_synack_ns"),
            ("rtt syn-ack to ack", "client_rtt", "synack_to_ack_ns"),
            ("rtt total", "handshake_rtt", "total_ns"),
        ):
            if stream[key] is not None and stream["x1_ok"]:
                compare(field, stream[key], attempt["rtt"][ours])
    return found, compared


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--synscope", default=".build/release/synscope")
    parser.add_argument("--table")
    parser.add_argument("--explained", default=os.path.join(os.path.dirname(__file__), "conformance-explained.tsv"))
    arguments = parser.parse_args()

    explained = {}
    for line in open(arguments.explained, encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            path, stream, field, whose, test, reason = line.rstrip("\n").split("\t")
            if whose not in WHOSE:
                raise SystemExit(f"{arguments.explained}: '{whose}' is none of {', '.join(WHOSE)}")
            if not os.path.exists(os.path.join(PROJECT, test)):
                raise SystemExit(f"{arguments.explained}: there is no test {test}")
            explained[path, stream, field] = whose, test, reason

    agree, total = collections.Counter(), collections.Counter()
    unexplained, used, unread = [], set(), []
    streams_with_syn = streams_found = frames = files = asked = 0
    indexed, rows = indexed_frames(arguments.corpus), []
    for path, streams in answers(arguments.corpus).items():
        if not os.path.exists(os.path.join(arguments.corpus, path)):
            continue  # answered, but not in this corpus
        files += 1
        attempts, summary, status, message = analyse(arguments.synscope, os.path.join(arguments.corpus, path))
        if summary:
            frames += summary["frames"]["read"]
        if status == 3:
            unread.append((path, message.replace(os.path.join(arguments.corpus, path), os.path.basename(path))))
        by_key = {}
        for a in attempts:
            by_key.setdefault((a["client"]["ip"], a["client"]["port"], a["server"]["ip"], a["server"]["port"], a["client_isn"]), a)

        def differ(stream, field, theirs, ours):
            key = (path, str(stream["stream"]), field)
            whole_file = (path, "*", field)
            for candidate in (key, whole_file):
                if candidate in explained:
                    used.add(candidate)
                    return
            unexplained.append((*key, theirs, ours))

        read = summary["frames"]["read"] if summary else 0
        installed = capinfos_frames(os.path.join(arguments.corpus, path))
        for theirs in {indexed.get(path), installed} - {None}:
            asked += 1
            if theirs != read:
                differ({"stream": "*"}, "frames", theirs, read)
        ignored = ", ".join(f"{count} {name}" for name, count in sorted(summary["frames"]["ignored"].items())) if summary else ""
        rows.append((path, indexed.get(path, installed), read, summary["frames"]["segments"] if summary else 0, len(attempts), ignored))
        for stream in streams:
            if not stream["syn_count"]:
                continue
            streams_with_syn += 1
            client, server = stream["client"], stream["server"]
            attempt = by_key.get((client["ip"], client["port"], server["ip"], server["port"], stream["client_isn"]))
            if attempt is None:
                differ(stream, "found", True, False)
                continue
            streams_found += 1
            found, compared = differences(stream, attempt)
            total.update(compared)
            agree.update(compared)
            for field, theirs, ours in found:
                agree[field] -= 1
                differ(stream, field, theirs, ours)

    share = 100 * streams_found / streams_with_syn if streams_with_syn else 100.0
    print(f"{files} files, {frames} frames; {streams_found} of {streams_with_syn} streams with a SYN found ({share:.2f} %)")
    print(f"frames of a file compared with what others read of it: {asked} times")
    if arguments.table:
        with open(arguments.table, "w", encoding="utf-8") as out:
            out.write("| capture | frames, others | read | TCP segments | attempts | ignored |\n| --- | --- | --- | --- | --- | --- |\n")
            for path, theirs, read, segments, attempts, ignored in rows:
                out.write(f"| {path} | {'-' if theirs is None else theirs} | {read} | {segments} | {attempts} | {ignored} |\n")
    for field in total:
        print(f"  {field:20} {agree[field]:5} of {total[field]:5} equal ({100 * agree[field] / total[field]:.2f} %)")
    for path, message in unread:
        print(f"  not read to its end: {path}: {message}")
    for whose, meaning in WHOSE.items():
        of_these = [(key, explained[key]) for key in sorted(used) if explained[key][0] == whose]
        print(f"differences, {meaning}: {len(of_these)}")
        for (path, stream, field), (_, test, reason) in of_these:
            print(f"  {os.path.basename(path)} {stream} {field}: {reason} [{test}]")
    print(f"{len(used)} kinds of difference explained, {len(unexplained)} not")
    for path, stream, field, theirs, ours in unexplained:
        print(f"  {path}\t{stream}\t{field}\ttheirs {theirs}, ours {ours}")
    for key in sorted(set(explained) - used):
        print("  explained, but no longer there: " + "\t".join(key))
    return 1 if unexplained or share < 99 or set(explained) - used else 0


if __name__ == "__main__":
    sys.exit(main())
