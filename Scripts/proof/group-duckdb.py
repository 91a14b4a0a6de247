#!/usr/bin/env python3
"""Compares `synscope group` with DuckDB over the records of the same captures.

    group-duckdb.py SYNSCOPE CAPTURE...

Counts, shares, first and last times, and the least and greatest round trips must be equal; a quantile may be less than
1/128 above the value that DuckDB finds (docs/groups.md). Needs `pip install duckdb`; without it nothing is compared,
which is said.
"""
import json
import subprocess
import sys
import tempfile

try:
    import duckdb
except ImportError:
    print("group-duckdb: not compared, there is no duckdb (pip install duckdb)")
    sys.exit(0)

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
COLUMNS = {
    "type": "VARCHAR", "server": "STRUCT(ip VARCHAR, port INTEGER)", "client": "STRUCT(ip VARCHAR, port INTEGER)",
    "outcome": "VARCHAR", "starts_at": "VARCHAR", "counts": "STRUCT(syn UBIGINT)", "first_time": "VARCHAR",
    "rtt": "STRUCT(total_ns BIGINT)", "copy_of": "UBIGINT", "findings": "STRUCT(code VARCHAR)[]",
}
KEYS = {
    "ip.dst,tcp.dstport": ("server.ip || ' ' || server.port", lambda key: f"{key['ip.dst']} {key['tcp.dstport']}"),
    "hs.outcome": ("outcome", lambda key: key["hs.outcome"]),
}
QUERY = """
    WITH attempts AS (
        SELECT {key} AS key, outcome, first_time, rtt.total_ns AS rtt, starts_at = 'syn' AS started,
            list_contains(list_transform(findings, lambda f: f.code), 'syn-retransmitted') AS resent,
            outcome NOT IN ('established', 'pending', 'partial', 'superseded') AS failed
        FROM read_json('{path}', format = 'newline_delimited', columns = {columns})
        WHERE type = 'attempt' AND copy_of IS NULL)
    SELECT key, count(*), count(*) FILTER (outcome = 'established'), count(*) FILTER (failed),
        count(*) FILTER (started), min(first_time), max(first_time),
        min(first_time) FILTER (failed), max(first_time) FILTER (failed),
        count(rtt), min(rtt), max(rtt), list_sort(list(rtt) FILTER (rtt IS NOT NULL))
    FROM attempts GROUP BY key
"""


def lines(command):
    return [json.loads(line) for line in subprocess.run(command, capture_output=True, check=False).stdout.splitlines()]


def differences(synscope, capture, by):
    expression, name = KEYS[by]
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as records:
        subprocess.run([synscope, "-T", "jsonl", capture], stdout=records, stderr=subprocess.DEVNULL, check=False)
        query = QUERY.format(key=expression, path=records.name, columns=COLUMNS)
        wanted = {row[0]: row[1:] for row in duckdb.sql(query).fetchall()}
    groups = lines([synscope, "group", capture, "--by", by, "-T", "jsonl", "--max-groups", "1000000"])
    groups = [group for group in groups if group["type"] == "group"]
    found = {name(group["key"]): group for group in groups}
    if wanted.keys() != found.keys():
        yield f"keys {sorted(wanted.keys() ^ found.keys())[:5]}"
    for key, row in wanted.items():
        if key not in found:
            continue
        group = found[key]
        total = group["rtt_ns"]["total"]
        values = (group["attempts"], group["established"], group["failed"], group["started"], group["first_time"],
                  group["last_time"], group["first_failure"], group["last_failure"], total["count"], total["min"],
                  total["max"])
        if values != row[:11]:
            yield f"{key}: {values}, and DuckDB has {row[:11]}"
        sure = group["attempts"] - sum(group["outcomes"].get(outcome, 0) for outcome in ("pending", "partial"))
        share = group["failed"] / sure if sure else None
        if group["failed_share"] is not None and abs(group["failed_share"] - (share or 0)) > 1e-9:
            yield f"{key}: share {group['failed_share']}, and DuckDB has {share}"
        if sum(group["outcomes"].values()) != group["attempts"]:
            yield f"{key}: outcomes add up to {sum(group['outcomes'].values())} of {group['attempts']}"
        for quantile, rank in QUANTILES.items():
            if not row[11]:
                continue
            # The value at or above which a share of the values lies: one that occurred.
            exact = row[11][min(len(row[11]) - 1, max(0, -(-int(rank * 100) * len(row[11]) // 100) - 1))]
            if not exact <= total[quantile] <= exact * 129 / 128 + 1:
                yield f"{key}: {quantile} {total[quantile]}, and DuckDB has {exact}"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    compared, failed = 0, 0
    for capture in sys.argv[2:]:
        for by in KEYS:
            compared += 1
            for difference in differences(sys.argv[1], capture, by):
                failed += 1
                print(f"{capture} --by {by}: {difference}")
    print(f"group-duckdb: {compared} groupings of {len(sys.argv) - 2} captures, {failed} differences")
    sys.exit(1 if failed else 0)


main()
