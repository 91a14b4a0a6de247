package import HandshakeComparison
import HandshakeRecord
import PacketWire

extension ComparisonReport {
    /// Version of the lines and of the document (docs/compare.schema.json).
    package static let schemaVersion = 1

    // MARK: The whole

    /// One document: the points, their order and clocks, and what happened between them.
    package func json(to out: inout OutputBuffer) {
        JSONReport.write(to: &out) { $0.object { fields(&$0) } }
    }

    private func fields(_ json: inout JSONWriter) {
        json.field("type", "comparison")
        json.field("schema", ComparisonReport.schemaVersion)
        json.array("points", order) { json, point in
            let capture = comparison.points[point]
            json.object {
                $0.field("name", capture.name)
                $0.array("files", capture.files) { $0.element($1) }
                $0.field("attempts", capture.log.attempts.count)
                $0.field("attempts_not_compared", capture.log.omitted)
                $0.field("first_time_ns", capture.summary.span?.lowerBound)
                $0.field("last_time_ns", capture.summary.span?.upperBound)
                $0.array("quality", capture.summary.quality) { $0.element($1.code.rawValue) }
                $0.field("not_captured", totals.notCaptured[point, default: 0])
            }
        }
        json.object("order") {
            $0.field("basis", comparison.order.basis.rawValue)
            $0.field("by_hop_limits", comparison.order.byHopLimit.for)
            $0.field("against_by_hop_limits", comparison.order.byHopLimit.against)
            $0.field("by_legs", comparison.order.byLegs.for)
            $0.field("against_by_legs", comparison.order.byLegs.against)
            $0.field("other_direction", totals.reversed)
        }
        json.array("clocks", Array(zip(order, order.dropFirst()))) { json, pair in
            json.object { clock(pair.0, pair.1, &$0) }
        }
        json.field("attempts", comparison.count)
        json.field("at_all_points", totals.everywhere)
        json.field("differing", totals.differing)
        json.array("at_some_points", totals.alone.sorted { $0.key.lexicographicallyPrecedes($1.key) }) { json, some in
            json.object {
                $0.array("points", some.key) { $0.element(name($1)) }
                $0.field("attempts", some.value)
            }
        }
        json.object("unmatched") {
            for reason in UnmatchedReason.allCases { $0.field(reason.field, totals.reasons[reason, default: 0]) }
        }
        json.array("stretches", stretches) { json, stretch in json.object { passage(stretch, &$0) } }
        json.object("times") {
            times("client_side", totals.clientSide, &$0)
            $0.array("between", Array(zip(order, order.dropFirst()))) { json, pair in
                json.object {
                    $0.field("from", name(pair.0))
                    $0.field("to", name(pair.1))
                    times("both_ways", totals.between[Stretch(from: pair.0, to: pair.1)] ?? RoundTripTimes(), &$0)
                }
            }
            times("server_side", totals.serverSide, &$0)
        }
        json.array("changes", changeRows) { json, row in
            json.object {
                $0.field("from", name(row.key.stretch.from))
                $0.field("to", name(row.key.stretch.to))
                $0.field("field", row.key.field.rawValue)
                $0.field("segment", row.key.kind?.rawValue)
                $0.field("before", row.count.from)
                $0.field("after", row.count.to)
                $0.field("attempts", row.count.count)
                $0.field("first_time_ns", row.count.first)
                $0.field("last_time_ns", row.count.last)
            }
        }
        json.field("changes_not_counted", totals.changesOmitted)
        json.array("outcomes", outcomePairs) { json, pair in
            json.object {
                $0.field("near_client", pair.key.client.rawValue)
                $0.field("near_server", pair.key.server.rawValue)
                $0.field("attempts", pair.value)
            }
        }
        json.array("findings", findingCounts) { json, count in
            json.object {
                $0.field("code", count.code.rawValue)
                for standing in PlacedFinding.Standing.allCases {
                    $0.field(standing.rawValue, count.counts[standing, default: 0])
                }
            }
        }
        json.array("situations", comparison.situations) { json, situation in
            json.object {
                $0.field("code", situation.code.rawValue)
                $0.field("severity", situation.code.severity.rawValue)
                $0.field("from", name(situation.stretch.from))
                $0.field("to", name(situation.stretch.to))
                $0.field("count", situation.count)
                $0.field("of", situation.of)
                $0.field("sentence", situation.sentence)
                $0.array("uids", situation.examples) {
                    $0.element(comparison.verdict($1).nearClient.uid.description)
                }
                $0.array("alternatives", situation.code.alternatives) { $0.element($1) }
            }
        }
    }

    /// As it was given: JSON escapes what it must.
    private func name(_ point: Int) -> String { comparison.points[point].name }

    private var stretches: [Stretch] { totals.passages.keys.sorted() }

    private var findingCounts: [(code: FindingCode, counts: [PlacedFinding.Standing: Int])] {
        totals.findings.sorted { $0.key.order < $1.key.order }.map { ($0.key, $0.value) }
    }

    private func clock(_ one: Int, _ other: Int, _ json: inout JSONWriter) {
        json.field("of", name(other))
        json.field("against", name(one))
        // The band of two points is kept with the offset of the one that was named later.
        let isKept = one < other
        json.array("pieces", comparison.clock(one, other)?.pieces ?? []) { json, piece in
            json.object {
                $0.field("first_time_ns", piece.span.lowerBound)
                $0.field("last_time_ns", piece.span.upperBound)
                $0.field("segments", piece.count)
                let best = comparison.clock(one, other)?.bestTime(piece)
                let band = best.flatMap { comparison.clock(one, other)?.band(at: $0) }
                $0.field("offset_time_ns", best)
                $0.field("offset_low_ns", isKept ? band?.lowerBound : band.map { -$0.upperBound })
                $0.field("offset_high_ns", isKept ? band?.upperBound : band.map { -$0.lowerBound })
                let isKnown = piece.skew.upperBound - piece.skew.lowerBound <= 100e-6
                let range = isKept ? piece.skew : -piece.skew.upperBound...(-piece.skew.lowerBound)
                $0.field("skew_low", isKnown ? range.lowerBound : nil)
                $0.field("skew_high", isKnown ? range.upperBound : nil)
                $0.field("skew_likely", isKnown ? piece.likelySkew.map { isKept ? $0 : -$0 } : nil)
            }
        }
    }

    private func passage(_ stretch: Stretch, _ json: inout JSONWriter) {
        let passage = totals.passages[stretch] ?? .init()
        json.field("from", name(stretch.from))
        json.field("to", name(stretch.to))
        json.field("segments", passage.entered)
        json.field("lost", passage.lost)
        json.field("lost_or_not_captured", passage.lostOrNotCaptured)
        json.field("not_covered", passage.notCovered)
        json.field("copies_not_told_apart", passage.oneOfSeveral)
        json.object("lost_by_kind") {
            for kind in SegmentRecord.Kind.allCases { $0.field(kind.field, passage.lostByKind[kind, default: 0]) }
        }
        json.field("first_lost_time_ns", passage.first)
        json.field("last_lost_time_ns", passage.last)
    }

    private func times(_ name: String, _ times: RoundTripTimes, _ json: inout JSONWriter) {
        json.object(name) {
            $0.field("count", times.count)
            $0.field("min_ns", times.minimum)
            $0.field("p50_ns", times.percentile(50))
            $0.field("p95_ns", times.percentile(95))
            $0.field("p99_ns", times.percentile(99))
            $0.field("max_ns", times.maximum)
        }
    }

    // MARK: A line an attempt

    /// An attempt with what each point has of it.
    package func line(_ verdict: PathVerdict, to out: inout OutputBuffer) {
        JSONReport.write(to: &out) { $0.object { fields(verdict, &$0) } }
    }

    private func fields(_ verdict: PathVerdict, _ json: inout JSONWriter) {
        json.field("type", "path")
        json.field("schema", ComparisonReport.schemaVersion)
        func point(_ position: Int) -> String { name(verdict.points[position]) }
        json.array("points", Array(zip(verdict.points, verdict.attempts))) { json, entry in
            let (number, attempt) = entry
            json.object {
                $0.field("name", name(number))
                $0.field("id", attempt?.id)
                $0.field("uid", attempt?.uid.description)
                $0.field("client", attempt?.client.description)
                $0.field("server", attempt?.server.description)
                $0.field("outcome", attempt?.outcome.rawValue)
                $0.field("first_time_ns", attempt?.firstTime)
                $0.field("syn_to_synack_ns", attempt.flatMap { $0.synToSynAck < 0 ? nil : $0.synToSynAck })
                $0.field("synack_to_ack_ns", attempt.flatMap { $0.synAckToAck < 0 ? nil : $0.synAckToAck })
            }
        }
        json.field("differs", verdict.differs)
        json.object("proxied") {
            $0.field("from", verdict.proxiedIn.map { point($0.from) })
            $0.field("to", verdict.proxiedIn.map { point($0.to) })
        }
        json.array("packets", verdict.packets) { json, packet in
            json.object {
                $0.field("kind", packet.kind.rawValue)
                $0.field("from_client", packet.fromClient)
                $0.field("fate", packet.isOneOfSeveral ? "one-of-several" : packet.fate.name)
                $0.field("from", packet.fate.stretch.map { point($0.from) })
                $0.field("to", packet.fate.stretch.map { point($0.to) })
                $0.array("not_captured_at", packet.notCapturedAt) { $0.element(point($1)) }
                $0.field("made_before", packet.madeBetween.map { point($0.to) })
                let delay = comparison.delay(of: packet, verdict)
                $0.field("delay_low_ns", delay?.lowerBound)
                $0.field("delay_high_ns", delay?.upperBound)
                $0.array("seen", Array(packet.seen.enumerated())) { json, seen in
                    json.object {
                        $0.field("point", point(seen.offset))
                        $0.field("frame", seen.element?.frame)
                        $0.field("time_ns", seen.element?.time)
                    }
                }
            }
        }
        json.array("changes", verdict.changes) { json, change in
            json.object {
                $0.field("from", point(change.stretch.from))
                $0.field("to", point(change.stretch.to))
                $0.field("field", change.field.rawValue)
                $0.field("segment", change.kind?.rawValue)
                $0.field("before", change.from)
                $0.field("after", change.to)
                $0.array("frames", change.frames) { $0.element($1) }
            }
        }
        json.array("findings", verdict.findings) { json, finding in
            json.object {
                $0.field("code", finding.code.rawValue)
                $0.field("standing", finding.standing.rawValue)
                $0.array("points", finding.points) { $0.element(point($1)) }
                $0.field("text", finding.text)
            }
        }
    }
}

extension UnmatchedReason {
    fileprivate var field: String { self == .tooLittle ? "too_little" : rawValue }
}

extension SegmentRecord.Kind {
    fileprivate var field: String { self == .synAck ? "syn_ack" : rawValue }
}

extension PathPacket.Fate {
    package var name: String {
        switch self {
        case .arrived: "arrived"
        case .lost: "lost"
        case .lostOrNotCaptured: "lost-or-not-captured"
        case .notCovered: "not-covered"
        }
    }

    package var stretch: Stretch? {
        switch self {
        case .arrived: nil
        case .lost(let stretch), .lostOrNotCaptured(let stretch), .notCovered(let stretch): stretch
        }
    }
}

extension JSONWriter {
    fileprivate mutating func field(_ name: String, _ value: Double?) {
        if let value { field(name, fraction: value) } else { null(name) }
    }
}
