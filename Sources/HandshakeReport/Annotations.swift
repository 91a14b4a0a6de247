package import HandshakeRecord

/// Attempts in words, as comments at their frames: the outcome at the first, each finding at the frames that
/// show it. All begin with `synscope:`, so that Wireshark finds them: `frame.comment contains "synscope: syn-lost"`.
package struct Annotations: Sendable {
    /// Comments and the numbers of their frames.
    private var comments: [(frame: UInt64, text: String)] = []
    /// Frames of attempts that failed or have a warning.
    package private(set) var evidence: Set<UInt64> = []
    /// Plain attempts of one shape have the same findings.
    private var shapesWithoutFindings: Set<PlainAttempt.Shape> = []
    private static let established = comment(on: .established)

    package init() {}

    /// The comments by their frames.
    package var sorted: [(frame: UInt64, text: String)] {
        // Those of one frame stay in the order in which they were added.
        comments.enumerated().sorted { ($0.element.frame, $0.offset) < ($1.element.frame, $1.offset) }.map(\.element)
    }

    /// - Parameter record: makes its record.
    package mutating func add(_ plain: PlainAttempt, record: () -> AttemptRecord) {
        if shapesWithoutFindings.contains(plain.shape) {
            comments.append((plain.id, Annotations.established))
            return
        }
        let record = record()
        if record.findings.isEmpty { shapesWithoutFindings.insert(plain.shape) }
        add(record)
    }

    package mutating func add(_ record: AttemptRecord) {
        if let first = record.segments.first?.frame {
            comments.append((first, Annotations.comment(on: record.outcome, record.failedBecause)))
        }
        for finding in record.findings {
            let words = TextReport.describe(finding, record.segments)
            let text = "synscope: \(finding.code.rawValue) (\(finding.code.severity.rawValue)): \(words)"
            for frame in finding.frames { comments.append((frame, text)) }
        }
        if record.outcome.isFailure || record.findings.contains(where: { $0.code.severity >= .warning }) {
            evidence.formUnion(record.segments.map(\.frame))
            evidence.formUnion(record.findings.flatMap(\.frames))
        }
    }

    private static func comment(on outcome: Outcome, _ reason: FailureReason? = nil) -> String {
        "synscope: \(outcome.rawValue)" + (reason.map { ": \($0.text)" } ?? "")
    }
}
