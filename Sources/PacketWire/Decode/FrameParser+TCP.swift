// TCP: the header, its checksum and its options.
extension FrameParser {
    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |          Source Port          |       Destination Port        |  RFC 9293 section 3.1
    // |                        Sequence Number                        |
    // |                    Acknowledgment Number                      |
    // |  Data |Rsr|A|C|E|U|A|P|R|S|F|                                 |
    // | Offset|vd |E|W|C|R|C|S|S|Y|I|            Window               |
    // |           Checksum            |         Urgent Pointer        |
    // |                           [Options]                           |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    @inline(__always)
    func tcp(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard offset + 20 <= end else {
            // A first fragment may end inside the TCP header (RFC 1858): nothing is wrong with the lengths.
            return header.isFragment
                ? ignore(.laterFragment, &slot) : malformed(.tcp, offset, .enclosingLength, &slot)
        }
        // Ports, sequence numbers and flags are in the first 14 octets: with those, a cut segment still counts.
        let captured = bytes.byteCount
        guard offset + 14 <= captured else {
            slot.kind = .cut
            slot.layer = .tcp
            slot.offset = Int32(truncatingIfNeeded: offset)
            return
        }
        let word = bytes.u16(offset + 12)
        let headerLength = Int(word >> 12) * 4
        guard headerLength >= 20 else { return malformed(.tcp, offset, .headerLength, &slot) }
        guard offset + headerLength <= end else {
            return header.isFragment
                ? ignore(.laterFragment, &slot) : malformed(.tcp, offset, .enclosingLength, &slot)
        }
        let flags = TCPFlags(rawValue: word & 0x0fff)
        slot.kind = .segment
        slot.segment = Segment(
            from: Endpoint(header.source, bytes.u16(offset)), to: Endpoint(header.destination, bytes.u16(offset + 2)))
        slot.segment.seq = bytes.u32(offset + 4)
        slot.segment.ack = bytes.u32(offset + 8)
        slot.segment.flags = flags
        slot.segment.payloadLength = UInt32(truncatingIfNeeded: end - offset - headerLength)
        slot.segment.identification = header.identification
        slot.segment.hopLimit = header.hopLimit
        slot.segment.isFragment = header.isFragment
        slot.segment.vlan = vlan
        slot.segment.network = network
        slot.segment.tunnels = tunnels
        if !tunnels.isEmpty { slot.segment.path = path }
        slot.segment.linkSignature = linkSignature
        slot.segment.links = links
        slot.segment.trafficClass = header.trafficClass
        slot.segment.isLinkRetry = isLinkRetry
        slot.segment.linkSequence = linkSequence
        guard offset + 20 <= captured else {
            slot.segment.isCut = true
            slot.segment.options.present = .cut
            return
        }
        slot.segment.window = bytes.u16(offset + 14)
        if headerLength > 20 {
            options(from: offset + 20, to: offset + headerLength, &slot.segment.options)
            slot.segment.isCut = slot.segment.options.has(.cut)
        }
        if verifies, slot.segment.payloadLength == 0 || !flags.isDisjoint(with: [.syn, .rst, .fin]),
            !header.isFragment, end <= captured
        {
            slot.segment.checksum = checksum(at: offset, header)
        }
    }

    /// Verifies the TCP checksum over the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1) and, for IPv4, the
    /// header's own (RFC 791): a host drops a packet for either.
    @inline(never)
    func checksum(at offset: Int, _ header: IPHeader) -> ChecksumState {
        let length = end - offset
        var pseudo: UInt64 = 6 &+ UInt64(length)
        for address in [header.source, header.destination] {
            pseudo &+= (address.high >> 32) &+ (address.high & 0xffff_ffff)
            pseudo &+= (address.low >> 32) &+ (address.low & 0xffff_ffff)
        }
        let field = bytes.u16(offset + 16)
        if foldChecksum(pseudo &+ bytes.checksumSum(from: offset, count: length)) != 0xffff {
            return field == foldChecksum(pseudo) ? .offload : .bad
        }
        if !header.v4Header.isEmpty {
            let sum = foldChecksum(bytes.checksumSum(from: header.v4Header.lowerBound, count: header.v4Header.count))
            // A zero field is header checksum offload.
            if sum != 0xffff { return bytes.u16(header.v4Header.lowerBound + 10) == 0 ? .offload : .bad }
        }
        return .good
    }

    /// Decodes the option area `start..<end` (RFC 9293 section 3.2).
    @inline(__always)
    func options(from start: Int, to end: Int, _ options: inout TCPOptions) {
        // What nearly every segment of a connection with timestamps carries: NOP, NOP, timestamps (RFC 7323 appendix
        // A).
        if end - start == 12, end <= bytes.byteCount, bytes.u32(start) == 0x0101_080a {
            options.present = .timestamps
            options.kinds = 1 << 8 | 1 << 1
            options.order = .timestamps
            options.tsval = bytes.u32(start + 4)
            options.tsecr = bytes.u32(start + 8)
            return
        }
        generalOptions(from: start, to: end, &options)
    }

    @inline(never)
    func generalOptions(from start: Int, to end: Int, _ options: inout TCPOptions) {
        let limit = min(end, bytes.byteCount)
        var offset = start
        func bad(_ kind: UInt8) {
            options.present.insert(.malformed)
            options.offendingKind = kind
        }
        while offset < limit {
            let kind = bytes.u8(offset)
            options.order.append(kind)
            if kind == 0 {
                options.kinds |= 1
                return
            }
            if kind == 1 {
                options.kinds |= 2
                offset += 1
                continue
            }
            guard offset + 1 < end else { return bad(kind) }
            guard offset + 1 < limit else { break }
            let length = Int(bytes.u8(offset + 1))
            guard length >= 2, offset + length <= end else { return bad(kind) }
            guard offset + length <= limit else { break }
            if kind < 64 {
                // RFC 8684 3: a segment may carry several Multipath TCP options, of different subtypes.
                let isOther = kind == 30 && length > 2 && bytes.u8(offset + 2) >> 4 != options.mptcpSubtype
                if options.kinds >> UInt64(kind) & 1 != 0, !isOther {
                    options.present.insert(.repeated)
                    options.offendingKind = kind
                }
                options.kinds |= 1 << UInt64(kind)
            }
            guard options.take(kind, length, at: offset, of: bytes) else { return bad(kind) }
            offset += length
        }
        if end > bytes.byteCount { options.present.insert(.cut) }
    }
}
