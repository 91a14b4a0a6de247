import Glibc
import PacketWire

/// Looks for the narrowest part of some attempts, and the time, that holds what happened to several of them.
///
/// Parts are a port, or all; a network of clients of each length, one client, or all; a span of time. Of all parts the
/// one is taken whose rate inside, against the rate outside, describes the attempts best (Kulldorff's scan statistic).
/// Fisher's exact test then asks whether chance would do it, times the number of parts that were looked at.
struct Search {
    /// The fewest attempts of a situation.
    static let least = 3
    /// Chance must be less probable than this for all parts together. The correction for so many parts, most of which
    /// overlap, is too strict by far: what passes is rarer than that.
    static let significance = 0.01
    /// The same for a part that it happened to always, among the parts of its shape.
    static let significanceOfAlways = 0.05
    /// It happens to all of a part, but for single exceptions, from this share on.
    static let nearlyAll = 0.8
    /// Parts of each kind that are looked at: those with the most that it happened to.
    private static let maximumParts = 64

    /// Attempts that it happened to, and where.
    struct Cluster {
        var port: UInt16?
        var clients: AddressPrefix?
        /// Positions within the part and its time, in order, and those that it happened to.
        var members: [Int]
        var affected: [Int]
        var counts: Counts
        /// As in `Situation`.
        var chance: Double?
        var isPartial: Bool { counts.rate < Search.nearlyAll }
    }

    private struct Part: Hashable {
        var port: UInt16?
        var clients: AddressPrefix?

        /// The order of parts that hold the same attempts: all clients rather than those who asked, the port that was
        /// asked rather than all. Neither says more than was seen. Then in the order of their addresses.
        func precedes(_ other: Part) -> Bool {
            if (clients == nil) != (other.clients == nil) { return clients == nil }
            if (port == nil) != (other.port == nil) { return port != nil }
            if let clients, let others = other.clients, clients != others {
                // One address rather than a network of which nothing else was seen.
                return clients.bits == others.bits ? clients < others : clients.bits > others.bits
            }
            return (port ?? 0) < (other.port ?? 0)
        }
    }

    let observations: [Observation]
    let servers: [Endpoint]
    let addresses: [IPAddress]

    private func parts(of position: Int) -> [Part] {
        let observation = observations[position]
        let client = addresses[Int(observation.client)]
        let port = servers[Int(observation.server)].port
        var parts = [Part(port: nil, clients: nil), Part(port: port, clients: nil)]
        for bits in AddressPrefix.lengths(client.version) {
            let clients = AddressPrefix(of: client, bits: bits)
            parts += [Part(port: nil, clients: clients), Part(port: port, clients: clients)]
        }
        return parts
    }

    /// The part that stands out most.
    /// - Parameters:
    ///   - positions: of attempts at one host, decided and in order.
    ///   - happened: whether it happened to an attempt.
    ///   - allowsPartial: whether it may have happened to less than `nearlyAll` of a part.
    /// - Returns: nil where nothing stands out.
    func cluster(
        _ positions: [Int], allowsPartial: Bool, _ happened: (Observation) -> Bool
    ) -> Cluster? {
        let isAffected = positions.map { happened(observations[$0]) }
        let all = Counts(attempts: positions.count, failures: isAffected.count { $0 })
        guard all.failures >= Search.least else { return nil }
        if all.isTotal { return whole(positions, isAffected, all) }

        // Parts in which it happened often enough, with their attempts.
        var failures: [Part: Int] = [:]
        for (place, position) in positions.enumerated() where isAffected[place] {
            for part in parts(of: position) { failures[part, default: 0] += 1 }
        }
        let wanted = Set(
            failures.filter { $0.value >= Search.least }
                .sorted { $0.value == $1.value ? $0.key.precedes($1.key) : $0.value > $1.value }
                .prefix(4 * Search.maximumParts).map(\.key))
        // The networks of a client are looked up once: few are wanted.
        let wantedNetworks = Set(wanted.map(\.clients))
        var ofClients: [UInt32: [AddressPrefix?]] = [:]
        func networks(of number: UInt32) -> [AddressPrefix?] {
            if let known = ofClients[number] { return known }
            let client = addresses[Int(number)]
            let all = [nil] + AddressPrefix.lengths(client.version).map { AddressPrefix(of: client, bits: $0) }
            let found = all.filter(wantedNetworks.contains)
            ofClients[number] = found
            return found
        }
        var places: [Part: [Int]] = [:]
        for (place, position) in positions.enumerated() {
            let observation = observations[position]
            for clients in networks(of: observation.client) {
                for port in [nil, servers[Int(observation.server)].port] {
                    let part = Part(port: port, clients: clients)
                    if wanted.contains(part) { places[part, default: []].append(place) }
                }
            }
        }
        var best: (ratio: Double, part: Part, places: ArraySlice<Int>, counts: Counts)?
        for part in wanted.sorted(by: { $0.precedes($1) }) {
            let found = Search.span(places[part] ?? [], isAffected, of: all)
            guard found.ratio > (best?.ratio ?? -1) + 1e-9 else { continue }
            best = (found.ratio, part, found.places, found.counts)
        }
        guard let best, best.counts.failures >= Search.least else { return nil }
        let spans = Double(all.failures) * Double(all.failures + 1) / 2
        let chance = min(1, Statistics.fisher(best.counts, of: all) * spans * Double(max(1, wanted.count)))
        var cluster = Cluster(
            port: best.part.port, clients: best.part.clients, members: best.places.map { positions[$0] },
            affected: best.places.filter { isAffected[$0] }.map { positions[$0] }, counts: best.counts, chance: chance)
        // No part stands out of all. One that it always happened to may stand out of those of its shape. If none does,
        // it may still happen to all attempts now and then.
        if chance > Search.significance {
            guard
                let other = always(places, isAffected, of: all, positions) ?? whole(positions, isAffected, all)
            else { return nil }
            cluster = other
        }
        return cluster.isPartial && !allowsPartial ? nil : cluster
    }

    /// A port, or a network of clients, that it happened to from the first attempt to the last.
    private func always(
        _ places: [Part: [Int]], _ isAffected: [Bool], of all: Counts, _ positions: [Int]
    ) -> Cluster? {
        var best: (chance: Double, part: Part)?
        for (part, places) in places.sorted(by: { $0.key.precedes($1.key) }) {
            guard let first = places.first, let last = places.last, places.allSatisfy({ isAffected[$0] }),
                // Success at another time says nothing of this one.
                (first...last).contains(where: { !isAffected[$0] })
            else { continue }
            let counts = Counts(attempts: places.count, failures: places.count)
            let chance = min(1, Statistics.fisher(counts, of: all) * Double(self.count(ofShapeOf: part, positions)))
            if chance < best?.chance ?? 2 { best = (chance, part) }
        }
        guard let best, best.chance < Search.significanceOfAlways, let places = places[best.part] else { return nil }
        let members = places.map { positions[$0] }
        return Cluster(
            port: best.part.port, clients: best.part.clients, members: members, affected: members,
            counts: Counts(attempts: members.count, failures: members.count), chance: best.chance)
    }

    /// How many parts of a part's shape there are: so many ports, networks of a length, or both.
    private func count(ofShapeOf part: Part, _ positions: [Int]) -> Int {
        Set(
            positions.map { position in
                let server = servers[Int(observations[position].server)]
                let client = addresses[Int(observations[position].client)]
                let bits = part.clients?.bits ?? 0
                return Part(
                    port: part.port == nil ? nil : server.port,
                    clients: part.clients == nil
                        ? nil : AddressPrefix(of: client, bits: client.version == .v4 ? min(bits, 32) : bits))
            }
        ).count
    }

    /// All attempts, from the first to the last that it happened to.
    private func whole(_ positions: [Int], _ isAffected: [Bool], _ all: Counts) -> Cluster? {
        guard let first = isAffected.firstIndex(of: true), let last = isAffected.lastIndex(of: true) else { return nil }
        let members = Array(positions[first...last])
        let affected = (first...last).filter { isAffected[$0] }.map { positions[$0] }
        let ports = Set(affected.map { servers[Int(observations[$0].server)].port })
        return Cluster(
            port: ports.count == 1 && Set(positions.map { servers[Int(observations[$0].server)].port }).count == 1
                ? ports.first : nil,
            clients: nil, members: members, affected: affected,
            counts: Counts(attempts: members.count, failures: affected.count), chance: nil)
    }

    /// The span of time that stands out most among some attempts; it begins and ends with one that it happened to.
    static func span(
        _ places: [Int], _ isAffected: [Bool], of all: Counts
    ) -> (ratio: Double, places: ArraySlice<Int>, counts: Counts) {
        guard let first = places.firstIndex(where: { isAffected[$0] }),
            let last = places.lastIndex(where: { isAffected[$0] })
        else { return (-1, [], Counts(attempts: 0, failures: 0)) }
        func result(_ span: ClosedRange<Int>) -> (ratio: Double, places: ArraySlice<Int>, counts: Counts) {
            let counts = Counts(attempts: span.count, failures: places[span].count { isAffected[$0] })
            return (Statistics.likelihoodRatio(counts, of: all), places[span], counts)
        }
        var best = result(first...last)
        // The sum of log-likelihoods under two rates is greatest where the span of the higher one lies (Kadane).
        for inside in [0.98, 0.7, 0.3] {
            var outside = max(0.5 / Double(all.attempts), all.rate / 10)
            for _ in 0..<3 {
                guard inside > outside else { break }
                let gain = (log(inside / outside), log((1 - inside) / (1 - outside)))
                guard let span = greatest(places, isAffected, gain) else { break }
                let found = result(span)
                if found.ratio > best.ratio { best = found }
                let rest = Counts(
                    attempts: all.attempts - found.counts.attempts, failures: all.failures - found.counts.failures)
                outside = max(0.5 / Double(all.attempts), rest.rate)
            }
        }
        return best
    }

    /// The span with the greatest sum, an attempt counting as its gain says.
    private static func greatest(
        _ places: [Int], _ isAffected: [Bool], _ gain: (affected: Double, spared: Double)
    ) -> ClosedRange<Int>? {
        var (start, sum) = (0, 0.0)
        var best: (sum: Double, span: ClosedRange<Int>)?
        for (index, place) in places.enumerated() {
            if sum <= 0 { (start, sum) = (index, 0) }
            sum += isAffected[place] ? gain.affected : gain.spared
            if isAffected[place], sum > best?.sum ?? 0 { best = (sum, start...index) }
        }
        return best?.span
    }
}
