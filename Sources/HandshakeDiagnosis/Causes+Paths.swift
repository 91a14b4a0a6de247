import HandshakeRecord
import PacketWire

// Causes on the path and in a server's queues: losses, full queues, resets that are meant.
extension Causes {
    /// A server that does not accept: final ACKs are dropped, then SYNs, while its other ports and other servers are
    /// well.
    mutating func findFullAcceptQueues() {
        for host in hosts {
            for number in host.servers {
                let positions = open(at: [number])
                guard positions.count(where: { observations[$0].traits.contains(.lostACK) }) >= 2 else { continue }
                let isDropped = positions.map {
                    observations[$0].fate == .silent
                        || !observations[$0].traits.isDisjoint(with: [.lostACK, .lostSYN])
                }
                // Where connections come one by one, SYNs are dropped long before the first ACK is.
                let span = Search.span(
                    Array(positions.indices), isDropped,
                    of: Counts(attempts: positions.count, failures: isDropped.count { $0 }))
                let members = span.places.map { positions[$0] }
                let affected = span.places.filter { isDropped[$0] }.map { positions[$0] }
                guard affected.count >= Search.least, let first = affected.first, let last = affected.last,
                    affected.count(where: { observations[$0].traits.contains(.lostACK) }) >= 2
                else { continue }
                let counts = span.counts
                let others = observations.indices.filter {
                    $0 >= first && $0 <= last && observations[$0].isDecided && !isExplained[$0]
                        && Int(observations[$0].server) != number
                }
                let lost = others.count {
                    observations[$0].fate == .silent || !observations[$0].traits.isDisjoint(with: .lost)
                }
                var cluster = Search.Cluster(
                    port: server(last).port, clients: nil, members: members, affected: affected, counts: counts)
                if others.isEmpty {
                    // With nothing to compare it with, only a share that no path has.
                    guard counts.rate >= 0.5 else { continue }
                } else {
                    let all = Counts(
                        attempts: members.count + others.count, failures: affected.count + lost)
                    cluster.chance = min(
                        1, Statistics.fisher(counts, of: all) * Double(max(1, log.servers.count)))
                    guard cluster.chance! < Causes.significance else { continue }
                }
                explain(affected)
                add(
                    situation(
                        .acceptQueueFull, Scope(servers: .host(host.address), ports: [server(last).port]), cluster
                    ) { $0.fate == .silent || !$0.traits.isDisjoint(with: .lost) })
            }
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
        func parts(_ position: Int) -> [Part] {
            let (server, client) = (server(position).address, client(position))
            let servers = AddressPrefix.lengths(server.version).map { AddressPrefix(of: server, bits: $0) }
            let clients = AddressPrefix.lengths(client.version).map { AddressPrefix(of: client, bits: $0) }
            return servers.map { Part(servers: $0, clients: nil) } + clients.map { Part(servers: nil, clients: $0) }
        }
        var counts: [Part: Counts] = [:]
        for position in open where isLossy(position) {
            for part in parts(position) { counts[part, default: Counts(attempts: 0, failures: 0)].failures += 1 }
        }
        counts = counts.filter { $0.value.failures >= 5 }
        for position in open {
            for part in parts(position) where counts[part] != nil { counts[part]?.attempts += 1 }
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
