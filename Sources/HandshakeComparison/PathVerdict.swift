package import HandshakeRecord
import PacketWire

/// Between two capture points, in the direction in which packets travel there: positions in path order.
package struct Stretch: Sendable, Hashable, Comparable {
    package var from: Int
    package var to: Int

    package init(from: Int, to: Int) { (self.from, self.to) = (from, to) }

    /// That of two points, which has one direction only: from the lower number.
    static func pair(_ one: Int, _ other: Int) -> Stretch { Stretch(from: min(one, other), to: max(one, other)) }

    package static func < (a: Stretch, b: Stretch) -> Bool { (a.from, a.to) < (b.from, b.to) }
}

/// A field with another value at the second point of a stretch.
package struct PathChange: Sendable, Hashable {
    package var field: PathField
    package var stretch: Stretch
    /// The packet's kind; nil for addresses, which all packets have.
    package var kind: SegmentRecord.Kind?
    package var from: String
    package var to: String
    /// Numbers of its frames at the two points.
    package var frames: [UInt64]
}

/// One point's finding beside what the other points captured.
package struct PlacedFinding: Sendable, Hashable {
    package enum Standing: String, CaseIterable, Sendable {
        /// All points that have the attempt say so.
        case confirmed
        /// Some say so; what the others captured does not speak against it.
        case partly
        /// Another point shows that it is not so.
        case refuted
        /// It is known now where it happened.
        case placed
    }
    package var code: FindingCode
    package var standing: Standing
    /// Points that say so, in path order.
    package var points: [Int]
    /// What another point shows; empty where nothing is added.
    package var text: String
}

/// What all points together say of one connection attempt. Positions are those of `points`, which go from the client to
/// the server.
package struct PathVerdict: Sendable {
    /// The capture points in this attempt's direction, by their numbers.
    package var points: [Int]
    /// Its attempt in each point's log; nil where there is none.
    package var members: [Int?]
    package var attempts: [PointAttempt?]
    package var packets: [PathPacket] = []
    package var changes: [PathChange] = []
    package var findings: [PlacedFinding] = []
    /// Where the points have handshakes of which nothing shows that they are one: they have different y.
    var splitIn: Stretch?
    /// Whether these are two for certain.
    var isProxied = false
    /// Where a proxy ends the handshake of one side and begins another.
    package var proxiedIn: Stretch? { isProxied ? splitIn : nil }
    /// Hops between positions, by the SYN's hop limits.
    package var hops: [Stretch: Int] = [:]

    /// The first that has it, and the last.
    package var nearClient: PointAttempt { attempts.lazy.compactMap(\.self).first! }
    package var nearServer: PointAttempt { attempts.lazy.compactMap(\.self).last! }
    /// How many points have it.
    package var count: Int { attempts.count { $0 != nil } }
    /// Whether the points have it with different outcomes.
    package var isSplit: Bool { Set(attempts.compactMap { $0?.outcome }).count > 1 }

    /// The facts that expressions ask for.
    package var facts: PathFacts {
        let isLost = packets.contains { if case .lost = $0.fate { true } else { false } }
        let isUnclear = count < points.count || splitIn != nil || packets.contains { $0.isUnusual || $0.isOneOfSeveral }
        let last = points.count - 1
        let isWhole = count == points.count
        return PathFacts(
            points: count, allPoints: points.count, isLost: isLost ? true : isUnclear ? nil : false,
            isNotCaptured: packets.contains { !$0.notCapturedAt.isEmpty }, isProxied: proxiedIn != nil,
            isAnsweredBetween: packets.contains { $0.madeBetween != nil }, serverOutcome: nearServer.outcome,
            between: betweenBothWays(0, last),
            hops: isWhole && hops.count == last ? hops.values.reduce(0, +) : nil, changed: Set(changes.map(\.field)))
    }

    /// The positions that have one's handshake; all of them if no proxy may stand between them.
    func side(of position: Int) -> Range<Int> {
        guard let splitIn else { return points.indices }
        return position <= splitIn.from ? 0..<splitIn.from + 1 : splitIn.to..<points.count
    }

    /// A stretch between positions, by the numbers of its points.
    func numbered(_ stretch: Stretch) -> Stretch { Stretch(from: points[stretch.from], to: points[stretch.to]) }

    /// Whether there is something to say of it: a difference between the points.
    package var differs: Bool {
        count < points.count || isSplit || proxiedIn != nil || !changes.isEmpty
            || packets.contains { $0.isUnusual || $0.madeBetween != nil || $0.isOneOfSeveral }
            || packets.contains { !$0.notCapturedAt.isEmpty } || findings.contains { !$0.text.isEmpty }
    }

    /// Nanoseconds that both ways between two positions took together: each leg is by one clock, so no offset comes in.
    package func betweenBothWays(_ from: Int, _ to: Int) -> Int64? {
        guard let near = attempts[from], let far = attempts[to], near.synToSynAck >= 0, far.synToSynAck >= 0,
            side(of: from) == side(of: to), near.synToSynAck >= far.synToSynAck
        else { return nil }
        return near.synToSynAck - far.synToSynAck
    }
}
