import PacketWire

/// Why a client did not get its connection, as far as the packets say.
public enum FailureReason: String, CaseIterable, Sendable {
    /// A RST that acknowledges the SYN (RFC 9293 3.10.7.3).
    case refused
    /// SYNs, and nothing from the server.
    case noAnswer = "no-answer"
    /// Only RSTs that the client ignores.
    case unacceptableReset = "unacceptable-rst"
    /// A SYN-ACK, and nothing of the client that completes.
    case noFinalAck = "no-final-ack"
    /// The client reset it.
    case clientReset = "client-reset"
    /// The server reset it after its SYN-ACK.
    case serverReset = "server-reset"
    /// Only a challenge ACK came back (RFC 5961 4).
    case challengeOnly = "challenge-ack"
    /// An old duplicate SYN (RFC 9293 Figure 8).
    case stale
    /// The arithmetic never came right.
    case invalid
    /// ICMP: network unreachable.
    case networkUnreachable = "network-unreachable"
    /// ICMP: host unreachable.
    case hostUnreachable = "host-unreachable"
    /// ICMP: protocol unreachable.
    case protocolUnreachable = "protocol-unreachable"
    /// ICMP: port unreachable.
    case portUnreachable = "port-unreachable"
    /// ICMP: administratively prohibited.
    case prohibited = "admin-prohibited"
    /// ICMP: packet too big, or fragmentation needed.
    case packetTooBig = "packet-too-big"
    /// ICMP: time exceeded.
    case timeExceeded = "time-exceeded"
    /// Another ICMP error.
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
