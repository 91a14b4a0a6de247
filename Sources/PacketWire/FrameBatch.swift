/// What a capture says of where and when a frame came, beside its time.
package struct FrameOrigin: Sendable {
    /// Which of several interfaces it came from.
    var interface = 0
    /// Whether its time is its own, and not just its place's.
    var isTimed = true

    package init() {}

    @inline(__always)
    package init(interface: Int, isTimed: Bool) {
        self.interface = interface
        self.isTimed = isTimed
    }
}

extension FrameOrigin {
    @inline(__always) var signature: UInt32 { UInt32(truncatingIfNeeded: interface &* 0x9e37_79b1) }
}

/// Where a frame lies in a stretch of octets, and what its record says of it.
package struct FramePlace: BitwiseCopyable {
    /// Octets from the start of the stretch.
    package var offset = 0
    /// Octets that were captured.
    package var length = 0
    package var wireLength = 0
    /// Nanoseconds since the epoch.
    package var time: Int64 = 0

    @inlinable @inline(__always) package init() {}

    @inlinable @inline(__always)
    package init(offset: Int, length: Int, wireLength: Int, time: Int64) {
        self.offset = offset
        self.length = length
        self.wireLength = wireLength
        self.time = time
    }
}

extension Segment {
    /// The same packet on another interface was seen at another place.
    @inline(__always)
    mutating func came(from origin: FrameOrigin) {
        if origin.interface > 0 { linkSignature ^= origin.signature }
        if !origin.isTimed { isUntimed = true }
    }
}

/// How many checksums were good, and how many bad. As long as a capture shows no more good ones than bad, its frames were rewritten, or
/// its checksums are the network card's to fill.
package struct ChecksumCount: BitwiseCopyable, Sendable {
    private var good = 0
    private var bad = 0

    package init() {}

    @inline(__always) package var areMostGood: Bool { good > bad }

    @inline(__always)
    package mutating func count(_ checksum: ChecksumState) {
        switch checksum {
        case .good: good &+= 1
        case .bad: bad &+= 1
        case .offload, .unverified: break
        }
    }
}

/// Frames decoded together, so that the memory they lead to can be fetched ahead. Used again for each batch.
package struct FrameBatch: ~Copyable {
    package static let capacity = 64
    /// A place's segment if it `isUsual`; its frame, decoded in full, if not.
    package private(set) var segments = [UsualSegment](repeating: UsualSegment(), count: capacity)
    package private(set) var isUsual = [Bool](repeating: false, count: capacity)
    /// There is room for the places that needed it so far.
    package private(set) var others: [DecodedFrame] = []
    /// Frame numbers, from 1 in the order of the capture.
    package var numbers = [UInt64](repeating: 0, count: capacity)
    /// Of usual segments: the hash of the tuple by `seed`, and the part that it belongs to.
    package private(set) var hashes = [UInt64](repeating: 0, count: capacity)
    package private(set) var parts = [UInt8](repeating: 0, count: capacity)
    package let seed: UInt64
    /// Nanoseconds since the epoch.
    package var times = [Int64](repeating: 0, count: capacity)
    package var count = 0
    /// Whether the checksums of the frames before one were mostly good.
    package private(set) var trusts = [Bool](repeating: false, count: capacity)
    /// Of all frames up to these.
    package private(set) var checksums = ChecksumCount()
    /// Frames that came, up to these.
    private var all: UInt64 = 0
    /// Where the first of these stands among all that came, from 1.
    package var first: UInt64 { all &- UInt64(count) &+ 1 }

    /// - Parameter seed: of hashes; those who use them have the same.
    package init(seed: UInt64 = 0) { self.seed = seed }

    private var reassembly = Reassembly()

    /// Exchanges frames with another batch; what is held back of fragmented packets stays.
    package mutating func exchange(_ other: inout FrameBatch) {
        swap(&segments, &other.segments)
        swap(&isUsual, &other.isUsual)
        swap(&others, &other.others)
        swap(&numbers, &other.numbers)
        swap(&times, &other.times)
        swap(&count, &other.count)
        swap(&trusts, &other.trusts)
        swap(&hashes, &other.hashes)
        swap(&parts, &other.parts)
        other.checksums = checksums
        other.all = all
    }

    @inline(__always) package var isFull: Bool { count >= FrameBatch.capacity }
    /// A frame with every field. The hot path does without.
    package func frame(_ position: Int) -> Frame {
        isUsual[position] ? .segment(Segment(segments[position])) : others[position].frame
    }

    /// Decodes a frame into the next place. One that is a fragment may be held back, and come later, or with what makes its
    /// packet complete; the batch is then one short or one longer.
    package mutating func append(
        _ bytes: RawSpan, wireLength: Int, number: UInt64, time: Int64, decoder: FrameDecoder,
        origin: FrameOrigin = FrameOrigin()
    ) {
        place(bytes, wireLength, number, time, decoder, origin)
    }

    /// Decodes frames that lie in one stretch of octets, as `append` would one after the other.
    /// - Parameters:
    ///   - window: holds the octets of all of them.
    ///   - first: the number of the first one.
    package mutating func append(
        _ places: Span<FramePlace>, in window: RawSpan, first: UInt64, decoder: FrameDecoder
    ) {
        var taken = 0
        while taken < places.count {
            if !reassembly.isHolding {
                let run = FrameBatch.decodeUsual(
                    places.extracting(droppingFirst: taken), window, decoder, from: count, &segments, &isUsual, &times,
                    &trusts, &checksums, &hashes, &parts, seed)
                for position in 0..<run { numbers[count + position] = first &+ UInt64(taken + position) }
                count += run
                all &+= UInt64(run)
                taken += run
            }
            guard taken < places.count else { return }
            let place = places[taken]
            self.place(
                window.extracting(place.offset..<place.offset + place.length), place.wireLength,
                first &+ UInt64(taken), place.time, decoder, FrameOrigin())
            taken += 1
        }
    }

    /// As long as every segment is a usual one: the loop that nearly all frames go through.
    /// - Returns: how many there were.
    private static func decodeUsual(
        _ places: Span<FramePlace>, _ window: RawSpan, _ decoder: FrameDecoder, from start: Int,
        _ segments: inout [UsualSegment], _ isUsual: inout [Bool], _ times: inout [Int64], _ trusts: inout [Bool],
        _ checksums: inout ChecksumCount, _ hashes: inout [UInt64], _ parts: inout [UInt8], _ seed: UInt64
    ) -> Int {
        var segments = segments.mutableSpan
        var isUsual = isUsual.mutableSpan
        var times = times.mutableSpan
        var trusts = trusts.mutableSpan
        var hashes = hashes.mutableSpan
        var parts = parts.mutableSpan
        let room = min(places.count, segments.count - start)
        for taken in 0..<room {
            let place = places[taken]
            let bytes = window.extracting(place.offset..<place.offset + place.length)
            guard Parser.usual(bytes, wireLength: place.wireLength, decoder, into: &segments[start + taken]) else {
                return taken
            }
            isUsual[start + taken] = true
            times[start + taken] = place.time
            trusts[start + taken] = checksums.areMostGood
            // Good or not looked at.
            if segments[start + taken].checksum == .good { checksums.count(.good) }
            hashes[start + taken] = segments[start + taken].tuple.hash(seed: seed)
            parts[start + taken] = segments[start + taken].tuple.part
        }
        return room
    }

    @inline(__always)
    private mutating func place(
        _ bytes: RawSpan, _ wireLength: Int, _ number: UInt64, _ time: Int64, _ decoder: FrameDecoder,
        _ origin: FrameOrigin
    ) {
        // Fragments that were let go may have made it longer.
        if count == isUsual.count { lengthen() }
        if !reassembly.isHolding, origin.isTimed,
            Parser.usual(bytes, wireLength: wireLength, decoder, into: &segments[count])
        {
            if origin.interface > 0 { segments[count].linkSignature ^= origin.signature }
            isUsual[count] = true
            hashes[count] = segments[count].tuple.hash(seed: seed)
            parts[count] = segments[count].tuple.part
        } else {
            isUsual[count] = false
            makeRoomForOther()
            decoder.decode(bytes, wireLength: wireLength, into: &others[count])
            others[count].segment.came(from: origin)
            if others[count].isFragment || reassembly.isHolding {
                return look(bytes, wireLength, number, time, decoder, origin)
            }
        }
        numbers[count] = number
        times[count] = time
        finishPlace()
    }

    /// The next place is filled.
    private mutating func finishPlace() {
        trusts[count] = checksums.areMostGood
        if isUsual[count] {
            checksums.count(segments[count].checksum)
        } else if others[count].kind == .segment {
            checksums.count(others[count].segment.checksum)
        }
        count += 1
        all &+= 1
    }

    private mutating func makeRoomForOther() {
        while others.count <= count { others.append(DecodedFrame()) }
    }

    private mutating func lengthen() {
        segments.append(UsualSegment())
        isUsual.append(false)
        numbers.append(0)
        times.append(0)
        trusts.append(false)
        hashes.append(0)
        parts.append(0)
    }

    /// Puts fragments together.
    @inline(never)
    private mutating func look(
        _ bytes: RawSpan, _ wireLength: Int, _ number: UInt64, _ time: Int64, _ decoder: FrameDecoder,
        _ origin: FrameOrigin
    ) {
        let placed = Reassembly.Placed(frame: others[count], number: number, time: time, origin: origin)
        reassembly.passes(time)
        if placed.frame.isFragment, let fragment = decoder.fragment(of: bytes, wireLength: wireLength) {
            reassembly.take(placed, fragment, bytes, verifies: decoder.verifiesChecksums)
        } else {
            switch placed.frame.kind {
            case .segment: reassembly.comes(placed.frame.segment.source, placed.frame.segment.destination)
            case .icmpError: reassembly.comes(placed.frame.icmp.source, placed.frame.icmp.destination)
            case .ignored, .malformed, .cut: break
            }
            reassembly.out.append(placed)
        }
        takeOut()
    }

    /// Frames of segments, and with those that were put together of fragments the frames of their other fragments (of the first
    /// so many of such segments).
    package func withFragments(_ numbers: [UInt64]) -> [UInt64] {
        let partners = reassembly.partners
        return partners.isEmpty ? numbers : Set(numbers + numbers.flatMap { partners[$0] ?? [] }).sorted()
    }

    /// Time has come to this without a frame: what was held back for too long comes now.
    package mutating func passFragments(_ time: Int64) {
        guard reassembly.isHolding else { return }
        reassembly.passes(time)
        takeOut()
    }

    /// No more frames will come: what was held back comes now.
    package mutating func endFragments() {
        reassembly.finish()
        takeOut()
    }

    private mutating func takeOut() {
        for placed in reassembly.out {
            if count == isUsual.count { lengthen() }
            isUsual[count] = false
            makeRoomForOther()
            others[count] = placed.frame
            numbers[count] = placed.number
            times[count] = placed.time
            finishPlace()
        }
        reassembly.out.removeAll(keepingCapacity: true)
    }
}
