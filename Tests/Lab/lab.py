#!/usr/bin/env python3
"""Real connections of the kernel's own TCP, through a relay that loses, delays, doubles and reorders by a seed.

    lab.py --synscope PATH [--connections N] [--seed N] [--case NAME ...] [--keep FOLDER]

Each case has three network namespaces of its own, joined by two veth pairs:

    client (192.0.2.1, 2001:db8::1) -- relay -- server (192.0.2.2, 2001:db8::2)

The relay is two AF_PACKET sockets. Captures are taken at the client's end, in the relay (before it decides about a frame) and at
the server's end. The truth is the kernel's: its counters in each namespace, what connect() said, each socket's TCP_INFO, and the
relay's log of what it dropped. The reports over the three captures must equal it. Needs root. Everything that it makes it takes down.
"""
import argparse
import collections
import errno
import heapq
import json
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from namespaces import (
    Namespace, Pcap, Sniffer, flags, is_tcp_or_icmp, link_address, no_offload, packet_socket, receive)

MSG_FASTOPEN = 0x20000000
TCP_FASTOPEN = 23
IPPROTO_MPTCP = 262
V4 = ("192.0.2.1", "192.0.2.2")
V6 = ("2001:db8::1", "2001:db8::2")
PORT = 8080


class Relay:
    """Passes frames on between two interfaces, or does not, as the seed says. `log` has each TCP frame of the middle's capture:
    (direction, flags, whether it was dropped)."""

    def __init__(self, namespace, path, seed, script):
        self.pcap = Pcap(path)
        self.sides = [namespace.call(packet_socket, name) for name in ("near", "far")]
        self.random = random.Random(seed)
        self.script = script
        self.log = []
        self.waiting = []
        self.stopping = False
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()

    def loop(self):
        order = 0
        while not self.stopping or self.waiting:
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                _, _, side, frame = heapq.heappop(self.waiting)
                self.sides[side].send(frame)
            wait = max(0.0, self.waiting[0][0] - now) if self.waiting else 0.05
            for handle in select.select(self.sides, [], [], min(wait, 0.05))[0]:
                while got := receive(handle):
                    frame, stamp, is_outgoing = got
                    if is_outgoing:
                        continue
                    direction = self.sides.index(handle)
                    copies = [0.0]
                    if is_tcp_or_icmp(frame):
                        self.pcap.write(stamp, frame)
                        copies = self.decide(direction, frame)
                        self.log.append((direction, flags(frame), not copies))
                    for delay in copies:
                        order += 1
                        heapq.heappush(
                            self.waiting, (time.monotonic() + delay, order, 1 - direction, self.forward(direction, frame)))
        self.pcap.close()
        for handle in self.sides:
            handle.close()

    def decide(self, direction, frame):
        """-> the delays, in seconds, after which copies go on."""
        loss, delay, jitter, duplicate = self.script[direction]
        if self.random.random() < loss:
            return []
        delays = [delay + self.random.random() * jitter]
        if self.random.random() < duplicate:
            delays.append(delays[0] + self.random.random() * 0.005)
        return delays

    def forward(self, direction, frame):
        """-> what goes on."""
        return frame

    def stop(self):
        self.stopping = True
        self.thread.join()


class Case:
    """name; loss, delay (s), jitter (s) and duplication of each direction; what else is special."""

    def __init__(self, name, to_server=(0, 0.005, 0, 0), to_client=(0, 0.005, 0, 0), **special):
        self.name, self.script, self.special = name, (to_server, to_client), special


CASES = [
    Case("lossless"),
    Case("loss-10-to-server", (0.1, 0.005, 0, 0)),
    Case("loss-30-to-server", (0.3, 0.005, 0, 0)),
    Case("loss-10-to-client", to_client=(0.1, 0.005, 0, 0)),
    Case("loss-30-to-client", to_client=(0.3, 0.005, 0, 0)),
    Case("loss-30-both", (0.3, 0.005, 0, 0), (0.3, 0.005, 0, 0)),
    Case("duplicated", (0, 0.005, 0, 0.3), (0, 0.005, 0, 0.3)),
    Case("reordered", (0, 0.005, 0.03, 0), (0, 0.005, 0.03, 0)),
    Case("refused", port=81),
    Case("blackholed", (1, 0, 0, 0)),
    Case("rejected-icmp", reject=True, port=82),
    Case("mss-clamped", clamp=1300),
    Case("fast-open", fast_open=True),
    Case("mptcp", mptcp=True),
    Case("syn-cookies", cookies=2),
    Case("accept-queue-full", backlog=0, accepts=False),
    Case("time-wait-reuse", reuse=True),
    Case("ipv6", ends=V6),
    Case("ipv6-loss-30-both", (0.3, 0.005, 0, 0), (0.3, 0.005, 0, 0), ends=V6),
]


class Lab:
    def __init__(self, case, connections, seed, folder):
        self.case, self.connections, self.seed, self.folder = case, connections, seed, folder
        self.special = case.special
        self.ends = self.special.get("ends", V4)
        self.family = socket.AF_INET6 if ":" in self.ends[0] else socket.AF_INET
        self.namespaces = []
        self.results = {}
        self.accepted = []

    def path(self, where):
        return os.path.join(self.folder, f"{self.case.name}-{where}.pcap")

    def set_up(self):
        stem = f"syn{os.getpid()}-{CASES.index(self.case)}"
        for role in ("c", "r", "s"):
            self.namespaces.append(Namespace(f"{stem}{role}"))
        self.client, self.relay_space, self.server = self.namespaces
        for near, end, far, (v4, v6) in (
            (self.client, "veth0", "near", (V4[0], V6[0])), (self.server, "veth0", "far", (V4[1], V6[1]))):
            def ip(*words, space=near):
                subprocess.run(["ip", "-n", space.name, *words], check=True)
            ip("link", "add", end, "type", "veth", "peer", "name", far, "netns", self.relay_space.name)
            # Checksums are computed: the relay hands on octets, and no card comes after it.
            near.call(no_offload, end)
            self.relay_space.call(no_offload, far)
            near.sysctl(ipv6__conf__veth0__accept_dad=0)
            ip("addr", "add", f"{v4}/24", "dev", end)
            ip("-6", "addr", "add", f"{v6}/64", "dev", end, "nodad")
            ip("link", "set", "lo", "up")
            ip("link", "set", end, "up")
            subprocess.run(["ip", "-n", self.relay_space.name, "link", "set", far, "up"], check=True)
        self.client.sysctl(ipv4__tcp_syn_retries=4, ipv4__tcp_fastopen=1, ipv4__ip_local_port_range="20000 60000")
        self.server.sysctl(
            ipv4__tcp_synack_retries=4, ipv4__tcp_fastopen=3, ipv4__tcp_syncookies=self.special.get("cookies", 0),
            core__somaxconn=65535, ipv4__tcp_max_syn_backlog=65535)
        # Neighbours are known: no ARP or ND stands between the first SYN and the relay.
        for space, other in ((self.client, self.server), (self.server, self.client)):
            address = other.call(link_address, "veth0")
            peer = 1 if space is self.client else 0
            for ends in (V4, V6):
                subprocess.run(
                    ["ip", "-n", space.name, "neigh", "replace", ends[peer], "lladdr", address, "dev", "veth0"], check=True)
        if self.special.get("reject"):
            self.server.command(
                "iptables", "-A", "INPUT", "-p", "tcp", "--dport", "82", "-j", "REJECT", "--reject-with",
                "icmp-host-prohibited")
        if clamp := self.special.get("clamp"):
            self.server.command(
                "iptables", "-t", "mangle", "-A", "OUTPUT", "-p", "tcp", "--tcp-flags", "SYN,RST", "SYN", "-j", "TCPMSS",
                "--set-mss", str(clamp))

    def take_down(self):
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace.name], check=False)

    # The ends

    def new_socket(self):
        protocol = IPPROTO_MPTCP if self.special.get("mptcp") else 0
        handle = socket.socket(self.family, socket.SOCK_STREAM, protocol)
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return handle

    def listen(self):
        listener = self.new_socket()
        if self.special.get("fast_open"):
            listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 1024)
        listener.bind((self.ends[1], PORT))
        listener.listen(self.special.get("backlog", 65535))
        listener.setblocking(False)
        return listener

    def accept(self, listener):
        while not self.ending:
            if self.special.get("accepts", True) and select.select([listener], [], [], 0.05)[0]:
                try:
                    self.accepted.append(listener.accept()[0])
                except BlockingIOError:
                    pass
            else:
                time.sleep(0.02)

    def connect_all(self):
        """Opens all connections within a second or so, and waits for what becomes of each."""
        poller = select.epoll()
        opened = {}
        target = (self.ends[1], self.special.get("port", PORT))
        ports = range(20000, 20000 + self.connections)
        if self.special.get("fast_open"):
            self.prime(target)
        for number, port in enumerate(ports):
            handle = self.new_socket()
            handle.bind((self.ends[0], port))
            handle.setblocking(False)
            if self.special.get("fast_open"):
                try:
                    handle.sendto(b"hello\n", MSG_FASTOPEN, target)
                except BlockingIOError:
                    pass
            else:
                handle.connect_ex(target)
            poller.register(handle, select.EPOLLOUT | select.EPOLLERR | select.EPOLLHUP)
            opened[handle.fileno()] = (port, handle)
            if number % 20 == 19:
                time.sleep(0.02)
        waiting = set(opened)
        give_up = time.monotonic() + 30
        while waiting and time.monotonic() < give_up:
            for descriptor, _ in poller.poll(0.2):
                poller.unregister(descriptor)
                waiting.discard(descriptor)
                port, handle = opened[descriptor]
                failure = handle.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                self.results[port] = (errno.errorcode.get(failure, "ok") if failure else "ok", tcp_info(handle))
        for descriptor in waiting:
            self.results[opened[descriptor][0]] = ("waiting", None)
        self.handles = [handle for _, handle in opened.values()]

    def prime(self, target):
        """A connection that asks for the Fast Open cookie; it counts as one."""
        handle = self.new_socket()
        handle.bind((self.ends[0], 19999))
        handle.sendto(b"hello\n", MSG_FASTOPEN, target)
        self.results[19999] = ("ok", tcp_info(handle))
        self.primed = handle
        time.sleep(0.2)

    def reuse_all(self):
        """Closes from the client's side, so that its ports are in TIME-WAIT, and opens them again a little later."""
        for handle in self.handles:
            handle.close()
        time.sleep(0.5)
        for handle in self.accepted:
            handle.close()
        time.sleep(1.5)
        first = self.results
        self.results = {}
        self.client.call(self.connect_all)
        self.again, self.results = self.results, first

    # The run

    def relay(self):
        return Relay(self.relay_space, self.path("middle"), self.seed, self.case.script)

    def run(self):
        self.ending = False
        self.set_up()
        try:
            sniffers = [
                Sniffer(self.client, "veth0", self.path("client")), Sniffer(self.server, "veth0", self.path("server"))]
            relay = self.relay()
            time.sleep(0.3)
            before = self.client.counters(), self.server.counters()
            listener = self.server.call(self.listen)
            acceptor = threading.Thread(target=self.accept, args=(listener,))
            acceptor.start()
            self.client.call(self.connect_all)
            if self.special.get("reuse"):
                self.reuse_all()
            # Server timers that are still running end within 1+2+4+8+16 s; silence of 8 s means something.
            time.sleep(self.special.get("settle", 9))
            after = self.client.counters(), self.server.counters()
            self.counted = [
                collections.Counter({k: b[k] - a.get(k, 0) for k in b}) for a, b in zip(before, after)]
            for sniffer in sniffers:
                sniffer.stop()
            relay.stop()
            self.relay_log, self.passed = relay.log, getattr(relay, "passed", [])
            self.ending = True
            acceptor.join()
        finally:
            self.ending = True
            self.take_down()


def tcp_info(handle):
    """-> the fields of struct tcp_info that matter here; None where the socket has none."""
    try:
        raw = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    except OSError:
        return None
    words = struct.unpack("24I", raw[8:104])
    return {
        "state": raw[0], "options": raw[5], "snd_mss": words[2], "rtt_us": words[15], "advmss": words[19],
        "total_retrans": words[23],
    }


# The comparison


def analyse(synscope, path):
    run = subprocess.run([synscope, "analyze", "-T", "jsonl", path], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{path}: exit status {run.returncode}: {run.stderr}")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return [line for line in lines if line["type"] == "attempt"]


def compare(lab, synscope):
    """-> [(figure, the kernel's, ours)], and notes."""
    client, server = lab.counted
    rows, notes = [], []
    at_client, at_middle, at_server = (analyse(synscope, lab.path(where)) for where in ("client", "middle", "server"))
    results = list(lab.results.items()) + list(getattr(lab, "again", {}).items())
    said = collections.Counter(outcome for _, (outcome, _) in results)
    count = lambda attempts, outcome: sum(a["outcome"] == outcome for a in attempts)

    # At the client's end everything that the client's kernel sent or received is in the capture.
    rows.append(("client: attempts, TcpActiveOpens", client["TcpActiveOpens"], len(at_client)))
    rows.append((
        "client: SYNs, ActiveOpens + TCPSynRetrans", client["TcpActiveOpens"] + client["TcpExtTCPSynRetrans"],
        sum(a["counts"]["syn"] for a in at_client)))
    rows.append(("client: established, connect() ok", said["ok"], count(at_client, "established")))
    rows.append((
        "client: not established, TcpAttemptFails", client["TcpAttemptFails"],
        len(at_client) - count(at_client, "established")))
    rows.append(("client: refused, ECONNREFUSED", said["ECONNREFUSED"], count(at_client, "refused")))
    rows.append(("client: unreachable, EHOSTUNREACH", said["EHOSTUNREACH"], count(at_client, "unreachable")))

    # Socket by socket.
    by_port = collections.defaultdict(list)
    for attempt in sorted(at_client, key=lambda a: a["id"]):
        by_port[attempt["client"]["port"]].append(attempt)
    wrong_syns = wrong_mss = compared = 0
    widest = 0.0
    turn = collections.Counter()
    for port, (outcome, info) in results:
        attempt = by_port[port][turn[port]] if turn[port] < len(by_port[port]) else None
        turn[port] += 1
        if outcome != "ok" or info is None or attempt is None or lab.special.get("mptcp"):
            continue
        compared += 1
        # With Fast Open the data that goes out again is counted beside the SYN.
        if not lab.special.get("fast_open") and attempt["counts"]["syn"] != 1 + info["total_retrans"]:
            wrong_syns += 1
        stamps = 12 if info["options"] & 1 else 0
        if not lab.special.get("fast_open") and attempt["mss"]["client_send"] != info["snd_mss"] + stamps:
            wrong_mss += 1
        ours = attempt["rtt"]["syn_to_synack_ns"]
        if ours is not None and info["rtt_us"] and attempt["counts"]["syn"] == 1:
            widest = max(widest, abs(ours / 1000 - info["rtt_us"]))
    rows.append((f"client: sockets with another tcpi_total_retrans, of {compared}", 0, wrong_syns))
    rows.append((f"client: sockets with another tcpi_snd_mss, of {compared}", 0, wrong_mss))
    if compared:
        notes.append(f"round trips differ from tcpi_rtt by at most {widest:.0f} us")

    # At the server's end.
    rows.append((
        "server: established, TcpPassiveOpens", server["TcpPassiveOpens"],
        sum(a["outcome"] in ("established", "partial") and a["completed_by"] is not None for a in at_server)))
    if not lab.special.get("cookies") and lab.case.name != "duplicated":
        answered = [a for a in at_server if a["counts"]["syn_ack"]]
        rows.append((
            "server: SYN-ACKs again, TCPSynRetrans", server["TcpExtTCPSynRetrans"],
            sum(a["counts"]["syn_ack"] for a in answered) - len(answered)))
    if server["TcpExtListenDrops"]:
        notes.append(f"ListenDrops {server['TcpExtListenDrops']}, ListenOverflows {server['TcpExtListenOverflows']}")

    # In the middle: what is said to be lost beyond the relay was dropped by it, or by the server.
    claims = false_claims = 0
    drops_beyond = server["TcpExtListenDrops"] + server["TcpExtTCPReqQFullDrop"]
    for attempt in at_middle:
        for finding in attempt["findings"]:
            if finding["code"] in ("syn-lost", "synack-lost", "ack-lost") and finding.get("where") == "after-capture":
                claims += 1
                dropped = any(lab.relay_log[frame - 1][2] for frame in finding["frames"])
                false_claims += not dropped and not drops_beyond
    rows.append((f"middle: losses placed beyond it that the relay did not drop, of {claims}", 0, false_claims))
    forwarded = sum(not dropped for _, _, dropped in lab.relay_log)
    notes.append(f"the relay dropped {len(lab.relay_log) - forwarded} of {len(lab.relay_log)} frames")
    rows.append((
        "middle: established, but connect() failed", 0,
        max(0, count(at_middle, "established") - said["ok"])))
    return rows, notes


def one(arguments):
    """One case, in this process: its rows as JSON on standard output."""
    case = next(c for c in CASES if c.name == arguments.only)
    lab = Lab(case, arguments.connections, arguments.seed + CASES.index(case), arguments.keep)
    lab.run()
    rows, notes = compare(lab, arguments.synscope)
    print(json.dumps({"rows": rows, "notes": notes, "connections": lab.counted[0]["TcpActiveOpens"]}))


def main(cases, one, script, description):
    """Runs cases, each in a process of its own by `one`, and prints what their figures are."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synscope", required=True)
    parser.add_argument("--connections", type=int, default=200, help="of each case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", action="append", choices=[c.name for c in cases])
    parser.add_argument("--keep", help="a folder for the captures; without it they are removed")
    parser.add_argument("--jobs", type=int, default=5, help="cases at a time")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        return one(arguments)
    if os.geteuid() != 0:
        print("lab: skipped, network namespaces need root")
        return
    for tool in ("ip", "iptables"):
        if not shutil.which(tool):
            sys.exit(f"lab: {tool} is missing (apt-get install iproute2 iptables)")
    temporary = None if arguments.keep else tempfile.mkdtemp(prefix="synscope-lab-")
    folder = arguments.keep or temporary
    os.makedirs(folder, exist_ok=True)
    began = time.monotonic()
    waiting = [c for c in cases if not arguments.case or c.name in arguments.case]
    running, reports = {}, {}
    try:
        while waiting or running:
            while waiting and len(running) < arguments.jobs:
                case = waiting.pop(0)
                running[case.name] = subprocess.Popen(
                    [sys.executable, script, "--synscope", arguments.synscope, "--connections",
                     str(arguments.connections), "--seed", str(arguments.seed), "--keep", folder, "--only", case.name],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for name, process in list(running.items()):
                try:
                    output, errors = process.communicate(timeout=0.2)
                except subprocess.TimeoutExpired:
                    continue
                del running[name]
                reports[name] = json.loads(output) if process.returncode == 0 else {"error": errors[-1500:]}
    finally:
        for process in running.values():
            process.kill()
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
    total = different = failed = figures = 0
    for case in cases:
        report = reports.get(case.name)
        if report is None:
            continue
        if "error" in report:
            failed += 1
            print(f"{case.name}: failed\n{report['error']}")
            continue
        total += report["connections"]
        print(f"{case.name}: {report['connections']} connections; {'; '.join(report['notes'])}")
        for figure, kernel, ours in report["rows"]:
            figures += 1
            different += kernel != ours
            mark = "" if kernel == ours else "   DIFFERENT"
            print(f"  {figure:66} {kernel:7} {ours:7}{mark}")
    print(
        f"{total} connections of the kernel, {figures} figures, {different} different, {failed} cases failed, "
        f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if different or failed else 0)


if __name__ == "__main__":
    main(CASES, one, os.path.abspath(__file__), __doc__)
