public import PacketWire

/// What became of an attempt. Evidence is kept until the attempt is over; then the first outcome of this order that
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

/// What ended an attempt.
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
    public var provenance: Provenance
    /// Bounds, equal to `nanoseconds` where it is known.
    public var low: Int64
    public var high: Int64
}

/// One of the sums that a handshake must get right, modulo 2^32.
public struct ArithmeticCheck: Sendable, Hashable {
    /// Nil where what it would be computed from was not seen.
    public var expected: UInt32?
    /// With Fast Open the acknowledgment may lie between `expected` and this.
    public var expectedMax: UInt32?
    /// Nil where the segment was not seen.
    public var actual: UInt32?
    public var ok: Bool?
}

/// The options that one side sent in its SYN or SYN-ACK, and the frame that they were read from.
public struct OfferedOptions: Sendable, Hashable {
    /// The shift count as sent; nil where absent or unknown.
    public var windowScale: UInt8?
    /// Nil where unknown, as below.
    public var sackPermitted: Bool?
    public var timestamps: Bool?
    /// `request`, `cookie` or nil.
    public var fastOpen: String?
    /// `capable`, `join`, the subtype's number, or nil.
    public var mptcp: String?
    /// RFC 8684 section 3, the first ones.
    package static let multipathSubtypes = ["capable", "join"]
    /// RFC 3168: a SYN with ECE and CWR, a SYN-ACK with ECE alone.
    public var ecn: Bool?
    /// RFC 9768: a SYN with AE, CWR and ECE, or an answer that says so.
    public var accurateECN: Bool?
    public var fromFrame: UInt64
}

/// An ICMP error that quoted the attempt's SYN.
public struct UnreachableReport: Sendable, Hashable {
    public var type: UInt8
    public var code: UInt8
    public var severity: ICMPError.Severity
    public var reporter: IPAddress
    public var frame: UInt64
}

/// One segment in a record.
public struct SegmentRecord: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case syn
        case synAck = "syn-ack"
        case ack
        case data
        case fin
        case rst
        case icmp
    }
    public var kind: Kind
    /// `duplicate` for the same packet captured again.
    public var isDuplicate: Bool
    public var fromClient: Bool
    public var frame: UInt64
    /// Nanoseconds from the attempt's first segment; negative where the capture's order or clock is off.
    public var at: Int64
    public var seq: UInt32
    /// 0 without the ACK flag.
    public var ack: UInt32
    /// Octets of payload.
    public var len: UInt32
    public var flags: TCPFlags
    public var window: UInt16
    /// Octets; nil where absent.
    public var mss: UInt16?
    public var windowScale: UInt8?
    public var sackPermitted: Bool
    /// TSval and TSecr; nil where absent.
    public var timestamps: (tsval: UInt32, tsecr: UInt32)? {
        get { hasTimestamps ? (tsval, tsecr) : nil }
    }
    var hasTimestamps: Bool
    var tsval: UInt32
    var tsecr: UInt32
    /// ICMP type and code; nil for TCP.
    public var icmp: UnreachableReport?
    /// What the capture file says of the frame.
    public var comment: String?
}

/// A finding: what was seen, on which frames, and what goes with it.
public struct Finding: Sendable, Hashable {
    public enum Location: String, Sendable {
        case beforeCapture = "before-capture"
        case afterCapture = "after-capture"
        case unknown
    }
    public var code: FindingCode
    public var frames: [UInt64]
    /// What the standard asks for and what was there; nil where the finding is not about a number.
    public var expected: UInt32?
    public var actual: UInt32?
    /// Nanoseconds between repetitions, and the schedule that they fit.
    public var gaps: [Int64]?
    public var schedule: String?
    /// Where a loss happened, seen from the capture point.
    public var location: Location?
    /// Why this is concluded, and what else would look the same.
    public var evidence: String?
    public var alternatives: [String]

    init(_ code: FindingCode, _ frames: [UInt64]) {
        self.code = code
        self.frames = frames
        alternatives = []
    }
}

/// One connection attempt, decided.
public struct AttemptRecord: Sendable {
    /// The number of the attempt's first frame.
    public var id: UInt64
    public var client: Endpoint
    public var server: Endpoint
    /// The virtual network of the client's segments, and of the server's: routing may give them different ones.
    public var network: VirtualNetwork
    public var serverNetwork: VirtualNetwork
    public var tunnels: Tunnels
    /// The encapsulations of the first segment from each side that had any.
    public var clientPath: TunnelPath
    public var serverPath: TunnelPath
    public var clientVLAN: [UInt16]
    public var serverVLAN: [UInt16]

    public var outcome: Outcome
    /// Nil where neither side's SYN was answered by the other's.
    public var form: HandshakeForm?
    /// Nil unless it completed.
    public var completedBy: CompletedBy?
    /// Whether the SYN was seen; if not, the record starts at the SYN-ACK.
    public var startsAtSYN: Bool
    public var ended: Ending
    public var confidence: Confidence

    /// x; of a partial attempt, as its SYN-ACK implies.
    public var clientISN: UInt32
    /// y; nil where no SYN of the server, nor an ACK of it, was seen.
    public var serverISN: UInt32?
    public var synAckAck: ArithmeticCheck
    public var ackSeq: ArithmeticCheck
    public var ackAck: ArithmeticCheck

    public var synCount: Int
    public var synAckCount: Int
    public var rstCount: Int
    public var refusalCount: Int
    public var duplicateCount: Int

    /// Nanoseconds since the epoch of its first segment, and of the capture's first frame.
    public var firstTime: Int64
    public var captureStart: Int64
    public var synToSynAck: Interval?
    public var synAckToAck: Interval?
    /// Nil where either leg is.
    public var total: Interval?
    /// Nanoseconds from the first SYN to the final ACK, retransmissions included: what the user waited.
    public var setup: Int64?
    /// Nanoseconds from the SYN to the RST that refused it.
    public var refusal: Int64?
    /// Why `total` is not given, or has bounds only; nil where it is known.
    public var unknownBecause: RoundTripGap?

    /// Octets, as announced; nil where absent or unknown.
    public var clientMSS: UInt16?
    public var serverMSS: UInt16?
    /// Octets that each side may send in a segment: what the peer announced, or the default (RFC 9293 3.7.1).
    public var clientSendMSS: UInt16?
    public var serverSendMSS: UInt16?
    /// The smaller of the two.
    public var negotiatedMSS: UInt16?
    public var clientOptions: OfferedOptions?
    public var serverOptions: OfferedOptions?

    public var unreachable: UnreachableReport?
    /// Ids of other attempts on the tuple, and of those that address translation relates to this.
    public var related: [UInt64]
    /// The id of the attempt whose copy behind an address translator this is; nil for none. Totals count that one only.
    public var copyOf: UInt64?
    public var segments: [SegmentRecord]
    public var segmentsOmitted: Int
    public var findings: [Finding]
    /// Whether what it says may be made up, or its outcome another: segments in tunnels that nobody vouches for, or a
    /// possible forgery that completed it. No assertion holds or fails by it.
    public var isDoubtful = false
    /// What its log says of the capture.
    package var sides = AttemptSides()

    public func has(_ code: FindingCode) -> Bool { findings.contains { $0.code == code } }
}
