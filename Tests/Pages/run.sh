#!/bin/sh
# Runs pages.py in a browser, with what it looks at pages by, installed beside the build:
# run.sh SYNSCOPE MAKE_WORKLOAD [pages.py's options]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../.build/pages
missing=
python3 -c 'import ensurepip, venv' 2> /dev/null || missing="$missing python3-venv"
command -v chromium > /dev/null || missing="$missing chromium"
command -v editcap > /dev/null || missing="$missing tshark"
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null || { echo "synscope: install$missing and try again" >&2; exit 1; }
  echo "synscope: installing$missing"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
fi
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
"$venv/bin/python" -c 'import playwright, axe_core_python, html5lib, duckdb' 2> /dev/null ||
  "$venv/bin/pip" install -q playwright axe-core-python html5lib duckdb
exec "$venv/bin/python" "$here/pages.py" "$@"
