// Headers that prove what they are, where neither a port nor a type says so. Random octets must not pass: every
// length is compared with the one around it, reserved fields must be zero, and a checksum must be right.
extension FrameParser {
    /// The tunnel in a UDP datagram of an unknown port; nil unless every header up to the inner transport's proves it.
    /// - Parameters:
    ///   - offset: where the UDP header begins; its 8 octets are there.
    ///   - end: where the datagram ends, by the IP header.
    func provenTunnel(at offset: Int, end: Int) -> Tunnel? {
        let payload = offset + 8
        guard Int(bytes.u16(offset + 4)) == end - offset, payload + 28 <= min(end, bytes.byteCount) else { return nil }
        // VXLAN (RFC 7348 section 5): the I flag, and reserved fields that senders set to zero.
        if bytes.u32(payload) == 0x0800_0000, bytes.u8(payload + 7) == 0 {
            return provesEthernet(at: payload + 8, end: end) ? .vxlan : nil
        }
        switch bytes.u8(payload) >> 6 {
        case 0: return provesGeneve(at: payload, end: end) ? .geneve : nil
        case 1: return provesTeredo(at: payload, end: end) ? .teredo : nil
        default: return nil
        }
    }

    /// RFC 8926 section 3.4: no control packet, reserved fields of zero, and options that fill their length.
    private func provesGeneve(at offset: Int, end: Int) -> Bool {
        guard bytes.u8(offset + 1) & 0xbf == 0, bytes.u8(offset + 7) == 0 else { return false }
        let next = offset + 8 + Int(bytes.u8(offset) & 0x3f) * 4
        guard next + 20 <= min(end, bytes.byteCount) else { return false }
        var option = offset + 8
        while option < next {
            // Section 3.5: class 16, type 8, reserved 3, length 5 in units of 4 octets.
            guard bytes.u8(option + 3) & 0xe0 == 0 else { return false }
            option += 4 + Int(bytes.u8(option + 3)) * 4
        }
        guard option == next else { return false }
        switch bytes.u16(offset + 2) {
        case 0x6558: return provesEthernet(at: next, end: end)
        case 0x0800: return provesIPv4(at: next, end: end)
        case 0x86dd: return provesIPv6(at: next, end: end)
        default: return false
        }
    }

    /// RFC 4380 section 4: an IPv6 packet of which at least one address has the Teredo prefix 2001::/32.
    private func provesTeredo(at offset: Int, end: Int) -> Bool {
        guard offset + 40 <= min(end, bytes.byteCount) else { return false }
        return (bytes.u32(offset + 8) == 0x2001_0000 || bytes.u32(offset + 24) == 0x2001_0000)
            && provesIPv6(at: offset, end: end)
    }

    /// Ethernet with an IP packet that fills it, or that was padded to the shortest frame.
    private func provesEthernet(at offset: Int, end: Int) -> Bool {
        var type = offset + 12
        for _ in 0..<3 {
            guard type + 2 + 20 <= min(end, bytes.byteCount) else { return false }
            let next = type + 2
            // 60 octets without the frame check sequence, 64 with it.
            let canBePadded = end - offset <= 64
            switch bytes.u16(type) {
            case 0x0800:
                let packet = next + Int(bytes.u16(next + 2))
                return provesIPv4(at: next, end: canBePadded ? min(packet, end) : end)
            case 0x86dd: return provesIPv6(at: next, end: end)
            case 0x8100, 0x88a8: type += 4
            default: return false
            }
        }
        return false
    }

    /// An IP packet that ends where what carries it does.
    func provesIP(at offset: Int, end: Int) -> Bool {
        guard offset + 20 <= min(end, bytes.byteCount) else { return false }
        switch bytes.u8(offset) >> 4 {
        case 4: return provesIPv4(at: offset, end: end)
        case 6: return provesIPv6(at: offset, end: end)
        default: return false
        }
    }

    /// RFC 791 section 3.1: total length and header checksum are right, and so are the lengths of the transport's
    /// header.
    private func provesIPv4(at offset: Int, end: Int) -> Bool {
        let captured = bytes.byteCount
        guard offset + 20 <= min(end, captured) else { return false }
        let length = Int(bytes.u8(offset) & 15) * 4
        let transport = offset + length
        guard bytes.u8(offset) >> 4 == 4, length >= 20, transport <= min(end, captured),
            offset + Int(bytes.u16(offset + 2)) == end, bytes.u16(offset + 10) != 0, bytes.u8(offset + 8) != 0,
            foldChecksum(bytes.checksumSum(from: offset, count: length)) == 0xffff
        else { return false }
        let fragment = bytes.u16(offset + 6)
        // A fragment's transport header may be elsewhere.
        if fragment & 0x3fff != 0 { return [1, 6, 17].contains(bytes.u8(offset + 9)) }
        switch bytes.u8(offset + 9) {
        case 1: return transport + 8 <= end
        case 6: return provesTCP(at: transport, end: end)
        case 17: return transport + 8 <= min(end, captured) && Int(bytes.u16(transport + 4)) == end - transport
        default: return false
        }
    }

    /// RFC 8200 section 3: the header has no checksum, so the one of the transport must be right. A partial sum is what
    /// offload leaves; of a packet that the snaplen cut the lengths must do.
    private func provesIPv6(at offset: Int, end: Int) -> Bool {
        let captured = bytes.byteCount
        let transport = offset + 40
        guard transport <= min(end, captured) else { return false }
        let proto = bytes.u8(offset + 6)
        guard bytes.u8(offset) >> 4 == 6, transport + Int(bytes.u16(offset + 4)) == end, bytes.u8(offset + 7) != 0
        else { return false }
        let field: Int
        switch proto {
        case 6:
            guard provesTCP(at: transport, end: end) else { return false }
            field = transport + 16
        case 17:
            guard transport + 8 <= min(end, captured), Int(bytes.u16(transport + 4)) == end - transport else {
                return false
            }
            field = transport + 6
        case 58:
            guard transport + 8 <= end else { return false }
            field = transport + 2
        default: return false
        }
        guard end <= captured else { return proto != 58 }
        let pseudo = bytes.checksumSum(from: offset + 8, count: 32) &+ UInt64(proto) &+ UInt64(end - transport)
        return foldChecksum(pseudo &+ bytes.checksumSum(from: transport, count: end - transport)) == 0xffff
            || proto != 58 && bytes.u16(field) == foldChecksum(pseudo)
    }

    /// RFC 9293 section 3.1: the header has at least 20 octets and ends within the packet.
    private func provesTCP(at offset: Int, end: Int) -> Bool {
        guard offset + 20 <= min(end, bytes.byteCount) else { return false }
        let length = Int(bytes.u8(offset + 12) >> 4) * 4
        return length >= 20 && offset + length <= end
    }
}
