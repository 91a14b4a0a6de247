package import HandshakeRecord

extension PathComparison {
    /// What happened between the points, the worst first.
    package var situations: [PathSituation] {
        (losses + answers + otherPaths + proxies + rewritings).sorted {
            ($1.code.severity, $1.count, $0.code.rawValue, $0.stretch) < (
                $0.code.severity, $0.count, $1.code.rawValue, $1.stretch
            )
        }
    }

    private func names(_ stretch: Stretch) -> String {
        "between \(points[stretch.from].name) and \(points[stretch.to].name)"
    }

    private var losses: [PathSituation] {
        totals.passages.compactMap { stretch, passage in
            guard passage.lost > 0 else { return nil }
            let kinds = passage.lostByKind.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
                .map { "\($0.value) \(PathComparison.plural($0.key, $0.value))" }
            var sentence =
                "\(passage.lost) of \(passage.entered) handshake segments from \(points[stretch.from].name) to "
                + "\(points[stretch.to].name) were lost \(names(stretch)): \(kinds.joined(separator: ", "))"
            if losesFrames(stretch.to) {
                sentence += "; \(points[stretch.to].name)'s capture lacks frames, so some may have been lost behind it"
            }
            return PathSituation(
                code: .lostBetween, stretch: stretch, count: passage.lost, of: passage.entered, sentence: sentence,
                examples: passage.examples)
        }
    }

    private var answers: [PathSituation] {
        totals.made.compactMap { stretch, kinds in
            let count = kinds.filter { $0.key != .synAck }.reduce(0) { $0 + $1.value }
            guard count > 0 else { return nil }
            let words = kinds.filter { $0.key != .synAck }.sorted { $0.key.rawValue < $1.key.rawValue }
                .map { "\($0.value) \(PathComparison.plural($0.key, $0.value))" }.joined(separator: ", ")
            return PathSituation(
                code: .answeredBetween, stretch: stretch, count: count, of: self.count,
                sentence: "\(words) captured at \(points[stretch.to].name) and not at \(points[stretch.from].name): "
                    + "made by something \(names(stretch))",
                examples: totals.madeExamples[stretch] ?? [])
        }
    }

    private var otherPaths: [PathSituation] {
        totals.made.compactMap { stretch, kinds in
            guard let count = kinds[.synAck], count > 0 else { return nil }
            return PathSituation(
                code: .answerByAnotherPath, stretch: stretch, count: count, of: self.count,
                sentence:
                    "\(count) \(PathComparison.plural(.synAck, count)) captured at \(points[stretch.to].name) and not "
                    + "at \(points[stretch.from].name), which has the connections' SYNs: answers come by another path",
                examples: totals.madeExamples[stretch] ?? [])
        }
    }

    private var proxies: [PathSituation] {
        totals.proxied.map { stretch, count in
            PathSituation(
                code: .proxiedBetween, stretch: stretch, count: count, of: self.count,
                sentence: "\(count) of \(self.count) attempts have one handshake at \(points[stretch.from].name) and "
                    + "another at \(points[stretch.to].name): a proxy stands \(names(stretch))",
                examples: totals.proxiedExamples[stretch] ?? [])
        }
    }

    private var rewritings: [PathSituation] {
        let byStretch = Dictionary(grouping: totals.changes) { $0.key.stretch }
        return byStretch.map { stretch, changes in
            let fields = Set(changes.map(\.key.field)).sorted {
                PathField.allCases.firstIndex(of: $0)! < PathField.allCases.firstIndex(of: $1)!
            }
            let most = changes.map(\.value.count).max() ?? 0
            return PathSituation(
                code: .rewrittenBetween, stretch: stretch, count: most, of: count,
                sentence: "\(fields.map(\.words).joined(separator: ", ")) changed from \(points[stretch.from].name) to "
                    + "\(points[stretch.to].name), in \(most) of \(count) attempts"
                    + (fields.contains(.serverISN) ? " (or a proxy has a connection of its own to the server)" : ""),
                examples: changes.max {
                    ($0.value.count, $1.key.field.rawValue) < ($1.value.count, $0.key.field.rawValue)
                }?
                .value.examples ?? [])
        }
    }

    /// A kind of segment in a sentence.
    package static func plural(_ kind: SegmentRecord.Kind, _ count: Int) -> String {
        let word =
            switch kind {
            case .syn: "SYN"
            case .synAck: "SYN-ACK"
            case .ack: "ACK"
            case .data: "data segment"
            case .fin: "FIN"
            case .rst: "RST"
            case .icmp: "ICMP error"
            }
        return count == 1 ? word : word + "s"
    }
}
