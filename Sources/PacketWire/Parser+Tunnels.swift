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
        case 0x6558:
            guard nest(&slot) else { return }
            ethernet(at: offset, &slot)
        default: ignore(.otherEtherType, &slot)
        }
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
    private func looksLikeEthernet(at offset: Int) -> Bool {
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
    }

    // RFC 2784 and RFC 2890: flags (checksum, key, sequence number present), version, EtherType. NVGRE (RFC 7637)
    // carries Ethernet under a key whose upper 24 bits are the virtual subnet. Version 1 is PPTP's (RFC 2637): its key is a
    // payload length and a call, and an acknowledgment may follow.
    @inline(never)
    mutating func gre(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard holds(4, at: offset, .tunnel, &slot) else { return }
        let flags = bytes.u16(offset)
        let type = bytes.u16(offset + 2)
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
        default: carried(type, at: next, &slot)
        }
    }

    /// An EtherType where no length can stand in its place: below 0x0600 it is another protocol (RFC 2784 section 2.4).
    private mutating func carried(_ type: UInt16, at offset: Int, _ slot: inout DecodedFrame) {
        if type < 0x0600 { ignore(.otherEtherType, &slot) } else { etherType(type, at: offset, &slot) }
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

    @inline(never)
    mutating func udp(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
        guard fits(8, at: offset, else: .udp, &slot) else { return }
        let (source, destination) = (bytes.u16(offset), bytes.u16(offset + 2))
        let payload = offset + 8
        // Answers come from the port in some: GTP-U, L2TP, Teredo.
        let answering = [2152, 1701, 3544].contains(source) ? tunnelOnPort(source) : nil
        guard let tunnel = tunnelOnPort(destination) ?? answering else { return ignore(.udp, &slot) }
        if header.isFragment { return ignore(.laterFragment, &slot) }
        switch tunnel {
        case .vxlan: vxlan(at: payload, isGeneric: destination == 4790, header, &slot)
        case .geneve: geneve(at: payload, header, &slot)
        case .gtpU: gtp(at: payload, header, &slot)
        case .l2tp: l2tp(at: payload, header, &slot)
        case .teredo: teredo(at: payload, header, &slot)
        case .mpls: mpls(at: payload, in: header, &slot)
        default: gre(at: payload, header, &slot)
        }
        // A port is a guess: what contradicts it is another protocol's.
        if slot.kind == .malformed, slot.layer == .tunnel { ignore(.udp, &slot) }
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
    private func looksLikeIP(at offset: Int) -> Bool {
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
}
