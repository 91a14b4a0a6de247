/// Writes frames: the inverse of `FrameDecoder`. What it encodes decodes to an equal segment: all but `linkSignature`,
/// which is a hash, the order of options, which is Linux's where the segment has none, and the payload's octets, which
/// a segment does not hold.
public struct FrameEncoder: Sendable {
    /// The link type of the frames that it makes.
    public var linkType: LinkType
    /// Six octets each, for Ethernet; the sender's is also in LINUX_SLL and LINUX_SLL2 frames.
    public var sourceMAC: [UInt8] = [2, 0, 0, 0, 0, 1]
    /// Destination address of Ethernet frames, six octets.
    public var destinationMAC: [UInt8] = [2, 0, 0, 0, 0, 2]

    /// Outer source and destination of a segment in a tunnel whose path does not say them.
    public var tunnelEnds = (source: IPAddress(v4: 0x0a00_0001), destination: IPAddress(v4: 0x0a00_0002))

    /// An encoder of frames of one link type.
    public init(_ linkType: LinkType = .ethernet) { self.linkType = linkType }

    /// For segments in the other direction.
    package mutating func turn() {
        swap(&sourceMAC, &destinationMAC)
        tunnelEnds = (tunnelEnds.destination, tunnelEnds.source)
    }

    /// The frame of a segment.
    /// - Parameters:
    ///   - segment: with its addresses and, where it came in one, its tunnel.
    ///   - rawOptions: the option area, a multiple of four octets up to 40, instead of the one that `segment.options`
    ///     describes: for malformed options.
    ///   - payload: its octets; zeros where it is shorter than the segment says.
    /// - Returns: the frame's octets, checksums as `segment.checksum` asks (unverified is encoded as good).
    public func encode(_ segment: Segment, rawOptions: [UInt8]? = nil, payload: [UInt8] = []) -> [UInt8] {
        let tcp = TCPBytes(segment, rawOptions: rawOptions, payload: payload)
        let packet = ipPacket(
            from: segment.source.address, to: segment.destination.address, proto: 6, payload: tcp.bytes,
            identification: segment.identification, hopLimit: segment.hopLimit, trafficClass: segment.trafficClass,
            fragment: segment.isFragment ? (offset: 0, isLast: false) : nil)
        return frame(packet, segment)
    }

    /// The frames of a segment whose IP packet is sent in fragments.
    /// - Parameters:
    ///   - segment: as above.
    ///   - rawOptions: as above.
    ///   - pieces: octets of the TCP header and payload that each fragment holds, in the order of the frames; the one
    ///     that reaches the end is the last fragment. All but that should be multiples of 8 octets.
    public func encode(_ segment: Segment, rawOptions: [UInt8]? = nil, pieces: [Range<Int>]) -> [[UInt8]] {
        let tcp = TCPBytes(segment, rawOptions: rawOptions, payload: []).bytes
        return pieces.map { piece in
            let octets = piece.clamped(to: 0..<tcp.count)
            let packet = ipPacket(
                from: segment.source.address, to: segment.destination.address, proto: 6, payload: Array(tcp[octets]),
                identification: segment.identification, hopLimit: segment.hopLimit,
                trafficClass: segment.trafficClass,
                fragment: (offset: octets.lowerBound, isLast: octets.upperBound == tcp.count))
            return frame(packet, segment)
        }
    }

    /// The frame of an ICMP or ICMPv6 error about `segment`, sent by `error.reporter` to the segment's sender.
    /// - Parameters:
    ///   - error: what the ICMP message says.
    ///   - segment: the segment that it quotes.
    ///   - rawOptions: as above.
    ///   - quoted: octets of the segment's TCP header that are quoted; RFC 792 asks for at least 8.
    public func encode(
        _ error: ICMPError, about segment: Segment, rawOptions: [UInt8]? = nil, quoted: Int = 8
    ) -> [UInt8] {
        let tcp = TCPBytes(segment, rawOptions: rawOptions, payload: []).bytes
        let quote = ipPacket(
            from: segment.source.address, to: segment.destination.address, proto: 6, payload: tcp,
            identification: segment.identification, hopLimit: segment.hopLimit,
            trafficClass: segment.trafficClass)
        let kept = quote.prefix(quote.count - tcp.count + min(quoted, tcp.count))
        var icmp: [UInt8] = [error.type, error.code, 0, 0, 0, 0, 0, 0] + kept
        var sum = icmp.checksumSum
        let isV6 = segment.source.address.version == .v6
        if isV6 { sum += pseudoSum(error.reporter, segment.source.address, proto: 58, length: icmp.count) }
        icmp.put16(~foldChecksum(sum), at: 2)
        let packet = ipPacket(
            from: error.reporter, to: segment.source.address, proto: isV6 ? 58 : 1, payload: icmp, identification: 0,
            hopLimit: 64)
        return frame(packet, segment)
    }

    /// The frame of an empty UDP datagram: no TCP, for what must be ignored.
    package func encodeDatagram(between source: Endpoint, _ destination: Endpoint) -> [UInt8] {
        var udp = source.port.octets + destination.port.octets + [0, 8, 0, 0]
        let pseudo = pseudoSum(source.address, destination.address, proto: 17, length: udp.count)
        udp.put16(~foldChecksum(pseudo + udp.checksumSum), at: 6)
        let packet = ipPacket(
            from: source.address, to: destination.address, proto: 17, payload: udp, identification: 0, hopLimit: 64)
        return frame(packet, Segment(from: source, to: destination))
    }

    // MARK: Around the packet

    private func frame(_ inner: [UInt8], _ segment: Segment) -> [UInt8] {
        let packet = encapsulate(inner, segment)
        let isV6 = packet[0] >> 4 == 6
        var type: UInt16 = isV6 ? 0x86dd : 0x0800
        var packetOrLabels = packet
        if segment.tunnels.contains(.mpls) {
            type = 0x8847
            packetOrLabels = [0, 0x01, 0x01, 64] + packet
        }
        if segment.tunnels.contains(.pppoe) {
            type = 0x8864
            let length = UInt16(packet.count + 2)
            packetOrLabels = [0x11, 0, 0, 1] + length.octets + (isV6 ? [0, 0x57] : [0, 0x21]) + packet
        }
        let tags = segment.vlan.identifiers
        var typed: [UInt8] = []
        for (index, tag) in tags.enumerated() {
            typed += (index + 1 < tags.count ? UInt16(0x88a8) : 0x8100).octets + tag.octets
        }
        typed += type.octets
        switch linkType {
        case .null: return (isV6 ? [30, 0, 0, 0] : [2, 0, 0, 0]) + packet
        case .loop: return (isV6 ? [0, 0, 0, 24] : [0, 0, 0, 2]) + packet
        case .linuxSLL: return [0, 0, 0, 1, 0, 6] + sourceMAC + [0, 0] + typed + packetOrLabels
        case .linuxSLL2:
            return Array(typed[..<2]) + [0, 0, 0, 0, 0, 1, 0, 1, 0, 6] + sourceMAC + [0, 0] + typed[2...]
                + packetOrLabels
        case .ppp, .pppSerial: return [0xff, 0x03] + (isV6 ? [0x00, 0x57] : [0x00, 0x21]) + packet
        case .cHDLC: return [0x0f, 0x00] + typed + packetOrLabels
        case .ipoib: return [UInt8](repeating: 0, count: 40) + typed[..<2] + [0, 0] + typed[2...] + packetOrLabels
        case .ethernet: return destinationMAC + sourceMAC + typed + packetOrLabels
        case .ieee80211: return wireless(segment) + typed + packetOrLabels
        default: return packet
        }
    }

    /// A data frame of an independent network (IEEE 802.11-2020 9.3.2.1), up to the type in its SNAP header.
    private func wireless(_ segment: Segment) -> [UInt8] {
        let control: [UInt8] = [0x08, segment.isLinkRetry ? 0x08 : 0, 0, 0]
        let network: [UInt8] = [2, 0, 0, 0, 0, 0xff]
        let sequence = [UInt8(truncatingIfNeeded: segment.linkSequence), UInt8(segment.linkSequence >> 8)]
        return control + destinationMAC + sourceMAC + network + sequence + [0xaa, 0xaa, 3, 0, 0, 0]
    }

    private func encapsulate(_ inner: [UInt8], _ segment: Segment) -> [UInt8] {
        let isV6 = inner[0] >> 4 == 6
        let (near, far) = segment.path.outer ?? tunnelEnds
        func outer(_ proto: UInt8, _ payload: [UInt8]) -> [UInt8] {
            ipPacket(from: near, to: far, proto: proto, payload: payload, identification: 1, hopLimit: 64)
        }
        let ethernet = destinationMAC + sourceMAC + (isV6 ? [0x86, 0xdd] : [0x08, 0x00]) + inner
        let vni = (segment.network.id << 8).octets
        func udp(_ port: UInt16, _ payload: [UInt8]) -> [UInt8] {
            outer(17, [0xc0, 0x00] + port.octets + UInt16(payload.count + 8).octets + [0, 0] + payload)
        }
        if segment.tunnels.contains(.vxlan) { return udp(4789, [8, 0, 0, 0] + vni + ethernet) }
        if segment.tunnels.contains(.geneve) { return udp(6081, [0, 0, 0x65, 0x58] + vni + ethernet) }
        if segment.tunnels.contains(.gre) {
            return segment.network.kind == .nvgre
                ? outer(47, [0x20, 0, 0x65, 0x58] + vni + ethernet)
                : outer(47, [0, 0] + (isV6 ? [0x86, 0xdd] : [0x08, 0x00]) + inner)
        }
        if segment.tunnels.contains(.ipInIP) { return outer(isV6 ? 41 : 4, inner) }
        if segment.tunnels.contains(Tunnels(.gtpU)) {
            let teid = segment.path.layers.first { $0.tunnel == .gtpU }?.id ?? 0
            return udp(2152, [0x30, 0xff] + UInt16(inner.count).octets + teid.octets + inner)
        }
        return inner
    }

    private func ipPacket(
        from source: IPAddress, to destination: IPAddress, proto: UInt8, payload: [UInt8], identification: UInt16,
        hopLimit: UInt8, trafficClass: UInt8 = 0, fragment: (offset: Int, isLast: Bool)? = nil
    ) -> [UInt8] {
        if source.version == .v4 {
            var header: [UInt8] = [0x45, trafficClass]
            header += UInt16(truncatingIfNeeded: payload.count + 20).octets + identification.octets
            header += fragment.map { UInt16($0.offset / 8 | ($0.isLast ? 0 : 0x2000)).octets } ?? [0x40, 0]
            header += [hopLimit, proto, 0, 0] + source.octets + destination.octets
            header.put16(~foldChecksum(header.checksumSum), at: 10)
            return header + payload
        }
        let extra = fragment.map {
            [proto, 0] + UInt16($0.offset & 0xfff8 | ($0.isLast ? 0 : 1)).octets + UInt32(identification).octets
        }
        var header: [UInt8] = [0x60 | trafficClass >> 4, trafficClass << 4, 0, 0]
        header += UInt16(truncatingIfNeeded: payload.count + (extra?.count ?? 0)).octets
        header += [extra == nil ? proto : 44, hopLimit] + source.octets + destination.octets
        return header + (extra ?? []) + payload
    }
}

extension LinkType {
    /// The link types that `FrameEncoder` writes.
    public static let encodable: [LinkType] = [
        .ethernet, .linuxSLL, .linuxSLL2, .raw, .ipv4, .ipv6, .null, .loop, .ppp, .pppSerial, .cHDLC, .ipoib,
        .ieee80211,
    ]
}

/// A TCP header, its options and payload.
private struct TCPBytes {
    var bytes: [UInt8]

    init(_ segment: Segment, rawOptions: [UInt8]?, payload: [UInt8]) {
        let area = rawOptions ?? segment.options.encoded
        precondition(area.count % 4 == 0 && area.count <= 40, "a TCP option area is a multiple of 4 octets, at most 40")
        bytes = segment.source.port.octets + segment.destination.port.octets + segment.seq.octets + segment.ack.octets
        bytes += (UInt16((20 + area.count) / 4) << 12 | segment.flags.rawValue).octets + segment.window.octets
        bytes += [0, 0, 0, 0] + area + payload.prefix(Int(segment.payloadLength))
        bytes += Array(repeating: 0, count: max(0, Int(segment.payloadLength) - payload.count))
        let pseudo = pseudoSum(segment.source.address, segment.destination.address, proto: 6, length: bytes.count)
        let good = ~foldChecksum(pseudo + bytes.checksumSum)
        switch segment.checksum {
        case .good, .unverified: bytes.put16(good, at: 16)
        case .offload: bytes.put16(foldChecksum(pseudo), at: 16)
        case .bad:
            let wrong = good ^ 0x5a5a
            bytes.put16(wrong == foldChecksum(pseudo) ? good ^ 0x0f0f : wrong, at: 16)
        }
    }
}

private func pseudoSum(_ source: IPAddress, _ destination: IPAddress, proto: UInt8, length: Int) -> UInt64 {
    (source.octets + destination.octets).checksumSum + UInt64(proto) + UInt64(length)
}

extension IPAddress {
    /// Four or sixteen octets in network order.
    public var octets: [UInt8] { version == .v4 ? v4Bits.octets : high.octets + low.octets }
}

extension FixedWidthInteger {
    /// In network order.
    var octets: [UInt8] {
        stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}

extension [UInt8] {
    var checksumSum: UInt64 { unsafe span.bytes.checksumSum(from: 0, count: count) }

    mutating func put16(_ value: UInt16, at offset: Int) {
        self[offset] = UInt8(value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
