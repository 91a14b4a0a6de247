#!/usr/bin/env python3
"""Makes seeds of what the project has: seeds.py PROJECT FOLDER. A folder for each fuzz target:

    capture     the captures of Captures/, whole, in each format
    frame       their frames, and those that tests have from others
    expression  the expressions of the documents and of the tests
    rules       the rules files of the documents and of the tests
    scenario    the scenarios of Tests/Scenarios and Captures/
    http        requests, written here

Beside the folder of a target whose input is text stands TARGET.dict, the words of its seeds, which libFuzzer puts in.
"""
import glob
import gzip
import os
import re
import struct
import sys

project, folder = sys.argv[1:]
captures = f"{project}/Captures"
frames = f"{project}/Tests/PacketWireTests/Independent/frames.tsv"
for kind in ("capture", "frame", "expression", "rules", "scenario", "http"):
    os.makedirs(f"{folder}/{kind}", exist_ok=True)


# What is text.
def read(pattern):
    """-> the texts of files"""
    texts = []
    for path in sorted(glob.glob(f"{project}/{pattern}", recursive=True)):
        with open(path, encoding="utf-8") as handle:
            texts.append(handle.read())
    return texts


def write(kind, seeds, words=rb"[A-Za-z][A-Za-z0-9_.-]+|[^\sA-Za-z0-9_]+"):
    """Writes each seed once, and the words of all of them that are not too long."""
    seeds = sorted(set(seeds))
    for number, seed in enumerate(seeds):
        with open(f"{folder}/{kind}/{number:04}", "wb") as handle:
            handle.write(seed)
    found = {word for seed in seeds for word in re.findall(words, seed) if len(word) <= 32}
    with open(f"{folder}/{kind}.dict", "w", encoding="ascii") as handle:
        for word in sorted(found):
            handle.write('"' + "".join(f"\\x{octet:02x}" for octet in word) + '"\n')


def literals(text):
    """-> Swift's string literals in a text, of one line"""
    found = re.findall(r'"((?:[^"\\\n]|\\.)*)"', text)
    return [re.sub(r"\\(.)", r"\1", literal) for literal in found if "\\(" not in literal]


def blocks(text):
    """-> Swift's string literals in a text, of several lines"""
    found = []
    for margin, block in re.findall(r'"""\n( *)(.*?)\n *"""', text, re.DOTALL):
        found.append("\n".join(line.removeprefix(margin) for line in block.split("\n")) + "\n")
    return found


asks = re.compile(r"\b(hs|tcp|ip|vlan|frame|capture)\.[a-z_]+|\b(count|ratio|all|any|none)\(")
expressions = [literal for text in read("Tests/ExpectationTests/*.swift") for literal in literals(text)]
for text in read("docs/*.md") + read("README.md"):
    expressions += re.findall(r"-[eY] '([^'\n]+)'", text) + re.findall(r"`([^`\n]+)`", text)
write("expression", [text.encode() for text in expressions if asks.search(text) and len(text) <= 1024])

rules = read("Tests/Checks/*.yml")
for text in read("docs/*.md"):
    rules += re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
for text in read("Tests/ExpectationTests/Rul*.swift"):
    rules += blocks(text) + literals(text)
rules = [text for text in rules if "rules:" in text or "include:" in text]
including = ["include: [1.yml, ./2.yml]\nvariables: {limit: 50ms}\n" + rules[0], "include: secret\n"]
rules += ["\0".join([text, *rules[1:3]]) for text in including + ["include: 1.yml\n"]]
write("rules", [text.encode() for text in rules if len(text) <= 4096])

scenarios = read("Tests/Scenarios/**/*.pkt") + read("Captures/*.pkt")
write("scenario", [text.encode() for text in scenarios if len(text) <= 4096])

# The first octet says how the connection behaves, the next ones where its pieces are cut (FuzzHTTP.swift).
HOST = "Host: localhost\r\n"
paths = ["/", "/page.css", "/page.js", "/metrics", "/healthz", "/state", "/attempts", "/events", "/nothing", "*",
         "/attempts?limit=2&failed=1", "/attempts?outcome=refused", "/attempts/1", "/attempts/1/ladder",
         "http://127.0.0.1:9477/state"]
requests = [f"GET {path} HTTP/1.1\r\n{HOST}\r\n" for path in paths]
requests += [f"{method} /metrics HTTP/1.1\r\n{HOST}\r\n" for method in ("HEAD", "POST", "OPTIONS", "CONNECT", "PRI")]
requests += [
    f"GET /state HTTP/1.0\r\n{HOST}\r\n",
    f"GET /state HTTP/1.1\r\n{HOST}Origin: http://localhost\r\nConnection: keep-alive\r\n\r\n",
    f"GET /state HTTP/1.1\r\n{HOST}Origin: http://evil.example\r\n\r\n",
    "GET /state HTTP/1.1\r\nHost: evil.example\r\n\r\n", "GET /state HTTP/1.1\r\n\r\n",
    "GET /state HTTP/1.1\r\nHost: [::1]:9477\r\nHost: localhost\r\n\r\n",
    "GET /state HTTP/1.1\r\nHost: [::1]:9477\r\n\r\n",
    f"GET /state HTTP/1.1\r\n{HOST}Authorization: Bearer 0123456789abcdef\r\n\r\n",
    f"POST /state HTTP/1.1\r\n{HOST}Content-Length: 5\r\n\r\nhello",
    f"POST /state HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    f"GET /state HTTP/1.1\r\n{HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    f"GET /state HTTP/1.1\r\n{HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    f"GET /state HTTP/1.1\r\n{HOST}X: a\r\n b\r\n\r\n", f"GET /healthz HTTP/1.1\r\n{HOST}\r\n" * 2,
    "GET / HTTP/1.1\r\nHost: loc", "\r\n\r\nGET / HTTP/1.1\r\n", "nonsense\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
]
ways = [b"\x00", b"\x02\x05\x14", b"\x08", b"\x0a\x01\x20", b"\x10", b"\x21\x10"]
seeds = [ways[(number + turn) % len(ways)] + request.encode("latin-1")
         for turn in (0, 1) for number, request in enumerate(requests)]
write("http", seeds, rb"[A-Za-z0-9_.-]+|[^A-Za-z0-9_ ]+")

# What is octets.
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
