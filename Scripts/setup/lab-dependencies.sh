#!/bin/sh
# Installs what the kernel labs need: namespaces, other eyes on the same packets, a browser and a terminal to look at. The argument is how to become root.
set -eu
if [ "$(id -u)" != 0 ]; then exit 0; fi
missing=
command -v ip > /dev/null || missing="$missing iproute2"
command -v iptables > /dev/null || missing="$missing iptables"
command -v nft > /dev/null || missing="$missing nftables"
command -v python3 > /dev/null || missing="$missing python3"
command -v tcpdump > /dev/null || missing="$missing tcpdump"
command -v tshark > /dev/null || missing="$missing tshark"
command -v tmux > /dev/null || missing="$missing tmux"
command -v promtool > /dev/null || missing="$missing prometheus"
command -v chromium > /dev/null || missing="$missing chromium"
command -v setcap > /dev/null || missing="$missing libcap2-bin"
command -v setpriv > /dev/null || missing="$missing util-linux"
if [ -z "$missing" ]; then exit 0; fi
command -v apt-get > /dev/null || { echo "synscope: the lab needs$missing: install them and try again" >&2; exit 1; }
echo "synscope: installing$missing"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
