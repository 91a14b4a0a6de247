package import HandshakeRecord
import PacketWire

/// Records as CSV (RFC 4180), a header line first. Unknown is empty; the elements of lists are separated by spaces.
package struct CSVReport: RecordWriter {
    /// The columns of a table where none are chosen.
    package static let usualColumns = [
        "id", "first_time", "client_ip", "client_port", "server_ip", "server_port", "outcome", "form", "completed_by",
        "starts_at", "ended", "confidence", "client_isn", "server_isn",
        "arithmetic_syn_ack_ack_ok", "arithmetic_ack_seq_ok", "arithmetic_ack_ack_ok", "counts_syn", "counts_syn_ack",
        "counts_rst", "counts_refusals", "counts_capture_duplicates", "rtt_syn_to_synack_ns", "rtt_synack_to_ack_ns",
        "rtt_total_ns", "rtt_provenance", "rtt_low_ns", "rtt_high_ns", "setup_ns", "refusal_ns", "mss_client",
        "mss_server", "mss_negotiated", "findings", "failed_because", "uid", "first_time_ns",
    ]

    package var takesPlain: Bool { true }
    private let fields: [SchemaField<ReportedAttempt>]
    private var templates: PlainTemplates
    private var context: RecordContext

    /// - Parameter columns: the chosen columns; nil for the usual ones.
    package init(_ context: RecordContext = RecordContext(), columns: ChosenColumns? = nil) {
        self.context = context
        templates = PlainTemplates(context)
        if let columns {
            fields = columns.fields
        } else {
            let usual = Dictionary(uniqueKeysWithValues: CSVReport.usualColumns.enumerated().map { ($1, $0) })
            fields = AttemptSchema.flat.filter { usual[$0.name] != nil }.sorted {
                usual[$0.name, default: 0] < usual[$1.name, default: 0]
            }
        }
    }

    package mutating func begin(_ capture: CaptureDescription, to out: inout OutputBuffer) {
        context.take(capture)
        templates = PlainTemplates(context)
        out.append(fields.map(\.name).joined(separator: ",") + "\r\n")
    }

    package func attempt(_ record: AttemptRecord, to out: inout OutputBuffer) {
        CSVReport.row(record, fields, context, isTemplate: false, to: &out)
    }

    package mutating func attempt(_ plain: PlainAttempt, record: () -> AttemptRecord, to out: inout OutputBuffer) {
        if templates.write(plain, to: &out) { return }
        templates.writeFirst(plain, record(), to: &out) { record, isMarked, out in
            CSVReport.row(record, fields, context, isTemplate: isMarked, to: &out)
        }
    }

    private static func row(
        _ record: AttemptRecord, _ fields: [SchemaField<ReportedAttempt>], _ context: RecordContext, isTemplate: Bool,
        to out: inout OutputBuffer
    ) {
        out.gather { stage in
            let attempt = ReportedAttempt(record, context)
            for (place, field) in fields.enumerated() {
                if place > 0 { stage.put(octet: 0x2c) }
                cell(field, attempt, isTemplate, &stage)
            }
            stage.put("\r\n")
        }
    }

    private static func cell(
        _ field: SchemaField<ReportedAttempt>, _ attempt: ReportedAttempt, _ isTemplate: Bool,
        _ stage: inout OutputStage
    ) {
        let figure = isTemplate ? field.figures.first ?? nil : nil
        switch field.value {
        case .integer(_, let read):
            if let value = read(attempt) {
                if let figure { stage.put(figure.mark) } else { stage.put(value) }
            }
        case .truth(let read): if let value = read(attempt) { stage.put(value ? "true" : "false") }
        case .text(let read):
            if let value = read(attempt) { stage.put(figure?.mark ?? quoted(value)) }
        case .word(_, let read): if let value = read(attempt) { stage.put(value) }
        case .pattern(let read): stage.put(read(attempt, isTemplate))
        case .address(let read):
            if let value = read(attempt) {
                if let figure { stage.put(figure.mark) } else { stage.put(value) }
            }
        case .time(let read):
            if let value = read(attempt) {
                if let figure { stage.put(figure.mark) } else { stage.put(time: value) }
            }
        case .integers(_, let read): stage.put(read(attempt).map(String.init).joined(separator: " "))
        case .texts(let read): stage.put(quoted(read(attempt).joined(separator: " ")))
        case .object, .objects: assertionFailure("a flat field is a leaf")
        }
    }

    /// Text from outside, cleaned, and in quotation marks where it needs them (RFC 4180 2).
    private static func quoted(_ text: String) -> String {
        let clean = text.cleaned(for: .text)
        guard clean.contains(where: { $0 == "," || $0 == "\"" }) else { return clean }
        return "\"" + clean.replacing("\"", with: "\"\"") + "\""
    }
}
