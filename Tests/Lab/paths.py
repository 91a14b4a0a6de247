#!/usr/bin/env python3
"""The kernel's connections captured at both ends of a relay, and what `synscope compare` says of the two captures.

    paths.py --synscope PATH [--connections N] [--seed N] [--case NAME ...] [--keep FOLDER]

The relay loses frames, or rewrites them as boxes do: addresses, ports, sequence numbers, MSS, options, hop limits. Its log is the
truth: of each frame that came, the octets that went on. Captures are then made worse: frames left out, late begin and early end,
another clock, whole microseconds, an encapsulation. Needs root. Everything that it makes it takes down.
"""
import argparse
import collections
import json
import os
import random
import socket
import struct
import subprocess
import time

import lab
from lab import V4, V6, Case, Lab, Relay
from namespaces import Namespace, internet_sum, no_offload

SECOND = 10**9
OUTSIDE = "192.0.2.77"
INNER = "192.0.2.78"
HANDSHAKE = {"syn", "syn-ack", "ack"}


# Rewriting

def parts(frame):
    """-> (is IPv4, where the TCP header begins), or None for anything else."""
    if frame[12:14] == b"\x08\x00" and frame[23] == 6:
        return True, 14 + (frame[14] & 15) * 4
    if frame[12:14] == b"\x86\xdd" and frame[20] == 6:
        return False, 54
    return None


def options(frame, at):
    """-> [(kind, octets)] of a TCP header."""
    area = frame[at + 20:at + (frame[at + 12] >> 4) * 4]
    found, place = [], 0
    while place < len(area):
        kind = area[place]
        length = 1 if kind in (0, 1) else area[place + 1]
        found.append((kind, bytes(area[place:place + length])))
        if kind == 0:
            break
        place += length
    return found


def sealed(frame, at, is_v4):
    """The frame with right lengths and checksums."""
    frame = bytearray(frame)
    tcp = frame[at:]
    tcp[16:18] = b"\0\0"
    addresses = frame[26:34] if is_v4 else frame[22:54]
    if is_v4:
        frame[16:18] = struct.pack("!H", len(frame) - 14)
        frame[24:26] = b"\0\0"
        frame[24:26] = struct.pack("!H", internet_sum(bytes(frame[14:at])))
    else:
        frame[18:20] = struct.pack("!H", len(frame) - 54)
    pseudo = bytes(addresses) + struct.pack("!II", len(tcp), 6)
    octets = pseudo + bytes(tcp)
    tcp[16:18] = struct.pack("!H", internet_sum(octets + b"\0" * (len(octets) & 1)))
    return bytes(frame[:at] + tcp)


def with_options(frame, at, list_):
    area = b"".join(octets for _, octets in list_)
    area += b"\x01" * (-len(area) % 4)
    header = bytearray(frame[at:at + 20])
    header[12] = (5 + len(area) // 4) << 4 | header[12] & 15
    return frame[:at] + bytes(header) + area + frame[at + (frame[at + 12] >> 4) * 4:]


class Rewriter:
    """What a box does to frames of each direction: 0 is from the client."""

    def __init__(self, **does):
        self.does = does

    def __call__(self, direction, frame):
        found = parts(frame)
        if not found:
            return frame
        is_v4, at = found
        frame = bytearray(frame)
        is_syn = frame[at + 13] & 2
        if hops := self.does.get("hops"):
            frame[22 if is_v4 else 21] -= hops
        if self.does.get("source"):
            place = (26, at) if direction == 0 else (30, at + 2)
            self.translate(frame, place, V4[0], OUTSIDE, 1000, direction)
        if self.does.get("destination"):
            place = (30, at + 2) if direction == 0 else (26, at)
            # The server listens at the inner address.
            self.translate(frame, place, V4[1], INNER, 0, direction)
        if self.does.get("ports"):
            place = at if direction == 0 else at + 2
            port, = struct.unpack_from("!H", frame, place)
            struct.pack_into("!H", frame, place, port + (1000 if direction == 0 else -1000))
        if self.does.get("isn"):
            port, = struct.unpack_from("!H", frame, at if direction == 0 else at + 2)
            shift = port * 2654435761 & 0xffffffff
            place = at + 4 if direction == 0 else at + 8
            number, = struct.unpack_from("!I", frame, place)
            if direction == 0 or frame[at + 13] & 16:
                struct.pack_into("!I", frame, place, (number + (shift if direction == 0 else -shift)) & 0xffffffff)
        frame = bytes(frame)
        if is_syn:
            list_ = options(frame, at)
            clamp = self.does.get("clamp", {}).get(direction)
            if clamp:
                list_ = [(k, b"\x02\x04" + struct.pack("!H", clamp)) if k == 2 else (k, o) for k, o in list_]
            if self.does.get("strip"):
                list_ = [(k, o) if k != self.does["strip"] else (1, b"\x01" * len(o)) for k, o in list_]
            if clamp or self.does.get("strip"):
                frame = with_options(frame, at, list_)
        return sealed(frame, at, is_v4)

    @staticmethod
    def translate(frame, place, inside, outside, ports, direction):
        address, port = place
        frame[address:address + 4] = socket.inet_aton(outside if direction == 0 else inside)
        number, = struct.unpack_from("!H", frame, port)
        struct.pack_into("!H", frame, port, number + (ports if direction == 0 else -ports))


class PathRelay(Relay):
    """A relay that rewrites, and writes down the octets that went on: `passed` has (direction, came, went or None)."""

    def __init__(self, namespace, path, seed, script, rewriter):
        self.rewriter = rewriter
        self.passed = []
        super().__init__(namespace, path, seed, script)

    def decide(self, direction, frame):
        delays = super().decide(direction, frame)
        went = self.rewriter(direction, frame) if delays else None
        self.passed.append((direction, frame[14:], went and went[14:]))
        return delays

    def forward(self, direction, frame):
        return self.rewriter(direction, frame)


class PathCase(Case):
    """A case of the lab, with what the box does, and how its captures are made worse."""

    def __init__(self, name, to_server=(0, 0.005, 0, 0), to_client=(0, 0.005, 0, 0), does=None, worse=None, fields=(), **special):
        super().__init__(name, to_server, to_client, **special)
        self.does, self.worse, self.fields = does or {}, worse or {}, set(fields)


LOSSY = (0.1, 0.005, 0, 0)
CASES = [
    PathCase("lossless"),
    PathCase("loss-to-server", LOSSY),
    PathCase("loss-to-client", to_client=LOSSY),
    PathCase("loss-30-both", (0.3, 0.005, 0, 0), (0.3, 0.005, 0, 0)),
    PathCase("reordered", (0.05, 0.005, 0.03, 0), (0.05, 0.005, 0.03, 0)),
    PathCase("blackholed", (1, 0, 0, 0)),
    PathCase("refused", LOSSY, LOSSY, port=81),
    PathCase("source-translation", LOSSY, LOSSY, does={"source": True}, fields=["client-address", "client-port"]),
    PathCase("destination-translation", LOSSY, LOSSY, does={"destination": True}, fields=["server-address"]),
    PathCase("both-translations", LOSSY, LOSSY, does={"source": True, "destination": True},
             fields=["client-address", "client-port", "server-address"]),
    PathCase("ports-rewritten", LOSSY, does={"ports": True}, fields=["client-port"]),
    PathCase("mss-clamped-to-server", LOSSY, does={"clamp": {0: 1300}}, fields=["mss"]),
    PathCase("mss-clamped-to-client", LOSSY, does={"clamp": {1: 1300}}, fields=["mss"]),
    PathCase("window-scale-stripped", does={"strip": 3}, fields=["window-scale", "options"]),
    PathCase("sack-stripped", does={"strip": 4}, fields=["sack-permitted", "options"]),
    PathCase("timestamps-stripped", does={"strip": 8}, fields=["timestamps", "options"]),
    PathCase("isn-rewritten", LOSSY, LOSSY, does={"isn": True}, fields=["client-isn"]),
    PathCase("syn-proxy", LOSSY, LOSSY, proxy=True),
    PathCase("hops", LOSSY, LOSSY, does={"hops": 5}),
    PathCase("ipv6", LOSSY, LOSSY, ends=V6),
    PathCase("capture-loss", LOSSY, LOSSY, worse={"loss": 0.02}),
    PathCase("late-and-early", LOSSY, LOSSY, worse={"span": True}),
    PathCase("clock-an-hour-ahead", LOSSY, LOSSY, worse={"offset": 3600 * SECOND}),
    PathCase("clock-skewed", LOSSY, LOSSY, worse={"offset": -5 * SECOND, "skew": 100e-6}),
    PathCase("clock-stepped", LOSSY, LOSSY, worse={"step": 250_000_000}),
    PathCase("microseconds", LOSSY, LOSSY, worse={"offset": 7 * SECOND, "tick": 1000}),
    PathCase("vxlan", LOSSY, LOSSY, worse={"vxlan": True}),
    PathCase("gre", LOSSY, LOSSY, worse={"gre": True}),
]


class PathLab(Lab):
    def set_up(self):
        super().set_up()
        if self.special.get("proxy"):
            self.insert_proxy()
        # The server takes the inner address, and knows how the outer client is reached.
        subprocess.run(["ip", "-n", self.server.name, "addr", "add", f"{INNER}/24", "dev", "veth0"], check=True)
        for space, other, address in () if self.special.get("proxy") else (
            (self.server, self.client, OUTSIDE), (self.client, self.server, INNER)):
            link = other.call(lab.link_address, "veth0")
            subprocess.run(
                ["ip", "-n", space.name, "neigh", "replace", address, "lladdr", link, "dev", "veth0"], check=True)

    def insert_proxy(self):
        """A router between the relay and the server, which answers SYNs itself (SYNPROXY) and opens a connection to the
        server for each client that acknowledged that."""
        proxy, server = Namespace(f"{self.server.name}p"), self.server.name
        self.namespaces.append(proxy)

        def ip(space, *words):
            subprocess.run(["ip", "-n", space, *words], check=True)

        ip(server, "link", "set", "veth0", "netns", proxy.name, "name", "inside")
        ip(server, "link", "add", "veth0", "type", "veth", "peer", "name", "outside", "netns", proxy.name)
        self.server.call(no_offload, "veth0")
        proxy.call(no_offload, "outside")
        ip(server, "addr", "add", f"{V4[1]}/24", "dev", "veth0")
        ip(server, "link", "set", "veth0", "up")
        for name, end in (("inside", V4[0]), ("outside", V4[1])):
            ip(proxy.name, "link", "set", name, "up")
            ip(proxy.name, "route", "add", f"{end}/32", "dev", name)
        proxy.sysctl(ipv4__ip_forward=1, ipv4__tcp_syncookies=1)
        for space, name, of, there, address in (
            (self.client.name, "veth0", proxy, "inside", V4[1]), (server, "veth0", proxy, "outside", V4[0]),
            (proxy.name, "inside", self.client, "veth0", V4[0]), (proxy.name, "outside", self.server, "veth0", V4[1])):
            ip(space, "neigh", "replace", address, "lladdr", of.call(lab.link_address, there), "dev", name)
        rules = f"""
            table ip proxy {{
              chain early {{
                type filter hook prerouting priority -300;
                tcp dport {lab.PORT} tcp flags syn notrack
              }}
              chain passing {{
                type filter hook forward priority 0;
                tcp dport {lab.PORT} ct state {{ invalid, untracked }} synproxy mss 1460 wscale 7 timestamp sack-perm
                ct state invalid drop
              }}
            }}"""
        proxy.command("nft", rules)
        proxy.sysctl(netfilter__nf_conntrack_tcp_loose=0)

    def listen(self):
        listener = self.new_socket()
        listener.bind(("::" if ":" in self.ends[0] else "0.0.0.0", lab.PORT))
        listener.listen(65535)
        listener.setblocking(False)
        return listener

    def relay(self):
        return PathRelay(self.relay_space, self.path("middle"), self.seed, self.case.script, Rewriter(**self.case.does))


# Captures

def read_pcap(path):
    """-> [(nanoseconds, frame)]"""
    with open(path, "rb") as handle:
        handle.seek(24)
        frames = []
        while header := handle.read(16):
            seconds, rest, kept, _ = struct.unpack("<IIII", header)
            frames.append((seconds * SECOND + rest, handle.read(kept)))
        return frames


def write_pcap(path, frames):
    with open(path, "wb") as handle:
        handle.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for stamp, frame in frames:
            handle.write(struct.pack("<IIII", stamp // SECOND, stamp % SECOND, len(frame), len(frame)) + frame)


def encapsulated(frame, kind):
    """The frame in VXLAN or GRE between two addresses of its own."""
    if kind == "vxlan":
        body = struct.pack("!HHHH", 40000, 4789, 16 + len(frame), 0) + struct.pack("!II", 0x08000000, 77 << 8) + frame
        protocol = 17
    else:
        body, protocol = struct.pack("!HH", 0, struct.unpack("!H", frame[12:14])[0]) + frame[14:], 47
    # The ends of the tunnel follow the direction, which the link addresses tell.
    ends = (b"\x0a\x09\0\1", b"\x0a\x09\0\2")
    if frame[6:12] > frame[0:6]:
        ends = ends[::-1]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0) + ends[0] + ends[1]
    header = header[:10] + struct.pack("!H", internet_sum(header)) + header[12:]
    return frame[:12] + b"\x08\x00" + header + body


def clock(worse, start, middle, stamp):
    """A time by the worse clock. Its step is in the middle of the frames, so that there are packets on both sides of it."""
    shown = stamp + worse.get("offset", 0) + int((stamp - start) * worse.get("skew", 0))
    if "step" in worse and stamp >= middle:
        shown += worse["step"]
    tick = worse.get("tick", 1)
    return shown // tick * tick


def worsened(path, worse, seed, start, connections):
    """Makes a capture of so many connections worse. -> its frames as they now stand: [(true time, octets before encapsulation)]"""
    draw = random.Random(seed)
    frames = read_pcap(path)
    if worse.get("loss"):
        frames = [frame for frame in frames if draw.random() >= worse["loss"]]
    if worse.get("span"):
        first, last = frames[0][0], frames[-1][0]
        # A connection is opened in each millisecond: a third of them before the capture began, at most half a second.
        cut = min(SECOND // 2, connections * 1_000_000 // 3)
        frames = [(t, f) for t, f in frames if first + cut <= t <= last - cut]
    kind = "vxlan" if worse.get("vxlan") else "gre" if worse.get("gre") else None
    middle = frames[len(frames) // 2][0] if frames else start
    shown = [(clock(worse, start, middle, t), encapsulated(f, kind) if kind else f) for t, f in frames]
    write_pcap(path, shown)
    return frames


# The comparison

def truth(passed, client, server):
    """Which frame of the server's capture is which of the client's, and what the relay dropped, by octets and their order.
    -> ({client frame: server frame}, {client frame: dropped}, {server frame: dropped}, frames of which octets come twice)"""
    at_client, at_server = collections.defaultdict(list), collections.defaultdict(list)
    for number, (_, frame) in enumerate(client, 1):
        at_client[frame[14:]].append(number)
    for number, (_, frame) in enumerate(server, 1):
        at_server[frame[14:]].append(number)
    near, far = collections.defaultdict(list), collections.defaultdict(list)
    for direction, came, went in passed:
        (near if direction == 0 else far)[came].append(went)
    same, dropped_near, dropped_far, twice = {}, {}, {}, set()
    for octets, all_went in near.items():
        targets = [went for went in all_went if went is not None]
        if len(all_went) > 1:
            twice |= set(at_client.get(octets, [])) | {("s", n) for went in targets for n in at_server.get(went, [])}
            continue
        for number in at_client.get(octets, []):
            dropped_near[number] = not targets
            if targets and len(at_server.get(targets[0], [])) == 1:
                same[number] = at_server[targets[0]][0]
    for octets, all_went in far.items():
        targets = [went for went in all_went if went is not None]
        if len(all_went) > 1:
            twice |= {("s", n) for n in at_server.get(octets, [])} | {n for went in targets for n in at_client.get(went, [])}
            continue
        for number in at_server.get(octets, []):
            dropped_far[number] = not targets
            if targets and len(at_client.get(targets[0], [])) == 1:
                same[at_client[targets[0]][0]] = number
    return same, dropped_near, dropped_far, twice


def compare(run, synscope, start):
    case, worse = run.case, run.case.worse
    client = read_pcap(run.path("client"))
    server = worsened(run.path("server"), worse, run.seed, start, run.connections)
    same, dropped_near, dropped_far, twice = truth(run.passed, client, server)
    command = [synscope, "compare", "client=" + run.path("client"), "server=" + run.path("server")]
    lines = subprocess.run(command + ["-T", "jsonl"], capture_output=True, text=True)
    whole = subprocess.run(command + ["-T", "json"], capture_output=True, text=True)
    if lines.returncode or whole.returncode:
        # Where nothing arrived there is nothing to compare.
        return [("refused, as nothing passed", 1, int(case.name == "blackholed"))], [lines.stderr.strip()[-150:]]
    whole = json.loads(whole.stdout)
    is_proxied = bool(case.special.get("proxy"))
    counts = collections.Counter()
    examples = []
    fields = set()
    for line in lines.stdout.splitlines():
        attempt = json.loads(line)
        if attempt["points"][0]["name"] != "client":
            counts["turned"] += 1
        if all(point["id"] for point in attempt["points"]):
            counts["at both"] += 1
            counts["proxied"] += attempt["proxied"]["from"] is not None
        fields |= {change["field"] for change in attempt["changes"]}
        for packet in attempt["packets"]:
            frames = {seen["point"]: seen["frame"] for seen in packet["seen"]}
            near, far = frames["client"], frames["server"]
            if near and far:
                counts["matched"] += packet["kind"] in HANDSHAKE
                if near not in twice and same.get(near) != far:
                    counts["false"] += 1
                    examples.append(f"{packet['kind']} {near} is not {far} but {same.get(near)}")
                continue
            number = near or far
            is_twice = near in twice if near else ("s", far) in twice
            if is_twice or packet["fate"] == "one-of-several":
                counts["copies"] += 1
                continue
            dropped = (dropped_near if near else dropped_far).get(number)
            if dropped is None:
                continue
            counts["dropped"] += dropped and packet["kind"] in HANDSHAKE
            if packet["fate"] == "lost":
                counts["said lost"] += 1
                if not dropped:
                    counts["lost, but passed"] += 1
                    examples.append(f"{packet['kind']} {near or '-'} {far or '-'} is said to be lost")
            if packet["fate"] == "lost-or-not-captured":
                counts["unclear"] += 1
            if packet["not_captured_at"]:
                counts["said not captured"] += 1
                if dropped:
                    counts["not captured, but lost"] += 1
                    examples.append(f"{packet['kind']} {near or '-'} {far or '-'} is said not to be captured")
    # A record ends 10 s after an attempt is complete: what comes later is in none.
    listed, near_listed, far_listed = set(), set(), set()
    for line in lines.stdout.splitlines():
        for packet in json.loads(line)["packets"]:
            frames = {seen["point"]: seen["frame"] for seen in packet["seen"]}
            near_listed.add(frames["client"])
            far_listed.add(frames["server"])
            if frames["client"] and frames["server"]:
                listed.add(frames["client"])
    opening = [n for n in same if is_opening(client[n - 1][1]) and n not in twice]
    later = sum(n not in near_listed or same[n] not in far_listed for n in opening)
    opening = [n for n in opening if n in near_listed and same[n] in far_listed]
    missed = [n for n in opening if n not in listed]
    rows = [
        ("false matches", 0, counts["false"]),
        ("lost, that passed", 0, counts["lost, but passed"]),
        ("not captured, that were dropped", 0, counts["not captured, but lost"]),
        ("attempts in the other direction", 0, counts["turned"]),
        ("SYNs and SYN-ACKs of both not matched above one in a thousand", 0, max(0, len(missed) - len(opening) // 1000)),
        ("fields changed that are not named", 0, len(case.fields - fields)),
        ("fields named that were not changed", 0, len(fields - case.fields)),
    ]
    rows.append(("attempts with two handshakes", counts["at both"] if is_proxied else 0, counts["proxied"]))
    # No packet of a handshake passes a proxy: nothing is known of the clocks.
    if not is_proxied:
        rows += clock_rows(whole, worse, start, same, client, server)
    notes = [
        f"{len(opening) - len(missed)} of {len(opening)} SYNs and SYN-ACKs of both matched",
        f"{counts['dropped']} handshake segments dropped, {counts['said lost']} said lost, {counts['unclear']} unclear",
        f"{later} that came after their records", f"{counts['said not captured']} said not captured", f"{counts['copies']} equal copies"]
    if fields ^ case.fields:
        notes.append(f"fields {sorted(fields)}")
    return rows, notes + examples[:4]


def compare_three(run, synscope):
    """The same with the capture in the relay as a third point. A frame that the relay dropped was lost behind that."""
    names = ("client", "middle", "server")
    frames = [[frame[14:] for _, frame in read_pcap(run.path(name))] for name in names]
    # The middle's frames are what came to the relay, in order.
    dropped = [went is None for _, _, went in run.passed]
    output = subprocess.run(
        [synscope, "compare", *(f"{name}={run.path(name)}" for name in names), "-T", "jsonl"],
        capture_output=True, text=True)
    counts = collections.Counter()
    for line in output.stdout.splitlines():
        attempt = json.loads(line)
        for packet in attempt["packets"]:
            seen = [frames[names.index(s["point"])][s["frame"] - 1] for s in packet["seen"] if s["frame"]]
            if len(seen) > 1:
                counts["joined"] += 1
                counts["false"] += len(set(seen)) > 1
            middle = next(s["frame"] for s in packet["seen"] if s["point"] == "middle")
            was_dropped = middle and dropped[middle - 1]
            counts["dropped"] += bool(was_dropped) and packet["kind"] in HANDSHAKE
            if packet["fate"] == "lost":
                target = "server" if packet["from_client"] else "client"
                right = was_dropped and (packet["from"], packet["to"]) == ("middle", target)
                counts["right" if right else "misplaced"] += 1
            counts["not captured"] += bool(packet["not_captured_at"])
    rows = [
        ("three points: refused", 0, int(output.returncode != 0)),
        ("three points: false matches", 0, counts["false"]),
        ("three points: lost elsewhere than behind the middle", 0, counts["misplaced"]),
        ("three points: said not to be captured", 0, counts["not captured"]),
    ]
    return rows, [
        f"three points: {counts['joined']} segments joined, {counts['dropped']} dropped, {counts['right']} of them said lost"]


def is_opening(frame):
    found = parts(frame)
    return bool(found) and bool(frame[found[1] + 13] & 2)


def clock_rows(whole, worse, start, same, client, server):
    """The true offset is in the band, and the band no wider than the least delays of both ways and a microsecond."""
    pieces = whole["clocks"][0]["pieces"]
    rows = [("steps of the clock", int("step" in worse), len(pieces) - 1)]
    outside = wide = 0
    delays = [(server[far - 1][0] - client[near - 1][0], client[near - 1][0]) for near, far in same.items()]
    forward = min((d for d in delays if d[0] >= 0), default=None)
    backward = min(((-d, t) for d, t in delays if d < 0), default=None)
    for piece in pieces:
        if piece["offset_low_ns"] is None:
            continue
        true = worse.get("offset", 0) + int((piece["offset_time_ns"] - start) * worse.get("skew", 0))
        if "step" in worse and piece is not pieces[0]:
            true += worse["step"]
        slack = 2 * worse.get("tick", 1)
        outside += not piece["offset_low_ns"] - slack <= true <= piece["offset_high_ns"] + slack
        if "step" not in worse and forward and backward:
            # Clocks may run apart by 500 in a million from the one packet to the other.
            drift = abs(forward[1] - backward[1]) // 1000
            least = forward[0] + backward[0] + 1000 + 2 * worse.get("tick", 1) + drift
            wide += piece["offset_high_ns"] - piece["offset_low_ns"] > least
    return rows + [("bands without the true offset", 0, outside), ("bands wider than the least delays", 0, wide)]


def one(arguments):
    case = next(c for c in CASES if c.name == arguments.only)
    lab.CASES = CASES
    run = PathLab(case, arguments.connections, arguments.seed + CASES.index(case), arguments.keep)
    start = time.time_ns()
    run.run()
    rows, notes = compare(run, arguments.synscope, start)
    # The middle has frames as they came: what a box rewrites there would be seen half rewritten.
    if not (case.does or case.worse or case.special or case.name == "blackholed"):
        more, remarks = compare_three(run, arguments.synscope)
        rows, notes = rows + more, notes + remarks
    print(json.dumps({"rows": rows, "notes": notes, "connections": run.counted[0]["TcpActiveOpens"]}))


if __name__ == "__main__":
    lab.main(CASES, one, os.path.abspath(__file__), __doc__)
