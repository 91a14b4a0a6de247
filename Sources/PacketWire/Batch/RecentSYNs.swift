/// A SYN, or what answers it, was seen under two tuples: an address translator stands between them, or the answer comes
/// from where the client did not call.
package struct Translation: BitwiseCopyable, Sendable {
    package enum Kind: UInt8, Sendable, BitwiseCopyable {
        /// One SYN before and behind a translator.
        case copy
        /// A SYN-ACK that acknowledges the SYN on another tuple than the client's.
        case answer
    }

    /// One of the two tuples.
    package struct Side: BitwiseCopyable, Sendable {
        package var source: Endpoint
        package var destination: Endpoint
        /// The frame of its first segment.
        package var frame: UInt64
        package var hopLimit: UInt8
        /// The MSS that it announces, in octets; nil without that option.
        package var mss: UInt16?
        /// The snaplen cut its options: an MSS may be there.
        package var hasCutOptions: Bool
    }

    package var kind: Kind
    /// x.
    package var isn: UInt32
    /// Where the client sent its SYN.
    package var original: Side
    /// The copy's addresses. An answer's source is `destination` here: the tuple is the client's.
    package var other: Side
    /// The frame that shows it.
    package var frame: UInt64
    /// Whether both copies have the same TSval, and the same IP identification.
    package var hasEqualTSval = false
    package var hasEqualIdentification = false
}

/// The SYNs of the last moments by their x, in a bounded memory: a newer one may take an older one's place.
///
/// A SYN of equal x on another tuple is a translated copy if it has the same TSval or IP identification, not 0, and
/// another hop limit; at the same hop limit both, and another link. Equal numbers alone prove nothing: devices with a
/// fixed ISN have them, and scanners. Asked where frames are decoded, since the two tuples may be followed by different
/// trackers.
///
/// A capture without translation should not pay for it: `isWatching`.
package struct RecentSYNs: Sendable {
    private static let bits: UInt64 = 12
    /// Frames; of each such stretch so many are looked at, if nothing was found.
    private static let stretch: UInt64 = 1 << 16
    private static let watched: UInt64 = 1 << 8
    /// Nanoseconds between two sightings of one SYN, at most.
    private static let transit: Int64 = 200_000_000
    /// Nanoseconds from a SYN to an answer of it, at most.
    private static let patience: Int64 = 3_000_000_000

    /// A SYN that was seen.
    private struct Sighting: BitwiseCopyable, Sendable {
        /// x in the upper half; below it what the tuple hashes to.
        var key: UInt64 = 0
        /// The frame of the first copy; 0 for none.
        var frame: UInt64 = 0
        /// Nanoseconds since the epoch, of the last copy.
        var time: Int64 = 0
        /// The last copy.
        var segment = UsualSegment()
        /// Its addresses, if those are IPv6's.
        var pair = AddressPair()
    }

    private var sightings: [Sighting] = []
    /// A frame, by its order.
    private var watchedUntil: UInt64 = 0
    /// An x that more than one tuple had, and the copy that was proved, if any.
    private struct Shared: Sendable {
        var x: UInt32
        var copy: Translation?
    }

    /// By place.
    private var shared: [Int: Shared] = [:]

    package init() {}

    @inline(__always)
    private static func place(_ x: UInt32) -> Int {
        Int(truncatingIfNeeded: (UInt64(x) &* 0x9e37_79b9_7f4a_7c15) >> (64 - bits))
    }

    /// Whether a frame's SYN is to be looked at: those of the first frames of each stretch are, and those after a
    /// translation. Where connections are translated, that is nearly always.
    /// - Parameter order: which frame it is, from 1.
    package func isWatching(_ order: UInt64) -> Bool {
        order & (RecentSYNs.stretch - 1) < RecentSYNs.watched || order < watchedUntil
    }

    /// Whether one of so many frames is to be looked at.
    func isWatching(_ order: UInt64, count: UInt64) -> Bool {
        isWatching(order) || order & (RecentSYNs.stretch - 1) + count > RecentSYNs.stretch
    }

    /// A frame shows a translation: those after it are looked at.
    package mutating func watch(from order: UInt64) { watchedUntil = order + RecentSYNs.stretch }

    /// Takes a usual SYN or SYN-ACK that is looked at.
    /// - Parameter tag: what its tuple hashes to.
    /// - Returns: false if its x was seen on another tuple: then nothing was noted, and `take` of the whole segment is
    ///   to be asked.
    @inline(never)
    mutating func note(
        _ segment: UsualSegment, _ pair: AddressPair, tag: UInt32, frame: UInt64, time: Int64
    ) -> Bool {
        if sightings.isEmpty {
            sightings = [Sighting](repeating: Sighting(), count: 1 << Int(RecentSYNs.bits))
        }
        let isAnswer = segment.flags.contains(.ack)
        let x = isAnswer ? segment.ack &- 1 : segment.seq
        let place = RecentSYNs.place(x)
        let key = UInt64(x) << 32 | UInt64(tag)
        let known = sightings[place].key
        if known >> 32 == UInt64(x) {
            if known != key { return false }
            // A retransmission's numbers count from now on; a second sighting has the same.
            if isAnswer || time &- sightings[place].time < RecentSYNs.transit { return true }
            (sightings[place].time, sightings[place].segment) = (time, segment)
        } else if !isAnswer {
            sightings[place] = Sighting(key: key, frame: frame, time: time, segment: segment, pair: pair)
        }
        return true
    }

    /// Takes a segment with every field.
    /// - Returns: what it shows with an earlier one.
    package mutating func translation(of segment: Segment, tag: UInt32, frame: UInt64, time: Int64) -> Translation? {
        guard segment.flags.contains(.syn), segment.flags.isDisjoint(with: [.rst, .fin]),
            segment.checksum != .bad
        else { return nil }
        let (usual, pair) = RecentSYNs.reduced(segment)
        if note(usual, pair, tag: tag, frame: frame, time: time) { return nil }
        return segment.flags.contains(.ack)
            ? answer(segment, RecentSYNs.place(segment.ack &- 1), frame, time)
            : copy(segment, usual, pair, RecentSYNs.place(segment.seq), tag: tag, frame, time)
    }

    private func shared(_ x: UInt32, _ place: Int) -> Shared? {
        shared.isEmpty ? nil : shared[place].flatMap { $0.x == x ? $0 : nil }
    }

    /// The SYN of a place.
    private func side(_ place: Int) -> Translation.Side {
        let known = sightings[place].segment
        let tuple =
            known.isV6
            ? Tuple(sightings[place].pair, ports: known.ports) : Tuple(addresses: known.addresses, ports: known.ports)
        let (low, high) = tuple.endpoints
        return Translation.Side(
            source: known.sourceIsLow ? low : high, destination: known.sourceIsLow ? high : low,
            frame: sightings[place].frame, hopLimit: known.hopLimit,
            mss: known.options.contains(.mss) ? known.mss : nil, hasCutOptions: known.options.contains(.cut))
    }

    private mutating func copy(
        _ segment: Segment, _ usual: UsualSegment, _ pair: AddressPair, _ place: Int, tag: UInt32, _ frame: UInt64,
        _ time: Int64
    ) -> Translation? {
        let first = side(place)
        let second = Translation.Side(
            source: segment.source, destination: segment.destination, frame: frame, hopLimit: segment.hopLimit,
            mss: segment.options.has(.mss) ? segment.options.mss : nil, hasCutOptions: segment.options.has(.cut))
        let shared = shared(segment.seq, place)
        if let copy = shared?.copy, copy.other.source == second.source,
            copy.other.destination == second.destination
        {
            // Another copy of a SYN that is known to be translated.
            return nil
        }
        let known = sightings[place]
        let isKnownToRepeat = shared != nil
        let isFirst = known.frame == 0
        let hasEqualTSval = usual.tsval != 0 && usual.tsval == known.segment.tsval
        let hasEqualIdentification =
            usual.identification != 0 && usual.identification == known.segment.identification
        let isElsewhere = usual.hopLimit != known.segment.hopLimit
        let isProved =
            isElsewhere
            ? hasEqualTSval || hasEqualIdentification && !isKnownToRepeat
            : hasEqualTSval && hasEqualIdentification && usual.linkSignature != known.segment.linkSignature
        let gap = time &- known.time
        guard !isFirst, isProved, usual.window == known.segment.window, gap > -RecentSYNs.transit,
            gap < RecentSYNs.transit
        else {
            // One x on several tuples: from now on the identification proves nothing of it.
            renew(place, usual, pair, tag: tag, frame, time)
            if !isFirst { self.shared[place] = Shared(x: segment.seq, copy: nil) }
            return nil
        }
        // The client's side has the higher hop limit.
        let isForward = second.hopLimit <= first.hopLimit
        let found = Translation(
            kind: .copy, isn: segment.seq, original: isForward ? first : second, other: isForward ? second : first,
            frame: frame, hasEqualTSval: hasEqualTSval, hasEqualIdentification: hasEqualIdentification)
        if !isForward {
            renew(place, usual, pair, tag: tag, frame, time)
        }
        self.shared[place] = Shared(x: segment.seq, copy: found)
        return found
    }

    private mutating func renew(
        _ place: Int, _ usual: UsualSegment, _ pair: AddressPair, tag: UInt32, _ frame: UInt64, _ time: Int64
    ) {
        sightings[place] = Sighting(
            key: UInt64(usual.seq) << 32 | UInt64(tag), frame: frame, time: time, segment: usual, pair: pair)
    }

    private func answer(_ segment: Segment, _ place: Int, _ frame: UInt64, _ time: Int64) -> Translation? {
        let gap = time &- sightings[place].time
        guard sightings[place].frame != 0, gap >= 0, gap < RecentSYNs.patience else { return nil }
        let original = side(place)
        let shared = shared(segment.ack &- 1, place)
        if let copy = shared?.copy {
            // Behind the translator, or to the client from where it did not call.
            guard
                segment.destination == copy.other.source
                    || segment.destination == copy.original.source && segment.source != copy.original.destination
            else { return nil }
        } else {
            guard shared == nil, segment.destination == original.source, segment.source != original.destination else {
                return nil
            }
        }
        let other = Translation.Side(
            source: segment.destination, destination: segment.source, frame: frame, hopLimit: segment.hopLimit,
            mss: segment.options.has(.mss) ? segment.options.mss : nil, hasCutOptions: segment.options.has(.cut))
        return Translation(
            kind: .answer, isn: segment.ack &- 1, original: original, other: other, frame: frame)
    }

    /// As far as it is looked at here.
    private static func reduced(_ segment: Segment) -> (UsualSegment, AddressPair) {
        let tuple = Tuple(segment.source, segment.destination)
        var (usual, pair) = (UsualSegment(), AddressPair())
        usual.isV6 = tuple.isV6
        if tuple.isV6 {
            (pair.lowHigh, pair.lowLow) = (tuple.lowHigh, tuple.lowLow)
            (pair.highHigh, pair.highLow) = (tuple.highHigh, tuple.highLow)
        } else {
            usual.addresses = tuple.lowLow << 32 | tuple.highLow
        }
        usual.ports = tuple.ports
        usual.seq = segment.seq
        usual.ack = segment.ack
        usual.flags = segment.flags
        usual.window = segment.window
        usual.tsval = segment.options.has(.timestamps) ? segment.options.tsval : 0
        usual.options = segment.options.present
        usual.mss = segment.options.mss
        usual.identification = segment.identification
        usual.hopLimit = segment.hopLimit
        usual.linkSignature = segment.linkSignature
        usual.sourceIsLow = segment.source < segment.destination
        return (usual, pair)
    }
}
