import PacketWire

/// A shard of the tuples: the attempts that are remembered on them, the order in which they end, and what they have in
/// common.
///
/// The number of shards is fixed, whatever the number of workers. Each shard has its share of the limits and evicts its
/// own oldest: so evictions do not depend on the number of workers. Each grows by itself: so no growth takes long.
struct Shard: ~Copyable {
    /// How many there are, where there is room for more than a few attempts in each.
    static let maximumShards = Tuple.shards
    /// Attempts and octets below which a shard would be too small to be even.
    static let leastAttempts = 1 << 12
    static let leastMemory = 4 << 20

    var index: HashIndex
    var queues = QueueSet()
    var patterns: TrafficPatterns
    var profiles: ProfileTable
    /// Where profiles were last time.
    var hints = ProfileHints()
    /// Attempts that the end of the capture found open, until they are added up.
    var silences = Silences()
    /// Its number among the shards of all trackers.
    let number: UInt8
    /// Attempts, segments in their logs, and octets of both, of what the tracker remembers.
    var attemptCount = 0
    var noteCount = 0
    var octets = 0

    /// How many shards a table with these limits has.
    static func count(attempts: Int, memory: Int) -> Int {
        attempts >= maximumShards * leastAttempts && memory >= maximumShards * leastMemory ? maximumShards : 1
    }

    /// - Parameters:
    ///   - count: of the shards of all trackers.
    ///   - room: of the index.
    ///   - maximumProfiles: in all of them.
    ///   - seed: of the hashes in patterns.
    init(number: UInt8, of count: Int, _ room: IndexRoom, maximumProfiles: Int, seed: UInt64) {
        self.number = number
        index = HashIndex(room)
        patterns = TrafficPatterns(shards: count, seed: seed)
        profiles = ProfileTable(maximum: maximumProfiles / count)
    }

    /// Forgets everything at once: one by one would take as long as it took to add them.
    mutating func removeAll() {
        index.removeAll()
        queues = QueueSet()
        (attemptCount, noteCount, octets) = (0, 0, 0)
    }
}
