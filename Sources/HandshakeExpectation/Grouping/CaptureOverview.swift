package import HandshakeRecord
package import HandshakeReport
import PacketWire

/// An overview of a capture's attempts: when they were, which servers and clients fail most, and why.
package struct CaptureOverview: Sendable {
    /// The most servers and clients that are kept.
    private static let listed = 5
    private var servers: GroupTable
    private var clients: GroupTable
    private var timeLine = TimeLine()

    package init() {
        do throws(ExpressionError) {
            servers = GroupTable(try Grouping("ip.dst,tcp.dstport"), keepsFigures: false)
            clients = GroupTable(try Grouping("ip.src"), keepsFigures: false)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    package mutating func add(_ record: AttemptRecord) {
        if record.copyOf != nil { return }
        servers.add(record)
        clients.add(record)
        timeLine.add(record.firstTime, failed: record.failedBecause != nil)
    }

    /// - Parameter record: makes its record.
    package mutating func add(_ plain: PlainAttempt, record: () -> AttemptRecord) {
        servers.add(plain, record: record)
        clients.add(plain, record: record)
        timeLine.add(plain.firstTime, failed: false)
    }

    // MARK: Words

    package func rows(_ style: TextStyle) -> [TextReport.SummaryRow] {
        guard let first = timeLine.first, let last = timeLine.last else { return [] }
        let span = Format.span(last &- first)
        var rows = [
            TextReport.SummaryRow(
                "time", "\(style.zone.span(first, last)) (\(span), by first SYNs)")
        ]
        if timeLine.attempts > 1, last > first {
            let (attempts, failures, width) = timeLine.lines(usesUnicode: style.usesUnicode)
            let step = Format.span(width)
            rows.append(TextReport.SummaryRow("", "\(attempts) attempts, \(step) a column"))
            if timeLine.failures > 0 {
                rows.append(TextReport.SummaryRow("", "\(failures) failed ones", .red))
            }
        }
        rows += worst(servers, "servers", style.zone)
        rows += worst(clients, "clients", style.zone)
        return rows
    }

    private func worst(_ table: GroupTable, _ name: String, _ zone: Zone) -> [TextReport.SummaryRow] {
        let groups = table.sorted(by: .failed, top: Self.listed + 1).filter { $0.failed > 0 }
        let names = groups.map { group in
            let parts = table.text(group.key)
            guard parts.count > 1 else { return parts[0] }
            return parts[0].contains(":") ? "[\(parts[0])]:\(parts[1])" : parts.joined(separator: ":")
        }
        let width = names.prefix(Self.listed).map(\.count).max() ?? 0
        var rows = zip(groups, names).prefix(Self.listed).enumerated().map { place, entry in
            let (group, text) = entry
            return TextReport.SummaryRow(
                place == 0 ? name : "", "\(text.padded(width))  \(Self.words(group, zone))",
                group.failed == group.decided ? .red : .yellow)
        }
        if groups.count > Self.listed {
            rows.append(TextReport.SummaryRow("", "and more: synscope group FILE --by \(table.grouping.text)"))
        }
        return rows
    }

    /// `2 of 3 failed (refused 2), 10:02:10 to 10:05:00`.
    private static func words(_ group: AttemptGroup, _ zone: Zone) -> String {
        let bound = group.isLowerBound ? " or more" : ""
        let reasons = group.byReason.map {
            group.byReason.count > 1 ? "\($0.reason.text): \($0.count)" : $0.reason.text
        }
        let text = "\(group.failed)\(bound) of \(group.decided) failed, \(reasons.joined(separator: ", "))"
        guard let first = group.firstFailure, let last = group.lastFailure else { return text }
        func time(_ nanoseconds: Int64) -> String { String(zone.clock(nanoseconds).prefix(8)) }
        if first == last { return "\(text); at \(time(first))" }
        return "\(text); \(time(first)) to \(zone.isOneDay(first, last) ? time(last) : zone.dateAndSecond(last))"
    }
}

/// How many attempts began when, in at most `columns` steps of equal length, however long the capture is.
struct TimeLine: Sendable {
    static let columns = 40
    /// Nanoseconds; doubled when a time does not fit.
    private(set) var width: Int64 = 1_000_000
    private var counts: [Int64: (attempts: Int, failures: Int)] = [:]
    private var lowest = Int64.max
    private var highest = Int64.min
    private var latest: (step: Int64, attempts: Int) = (.min, 0)
    private(set) var first: Int64?
    private(set) var last: Int64?
    private(set) var attempts = 0
    private(set) var failures = 0

    /// - Parameter time: nanoseconds since the epoch.
    @inline(__always)
    mutating func add(_ time: Int64, failed: Bool) {
        attempts += 1
        if time < first ?? .max { first = time }
        if time > last ?? .min { last = time }
        let step = TimeLine.step(time, width)
        // Most attempts follow each other.
        if step == latest.step, !failed { return latest.attempts += 1 }
        addApart(step, time, failed: failed)
    }

    @inline(never)
    private mutating func addApart(_ step: Int64, _ time: Int64, failed: Bool) {
        storeLatest()
        var step = step
        lowest = min(lowest, step)
        highest = max(highest, step)
        while highest - lowest >= Int64(TimeLine.columns) {
            widen()
            step = TimeLine.step(time, width)
        }
        counts[step, default: (0, 0)].attempts += 1
        if failed {
            counts[step, default: (0, 0)].failures += 1
            failures += 1
        }
        latest = (step, 0)
    }

    private mutating func storeLatest() {
        if latest.attempts > 0 { counts[latest.step, default: (0, 0)].attempts += latest.attempts }
        latest = (.min, 0)
    }

    private mutating func widen() {
        width *= 2
        var wider: [Int64: (attempts: Int, failures: Int)] = [:]
        for (step, count) in counts {
            wider[step >> 1, default: (0, 0)].attempts += count.attempts
            wider[step >> 1, default: (0, 0)].failures += count.failures
        }
        counts = wider
        (lowest, highest) = (lowest >> 1, highest >> 1)
    }

    @inline(__always)
    private static func step(_ time: Int64, _ width: Int64) -> Int64 {
        let step = time / width
        return time < 0 && step * width != time ? step - 1 : step
    }

    /// Attempts and failures, a character a step, on one scale each; any is more than none.
    func lines(usesUnicode: Bool) -> (attempts: String, failures: String, width: Int64) {
        var stored = self
        stored.storeLatest()
        let marks = Array(usesUnicode ? "·▁▂▃▄▅▆▇█" : ".,:-=+*#@")
        func line(_ values: [Int]) -> String {
            let maximum = max(1, values.max() ?? 1)
            return String(values.map { $0 == 0 ? marks[0] : marks[($0 * (marks.count - 1) + maximum - 1) / maximum] })
        }
        let steps = stored.lowest...stored.highest
        return (
            line(steps.map { stored.counts[$0]?.attempts ?? 0 }),
            line(steps.map { stored.counts[$0]?.failures ?? 0 }),
            width
        )
    }
}
