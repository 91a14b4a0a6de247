import PacketWire

/// A key that `FrequentKeys` can count.
protocol CountedKey: Equatable, Comparable, BitwiseCopyable, Sendable {
    func hash(seed: UInt64) -> UInt64
    static var none: Self { get }
}

/// The most frequent keys of a stream, in bounded memory (as Manku and Motwani's lossy counting, 2002): once there are more keys than
/// are kept, the least frequent are let go until half of them are left at most, equals together. What stays keeps its count. A count is
/// a lower bound.
struct FrequentKeys<Key: CountedKey>: Sendable {
    private struct Slot: BitwiseCopyable {
        var key: Key
        /// 0 where there is none.
        var count: Int
    }

    private(set) var capacity: Int
    private var slots: [Slot] = []
    private var spare: [Slot] = []
    private(set) var keys = 0
    /// How often keys were let go.
    private(set) var losses = 0
    /// The last key that was added, as long as it is kept, where it is, and how often it was added since.
    private var latest: Key = .none
    private var latestPosition = -1
    private var latestMore = 0
    // Traffic chooses the keys; the seed changes no result.
    let seed: UInt64

    init(capacity: Int, seed: UInt64 = .random(in: .min ... .max)) {
        self.capacity = capacity
        self.seed = seed
    }

    /// Where a key is, or would be.
    @inline(__always)
    private func position(of key: Key) -> Int {
        let mask = slots.count - 1
        var position = Int(truncatingIfNeeded: key.hash(seed: seed)) & mask
        while slots[position].count != 0, slots[position].key != key { position = (position + 1) & mask }
        return position
    }

    subscript(key: Key) -> Int {
        guard !slots.isEmpty else { return 0 }
        let position = position(of: key)
        return slots[position].count + (position == latestPosition ? latestMore : 0)
    }

    @inline(__always)
    func contains(_ key: Key) -> Bool { keys > 0 && slots[position(of: key)].count > 0 }

    @inline(__always)
    mutating func add(_ key: Key) {
        // A flood is of one key.
        if key == latest, latestPosition >= 0 { return latestMore &+= 1 }
        addAnother(key)
    }

    @inline(never)
    private mutating func addAnother(_ key: Key) {
        settle()
        if slots.isEmpty { rebuild([], size: 16) }
        let position = position(of: key)
        (latest, latestPosition) = (key, position)
        slots[position].count += 1
        if slots[position].count > 1 { return }
        slots[position].key = key
        keys += 1
        if keys > capacity { letGo() } else if keys * 2 > slots.count { rebuild(slots, size: slots.count * 2) }
    }

    /// Nothing but the slots says what was counted, and they may move.
    private mutating func settle() {
        if latestMore > 0 { slots[latestPosition].count += latestMore }
        (latestPosition, latestMore) = (-1, 0)
    }

    /// Has room for so many keys more.
    mutating func makeRoom(for more: Int) { capacity += more }

    /// Adds what was counted elsewhere. Nothing is let go: there is room for the keys of both.
    mutating func add(_ other: FrequentKeys) {
        if slots.isEmpty, capacity == 0 { return self = other }
        settle()
        var other = other
        other.settle()
        capacity += other.capacity
        if slots.isEmpty { rebuild([], size: 16) }
        for slot in other.slots where slot.count > 0 {
            let position = position(of: slot.key)
            if slots[position].count > 0 {
                slots[position].count += slot.count
                continue
            }
            slots[position] = slot
            keys += 1
            if keys * 2 > slots.count { rebuild(slots, size: slots.count * 2) }
        }
    }

    private mutating func rebuild(_ kept: [Slot], size: Int) {
        assert(latestMore == 0, "counts that the slots do not have yet")
        settle()
        slots = [Slot](repeating: Slot(key: .none, count: 0), count: size)
        for slot in kept where slot.count > 0 { slots[position(of: slot.key)] = slot }
    }

    /// Lets half of the keys go, or more.
    mutating func letGo() {
        settle()
        losses += 1
        // The least count that all but half exceed.
        var least = 1
        while slots.count(where: { $0.count > least }) > min(keys, capacity) / 2 {
            least = slots.reduce(Int.max) { $1.count > least ? min($0, $1.count) : $0 }
        }
        swap(&slots, &spare)
        if slots.count != spare.count {
            slots = [Slot](repeating: Slot(key: .none, count: 0), count: spare.count)
        }
        for position in slots.indices { slots[position].count = 0 }
        keys = 0
        for slot in spare where slot.count > least {
            slots[position(of: slot.key)] = slot
            keys += 1
        }
    }

    /// Most frequent first; equals in the keys' order.
    var sorted: [(key: Key, count: Int)] {
        var settled = self
        settled.settle()
        return settled.slots.filter { $0.count > 0 }.map { (key: $0.key, count: $0.count) }
            .sorted { ($1.count, $0.key) < ($0.count, $1.key) }
    }
}

/// How often each key occurred at most, in fixed memory (the count-min sketch of Cormode and Muthukrishnan, 2005): a key adds to one
/// counter of each row, and the least of its counters is its own count and those of keys that share it. What is counted apart can be
/// added up: sums are what one would have counted. So hashes have no seed; who chooses keys to share the counters of another can make
/// it seem more frequent, as can who uses that other.
struct FrequencySketch: Sendable {
    private static let bits = 14
    private static let row = 1 << bits
    /// Two rows, or none as long as nothing was counted.
    private var counters: [UInt32] = []

    mutating func add(_ server: Endpoint) {
        if counters.isEmpty { counters = [UInt32](repeating: 0, count: 2 * FrequencySketch.row) }
        let (first, second) = FrequencySketch.places(server)
        FrequencySketch.add(1, &counters[first])
        FrequencySketch.add(1, &counters[second])
    }

    func prefetch(_ server: Endpoint) {
        let (first, second) = FrequencySketch.places(server)
        counters.prefetch(first)
        counters.prefetch(second)
    }

    mutating func add(_ other: FrequencySketch) {
        if counters.isEmpty { return counters = other.counters }
        for place in other.counters.indices { FrequencySketch.add(other.counters[place], &counters[place]) }
    }

    /// The most that a key may have occurred, up to 2^32 - 1.
    func most(_ server: Endpoint) -> Int {
        guard !counters.isEmpty else { return 0 }
        let (first, second) = FrequencySketch.places(server)
        return Int(min(counters[first], counters[second]))
    }

    @inline(__always)
    private static func add(_ more: UInt32, _ counter: inout UInt32) {
        let sum = counter.addingReportingOverflow(more)
        counter = sum.overflow ? .max : sum.partialValue
    }

    @inline(__always)
    private static func places(_ server: Endpoint) -> (Int, Int) {
        let hash = server.hash(seed: 0x9e37_79b9_7f4a_7c15)
        return (
            Int(truncatingIfNeeded: hash >> UInt64(64 - bits)),
            row + Int(truncatingIfNeeded: hash >> UInt64(64 - 2 * bits)) & (row - 1)
        )
    }
}

/// For the sources with the most distinct destinations, how many those are (at most 256 are told apart), in bounded memory. A count is a
/// lower bound, as above.
///
/// Sources of a flood have one destination each. So once there were more sources than are kept, one is counted from its second destination
/// on: until then its first stands in a place that it shares with others, and the last to come stays.
struct FrequentTargets: Sendable {
    private struct Pair: BitwiseCopyable {
        var source = IPAddress.none
        /// Of source and destination; 0 where there is none.
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
    static let most = 256
    private static let fewest = 64
    private var mostPairs: Int
    /// Those of `sources` when pairs were last looked through.
    private var lossesSeen = 0

    /// - Parameters:
    ///   - capacity: sources that are told apart at a time, a power of two; as many of each version have one destination.
    ///   - pairs: so many are kept at most, whatever the sources.
    ///   - seed: of the hashes of pairs.
    init(capacity: Int, pairs: Int, seed: UInt64) {
        sources = FrequentKeys(capacity: capacity, seed: seed)
        mostPairs = pairs
        singlesV4 = Singles(most: capacity)
        singlesV6 = Singles(most: capacity)
    }

    /// Of the hashes of sources, and by them of pairs.
    private var seed: UInt64 { sources.seed }

    @inline(__always)
    mutating func add(_ source: IPAddress, _ destination: Endpoint) {
        if source.version == .v4, destination.address.version == .v4 {
            return add(SingleTargetV4(source.low << 32 | destination.address.low, destination.port))
        }
        let new = SingleTargetV6(source: source, destination: destination)
        if isFollowed(source) { return add(Pair(new, seed: seed)) }
        if let first = singlesV6.add(new) { add(first, new) }
    }

    @inline(__always)
    mutating func add(_ new: SingleTargetV4) {
        if isFollowed(new.source) { return add(Pair(new, seed: seed)) }
        if let first = singlesV4.add(new) { add(first, new) }
    }

    /// Whether a source's destinations are counted from the first one on.
    @inline(__always)
    private func isFollowed(_ source: IPAddress) -> Bool { sources.losses == 0 || sources.contains(source) }

    private mutating func add(_ first: some SingleTarget, _ second: some SingleTarget) {
        add(Pair(first, seed: seed))
        add(Pair(second, seed: seed))
    }

    /// Adds what was seen elsewhere, of which some may be the same.
    mutating func add(_ other: FrequentTargets) {
        if other.isEmpty { return }
        if isEmpty {
            if mostPairs == 0 { return self = other }
            sources = FrequentKeys(capacity: sources.capacity, seed: other.seed)
        }
        precondition(seed == other.seed, "pairs with different hashes")
        // Pairs of sources that were let go may come again.
        if sources.losses != lossesSeen { rebuild() }
        let singles = singlePairs + other.singlePairs
        singlesV4.removeAll()
        singlesV6.removeAll()
        sources.makeRoom(for: other.sources.capacity + singles.count)
        mostPairs = max(mostPairs, 2 * (count + other.count + singles.count))
        for pair in singles { add(pair) }
        for pair in other.pairs where pair.hash != 0 && other.sources.contains(pair.source) { add(pair) }
    }

    private var isEmpty: Bool { pairs.isEmpty && singlesV4.isEmpty && singlesV6.isEmpty }

    private var singlePairs: [Pair] {
        singlesV4.all.map { Pair($0, seed: seed) } + singlesV6.all.map { Pair($0, seed: seed) }
    }

    @inline(never)
    private mutating func add(_ pair: Pair) {
        if pairs.isEmpty { pairs = [Pair](repeating: Pair(), count: FrequentTargets.fewest) }
        let position = position(of: pair.hash)
        guard pairs[position].hash == 0, sources[pair.source] < FrequentTargets.most else { return }
        pairs[position] = pair
        count += 1
        sources.add(pair.source)
        if count * 2 > pairs.count { rebuild() }
    }

    @inline(__always)
    private func position(of hash: UInt64) -> Int {
        var position = Int(truncatingIfNeeded: hash >> 1) & (pairs.count - 1)
        while pairs[position].hash != 0, pairs[position].hash != hash { position = (position + 1) & (pairs.count - 1) }
        return position
    }

    /// Lets go of the pairs of sources that are no longer counted, and of sources while there are too many pairs; a quarter full at
    /// most then.
    private mutating func rebuild() {
        var kept = pairs.filter { $0.hash != 0 && sources.contains($0.source) }
        while kept.count > mostPairs / 2 {
            sources.letGo()
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

    var sorted: [(key: IPAddress, count: Int)] { sources.sorted }
}

/// A source that has one destination. It is not hashed before it has another: of a flood, another source takes its place.
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

/// Sources with one destination, in fixed memory: where several share a place, the last to come stays. Which do is decided by a hash without
/// a seed.
struct Singles<Single: SingleTarget>: Sendable {
    private let most: Int
    private var places: [Single] = []

    /// - Parameter most: a power of two, or 0 for none.
    init(most: Int) { self.most = most }

    var isEmpty: Bool { places.isEmpty }
    var all: [Single] { places.filter(\.isThere) }

    /// - Returns: the first destination of a source of which this is the second: it has no place any more.
    @inline(__always)
    mutating func add(_ new: Single) -> Single? {
        if places.isEmpty { places = [Single](repeating: Single(), count: most) }
        let hash = new.source.hash(seed: 0x9e37_79b9_7f4a_7c15)
        let place = Int(truncatingIfNeeded: hash >> 32) & (most - 1)
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

extension IPAddress: CountedKey {
    static var none: IPAddress { IPAddress(v4: 0) }

    @inline(__always)
    func hash(seed: UInt64) -> UInt64 {
        let hash = mixed(low ^ seed, seed)
        return version == .v4 ? hash : mixed(hash ^ high, seed)
    }
}

extension Endpoint: CountedKey {
    static var none: Endpoint { Endpoint(.none, 0) }

    @inline(__always)
    func hash(seed: UInt64) -> UInt64 { mixed(address.hash(seed: seed) ^ UInt64(port), seed) }
}

/// One round of mixing with a secret: every bit of the result depends on all above and below.
@inline(__always)
private func mixed(_ word: UInt64, _ seed: UInt64) -> UInt64 {
    let product = (word ^ word >> 32) &* (seed | 1)
    return (product ^ product >> 29) &* 0x9e37_79b9_7f4a_7c15
}
