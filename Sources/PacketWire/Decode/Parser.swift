/// One pass over a frame, outermost header first. A length is checked once, where a layer begins; the loads after it
/// cannot fail.
///
/// Three ends matter. `captured` is where the bytes stop; `wire` is where the frame stopped; `end` is where the
/// enclosing header says that this layer stops. Running out before `captured` did is the frame's fault (malformed);
/// running out because of `captured` is the snaplen's (cut).
struct Parser: ~Escapable {
    let bytes: RawSpan
    let verifies: Bool
    let tunnelRules: TunnelRules
    /// Where the enclosing layer ends, in octets from the start of the frame.
    var end: Int
    var vlan = VLANTags()
    var tunnels = Tunnels()
    var path = TunnelPath()
    var network = VirtualNetwork.none
    var linkSignature: UInt32 = 0
    var isLinkRetry = false
    var linkSequence: UInt16 = 0
    /// The IP packet is longer than its frame: the frame was sliced before it was captured.
    var isSliced = false
    var depth = 0
    /// Where the IP packet begins of which the frame holds a fragment, the innermost one, and where that fragment's octets do;
    /// negative for none.
    var fragmentedPacket = -1
    var fragmentStart = 0

    @inline(__always)
    @_lifetime(copy bytes)
    init(bytes: RawSpan, wireLength: Int, verifies: Bool, tunnelRules: TunnelRules) {
        self.bytes = bytes
        self.verifies = verifies
        self.tunnelRules = tunnelRules
        end = wireLength
    }

    static let deepest = 8

    /// Whether a layer may stand within another one: bounded, since a frame may nest them as often as it has room for.
    mutating func nest(_ slot: inout DecodedFrame) -> Bool {
        depth += 1
        if depth <= Parser.deepest { return true }
        ignore(.tooDeep, &slot)
        return false
    }

    // MARK: Ends

    @inline(__always)
    func ignore(_ reason: IgnoredReason, _ slot: inout DecodedFrame) {
        slot.kind = .ignored
        slot.reason = reason
    }

    /// As `ignore`, with the number of what is not decoded.
    func ignore(_ reason: IgnoredReason, number: UInt16, _ slot: inout DecodedFrame) {
        ignore(reason, &slot)
        slot.number = number
    }

    /// A frame that was ignored for this reason, and of which no header inside told a number, is told by this one.
    func note(_ number: UInt16, ignoredFor reason: IgnoredReason, _ slot: inout DecodedFrame) {
        if slot.kind == .ignored, slot.reason == reason, slot.number == 0 { slot.number = number }
    }

    /// The layer of a link's header: within a tunnel it is the tunnel's.
    var linkLayer: Malformation.Layer { tunnels.isEmpty ? .link : .tunnel }

    @inline(__always)
    func malformed(
        _ layer: Malformation.Layer, _ offset: Int, _ limit: Malformation.Limit, _ slot: inout DecodedFrame
    ) {
        slot.kind = .malformed
        slot.layer = layer
        slot.offset = Int32(truncatingIfNeeded: offset)
        slot.limit = limit
    }

    /// Whether `count` octets of a layer's header at `offset` can be read; if not, says why in `slot`.
    @inline(__always)
    func holds(
        _ count: Int, at offset: Int, _ layer: Malformation.Layer, _ slot: inout DecodedFrame,
        limit: Malformation.Limit = .enclosingLength
    ) -> Bool {
        if offset + count <= min(end, bytes.byteCount) { return true }
        if offset + count > end {
            malformed(layer, offset, layer == .link ? .frameLength : limit, &slot)
        } else {
            slot.kind = .cut
            slot.layer = layer
            slot.offset = Int32(truncatingIfNeeded: offset)
        }
        return false
    }

    /// As `holds`, for what is looked for on a guess: if it is not there, the frame is something else rather than broken. What
    /// the snaplen cut stays cut.
    func fits(_ count: Int, at offset: Int, else reason: IgnoredReason, _ slot: inout DecodedFrame) -> Bool {
        if holds(count, at: offset, .tunnel, &slot) { return true }
        if slot.kind == .malformed { ignore(reason, &slot) }
        return false
    }

    // MARK: Link

    @inline(__always)
    mutating func link(_ type: LinkType, into slot: inout DecodedFrame) {
        switch type.rawValue {
        case 1, 113, 276:
            let length = Parser.linkHeaderLength(type.rawValue)
            guard holds(length, at: 0, .link, &slot) else { return }
            let header = Parser.linkHeader(type.rawValue, bytes)
            linkSignature = header.signature
            etherType(header.type, at: length, &slot)
        case 12, 14, 101: ip(at: 0, &slot)
        case 228: ipv4(at: 0, &slot)
        case 229: ipv6(at: 0, &slot)
        case 0: nullOrLoop(&slot)
        case 108: nullOrLoop(&slot)
        default: rareLink(type, at: 0, &slot)
        }
    }

    //  0                   6                  12      14
    // +-------------------+-------------------+-------+----
    // |   destination     |      source       | type  | ...
    // +-------------------+-------------------+-------+----
    @inline(__always)
    mutating func ethernet(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(14, at: offset, offset == 0 ? .link : .tunnel, &slot) else { return }
        if linkSignature == 0 { linkSignature = Parser.mix(bytes.native64(offset), bytes.native32(offset + 8)) }
        etherType(bytes.u16(offset + 12), at: offset + 14, &slot)
    }

    /// The link types whose headers end in an EtherType, or have one in a fixed place: octets of the header.
    @inline(__always)
    static func linkHeaderLength(_ linkType: UInt16) -> Int { linkType == 1 ? 14 : linkType == 113 ? 16 : 20 }

    /// The link's signature and the EtherType of those link types.
    /// - Parameter bytes: hold the header.
    @inline(__always)
    static func linkHeader(_ linkType: UInt16, _ bytes: RawSpan) -> (signature: UInt32, type: UInt16) {
        switch linkType {
        // Ethernet: destination 6, source 6, type 2.
        case 1: (mix(bytes.native64(0), bytes.native32(8)), bytes.u16(12))
        // LINUX_SLL: packet type 2, ARPHRD 2, address length 2, address 8, protocol 2.
        case 113: (mix(bytes.u64(6), UInt32(bytes.u16(0))), bytes.u16(14))
        // LINUX_SLL2: protocol 2, reserved 2, interface 4, ARPHRD 2, packet type 1, address length 1, address 8.
        default: (mix(bytes.u64(12), bytes.u32(4) ^ UInt32(bytes.u8(10)) << 24), bytes.u16(0))
        }
    }

    // NULL: an address family in the writer's byte order; LOOP: in network order.
    @inline(__always)
    mutating func nullOrLoop(_ slot: inout DecodedFrame) {
        guard holds(4, at: 0, .link, &slot) else { return }
        family(bytes.u32(0), at: 4, &slot)
    }

    @inline(__always)
    mutating func etherType(_ first: UInt16, at start: Int, _ slot: inout DecodedFrame) {
        var type = first
        var offset = start
        while true {
            switch type {
            case 0x0800: return ipv4(at: offset, &slot)
            case 0x86dd: return ipv6(at: offset, &slot)
            case 0x8100, 0x88a8, 0x9100, 0x9200:
                guard holds(4, at: offset, .vlan, &slot) else { return }
                vlan.append(bytes.u16(offset))
                type = bytes.u16(offset + 2)
                offset += 4
            case 0x0806: return ignore(.arp, &slot)
            case 0..<0x0600: return llc(at: offset, &slot)  // a length (IEEE 802.3)
            default: return rareEtherType(type, at: offset, &slot)
            }
        }
    }

    // MARK: IP

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
            isFragment: fragment & 0x2000 != 0, v4Header: offset..<offset + headerLength, offset: offset)
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
            identification: 0, hopLimit: bytes.u8(offset + 7), isFragment: false, v4Header: 0..<0, offset: offset)
        transport(bytes.u8(offset + 6), at: offset + 40, header, &slot)
    }

    /// Whether an IP packet that is longer than its frame was sliced before it was captured (packet brokers keep the first
    /// octets and record their count as the frame's length): the outermost packet may be.
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
                // Of a fragmented packet it is met twice: in the first fragment, and when that is put together.
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

    /// Where a packet with a routing header ends up, while that is not its destination: checksums and hosts go by that. Types 0
    /// (RFC 2460 section 4.4) and 2 (RFC 6275 section 6.4) have the last address last, type 4 (RFC 8754 section 2) first.
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

    /// The last address of a source route that is not used up (RFC 791 section 3.1: options 131 and 137): the destination for
    /// whatever is above IP.
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

    // MARK: TCP

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
        // What nearly every segment of a connection with timestamps carries: NOP, NOP, timestamps (RFC 7323 appendix A).
        if end - start == 12, end <= bytes.byteCount, bytes.u32(start) == 0x0101_080a {
            options.present = .timestamps
            options.kinds = 1 << 8 | 1 << 1
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
            switch kind {
            case 2:
                guard length == 4 else { return bad(kind) }
                options.present.insert(.mss)
                options.mss = bytes.u16(offset + 2)
            case 3:
                guard length == 3 else { return bad(kind) }
                options.present.insert(.windowScale)
                options.windowScale = bytes.u8(offset + 2)
            case 4:
                guard length == 2 else { return bad(kind) }
                options.present.insert(.sackPermitted)
            case 8:
                guard length == 10 else { return bad(kind) }
                options.present.insert(.timestamps)
                options.tsval = bytes.u32(offset + 2)
                options.tsecr = bytes.u32(offset + 6)
            case 30:
                guard length >= 3 else { return bad(kind) }
                if !options.has(.mptcp) { options.mptcpSubtype = bytes.u8(offset + 2) >> 4 }
                options.present.insert(.mptcp)
            case 34:
                // RFC 7413 section 4.1.1: no cookie, or 4 to 16 octets, an even number.
                guard length == 2 || (6...18).contains(length) && length % 2 == 0 else { return bad(kind) }
                options.present.insert(.fastOpen)
                options.fastOpenCookieLength = UInt8(length - 2)
            case 254 where length >= 4 && bytes.u16(offset + 2) == 0xf989:
                options.present.formUnion([.fastOpen, .fastOpenExperimental])
                options.fastOpenCookieLength = UInt8(length - 4)
            default:
                options.present.insert(.other)
            }
            offset += length
        }
        if end > bytes.byteCount { options.present.insert(.cut) }
    }

    /// A hash of link addresses.
    @inline(__always)
    static func mix(_ a: UInt64, _ b: UInt32) -> UInt32 {
        let mixed = (a &+ UInt64(b) &* 0x9e37_79b9_7f4a_7c15) &* 0xbf58_476d_1ce4_e5b9
        return UInt32(truncatingIfNeeded: mixed >> 32) | 1
    }
}
