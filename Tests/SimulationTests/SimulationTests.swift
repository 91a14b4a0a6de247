import HandshakeAnalysis
import HandshakeReport
import HandshakeScenario
import PacketWire
import Simulation
import Testing

@Suite("The analysis never contradicts what is known to have happened")
struct SimulationTests {
    @Test("Two thousand simulated worlds, each from its seed; make simulate runs as many as asked", arguments: 0..<20)
    func worlds(_ hundred: UInt64) {
        for seed in hundred * 100 + 1...hundred * 100 + 100 {
            let oracle = Oracle(World(seed: seed))
            let contradictions = oracle.contradictions()
            #expect(contradictions.isEmpty, "\(oracle.shrunk().report())")
        }
    }

    @Test(
        "Worlds of which something wrong was said once, as they were captured then",
        arguments: [
            820, 25528, 48998, 61116, 74721, 83851, 85701, 193_028, 425_935, 517_135, 531_986, 593_389, 849_393,
        ]
            as [UInt64])
    func wrongOnce(_ seed: UInt64) {
        let oracle = Oracle(World(seed: seed), kind: CaptureKind(seed: seed))
        #expect(oracle.contradictions().isEmpty, "\(oracle.report())")
    }

    @Test("Equal seeds give equal worlds")
    func isDeterministic() {
        for seed in UInt64(1)...50 {
            #expect(Oracle(World(seed: seed)).report() == Oracle(World(seed: seed)).report())
        }
    }

    @Test("What is counted without listing attempts is what is counted with it, in two thousand worlds")
    func countedAlike() throws {
        for seed in UInt64(1)...2000 {
            let scenario = Oracle(World(seed: seed)).scenario()
            #expect(scenario.summaryIsSameWithoutList, "seed \(seed)")
        }
    }

    @Test("Attempts that go without detail as long as they are ordinary come to the same, in two thousand worlds")
    func shortFormsAlike() throws {
        for seed in UInt64(1)...2000 {
            let scenario = Oracle(World(seed: seed)).scenario()
            #expect(scenario.resultIsSameWithoutShortForms, "seed \(seed)")
        }
    }

    @Test("Plain attempts are written as their records would be, in two thousand worlds")
    func plainLinesAlike() throws {
        for seed in UInt64(1)...2000 {
            let scenario = Oracle(World(seed: seed)).scenario()
            #expect(scenario.document(listsPlain: true) == scenario.document(listsPlain: false), "seed \(seed)")
        }
    }

    @Test("Captures of worlds have the frames of each, in the order of time")
    func capturesOfWorlds() {
        let captures = WorldCapture.all(of: 1..<301)
        let frames = (UInt64(1)...300).map {
            Oracle(World(seed: $0), kind: CaptureKind(seed: $0)).scenario().frames().count
        }
        #expect(captures.map(\.frames.count).reduce(0, +) == frames.reduce(0, +))
        #expect(Set(captures.map(\.name)).count == captures.count)
        for capture in captures {
            #expect(zip(capture.frames, capture.frames.dropFirst()).allSatisfy { $0.time <= $1.time })
        }
    }

    @Test("The oracle notices verdicts that are wrong: those of a capture that lacks all that the server sent")
    func oracleNotices() {
        var shown = 0
        var noticed = 0
        for seed in UInt64(1)...400 {
            let world = World(seed: seed)
            guard world.serverKind == .listening, world.attempts.count == 1, world.capturesAll, world.trait == nil,
                world.sightings.contains(where: { world.packets[$0.packet].meaning == .synAck })
            else { continue }
            let withoutServer = world.sightings.filter { world.packets[$0.packet].fromClient }
            let wrong = Oracle(world, withoutServer).scenario().analysed().attempts
            shown += 1
            if !Oracle(world).contradictions(of: wrong).isEmpty { noticed += 1 }
        }
        #expect(shown > 50)
        #expect(Double(noticed) > 0.9 * Double(shown))
    }
}

extension Scenario {
    /// Whether it makes no difference that ordinary attempts go without detail, in records and in sums.
    var resultIsSameWithoutShortForms: Bool {
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumAttempts = 4096
        return [true, false].allSatisfy { listsAttempts in
            configuration.listsAttempts = listsAttempts
            configuration.usesShortForms = true
            let short = analysed(configuration)
            configuration.usesShortForms = false
            let detailed = analysed(configuration)
            return lines(short) == lines(detailed) && short.summary == detailed.summary
                && short.patterns == detailed.patterns
        }
    }

    private func lines(_ result: ScenarioResult) -> [UInt8] {
        var out = OutputBuffer()
        for attempt in result.attempts { JSONReport.line(attempt, to: &out) }
        return Array(out.bytes)
    }

    /// Whether plain handshakes, which are not judged when nobody asks for records, come to the same sums.
    var summaryIsSameWithoutList: Bool {
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumAttempts = 4096
        let listed = analysed(configuration)
        configuration.listsAttempts = false
        let counted = analysed(configuration)
        return counted.attempts.isEmpty && listed.summary == counted.summary && listed.patterns == counted.patterns
    }
}
