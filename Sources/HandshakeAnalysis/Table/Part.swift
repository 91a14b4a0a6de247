import PacketWire

/// A part of the tuples: which attempts are remembered on them, in what order they end, and what they have in common.
///
/// Tuples are shared out among a fixed number of parts, whatever the number of workers that follow them. Each part has its share of
/// the limits and lets go of its own oldest, so that what is let go does not depend on who works beside it; and each grows by itself,
/// so that no growth takes long.
struct Part: ~Copyable {
    /// How many there are, where there is room for more than a few attempts in each.
    static let most = Tuple.parts
    /// Attempts and octets below which a part would be too small to be even.
    static let leastAttempts = 1 << 12
    static let leastMemory = 4 << 20

    var index: HashIndex
    var queues = QueueSet()
    var patterns: TrafficPatterns
    var profiles: ProfileTable
    /// Where profiles were last time.
    var hints = ProfileHints()
    /// Of the end, until they are added up.
    var silences = Silences()
    /// Of the parts of all trackers.
    let number: UInt8
    /// Attempts, segments in their logs, and octets of both, of what the tracker remembers.
    var attemptCount = 0
    var noteCount = 0
    var octets = 0

    /// How many parts a table with these limits has.
    static func count(attempts: Int, memory: Int) -> Int {
        attempts >= most * leastAttempts && memory >= most * leastMemory ? most : 1
    }

    /// - Parameters:
    ///   - count: of the parts of all trackers.
    ///   - room: of the index.
    ///   - mostProfiles: in all of them.
    ///   - seed: of the hashes in patterns.
    init(number: UInt8, of count: Int, _ room: IndexRoom, mostProfiles: Int, seed: UInt64) {
        self.number = number
        index = HashIndex(room)
        patterns = TrafficPatterns(parts: count, seed: seed)
        profiles = ProfileTable(most: mostProfiles / count)
    }

    /// Forgets everything at once: one by one would take as long as it took to add them.
    mutating func removeAll() {
        index.removeAll()
        queues = QueueSet()
        (attemptCount, noteCount, octets) = (0, 0, 0)
    }
}
