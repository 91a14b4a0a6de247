import PacketWire

/// A part of the tuples, and all that is remembered of the attempts on them.
///
/// Tuples are shared out among a fixed number of parts, whatever the number of workers that follow them. Each part has its share of
/// the limits and lets go of its own oldest, so that what is let go does not depend on who works beside it; and each grows by itself,
/// so that no growth takes long.
struct Part: ~Copyable {
    /// How many there are, where there is room for more than a few attempts in each.
    static let most = 16
    /// Attempts and octets below which a part would be too small to be even.
    static let leastAttempts = 1 << 12
    static let leastMemory = 4 << 20

    var attempts: AttemptTable
    var notes: Pool<SegmentNote>
    /// The most notes that are logged at a time.
    let noteLimit: Int
    /// The most octets that it may take.
    let memoryLimit: Int
    /// How the segments of open attempts were carried, of those that came through tunnels: rare, so beside the table.
    var paths: [UInt32: TunnelPaths] = [:]
    var index = HashIndex()
    var queues = QueueSet()
    var patterns: TrafficPatterns

    /// How many parts a table with these limits has.
    static func count(attempts: Int, memory: Int) -> Int {
        attempts >= most * leastAttempts && memory >= most * leastMemory ? most : 1
    }

    /// Nil where the address space for so many attempts is not granted.
    init?(attempts limit: Int, memory: Int, seed: UInt64) {
        attempts = AttemptTable(capacity: limit)
        notes = Pool(capacity: limit * (HandshakeTracker.notesPerAttempt + 3))
        noteLimit = limit * HandshakeTracker.notesPerAttempt
        memoryLimit = memory
        patterns = TrafficPatterns(seed: seed)
        if !attempts.isUsable || notes.capacity == 0 { return nil }
    }

    /// Whether one more would be too many, or too much.
    @inline(__always)
    var isFull: Bool {
        attempts.isFull || index.isFull
            || memoryLimit != .max && attempts.size &+ notes.size &+ index.sizeWithOneMore > memoryLimit
    }

    /// Forgets everything at once: one by one would take as long as it took to add them.
    mutating func removeAll() {
        attempts.removeAll()
        notes.removeAll()
        index.removeAll()
        queues = QueueSet()
    }
}

extension Tuple {
    /// Which part it belongs to. Not by the seed: what a full part lets go of must not change from run to run.
    @inline(__always)
    func part(of count: Int) -> Int {
        let words =
            lowLow &* 0x9e37_79b9_7f4a_7c15 ^ highLow &* 0xe703_7ed1_a0b4_28db ^ lowHigh &* 0x8ebc_6af0_9c88_c6e3
        let mixed = (words ^ highHigh ^ UInt64(ports) &* 0xa076_1d64_78bd_642f) &* 0x5899_65cc_7537_4cc3
        return Int(truncatingIfNeeded: mixed >> 60) & (count - 1)
    }
}
