/// The link types that are decoded, by their LINKTYPE_ value in a savefile (tcpdump.org/linktypes.html).
public struct LinkType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    @inline(__always) public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let null = LinkType(rawValue: 0)
    public static let ethernet = LinkType(rawValue: 1)
    public static let ppp = LinkType(rawValue: 9)
    public static let pppSerial = LinkType(rawValue: 50)
    public static let raw = LinkType(rawValue: 101)
    public static let cHDLC = LinkType(rawValue: 104)
    public static let loop = LinkType(rawValue: 108)
    public static let linuxSLL = LinkType(rawValue: 113)
    public static let ipv4 = LinkType(rawValue: 228)
    public static let ipv6 = LinkType(rawValue: 229)
    public static let ipoib = LinkType(rawValue: 242)
    public static let linuxSLL2 = LinkType(rawValue: 276)

    /// libpcap's name, or `LINKTYPE_n`.
    public var name: String {
        switch self {
        case .null: "NULL"
        case .ethernet: "EN10MB"
        case .raw, LinkType(rawValue: 12), LinkType(rawValue: 14): "RAW"
        case .loop: "LOOP"
        case .linuxSLL: "LINUX_SLL"
        case .ipv4: "IPV4"
        case .ipv6: "IPV6"
        case .linuxSLL2: "LINUX_SLL2"
        case .ppp: "PPP"
        case .pppSerial: "PPP_SERIAL"
        case .cHDLC: "C_HDLC"
        case .ipoib: "IPOIB"
        default: "LINKTYPE_\(rawValue)"
        }
    }

    public var isDecoded: Bool { !name.hasPrefix("LINKTYPE_") }
}

/// Why a whole, well-formed frame is not a TCP segment: not ours, but not broken.
public enum IgnoredReason: UInt8, CaseIterable, Sendable {
    case icmpError, arp, llc, otherEtherType, udp, icmp, otherProtocol, laterFragment, encrypted, noNextHeader
    case unknownLinkType, tooDeep

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
        }
    }
}

/// A frame whose headers contradict themselves.
public struct Malformation: Hashable, Sendable, CustomStringConvertible {
    public enum Layer: UInt8, CaseIterable, Sendable {
        case link, vlan, ipv4, ipv6, tcp, icmp, tunnel
        public var name: String { "\(self)" }
    }

    /// The length that was the limit.
    public enum Limit: UInt8, CaseIterable, Sendable {
        /// Fewer octets on the wire than the layer's fixed header.
        case frameLength
        /// The header's own length field is below the fixed header's size.
        case headerLength
        /// The header is longer than the packet around it says there is.
        case enclosingLength
        /// The length field claims more than the frame had on the wire.
        case totalLength
        /// The version field is not the layer's.
        case version

        public var name: String {
            switch self {
            case .frameLength: "frame-length"
            case .headerLength: "header-length"
            case .enclosingLength: "enclosing-length"
            case .totalLength: "total-length"
            case .version: "version"
            }
        }
    }

    public var layer: Layer
    /// Octets from the start of the frame to the layer's header.
    public var offset: Int
    public var limit: Limit

    public init(layer: Layer, offset: Int, limit: Limit) {
        self.layer = layer
        self.offset = offset
        self.limit = limit
    }

    /// The stable name in reports: `ipv4-total-length`.
    public var name: String { "\(layer.name)-\(limit.name)" }
    public var description: String { "\(name) at offset \(offset)" }
}

/// What a frame turned out to be. Every frame is exactly one of these.
public enum Frame: Hashable, Sendable {
    case segment(Segment)
    case icmpError(ICMPError)
    case ignored(IgnoredReason)
    case malformed(Malformation)
    /// The snaplen ended the frame in the header that starts at `offset`.
    case cut(layer: Malformation.Layer, offset: Int)
}

/// Decodes frames of one link type.
///
///     let frame = FrameDecoder(.ethernet).decode(bytes.span.bytes, wireLength: 74)
public struct FrameDecoder: Sendable {
    public let linkType: LinkType
    /// Whether IPv4 and TCP checksums of segments without payload, or with SYN, RST or FIN, are verified.
    public var verifiesChecksums = true

    public init(_ linkType: LinkType) { self.linkType = linkType }

    /// Decodes one frame.
    /// - Parameters:
    ///   - bytes: the octets that were captured.
    ///   - wireLength: the octets that the frame had; more than `bytes` holds where the snaplen cut it.
    public func decode(_ bytes: RawSpan, wireLength: Int) -> Frame {
        var slot = DecodedFrame()
        decode(bytes, wireLength: wireLength, into: &slot)
        return slot.frame
    }

    /// As above, into a slot that is used again: no copy of the result, for the hot path.
    @inline(__always)
    package func decode(_ bytes: RawSpan, wireLength: Int, into slot: inout DecodedFrame) {
        var parser = Parser(bytes: bytes, wireLength: max(wireLength, bytes.byteCount), verifies: verifiesChecksums)
        parser.link(linkType, into: &slot)
    }
}

/// A decoded frame in flat form: which of the fields counts is what `kind` says.
package struct DecodedFrame: Sendable {
    package enum Kind: UInt8, Sendable { case segment, icmpError, ignored, malformed, cut }

    package var kind = Kind.ignored
    package var reason = IgnoredReason.unknownLinkType
    package var layer = Malformation.Layer.link
    package var limit = Malformation.Limit.frameLength
    package var offset: Int32 = 0
    package var segment = Segment(from: .unspecified, to: .unspecified)
    package var icmp = ICMPError(
        reporter: Endpoint.unspecified.address, type: 0, code: 0, source: .unspecified, destination: .unspecified)

    package init() {}

    package var frame: Frame {
        switch kind {
        case .segment: .segment(segment)
        case .icmpError: .icmpError(icmp)
        case .ignored: .ignored(reason)
        case .malformed: .malformed(Malformation(layer: layer, offset: Int(offset), limit: limit))
        case .cut: .cut(layer: layer, offset: Int(offset))
        }
    }
}

extension Endpoint {
    static let unspecified = Endpoint(IPAddress(v4: 0), 0)
}
