import HandshakeRecord
import PacketWire

// Round trips that became longer, or shorter, at a moment.
extension Causes {
    /// Attempts on either side of a change, and in all.
    private static let leastBeside = 4
    private static let leastInAll = 10
    /// A median that is so many times as long, and so many nanoseconds longer, is slow.
    private static let slowFactor: Int64 = 2
    private static let slowDifference: Int64 = 1_000_000

    /// A spell of long round trips.
    private struct Spell {
        var members: [Int]
        var shift: Situation.Shift
        var chance: Double
    }

    mutating func findSlowServers() {
        var found: [(server: Endpoint, spell: Spell)] = []
        var tested: [Endpoint] = []
        for number in log.servers.indices.sorted(by: { log.servers[$0] < log.servers[$1] }) {
            let positions = positions(at: number).filter { isTimed($0, \.serverLeg) }
            guard positions.count >= Self.leastInAll else { continue }
            tested.append(log.servers[number])
            for spell in slowSpells(positions, \.serverLeg, by: \.server) { found.append((log.servers[number], spell)) }
        }
        let significant = found.filter { $0.spell.chance * Double(tested.count) < Causes.significance }
        let prefix = AddressPrefix.covering(significant.map(\.server.address))
        let slow = Set(significant.map(\.server))
        // Where most servers became slow, the way to them did.
        let around = tested.filter { prefix?.contains($0.address) ?? true }
        let isOneHost = prefix?.isHost ?? false
        if slow.count >= (isOneHost ? 2 : 3), slow.count * 5 >= around.count * 4 {
            let members = significant.flatMap(\.spell.members).sorted()
            let scope = Scope(servers: prefix)
            add(
                delay(
                    .serverSlow, scope,
                    Spell(
                        members: members, shift: significant[0].spell.shift,
                        chance: significant.map(\.spell.chance).max() ?? 1), tested.count))
            return
        }
        for (server, spell) in significant {
            let scope = Scope(servers: .host(server.address), ports: [server.port])
            add(delay(.serverSlow, scope, spell, tested.count))
        }
    }

    mutating func findSlowClients() {
        var byClients: [AddressPrefix: [Int]] = [:]
        for position in observations.indices where isTimed(position, \.clientLeg) {
            let client = client(position)
            let network = AddressPrefix(of: client, bits: AddressPrefix.lengths(client.version)[1])
            byClients[network, default: []].append(position)
        }
        let tested = byClients.filter { $0.value.count >= Self.leastInAll }.sorted { $0.key < $1.key }
        for (network, positions) in tested {
            for spell in slowSpells(positions, \.clientLeg, by: \.client)
            where spell.chance * Double(tested.count) < Causes.significance {
                let clients = Set(positions.map(client))
                let narrowest = clients.count == 1 ? clients.first.map(AddressPrefix.host) ?? network : network
                add(delay(.clientSlow, Scope(clients: narrowest), spell, tested.count))
            }
        }
    }

    /// Whether a leg of an attempt is known, and no loss or stranger is in it.
    private func isTimed(_ position: Int, _ leg: KeyPath<Observation, Int64>) -> Bool {
        let observation = observations[position]
        return observation.fate == .established && observation[keyPath: leg] >= 0
            && observation.traits.isDisjoint(with: .lost)
    }

    private func delay(_ code: SituationCode, _ scope: Scope, _ spell: Spell, _ tested: Int) -> Situation {
        var situation = Situation(
            code: code, scope: scope, attempts: weight(spell.members), affected: weight(spell.members),
            window: observations[spell.members[0]].time...observations[spell.members.last!].time,
            evidence: evidence(spell.members))
        situation.shift = spell.shift
        situation.chance = min(1, spell.chance * Double(tested))
        situation.isEstimate = log.isThinned
        let (first, last) = (spell.members[0], spell.members.last!)
        for position in observations.indices {
            guard observations[position].fate == .established, position < first || position > last,
                scope.contains(server(position), client(position))
            else { continue }
            if position < first { situation.wellBefore = observations[position].time }
            if position > last, situation.wellAfter == nil { situation.wellAfter = observations[position].time }
        }
        return situation
    }

    /// Spells in which a leg took far longer than in its best stretch.
    /// - Parameter end: whose distance a value is compared with: a farther client that comes later is no change.
    private func slowSpells(
        _ positions: [Int], _ leg: KeyPath<Observation, Int64>, by end: KeyPath<Observation, UInt32>
    ) -> [Spell] {
        let values = positions.map { observations[$0][keyPath: leg] }
        var least: [UInt32: Int64] = [:]
        for position in positions {
            let observation = observations[position]
            least[observation[keyPath: end]] = max(
                1, min(observation[keyPath: leg], least[observation[keyPath: end]] ?? .max))
        }
        // In millionths of the shortest of its own end.
        let relative = positions.map { position in
            let observation = observations[position]
            let own = Double(observation[keyPath: leg]) / Double(least[observation[keyPath: end]] ?? 1)
            return Int64(min(own, 1e6) * 1e6)
        }
        var chances: [Int: Double] = [:]
        split(relative, 0..<relative.count, 0, &chances)
        guard !chances.isEmpty else { return [] }
        let edges = [0] + chances.keys.sorted() + [values.count]
        let stretches = zip(edges, edges.dropFirst()).map { $0..<$1 }
        let medians = stretches.map { Self.median(values[$0]) }
        guard let best = medians.min() else { return [] }
        var spells: [Spell] = []
        var place = 0
        while place < stretches.count {
            func isSlow(_ place: Int) -> Bool {
                medians[place] >= best * Self.slowFactor && medians[place] &- best >= Self.slowDifference
            }
            guard isSlow(place) else {
                place += 1
                continue
            }
            let start = place
            while place < stretches.count, isSlow(place) { place += 1 }
            let around = (start > 0 ? stretches[start - 1].lowerBound : 0)..<stretches[place - 1].upperBound
            let begin = start > 0 ? Self.step(relative, around, near: stretches[start].lowerBound) : 0
            let range = begin..<stretches[place - 1].upperBound
            spells.append(
                Spell(
                    members: Array(positions[range]),
                    shift: .init(before: best, since: Self.median(values[range])),
                    // A change within it says nothing of its edges.
                    chance: [stretches[start].lowerBound, stretches[place - 1].upperBound].compactMap { chances[$0] }
                        .min() ?? 1))
        }
        return spells
    }

    /// Splits a series where it changes, as long as chance would not do it.
    /// - Parameter chances: of each change, by its position.
    private func split(_ values: [Int64], _ range: Range<Int>, _ depth: Int, _ chances: inout [Int: Double]) {
        guard depth < 4, range.count >= Self.leastInAll,
            let change = Statistics.change(in: Array(values[range])), change.probability < Causes.significance,
            change.position >= Self.leastBeside, range.count - change.position >= Self.leastBeside
        else { return }
        let middle = range.lowerBound + change.position
        chances[middle] = change.probability
        split(values, range.lowerBound..<middle, depth + 1, &chances)
        split(values, middle..<range.upperBound, depth + 1, &chances)
    }

    /// Where values step up: the position that leaves the fewest high ones before and low ones behind.
    /// - Parameter position: near where.
    private static func step(_ values: [Int64], _ range: Range<Int>, near position: Int) -> Int {
        let (low, high) = (median(values[range.lowerBound..<position]), median(values[position..<range.upperBound]))
        let limit = Int64((Double(max(1, low)) * Double(max(1, high))).squareRoot())
        var wrong = values[range].count { $0 < limit }
        var best = (wrong: wrong, position: range.lowerBound)
        for position in range {
            wrong += values[position] >= limit ? 1 : -1
            if wrong < best.wrong { best = (wrong, position + 1) }
        }
        return best.position
    }

    private static func median(_ values: ArraySlice<Int64>) -> Int64 { values.sorted()[values.count / 2] }
}
