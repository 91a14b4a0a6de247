@_exported public import HandshakeCapture
import HandshakeDiagnosis
import HandshakeExpectation
import HandshakeRecord
import HandshakeReport
public import Testing

/// Expectations on the connection attempts of a capture.
///
/// ```swift
/// @Test func everyHandshakeCompletes() async throws {
///     let (handshakes, _) = try await Handshakes.captured(on: "lo", filter: "tcp port 8080") {
///         try await client.run()
///     }
///     #expect(handshakes.attempts.allSatisfy { $0.outcome == .established })
///     handshakes.expect("p99(hs.rtt.total) < 50ms")
/// }
/// ```
extension Handshakes {
    /// Expects an assertion to hold, in the language of `synscope check` (docs/expressions.md). If it does not, an
    /// issue is recorded that says what it came to, with the ladder diagrams of the first attempts that break it
    /// attached. What cannot be told does not hold, nor does what no attempt matched.
    /// - Parameters:
    ///   - expression: aggregates over the attempts, as `all(hs.outcome == established)`; a condition without any must
    ///     hold for each attempt.
    ///   - condition: which attempts it is about; nil for all.
    /// - Returns: whether it held.
    @discardableResult
    public func expect(
        _ expression: String, where condition: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) -> Bool {
        let judgement: Judgement
        do throws(ExpressionError) {
            let selection: Predicate? = if let condition { try Predicate(condition) } else { nil }
            var trial = Trial(try Assertion(expression, where: selection))
            for attempt in attempts { trial.take(attempt) }
            var told = trial.judgement(
                CaptureFacts(
                    quality: summary.quality.map(\.code),
                    situations: trial.assertion.asksForSituations ? situations.map(\.code) : []))
            let doubts = summary.doubts
            if told.status == .passed, !told.isOfCapture, !doubts.isEmpty { told.doubt(doubts) }
            judgement = told
        } catch {
            Issue.record("\(error.description.cleaned(for: .message))", sourceLocation: sourceLocation)
            return false
        }
        if judgement.status == .passed { return true }
        let figures = judgement.statements.joined(separator: "; ")
        let reason =
            switch judgement.status {
            case .unmatched: "no attempt of \(source) was there to judge: \(expression)"
            case .unknown:
                "cannot be told of \(source): \(([figures] + judgement.doubts).joined(separator: "; "))"
            case .passed, .failed: "\(figures), in \(source)"
            }
        for example in judgement.examples { attachLadder(of: example.record, sourceLocation: sourceLocation) }
        var lines = [reason]
        for example in judgement.examples {
            let values = example.values.map { "\($0.field) = \($0.value)" }.joined(separator: ", ")
            lines.append("attempt \(example.record.id), \(example.record.client) > \(example.record.server): \(values)")
        }
        if dropped > 0 { lines.append("\(dropped) frames were dropped: what is missing may be among them") }
        Issue.record("\(lines.map { $0.cleaned(for: .text) }.joined(separator: "\n"))", sourceLocation: sourceLocation)
        return false
    }

    /// Attaches the ladder diagram of an attempt to the current test.
    public func attachLadder(of attempt: AttemptRecord, sourceLocation: SourceLocation = #_sourceLocation) {
        Attachment.record(ladder(of: attempt), named: "attempt-\(attempt.id).txt", sourceLocation: sourceLocation)
    }
}
