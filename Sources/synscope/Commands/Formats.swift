import ArgumentParser
import HandshakeReport
import PacketCapture

struct Formats: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            docs/formats.md has the details, and how to ask for more.
            """,
        writesText: true,
        exitStatus: [.fine, .wrongUsage])

    static let configuration = CommandConfiguration(
        commandName: "formats",
        abstract: "List the files, link types and encapsulations that are read.",
        discussion: helpText.discussion)

    enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(name: [.customShort("T"), .customLong("format")], help: "Output: text or json.")
    var format = OutputFormat.text

    func run() throws {
        let report = FormatsReport(
            files: SavefileDescription.formats.map { FormatRow(name: $0.name, summary: $0.summary) },
            compressions: SavefileDescription.compressions.map { FormatRow(name: $0.name, summary: $0.summary) })
        var output = StandardOutput(isLineBuffered: false)
        switch format {
        case .text: report.text(width: Terminal.width, to: &output.buffer)
        case .json: report.json(to: &output.buffer)
        }
        try output.flush()
    }
}
