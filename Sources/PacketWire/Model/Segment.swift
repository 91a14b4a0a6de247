/// The result of comparing a checksum with the octets that it covers.
public enum ChecksumState: UInt8, Sendable, BitwiseCopyable {
    /// Not computed: verification was off, or the snaplen cut what it covers.
    case unverified
    /// The sum is right.
    case good
    /// The sum is wrong.
    case bad
    /// The field holds the pseudo-header's partial sum: the sender's network card was to finish it.
    case offload
}

/// 802.1Q and 802.1ad tags, outermost first; the first four are kept.
public struct VLANTags: Hashable, Sendable, BitwiseCopyable {
    /// Sixteen bits a tag: 0x8000 says that there is one, the low twelve bits are its VLAN identifier.
    package internal(set) var packed: UInt64 = 0
    /// No tags.
    @inline(__always) public init() {}

    @inline(__always)
    mutating func append(_ tci: UInt16) {
        guard packed >> 48 == 0 else { return }
        var shift: UInt64 = 0
        while packed >> shift & 0x8000 != 0 { shift += 16 }
        packed |= UInt64(0x8000 | tci & 0x0fff) << shift
    }

    /// Tags by their VLAN identifiers, outermost first; more than it holds are left out.
    public init(_ identifiers: [UInt16]) {
        for identifier in identifiers { append(identifier) }
    }

    /// VLAN identifiers, 0 to 4095.
    public var identifiers: [UInt16] {
        stride(from: UInt64(0), to: 64, by: 16).compactMap {
            let tag = UInt16(truncatingIfNeeded: packed >> $0)
            return tag & 0x8000 != 0 ? tag & 0x0fff : nil
        }
    }
}

/// One TCP segment, as its packet's bytes say it: what is decoded, never what is believed.
public struct Segment: Hashable, Sendable, BitwiseCopyable {
    /// Who sent it.
    public var source: Endpoint
    /// To whom it was sent.
    public var destination: Endpoint
    /// SEG.SEQ.
    public var seq: UInt32 = 0
    /// SEG.ACK as it stands in the header, also without the ACK flag.
    public var ack: UInt32 = 0
    /// SEG's control bits (RFC 9293 3.1).
    public var flags: TCPFlags = []
    /// SEG.WND, unscaled.
    public var window: UInt16 = 0
    /// Octets of payload, from the IP length: neither Ethernet padding nor the snaplen changes it. SEG.LEN of RFC 9293
    /// is this plus one for SYN and one for FIN.
    public var payloadLength: UInt32 = 0
    /// Its TCP options.
    public var options = TCPOptions()
    /// IPv4 identification; 0 for IPv6.
    public var identification: UInt16 = 0
    /// IPv4 time to live or IPv6 hop limit.
    public var hopLimit: UInt8 = 0
    /// IPv4's former type of service, or IPv6's traffic class: the DSCP in the upper six bits (RFC 2474), ECN in the
    /// lower two (RFC 3168).
    public var trafficClass: UInt8 = 0
    /// The state of its TCP checksum.
    public var checksum: ChecksumState = .unverified
    /// It came in a first IP fragment, or was put together of several.
    public var isFragment = false
    /// Its IP fragments overlapped: receivers discard such a packet, or differ on what it says (RFC 5722).
    public var hasFragmentOverlap = false
    /// The snaplen cut the TCP header itself: options, or more, are unknown.
    public var isCut = false
    /// VLAN tags around it.
    public var vlan = VLANTags()
    /// The virtual network in which it came.
    public var network = VirtualNetwork.none
    /// How the innermost IP packet was carried.
    public var tunnels = Tunnels()
    /// The same in order, with the identifiers and outer addresses that are no part of the key.
    public var path = TunnelPath()
    /// The capture file does not say when it came: it stands at its place among the others, and no time follows from
    /// it.
    public var isUntimed = false
    /// IEEE 802.11: the frame was sent again on the link (Retry).
    public var isLinkRetry = false
    /// IEEE 802.11: sequence control, by which a receiver knows a repeated frame; 0 for other links.
    public var linkSequence: UInt16 = 0
    /// A hash of the link addresses, 0 where the link type has none. Two sightings of a packet with different ones were
    /// taken at different places.
    public var linkSignature: UInt32 = 0
    /// The link addresses of its frame; of its first Ethernet or Wi-Fi header where that has several.
    public var links = LinkAddresses()

    /// A segment with no flags, numbers or options.
    @inline(__always)
    public init(from source: Endpoint, to destination: Endpoint) {
        self.source = source
        self.destination = destination
    }

    /// SEG.LEN (RFC 9293 section 3.4): payload, plus one each for SYN and FIN.
    @inlinable @inline(__always)
    public var sequenceLength: UInt32 {
        payloadLength &+ UInt32(flags.rawValue & 1) &+ UInt32(flags.rawValue >> 1 & 1)
    }
}
