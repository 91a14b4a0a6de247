import Fixtures
@testable import HandshakeAnalysis
import PacketWire
import TestSupport
import Testing

@Suite("The time of a live capture")
struct LiveTimeTests {
    static let second: Int64 = 1_000_000_000

    /// A tracker that was given a conversation's segments, its steady clock at `steady` seconds with the last.
    private func tracker(_ conversation: Conversation, steady: Int64) -> HandshakeTracker {
        var tracker = HandshakeTracker()
        tracker.pass(steady: steady * Self.second)
        for (number, item) in conversation.items.enumerated() {
            tracker.receive(item.frame, number: UInt64(number + 1), time: item.time)
            tracker.pass(steady: steady * Self.second)
        }
        return tracker
    }

    @Test(
        "What waits is told by server from 3 s on, a refusal at once, and no longer when it is decided",
        arguments: [false, true])
    func waiting(_ decidesEndsEarly: Bool) {
        var configuration = HandshakeTracker.Configuration()
        configuration.decidesEndsEarly = decidesEndsEarly
        var tracker = HandshakeTracker(configuration)
        let start = 1_000_000 * Self.second
        var number: UInt64 = 0
        func receive(_ segment: Segment, at time: Int64) {
            number += 1
            tracker.receive(.segment(segment), number: number, time: start + time)
        }
        // Two clients of one server without an answer, one of which sends its SYN again; a refusal elsewhere.
        receive(.syn(from: 1), at: 0)
        receive(.syn(from: 2), at: 1 * Self.second)
        receive(.syn(from: 1), at: 1 * Self.second)
        let asked = Segment.syn(from: 3, to: 0xc633_6402)
        receive(asked, at: 2 * Self.second)
        var refusal = Segment(from: asked.destination, to: asked.source)
        refusal.flags = [.rst, .ack]
        refusal.ack = asked.seq &+ 1
        receive(refusal, at: 2 * Self.second + 1)

        let early = tracker.waiting(now: start + 2 * Self.second + 2)
        #expect(early.servers.map(\.server) == [asked.destination])
        #expect(early.servers.map(\.state) == ["refused so far"])
        let later = tracker.waiting(now: start + 5 * Self.second)
        #expect(later.servers.map(\.attempts) == [2, 1])
        #expect((later.servers[0].syns, later.servers[0].oldest) == (3, 5 * Self.second))
        #expect(later.servers[0].state == "no answer yet")
        #expect(later.byAge == [3, 0, 0])
        #expect(tracker.waiting(now: start + 12 * Self.second).byAge == [0, 3, 0])
        #expect(tracker.waiting(now: start + 5 * Self.second, limit: 0).isPartial)

        // A server that resets behind its SYN-ACK is told at once, one with a complete handshake never.
        for (client, last) in [(7, .rst), (8, .ack)] as [(UInt32, TCPFlags)] {
            let asked = Segment.syn(from: client, to: 0xc633_6403)
            receive(asked, at: 4 * Self.second)
            var answer = Segment(from: asked.destination, to: asked.source)
            (answer.flags, answer.seq, answer.ack) = ([.syn, .ack], 100, asked.seq &+ 1)
            receive(answer, at: 4 * Self.second + 1)
            var end = last == .rst ? answer : Segment(from: asked.source, to: asked.destination)
            (end.flags, end.seq, end.ack) = (last, last == .rst ? 101 : asked.seq &+ 1, last == .rst ? 0 : 101)
            receive(end, at: 4 * Self.second + 2)
        }
        let reset = tracker.waiting(now: start + 4 * Self.second + 3).servers.filter {
            $0.server.address == IPAddress(v4: 0xc633_6403)
        }
        #expect(reset.map(\.attempts) == [1] && reset.map(\.state) == ["reset or rejected so far"])

        let answered = Segment.syn(from: 1)
        var synAck = Segment(from: answered.destination, to: answered.source)
        (synAck.flags, synAck.seq, synAck.ack) = ([.syn, .ack], 100, answered.seq &+ 1)
        receive(synAck, at: 5 * Self.second)
        #expect(
            tracker.waiting(now: start + 6 * Self.second).servers[0].state
                == "no answer yet, 1 SYN-ACK, no final ACK yet")
        tracker.end()
        #expect(tracker.waiting(now: start + 100 * Self.second).servers.isEmpty)
    }

    @Test("Silence decides: an unanswered SYN after 75 s without any frame")
    func silence() {
        var c = Conversation()
        c.client("S", at: 0)
        var tracker = tracker(c, steady: 1000)
        tracker.pass(steady: 1070 * Self.second)
        #expect(tracker.drain().isEmpty)
        tracker.pass(steady: 1076 * Self.second)
        #expect(tracker.drain().map(\.outcome) == [.unanswered])
    }

    @Test("A refusal is decided after 75 s of silence, and so is a reset: the same x may come again till then")
    func refusal() {
        for flags in ["R.", "S."] {
            var c = Conversation()
            c.client("S", at: 0)
            c.server(flags, at: 1)
            if flags == "S." { c.client("R", at: 2) }
            var tracker = tracker(c, steady: 1000)
            tracker.pass(steady: 1074 * Self.second)
            #expect(tracker.drain().isEmpty)
            tracker.pass(steady: 1076 * Self.second)
            #expect(tracker.drain().map(\.outcome) == [flags == "R." ? .refused : .resetByClient])
        }
    }

    @Test("A SYN that is sent again after a refusal keeps the attempt open")
    func refusalLost() {
        var c = Conversation()
        c.client("S", at: 0)
        c.server("R.", at: 1)
        c.client("S", at: 7000)
        var tracker = tracker(c, steady: 1000)
        tracker.pass(steady: 1060 * Self.second)
        #expect(tracker.drain().isEmpty)
        #expect(tracker.openAttempts == 1)
    }

    @Test("A step of the system's clock forward decides nothing, and is counted")
    func stepForward() {
        var c = Conversation()
        c.client("S", at: 0)
        c.idle(until: 3_600_000)
        c.idle(until: 3_600_001)
        var tracker = tracker(c, steady: 1000)
        #expect(tracker.drain().isEmpty)
        #expect(tracker.summary.clockStepsForward == 1)
        tracker.pass(steady: 1080 * Self.second)
        #expect(tracker.drain().map(\.outcome) == [.unanswered])
    }

    @Test("A step back does not stop time: silence still decides")
    func stepBack() {
        var c = Conversation()
        c.client("S", at: 0)
        c.idle(until: -3_600_000)
        c.idle(until: -3_599_999)
        var tracker = tracker(c, steady: 1000)
        tracker.pass(steady: 1080 * Self.second)
        #expect(tracker.drain().map(\.outcome) == [.unanswered])
        #expect(tracker.summary.clockStepsBack == 1)
    }

    @Test("Frames that come late in their block are not taken for a step")
    func blocks() {
        var clock = CaptureClock()
        for (time, steady) in [(0, 0), (5000, 5020), (5001, 5100), (5090, 5101), (5095, 5200)] {
            clock.pass(clock.silence(until: Int64(steady) * 1_000_000))
            clock.tick(Int64(time) * 1_000_000)
        }
        #expect(clock.stepsForward == 0)
        #expect(clock.elapsed <= 5_200_000_000)
    }

    @Test("What was evidence is listed by frame, once")
    func evidence() {
        var configuration = HandshakeTracker.Configuration()
        configuration.listing = .recordsAndEvidence
        var tracker = HandshakeTracker(configuration)
        var c = Conversation()
        c.handshake(at: 0)
        c.client("P.", at: 50, len: 10)
        c.client("P.", at: 60, len: 10)
        for (number, item) in c.items.enumerated() {
            tracker.receive(item.frame, number: UInt64(number + 1), time: item.time)
        }
        #expect(tracker.takeEvidence() == [1, 2, 3])
        #expect(tracker.takeEvidence().isEmpty)
    }
}
