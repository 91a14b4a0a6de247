import HandshakeRecord
import PacketWire

/// Captures of the same traffic at several points, put together: which attempts and which packets are the same, how the
/// clocks stand to each other, and what happened between the points.
package struct PathComparison: Sendable {
    package struct Options: Sendable {
        /// Numbers of the points in the order that the user states, from clients to servers; nil to find it.
        package var order: [Int]?
        /// How far the clocks are apart at most, as the user states; nil where nobody does. Nanoseconds.
        package var clocksWithin: Int64?

        package init(order: [Int]? = nil, clocksWithin: Int64? = nil) {
            (self.order, self.clocksWithin) = (order, clocksWithin)
        }
    }

    package let points: [CapturePoint]
    package let order: PathOrder
    /// Each two points' clocks; the offset is that of the second against the first, numbers of points ascending.
    private(set) var clocks: [Stretch: ClockBand] = [:]
    /// Servers for which a proxy between the two points answers, or may, as either point has their ends.
    private(set) var proxied: [Stretch: Set<Endpoint>] = [:]
    /// Each two points' matches.
    let matchings: [Stretch: AttemptMatching]
    /// What packets keep between two points.
    private(set) var keeps: [Stretch: Kept] = [:]
    /// For each point, its attempt in each connection attempt; -1 where it has none.
    private var members: [[Int32]]
    /// Connection attempts of all points.
    package var count: Int { members[0].count }
    /// Each point's attempts by their ends.
    private let byEnds: [AttemptIndex]
    /// For each two points, attempts of the second that the first has no partner of, in the order of time.
    private var unmatched: [Stretch: [Int]] = [:]
    /// Server addresses of which attempts were captured at both of two points.
    private var servers: [Stretch: Set<IPAddress>] = [:]
    package internal(set) var totals = PathTotals()
    /// The points in the direction of most attempts.
    var majority: [Int] { order.points }

    /// What most packets keep on their way between two points.
    struct Kept: Sendable {
        var equalTimestamps = 0
        var otherTimestamps = 0
        var equalIdentifications = 0
        var otherIdentifications = 0
        var equalISNs = 0
        var otherISNs = 0
        var equalServerISNs = 0
        var otherServerISNs = 0
        var equalEnds = 0
        var otherEnds = 0
        var timestamps: Bool { equalTimestamps >= otherTimestamps }
        // Nearly all: what differs is another packet, or another attempt.
        var identifications: Bool { equalIdentifications > 10 * otherIdentifications }
        var isns: Bool { equalISNs > 10 * otherISNs }
        var serverISNs: Bool { equalServerISNs >= 10 * otherServerISNs }
        var ends: Bool { equalEnds > 10 * otherEnds }

        /// Takes the SYNs that two points have of one attempt: a value that both have speaks for keeping, and two
        /// values against it where each has one SYN.
        mutating func add(_ first: ArraySlice<PointSegment>, _ second: ArraySlice<PointSegment>) {
            let one = first.filter { $0.kind == .syn && $0.fromClient }
            let other = second.filter { $0.kind == .syn && $0.fromClient }
            let isOne = one.count == 1 && other.count == 1
            let stamps = Set(one.filter(\.hasTimestamps).map(\.tsval))
            let others = other.filter(\.hasTimestamps).map(\.tsval)
            if !stamps.isDisjoint(with: others) {
                equalTimestamps += 1
            } else if isOne, !stamps.isEmpty, !others.isEmpty {
                otherTimestamps += 1
            }
            let identifications = Set(one.map(\.identification).filter { $0 != 0 })
            let rest = other.map(\.identification).filter { $0 != 0 }
            if !identifications.isDisjoint(with: rest) {
                equalIdentifications += 1
            } else if isOne, !identifications.isEmpty, !rest.isEmpty {
                otherIdentifications += 1
            }
        }
    }

    /// - Throws: if no attempt of one point is found at any other.
    package init(_ points: [CapturePoint], _ options: Options = Options()) throws(ComparisonError) {
        precondition(points.count > 1)
        self.points = points
        var matchings: [Stretch: AttemptMatching] = [:]
        for one in points.indices {
            for other in points.indices where other > one {
                matchings[Stretch(from: one, to: other)] = AttemptMatching(points[one].log, points[other].log)
            }
        }
        self.matchings = matchings
        for point in points where point.log.attempts.isEmpty {
            throw ComparisonError(message: "\(point.name) has no connection attempt that could be compared")
        }
        for one in points.indices {
            let isAlone = matchings.allSatisfy { $0.key.from != one && $0.key.to != one || $0.value.count == 0 }
            if isAlone { throw PathComparison.stranger(one, points) }
        }
        members = PathComparison.join(points, matchings)
        byEnds = points.map { point in
            AttemptIndex(point.log.attempts.count) {
                AttemptIndex.key(point.log.attempts[$0].client, point.log.attempts[$0].server)
            }
        }
        var votes: [Votes] = []
        for stretch in matchings.keys.sorted() {
            votes.append(PathComparison.votes(stretch, points, members))
        }
        order = PathOrder(points.count, stated: options.order, votes)
        for stretch in matchings.keys.sorted() { learn(stretch, options) }
        tally()
    }

    private static func stranger(_ one: Int, _ points: [CapturePoint]) -> ComparisonError {
        let point = points[one]
        let others = points.indices.filter { $0 != one }.map { points[$0].name }.joined(separator: ", ")
        let spans = points.indices.filter { $0 != one }.compactMap { points[$0].summary.span }
        let isApart =
            point.summary.span.map { own in spans.allSatisfy { !$0.overlaps(own) } } ?? false
        let when = isApart ? ". Their times do not overlap either" : ""
        return ComparisonError(
            message: "none of the \(point.log.attempts.count) attempts of \(point.name) is in \(others): "
                + "this is other traffic, or what tells connections apart was rewritten\(when)")
    }

    // MARK: Members

    /// Puts together what pairs of points have in common.
    private static func join(_ points: [CapturePoint], _ matchings: [Stretch: AttemptMatching]) -> [[Int32]] {
        var members = [[Int32]](repeating: [], count: points.count)
        // The connection attempt that each point's attempt belongs to.
        var homes: [[Int32]] = []
        for (point, capture) in points.enumerated() {
            var own = [Int32](repeating: -1, count: capture.log.attempts.count)
            for place in own.indices {
                for earlier in 0..<point {
                    let partner = matchings[Stretch(from: earlier, to: point)]!.reverse[place]
                    guard partner >= 0 else { continue }
                    let home = homes[earlier][Int(partner)]
                    // A point has an attempt once: what a third point contradicts stays alone.
                    if members[point][Int(home)] < 0 {
                        own[place] = home
                        members[point][Int(home)] = Int32(place)
                        break
                    }
                }
                if own[place] < 0 {
                    own[place] = Int32(members[0].count)
                    for other in points.indices { members[other].append(other == point ? Int32(place) : -1) }
                }
            }
            homes.append(own)
        }
        return members
    }

    func member(_ point: Int, of place: Int) -> Int? {
        let member = members[point][place]
        return member < 0 ? nil : Int(member)
    }

    // MARK: Which is nearer to the client

    private static func votes(_ stretch: Stretch, _ points: [CapturePoint], _ members: [[Int32]]) -> Votes {
        var votes = Votes(stretch.from, stretch.to)
        for place in members[0].indices {
            let (a, b) = (members[stretch.from][place], members[stretch.to][place])
            guard a >= 0, b >= 0 else { continue }
            votes.add(vote(stretch, Int(a), Int(b), points))
        }
        return votes
    }

    private static func vote(_ stretch: Stretch, _ a: Int, _ b: Int, _ points: [CapturePoint]) -> Votes {
        let (one, other) = (points[stretch.from].log, points[stretch.to].log)
        let (first, second) = (one.attempts[a], other.attempts[b])
        var votes = Votes(stretch.from, stretch.to)
        func hopLimit(_ log: PointLog, _ attempt: PointAttempt, fromClient: Bool) -> UInt8? {
            log.segments(of: attempt).first { $0.fromClient == fromClient && $0.flags.contains(.syn) }?.hopLimit
        }
        let syns = (hopLimit(one, first, fromClient: true), hopLimit(other, second, fromClient: true))
        let answers = (hopLimit(one, first, fromClient: false), hopLimit(other, second, fromClient: false))
        if let near = syns.0, let far = syns.1, near != far {
            if near > far { votes.hopFirst += 1 } else { votes.hopSecond += 1 }
        } else if let near = answers.0, let far = answers.1, near != far {
            if near < far { votes.hopFirst += 1 } else { votes.hopSecond += 1 }
        }
        if first.synToSynAck >= 0, second.synToSynAck >= 0, first.synToSynAck != second.synToSynAck {
            if first.synToSynAck > second.synToSynAck { votes.legFirst += 1 } else { votes.legSecond += 1 }
        }
        return votes
    }

    /// The points in an attempt's own direction: the other one if both its hop limits and its legs say so.
    func direction(of place: Int) -> [Int] {
        let present = majority.filter { members[$0][place] >= 0 }
        guard let one = present.first, let other = present.last, one != other else { return majority }
        let stretch = Stretch(from: one, to: other)
        let vote = PathComparison.vote(stretch, Int(members[one][place]), Int(members[other][place]), points)
        let isReversed = vote.hopSecond > 0 && vote.legFirst == 0
        return isReversed && order.basis != .stated ? majority.reversed() : majority
    }

    // MARK: Clocks

    /// The clocks of two points: the offset of the second one's against the first one's.
    package func clock(_ one: Int, _ other: Int) -> ClockBand? {
        clocks[Stretch.pair(one, other)]
    }

    /// A moment of one point's clock by another's: between which times; nil where nothing is known.
    package func time(_ time: Int64, of one: Int, at other: Int) -> ClosedRange<Int64>? {
        if one == other { return time...time }
        guard let clock = clock(one, other) else { return nil }
        if one < other { return clock.band(at: time).map { time + $0.lowerBound...time + $0.upperBound } }
        // The band is by the other's clock, whose time is asked for. Each guess is nearer by the skew: 2,000 times or
        // more.
        var guess = time
        for _ in 0..<3 {
            guard let near = clock.band(at: guess) else { return nil }
            guess = time - near.lowerBound - (near.upperBound - near.lowerBound) / 2
        }
        return clock.band(at: guess).map { time - $0.upperBound...time - $0.lowerBound }
    }

    /// Learns what packets keep between two points, and what they say of the clocks.
    private mutating func learn(_ stretch: Stretch, _ options: Options) {
        var kept = Kept()
        let (one, other) = (points[stretch.from].log, points[stretch.to].log)
        var shared: Set<IPAddress> = []
        for place in members[0].indices {
            guard let a = member(stretch.from, of: place), let b = member(stretch.to, of: place) else { continue }
            shared.insert(one.attempts[a].server.address)
            shared.insert(other.attempts[b].server.address)
            let (p, q) = (one.attempts[a], other.attempts[b])
            kept.add(one.segments(of: p), other.segments(of: q))
            if p.clientISN == q.clientISN { kept.equalISNs += 1 } else { kept.otherISNs += 1 }
            if let y = p.serverISN, let z = q.serverISN {
                if y == z { kept.equalServerISNs += 1 } else { kept.otherServerISNs += 1 }
            }
            if p.client == q.client, p.server == q.server { kept.equalEnds += 1 } else { kept.otherEnds += 1 }
        }
        keeps[stretch] = kept
        let matching = matchings[stretch]!
        unmatched[Stretch(from: stretch.to, to: stretch.from)] = PathComparison.alone(matching.partners, one)
        unmatched[stretch] = PathComparison.alone(matching.reverse, other)
        servers[stretch] = shared
        var bounds: [ClockBand.Bound] = []
        for place in members[0].indices where members[stretch.from][place] >= 0 && members[stretch.to][place] >= 0 {
            let direction = direction(of: place)
            let isForward = direction.firstIndex(of: stretch.from)! < direction.firstIndex(of: stretch.to)!
            visitSame(place, stretch) { first, second in
                let isUpper = first.fromClient == isForward
                // Where one was captured several times, the other may be any of these: the bound allows for each.
                let difference = isUpper ? second.lastTime - first.time : second.time - first.lastTime
                bounds.append(ClockBand.Bound(time: first.time, difference: difference, isUpper: isUpper))
            }
        }
        let tick = max(points[stretch.from].tick, points[stretch.to].tick)
        clocks[stretch] = ClockBand(bounds, tick: max(1, tick), stated: options.clocksWithin)
        proxied[stretch] = proxiedServers(stretch)
    }

    private func proxiedServers(_ stretch: Stretch) -> Set<Endpoint> {
        var servers: Set<Endpoint> = []
        for place in members[0].indices {
            guard let a = member(stretch.from, of: place), let b = member(stretch.to, of: place) else { continue }
            let (p, q) = (points[stretch.from].log.attempts[a], points[stretch.to].log.attempts[b])
            guard let y = p.serverISN, let z = q.serverISN, y != z else { continue }
            let pair = direction(of: place).filter { $0 == stretch.from || $0 == stretch.to }
            if verdict(of: place, among: pair, usesClocks: false).splitIn != nil {
                servers.formUnion([p.server, q.server])
            }
        }
        return servers
    }

    private static func alone(_ partners: [Int32], _ log: PointLog) -> [Int] {
        partners.indices.filter { partners[$0] < 0 }.sorted {
            (log.attempts[$0].firstTime, $0) < (log.attempts[$1].firstTime, $1)
        }
    }

    /// Whether an attempt of one point may be at another one unrecognised: an attempt there has no partner, and it fits
    /// as far as the two points keep what tells attempts apart.
    func mayBeUnrecognised(_ attempt: PointAttempt, of one: Int, at other: Int) -> Bool {
        guard let kept = keeps[Stretch.pair(one, other)] else { return true }
        let candidates = unmatched[Stretch(from: one, to: other)] ?? []
        let log = points[other].log
        if kept.ends {
            var found = false
            byEnds[other].visit(AttemptIndex.key(attempt.client, attempt.server)) { place in
                let there = log.attempts[place]
                guard there.client == attempt.client, there.server == attempt.server else { return }
                if !kept.isns || there.clientISN == attempt.clientISN { found = true }
            }
            return found
        }
        let segments = points[one].log.segments(of: attempt)
        guard let first = segments.map(\.time).min(), let last = segments.map(\.time).max(),
            let begin = time(first, of: one, at: other), let end = time(last, of: one, at: other)
        else { return !candidates.isEmpty }
        let margin = 1_000_000_000 + 2 * (begin.upperBound - begin.lowerBound)
        let window = begin.lowerBound - margin...max(begin.lowerBound, end.upperBound) + margin
        var place = PathComparison.firstPlace(candidates) {
            log.attempts[$0].firstTime >= window.lowerBound - PathComparison.longestAttempt
        }
        while place < candidates.count, log.attempts[candidates[place]].firstTime <= window.upperBound {
            let there = log.attempts[candidates[place]]
            if log.segments(of: there).last?.time ?? there.firstTime >= window.lowerBound { return true }
            place += 1
        }
        return false
    }

    /// Nanoseconds: SYNs are sent again for about two minutes.
    private static let longestAttempt: Int64 = 140_000_000_000

    /// The first place of a sorted list of which something holds, by halving; its end where there is none.
    private static func firstPlace(_ list: [Int], _ holds: (Int) -> Bool) -> Int {
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if holds(list[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Visits a point's other attempts of the same ends.
    private func visitOthers(_ attempt: PointAttempt, at point: Int, _ body: (PointAttempt) -> Void) {
        byEnds[point].visit(AttemptIndex.key(attempt.client, attempt.server)) { place in
            let other = points[point].log.attempts[place]
            if other.id != attempt.id, other.client == attempt.client, other.server == attempt.server { body(other) }
        }
    }

    func hasOtherAttempt(of attempt: PointAttempt, at point: Int) -> Bool {
        var found = false
        visitOthers(attempt, at: point) { _ in found = true }
        return found
    }

    /// Whether a point has a segment in another attempt of the same ends.
    /// - Parameter shift: by how much ISNs are greater at the point.
    func isInOtherAttempt(
        _ segment: PointSegment, of attempt: PointAttempt, at point: Int, shift: (client: UInt32, server: UInt32)
    ) -> Bool {
        let log = points[point].log
        var found = false
        visitOthers(attempt, at: point) { other in
            let (own, peer) = segment.fromClient ? (shift.client, shift.server) : (shift.server, shift.client)
            found =
                found
                || log.segments(of: other).contains {
                    $0.fromClient == segment.fromClient && $0.kind == segment.kind && $0.seq == segment.seq &+ own
                        && (!segment.flags.contains(.ack) || $0.ack == segment.ack &+ peer)
                }
        }
        return found
    }

    /// Visits the segments of an attempt that two points have for certain.
    private func visitSame(_ place: Int, _ stretch: Stretch, _ body: (PointSegment, PointSegment) -> Void) {
        if let (first, second) = plainPair(place, stretch.from, stretch.to) {
            for position in 0..<3 {
                body(
                    points[stretch.from].log.segments[first + position],
                    points[stretch.to].log.segments[second + position])
            }
            return
        }
        let verdict = verdict(of: place, among: [stretch.from, stretch.to], usesClocks: false)
        let hasCopies =
            mayHaveCopies(verdict)
            || verdict.packets.contains { packet in
                packet.kind != .ack
                    && verdict.packets.count { $0.kind == packet.kind && $0.fromClient == packet.fromClient } > 1
            }
        for packet in verdict.packets {
            guard let first = packet.seen[0], let second = packet.seen[1] else { continue }
            // One of several copies counts only if it says itself which it is.
            if !hasCopies || isIdentified(first, second, stretch.from, stretch.to) { body(first, second) }
        }
    }

    /// Whether a point may have another copy of a SYN-ACK than the others, soon before or after it: its record begins
    /// behind the SYN, or the network doubled the SYN, and each was answered.
    func mayHaveCopies(_ verdict: PathVerdict) -> Bool {
        zip(verdict.points, verdict.attempts).contains { point, attempt in
            guard let attempt else { return false }
            return !attempt.startsAtSYN
                || points[point].log.segments(of: attempt).contains {
                    $0.kind == .syn && $0.fromClient && $0.spread >= PathComparison.shortestDoubling
                }
        }
    }

    /// Nanoseconds: a port that captures twice does so sooner.
    static let shortestDoubling: Int64 = 1_000_000

    /// Where the segments of an attempt begin at two points that both have it plain and with equal numbers.
    func plainPair(_ place: Int, _ one: Int, _ other: Int) -> (Int, Int)? {
        let (first, second) = (points[one].log, points[other].log)
        guard members[one][place] >= 0, members[other][place] >= 0 else { return nil }
        let a = first.attempts[Int(members[one][place])]
        let b = second.attempts[Int(members[other][place])]
        guard a.segments.count == 3, b.segments.count == 3, a.outcome == .established, b.outcome == .established,
            a.clientISN == b.clientISN, a.serverISN == b.serverISN, a.startsAtSYN, b.startsAtSYN
        else { return nil }
        for position in 0..<3 {
            let (p, q) = (
                first.segments[a.segments.lowerBound + position], second.segments[b.segments.lowerBound + position]
            )
            guard p.kind == q.kind, p.fromClient == q.fromClient, p.seq == q.seq, p.ack == q.ack, p.len == q.len,
                !p.hasTimestamps || !q.hasTimestamps || p.tsval == q.tsval || !keepsTimestamps(one, other)
            else { return nil }
        }
        return (a.segments.lowerBound, b.segments.lowerBound)
    }

    /// Whether two segments that have equal numbers say themselves that they are one packet, and not copies.
    func isIdentified(_ first: PointSegment, _ second: PointSegment, _ one: Int, _ other: Int) -> Bool {
        if keepsTimestamps(one, other), first.hasTimestamps, second.hasTimestamps, first.tsval != 0 {
            return first.tsval == second.tsval
        }
        return keepsIdentifications(one, other) && first.identification != 0
            && first.identification == second.identification
    }

    func keepsTimestamps(_ one: Int, _ other: Int) -> Bool {
        keeps[Stretch.pair(one, other)]?.timestamps ?? true
    }

    func keepsServerISNs(_ one: Int, _ other: Int) -> Bool { keeps[Stretch.pair(one, other)]?.serverISNs ?? true }

    func keepsEnds(_ one: Int, _ other: Int) -> Bool {
        keeps[Stretch.pair(one, other)]?.ends ?? false
    }

    func keepsIdentifications(_ one: Int, _ other: Int) -> Bool {
        keeps[Stretch.pair(one, other)]?.identifications ?? false
    }

    /// Whether attempts at a server were captured at both of two points.
    func isServerShared(_ address: IPAddress, _ one: Int, _ other: Int) -> Bool {
        servers[Stretch.pair(one, other)]?.contains(address) ?? false
    }

    /// Why an attempt of a point is at no other one; nil where it is.
    package func reason(_ place: Int, at point: Int) -> UnmatchedReason? {
        guard let own = points.indices.first(where: { members[$0][place] >= 0 }), own != point else { return nil }
        let member = Int(members[own][place])
        if own < point {
            return matchings[Stretch(from: own, to: point)]!.reasons[member] ?? .absent
        }
        return matchings[Stretch(from: point, to: own)]!.reverseReasons[member] ?? .absent
    }
}
