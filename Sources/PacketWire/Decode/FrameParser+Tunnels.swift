// Encapsulations. The innermost TCP segment counts; a virtual network's identifier becomes part of its key.
extension FrameParser {
    /// Notes one more encapsulation; false, with the reason in `slot`, where there are too many.
    /// - Parameter carrier: the IP packet that carries it; nil where it is below IP.
    mutating func enter(
        _ tunnel: Tunnel, id: UInt32? = nil, in carrier: IPHeader? = nil, _ slot: inout DecodedFrame
    ) -> Bool {
        guard nest(&slot) else { return false }
        tunnels.insert(Tunnels(tunnel))
        path.append(tunnel, id: id)
        if let carrier { path.setOuter(carrier.source, carrier.destination) }
        return true
    }

    // MARK: Below IP

    @inline(never)
    mutating func rareEtherType(_ type: UInt16, at offset: Int, _ slot: inout DecodedFrame) {
        switch type {
        case 0x8847, 0x8848: mpls(at: offset, &slot)
        case 0x8864: pppoe(at: offset, &slot)
        case 0x894f: nsh(at: offset, nil, &slot)
        case 0x88e5: macsec(at: offset, &slot)
        case 0x8909: metadata(at: offset, &slot)
        case 0x8903: fabricPath(at: offset, &slot)
        case 0x88e7: providerBackbone(at: offset, &slot)
        case 0x8926: vnTag(at: offset, &slot)
        case 0x893f: eTag(at: offset, &slot)
        case 0x892f: hsr(at: offset, &slot)
        case 0x22f3: trill(at: offset, &slot)
        case 0x6558:
            guard nest(&slot) else { return }
            ethernet(at: offset, &slot)
        default: ignore(.otherEtherType, &slot)
        }
        note(type, ignoredFor: .otherEtherType, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |  Version (1)  | Length, words | Len |       Option type       |  Cisco TrustSec, EtherType 0x8909;
    // |   Security group tag (type 1) |   more options, or EtherType  |  in GRE the EtherType comes first
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // The length counts the options, each of four octets.
    private mutating func metadata(at start: Int, hasTypeFirst: Bool = false, _ slot: inout DecodedFrame) {
        let offset = hasTypeFirst ? start + 2 : start
        guard holds(offset + 2 - start, at: start, .tunnel, &slot) else { return }
        guard bytes.u8(offset) == 1 else { return ignore(.otherEtherType, &slot) }
        let length = Int(bytes.u8(offset + 1)) * 4 + 2
        let next = offset + length + (hasTypeFirst ? 0 : 2)
        guard holds(next - start, at: start, .tunnel, &slot) else { return }
        let hasTag = length >= 6 && bytes.u16(offset + 2) & 0x1fff == 1
        guard enter(.metadata, id: hasTag ? UInt32(bytes.u16(offset + 4)) : nil, &slot) else { return }
        etherType(bytes.u16(hasTypeFirst ? start : next - 2), at: next, &slot)
    }

    //  0                   1
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | Forwarding tag    |    TTL    |  Cisco FabricPath, EtherType 0x8903; then the Ethernet frame
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    private mutating func fabricPath(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(2, at: offset, .tunnel, &slot) else { return }
        guard enter(.fabricPath, id: UInt32(bytes.u16(offset) >> 6), &slot) else { return }
        ethernet(at: offset + 2, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | PCP |D|U| Res |                    I-SID                      |  IEEE 802.1Q clause 9.7, EtherType 0x88e7;
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  then the customer's Ethernet frame
    private mutating func providerBackbone(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(4, at: offset, .tunnel, &slot) else { return }
        guard enter(.providerBackbone, id: bytes.u32(offset) & 0xff_ffff, &slot) else { return }
        ethernet(at: offset + 4, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |D|P|   Destination interface   |L|R|Ver|   Source interface    |  Cisco's VN-tag, EtherType 0x8926
    // |           EtherType           |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // D: to the interface. The identifier is that of the interface, whichever side of the frame it is on.
    private mutating func vnTag(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(6, at: offset, .tunnel, &slot) else { return }
        let word = bytes.u32(offset)
        guard enter(.vnTag, id: word >> 31 == 1 ? word >> 16 & 0x3fff : word & 0xfff, &slot) else { return }
        etherType(bytes.u16(offset + 4), at: offset + 6, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | PCP |D|   Ingress E-CID base  |Res|GRP|       E-CID base      |  IEEE 802.1BR clause 7, EtherType 0x893f
    // | Ingress E-CID | E-CID extens. |           EtherType           |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // The identifier is GRP, extension and base, the upper bits first.
    private mutating func eTag(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(8, at: offset, .tunnel, &slot) else { return }
        let word = bytes.u32(offset)
        let channel = (word & 0x3000) << 8 | UInt32(bytes.u8(offset + 5)) << 12 | word & 0xfff
        guard enter(.eTag, id: channel, &slot) else { return }
        etherType(bytes.u16(offset + 6), at: offset + 8, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |  Path |       LSDU size       |        Sequence number        |  IEC 62439-3 clause 5, EtherType 0x892f
    // |           EtherType           |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    private mutating func hsr(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(6, at: offset, .tunnel, &slot), enter(.hsr, &slot) else { return }
        etherType(bytes.u16(offset + 4), at: offset + 6, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    //                                 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    //                                 | V | R |M|Op, words| Hop count |  RFC 6325 section 3, EtherType 0x22f3
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |        Egress nickname        |        Ingress nickname       |
    // | Options...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // Then the Ethernet frame. The identifier is the ingress nickname: where the frame came into the campus.
    private mutating func trill(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(6, at: offset, .tunnel, &slot) else { return }
        let word = bytes.u16(offset)
        guard word >> 14 == 0 else { return ignore(.otherEtherType, &slot) }
        let length = 6 + Int(word >> 6 & 0x1f) * 4
        guard holds(length, at: offset, .tunnel, &slot) else { return }
        guard enter(.trill, id: UInt32(bytes.u16(offset + 4)), &slot) else { return }
        ethernet(at: offset + length, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                 Label                 |  TC |S|  Time to live |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // RFC 3032 section 2.1. S is set in the last label. What follows is IP if it looks so (RFC 4928), a control word
    // and Ethernet if it begins with 0 (RFC 4448), else perhaps Ethernet.
    @inline(never)
    mutating func mpls(at start: Int, in carrier: IPHeader? = nil, _ slot: inout DecodedFrame) {
        guard holds(4, at: start, .tunnel, &slot), enter(.mpls, id: bytes.u32(start) >> 12, in: carrier, &slot) else {
            return
        }
        var offset = start
        while bytes.u8(offset + 2) & 1 == 0 {
            offset += 4
            guard holds(4, at: offset, .tunnel, &slot) else { return }
            path.append(.mpls, id: bytes.u32(offset) >> 12)
        }
        offset += 4
        guard holds(1, at: offset, .tunnel, &slot) else { return }
        let first = bytes.u8(offset) >> 4
        // A pseudowire's payload may begin with any octet: what can only be Ethernet is.
        if first == 4 || first == 6, looksLikeIP(at: offset) || !looksLikeEthernet(at: offset) {
            return first == 4 ? ipv4(at: offset, &slot) : ipv6(at: offset, &slot)
        }
        if first == 0, !looksLikeEthernet(at: offset) { offset += 4 }
        guard looksLikeEthernet(at: offset) else { return ignore(.otherEtherType, &slot) }
        guard enter(.pseudowire, &slot) else { return }
        ethernet(at: offset, &slot)
    }

    /// Whether Ethernet with a usual type may begin here: where nothing says what follows.
    func looksLikeEthernet(at offset: Int) -> Bool {
        guard offset + 15 <= min(end, bytes.byteCount) else { return false }
        switch bytes.u16(offset + 12) {
        case 0x0800: return bytes.u8(offset + 14) >> 4 == 4
        case 0x86dd: return bytes.u8(offset + 14) >> 4 == 6
        case 0x8100, 0x88a8, 0x0806, 0x8847, 0x8863, 0x8864: return true
        case 0..<0x0600: return offset + 17 <= min(end, bytes.byteCount) && bytes.u16(offset + 14) == 0xaaaa
        default: return false
        }
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |  Ver  |  Type |      Code     |           Session ID          |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |             Length            |          PPP protocol         |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // RFC 2516 section 4. The code of a session is 0.
    @inline(never)
    mutating func pppoe(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(7, at: offset, .tunnel, &slot) else { return }
        guard bytes.u8(offset + 1) == 0 else { return ignore(.linkControl, &slot) }
        guard enter(.pppoe, id: UInt32(bytes.u16(offset + 2)), &slot) else { return }
        pppProtocolField(at: offset + 6, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |Ver|O|U|    TTL    |   Length  |   U   |   MD  | Next protocol |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |            Service path identifier            | Service index |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // RFC 8300 section 2.2. The length is in units of 4 octets.
    mutating func nsh(at offset: Int, _ carrier: IPHeader?, _ slot: inout DecodedFrame) {
        guard holds(8, at: offset, .tunnel, &slot) else { return }
        let length = Int(bytes.u16(offset) & 0x3f) * 4
        guard length >= 8 else { return malformed(.tunnel, offset, .headerLength, &slot) }
        guard holds(length, at: offset, .tunnel, &slot) else { return }
        guard enter(.nsh, id: bytes.u32(offset + 4) >> 8, in: carrier, &slot) else { return }
        switch bytes.u8(offset + 3) {
        case 1: ipv4(at: offset + length, &slot)
        case 2: ipv6(at: offset + length, &slot)
        case 3: ethernet(at: offset + length, &slot)
        case 4: nsh(at: offset + length, carrier, &slot)
        case 5: mpls(at: offset + length, &slot)
        default: ignore(.otherProtocol, &slot)
        }
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |V|E|S|B|E|C| AN|  Short length |         Packet number         |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |    Packet number, continued   |SCI, 8 octets, where S is set..|
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // IEEE 802.1AE clause 9: version, ES, SC, SCB, E, C, association number. Neither E nor C: the octets are as they
    // were, and a check value of 16 octets follows them.
    private mutating func macsec(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(6, at: offset, .tunnel, &slot) else { return }
        let control = bytes.u8(offset)
        guard control & 0x0c == 0 else { return ignore(.encrypted, &slot) }
        let length = control & 0x20 != 0 ? 14 : 6
        guard holds(length + 2, at: offset, .tunnel, &slot) else { return }
        guard enter(.macsec, id: UInt32(control & 3), &slot) else { return }
        end = max(offset + length + 2, end - 16)
        etherType(bytes.u16(offset + length), at: offset + length + 2, &slot)
    }

    // MARK: In IP

    mutating func encapsulated(_ proto: UInt8, at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        switch proto {
        case 47: gre(at: offset, header, &slot)
        case 97:
            // RFC 3378: version 3, reserved.
            guard holds(2, at: offset, .tunnel, &slot), enter(.etherIP, in: header, &slot) else { return }
            ethernet(at: offset + 2, &slot)
        case 115: l2tpSession(at: offset, header, &slot)
        case 137: mpls(at: offset, in: header, &slot)
        default:
            guard enter(.ipInIP, in: header, &slot) else { return }
            if proto == 4 { ipv4(at: offset, &slot) } else { ipv6(at: offset, &slot) }
        }
        note(UInt16(proto), ignoredFor: .otherProtocol, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |C|R|K|S|     Reserved    | Ver |         Protocol type         |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |       Checksum, where C       |       Reserved, where C       |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                          Key, where K                         |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                    Sequence number, where S                   |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // RFC 2784, RFC 2890; R and its offset field are of RFC 1701. NVGRE (RFC 7637) carries Ethernet under a key whose
    // upper 24 bits are the virtual subnet. Version 1 is PPTP's (RFC 2637): its key is a payload length and a call, and
    // an acknowledgment may follow.
    @inline(never)
    mutating func gre(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard holds(4, at: offset, .tunnel, &slot) else { return }
        let flags = bytes.u16(offset)
        let type = bytes.u16(offset + 2)
        if flags == 0x2001, type == 0x6400 { return eoip(at: offset, header, &slot) }
        let isPPTP = flags & 7 == 1 && type == 0x880b
        guard isPPTP || flags & 0x4007 == 0 else { return ignore(.otherProtocol, &slot) }
        var next = offset + 4
        if flags & 0x8000 != 0 { next += 4 }
        let key = next
        if flags & 0x2000 != 0 { next += 4 }
        if flags & 0x1000 != 0 { next += 4 }
        if isPPTP, flags & 0x0080 != 0 { next += 4 }
        guard holds(next - offset, at: offset, .tunnel, &slot) else { return }
        let id: UInt32? = flags & 0x2000 == 0 ? nil : isPPTP ? UInt32(bytes.u16(key + 2)) : bytes.u32(key)
        guard enter(.gre, id: id, in: header, &slot) else { return }
        switch type {
        case 0x6558:
            if flags & 0xb000 == 0x2000 { network = VirtualNetwork(kind: .nvgre, id: bytes.u32(key) >> 8) }
            ethernet(at: next, &slot)
        case 0x880b:
            guard fits(2, at: next, else: .linkControl, &slot) else { return }
            pppProtocolField(at: bytes.u16(next) == 0xff03 ? next + 2 : next, &slot)
        case 0x88be: erspan(at: next, hasHeader: flags & 0x1000 != 0, &slot)
        case 0x22eb: erspan(at: next, hasHeader: true, &slot)
        case 0x883e:  // WCCP version 2 (draft-wilson-wrec-wccp-v2): a redirect header of four octets unless IP follows
            guard holds(5, at: next, .tunnel, &slot) else { return }
            ip(at: (0x45...0x4f).contains(bytes.u8(next)) ? next : next + 4, &slot)
        // Aruba has a protocol for each BSS (packet-gre.h of Wireshark): Wi-Fi frames. Its 0x9000 is not decoded.
        case 0x8200...0x8370 where type & 0x0f == 0: carriedWireless(at: next, &slot)
        case 0x8909: metadata(at: next, hasTypeFirst: true, &slot)
        default: carried(type, at: next, &slot)
        }
        note(type, ignoredFor: .otherEtherType, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |0 0 1 0|          0            |1|         0x6400              |  MikroTik's EoIP: RFC 2637's header, with the
    // |        Payload length         |  Tunnel ID, little-endian     |  key in two halves; then Ethernet
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // Without a payload it keeps the tunnel alive.
    private mutating func eoip(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard holds(8, at: offset, .tunnel, &slot) else { return }
        let length = Int(bytes.u16(offset + 4))
        if length == 0 { return ignore(.linkControl, &slot) }
        guard offset + 8 + length <= end else { return malformed(.tunnel, offset, .totalLength, &slot) }
        guard enter(.eoip, id: UInt32(bytes.u16(offset + 6).byteSwapped), in: header, &slot) else { return }
        end = offset + 8 + length
        ethernet(at: offset + 8, &slot)
    }

    /// An EtherType where no length can stand in its place: below 0x0600 it is another protocol (RFC 2784 section 2.4).
    mutating func carried(_ type: UInt16, at offset: Int, _ slot: inout DecodedFrame) {
        if type < 0x0600 { ignore(.otherEtherType, number: type, &slot) } else { etherType(type, at: offset, &slot) }
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |  Ver  |          VLAN         | COS | En|T|     Session ID    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |         Type II: reserved, index. Type III: timestamp         |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |      Type III: group tag      |P|  Frame  |  Hardware |D| Gr|O|
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // draft-foschiano-erspan. Type I has no header, and no sequence number in GRE. The version of type II is 1, of type
    // III 2; where its O is set, 8 octets more follow.
    private mutating func erspan(at offset: Int, hasHeader: Bool, _ slot: inout DecodedFrame) {
        guard hasHeader else {
            guard enter(.erspan, &slot) else { return }
            return ethernet(at: offset, &slot)
        }
        guard holds(8, at: offset, .tunnel, &slot) else { return }
        guard enter(.erspan, id: UInt32(bytes.u16(offset + 2) & 0x3ff), &slot) else { return }
        guard bytes.u8(offset) >> 4 == 2 else { return ethernet(at: offset + 8, &slot) }
        guard holds(12, at: offset, .tunnel, &slot) else { return }
        let word = bytes.u16(offset + 10)
        let next = offset + 12 + (word & 1 != 0 ? 8 : 0)
        switch word >> 10 & 0x1f {
        case 0: ethernet(at: next, &slot)
        case 2: ip(at: next, &slot)
        default: ignore(.otherProtocol, &slot)
        }
    }
}
