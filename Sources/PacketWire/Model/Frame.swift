/// Why a whole, well-formed frame is not a TCP segment: not ours, but not broken.
public enum IgnoredReason: UInt8, CaseIterable, Sendable {
    case icmpError, arp, llc, otherEtherType, udp, icmp, otherProtocol, laterFragment, encrypted, noNextHeader
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
    case segment(Segment)
    case icmpError(ICMPError)
    case ignored(IgnoredReason)
    case malformed(Malformation)
    /// The snaplen ended the frame in the header that starts at `offset`.
    case cut(layer: Malformation.Layer, offset: Int)
}
