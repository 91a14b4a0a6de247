package import HandshakeRecord

/// JSON Lines: a line for each attempt, all of one shape.
package struct JSONLinesWriter: RecordWriter {
    package var takesPlain: Bool { true }
    private let fields: [SchemaField<ReportedAttempt>]
    private var templates: PlainTemplates
    private var context: RecordContext
    private var capture = CaptureDescription(files: [], filter: nil, started: nil)

    /// - Parameter columns: names of the chosen fields, which are then written flat; nil for all, nested.
    package init(_ context: RecordContext, columns: ChosenColumns? = nil) {
        self.context = context
        fields = columns?.fields ?? AttemptSchema.fields
        templates = PlainTemplates(context)
    }

    /// The same under the names of another schema.
    package init(_ context: RecordContext, _ mapping: RecordMapping) {
        self.context = context
        fields = mapping.fields
        templates = PlainTemplates(context)
    }

    package mutating func begin(_ capture: CaptureDescription, to out: inout OutputBuffer) {
        self.capture = capture
        context.take(capture)
        templates = PlainTemplates(context)
    }

    /// Without attempts, the totals are the one line.
    package func end(_ end: ReportEnd, to out: inout OutputBuffer) {
        if end.isQuiet { JSONReport.line(end.summary, end.loss, of: capture, to: &out) }
    }

    package func attempt(_ record: AttemptRecord, to out: inout OutputBuffer) {
        JSONLinesWriter.line(record, fields, context, isTemplate: false, to: &out)
    }

    package mutating func attempt(_ plain: PlainAttempt, record: () -> AttemptRecord, to out: inout OutputBuffer) {
        if templates.write(plain, to: &out) { return }
        templates.writeFirst(plain, record(), to: &out) { record, isMarked, out in
            JSONLinesWriter.line(record, fields, context, isTemplate: isMarked, to: &out)
        }
    }

    private static func line(
        _ record: AttemptRecord, _ fields: [SchemaField<ReportedAttempt>], _ context: RecordContext, isTemplate: Bool,
        to out: inout OutputBuffer
    ) {
        JSONReport.write(to: &out, writesTemplate: isTemplate) { json in
            json.object { $0.write(fields, of: ReportedAttempt(record, context)) }
        }
    }
}

/// Some fields of attempts, each under its flat name, in the order of the user.
package struct ChosenColumns: Sendable {
    let fields: [SchemaField<ReportedAttempt>]

    /// - Parameter names: as `rtt_total_ns` or `rtt.total_ns`.
    /// - Throws: the first name that is of no field.
    package init(_ names: [String]) throws(UnknownColumn) {
        let byName = Dictionary(uniqueKeysWithValues: AttemptSchema.flat.map { ($0.name, $0) })
        var fields: [SchemaField<ReportedAttempt>] = []
        for name in names {
            guard let field = byName[name.replacing(".", with: "_")] else { throw UnknownColumn(name: name) }
            fields.append(field)
        }
        self.fields = fields
    }

    /// Every field that has a flat name.
    package static var all: ChosenColumns { ChosenColumns(fields: AttemptSchema.flat) }

    private init(fields: [SchemaField<ReportedAttempt>]) { self.fields = fields }

    package static var names: [String] { AttemptSchema.flat.map(\.name) }

    package struct UnknownColumn: Error {
        package let name: String
    }
}
