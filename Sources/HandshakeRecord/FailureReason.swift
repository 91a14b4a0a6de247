import PacketWire

/// Why a client did not get its connection, as far as the packets say.
public enum FailureReason: String, CaseIterable, Sendable {
    case refused
    case noAnswer = "no-answer"
    case unacceptableReset = "unacceptable-rst"
    case noFinalAck = "no-final-ack"
    case clientReset = "client-reset"
    case serverReset = "server-reset"
    case challengeOnly = "challenge-ack"
    case stale
    case invalid
    case networkUnreachable = "network-unreachable"
    case hostUnreachable = "host-unreachable"
    case protocolUnreachable = "protocol-unreachable"
    case portUnreachable = "port-unreachable"
    case prohibited = "admin-prohibited"
    case packetTooBig = "packet-too-big"
    case timeExceeded = "time-exceeded"
    case otherICMPError = "other-icmp-error"

    /// A few words, as after "failed:".
    public var text: String {
        switch self {
        case .refused: "refused by RST"
        case .noAnswer: "no answer to the SYN"
        case .unacceptableReset: "only a RST that does not acknowledge the SYN"
        case .noFinalAck: "no final ACK after the SYN-ACK"
        case .clientReset: "reset by the client"
        case .serverReset: "reset by the server after its SYN-ACK"
        case .challengeOnly: "answered by a challenge ACK"
        case .stale: "a late copy of an old SYN"
        case .invalid: "numbers that do not fit"
        case .networkUnreachable: "network unreachable"
        case .hostUnreachable: "host unreachable"
        case .protocolUnreachable: "protocol unreachable"
        case .portUnreachable: "port unreachable"
        case .prohibited: "administratively prohibited"
        case .packetTooBig: "packet too big"
        case .timeExceeded: "time to live exceeded"
        case .otherICMPError: "another ICMP error"
        }
    }
}

extension UnreachableReport {
    /// The error in words. ICMP: RFC 792 and RFC 1812 5.2.7.1; ICMPv6: RFC 4443 section 3.
    public var reason: FailureReason {
        if reporter.version == .v6 {
            switch (type, code) {
            case (1, 0): return .networkUnreachable
            case (1, 1), (1, 5), (1, 6): return .prohibited
            case (1, 2), (1, 3): return .hostUnreachable
            case (1, 4): return .portUnreachable
            case (2, _): return .packetTooBig
            case (3, _): return .timeExceeded
            default: return .otherICMPError
            }
        }
        switch (type, code) {
        case (3, 0), (3, 6), (3, 11): return .networkUnreachable
        case (3, 1), (3, 7), (3, 8), (3, 12): return .hostUnreachable
        case (3, 2): return .protocolUnreachable
        case (3, 3): return .portUnreachable
        case (3, 4): return .packetTooBig
        case (3, 9), (3, 10), (3, 13): return .prohibited
        case (11, _): return .timeExceeded
        default: return .otherICMPError
        }
    }

    /// In words, with the reporter: `administratively prohibited, says 192.0.2.9`.
    public var text: String { "\(reason.text), says \(reporter)" }
}

extension AttemptRecord {
    /// Why it failed; nil where it did not, or where that is not known.
    public var failedBecause: FailureReason? {
        switch outcome {
        case .established, .pending, .partial, .superseded: nil
        case .refused: .refused
        case .unreachable: unreachable?.reason ?? .otherICMPError
        case .unanswered: rstCount > 0 ? .unacceptableReset : .noAnswer
        case .halfOpen: .noFinalAck
        case .resetByClient: .clientReset
        case .resetByServer: .serverReset
        case .challenged: .challengeOnly
        case .stale: .stale
        case .invalid: .invalid
        }
    }
}
