/// Why a whole, well-formed frame is not a TCP segment: not ours, but not broken.
public enum IgnoredReason: UInt8, CaseIterable, Sendable {
    /// Not TCP, by what it is: an ICMP error that quotes no TCP segment, ARP, LLC without SNAP, another EtherType,
    /// UDP, other ICMP, another IP protocol, a fragment but the first, ESP, or IPv6 without a next header.
    case icmpError, arp, llc, otherEtherType, udp, icmp, otherProtocol, laterFragment, encrypted, noNextHeader
    /// Not decoded: a link type that is not known, more layers than are followed, link control, or a tunnel that is
    /// not to be looked into.
    case unknownLinkType, tooDeep, linkControl, tunnel

    /// The stable name in reports.
    public var name: String {
        switch self {
        case .icmpError: "icmp-error"
        case .arp: "arp"
        case .llc: "llc"
        case .otherEtherType: "other-ethertype"
        case .udp: "udp"
        case .icmp: "icmp"
        case .otherProtocol: "other-protocol"
        case .laterFragment: "fragment"
        case .encrypted: "encrypted"
        case .noNextHeader: "no-next-header"
        case .unknownLinkType: "unknown-link-type"
        case .tooDeep: "encapsulated-too-deep"
        case .linkControl: "link-control"
        case .tunnel: "tunnel-not-looked-into"
        }
    }
}

/// A decoded frame. Every frame is exactly one of these.
public enum Frame: Hashable, Sendable {
    /// A TCP segment.
    case segment(Segment)
    /// An ICMP error that quotes a TCP segment (RFC 792, RFC 4443).
    case icmpError(ICMPError)
    /// Anything else that is well-formed, and why it is none of ours.
    case ignored(IgnoredReason)
    /// A header that contradicts itself or the frame's length.
    case malformed(Malformation)
    /// The snaplen ended the frame in the header that starts at `offset`.
    case cut(layer: Malformation.Layer, offset: Int)
}
