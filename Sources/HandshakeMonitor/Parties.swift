package import HandshakeRecord

/// One server (address and port) or client (address), and how its attempts went.
package struct Party: Sendable {
    package var name: String
    package var attempts = 0
    package var failures = 0
    /// Attempts of which a SYN was sent more than once.
    package var repeated = 0
    /// Nanoseconds, smoothed: each new round trip counts an eighth (as RFC 6298 2.3 does). Nil without one.
    package var roundTrip: Int64?
    /// The outcome of its last failure.
    package var lastFailure: Outcome?
}

/// How attempts went by party, for a bounded number of them: when there are too many, the half with the fewest failures
/// and attempts is let go, so that a flood from random addresses costs no memory.
struct Parties<Key: Hashable & Sendable>: Sendable {
    private var parties: [Key: Party] = [:]
    private static var maximumParties: Int { 4096 }

    mutating func count(_ key: Key, _ record: AttemptRecord) {
        Parties.update(&parties[key, default: Party(name: "")], record)
        guard parties.count > Parties.maximumParties else { return }
        let kept = parties.sorted { Parties.isWorse($0.value, $1.value) }.prefix(Parties.maximumParties / 2)
        parties = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }

    private static func update(_ party: inout Party, _ record: AttemptRecord) {
        party.attempts += 1
        if record.synCount > 1 { party.repeated += 1 }
        if record.outcome.isFailure {
            party.failures += 1
            party.lastFailure = record.outcome
        }
        if let time = record.total?.nanoseconds {
            party.roundTrip = party.roundTrip.map { $0 + (time - $0) / 8 } ?? time
        }
    }

    private static func isWorse(_ a: Party, _ b: Party) -> Bool {
        (a.failures, a.repeated, a.attempts) > (b.failures, b.repeated, b.attempts)
    }

    /// The worst first.
    func worst(_ count: Int, name: (Key) -> String) -> [Party] {
        parties.sorted { Parties.isWorse($0.value, $1.value) }.prefix(count).map { key, party in
            var party = party
            party.name = name(key)
            return party
        }
    }
}
