import HandshakeRecord
package import HandshakeReport
import PacketWire

/// Groups as a table, as CSV (RFC 4180) or as JSON Lines.
package struct GroupReport {
    private let table: GroupTable
    private let groups: [AttemptGroup]
    private let order: GroupTable.Order
    private let showsFilters: Bool
    private let span: Span?

    /// When a live run decided the attempts, in nanoseconds since the epoch.
    package struct Span: Sendable {
        package var from: Int64
        package var to: Int64
        /// Whether it is the whole run, and no interval of it.
        package var isWhole: Bool

        package init(from: Int64, to: Int64, isWhole: Bool) {
            (self.from, self.to, self.isWhole) = (from, to, isWhole)
        }
    }

    /// - Parameters:
    ///   - span: when the attempts were decided; nil of files.
    ///   - top: so many groups at most.
    ///   - showsFilters: whether text has a line with each group's display filter.
    package init(
        _ table: GroupTable, order: GroupTable.Order, top: Int? = nil, showsFilters: Bool = false, span: Span? = nil
    ) {
        self.table = table
        self.order = order
        self.showsFilters = showsFilters
        self.span = span
        groups = table.sorted(by: order, top: top)
    }

    // MARK: Text

    private struct Column {
        var title: String
        var cells: [String]
        var isRight = true
        /// Columns of low rank are left out first where the line is narrow.
        var rank: Int
        let width: Int

        init(title: String, cells: [String], isRight: Bool = true, rank: Int) {
            (self.title, self.cells, self.isRight, self.rank) = (title, cells, isRight, rank)
            width = max(title.count, cells.map(\.count).max() ?? 0)
        }
    }

    package func text(_ style: TextStyle, to out: inout OutputBuffer) {
        if let span {
            let words = span.isWhole ? "all decided " : "decided "
            // To the millisecond: more says nothing of when a reader of the clock came by.
            let (from, to) = (span.from / 1_000_000 * 1_000_000, span.to / 1_000_000 * 1_000_000)
            out.line(style.paint(words + style.zone.span(from, to), .bold))
        }
        guard !groups.isEmpty else { return out.line("no attempts") }
        let shown = columns(style)
        let header = shown.map { $0.isRight ? $0.title.paddedLeft($0.width) : $0.title.padded($0.width) }
        out.line(style.paint(trimmed(header.joined(separator: "  ")), .bold))
        for (row, group) in groups.enumerated() {
            let cells = shown.map { $0.isRight ? $0.cells[row].paddedLeft($0.width) : $0.cells[row].padded($0.width) }
            out.line(style.paint(trimmed(cells.joined(separator: "  ")), color(group)))
            if showsFilters, let filter = table.displayFilter(group.key) {
                out.line(style.paint("    wireshark: \(filter)", .dim))
            }
        }
        out.line("")
        let hasTimes = shown.contains { $0.title.hasPrefix("first") }
        for line in remarks(hasTimes: hasTimes, style.zone) { for part in line.wrapped(style.width) { out.line(part) } }
    }

    private func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }

    private func color(_ group: AttemptGroup) -> TextStyle.Color? {
        group.failed == 0 ? nil : group.failed == group.decided ? .red : .yellow
    }

    /// As many columns as fit; the reasons take what is left.
    private func columns(_ style: TextStyle) -> [Column] {
        let zone = style.zone
        let times = groups.flatMap { [$0.firstTime, $0.lastTime] }
        // The date, where all times are of one; offsets, where they are of several.
        let day = times.first.flatMap { first in
            times.allSatisfy { zone.isOneDay(first, $0) } ? zone.day(first) : nil
        }
        let hasOffsets = Set(times.map(zone.offset(at:))).count > 1
        func time(_ nanoseconds: Int64) -> String {
            if day != nil { return String(zone.clock(nanoseconds).prefix(8)) }
            return zone.dateAndSecond(nanoseconds) + (hasOffsets ? " \(zone.mark(nanoseconds))" : "")
        }
        func column(_ title: String, rank: Int, isRight: Bool = true, _ cell: (AttemptGroup) -> String) -> Column {
            Column(title: title, cells: groups.map(cell), isRight: isRight, rank: rank)
        }
        func share(_ value: Double?) -> String { value.map { Format.fixed($0 * 100, 1) + " %" } ?? "-" }
        func duration(_ value: Int64?) -> String { value.map(Format.duration) ?? "-" }
        let texts = groups.map { table.text($0.key, zone) }
        var columns = table.grouping.columns.enumerated().map { place, column in
            Column(title: column.name, cells: texts.map { $0[place] }, isRight: false, rank: 0)
        }
        let place = day.map { " \($0)" } ?? (zone.isUTC ? " (UTC)" : "")
        columns += [
            column("attempts", rank: 0) { "\($0.attempts)\($0.isLowerBound ? "+" : "")" },
            column("failed", rank: 0) { "\($0.failed)" },
            // Where attempts are few, a share says less than the numbers.
            column("share", rank: 2) { $0.decided < 20 ? "\($0.failed) of \($0.decided)" : share($0.failedShare) },
            column("resent", rank: 4) { share($0.retransmittedShare) },
            column("rtt p50", rank: 3) { duration($0.total.quantile(0.5)) },
            column("rtt p99", rank: 5) { duration($0.total.quantile(0.99)) },
            column("server p50", rank: 8) { duration($0.serverLeg.quantile(0.5)) },
            column("mss", rank: 9) { group in
                group.segmentSizes.max { $0.count < $1.count }.map { "\($0.size)" } ?? "-"
            },
            column("first" + place, rank: 6) { time($0.firstFailure ?? $0.firstTime) },
            column("last" + place, rank: 7) { time($0.lastFailure ?? $0.lastTime) },
        ]
        let reasons = groups.map { group in
            group.byReason.map { "\($0.reason.rawValue)\(group.byReason.count > 1 ? " \($0.count)" : "")" }.joined(
                separator: ", ")
        }
        let why = Column(title: "why", cells: reasons, isRight: false, rank: 1)
        let least = min(why.width, 24)
        let showsReasons = groups.contains { $0.failed > 0 }
        func width(_ columns: [Column]) -> Int {
            columns.reduce(0) { $0 + $1.width + 2 } + (showsReasons ? least : 0)
        }
        for rank in stride(from: 9, through: 2, by: -1) where width(columns) > style.width {
            columns.removeAll { $0.rank == rank }
        }
        guard showsReasons else { return columns }
        let room = max(least, style.width - columns.reduce(0) { $0 + $1.width + 2 })
        let cut = why.cells.map { $0.count <= room ? $0 : String($0.prefix(room - 3)) + "..." }
        return columns + [Column(title: why.title, cells: cut, isRight: false, rank: 1)]
    }

    private func remarks(hasTimes: Bool, _ zone: Zone) -> [String] {
        let all = Format.count(table.count, "group") + " of \(Format.count(table.attempts, "attempt"))"
        var lines = [groups.count < table.count ? "the first \(groups.count) of \(all), by \(order.rawValue)" : all]
        if table.grouping.columns.contains(where: { $0.field.isMultiple }) {
            lines.append("an attempt is in the group of each of its values, so the groups may add up to more")
        }
        if hasTimes, groups.contains(where: { $0.failed > 0 }) {
            lines.append("first and last are of failed attempts where there are any, else of all")
        }
        if hasTimes, !zone.isUTC {
            let offsets = Set(groups.flatMap { [zone.mark($0.firstTime), zone.mark($0.lastTime)] }).sorted()
            let words = offsets == [zone.name] ? offsets : [zone.name] + offsets
            lines.append("times are in the zone \(words.joined(separator: ", "))")
        }
        if table.evictedGroups > 0 {
            let groups = Format.count(table.evictedGroups, "group")
            let attempts = Format.count(table.evictedAttempts, "attempt")
            lines.append(
                "let go of \(groups) with \(attempts), those with the fewest failures: "
                    + "counts with + are lower bounds (--max-groups)")
        }
        return lines
    }

    // MARK: CSV

    private static let quantiles: [(name: String, share: Double)] = [
        ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1),
    ]

    private static func legs(_ group: AttemptGroup) -> [(name: String, values: ValueHistogram)] {
        [("total", group.total), ("syn_to_synack", group.serverLeg), ("synack_to_ack", group.clientLeg)]
    }

    package func csv(to out: inout OutputBuffer) {
        let empty = AttemptGroup(GroupKey(), isLowerBound: false)
        var names = table.grouping.columns.map(\.name)
        names += ["attempts", "or_more", "established", "failed", "failed_share"]
        names += Outcome.allCases.map { "outcome_" + $0.rawValue.replacing("-", with: "_") }
        names += ["started", "syn_retransmitted", "syn_retransmitted_share"]
        names += GroupReport.legs(empty).flatMap { leg in
            ["count", "min"].map { "rtt_\(leg.name)_\($0)" + ($0 == "count" ? "" : "_ns") }
                + GroupReport.quantiles.map { "rtt_\(leg.name)_\($0.name)_ns" }
        }
        names += [
            "mss", "first_time", "last_time", "first_failure", "last_failure", "failed_because", "display_filter",
        ]
        out.append(names.map(GroupReport.quoted).joined(separator: ",") + "\r\n")
        for group in groups {
            var cells = table.text(group.key)
            cells += ["\(group.attempts)", "\(group.isLowerBound)", "\(group.established)", "\(group.failed)"]
            cells.append(group.failedShare.map { "\($0)" } ?? "")
            let outcomes = Dictionary(uniqueKeysWithValues: group.byOutcome.map { ($0.outcome, $0.count) })
            cells += Outcome.allCases.map { "\(outcomes[$0] ?? 0)" }
            cells += ["\(group.started)", "\(group.retransmitted)", group.retransmittedShare.map { "\($0)" } ?? ""]
            for leg in GroupReport.legs(group) {
                cells += ["\(leg.values.count)", leg.values.minimum.map { "\($0)" } ?? ""]
                cells += GroupReport.quantiles.map { leg.values.quantile($0.share).map { "\($0)" } ?? "" }
            }
            cells.append(sizes(group).map { "\($0.size):\($0.count)" }.joined(separator: " "))
            cells += [group.firstTime, group.lastTime].map(Format.rfc3339)
            cells += [group.firstFailure, group.lastFailure].map { $0.map(Format.rfc3339) ?? "" }
            cells.append(group.byReason.map { "\($0.reason.rawValue):\($0.count)" }.joined(separator: " "))
            cells.append(table.displayFilter(group.key) ?? "")
            out.append(cells.map(GroupReport.quoted).joined(separator: ",") + "\r\n")
        }
    }

    private static func quoted(_ text: String) -> String {
        text.contains { ",\"\r\n".contains($0) } ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }

    private func sizes(_ group: AttemptGroup) -> [(size: UInt16, count: Int)] {
        group.segmentSizes.sorted { ($1.count, $0.size) < ($0.count, $1.size) }
    }

    // MARK: JSON Lines

    package func jsonLines(to out: inout OutputBuffer) {
        for group in groups {
            JSONReport.write(to: &out) { json in json.object { write(group, to: &$0) } }
        }
        JSONReport.write(to: &out) { json in
            json.object {
                $0.field("type", "groups")
                writeSpan(to: &$0)
                $0.array("by", table.grouping.columns) { $0.element($1.name) }
                $0.field("groups", table.count)
                $0.field("listed", groups.count)
                $0.field("attempts", table.attempts)
                $0.field("groups_let_go", table.evictedGroups)
                $0.field("attempts_let_go", table.evictedAttempts)
                $0.field("quantile_error", fraction: ValueHistogram.relativeError)
            }
        }
    }

    private func writeSpan(to json: inout JSONWriter) {
        guard let span else { return }
        json.field("span", span.isWhole ? "run" : "interval")
        json.field("from", time: span.from)
        json.field("to", time: span.to)
    }

    private func write(_ group: AttemptGroup, to json: inout JSONWriter) {
        json.field("type", "group")
        writeSpan(to: &json)
        json.object("key") { json in
            for (place, text) in table.text(group.key).enumerated() {
                let name = table.grouping.columns[place].name
                switch group.key[place] {
                case .unknown, .empty: json.null(name)
                case .number(let value) where value == value.rounded() && value.magnitude < 1e15:
                    json.field(name, Int64(value))
                case .number(let value): json.field(name, fraction: value)
                case .duration(let nanoseconds): json.field(name, Int64(nanoseconds))
                case .time(let nanoseconds): json.field(name, time: nanoseconds)
                case .truth(let value): json.field(name, value)
                case .address, .network, .name: json.field(name, text)
                }
            }
        }
        json.field("attempts", group.attempts)
        json.field("or_more", group.isLowerBound)
        json.field("established", group.established)
        json.field("failed", group.failed)
        if let share = group.failedShare {
            json.field("failed_share", fraction: share)
        } else {
            json.null("failed_share")
        }
        json.object("outcomes") { for entry in group.byOutcome { $0.field(entry.outcome.rawValue, entry.count) } }
        json.object("failed_because") { for entry in group.byReason { $0.field(entry.reason.rawValue, entry.count) } }
        json.field("started", group.started)
        json.field("syn_retransmitted", group.retransmitted)
        json.object("rtt_ns") { json in
            for leg in GroupReport.legs(group) {
                json.object(leg.name) {
                    $0.field("count", leg.values.count)
                    $0.field("min", leg.values.minimum)
                    for quantile in GroupReport.quantiles {
                        $0.field(quantile.name, leg.values.quantile(quantile.share))
                    }
                }
            }
        }
        json.array("mss", sizes(group)) { json, size in
            json.object {
                $0.field("octets", size.size)
                $0.field("attempts", size.count)
            }
        }
        json.field("mss_others", group.otherSizes)
        json.field("first_time", time: group.firstTime)
        json.field("last_time", time: group.lastTime)
        json.field("first_failure", time: group.firstFailure)
        json.field("last_failure", time: group.lastFailure)
        json.field("display_filter", table.displayFilter(group.key))
    }
}
