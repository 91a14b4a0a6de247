import HandshakeAnalysis
package import HandshakeDiagnosis
package import PacketWire
import TestSupport

/// Some minutes of traffic between clients and servers that is well, but for one incident of a known kind, scope and
/// begin. It shares no code with the diagnosis.
package struct IncidentWorld: Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case hostSilent, hostUnreachable, networkSilent, portDropped, portProhibited, portRejected
        case clientsDropped, clientsProhibited, clientsRefused, oneClientDropped
        case portRefused, answersLost, finalAcksLost, acceptQueueFull, serverResets, clientResets, healthChecks
        case pathLoss, pathLossOfClients, serverSlow, clientSlow, middleboxResets, collisions, rewritten, elsewhere
        case fastOpenDropped, scan, flood, backscatter, oneDirection, otherDirection, optionsStripped, mssClamped
        case synProxy
    }

    /// The situation that there is to find.
    package struct Truth: Sendable {
        package var code: SituationCode
        package var servers: Set<Endpoint>
        package var clients: Set<IPAddress>
        /// Nanoseconds since the epoch; nil where it held from the start.
        package var begin: Int64?
        package var end: Int64?
        /// The share of connections that it happens to.
        package var rate = 1.0
    }

    /// A connection that a client asked for.
    package struct Connection: Sendable {
        package var time: Int64
        package var client: Endpoint
        package var server: Endpoint
    }

    /// Nil where all is well.
    package let kind: Kind?
    package private(set) var truth: Truth?
    package private(set) var connections: [Connection] = []
    package private(set) var frames: [(octets: [UInt8], time: Int64)] = []

    private static let epoch: Int64 = 1_767_225_600_000_000_000
    private var draw: Draw
    private var ports: [IPAddress: UInt16] = [:]

    /// - Parameter kind: nil for a healthy world.
    package init(seed: UInt64, kind: Kind?) {
        self.kind = kind
        draw = Draw(seed: seed &* 0x9e37 ^ UInt64(kind.map { Kind.allCases.firstIndex(of: $0)! + 1 } ?? 0) << 40)
        let isV6 = draw.chance(0.2)
        let seconds = draw.int(90...600)
        let networks = draw.int(2...4)
        let clients = (0..<networks).map { network in
            (0..<draw.int(3...10)).map { IncidentWorld.address(isV6, 10, UInt8(20 + network), UInt8($0 + 5)) }
        }
        let hosts = draw.int(2...4)
        let usual: [UInt16] = [22, 80, 443, 5432, 8443]
        let servers = (0..<hosts).map { host in
            let address = IncidentWorld.address(isV6, 10, UInt8(host < 3 ? 1 : 2), UInt8(host + 10))
            return usual.shuffled(using: &draw).prefix(draw.int(2...3)).sorted().map { Endpoint(address, $0) }
        }
        let all = servers.flatMap { $0 }
        // Enough that each client asks each server a few times.
        var count = min(900, clients.joined().count * all.count * draw.int(2...4))
        // Delays vary: to tell a change of them takes more.
        if kind == .serverSlow || kind == .clientSlow { count = max(count, all.count * 60) }
        var plan: [Connection] = []
        for _ in 0..<count {
            let client = draw.pick(draw.pick(clients))
            let port = 32_768 + (ports[client] ?? UInt16(draw.int(0...2000)))
            ports[client] = port - 32_768 + 1
            plan.append(
                Connection(
                    time: Self.epoch + draw.nanoseconds(0...Double(seconds) * 1000), client: Endpoint(client, port),
                    server: draw.pick(all)))
        }
        plan.sort { $0.time < $1.time }
        truth = kind.map { self.makeTruth($0, clients, servers, plan) }
        connections = plan
        let base = all.map { ($0, draw.nanoseconds(0.2...30)) }
        let legs = Dictionary(uniqueKeysWithValues: base)
        let distances = Dictionary(
            uniqueKeysWithValues: clients.joined().map { ($0, draw.nanoseconds(0.1...20)) })
        let stray = draw.chance(0.5) ? 0.002 : 0
        // Users give up, hosts vanish, services start anew: single failures of all kinds, here and there.
        let odd = draw.chance(0.5) ? 0.01 : 0
        for connection in plan {
            var wire = Wire(connection, &draw)
            wire.serverLeg = jittered(legs[connection.server]!)
            wire.clientLeg = jittered(distances[connection.client.address]!)
            var course = Course.well
            if let truth, let kind, IncidentWorld.happens(truth, to: connection), draw.chance(truth.rate) {
                course = Course(kind)
                if kind == .serverSlow { wire.serverLeg = wire.serverLeg * 3 + 5_000_000 }
                if kind == .clientSlow { wire.clientLeg = wire.clientLeg * 3 + 5_000_000 }
            } else if draw.chance(stray) {
                course = draw.pick([.synLost, .synAckLost])
            } else if draw.chance(odd) {
                course = draw.pick([.silent, .refused, .clientResets, .ackMissing, .serverResets, .rejected])
            }
            wire.run(course, &draw)
            frames += wire.frames
        }
        addStrangers(seconds, isV6, all)
        let order = frames.indices.sorted { (frames[$0].time, $0) < (frames[$1].time, $1) }
        frames = order.map { frames[$0] }
    }

    private mutating func jittered(_ leg: Int64) -> Int64 {
        Int64(Double(leg) * Double.random(in: 0.9...1.3, using: &draw))
    }

    static func happens(_ truth: Truth, to connection: Connection) -> Bool {
        truth.servers.contains(connection.server) && truth.clients.contains(connection.client.address)
            && connection.time >= truth.begin ?? .min && connection.time < truth.end ?? .max
    }

    static func address(_ isV6: Bool, _ a: UInt8, _ network: UInt8, _ host: UInt8) -> IPAddress {
        isV6
            ? IPAddress(v6High: 0x2001_0db8_0000_0000 | UInt64(network) << 8, low: UInt64(host))
            : IPAddress(v4: UInt32(a) << 24 | UInt32(network) << 8 | UInt32(host))
    }

    // MARK: The incident

    private mutating func makeTruth(
        _ kind: Kind, _ clients: [[IPAddress]], _ servers: [[Endpoint]], _ plan: [Connection]
    ) -> Truth {
        let everyone = Set(clients.joined())
        let host = draw.pick(servers)
        let endpoint = draw.pick(host)
        let network = Set(draw.pick(clients))
        // At a moment that leaves enough before and behind, or from the start.
        let begin = plan[plan.count / 4 + draw.int(0...plan.count / 4)].time
        let maybe: Int64? = draw.chance(0.75) ? begin : nil
        func truth(_ code: SituationCode, _ servers: [Endpoint], _ clients: Set<IPAddress>, _ begin: Int64?) -> Truth {
            Truth(code: code, servers: Set(servers), clients: clients, begin: begin)
        }
        switch kind {
        case .hostSilent: return truth(.hostSilent, host, everyone, maybe)
        case .networkSilent:
            let first = servers.filter { $0[0].address.low & 0xff < 13 }
            return truth(.hostSilent, first.flatMap { $0 }, everyone, begin)
        case .hostUnreachable: return truth(.hostUnreachable, host, everyone, maybe)
        case .portDropped, .portProhibited, .portRejected: return truth(.portFiltered, [endpoint], everyone, maybe)
        case .clientsDropped, .clientsProhibited, .clientsRefused:
            return truth(.clientsBlocked, draw.chance(0.5) ? [endpoint] : host, network, maybe)
        case .oneClientDropped:
            return truth(
                .clientsBlocked, draw.chance(0.5) ? host : servers.flatMap { $0 }, [draw.pick(Array(network).sorted())],
                maybe)
        case .portRefused: return truth(.portRefused, [endpoint], everyone, maybe)
        case .answersLost: return truth(.answersLost, host, network, maybe)
        case .finalAcksLost: return truth(.finalAcksLost, host, network, maybe)
        case .acceptQueueFull: return truth(.acceptQueueFull, [endpoint], everyone, begin)
        case .serverResets: return truth(.serverResets, [endpoint], everyone, maybe)
        case .clientResets: return truth(.clientResets, [endpoint], network, maybe)
        case .healthChecks, .scan, .flood, .backscatter:
            let code: [Kind: SituationCode] = [
                .healthChecks: .loadBalancerChecks, .scan: .scan, .flood: .flood, .backscatter: .backscatter,
            ]
            // Done by strangers: no connection of the plan.
            return Truth(code: code[kind]!, servers: [], clients: [], begin: nil, rate: 0)
        case .pathLoss:
            var all = truth(.pathLoss, servers.flatMap { $0 }, everyone, nil)
            all.rate = Double(draw.int(8...30)) / 100
            return all
        case .pathLossOfClients:
            var some = truth(.pathLoss, servers.flatMap { $0 }, network, nil)
            some.rate = Double(draw.int(15...40)) / 100
            return some
        case .serverSlow: return truth(.serverSlow, [endpoint], everyone, begin)
        case .clientSlow: return truth(.clientSlow, servers.flatMap { $0 }, network, begin)
        case .middleboxResets: return truth(.resetByMiddlebox, [endpoint], network, maybe)
        case .collisions: return truth(.portReuseCollision, [endpoint], network, maybe)
        case .rewritten: return truth(.sequenceRewritten, host, network, maybe)
        case .elsewhere: return truth(.answerFromElsewhere, host, everyone, maybe)
        case .fastOpenDropped: return truth(.fastOpenBlackholed, host, network, maybe)
        case .oneDirection, .otherDirection: return truth(.asymmetricRouting, host, network, nil)
        case .optionsStripped: return truth(.optionsStripped, host, network, maybe)
        case .mssClamped: return truth(.mssClamped, host, network, maybe)
        case .synProxy: return truth(.synProxy, draw.chance(0.5) ? [endpoint] : host, everyone, maybe)
        }
    }

    // MARK: Strangers

    package static let stranger = IPAddress(v4: 0xcb00_7107)

    /// Traffic of the incident that is none of the clients'.
    private mutating func addStrangers(_ seconds: Int, _ isV6: Bool, _ servers: [Endpoint]) {
        let start = Self.epoch + draw.nanoseconds(0...Double(seconds) * 500)
        var time = start
        switch kind {
        case .healthChecks:
            truth?.servers = [draw.pick(servers)]
            truth?.clients = [Self.address(isV6, 10, 9, 9)]
            let gap = draw.nanoseconds(2_000...10_000)
            for number in 0..<draw.int(10...40) {
                let check = Connection(
                    time: Self.epoch + Int64(number) * gap + draw.nanoseconds(0...50),
                    client: Endpoint(Self.address(isV6, 10, 9, 9), 50_000 + UInt16(number)),
                    server: truth!.servers.first!)
                var wire = Wire(check, &draw)
                wire.run(.clientResets, &draw)
                frames += wire.frames
                connections.append(check)
            }
        case .scan:
            let source = Self.address(isV6, 10, 77, 7)
            truth?.clients = [source]
            for number in 0..<draw.int(30...200) {
                let host = Self.address(isV6, 10, UInt8(100 + number / 100), UInt8(number % 100 + 1))
                let probe = Connection(
                    time: time, client: Endpoint(source, 40_000 + UInt16(number)),
                    server: Endpoint(host, draw.chance(0.5) ? 445 : 3389))
                var wire = Wire(probe, &draw)
                wire.run(draw.chance(0.5) ? .refused : .silent, &draw)
                frames += wire.frames
                time += draw.nanoseconds(5...50)
            }
        case .flood:
            let target = draw.pick(servers)
            truth?.servers = [target]
            for number in 0..<draw.int(200...800) {
                let source = Endpoint(
                    isV6
                        ? IPAddress(v6High: 0x2001_0db8_ffff_0000, low: draw.next())
                        : IPAddress(v4: 0x6400_0000 | draw.number() >> 8), UInt16(1024 + number))
                var wire = Wire(Connection(time: time, client: source, server: target), &draw)
                wire.run(draw.chance(0.5) ? .synOnly : .synAndAnswer, &draw)
                frames += wire.frames
                time += draw.nanoseconds(1...40)
            }
        case .backscatter:
            let victim = Self.address(isV6, 10, 88, 8)
            truth?.servers = [Endpoint(victim, 80)]
            for number in 0..<draw.int(40...200) {
                var answer = Segment(
                    from: Endpoint(victim, 80),
                    to: Endpoint(Self.address(isV6, 10, 89, UInt8(number + 1)), UInt16(1024 + number)))
                (answer.flags, answer.seq, answer.ack, answer.hopLimit) = (
                    [.syn, .ack], draw.number(), draw.number(), 50
                )
                time += draw.nanoseconds(20...400)
                frames.append((FrameEncoder(.ethernet).encode(answer), time + 9_000_000_000))
            }
        default: break
        }
    }

    // MARK: What is made of it

    /// - Parameter maximum: attempts that are kept one by one.
    package func diagnosed(maximum: Int = ObservationLog.usualMaximum) -> [Situation] {
        IncidentWorld.diagnosis(of: frames, maximum: maximum).situations
    }

    static func diagnosis(
        of frames: [(octets: [UInt8], time: Int64)], maximum: Int = ObservationLog.usualMaximum
    ) -> Diagnosis {
        var tracker = HandshakeTracker(.init())
        var log = ObservationLog(maximum: maximum)
        inBatches(frames, tracker.makeBatch()) { batch in
            tracker.receive(batch)
            for record in tracker.drain() { log.add(record) }
        }
        for record in tracker.finish() { log.add(record) }
        return Diagnosis(log)
    }
}
