import HandshakeRecord

/// An attempt's outcome, as far as causes are told from it.
enum Fate: UInt8, CaseIterable, Sendable {
    case established
    /// No answer to any SYN.
    case silent
    /// The answer to the SYN came from an address that the client did not call.
    case answeredElsewhere
    case refused
    /// An ICMP error says that a filter stopped it: administratively prohibited, or a port that is unreachable.
    case prohibited
    /// An ICMP error says that network, host or protocol cannot be reached.
    case unreachable
    /// SYN-ACKs passed, and the client sent its SYN again.
    case answerUnheard
    /// A SYN-ACK passed, and nothing of the client behind it.
    case unfinished
    case resetByServer
    case resetByClient
    case challenged
    case wrongNumbers
    /// Not known: the capture ended, began too late, or what is in it may be made up.
    case unknown
}

/// Traits of attempts beside what became of them.
struct Traits: OptionSet, Hashable {
    let rawValue: UInt16

    /// A SYN was sent again, and nothing says that a SYN-ACK was lost.
    static let lostSYN = Traits(rawValue: 1 << 0)
    static let lostSYNACK = Traits(rawValue: 1 << 1)
    /// The SYN-ACK came again after the final ACK.
    static let lostACK = Traits(rawValue: 1 << 2)
    /// The server reset the connection as soon as it was made.
    static let resetAfterEstablished = Traits(rawValue: 1 << 3)
    /// A RST in the server's name, and one in the client's, that does not look like its sender's other packets.
    static let foreignReset = Traits(rawValue: 1 << 4)
    static let foreignClientReset = Traits(rawValue: 1 << 14)
    static let reusedTuple = Traits(rawValue: 1 << 5)
    static let clampedMSS = Traits(rawValue: 1 << 6)
    static let strippedOption = Traits(rawValue: 1 << 7)
    static let oneSided = Traits(rawValue: 1 << 8)
    /// A SYN with Fast Open went unanswered; one without it was answered.
    static let fastOpenUnanswered = Traits(rawValue: 1 << 9)
    /// SYN-ACK or ACK with numbers that do not fit.
    static let wrongNumbers = Traits(rawValue: 1 << 10)
    /// A SYN-ACK that nobody asked for.
    static let unasked = Traits(rawValue: 1 << 11)
    /// The client sent its SYN again, whatever was lost.
    static let repeatedSYN = Traits(rawValue: 1 << 12)
    /// The client reset the connection as soon as it was made.
    static let clientResetAfterEstablished = Traits(rawValue: 1 << 13)
    /// The SYN-ACK opens no window.
    static let noWindow = Traits(rawValue: 1 << 15)

    static let lost: Traits = [.lostSYN, .lostSYNACK, .lostACK]
}

/// The facts of one attempt.
struct Observation {
    /// Nanoseconds since the epoch.
    var time: Int64
    /// The attempt's id.
    var id: UInt64
    /// Nanoseconds; -1 where it is not known.
    var serverLeg: Int64
    var clientLeg: Int64
    /// Numbers of a server and of a client in the log.
    var server: UInt32
    var client: UInt32
    /// Number of the address that reported an ICMP error, and one more; 0 for none.
    var reporter: UInt32
    /// A hash of the client's address, port and x: by it, a SYN finds the answer that came from elsewhere.
    var handshake: UInt64
    /// How many attempts it stands for: more than one once the log has been thinned.
    var weight: UInt32
    var fate: Fate
    var traits: Traits

    var isDecided: Bool { fate != .unknown }
}

extension Fate {
    init(_ attempt: AttemptFacts) { self = attempt.isDoubtful ? .unknown : Fate.ofTrusted(attempt) }

    private static func ofTrusted(_ attempt: AttemptFacts) -> Fate {
        switch attempt.outcome {
        case .established: .established
        case .unanswered where attempt.has(.nat): .answeredElsewhere
        // A RST that does not acknowledge the SYN: somebody answered, with other numbers.
        case .unanswered: attempt.rstCount > 0 ? .wrongNumbers : .silent
        case .refused: .refused
        case .unreachable:
            switch attempt.failedBecause {
            case .prohibited?, .portUnreachable?: .prohibited
            default: .unreachable
            }
        case .halfOpen: attempt.synCount > 1 ? .answerUnheard : .unfinished
        case .resetByServer: .resetByServer
        case .resetByClient: .resetByClient
        case .challenged, .stale: .challenged
        case .invalid: .wrongNumbers
        // The server goes on, so its client answered: elsewhere.
        case .partial: attempt.isServersDirection ? .established : .unknown
        case .pending, .superseded: .unknown
        }
    }
}

extension Traits {
    init(_ attempt: AttemptFacts) {
        self = attempt.isServersDirection ? .oneSided : []
        if attempt.hasForeignReset { insert(.foreignReset) }
        if attempt.hasForeignResetOfClient { insert(.foreignClientReset) }
        for code in attempt.findings {
            switch code {
            case .synRetransmitted, .synLost: formUnion([.lostSYN, .repeatedSYN])
            case .synackLost: insert(.lostSYNACK)
            case .ackLost: insert(.lostACK)
            case .resetAfterEstablished:
                insert(attempt.isResetByClientAtOnce ? .clientResetAfterEstablished : .resetAfterEstablished)
            case .tupleReused, .synOnEstablished: insert(.reusedTuple)
            case .mssClamped: insert(.clampedMSS)
            case .synackNoWindow: insert(.noWindow)
            case .mptcpStripped, .optionNotOffered: insert(.strippedOption)
            case .oneSided: insert(.oneSided)
            case .synackWrongAck, .ackWrongAck, .ackWrongSeq: insert(.wrongNumbers)
            case .synackUnsolicited: insert(.unasked)
            case .synOptionsChanged where attempt.hasFastOpen: insert(.fastOpenUnanswered)
            default: break
            }
        }
        // Behind a proxy the SYN-ACK that comes again is the server's, and the ACK that it misses the proxy's.
        if contains(.noWindow) { remove(.lostACK) }
        // Both are said of a SYN that was repeated because its answer was lost.
        if contains(.lostSYNACK) { remove(.lostSYN) }
    }
}
