package import HandshakeRecord
import PacketWire

/// The table that an operator reads: a line an attempt, its findings beneath it, a summary at the end.
package struct TextReport {
    let style: TextStyle
    let isVerbose: Bool
    private let folds: Bool
    /// The numbering of frames in display filters.
    package var numbering = DisplayFilter.Numbering.oneFile
    private var layout = Layout(style: TextStyle(usesColor: false, usesUnicode: false, width: 0))
    /// The day of the last line.
    private var day: Zone.DayAndOffset?
    /// Alternatives and evidence that were told, and the attempt that they were told of: the same words are not told
    /// twice.
    private var told: [String: UInt64] = [:]
    private var folded: Folded?
    /// The rows of plain attempts by shape, and the last: all of one shape have the same but for their figures. None
    /// where the record has findings to show.
    private var plainRows: [PlainAttempt.Shape: Row?] = [:]
    private var lastPlain: (shape: PlainAttempt.Shape, row: Row?)?
    var hasDescribedCapture = false

    /// - Parameters:
    ///   - isVerbose: whether informational findings are shown, and nothing is said shorter.
    ///   - folds: whether failures that are like the one before are counted in a line of their own.
    package init(style: TextStyle, isVerbose: Bool = false, folds: Bool = false) {
        self.style = style
        self.isVerbose = isVerbose
        self.folds = folds
    }

    // MARK: Columns

    private struct Layout {
        var id = 6
        var client = 21
        var server = 21
        /// How much is left out, or moved, so that lines fit.
        var detail: Detail

        enum Detail { case full, compact, twoLines }

        init(style: TextStyle) { detail = .full }

        static let outcome = 15

        var width: Int {
            switch detail {
            case .full: id + 2 + 15 + 2 + client + 4 + server + 2 + Layout.outcome + 2 + 10 + 2 + 5 + 2 + 3
            case .compact: id + 1 + 12 + 1 + client + 3 + server + 1 + Layout.outcome + 10
            case .twoLines: id + 2 + 15 + 2 + Layout.outcome + 2 + 10 + 2 + 5 + 2 + 3
            }
        }

        var gap: String { detail == .compact ? " " : "  " }
    }

    /// A header line, with columns as wide as these records need.
    /// - Parameter isComplete: whether no others follow, which may need more.
    package mutating func begin(_ records: [AttemptRecord], isComplete: Bool, to out: inout OutputBuffer) {
        guard !records.isEmpty else { return }
        layout.id = max(isComplete ? 2 : 6, records.map { "\($0.id)".count }.max() ?? 0)
        layout.client = max(isComplete ? 6 : 21, records.map { $0.client.description.count }.max() ?? 0)
        layout.server = max(isComplete ? 6 : 21, records.map { $0.server.description.count }.max() ?? 0)
        for detail in [Layout.Detail.full, .compact, .twoLines] {
            layout.detail = detail
            if layout.width <= style.width { break }
        }
        let gap = layout.gap
        let ends =
            "client".padded(layout.client) + (layout.detail == .compact ? "   " : "    ")
            + "server".padded(layout.server) + gap
        // Another zone's offset stands beside the date, since it may change.
        let start = style.zone.isUTC ? "start (UTC)" : "start"
        var header =
            "id".paddedLeft(layout.id) + gap + start.padded(layout.detail == .compact ? 12 : 15) + gap
        if layout.detail != .twoLines { header += ends }
        header += "outcome".padded(Layout.outcome) + (layout.detail == .compact ? "" : gap) + "rtt".paddedLeft(10)
        if layout.detail != .compact { header += gap + "mss".paddedLeft(5) + gap + "syn".paddedLeft(3) }
        if layout.width + 8 <= style.width { header += "  notes" }
        out.line(style.paint(header, .bold))
    }

    // MARK: Attempts

    package mutating func attempt(_ record: AttemptRecord, to out: inout OutputBuffer) {
        if folds, !isVerbose {
            let likeness = Folded(record)
            if record.failedBecause != nil, folded?.isLike(likeness) == true {
                folded?.add(record)
                return
            }
            endFold(to: &out)
            folded = record.failedBecause == nil ? nil : likeness
        }
        write(Row(record, remarks(record)), to: &out)
        for finding in record.findings where isVerbose || isShown(finding, of: record) {
            self.finding(finding, of: record, to: &out)
        }
        // The filter stands on a line of its own, however long it is, so that it can be copied.
        let indent = String(repeating: " ", count: layout.id + 4)
        if isVerbose { out.line(indent + style.paint("wireshark: \(DisplayFilter.text(record, numbering))", .dim)) }
    }

    /// A row of the table.
    private struct Row {
        var id: UInt64
        /// Nanoseconds since the epoch.
        var firstTime: Int64
        var client: Endpoint
        var server: Endpoint
        let outcome: Outcome
        /// In nanoseconds, with a mark before it that says which; nil where none is known.
        var roundTrip: (mark: StaticString, nanoseconds: Int64)?
        let mss: UInt16?
        let synCount: Int
        /// Remarks beside the columns, and characters of them.
        let notes: String
        let notesWidth: Int

        init(_ record: AttemptRecord, _ notes: String) {
            (id, firstTime, client, server) = (record.id, record.firstTime, record.client, record.server)
            (outcome, mss, synCount) = (record.outcome, record.negotiatedMSS, record.synCount)
            (self.notes, notesWidth) = (notes, notes.count)
            if let total = record.total {
                roundTrip = (total.nanoseconds == nil ? "<" : "", total.nanoseconds ?? total.high)
            } else if let refusal = record.refusal {
                roundTrip = ("", refusal)
            } else if let leg = record.synToSynAck, let known = leg.nanoseconds {
                // The server's leg alone: marked.
                roundTrip = ("s ", known)
            }
        }

        /// Takes the figures of another attempt of the same shape.
        mutating func take(_ plain: PlainAttempt) {
            (id, firstTime, client, server) = (plain.id, plain.firstTime, plain.client, plain.server)
            roundTrip = ("", plain.synToSynAck &+ plain.synAckToAck)
        }
    }

    /// The row of a plain attempt; nil if it must be written from its record.
    private mutating func row(_ plain: PlainAttempt, _ record: () -> AttemptRecord) -> Row? {
        if let lastPlain, lastPlain.shape == plain.shape { return lastPlain.row }
        let row: Row?
        if let known = plainRows[plain.shape] {
            row = known
        } else {
            guard plainRows.count < PlainTemplates.maximum else { return nil }
            let record = record()
            let isBare = !record.findings.contains { isShown($0, of: record) }
            row = isBare ? Row(record, remarks(record)) : nil
            plainRows[plain.shape] = .some(row)
        }
        lastPlain = (plain.shape, row)
        return row
    }

    package mutating func attempt(_ plain: PlainAttempt, record: () -> AttemptRecord, to out: inout OutputBuffer) {
        guard var row = row(plain, record) else { return attempt(record(), to: &out) }
        endFold(to: &out)
        row.take(plain)
        write(row, to: &out)
    }

    private mutating func write(_ row: Row, to out: inout OutputBuffer) {
        beginDay(row.firstTime, to: &out)
        let room = style.width - layout.width - 2
        out.gather { line in
            line.column(layout.id, isRight: true) { $0.put(row.id) }
            line.put(layout.gap)
            if layout.detail == .compact {
                line.put(String(style.zone.clock(row.firstTime).prefix(12)))
            } else if style.zone.isUTC {
                line.put(clock: row.firstTime)
            } else {
                line.put(style.zone.clock(row.firstTime))
            }
            line.put(layout.gap)
            if layout.detail != .twoLines {
                line.column(layout.client) { $0.put(row.client) }
                line.put(
                    layout.detail == .compact
                        ? (style.usesUnicode ? " → " : " > ") : style.usesUnicode ? "  → " : "  > ")
                line.column(layout.server) { $0.put(row.server) }
                line.put(layout.gap)
            }
            style.paint(color(row.outcome), &line) { line in
                line.column(Layout.outcome) { $0.put(row.outcome.rawValue) }
            }
            if layout.detail != .compact { line.put(layout.gap) }
            line.column(10, isRight: true) { roundTrip(row, &$0) }
            if layout.detail != .compact {
                line.put("  ")
                line.column(5, isRight: true) { if let mss = row.mss { $0.put(mss) } else { $0.put("-") } }
                line.put("  ")
                line.column(3, isRight: true) { $0.put(row.synCount) }
            }
            if row.notesWidth > 0, row.notesWidth <= room {
                line.put("  ")
                style.paint(.dim, &line) { $0.put(row.notes) }
            }
            line.put("\n")
        }
        let standApart = row.notesWidth > 0 && row.notesWidth > room
        if layout.detail != .twoLines, !standApart { return }
        let indent = String(repeating: " ", count: layout.id + 4)
        if layout.detail == .twoLines {
            let ends = "\(row.client)\(style.usesUnicode ? " → " : " > ")\(row.server)"
            for line in ends.wrapped(max(30, style.width - indent.count)) { out.line(indent + line) }
        }
        if standApart {
            for line in row.notes.wrapped(max(30, style.width - indent.count)) {
                out.line(indent + style.paint(line, .dim))
            }
        }
    }

    /// The date stands once, and where it changes; so does the zone's offset.
    private mutating func beginDay(_ time: Int64, to out: inout OutputBuffer) {
        let today = style.zone.dayAndOffset(time)
        if today == day { return }
        day = today
        out.line(style.paint(style.zone.heading(time), .bold))
    }

    /// Says how many failures were folded at the end.
    package mutating func endAttempts(to out: inout OutputBuffer) {
        endFold(to: &out)
    }

    /// Failures that are like one that was shown, whoever the clients are.
    private struct Folded {
        /// Clients that are told apart; more are counted as so many or more.
        private static let maximumClients = 4096
        private var clients: Set<IPAddress>
        private let server: Endpoint
        private let outcome: Outcome
        private let codes: [FindingCode]
        /// The ICMP error in words, with its reporter; nil without one.
        private let error: String?
        private(set) var count = 0
        private(set) var lastID: UInt64
        private(set) var lastTime: Int64

        init(_ record: AttemptRecord) {
            clients = [record.client.address]
            (server, outcome) = (record.server, record.outcome)
            codes = record.findings.map(\.code)
            error = record.unreachable?.text
            (lastID, lastTime) = (record.id, record.firstTime)
        }

        func isLike(_ other: Folded) -> Bool {
            server == other.server && outcome == other.outcome && codes == other.codes && error == other.error
        }

        mutating func add(_ record: AttemptRecord) {
            count += 1
            (lastID, lastTime) = (record.id, record.firstTime)
            if clients.count < Folded.maximumClients { clients.insert(record.client.address) }
        }

        /// ` of 12 clients in all`; nothing where all are of one.
        var clientsText: String {
            let bound = clients.count == Folded.maximumClients ? " or more" : ""
            return clients.count == 1 ? "" : " (\(clients.count)\(bound) clients in all)"
        }
    }

    private mutating func endFold(to out: inout OutputBuffer) {
        defer { folded = nil }
        guard let folded, folded.count > 0 else { return }
        let indent = String(repeating: " ", count: layout.id + 4)
        let until = style.zone.dateAndTime(folded.lastTime)
        let last = "the last with id \(folded.lastID) at \(until)"
        let text = "and \(folded.count) more like it\(folded.clientsText), \(last) (-v lists them)"
        for line in text.wrapped(max(30, style.width - indent.count)) { out.line(indent + style.paint(line, .dim)) }
    }

    private func roundTrip(_ row: Row, _ line: inout OutputStage) {
        guard let (mark, nanoseconds) = row.roundTrip else { return line.put("-") }
        line.put(mark)
        line.put(duration: nanoseconds)
    }

    /// Informational findings are hidden, but for where the answer went that an unanswered attempt lacks.
    private func isShown(_ finding: Finding, of record: AttemptRecord) -> Bool {
        finding.code.severity != .info || finding.code == .nat && record.outcome == .unanswered
    }

    /// Remarks beside the columns.
    private func remarks(_ record: AttemptRecord) -> String {
        var notes: [String] = []
        if let original = record.copyOf { notes.append("copy of \(original)") }
        if let form = record.form, form != .threeWay { notes.append(form.rawValue) }
        switch record.completedBy {
        case .data: notes.append("the final ACK carried data")
        case .inferred where record.ackAck.actual != nil: notes.append("the SYN-ACK was not captured")
        case .inferred: notes.append("no final ACK was captured while it was open")
        case .ack, nil: break
        }
        if record.outcome == .pending, record.ended == .captureEnd { notes.append("undecided when the capture ended") }
        if let total = record.total, total.provenance != .exact { notes.append("rtt \(total.provenance.rawValue)") }
        if record.outcome == .established || record.outcome == .partial, record.total == nil,
            let reason = record.unknownBecause
        {
            // The note before says it.
            let isSaid = reason == .inferred && record.completedBy == .inferred
            notes.append(isSaid ? "no rtt" : "no rtt: \(reason.text)")
        }
        if record.confidence != .full, record.confidence != .inferred { notes.append(record.confidence.rawValue) }
        if let error = record.unreachable {
            // An error that did not decide the attempt is named as one: it is not why the attempt ended.
            notes.append(record.outcome == .unreachable ? error.text : "ICMP error: \(error.text)")
        }
        let path = record.clientPath.isEmpty ? record.serverPath : record.clientPath
        if !path.isEmpty { notes.append(Format.layers(path)) }
        if !record.clientVLAN.isEmpty {
            notes.append("vlan " + record.clientVLAN.map { "\($0)" }.joined(separator: "."))
        }
        return notes.joined(separator: ", ")
    }

    private func color(_ outcome: Outcome) -> TextStyle.Color {
        outcome == .established ? .green : outcome.isFailure ? .red : .yellow
    }

    private mutating func finding(_ finding: Finding, of record: AttemptRecord, to out: inout OutputBuffer) {
        let indent = String(repeating: " ", count: layout.id + 4)
        let color: TextStyle.Color? =
            switch finding.code.severity {
            case .error: .red
            case .warning: .yellow
            case .note, .info: nil
            }
        let text = finding.code.rawValue + ": " + words(finding, of: record)
        let room = max(30, style.width - indent.count - 9)
        for (index, line) in text.wrapped(room).enumerated() {
            let margin = index == 0 ? finding.code.severity.rawValue : ""
            out.line(indent + style.paint(margin.padded(9) + line, color))
        }
    }

    /// The most texts that are remembered as told.
    private static let maximumTold = 1000

    /// A finding's particulars; what was told of another like it is not told again.
    private mutating func words(_ finding: Finding, of record: AttemptRecord) -> String {
        let id = record.id
        if isVerbose { return TextReport.describe(finding, record.segments) }
        var shorter = finding
        /// The attempt of which a text was told before; nil for none.
        func earlier(_ text: String) -> UInt64? {
            if told.count >= TextReport.maximumTold { told = [:] }
            let key = "\(finding.code.rawValue) \(text)"
            if let known = told[key] { return known }
            told[key] = id
            return nil
        }
        if let evidence = finding.evidence, earlier(evidence) != nil { shorter.evidence = nil }
        guard !finding.alternatives.isEmpty, let other = earlier(finding.alternatives.joined(separator: ";")) else {
            return TextReport.describe(shorter, record.segments)
        }
        shorter.alternatives = []
        return TextReport.describe(shorter, record.segments)
            + "; other causes: as for \(other == id ? "the finding" : "attempt \(other)") above"
    }

    /// A finding's two numbers, in the words that fit its code.
    private static func numbers(of finding: Finding) -> String? {
        switch (finding.code, finding.expected, finding.actual) {
        case (.mssTiny, let least?, let actual?): "MSS \(actual), below \(least)"
        case (.wscaleOver14, let maximum?, let actual?): "shift count \(actual), above \(maximum)"
        case (.mssChanged, let first, let second), (.mssClamped, let first, let second):
            "\(first.map { "MSS \($0)" } ?? "no MSS"), then \(second.map { "MSS \($0)" } ?? "no MSS")"
        case (.synIsnChanged, let first?, let second?), (.synackIsnChanged, let first?, let second?),
            (.syncookieSuspect, let first?, let second?):
            "\(first), then \(second)"
        case (_, let expected?, let actual?) where expected != actual: "expected \(expected), got \(actual)"
        case (_, _, let actual?): "got \(actual)"
        default: nil
        }
    }

    /// `frames 3, 7`; of several files `frames 3, 7 (a.pcap: 3; b.pcap: 2)`, with the numbers that they have there.
    private static func frames(_ frames: [UInt64], _ segments: [SegmentRecord]) -> String {
        let shown = frames.prefix(8)
        let more = frames.count > 8 ? ", ... (\(frames.count))" : ""
        let text =
            (frames.count == 1 ? "frame " : "frames ") + shown.map { "\($0)" }.joined(separator: ", ") + more
        let places = shown.compactMap { frame in segments.first { $0.frame == frame }?.place }
        if places.isEmpty { return text }
        var files: [(name: String, frames: [UInt64])] = []
        for place in places {
            if files.last?.name != place.file { files.append((place.file, [])) }
            files[files.count - 1].frames.append(place.frame)
        }
        let parts = files.map { file in
            "\(file.name.cleaned(for: .text)): \(file.frames.map { "\($0)" }.joined(separator: ", "))"
        }
        return "\(text) (\(parts.joined(separator: "; ")))"
    }

    /// A finding's particulars in words.
    /// - Parameter segments: its attempt's.
    static func describe(_ finding: Finding, _ segments: [SegmentRecord]) -> String {
        var parts: [String] = []
        if !finding.frames.isEmpty { parts.append(frames(finding.frames, segments)) }
        if let numbers = TextReport.numbers(of: finding) { parts.append(numbers) }
        if let gaps = finding.gaps, !gaps.isEmpty {
            let shown = gaps.prefix(8).map(Format.duration).joined(separator: ", ") + (gaps.count > 8 ? ", ..." : "")
            parts.append(
                "\(gaps.count == 1 ? "gap" : "gaps") \(shown)" + (finding.schedule.map { " (\($0.rawValue))" } ?? ""))
        }
        if let location = finding.location {
            let place =
                switch location {
                case .beforeCapture: "before the capture point"
                case .afterCapture: "after the capture point"
                case .unknown: "place unknown"
                }
            parts.append(place)
        }
        if let evidence = finding.evidence { parts.append(evidence) }
        if !finding.alternatives.isEmpty { parts.append("or: " + finding.alternatives.joined(separator: "; ")) }
        return parts.joined(separator: "; ")
    }
}
