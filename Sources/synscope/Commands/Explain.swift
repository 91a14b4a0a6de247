import ArgumentParser
import HandshakeReport

struct Explain: DocumentedCommand {
    static let helpText = HelpText(
        examples: [
            .init("synscope explain", "the list"),
            .init("synscope explain synack-lost", "one finding"),
            .init("synscope explain lossy ambiguous no-answer", "several words"),
            .init("synscope explain 3/13", "type and code of an ICMP error"),
        ],
        writesText: true,
        exitStatus: [.fine, .init("2", "wrong usage, or no such word")])

    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract:
            "Explain outcomes, findings, capture qualities and the other words of records: what they mean, what to do.",
        usage: "synscope explain [<options>] [<word> ...]",
        discussion: helpText.discussion)

    @OptionGroup(title: "Text") var text: StyleOptions

    @Argument(
        help: ArgumentHelp(
            "Names of outcomes, findings, capture qualities, confidences, reasons and others; none lists them all.",
            valueName: "word"),
        completion: .list(ExplainReport.names))
    var codes: [String] = []

    func run() throws {
        var output = StandardOutput(isLineBuffered: false)
        for (place, code) in codes.enumerated() {
            if place > 0 { output.buffer.line("") }
            guard ExplainReport.explain(code, style: text.style(), to: &output.buffer) else {
                let near = ExplainReport.suggestions(for: code)
                let hint = near.isEmpty ? "" : ": did you mean \(near.joined(separator: ", "))?"
                throw CommandFailure(
                    status: .wrongUsage, message: "nothing is named '\(code)'\(hint) (synscope explain lists the names)"
                )
            }
        }
        if codes.isEmpty { ExplainReport.list(style: text.style(), to: &output.buffer) }
        try output.flush()
    }
}
