import Fixtures
@testable import HandshakeAnalysis
import PacketWire
import TestSupport
import Testing

/// A savefile's batch does not end before a pause: the first frame behind the pause is the first to show its time.
@Suite("Steady batches with a pause in them")
struct SteadyBatchTests {
    /// The outcome of a handshake whose SYN-ACK comes 8 s after the frame before it, and whose final ACK comes after
    /// `pause` more.
    private func outcome(finalACKAfter pause: Double, synPayload: UInt32) throws -> Outcome? {
        var other = Conversation(from: "192.0.2.9")
        other.client("S", at: 1)
        other.client("S", at: 8001, seq: 77)
        var c = Conversation()
        c.client("S", at: 0, len: synPayload)
        c.server("S.", at: 8000)
        c.client(".", at: 8000 + pause)
        let frames = c.merged(with: other).frames().map { (octets: $0.bytes, time: $0.time) }
        var tracker = HandshakeTracker()
        inBatches(frames.prefix(4), tracker.makeBatch()) { tracker.receive($0) }
        try #require(tracker.batches.steady == 1)
        let (octets, time) = frames[4]
        var last = tracker.makeBatch()
        last.append(
            octets.span.bytes, wireLength: octets.count, number: 5, time: time, decoder: FrameDecoder(.ethernet))
        tracker.receive(last)
        return tracker.finish().first { $0.id == 1 }?.outcome
    }

    // A SYN with payload makes an attempt detailed.
    @Test("A SYN-ACK behind a pause keeps its attempt open for 75 s from its own time", arguments: [0, 5] as [UInt32])
    func answered(synPayload: UInt32) throws {
        #expect(try outcome(finalACKAfter: 74_000, synPayload: synPayload) == .established)
        #expect(try outcome(finalACKAfter: 75_000, synPayload: synPayload) == .halfOpen)
    }

    @Test("A connection is remembered for less than an hour without a segment", arguments: [(-1, 0), (0, 1)])
    func remembered(nanosecond: Int64, midstream: Int) {
        var c = Conversation()
        c.handshake(at: 0)
        c.client("P.", at: 30, len: 10)
        c.server(".", at: 40, ack: 11)
        c.client("P.", at: 3_600_040 + Double(nanosecond) / 1_000_000, seq: 11, len: 10)
        var configuration = Conversation.configuration
        configuration.listing = .sums
        #expect(c.analysed(configuration).summary.midstreamFlows == midstream)
    }
}
