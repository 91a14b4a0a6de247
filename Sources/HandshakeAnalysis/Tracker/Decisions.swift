package import HandshakeRecord
import PacketWire

/// Decided attempts in order: plain attempts, and records.
package struct Decisions: Sendable {
    /// In the place of a closing frame's: closed by the end of the capture; by its time, as that became known.
    static let end = UInt64.max >> 1
    static let endOfTime = end - 1

    fileprivate struct Place {
        /// Twice the closing frame's place among all, and one more where expiry did not do it: what expires comes
        /// first.
        var order: UInt64
        var id: UInt64
        /// Position of a record; complement of the position of a plain attempt.
        var position: Int
    }

    private var order: [Place] = []
    private(set) var records: [AttemptRecord] = []
    private var plain: [PlainDecision] = []
    /// Attempts that were added since the others were put in order.
    private var unordered = 0
    /// Whether there is more of what was decided at the same frames.
    package internal(set) var hasMore = false
    /// The context that records of plain attempts need; nil where there are none.
    var context: Context?

    struct Context {
        /// By shard.
        var profiles: [UInt8: ProfileTable]
        var now: Int64
        var captureStart: Int64
    }

    package init() {}

    package var isEmpty: Bool { order.isEmpty }
    package var count: Int { order.count }

    /// - Parameters:
    ///   - frame: where the frame that closed it stands among all.
    ///   - isExpiry: the clock closed it (`expire`), and not a segment. A segment of its tuple may also find its time
    ///     over:
    ///     one tracker decides that, after what the frame let expire everywhere.
    mutating func add(_ record: AttemptRecord, closedBy frame: UInt64, isExpiry: Bool) {
        place(record.id, at: records.count, frame, isExpiry)
        records.append(record)
    }

    mutating func add(_ attempt: PlainDecision, closedBy frame: UInt64, isExpiry: Bool) {
        place(attempt.entry.firstFrame, at: ~plain.count, frame, isExpiry)
        plain.append(attempt)
    }

    @inline(__always)
    private mutating func place(_ id: UInt64, at position: Int, _ frame: UInt64, _ isExpiry: Bool) {
        order.append(Place(order: frame << 1 | (isExpiry ? 0 : 1), id: id, position: position))
        unordered += 1
    }

    /// Orders the attempts that were decided since the last call, all by one frame, by their first frames.
    @inline(__always)
    mutating func orderNewest() {
        if unordered == 0 { return }
        if unordered > 1 { order[(order.count - unordered)...].sort { $0.id < $1.id } }
        unordered = 0
    }

    mutating func removeAll() {
        order.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        plain.removeAll(keepingCapacity: true)
        unordered = 0
    }

    /// The records alone, where all are.
    var inOrder: [AttemptRecord] { order.map { records[$0.position] } }

    /// The record of a plain attempt among them.
    fileprivate func record(of plain: PlainDecision) -> AttemptRecord {
        guard let context, let profiles = context.profiles[plain.shard] else {
            preconditionFailure("a plain attempt that was not handed out by moveDecisions")
        }
        var log: [SegmentNote] = []
        let attempt = Attempt(
            plain.entry, ConnectionKey(plain.client, plain.server), plain.progress, nil, profiles,
            log: { log.append($0) })
        return Judge(
            attempt: attempt, paths: nil, log: log, cause: .evidence, now: context.now,
            captureStart: context.captureStart, isListed: true
        ).record(isPlain: true)
    }

    /// Goes through what several trackers decided at the same frames, in the order in which one would have decided it.
    ///
    /// Where a tracker's are not all (`hasMore`), the others have to wait for what follows: `next` ends, and goes on
    /// once that was put in the place of what was gone through.
    package struct Order {
        /// Where an attempt is.
        package struct Turn {
            fileprivate let tracker: Int
            fileprivate let place: Place
        }

        private var decisions: [Decisions]
        private var positions: [Int]
        /// The tracker of which more is needed; nil where there is no more.
        package private(set) var awaited: Int?

        package init(_ decisions: [Decisions]) {
            self.decisions = decisions
            positions = [Int](repeating: 0, count: decisions.count)
        }

        /// Lets go of what was gone through of the tracker that is awaited.
        package mutating func release() { if let awaited { decisions[awaited] = Decisions() } }

        /// Goes on with what it decided next.
        package mutating func resume(with more: Decisions) {
            guard let tracker = awaited else { return }
            decisions[tracker] = more
            positions[tracker] = 0
            awaited = nil
        }

        package mutating func next() -> Turn? {
            var first: Turn?
            for tracker in decisions.indices {
                guard positions[tracker] < decisions[tracker].order.count else {
                    if !decisions[tracker].hasMore { continue }
                    awaited = tracker
                    return nil
                }
                let place = decisions[tracker].order[positions[tracker]]
                if let first, (first.place.order, first.place.id) < (place.order, place.id) { continue }
                first = Turn(tracker: tracker, place: place)
            }
            if let first { positions[first.tracker] += 1 }
            return first
        }

        /// Whether the attempt is a plain one.
        package func isPlain(_ turn: Turn) -> Bool { turn.place.position < 0 }

        /// The figures of the attempt, which is a plain one.
        package func plain(_ turn: Turn) -> PlainAttempt {
            decisions[turn.tracker].plain[~turn.place.position].attempt
        }

        /// The record of the attempt, whatever it is.
        package func record(_ turn: Turn) -> AttemptRecord {
            isPlain(turn)
                ? decisions[turn.tracker].record(of: decisions[turn.tracker].plain[~turn.place.position])
                : decisions[turn.tracker].records[turn.place.position]
        }
    }
}

extension HandshakeTracker {
    /// Hands out what was decided since the last call, in order.
    /// - Parameter taken: what was handed out before: its memory is used again.
    package mutating func moveDecisions(into taken: inout Decisions) {
        taken.removeAll()
        swap(&taken, &decisions)
        taken.hasMore = !expiryPlan.isEmpty
        if configuration.listing == .plainAndRecords, !taken.isEmpty {
            let known = (0..<UInt8(shards.count)).reduce(0) { $0 + shards[$1].profiles.count }
            if known != knownProfiles {
                knownProfiles = known
                handedProfiles = [:]
                for place in 0..<UInt8(shards.count) {
                    handedProfiles[shards[place].number] = shards[place].profiles
                }
            }
            taken.context = Decisions.Context(
                profiles: handedProfiles, now: clock.now ?? time, captureStart: clock.first ?? time)
        }
    }
}
