#!/bin/sh
# The program beside its floor, in turn, on one warm file: bench.sh SYNSCOPE [CONNECTIONS]
set -eu
synscope=$1
connections=${2:-1000000}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cc -O2 -o "$folder/bare" "$(dirname "$0")/bare-pcap-loop.c" -lpcap
swift build -q -c release --product make-workload
.build/release/make-workload w1 "$connections" "$folder/w1.pcap"
seconds() { start=$(date +%s%N); "$@" > "$folder/out"; end=$(date +%s%N); echo $(((end - start) / 1000)); }
cat "$folder/w1.pcap" > /dev/null
"$folder/bare" "$folder/w1.pcap"
packets=$("$folder/bare" "$folder/w1.pcap" | cut -d' ' -f1)
echo "run  bare libpcap loop  synscope -q  ratio of rates"
for run in 1 2 3 4 5; do
  floor=$(seconds "$folder/bare" "$folder/w1.pcap")
  ours=$(seconds "$synscope" -q "$folder/w1.pcap")
  echo "$run $packets $floor $ours" | awk '{printf "%3d  %8.2f Mpkt/s   %8.2f Mpkt/s  %.3f\n", $1, $2/$3, $2/$4, $3/$4}'
done
echo "run  check with one rule  with twenty  more"
for run in 1 2 3 4 5; do
  one=$(seconds "$synscope" check "$folder/w1.pcap" -e 'count() > 0' --report json || true)
  rules=$(seconds "$synscope" check "$folder/w1.pcap" --rules "$(dirname "$0")/../Tests/Checks/twenty-rules.yml" --report json || true)
  echo "$run $one $rules" | awk '{printf "%3d  %17.2f s  %9.2f s  %.1f %%\n", $1, $2/1e6, $3/1e6, 100*($3/$2-1)}'
done
if [ -x /usr/bin/time ]; then
  /usr/bin/time -f "synscope: %M KiB resident at most" "$synscope" -q "$folder/w1.pcap" > "$folder/out"
fi
