import Fixtures
import HandshakeAnalysis
import PacketWire
import Testing

@Suite("Outcomes")
struct OutcomeTests {
    /// The outcome of the attempt that starts first.
    private func outcome(
        _ build: (inout Conversation) -> Void, from client: String = "192.0.2.1", to server: String = "198.51.100.1"
    ) -> Outcome? {
        var c = Conversation(from: client, to: server)
        build(&c)
        return c.attempts().min { $0.id < $1.id }?.outcome
    }

    // MARK: established

    @Test("RFC 9293 Figure 6: SYN, SYN-ACK, ACK is established by an exact ACK")
    func threeWay() throws {
        var c = Conversation()
        c.handshake(at: 0)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.form == .threeWay)
        #expect(attempt.completedBy == .ack)
        #expect(attempt.ended == .evidence)
        #expect(attempt.confidence == .full)
        #expect(attempt.synAckAck.ok == true && attempt.ackSeq.ok == true && attempt.ackAck.ok == true)
    }

    @Test("The sums hold across the wrap at 2^32", arguments: [UInt32.max, UInt32.max - 1, 0])
    func wrap(_ isn: UInt32) throws {
        var c = Conversation(x: isn, y: UInt32.max &- isn)
        c.handshake(at: 0)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.synAckAck.expected == isn &+ 1)
        #expect(attempt.ackAck.actual == (UInt32.max &- isn) &+ 1)
        #expect(attempt.ackAck.ok == true)
    }

    @Test("An exact segment with payload completes by data")
    func byData() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("S.", at: 20)
        c.client("P.", at: 21, len: 100)
        #expect(c.attempts().first?.completedBy == .data)
    }

    @Test("Later data in the window completes by inference: the ACK was not captured")
    func byInference() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("S.", at: 20)
        c.client("P.", at: 25, seq: 101, len: 100)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.completedBy == .inferred)
        #expect(attempt.ackSeq.ok == nil, "the final ACK itself was not seen")
        #expect(attempt.synAckToAck == nil)
    }

    @Test("A server that acknowledges client data proves completion")
    func byServerProof() {
        let proof = outcome { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server(".", at: 40, ack: 101)
        }
        #expect(proof == .established)
    }

    @Test("A server that acknowledges data which was not captured: the capture is lossy")
    func lossy() throws {
        for (isCaptured, expected) in [(false, Confidence.lossy), (true, .full)] {
            var c = Conversation()
            c.client("S", at: 0)
            c.server("S.", at: 20)
            if isCaptured { c.client("P.", at: 21, len: 100) }
            c.server(".", at: 40, ack: 101)
            #expect(try #require(c.attempts().first).confidence == expected)
        }
    }

    @Test("A bare server ACK of x+1 proves nothing: it may be a challenge")
    func bareServerACK() {
        let bare = outcome { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server(".", at: 40)
            c.idle(until: 9000)
        }
        #expect(bare == .halfOpen)
    }

    @Test("RFC 9293 Figure 7: crossed SYNs and SYN-ACKs are a simultaneous open")
    func simultaneous() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("S", at: 1)
        c.client("S.", at: 20, seq: 0)
        c.server("S.", at: 21, seq: 0)
        let attempts = c.attempts()
        #expect(attempts.count == 1)
        let attempt = try #require(attempts.first)
        #expect(attempt.outcome == .established)
        #expect(attempt.form == .simultaneous)
        #expect(attempt.serverISN == 5000)
    }

    @Test("Crossed SYNs that are never acknowledged are not established")
    func crossedOnly() {
        let crossed = outcome { c in
            c.client("S", at: 0)
            c.server("S", at: 1)
            c.idle(until: 9000)
        }
        #expect(crossed == .halfOpen)
    }

    @Test("A server that sends ACK and SYN apart is a split handshake")
    func split() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server(".", at: 10, seq: 0)
        c.server("S", at: 11)
        c.client("S.", at: 12, seq: 0)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.form == .split)
    }

    @Test("A bare SYN of the server, acknowledged, and then its ACK is a split handshake")
    func splitWithLateACK() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("S", at: 11)
        c.client("S.", at: 12, seq: 0)
        c.server(".", at: 13)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.form == .split)
    }

    @Test("Only the client's direction: established, one-sided, y from its ACK, no server leg")
    func oneSided() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.client(".", at: 21)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.serverISN == 5000)
        #expect(attempt.confidence == .oneDirection)
        #expect(attempt.synToSynAck == nil && attempt.total == nil)
        #expect(attempt.serverMSS == nil && attempt.negotiatedMSS == nil)
    }

    @Test("The final ACK chooses among several y")
    func chosenISN() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("S.", at: 20)
        c.server("S.", at: 1020, seq: 777)
        c.client(".", at: 1021, ack: 778)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.serverISN == 5777)
    }

    @Test("A second y after completion changes nothing")
    func lateISN() throws {
        var c = Conversation()
        c.handshake(at: 0)
        c.server("S.", at: 1020, seq: 777)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.serverISN == 5000)
        #expect(attempt.has(.synackIsnChanged))
    }

    @Test("Data acknowledged in both directions beats one wrong number")
    func oneWrongNumber() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("S.", at: 20, ack: 77)
        c.client(".", at: 21)
        c.client("P.", at: 22, len: 50)
        c.server(".", at: 40, ack: 51)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.completedBy == .inferred)
        #expect(attempt.has(.synackWrongAck))
        #expect(attempt.confidence != .full)
    }

    @Test("Fast Open: the SYN-ACK may acknowledge the SYN's data, and the ACK's SEQ follows it")
    func fastOpen() throws {
        var c = Conversation()
        c.client("S", at: 0, len: 100) {
            $0.options.present.insert(.fastOpen)
            $0.options.fastOpenCookieLength = 8
        }
        c.server("S.", at: 20, ack: 101)
        c.server("P.", at: 20.5, len: 300)
        c.client(".", at: 21, seq: 101)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .established)
        #expect(attempt.completedBy == .ack, "server data proves nothing under Fast Open; the ACK does")
        #expect(attempt.synAckAck.expected == 1001 && attempt.synAckAck.expectedMax == 1101)
        #expect(attempt.clientOptions?.fastOpen == "cookie")
    }

    // MARK: The client resets

    @Test("A client RST with SEQ x+1 is reset-by-client, with a SYN-ACK or without", arguments: [true, false])
    func resetByClient(_ withSYNACK: Bool) {
        let reset = outcome { c in
            c.client("S", at: 0)
            if withSYNACK { c.server("S.", at: 20) }
            c.client("R", at: 21)
        }
        #expect(reset == .resetByClient)
    }

    @Test("After a client RST a bare ACK completes nothing")
    func noACKAfterReset() {
        let reset = outcome { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client("R", at: 21)
            c.client(".", at: 22)
        }
        #expect(reset == .resetByClient)
    }

    @Test("After a client RST a new SYN goes on")
    func synAfterReset() {
        let reset = outcome { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client("R", at: 21)
            c.client("S", at: 1000)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }
        #expect(reset == .established)
    }

    @Test("A client RST with SEQ x: it gave up, unanswered")
    func gaveUp() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.client("R", at: 2000, seq: 0)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .unanswered)
        #expect(attempt.ended == .clientAbort)
    }

    @Test("RFC 9293 Figure 8: the old duplicate SYN is stale, the new one established")
    func figure8() throws {
        var old = Conversation(x: 90, y: 300)
        var new = Conversation(x: 100, y: 400)
        new.client("S", at: 0)
        old.client("S", at: 10)
        old.server("S.", at: 20)
        old.client("R", at: 21)
        new.client("S", at: 1000)
        new.server("S.", at: 1020)
        new.client(".", at: 1021)
        let attempts = new.merged(with: old).attempts()
        #expect(attempts.count == 2)
        #expect(attempts.first { $0.clientISN == 90 }?.outcome == .stale)
        #expect(attempts.first { $0.clientISN == 100 }?.outcome == .established)
    }

    @Test("An unanswered SYN that is older than the live connection on its tuple is stale, by TSval")
    func staleOnLive() throws {
        var c = Conversation(x: 100_000)
        c.client("S", at: 0, ts: (5000, 0))
        c.server("S.", at: 20, ts: (7, 5000))
        c.client(".", at: 21, ts: (5021, 7))
        c.x = 200_000
        c.client("S", at: 500, ts: (4000, 0))
        c.idle(until: 10_000)
        #expect(c.attempts().first { $0.clientISN == 200_000 }?.outcome == .stale)
    }

    @Test("A newer one is not stale")
    func newerOnLive() throws {
        var c = Conversation(x: 100_000)
        c.client("S", at: 0, ts: (5000, 0))
        c.server("S.", at: 20, ts: (7, 5000))
        c.client(".", at: 21, ts: (5021, 7))
        c.x = 50_000
        c.client("S", at: 500, ts: (6000, 0))
        c.idle(until: 10_000)
        #expect(c.attempts().first { $0.clientISN == 50_000 }?.outcome == .unanswered)
    }

    // MARK: The server resets

    @Test("A server RST with SEQ y+1 before completion is reset-by-server")
    func resetByServer() {
        let reset = outcome { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.server("R", at: 30)
        }
        #expect(reset == .resetByServer)
    }

    @Test("A RST with the SEQ of a wrong final ACK answers that ACK: the request lives on")
    func resetAnswersWrongACK() {
        let lives = outcome { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.client(".", at: 21, ack: 500)
            c.server("R", at: 22, seq: 500)
            c.client(".", at: 23)
        }
        #expect(lives == .established)
    }

    @Test("RST with ACK x+1 refuses, whatever its SEQ", arguments: [-5000, 0, 77] as [Int64])
    func refused(_ seq: Int64) throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("R.", at: 3, seq: seq)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .refused)
        #expect(attempt.refusal == 3_000_000)
    }

    @Test("RST with another ACK, or none, does not refuse", arguments: ["R.", "R"])
    func notRefused(_ flags: String) {
        let pending = outcome { c in
            c.client("S", at: 0)
            c.server(flags, at: 3, ack: 0)
        }
        #expect(pending == .pending)
    }

    @Test("A refusal does not close the attempt: Windows tries the same x again, and may succeed")
    func refusedThenEstablished() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("R.", at: 1, seq: 0)
        c.client("S", at: 500)
        c.server("S.", at: 520)
        c.client(".", at: 521)
        let attempts = c.attempts()
        #expect(attempts.count == 1)
        #expect(attempts.first?.outcome == .established)
        #expect(attempts.first?.total?.provenance == .exact, "the first SYN was answered by the RST")
    }

    // MARK: ICMP

    @Test(
        "An ICMP error about this x is unreachable", arguments: [(3, 3), (3, 1), (3, 13), (11, 0)] as [(UInt8, UInt8)])
    func unreachable(_ type: UInt8, _ code: UInt8) {
        let error = outcome { c in
            let syn = c.client("S", at: 0)
            c.icmp(type, code, about: syn, from: "203.0.113.1", at: 5)
        }
        #expect(error == .unreachable)
    }

    @Test("Fragmentation needed decides nothing")
    func pmtu() {
        let pending = outcome { c in
            let syn = c.client("S", at: 0)
            c.icmp(3, 4, about: syn, from: "203.0.113.1", at: 5)
        }
        #expect(pending == .pending)
    }

    @Test("An ICMP error that quotes another sequence number decides nothing")
    func icmpWrongSeq() {
        let pending = outcome { c in
            var syn = c.client("S", at: 0)
            syn.seq &+= 1
            c.icmp(3, 3, about: syn, from: "203.0.113.1", at: 5)
        }
        #expect(pending == .pending)
    }

    @Test(
        "ICMP severities",
        arguments: [
            (4, 3, 3, "hard"), (4, 3, 2, "hard"), (4, 3, 9, "admin"), (4, 3, 10, "admin"), (4, 3, 13, "admin"),
            (4, 3, 0, "soft"), (4, 11, 0, "soft"), (4, 3, 4, "pmtu"), (6, 1, 1, "hard"), (6, 1, 4, "hard"),
            (6, 1, 0, "soft"), (6, 2, 0, "pmtu"),
        ] as [(Int, UInt8, UInt8, String)])
    func severities(_ version: Int, _ type: UInt8, _ code: UInt8, _ expected: String) throws {
        let address = try #require(IPAddress(version == 4 ? "192.0.2.1" : "2001:db8::1"))
        let end = Endpoint(address, 1)
        let error = ICMPError(reporter: address, type: type, code: code, source: end, destination: end)
        #expect(error.severity.rawValue == expected)
    }

    // MARK: invalid, challenged

    @Test("Only SYN-ACKs that do not acknowledge x+1 are invalid")
    func invalidSYNACK() {
        let invalid = outcome { c in
            c.client("S", at: 0)
            c.server("S.", at: 20, ack: 2)
            c.client("R", at: 21, seq: 2)
        }
        #expect(invalid == .invalid)
    }

    @Test("Final ACKs that never equal y+1 are invalid")
    func invalidACK() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("S.", at: 20)
        c.client(".", at: 21, ack: 2)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .invalid)
        #expect(attempt.ackAck.expected == 5001 && attempt.ackAck.actual == 5002 && attempt.ackAck.ok == false)
    }

    @Test("A wrong SYN-ACK and then a right one is established")
    func wrongThenRight() {
        let right = outcome { c in
            c.client("S", at: 0)
            c.server("S.", at: 20, ack: 2)
            c.client("R", at: 21, seq: 2)
            c.client("S", at: 1000)
            c.server("S.", at: 1020)
            c.client(".", at: 1021)
        }
        #expect(right == .established)
    }

    @Test("An ACK as the only answer is a challenge, whatever it acknowledges", arguments: [1, 99_000] as [Int64])
    func challenged(_ ack: Int64) {
        let challenge = outcome { c in
            c.client("S", at: 0)
            c.server(".", at: 20, seq: 300, ack: ack)
            c.idle(until: 9000)
        }
        #expect(challenge == .challenged)
    }

    @Test("RFC 9293 Figure 9: challenge, RST, the same x again, established")
    func figure9() throws {
        var c = Conversation(x: 400)
        c.client("S", at: 0)
        c.server(".", at: 20, seq: -4700, ack: -300)
        c.client("R", at: 21, seq: -300)
        c.client("S", at: 1000)
        c.server("S.", at: 1020)
        c.client(".", at: 1021)
        let attempts = c.attempts()
        #expect(attempts.count == 1)
        #expect(attempts.first?.outcome == .established)
        #expect(attempts.first?.has(.halfOpenDiscovered) == true)
    }

    @Test("A SYN on a live connection is challenged by an ACK of that connection's numbers")
    func challengedByLive() throws {
        var c = Conversation(x: 1000)
        c.handshake(at: 0)
        c.client("P.", at: 30, len: 100)
        c.server(".", at: 50, ack: 101)
        c.x = 700_000
        c.client("S", at: 5000)
        c.x = 1000
        c.server(".", at: 5020, ack: 101)
        c.idle(until: 15_000)
        let attempts = c.attempts()
        #expect(attempts.count == 2)
        let second = try #require(attempts.first { $0.clientISN == 700_000 })
        #expect(second.outcome == .challenged)
        #expect(second.has(.synOnEstablished))
    }

    // MARK: Silence

    @Test(
        "A SYN-ACK and silence is half-open once it is 7 s old, before that pending",
        arguments: [
            (6999.0, .pending), (7020.0, .halfOpen),
        ] as [(Double, Outcome)])
    func halfOpen(_ end: Double, _ expected: Outcome) {
        let silent = outcome { c in
            c.client("S", at: 0)
            c.server("S.", at: 20)
            c.idle(until: end)
        }
        #expect(silent == expected)
    }

    @Test(
        "SYNs and silence are unanswered once the first is 7 s and the last 1 s old",
        arguments: [
            (7000.0, 6500.0, .pending), (7500.0, 6500.0, .unanswered), (6999.0, 1000.0, .pending),
            (7000.0, 1000.0, .unanswered),
        ] as [(Double, Double, Outcome)])
    func unanswered(_ end: Double, _ last: Double, _ expected: Outcome) {
        let silent = outcome { c in
            c.client("S", at: 0)
            c.client("S", at: last)
            c.idle(until: end)
        }
        #expect(silent == expected)
    }

    @Test(
        "Another x before the 7 s test passed supersedes; after it the first was unanswered",
        arguments: [
            (3000.0, .superseded), (8000.0, .unanswered),
        ] as [(Double, Outcome)])
    func superseded(_ restart: Double, _ expected: Outcome) {
        let first = outcome { c in
            c.client("S", at: 0)
            c.x &+= 70_000
            c.handshake(at: restart)
            c.idle(until: 20_000)
        }
        #expect(first == expected)
    }

    @Test("A superseded attempt that is answered late is not superseded")
    func supersededThenAnswered() {
        let first = outcome { c in
            c.client("S", at: 0)
            c.x &+= 70_000
            c.client("S", at: 1000)
            c.x &-= 70_000
            c.server("R.", at: 1500, seq: 0)
            c.idle(until: 20_000)
        }
        #expect(first == .refused)
    }

    // MARK: partial

    @Test("Without its SYN an attempt is partial, and x follows from the SYN-ACK")
    func partial() throws {
        var c = Conversation()
        c.server("S.", at: 20)
        c.client(".", at: 21)
        let attempt = try #require(c.attempts().first)
        #expect(attempt.outcome == .partial)
        #expect(attempt.completedBy == .ack)
        #expect(attempt.ended == .evidence)
        #expect(!attempt.startsAtSYN)
        #expect(attempt.clientISN == 1000)
        #expect(attempt.synAckAck.ok == nil, "x was computed from it: that is no check")
        #expect(attempt.clientMSS == nil && attempt.negotiatedMSS == nil)
        #expect(attempt.synCount == 0)
    }

    @Test("Neither SYN nor SYN-ACK: no record, counted")
    func midstream() {
        var c = Conversation()
        c.client("P.", at: 0, seq: 500, len: 10)
        c.server(".", at: 10, seq: 900, ack: 510)
        let (attempts, summary) = c.analysed()
        #expect(attempts.isEmpty)
        #expect(summary.midstreamFlows == 1)
    }
}
