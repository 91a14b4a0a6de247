import Fixtures
import HandshakeRecord
import Testing

@testable import HandshakePipeline

@Suite("Attempts that overlap a loss of the capture")
struct CaptureGapsTests {
    static let second: Int64 = 1_000_000_000

    private func confidence(_ gaps: [ClosedRange<Int64>], decided: Double = 60, _ c: Conversation) -> [Confidence] {
        var log = CaptureGaps()
        for gap in gaps { log.add(gap) }
        return c.attempts().map { record in
            var record = record
            log.lower(&record, decided: record.firstTime + Int64(decided * 1e9))
            return record.confidence
        }
    }

    private var handshake: (Conversation, Int64) {
        var c = Conversation()
        c.handshake(at: 5000)
        return (c, c.items[0].time)
    }

    @Test("A loss during the handshake lowers the confidence; one before or after does not")
    func overlap() {
        let (c, start) = handshake
        #expect(confidence([start + 1...start + 2], c) == [.lossy])
        #expect(confidence([start + Self.second...start + 2 * Self.second], c) == [.full])
        #expect(confidence([start - 3 * Self.second...start - 2 * Self.second], c) == [.full])
    }

    @Test("A loss up to the initial timeout before the first SYN counts: an earlier SYN may have been in it")
    func before() {
        let (c, start) = handshake
        #expect(confidence([start - Self.second...start - Self.second / 2], c) == [.lossy])
    }

    @Test("What silence decided is not trusted where the capture lost frames in the meantime")
    func silence() {
        var c = Conversation()
        c.client("S", at: 5000)
        let start = c.items[0].time
        #expect(confidence([start + 40 * Self.second...start + 41 * Self.second], c) == [.lossy])
        #expect(confidence([start + 70 * Self.second...start + 71 * Self.second], c) == [.full])
    }

    @Test("Many losses are kept as few, and none is forgotten")
    func many() {
        let (c, start) = handshake
        let gaps = (0..<5000).map { start + Int64($0 - 2500) * 10 * Self.second + 1 }.map { $0...$0 + 1 }
        #expect(confidence(gaps, c) == [.lossy])
    }
}
