import Fixtures
import HandshakeAnalysis
import PacketWire
import Testing

/// A conversation that must produce a finding, and one that comes near and must not.
struct FindingCase: CustomTestStringConvertible, Sendable {
    let code: FindingCode
    /// What the near miss is.
    let nearMissName: String
    let build: @Sendable (inout Conversation) -> Void
    let buildNearMiss: @Sendable (inout Conversation) -> Void
    var ends: (client: String, server: String) = ("192.0.2.1", "198.51.100.1")

    init(
        _ code: FindingCode, from client: String = "192.0.2.1", to server: String = "198.51.100.1",
        _ build: @escaping @Sendable (inout Conversation) -> Void, not nearMissName: String,
        _ buildNearMiss: @escaping @Sendable (inout Conversation) -> Void
    ) {
        self.code = code
        self.nearMissName = nearMissName
        self.build = build
        self.buildNearMiss = buildNearMiss
        ends = (client, server)
    }

    var testDescription: String { code.rawValue }

    func conversation(_ build: (inout Conversation) -> Void) -> Conversation {
        var c = Conversation(from: ends.client, to: ends.server)
        build(&c)
        return c
    }
}

@Suite("Every finding has a conversation that produces it, and a near miss that does not")
struct FindingTests {
    @Test(arguments: findingCases)
    func isFound(_ example: FindingCase) {
        let (attempts, summary) = example.conversation(example.build).analysed()
        let codes = attempts.flatMap { $0.findings.map(\.code) } + summary.patternFindings.map(\.code)
        #expect(codes.contains(example.code), "\(codes.map(\.rawValue))")
    }

    @Test(arguments: findingCases)
    func isNotFoundInTheNearMiss(_ example: FindingCase) {
        let (attempts, summary) = example.conversation(example.buildNearMiss).analysed()
        let codes = attempts.flatMap { $0.findings.map(\.code) } + summary.patternFindings.map(\.code)
        #expect(!codes.contains(example.code), "\(example.nearMissName): \(codes.map(\.rawValue))")
        #expect(!attempts.isEmpty || example.code == .backscatter, "a near miss is an attempt all the same")
    }

    @Test("No code is without a case")
    func allCodesAreCovered() {
        #expect(Set(findingCases.map(\.code)) == Set(FindingCode.allCases))
    }
}

let findingCases: [FindingCase] = [
    // Repetition
    FindingCase(
        .captureDuplicate,
        { c in
            let syn = c.client("S", at: 0)
            c.again(syn, at: 0.02)
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }, not: "byte-identical SYN-ACKs with IP identification 0, microseconds apart, as Linux sends them",
        { c in
            c.client("S", at: 0)
            c.client("S", at: 1000)
            let answer = c.server("S.", at: 1020) { $0.identification = 0 }
            c.again(answer, at: 1020.05)
            c.client(".", at: 1021)
        }),
    FindingCase(
        .synRetransmitted,
        { c in
            c.client("S", at: 0)
            c.client("S", at: 1000)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }, not: "the same SYN seen at two hops",
        { c in
            let syn = c.client("S", at: 0)
            c.again(syn, at: 1) { $0.hopLimit -= 1 }
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }),
    FindingCase(
        .synAfterRefusal,
        { c in
            c.client("S", at: 0)
            c.server("R.", at: 1, seq: 0)
            c.client("S", at: 500)
            c.server("R.", at: 501, seq: 0)
        }, not: "a SYN with another x after the refusal",
        { c in
            c.client("S", at: 0)
            c.server("R.", at: 1, seq: 0)
            c.x &+= 5000
            c.client("S", at: 500)
            c.server("R.", at: 501, seq: 0)
        }),
    FindingCase(
        .synLost,
        { c in
            c.client("S", at: 0, ts: (100, 0))
            c.client("S", at: 1000, ts: (1100, 0))
            c.server("S.", at: 1020, ts: (7, 1100))
            c.client(".", at: 1021, ts: (1121, 7))
        }, not: "the SYN-ACK echoes the first SYN: it had arrived",
        { c in
            c.client("S", at: 0, ts: (100, 0))
            c.client("S", at: 1000, ts: (1100, 0))
            c.server("S.", at: 1020, ts: (7, 100))
            c.client(".", at: 1021, ts: (1121, 7))
        }),
    FindingCase(
        .synackLost,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client("S", at: 1000)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }, not: "the SYN's copy crossed the SYN-ACK",
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 900)
            c.client("S", at: 1000)
            c.client(".", at: 1800)
        }),
    FindingCase(
        .ackLost,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client(".", at: 21)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }, not: "the SYN-ACK's copy came within the server's round trip",
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 400)
            c.client(".", at: 401)
            c.server("S.", at: 650)
            c.client(".", at: 651)
        }),
    FindingCase(
        .synackRetransmitted,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }, not: "the same SYN-ACK captured twice",
        { c in
            c.client("S", at: 0)
            let answer = c.server("S.", at: 20)
            c.again(answer, at: 20.01)
            c.client(".", at: 21)
        }),
    FindingCase(
        .synackIsnChanged,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("S.", at: 1020, seq: 777)
            c.client(".", at: 1021, ack: 778)
        }, not: "another y that does not acknowledge x+1",
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("S.", at: 21, seq: 777, ack: 9)
            c.client(".", at: 22)
        }),
    FindingCase(
        .tupleReused,
        { c in
            c.handshake(at: 0)
            c.client("F.", at: 100)
            c.x &+= 90000
            c.handshake(at: 30000)
        }, not: "another client port",
        { c in
            c.handshake(at: 0)
            c.client("F.", at: 100)
            c.clientEnd.port += 1
            c.handshake(at: 30000)
        }),
    FindingCase(
        .synIsnChanged,
        { c in
            c.client("S", at: 0)
            c.x &+= 90000
            c.handshake(at: 3000)
        }, not: "the same x",
        { c in
            c.client("S", at: 0)
            c.handshake(at: 3000)
        }),
    FindingCase(
        .synOnEstablished,
        { c in
            c.handshake(at: 0)
            c.client("S", at: 500)
            c.server(".", at: 520)
        }, not: "a SYN on the tuple after a FIN",
        { c in
            c.handshake(at: 0)
            c.client("F.", at: 100)
            c.x &+= 90000
            c.handshake(at: 500)
        }),
    FindingCase(
        .synOptionsChanged,
        { c in
            c.client("SEW", at: 0)
            c.client("S", at: 1000)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }, not: "only the timestamp moved on",
        { c in
            c.client("SEW", at: 0, ts: (1, 0))
            c.client("SEW", at: 1000, ts: (1001, 0))
            c.server("S.", at: 1020, ts: (9, 1001))
            c.client(".", at: 1021, ts: (1022, 9))
        }),
    FindingCase(
        .mssChanged,
        { c in
            c.client("S", at: 0, mss: 1460)
            c.client("S", at: 1000, mss: 536)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }, not: "one packet at two places: that is clamping",
        { c in
            let syn = c.client("S", at: 0, mss: 1460)
            c.again(syn, at: 1) {
                $0.hopLimit -= 1
                $0.options.mss = 1400
            }
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }),
    FindingCase(
        .mssClamped,
        { c in
            let syn = c.client("S", at: 0, mss: 1460)
            c.again(syn, at: 1) {
                $0.hopLimit -= 1
                $0.options.mss = 1400
            }
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }, not: "a smaller MSS that was seen once",
        { c in
            c.client("S", at: 0, mss: 1400)
            c.server("S.", at: 20, mss: 1460)
            c.client(".", at: 21)
        }),
    FindingCase(
        .mssAbsent,
        { c in
            c.client("S", at: 0, mss: nil)
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }, not: "the snaplen cut the options",
        { c in
            c.client("S", at: 0, mss: nil) {
                $0.options.present = .cut
                $0.isCut = true
            }
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }),
    FindingCase(
        .mssTiny,
        { c in
            c.client("S", at: 0, mss: 535)
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }, not: "the default of RFC 9293",
        { c in
            c.client("S", at: 0, mss: 536)
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }),
    // Arithmetic
    FindingCase(
        .synackWrongAck,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20, ack: 2)
        }, not: "data on a Fast Open SYN acknowledged to its end",
        { c in
            c.client("S", at: 0, len: 100) {
                $0.options.present.insert(.fastOpen)
                $0.options.fastOpenCookieLength = 8
            }
            c.server("S.", at: 20, ack: 101)
            c.client(".", at: 21, seq: 101)
        }),
    FindingCase(
        .ackWrongAck,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client(".", at: 21, ack: 2)
        }, not: "an ACK of data that the server sent",
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("P.", at: 20.5, len: 10)
            c.client(".", at: 21, ack: 11)
        }),
    FindingCase(
        .ackWrongSeq,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client(".", at: 21, seq: 1_000_000)
        }, not: "later data within the window",
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client("P.", at: 21, seq: 1461, len: 100)
        }),
    FindingCase(
        .rstUnacceptable,
        { c in
            c.client("S", at: 0)
            c.server("R", at: 1, seq: 0)
        }, not: "a RST that acknowledges x+1",
        { c in
            c.client("S", at: 0)
            c.server("R.", at: 1, seq: 0)
        }),
    FindingCase(
        .rstInexact,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("R", at: 30, seq: 100)
            c.client(".", at: 40)
        }, not: "SEQ = y+1",
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("R", at: 30, seq: 1)
        }),
    FindingCase(
        .rstBeforeSynack,
        { c in
            c.client("S", at: 0)
            c.server("R.", at: 1, seq: 0)
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }, not: "a new SYN between",
        { c in
            c.client("S", at: 0)
            c.server("R.", at: 1, seq: 0)
            c.client("S", at: 500)
            c.server("S.", at: 520)
            c.client(".", at: 521)
        }),
    FindingCase(
        .resetAfterEstablished,
        { c in
            c.handshake(at: 0)
            c.server("R", at: 30)
        }, not: "a RST before the final ACK",
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("R", at: 30)
        }),
    FindingCase(
        .rstFromMiddlebox,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20) { $0.hopLimit = 52 }
            c.client(".", at: 21)
            c.server("R", at: 22) { $0.hopLimit = 61 }
        }, not: "another initial hop limit from as many hops away",
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20) { $0.hopLimit = 52 }
            c.client(".", at: 21)
            c.server("R", at: 22) { $0.hopLimit = 243 }
        }),
    FindingCase(
        .halfOpenDiscovered,
        { c in
            c.client("S", at: 0)
            c.server(".", at: 20, seq: 300, ack: 99_000)
            c.client("R", at: 21, seq: 99_000)
        }, not: "a RST with another number",
        { c in
            c.client("S", at: 0)
            c.server(".", at: 20, seq: 300, ack: 99_000)
            c.client("R", at: 21, seq: 98_000)
        }),
    FindingCase(
        .synackBadTsecr,
        { c in
            c.client("S", at: 0, ts: (100, 0))
            c.server("S.", at: 20, ts: (7, 99))
            c.client("R", at: 21)
        }, not: "TSecr of the second SYN",
        { c in
            c.client("S", at: 0, ts: (100, 0))
            c.client("S", at: 1000, ts: (1100, 0))
            c.server("S.", at: 1020, ts: (7, 1100))
            c.client(".", at: 1021, ts: (1121, 7))
        }),
    FindingCase(
        .synackUnsolicited,
        { c in
            c.idle(until: 0)
            c.server("S.", at: 8000)
            c.client("R", at: 8001)
        }, not: "in the capture's first seconds",
        { c in
            c.idle(until: 0)
            c.server("S.", at: 6000)
            c.client("R", at: 6001)
        }),
    FindingCase(
        .synackWrongDirection,
        { c in
            c.client("S", at: 0)
            c.client("S.", at: 20, seq: 0)
        }, not: "a simultaneous open",
        { c in
            c.client("S", at: 0)
            c.server("S", at: 1)
            c.client("S.", at: 20, seq: 0)
            c.server("S.", at: 21, seq: 0)
        }),
    FindingCase(
        .dataBeforeEstablished,
        { c in
            c.client("S", at: 0, len: 10)
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }, not: "data with a Fast Open cookie",
        { c in
            c.client("S", at: 0, len: 10) {
                $0.options.present.insert(.fastOpen)
                $0.options.fastOpenCookieLength = 8
            }
            c.server("S.", at: 20, ack: 11)
            c.client(".", at: 21, seq: 11)
        }),
    FindingCase(
        .oneSided,
        { c in
            c.client("S", at: 0)
            c.client(".", at: 21)
        }, not: "a SYN-ACK in between",
        { c in c.handshake(at: 0) }),
    FindingCase(
        .selfConnect,
        { c in
            c.serverEnd = c.clientEnd
            c.client("S", at: 0)
        }, not: "the same address, another port",
        { c in
            c.serverEnd.address = c.clientEnd.address
            c.handshake(at: 0)
        }),
    // Frames
    FindingCase(
        .checksumBad,
        { c in
            c.client("S", at: 0) { $0.checksum = .good }
            c.server("S.", at: 20) { $0.checksum = .bad }
        }, not: "checksum offload",
        { c in
            c.client("S", at: 0) { $0.checksum = .good }
            c.server("S.", at: 20) { $0.checksum = .offload }
            c.client(".", at: 21) { $0.checksum = .good }
        }),
    FindingCase(
        .checksumOffload,
        { c in
            c.client("S", at: 0) { $0.checksum = .offload }
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }, not: "good checksums",
        { c in
            c.client("S", at: 0) { $0.checksum = .good }
            c.server("S.", at: 20) { $0.checksum = .good }
            c.client(".", at: 21) { $0.checksum = .good }
        }),
    FindingCase(
        .fragmented,
        { c in
            c.client("S", at: 0) { $0.isFragment = true }
        }, not: "a fragment after the handshake",
        { c in
            c.handshake(at: 0)
            c.client("P.", at: 30, len: 100) { $0.isFragment = true }
        }),
    FindingCase(
        .snaplenCut,
        { c in
            c.client("S", at: 0) {
                $0.isCut = true
                $0.options.present = .cut
            }
        }, not: "whole headers",
        { c in c.handshake(at: 0) }),
    FindingCase(
        .reservedFlags,
        { c in
            c.client("S", at: 0) { $0.flags.insert(TCPFlags(rawValue: 0x200)) }
        }, not: "the AccECN bit",
        { c in c.client("SEWe", at: 0) }),
    FindingCase(
        .icmpError,
        { c in
            let syn = c.client("S", at: 0)
            c.icmp(3, 1, about: syn, from: "198.51.100.254", at: 5)
        }, not: "an error about another connection",
        { c in
            c.client("S", at: 0)
            var other = Conversation(from: "192.0.2.9", to: "198.51.100.9")
            let syn = other.client("S", at: 0)
            c.icmp(3, 1, about: syn, from: "198.51.100.254", at: 5)
        }),
    FindingCase(
        .reorderedCapture,
        { c in
            c.server("S.", at: 20)
            c.client("S", at: 20.001)
            c.client(".", at: 21)
        }, not: "in order",
        { c in c.handshake(at: 0) }),
    FindingCase(
        .clockStepped,
        { c in
            c.client("S", at: 1000)
            c.server("S.", at: 500)
            c.client(".", at: 501)
        }, not: "equal times",
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 0)
            c.client(".", at: 0)
        }),
    FindingCase(
        .syncookieSuspect,
        { c in
            c.client("S", at: 0, ts: (100, 0))
            c.server("S.", at: 20, ts: (7, 100))
            c.client("S", at: 1000, ts: (1100, 0))
            c.server("S.", at: 1020, ts: (1007, 1100))
            c.client(".", at: 1021, ts: (1121, 1007))
        }, not: "a stateful server, which echoes the first on every copy",
        { c in
            c.client("S", at: 0, ts: (100, 0))
            c.server("S.", at: 20, ts: (7, 100))
            c.client("S", at: 1000, ts: (1100, 0))
            c.server("S.", at: 1020, ts: (1007, 100))
            c.client(".", at: 1021, ts: (1121, 7))
        }),
    // Options
    FindingCase(
        .wscaleOver14,
        { c in
            c.client("S", at: 0) {
                $0.options.present.insert(.windowScale)
                $0.options.windowScale = 15
            }
        }, not: "14",
        { c in
            c.client("S", at: 0) {
                $0.options.present.insert(.windowScale)
                $0.options.windowScale = 14
            }
        }),
    FindingCase(
        .optionMalformed, { c in c.client("S", at: 0) { $0.options.present.insert(.malformed) } },
        not: "an unknown option", { c in c.client("S", at: 0) { $0.options.present.insert(.other) } }),
    FindingCase(
        .optionRepeated, { c in c.client("S", at: 0) { $0.options.present.insert(.repeated) } },
        not: "an unknown option", { c in c.client("S", at: 0) { $0.options.present.insert(.other) } }),
    FindingCase(
        .optionNotOffered,
        { c in
            c.client("S", at: 0)
            c.server("S.", at: 20) { $0.options.present.insert(.sackPermitted) }
        }, not: "the SYN offered it too",
        { c in
            c.client("S", at: 0) { $0.options.present.insert(.sackPermitted) }
            c.server("S.", at: 20) { $0.options.present.insert(.sackPermitted) }
        }),
    FindingCase(
        .fastOpenDataIgnored,
        { c in
            c.client("S", at: 0, len: 10) {
                $0.options.present.insert(.fastOpen)
                $0.options.fastOpenCookieLength = 8
            }
            c.server("S.", at: 20)
            c.client("P.", at: 21, len: 10)
        }, not: "a cookie request without data",
        { c in
            c.client("S", at: 0) { $0.options.present.insert(.fastOpen) }
            c.server("S.", at: 20) {
                $0.options.present.insert(.fastOpen)
                $0.options.fastOpenCookieLength = 8
            }
            c.client(".", at: 21)
        }),
    FindingCase(
        .mptcpStripped,
        { c in
            c.client("S", at: 0) { $0.options.present.insert(.mptcp) }
            c.server("S.", at: 20) { $0.options.present.insert(.mptcp) }
            c.client(".", at: 21)
        }, not: "the server does not speak it",
        { c in
            c.client("S", at: 0) { $0.options.present.insert(.mptcp) }
            c.server("S.", at: 20)
            c.client(".", at: 21)
        }),
    FindingCase(
        .synOddFlags, { c in c.client("SU", at: 0) }, not: "SYN with PSH", { c in c.client("SP", at: 0) }),
    FindingCase(
        .isnZero,
        { c in
            c.x = 0
            c.client("S", at: 0)
        }, not: "x = 1",
        { c in
            c.x = 1
            c.client("S", at: 0)
        }),
    FindingCase(
        .portZero,
        { c in
            c.serverEnd.port = 0
            c.client("S", at: 0)
        }, not: "port 1",
        { c in
            c.serverEnd.port = 1
            c.client("S", at: 0)
        }),
    // Over all attempts
    FindingCase(
        .synFlood,
        { c in
            for n in 0..<100 { flood(&c, n, completes: false) }
        }, not: "as many that complete",
        { c in
            for n in 0..<100 { flood(&c, n, completes: true) }
        }),
    FindingCase(
        .portScan,
        { c in
            for port in UInt16(1)...20 { probe(&c, port) }
        }, not: "nineteen ports",
        { c in
            for port in UInt16(1)...19 { probe(&c, port) }
        }),
    FindingCase(
        .backscatter,
        { c in
            for port in UInt16(1)...20 { strayReset(&c, port) }
        }, not: "nineteen",
        { c in
            for port in UInt16(1)...19 { strayReset(&c, port) }
        }),
]

private func flood(_ c: inout Conversation, _ n: Int, completes: Bool) {
    c.clientEnd = Endpoint(IPAddress(v4: 0x0a00_0000 + UInt32(n)), 40000)
    c.client("S", at: Double(n))
    c.server("S.", at: Double(n) + 0.2)
    if completes { c.client(".", at: Double(n) + 0.4) }
}

private func probe(_ c: inout Conversation, _ port: UInt16) {
    c.serverEnd.port = port
    c.client("S", at: Double(port))
    c.server("R.", at: Double(port) + 0.5, seq: 0)
}

private func strayReset(_ c: inout Conversation, _ port: UInt16) {
    c.clientEnd.port = port
    c.server("R.", at: Double(port), seq: 0)
}
