#!/bin/sh
# Fuzzes the readers, decoders and the tracker for so many seconds each: fuzz.sh SECONDS; of 0 it only builds. A crash leaves its input in
# .build-fuzz, to be committed to Tests/Fuzz/Regressions once it is understood; those are run first.
set -eu
seconds=$1
cd "$(dirname "$0")/../.."
export SYNSCOPE_FUZZ=1 SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0
swift build -c release --sanitize fuzzer -Xswiftc -sanitize=fuzzer,address --scratch-path .build-fuzz --product fuzz-capture
swift build -c release --sanitize fuzzer -Xswiftc -sanitize=fuzzer,address --scratch-path .build-fuzz --product fuzz-frame
if [ "$seconds" = 0 ]; then exit; fi
python3 Tests/Fuzz/seeds.py Captures Tests/PacketWireTests/Independent/frames.tsv .build-fuzz/seeds
for target in capture frame; do
  # A build without coverage fuzzes blindly.
  nm ".build-fuzz/release/fuzz-$target" | grep -q sancov || { echo "fuzz-$target has no coverage" >&2; exit 1; }
  for input in Tests/Fuzz/Regressions/$target-*; do
    if [ -e "$input" ]; then ".build-fuzz/release/fuzz-$target" "$input"; fi
  done
  mkdir -p ".build-fuzz/corpus-$target"
  ".build-fuzz/release/fuzz-$target" -use_value_profile=1 -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1536 -max_len=4096 \
    -artifact_prefix=.build-fuzz/ -print_final_stats=1 ".build-fuzz/corpus-$target" ".build-fuzz/seeds/$target" 2> ".build-fuzz/$target.log" ||
    { tail -40 ".build-fuzz/$target.log" >&2; exit 1; }
  echo "fuzz-$target: $(grep -E '^Done' ".build-fuzz/$target.log"), $(grep -oE 'cov: [0-9]+' ".build-fuzz/$target.log" | tail -1)"
done
