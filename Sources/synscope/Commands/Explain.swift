import ArgumentParser
import HandshakeReport

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract:
            "Explain outcomes, findings, capture qualities and the other words of records: what they mean, what to do.",
        discussion: """
            EXAMPLES
              synscope explain                 the list
              synscope explain synack-lost
              synscope explain lossy ambiguous no-answer
            """)

    @OptionGroup(title: "Text") var text: StyleOptions

    @Argument(
        help: "Names of outcomes, findings, capture qualities, confidences, reasons and others; none lists them all.",
        completion: .list(ExplainReport.names))
    var codes: [String] = []

    func run() throws {
        var output = StandardOutput(isLineBuffered: false)
        for (place, code) in codes.enumerated() {
            if place > 0 { output.buffer.line("") }
            guard ExplainReport.explain(code, style: text.style, to: &output.buffer) else {
                let near = ExplainReport.suggestions(for: code)
                let hint = near.isEmpty ? "" : ". Did you mean \(near.joined(separator: ", "))?"
                throw CommandFailure(
                    status: .wrongUsage,
                    message:
                        "nothing is named '\(code)'\(hint) 'synscope explain' lists what is"
                )
            }
        }
        if codes.isEmpty { ExplainReport.list(style: text.style, to: &output.buffer) }
        try output.flush()
    }
}
