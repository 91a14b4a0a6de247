/// A segment that came as nearly all do: whole, in an IP packet without options or extension headers, outside any tunnel, with
/// a good checksum and no TCP options but the four of RFC 9293 and RFC 7323. Then these 104 octets say all that a `Segment` says.
///
/// The recognition errs on one side only: what it does not take is decoded in full.
package struct UsualSegment: BitwiseCopyable {
    // An IPv4 address is the low word, as in `IPAddress`.
    package var sourceHigh: UInt64 = 0
    package var sourceLow: UInt64 = 0
    package var destinationHigh: UInt64 = 0
    package var destinationLow: UInt64 = 0
    package var vlan = VLANTags()
    package var seq: UInt32 = 0
    package var ack: UInt32 = 0
    package var payloadLength: UInt32 = 0
    package var tsval: UInt32 = 0
    package var tsecr: UInt32 = 0
    package var linkSignature: UInt32 = 0
    package var sourcePort: UInt16 = 0
    package var destinationPort: UInt16 = 0
    package var flags: TCPFlags = []
    package var options: TCPOptions.Present = []
    package var window: UInt16 = 0
    package var identification: UInt16 = 0
    package var mss: UInt16 = 0
    package var hopLimit: UInt8 = 0
    package var windowScale: UInt8 = 0
    package var version: IPAddress.Version = .v4
    /// Good or unverified.
    package var checksum: ChecksumState = .unverified
    /// The kinds of `TCPOptions.kinds` that may occur: 0 to 4, and 8 as bit 5.
    package var kinds: UInt8 = 0

    @inline(__always) package init() {}

    package static let options: TCPOptions.Present = [.mss, .windowScale, .sackPermitted, .timestamps]
    fileprivate static let kinds: UInt64 = 1 << 8 | 0x1f

    /// SEG.LEN (RFC 9293 section 3.4): payload, plus one each for SYN and FIN.
    @inlinable @inline(__always)
    package var sequenceLength: UInt32 {
        payloadLength &+ UInt32(flags.rawValue & 1) &+ UInt32(flags.rawValue >> 1 & 1)
    }
}

extension Segment {
    /// The same with every field.
    package init(_ usual: UsualSegment) {
        switch usual.version {
        case .v4:
            self.init(
                from: Endpoint(IPAddress(v4: UInt32(truncatingIfNeeded: usual.sourceLow)), usual.sourcePort),
                to: Endpoint(IPAddress(v4: UInt32(truncatingIfNeeded: usual.destinationLow)), usual.destinationPort))
        case .v6:
            self.init(
                from: Endpoint(IPAddress(v6High: usual.sourceHigh, low: usual.sourceLow), usual.sourcePort),
                to: Endpoint(IPAddress(v6High: usual.destinationHigh, low: usual.destinationLow), usual.destinationPort)
            )
        }
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
        let captured = bytes.byteCount
        let wire = max(wireLength, captured)
        let end: Int
        var pseudo: UInt64
        switch type {
        case 0x0800:
            guard offset + 40 <= captured, bytes.u8(offset) == 0x45, bytes.u16(offset + 6) & 0x3fff == 0,
                bytes.u8(offset + 9) == 6
            else { return false }
            let total = Int(bytes.u16(offset + 2))
            end = offset + total
            guard total >= 40, end <= wire else { return false }
            let (source, destination) = (bytes.u32(offset + 12), bytes.u32(offset + 16))
            segment.version = .v4
            segment.sourceHigh = 0
            segment.sourceLow = UInt64(source)
            segment.destinationHigh = 0
            segment.destinationLow = UInt64(destination)
            segment.identification = bytes.u16(offset + 4)
            segment.hopLimit = bytes.u8(offset + 8)
            pseudo = bytes.nativeSum(offset + 12, 8)
            offset += 20
        case 0x86dd:
            guard offset + 60 <= captured, bytes.u8(offset) >> 4 == 6, bytes.u8(offset + 6) == 6 else { return false }
            let payload = Int(bytes.u16(offset + 4))
            end = offset + 40 + payload
            guard payload >= 20, end <= wire else { return false }
            segment.version = .v6
            segment.sourceHigh = bytes.u64(offset + 8)
            segment.sourceLow = bytes.u64(offset + 16)
            segment.destinationHigh = bytes.u64(offset + 24)
            segment.destinationLow = bytes.u64(offset + 32)
            segment.identification = 0
            segment.hopLimit = bytes.u8(offset + 7)
            pseudo = bytes.nativeSum(offset + 8, 32)
            offset += 40
        default: return false
        }
        let word = bytes.u16(offset + 12)
        let headerLength = Int(word >> 12) * 4
        guard headerLength >= 20, offset + headerLength <= min(end, captured) else { return false }
        segment.flags = TCPFlags(rawValue: word & 0x0fff)
        segment.sourcePort = bytes.u16(offset)
        segment.destinationPort = bytes.u16(offset + 2)
        segment.seq = bytes.u32(offset + 4)
        segment.ack = bytes.u32(offset + 8)
        segment.window = bytes.u16(offset + 14)
        segment.payloadLength = UInt32(truncatingIfNeeded: end - offset - headerLength)
        if headerLength == 32, bytes.u32(offset + 20) == 0x0101_080a {
            segment.options = .timestamps
            segment.kinds = 1 << 5 | 1 << 1
            segment.mss = 0
            segment.windowScale = 0
            segment.tsval = bytes.u32(offset + 24)
            segment.tsecr = bytes.u32(offset + 28)
        } else if headerLength == 20 {
            segment.options = []
            segment.kinds = 0
            segment.mss = 0
            segment.windowScale = 0
            segment.tsval = 0
            segment.tsecr = 0
        } else if !usualOptions(bytes, offset + 20, offset + headerLength, &segment) {
            return false
        }
        segment.checksum = .unverified
        if decoder.verifiesChecksums, segment.payloadLength == 0 || segment.flags.rawValue & 7 != 0, end <= captured {
            let length = end - offset
            // The sum does not depend on the order of octets, as long as it is the same for all (RFC 1071 section 2).
            pseudo &+= UInt64(UInt16(truncatingIfNeeded: length).bigEndian) &+ UInt64(UInt16(6).bigEndian)
            guard foldChecksum(pseudo &+ bytes.nativeSum(offset, length)) == 0xffff,
                segment.version == .v6 || foldChecksum(bytes.nativeSum(offset - 20, 20)) == 0xffff
            else { return false }
            segment.checksum = .good
        }
        return true
    }

    /// The options of a SYN: usual ones, each at most once.
    @inline(__always)
    private static func usualOptions(
        _ bytes: RawSpan, _ start: Int, _ end: Int, _ segment: inout UsualSegment
    ) -> Bool {
        // As Linux sends them: MSS, SACK permitted, timestamps, NOP, window scale.
        if end - start == 20, bytes.u16(start) == 0x0204, bytes.u32(start + 4) == 0x0402_080a,
            bytes.u32(start + 16) >> 8 == 0x010303
        {
            segment.options = UsualSegment.options
            segment.kinds = 0x3e
            segment.mss = bytes.u16(start + 2)
            segment.tsval = bytes.u32(start + 8)
            segment.tsecr = bytes.u32(start + 12)
            segment.windowScale = bytes.u8(start + 19)
            return true
        }
        return otherOptions(bytes, start, end, &segment)
    }

    @inline(never)
    private static func otherOptions(
        _ bytes: RawSpan, _ start: Int, _ end: Int, _ segment: inout UsualSegment
    ) -> Bool {
        var options = TCPOptions()
        Parser(bytes: bytes, wireLength: bytes.byteCount, verifies: false).generalOptions(
            from: start, to: end, &options)
        guard UsualSegment.options.isSuperset(of: options.present), options.kinds & ~UsualSegment.kinds == 0 else {
            return false
        }
        segment.options = options.present
        segment.kinds = UInt8(options.kinds & 0x1f) | UInt8(options.kinds >> 8) << 5
        segment.mss = options.mss
        segment.windowScale = options.windowScale
        segment.tsval = options.tsval
        segment.tsecr = options.tsecr
        return true
    }
}
