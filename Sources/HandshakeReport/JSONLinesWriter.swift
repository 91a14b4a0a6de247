package import HandshakeDiagnosis
package import HandshakeRecord
package import PacketWire

/// JSON Lines: the capture, then a line for each attempt, then the totals.
package struct JSONLinesWriter: RecordWriter {
    package var takesPlain: Bool { true }
    private var plainLines: PlainLines
    private let numbering: DisplayFilter.Numbering

    /// - Parameters:
    ///   - numbering: what frame numbers are.
    ///   - places: where frames are, if there are several files.
    package init(_ numbering: DisplayFilter.Numbering, _ places: FramePlaces? = nil) {
        self.numbering = numbering
        plainLines = PlainLines(numbering, places)
    }

    package func begin(_ capture: CaptureDescription, to out: inout OutputBuffer) {
        JSONReport.line(capture, to: &out)
    }

    package func attempt(_ record: AttemptRecord, to out: inout OutputBuffer) {
        JSONReport.line(record, numbering, to: &out)
    }

    package mutating func attempt(_ plain: PlainAttempt, record: () -> AttemptRecord, to out: inout OutputBuffer) {
        plainLines.line(plain, to: &out, record: record)
    }

    package func situation(_ situation: Situation, state: String, text: String, to out: inout OutputBuffer) {
        DiagnosisReport.line(situation, state: state, to: &out)
    }

    package func end(_ end: ReportEnd, to out: inout OutputBuffer) { JSONReport.line(end.summary, end.loss, to: &out) }
}
