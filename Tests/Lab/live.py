#!/usr/bin/env python3
"""watch on a veth between two namespaces: real connections of the kernel, tcpdump beside it as the second pair of eyes.

    live.py --synscope PATH [--case NAME ...] [--kills N]

Needs root, tcpdump and iptables; screen needs tmux, loss needs nothing but patience. Everything that it makes it takes down.
"""
import argparse
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from namespaces import Namespace, internet_sum, no_offload, tcp_segment

CLIENT, SERVER = "192.0.2.1", "192.0.2.2"
PORT = 8080
failures = []


def check(holds, words):
    if not holds:
        failures.append(words)
        print(f"  NOT: {words}", flush=True)
    return holds


class World:
    """Two hosts, joined; listeners on the server."""

    def __init__(self, synscope, folder):
        self.synscope = synscope
        self.folder = folder
        tag = os.getpid()
        self.client, self.server = Namespace(f"live-c{tag}"), Namespace(f"live-s{tag}")
        self.join()
        self.listener = self.server.call(self.listen)
        threading.Thread(target=self.accept, daemon=True).start()

    def join(self):
        subprocess.run(["ip", "link", "add", "vc", "netns", self.client.name, "type", "veth", "peer", "name", "vs",
                        "netns", self.server.name], check=True)
        for space, link, address in ((self.client, "vc", CLIENT), (self.server, "vs", SERVER)):
            space.command("ip", "addr", "add", address + "/24", "dev", link)
            space.command("ip", "link", "set", link, "up")
            space.command("ip", "link", "set", "lo", "up")
            space.call(no_offload, link)

    def listen(self):
        handle = socket.socket()
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        handle.bind(("0.0.0.0", PORT))
        handle.listen(4096)
        return handle

    def accept(self):
        while True:
            try:
                self.listener.accept()[0].close()
            except OSError:
                return

    def connect(self, count=1, port=PORT, timeout=2):
        def work():
            for _ in range(count):
                handle = socket.socket()
                handle.settimeout(timeout)
                try:
                    handle.connect((SERVER, port))
                except OSError:
                    pass
                handle.close()
        self.client.call(work)

    def watch(self, *words, where=None, program=None, **options):
        settings = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        settings.update(options)
        started = subprocess.Popen(
            ["ip", "netns", "exec", (where or self.server).name, program or self.synscope, "watch", *words], **settings)
        started.head = b""
        if settings["stderr"] == subprocess.PIPE and "--screen" not in words:
            # The line that says it listens, or what went wrong.
            while b"listening on" not in started.head and b"waiting for it" not in started.head:
                line = started.stderr.readline()
                started.head += line
                if not line:
                    break
        return started

    def close(self):
        self.listener.close()
        for space in (self.client, self.server):
            subprocess.run(["ip", "netns", "del", space.name])


def finish(process, number=signal.SIGINT, timeout=30):
    """-> (standard output, standard error, status)"""
    process.send_signal(number)
    out, err = process.communicate(timeout=timeout)
    return out.decode(), (process.head + err).decode(), process.returncode


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def counts(err):
    found = re.search(r"(\d+) frames received, (\d+) dropped by the kernel, (\d+) dropped by the interface, (\d+) analysed", err)
    return tuple(int(x) for x in found.groups()) if found else None


def timeless(value):
    """Without times, and the uid that is made of one: the kernel stamps a frame for each packet socket anew, some hundred nanoseconds apart. And without display filters: live
    ones have no frame numbers."""
    if isinstance(value, dict):
        return {key: timeless(one) for key, one in value.items()
                if not key.endswith("_ns") and key not in ("first_time", "display_filter", "uid", "capture")}
    if isinstance(value, list):
        return [timeless(one) for one in value]
    return value


FRAME_KEYS = {"id", "frame", "frames", "from_frame"}


def frames_in(value, key=None):
    if isinstance(value, dict):
        return [frame for name, one in value.items() for frame in frames_in(one, name)]
    if isinstance(value, list):
        return [frame for one in value for frame in frames_in(one, key)]
    return [value] if key in FRAME_KEYS and value is not None else []


def with_frames(value, places, key=None):
    if isinstance(value, dict):
        return {name: with_frames(one, places, name) for name, one in value.items()}
    if isinstance(value, list):
        return [with_frames(one, places, key) for one in value]
    return places[value] if key in FRAME_KEYS and value is not None else value


def by_place(record):
    """With each frame's place among its attempt's instead of its number: of two frames that two processors deliver at once, one packet socket may
    be given one first, and another the other."""
    return with_frames(record, {frame: place for place, frame in enumerate(sorted(set(frames_in(record))))})


def tcp_frame(tags, source, target, seq, ack, flags, data=b""):
    segment = tcp_segment(source, target, seq, ack, flags, data)
    packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0x4000, 64, 6, 0, socket.inet_aton(source[0]), socket.inet_aton(target[0]))
    packet = packet[:10] + struct.pack("!H", internet_sum(packet)) + packet[12:]
    link = b"\2\0\0\0\0\2" + b"\2\0\0\0\0\1" + b"".join(struct.pack("!HH", 0x8100, tag) for tag in tags)
    return link + b"\x08\0" + packet + segment


def outcomes(world):
    """Each outcome appears within a second of being decidable, equal to offline analysis of tcpdump's capture."""
    path = f"{world.folder}/outcomes.pcap"
    world.server.sysctl(ipv4__tcp_synack_retries=1)
    dump = subprocess.Popen(["ip", "netns", "exec", world.server.name, "tcpdump", "-i", "vs", "-w", path, "-U", "-Z", "root",
                             "--time-stamp-precision", "nano", "-s", "256", "-B", "32768", "ip"], stderr=subprocess.PIPE)
    dump.stderr.readline()
    # The user that watch becomes makes its file.
    os.mkdir(f"{world.folder}/outcomes")
    os.chmod(f"{world.folder}/outcomes", 0o777)
    kept = f"{world.folder}/outcomes/kept.pcapng"
    # The same frames have the same numbers: IPv6 announces itself at its own time, perhaps between the two starts.
    watch = world.watch("-i", "vs", "-T", "jsonl", "-w", kept, "ip")
    seen = {}

    def read():
        for line in watch.stdout:
            record = json.loads(line)
            if record["type"] == "attempt":
                seen[record["id"]] = (time.time(), record)
            else:
                seen[record["type"]] = record

    reader = threading.Thread(target=read)
    reader.start()
    world.connect(20)                      # established
    world.connect(5, port=9)               # refused
    world.server.command("iptables", "-A", "INPUT", "-p", "tcp", "--dport", "8081", "-j", "REJECT",
                         "--reject-with", "icmp-port-unreachable")
    world.connect(2, port=8081)            # unreachable
    world.server.command("iptables", "-A", "INPUT", "-p", "tcp", "--dport", "8082", "-j", "DROP")
    world.connect(2, port=8082, timeout=1.5)  # unanswered
    world.client.command("iptables", "-A", "INPUT", "-p", "tcp", "--sport", "8080", "--tcp-flags", "SYN,ACK", "SYN,ACK", "-j", "DROP")
    world.connect(2, timeout=1.5)          # half-open
    time.sleep(2)
    world.client.command("iptables", "-F", "INPUT")

    def odd():                             # reset by the client: a raw SYN has no socket behind it
        handle = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        for port in (40001, 40002):
            handle.sendto(tcp_segment((CLIENT, port), (SERVER, PORT), 1000, 0, 2), (SERVER, 0))
            time.sleep(0.05)

    world.client.call(odd)
    time.sleep(90)                         # silence decides the rest: no frame helps
    # Two frames later than all deadlines, so that offline analysis knows that the time has passed.
    for _ in range(2):
        world.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"later", (SERVER, 9)))
    time.sleep(1)
    _, err, status = finish_reader(watch, reader)
    dump.send_signal(signal.SIGINT)
    dump.wait()
    check(status == 0, f"status 0: {status} {err}")
    records = {key: value for key, value in seen.items() if isinstance(key, int)}
    by_outcome = {}
    waits = {}
    for moment, record in records.values():
        by_outcome[record["outcome"]] = by_outcome.get(record["outcome"], 0) + 1
        start = calendar_seconds(record["first_time"])
        last = start + max(segment["at_ns"] for segment in record["segments"]) / 1e9
        wait = moment - last
        waits.setdefault((record["outcome"], record["ended"]), []).append(wait)
    for outcome, count in (("established", 20), ("refused", 5), ("unreachable", 2), ("unanswered", 2), ("half-open", 2), ("reset-by-client", 2)):
        check(by_outcome.get(outcome) == count, f"{count} {outcome}: {by_outcome}")
    for (outcome, ended), values in sorted(waits.items()):
        # Decidable: at once where the connection went on, after 10 s of quiet where it ended, after 75 s otherwise.
        due = 0 if outcome == "established" else 75 if ended == "timeout" else 10
        check(due <= min(values) + 0.01 and max(values) < due + 1, f"{outcome} is due after {due} s: {values}")
        print(f"  {outcome} ({ended}): {len(values)}, {min(values):.2f} to {max(values):.2f} s after its last segment")
    done = subprocess.run([world.synscope, "-T", "jsonl", path], capture_output=True, text=True)
    ends = lambda record: (record["client"]["port"], record["client_isn"])
    offline = {ends(record): record for record in lines(done.stdout) if record["type"] == "attempt"}
    live = {ends(record): record for _, record in records.values()}
    check(set(live) == set(offline), f"the same attempts: {sorted(live)} and {sorted(offline)}")
    same = 0
    for key in set(live) & set(offline):
        one, other = by_place(timeless(live[key])), by_place(timeless(offline[key]))
        differing = [(name, one[name], other.get(name)) for name in one if one[name] != other.get(name)]
        check(not differing, f"attempt {key} is the same offline: {str(differing)[:400]}")
        apart = [a - b for a, b in zip(sorted(frames_in(live[key])), sorted(frames_in(offline[key]))) if abs(a - b) > 2]
        check(not apart, f"attempt {key} has the same frames offline: {apart} apart")
        same += one == other and not apart
    print(f"  {same} of {len(live)} records equal those of tcpdump's capture in every field but times")
    again = [r for r in lines(subprocess.run([world.synscope, "-T", "jsonl", kept], capture_output=True, text=True).stdout) if r["type"] == "attempt"]
    key = lambda r: (r["client"]["ip"], r["client"]["port"], r["server"]["port"], r["client_isn"], r["outcome"], r["mss"]["negotiated"], r["rtt"]["total_ns"])
    # The silence after the last frame kept is not in the file: what it decided is pending there.
    silent = {(r["client"]["port"], r["client_isn"]) for r in again if r["outcome"] == "pending"}
    check(all(live[k]["ended"] == "timeout" for k in live if (live[k]["client"]["port"], live[k]["client_isn"]) in silent), "only silence is missing")
    known = lambda records: {str(key(r)) for r in records if (r["client"]["port"], r["client_isn"]) not in silent}
    one, other = known(again), known(live.values())
    check(one == other and len(again) == len(live), f"what -w kept tells the same: {sorted(one - other)} instead of {sorted(other - one)}")


def calendar_seconds(text):
    base = time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    return base + int(text[20:29]) / 1e9


def finish_reader(process, reader):
    process.send_signal(signal.SIGINT)
    process.wait(30)
    reader.join()
    return None, (process.head + process.stderr.read()).decode(), process.returncode


def drain(world):
    """The last frames equal the kernel's count, whichever signal ends it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        watch = world.watch("-i", "vs", "-q")
        worker = threading.Thread(target=world.connect, args=(3000,))
        worker.start()
        time.sleep(0.6)
        _, err, status = finish(watch, number)
        worker.join()
        received, dropped, _, analysed = counts(err)
        check(status == 0 and analysed > 100 and received == analysed + dropped,
              f"received {received} = analysed {analysed} + dropped {dropped}, status {status}")
        print(f"  {signal.Signals(number).name}: {received} received, {analysed} analysed, {dropped} dropped")


def groups(world):
    """The groups of intervals add up to those of the run, which has every attempt."""
    watch = world.watch("-i", "vs", "-T", "jsonl", "--every", "2s", "--by", "tcp.dstport", "tcp")
    world.connect(20)
    world.connect(5, port=9)
    time.sleep(13)
    out, err, status = finish(watch)
    found = [line for line in lines(out) if line["type"] == "group"]
    added, whole = {}, {}
    for group in found:
        sums = (added if group["span"] == "interval" else whole).setdefault(group["key"]["tcp.dstport"], [0, 0])
        sums[0] += group["attempts"]
        sums[1] += group["failed"]
    check(status == 0 and whole == {PORT: [20, 0], 9: [5, 5]}, f"the run's groups: {whole} {err}")
    check(added == whole, f"intervals {added} add up to the run {whole}")
    spans = [line for line in lines(out) if line["type"] == "groups"]
    check(len(spans) >= 7, f"a line an interval, and one of the run: {len(spans)}")
    print(f"  {len(spans) - 1} intervals, {sum(group['span'] == 'interval' for group in found)} groups in them")


def slow(world):
    """A reader that takes nothing never blocks capture; what it did not take is counted."""
    watch = world.watch("-i", "vs", "-T", "jsonl")
    world.connect(30_000)
    time.sleep(11)
    world.connect(1000, port=9)
    time.sleep(1)
    watch.send_signal(signal.SIGINT)
    # It gives its reader five seconds at the end, then tells on standard error what was not taken.
    err = (watch.head + watch.stderr.read()).decode()
    status = watch.wait(20)
    watch.stdout.close()
    received, dropped, _, analysed = counts(err)
    let_go = re.search(r"(\d+) attempts not shown", err)
    check(received == analysed + dropped and analysed > 100_000, f"all was analysed: {err}")
    check(let_go is not None and int(let_go.group(1)) > 1000, f"what was let go is counted: {err}")
    check(status == 3, f"status 3: {status}")
    print("  " + err.splitlines()[-2])


def flood(count, turns=1):
    """Sends so many SYNs, each of another source, as often as asked."""
    handle = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    handle.bind(("vc", 0))
    frames = [tcp_frame((), (f"10.9.{number >> 8}.{number & 255}", 1024 + number), (SERVER, 9), 1 + number, 0, 2)
              for number in range(count)]
    for _ in range(turns):
        for frame in frames:
            handle.send(frame)
    handle.close()


def ending(world):
    """What is open at the end is listed, all of it, more than waits for a reader at once; a second Ctrl-C ends the wait for one that takes nothing."""
    count = 40_000
    watch = world.watch("-i", "vs", "-T", "jsonl")
    world.client.call(flood, count)
    time.sleep(1)
    out, err, status = finish(watch)
    attempts = [record for record in lines(out) if record["type"] == "attempt"]
    received, dropped, _, _ = counts(err)
    check(status == 0 and "not shown" not in err and len(attempts) == count - dropped,
          f"{len(attempts)} of {count} are listed, status {status}: {err}")
    watch = world.watch("-i", "vs", "-T", "jsonl")
    world.client.call(flood, count)
    time.sleep(1)
    watch.send_signal(signal.SIGINT)
    time.sleep(1)
    watch.send_signal(signal.SIGINT)
    err = (watch.head + watch.stderr.read()).decode()
    status = watch.wait(20)
    watch.stdout.close()
    let_go = re.search(r"(\d+) attempts not shown", err)
    check(status == 3 and let_go is not None, f"what was not taken is counted: {err}, status {status}")
    print(f"  {len(attempts)} of {count} open at the end are listed; {let_go.group(1) if let_go else 0} let go where nothing was taken")


def kills(world, times=10):
    """Killed at any moment, every file that was written can be read up to its last whole block."""
    blocks = 0
    for turn in range(times):
        folder = f"{world.folder}/kill{turn}"
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        watch = world.watch("-i", "vs", "-q", "-w", f"{folder}/hs.pcapng", "-C", "1")
        worker = threading.Thread(target=world.connect, args=(400,))
        worker.start()
        time.sleep(random.uniform(0.0, 0.5))
        watch.kill()
        watch.communicate()
        worker.join()
        for name in sorted(os.listdir(folder)):
            path = f"{folder}/{name}"
            whole, size = whole_blocks(path)
            blocks += whole
            done = subprocess.run(["tshark", "-r", path, "-T", "fields", "-e", "frame.number"], capture_output=True, text=True)
            read = len(done.stdout.split())
            cut = "cut short" in done.stderr
            check(read == whole and (done.returncode == 0 or cut), f"{path}: tshark reads {read} of {whole} frames: {done.stderr}")
        shutil.rmtree(folder)
    print(f"  {times} kills, {blocks} frames in whole blocks, all read by tshark")


def whole_blocks(path):
    """-> (whole Enhanced Packet Blocks, octets)"""
    with open(path, "rb") as handle:
        data = handle.read()
    offset = found = 0
    while offset + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, offset)
        if offset + length > len(data):
            break
        found += kind == 6
        offset += length
    return found, len(data)


def rotation(world):
    """-C goes on to the next file, -W keeps the last ones, SIGHUP opens the file anew."""
    folder = f"{world.folder}/rotate"
    os.mkdir(folder)
    os.chmod(folder, 0o777)
    watch = world.watch("-i", "vs", "-q", "-w", f"{folder}/hs.pcapng", "-C", "1", "-W", "3")
    world.connect(12_000)
    _, err, status = finish(watch)
    names = sorted(os.listdir(folder))
    check(status == 0 and len(names) == 3 and names[-1] > "hs-00003.pcapng", f"three files, the last ones: {names} {err}")
    check(all(os.path.getsize(f"{folder}/{name}") <= 1_000_000 for name in names), "no file is larger than -C")
    path = f"{folder}/plain.pcapng"
    watch = world.watch("-i", "vs", "-q", "-w", path)
    world.connect(20)
    time.sleep(0.5)
    os.rename(path, path + ".1")
    watch.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    world.connect(30)
    time.sleep(0.5)
    watch.send_signal(signal.SIGHUP)       # nothing was moved: a section of its own in the same file
    time.sleep(0.3)
    world.connect(10)
    _, err, status = finish(watch)
    found = [json.loads(subprocess.run([world.synscope, "-q", "-T", "jsonl", name], capture_output=True, text=True).stdout.splitlines()[-1])["attempts"]["total"]
             for name in (path + ".1", path)]
    check(status == 0 and found == [20, 40], f"20 attempts before SIGHUP, 40 after: {found} {err}")
    print(f"  {len(names)} files kept; {found[0]} and {found[1]} attempts in the files before and after SIGHUP")


def interface(world):
    """An interface that goes down, or away, ends the run with status 4; --wait waits for it."""
    watch = world.watch("-i", "vs", "-q")
    world.connect(3)
    world.server.command("ip", "link", "set", "vs", "down")
    out, err = watch.communicate(timeout=10)
    check(watch.returncode == 4 and b"went down" in err and b"attempts    3" in out, f"down: {watch.returncode} {err} {out}")
    watch = world.watch("-i", "vs", "-q", "--wait", stderr=subprocess.PIPE)
    world.server.command("ip", "link", "set", "vs", "up")
    time.sleep(1.5)
    world.connect(3)
    subprocess.run(["ip", "-n", world.server.name, "link", "del", "vs"], check=True)
    time.sleep(1)
    world.join()
    time.sleep(1.5)
    world.connect(4)
    time.sleep(0.5)
    out, err, status = finish(watch)
    check(status == 0 and err.count("the interface is there") == 2 and "attempts    7" in out, f"waited: {status} {err} {out}")
    # What the kernel holds of it when it goes down is more than is taken in a moment.
    watch = world.watch("-i", "vs", "-q", "--wait", "-B", str(256 << 10))
    watch.send_signal(signal.SIGSTOP)
    world.client.call(flood, 40_000, 10)
    world.server.command("ip", "link", "set", "vs", "down")
    watch.send_signal(signal.SIGCONT)
    time.sleep(4)
    world.server.command("ip", "link", "set", "vs", "up")
    time.sleep(1.5)
    world.connect(4)
    time.sleep(0.5)
    out, err, status = finish(watch)
    received, dropped, _, analysed = counts(err)
    check(status == 0 and received == analysed + dropped and analysed > 300_000,
          f"all of it is analysed: {status} {err}")
    subprocess.run(["ip", "-n", world.server.name, "link", "add", "gone", "type", "veth", "peer", "name", "other"], check=True)
    world.server.command("ip", "link", "set", "gone", "up")
    watch = world.watch("-i", "gone", "-q")
    subprocess.run(["ip", "-n", world.server.name, "link", "del", "gone"], check=True)
    out, err = watch.communicate(timeout=10)
    check(watch.returncode == 4, f"deleted: {watch.returncode} {err}")
    watch = world.watch("-i", "nosuch0")
    check(watch.wait(5) == 4 and b"no such interface" in watch.head, f"unknown: {watch.returncode} {watch.head}")
    print(f"  down: 4; deleted: 4; unknown: 4; --wait: went on after both; {analysed} frames of one that was down taken")


def rights(world):
    """Without the right to capture: status 4 and the command that gives it. As root: nobody, no capability, confined."""
    program = f"{world.folder}/synscope-unprivileged"
    shutil.copy(world.synscope, program)
    os.chmod(program, 0o755)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "watch", "-i", "lo"], capture_output=True, text=True)
    check(done.returncode == 4 and f"sudo setcap cap_net_raw+ep {program}" in done.stderr, f"not permitted: {done.returncode} {done.stderr}")
    if subprocess.run(["setcap", "cap_net_raw+ep", program]).returncode == 0:
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "watch", "-i", "lo", "-q", "--duration", "1"], capture_output=True, text=True)
        check(done.returncode == 0, f"with the capability: {done.returncode} {done.stderr}")
    for words, user, capability in (([], 65534, 0), (["--wait"], 65534, 1 << 13), (["-Z", "root"], 0, 0), (["-Z", "root", "--wait"], 0, 1 << 13)):
        watch = world.watch("-i", "vs", "-q", *words)
        with open(f"/proc/{watch.pid}/status") as handle:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in handle if ":\t" in line)
        check(status["Uid"].split() == [str(user)] * 4 and (user == 0 or status["Groups"].strip() == "") and int(status["CapEff"], 16) == capability
              and int(status["CapPrm"], 16) == capability and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", f"rights {words}: {status}")
        finish(watch)
    print("  nobody (root with -Z root), no groups, no capability (CAP_NET_RAW with --wait), no new privileges, seccomp")


def written(world):
    """As root, -w follows no link in a folder as /tmp, and empties and gives away nothing; where the user that watch becomes may not write, it says what to do."""
    shared, precious = f"{world.folder}/shared", f"{world.folder}/precious"
    os.mkdir(shared)
    os.chmod(shared, 0o1777)
    with open(precious, "w") as handle:
        handle.write("precious")

    def watch(path, *words):
        started = world.watch("-i", "vs", "-q", "--duration", "1", "-w", path, *words)
        err = started.head + started.stderr.read()
        started.stdout.read()
        return started.wait(20), err.decode()

    def is_untouched(path=precious):
        with open(path) as handle:
            return handle.read() == "precious" and os.stat(path).st_uid == 0

    os.symlink(precious, f"{shared}/link.pcapng")
    for words in ([], ["-Z", "root"]):
        status, err = watch(f"{shared}/link.pcapng", *words)
        check(status == 3 and "is a symbolic link" in err and is_untouched(), f"a link {words}: {status} {err}")
    shutil.copy(precious, f"{shared}/roots.pcapng")
    status, err = watch(f"{shared}/roots.pcapng")
    check(status == 3 and "Permission denied" in err and is_untouched(f"{shared}/roots.pcapng"), f"root's file: {status} {err}")
    os.mkfifo(f"{shared}/pipe")
    os.chmod(f"{shared}/pipe", 0o666)
    status, err = watch(f"{shared}/pipe")
    check(status == 3 and "is a pipe that nobody reads" in err, f"a pipe: {status} {err}")
    status, err = watch("/dev/null")
    check(status == 0 and os.stat("/dev/null").st_uid == 0, f"/dev/null: {status} {err}, of user {os.stat('/dev/null').st_uid} now")
    mine = f"{world.folder}/mine.pcapng"
    status, err = watch(mine)
    check(status == 3 and f"chown nobody {world.folder}" in err and "-Z root" in err and not os.path.exists(mine), f"root's folder: {status} {err}")
    status, err = watch(mine, "-Z", "root")
    check(status == 0 and os.stat(mine).st_uid == 0, f"-Z root: {status} {err}")
    status, err = watch(f"{shared}/new.pcapng")
    check(status == 0 and os.stat(f"{shared}/new.pcapng").st_uid == 65534, f"a new file: {status} {err}")
    os.symlink(precious, f"{shared}/turn-00001.pcapng")
    status, err = watch(f"{shared}/turn.pcapng", "-C", "1")
    check(status == 0 and is_untouched() and os.stat(f"{shared}/turn-00002.pcapng").st_uid == 65534, f"-C goes on behind a link: {status} {err}")
    # A link that takes the name later: the open file goes on.
    later = f"{shared}/later.pcapng"
    started = world.watch("-i", "vs", "-q", "-w", later)
    os.rename(later, f"{shared}/moved.pcapng")
    os.symlink(precious, later)
    started.send_signal(signal.SIGHUP)
    time.sleep(1)
    world.connect(20)
    _, err, status = finish(started)
    written = json.loads(subprocess.run([world.synscope, "-q", "-T", "jsonl", f"{shared}/moved.pcapng"], capture_output=True, text=True).stdout.splitlines()[-1])
    check(status == 0 and "is a symbolic link" in err and "It is tried again" in err and is_untouched() and written["attempts"]["total"] == 20,
          f"SIGHUP goes on behind a link: {status} {written['attempts']} {err}")
    # What ends at the file of -w leaves no socket of --listen, which root made before.
    unix = f"{world.folder}/service.sock"
    status, err = watch(mine + "/none", "--listen", f"unix:{unix}")
    for _ in range(50):
        if not os.path.exists(unix):
            break
        time.sleep(0.1)
    check(status == 3 and not os.path.exists(unix), f"no file, no socket: {status} {err}")
    print("  links, root's file and folder, a pipe, /dev/null: untouched; a new file, -Z root, -C and SIGHUP: written")


def loss(world):
    """Drops are counted, and attempts that overlap one are marked."""
    watch = world.watch("-i", "vs", "-T", "json", "-B", "64")
    world.connect(20)
    time.sleep(12)
    watch.send_signal(signal.SIGSTOP)
    world.connect(5000)
    watch.send_signal(signal.SIGCONT)
    time.sleep(12)
    world.connect(20)
    out, err, status = finish(watch)
    received, dropped, _, analysed = counts(err)
    document = json.loads(out)
    attempts = sorted(document["attempts"], key=lambda record: record["id"])
    early, late = attempts[:20], attempts[-20:]
    marked = [record for record in attempts if record["confidence"] == "lossy"]
    check(dropped > 0 and received == analysed + dropped, f"received {received} = {analysed} + {dropped}")
    check(all(record["confidence"] == "full" for record in early + late), "what did not overlap is trusted")
    check(len(marked) > 0 and len(marked) == len(attempts) - 40, f"{len(marked)} of {len(attempts)} are marked")
    check(document["summary"]["capture_loss"]["kernel_dropped"] == dropped, "the summary says it")
    print(f"  {dropped} of {received} frames dropped; {len(marked)} of {len(attempts)} attempts lossy")


def handshakes(world):
    """--handshakes-only passes what handshakes need, tagged and untagged, and nothing else."""
    for space, link, address in ((world.client, "vc", "2001:db8::1/64"), (world.server, "vs", "2001:db8::2/64")):
        space.command("ip", "addr", "add", address, "dev", link, "nodad")

    def tagged():
        handle = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        handle.bind(("vc", 0))
        for tags in ((7,), (8, 9)):
            ends = ("198.51.100.1", 40000 + tags[0]), ("198.51.100.2", 80)
            for fromward, seq, ack, flags, data in ((0, 100, 0, 2, b""), (1, 900, 101, 18, b""), (0, 101, 901, 16, b""), (0, 101, 901, 24, b"x" * 100)):
                source, target = ends[fromward], ends[1 - fromward]
                handle.send(tcp_frame(tags, source, target, seq, ack, flags, data))
        handle.close()

    def bulk():
        handle = socket.create_connection((SERVER, 8090))
        for _ in range(2000):
            handle.sendall(b"x" * 1000)
        handle.close()

    def sink():
        handle = socket.socket()
        handle.bind(("0.0.0.0", 8090))
        handle.listen()
        return handle

    listener = world.server.call(sink)

    def take():
        peer = listener.accept()[0]
        while peer.recv(1 << 16):
            pass
        peer.close()

    threading.Thread(target=take, daemon=True).start()
    listener6 = world.server.call(lambda: socket.create_server(("::", 8091), family=socket.AF_INET6))
    watch = world.watch("-i", "vs", "-T", "jsonl", "--handshakes-only")
    world.client.call(bulk)
    world.client.call(tagged)
    world.client.call(lambda: socket.create_connection(("2001:db8::2", 8091)).close())
    time.sleep(0.5)
    out, err, status = finish(watch)
    listener.close()
    listener6.close()
    attempts = [record for record in lines(out) if record["type"] == "attempt"]
    found = {(record["server"]["ip"], tuple(record["vlan"]["client"]), record["outcome"]) for record in attempts}
    check(found == {(SERVER, (), "established"), ("198.51.100.2", (7,), "established"),
                    ("198.51.100.2", (8, 9), "established"), ("2001:db8::2", (), "established")}, f"the four: {found} {err}")
    check(not any(segment["len"] for record in attempts for segment in record["segments"]), "no segment with data")
    print(f"  {counts(err)[3]} frames passed; untagged, tagged and IPv6 handshakes seen")


def interfaces(world):
    """Several interfaces are one capture in the order of time; any stands for all."""
    for words in (("-i", "vs", "-i", "lo"), ("-i", "any")):
        watch = world.watch(*words, "-T", "jsonl")
        world.connect(5)
        world.server.call(lambda: [socket.create_connection(("127.0.0.1", PORT)).close() for _ in range(5)])
        time.sleep(0.8)
        out, err, status = finish(watch)
        attempts = [record for record in lines(out) if record["type"] == "attempt"]
        good = [record for record in attempts if record["outcome"] == "established" and record["confidence"] == "full"]
        check(status == 0 and len(attempts) == 10 and len(good) == 10, f"{words}: {[(r['outcome'], r['confidence']) for r in attempts]} {err}")
    print("  two interfaces, and any: 10 of 10 established")


def service(world):
    """The service over HTTP, while signals ask for the totals."""
    watch = world.watch("-i", "vs", "-q", "--listen", "127.0.0.1:0")
    line = watch.stderr.readline().decode()
    port = int(re.search(r":(\d+)/", line).group(1))

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return answer.read().decode()

    def ask(path):
        return world.server.call(get, path)

    world.connect(3, port=9)
    world.connect(4)
    time.sleep(11.5)
    metrics = ask("metrics")
    check('synscope_attempts_total{outcome="refused"} 3' in metrics and 'synscope_attempts_total{outcome="established"} 4' in metrics, metrics[:1500])
    check("192.0.2" not in metrics, "no address in a label")
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=metrics, text=True, capture_output=True)
        check(done.returncode == 0 and not done.stderr, f"promtool: {done.stdout} {done.stderr}")
    refused = json.loads(ask("attempts?outcome=refused"))["attempts"]
    check(len(refused) == 3, f"three refused: {refused}")
    check("RST" in ask(f"attempts/{refused[0]['id']}/ladder"), "the ladder of one")
    check(ask("healthz") == "ok\n", "healthy")
    check("<title>" in ask("") and "EventSource" in ask("page.js"), "the page")

    def events():
        handle = socket.create_connection(("127.0.0.1", port))
        handle.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        handle.settimeout(15)
        data = b""
        while b"event: attempt" not in data:
            data += handle.recv(65536)
        handle.close()
        return data

    box = {}
    reader = world.server.thread(lambda: box.update(data=events()))
    time.sleep(0.5)
    world.connect(1, port=9)
    reader.join(20)
    check(b'"outcome":"refused"' in box.get("data", b""), "an event as it comes")
    watch.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    out, err, status = finish(watch)
    check(err.count("refused") >= 1 and "are not decided" in err, f"SIGUSR1: {err}")
    check(status == 0, f"status {status}")
    print("  metrics, attempts, ladder, events, health, page; SIGUSR1")


def served(watch):
    """The port of its service."""
    line = watch.stderr.readline().decode()
    while "serving http" not in line:
        check(line, "it serves")
        line = watch.stderr.readline().decode()
    return int(re.search(r":(\d+)/", line).group(1))


def ask(place, path, *headers, host="localhost", method="GET"):
    """-> (status, all that came). `place` is a port of loopback, or a path."""
    handle = socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET)
    handle.settimeout(10)
    data = b""
    try:
        handle.connect(place if isinstance(place, str) else ("127.0.0.1", place))
        handle.sendall("\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode())
        while piece := handle.recv(1 << 16):
            data += piece
    except OSError as error:
        data = data or str(error).encode()
    handle.close()
    found = re.match(rb"HTTP/1.1 (\d+) ", data)
    return int(found.group(1)) if found else 0, data.decode(errors="replace")


def limited(world, descriptors):
    """A program that has only so many descriptors."""
    path = f"{world.folder}/limited-{descriptors}"
    with open(path, "w") as handle:
        handle.write(f'#!/bin/sh\nulimit -n {descriptors}\nexec {world.synscope} "$@"\n')
    os.chmod(path, 0o755)
    return path


def memory(process):
    """MiB that are resident."""
    with open(f"/proc/{process.pid}/status") as handle:
        return int(re.search(r"VmRSS:\s+(\d+)", handle.read()).group(1)) / 1024


def figure(text, name):
    found = re.search(rf"^{re.escape(name)} (\d+)$", text, re.MULTILINE)
    return int(found.group(1)) if found else None


def hostile(world):
    """Thousands of clients that ask nothing, half of something, or take nothing of what they asked for: capture goes on, and so does the service."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, max(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    for descriptors in (100, 1024):
        folder = f"{world.folder}/hostile-{descriptors}"
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        watch = world.watch("-i", "vs", "-q", "--listen", "127.0.0.1:0", "-w", f"{folder}/hs.pcapng", "-C", "1",
                            program=limited(world, descriptors))
        port = served(watch)
        world.connect(1000, port=9)        # records for large answers
        time.sleep(11)
        world.server.call(ask, port, "/attempts?limit=1000")
        before = memory(watch)
        clients = []

        def attack(count, request):
            for _ in range(count):
                handle = socket.socket()
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                handle.settimeout(0.3)
                clients.append(handle)
                try:
                    handle.connect(("127.0.0.1", port))
                    handle.setblocking(False)
                    handle.send(request)
                except OSError:
                    pass

        answers = []
        peak = [before]
        end = threading.Event()

        def scrape():                      # Prometheus, meanwhile
            while not end.is_set():
                answers.append(ask(port, "/metrics"))
                peak[0] = max(peak[0], memory(watch))
                time.sleep(0.1)

        states = []

        def read():                        # a page, meanwhile
            handle = socket.create_connection(("127.0.0.1", port))
            handle.settimeout(5)
            handle.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try:
                while piece := handle.recv(1 << 20):
                    if b"event: state" in piece:
                        states.append(time.time())
            except OSError:
                pass
            handle.close()

        reader = world.server.thread(read)
        time.sleep(0.5)
        large = b"GET /attempts?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        attacks = [(1000, b""), (1000, b"GET /metrics HTTP/1.1\r\nHost: loc"),
                   (500, b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"), (200, large * 50)]
        threads = [world.server.thread(lambda one=one: attack(*one)) for one in attacks]
        scraper = world.server.thread(scrape)
        world.connect(6000)
        for thread in threads:
            thread.join(600)
        world.connect(1000)
        time.sleep(3)
        status, metrics = world.server.call(ask, port, "/metrics")
        end.set()
        scraper.join(30)
        check(states and time.time() - states[-1] < 3, f"events are sent until the end: {len(states)}")
        for handle in clients:
            handle.close()
        good = sum(one[0] == 200 for one in answers)
        closed = dict(re.findall(r'synscope_service_closed_total{reason="([a-z-]+)"} (\d+)', metrics))
        check(status == 200, f"a scrape is answered at the end: {metrics[:200]}")
        check(good >= 0.9 * len(answers), f"scrapes are answered meanwhile: {good} of {len(answers)}")
        check(peak[0] - before < 64, f"{peak[0] - before:.0f} MiB more for the service")
        _, err, status = finish(watch)
        received, dropped, _, analysed = counts(err)
        check(status == 0 and dropped == 0 and received == analysed > 20_000, f"nothing is dropped: {status} {err}")
        print(f"  ulimit -n {descriptors}: {len(clients)} clients; {good} of {len(answers)} scrapes answered; {before:.0f} MiB, then {peak[0]:.0f}; "
              f"{received} frames, {dropped} dropped; closed: {closed}")


def descriptors(world):
    """Without a free descriptor, connections are told so without the service spinning; -w goes on in its file, and to the next once it can."""
    folder = f"{world.folder}/descriptors"
    os.mkdir(folder)
    os.chmod(folder, 0o777)
    # It stays root's, so that we may set its limits.
    watch = world.watch("-i", "vs", "-q", "-Z", "root", "--listen", "127.0.0.1:0", "-w", f"{folder}/hs.pcapng", "-C", "1")
    port = served(watch)
    check(world.server.call(ask, port, "/healthz")[0] == 200, "it is healthy")
    time.sleep(0.5)
    before = resource.prlimit(watch.pid, resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir(f"/proc/{watch.pid}/fd"))
    open_ones = len(os.listdir(f"/proc/{watch.pid}/fd"))
    # What is free below the highest one is taken by connections that ask nothing yet.
    holders = [world.server.call(socket.create_connection, ("127.0.0.1", port)) for _ in range(highest + 1 - open_ones)]
    time.sleep(0.3)
    resource.prlimit(watch.pid, resource.RLIMIT_NOFILE, (highest + 1, before[1]))
    ticks = processor_ticks(watch)
    start = time.time()
    refused = [world.server.call(ask, port, "/healthz") for _ in range(20)]
    time.sleep(2)
    spent = (processor_ticks(watch) - ticks) / os.sysconf("SC_CLK_TCK") / (time.time() - start)
    check(all(status == 503 and "no file descriptor" in text for status, text in refused), f"told so: {refused[:3]}")
    check(spent < 0.5, f"{100 * spent:.0f} % of a core without traffic")
    world.connect(6000)                    # more than a file of -C 1
    end = time.time() + 8
    while b"It is tried again" not in watch.head and time.time() < end:
        if select.select([watch.stderr], [], [], 1)[0]:
            watch.head += watch.stderr.readline()
    names = sorted(os.listdir(folder))
    check(names == ["hs-00001.pcapng"], f"the first file goes on: {names}")
    resource.prlimit(watch.pid, resource.RLIMIT_NOFILE, before)
    for handle in holders:
        handle.close()
    time.sleep(1.2)
    world.connect(100)
    time.sleep(5)
    world.connect(100)
    time.sleep(0.5)
    status, metrics = world.server.call(ask, port, "/metrics")
    check(status == 200 and figure(metrics, 'synscope_service_closed_total{reason="no-descriptor"}') >= 20, metrics[-600:])
    check(figure(metrics, "synscope_savefile_failures_total") == 1 and figure(metrics, "synscope_savefile_failing") == 0, "the metrics say so")
    _, err, status = finish(watch)
    names = sorted(os.listdir(folder))
    received, dropped, _, analysed = counts(err)
    check("hs-00002.pcapng" in names, f"the next file once it can be: {names}")
    check(status == 0 and "Too many open files. It is tried again" in err and "written again; 0 frames" in err, f"said: {status} {err}")
    kept = [json.loads(subprocess.run([world.synscope, "-q", "-T", "jsonl", f"{folder}/{name}"], capture_output=True, text=True).stdout.splitlines()[-1])["attempts"]["total"]
            for name in names]
    check(sum(kept) >= 6200 and dropped == 0 and received == analysed, f"all is in the files: {kept} {err}")
    print(f"  {len(refused)} told so, {100 * spent:.0f} % of a core; {names}, {kept} attempts")


def processor_ticks(process):
    with open(f"/proc/{process.pid}/stat") as handle:
        fields = handle.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def full(world):
    """A full disk ends nothing: what was not written is counted and said, what is in the file can be read, and it goes on when there is room."""
    folder = f"{world.folder}/full"
    os.mkdir(folder)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "tmpfs", folder], check=True)
    try:
        watch = world.watch("-i", "vs", "-q", "--listen", "127.0.0.1:0", "-w", f"{folder}/hs.pcapng")
        port = served(watch)
        world.connect(1500)
        time.sleep(1)
        metrics = world.server.call(ask, port, "/metrics")[1]
        lost = figure(metrics, "synscope_unwritten_frames_total")
        check(figure(metrics, "synscope_savefile_failing") == 1 and lost and lost > 100, f"the metrics say so: {lost} {metrics[:300]}")
        subprocess.run(["mount", "-o", "remount,size=8m", folder], check=True)
        world.connect(100)
        time.sleep(5)
        world.connect(100)
        time.sleep(1)
        _, err, status = finish(watch)
        whole, _ = whole_blocks(f"{folder}/hs.pcapng")
        done = subprocess.run(["tshark", "-r", f"{folder}/hs.pcapng", "-T", "fields", "-e", "frame.number"], capture_output=True, text=True)
        read = len(done.stdout.split())
        not_written = re.search(r"(\d+) frames not written", err)
        check("No space left on device. It is tried again" in err and "is written again" in err, f"said: {err}")
        check(status == 3 and not_written and counts(err)[3] > whole > 100, f"status 3, and how many: {status} {err}")
        check(done.returncode == 0 and read == whole, f"tshark reads {read} of {whole} frames: {done.stderr}")
        print(f"  {not_written.group(1)} frames not written, {whole} in the file, all read by tshark; status {status}")
    finally:
        subprocess.run(["umount", "-l", folder])


def access(world):
    """Who may ask: names, origins, a token, a Unix socket."""
    watch = world.watch("-i", "vs", "-q", "--listen", "127.0.0.1:0", "--listen-name", "monitor.example.com")
    port = served(watch)
    answered = lambda *words, **names: world.server.call(lambda: ask(port, *words, **names)[0])
    check(answered("/attempts", host=f"evil.example:{port}") == 403, "a name that resolves here (DNS rebinding)")
    check(answered("/state", "Origin: http://evil.example", host=f"127.0.0.1:{port}") == 403, "a page from elsewhere")
    check([answered("/metrics", host=host) for host in (f"localhost:{port}", f"127.0.0.1:{port}", "[::1]", "monitor.example.com")] == [200] * 4, "its own names")
    check([answered("/nothing"), answered("/metrics?x=1"), answered("/metrics", method="POST"), answered("/metrics", method="HEAD")] == [404, 400, 405, 200], "paths and methods")
    finish(watch)
    token = f"{world.folder}/token"
    with open(token, "w") as handle:
        handle.write("0123456789abcdefghij\n")
    os.chmod(token, 0o644)
    watch = world.watch("-i", "vs", "-q", "--listen", "127.0.0.1:0", "--token-file", token)
    check(watch.wait(10) == 3 and b"chmod o= it" in watch.head, f"a token that others can read: {watch.returncode} {watch.head}")
    os.chmod(token, 0o600)
    path = f"{world.folder}/service.sock"
    for number in (signal.SIGINT, signal.SIGKILL, signal.SIGTERM):
        watch = world.watch("-i", "vs", "-q", "--listen", f"unix:{path}", "--token-file", token)
        line = watch.stderr.readline().decode()
        check(f"serving unix:{path}" in line, line)
        check(os.stat(path).st_mode & 0o777 == 0o660, oct(os.stat(path).st_mode))
        bearer = "Authorization: Bearer 0123456789abcdefghij"
        check([ask(path, "/metrics", bearer)[0], ask(path, "/metrics")[0], ask(path, "/metrics", bearer + "k")[0]] == [200, 401, 401], "the token is asked for")
        other = world.watch("-i", "vs", "-q", "--listen", f"unix:{path}")
        check(other.wait(10) == 3 and b"another process serves there" in other.head, f"served already: {other.head}")
        watch.send_signal(number)
        watch.wait(20)
        for _ in range(50):
            if not os.path.exists(path):
                break
            time.sleep(0.1)
        check(not os.path.exists(path), f"{number.name}: the socket is removed")
    watch = world.watch("-i", "vs", "-q", "--listen", "0.0.0.0:0")
    check(b"every address of this machine" in watch.head, f"warned: {watch.head}")
    port = served(watch)
    check([world.server.call(ask, port, "/metrics")[0], world.server.call(lambda: ask(port, "/metrics", host=SERVER))[0]] == [200, 403], "its name is the address that it is reached by")
    finish(watch)
    print("  names, origins, methods, token, Unix socket (removed after INT, KILL and TERM), warning")


class Browser:
    """Headless Chromium in a namespace, spoken to over its debugging pipe."""

    def __init__(self, space, folder):
        ours, theirs = os.pipe(), os.pipe()
        # Chromium reads descriptor 3 and writes descriptor 4; ip netns exec hands both on.
        script = f"exec chromium --headless --no-sandbox --disable-gpu --user-data-dir={folder}/chromium --remote-debugging-pipe --window-size=1200,1000 3<&{ours[0]} 4>&{theirs[1]}"
        self.process = subprocess.Popen(["ip", "netns", "exec", space.name, "bash", "-c", script], pass_fds=(ours[0], theirs[1]),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.out, self.incoming = ours[1], theirs[0]
        self.number, self.rest, self.events = 0, b"", []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")

    session = None

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        end = time.time() + 30
        while time.time() < end:
            while b"\0" in self.rest:
                line, self.rest = self.rest.split(b"\0", 1)
                answer = json.loads(line)
                if answer.get("id") == self.number:
                    if "error" in answer:
                        raise OSError(f"{method}: {answer['error']}")
                    return answer["result"]
                self.events.append(answer)
            if select.select([self.incoming], [], [], 1)[0]:
                self.rest += os.read(self.incoming, 1 << 20)
        raise OSError(f"{method}: no answer")

    def value(self, expression):
        return self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)["result"].get("value")

    def wait_for(self, expression, words, seconds=15):
        end = time.time() + seconds
        while time.time() < end:
            if self.value(expression):
                return True
            time.sleep(0.3)
        return check(False, words + ": " + str(self.value("document.body.innerText"))[:800])

    def press(self, key, text=None):
        code = {"Tab": 9, "Enter": 13, " ": 32}.get(key, 0)
        extra = {"text": text} if text else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **extra)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def page(world):
    """The live page in headless Chromium: it fills, works by keyboard alone, in light and dark, and loads nothing from elsewhere."""
    if not shutil.which("chromium"):
        print("  skipped: there is no chromium")
        return
    watch = world.watch("-i", "vs", "-q", "--listen", "127.0.0.1:0")
    port = int(re.search(r":(\d+)/", watch.stderr.readline().decode()).group(1))
    world.connect(3, port=9)
    world.connect(20)
    browser = Browser(world.server, world.folder)
    try:
        browser.call("Page.navigate", url=f"http://127.0.0.1:{port}/")
        rows = "document.querySelectorAll('#list tbody button').length"
        browser.wait_for(f"{rows} === 3", "three failures come")
        browser.wait_for("document.getElementById('link').textContent === 'live'", "it is live")
        browser.wait_for("[...document.querySelectorAll('#outcomes tbody tr')].some((r) => r.innerText.startsWith('established') && r.innerText.includes('20'))", "outcomes fill")
        browser.wait_for("document.querySelectorAll('#attempts-chart rect.established').length > 0", "the chart is drawn")
        reached = []
        for _ in range(12):
            browser.press("Tab")
            reached.append(browser.value("document.activeElement.id || document.activeElement.getAttribute('aria-label')"))
            if str(reached[-1]).startswith("attempt-"):
                break
        check(reached[0] == "pause" and "text" in reached and str(reached[-1]).startswith("attempt-"), f"Tab reaches everything: {reached}")
        browser.press("Enter", "\r")
        browser.wait_for("(document.querySelector('svg.ladder') || {textContent: ''}).textContent.includes('RST')", "Enter shows the ladder")
        check(browser.value("document.activeElement.getAttribute('aria-expanded')") == "true", "and says so")
        browser.value("document.getElementById('text').value = 'nothing'; document.getElementById('text').dispatchEvent(new Event('input'))")
        check(browser.value(rows) == 0, "the filter hides what does not match")
        browser.value("document.getElementById('text').value = ''; document.getElementById('text').dispatchEvent(new Event('input'))")
        colours = []
        for scheme in ("light", "dark"):
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            colours.append(browser.value("getComputedStyle(document.body).backgroundColor"))
        check(colours[0] != colours[1], f"light and dark differ: {colours}")
        world.connect(1, port=9)
        browser.wait_for(f"{rows} === 4", "a failure comes by itself")
        asked = {event["params"]["request"]["url"] for event in browser.events if event.get("method") == "Network.requestWillBeSent"}
        check(all(url.startswith((f"http://127.0.0.1:{port}/", "data:")) for url in asked), f"nothing from elsewhere: {asked}")
        bad = [event for event in browser.events if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
        check(not bad, f"no error: {bad}")
    finally:
        browser.close()
        finish(watch)
    print("  filled, by keyboard, ladder, filter, light and dark, events, nothing from elsewhere")


def screen(world):
    """The screen in tmux: what it shows, its keys, and the terminal however it ends."""
    if not shutil.which("tmux"):
        print("  skipped: there is no tmux")
        return
    server = f"synscope{os.getpid()}"

    def tmux(*words):
        return subprocess.run(["tmux", "-L", server, *words], check=True, capture_output=True, text=True).stdout

    def wait_for(text, seconds=8):
        end = time.time() + seconds
        while time.time() < end:
            shown = tmux("capture-pane", "-p")
            if text in shown:
                return shown
            time.sleep(0.2)
        check(False, f"the screen shows {text!r}:\n{shown}")
        return shown

    tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "sh")
    try:
        # The guard of a program that was killed works beside the shell: what that prints meanwhile is on the other screen.
        start = f"SWIFT_BACKTRACE=enable=no ip netns exec {world.server.name} {world.synscope} watch -i vs --screen; sleep 0.5"
        for ending in ("q", "TERM", "KILL", "SEGV"):
            tmux("send-keys", "clear; echo before; stty -g > " + world.folder + "/stty1; " + start + "; echo after; stty -g > " + world.folder + "/stty2", "Enter")
            wait_for("attempts/s")
            if ending == "q":
                world.connect(3, port=9)
                shown = wait_for("3 refused", 14)
                check("worst servers" in shown and SERVER + ":9" in shown, shown)
                tmux("send-keys", "Down")
                tmux("send-keys", "Enter")
                wait_for("any other key goes back")
                wait_for("RST")
                tmux("send-keys", "x")
                wait_for("last failures")
                tmux("send-keys", "/", "unanswered", "Enter")
                shown = wait_for("with: unanswered")
                check("  refused" not in shown.split("with: unanswered")[1], shown)
                tmux("send-keys", "p")
                wait_for("PAUSED")
                tmux("send-keys", "p")
                tmux("send-keys", "s")
                wait_for("by attempts")
                tmux("send-keys", "?")
                wait_for("Any key goes back")
                tmux("send-keys", "x")
                tmux("send-keys", "q")
            else:
                pid = subprocess.run(["pgrep", "-n", "-f", f"{world.synscope} watch -i vs --screen"], capture_output=True, text=True).stdout.split()[0]
                # The guard is a child with the same name: the program is its parent.
                with open(f"/proc/{pid}/stat") as handle:
                    parent = int(handle.read().rsplit(")", 1)[1].split()[1])
                with open(f"/proc/{parent}/comm") as handle:
                    target = parent if handle.read().startswith("synscope") else int(pid)
                os.kill(target, getattr(signal, "SIG" + ending))
            shown = wait_for("after")
            check("before" in shown and "attempts/s" not in shown, f"{ending}: the screen as it was:\n{shown}")
            time.sleep(0.5)
            with open(world.folder + "/stty1") as one, open(world.folder + "/stty2") as two:
                check(one.read() == two.read(), f"{ending}: the terminal's settings as they were")
    finally:
        tmux("kill-server")
    print("  overview, ladder, filter, pause, sort, help; the terminal is given back after q, TERM, KILL and SEGV")


CASES = [outcomes, drain, groups, slow, ending, kills, rotation, interface, rights, written, loss, handshakes, interfaces, service, access, hostile,
         descriptors, full, page, screen]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--synscope", required=True)
    parser.add_argument("--case", nargs="*")
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("live lab: skipped, it needs root")
        return
    for case in CASES:
        if case.__name__ not in (options.case or [one.__name__ for one in CASES]):
            continue
        print(f"{case.__name__}: {case.__doc__}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            world = World(os.path.abspath(options.synscope), folder)
            try:
                more = {kills: [options.kills]}.get(case, [])
                case(world, *more)
            except Exception as error:
                check(False, f"{case.__name__} ended with {type(error).__name__}: {error}")
            finally:
                world.close()
    print(f"live lab: {len(failures)} failed" if failures else "live lab: all as it should be")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
