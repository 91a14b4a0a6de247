/// The outcome of an attempt. Evidence is kept until the attempt is over; then the first outcome of this order that
/// matches is the one, but for `partial`, which takes their place when the SYN was not seen.
public enum Outcome: String, CaseIterable, Sendable {
    /// The handshake completed.
    case established
    /// The client reset it.
    case resetByClient = "reset-by-client"
    /// An old duplicate SYN.
    case stale
    /// The server reset it before completion.
    case resetByServer = "reset-by-server"
    /// The server refused it.
    case refused
    /// The network or host reported an error.
    case unreachable
    /// The numbers never came right.
    case invalid
    /// The server answered with an ACK.
    case challenged
    /// The client did not finish.
    case halfOpen = "half-open"
    /// No answer.
    case unanswered
    /// Replaced by a new attempt.
    case superseded
    /// Too early to tell.
    case pending
    /// The SYN was not seen.
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
    /// Segments decided it.
    case evidence
    /// It was silent for too long.
    case timeout
    /// The capture ended.
    case captureEnd = "capture-end"
    /// A limit of memory or of attempts was reached.
    case evicted
    /// The client gave up.
    case clientAbort = "client-abort"
}

/// How far the record can be trusted, and what takes from it.
public enum Confidence: String, CaseIterable, Sendable {
    /// Nothing takes from it.
    case full
    /// One direction only was captured.
    case oneDirection = "one-direction"
    /// The capture is not in the order of the network, or its clock stepped.
    case reordered
    /// The snaplen cut a segment.
    case cut
    /// The capture lacks segments that were sent.
    case lossy
    /// What decided it was not seen itself, or may be another's.
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
