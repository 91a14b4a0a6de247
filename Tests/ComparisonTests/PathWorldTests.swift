import HandshakeComparison
import Simulation
import Testing

@Suite("Paths of which the truth is known")
struct PathWorldTests {
    /// Connections of so many paths; make compare-worlds has a hundred thousand.
    private static let seeds: Range<UInt64> = 1..<41

    @Test("Nothing is said that did not happen, and no two packets are taken for one", arguments: seeds)
    func truth(seed: UInt64) {
        let counts = PathWorld(seed: seed).judged()
        #expect(counts.wrong.isEmpty, "\(counts.wrong.joined(separator: "\n"))")
        #expect(counts.falseMatches == 0)
    }

    @Test("Most segments that two points captured are matched, most losses named")
    func recall() {
        var all = PathVerdictCounts()
        for seed in Self.seeds { all.add(PathWorld(seed: seed).judged()) }
        #expect(all.matched * 100 > all.seenTwice * 95)
        #expect(all.saidLost * 3 > all.lost)
        #expect(all.bands > 50)
    }
}
