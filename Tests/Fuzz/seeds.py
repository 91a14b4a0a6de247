#!/usr/bin/env python3
"""Makes seeds of the project's captures and of the frames that tests have from others: seeds.py CAPTURES FRAMES FOLDER; whole
files for fuzz-capture, frames for fuzz-frame."""
import gzip
import os
import struct
import sys

captures, frames, folder = sys.argv[1:]
for kind in ("capture", "frame"):
    os.makedirs(f"{folder}/{kind}", exist_ok=True)
for name in sorted(os.listdir(captures)):
    if not name.endswith(".pcap"):
        continue
    with open(f"{captures}/{name}", "rb") as handle:
        octets = handle.read()
    with open(f"{folder}/capture/{name}", "wb") as handle:
        handle.write(octets)
    with open(f"{folder}/capture/{name}.gz", "wb") as handle:
        handle.write(gzip.compress(octets[:2000]))
    order = "<" if octets[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack(order + "I", octets[20:24])[0] & 0xffff
    seed = struct.pack(">H", link | 0x8000)
    position, last = 24, None
    while position + 16 <= len(octets) and len(seed) < 4000:
        seconds, fraction, length, _ = struct.unpack(order + "IIII", octets[position:position + 16])
        frame = octets[position + 16:position + 16 + length][:254]
        time = seconds * 1000 + fraction // 1000
        step = min(200, max(0, time - last)) if last is not None else 0
        last = time
        seed += bytes([len(frame), step]) + frame
        position += 16 + length
    with open(f"{folder}/frame/{name}", "wb") as handle:
        handle.write(seed)
    # pcapng: a section, an interface, the frames.
    blocks = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) + struct.pack("<IIHHII", 1, 20, link, 0, 0, 20)
    position = 24
    while position + 16 <= len(octets) and len(blocks) < 3500:
        seconds, fraction, length, wire = struct.unpack(order + "IIII", octets[position:position + 16])
        frame = octets[position + 16:position + 16 + length]
        time = seconds * 1_000_000 + fraction // 1000
        padded = frame + bytes(-len(frame) % 4)
        total = 32 + len(padded)
        blocks += struct.pack("<IIIIIII", 6, total, 0, time >> 32, time & 0xffffffff, len(frame), wire) + padded + struct.pack("<I", total)
        position += 16 + length
    with open(f"{folder}/capture/{name}ng", "wb") as handle:
        handle.write(blocks)

    # The variants of pcap that share a magic: what they have behind a record's header.
    for variant, magic, extra in (("redhat", 0xA1B2C3D4, 8), ("nokia", 0xA1B2C3D4, 4), ("kuznetzov", 0xA1B2CD34, 8), ("suse", 0xA1B2CD34, 12)):
        records = struct.pack("<IHHIIII", magic, 2, 4, 0, 0, 65535, link)
        position = 24
        while position + 16 <= len(octets) and len(records) < 1000:
            seconds, fraction, length, wire = struct.unpack(order + "IIII", octets[position:position + 16])
            records += struct.pack("<IIII", seconds, fraction // 1000, length, wire) + bytes(extra) + octets[position + 16:position + 16 + length]
            position += 16 + length
        with open(f"{folder}/capture/{name}.{variant}", "wb") as handle:
            handle.write(records)

for number, line in enumerate(open(frames, encoding="utf-8")):
    if line.startswith("#"):
        continue
    _, link, octets, _ = line.split("\t")
    frame = bytes.fromhex(octets)[:254]
    with open(f"{folder}/frame/independent-{number}", "wb") as handle:
        handle.write(struct.pack(">H", int(link) | 0x8000) + bytes([len(frame), 1]) + frame)
    # As a capture, so that the fuzzer may change the link type and the lengths around it too.
    with open(f"{folder}/capture/independent-{number}", "wb") as handle:
        handle.write(struct.pack("<IHHIIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, int(link), 1, 0, len(frame), len(frame)) + frame)

# pcapng with everything that is read beside frames: names, comments, statistics, a packet's options, an obsolete packet.
def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(kind, body):
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


frame = bytes(60)
packet = struct.pack("<III", 5, len(frame), len(frame)) + frame
everything = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1, b"comment") + option(3, b"Linux") + option(0, b""))
everything += block(1, struct.pack("<HHI", 1, 0, 96) + option(2, b"eth0") + option(9, b"\x09") + option(14, bytes(8)) + option(0, b""))
everything += block(6, struct.pack("<II", 0, 0) + packet + option(1, b"here") + option(4, struct.pack("<Q", 3)) + option(0, b""))
everything += block(2, struct.pack("<HHI", 0, 2, 0) + packet) + block(3, struct.pack("<I", 60) + frame)
everything += block(5, struct.pack("<IQ", 0, 0) + option(4, struct.pack("<Q", 9)) + option(7, struct.pack("<Q", 1)) + option(0, b""))
with open(f"{folder}/capture/everything.pcapng", "wb") as handle:
    handle.write(everything)

# Fragments of one packet, in order and overlapping: a SYN of 24 octets.
def fragments(pieces):
    tcp = struct.pack(">HHIIHHHHHH", 40000, 443, 1000, 0, 0x6002, 64240, 0, 0, 0x0204, 1460)
    seed = struct.pack(">H", 228)
    for start, end in pieces:
        field = start // 8 | (0 if end == 24 else 0x2000)
        packet = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + end - start, 7, field, 64, 6, 0, 0xC0000201, 0xC6336401) + tcp[start:end]
        seed += bytes([len(packet), 1]) + packet
    return seed


for name, pieces in (("in-order", [(0, 8), (8, 24)]), ("overlapping", [(0, 16), (8, 24)]), ("held", [(8, 16), (0, 16), (16, 24)])):
    with open(f"{folder}/frame/fragments-{name}", "wb") as handle:
        handle.write(fragments(pieces))
