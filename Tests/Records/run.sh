#!/bin/sh
# Runs records.py with the tools that load records, installed beside the build: run.sh SYNSCOPE [CAPTURE...]
set -eu
synscope=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../.build/records
missing=
python3 -c 'import ensurepip, venv' 2> /dev/null || missing="$missing python3-venv"
command -v jq > /dev/null || missing="$missing jq"
command -v tshark > /dev/null || missing="$missing tshark"
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null || { echo "synscope: install$missing and try again" >&2; exit 1; }
  echo "synscope: installing$missing"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
fi
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
"$venv/bin/python" -c 'import duckdb, polars, pyarrow, pandas, communityid' 2> /dev/null ||
  "$venv/bin/pip" install -q duckdb polars pyarrow pandas communityid
exec "$venv/bin/python" "$here/records.py" "$synscope" "$@"
