import Fixtures
import HandshakeAnalysis
import PacketWire
import Testing

/// What once was wrong. Each test is named for what must hold, with the reason beside it.
@Suite("Regressions")
struct RegressionTests {
    private func attempt(_ id: UInt64 = 1, _ build: (inout Conversation) -> Void) throws -> AttemptRecord {
        var c = Conversation()
        build(&c)
        return try #require(c.attempts().first { $0.id == id })
    }

    // The challenge was given to the new attempt without its number, so the RST that answers it was not recognised.
    @Test("Figure 9 on a connection that was captured: half-open-discovered on the new attempt, which then completes")
    func figure9OnCapturedConnection() throws {
        let second = try attempt(6) { c in
            c.handshake(at: 0)
            c.client("P.", at: 30, len: 10)
            c.server(".", at: 40, ack: 11)
            let old = c.x
            c.x = 99_000
            c.client("S", at: 5000)
            c.x = old
            c.server(".", at: 5020, ack: 11)
            c.client("R", at: 5021, seq: 11)
            c.x = 99_000
            c.y = 77_000
            c.client("S", at: 6000)
            c.server("S.", at: 6020)
            c.client(".", at: 6021)
        }
        #expect(second.outcome == .established)
        #expect(second.has(.halfOpenDiscovered))
    }

    // Only an established connection was looked at.
    @Test(
        "A SYN close behind a refusal may have crossed with it, and one that a timer sent may not",
        arguments: [(1080, true), (1500, false)] as [(Double, Bool)])
    func crossesRefusal(_ time: Double, _ mayCross: Bool) throws {
        let record = try attempt(1) { c in
            c.client("S", at: 0)
            c.server("R.", at: 1000, seq: 0)
            c.client("S", at: time)
        }
        let finding = try #require(record.findings.first { $0.code == .synAfterRefusal })
        #expect(finding.alternatives.contains("the two crossed on the way") == mayCross)
    }

    // The alternative said that it was changed in between.
    @Test("Fast copies that are equal may be one SYN that was captured twice, unchanged")
    func equalFastCopies() throws {
        let record = try attempt(1) { c in
            let syn = c.client("S", at: 0)
            c.again(syn, at: 5)
            c.again(syn, at: 1000)
        }
        let alternatives = record.findings.first { $0.code == .synRetransmitted }?.alternatives ?? []
        #expect(alternatives.contains { $0.hasPrefix("one SYN that was captured twice: its sender") })
        #expect(!alternatives.contains { $0.contains("changed") })
    }

    @Test("A half-open connection challenges as a live one does")
    func challengeOfHalfOpen() throws {
        let second = try attempt(3) { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.x = 99_000
            c.client("S", at: 1000)
            c.x = 1000
            c.server(".", at: 1020)
            c.client("R", at: 1021)
            c.idle(until: 20_000)
        }
        #expect(second.outcome == .challenged)
        #expect(second.has(.halfOpenDiscovered))
    }

    // The check ran after the connection's own number had been raised by the very segment.
    @Test("An ACK of new data on the live connection is no challenge")
    func ackOfNewDataIsNoChallenge() throws {
        let second = try attempt(4) { c in
            c.handshake(at: 0)
            c.x = 500
            c.client("S", at: 100)
            c.x = 1000
            c.client("P.", at: 110, len: 100)
            c.server(".", at: 130, ack: 101)
            c.idle(until: 20_000)
        }
        #expect(second.outcome == .stale)
    }

    // Identity was refreshed by data, not by handshake segments alone.
    @Test("The same x long after the handshake is another attempt, though data flowed until then")
    func identityCountsFromTheHandshake() {
        var c = Conversation()
        c.handshake(at: 0)
        for second in 1...80 {
            c.client("P.", at: Double(second) * 1000, seq: Int64(second), len: 1)
            c.server(".", at: Double(second) * 1000 + 10, ack: Int64(second) + 1)
        }
        c.client("F.", at: 80_100, seq: 81)
        c.server("F.", at: 80_110, ack: 82)
        c.handshake(at: 81_000)
        #expect(c.attempts().map(\.outcome) == [.established, .established])
    }

    // The RST was taken for a reset of the established connection.
    @Test("A late RST that answers a wrong final ACK does not reset what completed since")
    func lateAnswerToWrongACK() throws {
        let first = try attempt { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client(".", at: 21, ack: 501)
            c.client(".", at: 22)
            c.server("R", at: 42, seq: 501)
        }
        #expect(first.outcome == .established)
        #expect(!first.has(.resetAfterEstablished))
    }

    // Evidence of a refusal that a later SYN overcame counted as death.
    @Test("A reverse SYN on a connection that was refused first and then completed opens nothing")
    func reverseSYNAfterRefusal() {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("R.", at: 1, seq: 0)
        c.client("S", at: 500)
        c.server("S.", at: 520)
        c.client(".", at: 521)
        c.server("S", at: 600, seq: 90_000)
        #expect(c.attempts().count == 1)
    }

    // Any reverse SYN made it "simultaneous".
    @Test("A reverse SYN after the SYN-ACK or after completion leaves it a three-way handshake", arguments: [20.5, 30])
    func lateReverseSYN(_ time: Double) throws {
        let first = try attempt { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            if time < 21 { c.server("S", at: time, seq: 90_000) }
            c.client(".", at: 21)
            if time > 21 { c.server("S", at: time, seq: 90_000) }
        }
        #expect(first.form == .threeWay)
        #expect(first.has(.synOnEstablished))
    }

    // An empty range of frames passed for one in which time runs forward.
    @Test("A SYN that is captured last gives no negative time, and is no SYN on an established connection")
    func synCapturedLast() throws {
        let first = try attempt { c in
            c.server("S.", at: 20)
            c.client(".", at: 21)
            c.client("S", at: 19)
        }
        #expect(first.setup == nil)
        #expect(!first.has(.synOnEstablished))
        #expect(first.confidence == .reordered)
    }

    @Test("A SYN that something answered was not lost", arguments: ["challenge", "wrong SYN-ACK", "RST", "ICMP"])
    func answeredIsNotLost(_ answer: String) throws {
        let first = try attempt { c in
            let syn = c.client("S", at: 0)
            switch answer {
            case "challenge":
                c.server(".", at: 20, ack: 700)
                c.client("R", at: 20.1, seq: 700)
            case "wrong SYN-ACK": c.server("S.", at: 20, ack: 700)
            case "RST": c.server("R.", at: 20, seq: 0)
            default: c.icmp(11, 0, about: syn, from: "203.0.113.9", at: 20)
            }
            c.client("S", at: 1000)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }
        #expect(first.outcome == .established)
        #expect(!first.has(.synLost))
        // A challenge may answer a SYN that was not captured.
        #expect(first.synToSynAck?.provenance == (answer == "challenge" ? .ambiguous : .exact))
    }

    // Distance to x+1 alone decided.
    @Test("Data of the live connection that passes x'+1 stays the live connection's")
    func oldDataPassesNewISN() throws {
        let second = try attempt(4) { c in
            c.handshake(at: 0)
            c.x = 1500
            c.client("S", at: 100)
            c.x = 1000
            for step in 0..<10 {
                c.client("P.", at: 110 + Double(step), seq: Int64(1 + step * 100), len: 100)
                c.server(".", at: 130 + Double(step), ack: Int64(101 + step * 100))
            }
            c.idle(until: 20_000)
        }
        #expect(second.outcome == .unanswered)
        #expect(!second.has(.dataBeforeEstablished))
    }

    // RFC 5961 3.2: in the window is not enough.
    @Test("An inexact RST does not reset: from the client in SYN-RECEIVED, nor after completion from either")
    func inexactResets() throws {
        let halfway = try attempt { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client("R", at: 21, seq: 6)
            c.client(".", at: 22)
        }
        #expect(halfway.outcome == .established && halfway.has(.rstInexact))
        for fromClient in [true, false] {
            let later = try attempt { c in
                c.handshake(at: 0)
                if fromClient { c.client("R", at: 30, seq: 500) } else { c.server("R", at: 30, seq: 500) }
            }
            #expect(later.has(.rstInexact) && !later.has(.resetAfterEstablished))
        }
    }

    // The old connection took its final ACK, which was within a mebibyte of where it stood.
    @Test("A handshake close to the old connection's numbers completes in its place")
    func handshakeNearOldNumbers() throws {
        var c = Conversation()
        c.handshake(at: 0)
        c.x = 1600
        c.y = 9000
        c.handshake(at: 5000)
        c.client("F.", at: 5100)
        let attempts = c.attempts()
        #expect(attempts.map(\.outcome) == [.established, .established])
        #expect(attempts.allSatisfy { $0.completedBy == .ack })
    }

    @Test("A connection in TIME-WAIT challenges as a live one does")
    func challengeOfTimeWait() throws {
        let second = try attempt(6) { c in
            c.handshake(at: 0)
            c.client("F.", at: 100)
            c.server("F.", at: 110, ack: 2)
            c.x = 500
            c.client("S", at: 1000)
            c.x = 1000
            c.server(".", at: 1020, seq: 2, ack: 2)
            c.client("R", at: 1021, seq: 2)
            c.idle(until: 20_000)
        }
        #expect(second.outcome == .challenged)
        #expect(second.has(.halfOpenDiscovered))
    }

    // One answer was taken to cover every SYN before it.
    @Test("One answer covers one SYN: with two SYNs before it the round trip stays ambiguous")
    func oneAnswerCoversOneSYN() throws {
        let first = try attempt { c in
            let syn = c.client("S", at: 0)
            c.client("S", at: 1000)
            c.icmp(11, 0, about: syn, from: "203.0.113.9", at: 1100)
            c.client("S", at: 2000)
            c.server("S.", at: 2050)
            c.client(".", at: 2051)
        }
        #expect(first.synToSynAck?.provenance == .ambiguous)
        #expect(first.synToSynAck?.low == 50_000_000)
    }

    @Test("A SYN-ACK after the only SYN was answered otherwise gives no round trip")
    func answeredTwice() throws {
        let first = try attempt { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("S.", at: 1020, seq: 70_000)
            c.client(".", at: 1021, ack: 70_001)
        }
        #expect(first.synToSynAck == nil && first.total == nil)
    }

    @Test("A SYN-ACK that the client reset was not lost")
    func rejectedIsNotLost() throws {
        let first = try attempt { c in
            c.client("S", at: 0, ts: (100, 0))
            c.server("S.", at: 20, ts: (7, 99))
            c.client("R", at: 21)
            c.client("S", at: 1000, ts: (1100, 0))
            c.server("S.", at: 1020, ts: (1007, 1100))
            c.client(".", at: 1021, ts: (1121, 1007))
        }
        #expect(first.outcome == .established)
        #expect(!first.has(.synackLost))
    }

    // Only the newest attempt on the tuple was compared with.
    @Test("A second old SYN on a live connection is stale too")
    func twoOldSYNsOnLive() throws {
        let third = try attempt(5) { c in
            c.x = 100_000
            c.handshake(at: 0)
            c.x = 900
            c.client("S", at: 100)
            c.x = 500
            c.client("S", at: 200)
            c.idle(until: 20_000)
        }
        #expect(third.outcome == .stale)
        #expect(third.has(.synOnEstablished))
    }

    // An ignored RST counted as an answer.
    @Test("A RST that is ignored does not keep an attempt from being superseded")
    func ignoredRSTIsNoAnswer() throws {
        let first = try attempt { c in
            c.client("S", at: 0)
            c.server("R", at: 10, seq: 0)
            c.x = 90_000
            c.handshake(at: 1000)
            c.idle(until: 20_000)
        }
        #expect(first.outcome == .superseded)
    }

    @Test("A SYN-ACK with a bad checksum opens no partial attempt")
    func badSYNACKOpensNothing() {
        var good = Conversation(from: "192.0.2.7")
        good.client("S", at: 0) { $0.checksum = .good }
        good.server("S.", at: 1) { $0.checksum = .good }
        var c = Conversation()
        c.server("S.", at: 20) { $0.checksum = .bad }
        let (attempts, summary) = good.merged(with: c).analysed()
        #expect(attempts.count == 1)
        #expect(summary.badChecksumsIgnored == 1)
    }

    // Only an exact ACK chose.
    @Test("Later data chooses among several y as an exact ACK does")
    func dataChoosesISN() throws {
        let first = try attempt { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("S.", at: 1020, seq: 70_000)
            c.server("P.", at: 1021, seq: 70_001, len: 10)
            c.client(".", at: 1022, ack: 70_011)
        }
        #expect(first.serverISN == 75_000)
    }

    // Its completing segment was not looked for among those of a crossing.
    @Test("A simultaneous open has its setup time and its arithmetic")
    func simultaneousFigures() throws {
        let first = try attempt { c in
            c.client("S", at: 0)
            c.server("S", at: 5)
            c.client("S.", at: 10, seq: 0)
            c.server("S.", at: 15, seq: 0)
            c.server("R", at: 30)
        }
        #expect(first.setup == 15_000_000)
        #expect(first.ackSeq.ok == true && first.ackAck.ok == true)
        #expect(first.has(.resetAfterEstablished))
    }

    @Test("A FIN in the completing segment counts: with the server's, another x then reuses the tuple")
    func finInCompletion() throws {
        let second = try attempt(5) { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client("F.", at: 21)
            c.server("F.", at: 41, ack: 2)
            c.x = 90_000
            c.client("S", at: 1000)
        }
        #expect(second.has(.tupleReused) && !second.has(.synOnEstablished))
    }

    // The base was x+1+L although L had not been taken.
    @Test("Fast Open data that was ignored and sent again is late evidence when it is acknowledged")
    func ignoredFastOpenDataConfirms() {
        var c = Conversation()
        c.client("S", at: 0, len: 100) {
            $0.options.present.insert(.fastOpen)
            $0.options.fastOpenCookieLength = 8
        }
        c.server("S.", at: 20)
        c.client("P.", at: 21, len: 100)
        c.server(".", at: 41, ack: 101)
        c.server("R", at: 50)
        #expect(c.attempts().first?.has(.resetAfterEstablished) == false)
    }

    @Test("A SYN-ACK that acknowledges the SYN's data and is captured before it is one attempt")
    func fastOpenReordered() {
        var c = Conversation()
        c.server("S.", at: 20, ack: 101)
        c.client("S", at: 20.001, len: 100) {
            $0.options.present.insert(.fastOpen)
            $0.options.fastOpenCookieLength = 8
        }
        c.client(".", at: 21, seq: 101)
        let attempts = c.attempts()
        #expect(attempts.map(\.outcome) == [.established])
        #expect(attempts.first?.clientISN == 1000)
    }

    // Each new x walked over all before it: quadratic.
    @Test("A client that never repeats an x on one tuple is bounded, and what is let go is counted")
    func manyISNsOnOneTuple() {
        var c = Conversation()
        for n in 0..<500 {
            c.x = UInt32(n) * 100_000
            c.client("S", at: Double(n))
        }
        let (attempts, summary) = c.analysed()
        #expect(attempts.count == 500)
        #expect(summary.evicted == 500 - 64)
    }

    // Notes ran out and attempts were decided without them.
    @Test("A full log lets the oldest attempt go; it never decides one on what it did not keep")
    func fullLog() {
        var configuration = Conversation.configuration
        configuration.maximumAttempts = 16
        var c = Conversation()
        for copy in 0..<30 {
            for n in 0..<8 {
                c.clientEnd.port = UInt16(1000 + n)
                c.client("S", at: Double(copy) * 1000 + Double(n))
            }
        }
        c.clientEnd.port = 2000
        // A clock that is finer than milliseconds.
        c.handshake(at: 31_000.0005)
        let (attempts, summary) = c.analysed(configuration)
        #expect(summary.evicted > 0)
        #expect(attempts.allSatisfy { !$0.segments.isEmpty })
        #expect(attempts.first { $0.client.port == 2000 }?.total?.nanoseconds == 21_000_000)
    }

    // The pair's other half was in the part of the log that was left out.
    @Test("Where SYN-ACKs were left out of the log there is no round trip rather than a false one")
    func omittedSYNACKs() throws {
        let first = try attempt { c in
            let syn = c.client("S", at: 0)
            for n in 1...23 { c.icmp(11, 0, about: syn, from: "203.0.113.9", at: Double(n) / 10) }
            for n in 0..<12 { c.server("S.", at: 20 + Double(n) * 1000) }
            c.client(".", at: 11_030)
        }
        #expect(first.segmentsOmitted > 0)
        #expect(first.synToSynAck == nil && first.total == nil)
    }

    // The last frame's attempt was judged by a clock that had only just reached it.
    @Test("A SYN that is the capture's last frame, minutes after the one before, is pending")
    func lastFrameAfterGap() throws {
        var c = Conversation()
        c.idle(until: 0)
        c.client("S", at: 300_000)
        let last = try #require(c.attempts().first)
        #expect(last.outcome == .pending)
        #expect(last.ended == .captureEnd)
    }

    // Draining left the count of ordered records behind, so that the next frame's were not ordered.
    @Test("Attempts that one frame closed are in order, also right after a drain")
    func orderAfterDrain() {
        var a = Conversation(from: "192.0.2.1")
        a.client("S", at: 0)
        var b = Conversation(from: "192.0.2.2")
        b.client("S", at: 1)
        a.client("S", at: 2)  // b is now the one that was heard of longer ago
        var done = Conversation(from: "192.0.2.3")
        done.handshake(at: 3)
        done.client("F.", at: 90_000)
        var all = a.merged(with: b).merged(with: done)
        all.idle(until: 90_001)  // the FIN's record was drained; this frame lets the other two expire
        #expect(all.attempts().map(\.id) == [4, 1, 2])
    }

    @Test(
        "A RST far from the identifications that the peer counts is not like the peer; one that goes on is",
        arguments: [
            (50_000, true), (1003, false),
        ] as [(UInt16, Bool)])
    func identificationOfReset(_ number: UInt16, _ isOdd: Bool) throws {
        let first = try attempt { c in
            c.client("S", at: 0)
            c.server("S.", at: 20) { $0.identification = 1001 }
            c.server("S.", at: 1020) { $0.identification = 1002 }
            c.server("R", at: 1500) { $0.identification = number }
        }
        #expect(first.has(.rstFromMiddlebox) == isOdd)
    }

    // A busy connection at the head of a queue kept others from expiring.
    @Test("Traffic on another tuple changes nothing")
    func unrelatedTraffic() {
        func codes(busy: Bool) -> [String] {
            var c = Conversation()
            c.handshake(at: 0)
            c.client("F.", at: 30)
            c.server("F.", at: 40, ack: 2)
            var other = Conversation(from: "192.0.2.99")
            other.handshake(at: -1000)
            other.client("F.", at: -900)
            other.server("F.", at: -890, ack: 2)
            for second in 1...200 {
                if busy {
                    other.client(".", at: Double(second) * 1000, seq: 2, ack: 2)
                } else {
                    other.idle(until: Double(second) * 1000)
                }
            }
            c.x = 90_000
            c.client("S", at: 201_000)
            return c.merged(with: other).attempts().filter { $0.client == c.clientEnd }
                .map { "\($0.outcome) \($0.findings.map(\.code))" }
        }
        #expect(codes(busy: true) == codes(busy: false))
    }
}
