#!/bin/bash
# Records real handshakes into a folder: record-captures.sh FOLDER
#
# Two network namespaces joined by a veth pair; client and server are the kernel's own TCP, tcpdump listens at the client's
# end. Needs root and iproute2, tcpdump, nftables, iptables, python3. Everything that it makes it takes down again.
set -euo pipefail
folder=$(realpath "$1")
for tool in ip tcpdump nft iptables python3; do
  command -v "$tool" > /dev/null || { echo "record-captures: $tool is missing" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "record-captures: network namespaces need root" >&2; exit 1; }

client=synscope-client-$$
server=synscope-server-$$
background=()
finish() {
  for process in "${background[@]}"; do kill "$process" 2> /dev/null || true; done
  ip netns del "$client" 2> /dev/null || true
  ip netns del "$server" 2> /dev/null || true
}
trap finish EXIT

# Interface names are at most 15 characters, and live in the namespaces alone.
ip netns add "$client"
ip netns add "$server"
ip -n "$client" link add veth0 type veth peer name veth1 netns "$server"
ip -n "$client" addr add 192.0.2.1/24 dev veth0
ip -n "$server" addr add 192.0.2.2/24 dev veth1
ip -n "$client" -6 addr add 2001:db8::1/64 dev veth0 nodad
ip -n "$server" -6 addr add 2001:db8::2/64 dev veth1 nodad
for end in "$client veth0" "$server veth1"; do
  set -- $end
  ip -n "$1" link set lo up
  ip -n "$1" link set "$2" up
done

in_client() { ip netns exec "$client" "$@"; }
in_server() { ip netns exec "$server" "$@"; }

# Started without a shell function between, so that $! is the process itself.
ip netns exec "$server" python3 - > /dev/null <<'PYTHON' &
import socket, time
ports = []
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, 8080)); s.listen(64); ports.append(s)
time.sleep(600)
PYTHON
background+=($!)
sleep 0.5

connect() { # address port seconds
  in_client python3 - "$@" <<'PYTHON' || true
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM)
s.settimeout(float(sys.argv[3]))
try:
    s.connect((sys.argv[1], int(sys.argv[2])))
    s.sendall(b"hello\n")
    import time; time.sleep(0.3)
except OSError as error:
    print("connect:", error)
PYTHON
}

# record NAME COMMAND...: captures while the command runs, and a second longer
record() {
  local name=$1
  shift
  echo "recording $name"
  ip netns exec "$client" tcpdump -q -Z root -i veth0 --immediate-mode -U -w "$folder/$name.pcap" 'tcp or icmp or icmp6[icmp6type] = 1' 2> /dev/null &
  local listener=$!
  background+=("$listener")
  sleep 0.7
  "$@"
  sleep 1
  kill -TERM "$listener"
  wait "$listener" || true
}

record kernel-established connect 192.0.2.2 8080 3
record kernel-ipv6 connect 2001:db8::2 8080 3
record kernel-refused connect 192.0.2.2 81 3

in_server iptables -A INPUT -p tcp --dport 82 -j REJECT --reject-with icmp-host-prohibited
record kernel-unreachable connect 192.0.2.2 82 3

# The first SYN is dropped where the server would receive it: the capture shows it leave.
in_server nft add table ip lab
in_server nft add chain ip lab input '{ type filter hook input priority 0; }'
in_server nft add set ip lab seen '{ type inet_service; flags dynamic; timeout 10s; }'
in_server nft add rule ip lab input tcp dport 8080 'tcp flags & (syn|ack) == syn' tcp sport != @seen add @seen '{ tcp sport }' drop
record kernel-syn-lost connect 192.0.2.2 8080 5
in_server nft delete table ip lab

# Every SYN is dropped: seven of them in the nine seconds that the client waits. Another connection then shows that the
# capture went on, so that the silence means something.
in_server iptables -A INPUT -p tcp --dport 83 -j DROP
unanswered() {
  connect 192.0.2.2 83 9
  connect 192.0.2.2 8080 3
}
record kernel-unanswered unanswered

# The clamp of a router: the SYN-ACK that passes here says less than the server's interface would allow.
in_server iptables -t mangle -A OUTPUT -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300
record kernel-mss-1300 connect 192.0.2.2 8080 3
