import PacketWire

/// What was decided, in order: plain attempts, and records.
package struct Decisions: Sendable {
    /// In the place of a closing frame's: closed by the end of the capture; by its time, as that became known.
    static let end = UInt64.max
    static let endOfTime = UInt64.max - 1

    fileprivate struct Place {
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

    /// The record of a plain attempt among them.
    fileprivate func record(of plain: PlainAttempt) -> AttemptRecord {
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
        /// Where an attempt is.
        package struct Turn {
            fileprivate let tracker: Int
            fileprivate let place: Place
        }

        private let decisions: [Decisions]
        private var positions: [Int]

        package init(_ decisions: [Decisions]) {
            self.decisions = decisions
            positions = [Int](repeating: 0, count: decisions.count)
        }

        package mutating func next() -> Turn? {
            var first: Turn?
            for tracker in decisions.indices where positions[tracker] < decisions[tracker].order.count {
                let place = decisions[tracker].order[positions[tracker]]
                if let first, (first.place.order, first.place.id) < (place.order, place.id) { continue }
                first = Turn(tracker: tracker, place: place)
            }
            if let first { positions[first.tracker] += 1 }
            return first
        }

        /// The attempt, if it is a plain one.
        package func plain(_ turn: Turn) -> PlainAttempt? {
            turn.place.position < 0 ? decisions[turn.tracker].plain[~turn.place.position] : nil
        }

        /// The record of the attempt, whatever it is.
        package func record(_ turn: Turn) -> AttemptRecord {
            turn.place.position < 0
                ? decisions[turn.tracker].record(of: decisions[turn.tracker].plain[~turn.place.position])
                : decisions[turn.tracker].records[turn.place.position]
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
