#!/usr/bin/env python3
"""watch --listen -w for long, under all that may go wrong at once: what is lost is counted, and nothing grows.

    soak.py --synscope PATH [--seconds N] [--rate N]

Two namespaces are joined by a veth pair, as in live.py. Until the end, all at once:

    flood    SYNs from 50,000 tuples with ever new sequence numbers: --rate a second, and 50,000 at once now and then
    clients  real connections, and some that are refused
    readers  of /events: quick ones, slow ones, ones that take nothing; they come and go
    scrapes  of /metrics, /state and /attempts
    files    -C goes on to the next, -W removes the oldest, SIGHUP opens it anew
    disk     a file system of 8 MiB, which is full for some seconds, and freed again
    flaps    the interface goes down, and up again

At the end it says whether

    frames       received by the kernel = analysed + dropped as counted, over all flaps
    interface    the interface carried no more, while it was watched, than was received
    memory       the most that was resident in the last third is no more than in the second third, and 5 % and 4 MiB
    descriptors  there are as many as at the start, once all clients are gone
    service      nearly all scrapes were answered
    files        what is there can be read whole, and its last line says how many frames are not

Needs root and namespaces. Everything that it makes it takes down, and everything that it starts it stops.
"""
import argparse
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import live
from live import SERVER, World, ask, check, counts, figure, internet_sum, memory, served, tcp_frame

TUPLES = 50_000


class Log:
    """What a process writes on standard error, line by line."""

    def __init__(self, process):
        self.lines = []
        self.process = process
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))

    def count(self, words):
        return sum(words in line for line in self.lines)

    def wait_for(self, words, count, seconds=15):
        end = time.time() + seconds
        while self.count(words) < count and time.time() < end:
            time.sleep(0.02)
        return self.count(words) >= count


class Soak:
    def __init__(self, world, seconds, rate):
        self.world = world
        self.rate = rate
        self.seconds = seconds
        self.disk = f"{world.folder}/disk"
        self.is_over = threading.Event()
        self.threads = []
        self.sent = self.connected = self.refused = self.answered = self.asked = self.fills = self.hangups = 0
        # Frames that the interface carried while it was waited for.
        self.away = 0
        self.flaps = 0
        self.samples = []
        # Connections that read events, and how many octets each takes at once.
        self.handles = []

    # What happens meanwhile

    def start(self, space, work):
        """Does something again and again, each time after as many seconds as it returns."""
        def body():
            if space:
                space.enter()
            while not self.is_over.is_set():
                self.is_over.wait(work() or 0)
        self.threads.append(threading.Thread(target=body, daemon=True))
        self.threads[-1].start()

    def flood(self):
        """-> what sends a piece of the flood"""
        handle = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        handle.bind(("vc", 0))
        sources = [(f"10.9.{number // 250}.{number % 250 + 1}", 1024 + number) for number in range(TUPLES)]
        frames = [bytearray(tcp_frame((), source, (SERVER, 9), 0, 0, 2)) for source in sources]
        # A sequence number whose halves come to the same sum leaves the checksum as it is.
        position = turn = 0
        nap = 0.05

        def send():
            nonlocal position, turn
            is_burst = random.random() < nap / 10
            for _ in range(TUPLES if is_burst else int(self.rate * nap)):
                frame = frames[position]
                frame[38:42] = struct.pack("!HH", turn % 65_535, 65_535 - turn % 65_535)
                try:
                    handle.send(frame)
                except OSError:            # the link is down
                    return 0.2
                self.sent += 1
                position += 1
                if position == TUPLES:
                    position = 0
                    turn += 1
            return nap

        # 0 and 0xffff are both nothing in such a sum.
        for frame in frames:
            frame[50:52] = b"\0\0"
            pseudo = bytes(frame[26:34]) + struct.pack("!BBH", 0, 6, len(frame) - 34)
            frame[38:42] = b"\0\0\xff\xff"
            frame[50:52] = struct.pack("!H", internet_sum(pseudo + bytes(frame[34:])))
        return send

    def connect(self):
        before = time.time()
        self.world.connect(20)
        self.world.connect(2, port=9)
        if time.time() - before < 1:
            self.connected += 20
            self.refused += 2
        return 0.1

    def readers(self, port):
        """-> what reads events: quickly, slowly, or not at all"""
        handles = self.handles

        def read():
            if len(handles) < 24:
                handle = socket.socket()
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                handle.settimeout(1)
                try:
                    handle.connect(("127.0.0.1", port))
                    handle.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    handle.setblocking(False)
                    handles.append((handle, random.choice([1 << 20, 10, 0])))
                except OSError:
                    handle.close()
            for one in handles[:]:
                handle, size = one
                is_done = random.random() < 0.002
                try:
                    is_done = is_done or size > 0 and not handle.recv(size)
                except BlockingIOError:
                    pass
                except OSError:
                    is_done = True
                if is_done:
                    handle.close()
                    handles.remove(one)
            return 0.05

        return read

    def scrape(self, port):
        def work():
            for path in ("/metrics", "/state", "/attempts?limit=20"):
                self.asked += 1
                self.answered += ask(port, path)[0] == 200
            return 1
        return work

    def fill(self):
        """The disk is full for some seconds."""
        self.is_over.wait(random.uniform(5, 15))
        path = f"{self.disk}/filler"
        try:
            with open(path, "wb", buffering=0) as handle:
                while not self.is_over.is_set():
                    handle.write(bytes(1 << 14))
        except OSError:
            self.fills += 1
        self.is_over.wait(random.uniform(2, 6))
        os.unlink(path)
        return 0

    def hang_up(self, watch):
        def work():
            self.is_over.wait(random.uniform(3, 9))
            watch.send_signal(signal.SIGHUP)
            self.hangups += 1
        return work

    def carried(self):
        """Frames that the interface took and gave, as it counts them."""
        def read():
            with open("/proc/thread-self/net/dev") as handle:
                for line in handle:
                    name, _, rest = line.partition(":")
                    if name.strip() == "vs":
                        fields = rest.split()
                        return int(fields[1]) + int(fields[9])
        return self.world.server.call(read)

    def flap(self, log):
        def work():
            self.is_over.wait(random.uniform(4, 12))
            if self.is_over.is_set():
                return
            self.world.server.command("ip", "link", "set", "vs", "down")
            before = self.carried()
            self.flaps += 1
            is_noticed = log.wait_for("waiting for its return", self.flaps)
            check(is_noticed, f"flap {self.flaps} is noticed: {log.lines[-3:]}")
            time.sleep(random.uniform(0, 1.5))
            self.world.server.command("ip", "link", "set", "vs", "up")
            is_back = log.wait_for("vs: the interface is there", self.flaps)
            check(is_back, f"flap {self.flaps} is over: {log.lines[-3:]}")
            self.away += self.carried() - before
        return work

    # What is looked at

    def descriptors(self, watch):
        return len(os.listdir(f"/proc/{watch.pid}/fd"))

    def sample(self, watch):
        self.samples.append((memory(watch), self.descriptors(watch)))

    def run(self):
        world = self.world
        # Neighbours that IPv6 asks for at its own time would be frames that nobody sent.
        for space in (world.client, world.server):
            space.sysctl(ipv6__conf__all__disable_ipv6=1)
        watch = world.watch("-i", "vs", "-q", "--wait", "--listen", "127.0.0.1:0", "--max-attempts", "32768",
                            "-w", f"{self.disk}/hs.pcapng", "-C", "1", "-W", "3")
        try:
            carried_before = self.carried()
            dropped_before = backlog_drops()
            port = served(watch)
            log = Log(watch)
            check(world.server.call(ask, port, "/healthz")[0] == 200, "it is healthy at the start")
            time.sleep(1)
            descriptors_before = self.descriptors(watch)
            self.start(world.client, world.client.call(self.flood))
            self.start(None, self.connect)
            self.start(world.server, self.readers(port))
            self.start(world.server, self.scrape(port))
            self.start(None, self.fill)
            self.start(None, self.hang_up(watch))
            self.start(None, self.flap(log))
            begin = time.time()
            said = begin
            while time.time() < begin + self.seconds and watch.poll() is None:
                time.sleep(1)
                self.sample(watch)
                if time.time() >= said + max(10, self.seconds / 30):
                    said = time.time()
                    print("  %4.0f s: %.0f MiB, %d descriptors, %d flaps, %d fills, %d frames of the flood"
                          % (said - begin, *self.samples[-1], self.flaps, self.fills, self.sent), flush=True)
            self.is_over.set()
            for thread in self.threads:
                thread.join(30)
            check(not any(thread.is_alive() for thread in self.threads), "all that made trouble is over")
            for handle, _ in self.handles:
                handle.close()
            if not check(watch.poll() is None, f"it runs until it is told to end: {watch.returncode} {log.lines[-5:]}"):
                return
            end = time.time() + 25             # a reader that takes nothing is waited for 20 s
            while self.descriptors(watch) > descriptors_before and time.time() < end:
                time.sleep(0.2)
            descriptors_after = self.descriptors(watch)
            status, metrics = world.server.call(ask, port, "/metrics")
            check(status == 200, f"it answers at the end: {status}")
            time.sleep(0.5)
            carried = self.carried() - carried_before
            watch.send_signal(signal.SIGINT)
            status = watch.wait(60)
            log.thread.join(10)
            backlog = backlog_drops() - dropped_before
            self.judge(log, status, metrics, carried, backlog, descriptors_before, descriptors_after)
        finally:
            self.is_over.set()
            if watch.poll() is None:
                watch.kill()
                watch.wait()
            watch.stdout.close()

    def judge(self, log, status, metrics, carried, backlog, descriptors_before, descriptors_after):
        closing = next((line for line in reversed(log.lines) if "frames received" in line), "")
        found = counts(closing)
        if not check(found, f"it says how many frames there were: {log.lines[-5:]}"):
            return
        received, dropped, _, analysed = found
        not_written = re.search(r"(\d+) frames not written", closing)
        lost = int(not_written.group(1)) if not_written else 0
        check(received == analysed + dropped, f"received {received} = analysed {analysed} + dropped {dropped}")
        # What the kernel itself drops before any socket is given it, it counts as backlog.
        missing = carried - self.away - received
        check(missing <= backlog, f"the interface carried {carried}, {self.away} of them while it was waited for, "
                                  f"and {received} were received")
        check(status == (3 if lost else 0), f"status {status}, {lost} frames not written: {log.lines[-3:]}")
        third = max(1, len(self.samples) // 3)
        middle, last = (max(one[0] for one in part) for part in (self.samples[third:2 * third], self.samples[-third:]))
        check(last <= middle * 1.05 + 4,
              f"memory is flat: {middle:.0f} MiB at most in the second third, {last:.0f} in the last")
        check(descriptors_after == descriptors_before,
              f"descriptors are flat: {descriptors_before} before the clients, {descriptors_after} without them again")
        check(self.answered >= 0.95 * self.asked, f"scrapes are answered: {self.answered} of {self.asked}")
        check(all([self.flaps, self.fills, self.hangups, self.sent, self.connected]), "everything happened")
        check(figure(metrics, "synscope_savefile_failures_total"), "the full disk was noticed")
        names = sorted(name for name in os.listdir(self.disk) if name.startswith("hs-"))
        for name in names:
            done = subprocess.run([self.world.synscope, "-q", f"{self.disk}/{name}"], capture_output=True, text=True)
            check(done.returncode == 0, f"{name} can be read: {done.returncode} {done.stderr}")
        check(1 <= len(names) <= 3, f"-W keeps three files: {names}")
        print(f"  {self.sent} frames of the flood, {self.connected} connections, {self.refused} refused, {self.flaps} flaps, "
              f"{self.fills} times a full disk, {self.hangups} SIGHUP, {self.answered} of {self.asked} scrapes answered")
        print(f"  received {received} = analysed {analysed} + dropped {dropped}; the interface carried {carried}, "
              f"{self.away} of them while it was waited for")
        print(f"  {lost} frames not written; at most {middle:.0f} MiB in the second third and {last:.0f} in the last; "
              f"{descriptors_before} descriptors before and {descriptors_after} after")


def backlog_drops():
    """Frames that no socket was given, since a processor had too many waiting."""
    with open("/proc/net/softnet_stat") as handle:
        return sum(int(line.split()[1], 16) for line in handle)


def obstacle():
    """Why it cannot be run here; None where it can."""
    if os.geteuid() != 0:
        return "it needs root"
    for program in ("ip", "mount"):
        if not shutil.which(program):
            return f"there is no {program}"
    name = f"soak-{os.getpid()}"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if done.returncode:
        return f"there are no network namespaces: {done.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name])
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--synscope", required=True)
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--rate", type=int, default=10_000, help="frames of the flood in a second")
    options = parser.parse_args()
    reason = obstacle()
    if reason:
        print(f"soak: skipped, {reason}")
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.mkdir(f"{folder}/disk")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=777", "tmpfs", f"{folder}/disk"], check=True)
        try:
            world = World(os.path.abspath(options.synscope), folder)
            try:
                Soak(world, options.seconds, options.rate).run()
            finally:
                world.close()
        finally:
            subprocess.run(["umount", "-l", f"{folder}/disk"])
    print(f"soak: {len(live.failures)} failed" if live.failures else "soak: all as it should be")
    sys.exit(1 if live.failures else 0)


if __name__ == "__main__":
    main()
