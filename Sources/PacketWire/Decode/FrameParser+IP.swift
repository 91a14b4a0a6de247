// IP headers, and the extension headers between them and the transport.
extension FrameParser {
    @inline(__always)
    mutating func ip(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(1, at: offset, offset == 0 ? .link : .tunnel, &slot) else { return }
        switch bytes.u8(offset) >> 4 {
        case 4: ipv4(at: offset, &slot)
        case 6: ipv6(at: offset, &slot)
        default: malformed(offset == 0 ? .link : .tunnel, offset, .version, &slot)
        }
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |Version|  IHL  |Type of Service|          Total Length         |  RFC 791 section 3.1
    // |         Identification        |Flags|      Fragment Offset    |
    // |  Time to Live |    Protocol   |         Header Checksum       |
    // |                       Source Address                          |
    // |                    Destination Address                        |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    @inline(__always)
    mutating func ipv4(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(20, at: offset, .ipv4, &slot) else { return }
        let first = bytes.u8(offset)
        guard first >> 4 == 4 else { return malformed(.ipv4, offset, .version, &slot) }
        let headerLength = Int(first & 15) * 4
        guard headerLength >= 20 else { return malformed(.ipv4, offset, .headerLength, &slot) }
        // A total length of 0 is how segmentation offload shows a packet above 64 KiB: the frame's own length counts.
        let total = Int(bytes.u16(offset + 2))
        if total != 0 {
            guard total >= headerLength else { return malformed(.ipv4, offset, .totalLength, &slot) }
            if offset + total > end, !slices(to: offset + total) {
                return malformed(.ipv4, offset, .totalLength, &slot)
            }
            end = offset + total
        }
        guard holds(headerLength, at: offset, .ipv4, &slot) else { return }
        let fragment = bytes.u16(offset + 6)
        let proto = bytes.u8(offset + 9)
        var header = IPHeader(
            source: IPAddress(v4: bytes.u32(offset + 12)), destination: IPAddress(v4: bytes.u32(offset + 16)),
            identification: bytes.u16(offset + 4), hopLimit: bytes.u8(offset + 8),
            trafficClass: bytes.u8(offset + 1), isFragment: fragment & 0x2000 != 0,
            v4Header: offset..<offset + headerLength, offset: offset)
        if headerLength > 20, let last = sourceRouted(at: offset, headerLength) { header.destination = last }
        if fragment & 0x3fff != 0 {
            (fragmentedPacket, fragmentStart) = (offset, offset + headerLength)
            if fragment & 0x1fff != 0 { return ignore(.laterFragment, &slot) }
        }
        transport(proto, at: offset + headerLength, header, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |Version| Traffic Class |           Flow Label                  |  RFC 8200 section 3
    // |         Payload Length        |  Next Header  |   Hop Limit   |
    // |                 Source Address (16 octets)                    |
    // |              Destination Address (16 octets)                  |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    @inline(__always)
    mutating func ipv6(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(40, at: offset, .ipv6, &slot) else { return }
        guard bytes.u8(offset) >> 4 == 6 else { return malformed(.ipv6, offset, .version, &slot) }
        // 0 with a jumbo payload option (RFC 2675) or from segmentation offload: the frame's own length counts.
        let payload = Int(bytes.u16(offset + 4))
        if payload != 0 {
            if offset + 40 + payload > end, !slices(to: offset + 40 + payload) {
                return malformed(.ipv6, offset, .totalLength, &slot)
            }
            end = offset + 40 + payload
        }
        let header = IPHeader(
            source: IPAddress(v6High: bytes.u64(offset + 8), low: bytes.u64(offset + 16)),
            destination: IPAddress(v6High: bytes.u64(offset + 24), low: bytes.u64(offset + 32)),
            identification: 0, hopLimit: bytes.u8(offset + 7),
            trafficClass: UInt8(truncatingIfNeeded: bytes.u16(offset) >> 4), isFragment: false, v4Header: 0..<0,
            offset: offset)
        transport(bytes.u8(offset + 6), at: offset + 40, header, &slot)
    }

    /// Whether an IP packet that is longer than its frame was sliced before it was captured (packet brokers keep the
    /// first octets and record their count as the frame's length): the outermost packet may be.
    private mutating func slices(to packetEnd: Int) -> Bool {
        guard tunnels.isEmpty else { return false }
        isSliced = true
        return true
    }

    struct IPHeader {
        var source: IPAddress
        var destination: IPAddress
        var identification: UInt16
        var hopLimit: UInt8
        var trafficClass: UInt8
        var isFragment: Bool
        /// Octets of the IPv4 header, for its checksum; empty for IPv6.
        var v4Header: Range<Int>
        /// Where it begins.
        var offset: Int
    }

    @inline(__always)
    mutating func transport(_ proto: UInt8, at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        if proto == 6 { return tcp(at: offset, header, &slot) }
        otherTransport(proto, at: offset, header, &slot)
    }

    /// Everything that is not plain TCP over IP: extension headers, ICMP, tunnels. Out of line, since it is rare.
    @inline(never)
    mutating func otherTransport(
        _ first: UInt8, at start: Int, _ base: IPHeader, _ slot: inout DecodedFrame
    ) {
        var proto = first
        var offset = start
        var header = base
        while true {
            switch proto {
            case 6: return tcp(at: offset, header, &slot)
            case 17: return udp(at: offset, header, &slot)
            case 1 where header.source.version == .v4: return icmp(at: offset, header, &slot)
            case 58 where header.source.version == .v6: return icmp(at: offset, header, &slot)
            case 0, 43, 60, 135, 139, 140:
                // RFC 8200 section 4: next header, then the length in units of 8 octets beyond the first 8.
                guard header.source.version == .v6 else {
                    return ignore(.otherProtocol, number: UInt16(proto), &slot)
                }
                guard holds(8, at: offset, .ipv6, &slot) else { return shorten(header, &slot) }
                let length = Int(bytes.u8(offset + 1)) * 8 + 8
                guard holds(length, at: offset, .ipv6, &slot) else { return shorten(header, &slot) }
                if proto == 43, let last = finalDestination(at: offset, length) { header.destination = last }
                if proto == 60, let home = homeAddress(at: offset, length) { header.source = home }
                proto = bytes.u8(offset)
                offset += length
            case 44:
                guard header.source.version == .v6 else {
                    return ignore(.otherProtocol, number: UInt16(proto), &slot)
                }
                guard holds(8, at: offset, .ipv6, &slot) else { return }
                let field = bytes.u16(offset + 2)
                proto = bytes.u8(offset)
                // An atomic fragment (RFC 6946) is a whole packet.
                if field & 0xfff9 != 0 { (fragmentedPacket, fragmentStart) = (header.offset, offset + 8) }
                if field & 0xfff8 != 0 { return ignore(.laterFragment, &slot) }
                header.isFragment = field & 1 != 0
                offset += 8
            case 51:
                // RFC 4302 section 2: the length is in units of 4 octets, less 2; then reserved, and the SPI.
                guard holds(12, at: offset, .tunnel, &slot) else { return }
                let length = Int(bytes.u8(offset + 1)) * 4 + 8
                guard holds(length, at: offset, .tunnel, &slot) else { return }
                tunnels.insert(.ah)
                // A fragmented packet shows it twice: in the first fragment, and when it is put together.
                if !header.isFragment { path.append(.ah, id: bytes.u32(offset + 4)) }
                proto = bytes.u8(offset)
                offset += length
            case 50: return ignore(.encrypted, &slot)
            case 59: return ignore(.noNextHeader, &slot)
            case 4, 41, 47, 97, 115, 137:
                // Part of an encapsulated packet is no packet: it waits for the rest.
                if header.isFragment { return ignore(.laterFragment, &slot) }
                return encapsulated(proto, at: offset, header, &slot)
            default: return ignore(.otherProtocol, number: UInt16(proto), &slot)
            }
        }
    }

    /// A first fragment may end within its headers: nothing is wrong with the lengths then.
    private func shorten(_ header: IPHeader, _ slot: inout DecodedFrame) {
        if header.isFragment, slot.kind == .malformed { ignore(.laterFragment, &slot) }
    }

    /// Where a packet with a routing header ends up, while that is not its destination: checksums and hosts go by that.
    /// Types 0 (RFC 2460 section 4.4) and 2 (RFC 6275 section 6.4) have the last address last, type 4 (RFC 8754 section
    /// 2) first.
    func finalDestination(at offset: Int, _ length: Int) -> IPAddress? {
        guard bytes.u8(offset + 3) > 0, length >= 24 else { return nil }
        switch bytes.u8(offset + 2) {
        case 0, 2: return address6(at: offset + 8 + (length - 24) / 16 * 16)
        case 4: return address6(at: offset + 8)
        default: return nil
        }
    }

    /// The home address option (RFC 6275 section 6.3): the source for whatever is above IP.
    private func homeAddress(at offset: Int, _ length: Int) -> IPAddress? {
        var option = offset + 2
        while option + 2 <= offset + length {
            let kind = bytes.u8(option)
            if kind == 0 {
                option += 1
                continue
            }
            let size = Int(bytes.u8(option + 1))
            if kind == 201, size == 16, option + 18 <= offset + length { return address6(at: option + 2) }
            option += 2 + size
        }
        return nil
    }

    func address6(at offset: Int) -> IPAddress {
        IPAddress(v6High: bytes.u64(offset), low: bytes.u64(offset + 8))
    }

    /// The last address of a source route that is not used up (RFC 791 section 3.1: options 131 and 137): the
    /// destination for whatever is above IP.
    @inline(never)
    private func sourceRouted(at offset: Int, _ length: Int) -> IPAddress? {
        var option = offset + 20
        while option + 2 < offset + length {
            let kind = bytes.u8(option)
            if kind == 0 { return nil }
            if kind == 1 {
                option += 1
                continue
            }
            let size = Int(bytes.u8(option + 1))
            guard size >= 2, option + size <= offset + length else { return nil }
            if kind == 131 || kind == 137, size >= 7, Int(bytes.u8(option + 2)) <= size {
                return IPAddress(v4: bytes.u32(option + 3 + (size - 7) / 4 * 4))
            }
            option += size
        }
        return nil
    }
}
