/// The part of a decoder that the recognition of usual segments needs. Apart from the rest, so that it stays in
/// registers.
struct UsualDecoder {
    let linkType: LinkType
    let verifiesChecksums: Bool

    @inline(__always)
    init(_ decoder: FrameDecoder) {
        linkType = decoder.linkType
        verifiesChecksums = decoder.verifiesChecksums
    }
}

extension FrameParser {
    /// Decodes a frame if its segment is a usual one; if not, says nothing of it.
    /// - Parameter pair: takes the addresses of IPv6.
    @inline(__always)
    static func usual(
        _ bytes: RawSpan, wireLength: Int, _ decoder: UsualDecoder, into segment: inout UsualSegment,
        _ pair: inout AddressPair
    ) -> Bool {
        segment.vlan = VLANTags()
        // Most frames: every offset up to the TCP header's end is known, and its bounds are checked here.
        if decoder.linkType.rawValue == 1, bytes.byteCount >= 54, bytes.u16(12) == 0x0800 {
            segment.linkSignature = FrameParser.mix(bytes.native64(0), bytes.native32(8))
            return usualIPv4(bytes, at: 14, wireLength, decoder, &segment)
        }
        return usualOfLink(bytes, wireLength, decoder, &segment, &pair)
    }

    /// The outer headers of a frame whose segment is a usual one.
    @inline(__always)
    static func openingHeaders(_ bytes: RawSpan, _ linkType: LinkType) -> OpeningHeaders {
        guard linkType.rawValue == 1, bytes.byteCount >= 54, bytes.u16(12) == 0x0800 else {
            return openingHeadersOfLink(bytes, linkType)
        }
        return OpeningHeaders(LinkAddresses(ethernet: bytes, at: 0), trafficClass: bytes.u8(15))
    }

    /// The same of other links, of IPv6 and behind VLAN tags.
    @inline(never)
    private static func openingHeadersOfLink(_ bytes: RawSpan, _ linkType: LinkType) -> OpeningHeaders {
        var links = LinkAddresses()
        var (type, packet): (UInt16, Int)
        switch linkType.rawValue {
        case 1:
            links = LinkAddresses(ethernet: bytes, at: 0)
            (type, packet) = (bytes.u16(12), 14)
        case 113:
            links = LinkAddresses(cooked: bytes, lengthAt: 5, at: 6)
            (type, packet) = (bytes.u16(14), 16)
        case 276:
            links = LinkAddresses(cooked: bytes, lengthAt: 11, at: 12)
            (type, packet) = (bytes.u16(0), 20)
        default: (type, packet) = (0, 0)
        }
        while type == 0x8100 || type == 0x88a8 {
            type = bytes.u16(packet + 2)
            packet += 4
        }
        let isV4 = bytes.u8(packet) >> 4 == 4
        return OpeningHeaders(
            links, trafficClass: isV4 ? bytes.u8(packet + 1) : UInt8(truncatingIfNeeded: bytes.u16(packet) >> 4))
    }

    /// The same of other links, of IPv6 and behind VLAN tags.
    @inline(never)
    private static func usualOfLink(
        _ bytes: RawSpan, _ wireLength: Int, _ decoder: UsualDecoder, _ segment: inout UsualSegment,
        _ pair: inout AddressPair
    ) -> Bool {
        var type: UInt16
        var offset: Int
        // Each link's header by itself: one function for both decoders cost six instructions a segment here.
        switch decoder.linkType.rawValue {
        case 1:
            guard bytes.byteCount >= 54 else { return false }
            segment.linkSignature = FrameParser.mix(bytes.native64(0), bytes.native32(8))
            type = bytes.u16(12)
            offset = 14
        case 113:
            guard bytes.byteCount >= 56 else { return false }
            segment.linkSignature = FrameParser.mix(bytes.u64(6), UInt32(bytes.u16(0)))
            type = bytes.u16(14)
            offset = 16
        case 276:
            guard bytes.byteCount >= 60 else { return false }
            segment.linkSignature = FrameParser.mix(bytes.u64(12), bytes.u32(4) ^ UInt32(bytes.u8(10)) << 24)
            type = bytes.u16(0)
            offset = 20
        case 12, 14, 101, 228, 229:
            guard bytes.byteCount >= 40 else { return false }
            segment.linkSignature = 0
            type = bytes.u8(0) >> 4 == 4 ? 0x0800 : 0x86dd
            if decoder.linkType.rawValue == 228, type != 0x0800 { return false }
            if decoder.linkType.rawValue == 229, type == 0x0800 { return false }
            offset = 0
        default: return false
        }
        while type == 0x8100 || type == 0x88a8 {
            guard bytes.byteCount >= offset + 44 else { return false }
            segment.vlan.append(bytes.u16(offset))
            type = bytes.u16(offset + 2)
            offset += 4
        }
        // From here on as if the IP header came first: its offsets are known then.
        let packet = bytes.extracting(offset..<bytes.byteCount)
        switch type {
        case 0x0800:
            guard packet.byteCount >= 40 else { return false }
            return usualIPv4(packet, at: 0, wireLength - offset, decoder, &segment)
        case 0x86dd:
            guard packet.byteCount >= 60 else { return false }
            return usualIPv6(packet, wireLength - offset, decoder, &segment, &pair)
        default: return false
        }
    }

    /// - Parameter offset: of an IPv4 header; it and the first 20 octets behind it are there.
    @inline(__always)
    private static func usualIPv4(
        _ bytes: RawSpan, at offset: Int, _ wireLength: Int, _ decoder: UsualDecoder, _ segment: inout UsualSegment
    ) -> Bool {
        let end = offset &+ Int(bytes.u16(offset + 2))
        guard bytes.u8(offset) == 0x45, bytes.u16(offset + 6) & 0x3fff == 0, bytes.u8(offset + 9) == 6,
            end <= bytes.byteCount || end <= wireLength
        else { return false }
        let tcp = offset + 20
        // The endpoints in order, without a branch: which way a segment goes is not to be predicted.
        let (addresses, ports) = (bytes.u64(offset + 12), bytes.u32(tcp))
        let (turnedAddresses, turnedPorts) = (addresses >> 32 | addresses << 32, ports >> 16 | ports << 16)
        let sourceIsLow = addresses == turnedAddresses ? ports <= turnedPorts : addresses < turnedAddresses
        segment.sourceIsLow = sourceIsLow
        segment.isV6 = false
        segment.addresses = sourceIsLow ? addresses : turnedAddresses
        segment.ports = sourceIsLow ? ports : turnedPorts
        segment.identification = bytes.u16(offset + 4)
        segment.hopLimit = bytes.u8(offset + 8)
        guard usualTCP(bytes, at: tcp, end: end, &segment) else { return false }
        if verifies(segment, decoder), end <= bytes.byteCount {
            let header = sumWithCarry(bytes.native64(offset), bytes.native64(offset + 8))
            guard isGoodTCP(bytes, at: tcp, end: end, bytes.native64(offset + 12)),
                isGoodSum(sumWithCarry(header, UInt64(bytes.native32(offset + 16))))
            else { return false }
            segment.checksum = .good
        }
        return true
    }

    /// - Parameter packet: an IPv6 header, which is there with the first 20 octets behind it.
    private static func usualIPv6(
        _ packet: RawSpan, _ wireLength: Int, _ decoder: UsualDecoder, _ segment: inout UsualSegment,
        _ pair: inout AddressPair
    ) -> Bool {
        let payload = Int(packet.u16(4))
        let tcp = 40
        let end = tcp + payload
        guard packet.u8(0) >> 4 == 6, packet.u8(6) == 6, payload >= 20,
            end <= max(wireLength, packet.byteCount)
        else { return false }
        let source = (packet.u64(8), packet.u64(16))
        let destination = (packet.u64(24), packet.u64(32))
        let ports = packet.u32(tcp)
        let arePortsInOrder = ports >> 16 <= ports & 0xffff
        let areLowsInOrder = source.1 == destination.1 ? arePortsInOrder : source.1 < destination.1
        let sourceIsLow = source.0 == destination.0 ? areLowsInOrder : source.0 < destination.0
        segment.sourceIsLow = sourceIsLow
        segment.isV6 = true
        segment.addresses = 0
        segment.ports = sourceIsLow ? ports : ports >> 16 | ports << 16
        pair.lowHigh = sourceIsLow ? source.0 : destination.0
        pair.lowLow = sourceIsLow ? source.1 : destination.1
        pair.highHigh = sourceIsLow ? destination.0 : source.0
        pair.highLow = sourceIsLow ? destination.1 : source.1
        segment.identification = 0
        segment.hopLimit = packet.u8(7)
        guard usualTCP(packet, at: tcp, end: end, &segment) else { return false }
        if verifies(segment, decoder), end <= packet.byteCount {
            guard isGoodTCP(packet, at: tcp, end: end, packet.nativeSum(from: 8, to: tcp)) else { return false }
            segment.checksum = .good
        }
        return true
    }

    /// The fields of a TCP header, but for its ports.
    /// - Parameters:
    ///   - offset: of the header; its first 20 octets are there.
    ///   - end: of the packet.
    @inline(__always)
    private static func usualTCP(
        _ bytes: RawSpan, at offset: Int, end: Int, _ segment: inout UsualSegment
    ) -> Bool {
        let word = bytes.u32(offset + 12)
        let headerLength = Int(word >> 28) &* 4
        let payload = offset &+ headerLength
        guard headerLength >= 20, payload <= end, payload <= bytes.byteCount else { return false }
        (segment.seq, segment.ack) = halves(bytes.u64(offset + 4))
        segment.flags = TCPFlags(rawValue: UInt16(truncatingIfNeeded: word >> 16 & 0x0fff))
        segment.window = UInt16(truncatingIfNeeded: word)
        segment.payloadLength = UInt32(truncatingIfNeeded: end &- payload)
        segment.mss = 0
        segment.windowScale = 0
        segment.checksum = .unverified
        if headerLength == 32, bytes.u32(offset + 20) == 0x0101_080a {
            segment.options = .timestamps
            segment.kinds = 1 << 5 | 1 << 1
            segment.order = .timestamps
            (segment.tsval, segment.tsecr) = halves(bytes.u64(offset + 24))
            return true
        }
        // As Linux offers them: MSS, SACK permitted, timestamps, NOP, window scale.
        if headerLength == 40, bytes.u16(offset + 20) == 0x0204, bytes.u32(offset + 24) == 0x0402_080a,
            bytes.u32(offset + 36) >> 8 == 0x01_0303
        {
            segment.options = [.mss, .sackPermitted, .timestamps, .windowScale]
            segment.kinds = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5
            segment.mss = bytes.u16(offset + 22)
            (segment.tsval, segment.tsecr) = halves(bytes.u64(offset + 28))
            segment.windowScale = bytes.u8(offset + 39)
            segment.order = .linux
            return true
        }
        segment.options = []
        segment.kinds = 0
        segment.tsval = 0
        segment.tsecr = 0
        segment.order = CompactOrder()
        return headerLength == 20 || options(bytes.extracting(offset + 20..<offset + headerLength), &segment)
    }

    /// Two fields that are loaded as one word.
    @inline(__always)
    private static func halves(_ word: UInt64) -> (UInt32, UInt32) {
        (UInt32(truncatingIfNeeded: word >> 32), UInt32(truncatingIfNeeded: word))
    }

    /// Whether a segment's checksum is looked at: it is without payload, or its SYN, FIN or RST counts.
    @inline(__always)
    private static func verifies(_ segment: UsualSegment, _ decoder: UsualDecoder) -> Bool {
        decoder.verifiesChecksums && (segment.payloadLength == 0 || segment.flags.rawValue & 7 != 0)
    }

    /// - Parameter addresses: the sum of both.
    @inline(__always)
    private static func isGoodTCP(_ bytes: RawSpan, at offset: Int, end: Int, _ addresses: UInt64) -> Bool {
        let pseudo = UInt64(UInt16(truncatingIfNeeded: end - offset).bigEndian) + UInt64(UInt16(6).bigEndian)
        let start = sumWithCarry(bytes.native64(offset), bytes.native64(offset + 8))
        let rest = sumWithCarry(sumWithCarry(addresses, pseudo), bytes.nativeSum(from: offset + 16, to: end))
        return isGoodSum(sumWithCarry(start, rest))
    }

    /// The options of a segment, if all are usual, whole, and each but NOP is there once.
    @inline(never)
    private static func options(_ area: RawSpan, _ segment: inout UsualSegment) -> Bool {
        var rest = area
        var place = 0
        while rest.byteCount > 0 {
            let kind = rest.u8(0)
            guard kind <= 8, segment.order.append(kind, at: place) else { return false }
            place += 1
            switch kind {
            case 0:
                segment.kinds |= 1
                return true
            case 1:
                segment.kinds |= 2
                rest = rest.extracting(1..<rest.byteCount)
                continue
            case 2:
                guard rest.byteCount >= 4, rest.u8(1) == 4, !segment.options.contains(.mss) else { return false }
                segment.options.insert(.mss)
                segment.kinds |= 1 << 2
                segment.mss = rest.u16(2)
                rest = rest.extracting(4..<rest.byteCount)
            case 3:
                guard rest.byteCount >= 3, rest.u8(1) == 3, !segment.options.contains(.windowScale) else {
                    return false
                }
                segment.options.insert(.windowScale)
                segment.kinds |= 1 << 3
                segment.windowScale = rest.u8(2)
                rest = rest.extracting(3..<rest.byteCount)
            case 4:
                guard rest.byteCount >= 2, rest.u8(1) == 2, !segment.options.contains(.sackPermitted) else {
                    return false
                }
                segment.options.insert(.sackPermitted)
                segment.kinds |= 1 << 4
                rest = rest.extracting(2..<rest.byteCount)
            case 8:
                guard rest.byteCount >= 10, rest.u8(1) == 10, !segment.options.contains(.timestamps) else {
                    return false
                }
                segment.options.insert(.timestamps)
                segment.kinds |= 1 << 5
                segment.tsval = rest.u32(2)
                segment.tsecr = rest.u32(6)
                rest = rest.extracting(10..<rest.byteCount)
            default: return false
            }
        }
        return true
    }
}
