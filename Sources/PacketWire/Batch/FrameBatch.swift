/// Frames decoded together, so that the memory they lead to can be fetched ahead. Used again for each batch.
///
/// A tracker makes it (`HandshakeTracker.makeBatch()`). It is filled, given to that tracker, and emptied:
///
/// ```swift
/// batch.append(bytes, number: number, time: nanoseconds, decoder: decoder)
/// if batch.isFull {
///     tracker.receive(batch)
///     batch.removeAll()
/// }
/// ```
public struct FrameBatch: ~Copyable {
    /// Frames after which a batch is full.
    public static let capacity = 64
    package private(set) var heads = [FrameHead](repeating: FrameHead(), count: capacity)
    /// A place's segment if it is a usual one, with its addresses if those are IPv6's; its frame, decoded in full, if
    /// not.
    package private(set) var segments = [UsualSegment](repeating: UsualSegment(), count: capacity)
    package private(set) var addresses = [AddressPair](repeating: AddressPair(), count: capacity)
    /// A place's outer headers, if it is a usual SYN or SYN-ACK.
    package private(set) var headers = [OpeningHeaders](repeating: OpeningHeaders(), count: capacity)
    /// There is room for the places that needed it so far.
    package private(set) var others: [DecodedFrame] = []
    /// Which frames are usual segments of each shard, and which are none: a bit for each of them up to the 64th.
    package private(set) var ofShard = InlineArray<16, UInt64>(repeating: 0)
    package private(set) var unusual: UInt64 = 0
    package let seed: UInt64
    /// Frames.
    public private(set) var count = 0
    /// Nanoseconds from each frame to the next, all of them or-ed: that small are all, or negative is one.
    package private(set) var steps: Int64 = 0
    /// Properties of all frames up to these.
    package private(set) var traits = CaptureTraits()
    /// The checksums of all frames up to these.
    private var senders = SenderChecksums()
    /// The SYNs of all frames up to these. Apart: batches are moved more often than it is asked.
    private final class Memory { var syns = RecentSYNs() }
    private let memory = Memory()
    /// Whether SYNs of these are looked at.
    private var watchesSYNs = true
    /// Frames that came, up to these.
    private var all: UInt64 = 0
    /// Where the first of these stands among all that came, from 1.
    package var first: UInt64 { all &- UInt64(count) &+ 1 }

    /// - Parameter seed: of the hashes of tuples. A tracker takes only batches of its own seed
    ///   (`HandshakeTracker.makeBatch`).
    package init(seed: UInt64) { self.seed = seed }

    private var reassembly = Reassembly()

    /// Begins again without frames; what is held back of fragmented packets stays.
    public mutating func removeAll() {
        count = 0
        ofShard = InlineArray(repeating: 0)
        unusual = 0
        watchesSYNs = memory.syns.isWatching(all &+ 1, count: UInt64(FrameBatch.capacity))
    }

    /// Properties that are known once so many frames are there.
    package struct Mark {
        fileprivate let count: Int
        fileprivate let steps: Int64
        fileprivate let traits: CaptureTraits
        fileprivate let all: UInt64
    }

    package var mark: Mark { Mark(count: count, steps: steps, traits: traits, all: all) }

    /// Takes the frames back that came since, as if they had not come; fragments among them are not forgotten.
    package mutating func takeBack(to mark: Mark) {
        (count, steps, traits, all) = (mark.count, mark.steps, mark.traits, mark.all)
        let there: UInt64 = count < FrameBatch.capacity ? 1 << UInt64(count) - 1 : .max
        for shard in ofShard.indices { ofShard[shard] &= there }
        unusual &= there
    }

    /// Exchanges frames with another batch; what is held back of fragmented packets stays.
    package mutating func exchange(_ other: inout FrameBatch) {
        swap(&heads, &other.heads)
        swap(&segments, &other.segments)
        swap(&addresses, &other.addresses)
        swap(&headers, &other.headers)
        swap(&others, &other.others)
        swap(&ofShard, &other.ofShard)
        swap(&unusual, &other.unusual)
        swap(&count, &other.count)
        swap(&steps, &other.steps)
        other.traits = traits
        other.all = all
    }

    /// Takes what a file says of its coarsest clock, whose frames are among the next.
    /// - Parameter tick: nanoseconds.
    package mutating func declare(tick: Int64) { traits.declare(tick: tick) }

    /// Whether it holds so many frames that it should be given to its tracker.
    @inline(__always) public var isFull: Bool { count >= FrameBatch.capacity }
    /// A frame with every field. The hot path does without.
    package func frame(_ position: Int) -> Frame {
        heads[position].isUsual
            ? .segment(segment(position)) : others[position].frame
    }

    /// The usual segment at a position, with every field.
    package func segment(_ position: Int) -> Segment {
        Segment(segments[position], tuple(position), headers[position])
    }

    /// The tuple of the usual segment at a position.
    package func tuple(_ position: Int) -> Tuple {
        let segment = segments[position]
        return segment.isV6
            ? Tuple(addresses[position], ports: segment.ports)
            : Tuple(addresses: segment.addresses, ports: segment.ports)
    }

    /// Decodes a frame into the next place. One that is a fragment may be held back, and come later, or with what makes
    /// its packet complete; the batch is then one short or one longer.
    /// - Parameters:
    ///   - bytes: the octets that were captured.
    ///   - wireLength: the octets that the frame had, where the snaplen cut it; nil where it is whole.
    ///   - number: its number in the capture, from 1.
    ///   - time: nanoseconds since the epoch, by the capture's clock.
    ///   - decoder: of the link type that it came over.
    public mutating func append(
        _ bytes: [UInt8], wireLength: Int? = nil, number: UInt64, time: Int64, decoder: FrameDecoder
    ) {
        append(bytes.span, wireLength: wireLength, number: number, time: time, decoder: decoder)
    }

    /// The same, of octets that are somewhere in memory.
    public mutating func append(
        _ bytes: Span<UInt8>, wireLength: Int? = nil, number: UInt64, time: Int64, decoder: FrameDecoder
    ) {
        place(unsafe bytes.bytes, wireLength ?? bytes.count, number, time, decoder, FrameOrigin())
    }

    /// Decodes a frame into the next place. One that is a fragment may be held back, and come later, or with what makes
    /// its packet complete; the batch is then one short or one longer.
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
        let usual = UsualDecoder(decoder)
        var taken = 0
        while taken < places.count {
            if !reassembly.isHolding {
                let run = FrameBatch.decodeUsual(
                    places.extracting(droppingFirst: taken), window, first &+ UInt64(taken), usual, from: count,
                    &heads, &segments, &addresses, &headers, &ofShard, &steps, &traits, &senders, seed)
                let start = count
                count += run
                all &+= UInt64(run)
                taken += run
                if watchesSYNs { lookForTranslations(from: start) }
            }
            guard taken < places.count else { return }
            let place = places[taken]
            self.place(
                window.stretch(place.offset, place.length), place.wireLength,
                first &+ UInt64(taken), place.time, decoder, FrameOrigin())
            taken += 1
        }
    }

    /// As long as every segment is a usual one: the loop that nearly all frames go through.
    /// - Returns: how many there were.
    private static func decodeUsual(
        _ places: Span<FramePlace>, _ window: RawSpan, _ first: UInt64, _ decoder: UsualDecoder, from start: Int,
        _ heads: inout [FrameHead], _ segments: inout [UsualSegment], _ addresses: inout [AddressPair],
        _ headers: inout [OpeningHeaders], _ ofShard: inout InlineArray<16, UInt64>, _ steps: inout Int64,
        _ traits: inout CaptureTraits,
        _ senders: inout SenderChecksums, _ seed: UInt64
    ) -> Int {
        // Fragments that were let go may have made it longer than its capacity: then the rest goes one at a time.
        let room = max(0, min(places.count, FrameBatch.capacity - start))
        guard room > 0 else { return 0 }
        var previous = start == 0 ? places[0].time : heads[start - 1].time
        let places = places.extracting(first: room)
        var heads = heads.mutableSpan
        var segments = segments.mutableSpan
        var addresses = addresses.mutableSpan
        var headers = headers.mutableSpan
        // Said once, the loop's counter is in the bounds of each.
        precondition(
            start >= 0 && start + room <= heads.count && start + room <= segments.count
                && start + room <= addresses.count && start + room <= headers.count)
        var allSteps = start == 0 ? 0 : steps
        var seen = traits
        var taken = 0
        while taken < places.count {
            let place = places[taken]
            let bytes = window.stretch(place.offset, place.length)
            let position = start + taken
            guard
                FrameParser.usual(
                    bytes, wireLength: place.wireLength, decoder, into: &segments[position], &addresses[position])
            else { break }
            heads[position] = head(
                segments[position], addresses[position], first &+ UInt64(taken), place.time, seed)
            ofShard[Int(heads[position].shard)] |= 1 &<< UInt64(position)
            allSteps |= place.time &- previous
            previous = place.time
            if seen.isOpen {
                seen.note(place.time)
                seen.note(segments[position].flags, payload: segments[position].payloadLength)
            }
            if segments[position].flags.contains(.syn) {
                headers[position] = FrameParser.openingHeaders(bytes, decoder.linkType)
                if SenderChecksums.counts(segments[position].flags, segments[position].checksum) {
                    senders.takeGood(segments[position], addresses[position])
                }
            }
            taken &+= 1
        }
        if taken > 0 { seen.notePlain() }
        (steps, traits) = (allSteps, seen)
        return taken
    }

    /// The head of a usual segment.
    @inline(__always)
    private static func head(
        _ segment: UsualSegment, _ pair: AddressPair, _ number: UInt64, _ time: Int64, _ seed: UInt64
    ) -> FrameHead {
        var head = FrameHead()
        head.number = number
        head.time = time
        if segment.isV6 {
            let tuple = Tuple(pair, ports: segment.ports)
            head.tag = UInt32(truncatingIfNeeded: tuple.hash(seed: seed) >> 32)
            head.shard = tuple.shard
        } else {
            let hash = Tuple.hash(addresses: segment.addresses, ports: segment.ports, seed: seed)
            head.tag = UInt32(truncatingIfNeeded: hash >> 32)
            head.shard = Tuple.shard(addresses: segment.addresses, ports: segment.ports)
        }
        head.isUsual = true
        return head
    }

    @inline(__always)
    private mutating func place(
        _ bytes: RawSpan, _ wireLength: Int, _ number: UInt64, _ time: Int64, _ decoder: FrameDecoder,
        _ origin: FrameOrigin
    ) {
        // Fragments that were let go may have made it longer.
        if count == heads.count { lengthen() }
        if reassembly.isHolding || !origin.isTimed
            || !placeUsual(bytes, wireLength, number, time, decoder, origin)
        {
            becomesOther(number, time)
            decoder.decode(bytes, wireLength: wireLength, into: &others[count])
            others[count].segment.came(from: origin)
            if others[count].isFragment || reassembly.isHolding {
                return look(bytes, wireLength, number, time, decoder, origin)
            }
        }
        finishPlace()
    }

    /// - Returns: false if the frame has to be decoded in full.
    @inline(__always)
    private mutating func placeUsual(
        _ bytes: RawSpan, _ wireLength: Int, _ number: UInt64, _ time: Int64, _ decoder: FrameDecoder,
        _ origin: FrameOrigin
    ) -> Bool {
        guard
            FrameParser.usual(
                bytes, wireLength: wireLength, UsualDecoder(decoder), into: &segments[count], &addresses[count])
        else { return false }
        if origin.interface > 0 { segments[count].linkSignature ^= origin.signature }
        heads[count] = FrameBatch.head(segments[count], addresses[count], number, time, seed)
        if segments[count].flags.contains(.syn) {
            headers[count] = FrameParser.openingHeaders(bytes, decoder.linkType)
            if SenderChecksums.counts(segments[count].flags, segments[count].checksum) {
                senders.takeGood(segments[count], addresses[count])
            }
        }
        return true
    }

    /// The next place is filled.
    private mutating func finishPlace() {
        let bit: UInt64 = count < FrameBatch.capacity ? 1 << UInt64(count) : 0
        traits.note(heads[count].time)
        if heads[count].isUsual {
            ofShard[Int(heads[count].shard)] |= bit
            traits.note(segments[count].flags, payload: segments[count].payloadLength)
            traits.notePlain()
        } else {
            unusual |= bit
            if others[count].kind == .segment {
                traits.note(others[count].segment.flags, payload: others[count].segment.payloadLength)
                if others[count].segment.path.carrier == nil { traits.notePlain() }
                heads[count].senderTrust = senders.note(others[count].segment)
            }
        }
        steps = count == 0 ? 0 : steps | (heads[count].time &- heads[count - 1].time)
        count += 1
        all &+= 1
        if watchesSYNs { lookForTranslations(from: count - 1) }
    }

    /// Looks whether SYNs and SYN-ACKs of these show a translation.
    @inline(never)
    private mutating func lookForTranslations(from start: Int) {
        let memory = memory
        lookForTranslations(&memory.syns, from: start)
    }

    private mutating func lookForTranslations(_ syns: inout RecentSYNs, from start: Int) {
        for position in start..<count {
            let order = first &+ UInt64(position)
            guard syns.isWatching(order) else { continue }
            let (head, isUsual) = (heads[position], heads[position].isUsual)
            let segment: Segment
            if isUsual {
                guard segments[position].flags.contains(.syn),
                    !syns.note(
                        segments[position], addresses[position], tag: head.tag, frame: head.number, time: head.time)
                else { continue }
                segment = self.segment(position)
            } else {
                guard others[position].kind == .segment, others[position].segment.flags.contains(.syn) else { continue }
                segment = others[position].segment
            }
            let hash = Tuple(segment.source, segment.destination).hash(seed: seed)
            let tag = UInt32(truncatingIfNeeded: hash >> 32)
            guard let found = syns.translation(of: segment, tag: tag, frame: head.number, time: head.time) else {
                continue
            }
            if isUsual { makeOther(position, segment) }
            others[position].translation = found
            heads[position].showsTranslation = true
            syns.watch(from: order)
        }
    }

    /// A usual segment becomes one that all trackers look at.
    private mutating func makeOther(_ position: Int, _ segment: Segment) {
        let bit: UInt64 = position < FrameBatch.capacity ? 1 << UInt64(position) : 0
        ofShard[Int(heads[position].shard)] &= ~bit
        unusual |= bit
        becomesOther(heads[position].number, heads[position].time, at: position)
        others[position] = DecodedFrame()
        others[position].kind = .segment
        others[position].segment = segment
    }

    /// The translation that the frame at a position shows.
    package func translation(_ position: Int) -> Translation? {
        heads[position].showsTranslation ? others[position].translation : nil
    }

    /// The next place is for a frame that is no usual segment.
    private mutating func becomesOther(_ number: UInt64, _ time: Int64, at position: Int? = nil) {
        let position = position ?? count
        heads[position] = FrameHead()
        heads[position].number = number
        heads[position].time = time
        while others.count <= position { others.append(DecodedFrame()) }
    }

    private mutating func lengthen() {
        heads.append(FrameHead())
        segments.append(UsualSegment())
        addresses.append(AddressPair())
        headers.append(OpeningHeaders())
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
            reassembly.add(placed, fragment, bytes, decoder)
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

    /// Frames of segments, and with those that were put together of fragments the frames of their other fragments (of
    /// the first so many of such segments).
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
    public mutating func endFragments() {
        reassembly.finish()
        takeOut()
    }

    private mutating func takeOut() {
        for placed in reassembly.out {
            if count == heads.count { lengthen() }
            becomesOther(placed.number, placed.time)
            others[count] = placed.frame
            finishPlace()
        }
        reassembly.out.removeAll(keepingCapacity: true)
    }
}
