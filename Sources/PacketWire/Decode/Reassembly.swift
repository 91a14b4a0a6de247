/// Puts fragmented IP packets together, within bounds, so that a segment that came in several counts once and whole, at
/// the time of the fragment that completed it.
///
/// A first fragment with a whole TCP header is a segment already, and where the rest was not captured (a filter on
/// ports passes first fragments only) it is all there will be. So it is held back until the packet is complete, a
/// segment or an ICMP error of its tuple comes, or a second has passed; then it counts as it is, under its own number.
/// Nothing is lost: each frame that goes in comes out once, as a segment or as a fragment.
struct Reassembly {
    /// Packets at a time; beyond it the oldest is given up.
    static let maximumPackets = 64
    /// Fragments of one packet: 64 KiB in pieces of 576 octets (RFC 791) and some to spare.
    static let maximumFragments = 160
    /// Nanoseconds that a packet is waited for, as Linux does.
    static let patience: UInt64 = 30_000_000_000
    /// Nanoseconds that a first fragment is held back: what belongs to it follows at once.
    static let maximumHold: UInt64 = 1_000_000_000
    /// Packets of which it is remembered which frames they came in.
    static let maximumRemembered = 1 << 14

    /// A frame and where it stood.
    struct Placed {
        var frame: DecodedFrame
        var number: UInt64
        var time: Int64
        var origin = FrameOrigin()
    }

    /// Decoded frames so far, in order; whoever takes them empties it.
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
    mutating func add(_ placed: Placed, _ fragment: Fragment, _ bytes: RawSpan, _ decoder: FrameDecoder) {
        while let first = packets.first, (placed.time &- first.time).magnitude > Reassembly.patience { giveUpOldest() }
        guard Reassembly.carriesSegments(fragment.proto) else { return out.append(placed) }
        let position = packets.firstIndex { $0.first.isOfPacket(fragment) } ?? openPacket(fragment, placed.time)
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
        guard let oldest = held.first, (time &- oldest.time).magnitude > Reassembly.maximumHold else { return }
        release { (time &- $0.time).magnitude > Reassembly.maximumHold }
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

    private mutating func openPacket(_ fragment: Fragment, _ time: Int64) -> Int {
        if packets.count == Reassembly.maximumPackets { giveUpOldest() }
        packets.append(FragmentedPacket(first: fragment, time: time))
        return packets.count - 1
    }

    private mutating func giveUpOldest() {
        if let number = packets[0].held { release { $0.number == number } }
        packets.removeFirst()
    }

    /// Held fragments count as they are; the rest of their packet is no news then.
    private mutating func release(_ isMeant: (Placed) -> Bool) {
        guard held.contains(where: isMeant) else { return }
        for placed in held where isMeant(placed) {
            if let position = packets.firstIndex(where: { $0.held == placed.number }) { packets[position].makeDull() }
            out.append(placed)
        }
        held.removeAll(where: isMeant)
    }

    /// The first fragment was one of several, and the packet is what counts. It may be a fragment itself, within a
    /// tunnel.
    private mutating func complete(_ position: Int, _ whole: [UInt8], _ placed: Placed, _ decoder: FrameDecoder) {
        let packet = packets.remove(at: position)
        if let number = packet.held, let first = held.firstIndex(where: { $0.number == number }) {
            out.append(Placed(frame: .fragment, number: number, time: held[first].time))
            held.remove(at: first)
        }
        var slot = DecodedFrame()
        var parser = unsafe FrameParser(
            bytes: whole.span.bytes, wireLength: packet.wireLength, verifies: decoder.verifiesChecksums,
            tunnelRules: decoder.tunnelRules)
        parser.packet(of: packet.first, into: &slot)
        slot.isFragment = parser.fragmentedPacket >= 0
        decoder.leaveTunnel(parser.tunnels, parser.path, &slot)
        if slot.kind == .segment {
            slot.segment.isFragment = true
            slot.segment.hasFragmentOverlap = packet.hasOverlap
            slot.segment.came(from: placed.origin)
            if partners.count < Reassembly.maximumRemembered {
                partners[placed.number] = packet.numbers.filter { $0 != placed.number }
            }
        }
        let inner = parser.fragment()
        var result = placed
        result.frame = slot
        if let inner {
            unsafe add(result, inner, whole.span.bytes, decoder)
        } else {
            out.append(result)
        }
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
