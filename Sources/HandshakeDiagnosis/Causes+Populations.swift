import HandshakeRecord
import PacketWire

// Causes by strangers: scans, floods, and answers to packets that were sent in somebody's name.
extension Causes {
    /// A client that tries many servers and ports and uses next to none.
    mutating func findScans() {
        var targets: [UInt32: (unused: Set<UInt32>, used: Set<UInt32>, positions: [Int])] = [:]
        for position in observations.indices where observations[position].fate != .unknown {
            let observation = observations[position]
            if observation.fate == .established {
                targets[observation.client]?.used.insert(observation.server)
            } else {
                targets[observation.client, default: ([], [], [])].unused.insert(observation.server)
                targets[observation.client]?.positions.append(position)
            }
        }
        for (client, tried) in targets.sorted(by: { log.addresses[Int($0.key)] < log.addresses[Int($1.key)] }) {
            guard tried.unused.count >= TrafficPattern.scanThreshold, tried.used.count * 10 <= tried.unused.count,
                !isPathDown(tried.unused, from: client)
            else { continue }
            let address = log.addresses[Int(client)]
            let servers = tried.unused.map { log.servers[Int($0)] }
            let hosts = Set(servers.map(\.address))
            let ports = Set(servers.map(\.port))
            var scope = Scope(clients: .host(address))
            scope.servers = hosts.count == 1 ? hosts.first.map(AddressPrefix.host) : AddressPrefix.covering(hosts)
            scope.ports = ports.count == 1 ? Array(ports) : []
            var situation = population(.scan, scope, tried.positions)
            situation.attempts = tried.unused.count + tried.used.count
            situation.affected = tried.unused.count
            add(situation)
            explain(tried.positions)
        }
    }

    /// Whether others asked most of the servers that a client did not reach: then the client is no scanner.
    private func isPathDown(_ servers: Set<UInt32>, from client: UInt32) -> Bool {
        let shared = servers.count { server in
            positions(at: Int(server)).contains {
                observations[$0].client != client && observations[$0].isDecided && !isExplained[$0]
            }
        }
        return shared * 2 > servers.count
    }

    /// Many handshakes of many clients that were left open at one server.
    mutating func findFloods() {
        for (number, server) in log.servers.enumerated() {
            let all = positions(at: number)
            let left = all.filter { position in
                switch observations[position].fate {
                case .silent, .unfinished, .answerUnheard: true
                case .unknown: !observations[position].traits.contains(.unasked)
                // The owner of a forged address resets what it did not begin.
                case .resetByClient: observations[position].traits.contains(.foreignClientReset)
                default: false
                }
            }
            let once = left.count { !observations[$0].traits.contains(.repeatedSYN) }
            let clients = Set(left.map { observations[$0].client }).count
            guard weight(left) >= TrafficPattern.floodThreshold, weight(left) > weight(all) / 2,
                clients >= TrafficPattern.floodThreshold / 5,
                // Clients of a server that is merely silent send their SYNs again. A flooded one repeats its SYN-ACKs.
                Double(once) >= Search.nearlyAll * Double(left.count), isBrief(left)
            else { continue }
            var situation = population(
                .flood, Scope(servers: .host(server.address), ports: [server.port]), left)
            situation.attempts = weight(all)
            add(situation)
            explain(left)
        }
    }

    /// Whether half of some attempts came at more than one a second.
    private func isBrief(_ positions: [Int]) -> Bool {
        let half = positions.count / 2
        guard half > 0 else { return false }
        let shortest = (0..<positions.count - half).map {
            observations[positions[$0 + half]].time &- observations[positions[$0]].time
        }.min()
        return shortest ?? 0 < Int64(half) * 1_000_000_000
    }

    /// SYN-ACKs of one host to many that never asked it.
    mutating func findBackscatter() {
        for host in hosts {
            let all = host.servers.flatMap { positions(at: $0) }.sorted()
            let unasked = all.filter { observations[$0].traits.contains(.unasked) }
            guard Set(unasked.map { observations[$0].client }).count >= TrafficPattern.backscatterThreshold,
                !all.contains(where: { observations[$0].isDecided })
            else { continue }
            add(population(.backscatter, Scope(servers: .host(host.address)), unasked))
            explain(unasked)
        }
    }

    private func population(_ code: SituationCode, _ scope: Scope, _ positions: [Int]) -> Situation {
        var situation = Situation(
            code: code, scope: scope, attempts: weight(positions), affected: weight(positions),
            window: observations[positions[0]].time...observations[positions.last!].time,
            evidence: evidence(positions))
        situation.isEstimate = log.isThinned
        return situation
    }
}
