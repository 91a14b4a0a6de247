#!/usr/bin/env python3
"""Loads what synscope writes with the tools that people load it with, and compares.

    records.py SYNSCOPE [CAPTURE...]

- The recipes of docs/records.md are run as they stand there: sh, python and sql.
- The attempts of every capture, together, are loaded by DuckDB, Polars and pyarrow with the types of `synscope schema`,
  and as Parquet without any. Their number is that of the summaries; no column is without a type.
- Community IDs of 100,000 random tuples equal those of the package communityid.
- uid is the same for a file, for its seven pieces together, and for standard input; and none occurs twice.
- What SYN and SYN-ACK say of their headers, and the Community IDs, are what tshark reads.
- ECS and OCSF records have the fields that docs/records.md names, and no others at the top.

Needs duckdb, polars, pyarrow, pandas and communityid from PyPI, jq and tshark (Tests/Records/run.sh installs them).
"""
import base64
import hashlib
import ipaddress
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import communityid
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


class Failure(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failure(what)


def run(*command, text=True, status=(0,), **options):
    done = subprocess.run(command, capture_output=True, text=text, **options)
    check(done.returncode in status, f"{' '.join(command)[:200]}: exit status {done.returncode}: {str(done.stderr)[-400:]}")
    return done.stdout


def schema(synscope, reader, *words):
    return run(synscope, "schema", "--for", reader, *words)


# The recipes


def blocks(text):
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


SHELL = """#!{python}
import sys, duckdb
print(duckdb.sql(sys.argv[sys.argv.index("-c") + 1]))
"""


def recipes(synscope, folder):
    """Runs every block, in the order of the page, in one folder."""
    with open(f"{ROOT}/docs/records.md", encoding="utf-8") as handle:
        text = handle.read()
    shutil.copy(f"{ROOT}/Captures/outage.pcap", f"{folder}/capture.pcap")
    os.mkdir(f"{folder}/bin")
    os.symlink(os.path.abspath(synscope), f"{folder}/bin/synscope")
    # DuckDB's package has no shell: this is as much of one as the recipes use.
    with open(f"{folder}/bin/duckdb", "w", encoding="utf-8") as handle:
        handle.write(SHELL.format(python=sys.executable))
    os.chmod(f"{folder}/bin/duckdb", 0o755)
    environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    with open(f"{folder}/conn.log", "w", encoding="utf-8") as handle:
        for line in run(synscope, "-T", "jsonl", f"{folder}/capture.pcap").splitlines():
            record = json.loads(line)
            handle.write(json.dumps({"uid": "C" + record["uid"], "community_id": record["community_id"], "conn_state": "S1"}) + "\n")
    count = 0
    for kind, block in blocks(text):
        if kind == "sh":
            run("bash", "-euo", "pipefail", "-c", block, cwd=folder, env=environment)
        elif kind == "python":
            reader, words = ("polars", ()) if "polars" in block else ("arrow", ())
            with open(f"{folder}/schema.txt", "w", encoding="utf-8") as handle:
                handle.write(schema(synscope, reader, *words))
            nested = run(synscope, "-T", "jsonl", f"{folder}/capture.pcap")
            with open(f"{folder}/nested.jsonl", "w", encoding="utf-8") as handle:
                handle.write(nested)
            block = block.replace("attempts.jsonl", "nested.jsonl") + "\nprint(len(attempts))\n"
            found = run(sys.executable, "-c", block, cwd=folder)
            check(int(found) == len(nested.splitlines()), f"{found} rows of {len(nested.splitlines())}")
        elif kind == "sql":
            connection = duckdb.connect()
            connection.execute(f"SET file_search_path = '{folder}'")
            rows = connection.execute(block).fetchall()
            check(rows, f"no rows: {block}")
        else:
            raise Failure(f"a block of {kind}, which is not run")
        count += 1
    for command in re.findall(r"^jq: `(.*)`\.$", text, re.MULTILINE):
        check(run("bash", "-euo", "pipefail", "-c", command, cwd=folder, env=environment), "jq gives lines")
        count += 1
    print(f"  {count} recipes of docs/records.md run")


# Loading


def untyped(name, dtype):
    return f"{name}: {dtype}" if str(dtype) in ("JSON", "NULL", "null", "Null", "Unknown") else None


def load(synscope, folder, captures):
    paths, total = {"nested": f"{folder}/all.jsonl", "flat": f"{folder}/flat.jsonl"}, 0
    copies = 0
    with open(paths["nested"], "wb") as nested, open(paths["flat"], "wb") as flat:
        for capture in captures:
            summary = f"{folder}/summary.json"
            nested.write(run(synscope, "-T", "jsonl", "--summary", summary, capture, text=False, status=(0, 3)))
            lines = run(synscope, "-T", "jsonl", "--fields", "all", capture, text=False, status=(0, 3))
            flat.write(lines)
            uids = [json.loads(line)["uid"] for line in lines.splitlines()]
            check(len(set(uids)) == len(uids), f"{capture}: of {len(uids)} attempts {len(set(uids))} have a uid of their own")
            if os.path.exists(summary) and os.path.getsize(summary):
                with open(summary, encoding="utf-8") as handle:
                    record = json.load(handle)
                total += record["attempts"]["total"] + record["translated_copies"]
                copies += record["translated_copies"]
                os.remove(summary)
    for form, path in paths.items():
        words = ("--fields", "all") if form == "flat" else ()
        rows = duckdb.sql(f"FROM read_json('{path}', format = 'newline_delimited', columns = {schema(synscope, 'duckdb', *words)})")
        bad = [text for text in map(untyped, rows.columns, rows.types) if text]
        check(not bad and "JSON" not in str(rows.types), f"DuckDB, {form}: no type: {bad}")
        counted = {"DuckDB": len(rows)}
        frame = pl.read_ndjson(path, schema=eval(schema(synscope, "polars", *words), {"pl": pl}))
        check("Null" not in str(frame.schema) and "Object" not in str(frame.schema), f"Polars, {form}: {frame.schema}")
        counted["Polars"] = len(frame)
        options = pa.json.ParseOptions(explicit_schema=eval(schema(synscope, "arrow", *words), {"pa": pa}), unexpected_field_behavior="error")
        table = pa.json.read_json(path, pa.json.ReadOptions(block_size=1 << 26), options)
        check("null" not in [str(field.type) for field in table.schema], f"pyarrow, {form}: {table.schema}")
        counted["pyarrow"] = len(table)
        check(set(counted.values()) == {total}, f"{form}: {counted}, the summaries {total}")
    parquet = f"{folder}/all.parquet"
    rows = schema(synscope, "duckdb", "--fields", "all")
    duckdb.sql(f"COPY (FROM read_json('{paths['flat']}', format = 'newline_delimited', columns = {rows})) TO '{parquet}' (FORMAT parquet)")
    table = pa.parquet.read_table(parquet)
    counted = {"DuckDB": len(duckdb.sql(f"FROM '{parquet}'")), "Polars": len(pl.read_parquet(parquet)), "pyarrow": len(table),
               "pandas": len(table.to_pandas())}
    check(set(counted.values()) == {total}, f"Parquet: {counted}, the summaries {total}")
    types = {field.name: str(field.type) for field in table.schema}
    check(types["first_time_ns"] == "int64" and types["first_time"] == "timestamp[us]", f"Parquet: {types['first_time_ns']}, {types['first_time']}")
    check(types["findings"].startswith("list<") and "string" in types["findings"], f"Parquet: {types['findings']}")
    check(not [name for name, kind in types.items() if kind.startswith("uint") or kind == "null"], f"Parquet: {types}")
    print(f"  {total} attempts of {len(captures)} captures in DuckDB, Polars and pyarrow, and as Parquet in these and pandas; "
          f"{len(types)} flat columns; {copies} translated copies")


# Identity


def pcap(frames):
    """A pcap file of (seconds, nanoseconds, IP packet)."""
    octets = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101)
    for second, nanosecond, packet in frames:
        octets += struct.pack("<IIII", second, nanosecond, len(packet), len(packet)) + packet
    return octets


def packet(source, target, ports, seq):
    tcp = struct.pack(">HHIIBBHHH", *ports, seq, 0, 0x50, 2, 1000, 0, 0)
    if source.version == 4:
        return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + source.packed + target.packed + tcp
    return struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + source.packed + target.packed + tcp


def community_ids(synscope, folder, count=100_000):
    draw = random.Random(1)
    def address(version):
        # Some that are near each other, so that their order is decided late.
        value = draw.getrandbits(32 if version == 4 else 128)
        return (ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address)(value >> draw.choice((0, 0, 24 if version == 4 else 100)))
    frames = []
    for number in range(count):
        version = draw.choice((4, 6))
        source, target = address(version), address(version)
        frames.append((1_700_000_000 + number // 1000, number % 1000 * 1000, packet(source, target, (draw.getrandbits(16), draw.getrandbits(16)), number)))
    path = f"{folder}/random.pcap"
    with open(path, "wb") as handle:
        handle.write(pcap(frames))
    for seed in (0, 1, 65535):
        theirs = communityid.CommunityID(seed)
        found = run(synscope, "-T", "jsonl", "--community-id-seed", str(seed), "--fields",
                    "client_ip,client_port,server_ip,server_port,community_id", path).splitlines()
        check(len(found) > count * 0.9, f"{len(found)} attempts of {count} SYNs")
        compared = found if seed == 0 else found[:1000]
        for line in compared:
            one = json.loads(line)
            flow = communityid.FlowTuple.make_tcp(one["client_ip"], one["server_ip"], one["client_port"], one["server_port"])
            check(theirs.calc(flow) == one["community_id"], f"{one}: {theirs.calc(flow)}")
    print(f"  {len(found)} Community IDs of random tuples equal those of the package communityid")


FIELDS = [
    "frame.number", "tcp.option_kind", "ip.dsfield.dscp", "ip.dsfield.ecn", "ipv6.tclass.dscp", "ipv6.tclass.ecn",
    "eth.src", "eth.dst", "sll.src.eth", "wlan.sa", "wlan.da", "communityid",
]


def headers(synscope, captures):
    """Of SYNs and SYN-ACKs outside tunnels: whose first headers are those of the attempt."""
    compared = 0
    for capture in captures:
        openings = {}
        for line in run(synscope, "-T", "jsonl", capture, status=(0, 1, 3)).splitlines():
            attempt = json.loads(line)
            for opening in (attempt["syn"], attempt["syn_ack"]):
                if opening and not attempt["tunnel"]:
                    openings[opening["frame"]] = opening | {"community_id": attempt["community_id"]}
        if not openings:
            continue
        lines = run(
            "tshark", "--enable-protocol", "communityid", "-r", capture, "-Y", "tcp.flags.syn == 1", "-T", "fields",
            *[word for field in FIELDS for word in ("-e", field)], status=(0, 2)).split("\n")
        for line in lines:
            cells = (line.split("\t") + [""] * len(FIELDS))[: len(FIELDS)]
            opening = openings.get(int(cells[0])) if cells[0] else None
            if opening is None:
                continue
            compared += 1
            read = dict(zip(FIELDS, cells))
            # The list ends with its first 0; tshark has one for each octet of padding. Fifteen kinds are kept.
            kinds = re.sub(r"(-0)+$", "-0", read["tcp.option_kind"].replace(",", "-")).split("-")
            expected = {
                "dscp": read["ip.dsfield.dscp"] or read["ipv6.tclass.dscp"],
                "ecn": read["ip.dsfield.ecn"] or read["ipv6.tclass.ecn"],
                "source_mac": (read["eth.src"] or read["sll.src.eth"] or read["wlan.sa"]).split(",")[0],
                "destination_mac": (read["eth.dst"] or read["wlan.da"]).split(",")[0],
                "community_id": read["communityid"].split(",")[-1],
            }
            if opening["option_kinds"] is not None:
                expected["option_kinds"] = "-".join(kinds[:15])
            for name, value in expected.items():
                found = "" if opening[name] is None else str(opening[name])
                check(found == value, f"{capture}, frame {cells[0]}: {name} is {found!r}, tshark reads {value!r}")
    check(compared > 100, f"{compared} SYNs and SYN-ACKs were compared with tshark")
    return compared


def uids(synscope, folder):
    path = f"{ROOT}/Captures/outage.pcap"
    with open(path, "rb") as handle:
        octets = handle.read()
    frames, position = [], 24
    order = "<" if octets[:1] in (b"\x4d", b"\xd4") else ">"
    while position < len(octets):
        length = struct.unpack_from(order + "I", octets, position + 8)[0]
        frames.append(octets[position:position + 16 + length])
        position += 16 + length
    names = []
    for piece in range(7):
        names.append(f"{folder}/piece{piece}.pcap")
        with open(names[-1], "wb") as handle:
            handle.write(octets[:24] + b"".join(frames[len(frames) * piece // 7:len(frames) * (piece + 1) // 7]))
    dealt = []
    for hand in range(3):
        dealt.append(f"{folder}/dealt{hand}.pcap")
        with open(dealt[-1], "wb") as handle:
            handle.write(octets[:24] + b"".join(frames[hand::3]))
    def of(*words, **options):
        return sorted(run(synscope, "-T", "csv", "--fields", "uid,outcome,client_ip,client_port", *words, **options).split())
    whole = of(path)
    check(of(*names) == whole, "seven pieces together")
    check(of(*reversed(names)) == whole, "the pieces in another order")
    check(of(*dealt) == whole, "frames dealt to three files")
    with open(path, "rb") as handle:
        check(of("-", stdin=handle) == whole, "standard input")
    check(len(set(line.split(",")[0] for line in whole)) == len(whole), "a uid occurs twice")
    # As docs/records.md says how it is made.
    for line in run(synscope, "-T", "jsonl", path).splitlines():
        record = json.loads(line)
        ends = [ipaddress.ip_address(record[side]["ip"]) for side in ("client", "server")]
        number = record["client_isn"] if record["starts_at"] == "syn" else record["server_isn"]
        made = bytes([ends[0].version]) + b"".join(end.packed.rjust(16, b"\0") for end in ends)
        made += struct.pack(">HHIIqH", record["client"]["port"], record["server"]["port"], 0, number, record["first_time_ns"], 0)
        digest = hashlib.sha1(made).digest()[:12]
        check(record["uid"] == "S" + base64.urlsafe_b64encode(digest).decode(), f"the uid of attempt {record['id']}")
    print(f"  {len(whole) - 1} uids are the same whole, in seven pieces, dealt to three files and piped")


# Mappings


def named(text, heading):
    """The fields in the first column of a table, by its heading."""
    table = text.split(f"| {heading} | is |\n", 1)[1].split("\n\n", 1)[0]
    fields = []
    for row in table.splitlines()[1:]:
        last = ""
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            # `.protocol_ver_id` stands beside a name with the same parent.
            last = last.rsplit(".", 1)[0] + name if name.startswith(".") else name
            fields.append(last)
    return set(fields)


def leaves(value, prefix=""):
    for key, one in value.items():
        if isinstance(one, dict):
            yield from leaves(one, f"{prefix}{key}.")
        else:
            yield prefix + key


# Fields that say what wrote the record, and in which version.
ABOUT = {
    "ecs": {"ecs.version", "event.module", "event.dataset", "observer.product", "observer.type"},
    "ocsf": {"category_uid", "class_uid", "severity_id", "metadata.version", "metadata.product.name", "metadata.product.vendor_name",
             "connection_info.protocol_name", "connection_info.direction_id"},
}


def mappings(synscope):
    with open(f"{ROOT}/docs/records.md", encoding="utf-8") as handle:
        text = handle.read()
    for form, heading, other in (("ecs", "ECS", "synscope."), ("ocsf", "OCSF", "unmapped.")):
        told = named(text, heading)
        shapes = set()
        outcomes = set()
        for name in sorted(os.listdir(f"{ROOT}/Captures")):
            if not name.endswith(".pcap"):
                continue
            for line in run(synscope, "-T", form, f"{ROOT}/Captures/{name}").splitlines():
                record = json.loads(line)
                found = {leaf for leaf in leaves(record) if not leaf.startswith(other)}
                shapes.add(frozenset(found))
                outcomes.add((record[other[:-1]]["outcome"], record.get("activity_id")))
        check(len(shapes) == 1, f"{form}: {len(shapes)} shapes of lines")
        written = shapes.pop() - ABOUT[form]
        covered = {leaf for leaf in written if leaf in told or any(leaf.startswith(f"{name}.") for name in told)}
        check(covered == written, f"{form}: written and not in the table: {sorted(written - covered)}")
        check(all(name in written or any(leaf.startswith(f"{name}.") for leaf in written) for name in told), f"{form}: in the table only: {sorted(told - written)}")
        if form == "ocsf":
            wanted = {"established": 1, "reset-by-client": 3, "reset-by-server": 3, "refused": 5}
            for outcome, activity in outcomes:
                failed = outcome not in ("established", "pending", "partial", "superseded")
                check(activity == wanted.get(outcome, 4 if failed else 0), f"{outcome} is activity {activity}")
        print(f"  {form}: {len(written)} fields, as the table says")


def main(synscope, captures):
    captures = captures or sorted(f"{ROOT}/Captures/{name}" for name in os.listdir(f"{ROOT}/Captures") if name.endswith(".pcap"))
    with tempfile.TemporaryDirectory() as folder:
        try:
            recipes(synscope, folder)
            load(synscope, folder, captures)
            community_ids(synscope, folder)
            uids(synscope, folder)
            print(f"  {headers(synscope, captures)} SYNs and SYN-ACKs say what tshark reads")
            mappings(synscope)
        except Failure as failure:
            print(f"records: {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
