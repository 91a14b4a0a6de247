/// A segment that came as nearly all do: whole, in an IP packet without options or extension headers, outside any tunnel, with
/// a good checksum and no TCP options but the four of RFC 9293 and RFC 7323. Then these 104 octets say all that a `Segment` says.
///
/// The recognition errs on one side only: what it does not take is decoded in full.
package struct UsualSegment: BitwiseCopyable {
    /// The endpoints in the order in which tables keep them, and which of them sent it.
    package var tuple = Tuple(addresses: 0, ports: 0)
    package var sourceIsLow = false
    package var vlan = VLANTags()
    package var seq: UInt32 = 0
    package var ack: UInt32 = 0
    package var payloadLength: UInt32 = 0
    package var tsval: UInt32 = 0
    package var tsecr: UInt32 = 0
    package var linkSignature: UInt32 = 0
    package var flags: TCPFlags = []
    package var options: TCPOptions.Present = []
    package var window: UInt16 = 0
    package var identification: UInt16 = 0
    package var mss: UInt16 = 0
    package var hopLimit: UInt8 = 0
    package var windowScale: UInt8 = 0
    /// Good or unverified.
    package var checksum: ChecksumState = .unverified
    /// The kinds of `TCPOptions.kinds` that may occur: 0 to 4, and 8 as bit 5.
    package var kinds: UInt8 = 0

    @inline(__always) package init() {}
}

extension Segment {
    /// The same with every field.
    package init(_ usual: UsualSegment) {
        let (low, high) = usual.tuple.endpoints
        self.init(from: usual.sourceIsLow ? low : high, to: usual.sourceIsLow ? high : low)
        seq = usual.seq
        ack = usual.ack
        flags = usual.flags
        window = usual.window
        payloadLength = usual.payloadLength
        options.present = usual.options
        options.mss = usual.mss
        options.windowScale = usual.windowScale
        options.tsval = usual.tsval
        options.tsecr = usual.tsecr
        options.kinds = UInt64(usual.kinds & 0x1f) | UInt64(usual.kinds >> 5) << 8
        identification = usual.identification
        hopLimit = usual.hopLimit
        checksum = usual.checksum
        vlan = usual.vlan
        linkSignature = usual.linkSignature
    }
}

extension Parser {
    /// Decodes a frame if its segment is a usual one; if not, says nothing of it.
    @inline(__always)
    static func usual(
        _ bytes: RawSpan, wireLength: Int, _ decoder: FrameDecoder, into segment: inout UsualSegment
    ) -> Bool {
        var type: UInt16
        var offset: Int
        segment.vlan = VLANTags()
        switch decoder.linkType.rawValue {
        case 1:
            guard bytes.byteCount >= 54 else { return false }
            segment.linkSignature = Parser.mix(bytes.u64(0), bytes.u32(8))
            type = bytes.u16(12)
            offset = 14
        case 113:
            guard bytes.byteCount >= 56 else { return false }
            segment.linkSignature = Parser.mix(bytes.u64(6), UInt32(bytes.u16(0)))
            type = bytes.u16(14)
            offset = 16
        case 276:
            guard bytes.byteCount >= 60 else { return false }
            segment.linkSignature = Parser.mix(bytes.u64(12), bytes.u32(4) ^ UInt32(bytes.u8(10)) << 24)
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
        // Of each header a span of its own: its length is known, so that the bounds of every load in it are checked here.
        let captured = bytes.byteCount
        let wire = max(wireLength, captured)
        let end: Int
        var pseudo: UInt64
        let isV6 = type == 0x86dd
        var words: (sourceHigh: UInt64, sourceLow: UInt64, destinationHigh: UInt64, destinationLow: UInt64) = (
            0, 0, 0, 0
        )
        switch type {
        case 0x0800:
            guard offset + 40 <= captured else { return false }
            let ip = bytes.extracting(offset..<offset + 20)
            let total = Int(ip.u16(2))
            end = offset + total
            guard ip.u8(0) == 0x45, ip.u16(6) & 0x3fff == 0, ip.u8(9) == 6, total >= 40, end <= wire else {
                return false
            }
            words = (0, UInt64(ip.u32(12)), 0, UInt64(ip.u32(16)))
            segment.identification = ip.u16(4)
            segment.hopLimit = ip.u8(8)
            pseudo = ip.extracting(12..<20).nativeSum()
            offset += 20
        case 0x86dd:
            guard offset + 60 <= captured else { return false }
            let ip = bytes.extracting(offset..<offset + 40)
            let payload = Int(ip.u16(4))
            end = offset + 40 + payload
            guard ip.u8(0) >> 4 == 6, ip.u8(6) == 6, payload >= 20, end <= wire else { return false }
            words = (ip.u64(8), ip.u64(16), ip.u64(24), ip.u64(32))
            segment.identification = 0
            segment.hopLimit = ip.u8(7)
            pseudo = ip.extracting(8..<40).nativeSum()
            offset += 40
        default: return false
        }
        let tcp = bytes.extracting(offset..<offset + 20)
        let word = tcp.u16(12)
        let headerLength = Int(word >> 12) * 4
        guard headerLength >= 20, offset + headerLength <= min(end, captured) else { return false }
        let ports = (UInt32(tcp.u16(0)), UInt32(tcp.u16(2)))
        if isV6 {
            (segment.tuple, segment.sourceIsLow) = Tuple.ordered(words, ports)
        } else {
            let source = words.sourceLow << 16 | UInt64(ports.0)
            let destination = words.destinationLow << 16 | UInt64(ports.1)
            segment.sourceIsLow = source <= destination
            segment.tuple =
                source <= destination
                ? Tuple(addresses: words.sourceLow << 32 | words.destinationLow, ports: ports.0 << 16 | ports.1)
                : Tuple(addresses: words.destinationLow << 32 | words.sourceLow, ports: ports.1 << 16 | ports.0)
        }
        segment.seq = tcp.u32(4)
        segment.ack = tcp.u32(8)
        segment.flags = TCPFlags(rawValue: word & 0x0fff)
        segment.window = tcp.u16(14)
        segment.payloadLength = UInt32(truncatingIfNeeded: end - offset - headerLength)
        segment.options = []
        segment.kinds = 0
        segment.mss = 0
        segment.windowScale = 0
        segment.tsval = 0
        segment.tsecr = 0
        if headerLength > 20 {
            let area = bytes.extracting(offset + 20..<offset + headerLength)
            if area.byteCount == 12, area.u32(0) == 0x0101_080a {
                segment.options = .timestamps
                segment.kinds = 1 << 5 | 1 << 1
                segment.tsval = area.u32(4)
                segment.tsecr = area.u32(8)
            } else if !options(area, &segment) {
                return false
            }
        }
        segment.checksum = .unverified
        if decoder.verifiesChecksums, segment.payloadLength == 0 || segment.flags.rawValue & 7 != 0, end <= captured {
            let length = end - offset
            let (sum, carry) = pseudo.addingReportingOverflow(
                UInt64(UInt16(truncatingIfNeeded: length).bigEndian) + UInt64(UInt16(6).bigEndian))
            guard isGoodSum(bytes.extracting(offset..<end).nativeSum(sum &+ (carry ? 1 : 0))),
                isV6 || isGoodSum(bytes.extracting(offset - 20..<offset).nativeSum())
            else { return false }
            segment.checksum = .good
        }
        return true
    }

    /// The options of a segment, if all are usual, whole, and each but NOP is there once.
    @inline(never)
    private static func options(_ area: RawSpan, _ segment: inout UsualSegment) -> Bool {
        var rest = area
        while rest.byteCount > 0 {
            let kind = rest.u8(0)
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
