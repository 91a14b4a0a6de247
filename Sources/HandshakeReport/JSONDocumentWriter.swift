package import HandshakeRecord
package import PacketWire

/// One JSON document: an object with the capture, the attempts and the totals. A line for each of them. Situations of a
/// live run have no place in it.
package struct JSONDocumentWriter: RecordWriter {
    package var takesPlain: Bool { true }
    private var lines: JSONLinesWriter
    private var isFirst = true

    /// - Parameters:
    ///   - numbering: what frame numbers are.
    ///   - places: where frames are, if there are several files.
    package init(_ numbering: DisplayFilter.Numbering, _ places: FramePlaces? = nil) {
        lines = JSONLinesWriter(numbering, places)
    }

    package func begin(_ capture: CaptureDescription, to out: inout OutputBuffer) {
        out.append("{\"capture\":")
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
        lines.end(end, to: &out)
        out.append("}\n")
    }
}
