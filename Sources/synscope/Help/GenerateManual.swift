import ArgumentParser
import HandshakeReport
import PacketCapture

/// Writes the manual pages. `make install` uses it; help does not show it.
struct GenerateManual: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate-manual",
        abstract: "Write a manual page for each command, in the mdoc language, into a folder.",
        shouldDisplay: false)

    @Argument(help: "A folder that is there.", completion: .directory)
    var folder: String

    func run() throws {
        for page in try GenerateManual.pages(date: GenerateManual.date) {
            try OutputFile("\(folder)/\(page.name).1").write(Array(page.source.utf8))
        }
    }

    static func pages(date: String) throws -> [ManualPage] {
        let root = try HelpData.read()
        let usage = Synscope.configuration.usage
        let first = ManualPage(root, Synscope.helpText, root: nil, usage: usage, date: date)
        let texts = Dictionary(
            uniqueKeysWithValues: Synscope.commands.map { ($0.configuration.commandName ?? "", $0.helpText) })
        return [first]
            + root.shownCommands.compactMap { command in
                texts[command.commandName].map { ManualPage(command, $0, root: root.commandName, date: date) }
            }
    }

    /// Today, or what `SOURCE_DATE_EPOCH` says, so that a build can be repeated.
    private static var date: String {
        let seconds = Terminal.environment("SOURCE_DATE_EPOCH").flatMap(Int64.init)
        let time = seconds.map { $0.multipliedReportingOverflow(by: 1_000_000_000) }
        let known = time.flatMap { $0.overflow ? nil : $0.partialValue }
        let words = Format.rfc3339(known ?? Clock.wall).prefix(10).split(separator: "-")
        let months = [
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ]
        return "\(months[(Int(words[1]) ?? 1) - 1]) \(Int(words[2]) ?? 1), \(words[0])"
    }
}
