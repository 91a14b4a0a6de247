import Fixtures
import HandshakeAnalysis
import HandshakePipeline
import HandshakeRecord
import PacketCapture
import PacketWire
import TestSupport
import Testing

@Suite("Files in, attempts out")
struct FilePipelineTests {
    /// Some hundred connections, some of them refused or without answer.
    private static func traffic(_ count: Int = 300) -> [UInt8] {
        var all = Conversation(x: 1, y: 1)
        for number in 0..<count {
            var one = Conversation(x: UInt32(1000 + number), y: UInt32(9000 + number))
            one.clientEnd = Endpoint(IPAddress(v4: 0x0a00_0000 + UInt32(number)), 40_000)
            let start = Double(number * 100)
            switch number % 5 {
            case 0:
                one.client("S", at: start)
                one.server("R.", at: start + 3)
            case 1: one.client("S", at: start)
            default:
                one.handshake(at: start)
                one.client("F.", at: start + 50)
                one.server("F.", at: start + 60, ack: 2)
                one.client(".", at: start + 70, seq: 2, ack: 2)
            }
            all = all.merged(with: one)
        }
        return all.pcap()
    }

    /// Keeps what comes, in order, and has enough after some.
    private struct Collector: AttemptTaker {
        struct Enough: Error {}
        var limit = Int.max
        var attempts: [String] = []
        var plain = 0

        mutating func take(_ record: AttemptRecord) throws(Enough) {
            if attempts.count == limit { throw Enough() }
            attempts.append("\(record.id) \(record.outcome)")
        }

        mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) throws(Enough) {
            self.plain += 1
            #expect(record().id == plain.id)
            try take(record())
        }
    }

    private static func pipeline(_ file: TemporaryFile, workers: Int, lists: Bool = true) throws -> FilePipeline {
        var configuration = HandshakeTracker.Configuration()
        configuration.listing = lists ? .plainAndRecords : .sums
        configuration.hashSeed = 1
        return FilePipeline(try CaptureReader(paths: [file.path], .init()), configuration, workers: workers)
    }

    @Test("Several workers hand out what one does, in the same order", arguments: [2, 3, 7])
    func workers(_ count: Int) throws {
        let file = try TemporaryFile(Self.traffic())
        func run(_ workers: Int) throws -> (Collector, HandshakeSummary) {
            var pipeline = try Self.pipeline(file, workers: workers)
            var collector = Collector()
            let summary = try pipeline.run(&collector)
            return (collector, summary)
        }
        let (one, summary) = try run(1)
        let (several, sum) = try run(count)
        #expect(one.attempts.count == 300)
        #expect(several.attempts == one.attempts)
        #expect(several.plain == one.plain && one.plain > 0)
        #expect(sum.byOutcome == summary.byOutcome)
        #expect(sum.frames.read == summary.frames.read)
        #expect(summary.byOutcome[.refused] == 60)
    }

    @Test("Where nothing is listed, the totals are the same and nothing is handed out", arguments: [1, 2])
    func sums(_ workers: Int) throws {
        let file = try TemporaryFile(Self.traffic())
        var pipeline = try Self.pipeline(file, workers: workers, lists: false)
        var collector = Collector()
        let summary = try pipeline.run(&collector)
        #expect(collector.attempts.isEmpty)
        #expect(summary.attempts == 300 && summary.byOutcome[.refused] == 60)
    }

    @Test("A taker that has enough ends it with its error, and all threads end", arguments: [1, 2])
    func enough(_ workers: Int) throws {
        let file = try TemporaryFile(Self.traffic())
        var pipeline = try Self.pipeline(file, workers: workers)
        var collector = Collector(limit: 10)
        do {
            _ = try pipeline.run(&collector)
            Issue.record("it did not end early")
        } catch {
            #expect(collector.attempts.count == 10)
        }
    }

    @Test("A file that is cut hands out what came before, and says so")
    func cut() throws {
        let whole = Self.traffic()
        let file = try TemporaryFile(Array(whole.dropLast(10)))
        var pipeline = try Self.pipeline(file, workers: 2)
        var collector = Collector()
        let summary = try pipeline.run(&collector)
        #expect(pipeline.loss.isTruncated)
        #expect(collector.attempts.count == summary.attempts && summary.attempts == 300)
    }

    @Test("Who is interrupted has what was read by then")
    func interrupted() throws {
        let file = try TemporaryFile(Self.traffic())
        let reader = try CaptureReader(paths: [file.path], .init())
        var pipeline = FilePipeline(reader, HandshakeTracker.Configuration(), workers: 2, isInterrupted: { true })
        var collector = Collector()
        let summary = try pipeline.run(&collector)
        #expect(summary.frames.read == 0 && collector.attempts.isEmpty)
    }
}
