package import HandshakeRecord
import PacketWire

/// The facts of a capture's attempts, in bounded memory.
///
/// Once the log is full, attempts of the same client and server that came to the same are taken together, at the
/// servers that have the most: one stays and stands for all of them, so that counts remain right and times get coarser.
/// If that does not help, clients are no longer told apart; at last, every second attempt is let go and counted.
package struct ObservationLog: Sendable {
    /// Attempts that are kept one by one: about 50 MB with their addresses.
    package static let usualMaximum = 1 << 19

    private let maximum: Int
    private(set) var observations: [Observation] = []
    private var numberedServers = Numbered<Endpoint>()
    private var numberedAddresses = Numbered<IPAddress>()
    var servers: [Endpoint] { numberedServers.values }
    var addresses: [IPAddress] { numberedAddresses.values }
    /// Attempts that were added, copies behind a translator left out.
    package private(set) var attempts = 0
    /// Attempts that are in no observation any more.
    package private(set) var evicted = 0
    /// Whether observations stand for several attempts.
    package private(set) var isThinned = false

    /// - Parameter maximum: attempts that are kept one by one, from 16 on.
    package init(maximum: Int = ObservationLog.usualMaximum) { self.maximum = max(16, maximum) }

    package mutating func add(_ record: AttemptRecord) { add(AttemptFacts(record)) }

    package mutating func add(_ attempt: AttemptFacts) {
        // A copy behind a translator is another one's: it counts once.
        if attempt.isCopy { return }
        // A proxy's answer says nothing of the server's time.
        let serverLeg = attempt.has(.synackNoWindow) ? nil : attempt.serverLeg
        let reporter = attempt.reporter.map { number(of: $0) + 1 } ?? 0
        append(
            Observation(
                time: attempt.firstTime, id: attempt.id, serverLeg: serverLeg ?? -1,
                clientLeg: attempt.clientLeg ?? -1, server: number(of: attempt.server),
                client: number(of: attempt.client.address), reporter: reporter,
                handshake: ObservationLog.handshake(attempt.client, attempt.clientISN), weight: 1,
                fate: Fate(attempt), traits: Traits(attempt)))
    }

    package mutating func add(_ plain: borrowing PlainAttempt) {
        append(
            Observation(
                time: plain.firstTime, id: plain.id, serverLeg: plain.synToSynAck, clientLeg: plain.synAckToAck,
                server: number(of: plain.server), client: number(of: plain.client.address), reporter: 0, handshake: 0,
                weight: 1, fate: .established, traits: []))
    }

    private static func handshake(_ client: Endpoint, _ isn: UInt32) -> UInt64 {
        var hash = client.address.high ^ UInt64(isn) << 16 ^ UInt64(client.port)
        for word in [client.address.low, UInt64(client.address.version.rawValue)] {
            hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 32
        }
        return hash
    }

    private mutating func append(_ observation: Observation) {
        attempts += 1
        observations.append(observation)
        if observations.count >= maximum { thin() }
    }

    private mutating func number(of server: Endpoint) -> UInt32 { numberedServers.number(of: server) }

    private mutating func number(of address: IPAddress) -> UInt32 { numberedAddresses.number(of: address) }

    /// Forgets attempts that began before a time.
    /// - Parameter time: nanoseconds since the epoch.
    package mutating func forget(before time: Int64) {
        guard observations.contains(where: { $0.time < time }) else { return }
        observations.removeAll { $0.time < time }
        if observations.isEmpty { isThinned = false }
        renumber()
    }

    // MARK: Thinning

    private struct Kind: Numberable {
        var server: UInt32
        var client: UInt32?
        var reporter: UInt32
        var fate: Fate
        var traits: Traits

        func hash(seed: UInt64) -> UInt64 {
            let ends = UInt64(server) << 32 | UInt64(client ?? .max)
            let rest = UInt64(reporter) << 32 | UInt64(fate.rawValue) << 16 | UInt64(traits.rawValue)
            return foldedProduct(foldedProduct(ends ^ seed, 0xa076_1d64_78bd_642f) ^ rest, 0x9e37_79b9_7f4a_7c15)
        }
    }

    private mutating func thin() {
        isThinned = true
        let goal = maximum / 4 * 3
        let busy = busyServers(maximum / 2)
        join(busy) {
            Kind(server: $0.server, client: $0.client, reporter: $0.reporter, fate: $0.fate, traits: $0.traits)
        }
        if observations.count > goal {
            join(busy) { Kind(server: $0.server, client: nil, reporter: $0.reporter, fate: $0.fate, traits: $0.traits) }
        }
        if observations.count > goal {
            evicted += stride(from: 1, to: observations.count, by: 2).reduce(0) { $0 + Int(observations[$1].weight) }
            observations = stride(from: 0, to: observations.count, by: 2).map { observations[$0] }
        }
        renumber()
    }

    /// Servers with more attempts than their share, where all have so many together. Of the others each attempt is
    /// worth keeping: they have few.
    private func busyServers(_ room: Int) -> [Bool] {
        var counts = [Int](repeating: 0, count: servers.count)
        for observation in observations { counts[Int(observation.server)] += 1 }
        var (left, share) = (room, Int.max)
        for (place, count) in counts.sorted().enumerated() {
            share = left / (counts.count - place)
            if count > share { break }
            left -= count
        }
        return counts.map { $0 > share }
    }

    /// Joins each two attempts that follow each other in their kind: the first stands for both.
    /// - Parameter busy: the servers whose attempts are joined, by number.
    private mutating func join(_ busy: [Bool], _ kind: (Observation) -> Kind) {
        var kinds = Numbered<Kind>()
        // Where the one of each kind is that has no other yet.
        var single: [Int?] = []
        var kept: [Observation] = []
        kept.reserveCapacity(observations.count)
        for observation in observations {
            guard busy[Int(observation.server)] else {
                kept.append(observation)
                continue
            }
            let kind = Int(kinds.number(of: kind(observation)))
            if kind == single.count { single.append(nil) }
            if let place = single[kind] {
                kept[place].weight += observation.weight
                single[kind] = nil
            } else {
                single[kind] = kept.count
                kept.append(observation)
            }
        }
        observations = kept
    }

    /// Forgets addresses that are in no observation any more.
    private mutating func renumber() {
        let (oldServers, oldAddresses) = (servers, addresses)
        (numberedServers, numberedAddresses) = (Numbered(), Numbered())
        for position in observations.indices {
            let observation = observations[position]
            observations[position].server = number(of: oldServers[Int(observation.server)])
            observations[position].client = number(of: oldAddresses[Int(observation.client)])
            if observation.reporter > 0 {
                observations[position].reporter = number(of: oldAddresses[Int(observation.reporter) - 1]) + 1
            }
        }
    }
}
