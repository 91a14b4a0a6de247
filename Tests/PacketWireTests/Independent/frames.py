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
from scapy.contrib.chdlc import CHDLC
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
    ("netfilter log of a bridge", 239, bytes.fromhex("07000000") + struct.pack("<HH", 8, 1) + bytes.fromhex("86dd0200") + struct.pack("<HH", 6, 15) + struct.pack(">H", 1) + bytes(2) + struct.pack("<HH", 18, 16) + MAC[:6] + MAC[6:] + bytes.fromhex("86dd") + bytes(2) + struct.pack("<HH", 4 + len(six), 9) + six, IS6),
    ("netfilter log of a bridge, with a vlan tag", 239, bytes.fromhex("07000000") + struct.pack("<HH", 8, 1) + bytes.fromhex("81000200") + struct.pack("<HH", 8 + len(four), 9) + bytes.fromhex("00070800") + four, IS4 + " | vlan 7"),
    ("netfilter log of a bridge, arp", 239, bytes.fromhex("07000000") + struct.pack("<HH", 8, 1) + bytes.fromhex("08060200") + struct.pack("<HH", 4 + 28, 9) + bytes(28), "ignored arp"),
    ("netfilter log of a device", 239, bytes.fromhex("05000000") + struct.pack("<HH", 8, 1) + bytes.fromhex("08000200") + struct.pack("<HH", 4 + len(four), 9) + four, IS4),
    ("netfilter log of a bridge that does not say what it holds", 239, bytes.fromhex("07000000") + struct.pack("<HH", 4 + len(four), 9) + four, "ignored other-ethertype"),
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
    ("cisco hdlc labelled ppp", 9, CHDLC() / SYN4, IS4),
    ("cisco hdlc labelled ppp, broadcast", 9, CHDLC(address=0x8f, proto=0x86dd) / SYN6, IS6),
    ("ppp whose address is neither", 9, bytes.fromhex("0f01") + four, "ignored other-ethertype"),
    ("cisco's metadata", 1, MAC + bytes.fromhex("8909 01 01 0001 000a 0800".replace(" ", "")) + four, IS4 + " | cmd 10"),
    ("cisco's metadata behind a vlan tag", 1, MAC + bytes.fromhex("8100 0064 8909 01 01 0001 000b 86dd".replace(" ", "")) + six, IS6 + " | vlan 100 | cmd 11"),
    ("cisco's metadata with two options", 1, MAC + bytes.fromhex("8909 01 02 0001 000c 0002 0007 0800".replace(" ", "")) + four, IS4 + " | cmd 12"),
    ("cisco's metadata without a tag", 1, MAC + bytes.fromhex("8909 01 01 0002 0007 0800".replace(" ", "")) + four, IS4 + " | cmd"),
    ("cisco's metadata of another version", 1, MAC + bytes.fromhex("8909 02 01 0001 000a 0800".replace(" ", "")) + four, f"ignored other-ethertype {0x8909}"),
    ("fabricpath", 1, bytes.fromhex("020005000001 020007000002 8903 0060".replace(" ", "")) + raw(INNER / Dot1Q(vlan=10) / SYN4), IS4 + " | vlan 10 | fabricpath 1"),
    ("fabricpath with a tag before it", 1, bytes.fromhex("020005000001 020007000002 8100 0003 8903 0320".replace(" ", "")) + raw(INNER / SYN6), IS6 + " | vlan 3 | fabricpath 12"),
    ("fabricpath with its control protocol", 1, bytes.fromhex("020005000001 020007000002 8903 0060".replace(" ", "")) + MAC + bytes.fromhex("22f4") + bytes(40), f"ignored other-ethertype {0x22f4}"),
    ("provider backbone bridges", 1, MAC + bytes.fromhex("88a8 0005 88e7 00012345".replace(" ", "")) + raw(INNER / SYN4), IS4 + f" | vlan 5 | pbb {0x12345}"),
    ("provider backbone bridges, the customer's tag", 1, MAC + bytes.fromhex("88e7 e0000007".replace(" ", "")) + raw(INNER / Dot1Q(vlan=9) / SYN6), IS6 + " | vlan 9 | pbb 7"),
    ("provider backbone bridges, connectivity checks", 1, MAC + bytes.fromhex("88e7 e0000007".replace(" ", "")) + MAC + bytes.fromhex("8902") + bytes(40), f"ignored other-ethertype {0x8902}"),
    ("vn-tag to an interface", 1, MAC + bytes.fromhex("8926 80210000 8100 0014 0800".replace(" ", "")) + four, IS4 + f" | vlan 20 | vn-tag {0x21}"),
    ("vn-tag from an interface", 1, MAC + bytes.fromhex("8926 00000022 86dd".replace(" ", "")) + six, IS6 + f" | vn-tag {0x22}"),
    ("vn-tag, fibre channel", 1, MAC + bytes.fromhex("8926 00000022 8906".replace(" ", "")) + bytes(60), f"ignored other-ethertype {0x8906}"),
    ("e-tag", 1, MAC + bytes.fromhex("893f 00000123 0000 8100 001e 0800".replace(" ", "")) + four, IS4 + f" | vlan 30 | e-tag {0x123}"),
    ("e-tag with group and extension", 1, MAC + bytes.fromhex("893f 20012123 0204 86dd".replace(" ", "")) + six, IS6 + f" | e-tag {0x204123}"),
    ("e-tag, link discovery", 1, MAC + bytes.fromhex("893f 00000123 0000 88cc".replace(" ", "")) + bytes(40), f"ignored other-ethertype {0x88cc}"),
    ("hsr", 1, MAC + bytes.fromhex("892f") + struct.pack(">HHH", 0x1000 | 6 + len(four), 77, 0x0800) + four, IS4 + " | hsr"),
    ("hsr behind a vlan tag", 1, MAC + bytes.fromhex("8100 0028 892f".replace(" ", "")) + struct.pack(">HHH", 6 + len(six), 78, 0x86dd) + six, IS6 + " | vlan 40 | hsr"),
    ("hsr, precision time", 1, MAC + bytes.fromhex("892f") + struct.pack(">HHH", 50, 79, 0x88f7) + bytes(44), f"ignored other-ethertype {0x88f7}"),
    ("hsr and prp supervision", 1, MAC + bytes.fromhex("88fb") + bytes(46), f"ignored other-ethertype {0x88fb}"),
    ("prp's trailer", 1, raw(ETHER / SYN4).ljust(60, b"\0") + struct.pack(">HHH", 80, 0xa000 | 52, 0x88fb), IS4),
    ("prp's trailer, ipv6", 1, raw(ETHER / SYN6) + struct.pack(">HHH", 81, 0xb000 | 70, 0x88fb), IS6),
    ("trill", 1, MAC + bytes.fromhex("22f3 0010 00c1 00c2".replace(" ", "")) + raw(INNER / Dot1Q(vlan=50) / SYN4), IS4 + f" | vlan 50 | trill {0xc2}"),
    ("trill with options", 1, MAC + bytes.fromhex("22f3 0890 00c1 00c3 0000000000000000".replace(" ", "")) + raw(INNER / SYN6), IS6 + f" | trill {0xc3}"),
    ("trill of another version", 1, MAC + bytes.fromhex("22f3 4010 00c1 00c2".replace(" ", "")) + raw(INNER / SYN4), f"ignored other-ethertype {0x22f3}"),
    ("trill's link state protocol", 1, MAC + bytes.fromhex("22f4") + bytes(60), f"ignored other-ethertype {0x22f4}"),
    ("metadata behind a vn-tag", 1, MAC + bytes.fromhex("8926 00000022 8100 0014 8909 01 01 0001 000a 0800".replace(" ", "")) + four, IS4 + f" | vlan 20 | vn-tag {0x22}, cmd 10"),
    ("pppoe", 1, ETHER / PPPoE(sessionid=17) / PPP(proto=0x57) / SYN6, IS6 + " | pppoe 17"),
    ("pppoe discovery", 1, MAC + bytes.fromhex("8863 1109 0000 0000".replace(" ", "")), f"ignored other-ethertype {0x8863}"),
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
    ("gre with clns", 1, fixed(ETHER / OUTER / GRE(proto=0x00fe), bytes(20)), f"ignored other-ethertype {0xfe}"),
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
    ("eoip", 1, fixed(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=47), struct.pack(">HHH", 0x2001, 0x6400, len(raw(INNER / SYN4))) + struct.pack("<H", 300) + raw(INNER / SYN4)), IS4 + f" | eoip 300 | {FROM}"),
    ("eoip, ipv6 behind a vlan tag", 1, fixed(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=47), struct.pack(">HHH", 0x2001, 0x6400, len(raw(INNER / Dot1Q(vlan=60) / SYN6))) + struct.pack("<H", 301) + raw(INNER / Dot1Q(vlan=60) / SYN6)), IS6 + f" | vlan 60 | eoip 301 | {FROM}"),
    ("eoip's keepalive", 1, fixed(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=47), struct.pack(">HHH", 0x2001, 0x6400, 0) + struct.pack("<H", 300)), "ignored link-control"),
    ("gre of version 1 with another protocol", 1, fixed(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=47), struct.pack(">HHHH", 0x2001, 0x6401, 60, 1) + bytes(60)), "ignored other-protocol 47"),
    ("aruba", 1, fixed(ETHER / OUTER / GRE(proto=0x8200), Dot11(type=2, FCfield=1) / LLC() / SNAP() / SYN4), IS4 + f" | gre | {FROM}"),
    ("aruba, qos, from the access point", 1, fixed(ETHER / OUTER / GRE(proto=0x8370), Dot11(type=2, subtype=8, FCfield=2) / Dot11QoS() / LLC() / SNAP() / SYN6), IS6 + f" | gre | {FROM}"),
    ("aruba, a beacon", 1, fixed(ETHER / OUTER / GRE(proto=0x8210), Dot11(type=0, subtype=8) / Raw(bytes(40))), "ignored link-control"),
    ("aruba, encrypted", 1, fixed(ETHER / OUTER / GRE(proto=0x8210), Dot11(type=2, FCfield=0x41) / Raw(bytes(40))), "ignored encrypted"),
    ("aruba's other protocol", 1, fixed(ETHER / OUTER / GRE(proto=0x9000), bytes(40)), f"ignored other-ethertype {0x9000}"),
    ("gre with a protocol between aruba's", 1, fixed(ETHER / OUTER / GRE(proto=0x8201), Dot11(type=2, FCfield=1) / LLC() / SNAP() / SYN4), f"ignored other-ethertype {0x8201}"),
    ("cisco's metadata in gre", 1, fixed(ETHER / OUTER / GRE(proto=0x8909), bytes.fromhex("0800 01 01 0001 000d".replace(" ", "")) + four), IS4 + f" | gre, cmd 13 | {FROM}"),
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
    ("gtp-u echo", 1, fixed(ETHER / OUTER / UDP(sport=2152, dport=2152), bytes.fromhex("3201 0004 00000000 00010000".replace(" ", ""))), "ignored udp 2152"),
    ("l2tp", 1, ETHER / OUTER / UDP(sport=1701, dport=1701) / L2TP(hdr=0, tunnel_id=3, session_id=21) / PPP(proto=0x21) / SYN4, IS4 + f" | l2tp 21 | {FROM}"),
    ("l2tp with length, sequence and offset", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=1701), struct.pack(">HHHHHHHH", 0x4a02, 20 + len(six), 3, 22, 1, 0, 2, 0) + bytes.fromhex("ff030057") + six), IS6 + f" | l2tp 22 | {FROM}"),
    ("l2tp control", 1, fixed(ETHER / OUTER / UDP(sport=1701, dport=1701), struct.pack(">HHHHHH", 0xc802, 12, 3, 0, 1, 1)), "ignored link-control"),
    ("l2tpv3 over udp, ethernet after a cookie", 1, fixed(ETHER / OUTER / UDP(sport=1701, dport=1701), struct.pack(">HHII", 3, 0, 23, 0xdeadbeef) + raw(INNER / SYN4)), IS4 + f" | l2tp 23 | {FROM}"),
    ("l2tpv3 over ip, ip", 1, raw(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=115) / Raw(struct.pack(">I", 24) + four)), IS4 + f" | l2tp 24 | {FROM}"),
    ("teredo", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=3544), SYN6), IS6 + f" | teredo | {FROM}"),
    ("teredo with authentication and origin", 1, fixed(ETHER / OUTER / UDP(sport=3544, dport=50000), bytes.fromhex("00010000") + bytes(9) + bytes.fromhex("0000 3cbf f5fffffe".replace(" ", "")) + six), IS6 + f" | teredo | {FROM}"),
    ("mpls in udp", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=6635), MPLS(label=22, s=1) / SYN4), IS4 + f" | mpls 22 | {FROM}"),
    ("gre in udp", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=4754), GRE() / SYN4), IS4 + f" | gre | {FROM}"),
    ("capwap, ethernet", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5247), bytes.fromhex("0010420000000000") + raw(INNER / SYN4)), IS4 + f" | capwap 1 | {FROM}"),
    ("capwap, wi-fi", 1, fixed(ETHER / OUTER / UDP(sport=5247, dport=50000), bytes.fromhex("0010430000000000") + raw(Dot11(type=2, FCfield=2) / LLC() / SNAP() / SYN4)), IS4 + f" | capwap 1 | {FROM}"),
    ("capwap, radio address and wireless information", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5247), bytes.fromhex("0030833000000000 06020000000009 00 04 2014021c000000".replace(" ", "")) + raw(Dot11(type=2, subtype=8, FCfield=1) / Dot11QoS() / LLC() / SNAP() / SYN6)), IS6 + f" | capwap 2 | {FROM}"),
    ("capwap, wi-fi as cisco writes it", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5247), bytes.fromhex("0010010000000000") + bytes.fromhex("0188") + raw(Dot11(type=2, subtype=8, FCfield=1) / Dot11QoS() / LLC() / SNAP() / SYN4)[2:]), IS4 + f" | capwap 0 | {FROM}"),
    ("capwap over ipv6", 1, fixed(ETHER / OUTER6 / UDP(sport=50000, dport=5247), bytes.fromhex("0010420000000000") + raw(INNER / SYN6)), IS6 + f" | capwap 1 | {FROM6}"),
    ("capwap, dtls", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5247), bytes.fromhex("0100000017feff0001") + bytes(60)), "ignored encrypted"),
    ("capwap, part of a frame", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5247), bytes.fromhex("0010438000010000") + raw(Dot11(type=2, FCfield=1) / LLC() / SNAP() / SYN4)), "ignored fragment"),
    ("capwap keepalive", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5247), bytes.fromhex("0010420800000000") + bytes(20)), "ignored link-control"),
    ("capwap, epcglobal", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5247), bytes.fromhex("0010470000000000") + bytes(40)), "ignored other-protocol"),
    ("capwap of another version", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5247), bytes.fromhex("2010420000000000") + raw(INNER / SYN4)), "ignored udp 5247"),
    ("ayiya", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5072), bytes.fromhex("41 52 11 29 65000000".replace(" ", "")) + inet6("2001:db8::9") + bytes(20) + six), IS6 + f" | ayiya | {FROM}"),
    ("ayiya, an answer with ipv4", 1, fixed(ETHER / OUTER / UDP(sport=5072, dport=50000), bytes.fromhex("20 00 03 04 65000000".replace(" ", "")) + bytes(4) + four), IS4 + f" | ayiya | {FROM}"),
    ("ayiya's heartbeat", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5072), bytes.fromhex("41 52 10 3b 65000000".replace(" ", "")) + inet6("2001:db8::9") + bytes(20)), "ignored link-control"),
    ("something else on ayiya's port", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=5072), b"SIP/2.0 200 OK"), "ignored udp 5072"),
    ("vxlan on another port", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=12345), VXLAN(vni=47, flags=8) / INNER / SYN4), IS4 + f" | vxlan 47 | {FROM} | network vxlan 47"),
    ("vxlan on another port, ipv6 behind a vlan tag", 1, fixed(ETHER / OUTER6 / UDP(sport=50000, dport=12345), VXLAN(vni=48, flags=8) / INNER / Dot1Q(vlan=4) / SYN6), IS6 + f" | vlan 4 | vxlan 48 | {FROM6} | network vxlan 48"),
    ("vxlan on another port, padded", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=12345), raw(VXLAN(vni=47, flags=8)) + raw(INNER / SYN4).ljust(60, b"\0")), IS4 + f" | vxlan 47 | {FROM} | network vxlan 47"),
    ("vxlan on another port, a reserved octet", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=12345), bytes.fromhex("08000000 00002f01".replace(" ", "")) + raw(INNER / SYN4)), "ignored udp 12345"),
    ("vxlan on another port, a wrong header checksum", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=12345), raw(VXLAN(vni=47, flags=8)) + raw(INNER) + bytes.fromhex("0800") + four[:10] + b"\1\2" + four[12:]), "ignored udp 12345"),
    ("vxlan on another port, more octets than the packet has", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=12345), raw(VXLAN(vni=47, flags=8)) + raw(INNER / SYN4) + bytes(40)), "ignored udp 12345"),
    ("geneve on another port", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=12346), GENEVE(vni=49) / INNER / SYN6), IS6 + f" | geneve 49 | {FROM} | network geneve 49"),
    ("geneve on another port with options", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=12346), bytes.fromhex("0200 0800 00003200 0102030100000000".replace(" ", "")) + four), IS4 + f" | geneve 50 | {FROM} | network geneve 50"),
    ("geneve on another port, options that do not fill their length", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=12346), bytes.fromhex("0200 0800 00003200 0102030200000000".replace(" ", "")) + four), "ignored udp 12346"),
    ("teredo on another port", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=50001), IPv6(src="2001:0:102:304::1", dst="2001:db8::2") / TCP(sport=40000, dport=443, seq=1000, flags="S", options=[("MSS", 1440)])), f"[2001:0:102:304::1]:40000 > [2001:db8::2]:443 S seq 1000 mss 1440 | teredo | {FROM}"),
    ("ipv6 in udp without teredo's prefix", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=50001), SYN6), "ignored udp 50000"),
    ("teredo on another port, a wrong checksum", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=50001), IPv6(src="2001:0:102:304::1", dst="2001:db8::2") / TCP(sport=40000, dport=443, seq=1000, flags="S", chksum=1)), "ignored udp 50000"),
    ("vxlan-gpe, mpls", 1, fixed(ETHER / OUTER / UDP(sport=50000, dport=4790), bytes.fromhex("0c000005 00002c00".replace(" ", "")) + raw(MPLS(label=23, s=1) / SYN4)), IS4 + f" | vxlan 44, mpls 23 | {FROM} | network vxlan 44"),
    ("gtp-u with ethernet", 1, fixed(ETHER / OUTER / UDP(sport=2152, dport=40001), bytes.fromhex("30ff") + struct.pack(">HI", len(raw(INNER / SYN4)), 11) + raw(INNER / SYN4)), IS4 + f" | gtp-u 11 | {FROM}"),
    ("a question from a tunnel's port", 1, fixed(ETHER / OUTER / UDP(sport=3544, dport=53), bytes.fromhex("0001 0100 0001 0000 0000 0000 00".replace(" ", ""))), "ignored udp 53"),
    ("an answer to a tunnel's port", 1, fixed(ETHER / OUTER / UDP(sport=53, dport=8472), bytes.fromhex("0881 8180 0001 0001 0000 0000 00".replace(" ", ""))), "ignored udp 53"),
    ("dns", 1, ETHER / OUTER / UDP(sport=50000, dport=53) / Raw(bytes(20)), "ignored udp 53"),
    # Nested.
    ("vxlan in gre in ip in ip", 1, ETHER / IP(src="10.9.0.1", dst="10.9.0.2") / IP(src="10.8.0.1", dst="10.8.0.2") / GRE(key_present=1, key=6) / OUTER / UDP(sport=50000, dport=4789) / VXLAN(vni=42, flags=8) / INNER / SYN4, IS4 + " | ip-in-ip, gre 6, vxlan 42 | outer 10.9.0.1 > 10.9.0.2 | network vxlan 42"),
    ("nine packets in each other", 1, ETHER / OUTER / OUTER / OUTER / OUTER / OUTER / OUTER / OUTER / OUTER / OUTER / SYN4, "ignored encapsulated-too-deep"),
    ("ethernet in ethernet in ethernet", 1, (MAC + bytes.fromhex("6558")) * 9 + raw(ETHER / SYN4), "ignored encapsulated-too-deep"),
]

print("# Made by frames.py beside it.")
for name, link, packet, expected in ROWS:
    print(name, link, raw(packet).hex(), expected, sep="\t")
