#!/usr/bin/env python3
"""Real incidents of the kernel among real traffic, and what `synscope diagnose` says of each.

    incidents.py --synscope PATH [--draws N] [--seed N] [--kind NAME ...] [--keep FOLDER] [--jobs N]

Each draw is a world of its own (incident_world.py) with one incident (incident_kinds.py), or with none. The truth is
what was done and what each connect() said. A draw is right if the situation has the right code, its scope selects the
connections that it happened to and no others, it begins within two attempts of the truth (or its share holds the true
rate), and nothing else is said.
Needs root and nftables. Everything that it makes it takes down.
"""
import argparse
import calendar
import collections
import ipaddress
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from incident_kinds import KINDS
from incident_world import World
from namespaces import flags


def moment(text):
    """Nanoseconds since the epoch of a time like 2026-01-01T00:00:00.123456789Z."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction.ljust(9, "0"))


def is_in(client, server, situation):
    """Whether a situation's scope has the connections of a client and a server."""
    address, port = server
    within = lambda one, network: network is None or ipaddress.ip_address(one) in ipaddress.ip_network(network)
    return (
        within(address, situation["servers"]) and within(client, situation["clients"])
        and (not situation["ports"] or port in situation["ports"]))


def in_words(situation):
    """A situation in one line, for who looks at what went wrong."""
    ports = ",".join(map(str, situation["ports"])) or "*"
    scope = f"{situation['servers'] or 'all'}:{ports} from {situation['clients'] or 'all'}"
    share = situation["share"]
    rate = f", {share['low']:.3f} to {share['high']:.3f}" if share else ""
    return f"{situation['code']} at {scope}, {situation['affected']} of {situation['attempts']}{rate}"


def first_syns(path):
    """-> the times of SYNs in a capture of this lab, by (client, port, server, port)."""
    found = collections.defaultdict(list)
    with open(path, "rb") as handle:
        octets = handle.read()
    place = 24
    while place < len(octets):
        seconds, nanoseconds, length, _ = struct.unpack_from("<IIII", octets, place)
        frame = octets[place + 16:place + 16 + length]
        place += 16 + length
        if flags(frame) & 0x12 == 2:
            ports = struct.unpack_from("!HH", frame, 34)
            key = socket.inet_ntoa(frame[26:30]), ports[0], socket.inet_ntoa(frame[30:34]), ports[1]
            found[key].append(seconds * 10**9 + nanoseconds)
    return found


def facts(world, path):
    """What is kept beside a capture, to judge it."""
    truth = world.truth
    # A SYN comes to the capture when it has passed a slow link: there it counts.
    syns = first_syns(path)
    for one in world.connections:
        if one.time is not None:
            times = syns.get((one.client, one.port, *one.server), [])
            one.time = next((time for time in times if one.time <= time < one.time + 10**9), one.time)
    asked = [one for one in world.connections if one.time is not None and one.error != "EADDRNOTAVAIL"]
    if truth and truth.begins_with_first:
        truth.begin = min((one.time for one in asked if one.client in truth.clients and truth.rate(one)), default=None)
    return {
        "place": world.place, "notes": world.notes,
        "truth": truth and {
            "code": truth.code, "servers": sorted(truth.servers), "clients": sorted(truth.clients),
            "spans": truth.spans if truth.begin is None else [(truth.begin, None)], "strangers": truth.strangers,
            "is_share": truth.rate is not None},
        "asked": [(one.time, one.client, one.server, bool(truth and truth.rate and truth.rate(one))) for one in asked],
        "strangers": [one.time for one in world.strangers],
    }


def judge(facts, situations):
    """-> what is right, and what else was said."""
    truth = facts["truth"]
    row = {"place": facts["place"], "notes": facts["notes"], "said": [in_words(s) for s in situations]}
    row.update(opinion(facts, truth, situations))
    row["right"] = row["code"] and row["scope"] and row["begin"] and not row["alarms"]
    return row


def opinion(facts, truth, situations):
    if truth is None:
        return {"code": True, "scope": True, "begin": True, "alarms": [s["code"] for s in situations], "pieces": 0}
    right = [s for s in situations if s["code"] == truth["code"]]
    row = {
        "code": bool(right), "scope": False, "begin": False, "pieces": len(right),
        "alarms": [s["code"] for s in situations if s["code"] != truth["code"]]}
    if not right:
        return row
    first = min(moment(s["first_time"]) for s in right)
    if truth["strangers"]:
        row["scope"] = [[s["servers"], s["ports"], s["clients"]] for s in right] == [list(truth["strangers"])]
        row["begin"] = sum(time < first for time in facts["strangers"]) <= 2
        return row
    servers, clients, spans = {tuple(one) for one in truth["servers"]}, set(truth["clients"]), truth["spans"]
    asked = [(time, client, tuple(server), happened) for time, client, server, happened in facts["asked"]]
    during = [
        one for one in asked
        if any((start is None or one[0] >= start) and (end is None or one[0] < end) for start, end in spans)]
    meant = [one for one in during if one[2] in servers and one[1] in clients]
    said = [one for one in during if any(is_in(one[1], one[2], s) for s in right)]
    row["scope"] = meant == said
    begin = spans[0][0] or 0
    in_scope = [one for one in asked if any(is_in(one[1], one[2], s) for s in right)]
    row["off"] = sum(one[0] < first for one in in_scope) - sum(one[0] < begin for one in in_scope)
    if truth["is_share"]:
        row["rate"], row["begin"] = [], True
        for situation in right:
            within = [one[3] for one in meant if is_in(one[1], one[2], situation)]
            rate, share = sum(within) / max(1, len(within)), situation["share"]
            row["rate"].append(round(rate, 4))
            row["begin"] &= share["low"] <= rate <= share["high"] if share else rate > 0.8
    else:
        row["begin"] = abs(row["off"]) <= 2
    return row


def diagnose(synscope, path):
    run = subprocess.run([synscope, "diagnose", "-T", "json", path], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{path}: exit status {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)["situations"]


def seed_of(arguments, name, draw):
    return f"{arguments.seed} {name} {draw}"


def one(arguments):
    """A single draw, in a process of its own."""
    name, draw = arguments.only.split(":")
    sys.setswitchinterval(0.0005)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    world = World(seed_of(arguments, name, draw))
    path = os.path.join(arguments.keep, f"{name}-{draw}.pcap")
    world.run(KINDS[name](world), path)
    known = facts(world, path)
    with open(path + ".json", "w") as handle:
        json.dump(known, handle)
    row = judge(known, diagnose(arguments.synscope, path))
    row["seconds"] = time.monotonic() - began
    print(json.dumps(row))
    sys.stdout.flush()
    # Threads of connections that still wait are no reason to stay.
    os._exit(0)


def missing():
    """Why there can be no lab here; None where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"inc{os.getpid()}try"
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    except FileNotFoundError:
        return "ip is missing (apt-get install iproute2)"
    if made.returncode:
        return f"this machine has no network namespaces: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=False)
    return None if shutil.which("nft") else "nft is missing (apt-get install nftables)"


def end(process):
    """Ends a draw; what it could not take down is taken down here."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    left = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout.split()
    for name in left:
        if name.startswith(f"inc{process.pid}") and not name[len(f"inc{process.pid}")].isdigit():
            subprocess.run(["ip", "netns", "del", name], check=False)


def tell(name, draw, row, folder):
    """What was wrong."""
    if row["right"]:
        return
    with open(os.path.join(folder, f"{name}-{draw}.pcap.json")) as handle:
        truth = json.load(handle)["truth"]
    print(f"{name} {draw}, captured at {row['place']}: " + "; ".join(
        [word for word in ("code", "scope", "begin") if not row[word]] + [f"alarm {code}" for code in row["alarms"]]))
    if truth:
        servers = " ".join(f"{address}:{port}" for address, port in truth["servers"])
        print(f"    truth: {truth['code']} at {servers} from {' '.join(truth['clients'])}"
              + (f", strangers {truth['strangers']}" if truth["strangers"] else ""))
    for words in row["said"] + row["notes"] + [f"{key} {row[key]}" for key in ("off", "rate") if key in row]:
        print(f"    {words}")
    sys.stdout.flush()


def again(arguments):
    """Judges captures that were kept."""
    rows = []
    for name in sorted(os.listdir(arguments.again)):
        path = os.path.join(arguments.again, name)
        kind, _, draw = name.removesuffix(".pcap.json").rpartition("-")
        if not name.endswith(".pcap.json") or kind not in arguments.kind:
            continue
        with open(path) as handle:
            row = judge(json.load(handle), diagnose(arguments.synscope, path.removesuffix(".json")))
        rows.append({**row, "kind": kind, "draw": int(draw), "seconds": 0})
        tell(kind, draw, row, arguments.again)
    return rows


def table(names, rows):
    print(f"{'kind':24} draws  code scope begin right  seconds  false alarms; what was wrong")
    for name in names:
        found = [row for row in rows if row["kind"] == name]
        done = [row for row in found if "error" not in row]
        alarms = collections.Counter(code for row in done for code in row["alarms"])
        wrong = [row["draw"] for row in found if not row.get("right")]
        count = lambda key: sum(bool(row[key]) for row in done)
        notes = ", ".join(f"{number} {code}" for code, number in sorted(alarms.items()))
        if len(found) > len(done):
            notes += f" ({len(found) - len(done)} failed)"
        if pieces := sum(row["pieces"] > 1 for row in done):
            notes += f"; {pieces} in several situations"
        if wrong:
            notes += f"; draws {' '.join(map(str, sorted(wrong)))}"
        seconds = max((row["seconds"] for row in done), default=0)
        print(
            f"{name:24} {len(found):5} {count('code'):5} {count('scope'):5} {count('begin'):5} {count('right'):5}"
            f"  {seconds:7.0f}  {notes}")


def summarize(arguments, rows, seconds):
    table([name for name in KINDS if name in arguments.kind], rows)
    right = sum(bool(row.get("right")) for row in rows)
    print(f"{len(rows)} draws, {right} right, {seconds:.0f} s")
    sys.exit(0 if right == len(rows) else 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synscope", required=True)
    parser.add_argument("--draws", type=int, default=10, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--kind", nargs="+", choices=list(KINDS), default=list(KINDS), metavar="NAME", help=", ".join(KINDS))
    parser.add_argument("--keep", help="a folder for the captures; without it they are removed")
    parser.add_argument("--again", metavar="FOLDER", help="judges the captures that --keep left there, and makes none")
    parser.add_argument("--jobs", type=int, default=8, help="draws at a time")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        return one(arguments)
    if arguments.again:
        return summarize(arguments, again(arguments), 0)
    if reason := missing():
        print(f"incidents: skipped, {reason}")
        return
    temporary = None if arguments.keep else tempfile.mkdtemp(prefix="synscope-incidents-")
    folder = arguments.keep or temporary
    os.makedirs(folder, exist_ok=True)
    began = time.monotonic()
    waiting = [(name, draw) for draw in range(1, arguments.draws + 1) for name in arguments.kind]
    running, rows = {}, []
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while waiting or running:
            if waiting and len(running) < arguments.jobs:
                name, draw = job = waiting.pop(0)
                running[job] = subprocess.Popen(
                    [sys.executable, os.path.abspath(__file__), "--synscope", arguments.synscope, "--seed",
                     str(arguments.seed), "--keep", folder, "--only", f"{name}:{draw}"],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                time.sleep(0.3)
            for (name, draw), process in list(running.items()):
                try:
                    output, errors = process.communicate(timeout=0.1)
                except subprocess.TimeoutExpired:
                    continue
                del running[(name, draw)]
                end(process)
                row = json.loads(output) if process.returncode == 0 else {"error": errors[-1500:]}
                rows.append({**row, "kind": name, "draw": draw})
                if "error" in row:
                    print(f"{name} {draw}: failed\n{row['error']}", flush=True)
                else:
                    tell(name, draw, row, folder)
    finally:
        for process in running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in running.values():
            end(process)
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
    summarize(arguments, rows, time.monotonic() - began)


if __name__ == "__main__":
    main()
