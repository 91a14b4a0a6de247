public import PacketWire

/// One segment in a record.
public struct SegmentRecord: Sendable, Hashable {
    /// What a segment of a handshake is.
    public enum Kind: String, CaseIterable, Sendable {
        /// SYN without ACK.
        case syn
        /// SYN with ACK.
        case synAck = "syn-ack"
        /// An empty ACK.
        case ack
        /// A segment with payload.
        case data
        /// A segment with FIN.
        case fin
        /// A segment with RST.
        case rst
        /// An ICMP error that quotes the attempt.
        case icmp
    }
    /// What it is.
    public var kind: Kind
    /// `duplicate` for the same packet captured again.
    public var isDuplicate = false
    /// Whether the client sent it.
    public var fromClient: Bool
    /// The number of its frame, from 1.
    public var frame: UInt64
    /// Nanoseconds from the attempt's first segment; negative where the capture's order or clock is off.
    public var at: Int64
    /// SEG.SEQ.
    public var seq: UInt32 = 0
    /// 0 without the ACK flag.
    public var ack: UInt32 = 0
    /// Octets of payload.
    public var len: UInt32 = 0
    /// Its control bits.
    public var flags: TCPFlags = []
    /// SEG.WND as in the header, not scaled.
    public var window: UInt16 = 0
    /// Time to live or hop limit as captured.
    public var hopLimit: UInt8 = 0
    /// IPv4 identification; nil of IPv6.
    public var identification: UInt16?
    /// Octets; nil where absent.
    public var mss: UInt16?
    /// The window scale option (RFC 7323 2), in a SYN or SYN-ACK.
    public var windowScale: UInt8?
    /// Whether SACK is permitted (RFC 2018 2).
    public var sackPermitted = false
    /// TSval and TSecr; nil where absent.
    public var timestamps: (tsval: UInt32, tsecr: UInt32)? {
        get { hasTimestamps ? (tsval, tsecr) : nil }
        set { (hasTimestamps, tsval, tsecr) = (newValue != nil, newValue?.tsval ?? 0, newValue?.tsecr ?? 0) }
    }
    // A tuple is not Hashable.
    private var hasTimestamps = false
    private var tsval: UInt32 = 0
    private var tsecr: UInt32 = 0
    /// The kinds of its options in the order in which they came, no-operations and the end of the list included, the
    /// first 15; nil where the snaplen cut them. Kept of SYNs and SYN-ACKs, as are the two fields that follow.
    public var optionKinds: [UInt8]? = []
    /// `optionKinds` as one text, `2-4-8-1-3`.
    public var optionOrder: String? { optionKinds?.map(String.init).joined(separator: "-") }
    /// The DSCP in the upper six bits (RFC 2474), ECN in the lower two (RFC 3168).
    public var trafficClass: UInt8 = 0
    /// The differentiated services code point, 0 to 63 (RFC 2474).
    public var dscp: UInt8 { trafficClass >> 2 }
    /// The ECN field of the IP header, 0 to 3 (RFC 3168 5).
    public var ecn: UInt8 { trafficClass & 3 }
    /// The link addresses of its frame.
    public var links = LinkAddresses()
    /// ICMP type and code; nil for TCP.
    public var icmp: UnreachableReport?
    /// Where the frame is, if several files are read; nil too where too many changes between files came since.
    public var place: Place?
    /// The capture file's comment on the frame.
    public var comment: String?

    /// A frame of one of several files.
    public struct Place: Sendable, Hashable {
        /// The file's name.
        public var file: String
        /// The frame's number in the file, from 1.
        public var frame: UInt64

        package init(file: String, frame: UInt64) { (self.file, self.frame) = (file, frame) }
    }

    package init(_ kind: Kind, fromClient: Bool, frame: UInt64, at time: Int64) {
        (self.kind, self.fromClient, self.frame, at) = (kind, fromClient, frame, time)
    }
}
