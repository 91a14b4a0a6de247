package import HandshakeRecord

/// What happened between the points, over all connection attempts. Stretches are between numbers of points, in the
/// direction in which packets travel.
package struct PathTotals: Sendable {
    /// Packets of one stretch.
    package struct Passage: Sendable {
        /// Packets that entered it: captured at its first point.
        package var entered = 0
        package var lost = 0
        package var lostOrNotCaptured = 0
        package var notCovered = 0
        /// Copies of which so many passed, and nothing tells which.
        package var oneOfSeveral = 0
        package var lostByKind: [SegmentRecord.Kind: Int] = [:]
        /// Of attempts that lost a packet here: the first ones, and when; nanoseconds by the first point's clock.
        package var examples: [Int] = []
        package var first: Int64?
        package var last: Int64?

        package init() {}
    }

    /// A value that became another one on a stretch.
    package struct ChangeKey: Hashable, Sendable {
        package var stretch: Stretch
        package var field: PathField
        package var kind: SegmentRecord.Kind?
        package var from: String
        package var to: String
    }

    package struct ChangeCount: Sendable {
        package var count = 0
        package var first = Int64.max
        package var last = Int64.min
        package var examples: [Int] = []
        /// One change of them, where the key has no values.
        package var from = ""
        package var to = ""
    }

    private static let maximumExamples = 3
    /// The most rows of changes that are counted one by one.
    static let maximumChanges = 10_000

    /// Attempts that all points have, and those that some lack, by the points that have them.
    package internal(set) var everywhere = 0
    package internal(set) var alone: [[Int]: Int] = [:]
    /// Why attempts of one point alone have no partner.
    package internal(set) var reasons: [UnmatchedReason: Int] = [:]
    package internal(set) var passages: [Stretch: Passage] = [:]
    /// Packets that passed a point and are not in its capture.
    package internal(set) var notCaptured: [Int: Int] = [:]
    /// Packets that were made between two points, by kind; and attempts of them.
    package internal(set) var made: [Stretch: [SegmentRecord.Kind: Int]] = [:]
    package internal(set) var madeExamples: [Stretch: [Int]] = [:]
    package internal(set) var changes: [ChangeKey: ChangeCount] = [:]
    package internal(set) var changesOmitted = 0
    package internal(set) var proxied: [Stretch: Int] = [:]
    package internal(set) var proxiedExamples: [Stretch: [Int]] = [:]
    /// Hops from one point to the next, and in how many attempts.
    package internal(set) var hops: [Stretch: [Int: Int]] = [:]
    /// Nanoseconds: between the client and the first point, between two points both ways together, between the last
    /// point and the server.
    package internal(set) var clientSide = RoundTripTimes()
    package internal(set) var between: [Stretch: RoundTripTimes] = [:]
    package internal(set) var serverSide = RoundTripTimes()
    /// Attempts by their outcome at the point nearest to the client and at the one nearest to the server.
    package internal(set) var outcomes: [OutcomePair: Int] = [:]
    /// Attempts of which something differs between the points.
    package internal(set) var differing = 0
    package internal(set) var reversed = 0
    package internal(set) var findings: [FindingCode: [PlacedFinding.Standing: Int]] = [:]

    package struct OutcomePair: Hashable, Sendable {
        package var client: Outcome
        package var server: Outcome
    }

    package init() {}

    /// Adds an attempt to a list of examples, once, if there is room.
    static func add(_ place: Int, to examples: inout [Int]) {
        if examples.last != place, examples.count < maximumExamples { examples.append(place) }
    }
}

extension PathComparison {
    mutating func tally() {
        var totals = PathTotals()
        for place in 0..<count {
            if majority.count == 2, let pair = plainPair(place, majority[0], majority[1]), isUntouched(place, pair) {
                countPlain(place, pair, &totals)
            } else {
                count(verdict(place), place, &totals)
            }
        }
        self.totals = totals
    }

    /// Whether a plain attempt of both points has equal fields at both.
    private func isUntouched(_ place: Int, _ pair: (Int, Int)) -> Bool {
        let (one, other) = (points[majority[0]], points[majority[1]])
        let a = one.log.attempts[member(majority[0], of: place)!]
        let b = other.log.attempts[member(majority[1], of: place)!]
        guard a.client == b.client, a.server == b.server, a.findings == FindingSet(), b.findings == FindingSet() else {
            return false
        }
        for position in 0..<2 {
            let (p, q) = (one.log.segments[pair.0 + position], other.log.segments[pair.1 + position])
            guard p.flags == q.flags, p.window == q.window, p.trafficClass == q.trafficClass, p.mss == q.mss,
                p.windowScale == q.windowScale, p.sackPermitted == q.sackPermitted,
                p.hasTimestamps == q.hasTimestamps, p.tsval == q.tsval, p.tsecr == q.tsecr,
                one.log.optionLists[Int(p.options)] == other.log.optionLists[Int(q.options)]
            else { return false }
        }
        return one.log.segments[pair.0].hopLimit >= other.log.segments[pair.1].hopLimit
    }

    private func countPlain(_ place: Int, _ pair: (Int, Int), _ totals: inout PathTotals) {
        let (one, other) = (majority[0], majority[1])
        let a = points[one].log.attempts[member(one, of: place)!]
        let b = points[other].log.attempts[member(other, of: place)!]
        totals.everywhere += 1
        totals.outcomes[.init(client: .established, server: .established), default: 0] += 1
        totals.passages[Stretch(from: one, to: other), default: .init()].entered += 2
        totals.passages[Stretch(from: other, to: one), default: .init()].entered += 1
        let hops = Int(points[one].log.segments[pair.0].hopLimit - points[other].log.segments[pair.1].hopLimit)
        totals.hops[Stretch(from: one, to: other), default: [:]][hops, default: 0] += 1
        if a.synAckToAck >= 0 { totals.clientSide.record(a.synAckToAck) }
        if b.synToSynAck >= 0 { totals.serverSide.record(b.synToSynAck) }
        if a.synToSynAck >= 0, b.synToSynAck >= 0, a.synToSynAck >= b.synToSynAck {
            totals.between[Stretch(from: one, to: other), default: .init()].record(a.synToSynAck - b.synToSynAck)
        }
    }

    private func count(_ verdict: PathVerdict, _ place: Int, _ totals: inout PathTotals) {
        let present = verdict.attempts.indices.filter { verdict.attempts[$0] != nil }
        if present.count == verdict.points.count {
            totals.everywhere += 1
        } else {
            totals.alone[present.map { verdict.points[$0] }.sorted(), default: 0] += 1
        }
        if present.count == 1,
            let absent = points.indices.first(where: { !present.map { verdict.points[$0] }.contains($0) }),
            let reason = reason(place, at: absent)
        {
            totals.reasons[reason, default: 0] += 1
        }
        if verdict.differs { totals.differing += 1 }
        if verdict.points != majority { totals.reversed += 1 }
        let pair = PathTotals.OutcomePair(client: verdict.nearClient.outcome, server: verdict.nearServer.outcome)
        totals.outcomes[pair, default: 0] += 1
        if let stretch = verdict.proxiedIn {
            totals.proxied[verdict.numbered(stretch), default: 0] += 1
            PathTotals.add(place, to: &totals.proxiedExamples[verdict.numbered(stretch), default: []])
        }
        for packet in verdict.packets { count(packet, verdict, place, &totals) }
        for change in verdict.changes { count(change, verdict, place, &totals) }
        for (stretch, hops) in verdict.hops {
            totals.hops[verdict.numbered(stretch), default: [:]][hops, default: 0] += 1
        }
        for finding in verdict.findings {
            totals.findings[finding.code, default: [:]][finding.standing, default: 0] += 1
        }
        if let near = verdict.attempts[0], near.synAckToAck >= 0 { totals.clientSide.record(near.synAckToAck) }
        if let far = verdict.attempts[verdict.points.count - 1], far.synToSynAck >= 0 {
            totals.serverSide.record(far.synToSynAck)
        }
        for (near, far) in zip(present, present.dropFirst()) {
            if let time = verdict.betweenBothWays(near, far) {
                totals.between[verdict.numbered(Stretch(from: near, to: far)), default: .init()].record(time)
            }
        }
    }

    private func count(_ packet: PathPacket, _ verdict: PathVerdict, _ place: Int, _ totals: inout PathTotals) {
        let way = packet.way
        for (from, to) in zip(way, way.dropFirst()) where packet.seen[from] != nil {
            totals.passages[verdict.numbered(Stretch(from: from, to: to)), default: .init()].entered += 1
        }
        for position in packet.notCapturedAt { totals.notCaptured[verdict.points[position], default: 0] += 1 }
        if let stretch = packet.madeBetween {
            totals.made[verdict.numbered(stretch), default: [:]][packet.kind, default: 0] += 1
            PathTotals.add(place, to: &totals.madeExamples[verdict.numbered(stretch), default: []])
        }
        if packet.isOneOfSeveral, let from = way.firstIndex(where: { packet.seen[$0] != nil }), from < way.count - 1 {
            totals.passages[verdict.numbered(Stretch(from: way[from], to: way[from + 1])), default: .init()]
                .oneOfSeveral += 1
        }
        switch packet.fate {
        case .arrived: break
        case .lostOrNotCaptured(let stretch):
            totals.passages[verdict.numbered(stretch), default: .init()].lostOrNotCaptured += 1
        case .notCovered(let stretch): totals.passages[verdict.numbered(stretch), default: .init()].notCovered += 1
        case .lost(let stretch):
            var passage = totals.passages[verdict.numbered(stretch), default: .init()]
            passage.lost += 1
            passage.lostByKind[packet.kind, default: 0] += 1
            PathTotals.add(place, to: &passage.examples)
            if let time = packet.seen[stretch.from]?.time {
                passage.first = min(passage.first ?? time, time)
                passage.last = max(passage.last ?? time, time)
            }
            totals.passages[verdict.numbered(stretch)] = passage
        }
    }

    private func count(_ change: PathChange, _ verdict: PathVerdict, _ place: Int, _ totals: inout PathTotals) {
        let isIndividual = change.field.isIndividual
        let key = PathTotals.ChangeKey(
            stretch: verdict.numbered(change.stretch),
            field: change.field, kind: change.kind, from: isIndividual ? "" : change.from,
            to: isIndividual ? "" : change.to)
        if totals.changes[key] == nil, totals.changes.count >= PathTotals.maximumChanges {
            totals.changesOmitted += 1
            return
        }
        let time = verdict.attempts[change.stretch.from]?.firstTime ?? 0
        var count = totals.changes[key, default: .init()]
        if count.count == 0 { (count.from, count.to) = (change.from, change.to) }
        count.count += 1
        count.first = min(count.first, time)
        count.last = max(count.last, time)
        PathTotals.add(place, to: &count.examples)
        totals.changes[key] = count
    }
}
