#!/usr/bin/env python3
"""Frames for the decoder's tests, made by scapy (2.8.0), or octet by octet where scapy has no layer for it: no code is shared with
the project. Prints the table that the tests read: python3 frames.py > frames.tsv

Columns: what it is, the link type's number, the octets, and what must be decoded of them.
"""
import socket
import struct

from scapy.config import conf

conf.verb = 0
from scapy.all import AH, GRE, IP, IPOption_LSRR, L2TP, LLC, PPI, PPP, SNAP, TCP, UDP, VXLAN, Dot11, Dot11QoS, Dot1AD, Dot1Q, Ether, IPv6, PPPoE, RadioTap, Raw
from scapy.contrib.erspan import ERSPAN_I, ERSPAN_II, ERSPAN_III, ERSPAN_PlatformSpecific
from scapy.contrib.etherip import EtherIP
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.contrib.macsec import MACsec
from scapy.contrib.mpls import MPLS
from scapy.contrib.nsh import NSH
from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting

SYN4 = IP(src="192.0.2.1", dst="198.51.100.1", id=7) / TCP(sport=40000, dport=443, seq=1000, flags="S", options=[("MSS", 1460)])
SYN6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / TCP(sport=40000, dport=443, seq=1000, flags="S", options=[("MSS", 1440)])
OUTER = IP(src="10.0.0.1", dst="10.0.0.2")
OUTER6 = IPv6(src="fd00::1", dst="fd00::2")
ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
INNER = Ether(src="02:00:00:00:00:03", dst="02:00:00:00:00:04")
# Six link addresses' worth of nothing in particular.
MAC = bytes.fromhex("020000000002") + bytes.fromhex("020000000001")
IS4 = "192.0.2.1:40000 > 198.51.100.1:443 S seq 1000 mss 1460"
IS6 = "[2001:db8::1]:40000 > [2001:db8::2]:443 S seq 1000 mss 1440"
FROM = "outer 10.0.0.1 > 10.0.0.2"
FROM6 = "outer fd00::1 > fd00::2"


def inet6(text):
    return socket.inet_pton(socket.AF_INET6, text)


SNAP4 = bytes.fromhex("aaaa03000000 0800".replace(" ", ""))
SNAP6 = bytes.fromhex("aaaa03000000 86dd".replace(" ", ""))


def raw(packet):
    return bytes(packet)


def fixed(carrier, payload):
    """The carrier before octets that scapy does not know."""
    return bytes(carrier / Raw(raw(payload)))


four, six = raw(SYN4), raw(SYN6)
ROWS = [
    # Link types.
    ("ethernet", 1, ETHER / SYN4, IS4),
    ("ethernet, padded to 60 octets", 1, raw(ETHER / IP(src="192.0.2.1", dst="198.51.100.1", id=7) / TCP(sport=40000, dport=443, seq=1000, flags="S")).ljust(60, b"\0"), "192.0.2.1:40000 > 198.51.100.1:443 S seq 1000"),
    ("802.3 with llc and snap", 1, MAC + struct.pack(">H", 8 + len(four)) + SNAP4 + four, IS4),
    ("802.3 with an 802.1h snap", 1, MAC + struct.pack(">H", 8 + len(four)) + bytes.fromhex("aaaa030000f80800") + four, IS4),
    ("802.3 with spanning tree", 1, MAC + struct.pack(">H", 4) + bytes.fromhex("42420300"), "ignored llc"),
    ("null, little-endian", 0, bytes.fromhex("02000000") + four, IS4),
    ("null, big-endian", 0, bytes.fromhex("0000001c") + six, IS6),
    ("loop", 108, bytes.fromhex("00000018") + six, IS6),
    ("raw", 101, SYN4, IS4),
    ("raw as 12", 12, SYN6, IS6),
    ("raw as 14", 14, SYN4, IS4),
    ("ipv4", 228, SYN4, IS4),
    ("ipv6", 229, SYN6, IS6),
    ("linux cooked", 113, bytes.fromhex("0000 0001 0006 020000000001 0000 0800".replace(" ", "")) + four, IS4),
    ("linux cooked 2", 276, bytes.fromhex("86dd 0000 00000003 0001 04 06 020000000001 0000".replace(" ", "")) + six, IS6),
    ("token ring", 6, bytes.fromhex("1040") + MAC + SNAP4 + four, IS4),
    ("token ring with a routing field", 6, bytes.fromhex("1040 020000000002 820000000001 0630 0011 0020".replace(" ", "")) + SNAP4 + four, IS4),
    ("token ring mac frame", 6, bytes.fromhex("1000") + MAC + bytes(8), "ignored link-control"),
    ("fddi", 10, bytes.fromhex("50") + MAC + SNAP6 + six, IS6),
    ("fddi station management", 10, bytes.fromhex("41") + MAC + bytes(8), "ignored link-control"),
    ("arcnet rfc 1051", 7, bytes.fromhex("0102f0") + four, IS4),
    ("arcnet rfc 1201", 7, bytes.fromhex("0102d4000001") + four, IS4),
    ("arcnet rfc 1201, an exception packet", 7, bytes.fromhex("0102d4ffffffd4000001") + four, IS4),
    ("arcnet, a later fragment", 7, bytes.fromhex("0102d4020001") + four, "ignored fragment"),
    ("arcnet linux", 129, bytes.fromhex("01020000d4000001") + four, IS4),
    ("ppp", 9, PPP(proto=0x21) / SYN4, IS4),
    ("ppp with address and control", 9, bytes.fromhex("ff030057") + six, IS6),
    ("ppp with a protocol of one octet", 9, bytes.fromhex("ff0321") + four, IS4),
    ("ppp link control", 9, bytes.fromhex("ff03c02101010004"), "ignored link-control"),
    ("ppp encrypted", 9, bytes.fromhex("ff0300fd1234"), "ignored encrypted"),
    ("ppp in hdlc", 50, bytes.fromhex("ff030021") + four, IS4),
    ("ppp serial with cisco's hdlc", 50, bytes.fromhex("0f000800") + four, IS4),
    ("pppoe without ethernet", 51, PPPoE(sessionid=9) / PPP(proto=0x21) / SYN4, IS4 + " | pppoe 9"),
    ("ppp from pppd", 166, bytes.fromhex("01030021") + four, IS4),
    ("ppp with direction", 204, bytes.fromhex("00ff030057") + six, IS6),
    ("cisco hdlc", 104, bytes.fromhex("0f0086dd") + six, IS6),
    ("cisco hdlc with direction", 205, bytes.fromhex("010f000800") + four, IS4),
    ("frame relay, nlpid", 107, bytes.fromhex("184103cc") + four, IS4),
    ("frame relay, four octets of address", 107, bytes.fromhex("18401001 03 8e".replace(" ", "")) + six, IS6),
    ("frame relay, snap after a pad", 107, bytes.fromhex("1841 03 00 80 000000 0800".replace(" ", "")) + four, IS4),
    ("frame relay, bridged ethernet", 107, bytes.fromhex("1841 03 00 80 0080c2 0007".replace(" ", "")) + raw(INNER / SYN4), IS4),
    ("frame relay, cisco", 107, bytes.fromhex("18410800") + four, IS4),
    ("frame relay with direction", 206, bytes.fromhex("00184103cc") + four, IS4),
    ("atm, llc", 100, SNAP6 + six, IS6),
    ("atm, bridged ethernet", 100, bytes.fromhex("aaaa030080c200070000") + raw(INNER / SYN4), IS4),
    ("ip over fibre channel", 122, bytes.fromhex("1000020000000002 1000020000000001".replace(" ", "")) + SNAP4 + four, IS4),
    ("infiniband", 242, bytes(40) + bytes.fromhex("08000000") + four, IS4),
    ("enc", 109, struct.pack("<III", 2, 0x1234, 3) + four, IS4),
    ("pf log, ipv4", 117, bytes([61, 2]) + bytes(62) + four, IS4),
    ("pf log, ipv6", 117, bytes([61, 24]) + bytes(62) + six, IS6),
    ("netfilter log, little-endian", 239, bytes.fromhex("02000005") + struct.pack("<HH", 8, 1) + bytes.fromhex("08000100") + struct.pack("<HH", 6, 10) + b"ab\0\0" + struct.pack("<HH", 4 + len(four), 9) + four, IS4),
    ("netfilter log, big-endian", 239, bytes.fromhex("0a000005") + struct.pack(">HH", 8, 1) + bytes.fromhex("86dd0100") + struct.pack(">HH", 4 + len(six), 9) + six, IS6),
    ("netfilter log without a packet", 239, bytes.fromhex("02000005") + struct.pack("<HH", 8, 1) + bytes.fromhex("08000100"), "ignored other-ethertype"),
    ("ppi, ethernet", 192, PPI(dlt=1) / ETHER / SYN4, IS4),
    ("ppi, wi-fi", 192, struct.pack("<BBHI", 0, 0, 8, 105) + raw(Dot11(type=2, FCfield=1) / LLC() / SNAP() / SYN4), IS4),
    ("packet tap, ethernet", 258, struct.pack("<III", 108, 1, 1) + bytes(96) + raw(ETHER / SYN4), IS4),
    ("packet tap, raw", 258, struct.pack("<III", 108, 1, 12) + bytes(96) + six, IS6),
    ("packet tap of an unknown link type", 258, struct.pack("<III", 108, 1, 220) + bytes(96), "ignored link-type-220"),
    ("broadcom tag", 281, MAC + bytes.fromhex("00000001 0800".replace(" ", "")) + four, IS4),
    ("broadcom tag before ethernet", 282, bytes.fromhex("00000001") + raw(ETHER / SYN4), IS4),
    ("marvell tag", 284, MAC + bytes.fromhex("40100000 86dd".replace(" ", "")) + six, IS6),
    ("marvell tag with a vlan", 284, MAC + bytes.fromhex("60100064 0800".replace(" ", "")) + four, IS4 + " | vlan 100"),
    ("marvell ethertype tag", 285, MAC + bytes.fromhex("dada 0000 40100000 0800".replace(" ", "")) + four, IS4),
    ("an unknown link type", 147, bytes(40), "ignored link-type-147"),
    # Wi-Fi.
    ("wi-fi, to the access point", 105, Dot11(type=2, FCfield=1) / LLC() / SNAP() / SYN4, IS4),
    ("wi-fi, from the access point, qos", 105, Dot11(type=2, subtype=8, FCfield=2) / Dot11QoS() / LLC() / SNAP() / SYN6, IS6),
    ("wi-fi, four addresses, qos", 105, Dot11(type=2, subtype=8, FCfield=3, addr4="02:00:00:00:00:09") / Dot11QoS() / LLC() / SNAP() / SYN4, IS4),
    ("wi-fi, qos and ht control", 105, bytes.fromhex("8881") + bytes(22) + bytes.fromhex("0000 00000000".replace(" ", "")) + SNAP4 + four, IS4),
    ("wi-fi, aggregated", 105, bytes.fromhex("8801") + bytes(22) + bytes.fromhex("8000") + MAC + struct.pack(">H", 8 + len(four)) + SNAP4 + four, IS4),
    ("wi-fi, encrypted", 105, Dot11(type=2, FCfield=0x41) / Raw(bytes(40)), "ignored encrypted"),
    ("wi-fi, a beacon", 105, Dot11(type=0, subtype=8) / Raw(bytes(40)), "ignored link-control"),
    ("wi-fi, data without data", 105, Dot11(type=2, subtype=4), "ignored link-control"),
    ("radiotap", 127, RadioTap() / Dot11(type=2, FCfield=1) / LLC() / SNAP() / SYN4, IS4),
    ("radiotap with fields", 127, RadioTap(present="TSFT+Flags+Rate+Channel", mac_timestamp=5, Flags=0, Rate=2, ChannelFrequency=2412, ChannelFlags=0) / Dot11(type=2, FCfield=1) / LLC() / SNAP() / SYN4, IS4),
    ("radiotap, padded after the wi-fi header", 127, bytes.fromhex("00000900 02000000 20".replace(" ", "")) + bytes.fromhex("8801") + bytes(22) + bytes.fromhex("0000 0000".replace(" ", "")) + SNAP6 + six, IS6),
    ("prism", 119, struct.pack("<II", 0x44, 144) + bytes(136) + raw(Dot11(type=2, FCfield=1) / LLC() / SNAP() / SYN4), IS4),
    ("avs", 163, struct.pack(">II", 0x80211001, 64) + bytes(56) + raw(Dot11(type=2, FCfield=1) / LLC() / SNAP() / SYN4), IS4),
    # VLAN and below IP.
    ("vlan", 1, ETHER / Dot1Q(vlan=100) / SYN4, IS4 + " | vlan 100"),
    ("vlans in a provider's", 1, ETHER / Dot1AD(vlan=7) / Dot1Q(vlan=100) / SYN6, IS6 + " | vlan 7 100"),
    ("mpls", 1, ETHER / MPLS(label=16, s=0) / MPLS(label=30, s=1) / SYN4, IS4 + " | mpls 16, mpls 30"),
    ("mpls, ethernet after a control word", 1, fixed(ETHER / MPLS(label=99, s=1), bytes(4) + raw(INNER / SYN4)), IS4 + " | mpls 99, pseudowire"),
    ("mpls, ethernet without a control word", 1, fixed(ETHER / MPLS(label=99, s=1), raw(Ether(src="02:00:00:00:00:03", dst="a2:00:00:00:00:04") / SYN4)), IS4 + " | mpls 99, pseudowire"),
    ("mpls, ethernet whose address looks like ip", 1, fixed(ETHER / MPLS(label=99, s=1), raw(Ether(src="02:00:00:00:00:03", dst="4c:00:00:00:00:04") / SYN4)), IS4 + " | mpls 99, pseudowire"),
    ("mpls, ethernet whose address looks like a control word", 1, fixed(ETHER / MPLS(label=99, s=1), raw(INNER / SYN4)), IS4 + " | mpls 99, pseudowire"),
    ("mpls on ppp", 9, bytes.fromhex("0281") + raw(MPLS(label=16, s=1) / SYN4), IS4 + " | mpls 16"),
    ("pppoe", 1, ETHER / PPPoE(sessionid=17) / PPP(proto=0x57) / SYN6, IS6 + " | pppoe 17"),
    ("pppoe discovery", 1, MAC + bytes.fromhex("8863 1109 0000 0000".replace(" ", "")), "ignored other-ethertype"),
    ("nsh, ipv4", 1, ETHER / NSH(nextproto=1, spi=77, si=3, mdtype=2) / SYN4, IS4 + " | nsh 77"),
    ("nsh, ethernet, with metadata", 1, ETHER / NSH(nextproto=3, spi=78, mdtype=1) / INNER / SYN4, IS4 + " | nsh 78"),
    ("macsec, integrity only, with a channel", 1, raw(ETHER / MACsec(SC=1, E=0, C=0, an=2, pn=5, sci=b"\2\0\0\0\0\1\0\1", type=0x0800) / SYN4) + bytes(16), IS4 + " | macsec 2"),
    ("macsec, integrity only", 1, raw(ETHER / MACsec(SC=0, E=0, C=0, an=1, pn=5, type=0x86dd) / SYN6) + bytes(16), IS6 + " | macsec 1"),
    ("macsec, encrypted", 1, raw(ETHER / MACsec(SC=0, E=1, C=1, an=1, pn=5)) + bytes(60), "ignored encrypted"),
    # In IP.
    ("ip in ip", 1, ETHER / OUTER / SYN4, IS4 + f" | ip-in-ip | {FROM}"),
    ("6in4", 1, ETHER / OUTER / SYN6, IS6 + f" | ip-in-ip | {FROM}"),
    ("4in6", 1, ETHER / OUTER6 / SYN4, IS4 + f" | ip-in-ip | {FROM6}"),
    ("6in6", 1, ETHER / OUTER6 / SYN6, IS6 + f" | ip-in-ip | {FROM6}"),
    ("gre", 1, ETHER / OUTER / GRE() / SYN4, IS4 + f" | gre | {FROM}"),
    ("gre with checksum, key and sequence number", 1, ETHER / OUTER / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=42, seqence_number=3) / SYN6, IS6 + f" | gre 42 | {FROM}"),
    ("gre over ipv6", 1, ETHER / OUTER6 / GRE(key_present=1, key=5) / SYN4, IS4 + f" | gre 5 | {FROM6}"),
    ("nvgre", 1, fixed(ETHER / OUTER / GRE(proto=0x6558, key_present=1, key=0x1234 << 8), INNER / SYN4), IS4 + f" | gre {0x1234 << 8} | {FROM} | network nvgre {0x1234}"),
    ("gre with mpls", 1, ETHER / OUTER / GRE(proto=0x8847) / MPLS(label=20, s=1) / SYN4, IS4 + f" | gre, mpls 20 | {FROM}"),
    ("gre keepalive", 1, ETHER / OUTER / GRE(proto=0), "ignored other-ethertype"),
    ("gre with clns", 1, fixed(ETHER / OUTER / GRE(proto=0x00fe), bytes(20)), "ignored other-ethertype"),
    ("wccp with its first bit set", 1, fixed(ETHER / OUTER / GRE(proto=0x883e), bytes.fromhex("40020304") + four), IS4 + f" | gre | {FROM}"),
    ("wccp", 1, fixed(ETHER / OUTER / GRE(proto=0x883e), bytes.fromhex("01020304") + four), IS4 + f" | gre | {FROM}"),
    ("pptp", 1, raw(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=47) / Raw(bytes.fromhex("3081880b") + struct.pack(">HHII", len(four) + 4, 33, 1, 2) + bytes.fromhex("ff030021") + four)), IS4 + f" | gre 33 | {FROM}"),
    ("erspan i", 1, fixed(ETHER / OUTER / GRE(proto=0x88be), INNER / SYN4), IS4 + f" | gre, erspan | {FROM}"),
    ("erspan ii", 1, ETHER / OUTER / GRE(proto=0x88be, seqnum_present=1) / ERSPAN_II(session_id=11, vlan=5) / INNER / SYN4, IS4 + f" | gre, erspan 11 | {FROM}"),
    ("erspan iii", 1, ETHER / OUTER / GRE(proto=0x22eb, seqnum_present=1) / ERSPAN_III(session_id=12) / INNER / SYN6, IS6 + f" | gre, erspan 12 | {FROM}"),
    ("erspan iii with a platform's header", 1, ETHER / OUTER / GRE(proto=0x22eb, seqnum_present=1) / ERSPAN_III(session_id=13, o=1) / ERSPAN_PlatformSpecific() / INNER / SYN4, IS4 + f" | gre, erspan 13 | {FROM}"),
    ("etherip", 1, ETHER / OUTER / EtherIP() / INNER / SYN4, IS4 + f" | etherip | {FROM}"),
    ("mpls in ip", 1, ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=137) / MPLS(label=21, s=1) / SYN4, IS4 + f" | mpls 21 | {FROM}"),
    ("authentication header", 1, ETHER / IP(src="192.0.2.1", dst="198.51.100.1", id=7) / AH(nh=6, payloadlen=4, spi=99, seq=1, icv=bytes(12)) / Raw(four[20:]), IS4 + " | ah 99"),
    ("authentication header, ipv6", 1, ETHER / IPv6(src="2001:db8::1", dst="2001:db8::2") / AH(nh=6, payloadlen=4, spi=98, seq=1, icv=bytes(12)) / Raw(six[40:]), IS6 + " | ah 98"),
    ("ipv6 extension headers", 1, ETHER / IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() / SYN6[TCP], IS6),
    ("routing header, type 0, one address left", 1, ETHER / IPv6(src="2001:db8::1", dst="2001:db8::99") / IPv6ExtHdrRouting(nh=6, addresses=["2001:db8::98", "2001:db8::2"], segleft=2) / Raw(six[40:]), IS6),
    ("routing header, type 2", 1, raw(ETHER / IPv6(src="2001:db8::1", dst="2001:db8::99", nh=43) / Raw(bytes.fromhex("0602020100000000") + inet6("2001:db8::2") + six[40:])), IS6),
    ("segment routing", 1, raw(ETHER / IPv6(src="2001:db8::1", dst="2001:db8::99", nh=43) / Raw(bytes.fromhex("0604040101000000") + inet6("2001:db8::2") + inet6("2001:db8::99") + six[40:])), IS6),
    ("home address", 1, raw(ETHER / IPv6(src="2001:db8::77", dst="2001:db8::2", nh=60) / Raw(bytes.fromhex("060201020000c910") + inet6("2001:db8::1") + six[40:])), IS6),
    ("loose source route", 1, raw(ETHER / IP(src="192.0.2.1", dst="198.51.100.9", id=7, proto=6, options=[IPOption_LSRR(routers=["198.51.100.1"])]) / Raw(four[20:])), IS4),
    ("encrypted", 1, ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=50) / Raw(bytes(40)), "ignored encrypted"),
    # In UDP.
    ("vxlan", 1, ETHER / OUTER / UDP(sport=50000, dport=4789) / VXLAN(vni=42, flags=8) / INNER / SYN4, IS4 + f" | vxlan 42 | {FROM} | network vxlan 42"),
    ("vxlan on linux's port, over ipv6", 1, fixed(ETHER / OUTER6 / UDP(sport=50000, dport=8472), VXLAN(vni=43, flags=8) / INNER / SYN6), IS6 + f" | vxlan 43 | {FROM6} | network vxlan 43"),
    ("vxlan with vlans inside and outside", 1, ETHER / Dot1Q(vlan=3) / OUTER / UDP(sport=50000, dport=4789) / VXLAN(vni=42, flags=8) / INNER / Dot1Q(vlan=4) / SYN4, IS4 + f" | vlan 3 4 | vxlan 42 | {FROM} | network vxlan 42"),
    ("vxlan-gpe, ipv4", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=4790), bytes.fromhex("0c000001 00002c00".replace(" ", "")) + four), IS4 + f" | vxlan 44 | {FROM} | network vxlan 44"),
    ("vxlan-gpe, nsh", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=4790), bytes.fromhex("0c000004 00002c00".replace(" ", "")) + raw(NSH(nextproto=1, spi=5, mdtype=2) / SYN4)), IS4 + f" | vxlan 44, nsh 5 | {FROM} | network vxlan 44"),
    ("geneve", 1, ETHER / OUTER / UDP(sport=50000, dport=6081) / GENEVE(vni=45) / INNER / SYN4, IS4 + f" | geneve 45 | {FROM} | network geneve 45"),
    ("geneve with options, ipv6", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=6081), bytes.fromhex("0200 86dd 00002e00 0102030100000000".replace(" ", "")) + six), IS6 + f" | geneve 46 | {FROM} | network geneve 46"),
    ("gtp-u", 1, ETHER / OUTER / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=0x1234) / SYN4, IS4 + f" | gtp-u {0x1234} | {FROM}"),
    ("gtp-u with an extension", 1, ETHER / OUTER / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=9, E=1) / GTPPDUSessionContainer(type=0, QFI=3) / SYN6, IS6 + f" | gtp-u 9 | {FROM}"),
    ("gtp-u with a sequence number", 1, ETHER / OUTER / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=10, S=1, seq=7) / SYN4, IS4 + f" | gtp-u 10 | {FROM}"),
    ("gtp-u echo", 1, fixed(ETHER / OUTER / UDP(sport=2152, dport=2152), bytes.fromhex("3201 0004 00000000 00010000".replace(" ", ""))), "ignored udp"),
    ("l2tp", 1, ETHER / OUTER / UDP(sport=1701, dport=1701) / L2TP(hdr=0, tunnel_id=3, session_id=21) / PPP(proto=0x21) / SYN4, IS4 + f" | l2tp 21 | {FROM}"),
    ("l2tp with length, sequence and offset", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=1701), struct.pack(">HHHHHHHH", 0x4a02, 20 + len(six), 3, 22, 1, 0, 2, 0) + bytes.fromhex("ff030057") + six), IS6 + f" | l2tp 22 | {FROM}"),
    ("l2tp control", 1, fixed(ETHER / OUTER / UDP(sport=1701, dport=1701), struct.pack(">HHHHHH", 0xc802, 12, 3, 0, 1, 1)), "ignored link-control"),
    ("l2tpv3 over udp, ethernet after a cookie", 1, fixed(ETHER / OUTER / UDP(sport=1701, dport=1701), struct.pack(">HHII", 3, 0, 23, 0xdeadbeef) + raw(INNER / SYN4)), IS4 + f" | l2tp 23 | {FROM}"),
    ("l2tpv3 over ip, ip", 1, raw(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=115) / Raw(struct.pack(">I", 24) + four)), IS4 + f" | l2tp 24 | {FROM}"),
    ("teredo", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=3544), SYN6), IS6 + f" | teredo | {FROM}"),
    ("teredo with authentication and origin", 1, fixed(ETHER / OUTER / UDP(sport=3544, dport=50000), bytes.fromhex("00010000") + bytes(9) + bytes.fromhex("0000 3cbf f5fffffe".replace(" ", "")) + six), IS6 + f" | teredo | {FROM}"),
    ("mpls in udp", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=6635), MPLS(label=22, s=1) / SYN4), IS4 + f" | mpls 22 | {FROM}"),
    ("gre in udp", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=4754), GRE() / SYN4), IS4 + f" | gre | {FROM}"),
    ("vxlan-gpe, mpls", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=4790), bytes.fromhex("0c000005 00002c00".replace(" ", "")) + raw(MPLS(label=23, s=1) / SYN4)), IS4 + f" | vxlan 44, mpls 23 | {FROM} | network vxlan 44"),
    ("gtp-u with ethernet", 1, fixed(ETHER / OUTER / UDP(sport=2152, dport=40001), bytes.fromhex("30ff") + struct.pack(">HI", len(raw(INNER / SYN4)), 11) + raw(INNER / SYN4)), IS4 + f" | gtp-u 11 | {FROM}"),
    ("a question from a tunnel's port", 1, fixed(ETHER / OUTER / UDP(sport=3544, dport=53), bytes.fromhex("0001 0100 0001 0000 0000 0000 00".replace(" ", ""))), "ignored udp"),
    ("an answer to a tunnel's port", 1, fixed(ETHER / OUTER / UDP(sport=53, dport=8472), bytes.fromhex("0881 8180 0001 0001 0000 0000 00".replace(" ", ""))), "ignored udp"),
    ("dns", 1, ETHER / OUTER / UDP(sport=50000, dport=53) / Raw(bytes(20)), "ignored udp"),
    # Nested.
    ("vxlan in gre in ip in ip", 1, ETHER / IP(src="10.9.0.1", dst="10.9.0.2") / IP(src="10.8.0.1", dst="10.8.0.2") / GRE(key_present=1, key=6) / OUTER / UDP(sport=50000, dport=4789) / VXLAN(vni=42, flags=8) / INNER / SYN4, IS4 + " | ip-in-ip, gre 6, vxlan 42 | outer 10.9.0.1 > 10.9.0.2 | network vxlan 42"),
    ("nine packets in each other", 1, ETHER / OUTER / OUTER / OUTER / OUTER / OUTER / OUTER / OUTER / OUTER / OUTER / SYN4, "ignored encapsulated-too-deep"),
    ("ethernet in ethernet in ethernet", 1, (MAC + bytes.fromhex("6558")) * 9 + raw(ETHER / SYN4), "ignored encapsulated-too-deep"),
]

print("# Made by frames.py beside it.")
for name, link, packet, expected in ROWS:
    print(name, link, raw(packet).hex(), expected, sep="\t")
