#!/usr/bin/env python3
"""Runs synscope check as a pipeline would, and looks at what it says with other people's parsers.

Two servers on loopback, one that is not there and one that is too slow to accept; reports for machines; aggregates beside
numpy; exit statuses; a baseline. What captures needs root.
"""
import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

import jsonschema
import junitparser
import numpy
import tap.parser
import xmlschema
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
failures = []


def check(condition, message):
    if not condition:
        failures.append(message)
        print(f"  NOT: {message}", flush=True)


class World:
    def __init__(self, synscope, folder, schema):
        self.synscope, self.folder, self.schema = synscope, folder, schema

    def run(self, *words, status=None, **more):
        result = subprocess.run([self.synscope, *words], capture_output=True, text=True, timeout=120, **more)
        if status is not None:
            check(result.returncode == status, f"status {status} of {words}: {result.returncode} {result.stderr}{result.stdout[:500]}")
        return result

    def path(self, name):
        return f"{self.folder}/{name}"


def command(body):
    """A command for --while that runs Python."""
    return f"{sys.executable} -c '{body}'"


CONNECT = """
import socket, sys
for port, seconds, count in [{targets}]:
    for _ in range(count):
        handle = socket.socket()
        handle.settimeout(seconds)
        try:
            handle.connect(("127.0.0.1", port))
            handle.sendall(b"x")
        except OSError:
            pass
"""


def servers(world):
    """Two real servers on loopback, one that refuses and one whose backlog is full: both are named."""
    closed = socket.create_server(("127.0.0.1", 0))
    refusing = closed.getsockname()[1]
    closed.close()
    slow = socket.create_server(("127.0.0.1", 0), backlog=0)
    full = slow.getsockname()[1]
    good = socket.create_server(("127.0.0.1", 0))
    fine = good.getsockname()[1]
    with open(world.path("connect.py"), "w") as handle:
        # Each connection stays open until the end: nobody accepts.
        handle.write("handles = []\n" + CONNECT.format(targets=f"({refusing}, 1, 2), ({full}, 1.2, 3), ({fine}, 1, 5)")
                     .replace("handle = socket.socket()", "handle = socket.socket(); handles.append(handle)"))
    with open(world.path("rules.yml"), "w") as handle:
        handle.write(f"""
variables: {{fine: {fine}, refusing: {refusing}, full: {full}}}
rules:
  - {{name: the good server completes, where: 'tcp.dstport == ${{fine}}', expect: all(hs.outcome == established)}}
  - {{name: the refusing server completes, where: 'tcp.dstport == ${{refusing}}', expect: all(hs.outcome == established), tags: [refusing]}}
  - {{name: the slow server completes, where: 'tcp.dstport == ${{full}}', expect: all(hs.outcome == established)}}
  - {{name: nobody repeats a SYN, where: 'tcp.dstport == ${{full}}', expect: none(hs.findings contains syn-retransmitted), severity: warning}}
""")
    junit, document, kept = world.path("junit.xml"), world.path("check.json"), world.path("kept.pcapng")
    result = world.run("check", "-i", "lo", "--while", f"{sys.executable} {world.path('connect.py')}", "--rules", world.path("rules.yml"),
                       "--report", f"junit={junit}", "--report", f"json={document}", "--report", "text", "-w", kept,
                       f"tcp port {refusing} or tcp port {full} or tcp port {fine}", status=1)
    check(f"127.0.0.1:{refusing}" in result.stdout and "refused" in result.stdout, "the refusing server is named")
    check(f"127.0.0.1:{full}" in result.stdout, "the slow server is named")
    suite = next(iter(junitparser.JUnitXml.fromfile(junit)))
    by_name = {case.name: case for case in suite}
    check(suite.tests == 4 and suite.failures == 2 and suite.errors == 0, f"4 tests, 2 failures: {suite.tests} {suite.failures}")
    check(by_name["the good server completes"].is_passed, "the good server passes")
    for name, port in (("the refusing server completes", refusing), ("the slow server completes", full)):
        failed = by_name[name].result
        check(len(failed) == 1 and isinstance(failed[0], junitparser.Failure), f"{name} is a failure")
        check(f"127.0.0.1:{port}" in failed[0].text and "SYN" in failed[0].text, f"{name} shows its ladder")
    check(by_name["nobody repeats a SYN"].is_passed, "a warning is no failure")
    errors = [str(error) for error in world.schema.iter_errors(junit)]
    check(not errors, f"the JUnit file is valid: {errors[:1]}")
    with open(document) as handle:
        verdict = json.load(handle)
    statuses = {rule["name"]: rule["status"] for rule in verdict["rules"]}
    check(statuses["the slow server completes"] == "failed" and not verdict["passed"], f"as JSON too: {statuses}")
    frames = [frame for rule in verdict["rules"] for example in rule["examples"] for frame in
              [segment["frame"] for segment in example["attempt"]["segments"]]]
    again = world.run("-T", "jsonl", kept, status=0)
    offenders = [json.loads(line) for line in again.stdout.splitlines() if '"type":"attempt"' in line]
    check({o["server"]["port"] for o in offenders} == {refusing, full} and frames, f"-w keeps those that break a rule: {len(offenders)}")
    slow.close()
    good.close()
    print(f"  refused: {statuses['the refusing server completes']}; full backlog: {statuses['the slow server completes']}; "
          f"{suite.tests} test cases read by junitparser, valid by junit-10.xsd; {len(offenders)} attempts kept")


def machines(world):
    """TAP, JUnit, JSON and workflow commands of one check, each read by a parser of its own."""
    capture = f"{ROOT}/Captures/incident.pcap"
    rules = ["-e", "all(hs.outcome == established)", "-e", "p99(hs.rtt.total) < 50ms", "-e", "max(hs.icmp.code) < 5",
             "-e", "any(hs.failed where tcp.dstport == 1)", "-e", 'none(hs.outcome matches "#|<|&|refused")']
    text = world.run("check", capture, *rules, "--report", "tap", status=1).stdout
    # The parser knows version 13 in full; 14 keeps its lines.
    lines = list(tap.parser.Parser().parse_text(text.replace("TAP version 14", "TAP version 13")))
    results = [line for line in lines if line.category == "test"]
    check([line.ok for line in results] == [False, True, False, False, False], f"five TAP results: {[line.ok for line in results]}")
    check(all(line.yaml_block and "message" in line.yaml_block for line in results if not line.ok), "each failure has its YAML block")
    check(not [line for line in lines if line.category == "unknown"], "no line that is no TAP")
    junit = world.path("machines.xml")
    world.run("check", capture, *rules, "--report", f"junit={junit}", status=1)
    suite = next(iter(junitparser.JUnitXml.fromfile(junit)))
    types = [case.result[0].type if case.result else None for case in suite]
    check(types == ["failed", None, "unknown", "no-attempt-matched", "failed"], f"kinds of failure: {types}")
    check(not list(world.schema.iter_errors(junit)), "valid JUnit")
    summary = world.path("summary.md")
    open(summary, "w").write("before\n")
    result = world.run("check", capture, *rules, "--report", "github", status=1, env=dict(os.environ, GITHUB_STEP_SUMMARY=summary))
    annotations = [line for line in result.stdout.splitlines() if line.startswith("::error ")]
    check(len(annotations) == 4, f"four annotations: {len(annotations)}")
    written = open(summary).read()
    check(written.startswith("before\n") and written.count("<details>") == 4, "the step's summary is appended to")
    document = json.loads(world.run("check", capture, *rules, "--report", "json", status=1).stdout)
    check([rule["status"] for rule in document["rules"]] == ["failed", "passed", "unknown", "no-attempt-matched", "failed"], "JSON")
    with open(f"{ROOT}/docs/schema.json") as handle:
        schema = json.load(handle)
    for rule in document["rules"]:
        for example in rule["examples"]:
            jsonschema.validate(example["attempt"], schema)
    print(f"  {len(results)} TAP results, {len(types)} test cases, {len(annotations)} annotations, {len(document['rules'])} rules as JSON")


def aggregates(world):
    """Aggregates equal numpy's, on random connections (percentiles: numpy's default method, linear)."""
    wheel = random.Random(20261124)
    scenario = []
    flows, steps = [], []
    for number in range(400):
        flows.append(f"flow f{number} 192.0.2.{number % 200 + 1}:{20000 + number} > 198.51.100.{number % 7 + 1}:{wheel.choice([80, 443, 8443])} isn {number + 1} 5000")
        start = wheel.randrange(10_000_000)
        there = int(wheel.lognormvariate(9, 1)) + 1
        back = int(wheel.lognormvariate(5, 1)) + 1
        steps.append((start, f"f{number} > S <mss {wheel.choice([536, 1380, 1460, 8960])}>"))
        kind = wheel.random()
        if kind < 0.1:
            steps.append((start + there, f"f{number} < R. -5000"))
        elif kind > 0.2:
            steps.append((start + there, f"f{number} < S. <mss {wheel.choice([1400, 1460])}>"))
            steps.append((start + there + back, f"f{number} > ."))
    steps.sort()
    scenario = "\n".join(flows) + "\n" + "\n".join(f"{time}us {step}" for time, step in steps) + "\n+80s idle\n+1s idle\n"
    with open(world.path("random.pkt"), "w") as handle:
        handle.write(scenario)
    capture = world.path("random.pcap")
    world.run("craft", world.path("random.pkt"), "-w", capture, status=0)
    attempts = [json.loads(line) for line in world.run("-T", "jsonl", capture, status=0).stdout.splitlines() if '"type":"attempt"' in line]
    check(len(attempts) == 400, f"400 attempts: {len(attempts)}")

    def column(read):
        return numpy.array([value for value in map(read, attempts) if value is not None], dtype=float)

    fields = {"hs.rtt.total": lambda a: a["rtt"]["total_ns"], "hs.setup": lambda a: a["setup_ns"], "hs.refusal": lambda a: a["refusal_ns"],
              "hs.mss.client": lambda a: a["mss"]["client"], "hs.mss.negotiated": lambda a: a["mss"]["negotiated"], "hs.isn.client": lambda a: a["client_isn"]}
    expected = {}
    for field, read in fields.items():
        values = column(read)
        for name, figure in (("min", values.min()), ("max", values.max()), ("mean", values.mean()), ("sum", values.sum())):
            expected[f"{name}({field})"] = figure
        for rank in (1, 10, 50, 75, 90, 95, 99, 99.9):
            expected[f"p{rank}({field})"] = numpy.percentile(values, rank)
        expected[f"percentile({field}, 100)"] = numpy.percentile(values, 100)
    for condition, holds in (("hs.outcome == established", lambda a: a["outcome"] == "established"), ("hs.failed", lambda a: a["outcome"] in ("refused", "unanswered")),
                             ("tcp.dstport == 443", lambda a: a["server"]["port"] == 443), ("ip.dst in {198.51.100.1..198.51.100.3}", lambda a: int(a["server"]["ip"].split(".")[3]) <= 3)):
        held = numpy.array([holds(a) for a in attempts])
        expected[f"count({condition})"] = held.sum()
        expected[f"ratio({condition})"] = held.mean()
        on443 = numpy.array([a["server"]["port"] == 443 for a in attempts])
        expected[f"ratio({condition} where tcp.dstport == 443)"] = held[on443].mean()
    words = [word for text in expected for word in ("-e", f"{text} >= {'0ms' if any(f in text for f in ('rtt', 'setup', 'hs.refusal')) else 0}")]
    document = json.loads(world.run("check", capture, *words, "--report", "json", status=0).stdout)
    worst = 0
    for (text, figure), rule in zip(expected.items(), document["rules"]):
        ours = rule["figures"][0]["value"]
        difference = abs(ours - figure) / max(1, abs(figure))
        worst = max(worst, difference)
        check(difference < 1e-9, f"{text}: {ours}, numpy {figure}")
    print(f"  {len(expected)} aggregates of {len(attempts)} attempts, the largest relative difference {worst:.1e}")


def statuses(world):
    """Each end has its exit status."""
    capture = f"{ROOT}/Captures/established.pcap"
    world.run("check", capture, "-e", "hs.outcome == established", status=0)
    world.run("check", capture, "-e", "hs.outcome == refused", status=1)
    world.run("check", capture, "-e", "hs.outcom == refused", status=2)
    world.run("check", capture, "-e", "all(hs.failed where tcp.dstport == 1)", status=1)
    world.run("check", capture, "-e", "all(hs.failed where tcp.dstport == 1)", "--allow-none", status=0)
    world.run("check", "/nowhere.pcap", "-e", "hs.failed", status=3)
    with open(capture, "rb") as handle:
        octets = handle.read()
    with open(world.path("cut.pcap"), "wb") as handle:
        handle.write(octets[:-5])
    world.run("check", world.path("cut.pcap"), "-e", "count() == 1", status=3)
    world.run("check", "-i", "lo", "--while", "exit 7", "-e", "count() >= 0", "--allow-none", "tcp port 1", status=5)
    world.run("check", "-i", "lo", "--while", "exit 7", "-e", "count() >= 0", "tcp port 1", status=1)
    world.run("check", "-i", "nowhere0", "--while", "true", "-e", "count() >= 0", status=4)
    start = time.time()
    world.run("check", "-i", "lo", "--while", "sleep 60", "--duration", "1s", "-e", "count() >= 0", "--allow-none", "tcp port 1")
    check(time.time() - start < 10, "--duration ends it, and the command with it")
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    thread = threading.Thread(target=lambda: server.accept()[0].sendall(b"hello"))
    thread.start()
    start = time.time()
    world.run("check", "-i", "lo", "--while", command(f'import socket; socket.create_connection(("127.0.0.1", {port})).recv(9)'), "--expect-within", "30s",
              "-e", "all(hs.outcome == established and hs.ended == evidence)", f"tcp port {port}", status=0)
    check(time.time() - start < 10, "--expect-within ends as soon as all is decided")
    thread.join()
    server.close()
    print("  0, 1, 2, 3, 4 and 5; --duration, --expect-within")


def baseline(world):
    """A run beside an earlier one: itself is no worse, more failures and longer round trips are."""
    old = world.path("old.jsonl")
    with open(old, "w") as handle:
        handle.write(world.run("-T", "jsonl", f"{ROOT}/Captures/established.pcap", status=0).stdout)
    world.run("check", f"{ROOT}/Captures/established.pcap", "--baseline", old, status=0)
    result = world.run("check", f"{ROOT}/Captures/incident.pcap", "--baseline", old, status=1)
    check("worse: established: 80%, was 100%" in result.stdout, result.stdout)
    world.run("check", f"{ROOT}/Captures/incident.pcap", "--baseline", old, "--margin", "10h", "--margin-outcomes", "50%", status=0)
    print("  equal, worse, and within margins")


def documents(world):
    """The rules' schema takes what synscope takes, and the recipes of docs/ci.md are valid YAML of their kind."""
    with open(f"{ROOT}/docs/rules.schema.json") as handle:
        schema = json.load(handle)
    jsonschema.Draft202012Validator.check_schema(schema)
    with open(f"{HERE}/twenty-rules.yml") as handle:
        jsonschema.validate(yaml.safe_load(handle), schema)
    for text, mistake in (("rules: [{expect: count() > 0, severity: fatal}]", "severity"), ("rules: [{name: x}]", "expect"), ("rule: []", "rule")):
        try:
            jsonschema.validate(yaml.safe_load(text), schema)
            check(False, f"the schema takes {text}")
        except jsonschema.ValidationError as error:
            check(mistake in str(error), f"{mistake} in {error.message}")
    with open(f"{ROOT}/docs/ci.md") as handle:
        text = handle.read()
    blocks = [block.split("\n", 1) for block in text.split("```")[1::2]]
    kinds = {"rules": None, "jobs": "vendor.github-workflows", "services": "vendor.compose-spec", "handshakes": "vendor.gitlab-ci"}
    found = []
    for body in [body for kind, body in blocks if kind.strip() == "yaml"]:
        kind = next(key for key in kinds if key in yaml.safe_load(body))
        found.append(kind)
        if kind == "rules":
            jsonschema.validate(yaml.safe_load(body), schema)
            rules = body
            continue
        with open(world.path(f"{kind}.yml"), "w") as handle:
            handle.write(body)
        result = subprocess.run([f"{os.path.dirname(sys.executable)}/check-jsonschema", "--builtin-schema", kinds[kind], handle.name],
                                capture_output=True, text=True)
        check(result.returncode == 0, f"{kind}: {result.stdout}{result.stderr}")
    check(sorted(found) == sorted(kinds), f"a recipe of each kind: {found}")
    # The Makefile is run, with tests that connect once.
    if os.geteuid() == 0:
        os.mkdir(world.path("project"))
        os.symlink(world.synscope, world.path("synscope"))
        with open(world.path("project/handshakes.yml"), "w") as handle:
            handle.write(rules.replace("8443", "18443"))
        with open(world.path("project/Makefile"), "w") as handle:
            handle.write(next(body for kind, body in blocks if kind.strip() == "make"))
            handle.write("integration-test:\n\t" + sys.executable + " -c 'import socket; s = socket.create_server((\"127.0.0.1\", 18443)); "
                         "socket.create_connection(s.getsockname())'\n")
        result = subprocess.run(["make", "-C", world.path("project"), "handshakes"], capture_output=True, text=True,
                                env=dict(os.environ, PATH=f"{world.folder}:{os.environ['PATH']}"))
        check(result.returncode == 0 and os.path.getsize(world.path("project/handshakes.xml")) > 200, f"the Makefile: {result.stdout}{result.stderr}")
    print(f"  rules.schema.json; {', '.join(found)}; the Makefile run")


CASES = [machines, aggregates, statuses, baseline, documents, servers]
LIVE = [statuses, servers]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--synscope", required=True)
    parser.add_argument("--junit-schema", required=True)
    parser.add_argument("--case", nargs="*")
    options = parser.parse_args()
    schema = xmlschema.XMLSchema(options.junit_schema)
    for case in CASES:
        if options.case and case.__name__ not in options.case:
            continue
        print(f"{case.__name__}: {case.__doc__}", flush=True)
        if case in LIVE and os.geteuid() != 0:
            print("  skipped: capturing needs root")
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            try:
                case(World(os.path.abspath(options.synscope), folder, schema))
            except Exception as error:
                check(False, f"{case.__name__} ended with {type(error).__name__}: {error}")
    print(f"checks: {len(failures)} failed" if failures else "checks: all as it should be")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
