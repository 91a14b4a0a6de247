/// Part of an IP packet, and what was around it.
struct Fragment {
    var source: IPAddress
    var destination: IPAddress
    /// The packet's identification.
    var id: UInt32
    /// What the packet carries: an IP protocol number.
    var proto: UInt8
    var hopLimit: UInt8
    /// Octets from the start of the packet's payload.
    var offset: Int
    var isLast: Bool
    /// Where in the frame its octets begin, and how many there were on the wire.
    var start: Int
    var length: Int
    /// What the frame had around the packet.
    var context: Context

    struct Context {
        var vlan: VLANTags
        var tunnels: Tunnels
        var path: TunnelPath
        var network: VirtualNetwork
        var linkSignature: UInt32
        var depth: Int
    }

    /// Whether it is part of the same packet (RFC 791 section 3.2, RFC 8200 section 4.5).
    func isOfPacket(_ other: Fragment) -> Bool {
        id == other.id && source == other.source && destination == other.destination && proto == other.proto
            && context.network == other.context.network
    }
}

extension Parser {
    /// The fragment that was met; nil for none. Its lengths were checked on the way.
    func fragment() -> Fragment? {
        guard fragmentedPacket >= 0 else { return nil }
        let (packet, start) = (fragmentedPacket, fragmentStart)
        let context = Fragment.Context(
            vlan: vlan, tunnels: tunnels, path: path, network: network, linkSignature: linkSignature, depth: depth)
        let length = max(0, end - start)
        if bytes.u8(packet) >> 4 == 4 {
            let field = bytes.u16(packet + 6)
            return Fragment(
                source: IPAddress(v4: bytes.u32(packet + 12)), destination: IPAddress(v4: bytes.u32(packet + 16)),
                id: UInt32(bytes.u16(packet + 4)), proto: bytes.u8(packet + 9), hopLimit: bytes.u8(packet + 8),
                offset: Int(field & 0x1fff) * 8, isLast: field & 0x2000 == 0, start: start, length: length,
                context: context)
        }
        let field = bytes.u16(start - 6)
        return Fragment(
            source: IPAddress(v6High: bytes.u64(packet + 8), low: bytes.u64(packet + 16)),
            destination: IPAddress(v6High: bytes.u64(packet + 24), low: bytes.u64(packet + 32)),
            id: bytes.u32(start - 4),
            proto: bytes.u8(start - 8), hopLimit: bytes.u8(packet + 7), offset: Int(field & 0xfff8),
            isLast: field & 1 == 0, start: start, length: length, context: context)
    }

    /// Goes on with a packet that was put together, as if its frame had held it whole.
    mutating func packet(of fragment: Fragment, into slot: inout DecodedFrame) {
        vlan = fragment.context.vlan
        tunnels = fragment.context.tunnels
        path = fragment.context.path
        network = fragment.context.network
        linkSignature = fragment.context.linkSignature
        depth = fragment.context.depth
        if fragment.source.version == .v4 { ipv4(at: 0, &slot) } else { ipv6(at: 0, &slot) }
    }
}

/// Puts fragmented IP packets together, within bounds, so that a segment that came in several counts once and whole, at the
/// time of the fragment that completed it.
///
/// A first fragment with a whole TCP header is a segment already, and where the rest was not captured (a filter on ports passes
/// first fragments only) it is all there will be. So it is held back until the packet is complete, a segment or an ICMP error of
/// its tuple comes, or a second has passed; then it counts as it is, under its own number. Nothing is lost: each frame that goes
/// in comes out once, as a segment or as a fragment.
struct Reassembly {
    /// Packets at a time; beyond it the oldest is given up.
    static let mostPackets = 64
    /// Fragments of one packet: 64 KiB in pieces of 576 octets (RFC 791) and some to spare.
    static let mostFragments = 160
    /// Nanoseconds that a packet is waited for, as Linux does.
    static let patience: UInt64 = 30_000_000_000
    /// Nanoseconds that a first fragment is held back: what belongs to it follows at once.
    static let longestHold: UInt64 = 1_000_000_000
    /// Packets of which it is remembered which frames they came in.
    static let mostRemembered = 1 << 14

    /// A frame and where it stood.
    struct Placed {
        var frame: DecodedFrame
        var number: UInt64
        var time: Int64
        var origin = FrameOrigin()
    }

    /// What came of the frames so far, in order; whoever takes it empties it.
    var out: [Placed] = []
    /// The other frames of a segment that was put together, by the number of the one that completed it.
    private(set) var partners: [UInt64: [UInt64]] = [:]
    private var packets: [FragmentedPacket] = []
    /// First fragments that wait for the rest, in the order in which they came.
    private var held: [Placed] = []

    /// Whether there is anything to look at before the next frame.
    @inline(__always) var isHolding: Bool { !held.isEmpty }

    /// Takes a frame that holds a fragment: what comes of it is in `out`, unless it is held back.
    /// - Parameter placed: the frame as it decoded alone.
    mutating func take(_ placed: Placed, _ fragment: Fragment, _ bytes: RawSpan, _ decoder: FrameDecoder) {
        while let first = packets.first, (placed.time &- first.time).magnitude > Reassembly.patience { giveUpOldest() }
        guard Reassembly.carriesSegments(fragment.proto) else { return out.append(placed) }
        let position = packets.firstIndex { $0.first.isOfPacket(fragment) } ?? begin(fragment, placed.time)
        let isSegment = placed.frame.kind == .segment
        // The first fragment of something else: a datagram of no interest, or a broken one.
        let isOther =
            fragment.offset == 0 && !isSegment
            && (placed.frame.kind != .ignored || placed.frame.reason != .laterFragment)
        if isOther || !packets[position].isDull && !packets[position].add(fragment, bytes, placed.number) {
            if let number = packets[position].held { release { $0.number == number } }
            packets[position].makeDull()
        }
        guard !packets[position].isDull else { return out.append(placed) }
        if let whole = packets[position].whole {
            complete(position, whole, placed, decoder)
        } else if isSegment, packets[position].held == nil {
            packets[position].held = placed.number
            held.append(placed)
        } else {
            out.append(isSegment ? Placed(frame: .fragment, number: placed.number, time: placed.time) : placed)
        }
    }

    /// A segment, or an error about one, comes: what is held of its tuple comes before it.
    mutating func comes(_ source: Endpoint, _ destination: Endpoint) {
        release {
            let segment = $0.frame.segment
            return segment.source == source && segment.destination == destination
                || segment.source == destination && segment.destination == source
        }
    }

    /// Time has come to this: what was held for too long comes out.
    mutating func passes(_ time: Int64) {
        guard let oldest = held.first, (time &- oldest.time).magnitude > Reassembly.longestHold else { return }
        release { (time &- $0.time).magnitude > Reassembly.longestHold }
    }

    /// The capture is over: what is held comes out.
    mutating func finish() {
        release { _ in true }
        packets = []
    }

    /// TCP and what may carry it; extension headers of IPv6 are between.
    private static func carriesSegments(_ proto: UInt8) -> Bool {
        switch proto {
        case 0, 4, 6, 17, 41, 43, 47, 51, 60, 97, 115, 135, 137: true
        default: false
        }
    }

    private mutating func begin(_ fragment: Fragment, _ time: Int64) -> Int {
        if packets.count == Reassembly.mostPackets { giveUpOldest() }
        packets.append(FragmentedPacket(first: fragment, time: time))
        return packets.count - 1
    }

    private mutating func giveUpOldest() {
        if let number = packets[0].held { release { $0.number == number } }
        packets.removeFirst()
    }

    /// What is held counts as it is; the rest of its packet is no news then.
    private mutating func release(_ isMeant: (Placed) -> Bool) {
        guard held.contains(where: isMeant) else { return }
        for placed in held where isMeant(placed) {
            if let position = packets.firstIndex(where: { $0.held == placed.number }) { packets[position].makeDull() }
            out.append(placed)
        }
        held.removeAll(where: isMeant)
    }

    /// The first fragment was one of several, and the packet is what counts. It may be a fragment itself, within a tunnel.
    private mutating func complete(_ position: Int, _ whole: [UInt8], _ placed: Placed, _ decoder: FrameDecoder) {
        let packet = packets.remove(at: position)
        if let number = packet.held, let first = held.firstIndex(where: { $0.number == number }) {
            out.append(Placed(frame: .fragment, number: number, time: held[first].time))
            held.remove(at: first)
        }
        var slot = DecodedFrame()
        var parser = unsafe Parser(
            bytes: whole.span.bytes, wireLength: packet.wireLength, verifies: decoder.verifiesChecksums,
            tunnelRules: decoder.tunnelRules)
        parser.packet(of: packet.first, into: &slot)
        slot.isFragment = parser.fragmentedPacket >= 0
        decoder.leaveTunnel(parser.tunnels, parser.path, &slot)
        if slot.kind == .segment {
            slot.segment.isFragment = true
            slot.segment.hasFragmentOverlap = packet.hasOverlap
            slot.segment.came(from: placed.origin)
            if partners.count < Reassembly.mostRemembered {
                partners[placed.number] = packet.numbers.filter { $0 != placed.number }
            }
        }
        let inner = parser.fragment()
        var result = placed
        result.frame = slot
        if let inner {
            unsafe take(result, inner, whole.span.bytes, decoder)
        } else {
            out.append(result)
        }
    }
}

/// A packet of which not everything came.
private struct FragmentedPacket {
    /// The fragment that came first, or that is first.
    var first: Fragment
    var time: Int64
    /// The frame of its first fragment, where that is a segment by itself and held back.
    var held: UInt64?
    /// The frames that it came in.
    private(set) var numbers: [UInt64] = []
    /// It is no use to put it together: not ours, broken, or its first fragment was given out.
    private(set) var isDull = false

    /// The payload so far; zeros where nothing came yet.
    private var octets: [UInt8] = []
    /// The fragments as they came.
    private var seen: [Range<Int>] = []
    /// What is covered, in order and apart from each other.
    private var covered: [Range<Int>] = []
    /// What the snaplen took of it begins here.
    private var cutAt = Int.max
    /// Octets, known with the last fragment.
    private var total: Int?
    private(set) var hasOverlap = false

    init(first: Fragment, time: Int64) {
        self.first = first
        self.time = time
    }

    mutating func makeDull() {
        isDull = true
        held = nil
        octets = []
        seen = []
        numbers = []
    }

    /// - Returns: whether the fragment can be part of the packet.
    mutating func add(_ fragment: Fragment, _ bytes: RawSpan, _ number: UInt64) -> Bool {
        let range = fragment.offset..<fragment.offset + fragment.length
        let most = first.source.version == .v4 ? 65_515 : 65_535
        // All but the last are multiples of 8 octets, and the end is the end.
        guard !range.isEmpty, range.upperBound <= most, fragment.isLast || fragment.length % 8 == 0,
            seen.count < Reassembly.mostFragments
        else { return false }
        if let total, range.upperBound > total || fragment.isLast && range.upperBound != total { return false }
        if fragment.isLast {
            if let last = covered.last, last.upperBound > range.upperBound { return false }
            total = range.upperBound
        }
        if fragment.offset == 0 { first = fragment }
        let captured = min(fragment.length, max(0, bytes.byteCount - fragment.start))
        if numbers.last != number { numbers.append(number) }
        if seen.contains(range) {
            // Once more, as it was (RFC 8200 section 4.5), unless it says something else.
            let shift = fragment.start - fragment.offset
            let known = range.lowerBound..<max(range.lowerBound, min(range.lowerBound + captured, cutAt))
            if known.contains(where: { octets[$0] != bytes.u8($0 + shift) }) { hasOverlap = true }
            return true
        }
        seen.append(range)
        if captured < fragment.length { cutAt = min(cutAt, range.lowerBound + captured) }
        if octets.count < range.upperBound {
            octets += [UInt8](repeating: 0, count: range.upperBound - octets.count)
        }
        // What came first stays.
        var merged: [Range<Int>] = []
        var (start, union) = (range.lowerBound, range)
        for part in covered {
            if part.overlaps(range) { hasOverlap = true }
            if part.upperBound < range.lowerBound || part.lowerBound > range.upperBound {
                merged.append(part)
                continue
            }
            copy(start..<max(start, min(part.lowerBound, range.upperBound)), fragment, bytes, captured)
            start = max(start, part.upperBound)
            union = min(union.lowerBound, part.lowerBound)..<max(union.upperBound, part.upperBound)
        }
        copy(start..<max(start, range.upperBound), fragment, bytes, captured)
        covered = merged + [union]
        covered.sort { $0.lowerBound < $1.lowerBound }
        return true
    }

    private mutating func copy(_ range: Range<Int>, _ fragment: Fragment, _ bytes: RawSpan, _ captured: Int) {
        let shift = fragment.start - fragment.offset
        for index in range where index - fragment.offset < captured { octets[index] = bytes.u8(index + shift) }
    }

    /// Octets that the packet had under the header that `whole` gives it.
    var wireLength: Int { (total ?? 0) + (first.source.version == .v4 ? 20 : 40) }

    /// The packet, as far as it was captured; nil while something is missing. Its header has no options: those of fragments say
    /// nothing of a segment.
    var whole: [UInt8]? {
        guard let total, covered == [0..<total] else { return nil }
        var header: [UInt8]
        let isV4 = first.source.version == .v4
        if isV4 {
            header = [0x45, 0] + UInt16(total + 20).octets + UInt16(truncatingIfNeeded: first.id).octets
            header += [0, 0, first.hopLimit, first.proto, 0, 0]
        } else {
            header = [0x60, 0, 0, 0] + UInt16(total).octets + [first.proto, first.hopLimit]
        }
        header += first.source.octets + first.destination.octets
        if isV4 { header.put16(~foldChecksum(header.checksumSum), at: 10) }
        return header + octets.prefix(cutAt)
    }
}

extension DecodedFrame {
    /// A frame that is part of a packet, and counts as that.
    static var fragment: DecodedFrame {
        var frame = DecodedFrame()
        frame.reason = .laterFragment
        return frame
    }
}
