#!/bin/sh
# Compressed input beside its two floors, in turn, on warm files: bench-compressed.sh SYNSCOPE [CONNECTIONS]
# The floors: a bare loop over the same library, and the same capture analysed as it is. The rate that can be had is the slower one's.
set -eu
synscope=$1
connections=${2:-300000}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cc -O2 -o "$folder/bare" "$(dirname "$0")/bare-decompress.c" -lz -lzstd -llz4
swift build -q -c release --product make-workload
.build/release/make-workload w1 "$connections" "$folder/w1.pcap"
gzip -kq "$folder/w1.pcap"
zstd -kq "$folder/w1.pcap"
lz4 -kq "$folder/w1.pcap" "$folder/w1.pcap.lz4"
seconds() { start=$(date +%s%N); "$@" > "$folder/out"; end=$(date +%s%N); echo $(((end - start) / 1000)); }
octets=$(stat -c %s "$folder/w1.pcap")
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR + 1) / 2)]}'; }
echo "$octets octets of capture; MB/s of it, medians of seven"
echo "         bare loop  analysis of the plain file  synscope -q  share of the slower floor"
for kind in gzip:gz zstd:zst lz4:lz4; do
  tool=${kind%:*} file="$folder/w1.pcap.${kind#*:}"
  cat "$file" "$folder/w1.pcap" > /dev/null
  : > "$folder/floor"; : > "$folder/plain"; : > "$folder/ours"
  for run in 1 2 3 4 5 6 7; do
    seconds "$folder/bare" "$tool" "$file" >> "$folder/floor"
    seconds "$synscope" -q "$folder/w1.pcap" >> "$folder/plain"
    seconds "$synscope" -q "$file" >> "$folder/ours"
  done
  echo "$tool $octets $(median < "$folder/floor") $(median < "$folder/plain") $(median < "$folder/ours")" |
    awk '{slower = $3 > $4 ? $3 : $4; printf "%-6s %11.0f  %26.0f  %11.0f  %.3f\n", $1, $2/$3, $2/$4, $2/$5, slower/$5}'
done
