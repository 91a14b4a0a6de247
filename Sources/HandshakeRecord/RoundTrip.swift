/// Where an interval comes from.
public enum Provenance: String, CaseIterable, Sendable {
    /// One segment of each kind: nothing to confuse.
    case exact
    /// Several, and the timestamps leave one pair.
    case timestamp
    /// Several that cannot be told apart (Karn): bounds only.
    case ambiguous
}

/// One leg of a round trip: nanoseconds between two segments that passed the capture point.
public struct Interval: Sendable, Hashable {
    /// Nil unless the pair is known.
    public var nanoseconds: Int64?
    /// How sure it is.
    public var provenance: Provenance
    /// Bounds, equal to `nanoseconds` where it is known.
    public var low: Int64
    /// The highest it can be, nanoseconds.
    public var high: Int64

    package init(nanoseconds: Int64?, provenance: Provenance, low: Int64, high: Int64) {
        (self.nanoseconds, self.provenance, self.low, self.high) = (nanoseconds, provenance, low, high)
    }
}

/// Why a round trip is not given, or given as bounds only.
public enum RoundTripGap: String, CaseIterable, Sendable {
    /// No SYN was captured.
    case noSYN = "no-syn"
    /// No SYN-ACK that acknowledges the SYN was captured.
    case noSYNACK = "no-synack"
    /// No final ACK was captured.
    case noFinalAck = "no-final-ack"
    /// No segment that completes the handshake was captured.
    case inferred
    /// Copies were sent, and nothing tells which was answered (Karn).
    case ambiguous
    /// The capture's clock is too coarse.
    case coarseClock = "coarse-clock"
    /// The capture's clock stepped in between.
    case clockStepped = "clock-stepped"
    /// The capture has its frames out of order.
    case reordered
    /// A frame has no time.
    case untimed
    /// The SYN-ACK answers a SYN that was not captured.
    case answersUnseen = "answers-unseen"
    /// The final ACK answers a SYN-ACK that was not captured.
    case acknowledgesUnseen = "acknowledges-unseen"
    /// Neither of two capture points saw the whole handshake.
    case twoPlaces = "two-places"
    /// The attempt has more segments than are kept.
    case logCut = "log-cut"

    /// A sentence without its full stop, for readers of a report.
    public var text: String {
        switch self {
        case .noSYN: "no SYN was captured before the attempt was decided"
        case .noSYNACK: "no SYN-ACK that acknowledges the SYN was captured"
        case .noFinalAck: "no final ACK was captured before the attempt was decided"
        case .inferred: "no segment that completes the handshake was captured while the attempt was open"
        case .ambiguous: "copies were sent, and nothing tells which of them was answered"
        case .coarseClock: "the capture's clock is too coarse"
        case .clockStepped: "the capture's clock stepped during the handshake"
        case .reordered: "the capture has its frames out of order"
        case .untimed: "the capture has no time for one of its frames"
        case .answersUnseen: "the SYN-ACK answers a SYN that was not captured"
        case .acknowledgesUnseen: "the final ACK answers a SYN-ACK that was not captured, or only at another place"
        case .twoPlaces: "the frames come from two capture points, and neither saw the whole handshake"
        case .logCut: "the attempt has more segments than are kept"
        }
    }
}
