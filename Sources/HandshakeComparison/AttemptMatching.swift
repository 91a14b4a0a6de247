import HandshakeRecord
import PacketWire

/// Why an attempt of one point has no partner at another.
package enum UnmatchedReason: String, CaseIterable, Sendable {
    /// No attempt there has its numbers or its ends.
    case absent
    /// Several there fit equally well.
    case ambiguous
    /// One there resembles it, and chance would do so too.
    case tooLittle = "too-little"

    package var text: String {
        switch self {
        case .absent: "no attempt there has its sequence number, its timestamps or its ends"
        case .ambiguous: "several attempts there fit equally well"
        case .tooLittle: "an attempt there resembles it, but no more than chance allows"
        }
    }
}

/// Which attempts of two points are the same connection attempt.
///
/// Evidence is counted in bits: how unlikely chance makes it. Equal ISNs are worth 32 bits unless the ISN occurs on
/// several tuples; equal TSvals 20, since hosts may share a clock; an equal IP identification 8, since many stacks
/// count. A match takes 50 bits, is the best for both sides, and is the only one so good. So of 10^6 attempts a point,
/// 10^12 pairs, chance matches one in a thousand comparisons.
package struct AttemptMatching: Sendable {
    /// Bits that a match takes.
    static let threshold = 50

    /// For each attempt of the first point its partner at the second; -1 for none. And the other way round.
    package private(set) var partners: [Int32]
    package private(set) var reverse: [Int32]
    /// Why attempts have no partner; those that have one are absent.
    package private(set) var reasons: [Int: UnmatchedReason] = [:]
    package private(set) var reverseReasons: [Int: UnmatchedReason] = [:]
    /// Matches whose ISNs differ.
    package private(set) var rewritten = 0
    package var count: Int { partners.count { $0 >= 0 } }

    package init(_ first: PointLog, _ second: PointLog) {
        partners = [Int32](repeating: -1, count: first.attempts.count)
        reverse = [Int32](repeating: -1, count: second.attempts.count)
        let (a, b) = (Facts(first), Facts(second))
        let byISN = (AttemptIndex(a.count) { a[$0].isn }, AttemptIndex(b.count) { b[$0].isn })
        matchBest(a, b, byISN.0, byISN.1)
        let byEnds = (AttemptIndex(a.count) { a[$0].ends }, AttemptIndex(b.count) { b[$0].ends })
        matchBest(a, b, byEnds.0, byEnds.1)
        matchRewritten(a, b, byEnds.0, byEnds.1)
        let byTSval = (AttemptIndex(a.count) { a[$0].synTSval }, AttemptIndex(b.count) { b[$0].synTSval })
        matchBest(a, b, byTSval.0, byTSval.1, isNothing: 0)
        for position in partners.indices where partners[position] >= 0 {
            reasons[position] = nil
            if a[position].isn != b[Int(partners[position])].isn { rewritten += 1 }
        }
        for position in reverse.indices where reverse[position] >= 0 { reverseReasons[position] = nil }
    }

    // MARK: The best of the candidates

    private struct Best {
        var place: Int32 = -1
        var bits = 0
        var isShared = false

        mutating func take(_ place: Int, _ bits: Int) {
            if bits > self.bits {
                (self.place, self.bits, isShared) = (Int32(place), bits, false)
            } else if bits == self.bits, bits > 0 {
                isShared = true
            }
        }
    }

    /// Joins attempts that have no partner yet, each with its best candidate if it is that one's best too.
    /// - Parameter isNothing: a key that says nothing.
    private mutating func matchBest(
        _ a: Facts, _ b: Facts, _ indexOfA: AttemptIndex, _ indexOfB: AttemptIndex, isNothing: UInt32? = nil
    ) {
        var best = [Best](repeating: Best(), count: b.count)
        for place in 0..<b.count where reverse[place] < 0 && indexOfB.keys[place] != isNothing {
            let fact = b[place]
            indexOfA.visit(indexOfB.keys[place]) { candidate in
                if partners[candidate] < 0 { best[place].take(candidate, evidence(a[candidate], fact, a, b)) }
            }
        }
        for place in 0..<a.count where partners[place] < 0 && indexOfA.keys[place] != isNothing {
            let fact = a[place]
            var own = Best()
            indexOfB.visit(indexOfA.keys[place]) { candidate in
                if reverse[candidate] < 0 { own.take(candidate, evidence(fact, b[candidate], a, b)) }
            }
            guard own.place >= 0 else { continue }
            let other = Int(own.place)
            if own.bits < Self.threshold {
                note(.tooLittle, place, other)
            } else if own.isShared || best[other].isShared || best[other].place != Int32(place) {
                note(.ambiguous, place, other)
            } else {
                (partners[place], reverse[other]) = (Int32(other), Int32(place))
            }
        }
    }

    /// Bits that speak for one attempt.
    private func evidence(_ one: Fact, _ other: Fact, _ a: Facts, _ b: Facts) -> Int {
        let hasEnds = one.hasEnds(of: other)
        var bits = 0
        if one.isn == other.isn {
            // An ISN that several tuples of a point have proves less: devices with a fixed ISN, scanners.
            bits += a.isCommon(one.isn) || b.isCommon(one.isn) ? 12 : 32
            if hasEnds { bits += 40 }
        } else if hasEnds {
            // The same ends come again, each time with another ISN.
            bits += 30
        }
        if !hasEnds {
            if one.server == other.server { bits += 10 }
            if one.client == other.client { bits += 16 } else if one.client.port == other.client.port { bits += 12 }
        }
        // An answer to another SYN of the same ends may stand in this one's record.
        if one.isn == other.isn || !hasEnds {
            if let serverISN = one.serverISN, serverISN == other.serverISN { bits += 32 }
            if one.synAckTSval != 0, one.synAckTSval == other.synAckTSval { bits += 20 }
        }
        if one.hasTSval(of: other) { bits += 20 }
        if one.identification != 0, one.identification == other.identification { bits += 8 }
        if let mss = one.mss, mss == other.mss { bits += 1 }
        return bits
    }

    private mutating func note(_ reason: UnmatchedReason, _ place: Int, _ other: Int) {
        if reasons[place] != .ambiguous { reasons[place] = reason }
        if reverseReasons[other] != .ambiguous { reverseReasons[other] = reason }
    }

    /// A box that rewrites ISNs, and nothing else that tells attempts apart: taken to be there if three tuples or more
    /// that each point has once have other ISNs, and at most a tenth as many have the same.
    private mutating func matchRewritten(_ a: Facts, _ b: Facts, _ indexOfA: AttemptIndex, _ indexOfB: AttemptIndex) {
        var pairs: [(Int, Int)] = []
        func onlyOne(_ facts: Facts, _ index: AttemptIndex, _ fact: Fact, _ key: UInt32) -> Int? {
            var found: Int?
            var count = 0
            index.visit(key) { if facts[$0].hasEnds(of: fact) { (found, count) = ($0, count + 1) } }
            return count == 1 ? found : nil
        }
        for place in 0..<a.count where partners[place] < 0 {
            let key = indexOfA.keys[place]
            guard onlyOne(a, indexOfA, a[place], key) != nil, let other = onlyOne(b, indexOfB, a[place], key),
                reverse[other] < 0, a[place].startsAtSYN == b[other].startsAtSYN,
                a[place].isAnswered == b[other].isAnswered
            else { continue }
            pairs.append((place, other))
        }
        let same = partners.indices.count {
            partners[$0] >= 0 && a[$0].hasEnds(of: b[Int(partners[$0])]) && a[$0].isn == b[Int(partners[$0])].isn
        }
        if pairs.count >= 3, same * 10 <= pairs.count {
            for (place, other) in pairs { (partners[place], reverse[other]) = (Int32(other), Int32(place)) }
        } else {
            for (place, other) in pairs { note(.tooLittle, place, other) }
        }
    }
}

/// What matching needs of an attempt.
private struct Fact {
    var client: Endpoint
    var server: Endpoint
    var isn: UInt32
    var serverISN: UInt32?
    var ends: UInt32
    var startsAtSYN: Bool
    var isAnswered: Bool
    /// TSvals of the first SYN and SYN-ACK; 0 where there is none.
    var synTSval: UInt32 = 0
    var synAckTSval: UInt32 = 0
    /// TSvals of further SYNs.
    var laterTSvals: [UInt32] = []
    var identification: UInt16 = 0
    var mss: UInt16?

    /// Whether a SYN of each has the same TSval.
    func hasTSval(of other: Fact) -> Bool {
        guard synTSval != 0, other.synTSval != 0 else { return false }
        if synTSval == other.synTSval || laterTSvals.contains(other.synTSval) { return true }
        return other.laterTSvals.contains { $0 == synTSval || laterTSvals.contains($0) }
    }

    @inline(__always)
    func hasEnds(of other: Fact) -> Bool { client == other.client && server == other.server }
}

private struct Facts {
    private let facts: [Fact]
    /// ISNs that several tuples have.
    private let common: Set<UInt32>
    var count: Int { facts.count }

    subscript(place: Int) -> Fact { facts[place] }

    func isCommon(_ isn: UInt32) -> Bool { !common.isEmpty && common.contains(isn) }

    init(_ log: PointLog) {
        var facts: [Fact] = []
        facts.reserveCapacity(log.attempts.count)
        for attempt in log.attempts {
            var fact = Fact(
                client: attempt.client, server: attempt.server, isn: attempt.clientISN, serverISN: attempt.serverISN,
                ends: AttemptIndex.key(attempt.client, attempt.server), startsAtSYN: attempt.startsAtSYN,
                isAnswered: false)
            for segment in log.segments(of: attempt) {
                if segment.kind == .syn, segment.fromClient, fact.synTSval == 0 {
                    (fact.synTSval, fact.mss) = (segment.tsval, segment.mss)
                    if fact.identification == 0 { fact.identification = segment.identification }
                } else if segment.kind == .syn, segment.fromClient, segment.tsval != 0 {
                    fact.laterTSvals.append(segment.tsval)
                } else if segment.kind == .synAck, !segment.fromClient, !fact.isAnswered {
                    fact.isAnswered = true
                    fact.synAckTSval = segment.tsval
                }
            }
            facts.append(fact)
        }
        self.facts = facts
        let index = AttemptIndex(facts.count) { facts[$0].isn }
        var common: Set<UInt32> = []
        for fact in facts {
            if let first = index.first(fact.isn), !facts[first].hasEnds(of: fact) { common.insert(fact.isn) }
        }
        self.common = common
    }
}
