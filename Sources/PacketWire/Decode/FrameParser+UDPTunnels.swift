// Tunnels in UDP.
extension FrameParser {
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

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |R|R|Ver|I|P|R|O|            Reserved           |      Next     |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |            VXLAN network identifier           |    Reserved   |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // RFC 7348 section 5; of its flags only I. The generic extension (draft-ietf-nvo3-vxlan-gpe) has the next protocol
    // where P is set.
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

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |Ver|  Opt len  |O|C|    Rsvd   |         Protocol type         |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |           Virtual network identifier          |    Reserved   |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // RFC 8926 section 3.4. The length of the options, which follow, is in units of 4 octets.
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

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | Ver |P|*|E|S|P|  Message type |             Length            |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                   Tunnel endpoint identifier                  |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |        Sequence number        |  N-PDU number | Next extension|
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // 3GPP TS 29.281 section 5.1. Version 1; message type 255 is a user's packet. The last word is there with any of E,
    // S and PN. An extension has its length in units of 4 octets first, and the next one's type last.
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

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |T|L|x|x|S|x|O|P|   x   |  Ver  |        Length, where L        |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |           Tunnel ID           |           Session ID          |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |          Ns, where S          |          Nr, where S          |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |      Offset size, where O     |           Padding...          |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // RFC 2661 section 3.1, version 2, then PPP. T is a control message. RFC 3931 section 4.1.2 has version 3, reserved
    // 16, then a session.
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

    /// An L2TPv3 session header: session 4, a cookie of 0, 4 or 8 octets, perhaps four of a sublayer, then what the two
    /// ends agreed on. The capture does not say what: Ethernet with IP, or IP, is looked for.
    mutating func l2tpSession(at offset: Int, _ header: IPHeader, _ slot: inout DecodedFrame) {
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

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |      0x00     |      0x01     |     ID-len    |     AU-len    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | Client identifier, authentication value, nonce (8), confirmation...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |      0x00     |      0x00     |          Origin port          |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                      Origin IPv4 address                      |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // RFC 4380 section 5.1.1. Each of the two may stand before the IPv6 packet.
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
