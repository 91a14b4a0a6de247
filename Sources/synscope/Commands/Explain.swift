import ArgumentParser
import HandshakeReport

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain an outcome, finding or capture quality: meaning, recognition, standard, causes, what to do.",
        discussion: """
            EXAMPLES
              synscope explain                 the list
              synscope explain synack-lost
            """)

    @OptionGroup(title: "Text") var text: StyleOptions

    @Argument(
        help: "The name of an outcome, finding or capture quality; none lists them all.",
        completion: .list(ExplainReport.names))
    var code: String?

    func run() throws {
        var output = StandardOutput(isLineBuffered: false)
        if let code {
            guard ExplainReport.explain(code, style: text.style, to: &output.buffer) else {
                let near = ExplainReport.suggestions(for: code)
                let hint = near.isEmpty ? "" : ". Did you mean \(near.joined(separator: ", "))?"
                throw CommandFailure(
                    status: .wrongUsage,
                    message:
                        "no outcome, finding or capture quality is named '\(code)'\(hint) 'synscope explain' lists them"
                )
            }
        } else {
            ExplainReport.list(style: text.style, to: &output.buffer)
        }
        try output.flush()
    }
}
