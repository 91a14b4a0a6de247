#!/bin/sh
# Writes the expected result of each capture beside it: golden.sh SYNSCOPE
set -eu
synscope=$1
cd "$(dirname "$0")/../.."
for capture in Captures/*.pcap Captures/*.pcapng; do
  [ -e "$capture" ] || continue
  status=0
  "$synscope" -T jsonl "$capture" > "${capture%.*}.jsonl" || status=$?
  [ "$status" = 0 ] || { echo "$capture: exit status $status" >&2; exit 1; }
done
