import ArgumentParser
import HandshakeExpectation
import HandshakeReport

struct Fields: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            Names in parentheses are those that a field can have. docs/expressions.md has the grammar, and what is made of \
            values that are unknown.
            """,
        exitStatus: [.fine, .wrongUsage])

    static let configuration = CommandConfiguration(
        commandName: "fields",
        abstract: "List the fields that expressions can ask of (-Y, check).",
        discussion: helpText.discussion)

    enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(name: [.customShort("T"), .customLong("format")], help: "Output: text or json.")
    var format = OutputFormat.text

    func run() throws {
        var output = StandardOutput(isLineBuffered: false)
        switch format {
        case .text: FieldReport.text(width: Terminal.width, to: &output.buffer)
        case .json: FieldReport.json(to: &output.buffer)
        }
        try output.flush()
    }
}
