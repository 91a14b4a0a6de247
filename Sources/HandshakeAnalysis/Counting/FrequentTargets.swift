import PacketWire

/// For the sources with the most distinct destinations, how many those are (at most 256 are told apart), in bounded
/// memory. A count is a lower bound, as in `FrequentKeys`.
///
/// Sources of a flood have one destination each. So once there were more sources than are kept, one is counted from its
/// second destination on: until then its first stands in a place that it shares with others, and the last to come
/// stays.
struct FrequentTargets: Sendable {
    private struct Pair: BitwiseCopyable {
        var source = IPAddress.none
        /// Hash of source and destination; 0 where there is none.
        var hash: UInt64 = 0

        init() {}

        /// Two pairs with one hash would count as one: once in 2^64.
        init(_ single: some SingleTarget, seed: UInt64) {
            source = single.source
            hash = single.destination.hash(seed: single.source.hash(seed: seed)) | 1
        }
    }

    private var sources: FrequentKeys<IPAddress>
    private var pairs: [Pair] = []
    private var count = 0
    /// Sources with one destination, of either version of IP.
    private var singlesV4: Singles<SingleTargetV4>
    private var singlesV6: Singles<SingleTargetV6>
    static let maximumTargets = 256
    private static let fewest = 64
    private var maximumPairs: Int
    /// Those of `sources` when pairs were last looked through.
    private var lossesSeen = 0

    /// - Parameters:
    ///   - capacity: sources that are told apart at a time, a power of two; as many of each version have one
    ///     destination.
    ///   - pairs: so many are kept at most, whatever the sources.
    ///   - seed: of the hashes of pairs.
    init(capacity: Int, pairs: Int, seed: UInt64) {
        sources = FrequentKeys(capacity: capacity, seed: seed)
        maximumPairs = pairs
        singlesV4 = Singles(maximum: capacity)
        singlesV6 = Singles(maximum: capacity)
    }

    /// Seed of the hashes of sources, and so of those of pairs.
    private var seed: UInt64 { sources.seed }

    /// - Parameter time: when the source tried the destination, in nanoseconds since the epoch.
    @inline(__always)
    mutating func add(_ source: IPAddress, _ destination: Endpoint, at time: Int64) {
        if source.version == .v4, destination.address.version == .v4 {
            return add(SingleTargetV4(source.low << 32 | destination.address.low, destination.port), at: time)
        }
        let new = SingleTargetV6(source: source, destination: destination)
        if isFollowed(source) { return add(Pair(new, seed: seed), TimeWindow(time)) }
        if let first = singlesV6.add(new) { add(first, new, at: time) }
    }

    @inline(__always)
    mutating func add(_ new: SingleTargetV4, at time: Int64) {
        if isFollowed(new.source) { return add(Pair(new, seed: seed), TimeWindow(time)) }
        if let first = singlesV4.add(new) { add(first, new, at: time) }
    }

    /// Whether a source's destinations are counted from the first one on.
    @inline(__always)
    private func isFollowed(_ source: IPAddress) -> Bool { sources.losses == 0 || sources.contains(source) }

    /// The first has no time: a place for it would cost a flood's sources half as much memory again.
    private mutating func add(_ first: some SingleTarget, _ second: some SingleTarget, at time: Int64) {
        add(Pair(first, seed: seed), TimeWindow())
        add(Pair(second, seed: seed), TimeWindow(time))
    }

    /// Adds what was seen elsewhere, of which some may be the same.
    mutating func add(_ other: FrequentTargets) {
        if other.isEmpty { return }
        if isEmpty {
            if maximumPairs == 0 { return self = other }
            sources = FrequentKeys(capacity: sources.capacity, seed: other.seed)
        }
        precondition(seed == other.seed, "pairs with different hashes")
        // Pairs of sources that were let go may come again.
        if sources.losses != lossesSeen { rebuild() }
        let singles = singlePairs + other.singlePairs
        singlesV4.removeAll()
        singlesV6.removeAll()
        sources.makeRoom(for: other.sources.capacity + singles.count)
        maximumPairs = max(maximumPairs, 2 * (count + other.count + singles.count))
        for pair in singles { add(pair, TimeWindow()) }
        for pair in other.pairs where pair.hash != 0 && other.sources.contains(pair.source) {
            add(pair, TimeWindow())
        }
        sources.addWindows(of: other.sources)
    }

    private var isEmpty: Bool { pairs.isEmpty && singlesV4.isEmpty && singlesV6.isEmpty }

    private var singlePairs: [Pair] {
        singlesV4.all.map { Pair($0, seed: seed) } + singlesV6.all.map { Pair($0, seed: seed) }
    }

    @inline(never)
    private mutating func add(_ pair: Pair, _ window: TimeWindow) {
        if pairs.isEmpty { pairs = [Pair](repeating: Pair(), count: FrequentTargets.fewest) }
        let position = position(of: pair.hash)
        guard pairs[position].hash == 0, sources[pair.source] < FrequentTargets.maximumTargets else { return }
        pairs[position] = pair
        count += 1
        sources.add(pair.source, window)
        if count * 2 > pairs.count { rebuild() }
    }

    @inline(__always)
    private func position(of hash: UInt64) -> Int {
        var position = Int(truncatingIfNeeded: hash >> 1) & (pairs.count - 1)
        while pairs[position].hash != 0, pairs[position].hash != hash { position = (position + 1) & (pairs.count - 1) }
        return position
    }

    /// Lets go of the pairs of sources that are no longer counted, and of sources while there are too many pairs; a
    /// quarter full at most then.
    private mutating func rebuild() {
        var kept = pairs.filter { $0.hash != 0 && sources.contains($0.source) }
        while kept.count > maximumPairs / 2 {
            sources.evict()
            kept = kept.filter { sources.contains($0.source) }
        }
        // Mostly empty: it is a while until the next time.
        var size = FrequentTargets.fewest
        while size < kept.count * 4 { size *= 2 }
        pairs = [Pair](repeating: Pair(), count: size)
        for pair in kept { pairs[position(of: pair.hash)] = pair }
        count = kept.count
        lossesSeen = sources.losses
    }

    var sorted: [(key: IPAddress, count: Int, window: TimeWindow)] { sources.sorted }
}

/// A source that has one destination. It is not hashed before it has another: of a flood, another source takes its
/// place.
protocol SingleTarget: BitwiseCopyable, Sendable {
    var source: IPAddress { get }
    var destination: Endpoint { get }
    var isThere: Bool { get }
    /// Where there is none.
    init()
}

/// In 16 octets: a flood's are written one after the other.
struct SingleTargetV4: SingleTarget {
    private var addresses: UInt64 = 0
    private var port: UInt16 = 0
    private(set) var isThere = false

    @inline(__always) init() {}

    /// - Parameters:
    ///   - addresses: the source's in the upper half.
    ///   - port: the destination's.
    @inline(__always)
    init(_ addresses: UInt64, _ port: UInt16) { (self.addresses, self.port, isThere) = (addresses, port, true) }

    @inline(__always) var source: IPAddress { IPAddress(v4: UInt32(truncatingIfNeeded: addresses >> 32)) }
    @inline(__always) var destination: Endpoint {
        Endpoint(IPAddress(v4: UInt32(truncatingIfNeeded: addresses)), port)
    }
}

struct SingleTargetV6: SingleTarget {
    private(set) var source = IPAddress.none
    private(set) var destination = Endpoint.none
    private(set) var isThere = false

    init() {}

    init(source: IPAddress, destination: Endpoint) {
        (self.source, self.destination, isThere) = (source, destination, true)
    }
}

/// Sources with one destination, in fixed memory: where several share a place, the last to come stays. Which do is
/// decided by a hash without a seed.
struct Singles<Single: SingleTarget>: Sendable {
    private let maximum: Int
    private var places: [Single] = []

    /// - Parameter maximum: a power of two; 0 where none will be added.
    init(maximum: Int) { self.maximum = maximum }

    var isEmpty: Bool { places.isEmpty }
    var all: [Single] { places.filter(\.isThere) }

    /// - Returns: the first destination of a source of which this is the second: it has no place any more.
    @inline(__always)
    mutating func add(_ new: Single) -> Single? {
        if places.isEmpty { places = [Single](repeating: Single(), count: maximum) }
        let hash = new.source.hash(seed: 0x9e37_79b9_7f4a_7c15)
        let place = Int(truncatingIfNeeded: hash >> 32) & (maximum - 1)
        let single = places[place]
        if !single.isThere || single.source != new.source {
            places[place] = new
            return nil
        }
        if single.destination == new.destination { return nil }
        places[place] = Single()
        return single
    }

    mutating func removeAll() { places = [] }
}
