import Fixtures
@testable import HandshakeAnalysis
import PacketWire
import Testing

@Suite("Which segment belongs to which attempt, and for how long")
struct TrackerTests {
    @Test("The same x within 75 s of the handshake's last segment is the same attempt; later it is another")
    func identity() {
        for (gap, expected) in [(74_000.0, 1), (76_000, 2)] {
            var c = Conversation()
            c.client("S", at: 0)
            c.idle(until: gap - 1)
            c.idle(until: gap - 0.5)
            c.client("S", at: gap)
            #expect(c.attempts().count == expected)
        }
    }

    @Test("A tuple that is used again after hours is tracked afresh, though no frame came between")
    func longGap() throws {
        var c = Conversation()
        c.handshake(at: 0)
        c.client("P.", at: 30, len: 10)
        c.server(".", at: 40, ack: 11)
        c.x &+= 500_000
        c.handshake(at: 10_800_000)
        let attempts = c.attempts()
        #expect(attempts.map(\.outcome) == [.established, .established])
    }

    @Test("A server is in TIME-WAIT where it closed first, and not where it acknowledged its client's FIN before")
    func timeWait() throws {
        for isServerFirst in [true, false] {
            var c = Conversation()
            c.handshake(at: 0)
            if isServerFirst {
                c.server("F.", at: 100, ack: 1)
                c.client("F.", at: 110, ack: 2)
                c.server(".", at: 120, seq: 2, ack: 2)
            } else {
                c.client("F.", at: 100)
                c.server("F.", at: 110, ack: 2)
                c.client(".", at: 120, seq: 2, ack: 2)
            }
            c.x &-= 500_000
            c.client("S", at: 5000)
            let attempts = c.attempts()
            let finding = try #require(attempts.last?.findings.first { $0.code == .tupleReused })
            #expect(finding.evidence?.contains("TIME-WAIT") == isServerFirst)
        }
    }

    @Test("A single frame years ahead does not end what is open")
    func outlier() {
        var c = Conversation()
        c.client("S", at: 0)
        c.idle(until: 1e12)
        c.server("S.", at: 20)
        c.client(".", at: 21)
        let attempts = c.attempts()
        #expect(attempts.count == 1)
        #expect(attempts.first?.outcome == .established)
    }

    @Test("The clock follows a step back that two frames agree on, and deadlines go on")
    func stepBack() {
        var clock = CaptureClock()
        let second: Int64 = 1_000_000_000
        for time in [1000, 1001, 1002, 100, 101, 150] { clock.tick(Int64(time) * second) }
        #expect(clock.now == 101 * second)
        #expect(clock.stepsBack == 1)
        #expect(clock.elapsed == 1 * second + 0 * second)
    }

    @Test("An established attempt stays open for late evidence, until client data is acknowledged")
    func lateEvidence() {
        var c = Conversation()
        c.handshake(at: 0)
        c.server("S.", at: 1020)
        c.client(".", at: 1021)
        #expect(c.attempts().first?.has(.ackLost) == true)
    }

    @Test("After it was reported, a late SYN of the same x is counted and opens nothing")
    func lateSYN() {
        var c = Conversation()
        c.handshake(at: 0)
        c.client("P.", at: 30, len: 10)
        c.server(".", at: 50, ack: 11)
        c.client("S", at: 500)
        let (attempts, summary) = c.analysed()
        #expect(attempts.count == 1)
        #expect(summary.lateSegments == 1)
    }

    @Test("A reverse SYN on a live tuple never opens an attempt")
    func reverseSYN() {
        var c = Conversation()
        c.handshake(at: 0)
        c.server("S", at: 100, seq: 900_000)
        let (attempts, _) = c.analysed()
        #expect(attempts.count == 1)
        #expect(attempts.first?.has(.synOnEstablished) == true)
    }

    @Test(
        "RFC 6191: what may reuse a tuple in TIME-WAIT",
        arguments: [
            ((100, 0), (200, 0), -50_000, true), ((100, 0), (50, 0), 50_000, false), ((100, 0), (100, 0), 50_000, true),
            ((100, 0), (100, 0), -50_000, false), (nil, (200, 0), -50_000, true), (nil, nil, 50_000, true),
            (nil, nil, -50_000, false), ((100, 0), nil, 50_000, true), ((100, 0), nil, -50_000, false),
        ] as [((UInt32, UInt32)?, (UInt32, UInt32)?, Int, Bool)])
    func reuse(_ old: (UInt32, UInt32)?, _ new: (UInt32, UInt32)?, _ shift: Int, _ isLegal: Bool) throws {
        var c = Conversation(x: 1_000_000)
        c.client("S", at: 0, ts: old)
        c.server("S.", at: 20, ts: old.map { _ in (7, 100) })
        c.client(".", at: 21, ts: old)
        // The server closes first, and both FINs are acknowledged: it is in TIME-WAIT.
        c.server("F.", at: 30)
        c.client("F.", at: 40, ack: 2, ts: old)
        c.server(".", at: 50, seq: 2, ack: 2)
        c.x = UInt32(1_000_000 + shift)
        c.client("S", at: 5000, ts: new)
        let second = try #require(c.attempts().first { $0.clientISN == c.x })
        let finding = try #require(second.findings.first { $0.code == .tupleReused })
        #expect(finding.evidence?.contains("does not let") == !isLegal)
    }

    @Test("Attempts come in the order in which they are decided, of one frame by their first frames")
    func order() {
        var a = Conversation(from: "192.0.2.1")
        var b = Conversation(from: "192.0.2.2")
        a.client("S", at: 0)
        b.client("S", at: 1)
        var done = Conversation(from: "192.0.2.3")
        done.handshake(at: 2)
        done.client("F.", at: 30)
        var all = a.merged(with: b).merged(with: done)
        all.idle(until: 100_000)
        all.idle(until: 100_001)
        #expect(all.attempts().map(\.id) == [3, 1, 2])
    }

    @Test("The hash seed changes no result")
    func seed() {
        var c = Conversation()
        for n in 0..<200 {
            c.clientEnd.port = UInt16(1000 + n % 50)
            c.x = UInt32(n / 50 * 70_000)
            c.handshake(at: Double(n) * 100)
        }
        let results = ([1, 2, 99] as [UInt64]).map { seed in
            var configuration = Conversation.configuration
            configuration.hashSeed = seed
            return c.analysed(configuration).attempts.map { "\($0.id) \($0.outcome) \($0.findings.map(\.code))" }
        }
        #expect(results[0] == results[1] && results[1] == results[2])
    }

    @Test("A full table lets the oldest attempt go as pending, and counts it")
    func eviction() {
        var configuration = Conversation.configuration
        configuration.maximumAttempts = 16
        var c = Conversation()
        for n in 0..<20 {
            c.clientEnd.port = UInt16(1000 + n)
            c.client("S", at: Double(n))
        }
        let (attempts, summary) = c.analysed(configuration)
        #expect(attempts.count == 20)
        #expect(summary.evicted == 4)
        #expect(attempts.prefix(4).allSatisfy { $0.outcome == .pending && $0.ended == .evicted })
        #expect(attempts.prefix(4).map(\.id) == [1, 2, 3, 4])
    }

    @Test("An evicted attempt that is old enough keeps its outcome")
    func evictedButDecided() {
        var configuration = Conversation.configuration
        configuration.maximumAttempts = 16
        var c = Conversation()
        for n in 0..<17 {
            c.clientEnd.port = UInt16(1000 + n)
            c.client("S", at: Double(n) * 1000)
        }
        let first = c.analysed(configuration).attempts.first { $0.id == 1 }
        #expect(first?.outcome == .unanswered && first?.ended == .evicted)
    }

    @Test("Of hundreds of SYNs the first 24 and the last 8 are kept, and all are counted")
    func longLog() throws {
        var c = Conversation()
        for n in 0..<300 { c.client("S", at: Double(n) * 1000) }
        let attempt = try #require(c.attempts().first)
        #expect(attempt.segments.count == 32)
        #expect(attempt.segmentsOmitted == 268)
        #expect(attempt.synCount == 300)
        #expect(attempt.segments.last?.frame == 300 && attempt.segments[23].frame == 24)
    }

    @Test("The same addresses in two virtual networks are two connections")
    func virtualNetworks() {
        var c = Conversation()
        for id in [UInt32(1), 2] {
            let network = VirtualNetwork(kind: .vxlan, id: id)
            c.client("S", at: Double(id)) { $0.network = network }
            c.server("S.", at: Double(id) + 20) { $0.network = network }
            c.client(".", at: Double(id) + 21) { $0.network = network }
        }
        #expect(c.attempts().map(\.outcome) == [.established, .established])
    }

    @Test("Asymmetric routing gives each direction its own virtual network: one connection")
    func networkByDirection() {
        var c = Conversation()
        c.client("S", at: 0) { $0.network = VirtualNetwork(kind: .vxlan, id: 11) }
        c.server("S.", at: 20) { $0.network = VirtualNetwork(kind: .vxlan, id: 10) }
        c.client(".", at: 21) { $0.network = VirtualNetwork(kind: .vxlan, id: 11) }
        c.server("P.", at: 22, len: 10) { $0.network = VirtualNetwork(kind: .vxlan, id: 10) }
        let (attempts, summary) = c.analysed()
        #expect(attempts.map(\.outcome) == [.established])
        #expect(attempts.first?.serverNetwork.id == 10)
        #expect(summary.midstreamFlows == 0)
    }

    @Test("Bad checksums are kept out of the state once the capture shows good ones")
    func badChecksum() {
        var c = Conversation()
        c.client("S", at: 0) { $0.checksum = .good }
        c.server("R.", at: 5, seq: 0) { $0.checksum = .bad }
        c.server("S.", at: 20) { $0.checksum = .good }
        c.client(".", at: 21) { $0.checksum = .good }
        let attempt = c.attempts().first
        #expect(attempt?.outcome == .established)
        #expect(attempt?.refusalCount == 0)
        #expect(attempt?.has(.checksumBad) == true)
    }

    @Test("A capture whose checksums are all bad was rewritten: they keep nothing out")
    func rewrittenCapture() {
        var c = Conversation()
        c.client("S", at: 0) { $0.checksum = .bad }
        c.server("S.", at: 20) { $0.checksum = .bad }
        c.client(".", at: 21) { $0.checksum = .bad }
        #expect(c.attempts().first?.outcome == .established)
    }

    @Test("A duplicate of any frame at the same time changes no outcome")
    func duplicates() {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("S.", at: 20, ack: 9)
        c.client("R", at: 21, seq: 9)
        c.client("S", at: 1000)
        c.server("S.", at: 1020)
        c.client(".", at: 1021)
        c.server("R", at: 1030)
        let expected = c.attempts().map(\.outcome)
        for position in c.items.indices {
            var doubled = Conversation()
            for (index, timed) in c.items.enumerated() {
                let time = Double(timed.time - Conversation.epoch) / 1_000_000
                doubled.append(timed.item, at: time)
                if index == position { doubled.append(timed.item, at: time) }
            }
            #expect(doubled.attempts().map(\.outcome) == expected, "frame \(position + 1)")
        }
    }

    @Test("A socket that connects to itself is established")
    func selfConnect() {
        var c = Conversation(y: 1000)
        c.serverEnd = c.clientEnd
        c.client("S", at: 0)
        c.server("S.", at: 1)
        c.client(".", at: 2)
        let attempts = c.attempts()
        #expect(attempts.count == 1)
        #expect(attempts.first?.outcome == .established)
        #expect(attempts.first?.form == .simultaneous)
    }

    @Test("Times at the ends of what 64 bits hold do not trap")
    func extremeTimes() {
        var tracker = HandshakeTracker(Conversation.configuration)
        var c = Conversation()
        let syn = c.client("S", at: 0)
        for (number, time) in [Int64.max, .min, 0, .max, .min, .min].enumerated() {
            tracker.receive(.segment(syn), number: UInt64(number + 1), time: time)
        }
        #expect(!tracker.finish().isEmpty)
    }
}

@Suite("Sequence numbers")
struct SequenceTests {
    @Test(
        "Order is modular",
        arguments: [
            (1, 0, true), (0, 0, false), (0, UInt32.max, true), (UInt32.max, 0, false), (0x7fff_ffff, 0, true),
            (0x8000_0001, 0, false),
        ] as [(UInt32, UInt32, Bool)])
    func order(_ a: UInt32, _ b: UInt32, _ isAfter: Bool) {
        #expect(SequenceNumber.isAfter(a, b) == isAfter)
    }

    @Test("A range holds across the wrap")
    func range() {
        #expect(SequenceNumber.isIn(1, from: .max - 1, length: 5))
        #expect(!SequenceNumber.isIn(4, from: .max - 1, length: 5))
    }
}
