package import HandshakeRecord

/// How far a handshake was seen to get. A state is defined by what passed the capture point, never by what an endpoint
/// must be thinking.
package enum HandshakeState: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// SYN seen, no valid SYN-ACK.
    case synSent
    /// SYN seen, then a valid SYN-ACK.
    case synReceived
    /// A SYN-ACK seen, its SYN not.
    case synAckOnly
    /// A SYN from each side (RFC 9293 Figure 7), neither acknowledged.
    case crossed
    /// As `crossed`; the client acknowledged y+1.
    case crossedClientAcked
    /// As `crossed`; the server acknowledged x+1.
    case crossedServerAcked
    /// A client RST ended it. Only a new SYN goes on from here.
    case aborted
    /// Completed, and still open to late evidence.
    case established
    /// Completed, and the client's SYN or the server's SYN-ACK was not captured so far. It may come behind what answers
    /// it, the FIN included.
    case establishedHalfSeen
    /// Reported. The connection may live on.
    case closed

    package var isEstablished: Bool { self == .established || self == .establishedHalfSeen }
}

/// The meaning of a segment to an attempt, once its numbers were compared with the attempt's.
package enum HandshakeEvent: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    // The client's.
    case syn
    /// ACK, SEQ = x+1, ACK = y+1, nothing else in it.
    case finalAck
    /// The same with payload or FIN.
    case finalData
    /// In both windows, not exact.
    case inferredAck
    /// SEQ = x+1, and no SYN-ACK was seen.
    case oneSidedAck
    /// It acknowledges more than was captured of the server: nothing says that it is wrong.
    case ackBeyond
    /// It acknowledges what the server did not send.
    case wrongAck
    /// Right ACK, SEQ outside the window.
    case wrongSeq
    /// SYN-ACK of a simultaneous open: SEQ = x, ACK = y+1.
    case clientSynAck
    /// SYN-ACK from the client where none belongs.
    case synAckWrongDirection
    /// RST, SEQ = x+1.
    case clientReset
    /// RST, SEQ = x: the client gave up.
    case clientGaveUp
    /// RST whose SEQ is a challenge's ACK (RFC 9293 Figures 9 and 10).
    case resetAnswersChallenge
    /// RST whose SEQ is a wrong SYN-ACK's ACK (RFC 9293 3.10.7.3).
    case resetRejectsSynAck
    /// Payload before there is anything to acknowledge.
    case earlyData
    /// FIN after completion.
    case clientFin
    /// Anything later from the client.
    case clientMore

    // The server's.
    /// SYN-ACK, ACK in [x+1, x+1+L]; the first.
    case synAck
    case synAckAgain
    /// A valid SYN-ACK with another y.
    case synAckOther
    case synAckWrongAck
    /// A SYN against the attempt's direction.
    case reverseSyn
    /// The same, after the server acknowledged x+1 on its own (a split handshake).
    case reverseSynAfterAck
    /// An ACK of x+1 once SYNs have crossed.
    case serverAck
    /// RST with ACK in [x+1, x+1+L].
    case refusal
    /// RST, SEQ = y+1.
    case serverReset
    /// RST in the window, SEQ not y+1.
    case resetInexact
    /// RST whose SEQ is a wrong final ACK's ACK.
    case resetAnswersWrongAck
    /// ACK without SYN or RST that proves no completion.
    case challenge
    /// It acknowledges client data, or sends data: it is established.
    case proof
    /// It acknowledges client data, after completion.
    case confirmation
    /// Shows that the segment that completed the handshake acknowledges more than the server sent.
    case ackRefuted
    case serverFin
    case serverMore

    // Either's.
    /// Data has been acknowledged in both directions, though the client's RST was seen.
    case dataBothWays
    /// RST that its receiver does not accept.
    case resetUnacceptable
    /// RST in the window of an established connection.
    case resetEstablished
    /// The same packet captured again.
    case captureDuplicate
    /// A checksum that its receiver would not accept.
    case badChecksum
    /// In a tunnel that says nothing of this attempt.
    case foreignCarrier

    // From the network.
    case icmpHard
    case icmpAdmin
    case icmpSoft
    /// Fragmentation needed, packet too big, or a quote of something other than this SYN: it decides nothing.
    case icmpOther
}

extension HandshakeEvent {
    /// A SYN-ACK of the server that acknowledges the SYN.
    var isValidSYNACK: Bool {
        switch self {
        case .synAck, .synAckAgain, .synAckOther: true
        default: false
        }
    }

    /// The answers to a SYN, whichever copy of it.
    var answersSYN: Bool {
        switch self {
        case .synAck, .synAckOther, .synAckWrongAck: true
        default: isDecisiveReset || isUnreachable
        }
    }

    /// Whether the segment changes no state.
    var isLeftOut: Bool {
        switch self {
        case .captureDuplicate, .badChecksum, .foreignCarrier: true
        default: false
        }
    }

    /// Whether the segment shows that the attempt exists: it cannot as well belong to another connection on the tuple.
    var provesAttempt: Bool {
        switch self {
        case .challenge, .earlyData, .resetUnacceptable, .badChecksum, .foreignCarrier: false
        // Their numbers are right by chance at most.
        case .reverseSyn, .reverseSynAfterAck, .synAckWrongAck, .synAckWrongDirection, .wrongAck, .wrongSeq: false
        default: !isICMP
        }
    }

    var isReverseSYN: Bool { self == .reverseSyn || self == .reverseSynAfterAck }
    var isExactCompletion: Bool { self == .finalAck || self == .finalData }

    /// A RST that ends the attempt, or this try of it.
    var isDecisiveReset: Bool {
        switch self {
        case .refusal, .clientReset, .serverReset: true
        default: false
        }
    }

    /// An ICMP error that says why there will be no answer.
    var isUnreachable: Bool {
        switch self {
        case .icmpHard, .icmpAdmin, .icmpSoft: true
        default: false
        }
    }

    var isICMP: Bool { isUnreachable || self == .icmpOther }
}

/// The tracker's reaction to an event.
package enum HandshakeAction: Sendable, Equatable {
    /// No reaction: the event says nothing new in this state.
    case ignore
    /// Log the segment.
    case note
    /// Log it: the handshake is complete.
    case complete(CompletedBy)
    /// The attempt is over, what is known is final.
    case close
    /// The segment that seemed to complete it did not.
    case reopen
}

extension CompletedBy {
    /// As an attempt keeps it: 0 is none.
    static func number(_ how: CompletedBy) -> UInt8 {
        switch how {
        case .ack: 1
        case .data: 2
        case .inferred: 3
        }
    }

    init?(number: UInt8) {
        switch number {
        case 1: self = .ack
        case 2: self = .data
        case 3: self = .inferred
        default: return nil
        }
    }
}

/// The handshake's state machine: an event in, the next state and an action out. It does no arithmetic (the classifier
/// did), reads no clock, and its whole table is a committed golden file.
package struct HandshakeMachine: Sendable, BitwiseCopyable {
    package private(set) var state: HandshakeState

    @inline(__always)
    package init(_ state: HandshakeState) { self.state = state }

    @inline(__always)
    package mutating func receive(_ event: HandshakeEvent) -> HandshakeAction {
        switch state {
        case .synSent: synSent(event)
        case .synReceived: synReceived(event)
        case .synAckOnly: synAckOnly(event)
        case .crossed, .crossedClientAcked, .crossedServerAcked: crossed(event)
        case .aborted: aborted(event)
        case .established, .establishedHalfSeen: established(event)
        case .closed: .ignore
        }
    }

    private mutating func synSent(_ event: HandshakeEvent) -> HandshakeAction {
        switch event {
        case .synAck, .synAckAgain, .synAckOther: move(to: .synReceived)
        // RFC 9293 3.10.7.3: a SYN without ACK in SYN-SENT leads to SYN-RECEIVED, Figure 7.
        case .reverseSyn: move(to: .crossed)
        case .reverseSynAfterAck: move(to: .crossedServerAcked)
        case .oneSidedAck, .proof: complete(.inferred, .establishedHalfSeen)
        case .clientReset, .clientGaveUp: move(to: .aborted)
        case .finalAck, .finalData, .inferredAck, .ackBeyond, .clientSynAck, .serverAck, .clientFin, .clientMore,
            .serverFin, .serverMore, .confirmation, .resetEstablished, .ackRefuted, .dataBothWays:
            .ignore
        default: .note
        }
    }

    private mutating func synReceived(_ event: HandshakeEvent) -> HandshakeAction {
        switch event {
        case .finalAck: complete(.ack)
        case .finalData: complete(.data)
        case .inferredAck, .ackBeyond, .oneSidedAck, .proof: complete(.inferred)
        case .clientReset: move(to: .aborted)
        case .clientSynAck, .serverAck, .clientFin, .clientMore, .serverFin, .serverMore, .confirmation,
            .resetEstablished, .ackRefuted, .dataBothWays:
            .ignore
        default: .note
        }
    }

    private mutating func synAckOnly(_ event: HandshakeEvent) -> HandshakeAction {
        switch event {
        case .syn: return move(to: .synReceived)
        default:
            let action = synReceived(event)
            if state == .established { state = .establishedHalfSeen }
            return action
        }
    }

    // RFC 9293 Figure 7: complete when each side has acknowledged the other's SYN, by SYN-ACK or ACK.
    private mutating func crossed(_ event: HandshakeEvent) -> HandshakeAction {
        switch event {
        case .clientSynAck, .finalAck, .finalData:
            if state == .crossedServerAcked { return complete(event == .finalData ? .data : .ack) }
            return move(to: .crossedClientAcked)
        case .synAck, .synAckAgain, .serverAck:
            if state == .crossedClientAcked { return complete(.ack) }
            return move(to: .crossedServerAcked)
        case .inferredAck, .proof: return complete(.inferred)
        case .clientReset: return move(to: .aborted)
        case .oneSidedAck, .clientFin, .clientMore, .serverFin, .serverMore, .confirmation, .resetEstablished,
            .ackRefuted, .dataBothWays:
            return .ignore
        default: return .note
        }
    }

    // After a client RST only a new SYN, or data acknowledged in both directions, can complete it, never a bare ACK.
    private mutating func aborted(_ event: HandshakeEvent) -> HandshakeAction {
        switch event {
        case .syn: move(to: .synSent)
        case .dataBothWays: complete(.inferred)
        case .clientFin, .clientMore, .serverFin, .serverMore, .confirmation, .resetEstablished, .ackRefuted: .ignore
        default: .note
        }
    }

    private mutating func established(_ event: HandshakeEvent) -> HandshakeAction {
        switch event {
        case .clientFin, .serverFin, .confirmation:
            // The SYN-ACK, or the SYN, may come behind them.
            if state == .establishedHalfSeen { return .ignore }
            state = .closed
            return .close
        case .ackRefuted:
            state = .synReceived
            return .reopen
        case .resetEstablished, .syn, .synAck, .synAckAgain, .synAckOther, .synAckWrongAck, .synAckWrongDirection,
            .reverseSyn,
            .reverseSynAfterAck, .clientSynAck, .resetUnacceptable, .resetInexact, .resetAnswersWrongAck,
            .captureDuplicate, .badChecksum, .icmpHard, .icmpAdmin, .icmpSoft, .icmpOther, .finalAck:
            return .note
        default: return .ignore
        }
    }

    @inline(__always)
    private mutating func move(to next: HandshakeState) -> HandshakeAction {
        state = next
        return .note
    }

    @inline(__always)
    private mutating func complete(
        _ how: CompletedBy, _ next: HandshakeState = .established
    ) -> HandshakeAction {
        state = next
        return .complete(how)
    }
}

/// The events that an attempt has seen, whatever became of them.
package struct EventSet: Sendable, Equatable, BitwiseCopyable {
    fileprivate(set) var bits: UInt64 = 0
    @inline(__always) package init() {}
    @inline(__always) package mutating func insert(_ event: HandshakeEvent) { bits |= 1 << UInt64(event.rawValue) }
    @inline(__always)
    package func has(_ event: HandshakeEvent) -> Bool { bits >> UInt64(event.rawValue) & 1 != 0 }
    @inline(__always)
    package func hasAny(_ a: HandshakeEvent, _ b: HandshakeEvent) -> Bool { has(a) || has(b) }
    @inline(__always)
    package func hasAny(_ a: HandshakeEvent, _ b: HandshakeEvent, _ c: HandshakeEvent) -> Bool {
        has(a) || has(b) || has(c)
    }
}
