package import HandshakeDiagnosis
package import HandshakeRecord

/// Writes the attempts of a capture in one format, and what goes with them: what the capture is, situations, totals.
///
/// A format is a type that conforms, and a case of the command's `OutputFormat`, which makes it. Only `attempt` must be
/// written: a format without totals has nothing else.
package protocol RecordWriter {
    /// Whether plain attempts can be written without their records, which take longer to make.
    var takesPlain: Bool { get }

    /// Writes what the capture is, before everything else.
    mutating func begin(_ capture: CaptureDescription, to out: inout OutputBuffer)

    /// Called once, before the first attempt is written.
    /// - Parameters:
    ///   - first: attempts that are written next.
    ///   - whole: the totals, where those are all attempts of the capture; nil where more may follow.
    mutating func beginAttempts(_ first: [AttemptRecord], whole: HandshakeSummary?, to out: inout OutputBuffer)

    /// Writes an attempt.
    mutating func attempt(_ record: AttemptRecord, to out: inout OutputBuffer)

    /// Writes a plain attempt.
    /// - Parameter record: makes its record.
    mutating func attempt(_ plain: PlainAttempt, record: () -> AttemptRecord, to out: inout OutputBuffer)

    /// Writes that a situation begins or ends, live.
    /// - Parameter text: a sentence.
    /// - Returns: false if the format has no place for it.
    mutating func situation(_ text: String, to out: inout OutputBuffer) -> Bool

    /// Writes that attempts wait, live. Nothing is decided yet.
    /// - Parameters:
    ///   - lines: a server each.
    ///   - time: nanoseconds since the epoch.
    mutating func waiting(_ lines: [String], at time: Int64, to out: inout OutputBuffer)

    /// Writes the totals.
    mutating func end(_ end: ReportEnd, to out: inout OutputBuffer)
}

extension RecordWriter {
    package var takesPlain: Bool { false }
    package mutating func begin(_ capture: CaptureDescription, to out: inout OutputBuffer) {}
    package mutating func beginAttempts(
        _ first: [AttemptRecord], whole: HandshakeSummary?, to out: inout OutputBuffer
    ) {}
    package mutating func attempt(_ plain: PlainAttempt, record: () -> AttemptRecord, to out: inout OutputBuffer) {
        attempt(record(), to: &out)
    }
    package mutating func situation(_ text: String, to out: inout OutputBuffer) -> Bool { false }
    package mutating func waiting(_ lines: [String], at time: Int64, to out: inout OutputBuffer) {}
    package mutating func end(_ end: ReportEnd, to out: inout OutputBuffer) {}
}

/// The totals of a report, and what goes with them.
package struct ReportEnd {
    package var summary: HandshakeSummary
    package var loss: CaptureLoss
    /// Whether the attempts were not asked for.
    package var isQuiet = false
    /// Attempts without failure or finding that were not listed.
    package var leftOut = 0
    /// The choice of attempts (-Y); nil where all were chosen.
    package var choice: Choice?
    /// Lines about the attempts, before their totals.
    package var details: [TextReport.SummaryRow] = []
    /// What stands out among them; nil where it was not looked for.
    package var diagnosis: Diagnosis?

    package struct Choice {
        /// The expression.
        package var text: String
        /// Attempts that it chose, and attempts of which it cannot be told.
        package var shown: Int
        package var untold: Int
        /// The totals of the chosen ones; nil where they were not kept.
        package var summary: HandshakeSummary?

        package init(text: String, shown: Int, untold: Int, summary: HandshakeSummary?) {
            (self.text, self.shown, self.untold, self.summary) = (text, shown, untold, summary)
        }
    }

    package init(_ summary: HandshakeSummary, _ loss: CaptureLoss) {
        (self.summary, self.loss) = (summary, loss)
    }
}
