package import HandshakeRecord
import HandshakeDiagnosis
package import HandshakeReport
import PacketWire

/// The screen of `watch --screen`: what it shows of a snapshot, and what keys do. Pure: lines out, keys in.
package struct ScreenView: Sendable {
    package enum Sorting: String, CaseIterable, Sendable { case failures, attempts, rtt }
    private enum Mode: Equatable { case overview, filter, help, ladder(UInt64) }

    /// The action of a key outside of the view.
    package enum Action: Sendable { case none, quit }

    private let style: TextStyle
    /// The interfaces and the filter.
    private let source: String
    private var mode = Mode.overview
    private var isPaused = false
    private var sorting = Sorting.failures
    private var filter = ""
    /// The id of the chosen failure: it stays chosen while others come.
    private var chosen: UInt64?
    private var scroll = 0
    private var shown: Monitor.Snapshot?

    package init(style: TextStyle, capture: CaptureDescription) {
        self.style = style
        source = capture.files.map(\.name).joined(separator: ", ") + (capture.filter.map { ", filter \($0)" } ?? "")
    }

    /// Takes the latest snapshot, unless paused.
    package mutating func take(_ snapshot: Monitor.Snapshot) { if !isPaused || shown == nil { shown = snapshot } }

    // MARK: Keys

    /// The keys of a terminal, one after the other.
    package enum Key: Equatable, Sendable {
        case character(Character)
        case up, down, enter, escape, backspace

        /// Takes apart what a terminal sent.
        package static func parse(_ octets: [UInt8]) -> [Key] {
            var keys: [Key] = []
            var rest = octets[...]
            while let first = rest.first {
                if rest.starts(with: [0x1b, 0x5b]) || rest.starts(with: [0x1b, 0x4f]) {
                    // A control sequence: parameters, then a final octet.
                    rest = rest.dropFirst(2).drop { (0x20...0x3f).contains($0) }
                    switch rest.first {
                    case 0x41: keys.append(.up)
                    case 0x42: keys.append(.down)
                    default: break
                    }
                    rest = rest.dropFirst()
                    continue
                }
                switch first {
                case 0x1b: keys.append(.escape)
                case 0x0a, 0x0d: keys.append(.enter)
                case 0x08, 0x7f: keys.append(.backspace)
                case 0x20...0x7e: keys.append(.character(Character(UnicodeScalar(first))))
                default: break
                }
                rest = rest.dropFirst()
            }
            return keys
        }
    }

    package mutating func press(_ key: Key) -> Action {
        switch (mode, key) {
        case (.filter, .enter): mode = .overview
        case (.filter, .escape):
            filter = ""
            mode = .overview
        case (.filter, .backspace): if !filter.isEmpty { filter.removeLast() }
        case (.filter, .character(let character)): filter.append(character)
        case (_, .character("q")) where mode == .overview: return .quit
        case (.overview, .character("/")): mode = .filter
        case (.overview, .character("?")), (.overview, .character("h")): mode = .help
        case (.overview, .character("p")), (.overview, .character(" ")): isPaused.toggle()
        case (.overview, .character("s")):
            let all = Sorting.allCases
            sorting = all[((all.firstIndex(of: sorting) ?? 0) + 1) % all.count]
        case (.overview, .down), (.overview, .character("j")): choose(1)
        case (.overview, .up), (.overview, .character("k")): choose(-1)
        case (.overview, .enter):
            if let id = chosen ?? failures.first?.id {
                chosen = id
                scroll = 0
                mode = .ladder(id)
            }
        case (.overview, .escape):
            if filter.isEmpty { chosen = nil }
            filter = ""
        case (.ladder, .down), (.ladder, .character("j")): scroll += 1
        case (.ladder, .up), (.ladder, .character("k")): scroll = max(0, scroll - 1)
        case (.ladder, _), (.help, _): mode = .overview
        default: break
        }
        return .none
    }

    private mutating func choose(_ step: Int) {
        let ids = failures.map(\.id)
        guard !ids.isEmpty else { return }
        let place = chosen.flatMap { ids.firstIndex(of: $0) }
        chosen = ids[min(max((place ?? (step > 0 ? -1 : 0)) + step, 0), ids.count - 1)]
    }

    /// The failures that pass the filter, newest first.
    private var failures: [AttemptRecord] {
        guard let shown else { return [] }
        guard !filter.isEmpty else { return shown.failures }
        return shown.failures.filter { record in
            let words =
                [record.client.description, record.server.description, record.outcome.rawValue]
                + record.findings.map(\.code.rawValue)
            return words.contains { $0.contains(filter) }
        }
    }

    // MARK: Lines

    /// A terminal with so many rows has room for every line of the overview.
    private static let rowsForAll = 30

    /// - Returns: at most `rows` lines of at most `columns` characters each, colours not counted.
    package func lines(columns: Int, rows: Int) -> [String] {
        guard let shown else { return [] }
        var canvas = Canvas(style: style, columns: columns)
        switch mode {
        case .ladder(let id):
            let record = shown.failures.first { $0.id == id }
            guard let record else { return ["The attempt is no longer kept. Any key goes back."] }
            var buffer = OutputBuffer()
            let plain = TextStyle(
                usesColor: false, usesUnicode: style.usesUnicode, width: max(60, columns), zone: style.zone)
            Ladder(record, style: plain).draw(to: &buffer)
            let all = String(decoding: buffer.bytes, as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false)
            let start = min(scroll, max(0, all.count - (rows - 1)))
            for line in all[start...].prefix(rows - 1) { canvas.line(String(line)) }
            canvas.line("up and down scroll, any other key goes back", .dim)
        case .help: for line in ScreenView.help { canvas.line(line) }
        case .overview, .filter: overview(shown, rows, &canvas)
        }
        return Array(canvas.lines.prefix(rows))
    }

    private static let help = [
        "q          end, with the report", "p, space   pause; the capture goes on",
        "s          sort servers and clients by failures, attempts or rtt",
        "/          show only failures that contain a text; escape shows all",
        "up, down   choose a failure (or k, j); escape goes back to the newest",
        "enter      the ladder diagram of the chosen one", "", "Any key goes back.",
    ]

    private func overview(_ shown: Monitor.Snapshot, _ rows: Int, _ canvas: inout Canvas) {
        let summary = shown.standing.summary
        let loss = shown.standing.loss
        let last = shown.seconds.suffix(5)
        let rate = Double(last.reduce(0) { $0 + $1.attempts }) / Double(max(1, last.count))
        let frames = last.reduce(UInt64(0)) { $0 + $1.frames } / UInt64(max(1, last.count))
        canvas.line(
            "synscope  \(Format.fixed(rate, 1)) attempts/s  \(frames) frames/s  \(shown.standing.open) open"
                + (isPaused ? "  PAUSED" : "") + "   ? keys", .bold)
        canvas.line("on        \(style.zone.dateAndSecond(shown.now)) \(style.zone.name)  \(source)")
        let dropped = (loss.kernelDropped ?? 0) + (loss.interfaceDropped ?? 0)
        canvas.line(
            "frames    \(summary.frames.read) analysed of \(loss.received ?? 0), \(dropped) dropped",
            dropped > 0 ? .red : nil)
        for name in shown.standing.waitingFor { canvas.line("waiting for \(name)", .red) }
        // Until the diagnosis has them, with more to say.
        let told = shown.situations.contains { [.scan, .flood, .backscatter].contains($0.situation.code) }
        for pattern in summary.patterns.prefix(told ? 0 : 3) {
            let place = pattern.port.map { Endpoint(pattern.address, $0).description } ?? pattern.address.description
            canvas.line("\(pattern.code.rawValue)  \(place)  \(pattern.count)", .red)
        }
        for entry in shown.situations.prefix(3) {
            let code = entry.situation.code
            let text = "\(code.rawValue)  \(SituationWords(entry.situation, style.zone).sentence)"
            for line in text.wrapped(canvas.columns).prefix(2) {
                canvas.line(line, code.severity == .error ? .red : .yellow)
            }
        }
        for waiting in shown.standing.waiting.servers.prefix(3) {
            canvas.line("waiting   \(waiting.text)", .red)
        }
        let outcomes = Outcome.allCases.compactMap { outcome in
            summary.byOutcome[outcome].map { "\($0) \(outcome.rawValue)" }
        }
        canvas.line("outcomes  " + (outcomes.isEmpty ? "none yet" : outcomes.joined(separator: ", ")))
        let times = summary.roundTrips
        let quantiles = [50.0, 90, 99].compactMap { p in
            times.percentile(p).map { "p\(Int(p)) \(Format.duration($0))" }
        }
        canvas.line("rtt       " + (quantiles.isEmpty ? "none yet" : quantiles.joined(separator: "  ")))
        let width = max(10, canvas.columns - 30)
        canvas.line(
            "attempts  " + sparkline(shown.seconds.suffix(width).map { Double($0.attempts) })
                + " \(shown.seconds.suffix(width).map(\.attempts).max() ?? 0)/s")
        canvas.line(
            "failures  " + sparkline(shown.seconds.suffix(width).map { Double($0.failures) })
                + " \(shown.seconds.suffix(width).map(\.failures).max() ?? 0)/s", .red)
        // A small terminal shows servers instead.
        if rows >= ScreenView.rowsForAll {
            let medians = shown.seconds.suffix(width).map { $0.median }
            canvas.line(
                "rtt p50   " + sparkline(medians.map { Double($0 ?? 0) })
                    + " \(medians.compactMap { $0 }.max().map(Format.duration) ?? "-")")
            canvas.line("")
        }
        let room = max(3, rows - canvas.lines.count - 3)
        parties("worst servers", shown.servers, max(1, room * 2 / 5), &canvas)
        parties("worst clients", shown.clients, max(1, room / 5), &canvas)
        let list = failures
        let space = max(1, rows - canvas.lines.count - 1)
        let place = chosen.flatMap { id in list.firstIndex { $0.id == id } } ?? 0
        let first = max(0, place - space + 1)
        canvas.line(
            mode == .filter
                ? "failures with: \(filter)_"
                : "last failures" + (style.zone.isUTC ? "" : ", times in \(style.zone.name)")
                    + (filter.isEmpty ? "" : " with: \(filter)")
                    + (place > 0 ? "   \(place) newer: escape goes to the newest" : ""),
            .bold)
        for record in list[first...].prefix(space) {
            let codes = record.findings.filter { $0.code.severity != .info }.map(\.code.rawValue)
            canvas.line(
                (record.id == chosen ? "> " : "  ") + style.zone.clock(record.firstTime) + "  "
                    + record.client.description.padded(21) + "  " + record.server.description.padded(21) + "  "
                    + record.outcome.rawValue.padded(15) + "  " + codes.joined(separator: ", "),
                record.id == chosen ? .bold : .red)
        }
    }

    private func parties(_ title: String, _ parties: [Party], _ room: Int, _ canvas: inout Canvas) {
        canvas.line(
            (title + " by \(sorting.rawValue)").padded(30) + "failed".paddedLeft(8) + "of".paddedLeft(8)
                + "repeated".paddedLeft(11) + "rtt".paddedLeft(11), .bold)
        let sorted = parties.sorted { a, b in
            switch sorting {
            case .failures: (a.failures, a.repeated, a.attempts) > (b.failures, b.repeated, b.attempts)
            case .attempts: a.attempts > b.attempts
            case .rtt: (a.roundTrip ?? -1) > (b.roundTrip ?? -1)
            }
        }
        for party in sorted.prefix(room) {
            canvas.line(
                party.name.padded(30) + "\(party.failures)".paddedLeft(8) + "\(party.attempts)".paddedLeft(8)
                    + "\(party.repeated)".paddedLeft(11)
                    + (party.roundTrip.map(Format.duration) ?? "-").paddedLeft(11),
                party.failures > 0 ? .yellow : nil)
        }
    }

    private func sparkline(_ values: [Double]) -> String {
        let steps = Array(style.usesUnicode ? " ▁▂▃▄▅▆▇█" : " .:-=+*#@")
        let top = values.max() ?? 0
        return String(
            values.map { value in
                // Something is never drawn as nothing.
                top <= 0 || value <= 0 ? steps[0] : steps[max(1, Int((value / top * 8).rounded()))]
            })
    }
}

/// Lines cut to a width, without what a terminal would obey.
private struct Canvas {
    let style: TextStyle
    let columns: Int
    var lines: [String] = []

    init(style: TextStyle, columns: Int) {
        self.style = style
        self.columns = columns
    }

    mutating func line(_ text: String, _ color: TextStyle.Color? = nil) {
        lines.append(style.paint(String(text.cleaned(for: .text).prefix(columns)), color))
    }
}
