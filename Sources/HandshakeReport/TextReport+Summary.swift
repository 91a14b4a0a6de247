package import HandshakeRecord
package import HandshakeDiagnosis
import PacketWire

extension TextReport {
    /// A flood, a scan or backscatter in words.
    package static func describe(_ pattern: TrafficPattern) -> String {
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
            case let maximum?: "; at most \(maximum) others established"
            }
        guard let window = pattern.window, let rate = pattern.rate else { return what + established }
        let time = Format.duration(window.upperBound &- window.lowerBound)
        return "\(what) in \(time) (\(Format.fixed(rate, 1)) a second)\(established)"
    }

    /// The numbers of frames that are not decoded, as `UDP port 53 (12), 123 (1) and 3 others`.
    package static func describe(_ undecoded: UndecodedFrames) -> String {
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

    /// What the capture itself is: it bounds what can be said of its attempts, so it comes before them where it is
    /// known by then.
    package mutating func captureBeforeAttempts(_ summary: HandshakeSummary, to out: inout OutputBuffer) {
        describeCapture(summary, to: &out)
        if !summary.quality.isEmpty { out.line("") }
        hasDescribedCapture = true
    }

    private func describeCapture(_ summary: HandshakeSummary, to out: inout OutputBuffer) {
        for quality in summary.quality { row("capture", quality.text, .yellow, to: &out) }
    }

    /// A line of the summary: what it is about, and what is said of it.
    package struct SummaryRow {
        var name: String
        var text: String
        var color: TextStyle.Color?

        package init(_ name: String, _ text: String, _ color: TextStyle.Color? = nil) {
            (self.name, self.text, self.color) = (name, text, color)
        }
    }

    /// The totals; what is asked first stands last, where the eye ends.
    /// - Parameters:
    ///   - chosen: the totals of the attempts that were chosen; nil where all are.
    ///   - details: what is said of the attempts before everything else.
    ///   - diagnosis: what stands out among them; nil where it was not looked for.
    package func summary(
        _ summary: HandshakeSummary, _ loss: CaptureLoss, chosen: HandshakeSummary? = nil, details: [SummaryRow] = [],
        diagnosis: Diagnosis? = nil, to out: inout OutputBuffer
    ) {
        if !hasDescribedCapture { describeCapture(summary, to: &out) }
        var rows = details
        if rows.isEmpty, chosen == nil { rows = overviewRows(summary) }
        if chosen == nil { rows += patternRows(summary, diagnosis) }
        rows += attemptRows(chosen ?? summary)
        rows += frameRows(summary, loss)
        let lost = TextReport.notUsed(summary, loss)
        if !lost.isEmpty { rows.append(SummaryRow("not used", lost.joined(separator: "; "), .yellow)) }
        if let diagnosis { rows += DiagnosisReport.rows(diagnosis, style.zone, isOfAll: chosen != nil) }
        rows.append(totals(chosen ?? summary, of: chosen == nil ? nil : summary))
        for entry in rows { row(entry.name, entry.text, entry.color, to: &out) }
    }

    /// Time and servers, from the totals alone.
    private func overviewRows(_ summary: HandshakeSummary) -> [SummaryRow] {
        var rows: [SummaryRow] = []
        if let span = summary.span {
            let length = Format.duration(span.upperBound &- span.lowerBound)
            rows.append(SummaryRow("time", "\(style.zone.span(span.lowerBound, span.upperBound)) (\(length))"))
        }
        for (place, server) in summary.troubledServers.enumerated() {
            var counts: [String] = []
            if server.failed > 0 { counts.append("\(server.failed) failed") }
            if server.unanswered > 0 { counts.append("\(server.unanswered) without answer or left open") }
            counts.append(server.established == 0 ? "none established" : "at most \(server.established) established")
            var text = "\(server.server) \(counts.joined(separator: ", "))"
            if let window = server.window {
                let times = [window.lowerBound, window.upperBound].map(style.zone.dateAndSecond)
                text += times[0] == times[1] ? "; at \(times[0])" : "; \(times[0]) to \(times[1])"
            }
            rows.append(SummaryRow(place == 0 ? "servers" : "", text, server.established == 0 ? .red : .yellow))
        }
        return rows
    }

    private func totals(_ summary: HandshakeSummary, of whole: HandshakeSummary?) -> SummaryRow {
        let outcomes = Outcome.allCases.compactMap { outcome in
            summary.byOutcome[outcome].map { "\($0) \(outcome.rawValue)" }
        }
        // Copies behind a translator are listed, though no total counts them.
        let all = whole.map { " of \($0.attempts + $0.translatedCopies) chosen" } ?? ""
        return SummaryRow(
            "attempts",
            "\(summary.attempts)\(all)" + (outcomes.isEmpty ? "" : ": " + outcomes.joined(separator: ", ")))
    }

    /// Patterns that are no situations.
    package static func untoldPatterns(_ summary: HandshakeSummary, _ diagnosis: Diagnosis?) -> [TrafficPattern] {
        let told = Set(diagnosis?.situations.map(\.code) ?? [])
        let situations: [FindingCode: SituationCode] = [
            .synFlood: .flood, .portScan: .scan, .backscatter: .backscatter,
        ]
        return summary.patterns.filter { !(situations[$0.code].map(told.contains) ?? false) }
    }

    /// At most ten of a kind, and none that are situations: those are told with more.
    private func patternRows(_ summary: HandshakeSummary, _ diagnosis: Diagnosis?) -> [SummaryRow] {
        var rows: [SummaryRow] = []
        let untold = TextReport.untoldPatterns(summary, diagnosis)
        for (code, patterns) in Dictionary(grouping: untold, by: \.code).sorted(by: {
            $0.key.rawValue < $1.key.rawValue
        }) {
            rows += patterns.prefix(10).map { SummaryRow(code.rawValue, TextReport.describe($0), .yellow) }
            if patterns.count > 10 {
                rows.append(SummaryRow(code.rawValue, "and \(patterns.count - 10) more", .yellow))
            }
        }
        return rows
    }

    private func attemptRows(_ summary: HandshakeSummary) -> [SummaryRow] {
        var rows: [SummaryRow] = []
        for severity in [Severity.error, .warning, .note, .info] {
            let counts = FindingCode.allCases.compactMap { code in
                code.severity == severity ? summary.findings[code].map { "\($0) \(code.rawValue)" } : nil
            }
            if counts.isEmpty { continue }
            let color: TextStyle.Color? = severity == .error ? .red : severity == .warning ? .yellow : nil
            let hidden = severity == .info && !isVerbose ? " (each with -v)" : ""
            rows.append(SummaryRow(severity.rawValue, counts.joined(separator: ", ") + hidden, color))
        }
        let times = summary.roundTrips
        if let least = times.minimum, let maximum = times.maximum {
            let quantiles = [50, 90, 99].compactMap { rank in
                times.percentile(Double(rank)).map { "p\(rank) \(Format.duration($0))" }
            }
            let range = ["min \(Format.duration(least))"] + quantiles + ["max \(Format.duration(maximum))"]
            let error = Format.fixed(RoundTripTimes.relativeError * 100, 1)
            rows.append(
                SummaryRow("rtt", "\(range.joined(separator: ", ")) (of \(times.count); quantiles within \(error) %)"))
        }
        let started = summary.attempts - (summary.byOutcome[.partial] ?? 0)
        if started > 0 {
            let share = Double(summary.retransmittedSYNs) / Double(started) * 100
            let attempts = "\(summary.retransmittedSYNs) of \(Format.count(started, "attempt"))"
            rows.append(SummaryRow("repeated", "SYNs of \(attempts) (\(Format.fixed(share, 1)) %)"))
        }
        return rows
    }

    private func frameRows(_ summary: HandshakeSummary, _ loss: CaptureLoss) -> [SummaryRow] {
        var frames = [Format.count(summary.frames.segments, "TCP segment")]
        frames += summary.frames.ignored.sorted(by: <).map { "\($0.value) ignored (\($0.key))" }
        frames += summary.frames.malformed.sorted(by: <).map { "\($0.value) malformed (\($0.key))" }
        if summary.frames.cut > 0 { frames.append("\(summary.frames.cut) cut") }
        var rows = [SummaryRow("frames", "\(summary.frames.read): " + frames.joined(separator: ", "))]
        let undecoded = summary.frames.undecoded.map(TextReport.describe)
        if !undecoded.isEmpty { rows.append(SummaryRow("undecoded", undecoded.joined(separator: "; "))) }
        if loss.filteredOut > 0 { rows.append(SummaryRow("", "\(loss.filteredOut) more did not pass the filter")) }
        if let received = loss.received {
            func text(_ count: UInt64?) -> String { count.map { "\($0)" } ?? "an unknown number" }
            rows.append(
                SummaryRow(
                    "capture",
                    "\(received) received, \(text(loss.kernelDropped)) dropped by the kernel, \(text(loss.interfaceDropped)) by the interface; \(Format.count(summary.undecided, "attempt")) undecided at exit"
                ))
        }
        if summary.midstreamFlows > 0 {
            rows.append(
                SummaryRow(
                    "midstream",
                    "\(Format.count(summary.midstreamFlows, "connection")) without a handshake in the capture"))
        }
        return rows
    }

    /// Frames and segments that are in no attempt, or are missing, each with its reason.
    package static func notUsed(_ summary: HandshakeSummary, _ loss: CaptureLoss) -> [String] {
        var lost: [String] = []
        if let dropped = loss.kernelDropped, dropped > 0 { lost.append("\(dropped) dropped by the kernel") }
        if let dropped = loss.interfaceDropped, dropped > 0 { lost.append("\(dropped) dropped by the interface") }
        if loss.unreportedRecords > 0 {
            lost.append("\(Format.count(loss.unreportedRecords, "attempt")) not shown: the output's reader was slow")
        }
        if loss.unwrittenFrames > 0 {
            lost.append("\(Format.count(loss.unwrittenFrames, "frame")) not written: the disk was slow")
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
        return lost
    }
}
