package import HandshakeComparison
package import HandshakeRecord

/// What a comparison found, in sentences.
package struct ComparisonWords {
    private let comparison: PathComparison

    package init(_ comparison: PathComparison) { self.comparison = comparison }

    private var points: [CapturePoint] { comparison.points }

    package func name(_ point: Int) -> String { points[point].name.cleaned(for: .text) }

    private func name(_ position: Int, _ verdict: PathVerdict) -> String { name(verdict.points[position]) }

    // MARK: One attempt

    /// What differs between the points, a sentence each.
    package func differences(_ verdict: PathVerdict) -> [String] {
        var sentences: [String] = []
        if let stretch = verdict.proxiedIn {
            sentences.append(
                "a proxy between \(name(stretch.from, verdict)) and \(name(stretch.to, verdict)) "
                    + "ends the client's handshake and begins another")
        }
        sentences += fates(verdict)
        let absent = verdict.attempts.indices.filter { verdict.attempts[$0] == nil }
        for position in absent where sentences.isEmpty {
            sentences.append("not at \(name(position, verdict))")
        }
        for finding in verdict.findings where !finding.text.isEmpty {
            sentences.append(
                "\(finding.code.rawValue) \(finding.standing.rawValue): \(finding.text)".cleaned(for: .text))
        }
        for change in verdict.changes where !change.field.isIndividual || change.kind == nil {
            sentences.append(text(change, verdict))
        }
        return sentences
    }

    private func fates(_ verdict: PathVerdict) -> [String] {
        var counts: [(text: String, kind: SegmentRecord.Kind, count: Int)] = []
        func add(_ packet: PathPacket, _ text: String) {
            if let place = counts.firstIndex(where: { $0.kind == packet.kind && $0.text == text }) {
                counts[place].count += 1
            } else {
                counts.append((text, packet.kind, 1))
            }
        }
        func between(_ stretch: Stretch) -> String {
            "between \(name(stretch.from, verdict)) and \(name(stretch.to, verdict))"
        }
        for packet in verdict.packets {
            switch packet.fate {
            case .arrived, .notCovered: break
            case .lost(let stretch):
                let isSure = !comparison.losesFrames(verdict.points[stretch.to])
                add(packet, "lost \(between(stretch))\(isSure ? "" : ", or behind \(name(stretch.to, verdict))")")
            case .lostOrNotCaptured(let stretch):
                add(packet, "lost \(between(stretch)), or not captured at \(name(stretch.to, verdict))")
            }
            for position in packet.notCapturedAt {
                add(packet, "passed \(name(position, verdict)) and not captured there")
            }
            if let stretch = packet.madeBetween {
                add(packet, "made \(between(stretch)), or not captured at \(name(stretch.from, verdict))")
            }
            if packet.isOneOfSeveral { add(packet, "not to be told from its copies") }
        }
        return counts.map { "\($0.count) \(PathComparison.plural($0.kind, $0.count)) \($0.text)" }
    }

    /// What became of a packet, for a comment at its frames; nil where nothing did.
    package func comment(_ packet: PathPacket, _ verdict: PathVerdict) -> String? {
        var alone = verdict
        alone.packets = [packet]
        let sentences = fates(alone)
        return sentences.isEmpty ? nil : "synscope: " + sentences.joined(separator: "; ")
    }

    private func text(_ change: PathChange, _ verdict: PathVerdict) -> String {
        let kind = change.kind.map { " in the \(PathComparison.plural($0, 1))" } ?? ""
        return "\(change.field.words) \(change.from) at \(name(change.stretch.from, verdict)), \(change.to) at "
            + "\(name(change.stretch.to, verdict))\(kind)"
    }

    // MARK: All of them

    /// `server is 2.413 s ahead of client`.
    package func clock(_ one: Int, _ other: Int) -> String {
        guard let clock = comparison.clock(one, other), !clock.pieces.isEmpty else {
            return "\(name(one)) and \(name(other)): no packet passed both"
        }
        var parts: [String] = []
        for (place, piece) in clock.pieces.enumerated().prefix(4) {
            let packets = Format.count(piece.count, "segment")
            let when = clock.pieces.count > 1 ? "part \(place + 1): " : ""
            guard let best = clock.bestTime(piece), let band = clock.band(at: best) else {
                parts.append("\(when)one direction only was captured at both (\(packets)), so the offset is not known")
                continue
            }
            let half = (band.upperBound - band.lowerBound) / 2
            let offset = band.lowerBound + half
            let ahead = offset < 0 ? "behind" : "ahead of"
            parts.append(
                "\(when)\(name(other)) is \(Format.duration(abs(offset))) \(ahead) \(name(one)), within "
                    + "\(Format.duration(half)) for certain (\(packets)); \(skew(piece))")
        }
        if clock.pieces.count > 4 { parts.append("and \(clock.pieces.count - 4) more parts") }
        let steps = clock.pieces.count - 1
        parts.append(steps == 0 ? "no step" : Format.count(steps, "step"))
        return parts.joined(separator: "; ")
    }

    private func skew(_ piece: ClockBand.Piece) -> String {
        let (low, high) = (piece.skew.lowerBound * 1e6, piece.skew.upperBound * 1e6)
        if high - low > 100 { return "the skew is not known" }
        let likely = piece.likelySkew.map { ", likely \(Format.fixed($0 * 1e6, 2))" } ?? ""
        return "skew \(Format.fixed(low, 2)) to \(Format.fixed(high, 2)) millionths\(likely)"
    }

    /// Quantiles of times.
    package func quantiles(_ times: RoundTripTimes) -> String {
        guard let median = times.percentile(50), let high = times.percentile(95), let most = times.maximum else {
            return "not known"
        }
        return "p50 \(Format.duration(median)), p95 \(Format.duration(high)), most \(Format.duration(most))"
    }

    package func loss(_ stretch: Stretch, _ passage: PathTotals.Passage, _ zone: Zone) -> String {
        let way = "\(name(stretch.from)) to \(name(stretch.to)): "
        guard passage.lost > 0 else { return way + "none of \(Format.count(passage.entered, "segment")) for certain" }
        let kinds = passage.lostByKind.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.value) \(PathComparison.plural($0.key, $0.value))" }.joined(separator: ", ")
        let share =
            passage.entered >= 100
            ? " (\(Format.fixed(Double(passage.lost) * 100 / Double(passage.entered), 1)) %)" : ""
        var text = way + "\(passage.lost) of \(passage.entered) segments were lost\(share): \(kinds)"
        if let first = passage.first, let last = passage.last {
            text += first == last ? ", at \(zone.clock(first))" : ", from \(zone.clock(first)) to \(zone.clock(last))"
        }
        if comparison.losesFrames(stretch.to) {
            text += "; \(name(stretch.to))'s capture lacks frames, so some may have been lost behind it"
        }
        return text
    }
}
