import Fixtures
@testable import HandshakeAnalysis
import PacketWire
import Testing

@Suite("Round trips, and where they come from")
struct RoundTripTests {
    @Test("One of each: both legs and the total are exact")
    func exact() throws {
        var c = Conversation()
        c.handshake(at: 0)
        let attempt = try #require(c.attempts().first)
        #expect(
            attempt.synToSynAck
                == Interval(nanoseconds: 20_000_000, provenance: .exact, low: 20_000_000, high: 20_000_000))
        #expect(attempt.synAckToAck?.nanoseconds == 1_000_000)
        #expect(attempt.total?.nanoseconds == 21_000_000)
        #expect(attempt.setup == 21_000_000)
    }

    @Test("Karn: a repeated SYN without timestamps gives bounds, not a figure")
    func ambiguous() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.client("S", at: 1000)
        c.server("S.", at: 1020)
        c.client(".", at: 1021)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.synToSynAck?.nanoseconds == nil)
        #expect(attempt.synToSynAck?.provenance == .ambiguous)
        #expect(attempt.total?.low == 21_000_000)
        #expect(attempt.total?.high == 1_021_000_000)
        #expect(attempt.setup == 1_021_000_000)
    }

    @Test("A timestamp that names the last SYN before the SYN-ACK leaves one pair")
    func timestamp() throws {
        var c = Conversation()
        c.client("S", at: 0, ts: (100, 0))
        c.client("S", at: 1000, ts: (1100, 0))
        c.server("S.", at: 1020, ts: (7, 1100))
        c.client(".", at: 1021, ts: (1121, 7))
        let attempt = try #require(c.attempts().first)
        #expect(attempt.synToSynAck?.nanoseconds == 20_000_000)
        #expect(attempt.total?.provenance == .timestamp)
    }

    @Test("A timestamp that names an earlier SYN leaves bounds: a stateful server echoes the first on every copy")
    func timestampOfEarlier() throws {
        var c = Conversation()
        c.client("S", at: 0, ts: (100, 0))
        c.client("S", at: 1000, ts: (1100, 0))
        c.client("S", at: 3000, ts: (3100, 0))
        c.server("S.", at: 3020, ts: (7, 1100))
        c.client(".", at: 3021, ts: (3121, 7))
        let attempt = try #require(c.attempts().first)
        #expect(
            attempt.synToSynAck
                == Interval(nanoseconds: nil, provenance: .ambiguous, low: 20_000_000, high: 2_020_000_000))
    }

    @Test("Equal TSvals on the copies tell nothing")
    func equalTimestamps() throws {
        var c = Conversation()
        c.client("S", at: 0, ts: (100, 0))
        c.client("S", at: 1000, ts: (100, 0))
        c.server("S.", at: 1020, ts: (7, 100))
        c.client(".", at: 1021, ts: (121, 7))
        #expect(try #require(c.attempts().first).synToSynAck?.provenance == .ambiguous)
    }

    @Test("A copy captured twice is one SYN")
    func duplicateIsNoRetransmission() throws {
        var c = Conversation()
        let syn = c.client("S", at: 0)
        c.again(syn, at: 0.03)
        c.server("S.", at: 20)
        c.client(".", at: 21)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.total?.provenance == .exact)
        #expect(attempt.synCount == 1 && attempt.duplicateCount == 1)
    }

    @Test("IPv6 handshakes that are doubled as a whole, without identification, are duplicates")
    func doubledAlike() throws {
        var c = Conversation(from: "2001:db8::1", to: "2001:db8::2")
        let syn = c.client("S", at: 0)
        c.again(syn, at: 0.01)
        let answer = c.server("S.", at: 20)
        c.again(answer, at: 20.01)
        let ack = c.client(".", at: 21)
        c.again(ack, at: 21.01)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.synCount == 1 && attempt.synAckCount == 1 && attempt.duplicateCount == 3)
        #expect(attempt.total?.provenance == .exact)
        #expect(!attempt.has(.synRetransmitted) && !attempt.has(.synackRetransmitted))
    }

    @Test("The final ACK's TSecr names the first SYN-ACK that the client received")
    func clientLegByTimestamp() throws {
        var c = Conversation()
        c.client("S", at: 0, ts: (100, 0))
        c.server("S.", at: 20, ts: (7, 100))
        c.server("S.", at: 1020, ts: (1007, 100))
        c.client(".", at: 1021, ts: (1121, 1007))
        let attempt = try #require(c.attempts().first)
        #expect(attempt.synAckToAck?.nanoseconds == 1_000_000)
        #expect(attempt.synAckToAck?.provenance == .timestamp)
        let lost = try #require(attempt.findings.first { $0.code == .synackLost })
        #expect(lost.location == .afterCapture)
    }

    @Test("A SYN-ACK captured before its SYN gives no round trip")
    func reordered() throws {
        var c = Conversation()
        c.server("S.", at: 20)
        c.client("S", at: 20.001)
        c.client(".", at: 21)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.confidence == .reordered)
        #expect(attempt.total == nil && attempt.synToSynAck == nil)
    }

    @Test("A clock that steps back takes only the leg that it falls into")
    func clockStep() throws {
        var c = Conversation()
        c.client("S", at: 1000)
        c.server("S.", at: 500)
        c.client(".", at: 501)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.synToSynAck == nil)
        #expect(attempt.synAckToAck?.nanoseconds == 1_000_000)
        #expect(attempt.total == nil && attempt.setup == nil)
    }

    @Test("Nothing is ever negative")
    func notNegative() {
        for step in [-1.0, -20, -1000] {
            var c = Conversation()
            c.client("S", at: 2000)
            c.server("S.", at: 2000 + step)
            c.client(".", at: 2000 + step * 2)
            for attempt in c.attempts() {
                for leg in [attempt.synToSynAck, attempt.synAckToAck, attempt.total] {
                    #expect((leg?.low ?? 0) >= 0 && (leg?.nanoseconds ?? 0) >= 0)
                }
            }
        }
    }
}

@Suite("Losses, and where the evidence puts them")
struct LossTests {
    private func loss(_ code: FindingCode, _ build: (inout Conversation) -> Void) throws -> Finding {
        var c = Conversation()
        build(&c)
        return try #require(c.attempts().first?.findings.first { $0.code == code })
    }

    @Test("Only SYNs seen: a SYN was lost, the place is unknown, and it says so")
    func onlySYNs() throws {
        let finding = try loss(.synLost) { c in
            c.client("S", at: 0)
            c.client("S", at: 1000)
            c.client("S", at: 3000)
            c.idle(until: 10_000)
        }
        #expect(finding.location == .unknown)
        #expect(finding.frames == [1, 2, 3])
        #expect(!finding.alternatives.isEmpty)
    }

    @Test("A later SYN named by TSecr: the earlier ones were lost after the capture point")
    func afterCapture() throws {
        let finding = try loss(.synLost) { c in
            c.client("S", at: 0, ts: (100, 0))
            c.client("S", at: 1000, ts: (1100, 0))
            c.client("S", at: 3000, ts: (3100, 0))
            c.server("S.", at: 3020, ts: (7, 3100))
            c.client(".", at: 3021, ts: (3121, 7))
        }
        #expect(finding.location == .afterCapture)
        #expect(finding.frames == [1, 2])
    }

    @Test("An earlier SYN named by TSecr: a SYN-ACK was lost before the capture point")
    func beforeCapture() throws {
        let finding = try loss(.synackLost) { c in
            c.client("S", at: 0, ts: (100, 0))
            c.client("S", at: 1000, ts: (1100, 0))
            c.server("S.", at: 1020, ts: (7, 100))
            c.client(".", at: 1021, ts: (1121, 7))
        }
        #expect(finding.location == .beforeCapture)
    }

    @Test("A second SYN-ACK a SYN's gap later points at a slow path instead")
    func slowPath() throws {
        var c = Conversation()
        c.client("S", at: 0, ts: (100, 0))
        c.client("S", at: 1000, ts: (1100, 0))
        c.server("S.", at: 1500, ts: (7, 100))
        c.client(".", at: 1501, ts: (1601, 7))
        c.server("S.", at: 2500, ts: (1007, 100))
        #expect(try #require(c.attempts().first).has(.synackLost) == false)
    }

    @Test("The same SYN after the SYN-ACK: lost after the capture point")
    func synAgainAfterSYNACK() throws {
        let finding = try loss(.synackLost) { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client("S", at: 1000)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }
        #expect(finding.location == .afterCapture)
        #expect(finding.frames == [2])
    }

    @Test("The final ACK echoes an earlier SYN-ACK than the last: its first copy was lost before the capture point")
    func ackBeforeCapture() throws {
        let finding = try loss(.ackLost) { c in
            c.client("S", at: 0, ts: (100, 0))
            c.server("S.", at: 20, ts: (7, 100))
            c.server("S.", at: 1020, ts: (1007, 100))
            c.client(".", at: 1021, ts: (1121, 7))
        }
        #expect(finding.location == .beforeCapture)
    }

    @Test(
        "Schedules that gaps fit, within -5 and +15 percent",
        arguments: [
            ([1.0, 2, 4], "rfc6298"), ([1.02, 1.02, 1.02, 1.02, 1.02, 2, 4.06], "linux"), ([3, 6, 12], "rfc1122"),
            ([6, 12, 24], "bsd"), ([0.96, 2.29], "rfc6298"), ([0.94], nil), ([1.16], nil), ([1, 4], nil),
        ] as [([Double], String?)])
    func schedules(_ gaps: [Double], _ expected: String?) throws {
        let finding = try loss(.synRetransmitted) { c in
            var time = 0.0
            c.client("S", at: time)
            for gap in gaps {
                time += gap * 1000
                c.client("S", at: time)
            }
        }
        #expect(finding.schedule == expected)
        #expect(finding.gaps?.count == gaps.count)
    }

    @Test("A SYN 10 to 35 ms after an answer that the client rejected was prompted by it")
    func prompted() throws {
        let finding = try loss(.synRetransmitted) { c in
            c.client("S", at: 0)
            c.server("S.", at: 20, ack: 500)
            c.client("R", at: 21, seq: 500)
            c.client("S", at: 40)
        }
        #expect(finding.schedule == "prompted")
    }

    @Test("Seven SYNs of a connect that fails are one attempt")
    func oneRecord() {
        var c = Conversation()
        for time in [0.0, 1020, 2040, 3060, 4080, 5100, 7100, 11_160, 19_360, 35_460, 69_460] {
            c.client("S", at: time)
        }
        c.idle(until: 200_000)
        c.idle(until: 201_000)
        let attempts = c.attempts()
        #expect(attempts.count == 1)
        #expect(attempts.first?.synCount == 11)
        #expect(attempts.first?.outcome == .unanswered)
        #expect(attempts.first?.ended == .timeout)
    }
}

@Suite("Maximum segment size")
struct SegmentSizeTests {
    @Test("What a side announces limits the other; negotiated is the smaller")
    func directions() throws {
        var c = Conversation()
        c.client("S", at: 0, mss: 1460)
        c.server("S.", at: 20, mss: 1400)
        c.client(".", at: 21)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.clientMSS == 1460 && attempt.serverMSS == 1400)
        #expect(attempt.clientSendMSS == 1400 && attempt.serverSendMSS == 1460)
        #expect(attempt.negotiatedMSS == 1400)
    }

    @Test(
        "Absent from a SYN seen whole: 536 for IPv4, 1220 for IPv6 (RFC 9293 3.7.1)",
        arguments: [
            ("192.0.2.1", "198.51.100.1", 536), ("2001:db8::1", "2001:db8::2", 1220),
        ] as [(String, String, UInt16)])
    func defaults(_ client: String, _ server: String, _ expected: UInt16) throws {
        var c = Conversation(from: client, to: server)
        c.client("S", at: 0, mss: nil)
        c.server("S.", at: 20, mss: 1440)
        c.client(".", at: 21)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.clientMSS == nil)
        #expect(attempt.serverSendMSS == expected)
        #expect(attempt.negotiatedMSS == expected)
    }

    @Test("Options cut by the snaplen are unknown, not absent")
    func cut() throws {
        var c = Conversation()
        c.client("S", at: 0, mss: nil) {
            $0.isCut = true
            $0.options.present = .cut
        }
        c.server("S.", at: 20)
        c.client(".", at: 21)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.serverSendMSS == nil && attempt.negotiatedMSS == nil)
        #expect(attempt.clientOptions?.timestamps == nil && attempt.clientOptions?.sackPermitted == nil)
        #expect(attempt.confidence == .cut)
    }
}
