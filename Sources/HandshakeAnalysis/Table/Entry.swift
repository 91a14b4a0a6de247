import PacketWire

/// The part of every attempt that the table holds, and all of a SYN that had no answer. The fields from `profile`
/// on are those of an attempt without detail.
struct Entry: BitwiseCopyable {
    /// How far an attempt without detail has come.
    enum Stage: UInt8 {
        case detailed, synSent, synReceived, established
        /// Reported.
        case closed

        var state: HandshakeState {
            switch self {
            case .detailed, .closed: .closed
            case .synSent: .synSent
            case .synReceived: .synReceived
            case .established: .established
            }
        }
    }

    /// Both IPv4 addresses; for IPv6 the number of an `AddressPair`.
    var addresses: UInt64 = 0
    /// When it was put in its queue, on the clock of `CaptureClock.elapsed`. Of an attempt that is not reported it is
    /// also when the attempt, and its handshake, was last heard of.
    var queued: Int64 = 0
    /// The number and time of its first segment's frame.
    var firstFrame: UInt64 = 0
    var firstTime: Int64 = 0
    var ports: UInt32 = 0
    /// Its detail, progress or aftermath; 0 for none.
    var body: UInt32 = 0
    var queuePrevious: UInt32 = 0
    var queueNext: UInt32 = 0
    /// x.
    var clientISN: UInt32 = 0
    var clientTSval: UInt32 = 0
    /// Profile of its SYN.
    var profile: UInt16 = 0
    var identification: UInt16 = 0
    var window: UInt16 = 0
    private var bits: UInt8 = 0
    var stage: Stage = .detailed

    init() {}

    /// Takes an event of the short way. What follows from it `HandshakeMachine` says: a test holds each of these steps
    /// against its table.
    @inline(__always)
    mutating func advance(by event: HandshakeEvent) {
        switch event {
        case .synAck: stage = .synReceived
        case .finalAck, .finalData:
            stage = .established
            isCompletedByData = event == .finalData
        case .clientMore: clientSaidMore = true
        case .serverMore: serverSaidMore = true
        default: assertionFailure("no event of the short way")
        }
    }

    /// The events so far of an attempt without detail.
    var events: EventSet {
        var events = EventSet()
        events.insert(.syn)
        guard stage != .synSent else { return events }
        events.insert(.synAck)
        guard stage != .synReceived else { return events }
        events.insert(isCompletedByData ? .finalData : .finalAck)
        if clientSaidMore { events.insert(.clientMore) }
        if serverSaidMore { events.insert(.serverMore) }
        return events
    }

    @inline(__always)
    private func bit(_ number: UInt8) -> Bool { bits >> number & 1 != 0 }

    @inline(__always)
    private mutating func set(_ number: UInt8, _ isSet: Bool) {
        bits = bits & ~(1 << number) | (isSet ? 1 : 0) << number
    }

    @inline(__always)
    var queue: Attempt.Queue {
        get { Attempt.Queue(rawValue: bits & 3) ?? .unfinished }
        set { bits = bits & ~3 | newValue.rawValue }
    }
    @inline(__always) var isV6: Bool {
        get { bit(2) }
        set { set(2, newValue) }
    }
    @inline(__always) var clientIsLow: Bool {
        get { bit(3) }
        set { set(3, newValue) }
    }
    @inline(__always) var isCompletedByData: Bool {
        get { bit(4) }
        set { set(4, newValue) }
    }
    @inline(__always) var clientSaidMore: Bool {
        get { bit(5) }
        set { set(5, newValue) }
    }
    @inline(__always) var serverSaidMore: Bool {
        get { bit(6) }
        set { set(6, newValue) }
    }
}

/// The part of an attempt without detail beside its entry from its SYN-ACK on, until it is reported: few at a time, so
/// that they stay in a cache.
struct Progress: BitwiseCopyable {
    var numbers = ConnectionNumbers()
    var serverEnd: UInt32 = 0
    var clientAcked: UInt32 = 0

    // The SYN-ACK and the final ACK, as far as they are not in the entry.
    var synAckTime: Int64 = 0
    var ackTime: Int64 = 0
    /// Frames after the SYN's.
    var synAckFrame: UInt32 = 0
    var ackFrame: UInt32 = 0
    var synAckTSval: UInt32 = 0
    var synAckTSecr: UInt32 = 0
    var ackTSval: UInt32 = 0
    var ackTSecr: UInt32 = 0
    var ackPayload: UInt32 = 0
    var synAckProfile: UInt16 = 0
    var ackProfile: UInt16 = 0
    var synAckWindow: UInt16 = 0
    var ackWindow: UInt16 = 0
    var synAckIdentification: UInt16 = 0
    var ackIdentification: UInt16 = 0

    @inline(__always)
    mutating func takeClientACK(_ segment: UsualSegment) {
        clientAcked = segment.ack
        if segment.options.contains(.timestamps) { numbers.clientTSval = segment.tsval }
    }
}

/// The memory of a reported attempt without detail beside its entry.
struct Aftermath: BitwiseCopyable {
    /// As in `Attempt`.
    var touched: Int64
    var handshakeTouched: Int64
    var numbers: ConnectionNumbers
    var close: ConnectionClose

    /// Takes a segment's numbers.
    @inline(__always)
    mutating func note(_ segment: UsualSegment, fromClient: Bool, at now: Int64) {
        numbers.takeAfterReport(
            end: segment.seq &+ segment.sequenceLength, ack: segment.ack, hasACK: segment.flags.contains(.ack),
            tsval: segment.tsval, hasTSval: segment.options.contains(.timestamps), fromClient: fromClient)
        touched = now
    }

    /// Takes a noted segment that may end the connection.
    /// - Returns: whether the connection is over.
    @inline(__always)
    mutating func noteClose(_ segment: UsualSegment, fromClient: Bool) -> Bool {
        close.receive(
            segment.flags, ack: segment.ack, end: segment.seq &+ segment.sequenceLength, fromClient: fromClient,
            clientEnd: numbers.clientEnd)
        return close.isOver
    }
}
