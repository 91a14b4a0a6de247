import ArgumentParser
import HandshakeReport

struct Schema: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            Without --for, a list of all fields under the names that -T csv, --fields and flat tables have. With it, \
            column types as a reader takes them; docs/records.md has a recipe for each.
            """,
        examples: [
            .init("synscope schema", "all fields, and what null means"),
            .init("synscope schema --for duckdb", "columns= of read_json in DuckDB"),
            .init("synscope schema --for polars --fields uid,outcome,rtt_total_ns", "of chosen fields"),
            .init("synscope schema --for jsonschema > attempt.schema.json", "JSON Schema of a line of -T jsonl"),
        ],
        writesText: true,
        exitStatus: [.fine, .wrongUsage])

    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "List the fields of attempts, or print their types for DuckDB, Polars, Arrow, Spark or JSON Schema.",
        discussion: helpText.discussion)

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "What loads the records: \(SchemaReport.Reader.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "reader"))
    var reader: SchemaReport.Reader?

    @Option(
        help: ArgumentHelp(
            "Only these fields, as --fields of -T jsonl writes them; all for every one.",
            valueName: "field[,field]..."),
        completion: .list(ChosenColumns.names))
    var fields: String?

    func run() throws {
        let columns = try RecordOptions.columns(fields)
        var output = StandardOutput(isLineBuffered: false)
        if let reader {
            SchemaReport.write(reader, columns, to: &output.buffer)
        } else {
            SchemaReport.text(columns, width: Terminal.width, to: &output.buffer)
        }
        try output.flush()
    }
}

extension SchemaReport.Reader: ExpressibleByArgument {}
