import PacketWire

// The parts of the tuples: which are this tracker's, and what is at hand of the one that a frame belongs to.
extension HandshakeTracker {
    /// The most trackers that tuples can be shared out among.
    package static var mostWorkers: Int { Part.most }

    /// Which parts are this tracker's. In words, four bits and one for each part: a frame's place is found without memory.
    struct Share {
        private var places: UInt64 = 0
        private var owned: UInt16 = 0
        /// Parts of all trackers, and of this one.
        let all: Int
        let count: Int

        init(of all: Int, worker: Int, of workers: Int) {
            precondition(all <= Part.most && worker >= 0 && worker < workers && workers <= all)
            self.all = all
            count = (all - worker + workers - 1) / workers
            // Where there are fewer parts than tuples tell apart, several are one.
            for number in 0..<Part.most where number % all % workers == worker {
                owned |= 1 << UInt16(number)
                places |= UInt64(number % all / workers) << UInt64(number * 4)
            }
        }

        /// The number of the part at a place.
        func part(at place: Int) -> UInt8 {
            UInt8((0..<Part.most).first { has(UInt8($0)) && self.place(ofPart: UInt8($0)) == place } ?? 0)
        }

        /// Whether a tuple's part is this tracker's.
        @inline(__always)
        func has(_ part: UInt8) -> Bool { owned &>> UInt16(part) & 1 != 0 }

        /// Whether it is all parts.
        @inline(__always) var isWhole: Bool { count == all }

        /// Those of a batch's frames that this tracker has to look at.
        @inline(__always)
        func frames(of batch: borrowing FrameBatch) -> BitSet64 {
            if isWhole { return BitSet64(bits: UInt64.max &>> UInt64(FrameBatch.capacity &- batch.count)) }
            var frames = batch.unusual
            for part in BitSet64(bits: UInt64(owned)) { frames |= batch.ofPart[part] }
            return BitSet64(bits: frames)
        }

        /// Where a part that is this tracker's is among its own.
        @inline(__always)
        func place(ofPart part: UInt8) -> UInt8 { UInt8(truncatingIfNeeded: places &>> UInt64(part &* 4) & 15) }

        /// Whether frames that belong to no tuple are counted here.
        @inline(__always) var hasFirst: Bool { has(0) }
    }

    // Of the part at hand. A frame's is taken at hand before anything else is done with it.
    @inline(__always) var index: HashIndex {
        _read { yield parts.current.index }
        nonmutating _modify { yield &parts.current.index }
    }
    @inline(__always) var queues: QueueSet {
        _read { yield parts.current.queues }
        nonmutating _modify { yield &parts.current.queues }
    }
    @inline(__always) var patterns: TrafficPatterns {
        _read { yield parts.current.patterns }
        nonmutating _modify { yield &parts.current.patterns }
    }
    @inline(__always) var profiles: ProfileTable {
        _read { yield parts.current.profiles }
        nonmutating _modify { yield &parts.current.profiles }
    }
    @inline(__always) var hints: ProfileHints {
        _read { yield parts.current.hints }
        nonmutating _modify { yield &parts.current.hints }
    }
    /// Of the attempts that have a log.
    @inline(__always) var noteCount: Int {
        get { parts.current.noteCount }
        nonmutating set { parts.current.noteCount = newValue }
    }
    @inline(__always) var attemptCount: Int {
        get { parts.current.attemptCount }
        nonmutating set { parts.current.attemptCount = newValue }
    }

    /// Whether one more would be too many for the part at hand, or too much.
    @inline(__always)
    var isFull: Bool {
        attemptCount >= attemptLimit
            || memoryLimit != .max
                && parts.current.octets &+ sizeSinceChoice &+ index.sizeWithOneMore > memoryLimit
    }

    /// Octets that came or went since the part at hand was chosen.
    private var sizeSinceChoice: Int { attempts.size &+ notes.size &- sizeAtChoice }

    @inline(__always)
    mutating func choose(_ place: UInt8) {
        if memoryLimit != .max {
            parts.current.octets += sizeSinceChoice
            sizeAtChoice = attempts.size &+ notes.size
        }
        parts.choose(place)
    }

    /// Takes the part of a frame's tuple at hand; false where it is another tracker's.
    mutating func begin(_ tuple: Tuple) -> Bool {
        let part = tuple.part
        guard share.has(part) else { return false }
        begin(share.place(ofPart: part))
        return true
    }

    @inline(__always)
    mutating func begin(_ place: UInt8) {
        choose(place)
        // What is remembered of attempts grows too.
        if memoryLimit != .max, isFull { shrink() }
    }

    // MARK: Routes, from a hash to the newest attempt on its tuple, of the part at hand

    /// - Parameter vacancy: as `HashIndex.insert`.
    @inline(__always)
    mutating func addRoute(_ hash: UInt64, _ slot: UInt32, at vacancy: Int = -1) {
        index.insert(hash, slot, at: vacancy)
        // Of a flood none is heard of again.
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
