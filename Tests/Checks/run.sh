#!/bin/sh
# Runs checks.py with the parsers that it looks through, installed beside the build: run.sh SYNSCOPE [checks.py's options]
set -eu
synscope=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../.build/checks
if ! python3 -c 'import ensurepip, venv' 2> /dev/null && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "synscope: installing python3-venv"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv > /dev/null
fi
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
"$venv/bin/python" -c 'import numpy, junitparser, jsonschema, xmlschema, tap, yaml, check_jsonschema' 2> /dev/null ||
  "$venv/bin/pip" install -q numpy junitparser jsonschema xmlschema tap.py more-itertools PyYAML check-jsonschema
# Jenkins' schema of JUnit files comes with the sources of pytest, whose own reports it checks.
if [ ! -f "$venv/junit-10.xsd" ]; then
  (cd "$venv" && ./bin/pip download -q --no-deps --no-binary :all: pytest -d sources &&
    tar -xzf sources/pytest-*.tar.gz -C sources && cp sources/*/testing/example_scripts/junit-10.xsd .)
fi
exec "$venv/bin/python" "$here/checks.py" --synscope "$synscope" --junit-schema "$venv/junit-10.xsd" "$@"
