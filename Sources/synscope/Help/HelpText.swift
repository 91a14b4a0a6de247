import ArgumentParser
import HandshakeReport

/// The text about a command beside its arguments. `--help` and the manual page are both made from it.
struct HelpText {
    /// Paragraphs, with an empty line between them. A paragraph whose lines begin with two spaces is shown as it is.
    var body = ""
    var examples: [Entry] = []
    /// Variables that this command alone looks at; the root command's are all that help shows of the others.
    var environment: [Entry] = []
    /// Whether it looks at the variables of all commands that write text.
    var writesText = false
    var files: [Entry] = []
    var exitStatus: [Entry] = []
    /// Manual pages, as `pcap-filter(7)`.
    var seeAlso: [String] = []

    /// A word or command, and its explanation.
    struct Entry {
        var subject: String
        var meaning: String

        init(_ subject: String, _ meaning: String) { (self.subject, self.meaning) = (subject, meaning) }
    }

    /// Columns of a line of help. The library breaks lines that are longer, anywhere.
    static let width = 79

    /// The same as `--help` shows it.
    var discussion: String {
        var parts = body.isEmpty ? [] : [body]
        for (title, entries, column) in [
            ("EXAMPLES", examples, 36), ("ENVIRONMENT", environment, 18), ("FILES", files, 18),
            ("EXIT STATUS", exitStatus, 3),
        ] where !entries.isEmpty {
            let lines = entries.flatMap { HelpText.lines($0, column: column) }
            parts.append("\(title)\n" + lines.joined(separator: "\n"))
        }
        if !seeAlso.isEmpty {
            let lines = seeAlso.joined(separator: ", ").wrapped(HelpText.width - 2).map { "  " + $0 }
            parts.append("SEE ALSO\n" + lines.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }

    /// The explanation stands beside its subject where both fit, else beneath it. Octets are counted (it is ASCII):
    /// every start of the program makes these texts, and counting characters took a millisecond.
    private static func lines(_ entry: Entry, column: Int) -> [String] {
        let subject = "  " + entry.subject
        let (room, length) = (width - column - 4, entry.meaning.utf8.count)
        let isBeside = entry.subject.utf8.count <= column && (column < 20 || length <= room)
        let space = String(repeating: " ", count: isBeside ? column + 4 : 6)
        let maximum = width - space.utf8.count
        let lines = length <= maximum ? [entry.meaning] : entry.meaning.wrapped(maximum)
        guard isBeside else { return [subject] + lines.map { space + $0 } }
        let gap = String(repeating: " ", count: column + 4 - subject.utf8.count)
        return [subject + gap + lines[0]] + lines.dropFirst().map { space + $0 }
    }
}

extension HelpText.Entry {
    static let fine = HelpText.Entry("0", "fine")
    static let wrongUsage = HelpText.Entry("2", "wrong usage")
    static let unreadable = HelpText.Entry(
        "3", "an input is unreadable or ends in the middle (what could be read is reported first)")
}

extension HelpText {
    /// Variables of all commands that write text.
    static let textEnvironment: [Entry] = [
        Entry("COLUMNS", "Columns of text where standard output is no terminal, else 100."),
        Entry("LC_ALL", "Together with LC_CTYPE and LANG: whether text has other characters than ASCII."),
        Entry("NO_COLOR", "Text has no colours with --color auto if this is not empty."),
        Entry("TERM", "Text has no colours, and goes through no pager, if this is dumb."),
        Entry("TZ", "The zone of --tz local, else this machine's."),
        Entry("TZDIR", "The folder of the zones that --tz names, else /usr/share/zoneinfo."),
    ]

    /// All variables that the command looks at, by name.
    var wholeEnvironment: [Entry] {
        (environment + (writesText ? HelpText.textEnvironment : [])).sorted { $0.subject < $1.subject }
    }
}

/// A command that has a manual page.
protocol DocumentedCommand: ParsableCommand {
    static var helpText: HelpText { get }
}
