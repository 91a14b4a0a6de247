import HandshakeDiagnosis
import Simulation
import Testing

@Suite("Situations of worlds with one incident")
struct WorldTests {
    /// Of each kind so many; `make diagnose-worlds` has thousands.
    private static let seeds: Range<UInt64> = 1..<3

    @Test("An incident is found with its scope and begin, and nothing else is", arguments: IncidentWorld.Kind.allCases)
    func isFound(_ kind: IncidentWorld.Kind) {
        for seed in WorldTests.seeds {
            let verdict = IncidentVerdict(IncidentWorld(seed: seed, kind: kind))
            #expect(verdict.isFound, "seed \(seed): \(verdict.situations.map(\.code))")
            #expect(verdict.falseAlarms.isEmpty, "seed \(seed): \(verdict.falseAlarms.map(\.code))")
            // A rate is drawn: of few connections, where it is higher cannot always be told.
            if kind == .pathLoss || kind == .pathLossOfClients { continue }
            #expect(verdict.hasRightScope, "seed \(seed): \(verdict.situations.map(\.scope))")
            #expect(verdict.hasRightTime, "seed \(seed): \(verdict.situations.map(\.window))")
        }
    }

    @Test("A world in which all is well has no situation", arguments: UInt64(1)...10)
    func isHealthy(_ seed: UInt64) {
        #expect(IncidentVerdict(IncidentWorld(seed: seed, kind: nil)).falseAlarms.isEmpty)
    }

    @Test("A log that is thinned finds the same, and says that its counts are estimates")
    func thinned() throws {
        let world = IncidentWorld(seed: 2, kind: .portDropped)
        let exact = world.diagnosed()
        let thinned = world.diagnosed(maximum: 100)
        #expect(thinned.map(\.code) == exact.map(\.code))
        #expect(thinned.map(\.scope) == exact.map(\.scope))
        let (one, other) = (try #require(exact.first), try #require(thinned.first))
        #expect(!one.isEstimate && other.isEstimate)
        #expect(abs(one.affected - other.affected) * 10 <= one.affected)
    }
}
