// Two TCP endpoints (RFC 9293 3.10) and a network between them, driven by one seed. Nothing here knows the analyzer: numbers
// and times are decided as endpoints decide them, and each packet carries why it was sent.

/// Why a packet was sent. The oracle judges by this, never by numbers.
public enum Meaning: String, Sendable {
    case syn
    case synAck
    /// The client's first segment in ESTABLISHED, and each that repeats it.
    case finalAck
    /// Any later segment that only an established client sends.
    case fromEstablishedClient
    /// From a server that has seen the final ACK.
    case fromEstablishedServer
    /// RST+ACK of a closed port.
    case refusal
    /// The client rejects what answered its SYN, or an older one: RST, SEQ x+1.
    case clientReset
    /// The server gives up a connection that it has not seen completed: RST, SEQ y+1.
    case serverReset
    /// RST on a connection that its sender had established.
    case laterReset
    /// ACK of what was there before (RFC 5961 4, RFC 9293 Figures 9 and 10).
    case challenge
    /// RST that answers a challenge, or a segment for no connection.
    case strayReset
    case icmp
}

public struct Sent: Sendable {
    public var index: Int
    public var meaning: Meaning
    public var fromClient: Bool
    /// x of the attempt that it belongs to.
    public var attempt: UInt32
    public var letters: String
    public var seq: UInt32
    public var ack: UInt32
    public var length: UInt32
    public var mss: UInt16?
    public var timestamps: (value: UInt32, echo: UInt32)?
    public var identification: UInt16
    public var sentAt: Int64
    /// The packet whose arrival made its sender send it; nil for a timer.
    public var answers: Int?
    /// Which transmission of its kind it is in its attempt, from 0.
    public var copy: Int
    /// When it first arrived; nil if it never did.
    public var arrivedAt: Int64?
    /// Its receiver took it: a SYN made state, an ACK completed.
    public var wasAccepted = false
    /// For `icmp`: the packet that it quotes.
    public var quotes: Int?
    /// The hop limit with which it passes the capture point.
    public var hopLimit: UInt8
}

/// A packet as the capture has it.
public struct Sighting: Sendable {
    public var time: Int64
    public var packet: Int
    public var mss: UInt16?
    /// Captured a second time, one hop on.
    public var isCaptureDuplicate = false
    /// The second time was at the first's place: at the same hop limit.
    public var isBesideFirst = false
    var carriage = Carriage.plain
}

/// What carried a packet where it was captured.
enum Carriage: Sendable { case plain, gtp, ipInIP, vxlan, gre }

/// What the server is.
public enum ServerKind: CaseIterable, Sendable {
    case listening, closed, blackhole, rejecting, cookies, fullQueue, abortsOnOverflow, givesUp, holdsOldConnection
    /// It closes first, and is in TIME-WAIT when the client opens the tuple again.
    case closesFirst
    case simultaneous
}

public enum ClientKind: CaseIterable, Sendable { case ordinary, scanner, sendsData }

/// What happened between two ends, from a seed: every packet that was sent, and what passed the capture point.
public struct World {
    public let seed: UInt64
    public private(set) var packets: [Sent] = []
    public private(set) var sightings: [Sighting] = []
    /// Each attempt's x, in the order of their first SYNs.
    public private(set) var attempts: [UInt32] = []
    /// x of the attempts of which the client reached ESTABLISHED.
    public private(set) var established: Set<UInt32> = []
    /// When the capture ended.
    public private(set) var end: Int64 = 0
    public let serverKind: ServerKind
    public let clientKind: ClientKind
    /// Whether the capture was drawn to lose packets.
    public let capturesAll: Bool

    // The world's constants.
    private let usesTimestamps: Bool
    private let countsIdentifications: Bool
    private let synGaps: [Int64]
    private let losses: (clientToTap: Double, tapToServer: Double, serverToTap: Double, tapToClient: Double)
    private let delays: (near: ClosedRange<Double>, far: ClosedRange<Double>)
    private let duplication: Double
    private let captureLoss: Double
    private let captureDuplication: Double
    private let clientMSS: UInt16?
    private let serverMSS: UInt16?
    /// An MSS clamp, and on which side of the capture point it is.
    private let clamp: (mss: UInt16, isNearClient: Bool)?
    private let queueOpensAt: Int64
    private let icmpCode: UInt8
    private var draw: Draw

    // The ends' state.
    private enum State { case closed, listen, synSent, synReceived, established, timeWait, dead }
    private var clientState = State.closed
    private var serverState = State.listen
    private var x: UInt32 = 0
    private var y: UInt32 = 0
    /// The x that the server's state is about.
    private var peerISN: UInt32 = 0
    /// The y that the client has accepted.
    private var acceptedISN: UInt32 = 0
    private var synCopies = 0
    private var answerCopies = 0
    private var tsRecentOfServer: UInt32 = 0
    private var tsRecentOfClient: UInt32 = 0
    private var dataAcknowledged = false
    private var lastChallenge = Int64.min / 2
    private var clientClock: UInt32 = 0
    private var serverClock: UInt32 = 0
    private var counters: (client: UInt16, server: UInt16) = (1, 1)
    private var oldConnection: (clientNext: UInt32, serverNext: UInt32)?
    /// Of the connection that is in TIME-WAIT.
    private var lastTSval: UInt32?

    // What is to happen, in the order of time.
    private enum Event {
        case arrive(Int), atTap(Int), sendSYN(UInt32, Int), answerTimer(UInt32, Int), dataTimer(UInt32, Int)
        case start, staleSYN(UInt32), secondAttempt, serverGivesUp(UInt32)
    }
    private var events: [(time: Int64, order: Int, event: Event)] = []
    private var scheduled = 0
    private var now: Int64 = 0

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
        if serverKind == .closed || serverKind == .blackhole || serverKind == .rejecting { serverState = .dead }
        if serverKind == .holdsOldConnection {
            serverState = .established
            oldConnection = (draw.number(), draw.number())
        }
        run()
    }

    // MARK: The loop

    private mutating func schedule(_ event: Event, at time: Int64) {
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

    private mutating func send(
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
        if usesTimestamps, !letters.contains("R"), meaning != .icmp {
            let clock = fromClient ? clientClock : serverClock
            packet.timestamps = (clock &+ UInt32(truncatingIfNeeded: now / 1_000_000), echo)
        }
        // Linux sends SYN-ACKs, and every packet of a counting stack others, with an identification of 0 or its own count.
        if fromClient {
            counters.client &+= 1
            packet.identification = max(1, counters.client)
        } else if countsIdentifications || meaning != .synAck {
            counters.server &+= 1
            packet.identification = max(1, counters.server)
        }
        packets.append(packet)
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
        if draw.chance(packet.fromClient ? losses.tapToServer : losses.tapToClient) { return }
        schedule(.arrive(index), at: now + draw.nanoseconds(packet.fromClient ? delays.far : delays.near))
    }

    private mutating func arrive(_ index: Int) {
        if packets[index].arrivedAt == nil { packets[index].arrivedAt = now }
        let packet = packets[index]
        if packet.fromClient { atServer(packet) } else { atClient(packet) }
    }

    // MARK: The client

    private mutating func connect() {
        clientState = .synSent
        (dataSent, dataAcknowledged) = (false, false)
        synCopies = 0
        sendSYN(copy: 0)
        if serverKind == .simultaneous, attempts.count == 1 {
            // The other end opens as well.
            serverState = .synSent
            send(.syn, fromClient: false, "S", seq: y, attempt: x)
            schedule(.answerTimer(x, 1), at: now + 1_000_000_000)
        }
    }

    private mutating func sendSYN(copy: Int) {
        if !attempts.contains(x) { attempts.append(x) }
        send(.syn, fromClient: true, "S", seq: x, attempt: x, copy: copy)
        if copy < synGaps.count { schedule(.sendSYN(x, copy + 1), at: now + synGaps[copy]) }
    }

    private mutating func retransmitSYN(_ isn: UInt32, _ copy: Int) {
        guard isn == x else { return }
        if clientState == .synReceived { return }
        guard clientState == .synSent else { return }
        sendSYN(copy: copy)
    }

    private mutating func sendStaleSYN(_ old: UInt32) {
        attempts.append(old)
        send(.syn, fromClient: true, "S", seq: old, attempt: old)
    }

    private mutating func startOver() {
        guard clientState == .synSent || clientState == .closed else { return }
        // RFC 9293 3.4.1 lets ISNs run on; some stacks draw them.
        x &+= draw.chance(0.7) ? UInt32(draw.int(1_000_000...100_000_000)) : draw.number() | 1 << 20
        connect()
    }

    private mutating func atClient(_ packet: Sent) {
        let isSYN = packet.letters.contains("S")
        let isACK = packet.letters.contains(".")
        let isRST = packet.letters.contains("R")
        if packet.meaning == .icmp {
            // Linux gives up in SYN-SENT; others go on: half and half, by the seed.
            if clientState == .synSent, seed % 2 == 0, packet.attempt == x { clientState = .closed }
            return
        }
        switch clientState {
        case .synSent:
            // RFC 9293 3.10.7.3
            if isACK, packet.ack != x &+ 1 {
                if !isRST { reject(packet) }
                return
            }
            if isRST {
                if isACK { clientState = .closed }
                return
            }
            guard isSYN else { return }
            tsRecentOfClient = packet.timestamps?.value ?? 0
            if isACK {
                packets[packet.index].wasAccepted = true
                if clientKind == .scanner {
                    clientState = .closed
                    send(.clientReset, fromClient: true, "R", seq: x &+ 1, attempt: x, answers: packet.index)
                    return
                }
                clientState = .established
                established.insert(x)
                acceptedISN = packet.seq
                acknowledge(packet)
                if clientKind == .sendsData { sendData(copy: 0) }
            } else {
                clientState = .synReceived
                acceptedISN = packet.seq
                send(
                    .synAck, fromClient: true, "S.", seq: x, ack: packet.seq &+ 1, attempt: x, answers: packet.index,
                    echo: tsRecentOfClient)
            }
        case .synReceived:
            if isACK, packet.ack == x &+ 1 {
                clientState = .established
                established.insert(x)
                if isSYN { acknowledge(packet) }
            } else if isSYN {
                send(
                    .synAck, fromClient: true, "S.", seq: x, ack: packet.seq &+ 1, attempt: x, answers: packet.index,
                    copy: 1, echo: tsRecentOfClient)
            }
        case .established:
            if isRST {
                if packet.seq == acceptedISN &+ 1 { clientState = .closed }
                return
            }
            if packet.letters.contains("F") {
                send(
                    .fromEstablishedClient, fromClient: true, "F.", seq: x &+ 101, ack: acceptedISN &+ 2, attempt: x,
                    answers: packet.index, copy: 1, echo: packet.timestamps?.value ?? 0)
                clientState = .closed
                if attempts.count < 3 { schedule(.secondAttempt, at: now + draw.nanoseconds(200...20_000)) }
                return
            }
            // RFC 9293 3.10.7.4: what is not acceptable is answered with an ACK of what is.
            if isSYN {
                acknowledge(packet)
            } else if packet.meaning == .fromEstablishedServer, packet.ack == x &+ 101 {
                dataAcknowledged = true
            } else if packet.meaning == .challenge {
                return
            }
        case .closed, .listen, .timeWait, .dead:
            if isRST { return }
            // RFC 9293 3.10.7.1
            if isACK { reject(packet) }
        }
    }

    /// RST, SEQ = SEG.ACK.
    private mutating func reject(_ packet: Sent) {
        let rejectsAnswer = packet.meaning == .synAck && packet.ack == packet.attempt &+ 1
        send(
            rejectsAnswer ? (established.contains(packet.attempt) ? .laterReset : .clientReset) : .strayReset,
            fromClient: true, "R", seq: packet.ack, attempt: packet.attempt, answers: packet.index)
    }

    private mutating func acknowledge(_ packet: Sent) {
        send(
            .finalAck, fromClient: true, ".", seq: x &+ 1 &+ (dataSent ? 100 : 0), ack: acceptedISN &+ 1, attempt: x,
            answers: packet.index,
            copy: packets.count { $0.meaning == .finalAck && $0.attempt == x }, echo: tsRecentOfClient)
    }

    private var dataSent = false

    private mutating func sendData(copy: Int) {
        send(
            .fromEstablishedClient, fromClient: true, "P.", seq: x &+ 1, ack: acceptedISN &+ 1, length: 100, attempt: x,
            copy: copy,
            echo: tsRecentOfClient)
        dataSent = true
        if copy < 4 { schedule(.dataTimer(x, copy + 1), at: now + Int64(1 << copy) * 1_000_000_000) }
    }

    private mutating func retransmitData(_ isn: UInt32, _ copy: Int) {
        guard isn == x, clientState == .established, !dataAcknowledged else { return }
        sendData(copy: copy)
    }

    // MARK: The server

    private mutating func atServer(_ packet: Sent) {
        let isSYN = packet.letters.contains("S")
        let isACK = packet.letters.contains(".")
        let isRST = packet.letters.contains("R")
        switch serverKind {
        case .blackhole: return
        case .closed:
            if isSYN {
                packets[packet.index].wasAccepted = true
                send(
                    .refusal, fromClient: false, "R.", seq: 0, ack: packet.seq &+ 1, attempt: packet.attempt,
                    answers: packet.index)
            }
            return
        case .rejecting:
            if isSYN {
                packets[packet.index].wasAccepted = true
                send(
                    .icmp, fromClient: false, "", seq: packet.seq, attempt: packet.attempt, answers: packet.index,
                    quotes: packet.index)
            }
            return
        case .cookies:
            if isSYN, !isACK, serverState != .established {
                // Stateless: each SYN is answered as if it were the first, with a y that follows from it.
                packets[packet.index].wasAccepted = true
                answer(packet, isn: packet.seq &* 2_654_435_761 &+ 99, copy: 0)
                return
            }
            if serverState != .established, isACK, !isRST {
                let isn = packet.attempt &* 2_654_435_761 &+ 99
                if packet.ack == isn &+ 1 {
                    (serverState, y, peerISN) = (.established, isn, packet.attempt)
                    packets[packet.index].wasAccepted = true
                    if packet.length > 0 { takeData(packet) }
                }
                return
            }
        default: break
        }
        switch serverState {
        case .listen:
            if isRST { return }
            if isACK {
                send(
                    .strayReset, fromClient: false, "R", seq: packet.ack, attempt: packet.attempt, answers: packet.index
                )
                return
            }
            if serverKind == .fullQueue, seed % 3 == 0, now < queueOpensAt { return }
            accept(packet)
        case .timeWait:
            guard let old = oldConnection else { return }
            if isRST {
                // RFC 1337: it may end TIME-WAIT.
                if packet.seq == old.clientNext { (oldConnection, serverState) = (nil, .listen) }
                return
            }
            guard isSYN else { return }
            // RFC 6191 section 2
            let isLater = packet.seq &- old.clientNext &- 1 < 1 << 31
            let isLegal: Bool
            switch (packet.timestamps?.value, lastTSval) {
            case (let new?, let last?): isLegal = new &- last &- 1 < 1 << 31 || new == last && isLater
            case (_?, nil): isLegal = true
            case (nil, _): isLegal = isLater
            }
            if isLegal {
                oldConnection = nil
                accept(packet)
            } else {
                challenge(packet)
            }
        case .synSent:  // simultaneous open
            if isRST {
                if isACK, packet.ack == y &+ 1 { serverState = .dead }
                return
            }
            guard isSYN else { return }
            peerISN = packet.seq
            tsRecentOfServer = packet.timestamps?.value ?? 0
            if isACK {
                guard packet.ack == y &+ 1 else { return }
                serverState = .established
                send(
                    .fromEstablishedServer, fromClient: false, ".", seq: y &+ 1, ack: packet.seq &+ 1,
                    attempt: packet.attempt,
                    answers: packet.index, echo: tsRecentOfServer)
            } else {
                serverState = .synReceived
                packets[packet.index].wasAccepted = true
                answer(packet, isn: y, copy: 0)
            }
        case .synReceived:
            if isRST {
                // RFC 5961 3.2
                if packet.seq == peerISN &+ 1 { serverState = serverKind == .simultaneous ? .dead : .listen }
                return
            }
            if isSYN, !isACK {
                if packet.seq == peerISN {
                    answerCopies += 1
                    answer(packet, isn: y, copy: answerCopies)
                } else {
                    challenge(packet)
                }
                return
            }
            guard packet.ack == y &+ 1 else {
                send(
                    .strayReset, fromClient: false, "R", seq: packet.ack, attempt: packet.attempt, answers: packet.index
                )
                return
            }
            if serverKind == .fullQueue, now < queueOpensAt { return }
            if serverKind == .abortsOnOverflow {
                serverState = .listen
                send(.laterReset, fromClient: false, "R", seq: y &+ 1, attempt: peerISN, answers: packet.index)
                return
            }
            serverState = .established
            packets[packet.index].wasAccepted = true
            if packet.length > 0 { takeData(packet) }
        case .established:
            if isRST {
                if let old = oldConnection {
                    if packet.seq == old.clientNext {
                        oldConnection = nil
                        serverState = .listen
                    }
                } else if packet.seq == peerISN &+ 1 || packet.seq == peerISN &+ 101 {
                    serverState = .listen
                }
                return
            }
            if isSYN { return challenge(packet) }
            if packet.letters.contains("F") {
                serverState = .timeWait
                oldConnection = (packet.seq &+ 1, y &+ 2)
                lastTSval = packet.timestamps?.value
                send(
                    .fromEstablishedServer, fromClient: false, ".", seq: y &+ 2, ack: packet.seq &+ 1,
                    attempt: packet.attempt, answers: packet.index, echo: packet.timestamps?.value ?? 0)
                return
            }
            if packet.length > 0, oldConnection == nil { takeData(packet) }
        case .closed, .dead: return
        }
    }

    /// A SYN makes a connection.
    private mutating func accept(_ packet: Sent) {
        packets[packet.index].wasAccepted = true
        serverState = .synReceived
        peerISN = packet.seq
        if attempts.first != packet.attempt || packets.contains(where: { $0.meaning == .synAck && !$0.fromClient }) {
            y = draw.number()
        }
        tsRecentOfServer = packet.timestamps?.value ?? 0
        answerCopies = 0
        answer(packet, isn: y, copy: 0)
        schedule(.answerTimer(peerISN, 1), at: now + 1_000_000_000)
        if serverKind == .givesUp { schedule(.serverGivesUp(peerISN), at: now + draw.nanoseconds(1...3000)) }
    }

    private mutating func answer(_ packet: Sent, isn: UInt32, copy: Int) {
        // A stateful server echoes the first SYN that it accepted on every copy, a stateless one each copy's own.
        let echo = serverKind == .cookies ? packet.timestamps?.value ?? 0 : tsRecentOfServer
        send(
            .synAck, fromClient: false, "S.", seq: isn, ack: packet.seq &+ 1, attempt: packet.attempt,
            answers: packet.index, copy: copy, echo: echo)
    }

    private mutating func takeData(_ packet: Sent) {
        send(
            .fromEstablishedServer, fromClient: false, ".", seq: y &+ 1, ack: packet.seq &+ packet.length,
            attempt: packet.attempt, answers: packet.index, echo: packet.timestamps?.value ?? 0)
        if serverKind == .closesFirst {
            send(
                .fromEstablishedServer, fromClient: false, "F.", seq: y &+ 1, ack: packet.seq &+ packet.length,
                attempt: packet.attempt, answers: packet.index, copy: 1, echo: packet.timestamps?.value ?? 0)
        }
    }

    /// RFC 5961 section 4, at most every 500 ms.
    private mutating func challenge(_ packet: Sent) {
        guard now - lastChallenge >= 500_000_000 else { return }
        lastChallenge = now
        let (seq, ack) = oldConnection.map { ($0.serverNext, $0.clientNext) } ?? (y &+ 1, peerISN &+ 1)
        send(
            .challenge, fromClient: false, ".", seq: seq, ack: ack, attempt: packet.attempt, answers: packet.index,
            echo: tsRecentOfServer)
    }

    private mutating func retransmitAnswer(_ isn: UInt32, _ copy: Int) {
        if serverState == .synSent {
            send(.syn, fromClient: false, "S", seq: y, attempt: isn, copy: copy)
        } else {
            guard serverState == .synReceived, isn == peerISN else { return }
            answerCopies += 1
            send(
                .synAck, fromClient: false, "S.", seq: y, ack: peerISN &+ 1, attempt: peerISN, copy: answerCopies,
                echo: tsRecentOfServer)
        }
        if copy < 5 { schedule(.answerTimer(isn, copy + 1), at: now + Int64(1 << copy) * 1_000_000_000) }
    }

    private mutating func giveUp(_ isn: UInt32) {
        guard serverState == .synReceived, isn == peerISN else { return }
        serverState = .dead
        send(.serverReset, fromClient: false, "R", seq: y &+ 1, attempt: isn)
    }

    // MARK: For ICMP

    /// Type and code of the errors that this world's router sends.
    public var icmp: (type: UInt8, code: UInt8) { (3, icmpCode) }
}
