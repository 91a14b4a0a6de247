import ArgumentParser
import CLinux
import Glibc
import HandshakeAnalysis
import HandshakeExpectation
import HandshakeReport
import PacketCapture
import PacketWire

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, jsonl, csv, ecs, ocsf, html

    /// Whether it tells of the attempts as a whole: what stands out among them.
    var tellsSituations: Bool { self == .text || self == .html }

    /// Whether it has the totals where no attempt is listed.
    var hasSummaryAlone: Bool { [.text, .json, .jsonl].contains(self) }
}

/// How text looks.
struct StyleOptions: ParsableArguments {
    @Option(help: "Colours: auto (on a terminal, unless NO_COLOR is set), always or never.")
    var color = ColorChoice.auto

    @Flag(help: "Draw with ASCII characters, also where the locale has more.")
    var ascii = false

    @Option(
        parsing: .unconditional, help: "Columns, from 60; by default the terminal's.",
        transform: Expected.number(StyleOptions.widths))
    var width: Int?

    enum ColorChoice: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

    static let widths = Ladder.narrowest...1000

    /// - Parameter zone: of the times.
    func style(in zone: Zone = .utc) -> TextStyle {
        let automatic =
            Terminal.isTerminal(STDOUT_FILENO) && (Terminal.environment("NO_COLOR") ?? "").isEmpty
            && Terminal.environment("TERM") != "dumb"
        return TextStyle(
            usesColor: color == .always || color == .auto && automatic, usesUnicode: !ascii && Terminal.usesUnicode,
            width: min(max(width ?? Terminal.width, StyleOptions.widths.lowerBound), StyleOptions.widths.upperBound),
            zone: zone)
    }
}
