import PacketWire

/// The course of a connection.
package enum Course: Sendable {
    case well, silent, unreachable, prohibited, rejected, refused, answerUnheard, ackMissing, queueFull,
        serverResets
    case clientResets, synLost, synAckLost, ackLost, foreignReset, challenged, wrongAck, elsewhere, fastOpen
    case clientOnly, serverOnly, synOnly, synAndAnswer, stripped, clamped, proxied
    /// A server without MPTCP; a client that sends its SYN again with a lower MSS.
    case multipathDeclined, mssLowered
    /// A server that answers with a window of a few octets.
    case smallWindow
    /// One of the three losses.
    case anyLoss

    init(_ kind: IncidentWorld.Kind) {
        self =
            switch kind {
            case .hostSilent, .networkSilent, .portDropped, .clientsDropped, .oneClientDropped: .silent
            case .hostUnreachable: .unreachable
            case .portProhibited, .clientsProhibited: .prohibited
            case .portRejected: .rejected
            case .clientsRefused, .portRefused: .refused
            case .answersLost: .answerUnheard
            case .finalAcksLost: .ackMissing
            case .acceptQueueFull: .queueFull
            case .serverResets: .serverResets
            case .clientResets, .healthChecks: .clientResets
            case .pathLoss, .pathLossOfClients: .anyLoss
            case .serverSlow, .clientSlow, .scan, .flood, .backscatter: .well
            case .middleboxResets: .foreignReset
            case .collisions: .challenged
            case .rewritten: .wrongAck
            case .elsewhere: .elsewhere
            case .fastOpenDropped: .fastOpen
            case .oneDirection: .clientOnly
            case .otherDirection: .serverOnly
            case .optionsStripped: .stripped
            case .mssClamped: .clamped
            case .synProxy: .proxied
            }
    }
}

/// The segments of one connection as they pass the capture point, whatever becomes of it.
struct Wire {
    private let connection: IncidentWorld.Connection
    private(set) var frames: [(octets: [UInt8], time: Int64)] = []
    /// Nanoseconds from the capture point to the server and back, and to the client and back.
    var serverLeg: Int64 = 1_000_000
    var clientLeg: Int64 = 1_000_000
    private let x: UInt32
    private let y: UInt32
    private var clientID: UInt16
    private var serverID: UInt16
    private let clientClock: UInt32
    private let serverClock: UInt32
    private let hops: (client: UInt8, server: UInt8)
    private static let second: Int64 = 1_000_000_000

    init(_ connection: IncidentWorld.Connection, _ draw: inout Draw) {
        self.connection = connection
        (x, y) = (draw.number() | 1, draw.number() | 1)
        (clientID, serverID) = (UInt16(truncatingIfNeeded: draw.number()), UInt16(truncatingIfNeeded: draw.number()))
        (clientClock, serverClock) = (draw.number(), draw.number())
        hops = (UInt8(draw.int(58...63)), UInt8(draw.int(58...63)))
    }

    // MARK: Segments

    private func ticks(_ time: Int64) -> UInt32 { UInt32(truncatingIfNeeded: (time - connection.time) / 1_000_000) }

    private mutating func add(_ segment: Segment, _ time: Int64) {
        frames.append((FrameEncoder(.ethernet).encode(segment), time))
    }

    private mutating func fromClient(
        _ flags: TCPFlags, seq: UInt32, ack: UInt32 = 0, length: UInt32 = 0, at time: Int64,
        _ change: (inout Segment) -> Void = { _ in }
    ) {
        var segment = Segment(from: connection.client, to: connection.server)
        (segment.flags, segment.seq, segment.ack, segment.payloadLength) = (flags, seq, ack, length)
        (segment.window, segment.hopLimit, segment.identification) = (64_240, hops.client, clientID)
        clientID &+= 1
        if !flags.contains(.rst) { stamp(&segment.options, clientClock &+ ticks(time), echo(serverClock, flags, time)) }
        if flags.contains(.syn) { offer(&segment.options) }
        change(&segment)
        add(segment, time)
    }

    private mutating func fromServer(
        _ flags: TCPFlags, seq: UInt32, ack: UInt32 = 0, length: UInt32 = 0, at time: Int64, echoing sent: Int64? = nil,
        _ change: (inout Segment) -> Void = { _ in }
    ) {
        var segment = Segment(from: connection.server, to: connection.client)
        (segment.flags, segment.seq, segment.ack, segment.payloadLength) = (flags, seq, ack, length)
        (segment.window, segment.hopLimit, segment.identification) = (65_160, hops.server, serverID)
        serverID &+= 1
        if !flags.contains(.rst) {
            stamp(&segment.options, serverClock &+ ticks(time), clientClock &+ ticks(sent ?? time - serverLeg))
        }
        if flags.contains(.syn) { offer(&segment.options) }
        change(&segment)
        add(segment, time)
    }

    private func echo(_ clock: UInt32, _ flags: TCPFlags, _ time: Int64) -> UInt32 {
        flags.contains(.ack) ? clock &+ ticks(time - clientLeg) : 0
    }

    private func stamp(_ options: inout TCPOptions, _ tsval: UInt32, _ tsecr: UInt32) {
        options.present.insert(.timestamps)
        (options.tsval, options.tsecr) = (tsval, tsecr)
    }

    private func offer(_ options: inout TCPOptions) {
        options.present.formUnion([.mss, .windowScale, .sackPermitted])
        (options.mss, options.windowScale) = (1460, 7)
    }

    private mutating func syn(_ time: Int64) { fromClient(.syn, seq: x, at: time) }

    /// SYNs on the schedule of RFC 6298.
    private mutating func syns(_ count: Int) -> [Int64] {
        let times = [0, 1, 3, 7, 15].prefix(count).map { connection.time + $0 * Wire.second }
        for time in times { syn(time) }
        return times
    }

    /// The final ACK, a request, its answer, and both ends' FIN.
    private mutating func goOn(from time: Int64, retransmitting: Bool = false) {
        var now = time
        fromClient(.ack, seq: x &+ 1, ack: y &+ 1, at: now)
        if retransmitting {
            // The server has not got the ACK, and sends its SYN-ACK again.
            now += Wire.second
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: now, echoing: connection.time)
            now += clientLeg
            fromClient(.ack, seq: x &+ 1, ack: y &+ 1, at: now)
        }
        now += 200_000
        fromClient([.ack, .psh], seq: x &+ 1, ack: y &+ 1, length: 100, at: now)
        now += serverLeg
        fromServer([.ack, .psh], seq: y &+ 1, ack: x &+ 101, length: 200, at: now)
        now += clientLeg
        fromClient([.ack, .fin], seq: x &+ 101, ack: y &+ 201, at: now)
        now += serverLeg
        fromServer([.ack, .fin], seq: y &+ 201, ack: x &+ 102, at: now)
        now += clientLeg
        fromClient(.ack, seq: x &+ 102, ack: y &+ 202, at: now)
    }

    // MARK: Courses

    mutating func run(_ course: Course, _ draw: inout Draw) {
        let start = connection.time
        switch course {
        case .anyLoss: return run(draw.pick([.synLost, .synAckLost, .ackLost]), &draw)
        case .well:
            syn(start)
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + serverLeg, echoing: start)
            goOn(from: start + serverLeg + clientLeg)
        case .silent: _ = syns(4)
        case .synOnly: syn(start)
        case .synAndAnswer:
            syn(start)
            // Whether servers send it again is theirs to say.
            for again in [0, 1, 3, 7].prefix(draw.int(1...4)) {
                fromServer(
                    [.syn, .ack], seq: y, ack: x &+ 1, at: start + Int64(again) * Wire.second + serverLeg,
                    echoing: start)
            }
        case .unreachable, .prohibited, .rejected: runReported(course)
        case .refused:
            syn(start)
            fromServer([.rst, .ack], seq: 0, ack: x &+ 1, at: start + serverLeg)
        case .synLost:
            let times = syns(2)
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: times[1] + serverLeg, echoing: times[1])
            goOn(from: times[1] + serverLeg + clientLeg)
        case .synAckLost:
            syn(start)
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + serverLeg, echoing: start)
            syn(start + Wire.second)
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + Wire.second + serverLeg, echoing: start)
            goOn(from: start + Wire.second + serverLeg + clientLeg)
        case .ackLost:
            syn(start)
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + serverLeg, echoing: start)
            goOn(from: start + serverLeg + clientLeg, retransmitting: true)
        case .answerUnheard:
            for time in [0, 1, 3, 7].map({ start + $0 * Wire.second }) {
                syn(time)
                fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: time + serverLeg, echoing: start)
            }
        case .ackMissing:
            syn(start)
            for time in [0, 1, 3, 7].map({ start + $0 * Wire.second }) {
                fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: time + serverLeg, echoing: start)
            }
        case .queueFull:
            // What comes while the queue fills is half taken; then SYNs are dropped.
            if draw.chance(0.4) {
                run(.ackLost, &draw)
            } else if draw.chance(0.3) {
                run(.synLost, &draw)
            } else {
                run(.silent, &draw)
            }
        case .serverResets:
            syn(start)
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + serverLeg, echoing: start)
            fromClient(.ack, seq: x &+ 1, ack: y &+ 1, at: start + serverLeg + clientLeg)
            fromServer([.rst, .ack], seq: y &+ 1, ack: x &+ 1, at: start + 2 * serverLeg + clientLeg)
        case .clientResets:
            syn(start)
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + serverLeg, echoing: start)
            let end = start + serverLeg + clientLeg
            if draw.chance(0.3) {
                // By connect() and a close that lingers for no time.
                fromClient(.ack, seq: x &+ 1, ack: y &+ 1, at: end)
                fromClient([.rst, .ack], seq: x &+ 1, ack: y &+ 1, at: end + 100_000)
            } else {
                fromClient(.rst, seq: x &+ 1, at: end)
            }
        case .foreignReset:
            syn(start)
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + serverLeg, echoing: start)
            fromClient(.ack, seq: x &+ 1, ack: y &+ 1, at: start + serverLeg + clientLeg)
            fromServer([.rst, .ack], seq: y &+ 1, ack: x &+ 1, at: start + serverLeg + clientLeg + 50_000) {
                ($0.hopLimit, $0.identification) = (230, 0)
            }
        case .stripped: runStripped(&draw)
        case .proxied, .smallWindow:
            syn(start)
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + 100_000, echoing: start) {
                $0.window = course == .proxied ? 0 : 4
                $0.hopLimit = 64
            }
            let end = start + 100_000 + clientLeg
            fromClient(.ack, seq: x &+ 1, ack: y &+ 1, at: end)
            // The window opens once the server has answered the proxy.
            fromServer(.ack, seq: y &+ 1, ack: x &+ 1, at: end + serverLeg)
            goOn(from: end + serverLeg + 100_000)
        case .multipathDeclined:
            fromClient(.syn, seq: x, at: start) { $0.options.present.insert(.mptcp) }
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + serverLeg, echoing: start)
            goOn(from: start + serverLeg + clientLeg)
        case .mssLowered:
            syn(start)
            let again = start + Wire.second
            fromClient(.syn, seq: x, at: again) { $0.options.mss = 1380 }
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: again + serverLeg, echoing: again)
            goOn(from: again + serverLeg + clientLeg)
        case .clamped: runClamped(&draw)
        case .challenged: runChallenged(&draw)
        case .wrongAck:
            for time in [0, 1, 3].map({ start + $0 * Wire.second }) {
                syn(time)
                fromServer([.syn, .ack], seq: y, ack: x &+ 5000, at: time + serverLeg, echoing: time)
                fromClient(.rst, seq: x &+ 5000, at: time + serverLeg + clientLeg)
            }
        case .elsewhere: runElsewhere(isBehindToo: draw.chance(0.3))
        case .fastOpen:
            fromClient(.syn, seq: x, length: 20, at: start) {
                $0.options.present.insert(.fastOpen)
                $0.options.fastOpenCookieLength = 8
            }
            syn(start + Wire.second)
            fromServer(
                [.syn, .ack], seq: y, ack: x &+ 1, at: start + Wire.second + serverLeg, echoing: start + Wire.second)
            goOn(from: start + Wire.second + serverLeg + clientLeg)
        case .serverOnly:
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + serverLeg, echoing: start)
            fromServer([.ack, .psh], seq: y &+ 1, ack: x &+ 101, length: 200, at: start + 2 * serverLeg + clientLeg)
        case .clientOnly:
            syn(start)
            let now = start + serverLeg + clientLeg
            fromClient(.ack, seq: x &+ 1, ack: y &+ 1, at: now)
            fromClient([.ack, .psh], seq: x &+ 1, ack: y &+ 1, length: 100, at: now + 100_000)
            fromClient(.ack, seq: x &+ 101, ack: y &+ 201, at: now + 2 * (serverLeg + clientLeg))
        }
    }

    /// A box behind the capture point takes MPTCP out of ACKs, or gives the SYN a window scale.
    private mutating func runStripped(_ draw: inout Draw) {
        let (isMultipath, start) = (draw.chance(0.5), connection.time)
        fromClient(.syn, seq: x, at: start) {
            if isMultipath { $0.options.present.insert(.mptcp) } else { $0.options.present.remove(.windowScale) }
        }
        fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: start + serverLeg, echoing: start) {
            if isMultipath { $0.options.present.insert(.mptcp) }
        }
        goOn(from: start + serverLeg + clientLeg)
    }

    /// A router between two capture points lowers the MSS of SYNs, or of both.
    private mutating func runClamped(_ draw: inout Draw) {
        let (start, isBoth) = (connection.time, draw.chance(0.5))
        syn(start)
        clientID &-= 1
        fromClient(.syn, seq: x, at: start + 20_000) { ($0.options.mss, $0.hopLimit) = (1380, $0.hopLimit - 1) }
        let answer = start + serverLeg
        fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: answer, echoing: start)
        if isBoth {
            serverID &-= 1
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: answer + 20_000, echoing: start) {
                ($0.options.mss, $0.hopLimit) = (1380, $0.hopLimit - 1)
            }
        }
        goOn(from: answer + clientLeg)
    }

    private mutating func runReported(_ course: Course) {
        let isV6 = connection.client.address.version == .v6
        let (type, code): (UInt8, UInt8) =
            switch course {
            case .unreachable: isV6 ? (1, 3) : (3, 1)
            case .prohibited: isV6 ? (1, 1) : (3, 13)
            default: isV6 ? (1, 4) : (3, 3)
            }
        var segment = Segment(from: connection.client, to: connection.server)
        (segment.flags, segment.seq) = (.syn, x)
        let error = ICMPError(
            reporter: IncidentWorld.address(isV6, 10, 1, 1), type: type, code: code, source: connection.client,
            destination: connection.server, seq: x)
        syn(connection.time)
        frames.append((FrameEncoder(.ethernet).encode(error, about: segment), connection.time + serverLeg))
    }

    /// The answer comes from another address.
    /// - Parameter isBehindToo: whether the SYN is captured again where it has that address.
    private mutating func runElsewhere(isBehindToo: Bool) {
        func other(_ called: IPAddress) -> IPAddress {
            called.version == .v4
                ? IPAddress(v4: UInt32(truncatingIfNeeded: called.low) | 0xc0)
                : IPAddress(v6High: called.high, low: called.low | 0xc000)
        }
        for time in [0, 1, 3, 7].map({ connection.time + $0 * Wire.second }) {
            syn(time)
            if isBehindToo {
                fromClient(.syn, seq: x, at: time + 10_000) {
                    $0.destination.address = other($0.destination.address)
                    $0.hopLimit -= 1
                }
            }
            fromServer([.syn, .ack], seq: y, ack: x &+ 1, at: time + serverLeg, echoing: connection.time) {
                $0.source.address = other($0.source.address)
            }
        }
    }

    /// The server still has a connection of these ports, and challenges.
    private mutating func runChallenged(_ draw: inout Draw) {
        let (old, expected) = (draw.number(), draw.number())
        for time in [0, 1, 3].map({ connection.time + $0 * Wire.second }) {
            syn(time)
            fromServer(.ack, seq: old, ack: expected, at: time + serverLeg, echoing: connection.time - 5 * Wire.second)
        }
    }
}
