#!/usr/bin/env python3
"""Makes seeds of the project's captures: seeds.py CAPTURES FOLDER; whole files for fuzz-capture, frames for fuzz-frame."""
import gzip
import os
import struct
import sys

LINK_TYPES = [1, 113, 276, 101, 228, 229, 0, 108, 9, 50, 104, 242]

captures, folder = sys.argv[1:]
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
    seed = bytes([LINK_TYPES.index(link)])
    position, last = 24, None
    while position + 16 <= len(octets) and len(seed) < 4000:
        seconds, fraction, length, _ = struct.unpack(order + "IIII", octets[position:position + 16])
        frame = octets[position + 16:position + 16 + length][:255]
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
