package import HandshakeAnalysis
import PacketWire

/// The table that an operator reads: a line an attempt, its findings beneath it, a summary at the end.
package struct TextReport {
    let style: TextStyle
    private var widths = Widths()
    private var hasDescribedCapture = false

    private struct Widths {
        var id = 6
        var client = 21
        var server = 21
    }

    package init(style: TextStyle) { self.style = style }

    // MARK: Attempts

    /// A header line, with columns as wide as these records need.
    /// - Parameter isComplete: whether no others follow, which may need more.
    package mutating func begin(_ records: [AttemptRecord], isComplete: Bool, to out: inout OutputBuffer) {
        guard !records.isEmpty else { return }
        let least = isComplete ? Widths(id: 2, client: 6, server: 6) : Widths()
        widths.id = max(least.id, records.map { "\($0.id)".count }.max() ?? 0)
        widths.client = max(least.client, records.map { $0.client.description.count }.max() ?? 0)
        widths.server = max(least.server, records.map { $0.server.description.count }.max() ?? 0)
        let header =
            "id".paddedLeft(widths.id) + "  " + "start (UTC)".padded(15) + "  " + "client".padded(widths.client)
            + "    "
            + "server".padded(widths.server) + "  " + "outcome".padded(15) + "  " + "rtt".paddedLeft(10) + "  "
            + "mss".paddedLeft(5) + "  " + "syn".paddedLeft(3)
        out.line(style.paint(header, .bold))
    }

    package func attempt(_ record: AttemptRecord, to out: inout OutputBuffer) {
        let notes = remarks(record)
        out.gather { line in
            line.column(widths.id, isRight: true) { $0.put(record.id) }
            line.put("  ")
            line.put(clock: record.firstTime)
            line.put("  ")
            line.column(widths.client) { $0.put(record.client) }
            line.put(style.usesUnicode ? "  → " : "  > ")
            line.column(widths.server) { $0.put(record.server) }
            line.put("  ")
            style.paint(color(record.outcome), &line) { line in line.column(15) { $0.put(record.outcome.rawValue) } }
            line.put("  ")
            line.column(10, isRight: true) { roundTrip(record, &$0) }
            line.put("  ")
            line.column(5, isRight: true) { if let mss = record.negotiatedMSS { $0.put(mss) } else { $0.put("-") } }
            line.put("  ")
            line.column(3, isRight: true) { $0.put(record.synCount) }
            if !notes.isEmpty {
                line.put("  ")
                style.paint(.dim, &line) { $0.put(notes) }
            }
            line.put("\n")
        }
        for finding in record.findings { self.finding(finding, to: &out) }
    }

    private func roundTrip(_ record: AttemptRecord, _ line: inout OutputStage) {
        if let total = record.total {
            if total.nanoseconds == nil { line.put("<") }
            line.put(duration: total.nanoseconds ?? total.high)
        } else if let refusal = record.refusal {
            line.put(duration: refusal)
        } else if let leg = record.synToSynAck, let known = leg.nanoseconds {
            // The server's leg alone: marked.
            line.put("s ")
            line.put(duration: known)
        } else {
            line.put("-")
        }
    }

    /// What the columns do not say.
    private func remarks(_ record: AttemptRecord) -> String {
        var notes: [String] = []
        if let original = record.copyOf { notes.append("copy of \(original)") }
        if let form = record.form, form != .threeWay { notes.append(form.rawValue) }
        switch record.completedBy {
        case .data: notes.append("the final ACK carried data")
        case .inferred where record.has(.oneSided): notes.append("the SYN-ACK was not captured")
        case .inferred: notes.append("the final ACK was not captured")
        case .ack, nil: break
        }
        if let total = record.total, total.provenance != .exact { notes.append("rtt \(total.provenance.rawValue)") }
        if record.outcome == .established || record.outcome == .partial, record.total == nil,
            let reason = record.unknownBecause
        {
            notes.append("no rtt: \(reason.text)")
        }
        if record.confidence != .full, record.confidence != .inferred { notes.append(record.confidence.rawValue) }
        if let error = record.unreachable {
            notes.append("icmp \(error.type)/\(error.code) \(error.severity.rawValue)")
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

    private func finding(_ finding: Finding, to out: inout OutputBuffer) {
        let indent = String(repeating: " ", count: widths.id + 4)
        let color: TextStyle.Color? =
            switch finding.code.severity {
            case .error: .red
            case .warning: .yellow
            case .note, .info: nil
            }
        let text = finding.code.rawValue + ": " + TextReport.describe(finding)
        let room = max(30, style.width - indent.count - 9)
        for (index, line) in text.wrapped(room).enumerated() {
            let margin = index == 0 ? finding.code.severity.rawValue : ""
            out.line(indent + style.paint(margin.padded(9) + line, color))
        }
    }

    /// A finding's particulars in words.
    static func describe(_ finding: Finding) -> String {
        var parts: [String] = []
        if !finding.frames.isEmpty {
            let shown = finding.frames.prefix(8).map { "\($0)" }.joined(separator: ", ")
            let more = finding.frames.count > 8 ? ", ... (\(finding.frames.count))" : ""
            parts.append((finding.frames.count == 1 ? "frame " : "frames ") + shown + more)
        }
        if let expected = finding.expected, let actual = finding.actual, expected != actual {
            parts.append("expected \(expected), got \(actual)")
        } else if let actual = finding.actual {
            parts.append("got \(actual)")
        }
        if let gaps = finding.gaps, !gaps.isEmpty {
            let shown = gaps.prefix(8).map(Format.duration).joined(separator: ", ") + (gaps.count > 8 ? ", ..." : "")
            parts.append("\(gaps.count == 1 ? "gap" : "gaps") \(shown)" + (finding.schedule.map { " (\($0))" } ?? ""))
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

    // MARK: Summary

    /// A flood, a scan or backscatter in words.
    static func describe(_ pattern: TrafficPatterns.Pattern) -> String {
        let place = pattern.port.map { Endpoint(pattern.address, $0).description } ?? pattern.address.description
        let count = "\(pattern.count)\(pattern.isLowerBound ? " or more" : "")"
        let what =
            switch pattern.code {
            case .synFlood: "\(place): \(count) handshakes left open"
            case .portScan: "\(place) tried \(count) targets that it did not use"
            default: "\(place) sent \(count) answers that nobody asked for"
            }
        let established =
            switch pattern.established {
            case nil: ""
            case 0?: "; none established"
            case let most?: "; at most \(most) others established"
            }
        guard let window = pattern.window, let rate = pattern.rate else { return what + established }
        let time = Format.duration(window.upperBound &- window.lowerBound)
        return "\(what) in \(time) (\(Format.fixed(rate, 1)) a second)\(established)"
    }

    /// The numbers of frames that are not decoded, as `UDP port 53 (12), 123 (1) and 3 others`.
    private static func describe(_ undecoded: UndecodedFrames) -> String {
        let name =
            switch undecoded.kind {
            case .etherType: "EtherType"
            case .ipProtocol: "IP protocol"
            case .udpPort: "UDP port"
            }
        let numbers = undecoded.numbers.map { "\(undecoded.text(of: $0.number)) (\($0.count))" }
        let others = undecoded.others == 0 ? "" : " and " + Format.count(undecoded.others, "other")
        return "\(name) \(numbers.joined(separator: ", "))\(others)"
    }

    private func row(_ name: String, _ text: String, _ color: TextStyle.Color?, to out: inout OutputBuffer) {
        for (index, line) in text.wrapped(max(40, style.width - 12)).enumerated() {
            out.line(style.paint((index == 0 ? name : "").padded(10), .bold) + "  " + style.paint(line, color))
        }
    }

    /// What the capture itself is: it bounds what can be said of its attempts, so it comes before them where it is known
    /// by then.
    package mutating func captureBeforeAttempts(_ summary: HandshakeSummary, to out: inout OutputBuffer) {
        describeCapture(summary, to: &out)
        if !summary.quality.isEmpty { out.line("") }
        hasDescribedCapture = true
    }

    private func describeCapture(_ summary: HandshakeSummary, to out: inout OutputBuffer) {
        for quality in summary.quality { row("capture", quality.text, .yellow, to: &out) }
    }

    package func summary(_ summary: HandshakeSummary, _ loss: CaptureLoss, to out: inout OutputBuffer) {
        func row(_ name: String, _ text: String, _ color: TextStyle.Color? = nil) {
            self.row(name, text, color, to: &out)
        }
        func list<Key>(_ counts: [(Key, Int)], _ name: (Key) -> String) -> String {
            counts.map { "\($0.1) \(name($0.0))" }.joined(separator: ", ")
        }
        if !hasDescribedCapture { describeCapture(summary, to: &out) }
        let outcomes = Outcome.allCases.compactMap { o in summary.byOutcome[o].map { (o, $0) } }
        row(
            "attempts",
            "\(summary.attempts)" + (outcomes.isEmpty ? "" : ": " + list(outcomes) { $0.rawValue }))
        let times = summary.roundTrips
        if let least = times.minimum, let most = times.maximum {
            let quantiles = [50, 90, 99].compactMap { p in
                times.percentile(Double(p)).map { "p\(p) \(Format.duration($0))" }
            }
            row(
                "rtt",
                "min \(Format.duration(least)), \(quantiles.joined(separator: ", ")), max \(Format.duration(most)) (\(times.count) known, within \(Format.fixed(RoundTripTimes.relativeError * 100, 1)) %)"
            )
        }
        let started = summary.attempts - (summary.byOutcome[.partial] ?? 0)
        if started > 0 {
            let share = Double(summary.retransmittedSYNs) / Double(started) * 100
            row("repeated", "SYNs of \(summary.retransmittedSYNs) of \(started) attempts (\(Format.fixed(share, 1)) %)")
        }
        let findings = FindingCode.allCases.compactMap { c in summary.findings[c].map { (c, $0) } }
        if !findings.isEmpty { row("findings", list(findings) { $0.rawValue }) }
        var shown: [FindingCode: Int] = [:]
        for pattern in summary.patternFindings {
            shown[pattern.code, default: 0] += 1
            if shown[pattern.code]! > 10 { continue }
            row(pattern.code.rawValue, TextReport.describe(pattern), .yellow)
        }
        for (code, count) in shown.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where count > 10 {
            row(code.rawValue, "and \(count - 10) more", .yellow)
        }
        var frames = [Format.count(summary.frames.segments, "TCP segment")]
        frames += summary.frames.ignored.sorted(by: <).map { "\($0.value) ignored (\($0.key))" }
        frames += summary.frames.malformed.sorted(by: <).map { "\($0.value) malformed (\($0.key))" }
        if summary.frames.cut > 0 { frames.append("\(summary.frames.cut) cut") }
        row("frames", "\(summary.frames.read): " + frames.joined(separator: ", "))
        let undecoded = summary.frames.undecoded.map(TextReport.describe)
        if !undecoded.isEmpty { row("undecoded", undecoded.joined(separator: "; ")) }
        if loss.filteredOut > 0 { row("", "\(loss.filteredOut) more did not pass the filter") }
        if let received = loss.received {
            row(
                "capture",
                "\(received) received, \(loss.kernelDropped ?? 0) dropped by the kernel, \(loss.interfaceDropped ?? 0) by the interface; \(Format.count(summary.undecided, "attempt")) undecided at exit"
            )
        }
        if summary.midstreamFlows > 0 {
            row("midstream", "\(Format.count(summary.midstreamFlows, "connection")) without a handshake in the capture")
        }
        var lost: [String] = []
        if let dropped = loss.kernelDropped, dropped > 0 { lost.append("\(dropped) dropped by the kernel") }
        if let dropped = loss.interfaceDropped, dropped > 0 { lost.append("\(dropped) dropped by the interface") }
        if loss.recordsLetGo > 0 {
            lost.append("\(Format.count(loss.recordsLetGo, "attempt")) not shown: the output's reader was slow")
        }
        if loss.framesLetGo > 0 {
            lost.append("\(Format.count(loss.framesLetGo, "frame")) not written: the disk was slow")
        }
        if summary.frames.aggregated > 0 {
            lost.append(
                "\(Format.count(summary.frames.aggregated, "aggregated frame")) held more than the first packet, which is all that was decoded"
            )
        }
        if summary.frames.looksRaw > 0 {
            let look = summary.frames.looksRaw == 1 ? "frame looks" : "frames look"
            lost.append(
                "\(summary.frames.looksRaw) \(look) like raw IP; the file says Ethernet; use --link-type raw")
        }
        if loss.isTruncated { lost.append("a file ends in the middle: what came after is unknown") }
        if summary.clockStepsBack > 0 {
            let size = Format.duration(summary.clockLargestStepBack)
            lost.append(
                "the clock stepped back \(Format.count(summary.clockStepsBack, "time")), by \(summary.clockStepsBack > 1 ? "at most " : "")\(size)"
            )
        }
        if summary.clockStepsForward > 0 {
            lost.append("the clock stepped forward \(Format.count(summary.clockStepsForward, "time"))")
        }
        if summary.lateSegments > 0 {
            lost.append(
                "\(Format.count(summary.lateSegments, "SYN or SYN-ACK", "SYNs or SYN-ACKs")) after their attempt was decided"
            )
        }
        if summary.unrelatedICMPErrors > 0 {
            lost.append("\(Format.count(summary.unrelatedICMPErrors, "ICMP error")) about no open attempt")
        }
        if summary.badChecksumsIgnored > 0 {
            let noun = Format.count(summary.badChecksumsIgnored, "SYN-ACK")
            lost.append("\(noun) of no attempt with a bad checksum")
        }
        if summary.evicted > 0 {
            lost.append("\(Format.count(summary.evicted, "attempt")) decided early: the table was full")
        }
        if summary.forgottenEarly > 0 {
            lost.append("\(Format.count(summary.forgottenEarly, "connection")) forgotten early: the table was full")
        }
        if !lost.isEmpty { row("not used", lost.joined(separator: "; "), .yellow) }
    }
}
