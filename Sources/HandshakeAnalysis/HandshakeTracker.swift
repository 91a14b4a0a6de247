public import PacketWire

/// Follows every connection attempt in a sequence of frames and says what became of it.
///
/// Feed it each frame of a capture, in order, with its number and time; take the decided attempts; at the end, `finish()`
/// decides the rest.
///
///     var tracker = HandshakeTracker()
///     tracker.receive(decoder.decode(bytes, wireLength: length), number: 1, time: nanoseconds)
///     for attempt in tracker.finish() { print(attempt.client, attempt.outcome) }
///
/// It is deterministic: the same frames give the same records in the same order, whatever the hash seed. It has no clock
/// but the capture's, does no I/O, and its memory is bounded by `Configuration.maximumAttempts`.
///
/// How it works: a segment's tuple leads to the attempts that are remembered on it (usually one). The segment is routed to
/// the attempt that its numbers fit, classified against that attempt's numbers into a `HandshakeEvent`, and the
/// `HandshakeMachine` says what follows. Segments that matter are logged. When an attempt is over, by evidence or because
/// time passed, a `Judge` derives the record from the log. A reported attempt is remembered for a while, so that what comes
/// late is not mistaken for something new.
public struct HandshakeTracker: ~Copyable {
    public struct Configuration: Sendable {
        /// The most attempts and connections that are remembered at a time; beyond it the oldest are let go, and counted.
        public var maximumAttempts = 1 << 20
        /// The most octets that what is remembered may take, the index of it included: beyond it too the oldest are let go. At
        /// least `leastMemory`.
        public var maximumMemory = Int.max
        public static let leastMemory = 1 << 20
        /// The most that `maximumAttempts` may ask for.
        public static let mostAttempts = 1 << 24
        /// The seed of the hash table; nil draws one, since traffic chooses the keys. It changes no result.
        public var hashSeed: UInt64?
        /// Whether segments whose checksum is bad are kept out of the state. Nothing is, as long as the capture shows no
        /// more good checksums than bad: then its frames were rewritten, or its checksums are the network card's to fill.
        public var excludesBadChecksums = true
        /// Whether decided attempts are handed out; if not they are counted only (`summary`), which costs less.
        public var listsAttempts = true
        /// Whether plain attempts are handed out as such, by `drainDecisions`.
        package var listsPlain = false
        /// Whether `takeEvidence` is kept.
        package var listsEvidence = false
        /// Whether ordinary attempts go without detail. It changes no result, but for what a memory limit, or a log that is full,
        /// lets go of: with detail there is more of it.
        package var usesShortForms = true
        public init() {}
    }

    /// Nanoseconds after the last segment of a handshake for which a SYN with the same x is the same attempt.
    static let identityLifetime: Int64 = 75_000_000_000
    /// Nanoseconds that an attempt which was completed, refused, reset or given up stays open to late evidence.
    static let settlingTime: Int64 = 10_000_000_000
    /// Nanoseconds that a live connection is remembered without being heard of.
    static let liveMemory: Int64 = 3_600_000_000_000
    /// The most attempts that are remembered on one tuple.
    static let mostPerTuple = 64
    /// Notes that the log has room for, for each attempt of the table; one attempt may use up to 33.
    static let notesPerAttempt = 6

    let configuration: Configuration
    let seed: UInt64
    var attempts: AttemptTable
    var notes: Pool<SegmentNote>
    /// The most notes that are logged at a time.
    let noteLimit: Int
    /// Where profiles were last time.
    var hints = ProfileHints()
    /// How the segments of open attempts were carried, of those that came through tunnels: rare, so beside the table.
    var paths: [UInt32: TunnelPaths] = [:]
    var index = HashIndex()
    var queues = QueueSet()
    package internal(set) var clock = CaptureClock()
    var goodChecksums = 0
    var badChecksums = 0
    /// Whether a bad checksum counts as one: more of those seen so far were good than bad.
    var trustsChecksums: Bool { configuration.excludesBadChecksums && goodChecksums > badChecksums }
    package internal(set) var decisions = Decisions()
    var evidence: [UInt64] = []
    var frame: UInt64 = 0
    var time: Int64 = 0
    /// The attempts that the current frame touched.
    var recent: (UInt32, UInt32) = (0, 0)
    /// The one whose handshake it was a segment of.
    var recentHandshake: UInt32 = 0

    private var usesShortForms: Bool { configuration.usesShortForms && !configuration.listsEvidence }

    /// Running totals over all frames and all decided attempts.
    public var summary: HandshakeSummary {
        var summary = totals
        summary.clockStepsBack = clock.stepsBack
        summary.clockLargestStepBack = clock.largestStepBack
        summary.clockStepsForward = clock.stepsForward
        return summary
    }
    var totals = HandshakeSummary()
    /// Attempts that are followed and not decided.
    public var openAttempts: Int { queues[.unfinished].count + queues[.settling].count }

    public init(_ configuration: Configuration = Configuration()) {
        var configuration = configuration
        configuration.maximumMemory = max(configuration.maximumMemory, Configuration.leastMemory)
        self.configuration = configuration
        seed = configuration.hashSeed ?? UInt64.random(in: .min ... .max)
        // Address space is reserved for all of them. Where the system grants less (ulimit -v), the table is smaller.
        var limit = max(16, min(configuration.maximumAttempts, Configuration.mostAttempts))
        attempts = AttemptTable(capacity: limit)
        notes = Pool(capacity: limit * (HandshakeTracker.notesPerAttempt + 3))
        while !attempts.isUsable || notes.capacity == 0 {
            limit /= 2
            precondition(limit >= 16, "there is no memory for a table of 16 attempts")
            attempts = AttemptTable(capacity: limit)
            notes = Pool(capacity: limit * (HandshakeTracker.notesPerAttempt + 3))
        }
        noteLimit = limit * HandshakeTracker.notesPerAttempt
    }

    // MARK: Frames in

    /// Takes the next frame.
    /// - Parameters:
    ///   - number: its number in the capture, from 1.
    ///   - time: nanoseconds since the epoch, by the capture's clock.
    public mutating func receive(_ frame: Frame, number: UInt64, time: Int64) {
        tick(number, time)
        totals.frames.count(frame)
        switch frame {
        case .segment(let segment): take(segment)
        case .icmpError(let error): take(error)
        case .ignored, .malformed, .cut: break
        }
        settleOrder()
    }

    /// Takes a batch of decoded frames: the entry point of the hot path. Memory is what it waits for, so that is asked for first:
    /// the lines of the index, then the entries that they lead to.
    package mutating func receive(_ batch: borrowing FrameBatch) {
        if !usesShortForms { return receiveInDetail(batch) }
        let count = min(batch.count, FrameBatch.capacity)
        var hashes = InlineArray<32, UInt64>(repeating: 0)
        var candidates = InlineArray<32, UInt32>(repeating: 0)
        let segments = batch.segments.span
        let isUsual = batch.isUsual.span
        for position in 0..<count where isUsual[position] {
            let hash = segments[position].tuple.hash(seed: seed)
            hashes[position] = hash
            index.prefetch(hash)
        }
        for position in 0..<count where isUsual[position] {
            let slot = index.candidate(hashes[position])
            candidates[position] = slot
            if slot != 0 { attempts.entries.prefetch(slot) }
        }
        for position in 0..<count where isUsual[position] && candidates[position] != 0 {
            attempts.prefetchBody(candidates[position])
        }
        let numbers = batch.numbers.span
        let times = batch.times.span
        for position in 0..<count {
            tick(numbers[position], times[position])
            if isUsual[position] {
                totals.frames.segments += 1
                take(segments[position], hashes[position])
            } else {
                takeOther(batch, position)
            }
            settleOrder()
        }
        for position in count..<batch.count {
            tick(numbers[position], times[position])
            receiveOne(batch, position)
        }
    }

    /// As above, each attempt with its detail from the start.
    private mutating func receiveInDetail(_ batch: borrowing FrameBatch) {
        for position in 0..<batch.count {
            tick(batch.numbers[position], batch.times[position])
            receiveOne(batch, position)
        }
    }

    private mutating func receiveOne(_ batch: borrowing FrameBatch, _ position: Int) {
        if batch.isUsual[position] {
            totals.frames.segments += 1
            take(Segment(batch.segments[position]))
        } else {
            takeOther(batch, position)
        }
        settleOrder()
    }

    @inline(never)
    private mutating func takeOther(_ batch: borrowing FrameBatch, _ position: Int) {
        if batch.others[position].holdsMore { totals.frames.aggregated += 1 }
        switch batch.others[position].kind {
        case .segment:
            totals.frames.segments += 1
            take(batch.others[position].segment)
        case .icmpError:
            totals.frames.count(batch.others[position])
            take(batch.others[position].icmp)
        case .ignored, .malformed, .cut: totals.frames.count(batch.others[position])
        }
    }

    /// Tells of a live capture's time where frames do not, so that attempts are decided in silence too: call it several times a
    /// second, before the frames that came since.
    /// - Parameter steady: nanoseconds of a clock that never steps (`CLOCK_MONOTONIC`); only differences count. A step of the
    ///   system's clock then decides nothing.
    public mutating func pass(steady: Int64) {
        let silence = clock.silence(until: steady)
        guard silence > 0 else { return }
        // First up to the last frame, which is no news from then on.
        let lead = min(silence, clock.lead)
        clock.pass(lead)
        touchRecent()
        recent = (0, 0)
        recentHandshake = 0
        clock.pass(silence - lead)
        if clock.elapsed >= queues.nextDeadline { expire() }
        settleOrder()
    }

    /// The numbers of the frames that were evidence in an attempt, since the last call; none unless
    /// `configuration.listsEvidence`.
    package mutating func takeEvidence() -> [UInt64] {
        defer { evidence.removeAll(keepingCapacity: true) }
        return evidence
    }

    /// The attempts decided since the last call: in the order of the frames that closed them, then of their first frames.
    public mutating func drain() -> [AttemptRecord] {
        precondition(!configuration.listsPlain, "plain attempts have no records: drainDecisions hands out both")
        defer { decisions.removeAll() }
        return decisions.inOrder
    }

    /// Forgets `decisions`: whoever listed plain attempts as such has seen them.
    package mutating func clearDecisions() { decisions.removeAll() }

    /// Whether `drain` has anything to give.
    public var hasDecided: Bool { !decisions.isEmpty }

    /// Ends the capture: decides every attempt that is still open.
    /// - Returns: those attempts and any not drained before, in order.
    public mutating func finish() -> [AttemptRecord] {
        end()
        return drain()
    }

    /// The same, without handing out what was decided.
    package mutating func end() {
        clock.end()
        touchRecent()
        expire()
        settleOrder()
        if configuration.listsAttempts {
            var open: [(id: UInt64, slot: UInt32)] = []
            forEachOpen { open.append(($0.attempts.firstFrame($1), $1)) }
            for (_, slot) in open.sorted(by: { $0.id < $1.id }) { report(slot, .captureEnd) }
        } else {
            forEachOpen { $0.report($1, .captureEnd) }
        }
        // All are let go together: one by one would take as long as it took to add them.
        attempts.removeAll()
        notes.removeAll()
        index.removeAll()
        queues = QueueSet()
        (recent, recentHandshake) = ((0, 0), 0)
    }

    private mutating func forEachOpen(_ body: (inout HandshakeTracker, UInt32) -> Void) {
        for queue in [Attempt.Queue.unfinished, .settling] {
            var slot = queues[queue].head
            while slot != 0 {
                let next = attempts.entries[slot].queueNext
                attempts.entries.prefetch(next)
                body(&self, slot)
                slot = next
            }
        }
    }

    @inline(__always)
    mutating func tick(_ number: UInt64, _ time: Int64) {
        // Times that no capture can mean (beyond the years 1823 to 2116) are brought in, so that differences fit 64 bits.
        let time = min(max(time, -CaptureClock.farthest), CaptureClock.farthest)
        frame = number
        self.time = time
        let before = clock.elapsed
        clock.tick(time)
        if clock.elapsed != before, recent.0 | recent.1 != 0 { touchRecent() }
        recent = (0, 0)
        recentHandshake = 0
        if clock.elapsed >= queues.nextDeadline { expire() }
        // What is remembered of attempts grows too.
        if configuration.maximumMemory != .max, isFull { shrink() }
    }

    /// The clock has caught up with the frame that was the first to show this time: what that frame touched was touched now,
    /// not before the gap.
    private mutating func touchRecent() {
        touch(recent.0)
        touch(recent.1)
        if recentHandshake != 0, attempts.entries[recentHandshake].stage == .detailed {
            attempts[recentHandshake].handshakeTouched = clock.elapsed
        }

        @inline(__always)
        func touch(_ slot: UInt32) {
            guard slot != 0 else { return }
            switch attempts.entries[slot].stage {
            case .detailed:
                attempts[slot].touched = clock.elapsed
                // Reported attempts are touched where they stand: only those that were moved are at the tail.
                if !attempts[slot].isReported { attempts.entries[slot].queued = clock.elapsed }
            case .closed: attempts.aftermaths[attempts.entries[slot].body].touched = clock.elapsed
            case .synSent, .synReceived, .established: attempts.entries[slot].queued = clock.elapsed
            }
        }
    }

    @inline(__always)
    mutating func noteRecent(_ slot: UInt32) {
        if recent.0 == 0 || recent.0 == slot { recent.0 = slot } else { recent.1 = slot }
    }

    @inline(__always)
    mutating func settleOrder() { decisions.settle() }
}
