package import HandshakeRecord

/// One JSON document: an object with the capture, the attempts and the totals. A line for each of them. Situations of a
/// live run have no place in it.
package struct JSONDocumentWriter: RecordWriter {
    package var takesPlain: Bool { true }
    private var lines: JSONLinesWriter
    private var isFirst = true

    package init(_ context: RecordContext) { lines = JSONLinesWriter(context) }

    package mutating func begin(_ capture: CaptureDescription, to out: inout OutputBuffer) {
        out.append("{\"capture\":")
        JSONReport.line(capture, to: &out)
        lines.begin(capture, to: &out)
        out.append(",\"attempts\":[\n")
    }

    private mutating func separate(_ out: inout OutputBuffer) {
        if !isFirst { out.append(",") }
        isFirst = false
    }

    package mutating func attempt(_ record: AttemptRecord, to out: inout OutputBuffer) {
        separate(&out)
        lines.attempt(record, to: &out)
    }

    package mutating func attempt(_ plain: PlainAttempt, record: () -> AttemptRecord, to out: inout OutputBuffer) {
        separate(&out)
        lines.attempt(plain, record: record, to: &out)
    }

    package func end(_ end: ReportEnd, to out: inout OutputBuffer) {
        out.append("],\"summary\":")
        JSONReport.line(end.summary, end.loss, to: &out)
        out.append("}\n")
    }
}
