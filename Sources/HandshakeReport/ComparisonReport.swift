package import HandshakeComparison
import HandshakeRecord

/// A comparison of capture points: where it is lost, where it is slow, who changes what.
package struct ComparisonReport {
    let comparison: PathComparison
    let words: ComparisonWords

    /// The most attempts that differ which are listed.
    package static let listedAttempts = 20

    package init(_ comparison: PathComparison) {
        self.comparison = comparison
        words = ComparisonWords(comparison)
    }

    var totals: PathTotals { comparison.totals }
    var order: [Int] { comparison.order.points }

    // MARK: Text

    /// - Parameters:
    ///   - top: so many attempts that differ at most.
    ///   - isVerbose: with the ladder of each of them.
    package func text(
        _ style: TextStyle, top: Int = listedAttempts, isVerbose: Bool = false, to out: inout OutputBuffer
    ) {
        for point in order { out.row("point", words.name(point) + ": " + describe(point, style.zone), style) }
        out.row("order", orderText, style, comparison.order.isDisputed ? .yellow : nil)
        for (one, other) in zip(order, order.dropFirst()) { out.row("clocks", words.clock(one, other), style) }
        out.row("attempts", attemptsText, style)
        for situation in comparison.situations {
            // The losses say when as well.
            let passage = situation.code == .lostBetween ? totals.passages[situation.stretch] : nil
            let sentence =
                passage.map { words.loss(situation.stretch, $0, style.zone) } ?? situation.sentence.cleaned(for: .text)
            out.row("situation", "\(situation.code.rawValue): \(sentence)", style, situation.code.severity.color)
        }
        if comparison.situations.isEmpty { out.row("situation", "nothing stands out between the points", style) }
        unclear(style, &out)
        for point in order {
            guard let count = totals.notCaptured[point] else { continue }
            out.row(
                "captures", "\(words.name(point)) lacks \(Format.count(count, "segment")) that passed it", style,
                .yellow)
        }
        out.row(
            "slow", "clients' side of \(words.name(order[0])): \(words.quantiles(totals.clientSide))", style)
        for (one, other) in zip(order, order.dropFirst()) {
            let times = totals.between[Stretch(from: one, to: other)] ?? RoundTripTimes()
            out.row(
                "",
                "between \(words.name(one)) and \(words.name(other)), both ways together: \(words.quantiles(times))",
                style)
        }
        out.row(
            "", "servers' side of \(words.name(order[order.count - 1])): \(words.quantiles(totals.serverSide))", style)
        changes(style, &out)
        out.row("outcomes", outcomesText, style)
        list(style, top, isVerbose, &out)
    }

    /// Stretches without a loss, and what is not known of the others.
    private func unclear(_ style: TextStyle, _ out: inout OutputBuffer) {
        for (one, other) in zip(order, order.dropFirst()) {
            for stretch in [Stretch(from: one, to: other), Stretch(from: other, to: one)] {
                guard let passage = totals.passages[stretch] else { continue }
                if passage.lost == 0 { out.row("lost", words.loss(stretch, passage, style.zone), style) }
                let way = "\(words.name(stretch.from)) to \(words.name(stretch.to)): "
                if passage.lostOrNotCaptured > 0 {
                    let count = Format.count(passage.lostOrNotCaptured, "segment")
                    out.row(
                        "not known", way + "\(count) lost, or not captured or recognised at the second point", style)
                }
                if passage.oneOfSeveral > 0 {
                    let count = Format.count(passage.oneOfSeveral, "copy", "copies")
                    out.row("not known", way + "\(count) of which nothing tells which passed", style)
                }
            }
        }
    }

    private func describe(_ point: Int, _ zone: Zone) -> String {
        let capture = comparison.points[point]
        let files = capture.files.map { $0.cleaned(for: .text) }.joined(separator: ", ")
        var parts = ["\(files), \(Format.count(capture.log.attempts.count, "attempt"))"]
        if let span = capture.summary.span {
            parts.append("\(zone.dateAndTime(span.lowerBound)), \(Format.span(span.upperBound - span.lowerBound))")
        }
        parts += capture.summary.quality.map { $0.text.cleaned(for: .text) }
        if let dropped = capture.loss.kernelDropped, dropped > 0 {
            parts.append("\(Format.count(Int(dropped), "frame")) dropped by the kernel")
        }
        if capture.log.omitted > 0 {
            parts.append("\(Format.count(capture.log.omitted, "attempt")) found no room and were not compared")
        }
        return parts.joined(separator: "; ")
    }

    private var orderText: String {
        var text = order.map(words.name).joined(separator: ", then ") + ", from the clients on: "
        let basis = comparison.order
        func votes(_ votes: (for: Int, against: Int)) -> String {
            "\(votes.for) of \(votes.for + votes.against) attempts"
        }
        switch basis.basis {
        case .stated: text += "as --order says"
        case .hopLimits: text += "by the hop limits of \(votes(basis.byHopLimit))"
        case .legs: text += "by the times to the answer of \(votes(basis.byLegs)), since hop limits are equal"
        case .unknown: text += "not known: hop limits and times say nothing; --order states it"
        }
        if basis.isDisputed {
            text += "; the times to the answer say otherwise, of \(basis.byLegs.against) attempts: --order settles it"
        }
        for (one, other) in zip(order, order.dropFirst()) {
            let hops = totals.hops[Stretch(from: one, to: other)] ?? [:]
            guard let most = hops.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { continue }
            text += "; \(Format.count(most.key, "hop")) from \(words.name(one)) to \(words.name(other))"
            if hops.count > 1 { text += " in most attempts" }
        }
        if totals.reversed > 0 { text += "; \(Format.count(totals.reversed, "attempt")) in the other direction" }
        return text
    }

    private var attemptsText: String {
        var parts = ["\(totals.everywhere) of \(comparison.count) at \(order.count == 2 ? "both" : "all") points"]
        for (points, count) in totals.alone.sorted(by: { ($1.value, $0.key[0]) < ($0.value, $1.key[0]) }) {
            parts.append("\(count) at \(points.map(words.name).joined(separator: ", ")) alone")
        }
        let reasons = UnmatchedReason.allCases.compactMap { reason in
            totals.reasons[reason].map { "\($0): \(reason.text)" }
        }
        parts += reasons
        parts.append("\(totals.differing) differ")
        return parts.joined(separator: "; ")
    }

    var outcomePairs: [(key: PathTotals.OutcomePair, value: Int)] {
        totals.outcomes.sorted {
            ($1.value, $0.key.client.rawValue, $0.key.server.rawValue)
                < ($0.value, $1.key.client.rawValue, $1.key.server.rawValue)
        }
    }

    private var outcomesText: String {
        outcomePairs.map { pair, count in
            pair.client == pair.server
                ? "\(count) \(pair.client.rawValue)"
                : "\(count) \(pair.client.rawValue) near the client and \(pair.server.rawValue) near the server"
        }.joined(separator: "; ")
    }

    /// Rows of changes, the most frequent first.
    var changeRows: [(key: PathTotals.ChangeKey, count: PathTotals.ChangeCount)] {
        totals.changes.map { ($0.key, $0.value) }.sorted { one, other in
            func rank(_ row: (key: PathTotals.ChangeKey, count: PathTotals.ChangeCount)) -> (Int, String, String) {
                let key = row.key
                return (
                    -row.count.count, "\(key.stretch.from) \(key.stretch.to) \(key.field.rawValue)",
                    "\(key.kind?.rawValue ?? "") \(key.from) \(key.to)"
                )
            }
            return rank(one) < rank(other)
        }
    }

    private static let listedChanges = 12

    private func changes(_ style: TextStyle, _ out: inout OutputBuffer) {
        let rows = changeRows
        if rows.isEmpty { return out.row("changed", "nothing but hop limits", style) }
        for (place, (key, count)) in rows.prefix(ComparisonReport.listedChanges).enumerated() {
            let kind = key.kind.map { " in \(PathComparison.plural($0, 2))" } ?? ""
            let way = "from \(words.name(key.stretch.from)) to \(words.name(key.stretch.to))"
            let values = key.field.isIndividual ? "as \(count.from) to \(count.to)" : "\(count.from) to \(count.to)"
            out.row(
                place == 0 ? "changed" : "",
                "\(key.field.words)\(kind) \(way): \(values), \(Format.count(count.count, "attempt")) since "
                    + style.zone.clock(count.first), style)
        }
        if rows.count > ComparisonReport.listedChanges {
            out.row("", "and \(rows.count - ComparisonReport.listedChanges) more: -T json has them", style)
        }
        if totals.changesOmitted > 0 {
            out.row("", "\(totals.changesOmitted) changes to further values were not counted one by one", style)
        }
    }

    /// The attempts to which something happened. Those of which fields were rewritten, and nothing else, are counted.
    private func list(_ style: TextStyle, _ top: Int, _ isVerbose: Bool, _ out: inout OutputBuffer) {
        guard totals.differing > 0, top > 0 else { return }
        out.line("")
        var (listed, more) = (0, 0)
        for place in 0..<comparison.count {
            let verdict = comparison.verdict(place)
            guard verdict.isGrave else { continue }
            if listed == top {
                more += 1
                continue
            }
            listed += 1
            if isVerbose {
                if listed > 1 { out.line("") }
                PathLadder(comparison, verdict, style).draw(to: &out)
            } else {
                write(verdict, style, &out)
            }
        }
        let rewritten = totals.differing - listed - more
        var rest: [String] = []
        if more > 0 { rest.append("\(Format.count(more, "more attempt")): --top shows more") }
        if rewritten > 0 {
            rest.append("\(Format.count(rewritten, "attempt")) with nothing but fields that were rewritten")
        }
        guard !rest.isEmpty else { return }
        if listed > 0 { out.line("") }
        for line in (rest.joined(separator: "; ") + " (-T jsonl has all)").wrapped(max(40, style.width)) {
            out.line(line)
        }
    }

    private func write(_ verdict: PathVerdict, _ style: TextStyle, _ out: inout OutputBuffer) {
        let near = verdict.nearClient
        let ids = zip(verdict.points, verdict.attempts).compactMap { point, attempt in
            attempt.map { "\(words.name(point)) \($0.id) \($0.outcome.rawValue)" }
        }
        let title =
            "\(near.client) to \(near.server), \(style.zone.clock(near.firstTime)): \(ids.joined(separator: ", "))"
        for line in title.wrapped(max(40, style.width)) { out.line(style.paint(line, .bold)) }
        for sentence in words.differences(verdict) {
            for (place, line) in sentence.wrapped(max(40, style.width - 4)).enumerated() {
                out.line((place == 0 ? "  - " : "    ") + line)
            }
        }
    }
}

extension PathVerdict {
    /// Whether more differs than what boxes change on purpose.
    var isGrave: Bool {
        isSplit || count < points.count || proxiedIn != nil
            || packets.contains { $0.isUnusual || $0.madeBetween != nil || !$0.notCapturedAt.isEmpty }
    }
}
