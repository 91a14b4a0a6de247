import PacketWire

// The shards of the tuples: which of them this tracker owns, and the state of the current one.
extension HandshakeTracker {
    /// The most trackers that tuples can be shared out among.
    package static var maximumWorkers: Int { Shard.maximumShards }

    /// The shards that this tracker owns: in two words, four bits and one for each shard, so that a frame's place needs
    /// no memory.
    struct OwnShards {
        private var places: UInt64 = 0
        private var owned: UInt16 = 0
        /// Shards of all trackers, and of this one.
        let all: Int
        let count: Int

        init(of all: Int, worker: Int, of workers: Int) {
            precondition(all <= Shard.maximumShards && worker >= 0 && worker < workers && workers <= all)
            self.all = all
            count = (all - worker + workers - 1) / workers
            // Where there are fewer shards than tuples tell apart, several are one.
            for number in 0..<Shard.maximumShards where number % all % workers == worker {
                owned |= 1 << UInt16(number)
                places |= UInt64(number % all / workers) << UInt64(number * 4)
            }
        }

        /// The number of the shard at a place.
        func shard(at place: Int) -> UInt8 {
            UInt8((0..<Shard.maximumShards).first { has(UInt8($0)) && self.place(ofShard: UInt8($0)) == place } ?? 0)
        }

        /// Whether a tuple's shard is this tracker's.
        @inline(__always)
        func has(_ shard: UInt8) -> Bool { owned &>> UInt16(shard) & 1 != 0 }

        /// Whether it is all shards.
        @inline(__always) var isWhole: Bool { count == all }

        /// Those of a batch's frames that this tracker has to look at.
        @inline(__always)
        func frames(of batch: borrowing FrameBatch) -> BitSet64 {
            if isWhole { return BitSet64(bits: UInt64.max &>> UInt64(FrameBatch.capacity &- batch.count)) }
            var frames = batch.unusual
            for shard in BitSet64(bits: UInt64(owned)) { frames |= batch.ofShard[shard] }
            return BitSet64(bits: frames)
        }

        /// Where a shard that is this tracker's is among its own.
        @inline(__always)
        func place(ofShard shard: UInt8) -> UInt8 { UInt8(truncatingIfNeeded: places &>> UInt64(shard &* 4) & 15) }

        /// Whether frames that belong to no tuple are counted here.
        @inline(__always) var hasFirst: Bool { has(0) }
    }

    // State of the current shard. `selectShard(of:)` selects a frame's shard first.
    @inline(__always) var index: HashIndex {
        _read { yield shards.current.index }
        nonmutating _modify { yield &shards.current.index }
    }
    @inline(__always) var queues: QueueSet {
        _read { yield shards.current.queues }
        nonmutating _modify { yield &shards.current.queues }
    }
    @inline(__always) var patterns: TrafficPatterns {
        _read { yield shards.current.patterns }
        nonmutating _modify { yield &shards.current.patterns }
    }
    @inline(__always) var profiles: ProfileTable {
        _read { yield shards.current.profiles }
        nonmutating _modify { yield &shards.current.profiles }
    }
    @inline(__always) var hints: ProfileHints {
        _read { yield shards.current.hints }
        nonmutating _modify { yield &shards.current.hints }
    }
    /// Segments in the logs of the shard's attempts.
    @inline(__always) var noteCount: Int {
        get { shards.current.noteCount }
        nonmutating set { shards.current.noteCount = newValue }
    }
    @inline(__always) var attemptCount: Int {
        get { shards.current.attemptCount }
        nonmutating set { shards.current.attemptCount = newValue }
    }

    /// Whether one more would be too many for the current shard, or too much.
    @inline(__always)
    var isFull: Bool {
        attemptCount >= attemptLimit
            || memoryLimit != .max
                && shards.current.octets &+ sizeSinceSelection &+ index.sizeWithOneMore > memoryLimit
    }

    /// Octets that came or went since the current shard was selected.
    private var sizeSinceSelection: Int { attempts.size &+ notes.size &- sizeAtSelection }

    @inline(__always)
    mutating func select(_ place: UInt8) {
        if memoryLimit != .max {
            shards.current.octets += sizeSinceSelection
            sizeAtSelection = attempts.size &+ notes.size
        }
        shards.select(place)
    }

    /// Makes the shard of a frame's tuple the current one; false where it is another tracker's.
    mutating func selectShard(of tuple: Tuple) -> Bool {
        let shard = tuple.shard
        guard ownShards.has(shard) else { return false }
        selectShard(at: ownShards.place(ofShard: shard))
        return true
    }

    @inline(__always)
    mutating func selectShard(at place: UInt8) {
        select(place)
        // Remembered attempts grow too.
        if memoryLimit != .max, isFull { shrink() }
    }

    // MARK: Routes, from a hash to the newest attempt on its tuple, of the current shard

    /// - Parameter vacancy: as `HashIndex.insert`.
    @inline(__always)
    mutating func addRoute(_ hash: UInt64, _ slot: UInt32, at vacancy: Int = -1) {
        index.insert(hash, slot, at: vacancy)
        // An attempt of a flood has no further segments.
        if !isFlooded { recentIndex.remember(hash, slot) }
    }

    mutating func replaceRoute(_ hash: UInt64, _ old: UInt32, with new: UInt32) {
        index.replace(hash, old, with: new)
        recentIndex.forget(hash, old)
        recentIndex.remember(hash, new)
        reroutings += 1
    }

    mutating func removeRoute(_ hash: UInt64, _ slot: UInt32) {
        index.remove(hash, slot)
        recentIndex.forget(hash, slot)
        reroutings += 1
    }
}
