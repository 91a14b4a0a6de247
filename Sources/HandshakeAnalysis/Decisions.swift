import PacketWire

/// What was decided, in order: plain attempts, and records.
package struct Decisions: Sendable {
    /// In the place of a closing frame's: closed by the end of the capture; by its time, as that became known.
    static let end = UInt64.max
    static let endOfTime = UInt64.max - 1

    private struct Place {
        /// Where the frame that closed it stands among all.
        var order: UInt64
        var id: UInt64
        /// Of a record its position, of a plain attempt the complement.
        var position: Int
    }

    private var order: [Place] = []
    private(set) var records: [AttemptRecord] = []
    private var plain: [PlainAttempt] = []
    /// So many were added since the order of the others was settled.
    private var unsettled = 0
    /// What the records of plain attempts need beside them; nil where there are none.
    var context: Context?

    struct Context {
        /// By part.
        var profiles: [UInt8: ProfileTable]
        var now: Int64
        var captureStart: Int64
        var distrustsChecksums: Bool
    }

    package init() {}

    package var isEmpty: Bool { order.isEmpty }

    mutating func add(_ record: AttemptRecord, closedBy order: UInt64) {
        self.order.append(Place(order: order, id: record.id, position: records.count))
        records.append(record)
        unsettled += 1
    }

    mutating func add(_ attempt: PlainAttempt, closedBy order: UInt64) {
        self.order.append(Place(order: order, id: attempt.id, position: ~plain.count))
        plain.append(attempt)
        unsettled += 1
    }

    /// What was decided since the last call was decided by one frame: it comes in the order of first frames.
    @inline(__always)
    mutating func settle() {
        if unsettled == 0 { return }
        if unsettled > 1 { order[(order.count - unsettled)...].sort { $0.id < $1.id } }
        unsettled = 0
    }

    mutating func removeAll() {
        order.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        plain.removeAll(keepingCapacity: true)
        unsettled = 0
    }

    /// The records alone, where all are.
    var inOrder: [AttemptRecord] { order.map { records[$0.position] } }

    package var count: Int { order.count }

    /// The plain attempt at a position of the order, if it is one.
    package func plain(at position: Int) -> PlainAttempt? {
        let place = order[position].position
        return place < 0 ? plain[~place] : nil
    }

    /// The record at a position that has one.
    package func record(at position: Int) -> AttemptRecord { records[order[position].position] }

    /// The record of a plain attempt among them.
    package func record(of plain: PlainAttempt) -> AttemptRecord {
        guard let context, let profiles = context.profiles[plain.part] else {
            preconditionFailure("a plain attempt that was not handed out by take")
        }
        var log: [SegmentNote] = []
        let attempt = Attempt(
            plain.entry, ConnectionKey(plain.client, plain.server), plain.progress, nil, profiles,
            log: { log.append($0) })
        return Judge(
            attempt: attempt, paths: nil, log: log, cause: .evidence, now: context.now,
            captureStart: context.captureStart, distrustsChecksums: context.distrustsChecksums, isListed: true
        ).record(isPlain: true)
    }

    /// Goes through what several trackers decided at the same frames, in the order in which one would have decided it.
    package struct Order: IteratorProtocol {
        private let decisions: [Decisions]
        private var positions: [Int]

        package init(_ decisions: [Decisions]) {
            self.decisions = decisions
            positions = [Int](repeating: 0, count: decisions.count)
        }

        package mutating func next() -> (tracker: Int, position: Int)? {
            var first: (tracker: Int, order: UInt64, id: UInt64)?
            for tracker in decisions.indices where positions[tracker] < decisions[tracker].count {
                let place = decisions[tracker].order[positions[tracker]]
                if let first, (first.order, first.id) < (place.order, place.id) { continue }
                first = (tracker, place.order, place.id)
            }
            guard let first else { return nil }
            defer { positions[first.tracker] += 1 }
            return (first.tracker, positions[first.tracker])
        }
    }
}

extension HandshakeTracker {
    /// Hands out what was decided since the last call, in order.
    /// - Parameter taken: what was handed out before: its memory is used again.
    package mutating func take(_ taken: inout Decisions) {
        taken.removeAll()
        swap(&taken, &decisions)
        if configuration.listsPlain, !taken.isEmpty {
            let known = (0..<UInt8(parts.count)).reduce(0) { $0 + parts[$1].profiles.count }
            if known != knownProfiles {
                knownProfiles = known
                handedProfiles = [:]
                for place in 0..<UInt8(parts.count) {
                    handedProfiles[parts[place].number] = parts[place].profiles
                }
            }
            taken.context = Decisions.Context(
                profiles: handedProfiles, now: clock.now ?? time, captureStart: clock.first ?? time,
                distrustsChecksums: !trustsChecksums)
        }
    }
}
