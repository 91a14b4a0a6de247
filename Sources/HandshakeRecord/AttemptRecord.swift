public import PacketWire

/// One connection attempt, decided.
public struct AttemptRecord: Hashable, Sendable {
    /// The number of the attempt's first frame.
    public var id: UInt64
    /// Who sent the SYN.
    public var client: Endpoint
    /// Who was called.
    public var server: Endpoint
    /// The virtual network of the client's segments, and of the server's: routing may give them different ones.
    public var network: VirtualNetwork = .none
    /// The virtual network of the server's segments: another one under asymmetric routing.
    public var serverNetwork: VirtualNetwork = .none
    /// The kinds of tunnel that any of its segments came in.
    public var tunnels: Tunnels = Tunnels()
    /// The encapsulations of the first segment from each side that had any.
    public var clientPath: TunnelPath = TunnelPath()
    /// How the server's first encapsulated segment was carried.
    public var serverPath: TunnelPath = TunnelPath()
    /// VLAN identifiers around the client's segments, outermost first.
    public var clientVLAN: [UInt16] = []
    /// VLAN identifiers around the server's segments, outermost first.
    public var serverVLAN: [UInt16] = []

    /// Which it is of several attempts with the same ends, virtual network, x and first time: 0 nearly always.
    public var ordinal: UInt16 = 0
    /// What became of it.
    public var outcome: Outcome = .pending
    /// Nil where neither side's SYN was answered by the other's.
    public var form: HandshakeForm?
    /// Nil unless it completed.
    public var completedBy: CompletedBy?
    /// Whether the SYN was seen; if not, the record starts at the SYN-ACK.
    public var startsAtSYN: Bool = true
    /// What decided it.
    public var ended: Ending = .captureEnd
    /// How far it can be trusted.
    public var confidence: Confidence = .full

    /// x; of a partial attempt, as its SYN-ACK implies.
    public var clientISN: UInt32 = 0
    /// y; nil where no SYN of the server, nor an ACK of it, was seen.
    public var serverISN: UInt32?
    /// SEG.ACK of the SYN-ACK against x+1 (RFC 9293 3.10.7.3).
    public var synAckAck: ArithmeticCheck = ArithmeticCheck()
    /// SEG.SEQ of the final ACK against x+1.
    public var ackSeq: ArithmeticCheck = ArithmeticCheck()
    /// SEG.ACK of the final ACK against y+1.
    public var ackAck: ArithmeticCheck = ArithmeticCheck()

    /// SYNs, each packet once.
    public var synCount: Int = 0
    /// SYN-ACKs, each packet once.
    public var synAckCount: Int = 0
    /// RSTs of both sides.
    public var rstCount: Int = 0
    /// RSTs that acknowledge the SYN.
    public var refusalCount: Int = 0
    /// Segments that are further sightings of one packet.
    public var duplicateCount: Int = 0

    /// Nanoseconds since the epoch of its first segment, and of the capture's first frame.
    public var firstTime: Int64 = 0
    /// Time of the capture's first frame, nanoseconds since the epoch.
    public var captureStart: Int64 = 0
    /// From the SYN to the SYN-ACK; null where `unknownBecause` says why.
    public var synToSynAck: Interval?
    /// From the SYN-ACK to the final ACK.
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
    /// The MSS that the server announced (RFC 9293 3.7.1).
    public var serverMSS: UInt16?
    /// Octets that each side may send in a segment: what the peer announced, or the default (RFC 9293 3.7.1).
    public var clientSendMSS: UInt16?
    /// The most that the server may send in a segment: the client's MSS, or the default.
    public var serverSendMSS: UInt16?
    /// The smaller of the two.
    public var negotiatedMSS: UInt16?
    /// What the SYN offered; null where it was not seen whole.
    public var clientOptions: OfferedOptions?
    /// What the SYN-ACK offered; null where it was not seen whole.
    public var serverOptions: OfferedOptions?

    /// The ICMP error that decided it.
    public var unreachable: UnreachableReport?
    /// Ids of other attempts on the tuple, and of those that address translation relates to this.
    public var related: [UInt64] = []
    /// The id of the attempt whose copy behind an address translator this is; nil for none. Totals count that one only.
    public var copyOf: UInt64?
    /// The segments of the handshake, the first 24 and the last 8.
    public var segments: [SegmentRecord] = []
    /// Segments between those that are not kept.
    public var segmentsOmitted: Int = 0
    /// The findings, in the catalogue's order.
    public var findings: [Finding] = []
    /// Whether what it says may be made up, or its outcome another: segments in tunnels that nobody vouches for, or a
    /// possible forgery that completed it. No assertion holds or fails by it.
    public var isDoubtful = false
    /// What other capture points say of it: one, or none where there is one point. A list takes less room than a value
    /// that may be absent.
    package var paths: [PathFacts] = []
    /// Sides of the connection that its log shows.
    package var sides = AttemptSides()

    package init(id: UInt64, client: Endpoint, server: Endpoint) {
        (self.id, self.client, self.server) = (id, client, server)
    }

    /// The first SYN that was captured of the client, and the first SYN-ACK of the server; nil where there is none.
    public var syn: SegmentRecord? { segments.first { $0.kind == .syn && $0.fromClient && !$0.isDuplicate } }
    /// The first SYN-ACK that was captured of the server.
    public var synAck: SegmentRecord? { segments.first { $0.kind == .synAck && !$0.fromClient && !$0.isDuplicate } }

    /// Whether a finding of this code is among them.
    public func has(_ code: FindingCode) -> Bool { findings.contains { $0.code == code } }
}
