// Encapsulations. The innermost TCP segment counts; a virtual network's identifier becomes part of its key.
extension Parser {
    /// Notes one more encapsulation; false, with the reason in `slot`, where there are too many.
    mutating func enter(_ tunnel: Tunnels, _ slot: inout DecodedFrame) -> Bool {
        depth += 1
        guard depth <= Parser.deepest else {
            ignore(.tooDeep, &slot)
            return false
        }
        tunnels.insert(tunnel)
        return true
    }

    // RFC 3032 section 2.1: label 20 bits, traffic class 3, bottom of stack 1, time to live 8. What follows the last
    // label is IP if it looks so (RFC 4928).
    @inline(never)
    mutating func mpls(at start: Int, _ slot: inout DecodedFrame) {
        guard enter(.mpls, &slot) else { return }
        var offset = start
        while true {
            guard holds(4, at: offset, .tunnel, &slot) else { return }
            let isBottom = bytes.u8(offset + 2) & 1 != 0
            offset += 4
            if isBottom { break }
        }
        guard holds(1, at: offset, .tunnel, &slot) else { return }
        switch bytes.u8(offset) >> 4 {
        case 4: ipv4(at: offset, &slot)
        case 6: ipv6(at: offset, &slot)
        default: ignore(.otherEtherType, &slot)
        }
    }

    // RFC 2516 section 4: version and type, code (0 for a session), session, length; then a PPP protocol number.
    @inline(never)
    mutating func pppoe(at offset: Int, _ slot: inout DecodedFrame) {
        guard enter(.pppoe, &slot) else { return }
        guard holds(8, at: offset, .tunnel, &slot) else { return }
        pppProtocol(bytes.u16(offset + 6), at: offset + 8, &slot)
    }

    // RFC 2784 and RFC 2890: flags (checksum, key, sequence number present), version 0, EtherType. NVGRE (RFC 7637)
    // carries Ethernet under a key whose upper 24 bits are the virtual subnet.
    @inline(never)
    mutating func gre(at offset: Int, _ slot: inout DecodedFrame) {
        guard enter(.gre, &slot) else { return }
        guard holds(4, at: offset, .tunnel, &slot) else { return }
        let flags = bytes.u16(offset)
        guard flags & 0x4007 == 0 else { return ignore(.otherProtocol, &slot) }
        var next = offset + 4
        if flags & 0x8000 != 0 { next += 4 }
        let key = next
        if flags & 0x2000 != 0 { next += 4 }
        if flags & 0x1000 != 0 { next += 4 }
        guard holds(next - offset, at: offset, .tunnel, &slot) else { return }
        switch bytes.u16(offset + 2) {
        case 0x6558:
            if flags & 0xb000 == 0x2000 { network = VirtualNetwork(kind: .nvgre, id: bytes.u32(key) >> 8) }
            ethernet(at: next, &slot)
        case 0x883e:  // WCCP version 2 (draft-wilson-wrec-wccp-v2): a redirect header of four octets unless IP follows
            guard holds(5, at: next, .tunnel, &slot) else { return }
            ip(at: bytes.u8(next) >> 4 == 4 ? next : next + 4, &slot)
        case let type: etherType(type, at: next, &slot)
        }
    }

    @inline(never)
    mutating func udp(at offset: Int, _ slot: inout DecodedFrame) {
        guard holds(8, at: offset, .tunnel, &slot) else { return ignore(.udp, &slot) }
        switch bytes.u16(offset + 2) {
        case 4789:
            // RFC 7348 section 5: flags with the I bit, reserved, VNI 24 bits, reserved.
            guard holds(16, at: offset, .tunnel, &slot), bytes.u8(offset + 8) & 0x08 != 0 else {
                return ignore(.udp, &slot)
            }
            guard enter(.vxlan, &slot) else { return }
            network = VirtualNetwork(kind: .vxlan, id: bytes.u32(offset + 12) >> 8)
            ethernet(at: offset + 16, &slot)
        case 6081:
            // RFC 8926 section 3.4: version 2 bits, option length in units of 4 octets, protocol type, VNI 24 bits.
            guard holds(16, at: offset, .tunnel, &slot), bytes.u8(offset + 8) >> 6 == 0 else {
                return ignore(.udp, &slot)
            }
            let length = Int(bytes.u8(offset + 8) & 0x3f) * 4
            guard holds(16 + length, at: offset, .tunnel, &slot) else { return }
            guard enter(.geneve, &slot) else { return }
            network = VirtualNetwork(kind: .geneve, id: bytes.u32(offset + 12) >> 8)
            let type = bytes.u16(offset + 10)
            if type == 0x6558 {
                ethernet(at: offset + 16 + length, &slot)
            } else {
                etherType(type, at: offset + 16 + length, &slot)
            }
        default: ignore(.udp, &slot)
        }
    }
}
