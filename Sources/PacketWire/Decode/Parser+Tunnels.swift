// Encapsulations. The innermost TCP segment counts; a virtual network's identifier becomes part of its key.
extension Parser {
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

    // RFC 3032 section 2.1: label 20 bits, traffic class 3, bottom of stack 1, time to live 8. What follows the last
    // label is IP if it looks so (RFC 4928), a control word and Ethernet if it begins with 0 (RFC 4448), else perhaps Ethernet.
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

    // RFC 2516 section 4: version and type, code (0 for a session), session, length; then a PPP protocol number.
    @inline(never)
    mutating func pppoe(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(7, at: offset, .tunnel, &slot) else { return }
        guard bytes.u8(offset + 1) == 0 else { return ignore(.linkControl, &slot) }
        guard enter(.pppoe, id: UInt32(bytes.u16(offset + 2)), &slot) else { return }
        pppProtocolField(at: offset + 6, &slot)
    }

    // RFC 8300 section 2.2: version 2, O, U, time to live 6, length 6 in units of 4 octets, U 4, metadata type 4, next
    // protocol 8; then the service path 24 and index 8.
    private mutating func nsh(at offset: Int, _ carrier: IPHeader?, _ slot: inout DecodedFrame) {
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

    // IEEE 802.1AE clause 9: version, ES, SC, SCB, E, C and association number 2; short length; packet number 4; SCI 8 where
    // SC is set. Neither E nor C: the octets are as they were, and a check value of 16 octets follows them.
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

    // RFC 2784 and RFC 2890: flags (checksum, key, sequence number present), version, EtherType. NVGRE (RFC 7637)
    // carries Ethernet under a key whose upper 24 bits are the virtual subnet. Version 1 is PPTP's (RFC 2637): its key is a
    // payload length and a call, and an acknowledgment may follow.
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
    private mutating func carried(_ type: UInt16, at offset: Int, _ slot: inout DecodedFrame) {
        if type < 0x0600 { ignore(.otherEtherType, number: type, &slot) } else { etherType(type, at: offset, &slot) }
    }

    // draft-foschiano-erspan: type I has no header, and no sequence number in GRE. Type II: version 4 bits (1), VLAN 12,
    // class 3, encapsulation 2, truncated 1, session 10, index 32. Type III: version 2, the same up to the session, time 32,
    // group 16, P, frame type 5, hardware 6, direction 1, granularity 2, O (8 octets more).
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

    // MARK: In UDP

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |          Source Port          |       Destination Port        |  RFC 768
    // |            Length             |           Checksum            |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    @inline(never)
    mutating func udp(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard fits(8, at: offset, else: .udp, &slot) else { return }
        let (source, destination) = (bytes.u16(offset), bytes.u16(offset + 2))
        if let tunnel = tunnel(from: source, to: destination) {
            if header.isFragment { return ignore(.laterFragment, &slot) }
            datagram(tunnel, at: offset + 8, isGeneric: destination == 4790, header, &slot)
        } else if !header.isFragment, let tunnel = provenTunnel(at: offset, end: end) {
            datagram(tunnel, at: offset + 8, isGeneric: false, header, &slot)
        } else {
            ignore(.udp, &slot)
        }
        // A port is a guess: what contradicts it is another protocol's.
        if slot.kind == .malformed, slot.layer == .tunnel { ignore(.udp, &slot) }
        // A service has the lower port, and clients the others; 0 is none (RFC 768).
        note(
            min(source, destination) == 0 ? max(source, destination) : min(source, destination), ignoredFor: .udp, &slot
        )
    }

    /// A tunnel's payload of a UDP datagram.
    private mutating func datagram(
        _ tunnel: Tunnel, at payload: Int, isGeneric: Bool, _ header: IPHeader, _ slot: inout DecodedFrame
    ) {
        switch tunnel {
        case .vxlan: vxlan(at: payload, isGeneric: isGeneric, header, &slot)
        case .geneve: geneve(at: payload, header, &slot)
        case .gtpU: gtp(at: payload, header, &slot)
        case .l2tp: l2tp(at: payload, header, &slot)
        case .teredo: teredo(at: payload, header, &slot)
        case .mpls: mpls(at: payload, in: header, &slot)
        case .capwap: capwap(at: payload, header, &slot)
        case .ayiya: ayiya(at: payload, header, &slot)
        default: gre(at: payload, header, &slot)
        }
    }

    /// The tunnel that either port stands for. What the user says comes first.
    private func tunnel(from source: UInt16, to destination: UInt16) -> Tunnel? {
        if tunnelRules.count > 0, let named = tunnelRules[destination] ?? answering(tunnelRules[source]) {
            return named
        }
        return tunnelOnPort(destination) ?? answering(tunnelOnPort(source))
    }

    /// Some tunnels' answers come from the port; in others the source port is chosen at random.
    private func answering(_ tunnel: Tunnel?) -> Tunnel? {
        switch tunnel {
        case .gtpU, .l2tp, .teredo, .capwap, .ayiya: tunnel
        default: nil
        }
    }

    private func tunnelOnPort(_ port: UInt16) -> Tunnel? {
        switch port {
        case 4789, 4790, 8472: .vxlan  // 8472 is Linux's default
        case 6081: .geneve
        case 2152: .gtpU
        case 1701: .l2tp
        case 3544: .teredo
        case 6635: .mpls
        case 4754: .gre
        case 5247: .capwap
        case 5072: .ayiya
        default: nil
        }
    }

    // RFC 7348 section 5: flags with the I bit, reserved, VNI 24 bits, reserved. The generic extension
    // (draft-ietf-nvo3-vxlan-gpe) has a next protocol in the fourth octet where its P bit is set.
    private mutating func vxlan(at offset: Int, isGeneric: Bool, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard fits(8, at: offset, else: .udp, &slot) else { return }
        let flags = bytes.u8(offset)
        guard flags & 0x08 != 0 else { return ignore(.udp, &slot) }
        let vni = bytes.u32(offset + 4) >> 8
        guard enter(.vxlan, id: vni, in: header, &slot) else { return }
        network = VirtualNetwork(kind: .vxlan, id: vni)
        guard isGeneric, flags & 0x04 != 0 else { return ethernet(at: offset + 8, &slot) }
        switch bytes.u8(offset + 3) {
        case 1: ipv4(at: offset + 8, &slot)
        case 2: ipv6(at: offset + 8, &slot)
        case 3: ethernet(at: offset + 8, &slot)
        case 4: nsh(at: offset + 8, nil, &slot)
        case 5: mpls(at: offset + 8, &slot)
        default: ignore(.otherProtocol, &slot)
        }
    }

    // RFC 8926 section 3.4: version 2 bits, option length in units of 4 octets, protocol type, VNI 24 bits.
    private mutating func geneve(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard fits(8, at: offset, else: .udp, &slot) else { return }
        guard bytes.u8(offset) >> 6 == 0 else { return ignore(.udp, &slot) }
        let length = 8 + Int(bytes.u8(offset) & 0x3f) * 4
        guard holds(length, at: offset, .tunnel, &slot) else { return }
        let vni = bytes.u32(offset + 4) >> 8
        guard enter(.geneve, id: vni, in: header, &slot) else { return }
        network = VirtualNetwork(kind: .geneve, id: vni)
        carried(bytes.u16(offset + 2), at: offset + length, &slot)
    }

    // 3GPP TS 29.281 section 5.1: version 3 bits (1), PT, reserved, E, S, PN; message type (255 is a user's packet), length,
    // TEID; with any of E, S and PN a sequence number 2, N-PDU number 1 and next extension 1. An extension has its length in
    // units of 4 octets first, and the next one's type last.
    private mutating func gtp(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard fits(8, at: offset, else: .udp, &slot) else { return }
        let flags = bytes.u8(offset)
        guard flags & 0xf0 == 0x30, bytes.u8(offset + 1) == 255 else { return ignore(.udp, &slot) }
        guard enter(.gtpU, id: bytes.u32(offset + 4), in: header, &slot) else { return }
        var next = offset + 8
        if flags & 0x07 != 0 {
            guard holds(4, at: next, .tunnel, &slot) else { return }
            var type = flags & 0x04 != 0 ? bytes.u8(next + 3) : 0
            next += 4
            while type != 0 {
                guard holds(1, at: next, .tunnel, &slot) else { return }
                let length = Int(bytes.u8(next)) * 4
                guard length > 0 else { return malformed(.tunnel, next, .headerLength, &slot) }
                guard holds(length, at: next, .tunnel, &slot) else { return }
                type = bytes.u8(next + length - 1)
                next += length
            }
        }
        guard holds(1, at: next, .tunnel, &slot) else { return }
        switch bytes.u8(next) >> 4 {
        case 4: ipv4(at: next, &slot)
        case 6: ipv6(at: next, &slot)
        // A PDU session of type Ethernet (3GPP TS 23.501 section 5.6.10.2).
        default: if looksLikeEthernet(at: next) { ethernet(at: next, &slot) } else { ignore(.otherProtocol, &slot) }
        }
    }

    // RFC 2661 section 3.1: T (control), L, S, O, version 4 bits (2); length where L, tunnel, session, sequence numbers where S,
    // offset size where O; then PPP. RFC 3931 section 4.1.2: version 3, reserved, then a session.
    private mutating func l2tp(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard fits(6, at: offset, else: .udp, &slot) else { return }
        let flags = bytes.u16(offset)
        if flags & 0x8000 != 0 { return ignore(.linkControl, &slot) }
        if flags & 0x000f == 3 { return l2tpSession(at: offset + 4, header, &slot) }
        guard flags & 0x000f == 2 else { return ignore(.udp, &slot) }
        var next = offset + 2
        if flags & 0x4000 != 0 { next += 2 }
        let session = next + 2
        next += 4
        if flags & 0x0800 != 0 { next += 4 }
        if flags & 0x0200 != 0 {
            guard holds(next + 2 - offset, at: offset, .tunnel, &slot) else { return }
            next += 2 + Int(bytes.u16(next))
        }
        guard holds(next + 2 - offset, at: offset, .tunnel, &slot) else { return }
        guard enter(.l2tp, id: UInt32(bytes.u16(session)), in: header, &slot) else { return }
        pppProtocolField(at: bytes.u16(next) == 0xff03 ? next + 2 : next, &slot)
    }

    /// An L2TPv3 session header: session 4, a cookie of 0, 4 or 8 octets, perhaps four of a sublayer, then what the two ends
    /// agreed on. The capture does not say what: Ethernet with IP, or IP, is looked for.
    private mutating func l2tpSession(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard holds(4, at: offset, .tunnel, &slot) else { return }
        let session = bytes.u32(offset)
        if session == 0 { return ignore(.linkControl, &slot) }
        guard enter(.l2tp, id: session, in: header, &slot) else { return }
        for next in stride(from: offset + 4, through: offset + 16, by: 4) {
            if looksLikeEthernet(at: next) { return ethernet(at: next, &slot) }
            if looksLikeIP(at: next) { return ip(at: next, &slot) }
        }
        ignore(.otherProtocol, &slot)
    }

    /// Whether an IP packet that ends within its carrier may begin here.
    func looksLikeIP(at offset: Int) -> Bool {
        guard offset + 20 <= min(end, bytes.byteCount) else { return false }
        switch bytes.u8(offset) >> 4 {
        case 4:
            let total = Int(bytes.u16(offset + 2))
            return bytes.u8(offset) & 15 >= 5 && total >= 20 && offset + total <= end
        case 6: return offset + 40 + Int(bytes.u16(offset + 4)) <= end
        default: return false
        }
    }

    // RFC 4380 section 5.1.1: an authentication (0x0001, client identifier and value with their lengths, nonce 8, confirmation)
    // and an origin (0x0000, port 2, address 4) may stand before the IPv6 packet.
    private mutating func teredo(at start: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        var offset = start
        guard fits(4, at: offset, else: .udp, &slot) else { return }
        if bytes.u16(offset) == 1 {
            offset += 13 + Int(bytes.u8(offset + 2)) + Int(bytes.u8(offset + 3))
            guard holds(2, at: offset, .tunnel, &slot) else { return }
        }
        if bytes.u16(offset) == 0 { offset += 8 }
        guard holds(1, at: offset, .tunnel, &slot) else { return }
        guard bytes.u8(offset) >> 4 == 6 else { return ignore(.udp, &slot) }
        guard enter(.teredo, in: header, &slot) else { return }
        ipv6(at: offset, &slot)
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |  Ver  | Type  |HLEN, wor|Radio    |Binding  |T|F|L|W|M|K|Flags|  RFC 5415 section 4.3
    // |          Fragment ID          |       Frag Offset       |Rsvd |
    // | Radio MAC address where M, wireless information where W...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // Type 1 is DTLS. T: the payload is a frame of the binding, and Ethernet without it. Binding 1 is IEEE 802.11
    // (RFC 5416 section 5.1); Cisco writes 0 for it.
    private mutating func capwap(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard fits(8, at: offset, else: .udp, &slot) else { return }
        let word = bytes.u32(offset)
        switch word >> 24 {
        case 0: break
        case 1: return ignore(.encrypted, &slot)
        default: return ignore(.udp, &slot)
        }
        let length = Int(word >> 19 & 0x1f) * 4
        guard length >= 8 else { return ignore(.udp, &slot) }
        if word & 0x08 != 0 { return ignore(.linkControl, &slot) }  // K: keeps the session alive
        if word & 0x80 != 0 { return ignore(.laterFragment, &slot) }  // F: part of a frame
        guard holds(length, at: offset, .tunnel, &slot) else { return }
        guard enter(.capwap, id: word >> 14 & 0x1f, in: header, &slot) else { return }
        let payload = offset + length
        guard word & 0x100 != 0 else { return ethernet(at: payload, &slot) }
        switch word >> 9 & 0x1f {
        case 0, 1: carriedWireless(at: payload, &slot)
        default: ignore(.otherProtocol, &slot)
        }
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | ID len|ID type|Sig len| Hash  | Auth  |Opcode |  Next header  |  draft-massar-v6ops-ayiya-02 section 4
    // |                          Epoch time                           |
    // | Identity (2 to the power of its length), signature (words)...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // Opcodes 1 and 3 forward a packet; the others are between the two ends.
    private mutating func ayiya(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard fits(8, at: offset, else: .udp, &slot) else { return }
        let word = bytes.u32(offset)
        let length = 8 + (1 << Int(word >> 28)) + Int(word >> 20 & 0x0f) * 4
        guard fits(length, at: offset, else: .udp, &slot) else { return }
        guard [1, 3].contains(word >> 8 & 0x0f) else { return ignore(.linkControl, &slot) }
        guard enter(.ayiya, in: header, &slot) else { return }
        switch word & 0xff {
        case 4: ipv4(at: offset + length, &slot)
        case 41: ipv6(at: offset + length, &slot)
        default: ignore(.otherProtocol, &slot)
        }
    }
}
