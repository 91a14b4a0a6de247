import PacketWire

// The parts of the tuples: which are this tracker's, and what is at hand of the one that a frame belongs to.
extension HandshakeTracker {
    /// The most trackers that tuples can be shared out among.
    package static var mostWorkers: Int { Part.most }

    /// Which parts are this tracker's.
    struct Share {
        /// For each part its place among this tracker's, or `another`.
        private var places = InlineArray<16, UInt8>(repeating: another)
        static let another: UInt8 = 255
        /// Parts of all trackers, and of this one.
        let all: Int
        let count: Int

        init(of all: Int, worker: Int, of workers: Int) {
            precondition(all <= Part.most && worker >= 0 && worker < workers && workers <= all)
            self.all = all
            var count = 0
            for part in stride(from: worker, to: all, by: workers) {
                places[part] = UInt8(count)
                count += 1
            }
            self.count = count
        }

        /// The number of the part at a place.
        func part(at place: Int) -> UInt8 {
            UInt8((0..<all).first { Int(places[$0]) == place } ?? 0)
        }

        /// Where a tuple's part is among this tracker's, or `another`.
        @inline(__always)
        func place(ofPart part: UInt8) -> UInt8 { places[Int(part) & (all - 1)] }

        /// Whether frames that belong to no tuple are counted here.
        @inline(__always) var hasFirst: Bool { places[0] == 0 }
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
        let place = share.place(ofPart: tuple.part)
        if place == Share.another { return false }
        begin(place)
        return true
    }

    @inline(__always)
    mutating func begin(_ place: UInt8) {
        choose(place)
        // What is remembered of attempts grows too.
        if memoryLimit != .max, isFull { shrink() }
    }
}
