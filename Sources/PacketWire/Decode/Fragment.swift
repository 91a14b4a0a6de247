/// Part of an IP packet, and what was around it.
struct Fragment {
    var source: IPAddress
    var destination: IPAddress
    /// The packet's identification.
    var id: UInt32
    /// The IP protocol number of the packet's payload.
    var proto: UInt8
    var hopLimit: UInt8
    var trafficClass: UInt8
    /// Octets from the start of the packet's payload.
    var offset: Int
    var isLast: Bool
    /// Where in the frame its octets begin, and how many there were on the wire.
    var start: Int
    var length: Int
    /// The headers around the packet.
    var context: Context

    struct Context {
        var vlan: VLANTags
        var tunnels: Tunnels
        var path: TunnelPath
        var network: VirtualNetwork
        var linkSignature: UInt32
        var links: LinkAddresses
        var depth: Int
    }

    /// Whether it is part of the same packet (RFC 791 section 3.2, RFC 8200 section 4.5).
    func isOfPacket(_ other: Fragment) -> Bool {
        id == other.id && source == other.source && destination == other.destination && proto == other.proto
            && context.network == other.context.network
    }
}

extension FrameParser {
    /// The fragment that was met; nil for none. Its lengths were checked on the way.
    func fragment() -> Fragment? {
        guard fragmentedPacket >= 0 else { return nil }
        let (packet, start) = (fragmentedPacket, fragmentStart)
        let context = Fragment.Context(
            vlan: vlan, tunnels: tunnels, path: path, network: network, linkSignature: linkSignature, links: links,
            depth: depth)
        let length = max(0, end - start)
        if bytes.u8(packet) >> 4 == 4 {
            let field = bytes.u16(packet + 6)
            return Fragment(
                source: IPAddress(v4: bytes.u32(packet + 12)), destination: IPAddress(v4: bytes.u32(packet + 16)),
                id: UInt32(bytes.u16(packet + 4)), proto: bytes.u8(packet + 9), hopLimit: bytes.u8(packet + 8),
                trafficClass: bytes.u8(packet + 1),
                offset: Int(field & 0x1fff) * 8, isLast: field & 0x2000 == 0, start: start, length: length,
                context: context)
        }
        let field = bytes.u16(start - 6)
        return Fragment(
            source: IPAddress(v6High: bytes.u64(packet + 8), low: bytes.u64(packet + 16)),
            destination: IPAddress(v6High: bytes.u64(packet + 24), low: bytes.u64(packet + 32)),
            id: bytes.u32(start - 4),
            proto: bytes.u8(start - 8), hopLimit: bytes.u8(packet + 7),
            trafficClass: UInt8(truncatingIfNeeded: bytes.u16(packet) >> 4), offset: Int(field & 0xfff8),
            isLast: field & 1 == 0, start: start, length: length, context: context)
    }

    /// Goes on with a packet that was put together, as if its frame had held it whole.
    mutating func packet(of fragment: Fragment, into slot: inout DecodedFrame) {
        vlan = fragment.context.vlan
        tunnels = fragment.context.tunnels
        path = fragment.context.path
        network = fragment.context.network
        linkSignature = fragment.context.linkSignature
        links = fragment.context.links
        depth = fragment.context.depth
        if fragment.source.version == .v4 { ipv4(at: 0, &slot) } else { ipv6(at: 0, &slot) }
    }
}
