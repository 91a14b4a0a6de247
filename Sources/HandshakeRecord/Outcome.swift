/// The outcome of an attempt. Evidence is kept until the attempt is over; then the first outcome of this order that
/// matches is the one, but for `partial`, which takes their place when the SYN was not seen.
public enum Outcome: String, CaseIterable, Sendable {
    case established
    case resetByClient = "reset-by-client"
    case stale
    case resetByServer = "reset-by-server"
    case refused
    case unreachable
    case invalid
    case challenged
    case halfOpen = "half-open"
    case unanswered
    case superseded
    case pending
    case partial

    /// Whether the client did not get its connection. What is open, not seen whole, or given up for another is no
    /// failure.
    public var isFailure: Bool {
        switch self {
        case .established, .pending, .partial, .superseded: false
        default: true
        }
    }
}

/// How the handshake went about it.
public enum HandshakeForm: String, CaseIterable, Sendable {
    /// RFC 9293 Figure 6.
    case threeWay = "three-way"
    /// RFC 9293 Figure 7: both SYNs crossed.
    case simultaneous
    /// The server sent its ACK and its SYN apart.
    case split
}

/// The end of an attempt.
public enum Ending: String, CaseIterable, Sendable {
    case evidence
    case timeout
    case captureEnd = "capture-end"
    case evicted
    case clientAbort = "client-abort"
}

/// How far the record can be trusted, and what takes from it.
public enum Confidence: String, CaseIterable, Sendable {
    case full
    case oneDirection = "one-direction"
    case reordered
    case cut
    case lossy
    case inferred
}

/// The segment that completed a handshake.
public enum CompletedBy: String, Sendable, CaseIterable {
    /// An exact, empty ACK.
    case ack
    /// An exact segment with payload or FIN.
    case data
    /// A later segment, or what the server did, shows that it must have completed.
    case inferred
}
