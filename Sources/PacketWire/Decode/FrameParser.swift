/// One pass over a frame, outermost header first. A length is checked once, where a layer begins; the loads after it
/// cannot fail.
///
/// Three ends matter. `captured` is where the bytes stop; `wire` is where the frame stopped; `end` is where the
/// enclosing header says that this layer stops. Running out before `captured` did is the frame's fault (malformed);
/// running out because of `captured` is the snaplen's (cut).
struct FrameParser: ~Escapable {
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
    var links = LinkAddresses()
    var isLinkRetry = false
    var linkSequence: UInt16 = 0
    /// The IP packet is longer than its frame: the frame was sliced before it was captured.
    var isSliced = false
    var depth = 0
    /// Where the IP packet begins of which the frame holds a fragment, the innermost one, and where that fragment's
    /// octets do; negative for none.
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
        if depth <= FrameParser.deepest { return true }
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

    /// As `holds`, for what is looked for on a guess: if it is not there, the frame is something else rather than
    /// broken. What the snaplen cut stays cut.
    func fits(_ count: Int, at offset: Int, else reason: IgnoredReason, _ slot: inout DecodedFrame) -> Bool {
        if holds(count, at: offset, .tunnel, &slot) { return true }
        if slot.kind == .malformed { ignore(reason, &slot) }
        return false
    }

    // MARK: Link

    @inline(__always)
    mutating func link(_ type: LinkType, into slot: inout DecodedFrame) {
        switch type.rawValue {
        case 1: ethernet(at: 0, &slot)
        case 113: sll(&slot)
        case 276: sll2(&slot)
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
        if linkSignature == 0 {
            linkSignature = FrameParser.mix(bytes.native64(offset), bytes.native32(offset + 8))
            links = LinkAddresses(ethernet: bytes, at: offset)
        }
        etherType(bytes.u16(offset + 12), at: offset + 14, &slot)
    }

    // LINUX_SLL: packet type 2, ARPHRD 2, address length 2, address 8, protocol 2.
    @inline(__always)
    mutating func sll(_ slot: inout DecodedFrame) {
        guard holds(16, at: 0, .link, &slot) else { return }
        linkSignature = FrameParser.mix(bytes.u64(6), UInt32(bytes.u16(0)))
        links = LinkAddresses(cooked: bytes, lengthAt: 5, at: 6)
        etherType(bytes.u16(14), at: 16, &slot)
    }

    // LINUX_SLL2: protocol 2, reserved 2, interface 4, ARPHRD 2, packet type 1, address length 1, address 8.
    @inline(__always)
    mutating func sll2(_ slot: inout DecodedFrame) {
        guard holds(20, at: 0, .link, &slot) else { return }
        linkSignature = FrameParser.mix(bytes.u64(12), bytes.u32(4) ^ UInt32(bytes.u8(10)) << 24)
        links = LinkAddresses(cooked: bytes, lengthAt: 11, at: 12)
        etherType(bytes.u16(0), at: 20, &slot)
    }

    /// A hash of link addresses.
    @inline(__always)
    static func mix(_ a: UInt64, _ b: UInt32) -> UInt32 {
        let mixed = (a &+ UInt64(b) &* 0x9e37_79b9_7f4a_7c15) &* 0xbf58_476d_1ce4_e5b9
        return UInt32(truncatingIfNeeded: mixed >> 32) | 1
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
}
