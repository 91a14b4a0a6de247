package import PacketWire

/// One logged segment (or ICMP error) of an attempt: what verdicts need of it, flat.
package struct SegmentNote: Sendable, BitwiseCopyable {
    package var frame: UInt64 = 0
    /// Nanoseconds of the capture's clock since the epoch.
    package var time: Int64 = 0
    package var seq: UInt32 = 0
    package var ack: UInt32 = 0
    package var payloadLength: UInt32 = 0
    package var tsval: UInt32 = 0
    package var tsecr: UInt32 = 0
    package var linkSignature: UInt32 = 0
    /// As in `Segment`; of SYNs and SYN-ACKs only.
    package var links = LinkAddresses()
    package var trafficClass: UInt8 = 0
    package var order = TCPOptions.Order()
    package var vlan = VLANTags()
    package var flags: TCPFlags = []
    package var options: TCPOptions.Present = []
    package var window: UInt16 = 0
    package var identification: UInt16 = 0
    package var mss: UInt16 = 0
    package var hopLimit: UInt8 = 0
    package var windowScale: UInt8 = 0
    package var fastOpenCookieLength: UInt8 = 0
    package var mptcpSubtype: UInt8 = 0
    package var checksum = ChecksumState.unverified
    /// The trust in its sender's earlier checksums, if this one is bad.
    package var senderTrust = SenderTrust.unknown
    package var event = HandshakeEvent.clientMore
    package var fromClient = false
    package var isFragment = false
    package var hasFragmentOverlap = false
    package var isUntimed = false
    package var isCut = false
    /// IEEE 802.11: the Retry bit, and the sequence control; 0 where the link has none.
    package var isLinkRetry = false
    package var linkSequence: UInt16 = 0
    package var tunnels = Tunnels()
    /// The number of its carrier (`Carriers`).
    package var carrier: UInt32 = 0
    package var icmpType: UInt8 = 0
    package var icmpCode: UInt8 = 0
    /// Who sent the ICMP error.
    package var reporter = IPAddress(v4: 0)
    var next: UInt32 = 0

    package init() {}

    @inline(__always)
    init(_ segment: Segment, frame: UInt64, time: Int64, event: HandshakeEvent, fromClient: Bool) {
        self.frame = frame
        self.time = time
        seq = segment.seq
        ack = segment.ack
        payloadLength = segment.payloadLength
        tsval = segment.options.tsval
        tsecr = segment.options.tsecr
        linkSignature = segment.linkSignature
        if segment.flags.contains(.syn) {
            (links, trafficClass, order) = (segment.links, segment.trafficClass, segment.options.order)
        }
        vlan = segment.vlan
        flags = segment.flags
        options = segment.options.present
        window = segment.window
        identification = segment.identification
        mss = segment.options.mss
        hopLimit = segment.hopLimit
        windowScale = segment.options.windowScale
        fastOpenCookieLength = segment.options.fastOpenCookieLength
        mptcpSubtype = segment.options.mptcpSubtype
        checksum = segment.checksum
        self.event = event
        self.fromClient = fromClient
        isFragment = segment.isFragment
        hasFragmentOverlap = segment.hasFragmentOverlap
        isUntimed = segment.isUntimed
        isCut = segment.isCut
        isLinkRetry = segment.isLinkRetry
        linkSequence = segment.linkSequence
        tunnels = segment.tunnels
    }

    package var isICMP: Bool { event.isICMP }
    /// SYN without ACK or RST.
    package var isSYN: Bool { flags.isSYN }
    package var isSYNACK: Bool { flags.isSYNACK }
    /// An acknowledgment and no more.
    package var isEmptyACK: Bool {
        payloadLength == 0 && flags.contains(.ack) && flags.isDisjoint(with: [.syn, .fin, .rst])
    }
}
