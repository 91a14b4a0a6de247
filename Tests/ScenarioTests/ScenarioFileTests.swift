import Foundation
import HandshakeAnalysis
import HandshakeScenario
import Testing

/// Where the scenarios are: Tests/Scenarios/TOPIC/BEHAVIOUR.pkt.
enum ScenarioFiles {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Scenarios")

    /// Paths below the folder, sorted.
    static let all: [String] = {
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".pkt") }.sorted()
    }()

    static func read(_ name: String) throws -> Scenario {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        return try Scenario(text: text, name: name)
    }
}

@Suite("Every scenario is as it expects")
struct ScenarioFileTests {
    @Test(arguments: ScenarioFiles.all)
    func isAsExpected(_ name: String) throws {
        let differences = try ScenarioFiles.read(name).check()
        #expect(differences.isEmpty, "\(differences.map(\.description).joined(separator: "\n"))")
    }

    @Test(
        "Written as text and read again, a scenario gives the same frames and expectations",
        arguments: ScenarioFiles.all)
    func textRoundTrips(_ name: String) throws {
        let scenario = try ScenarioFiles.read(name)
        let again = try Scenario(text: scenario.text, name: name)
        #expect(again.frames().map(\.octets) == scenario.frames().map(\.octets))
        #expect(again.frames().map(\.time) == scenario.frames().map(\.time))
        #expect(again.text == scenario.text)
        #expect(again.expectations.count == scenario.expectations.count)
        #expect(again.check().isEmpty)
    }

    @Test("Every outcome has a scenario that ends so", arguments: Outcome.allCases)
    func outcomeIsCovered(_ outcome: Outcome) throws {
        let name = "outcomes/\(outcome.rawValue)"
        let scenarios = try ScenarioFiles.all.filter { $0.hasPrefix(name) }.map(ScenarioFiles.read)
        #expect(
            scenarios.contains { $0.expects("outcome", outcome.rawValue) },
            "there is no Tests/Scenarios/\(name)*.pkt that expects outcome \(outcome.rawValue)")
    }

    @Test(
        "Every finding has a scenario that shows it, CODE.pkt, and a near miss, CODE-not-REASON.pkt",
        arguments: FindingCode.allCases)
    func findingIsCovered(_ code: FindingCode) throws {
        let shows = try ScenarioFiles.read("findings/\(code.rawValue).pkt")
        #expect(shows.lists(code.rawValue), "findings/\(code.rawValue).pkt does not list it")
        let misses = ScenarioFiles.all.filter { $0.hasPrefix("findings/\(code.rawValue)-not-") }
        #expect(!misses.isEmpty, "there is no findings/\(code.rawValue)-not-*.pkt")
        for miss in misses {
            let scenario = try ScenarioFiles.read(miss)
            #expect(!scenario.lists(code.rawValue), "\(miss) lists it")
            #expect(scenario.expects(not: code.rawValue), "\(miss) does not say: expect not \(code.rawValue)")
        }
    }

    @Test("Every file says in its first line what it is about", arguments: ScenarioFiles.all)
    func hasTitle(_ name: String) throws {
        let text = try String(contentsOf: ScenarioFiles.folder.appending(path: name), encoding: .utf8)
        #expect(text.hasPrefix("# "))
    }
}

extension Scenario {
    func expects(_ path: String, _ value: String) -> Bool {
        expectations.contains { if case .field(path, [value]) = $0.claim { true } else { false } }
    }

    func lists(_ code: String) -> Bool {
        expectations.contains { if case .findings(let codes) = $0.claim { codes.contains(code) } else { false } }
    }

    func expects(not code: String) -> Bool {
        expectations.contains { if case .absent(code) = $0.claim { true } else { false } }
    }
}
