import HandshakeRecord

extension PathComparison {
    /// Holds each point's findings against what the others captured.
    func placeFindings(_ verdict: inout PathVerdict) {
        let present = verdict.attempts.indices.filter { verdict.attempts[$0] != nil }
        let codes = FindingCode.allCases.filter { code in
            present.contains { verdict.attempts[$0]!.findings.contains(code) }
        }
        for code in codes {
            let points = present.filter { verdict.attempts[$0]!.findings.contains(code) }
            let (standing, text) = standing(of: code, points, present, verdict)
            verdict.findings.append(PlacedFinding(code: code, standing: standing, points: points, text: text))
        }
    }

    private func standing(
        of code: FindingCode, _ points: [Int], _ present: [Int], _ verdict: PathVerdict
    ) -> (PlacedFinding.Standing, String) {
        switch code {
        case .synLost: if let place = placeOfLoss(.syn, fromClient: true, verdict) { return (.placed, place) }
        case .synackLost: if let place = placeOfLoss(.synAck, fromClient: false, verdict) { return (.placed, place) }
        case .ackLost: if let place = placeOfLoss(.ack, fromClient: true, verdict) { return (.placed, place) }
        case .oneSided:
            let others = present.filter { other in
                !points.contains(other)
                    && self.points[verdict.points[other]].log.segments(of: verdict.attempts[other]!).contains {
                        !$0.fromClient
                    }
            }
            if let other = others.first {
                return (.refuted, "\(name(other, verdict)) captured the server's segments")
            }
        case .synackUnsolicited:
            if let other = present.first(where: { verdict.attempts[$0]!.startsAtSYN && !points.contains($0) }) {
                return (.refuted, "\(name(other, verdict)) captured the SYN that it answers")
            }
        default: break
        }
        return (points.count == present.count && present.count > 1 ? .confirmed : .partly, "")
    }

    /// Where packets of a kind were lost, in words; nil where that is not known either.
    private func placeOfLoss(_ kind: SegmentRecord.Kind, fromClient: Bool, _ verdict: PathVerdict) -> String? {
        let packets = verdict.packets.filter { $0.kind == kind && $0.fromClient == fromClient }
        let lost = packets.compactMap { packet -> Stretch? in
            if case .lost(let stretch) = packet.fate { return stretch }
            return nil
        }
        if let stretch = lost.first {
            return "lost \(Set(lost).count > 1 ? "in several places, first " : "")between "
                + "\(name(stretch.from, verdict)) and \(name(stretch.to, verdict))"
        }
        let end = fromClient ? verdict.points.count - 1 : 0
        guard !packets.isEmpty, packets.allSatisfy({ $0.seen[end] != nil }) else { return nil }
        let receiver = fromClient ? "the server" : "the client"
        return "all passed \(name(end, verdict)): lost between it and \(receiver), or dropped there"
    }

    func name(_ position: Int, _ verdict: PathVerdict) -> String { points[verdict.points[position]].name }

    /// Whether a point's capture is known to lack frames: it says so, or later segments prove it.
    package func losesFrames(_ point: Int) -> Bool {
        points[point].admitsLoss || totals.notCaptured[point, default: 0] > 0
    }
}
