public import HandshakeRecord
public import PacketWire

/// Follows every connection attempt in a sequence of frames and says what became of it.
///
/// Feed it each frame of a capture, in order, with its number and time; take the decided attempts; at the end,
/// `finish()` decides the rest.
///
///     var tracker = HandshakeTracker()
///     tracker.receive(decoder.decode(bytes, wireLength: length), number: 1, time: nanoseconds)
///     for attempt in tracker.finish() { print(attempt.client, attempt.outcome) }
///
/// It is deterministic: the same frames give the same records in the same order, whatever the hash seed. It has no
/// clock but the capture's, does no I/O, and its memory is bounded by `Configuration.maximumAttempts`.
///
/// How it works: a segment's tuple leads to the attempts that are remembered on it (usually one). The segment is routed
/// to the attempt that its numbers fit, classified against that attempt's numbers into a `HandshakeEvent`, and the
/// `HandshakeMachine` says what follows. Segments that matter are logged. When an attempt is over, by evidence or
/// because time passed, a `Judge` derives the record from the log. A reported attempt is remembered for a while, so
/// that what comes late is not mistaken for something new.
public struct HandshakeTracker: ~Copyable {
    /// Nanoseconds after the last segment of a handshake for which a SYN with the same x is the same attempt.
    static let identityLifetime: Int64 = 75_000_000_000
    /// Nanoseconds that an attempt which was completed, refused, reset or given up stays open to late evidence.
    static let settlingTime: Int64 = 10_000_000_000
    /// Nanoseconds that a live connection is remembered without a segment.
    static let liveMemory: Int64 = 3_600_000_000_000
    /// The most attempts that are remembered on one tuple.
    static let maximumPerTuple = 64
    /// Notes that the log has room for, for each attempt of the table; one attempt may use up to 33.
    static let notesPerAttempt = 6

    /// Segments in tunnels that say nothing of an attempt that are in its log.
    static let maximumForeign: UInt32 = 8

    /// No time.
    static let unknown = Int64.min

    let configuration: Configuration
    /// The seed of hashes. Batches are hashed with it too.
    package let seed: UInt64
    var shards: Shards
    let ownShards: OwnShards
    /// The remembered attempts of all shards.
    var attempts: AttemptTable
    var notes: Pool<SegmentNote>
    /// Beside the indexes of all shards.
    let recentIndex: RecentIndex
    /// Batches taken so far: the proofs require that most go steadily.
    package internal(set) var batches = BatchCounts()
    /// Whether the last batch's own frames were new attempts, nearly all of them.
    var isFlooded = false
    /// Counts the entries of indexes that were removed, or lead to another attempt than before.
    var reroutings: UInt64 = 0
    /// How the segments of open attempts were carried, of those that came through tunnels: rare, so beside the table.
    var paths: [UInt32: TunnelPaths] = [:]
    /// Open attempts that a translation relates to others; as rare.
    var translations: [UInt32: AttemptTranslation] = [:]
    /// The most attempts, notes in their logs, and octets of each shard.
    let attemptLimit: Int
    let noteLimit: Int
    let memoryLimit: Int
    /// Octets of what was remembered when the current shard was selected.
    var sizeAtSelection = 0
    package internal(set) var clock = CaptureClock()
    /// No attempt's time is over before this, on `clock.elapsed`.
    var nextDeadline = Int64.max
    /// The trust in the current frame's sender, if its checksum is bad.
    var senderTrust = SenderTrust.unknown
    /// Nanoseconds between two readings of the capture's clock, as far as its frames show: 0 for a fine one.
    var clockTick: Int64 = 0
    var traits = CaptureTraits()
    /// The tunnels that were seen, and that of the current frame.
    let carriers: Carriers
    var carrier = Carriers.plain
    /// Set while a log is gone through again: nothing is queued or handed out then.
    var replay: Replay?
    private var senders = SenderChecksums()
    private var syns = RecentSYNs()
    var decisions = Decisions()
    var expiryPlan = ExpiryPlan()
    /// How many decisions are kept, if they are taken meanwhile.
    var maximumDecided = Int.max
    /// Profiles that were handed out with decisions, and how many there were.
    var handedProfiles: [UInt8: ProfileTable] = [:]
    var knownProfiles = 0
    var evidence: [UInt64] = []
    var frame: UInt64 = 0
    var time: Int64 = 0
    /// Where the current frame stands among all: as they come, which fragments do late.
    var order: UInt64 = 0
    /// The reading of the clock at the next frame, if that is not `unknown`: what the current frame touches is touched
    /// then. Of the short way only.
    var activityTime = unknown
    /// The attempts that the current frame touched, in the current shard; 0 for none.
    var recent: (UInt32, UInt32) = (0, 0)
    /// The one whose handshake it was a segment of.
    var recentHandshake: UInt32 = 0

    var listsEvidence: Bool { configuration.listing == .recordsAndEvidence }
    var usesShortForms: Bool { configuration.usesShortForms && !listsEvidence }

    /// Running totals over all frames and all decided attempts.
    public var summary: HandshakeSummary { allCounts.summary }

    /// The counts behind `summary`: those of several trackers can be added.
    package var allCounts: SummaryCounts {
        var counts = counts
        counts.countWaiting()
        for number in 0..<UInt8(shards.count) { counts.patterns.add(shards[number].patterns) }
        counts.totals.clockStepsBack = clock.stepsBack
        counts.totals.clockLargestStepBack = clock.largestStepBack
        counts.totals.clockStepsForward = clock.stepsForward
        counts.traits = traits
        counts.isOfMirrors = isOfMirrors
        if let first = clock.first, let now = clock.now, first <= now { counts.totals.span = first...now }
        return counts
    }
    /// Without what the shards keep and the clock says.
    var counts = SummaryCounts()
    /// Attempts that are followed and not decided.
    public var openAttempts: Int {
        (0..<UInt8(shards.count)).reduce(-expiryPlan.decided) {
            $0 + shards[$1].queues[.unfinished].count + shards[$1].queues[.settling].count
        }
    }

    /// A tracker that has seen nothing.
    public init(_ configuration: Configuration = Configuration()) {
        let configuration = configuration.inBounds
        let ownShards = OwnShards(of: configuration.maximumWorkers, worker: 0, of: 1)
        // Address space is reserved. Where the system grants less (ulimit -v), the table is smaller.
        var limit = configuration.maximumAttempts / ownShards.all
        var memory = Memory(configuration, attempts: limit, shards: ownShards.count)
        while !memory.isUsable {
            limit /= 2
            precondition(limit > 0, "there is no memory for a table of 16 attempts")
            memory = Memory(configuration, attempts: limit, shards: ownShards.count)
        }
        self.init(configuration, ownShards, limit: limit, memory)
    }

    /// One of several trackers that share the tuples: each is given every frame, and follows the attempts of its own.
    /// They have the same configuration with a `hashSeed`, so that their limits are the same, and their patterns can be
    /// added up.
    ///
    /// Nil where the address space for so many attempts is not granted.
    package init?(_ configuration: Configuration, worker: Int, of workers: Int) {
        precondition(workers == 1 || configuration.hashSeed != nil, "trackers that share tuples need a common seed")
        let configuration = configuration.inBounds
        let ownShards = OwnShards(of: configuration.maximumWorkers, worker: worker, of: workers)
        let limit = configuration.maximumAttempts / ownShards.all
        let memory = Memory(configuration, attempts: limit, shards: ownShards.count)
        guard memory.isUsable else { return nil }
        self.init(configuration, ownShards, limit: limit, memory)
    }

    /// Address space for what is remembered.
    private struct Memory: ~Copyable {
        var attempts: AttemptTable
        /// An attempt that is given its detail brings three notes, whatever the limit.
        var notes: Pool<SegmentNote>
        var indexes: IndexMemory
        var recentIndex = RecentIndex()

        /// - Parameter count: of attempts, in each shard.
        init(_ configuration: Configuration, attempts count: Int, shards: Int) {
            let announce = configuration.announcesMemory
            attempts = AttemptTable(capacity: count * shards, announce: announce)
            notes = Pool(capacity: count * shards * (HandshakeTracker.notesPerAttempt + 3), announce: announce)
            indexes = IndexMemory(
                shards: shards, entries: count, announce: announce, mayGrow: configuration.maximumMemory == .max)
        }

        /// Whether it was granted.
        var isUsable: Bool { attempts.isUsable && notes.capacity > 0 && indexes.isUsable && recentIndex.isUsable }
    }

    private init(
        _ configuration: Configuration, _ ownShards: OwnShards, limit: Int, _ memory: consuming Memory
    ) {
        self.configuration = configuration
        let seed = configuration.hashSeed ?? UInt64.random(in: .min ... .max)
        self.seed = seed
        self.ownShards = ownShards
        shards = Shards(memory.indexes) {
            Shard(
                number: ownShards.shard(at: $0), of: ownShards.all, $1, maximumProfiles: configuration.maximumProfiles,
                seed: seed)
        }
        carriers = Carriers(declared: Set(configuration.declaredTunnels.map { Carriers.Ends($0.0, $0.1) }))
        memoryLimit = configuration.maximumMemory == .max ? .max : configuration.maximumMemory / ownShards.all
        attemptLimit = limit
        noteLimit = limit * HandshakeTracker.notesPerAttempt
        attempts = memory.attempts
        notes = memory.notes
        recentIndex = memory.recentIndex
    }

    // MARK: Frames in

    /// An empty batch that this tracker can take.
    public func makeBatch() -> FrameBatch { FrameBatch(seed: seed) }

    /// Takes the next frame. Batches of frames are taken faster: `makeBatch()`.
    /// - Parameters:
    ///   - frame: decoded.
    ///   - number: its number in the capture, from 1.
    ///   - time: nanoseconds since the epoch, by the capture's clock.
    public mutating func receive(_ frame: Frame, number: UInt64, time: Int64) {
        precondition(expiryPlan.isEmpty, "decisions were not taken")
        order &+= 1
        traits.note(time)
        clockTick = traits.tick
        tick(number, time)
        switch frame {
        case .segment(let segment):
            traits.note(segment.flags, payload: segment.payloadLength)
            if segment.path.carrier == nil { traits.notePlain() }
            carrier = carriers.register(segment.path)
            if selectShard(of: ConnectionKey(segment.source, segment.destination).tuple) {
                counts.totals.frames.count(frame)
                senderTrust = senders.note(segment)
                takeSegment(segment)
            }
            let tag = UInt32(truncatingIfNeeded: Tuple(segment.source, segment.destination).hash(seed: seed) >> 32)
            if let translation = syns.translation(of: segment, tag: tag, frame: number, time: time) {
                relate(translation)
            }
        case .icmpError(let error):
            carrier = carriers.number(of: error.path)
            if selectShard(of: ConnectionKey(error.source, error.destination).tuple) {
                counts.totals.frames.count(frame)
                takeICMPError(error)
            }
        case .ignored, .malformed, .cut: if ownShards.hasFirst { counts.totals.frames.count(frame) }
        }
        carrier = Carriers.plain
        endFrame()
    }

    @inline(__always)
    mutating func endFrame() {
        nextDeadline = min(nextDeadline, queues.nextDeadline)
        orderDecisions()
    }

    /// Tells of a live capture's time where frames do not, so that attempts are decided in silence too: call it several
    /// times a second, before the frames that came since.
    /// - Parameter steady: nanoseconds of a clock that never steps (`CLOCK_MONOTONIC`); only differences count. A step
    ///   of the
    ///   system's clock then decides nothing.
    public mutating func pass(steady: Int64) {
        precondition(expiryPlan.isEmpty, "decisions were not taken")
        let silence = clock.silence(until: steady)
        guard silence > 0 else { return }
        // First up to the last frame, which is no news from then on.
        let lead = min(silence, clock.lead)
        clock.pass(lead)
        touchRecent(clock.elapsed)
        recent = (0, 0)
        recentHandshake = 0
        clock.pass(silence - lead)
        if clock.elapsed >= nextDeadline { expire() }
        orderDecisions()
    }

    /// The numbers of the frames that were evidence in an attempt, since the last call; none unless
    /// `configuration.listing` asks for them.
    package mutating func takeEvidence() -> [UInt64] {
        defer { evidence.removeAll(keepingCapacity: true) }
        return evidence
    }

    /// The attempts decided since the last call: in the order of the frames that closed them, then of their first
    /// frames. At one frame, those whose time was over come first.
    public mutating func drain() -> [AttemptRecord] {
        precondition(
            configuration.listing != .plainAndRecords, "plain attempts have no records: moveDecisions hands out both")
        defer { decisions.removeAll() }
        return decisions.inOrder
    }

    /// Whether `drain` has anything to give.
    public var hasDecided: Bool { !decisions.isEmpty }

    /// Ends the capture: decides every attempt that is still open.
    /// - Returns: those attempts and any not drained before, in order.
    public mutating func finish() -> [AttemptRecord] {
        end()
        return drain()
    }

    @inline(__always)
    mutating func tick(_ number: UInt64, _ time: Int64) {
        // Times that no capture can mean (beyond the years 1823 to 2116) are brought in, so that differences fit 64
        // bits.
        let time = min(max(time, -CaptureClock.farthest), CaptureClock.farthest)
        frame = number
        self.time = time
        let before = clock.elapsed
        clock.tick(time)
        if recent.0 | recent.1 | recentHandshake != 0 {
            if clock.elapsed != before { touchRecent(clock.elapsed) }
            (recent, recentHandshake) = ((0, 0), 0)
        }
        if clock.elapsed >= nextDeadline { expire() }
    }

    /// The clock has caught up with the frame that was the first to show this time: what that frame touched was touched
    /// now, not before the gap.
    mutating func touchRecent(_ now: Int64) {
        guard recent.0 | recent.1 != 0 else { return }
        touch(recent.0)
        touch(recent.1)
        if recentHandshake != 0, attempts.entries[recentHandshake].stage == .detailed {
            attempts[recentHandshake].handshakeTouched = now
        }

        @inline(__always)
        func touch(_ slot: UInt32) {
            guard slot != 0 else { return }
            switch attempts.entries[slot].stage {
            case .detailed:
                attempts[slot].touched = now
                // Reported attempts are touched where they stand: only those that were moved are at the tail.
                if !attempts[slot].isReported { attempts.entries[slot].queued = now }
            case .closed: attempts.aftermaths[attempts.entries[slot].body].touched = now
            case .synSent, .synReceived, .established: attempts.entries[slot].queued = now
            }
        }
    }

    @inline(__always)
    mutating func noteRecent(_ slot: UInt32) {
        if recent.0 == 0 || recent.0 == slot { recent.0 = slot } else { recent.1 = slot }
    }

    @inline(__always)
    mutating func orderDecisions() { decisions.orderNewest() }
}
