// Two TCP endpoints (RFC 9293 3.10) and a network between them, driven by one seed. Nothing here knows the analyzer:
// numbers and times are decided as endpoints decide them, and each packet carries why it was sent.

/// What happened between two ends, from a seed: every packet that was sent, and what passed the capture point.
public struct World {
    public let seed: UInt64
    public internal(set) var packets: [Sent] = []
    public private(set) var sightings: [Sighting] = []
    /// Every packet that came by the capture point, captured or not.
    private(set) var passes: [Pass] = []
    /// Each attempt's x, in the order of their first SYNs.
    public internal(set) var attempts: [UInt32] = []
    /// x of the attempts of which the client reached ESTABLISHED.
    public internal(set) var established: Set<UInt32> = []
    /// When the capture ended.
    public private(set) var end: Int64 = 0
    public let serverKind: ServerKind
    public let clientKind: ClientKind
    public let trait: Trait?
    /// Whether the capture was drawn to lose packets.
    public let capturesAll: Bool

    // The world's constants.
    private let usesTimestamps: Bool
    private let countsIdentifications: Bool
    let synGaps: [Int64]
    private let losses: (clientToTap: Double, tapToServer: Double, serverToTap: Double, tapToClient: Double)
    private let delays: (near: ClosedRange<Double>, far: ClosedRange<Double>)
    /// How often the network delivers a packet twice.
    let duplication: Double
    private let captureLoss: Double
    private let captureDuplication: Double
    private let clientMSS: UInt16?
    private let serverMSS: UInt16?
    /// An MSS clamp, and on which side of the capture point it is.
    let clamp: (mss: UInt16, isNearClient: Bool)?
    let queueOpensAt: Int64
    let icmpCode: UInt8
    var draw: Draw

    // The ends' state.
    var dataSent = false
    enum State { case closed, listen, synSent, synReceived, established, timeWait, dead }
    var clientState = State.closed
    var serverState = State.listen
    var x: UInt32 = 0
    var y: UInt32 = 0
    /// The x that the server's state is about.
    var peerISN: UInt32 = 0
    /// The y that the client has accepted.
    var acceptedISN: UInt32 = 0
    var synCopies = 0
    var answerCopies = 0
    var tsRecentOfServer: UInt32 = 0
    var tsRecentOfClient: UInt32 = 0
    var dataAcknowledged = false
    var lastChallenge = Int64.min / 2
    private var clientClock: UInt32 = 0
    private var serverClock: UInt32 = 0
    private var counters: (client: UInt16, server: UInt16) = (1, 1)
    var oldConnection: (clientNext: UInt32, serverNext: UInt32)?
    /// Of the connection that is in TIME-WAIT.
    var lastTSval: UInt32?
    /// RCV.NXT of the server's connection (RFC 9293 3.3.1).
    var receivedByServer: UInt32 = 0
    /// Octets that the server sent on its connection, and those that the client has of it.
    var sentByServer: UInt32 = 0
    var receivedByClient: UInt32 = 0
    /// When the client lost its state.
    public internal(set) var reboots: [Int64] = []
    private var hasForged = false
    /// The forged resets have the hop limit of the server's segments.
    let forgesHopLimit: Bool

    // What is to happen, in the order of time.
    enum Event {
        case arrive(Int), atTap(Int), sendSYN(UInt32, Int), answerTimer(UInt32, Int), dataTimer(UInt32, Int)
        case start, staleSYN(UInt32), secondAttempt, serverGivesUp(UInt32)
        case retryRefused(UInt32), reboot, reverseSYN
    }
    private var events: [(time: Int64, order: Int, event: Event)] = []
    private var scheduled = 0
    var now: Int64 = 0

    public init(seed: UInt64) {
        self.seed = seed
        var draw = Draw(seed: seed)
        usesTimestamps = draw.chance(0.6)
        countsIdentifications = draw.chance(0.5)
        let second: Int64 = 1_000_000_000
        switch draw.int(0...2) {
        case 0: synGaps = [1, 2, 4, 8, 16].map { $0 * second }  // RFC 6298
        case 1: synGaps = [1020, 1020, 1020, 1020, 1020, 2000, 4060].map { $0 * 1_000_000 }  // Linux
        default: synGaps = [3, 6, 12].map { $0 * second }
        }
        let lossy = draw.pick([0.0, 0.0, 0.1, 0.3])
        func loss(_ draw: inout Draw) -> Double { draw.chance(0.5) ? lossy : 0 }
        losses = (loss(&draw), loss(&draw), loss(&draw), loss(&draw))
        let near = draw.pick([0.05, 1, 30])
        let far = draw.pick([0.05, 10, 80, 400])
        delays = (near...(near * draw.pick([1, 1.05, 3])), far...(far * draw.pick([1, 1.05, 3])))
        duplication = draw.pick([0, 0, 0.05, 0.2])
        captureLoss = draw.pick([0, 0, 0, 0.1, 0.3])
        capturesAll = captureLoss == 0
        captureDuplication = draw.pick([0, 0, 0.3])
        clientMSS = draw.pick([1460, 1460, 1440, 536, 8960, nil])
        serverMSS = draw.pick([1460, 1460, 1400, 1220, nil])
        clamp = draw.chance(0.2) ? (1360, draw.chance(0.5)) : nil
        serverKind = draw.chance(0.5) ? .listening : draw.pick(ServerKind.allCases)
        clientKind = draw.chance(0.6) ? .sendsData : draw.pick(ClientKind.allCases)
        queueOpensAt = draw.nanoseconds(100...6000)
        icmpCode = draw.pick([0, 1, 3, 10, 13])
        clientClock = draw.number() | 1
        serverClock = draw.number() | 1
        x = draw.chance(0.1) ? draw.pick([0, .max, .max - 1]) : draw.number()
        y = draw.chance(0.1) ? draw.pick([0, .max, .max - 1]) : draw.number()
        counters = (UInt16(draw.int(1...60_000)), UInt16(draw.int(1...60_000)))
        self.draw = draw
        var peculiarities = Draw(seed: seed ^ 0x7ea1_7500)
        let first = Trait.allCases.filter { $0 != .answersElsewhere }
        let drawn = peculiarities.chance(0.25) ? peculiarities.pick(first) : nil
        forgesHopLimit = peculiarities.chance(0.5)
        // It came later, and is drawn apart, so that all other seeds keep their worlds.
        var apart = Draw(seed: seed ^ 0xe15e_3023)
        trait = apart.chance(0.03) ? .answersElsewhere : drawn
        if serverKind == .closed || serverKind == .blackhole || serverKind == .rejecting { serverState = .dead }
        if serverKind == .holdsOldConnection {
            serverState = .established
            oldConnection = (draw.number(), draw.number())
        }
        run()
    }

    // MARK: The loop

    mutating func schedule(_ event: Event, at time: Int64) {
        scheduled += 1
        events.append((time, scheduled, event))
    }

    private mutating func run() {
        schedule(.start, at: 0)
        // An old duplicate SYN of the tuple wanders about (Figure 8), or the client starts over with another x.
        if serverKind == .listening, draw.chance(0.1) {
            schedule(.staleSYN(x &- UInt32(draw.int(10_000_000...1_000_000_000))), at: draw.nanoseconds(0...3000))
        } else if draw.chance(0.1) {
            schedule(.secondAttempt, at: draw.nanoseconds(2000...20_000))
        }
        while let index = events.indices.min(by: {
            (events[$0].time, events[$0].order) < (events[$1].time, events[$1].order)
        }),
            packets.count < 200
        {
            let next = events.remove(at: index)
            now = next.time
            switch next.event {
            case .start: connect()
            case .staleSYN(let old): sendStaleSYN(old)
            case .secondAttempt: startOver()
            case .sendSYN(let isn, let copy): retransmitSYN(isn, copy)
            case .answerTimer(let isn, let copy): retransmitAnswer(isn, copy)
            case .dataTimer(let isn, let copy): retransmitData(isn, copy)
            case .serverGivesUp(let isn): giveUp(isn)
            case .retryRefused(let isn): retryRefused(isn)
            case .reboot: reboot()
            case .reverseSYN: sendReverseSYN()
            case .atTap(let packet): passTap(packet)
            case .arrive(let packet): arrive(packet)
            }
        }
        sightings.sort { $0.time < $1.time }
        // Most captures go on long enough for silence to mean something; some end early.
        let last = sightings.last?.time ?? 0
        end = draw.chance(0.8) ? last + 30_000_000_000 : last + draw.nanoseconds(0...2000)
    }

    // MARK: The network

    mutating func send(
        _ meaning: Meaning, fromClient: Bool, _ letters: String, seq: UInt32, ack: UInt32 = 0, length: UInt32 = 0,
        attempt: UInt32, answers: Int? = nil, copy: Int = 0, echo: UInt32 = 0, quotes: Int? = nil
    ) {
        let isSYN = letters.contains("S")
        var packet = Sent(
            index: packets.count, meaning: meaning, fromClient: fromClient, attempt: attempt, letters: letters,
            seq: seq,
            ack: ack, length: length, identification: 0, sentAt: now, answers: answers, copy: copy, quotes: quotes,
            hopLimit: fromClient ? 60 : 55)
        if isSYN { packet.mss = fromClient ? clientMSS : serverMSS }
        let isOffered = trait != .stripsTimestamps || fromClient && letters == "S"
        if usesTimestamps, isOffered, !letters.contains("R"), meaning != .icmp {
            let clock = fromClient ? clientClock : serverClock
            let echoed = trait == .echoesZero && letters == "S." && !fromClient ? 0 : echo
            packet.timestamps = (clock &+ UInt32(truncatingIfNeeded: now / 1_000_000), echoed)
        }
        // Each end that opens by itself calls the address that it knows.
        if trait == .answersElsewhere, serverKind != .simultaneous {
            packet.isElsewhere = fromClient ? answers.map { packets[$0].isElsewhere } ?? false : meaning != .icmp
        }
        if trait == .proxied, letters == "S.", !fromClient {
            packet.hopLimit = 62
            // Half of the proxies open the window later.
            if seed & 1 == 0 { packet.window = 0 }
        }
        if meaning == .forgedReset, !forgesHopLimit { packet.hopLimit = 121 }
        // Linux sends SYN-ACKs, and every packet of a counting stack others, with an identification of 0 or its own
        // count.
        if fromClient {
            counters.client &+= 1
            packet.identification = max(1, counters.client)
        } else if countsIdentifications || meaning != .synAck {
            counters.server &+= 1
            packet.identification = max(1, counters.server)
        }
        packets.append(packet)
        // The box is just behind the capture point.
        if meaning == .forgedReset { return schedule(.atTap(packet.index), at: now + 100_000) }
        let first = fromClient ? losses.clientToTap : losses.serverToTap
        // An ICMP error comes from beyond the capture point.
        if draw.chance(first) { return }
        let delay = draw.nanoseconds(fromClient ? delays.near : delays.far)
        schedule(.atTap(packet.index), at: now + delay)
        if draw.chance(duplication) { schedule(.atTap(packet.index), at: now + delay + draw.nanoseconds(0.001...40)) }
    }

    private mutating func passTap(_ index: Int) {
        let packet = packets[index]
        var mss = packet.mss
        if let clamp, let own = mss, clamp.isNearClient == packet.fromClient { mss = min(own, clamp.mss) }
        if !draw.chance(captureLoss) { sightings.append(Sighting(time: now, packet: index, mss: mss)) }
        if draw.chance(captureDuplication) {
            let again = Sighting(
                time: now + draw.nanoseconds(0.001...0.02), packet: index, mss: mss, isCaptureDuplicate: true)
            sightings.append(again)
        }
        passes.append(Pass(packet: index, time: now, mss: mss, arrivedAt: nil))
        if trait == .forgesResets, packet.fromClient, !hasForged { forgeReset(against: packet) }
        if draw.chance(packet.fromClient ? losses.tapToServer : losses.tapToClient) { return }
        let arrival = now + draw.nanoseconds(packet.fromClient ? delays.far : delays.near)
        passes[passes.count - 1].arrivedAt = arrival
        schedule(.arrive(index), at: arrival)
    }

    /// The box lets half of the SYNs pass, and takes offence at the data that follow them.
    private mutating func forgeReset(against packet: Sent) {
        if packet.letters == "S" {
            guard seed % 2 == 0 else { return }
            send(
                .forgedReset, fromClient: false, "R.", seq: 0, ack: packet.seq &+ 1, attempt: packet.attempt,
                answers: packet.index)
        } else if packet.length > 0 {
            send(.forgedReset, fromClient: false, "R", seq: packet.ack, attempt: packet.attempt, answers: packet.index)
        } else {
            return
        }
        hasForged = true
    }

    private mutating func arrive(_ index: Int) {
        if packets[index].arrivedAt == nil { packets[index].arrivedAt = now }
        let packet = packets[index]
        if packet.fromClient { atServer(packet) } else { atClient(packet) }
    }
}
