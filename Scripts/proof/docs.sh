#!/bin/sh
# Makes the documentation of each library from its comments and its catalogue (Sources/NAME/NAME.docc): docs.sh [SWIFT].
# The pages are in .build/docs/NAME. Warnings fail: a link to a name that is gone is one.
set -eu
cd "$(dirname "$0")/../.."
swift=${1:-swift}
scratch=.build/documentation
# The compiler writes a module's symbols when it compiles it: they stay with what it made.
graphs=$scratch/symbol-graphs
rm -rf .build/docs
mkdir -p "$graphs" .build/docs
docc=$(dirname "$(readlink -f "$(command -v "$swift")")")/docc
[ -x "$docc" ] || { echo "docs: $docc is not there: it is part of a Swift toolchain" >&2; exit 1; }
libraries='PacketWire HandshakeRecord HandshakeAnalysis HandshakeDiagnosis HandshakeReport HandshakeCapture'
for library in $libraries; do
  "$swift" build --scratch-path "$scratch" --target "$library" \
    -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc "$PWD/$graphs" > .build/docs/log 2>&1 || {
    cat .build/docs/log >&2
    exit 1
  }
done
for library in $libraries; do
  mkdir -p "$graphs/$library"
  cp "$graphs/$library.symbols.json" "$graphs/$library"
  "$docc" convert "Sources/$library/$library.docc" --additional-symbol-graph-dir "$graphs/$library" \
    --fallback-display-name "$library" --fallback-bundle-identifier "synscope.$library" --warnings-as-errors \
    --output-path ".build/docs/$library" > .build/docs/log 2>&1 || {
    cat .build/docs/log >&2
    exit 1
  }
  echo "docs: .build/docs/$library"
done
