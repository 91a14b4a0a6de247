import HandshakeRecord
import PacketWire

// Causes on the path and in a server's queues: losses, full queues, resets that are meant.
extension Causes {
    /// A server that does not accept: final ACKs are dropped, then SYNs, while its other ports and other servers are
    /// well.
    mutating func findFullAcceptQueues() {
        func isDropped(_ observation: Observation) -> Bool {
            observation.fate == .silent || !observation.traits.isDisjoint(with: [.lostACK, .lostSYN])
        }
        func isLost(_ observation: Observation) -> Bool {
            observation.fate == .silent || !observation.traits.isDisjoint(with: .lost)
        }
        let hosts = hosts(with: { $0.traits.contains(.lostACK) }, least: 2)
        // Made anew once attempts are explained.
        var totals: RunningCounts?
        for host in hosts {
            for number in host.servers {
                let positions = open(at: [number])
                guard positions.count(where: { observations[$0].traits.contains(.lostACK) }) >= 2 else { continue }
                let isAffected = positions.map { isDropped(observations[$0]) }
                // Where connections come one by one, SYNs are dropped long before the first ACK is.
                let span = Search.span(
                    Array(positions.indices), isAffected,
                    of: Counts(attempts: positions.count, failures: isAffected.count { $0 }))
                let members = span.places.map { positions[$0] }
                let affected = span.places.filter { isAffected[$0] }.map { positions[$0] }
                guard affected.count >= Search.least, let first = affected.first, let last = affected.last,
                    affected.count(where: { observations[$0].traits.contains(.lostACK) }) >= 2
                else { continue }
                let counts = span.counts
                let known =
                    totals
                    ?? RunningCounts(
                        observations.indices.map { position in
                            let observation = observations[position]
                            guard observation.isDecided, !isExplained[position] else { return nil }
                            return isLost(observation)
                        })
                totals = known
                // The attempts at other servers meanwhile.
                var others = known.counts(in: first...last)
                for position in positions where position >= first && position <= last {
                    others.attempts -= 1
                    if isLost(observations[position]) { others.failures -= 1 }
                }
                var cluster = Search.Cluster(
                    port: server(last).port, clients: nil, members: members, affected: affected, counts: counts)
                if others.attempts == 0 {
                    // With nothing to compare it with, only a share that no path has.
                    guard counts.rate >= 0.5 else { continue }
                } else {
                    let all = Counts(
                        attempts: members.count + others.attempts, failures: affected.count + others.failures)
                    cluster.chance = min(
                        1, Statistics.fisher(counts, of: all) * Double(max(1, log.servers.count)))
                    guard cluster.chance! < Causes.significance else { continue }
                }
                explain(affected)
                totals = nil
                add(
                    situation(
                        .acceptQueueFull, Scope(servers: .host(host.address), ports: [server(last).port]), cluster,
                        isLost))
            }
        }
    }

    /// Sums over attempts in order, so that those of any span are two look-ups.
    private struct RunningCounts {
        /// The counts of the attempts before each position.
        private let sums: [Counts]

        /// - Parameter failures: whether each attempt failed; nil for one that does not count.
        init(_ failures: [Bool?]) {
            var sum = Counts(attempts: 0, failures: 0)
            var sums = [sum]
            sums.reserveCapacity(failures.count + 1)
            for failed in failures {
                if let failed { sum += Counts(attempts: 1, failures: failed ? 1 : 0) }
                sums.append(sum)
            }
            self.sums = sums
        }

        func counts(in span: ClosedRange<Int>) -> Counts {
            let (before, all) = (sums[span.lowerBound], sums[span.upperBound + 1])
            return Counts(attempts: all.attempts - before.attempts, failures: all.failures - before.failures)
        }
    }

    /// Attempts that their clients reset after the SYN-ACK, or as soon as they were connections: at regular times, one
    /// client checks a server's health.
    mutating func findClientResets() {
        func isReset(_ observation: Observation) -> Bool {
            observation.fate == .resetByClient || observation.traits.contains(.clientResetAfterEstablished)
        }
        for host in hosts {
            for number in host.servers {
                var byClient: [UInt32: [Int]] = [:]
                for position in open(at: [number]) where isReset(observations[position]) {
                    byClient[observations[position].client, default: []].append(position)
                }
                for (client, positions) in byClient.sorted(by: { $0.value[0] < $1.value[0] })
                where positions.count >= 5 && isRegular(positions) {
                    explain(positions)
                    let scope = Scope(
                        servers: .host(host.address), ports: [server(positions[0]).port],
                        clients: .host(log.addresses[Int(client)]))
                    let cluster = Search.Cluster(
                        port: nil, clients: nil, members: positions, affected: positions,
                        counts: Counts(attempts: positions.count, failures: positions.count))
                    add(situation(.loadBalancerChecks, scope, cluster, isReset))
                }
            }
        }
        findFailures(.clientResets, allowsPartial: true, isReset)
    }

    /// Whether most of the times between attempts are within a fifth of their median.
    private func isRegular(_ positions: [Int]) -> Bool {
        let gaps = zip(positions, positions.dropFirst()).map { observations[$1].time &- observations[$0].time }
        let median = gaps.sorted()[gaps.count / 2]
        guard median >= 100_000_000 else { return false }
        let near = gaps.count { abs($0 &- median) * 5 <= median }
        return near * 5 >= gaps.count * 4
    }

    /// Segments of handshakes that were lost and sent again, though most came to a connection.
    mutating func findPathLoss() {
        for _ in 0..<4 {
            // Where none came to a connection, nothing tells a lost segment from one that somebody dropped.
            let open = observations.indices.filter { observations[$0].fate == .established && !isExplained[$0] }
            let lost = open.count { isLossy($0) }
            guard lost >= 5 else { return }
            let all = Counts(attempts: open.count, failures: lost)
            guard let found = lossyPart(open, all) else { return }
            explain(found.cluster.affected)
            // A stray loss here and there is no situation.
            guard found.cluster.counts.failures >= 5,
                Statistics.interval(found.cluster.counts).lowerBound >= 0.01
            else { return }
            var situation = situation(.pathLoss, found.scope, found.cluster) {
                !$0.traits.isDisjoint(with: .lost)
            }
            situation.share = Statistics.interval(found.cluster.counts)
            let traits = found.cluster.affected.map { observations[$0].traits }
            situation.losses = .init(
                syn: traits.count { $0.contains(.lostSYN) }, synAck: traits.count { $0.contains(.lostSYNACK) },
                ack: traits.count { $0.contains(.lostACK) })
            add(situation)
        }
    }

    private func isLossy(_ position: Int) -> Bool { !observations[position].traits.isDisjoint(with: .lost) }

    /// The servers and clients among which losses are the most unlike the rest; all of them where none are.
    private func lossyPart(_ open: [Int], _ all: Counts) -> (scope: Scope, cluster: Search.Cluster)? {
        struct Part: Hashable {
            var servers: AddressPrefix?
            var clients: AddressPrefix?
        }
        // Each attempt counts for its server and for its client, and these for the networks that they are in.
        let none = Counts(attempts: 0, failures: 0)
        var servers = log.servers.map { (address: $0.address, isServer: true, counts: none) }
        var clients = log.addresses.map { (address: $0, isServer: false, counts: none) }
        for position in open {
            let one = Counts(attempts: 1, failures: isLossy(position) ? 1 : 0)
            servers[Int(observations[position].server)].counts += one
            clients[Int(observations[position].client)].counts += one
        }
        let ends = servers + clients
        func parts(_ address: IPAddress, isServer: Bool) -> [Part] {
            AddressPrefix.lengths(address.version).map { bits in
                let network = AddressPrefix(of: address, bits: bits)
                return isServer ? Part(servers: network) : Part(clients: network)
            }
        }
        var counts: [Part: Counts] = [:]
        for end in ends where end.counts.failures > 0 {
            for part in parts(end.address, isServer: end.isServer) {
                counts[part, default: none].failures += end.counts.failures
            }
        }
        counts = counts.filter { $0.value.failures >= 5 }
        for end in ends where end.counts.attempts > 0 {
            for part in parts(end.address, isServer: end.isServer) where counts[part] != nil {
                counts[part]?.attempts += end.counts.attempts
            }
        }
        func breadth(_ part: Part) -> Int { (part.servers?.bits ?? 0) + (part.clients?.bits ?? 0) }
        let ranked = counts.map {
            (part: $0.key, counts: $0.value, ratio: Statistics.likelihoodRatio($0.value, of: all))
        }
        .sorted { a, b in
            if abs(a.ratio - b.ratio) > 1e-9 { return a.ratio > b.ratio }
            if breadth(a.part) != breadth(b.part) { return breadth(a.part) < breadth(b.part) }
            return "\(a.part)" < "\(b.part)"
        }
        var part = Part()
        var chance: Double?
        if let best = ranked.first, best.ratio > 0 {
            let probability = min(1, Statistics.fisher(best.counts, of: all) * Double(counts.count))
            if probability < Causes.significance { (part, chance) = (best.part, probability) }
        }
        let members = open.filter {
            (part.servers?.contains(server($0).address) ?? true) && (part.clients?.contains(client($0)) ?? true)
        }
        let affected = members.filter(isLossy)
        guard !affected.isEmpty else { return nil }
        let cluster = Search.Cluster(
            port: nil, clients: part.clients, members: members, affected: affected,
            counts: Counts(attempts: members.count, failures: affected.count), chance: chance)
        return (Scope(servers: part.servers, clients: part.clients), cluster)
    }

    /// Connections of which one direction is missing, beside others that are whole.
    mutating func findAsymmetry() {
        let decided = observations.indices.filter { observations[$0].isDecided }
        // Where all are like that, the capture is.
        guard decided.contains(where: { !observations[$0].traits.contains(.oneSided) }) else { return }
        findFailures(.asymmetricRouting) { $0.traits.contains(.oneSided) }
    }
}
