public import HandshakeRecord
import PacketWire

/// The situations of a capture.
///
/// Causes are looked for in the order of `SituationCode`. What one accounts for is not looked at again, so that one
/// cause is one situation.
public struct Diagnosis: Hashable, Sendable {
    /// The worst first.
    public private(set) var situations: [Situation] = []
    /// Attempts that failed and are in no situation.
    public private(set) var unexplainedFailures = 0
    /// Attempts that were looked at, and those that found no room.
    public let attempts: Int
    /// Attempts that were let go by a limit.
    public let evicted: Int

    /// Fewer attempts have no situation.
    public static var leastAttempts: Int { Search.least }

    /// Situations that are looked for: of more, the first of each kind are found.
    static let maximum = 200

    package init(_ log: ObservationLog) {
        attempts = log.attempts
        evicted = log.evicted
        var search = Causes(log)
        search.findAll()
        unexplainedFailures = search.unexplainedFailures
        situations = search.situations.sorted {
            if $0.code.severity != $1.code.severity { return $0.code.severity > $1.code.severity }
            if $0.affected != $1.affected { return $0.affected > $1.affected }
            if $0.window.lowerBound != $1.window.lowerBound { return $0.window.lowerBound < $1.window.lowerBound }
            return ($0.evidence.first ?? 0, $0.code.rawValue) < ($1.evidence.first ?? 0, $1.code.rawValue)
        }
    }

    /// The situations of some records.
    public init(_ records: some Sequence<AttemptRecord>) {
        var log = ObservationLog()
        for record in records { log.add(record) }
        self.init(log)
    }
}

/// The search for causes, one kind after the other.
struct Causes {
    /// Chance must be less probable than this for a rate or a delay to differ, all places together.
    static let significance = 1e-3
    let log: ObservationLog
    /// In the order of time.
    let observations: [Observation]
    let search: Search
    /// Positions of the attempts at each server, by its number.
    private let byServer: [[Int]]
    /// Numbers of the servers at each address, both in order.
    let hosts: [(address: IPAddress, servers: [Int])]
    var isExplained: [Bool]
    /// Explained ones that are in no situation, since it is too small a share to be told.
    private var isUntold: [Bool]
    private(set) var situations: [Situation] = []

    init(_ log: ObservationLog) {
        self.log = log
        var observations = log.observations.sorted { ($0.time, $0.id) < ($1.time, $1.id) }
        Causes.findAnswersFromElsewhere(&observations, log.servers)
        self.observations = observations
        search = Search(observations: observations, servers: log.servers, addresses: log.addresses)
        var byServer = [[Int]](repeating: [], count: log.servers.count)
        for (position, observation) in observations.enumerated() { byServer[Int(observation.server)].append(position) }
        self.byServer = byServer
        var hosts: [IPAddress: [Int]] = [:]
        for (number, server) in log.servers.enumerated() { hosts[server.address, default: []].append(number) }
        self.hosts = hosts.sorted { $0.key < $1.key }.map { address, numbers in
            (address, numbers.sorted { log.servers[$0].port < log.servers[$1].port })
        }
        isExplained = [Bool](repeating: false, count: observations.count)
        isUntold = isExplained
    }

    /// A SYN without answer, and a SYN-ACK from another address that acknowledges it: two attempts that are one. The
    /// SYN may also have been captured a second time, on its way to that address. A scanner asks many ports of one host
    /// with one port and one x: an answer of that host is no answer from elsewhere.
    private static func findAnswersFromElsewhere(_ observations: inout [Observation], _ known: [Endpoint]) {
        var servers: [UInt64: UInt32] = [:]
        for observation in observations where observation.fate == .silent {
            servers[observation.handshake] = observation.server
        }
        // The last SYNs of the capture are not decided yet.
        for observation in observations
        where observation.fate == .unknown && observation.traits.contains(.repeatedSYN) {
            servers[observation.handshake] = observation.server
        }
        if servers.isEmpty { return }
        // A scanner may ask several hosts so: then only an answer that nobody asked for is one from elsewhere.
        var asked: [UInt64: Set<IPAddress>] = [:]
        for observation in observations where servers[observation.handshake] != nil {
            asked[observation.handshake, default: []].insert(known[Int(observation.server)].address)
        }
        let answered = observations.filter { answer in
            guard let server = servers[answer.handshake],
                known[Int(server)].address != known[Int(answer.server)].address
            else { return false }
            let isUsed = answer.fate == .established || answer.fate == .silent
            return answer.traits.contains(.unasked)
                || answer.isDecided && !isUsed && asked[answer.handshake, default: []].count == 2
        }
        let both = Set(answered.map(\.handshake))
        if both.isEmpty { return }
        for position in observations.indices where both.contains(observations[position].handshake) {
            // The other half is no attempt of its own.
            let isSilent = observations[position].fate == .silent
            observations[position].fate = isSilent ? .answeredElsewhere : .unknown
            observations[position].traits.remove(.unasked)
        }
    }

    mutating func findAll() {
        findScans()
        findFloods()
        findBackscatter()
        findFailures(.answerFromElsewhere) { $0.fate == .answeredElsewhere }
        // A tuple is met again by chance: it happens to some attempts among others.
        findFailures(.portReuseCollision, allowsPartial: true) {
            $0.fate == .challenged || $0.fate != .established && $0.traits.contains(.reusedTuple)
        }
        findFailures(.sequenceRewritten, allowsPartial: true) {
            $0.fate == .wrongNumbers || $0.traits.contains(.wrongNumbers)
        }
        // A RST in the client's name before there is a connection may be that of whoever owns a forged address.
        findFailures(.resetByMiddlebox, allowsPartial: true) {
            $0.traits.contains(.foreignReset)
                || $0.traits.contains(.foreignClientReset) && $0.fate != .resetByClient
        }
        findFullAcceptQueues()
        for (fate, answer) in [(Fate.silent, Situation.Answer.nothing), (.prohibited, .icmpError), (.refused, .rst)] {
            findClientsCutOff(fate, answer)
        }
        findFailures(.hostUnreachable, isReported: true) { $0.fate == .unreachable }
        findFailures(.portFiltered, isReported: true) { $0.fate == .prohibited }
        findFailures(.hostSilent) { $0.fate == .silent }
        findFailures(.portRefused, allowsPartial: true) { $0.fate == .refused }
        findFailures(.answersLost) { $0.fate == .answerUnheard }
        findFailures(.finalAcksLost) { $0.fate == .unfinished }
        findFailures(.serverResets, allowsPartial: true) {
            $0.fate == .resetByServer || $0.traits.contains(.resetAfterEstablished)
        }
        findClientResets()
        findFailures(.fastOpenBlackholed) { $0.traits.contains(.fastOpenUnanswered) }
        findPathLoss()
        findSlowServers()
        findSlowClients()
        findFailures(.optionsStripped) { $0.traits.contains(.strippedOption) }
        findFailures(.synProxy) { $0.traits.contains(.noWindow) }
        findFailures(.mssClamped) { $0.traits.contains(.clampedMSS) }
        findAsymmetry()
        mergeHosts()
        mergeClients()
        mergePaths()
    }

    var unexplainedFailures: Int {
        observations.indices.reduce(0) { sum, position in
            let fate = observations[position].fate
            let failed = fate != .established && fate != .unknown
            return failed && (!isExplained[position] || isUntold[position])
                ? sum + Int(observations[position].weight) : sum
        }
    }

    // MARK: Access

    func server(_ position: Int) -> Endpoint { log.servers[Int(observations[position].server)] }

    func client(_ position: Int) -> IPAddress { log.addresses[Int(observations[position].client)] }

    func weight(_ positions: some Sequence<Int>) -> Int { positions.reduce(0) { $0 + Int(observations[$1].weight) } }

    /// Attempts at a server, in order.
    func positions(at server: Int) -> [Int] { byServer[server] }

    /// Attempts at some servers that are decided and that nothing explains yet, in order.
    func open(at servers: [Int]) -> [Int] {
        let positions = servers.flatMap { byServer[$0] }.filter {
            observations[$0].isDecided && !isExplained[$0]
        }
        return servers.count == 1 ? positions : positions.sorted()
    }

    mutating func explain(_ positions: some Sequence<Int>) {
        for position in positions { isExplained[position] = true }
    }

    /// No later cause is to claim them, and no situation has them.
    mutating func leaveUntold(_ positions: some Sequence<Int>) {
        for position in positions { isUntold[position] = true }
    }

    mutating func add(_ situation: Situation) {
        if situations.count < Diagnosis.maximum { situations.append(situation) }
    }

    mutating func replaceSituations(_ new: [Situation]) { situations = new }

    // MARK: Failures at one host

    /// Looks for what happened to attempts at one host, at each: until nothing more stands out.
    /// - Parameter isReported: whether ICMP errors say it.
    mutating func findFailures(
        _ code: SituationCode, allowsPartial: Bool = false, isReported: Bool = false,
        _ happened: (Observation) -> Bool
    ) {
        let all = counts(observations.indices, happened)
        for host in hosts(with: happened) {
            var found: [Situation] = []
            for _ in 0..<8 {
                let positions = open(at: host.servers)
                guard
                    var cluster = search.cluster(
                        isReported ? answered(positions) : positions, allowsPartial: allowsPartial, happened)
                else { break }
                let scope = Scope(
                    servers: .host(host.address),
                    ports: cluster.port.map { [$0] } ?? [], clients: cluster.clients)
                if isReported { takeSilent(positions, scope, &cluster) }
                let own = counts(positions, happened)
                explain(cluster.affected)
                if cluster.isPartial, !isWorthSaying(cluster.counts) {
                    leaveUntold(cluster.affected)
                    break
                }
                // Failures before and behind a situation's densest time have the same cause.
                if cluster.isPartial, cluster.chance == nil,
                    cluster.affected.allSatisfy({ position in
                        found.contains { $0.scope.contains(server(position), client(position)) }
                    })
                {
                    break
                }
                if cluster.isPartial, !isUnlikeOthers(&cluster, of: own, all) {
                    leaveUntold(cluster.affected)
                    break
                }
                found.append(situation(code, scope, cluster, happened))
            }
            for situation in joined(found) { add(named(situation)) }
        }
    }

    /// Whether a part of one host stands out of all hosts, where it happens to all now and then: of many hosts, one has
    /// more of it by chance.
    /// - Parameters:
    ///   - own: attempts at the host.
    ///   - all: attempts at all hosts.
    private func isUnlikeOthers(_ cluster: inout Search.Cluster, of own: Counts, _ all: Counts) -> Bool {
        let others = Counts(attempts: all.attempts - own.attempts, failures: all.failures - own.failures)
        // Where it happens to the others as well, there is a cause for them too.
        guard others.attempts > 0, !isWorthSaying(others) else { return true }
        // Either the host has more than others, or the part has more than the host.
        let least = min(cluster.chance ?? 1, Statistics.fisher(own, of: all))
        let chance = min(1, least * 2 * Double(hosts.count))
        cluster.chance = chance
        return chance < Search.significance
    }

    /// Decided attempts that nothing explains yet, and those that it happened to.
    private func counts(_ positions: some Sequence<Int>, _ happened: (Observation) -> Bool) -> Counts {
        positions.reduce(into: Counts(attempts: 0, failures: 0)) { sum, position in
            let observation = observations[position]
            guard observation.isDecided, !isExplained[position] else { return }
            let weight = Int(observation.weight)
            sum += Counts(attempts: weight, failures: happened(observation) ? weight : 0)
        }
    }

    /// Hosts at which it happened to so many attempts, at the least, that are decided and that nothing explains yet.
    func hosts(
        with happened: (Observation) -> Bool, least: Int = Search.least
    ) -> [(address: IPAddress, servers: [Int])] {
        var counts = [Int](repeating: 0, count: log.servers.count)
        for (position, observation) in observations.enumerated()
        where observation.isDecided && !isExplained[position] && happened(observation) {
            counts[Int(observation.server)] += 1
        }
        return hosts.filter { host in host.servers.reduce(0) { $0 + counts[$1] } >= least }
    }

    /// Attempts of which something is known. Routers send ICMP errors for some SYNs only (RFC 1812 4.3.2.8): where
    /// others got one, a SYN without answer speaks for nothing.
    private func answered(_ positions: [Int]) -> [Int] { positions.filter { observations[$0].fate != .silent } }

    /// Adds the attempts without answer to those that got ICMP errors, within their scope and time.
    private func takeSilent(_ positions: [Int], _ scope: Scope, _ cluster: inout Search.Cluster) {
        let (first, last) = (cluster.affected[0], cluster.affected.last!)
        let silent = positions.filter {
            $0 > first && $0 < last && observations[$0].fate == .silent && scope.contains(server($0), client($0))
        }
        cluster.members = (cluster.members + silent).sorted()
        cluster.affected = (cluster.affected + silent).sorted()
        cluster.counts.attempts += silent.count
        cluster.counts.failures += silent.count
    }

    /// Clients that no server answers, of several that others reach at the same time.
    private mutating func findClientsCutOff(_ fate: Fate, _ answer: Situation.Answer) {
        let open = observations.indices.filter { observations[$0].isDecided && !isExplained[$0] }
        let isReported = answer == .icmpError
        guard open.contains(where: { observations[$0].fate == fate }),
            var cluster = search.cluster(
                isReported ? answered(open) : open, allowsPartial: false, { $0.fate == fate }),
            let clients = cluster.clients, cluster.port == nil
        else { return }
        if isReported { takeSilent(open, Scope(clients: clients), &cluster) }
        let (first, last) = (cluster.affected[0], cluster.affected.last!)
        let tried = Set(cluster.affected.map { server($0).address })
        let reached = Set(
            open.filter {
                $0 >= first && $0 <= last && observations[$0].fate != fate && !clients.contains(client($0))
            }.map { server($0).address }
        ).intersection(tried)
        guard tried.count >= 2, reached.count * 2 >= tried.count else { return }
        explain(cluster.affected)
        var situation = situation(.clientsBlocked, Scope(clients: clients), cluster) { $0.fate == fate }
        situation.answer = answer
        situation.hosts = tried.count
        add(situation)
    }

    /// Whether a share is great enough to be told, where no part stands out.
    private func isWorthSaying(_ counts: Counts) -> Bool {
        counts.failures >= 5 && Statistics.interval(counts).lowerBound >= 0.02
    }

    func situation(
        _ code: SituationCode, _ scope: Scope, _ cluster: Search.Cluster, _ happened: (Observation) -> Bool
    ) -> Situation {
        let (first, last) = (cluster.affected[0], cluster.affected[cluster.affected.count - 1])
        var situation = Situation(
            code: code, scope: scope, attempts: weight(cluster.members), affected: weight(cluster.affected),
            window: observations[first].time...observations[last].time, evidence: evidence(cluster.affected))
        situation.chance = cluster.chance
        situation.isEstimate = log.isThinned
        if cluster.isPartial { situation.share = Statistics.interval(cluster.counts) }
        let reporters = Set(cluster.affected.map { observations[$0].reporter }.filter { $0 > 0 })
        if reporters.count == 1, let reporter = reporters.first {
            situation.reporter = log.addresses[Int(reporter) - 1]
        }
        compare(&situation, from: first, to: last, happened)
        return situation
    }

    func evidence(_ affected: [Int]) -> [UInt64] {
        let chosen = affected.count <= 3 ? affected : [affected[0], affected[affected.count / 2], affected.last!]
        return chosen.map { observations[$0].id }
    }

    /// Counts other attempts, and notes when the scope's own went well.
    func compare(
        _ situation: inout Situation, from first: Int, to last: Int, _ happened: (Observation) -> Bool
    ) {
        var contrasts: [Situation.Contrast.Kind: (attempts: Int, affected: Int)] = [:]
        let scope = situation.scope
        func count(_ kind: Situation.Contrast.Kind, _ observation: Observation) {
            contrasts[kind, default: (0, 0)].attempts += Int(observation.weight)
            if happened(observation) { contrasts[kind, default: (0, 0)].affected += Int(observation.weight) }
        }
        for position in observations.indices where observations[position].isDecided {
            let observation = observations[position]
            let (server, client) = (server(position), client(position))
            let isDuring = position >= first && position <= last
            let ofClients = scope.clients?.contains(client) ?? true
            let ofServers = scope.servers?.contains(server.address) ?? true
            let ofPorts = scope.ports.isEmpty || scope.ports.contains(server.port)
            if ofServers, ofPorts, ofClients {
                if !isDuring { count(.otherTimes, observation) }
                if !happened(observation) {
                    if position < first { situation.wellBefore = observation.time }
                    if position > last, situation.wellAfter == nil { situation.wellAfter = observation.time }
                }
            } else if isDuring {
                if ofServers, ofPorts {
                    count(.otherClients, observation)
                } else if ofServers, ofClients {
                    count(.otherPorts, observation)
                } else if !ofServers, ofClients {
                    count(.otherServers, observation)
                }
            }
        }
        situation.contrasts = Situation.Contrast.Kind.allCases.compactMap { kind in
            contrasts[kind].map { .init(kind: kind, attempts: $0.attempts, affected: $0.affected) }
        }
    }

    /// Situations of one scope are one, with several spells.
    private func joined(_ found: [Situation]) -> [Situation] {
        var all: [Situation] = []
        for situation in found.sorted(by: { $0.window.lowerBound < $1.window.lowerBound }) {
            guard
                let place = all.firstIndex(where: {
                    $0.code == situation.code && $0.scope == situation.scope && $0.reporter == situation.reporter
                })
            else {
                all.append(situation)
                continue
            }
            all[place].attempts += situation.attempts
            all[place].affected += situation.affected
            all[place].spells += 1
            all[place].window =
                all[place].window.lowerBound...max(all[place].window.upperBound, situation.window.upperBound)
            all[place].wellAfter = situation.wellAfter
            all[place].chance = [all[place].chance, situation.chance].compactMap { $0 }.max()
            all[place].contrasts.removeAll { $0.kind == .otherTimes }
        }
        return all
    }

    /// The name that fits a situation's scope: a filter is told from a host that is silent by what else answers.
    private func named(_ situation: Situation) -> Situation {
        var situation = situation
        switch situation.code {
        case .hostSilent: situation.answer = .nothing
        case .portRefused: situation.answer = .rst
        case .portFiltered, .hostUnreachable: situation.answer = .icmpError
        default: break
        }
        switch situation.code {
        case .hostSilent, .portRefused, .portFiltered:
            if situation.scope.clients != nil {
                situation.code = .clientsBlocked
            } else if situation.code == .hostSilent,
                situation.contrasts.contains(where: { $0.kind == .otherPorts && $0.affected < $0.attempts })
            {
                situation.code = .portFiltered
            }
        default: break
        }
        return situation
    }
}
