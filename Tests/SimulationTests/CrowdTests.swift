import HandshakeAnalysis
import HandshakeScenario
import PacketWire
import Simulation
import Testing

@Suite("Patterns among healthy clients")
struct CrowdTests {
    @Test(
        "A scan, a flood and backscatter are named for who does them or suffers them, and nothing else is",
        arguments: Crowd.Stranger.allCases, UInt64(1)...12)
    func isNamed(_ stranger: Crowd.Stranger, _ seed: UInt64) {
        let crowd = Crowd(stranger, seed: seed)
        let patterns = crowd.analysed().patterns
        switch stranger {
        case .nobody, .harmless: #expect(patterns.isEmpty)
        case .scanner:
            #expect(patterns.map(\.code) == [.portScan])
            #expect(patterns.first?.address == Crowd.scanner)
            #expect(patterns.first?.count == crowd.count)
        case .flood:
            #expect(patterns.map(\.code) == [.synFlood])
            #expect(patterns.first?.address == Crowd.flooded.address)
            #expect(patterns.first?.port == Crowd.flooded.port)
            #expect(patterns.first?.count == crowd.count)
        case .backscatter:
            #expect(patterns.map(\.code) == [.backscatter])
            #expect(patterns.first?.address == Crowd.victim)
            #expect(patterns.first?.count == crowd.count)
        }
    }

    @Test(
        "What a stranger does among healthy clients changes nothing that is said of them",
        arguments: Crowd.Stranger.allCases, UInt64(1)...12)
    func changesNothing(_ stranger: Crowd.Stranger, _ seed: UInt64) {
        let crowd = Crowd(stranger, seed: seed)
        #expect(crowd.healthy.count >= 20)
        let together = crowd.analysed().attempts
        for scenario in crowd.healthy {
            let client = scenario.flows[0].client
            let alone = scenario.analysed().attempts.map(Said.init)
            #expect(together.filter { $0.client == client }.map(Said.init) == alone)
        }
    }
}

/// The verdict on an attempt, without the numbers of its frames.
private struct Said: Equatable {
    let outcome: Outcome
    let confidence: Confidence
    let findings: [FindingCode]
    let total: Int64?
    let negotiatedMSS: UInt16?

    init(_ record: AttemptRecord) {
        (outcome, confidence, findings) = (record.outcome, record.confidence, record.findings.map(\.code))
        (total, negotiatedMSS) = (record.total?.nanoseconds, record.negotiatedMSS)
    }
}
