public import PacketWire

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
    public var isDuplicate = false
    public var fromClient: Bool
    public var frame: UInt64
    /// Nanoseconds from the attempt's first segment; negative where the capture's order or clock is off.
    public var at: Int64
    public var seq: UInt32 = 0
    /// 0 without the ACK flag.
    public var ack: UInt32 = 0
    /// Octets of payload.
    public var len: UInt32 = 0
    public var flags: TCPFlags = []
    public var window: UInt16 = 0
    /// Octets; nil where absent.
    public var mss: UInt16?
    public var windowScale: UInt8?
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
    /// ICMP type and code; nil for TCP.
    public var icmp: UnreachableReport?
    /// The capture file's comment on the frame.
    public var comment: String?

    package init(_ kind: Kind, fromClient: Bool, frame: UInt64, at time: Int64) {
        (self.kind, self.fromClient, self.frame, at) = (kind, fromClient, frame, time)
    }
}
