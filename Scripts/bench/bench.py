#!/usr/bin/env python3
"""The program beside its floors and its peers, in turn, on the same warm files and with warm memory, in one run.

    bench.py SYNSCOPE MAKE_WORKLOAD [--rounds 5] [--scale 1.0] [--quick] [--keep DOCS]

Floors: a bare loop over libpcap that only counts, and cat. Peers, where installed: tcpdump with a SYN filter, tcptrace -n, tshark
-z conv,tcp, argus. --scale makes all captures smaller or larger; --quick leaves out the slow peers and the scaling; --keep writes the
raw times, the tables and the plots to a folder.
"""
import argparse
import datetime
import json
import mmap
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


TIME = "/usr/bin/time"


def timed(command, out):
    """Seconds of wall time, KiB resident at most, and seconds of all cores (0 where there is no /usr/bin/time to ask: a child of this
    interpreter would start with what that has)."""
    report = tempfile.NamedTemporaryFile("r", suffix=".time")
    has_time = os.path.exists(TIME)
    if has_time:
        command = [TIME, "-q", "-f", "%M %U %S", "-o", report.name, *command]
    with open(out, "wb") as sink:
        began = time.monotonic()
        status = subprocess.run(command, stdout=sink, stderr=subprocess.DEVNULL).returncode
        seconds = time.monotonic() - began
    if status not in (0, 1):
        sys.exit(f"{' '.join(command)}: exit {status}")
    resident, user, system = report.read().split()[-3:] if has_time else (0, 0, 0)
    return seconds, int(resident), float(user) + float(system)


def warm(path):
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


def warm_memory(mebibytes):
    """Touches so much free memory, and gives it back. The host of a virtual machine may take what is free for a second, and then
    takes longer to return it than the programs to use it: that is no program's doing."""
    memory = mmap.mmap(-1, mebibytes << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    for offset in range(0, len(memory), mmap.PAGESIZE):
        memory[offset] = 1
    memory.close()


def rounds(commands, number, out, path, mebibytes):
    """Runs each command in turn, so many times over; the first round only warms up."""
    times = {name: [] for name in commands}
    resident, cores = {}, {name: [] for name in commands}
    for turn in range(number + 1):
        for name, command in commands.items():
            warm(path)
            warm_memory(mebibytes)
            seconds, memory, all_cores = timed(command, out if name.endswith("to a file") else "/dev/null")
            if turn:
                times[name].append(seconds)
                cores[name].append(all_cores)
                resident[name] = max(resident.get(name, 0), memory)
    return times, resident, cores


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = int(re.search(r"MemTotal:\s+(\d+)", open("/proc/meminfo").read())[1]) // 1048576
    return f"{model}, {os.cpu_count()} cores, {memory} GiB, Linux {platform.release().split('-')[0]}"


class Bench:
    def __init__(self, arguments):
        self.program, self.make, self.number = arguments.synscope, arguments.make_workload, arguments.rounds
        self.scale, self.quick = arguments.scale, arguments.quick
        self.folder = tempfile.mkdtemp(prefix="synscope-bench-")
        self.bare = os.path.join(self.folder, "bare")
        subprocess.run(["cc", "-O2", "-o", self.bare, os.path.join(HERE, "bare-pcap-loop.c"), "-lpcap"], check=True)
        self.out = os.path.join(self.folder, "out")
        self.results = []

    def capture(self, kind, count, *more):
        path = os.path.join(self.folder, f"{kind}-{count}-{'-'.join(map(str, more))}")
        count = max(1000, int(count * self.scale))
        subprocess.run([self.make, kind, str(count), path, *map(str, more)], check=True)
        packets = int(subprocess.run([self.bare, path], check=True, capture_output=True, text=True).stdout.split()[0])
        return path, packets

    def measure(self, title, path, packets, commands, floor, mebibytes=512):
        """Measures the commands, of which none takes more memory than so much, the page cache of what it writes included."""
        times, resident, cores = rounds(commands, self.number, self.out, path, mebibytes)
        rates = {name: packets / statistics.median(seconds) / 1e6 for name, seconds in times.items()}
        print(f"\n{title}: {packets} packets")
        for name in commands:
            spread = f"{min(times[name]):.2f} to {max(times[name]):.2f} s"
            print(
                f"  {name:34} {rates[name]:8.3f} Mpkt/s  {rates[name] / rates[floor]:8.3f} x {floor}"
                f"  {spread:18} {resident[name] // 1024:5} MiB")
        self.results.append(
            {"title": title, "packets": packets, "floor": floor, "seconds": times, "resident_kib": resident, "core_seconds": cores,
             "rates": rates})
        return rates, resident

    def peers(self, path, *names):
        known = {
            "tcpdump, SYN filter": ["tcpdump", "-nn", "-r", path, "-w", "/dev/null", "tcp[tcpflags] & tcp-syn != 0"],
            "tcptrace -n": ["tcptrace", "-n", path],
            "tshark -z conv,tcp": ["tshark", "-q", "-n", "-r", path, "-z", "conv,tcp"],
            "argus": ["argus", "-X", "-r", path, "-w", "/dev/null"],
        }
        for name in names:
            if shutil.which(known[name][0]) is None:
                print(f"  {name}: not installed")
        return {name: known[name] for name in names if shutil.which(known[name][0])}

    def workers(self, name, arguments):
        """The program with one worker and with two."""
        return {f"{name}, -j {count}": [self.program, "-j", str(count), *arguments] for count in (1, 2)}

    def run(self):
        q = [self.program, "-q", "-j", "1"]
        path, packets = self.capture("w1", 1_000_000)
        self.measure(
            "W1, a million connections, summary", path, packets,
            {"bare libpcap loop": [self.bare, path], "cat": ["cat", path], **self.workers("synscope -q", ["-q", path]),
             **self.peers(path, "tcpdump, SYN filter")}, "bare libpcap loop")
        os.remove(path)
        path, packets = self.capture("w1-ipv6", 1_000_000)
        self.measure(
            "W1 over IPv6 in a VLAN, pcapng, summary", path, packets,
            {"bare libpcap loop": [self.bare, path], **self.workers("synscope -q", ["-q", path])}, "bare libpcap loop")
        os.remove(path)
        path, packets = self.capture("w2", 2_000_000)
        self.measure(
            "W2, bulk, summary", path, packets,
            {"cat": ["cat", path], "bare libpcap loop": [self.bare, path], **self.workers("synscope -q", ["-q", path]),
             **self.peers(path, "tcpdump, SYN filter")}, "cat")
        os.remove(path)
        path, packets = self.capture("w3", 5_000_000)
        # Beyond what a table takes that is already larger than the program's start.
        small, few = self.capture("w3", 250_000)
        base = timed(q + [small], self.out)[1]
        _, resident = self.measure(
            "W3, SYN flood, summary", path, packets,
            {"bare libpcap loop": [self.bare, path],
             **self.workers("synscope -q", ["-q", path, "--max-attempts", str(16 << 20)]),
             **self.peers(path, "tcpdump, SYN filter")}, "bare libpcap loop", 768)
        each = (resident["synscope -q, -j 1"] - base) * 1024 / max(1, packets - few)
        print(f"  resident for each half-open attempt: {each:.1f} octets (beyond the {base // 1024} MiB of {few})")
        self.results[-1]["octets_per_half_open_attempt"] = each
        os.remove(path)
        os.remove(small)
        path, packets = self.capture("w1", 200_000)
        slow = () if self.quick else ("tcptrace -n", "tshark -z conv,tcp", "argus")
        commands = {
            "synscope -T jsonl, -j 1, to a file": [self.program, "-T", "jsonl", "-j", "1", path],
            "synscope -T jsonl, -j 2, to a file": [self.program, "-T", "jsonl", "-j", "2", path],
            **{f"synscope -T {name}, -j 1, to /dev/null": [self.program, "-T", name, "-j", "1", path]
               for name in ("jsonl", "csv", "text")},
            **self.peers(path, *slow)}
        self.measure(
            "W1, 200,000 connections, every attempt", path, packets, commands, "synscope -T jsonl, -j 1, to a file", 768)
        os.remove(path)
        path, packets = self.capture("w1-plain", 500_000)
        alone = {"synscope -q": q + [path], "synscope -T jsonl": [self.program, "-T", "jsonl", "-j", "1", path]}
        self.measure("500,000 plain connections, listed or not, to /dev/null", path, packets, alone, "synscope -q")
        cores = self.results[-1]["core_seconds"]
        listing = statistics.median(cores["synscope -T jsonl"]) - statistics.median(cores["synscope -q"])
        if listing > 0:
            each = packets / 10 / listing
            print(f"  handing attempts over and writing them as JSON Lines, by themselves: {each / 1e6:.2f} million a second a core")
            self.results[-1]["attempts_written_a_core_second"] = each
        os.remove(path)
        path, packets = self.capture("w3", 200_000)
        self.measure(
            "SYN flood of 200,000, counted and listed, to /dev/null", path, packets,
            {"synscope -q": q + [path],
             **{f"synscope -T {name}": [self.program, "-T", name, "-j", "1", path] for name in ("jsonl", "csv", "text")}},
            "synscope -q")
        os.remove(path)
        path, packets = self.capture("w1", 100_000)
        rules = os.path.join(HERE, "..", "..", "Tests", "Checks", "twenty-rules.yml")
        check = [self.program, "check", path, "--report", "json"]
        self.measure(
            "W1, 100,000 connections, checked", path, packets,
            {"one rule": check + ["-e", "count() > 0"], "twenty rules": check + ["--rules", rules]}, "one rule")
        os.remove(path)
        if not self.quick:
            self.scaling(q)

    def scaling(self, q):
        self.concurrent, self.findings = [], []
        for most in (1000, 10_000, 100_000, 1_000_000):
            path, packets = self.capture("w1", 1_000_000, most)
            rates, _ = self.measure(
                f"{most} connections open at a time", path, packets,
                {"synscope -q": q + [path, "--max-attempts", str(16 << 20)], "bare libpcap loop": [self.bare, path]},
                "bare libpcap loop")
            self.concurrent.append((most, rates["synscope -q"], rates["bare libpcap loop"]))
            os.remove(path)
        path, packets = self.capture("w3", 10_000_000)
        rates, _ = self.measure(
            "10000000 half-open attempts at the end", path, packets,
            {"synscope -q": q + [path, "--max-attempts", str(16 << 20)], "bare libpcap loop": [self.bare, path]},
            "bare libpcap loop", 1536)
        self.flood = (10_000_000, rates["synscope -q"], rates["bare libpcap loop"])
        os.remove(path)
        for repeats in (0, 1, 2, 4, 8):
            kind = ("w1-plain",) if repeats == 0 else ("w1-again", repeats)
            path, packets = self.capture(kind[0], 100_000, *kind[1:])
            rates, _ = self.measure(
                f"each SYN repeated {repeats} times", path, packets,
                {"synscope -q": q + [path],
                 "synscope -T jsonl, to a file": [self.program, "-T", "jsonl", "-j", "1", path]},
                "synscope -q")
            self.findings.append((repeats, rates["synscope -q"], rates["synscope -T jsonl, to a file"]))
            os.remove(path)

    def keep(self, folder):
        os.makedirs(os.path.join(folder, "runs"), exist_ok=True)
        date = datetime.date.today().isoformat()
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        raw = {"date": date, "commit": commit, "machine": machine(), "rounds": self.number, "results": self.results}
        with open(os.path.join(folder, "runs", f"{date}-{commit}.json"), "w", encoding="utf-8") as out:
            json.dump(raw, out, indent=1)
            out.write("\n")
        with open(os.path.join(folder, "results.md"), "w", encoding="utf-8") as out:
            out.write(f"# Results\n\n{date}, commit {commit}; {machine()}. Medians of {self.number}; written by `make bench`.\n")
            for result in self.results:
                out.write(f"\n## {result['title']}\n\n{result['packets']:,} packets.\n\n")
                out.write(f"| | Mpkt/s | x {result['floor']} | fastest to slowest | MiB resident |\n| --- | --- | --- | --- | --- |\n")
                for name, rate in result["rates"].items():
                    seconds = result["seconds"][name]
                    out.write(
                        f"| {name} | {rate:.2f} | {rate / result['rates'][result['floor']]:.2f} | "
                        f"{min(seconds):.2f} to {max(seconds):.2f} s | {result['resident_kib'][name] // 1024} |\n")
                if "octets_per_half_open_attempt" in result:
                    out.write(f"\nResident for each half-open attempt: {result['octets_per_half_open_attempt']:.1f} octets.\n")
                if "attempts_written_a_core_second" in result:
                    million = result["attempts_written_a_core_second"] / 1e6
                    out.write(f"\nHanded over and written as JSON Lines, by themselves: {million:.2f} million a second a core.\n")
        if not self.quick:
            plot(
                os.path.join(folder, "concurrent.svg"), "Rate against connections open at a time (the last point: half-open attempts)",
                ["synscope -q", "bare libpcap loop"], self.concurrent + [self.flood], logarithmic=True)
            plot(
                os.path.join(folder, "findings.svg"), "Rate against repetitions of each SYN: every attempt has findings",
                ["synscope -q", "synscope -T jsonl"], self.findings, logarithmic=False)


def plot(path, title, names, points, logarithmic):
    """A line for each name, over the first of each point."""
    import math

    width, height, left, bottom, top, right = 720, 360, 60, 50, 40, 150
    xs = [math.log10(p[0]) if logarithmic else p[0] for p in points]
    low, high = min(xs), max(xs)
    most = max(max(p[1:]) for p in points) * 1.1

    def x(value):
        return left + (value - low) / (high - low) * (width - left - right)

    def y(value):
        return height - bottom - value / most * (height - bottom - top)

    colours = ["#1f6feb", "#8b949e"]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{left}" y="20" font-size="14">{title}</text>',
        f'<path d="M{left} {top}V{height - bottom}H{width - right}" fill="none" stroke="#57606a"/>']
    for step in range(5):
        value = most * step / 4
        parts.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.1f}</text>')
    parts.append(f'<text x="12" y="{top - 6}">Mpkt/s</text>')
    for point, at in zip(points, xs):
        label = f"10^{round(at)}" if logarithmic else str(point[0])
        parts.append(f'<text x="{x(at):.1f}" y="{height - bottom + 18}" text-anchor="middle">{label}</text>')
    for number, (name, colour) in enumerate(zip(names, colours), 1):
        line = " ".join(f"{x(at):.1f},{y(point[number]):.1f}" for point, at in zip(points, xs))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for point, at in zip(points, xs):
            parts.append(f'<circle cx="{x(at):.1f}" cy="{y(point[number]):.1f}" r="3" fill="{colour}"/>')
        end = y(points[-1][number])
        parts.append(f'<text x="{width - right + 8}" y="{end + 4:.1f}" fill="{colour}">{name}</text>')
    parts.append("</svg>\n")
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(parts))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("synscope")
    parser.add_argument("make_workload")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    try:
        print(machine())
        bench.run()
        if arguments.keep:
            bench.keep(arguments.keep)
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
