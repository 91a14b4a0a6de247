/// In which order packets pass the capture points.
package struct PathOrder: Sendable {
    package enum Basis: String, Sendable { case stated, hopLimits = "hop-limits", legs, unknown }

    /// Numbers of the points, from most clients to their servers.
    package fileprivate(set) var points: [Int]
    package fileprivate(set) var basis: Basis
    /// Attempts whose SYN has a higher hop limit at the earlier of two neighbours, and at the later.
    package fileprivate(set) var byHopLimit = (for: 0, against: 0)
    /// Attempts whose time from SYN to SYN-ACK is longer at the earlier of two neighbours, and at the later.
    package fileprivate(set) var byLegs = (for: 0, against: 0)

    /// Whether hop limits and legs contradict each other.
    package var isDisputed: Bool {
        byHopLimit.for + byHopLimit.against > 0 && byLegs.for + byLegs.against > 0
            && (byHopLimit.for >= byHopLimit.against) != (byLegs.for >= byLegs.against)
    }

    /// - Parameters:
    ///   - stated: the order that the user gives; nil for none.
    ///   - votes: of each two points the votes of attempts on which is nearer to the client.
    init(_ count: Int, stated: [Int]?, _ votes: [Votes]) {
        func total(_ a: Int, _ b: Int) -> Votes {
            votes.reduce(Votes(a, b)) { sum, vote in
                var sum = sum
                if (vote.first, vote.second) == (a, b) {
                    sum.add(vote)
                } else if (vote.first, vote.second) == (b, a) {
                    sum.add(vote.reversed)
                }
                return sum
            }
        }
        if let stated {
            (points, basis) = (stated, .stated)
        } else {
            func wins(_ point: Int) -> Int {
                (0..<count).count { $0 != point && total(point, $0).firstIsNearer == true }
            }
            points = (0..<count).sorted { (-wins($0), $0) < (-wins($1), $1) }
            basis = .unknown
        }
        for (one, other) in zip(points, points.dropFirst()) {
            let sum = total(one, other)
            byHopLimit = (byHopLimit.for + sum.hopFirst, byHopLimit.against + sum.hopSecond)
            byLegs = (byLegs.for + sum.legFirst, byLegs.against + sum.legSecond)
        }
        if basis != .stated {
            basis = byHopLimit.for > 0 ? .hopLimits : byLegs.for > 0 ? .legs : .unknown
        }
    }
}

/// What attempts say of two points: which one is nearer to the client.
struct Votes {
    var first: Int
    var second: Int
    var hopFirst = 0
    var hopSecond = 0
    var legFirst = 0
    var legSecond = 0

    init(_ first: Int, _ second: Int) { (self.first, self.second) = (first, second) }

    mutating func add(_ other: Votes) {
        hopFirst += other.hopFirst
        hopSecond += other.hopSecond
        legFirst += other.legFirst
        legSecond += other.legSecond
    }

    var reversed: Votes {
        var votes = Votes(second, first)
        (votes.hopFirst, votes.hopSecond) = (hopSecond, hopFirst)
        (votes.legFirst, votes.legSecond) = (legSecond, legFirst)
        return votes
    }

    /// Hop limits decide; legs where they are equal, on one network.
    var firstIsNearer: Bool? {
        if hopFirst != hopSecond { return hopFirst > hopSecond }
        return legFirst == legSecond ? nil : legFirst > legSecond
    }
}
