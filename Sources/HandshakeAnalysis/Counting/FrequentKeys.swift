import PacketWire

/// A key that `FrequentKeys` can count.
protocol CountedKey: Equatable, Comparable, BitwiseCopyable, Sendable {
    func hash(seed: UInt64) -> UInt64
    static var none: Self { get }
}

/// The first and the last of some times, in nanoseconds since the epoch.
struct TimeWindow: BitwiseCopyable, Sendable {
    private(set) var first = Int64.max
    private(set) var last = Int64.min

    init() {}

    @inline(__always) init(_ time: Int64) { (first, last) = (time, time) }

    var range: ClosedRange<Int64>? { first <= last ? first...last : nil }

    @inline(__always)
    mutating func add(_ time: Int64) {
        first = min(first, time)
        last = max(last, time)
    }

    mutating func add(_ other: TimeWindow) {
        first = min(first, other.first)
        last = max(last, other.last)
    }
}

/// The most frequent keys of a stream, in bounded memory (as Manku and Motwani's lossy counting, 2002): once there are
/// more keys than are kept, the least frequent are let go until half of them are left at most, equals together. What
/// stays keeps its count. A count is a lower bound.
struct FrequentKeys<Key: CountedKey>: Sendable {
    private struct Slot: BitwiseCopyable {
        var key: Key
        /// 0 where there is none.
        var count: Int
        /// When it was counted.
        var window = TimeWindow()
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
    private var latestWindow = TimeWindow()
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

    /// - Parameter time: nanoseconds since the epoch.
    @inline(__always)
    mutating func add(_ key: Key, at time: Int64) {
        // A flood is of one key.
        if key == latest, latestPosition >= 0 {
            latestMore &+= 1
            latestWindow.add(time)
        } else {
            addAnother(key, TimeWindow(time))
        }
    }

    /// Counts a key once.
    /// - Parameter window: its time; empty where that is not known.
    mutating func add(_ key: Key, _ window: TimeWindow) { addAnother(key, window) }

    @inline(never)
    private mutating func addAnother(_ key: Key, _ window: TimeWindow) {
        storeLatest()
        if slots.isEmpty { rebuild([], size: 16) }
        let position = position(of: key)
        (latest, latestPosition) = (key, position)
        slots[position].count += 1
        slots[position].window.add(window)
        if slots[position].count > 1 { return }
        slots[position].key = key
        keys += 1
        if keys > capacity { evict() } else if keys * 2 > slots.count { rebuild(slots, size: slots.count * 2) }
    }

    /// Stores what was counted beside the slots, which may move.
    private mutating func storeLatest() {
        if latestMore > 0 {
            slots[latestPosition].count += latestMore
            slots[latestPosition].window.add(latestWindow)
        }
        (latestPosition, latestMore, latestWindow) = (-1, 0, TimeWindow())
    }

    /// Has room for so many keys more.
    mutating func makeRoom(for more: Int) { capacity += more }

    /// Adds what was counted elsewhere. Nothing is let go: there is room for the keys of both.
    mutating func add(_ other: FrequentKeys) {
        if slots.isEmpty, capacity == 0 { return self = other }
        storeLatest()
        var other = other
        other.storeLatest()
        capacity += other.capacity
        if slots.isEmpty { rebuild([], size: 16) }
        for slot in other.slots where slot.count > 0 {
            let position = position(of: slot.key)
            if slots[position].count > 0 {
                slots[position].count += slot.count
                slots[position].window.add(slot.window)
                continue
            }
            slots[position] = slot
            keys += 1
            if keys * 2 > slots.count { rebuild(slots, size: slots.count * 2) }
        }
    }

    private mutating func rebuild(_ kept: [Slot], size: Int) {
        assert(latestMore == 0, "counts that the slots do not have yet")
        storeLatest()
        slots = [Slot](repeating: Slot(key: .none, count: 0), count: size)
        for slot in kept where slot.count > 0 { slots[position(of: slot.key)] = slot }
    }

    /// Lets half of the keys go, or more.
    mutating func evict() {
        storeLatest()
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
        for position in slots.indices { slots[position] = Slot(key: .none, count: 0) }
        keys = 0
        for slot in spare where slot.count > least {
            slots[position(of: slot.key)] = slot
            keys += 1
        }
    }

    /// Takes when keys that are here were counted elsewhere.
    mutating func addWindows(of other: FrequentKeys) {
        storeLatest()
        for slot in other.slots where slot.count > 0 && !slots.isEmpty {
            let position = position(of: slot.key)
            if slots[position].count > 0 { slots[position].window.add(slot.window) }
        }
    }

    /// Most frequent first; equals in the keys' order.
    var sorted: [(key: Key, count: Int, window: TimeWindow)] {
        var stored = self
        stored.storeLatest()
        return stored.slots.filter { $0.count > 0 }.map { (key: $0.key, count: $0.count, window: $0.window) }
            .sorted { ($1.count, $0.key) < ($0.count, $1.key) }
    }
}

/// How often each key occurred at most, in fixed memory (the count-min sketch of Cormode and Muthukrishnan, 2005): a
/// key adds to one counter of each row, and the least of its counters is its own count and those of keys that share it.
/// Sketches of several shards add up to the sketch that one shard would have had. So the hashes have no seed, and
/// whoever chooses keys that share the counters of another key can make that one seem more frequent.
struct FrequencySketch: Sendable {
    private static let bits = 14
    private static let row = 1 << bits
    /// Two rows, or none as long as nothing was counted.
    private var counters: [UInt32] = []

    mutating func add(_ key: some CountedKey) {
        if counters.isEmpty { counters = [UInt32](repeating: 0, count: 2 * FrequencySketch.row) }
        let (first, second) = FrequencySketch.places(key)
        FrequencySketch.add(1, &counters[first])
        FrequencySketch.add(1, &counters[second])
    }

    func prefetch(_ key: some CountedKey) {
        let (first, second) = FrequencySketch.places(key)
        counters.prefetch(first)
        counters.prefetch(second)
    }

    mutating func add(_ other: FrequencySketch) {
        if counters.isEmpty { return counters = other.counters }
        for place in other.counters.indices { FrequencySketch.add(other.counters[place], &counters[place]) }
    }

    /// The most that a key may have occurred, up to 2^32 - 1.
    func upperBound(of key: some CountedKey) -> Int {
        guard !counters.isEmpty else { return 0 }
        let (first, second) = FrequencySketch.places(key)
        return Int(min(counters[first], counters[second]))
    }

    @inline(__always)
    private static func add(_ more: UInt32, _ counter: inout UInt32) {
        let sum = counter.addingReportingOverflow(more)
        counter = sum.overflow ? .max : sum.partialValue
    }

    @inline(__always)
    private static func places(_ key: some CountedKey) -> (Int, Int) {
        let hash = key.hash(seed: 0x9e37_79b9_7f4a_7c15)
        return (
            Int(truncatingIfNeeded: hash >> UInt64(64 - bits)),
            row + Int(truncatingIfNeeded: hash >> UInt64(64 - 2 * bits)) & (row - 1)
        )
    }
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
