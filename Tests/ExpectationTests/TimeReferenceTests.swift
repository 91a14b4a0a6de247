import Foundation
import HandshakeAnalysis
import Testing

@testable import HandshakeExpectation

@Suite("What durations are counted from")
struct TimeReferenceTests {
    /// An attempt that began so many seconds ago, a minute after its capture.
    private func attempt(secondsAgo: Double) -> AttemptRecord {
        var record = Records.five[0]
        record.firstTime = Int64((Date().timeIntervalSince1970 - secondsAgo) * 1e9)
        record.captureStart = record.firstTime - 60_000_000_000
        return record
    }

    @Test(
        "Live, a duration that a time is compared with counts until now",
        arguments: [
            ("frame.time < 10s", 5, .yes), ("frame.time < 10s", 20, .no), ("frame.time in {0s..10s}", 5, .yes),
            ("frame.time in {0s..10s}", 20, .no), ("frame.time_relative < 10s", 5, .yes),
            ("frame.time_relative < 10s", 20, .no), ("frame.time_relative in {15s..30s}", 20, .yes),
        ] as [(String, Double, Truth)])
    func live(_ expression: String, _ age: Double, _ truth: Truth) throws {
        #expect(try Predicate(expression, relativeTo: .now)(attempt(secondsAgo: age)) == truth)
    }

    @Test(
        "In files, a duration counts from the capture's first frame, whenever that was",
        arguments: [("frame.time < 10s", .no), ("frame.time_relative == 1m", .yes)] as [(String, Truth)])
    func files(_ expression: String, _ truth: Truth) throws {
        #expect(try Predicate(expression)(attempt(secondsAgo: 5)) == truth)
    }

    @Test("Live, an assertion's durations count until now, in its aggregates too")
    func assertion() throws {
        var trial = Trial(
            try Assertion("count(frame.time < 10s) == 1 and max(frame.time_relative) < 30s", relativeTo: .now))
        trial.take(attempt(secondsAgo: 5))
        trial.take(attempt(secondsAgo: 20))
        #expect(trial.judgement().status == .passed)
    }

    @Test("Live, durations of rules count until now, in their conditions and in what they expect")
    func rules() throws {
        let rules = try RulesFile.rules(at: ["rules.yml"], relativeTo: .now) { _ in
            "rules:\n  - where: frame.time < 10s\n    expect: all(frame.time_relative < 10s)\n"
        }
        var check = RuleCheck(rules)
        for age in [5.0, 20] { check.take(attempt(secondsAgo: age)) }
        #expect(check.verdict().passed)
    }
}
