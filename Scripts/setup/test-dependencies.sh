#!/bin/sh
# Installs what the tests need beside the build: compressors, tools that write hex dumps, a reader of manual pages, shells
# to complete words in, and a JSON Schema validator. The argument is how to become root.
set -eu
for tool in zstd:zstd lz4:lz4 xz:xz-utils bzip2:bzip2 xxd:xxd hexdump:bsdextrautils mandoc:mandoc zsh:zsh fish:fish script:bsdutils; do
  if command -v "${tool%:*}" > /dev/null; then continue; fi
  echo "synscope: installing ${tool#*:}"
  ${1:-} apt-get update -qq
  ${1:-} env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${tool#*:}" > /dev/null
done
for python in python3 /usr/bin/python3; do
  if "$python" -c 'import jsonschema' 2> /dev/null; then exit 0; fi
done
if command -v apt-get > /dev/null && { [ "$(id -u)" = 0 ] || [ -n "${1:-}" ]; }; then
  echo "synscope: installing python3-jsonschema"
  ${1:-} apt-get update -qq
  ${1:-} env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-jsonschema > /dev/null
else
  echo "synscope: the tests validate JSON with Python's jsonschema, which is missing: pip install jsonschema" >&2
  exit 1
fi
