public import PacketWire

/// One connection attempt, decided.
public struct AttemptRecord: Sendable {
    /// The number of the attempt's first frame.
    public var id: UInt64
    public var client: Endpoint
    public var server: Endpoint
    /// The virtual network of the client's segments, and of the server's: routing may give them different ones.
    public var network: VirtualNetwork = .none
    public var serverNetwork: VirtualNetwork = .none
    public var tunnels: Tunnels = Tunnels()
    /// The encapsulations of the first segment from each side that had any.
    public var clientPath: TunnelPath = TunnelPath()
    public var serverPath: TunnelPath = TunnelPath()
    public var clientVLAN: [UInt16] = []
    public var serverVLAN: [UInt16] = []

    public var outcome: Outcome = .pending
    /// Nil where neither side's SYN was answered by the other's.
    public var form: HandshakeForm?
    /// Nil unless it completed.
    public var completedBy: CompletedBy?
    /// Whether the SYN was seen; if not, the record starts at the SYN-ACK.
    public var startsAtSYN: Bool = true
    public var ended: Ending = .captureEnd
    public var confidence: Confidence = .full

    /// x; of a partial attempt, as its SYN-ACK implies.
    public var clientISN: UInt32 = 0
    /// y; nil where no SYN of the server, nor an ACK of it, was seen.
    public var serverISN: UInt32?
    public var synAckAck: ArithmeticCheck = ArithmeticCheck()
    public var ackSeq: ArithmeticCheck = ArithmeticCheck()
    public var ackAck: ArithmeticCheck = ArithmeticCheck()

    public var synCount: Int = 0
    public var synAckCount: Int = 0
    public var rstCount: Int = 0
    public var refusalCount: Int = 0
    public var duplicateCount: Int = 0

    /// Nanoseconds since the epoch of its first segment, and of the capture's first frame.
    public var firstTime: Int64 = 0
    public var captureStart: Int64 = 0
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
    public var related: [UInt64] = []
    /// The id of the attempt whose copy behind an address translator this is; nil for none. Totals count that one only.
    public var copyOf: UInt64?
    public var segments: [SegmentRecord] = []
    public var segmentsOmitted: Int = 0
    public var findings: [Finding] = []
    /// Whether what it says may be made up, or its outcome another: segments in tunnels that nobody vouches for, or a
    /// possible forgery that completed it. No assertion holds or fails by it.
    public var isDoubtful = false
    /// Sides of the connection that its log shows.
    package var sides = AttemptSides()

    package init(id: UInt64, client: Endpoint, server: Endpoint) {
        (self.id, self.client, self.server) = (id, client, server)
    }

    public func has(_ code: FindingCode) -> Bool { findings.contains { $0.code == code } }
}
