import HandshakeRecord
import PacketWire
import TestSupport
import Testing

@testable import HandshakePage

@Suite("Figures of a page")
struct FigureTests {
    private static let second: Int64 = 1_000_000_000

    private static func record(
        _ id: UInt64, at time: Int64, _ outcome: Outcome = .established, server: UInt32 = 1
    ) -> AttemptRecord {
        var record = AttemptRecord(
            id: id, client: Endpoint(IPAddress(v4: 0x0a00_0000), 1024), server: Endpoint(IPAddress(v4: server), 443))
        (record.firstTime, record.outcome) = (time, outcome)
        return record
    }

    private static func counts(_ timeline: AttemptTimeline) -> [Int64: [Int]] { timeline.counts.mapValues(\.outcomes) }

    @Test("A time line has the same steps in whatever order attempts come")
    func order() {
        var random = RandomNumbers(seed: 7)
        for _ in 0..<50 {
            let span = Int64(1) << Int64.random(in: 20...60, using: &random)
            let times = (0..<300).map { _ in Int64.random(in: -span...span, using: &random) }
            var (one, other) = (AttemptTimeline(), AttemptTimeline())
            for time in times { one.add(Self.record(1, at: time)) }
            for time in times.shuffled(using: &random) { other.add(Self.record(1, at: time)) }
            #expect(one.steps.width == other.steps.width && one.steps.range == other.steps.range)
            #expect(Self.counts(one) == Self.counts(other))
            #expect(Self.counts(one).values.reduce(0) { $0 + $1.reduce(0, +) } == times.count)
        }
    }

    @Test("There are no more steps than are drawn, from the first time of 64 bits to the last")
    func bounds() throws {
        var timeline = AttemptTimeline()
        for time in [0, .min, .max] as [Int64] { timeline.add(Self.record(1, at: time)) }
        let range = try #require(timeline.steps.range)
        #expect(range.count <= 600 && timeline.counts.count == 3)
        let few = timeline.drawn
        #expect(try #require(few.steps.range).count <= 24 && few.counts.values.reduce(0) { $0 + $1.outcomes[0] } == 3)
    }

    @Test("A step begins at a whole multiple of its width")
    func alignment() {
        var timeline = AttemptTimeline()
        for time in stride(from: 90 * Self.second, to: 900 * Self.second, by: Int(Self.second)) {
            timeline.add(Self.record(1, at: time))
        }
        #expect(timeline.steps.width == 2 * Self.second && timeline.steps.range == 45...449)
    }

    @Test("The grid keeps the servers that fail, of however many")
    func grid() {
        var grid = ServerGrid()
        for server in 0..<20_000 as Range<UInt32> {
            grid.add(
                Endpoint(IPAddress(v4: server), 443), at: Int64(server) * Self.second, failed: server % 1000 == 7)
            grid.add(Endpoint(IPAddress(v4: 99), 443), at: Int64(server) * Self.second, failed: true)
        }
        let worst = grid.worst(20)
        #expect(worst.count == 20 && worst[0].server.address == IPAddress(v4: 99) && worst[0].failed == 20_000)
        #expect(worst[0].cells.values.reduce(0) { $0 + $1.failed } == 20_000 && worst[0].cells.count <= 60)
        #expect(worst[1...].allSatisfy { $0.failed == 1 })
    }

    @Test("Failures are listed first, and no more attempts than a page takes")
    func choice() {
        var choice = AttemptChoice()
        for id in 1...50_000 as ClosedRange<UInt64> {
            choice.add(Self.record(id, at: Int64(id), id % 10 == 0 ? .refused : .established))
        }
        let chosen = choice.chosen([17, 49_990])
        #expect(chosen.count == AttemptChoice.maximum)
        #expect(choice.count(.failed) == 5000 && choice.count(.plain) == 45_000)
        let failed = chosen.prefix { $0.rank == .failed }.map(\.record.id)
        #expect(failed.count > 4900 && failed == failed.sorted() && failed.contains(49_990))
        // Some that went well stand beside them, for comparison.
        #expect(chosen.contains { $0.rank == .plain && $0.record.id < 10 })
    }

    @Test("Of more attempts than are listed, those that are kept are spread over the capture")
    func spread() {
        var choice = AttemptChoice()
        for id in 1...100_000 as ClosedRange<UInt64> { choice.add(Self.record(id, at: Int64(id), .unanswered)) }
        let ids = choice.chosen([]).map(\.record.id)
        let gaps = zip(ids, ids.dropFirst()).map { $1 - $0 }
        #expect(ids.count > 2500 && gaps.max().map { $0 <= 64 } == true)
    }
}
