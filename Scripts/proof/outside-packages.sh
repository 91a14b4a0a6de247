#!/bin/sh
# Builds and runs a package that depends on each library product, as another project would: outside-packages.sh SWIFT.
# Each says how many packages it fetches beside this one, and how long resolving and building took.
set -eu
cd "$(dirname "$0")/../.."
swift=${1:-swift}
scratch=$PWD/.build/outside

# README's example is what is built.
python3 - << 'PYTHON'
import pathlib, re, sys
readme = pathlib.Path("README.md").read_text()
program = pathlib.Path("Tests/Outside/HandshakeAnalysis/Sources/Program/main.swift").read_text()
example = re.search(r"## As a library.*?```swift\n(.*?)```", readme, re.S).group(1)
body = example[example.index("var tracker"):]
if body not in program:
    sys.exit("README.md: the example is not what Tests/Outside/HandshakeAnalysis has")
PYTHON

# One folder for all: what one has built the next one has too.
mkdir -p "$scratch"
for product in PacketWire HandshakeRecord HandshakeAnalysis HandshakeDiagnosis HandshakeReport HandshakeCapture; do
  package="--package-path Tests/Outside/$product --scratch-path $scratch"
  begin=$(date +%s)
  "$swift" package $package resolve > "$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
  # The first line is this package.
  fetched=$(($("$swift" package $package show-dependencies --format flatlist | wc -l) - 1))
  resolved=$(date +%s)
  "$swift" build $package > "$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
  built=$(date +%s)
  "$scratch/debug/Program" "$PWD/Captures/incident.pcap" > "$scratch/out" || { cat "$scratch/out" >&2; exit 1; }
  echo "$product: $fetched packages fetched, resolved in $((resolved - begin)) s, built in $((built - resolved)) s"
  sed 's/^/    /' "$scratch/out"
  [ "$fetched" = 0 ] || { echo "traits: [] should fetch nothing" >&2; exit 1; }
done
