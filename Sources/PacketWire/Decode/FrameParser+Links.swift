// Link types that are rare: out of line. Each leads to an EtherType, a protocol number of PPP, LLC, or IP.
extension FrameParser {
    @inline(never)
    mutating func rareLink(_ type: LinkType, at start: Int, _ slot: inout DecodedFrame) {
        switch type {
        case .ppp, .pppSerial: ppp(at: start, &slot)
        case .pppWithDirection: ppp(at: start + 1, &slot)
        // The direction stands in the address's place, before the control octet.
        case .pppPPPD: pppProtocolField(at: start + 2, &slot)
        case .pppEther: pppoe(at: start, &slot)
        case .cHDLC: ciscoHDLC(at: start, &slot)
        case .cHDLCWithDirection: ciscoHDLC(at: start + 1, &slot)
        case .frameRelay: frameRelay(at: start, &slot)
        case .frameRelayWithDirection: frameRelay(at: start + 1, &slot)
        case .ipoib:
            // A global routing header of 40 octets, then RFC 4391 section 6: EtherType, reserved.
            guard holds(44, at: start, .link, &slot) else { return }
            etherType(bytes.u16(start + 40), at: start + 44, &slot)
        case .fddi: fddi(at: start, &slot)
        case .tokenRing: tokenRing(at: start, &slot)
        case .arcnet: arcnet(at: start, typeAt: 2, &slot)
        case .arcnetLinux: arcnet(at: start, typeAt: 4, &slot)
        case .atmRFC1483: llc(at: start, &slot)
        case .ipOverFC:
            // RFC 4338 section 4.1: destination and source of 8 octets each, then LLC.
            guard holds(16, at: start, .link, &slot) else { return }
            linkSignature = FrameParser.mix(bytes.u64(start), UInt32(truncatingIfNeeded: bytes.u64(start + 8)))
            llc(at: start + 16, &slot)
        case .ieee80211: wireless(at: start, pads: false, &slot)
        case .radiotap: radiotap(at: start, &slot)
        case .prism, .avs: monitorHeader(at: start, &slot)
        case .ppi: ppi(at: start, &slot)
        case .pktap: pktap(at: start, &slot)
        case .nflog: nflog(at: start, &slot)
        case .pflog: pflog(at: start, &slot)
        case .enc:
            // Family, SPI, flags: four octets each, the family in the writer's byte order.
            guard holds(12, at: start, .link, &slot) else { return }
            family(bytes.u32(start), at: start + 12, &slot)
        case .dsa, .edsa, .dsaBroadcom, .dsaBroadcomPrepended: switchTag(type, at: start, &slot)
        default:
            ignore(.unknownLinkType, number: type.rawValue, &slot)
        }
    }

    /// The frame behind a header that names a link type.
    private mutating func inner(_ number: UInt32, at offset: Int, _ slot: inout DecodedFrame) {
        guard nest(&slot) else { return }
        // DLT_ values that are not LINKTYPE_ values: RAW and the RFC 1483 one.
        switch number {
        case 0, 108:
            guard holds(4, at: offset, .link, &slot) else { return }
            family(bytes.u32(offset), at: offset + 4, &slot)
        case 1: ethernet(at: offset, &slot)
        case 11: rareLink(.atmRFC1483, at: offset, &slot)
        case 12, 14, 101: ip(at: offset, &slot)
        case 228: ipv4(at: offset, &slot)
        case 229: ipv6(at: offset, &slot)
        default: rareLink(LinkType(rawValue: UInt16(clamping: number)), at: offset, &slot)
        }
    }

    /// An address family: AF_INET is 2 everywhere, AF_INET6 is 24, 28 or 30 (BSDs, macOS) or 10 (Linux). In either byte
    /// order.
    mutating func family(_ field: UInt32, at offset: Int, _ slot: inout DecodedFrame) {
        switch field > 0xffff ? field.byteSwapped : field {
        case 2: ipv4(at: offset, &slot)
        case 10, 24, 28, 30: ipv6(at: offset, &slot)
        default: ignore(.otherEtherType, &slot)
        }
    }

    /// LLC (IEEE 802.2): DSAP, SSAP, control; SNAP carries an EtherType under a zero organisation code, Ethernet under
    /// the bridging one (RFC 2684 section 5.2), and 0xfe an ISO protocol number.
    mutating func llc(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(3, at: offset, linkLayer, &slot) else { return }
        switch (bytes.u16(offset), bytes.u8(offset + 2)) {
        case (0xaaaa, 3): snap(at: offset + 3, &slot)
        case (0xfefe, 3):
            guard holds(4, at: offset, linkLayer, &slot) else { return }
            networkLayerProtocol(bytes.u8(offset + 3), at: offset + 4, &slot)
        case (0x0606, 3): ipv4(at: offset + 3, &slot)
        default: ignore(.llc, &slot)
        }
    }

    private mutating func snap(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(5, at: offset, linkLayer, &slot), nest(&slot) else { return }
        let organisation = bytes.u32(offset) >> 8
        let type = bytes.u16(offset + 3)
        switch organisation {
        // 0x0000f8 is what bridges to IEEE 802.5 write for EtherTypes (IEEE 802.1H).
        case 0x000000 where type >= 0x0600, 0x0000f8 where type >= 0x0600: etherType(type, at: offset + 5, &slot)
        // With or without the frame check sequence; ATM pads the header by two octets.
        case 0x0080c2 where type == 1 || type == 7:
            guard holds(7, at: offset, linkLayer, &slot) else { return }
            ethernet(at: bytes.u16(offset + 5) == 0 ? offset + 7 : offset + 5, &slot)
        default: ignore(.llc, &slot)
        }
    }

    /// An NLPID (ISO/IEC TR 9577).
    private mutating func networkLayerProtocol(_ number: UInt8, at offset: Int, _ slot: inout DecodedFrame) {
        switch number {
        case 0xcc: ipv4(at: offset, &slot)
        case 0x8e: ipv6(at: offset, &slot)
        case 0x80: snap(at: offset, &slot)
        case 0xcf: pppProtocolField(at: offset, &slot)
        default: ignore(.llc, &slot)
        }
    }

    // MARK: PPP and serial lines

    /// RFC 1662 section 3.1: address and control (0xff03) may be left out; then a protocol number. It may be Cisco's
    /// HDLC, which has another address: no PPP protocol has a number that begins so.
    private mutating func ppp(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(2, at: offset, .link, &slot) else { return }
        let first = bytes.u16(offset)
        if first == 0x0f00 || first == 0x8f00 { return ciscoHDLC(at: offset, &slot) }
        pppProtocolField(at: first == 0xff03 ? offset + 2 : offset, &slot)
    }

    /// A PPP protocol number: one octet if that is odd (RFC 1661 section 6.5), else two.
    mutating func pppProtocolField(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(1, at: offset, .link, &slot) else { return }
        let first = bytes.u8(offset)
        if first & 1 == 1 { return pppProtocol(UInt16(first), at: offset + 1, &slot) }
        guard holds(2, at: offset, .link, &slot) else { return }
        pppProtocol(bytes.u16(offset), at: offset + 2, &slot)
    }

    /// RFC 1661 section 2 and the protocol numbers of IPv4, IPv6 (RFC 5072), MPLS (RFC 3032) and encryption (RFC 1968).
    mutating func pppProtocol(_ number: UInt16, at offset: Int, _ slot: inout DecodedFrame) {
        switch number {
        case 0x0021: ipv4(at: offset, &slot)
        case 0x0057: ipv6(at: offset, &slot)
        case 0x0281, 0x0283: mpls(at: offset, &slot)
        case 0x0053, 0x0055: ignore(.encrypted, &slot)
        case 0x00fd: ignore(.encrypted, &slot)  // compressed, and with MPPE encrypted
        case 0x8000...0xffff: ignore(.linkControl, &slot)
        default: ignore(.otherEtherType, &slot)
        }
    }

    /// Address, control, EtherType.
    private mutating func ciscoHDLC(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(4, at: offset, .link, &slot) else { return }
        etherType(bytes.u16(offset + 2), at: offset + 4, &slot)
    }

    /// RFC 2427 section 3: a Q.922 address, whose last octet is odd, control 0x03, perhaps a pad, an NLPID. Cisco has
    /// an EtherType after the address.
    private mutating func frameRelay(at start: Int, _ slot: inout DecodedFrame) {
        var offset = start
        repeat {
            guard holds(1, at: offset, .link, &slot) else { return }
            offset += 1
        } while bytes.u8(offset - 1) & 1 == 0 && offset < start + 4
        guard holds(2, at: offset, .link, &slot) else { return }
        guard bytes.u8(offset) == 0x03 else { return etherType(bytes.u16(offset), at: offset + 2, &slot) }
        offset += 1
        if bytes.u8(offset) == 0 { offset += 1 }
        guard holds(1, at: offset, .link, &slot) else { return }
        networkLayerProtocol(bytes.u8(offset), at: offset + 1, &slot)
    }

    // MARK: Rings and ARCNET

    /// Frame control, destination, source, LLC.
    private mutating func fddi(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(13, at: offset, .link, &slot) else { return }
        // 01xx0rrr is LLC, asynchronous or synchronous (ISO 9314-2).
        guard bytes.u8(offset) & 0x70 == 0x50 || bytes.u8(offset) & 0x70 == 0x10 else {
            return ignore(.linkControl, &slot)
        }
        linkSignature = FrameParser.mix(bytes.u64(offset + 1), bytes.u32(offset + 9))
        llc(at: offset + 13, &slot)
    }

    /// Access control, frame control, destination, source, a routing field where the source's group bit is set, LLC.
    private mutating func tokenRing(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(14, at: offset, .link, &slot) else { return }
        guard bytes.u8(offset + 1) & 0xc0 == 0x40 else { return ignore(.linkControl, &slot) }
        linkSignature = FrameParser.mix(bytes.u64(offset + 2), bytes.u32(offset + 10))
        var next = offset + 14
        if bytes.u8(offset + 8) & 0x80 != 0 {
            guard holds(2, at: next, .link, &slot) else { return }
            next += Int(bytes.u8(next) & 0x1f)
        }
        llc(at: next, &slot)
    }

    /// Source, destination, then the type, under Linux after an offset of two octets. RFC 1201's types have a split
    /// flag and a sequence number after them, RFC 1051's have not.
    private mutating func arcnet(at offset: Int, typeAt: Int, _ slot: inout DecodedFrame) {
        guard holds(typeAt + 1, at: offset, .link, &slot) else { return }
        let type = bytes.u8(offset + typeAt)
        var next = offset + typeAt + 1
        switch type {
        case 240: return ipv4(at: next, &slot)
        case 241, 213: return ignore(.arp, &slot)
        case 212, 196:
            guard holds(3, at: next, .link, &slot) else { return }
            var flag = bytes.u8(next)
            next += 3
            if flag == 0xff, typeAt == 2 {  // an exception packet has the header again
                guard holds(4, at: next, .link, &slot) else { return }
                flag = bytes.u8(next + 1)
                next += 4
            }
            if flag != 0 { return ignore(.laterFragment, &slot) }
            if type == 212 { ipv4(at: next, &slot) } else { ipv6(at: next, &slot) }
        default: ignore(.otherEtherType, &slot)
        }
    }

    // MARK: Wi-Fi

    /// IEEE 802.11 data frames that are not encrypted: frame control, duration, three or four addresses, sequence
    /// control, then QoS and HT fields where they are, LLC. Of aggregated ones (A-MSDU) the first.
    private mutating func wireless(at offset: Int, pads: Bool, _ slot: inout DecodedFrame) {
        guard holds(2, at: offset, .link, &slot) else { return }
        wireless(at: offset, bytes.u8(offset), bytes.u8(offset + 1), pads: pads, &slot)
    }

    /// Who sent a data frame to whom (IEEE 802.11-2020 table 9-30).
    private func wirelessAddresses(at offset: Int, _ flags: UInt8) -> LinkAddresses {
        let (toSystem, fromSystem) = (flags & 1 != 0, flags & 2 != 0)
        // The last one may end with the header: the two octets before each are loaded, not those behind it.
        func address(_ place: Int) -> LinkAddress { LinkAddress(bits: bytes.u64(offset + place - 2)) }
        return LinkAddresses(
            source: address(fromSystem ? toSystem ? 24 : 16 : 10), destination: address(toSystem ? 16 : 4))
    }

    /// Wi-Fi in a tunnel. Some of Cisco's access points write the two octets of the frame control field in the other
    /// order: then the second one is a data frame's, and the first one says which way it goes.
    mutating func carriedWireless(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(2, at: offset, .tunnel, &slot) else { return }
        let (first, second) = (bytes.u8(offset), bytes.u8(offset + 1))
        let isSwapped = second & 0x0f == 0x08 && first & 0x03 != 0 && !(first & 0x0f == 0x08 && second & 0x03 != 0)
        wireless(at: offset, isSwapped ? second : first, isSwapped ? first : second, pads: false, &slot)
    }

    /// - Parameters:
    ///   - control: version, type and subtype; the first octet of the frame control field.
    ///   - flags: its second octet.
    private mutating func wireless(
        at offset: Int, _ control: UInt8, _ flags: UInt8, pads: Bool, _ slot: inout DecodedFrame
    ) {
        // Type 2 is data; subtypes with bit 2 carry none.
        guard control & 0x0f == 0x08, control & 0x40 == 0 else { return ignore(.linkControl, &slot) }
        let hasQoS = control & 0x80 != 0
        var length = 24
        if flags & 0x03 == 0x03 { length += 6 }
        let qos = length
        if hasQoS { length += flags & 0x80 != 0 ? 6 : 2 }
        guard holds(length, at: offset, linkLayer, &slot) else { return }
        if flags & 0x40 != 0 { return ignore(.encrypted, &slot) }
        // More fragments, or not the first.
        if flags & 0x04 != 0 || bytes.u8(offset + 22) & 0x0f != 0 { return ignore(.laterFragment, &slot) }
        if linkSignature == 0 {
            linkSignature = FrameParser.mix(bytes.u64(offset + 4), bytes.u32(offset + 12)) ^ UInt32(flags & 0x03)
            links = wirelessAddresses(at: offset, flags)
        }
        // Little-endian: fragment number, then sequence number.
        isLinkRetry = flags & 0x08 != 0
        linkSequence = bytes.u16(offset + 22).byteSwapped
        if pads { length = (length + 3) & ~3 }
        let payload = offset + length
        guard hasQoS, bytes.u8(offset + qos) & 0x80 != 0 else { return llc(at: payload, &slot) }
        // Destination, source, length, payload; padded to four octets, then the next one.
        guard holds(14, at: payload, linkLayer, &slot) else { return }
        let next = (14 + Int(bytes.u16(payload + 12)) + 3) & ~3
        slot.holdsMore = payload + next + 14 < end
        llc(at: payload + 14, &slot)
    }

    /// Version, pad, length 2, present 4 (more of them where bit 31 is set), all little-endian; then the fields. Of
    /// those only the flags matter (radiotap.org): 0x20 says that the 802.11 header is padded to four octets.
    private mutating func radiotap(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(8, at: offset, .link, &slot) else { return }
        let length = Int(bytes.u16(offset + 2).byteSwapped)
        guard length >= 8 else { return malformed(.link, offset, .headerLength, &slot) }
        guard holds(length, at: offset, .link, &slot) else { return }
        let present = bytes.u32(offset + 4).byteSwapped
        var field = 8
        var word = present
        while word >> 31 == 1, field + 4 <= length {
            word = bytes.u32(offset + field).byteSwapped
            field += 4
        }
        if present & 1 != 0 { field = (field + 7) & ~7 + 8 }  // the time, aligned to its size
        let pads = present & 2 != 0 && field < length && bytes.u8(offset + field) & 0x20 != 0
        wireless(at: offset + length, pads: pads, &slot)
    }

    /// Prism's header (message code 4, length 4, in the writer's byte order) and AVS's (version 4, length 4,
    /// big-endian).
    private mutating func monitorHeader(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(8, at: offset, .link, &slot) else { return }
        let field = bytes.u32(offset + 4)
        let length = Int(field > 0xffff ? field.byteSwapped : field)
        guard length >= 8 else { return malformed(.link, offset, .headerLength, &slot) }
        guard holds(length, at: offset, .link, &slot) else { return }
        wireless(at: offset + length, pads: false, &slot)
    }

    // MARK: Headers before another link type

    /// Version, flags, length 2, link type 4, little-endian; then fields.
    private mutating func ppi(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(8, at: offset, .link, &slot) else { return }
        let length = Int(bytes.u16(offset + 2).byteSwapped)
        guard length >= 8 else { return malformed(.link, offset, .headerLength, &slot) }
        guard holds(length, at: offset, .link, &slot) else { return }
        inner(bytes.u32(offset + 4).byteSwapped, at: offset + length, &slot)
    }

    /// Length 4, next type 4, link type 4, in the writer's byte order (Apple's, so far little-endian).
    private mutating func pktap(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(12, at: offset, .link, &slot) else { return }
        let isLittle = bytes.u32(offset) > 0xffff
        func field(_ at: Int) -> UInt32 { isLittle ? bytes.u32(offset + at).byteSwapped : bytes.u32(offset + at) }
        let length = Int(field(0))
        guard length >= 12 else { return malformed(.link, offset, .headerLength, &slot) }
        guard holds(length, at: offset, .link, &slot) else { return }
        inner(field(8), at: offset + length, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |    Family     |    Version    |           Resource            |
    // |            Length             |             Type              |  an attribute, in the writer's byte order,
    // | Value, padded to four octets...                                  and more of them
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    /// The attribute of type 9 is the packet (linux/netfilter/nfnetlink_log.h). Where the family is neither IPv4 (2)
    /// nor IPv6 (10), as a bridge's (7), its EtherType is in the attribute of type 1, which comes before it.
    private mutating func nflog(at start: Int, _ slot: inout DecodedFrame) {
        guard holds(4, at: start, .link, &slot) else { return }
        let family = UInt32(bytes.u8(start))
        var bridged: UInt16 = 0
        var offset = start + 4
        while true {
            if offset + 4 > end { return ignore(.otherEtherType, &slot) }  // a message without a packet
            guard holds(4, at: offset, .link, &slot) else { return }
            // Types are small numbers: that shows the byte order.
            let isLittle = bytes.u16(offset + 2) > 0xff
            func field(_ at: Int) -> Int { Int(isLittle ? bytes.u16(at).byteSwapped : bytes.u16(at)) }
            let (length, type) = (field(offset), field(offset + 2))
            guard length >= 4 else { return malformed(.link, offset, .headerLength, &slot) }
            if type == 9 {
                return family != 2 && family != 10 && bridged >= 0x0600
                    ? etherType(bridged, at: offset + 4, &slot) : self.family(family, at: offset + 4, &slot)
            }
            if type == 1, length >= 6 {
                guard holds(6, at: offset, .link, &slot) else { return }
                bridged = bytes.u16(offset + 4)
            }
            offset += (length + 3) & ~3
        }
    }

    /// Length 1, family 1, and what the filter did; padded to four octets.
    private mutating func pflog(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(2, at: offset, .link, &slot) else { return }
        let length = (Int(bytes.u8(offset)) + 3) & ~3
        guard length >= 4 else { return malformed(.link, offset, .headerLength, &slot) }
        guard holds(length, at: offset, .link, &slot) else { return }
        family(UInt32(bytes.u8(offset + 1)), at: offset + length, &slot)
    }

    // MARK: Switch tags

    /// Ethernet with four octets of a switch's tag: before it, or after its addresses; a Marvell tag may take the place
    /// of a VLAN tag, whose identifier it then holds.
    private mutating func switchTag(_ type: LinkType, at start: Int, _ slot: inout DecodedFrame) {
        if type == .dsaBroadcomPrepended {
            guard holds(4, at: start, .link, &slot) else { return }
            return ethernet(at: start + 4, &slot)
        }
        // EDSA: an EtherType and two reserved octets before the tag.
        let tag = start + (type == .edsa ? 16 : 12)
        guard holds(tag + 6 - start, at: start, .link, &slot) else { return }
        linkSignature = FrameParser.mix(bytes.u64(start), bytes.u32(start + 8))
        links = LinkAddresses(ethernet: bytes, at: start)
        if type != .dsaBroadcom, bytes.u8(tag) & 0x20 != 0 { vlan.append(bytes.u16(tag + 2)) }
        etherType(bytes.u16(tag + 4), at: tag + 6, &slot)
    }
}
