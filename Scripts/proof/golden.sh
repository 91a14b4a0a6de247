#!/bin/sh
# Writes the expected result of each capture beside it, and the fields of attempts into docs: golden.sh SYNSCOPE
set -eu
synscope=$1
cd "$(dirname "$0")/../.."
for capture in Captures/*.pcap Captures/*.pcapng; do
  [ -e "$capture" ] || continue
  status=0
  "$synscope" -T jsonl --summary "${capture%.*}.summary.json" "$capture" > "${capture%.*}.jsonl" || status=$?
  [ "$status" = 0 ] || { echo "$capture: exit status $status" >&2; exit 1; }
done
python3 - "$synscope" << 'END'
import json
import re
import subprocess
import sys


def schema(reader):
    return subprocess.run([sys.argv[1], "schema", "--for", reader], capture_output=True, text=True, check=True).stdout


document = json.load(open("docs/schema.json", encoding="utf-8"))
attempt = json.loads(schema("jsonschema"))
document["$defs"]["attempt"] = {key: value for key, value in attempt.items() if key not in ("$schema", "$id", "title")}
with open("docs/schema.json", "w", encoding="utf-8") as handle:
    json.dump(document, handle, indent=2, ensure_ascii=False)
    handle.write("\n")
with open("docs/records.md", encoding="utf-8") as handle:
    text = handle.read()
table = re.compile(r"(<!-- fields -->\n).*?(<!-- end of fields -->)", re.DOTALL)
with open("docs/records.md", "w", encoding="utf-8") as handle:
    handle.write(table.sub(lambda found: found.group(1) + schema("markdown") + found.group(2), text))
END
