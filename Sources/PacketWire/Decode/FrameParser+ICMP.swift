// ICMP and ICMPv6 errors, and what they quote.
extension FrameParser {
    // RFC 792 and RFC 4443: type, code, checksum, four octets, then as much of the offending packet as fits.
    mutating func icmp(at offset: Int, _ outer: IPHeader, _ slot: inout DecodedFrame) {
        guard holds(8, at: offset, .icmp, &slot) else { return }
        let (type, code) = (bytes.u8(offset), bytes.u8(offset + 1))
        guard ICMPError.codes(ofErrors: type, outer.source.version) != nil else { return ignore(.icmp, &slot) }
        let quote = offset + 8
        let limit = min(end, bytes.byteCount)
        guard limit >= quote + 20 else { return ignore(.icmp, &slot) }
        guard var quoted = quotedPacket(at: quote, limit) else { return ignore(.icmp, &slot) }
        // An error about a tunnel's packet quotes the one inside it.
        for _ in 0..<FrameParser.deepest {
            guard let inner = quotedTunnel(quoted, limit), let packet = quotedPacket(at: inner, limit) else { break }
            quoted = packet
        }
        let (source, destination, proto, next) = quoted
        guard proto == 6, next + 4 <= limit else { return ignore(.icmp, &slot) }
        slot.kind = .icmpError
        slot.icmp = ICMPError(
            reporter: outer.source, type: type, code: code, source: Endpoint(source, bytes.u16(next)),
            destination: Endpoint(destination, bytes.u16(next + 2)), seq: next + 8 <= limit ? bytes.u32(next + 4) : nil,
            network: network)
        if !tunnels.isEmpty { slot.icmp.path = path }
    }

    /// A quoted packet: its ends, what it carries, and where that begins.
    private typealias Quote = (source: IPAddress, destination: IPAddress, proto: UInt8, next: Int)

    /// RFC 1812 4.3.2.3: the quote may be cut anywhere; its own total length is not this packet's.
    private func quotedPacket(at quote: Int, _ limit: Int) -> Quote? {
        guard limit >= quote + 20 else { return nil }
        switch bytes.u8(quote) >> 4 {
        case 4 where bytes.u8(quote) & 15 >= 5:
            guard bytes.u16(quote + 6) & 0x1fff == 0 else { return nil }
            var next = quote + Int(bytes.u8(quote) & 15) * 4
            var proto = bytes.u8(quote + 9)
            if proto == 51, next + 8 <= limit {
                proto = bytes.u8(next)
                next += Int(bytes.u8(next + 1)) * 4 + 8
            }
            return (IPAddress(v4: bytes.u32(quote + 12)), IPAddress(v4: bytes.u32(quote + 16)), proto, next)
        case 6:
            guard limit >= quote + 40 else { return nil }
            var destination = address6(at: quote + 24)
            var proto = bytes.u8(quote + 6)
            var next = quote + 40
            while [0, 43, 44, 51, 60].contains(proto), next + 8 <= limit {
                if proto == 44, bytes.u16(next + 2) & 0xfff8 != 0 { return nil }
                let units = Int(bytes.u8(next + 1))
                let length = proto == 44 ? 8 : proto == 51 ? units * 4 + 8 : units * 8 + 8
                if proto == 43, next + length <= limit, let last = finalDestination(at: next, length) {
                    destination = last
                }
                proto = bytes.u8(next)
                next += length
            }
            return (address6(at: quote + 8), destination, proto, next)
        default: return nil
        }
    }

    /// Where the packet within a quoted tunnel's packet begins: IP in IP, and GRE.
    private func quotedTunnel(_ quoted: Quote, _ limit: Int) -> Int? {
        switch quoted.proto {
        case 4, 41: return quoted.next
        case 47:
            guard quoted.next + 4 <= limit else { return nil }
            let flags = bytes.u16(quoted.next)
            guard flags & 0x4007 == 0, [0x0800, 0x86dd].contains(bytes.u16(quoted.next + 2)) else { return nil }
            return quoted.next + 4 + (flags & 0x8000 != 0 ? 4 : 0) + (flags & 0x2000 != 0 ? 4 : 0)
                + (flags & 0x1000 != 0 ? 4 : 0)
        default: return nil
        }
    }
}
