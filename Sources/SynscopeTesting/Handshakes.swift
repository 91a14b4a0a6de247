@_exported public import HandshakeAnalysis
@_exported public import HandshakeDiagnosis
import Glibc
import HandshakeExpectation
import HandshakePipeline
import HandshakeReport
import PacketCapture
@_exported public import PacketWire
public import Testing

/// The connection attempts of a capture, for a test to expect something of.
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
public struct Handshakes: Sendable {
    /// In the order of their first frames.
    public let attempts: [AttemptRecord]
    /// What a report's summary says.
    public let summary: HandshakeSummary
    /// The files, or the interface, that they come from.
    public let source: String
    /// Frames that the kernel or the interface dropped while this was captured; 0 of files.
    public let dropped: UInt64

    /// Analyses capture files (pcap, pcapng, gzip).
    /// - Parameters:
    ///   - paths: several are one capture, read in the order of time.
    ///   - filter: an expression of pcap-filter(7).
    /// - Throws: `HandshakesError` where a file cannot be read to its end, or for the filter.
    public init(files paths: String..., filter: String? = nil) throws {
        do throws(CaptureError) {
            let reader = try CaptureReader(paths: paths, .init(filter: filter))
            var pipeline = FilePipeline(
                reader, HandshakeTracker.Configuration(), workers: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
            var collector = Collector()
            let summary = pipeline.run(&collector)
            if let failure = reader.failures.first { throw failure }
            self.init(collector.attempts, summary, paths.joined(separator: ", "), dropped: 0)
        } catch {
            throw HandshakesError(error.description)
        }
    }

    init(_ attempts: [AttemptRecord], _ summary: HandshakeSummary, _ source: String, dropped: UInt64) {
        self.attempts = attempts.sorted { $0.id < $1.id }
        self.summary = summary
        self.source = source
        self.dropped = dropped
    }

    /// Captures on an interface while a body runs; what is open at its end is decided then.
    ///
    /// It needs the right to capture (CAP_NET_RAW, or root).
    /// - Parameters:
    ///   - interface: its name, as `lo`; `any` stands for all.
    ///   - filter: an expression of pcap-filter(7). Tests that run beside this one connect too: name the port.
    /// - Returns: the attempts, and what the body returned.
    /// - Throws: `HandshakesError` where capturing is not possible, and what the body throws.
    public static func captured<Result: Sendable>(
        on interface: String, filter: String? = nil, _ body: () async throws -> Result
    ) async throws -> (handshakes: Handshakes, result: Result) {
        let session = try LiveSession(interface, filter)
        let result: Result
        do {
            result = try await body()
        } catch {
            _ = await session.end()
            throw error
        }
        return (await session.end(), result)
    }

    // MARK: Expectations

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

    /// Situations of the attempts, the worst first, as `synscope diagnose` finds it (docs/diagnosis.md).
    public var situations: [Situation] { Diagnosis(attempts).situations }

    /// The ladder diagram of an attempt, 100 columns of UTF-8.
    public func ladder(of attempt: AttemptRecord) -> String {
        var out = OutputBuffer()
        Ladder(attempt, style: TextStyle(usesColor: false, usesUnicode: true, width: 100)).draw(to: &out)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    /// Attaches the ladder diagram of an attempt to the current test.
    public func attachLadder(of attempt: AttemptRecord, sourceLocation: SourceLocation = #_sourceLocation) {
        Attachment.record(ladder(of: attempt), named: "attempt-\(attempt.id).txt", sourceLocation: sourceLocation)
    }
}

/// Keeps all attempts of files.
private struct Collector: AttemptTaker {
    var attempts: [AttemptRecord] = []

    mutating func take(_ record: AttemptRecord) { attempts.append(record) }
}

/// Why there are no handshakes to look at.
public struct HandshakesError: Error, Sendable, CustomStringConvertible {
    /// For messages: the file, and why.
    public let description: String
    init(_ description: String) { self.description = description.cleaned(for: .message) }
}
