/// Decodes frames of one link type.
///
///     let frame = FrameDecoder(.ethernet).decode(bytes)
public struct FrameDecoder: Sendable {
    /// The link type of every frame that it is given.
    public let linkType: LinkType
    /// Whether IPv4 and TCP checksums of segments without payload, or with SYN, RST or FIN, are verified.
    public var verifiesChecksums: Bool
    /// UDP ports that carry a tunnel beside the known ones, and which tunnels are looked into.
    public var tunnelRules: TunnelRules

    /// A decoder of frames of one link type.
    /// - Parameters:
    ///   - linkType: of every frame.
    ///   - verifiesChecksums: whether IPv4 and TCP sums are computed.
    ///   - tunnelRules: which tunnels are looked into.
    public init(_ linkType: LinkType, verifiesChecksums: Bool = true, tunnelRules: TunnelRules = TunnelRules()) {
        self.linkType = linkType
        self.verifiesChecksums = verifiesChecksums
        self.tunnelRules = tunnelRules
    }

    /// Decodes one frame.
    /// - Parameters:
    ///   - bytes: the octets that were captured.
    ///   - wireLength: the octets that the frame had, where the snaplen cut it; nil where it is whole.
    public func decode(_ bytes: [UInt8], wireLength: Int? = nil) -> Frame {
        decode(unsafe bytes.span.bytes, wireLength: wireLength ?? bytes.count)
    }

    /// The same, of octets that are somewhere in memory.
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
        let end = max(wireLength, bytes.byteCount)
        var parser = FrameParser(bytes: bytes, wireLength: end, verifies: verifiesChecksums, tunnelRules: tunnelRules)
        slot.holdsMore = false
        slot.looksRaw = false
        slot.number = 0
        parser.link(linkType, into: &slot)
        slot.isFragment = parser.fragmentedPacket >= 0
        slot.isSliced = parser.isSliced
        leaveTunnel(parser.tunnels, parser.path, &slot)
        if linkType.rawValue == 1, slot.kind != .segment { slot.looksRaw = parser.provesIP(at: 0, end: end) }
    }

    /// Frames in a tunnel that is not looked into are ignored.
    @inline(__always)
    func leaveTunnel(_ crossed: Tunnels, _ path: TunnelPath, _ slot: inout DecodedFrame) {
        if crossed.isEmpty || tunnelRules.areLookedInto(crossed) || path.outer == nil { return }
        slot.kind = .ignored
        slot.reason = .tunnel
        slot.isFragment = false
    }

    /// Where in a frame the part of a fragmented packet is.
    func fragment(of bytes: RawSpan, wireLength: Int) -> Fragment? {
        var slot = DecodedFrame()
        let end = max(wireLength, bytes.byteCount)
        var parser = FrameParser(bytes: bytes, wireLength: end, verifies: false, tunnelRules: tunnelRules)
        parser.link(linkType, into: &slot)
        return parser.fragment()
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
    /// The number of what is not decoded, as `reason` says: a link type, an EtherType, an IP protocol, or the lower
    /// of two UDP ports. 0 where there is none.
    package var number: UInt16 = 0
    /// The frame holds part of a fragmented IP packet, as it is or in a tunnel
    /// (`FrameDecoder.fragment(of:wireLength:)`).
    package var isFragment = false
    /// The IP packet is longer than the frame: it was sliced before it was captured.
    package var isSliced = false
    /// More was sent in the frame than the one packet that was decoded.
    package var holdsMore = false
    /// It came as Ethernet, is no segment as such, and is a whole IP packet if it is taken for one.
    package var looksRaw = false
    package var segment = Segment(from: .unspecified, to: .unspecified)
    package var icmp = ICMPError(
        reporter: Endpoint.unspecified.address, type: 0, code: 0, source: .unspecified, destination: .unspecified)

    /// A translation that a SYN or SYN-ACK shows with an earlier one.
    package var translation: Translation?

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
