#!/bin/sh
# Fuzzes each target for so many seconds, as many at once as there are cores: fuzz.sh SECONDS; of 0 it only builds.
# A crash leaves its input in .build-fuzz, to be committed to Tests/Fuzz/Regressions once it is understood; those are
# run first.
set -eu
cd "$(dirname "$0")/../.."
export SYNSCOPE_FUZZ=1 SWIFT_BACKTRACE=enable=no
# Swift allocates much: to remember by whom takes half of the time. A crash is looked into without these.
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=2:quarantine_size_mb=16

# A target, and octets that its longest input has.
targets='capture 4096
frame 4096
expression 1024
rules 4096
scenario 4096
http 4096'

fuzz() {
  seconds=$1 target=$2 longest=$3 program=.build-fuzz/release/fuzz-$2 log=.build-fuzz/$2.log
  # A build without coverage fuzzes blindly.
  nm "$program" | grep -q sancov || { echo "fuzz-$target has no coverage" >&2; exit 1; }
  for input in Tests/Fuzz/Regressions/"$target"-*; do
    if [ -e "$input" ]; then "$program" "$input" > "$log" 2>&1 || { tail -40 "$log" >&2; exit 1; }; fi
  done
  mkdir -p ".build-fuzz/corpus-$target"
  words=.build-fuzz/seeds/$target.dict
  "$program" -use_value_profile=1 -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1536 -max_len="$longest" \
    $(if [ -e "$words" ]; then echo "-dict=$words"; fi) -artifact_prefix=".build-fuzz/$target-" -print_final_stats=1 \
    ".build-fuzz/corpus-$target" ".build-fuzz/seeds/$target" > "$log" 2>&1 || { tail -40 "$log" >&2; exit 1; }
  echo "fuzz-$target: $(grep -E '^Done' "$log"), $(grep -oE 'cov: [0-9]+' "$log" | tail -1)"
}

if [ "$1" = --one ]; then
  shift
  fuzz "$@"
  exit
fi
echo "$targets" | while read -r target _; do
  # --sanitize takes one sanitizer; C is compiled for both too.
  swift build -c release --sanitize fuzzer -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=address \
    --scratch-path .build-fuzz --product "fuzz-$target"
done
if [ "$1" = 0 ]; then exit; fi
python3 Tests/Fuzz/seeds.py . .build-fuzz/seeds
echo "$targets" | sed "s/^/$1 /" | xargs -P "$(nproc)" -L 1 Scripts/proof/fuzz.sh --one
