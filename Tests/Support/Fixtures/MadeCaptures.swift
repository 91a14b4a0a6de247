import PacketWire

/// The captures of Captures/ that are made, not recorded: one condition each, named for it.
public struct MadeCapture: Sendable {
    public var name: String
    /// What it shows, for Captures/README.md.
    public var provenance: String
    var linkType = LinkType.ethernet
    var snaplen = 262_144
    var start = Conversation()
    var build: @Sendable (inout Conversation) -> Void

    public var fileName: String { "\(name).pcap" }

    /// The file's octets.
    public func bytes() -> [UInt8] {
        var conversation = start
        build(&conversation)
        return conversation.pcap(linkType, snaplen: snaplen)
    }

    public static let all: [MadeCapture] = [
        MadeCapture(name: "established", provenance: "RFC 9293 Figure 6: SYN, SYN-ACK, ACK, a request and its answer.")
        {
            c in
            handshake(&c)
            c.client("P.", at: 30, len: 120, ts: (1030, 2000))
            c.server("P.", at: 60, ack: 121, len: 700, ts: (2040, 1030))
        },
        MadeCapture(
            name: "reset-by-client", provenance: "A SYN scan: the client answers the SYN-ACK with RST, SEQ x+1."
        ) {
            c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client("R", at: 20.1)
        },
        MadeCapture(
            name: "stale-syn",
            provenance:
                "RFC 9293 Figure 8: an old duplicate SYN (x = 90) is answered, and rejected by a client that is at x = 100."
        ) { c in
            c.x = 100
            c.client("S", at: 0)
            c.x = 90
            c.y = 300
            c.client("S", at: 10)
            c.server("S.", at: 30)
            c.client("R", at: 31)
            c.x = 100
            c.y = 400
            c.client("S", at: 1000)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        },
        MadeCapture(name: "reset-by-server", provenance: "SYN-ACK, then RST with SEQ y+1 before the final ACK.") { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("R", at: 25)
        },
        MadeCapture(
            name: "invalid-wrong-x1",
            provenance: "The SYN-ACK acknowledges x+2; the client rejects it with RST, SEQ x+2."
        ) { c in
            c.client("S", at: 0)
            c.server("S.", at: 20, ack: 2)
            c.client("R", at: 20.1, seq: 2)
        },
        MadeCapture(
            name: "invalid-wrong-y1", provenance: "The final ACK acknowledges y+2; the server answers RST, SEQ y+2."
        ) {
            c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client(".", at: 20.1, ack: 2)
            c.server("R", at: 40, seq: 2)
        },
        MadeCapture(
            name: "challenged-half-open",
            provenance:
                "RFC 9293 Figure 9: the server holds an old connection and answers ACK; RST with that number, and silence."
        ) { c in
            c.client("S", at: 0)
            c.server(".", at: 20, seq: 300, ack: -400)
            c.client("R", at: 20.1, seq: -400)
            c.idle(until: 9000)
        },
        MadeCapture(
            name: "half-open", provenance: "A SYN-ACK, sent again after 1 and 3 s, and nothing from the client."
        ) {
            c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("S.", at: 1020)
            c.server("S.", at: 3020)
            c.idle(until: 9000)
        },
        MadeCapture(name: "superseded", provenance: "The client starts over with another x after 2 s.") { c in
            c.client("S", at: 0)
            c.x &+= 100_000
            c.client("S", at: 2000)
            c.server("S.", at: 2020)
            c.client(".", at: 2020.1)
        },
        MadeCapture(name: "pending", provenance: "The capture ends 3 s after the SYN.") { c in
            c.client("S", at: 0)
            c.client("S", at: 1000)
            c.idle(until: 3000)
        },
        MadeCapture(name: "partial", provenance: "The capture begins after the SYN.") { c in
            c.server("S.", at: 20)
            c.client(".", at: 20.1)
            c.client("P.", at: 21, len: 100)
            c.server(".", at: 41, ack: 101)
        },
        MadeCapture(
            name: "syn-lost",
            provenance: "The first SYN is lost after the capture point: the SYN-ACK's TSecr names the second."
        ) { c in
            c.client("S", at: 0, ts: (1000, 0))
            c.client("S", at: 1013, ts: (2013, 0))
            c.server("S.", at: 1033.11, ts: (7000, 2013))
            c.client(".", at: 1033.167, ts: (2033, 7000))
        },
        MadeCapture(
            name: "synack-lost",
            provenance: "The first SYN-ACK is lost after the capture point: the client repeats its SYN."
        ) { c in
            c.client("S", at: 0, ts: (1000, 0))
            c.server("S.", at: 20, ts: (7000, 1000))
            c.client("S", at: 1010, ts: (2010, 0))
            c.server("S.", at: 1030, ts: (8010, 1000))
            c.client(".", at: 1030.2, ts: (2030, 8010))
        },
        MadeCapture(
            name: "syn-duplicated", provenance: "A mirror port captures every packet twice, 20 µs apart, one hop later."
        ) { c in
            let syn = c.client("S", at: 0)
            c.again(syn, at: 0.02) { $0.hopLimit -= 1 }
            let answer = c.server("S.", at: 20)
            c.again(answer, at: 20.02) { $0.hopLimit -= 1 }
            let ack = c.client(".", at: 20.3)
            c.again(ack, at: 20.32) { $0.hopLimit -= 1 }
        },
        MadeCapture(
            name: "simultaneous-open", provenance: "RFC 9293 Figure 7: both SYNs cross, both SYN-ACKs reuse their ISS."
        ) { c in
            c.client("S", at: 0)
            c.server("S", at: 5)
            c.client("S.", at: 10, seq: 0)
            c.server("S.", at: 15, seq: 0)
        },
        MadeCapture(
            name: "sequence-wrap", provenance: "x = 2^32 - 1 and y = 2^32 - 1: both sums wrap to 0.",
            start: Conversation(x: .max, y: .max)
        ) { handshake(&$0) },
        MadeCapture(
            name: "mss-absent", provenance: "The SYN has no MSS option: the server may send 536 octets at a time."
        ) {
            c in
            c.client("S", at: 0, mss: nil)
            c.server("S.", at: 20, mss: 1460)
            c.client(".", at: 20.1)
        },
        MadeCapture(
            name: "mss-clamped",
            provenance: "One SYN seen on both sides of a router that lowers its MSS from 1460 to 1360."
        ) { c in
            let syn = c.client("S", at: 0, mss: 1460)
            c.again(syn, at: 0.05) {
                $0.hopLimit -= 1
                $0.options.mss = 1360
            }
            c.server("S.", at: 20, mss: 1460)
            c.client(".", at: 20.1)
        },
        MadeCapture(
            name: "vlan", provenance: "802.1ad in 802.1Q: VLAN 100 outside, 7 inside; the answers come in VLAN 200."
        ) {
            c in
            c.client("S", at: 0) { $0.vlan = VLANTags([100, 7]) }
            c.server("S.", at: 20) { $0.vlan = VLANTags([200]) }
            c.client(".", at: 20.1) { $0.vlan = VLANTags([100, 7]) }
        },
        MadeCapture(
            name: "ipv6-raw", provenance: "A handshake over IPv6, link type RAW.", linkType: .raw,
            start: Conversation(from: "2001:db8::1", to: "2001:db8:1::80")
        ) { handshake(&$0) },
        MadeCapture(
            name: "incident",
            provenance:
                "A minute of a service under trouble: lost SYNs, a full accept queue, a closed port, a filter that drops.",
            build: incident),
    ]

    private static func handshake(_ c: inout Conversation) {
        c.client("S", at: 0, ts: (1000, 0))
        c.server("S.", at: 20.11, ts: (2000, 1000))
        c.client(".", at: 20.167, ts: (1020, 2000))
    }

    private static func incident(_ c: inout Conversation) {
        var all = Conversation()
        for n in 0..<6 {
            var one = Conversation(
                from: "192.0.2.\(10 + n)", 50_000 + UInt16(n), x: UInt32(1000 * n + 1), y: UInt32(9000 + n))
            one.handshakeWithTimestamps(at: Double(n) * 700)
            all = all.merged(with: one)
        }
        var lost = Conversation(from: "192.0.2.30", 51_000, x: .max, y: 70_000)
        lost.client("S", at: 800, ts: (1000, 0))
        lost.client("S", at: 1820, ts: (2020, 0))
        lost.server("S.", at: 1840.3, mss: 1400, ts: (7000, 2020))
        lost.client(".", at: 1840.4, ts: (2040, 7000))
        var full = Conversation(from: "192.0.2.31", 51_001, x: 5, y: 80_000)
        full.client("S", at: 900)
        full.server("S.", at: 920)
        full.client(".", at: 920.1)
        full.server("S.", at: 1920)
        full.client(".", at: 1920.1)
        full.server("S.", at: 3920)
        full.client(".", at: 3920.1)
        var closed = Conversation(from: "192.0.2.32", 51_002, to: "198.51.100.1", 8443, x: 77, y: 0)
        for time in [1000.0, 1500, 2000] {
            closed.client("S", at: time)
            closed.server("R.", at: time + 20, seq: 0)
        }
        var dropped = Conversation(from: "192.0.2.33", 51_003, to: "198.51.100.1", 25, x: 88)
        for time in [1100.0, 2110, 4130, 8190] { dropped.client("S", at: time) }
        all = all.merged(with: lost).merged(with: full).merged(with: closed).merged(with: dropped)
        all.idle(until: 12_000)
        c = all
    }
}

extension Conversation {
    fileprivate mutating func handshakeWithTimestamps(at time: Double) {
        client("S", at: time, ts: (1000, 0))
        server("S.", at: time + 20.2, mss: 1400, ts: (2000, 1000))
        client(".", at: time + 20.3, ts: (1020, 2000))
    }
}
