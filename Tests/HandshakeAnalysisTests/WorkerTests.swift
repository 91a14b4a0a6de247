import HandshakeAnalysis
import HandshakeReport
import PacketWire
import Testing

/// One tracker against several that share the tuples out.
@Suite struct WorkerTests {
    @Test("Random walks of many connections come to the same bytes with two, three and seven workers")
    func randomWalks() {
        for seed in UInt64(1)...40 {
            var walk = RandomWalk(seed: seed, tuples: 40)
            let frames = walk.frames(400)
            let alone = outcome(frames, workers: 1)
            for workers in [2, 3, 7] { expectSame(outcome(frames, workers: workers), alone, "seed \(seed)") }
        }
    }

    @Test("A table that is full lets go of the same attempts, whoever follows them")
    func fullTable() {
        for seed in UInt64(1)...40 {
            var walk = RandomWalk(seed: seed, tuples: 60)
            let frames = walk.frames(400)
            let alone = outcome(frames, workers: 1, most: 32)
            for workers in [2, 3, 7, 16] {
                expectSame(outcome(frames, workers: workers, most: 32), alone, "seed \(seed)")
            }
        }
    }

    @Test("A table of several parts gives the records that one of a single part gives, as long as it is not full")
    func parts() {
        for seed in UInt64(1)...40 {
            var walk = RandomWalk(seed: seed, tuples: 40)
            let frames = walk.frames(400)
            expectSame(outcome(frames, workers: 1, parts: 16), outcome(frames, workers: 1, parts: 1), "seed \(seed)")
        }
    }

    @Test("Of a flood beyond the limit as much is let go, and counted, whoever follows it")
    func flood() {
        var frames: [(octets: [UInt8], time: Int64)] = []
        for number in 0..<3000 {
            var segment = Segment(
                from: Endpoint(IPAddress(v4: 0x0a00_0000 + UInt32(number)), 1000),
                to: Endpoint(IPAddress(v4: 0xc633_6401), 80))
            segment.flags = .syn
            segment.seq = 1 + UInt32(number)
            frames.append((FrameEncoder(.ethernet).encode(segment), Int64(number) * 1000))
        }
        let alone = outcome(frames, workers: 1, most: 1024)
        #expect(alone.last?.contains("\"evicted\":1976") == true)
        #expect(alone.count == 3001)
        for workers in [2, 3, 7] { expectSame(outcome(frames, workers: workers, most: 1024), alone, "flood") }
    }

    private func expectSame(_ lines: [String], _ expected: [String], _ what: String) {
        #expect(lines.count == expected.count, "\(what)")
        if let (line, other) = zip(lines, expected).first(where: { $0 != $1 }) {
            Issue.record("\(what)\n\(line)\(other)")
        }
    }

    /// The records as JSON in the order in which one tracker would decide them, and the summary.
    private func outcome(
        _ frames: [(octets: [UInt8], time: Int64)], workers: Int, most: Int = 4096, parts: Int = 16
    ) -> [String] {
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumAttempts = most
        configuration.parts = parts
        configuration.hashSeed = 1
        configuration.listsPlain = true
        var decisions: [Decisions] = []
        var summary = HandshakeSummary()
        for worker in 0..<workers {
            var tracker = HandshakeTracker(configuration, worker: worker, of: workers)
            var batch = FrameBatch()
            for (index, frame) in frames.enumerated() {
                batch.append(
                    frame.octets.span.bytes, wireLength: frame.octets.count, number: UInt64(index + 1),
                    time: frame.time, decoder: FrameDecoder(.ethernet))
                if batch.isFull || index == frames.count - 1 {
                    tracker.receive(batch)
                    batch.count = 0
                }
            }
            tracker.end()
            var taken = Decisions()
            tracker.take(&taken)
            decisions.append(taken)
            summary.add(tracker.summary)
        }
        var lines: [String] = []
        func line(_ write: (inout OutputBuffer) -> Void) {
            var out = OutputBuffer()
            write(&out)
            lines.append(String(decoding: out.bytes, as: UTF8.self))
        }
        var order = Decisions.Order(decisions)
        while let (tracker, position) = order.next() {
            let decided = decisions[tracker]
            line {
                JSONReport.line(
                    decided.plain(at: position).map(decided.record) ?? decided.record(at: position), to: &$0)
            }
        }
        line { JSONReport.line(summary, CaptureLoss(), to: &$0) }
        return lines
    }
}
