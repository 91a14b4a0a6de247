#!/usr/bin/env python3
"""Frames dropped by tcpdump -w /dev/null and by watch, side by side, while tcpreplay sends at rising rates.

    bench-live.py SYNSCOPE [--workload FILE | --kind w1|w3 --count N] [--senders N] [--seconds N] [--rates PPS ...]

A rate of 0 is as fast as it goes.

Two network namespaces joined by a veth pair; the sender's tcpreplay loops over a workload of connections (or a SYN flood). Each
receiver sees the same traffic, one after the other. Needs root, tcpreplay and tcpdump; takes down what it makes.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

A, B = f"synscope-a{os.getpid()}", f"synscope-b{os.getpid()}"


def run(*words, **options):
    return subprocess.run(words, check=True, **options)


def inside(name, *words, **options):
    return subprocess.Popen(["ip", "netns", "exec", name, *words], text=True, **options)


def replay(path, rate, seconds, senders):
    words = ["tcpreplay", "-q", "-i", "va", "--preload-pcap", "--loop", "100000", "--duration", str(seconds)]
    words += ["--topspeed"] if rate is None else ["--pps", str(rate // senders)]
    running = [inside(A, *words, path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(senders)]
    texts = [one.communicate()[0] for one in running]
    sent = sum(int(re.search(r"Actual: (\d+) packets", text).group(1)) for text in texts)
    speed = sum(float(re.search(r"([\d.]+) pps", text).group(1)) for text in texts)
    return sent, speed


def measure(words, pattern, path, rate, seconds, senders):
    output = tempfile.TemporaryFile("w+")
    receiver = inside(B, *words, stdout=output, stderr=subprocess.PIPE)
    time.sleep(1.5)
    sent, speed = replay(path, rate, seconds, senders)
    time.sleep(1)
    pid = receiver.pid
    with open(f"/proc/{pid}/stat") as handle:
        fields = handle.read().rsplit(")", 1)[1].split()
    busy = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") / seconds
    with open(f"/proc/{pid}/status") as handle:
        memory = int(re.search(r"VmHWM:\s+(\d+)", handle.read()).group(1)) // 1024
    receiver.send_signal(signal.SIGINT)
    text = receiver.communicate(timeout=60)[1]
    received, dropped = pattern(text)
    output.seek(0)
    named = [line for line in output if line.startswith(("attempts", "syn-flood", "beware"))]
    return sent, speed, received, dropped, busy, memory, named


def tcpdump_counts(text):
    return int(re.search(r"(\d+) packets received", text).group(1)), int(re.search(r"(\d+) packets dropped by kernel", text).group(1))


def watch_counts(text):
    return int(re.search(r"(\d+) frames received", text).group(1)), int(re.search(r"(\d+) dropped by the kernel", text).group(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("synscope")
    parser.add_argument("--workload", help="a capture to loop over; made where none is given")
    parser.add_argument("--kind", default="w1")
    parser.add_argument("--count", default="50000")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--senders", type=int, default=1, help="tcpreplay processes at a time")
    parser.add_argument("--summary", action="store_true", help="print what watch says at the end")
    parser.add_argument("--rates", nargs="*", type=int, default=[0])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.workload
        if not path:
            path = f"{folder}/workload.pcap"
            run("swift", "build", "-q", "-c", "release", "--product", "make-workload")
            run(".build/release/make-workload", options.kind, options.count, path)
        for name in (A, B):
            run("ip", "netns", "add", name)
        try:
            run("ip", "link", "add", "va", "netns", A, "type", "veth", "peer", "name", "vb", "netns", B)
            for name, link in ((A, "va"), (B, "vb")):
                run("ip", "-n", name, "link", "set", link, "up")
            print("rate asked      sent/s   receiver   received    dropped  share     cpu  memory")
            for rate in options.rates:
                for name, words, pattern in (
                    ("tcpdump", ["tcpdump", "-i", "vb", "-s", "256", "-B", "32768", "-w", "/dev/null", "-Z", "root"], tcpdump_counts),
                    ("watch", [options.synscope, "watch", "-i", "vb", "-q"], watch_counts),
                ):
                    sent, speed, received, dropped, busy, memory, named = measure(words, pattern, path, rate or None, options.seconds, options.senders)
                    print(f"{rate or 'top':>10}  {speed:>10.0f}  {name:>9}  {received:>9}  {dropped:>9}  {dropped / max(1, received):6.2%}  {busy:5.0%}  {memory:>4} MB", flush=True)
                    for line in named if options.summary else []:
                        print("            " + line.rstrip())
        finally:
            for name in (A, B):
                subprocess.run(["ip", "netns", "del", name])


main()
