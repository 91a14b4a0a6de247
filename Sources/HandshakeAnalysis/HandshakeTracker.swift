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
        /// The seed of the hash table; nil draws one, since traffic chooses the keys. It changes no result.
        public var hashSeed: UInt64?
        /// Whether segments whose checksum is bad are kept out of the state. Nothing is, as long as the capture shows no
        /// more good checksums than bad: then its frames were rewritten, or its checksums are the network card's to fill.
        public var excludesBadChecksums = true
        public init() {}
    }

    /// Nanoseconds after the last segment of a handshake for which a SYN with the same x is the same attempt.
    static let identityLifetime: Int64 = 75_000_000_000
    /// Nanoseconds that an established attempt stays open to late evidence.
    static let settlingTime: Int64 = 10_000_000_000
    /// Nanoseconds that a live connection is remembered without being heard of.
    static let liveMemory: Int64 = 3_600_000_000_000

    let configuration: Configuration
    private let seed: UInt64
    private var attempts: Pool<Attempt>
    private var notes: Pool<SegmentNote>
    private var index = HashIndex()
    private var queues = QueueSet()
    package private(set) var clock = CaptureClock()
    private var goodChecksums = 0
    private var badChecksums = 0
    private var decided: [AttemptRecord] = []
    private var frame: UInt64 = 0
    private var time: Int64 = 0

    /// Running totals over all frames and all decided attempts.
    public private(set) var summary = HandshakeSummary()

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        seed = configuration.hashSeed ?? UInt64.random(in: .min ... .max)
        let limit = max(16, min(configuration.maximumAttempts, 1 << 30))
        attempts = Pool(capacity: limit)
        notes = Pool(capacity: limit * 4)
    }

    // MARK: Frames in

    /// Takes the next frame.
    /// - Parameters:
    ///   - number: its number in the capture, from 1.
    ///   - time: nanoseconds since the epoch, by the capture's clock.
    public mutating func receive(_ frame: Frame, number: UInt64, time: Int64) {
        tick(number, time)
        summary.frames.count(frame)
        switch frame {
        case .segment(let segment): take(segment)
        case .icmpError(let error): take(error)
        case .ignored, .malformed, .cut: break
        }
        settleOrder()
    }

    /// Takes a batch of decoded frames: the entry point of the hot path.
    package mutating func receive(_ batch: borrowing FrameBatch) {
        for position in 0..<batch.count {
            if batch.kind(position) == .segment { index.prefetch(hash(of: batch.frames[position].segment)) }
        }
        for position in 0..<batch.count {
            tick(batch.numbers[position], batch.times[position])
            let kind = batch.kind(position)
            if kind == .segment {
                summary.frames.segments += 1
                take(batch.frames[position].segment)
            } else {
                summary.frames.count(batch.frames[position].frame)
                if kind == .icmpError { take(batch.frames[position].icmp) }
            }
            settleOrder()
        }
    }

    /// The attempts decided since the last call: in the order of the frames that closed them, then of their first frames.
    public mutating func drain() -> [AttemptRecord] {
        defer { decided.removeAll(keepingCapacity: true) }
        return decided
    }

    /// Whether `drain` has anything to give.
    public var hasDecided: Bool { !decided.isEmpty }

    /// Ends the capture: decides every attempt that is still open.
    /// - Returns: those attempts and any not drained before, in order.
    public mutating func finish() -> [AttemptRecord] {
        clock.end()
        expire()
        settleOrder()
        var open: [(id: UInt64, slot: UInt32)] = []
        for queue in [Attempt.Queue.unfinished, .settling] {
            var slot = queues[queue].head
            while slot != 0 {
                open.append((attempts[slot].firstFrame, slot))
                slot = attempts[slot].queueNext
            }
        }
        for (_, slot) in open.sorted(by: { $0.id < $1.id }) {
            report(slot, .captureEnd)
            forget(slot)
        }
        summary.clockStepsBack = clock.stepsBack
        return drain()
    }

    @inline(__always)
    private mutating func tick(_ number: UInt64, _ time: Int64) {
        frame = number
        self.time = time
        clock.tick(time)
        if clock.elapsed >= queues.nextDeadline { expire() }
    }

    /// Attempts that one frame closed come in the order of their first frames.
    private var orderedCount = 0

    @inline(__always)
    private mutating func settleOrder() {
        if decided.count > orderedCount + 1 {
            decided[orderedCount...].sort { $0.id < $1.id }
        }
        orderedCount = decided.isEmpty ? 0 : decided.count
    }

    // MARK: Routing

    @inline(__always)
    private func hash(of segment: Segment) -> UInt64 {
        ConnectionKey(segment.source, segment.destination, segment.network).hash(seed: seed)
    }

    @inline(__always)
    private func find(_ key: ConnectionKey, _ hash: UInt64) -> UInt32 {
        index.find(hash) { attempts[$0].key == key }
    }

    private mutating func take(_ segment: Segment) {
        let key = ConnectionKey(segment.source, segment.destination, segment.network)
        let hash = key.hash(seed: seed)
        let newest = find(key, hash)
        switch segment.checksum {
        case .good: goodChecksums += 1
        case .bad: badChecksums += 1
        case .offload, .unverified: break
        }
        let flags = segment.flags
        if flags.contains(.syn), !flags.contains(.rst), !flags.contains(.ack) {
            return takeSYN(segment, key, hash, newest)
        }
        if newest == 0 {
            if flags.isSuperset(of: [.syn, .ack]), !flags.contains(.rst) {
                openPartial(segment, key, hash)
            } else if admit() {
                let slot = add(Attempt(key: key, state: .closed), hash, before: 0)
                attempts[slot].marks = segment.source == key.low ? [.midstream, .clientIsLow] : .midstream
                enqueue(slot, .live)
                summary.midstreamFlows += 1
                if flags.contains(.rst) { summary.patterns.unaskedReset(from: segment.source.address) }
            }
            return
        }
        // The usual case: one attempt on the tuple, and it is reported.
        if attempts[newest].older == 0, attempts[newest].isReported {
            if flags.isSuperset(of: [.syn, .ack]), !flags.contains(.rst), isNewSYNACK(segment, newest) {
                return openPartial(segment, key, hash, before: newest)
            }
            return heardAgain(newest, segment)
        }
        let slot = route(segment, newest)
        if slot == 0 {
            if flags.isSuperset(of: [.syn, .ack]), !flags.contains(.rst) {
                openPartial(segment, key, hash, before: newest)
            }
            return
        }
        if attempts[slot].isReported {
            heardAgain(slot, segment)
            // RFC 5961 4: a live connection answers a SYN with an ACK of its own numbers. It belongs to the SYN's attempt
            // as well: the newest, if that has had no answer.
            if segment.source == attempts[newest].server, isChallenge(segment, to: newest, on: slot) {
                apply(.challenge, segment, newest)
            }
            return
        }
        apply(classify(segment, slot), segment, slot)
        if slot != newest, attempts[slot].isLive, segment.source == attempts[newest].server,
            isChallenge(segment, to: newest, on: slot)
        {
            apply(.challenge, segment, newest)
        }
    }

    /// Whether a segment of the connection in `connection` also answers the SYN of `attempt`: a bare ACK that
    /// acknowledges nothing new.
    private func isChallenge(_ segment: Segment, to attempt: UInt32, on connection: UInt32) -> Bool {
        guard !attempts[attempt].isReported, attempts[attempt].machine.state == .synSent, attempt != connection,
            attempts[attempt].marks.contains(.clientIsLow) == attempts[connection].marks.contains(.clientIsLow),
            segment.payloadLength == 0, segment.flags.isDisjoint(with: [.syn, .rst, .fin])
        else { return false }
        return segment.ack == attempts[connection].clientEnd
            || !Sequence.isAfter(segment.ack, attempts[connection].serverAcked)
    }

    /// A SYN without ACK: another copy, one half of a crossing, or a new attempt.
    private mutating func takeSYN(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, _ newest: UInt32
    ) {
        var slot = newest
        var reverse: UInt32 = 0
        while slot != 0 {
            if !attempts[slot].marks.contains(.midstream) {
                if attempts[slot].client == segment.source, attempts[slot].clientISN == segment.seq {
                    if attempts[slot].isReported {
                        if attempts[slot].touched &+ HandshakeTracker.identityLifetime > clock.elapsed {
                            summary.lateSegments += 1
                            touch(slot)
                            return
                        }
                    } else {
                        return apply(classifySYN(segment, slot), segment, slot)
                    }
                } else if attempts[slot].client == segment.destination, reverse == 0, acceptsReverse(slot) {
                    reverse = slot
                }
            }
            slot = attempts[slot].older
        }
        if reverse != 0 {
            if attempts[reverse].isReported {
                summary.lateSegments += 1
            } else {
                apply(classifyReverseSYN(segment, reverse), segment, reverse)
            }
            return
        }
        openSYN(segment, key, hash, before: newest)
    }

    /// A reverse SYN on a live tuple never opens an attempt. Where the tuple is dead, it does.
    private func acceptsReverse(_ slot: UInt32) -> Bool {
        if attempts[slot].isReported { return attempts[slot].isLive }
        if attempts[slot].machine.state == .aborted { return false }
        let events = attempts[slot].events
        return !events.hasAny(.refusal, .icmpHard, .icmpAdmin, .icmpSoft, .serverReset)
    }

    /// Whether a SYN-ACK opens a partial attempt beside what is remembered on its tuple.
    private func isNewSYNACK(_ segment: Segment, _ slot: UInt32) -> Bool {
        if attempts[slot].marks.contains(.midstream) { return true }
        let isServer = attempts[slot].server == segment.source
        if isServer, Sequence.isIn(segment.ack, from: attempts[slot].clientNext, length: attempts[slot].synLength) {
            return false
        }
        return attempts[slot].marks.contains(.connectionEnded) || !attempts[slot].isLive
    }

    /// The attempt on the tuple that a segment (not a SYN) fits best; 0 for none.
    private func route(_ segment: Segment, _ newest: UInt32) -> UInt32 {
        if attempts[newest].older == 0 { return newest }
        let flags = segment.flags
        var best: UInt32 = 0
        var bestDistance = UInt32.max
        var fallback: UInt32 = 0
        var slot = newest
        while slot != 0 {
            defer { slot = attempts[slot].older }
            if attempts[slot].marks.contains(.midstream) { continue }
            let isSYNACK = flags.isSuperset(of: [.syn, .ack]) && !flags.contains(.rst)
            let fromClient =
                attempts[slot].isSelfConnect ? !isSYNACK : attempts[slot].client == segment.source
            var distance: UInt32
            if fromClient {
                // RST may also answer a challenge or a wrong SYN-ACK with the number that those acknowledged.
                if flags.contains(.rst), !attempts[slot].isReported {
                    let events = attempts[slot].events
                    if segment.seq == attempts[slot].clientISN
                        || events.has(.challenge) && segment.seq == attempts[slot].challengeAck
                        || events.has(.synAckWrongAck) && segment.seq == attempts[slot].wrongSynAckAck
                    {
                        return slot
                    }
                }
                distance = segment.seq &- attempts[slot].clientNext
            } else if flags.contains(.ack) {
                distance = segment.ack &- attempts[slot].clientNext
                if isSYNACK, distance > attempts[slot].synLength { distance = UInt32.max - 1 }
            } else {
                distance = segment.seq &- attempts[slot].serverNext
                if !attempts[slot].marks.contains(.hasServerISN) { distance = UInt32.max - 1 }
            }
            if fallback == 0, !isSYNACK || !attempts[slot].isReported { fallback = slot }
            if distance < bestDistance {
                bestDistance = distance
                best = slot
            }
        }
        return bestDistance < 1 << 30 ? best : fallback
    }

    /// A segment of an attempt that is reported: only what later attempts on the tuple must know is kept.
    @inline(__always)
    private mutating func heardAgain(_ slot: UInt32, _ segment: Segment) {
        let flags = segment.flags
        if segment.source == attempts[slot].client {
            attempts[slot].clientEnd = Sequence.later(
                segment.seq &+ segment.sequenceLength, attempts[slot].clientEnd)
            if segment.options.has(.timestamps) { attempts[slot].clientTSval = segment.options.tsval }
        } else if flags.contains(.ack), Sequence.isAfter(segment.ack, attempts[slot].serverAcked) {
            attempts[slot].serverAcked = segment.ack
        }
        attempts[slot].touched = clock.elapsed
        if !flags.isDisjoint(with: [.fin, .rst, .syn]) {
            if flags.contains(.syn) {
                summary.lateSegments += 1
            } else if attempts[slot].queue == .live {
                attempts[slot].marks.insert(.connectionEnded)
                enqueue(slot, .ended)
            }
        }
    }

    // MARK: Opening

    private mutating func openSYN(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, before newest: UInt32
    ) {
        guard let slot = open(segment, key, hash, .synSent, clientIsSource: true, before: newest) else { return }
        attempts[slot].clientISN = segment.seq
        attempts[slot].clientEnd = segment.seq &+ segment.sequenceLength
        attempts[slot].serverAcked = segment.seq
        let previous = attempts[slot].older
        if previous != 0 { relate(slot, to: previous, segment) }
        apply(.syn, segment, slot)
    }

    /// What the newest remembered attempt on the tuple has to do with a new one.
    private mutating func relate(_ slot: UInt32, to previous: UInt32, _ segment: Segment) {
        guard !attempts[previous].marks.contains(.midstream) else { return }
        attempts[slot].predecessorID = attempts[previous].firstFrame
        attempts[previous].successorID = attempts[slot].firstFrame
        let sameClient = attempts[previous].client == segment.source
        let events = attempts[previous].events
        guard sameClient else {
            attempts[slot].predecessor = .other
            return
        }
        if attempts[previous].marks.contains(.connectionEnded) {
            attempts[slot].predecessor = isLegalReuse(segment, of: previous) ? .reusedLegally : .reusedIllegally
        } else if attempts[previous].isLive {
            attempts[slot].predecessor = .live
            if isOlder(segment, than: previous) { attempts[slot].marks.insert(.olderThanLive) }
        } else if events.hasAny(.refusal, .serverReset, .clientReset) || attempts[previous].machine.state == .aborted {
            attempts[slot].predecessor = .reusedLegally
        } else if !attempts[previous].marks.contains(.serverSpoke) {
            attempts[slot].predecessor = .unanswered
            let isOldEnough =
                time &- attempts[previous].firstTime >= Judge.patience
                && time &- attempts[previous].lastSYNTime >= Judge.quiet
            if !isOldEnough { attempts[previous].marks.insert(.reusedEarly) }
        } else {
            attempts[slot].predecessor = .other
        }
    }

    /// RFC 6191 section 2: when a SYN may reuse the tuple of a connection in TIME-WAIT.
    private func isLegalReuse(_ segment: Segment, of previous: UInt32) -> Bool {
        let greaterSeq = Sequence.isAfter(segment.seq, attempts[previous].clientEnd &- 1)
        let hadTimestamps = attempts[previous].marks.contains(.clientSentTimestamps)
        switch (hadTimestamps, segment.options.has(.timestamps)) {
        case (true, true):
            let old = attempts[previous].clientTSval
            if segment.options.tsval == old { return greaterSeq }
            return Sequence.isAfter(segment.options.tsval, old)
        case (false, true): return true
        case (_, false): return greaterSeq
        }
    }

    /// Whether a SYN is older than the connection that is live on its tuple: by TSval, else by x.
    private func isOlder(_ segment: Segment, than live: UInt32) -> Bool {
        if segment.options.has(.timestamps), attempts[live].marks.contains(.clientSentTimestamps) {
            return Sequence.isAfter(attempts[live].clientTSval, segment.options.tsval)
        }
        return Sequence.isAfter(attempts[live].clientISN, segment.seq)
    }

    private mutating func openPartial(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, before newest: UInt32 = 0
    ) {
        guard let slot = open(segment, key, hash, .synAckOnly, clientIsSource: false, before: newest) else { return }
        attempts[slot].clientISN = segment.ack &- 1
        attempts[slot].clientEnd = segment.ack
        attempts[slot].serverAcked = segment.ack
        if attempts[slot].older != 0, !attempts[attempts[slot].older].marks.contains(.midstream) {
            attempts[slot].predecessor = .other
            attempts[slot].predecessorID = attempts[attempts[slot].older].firstFrame
        }
        apply(.synAck, segment, slot)
    }

    private mutating func open(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, _ state: HandshakeState,
        clientIsSource: Bool, before newest: UInt32
    ) -> UInt32? {
        guard admit() else { return nil }
        // Letting the oldest go may have let go what was on this tuple.
        let newest = newest == 0 ? 0 : find(key, hash)
        let slot = add(Attempt(key: key, state: state), hash, before: newest)
        if (segment.source == key.low) == clientIsSource || key.low == key.high {
            attempts[slot].marks.insert(.clientIsLow)
        }
        attempts[slot].firstFrame = frame
        attempts[slot].firstTime = time
        attempts[slot].lastSYNTime = time
        enqueue(slot, .unfinished)
        return slot
    }

    // MARK: Classification: numbers to events

    private func isExcluded(_ segment: Segment) -> Bool {
        segment.checksum == .bad && configuration.excludesBadChecksums && goodChecksums > badChecksums
    }

    private func classifySYN(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        if isExcluded(segment) { return .badChecksum }
        return isDuplicate(segment, slot, fromClient: true) ? .captureDuplicate : .syn
    }

    private mutating func classifyReverseSYN(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        if isExcluded(segment) { return .badChecksum }
        if isDuplicate(segment, slot, fromClient: false) { return .captureDuplicate }
        guard attempts[slot].machine.state == .synSent else { return .reverseSyn }
        attempts[slot].serverISN = segment.seq
        attempts[slot].synAckLength = segment.sequenceLength &- 1
        attempts[slot].serverWindow = segment.window
        attempts[slot].serverEnd = segment.seq &+ segment.sequenceLength
        attempts[slot].marks.insert(.hasServerISN)
        let acknowledged =
            attempts[slot].events.has(.challenge) && attempts[slot].challengeAck == attempts[slot].clientNext
        return acknowledged ? .reverseSynAfterAck : .reverseSyn
    }

    private mutating func classify(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let isSYNACK = segment.flags.isSuperset(of: [.syn, .ack]) && !segment.flags.contains(.rst)
        let fromClient =
            attempts[slot].isSelfConnect
            ? !isSYNACK && !segment.flags.contains(.rst) : segment.source == attempts[slot].client
        if attempts[slot].machine.state == .established, segment.flags.isDisjoint(with: [.syn, .rst]) {
            return fromClient ? clientAfter(segment, slot) : serverAfter(segment, slot)
        }
        if isExcluded(segment) { return .badChecksum }
        if isDuplicate(segment, slot, fromClient: fromClient) { return .captureDuplicate }
        return fromClient ? fromClientEvent(segment, slot) : fromServerEvent(segment, slot)
    }

    @inline(__always)
    private mutating func clientAfter(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        if attempts[slot].noteCount > 0, isCopyOfCompletion(segment, slot) {
            return isDuplicate(segment, slot, fromClient: true) ? .captureDuplicate : .finalAck
        }
        attempts[slot].clientEnd = Sequence.later(segment.seq &+ segment.sequenceLength, attempts[slot].clientEnd)
        if segment.options.has(.timestamps) { attempts[slot].clientTSval = segment.options.tsval }
        // An ACK again after a SYN-ACK again says whether the first was lost: it is logged.
        if segment.payloadLength == 0, attempts[slot].events.has(.synAckAgain), !segment.flags.contains(.fin),
            segment.seq == attempts[slot].synAckAck, segment.ack == attempts[slot].serverNext
        {
            return .finalAck
        }
        return segment.flags.contains(.fin) ? .clientFin : .clientMore
    }

    /// Whether this is, byte for byte, the segment that completed the handshake, again and at once.
    @inline(__always)
    private func isCopyOfCompletion(_ segment: Segment, _ slot: UInt32) -> Bool {
        let last = attempts[slot].lastNote
        return segment.seq == notes[last].seq && segment.ack == notes[last].ack
            && segment.payloadLength == notes[last].payloadLength && notes[last].fromClient
            && segment.flags == notes[last].flags && time &- notes[last].time < SegmentNote.duplicateWindow
            && notes[last].event != .syn && segment.payloadLength == 0
            && segment.window == notes[last].window && segment.identification == notes[last].identification
    }

    @inline(__always)
    private mutating func serverAfter(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        attempts[slot].serverEnd = Sequence.later(segment.seq &+ segment.sequenceLength, attempts[slot].serverEnd)
        if segment.flags.contains(.ack), Sequence.isAfter(segment.ack, attempts[slot].serverAcked) {
            attempts[slot].serverAcked = segment.ack
        }
        if segment.flags.contains(.fin) { return .serverFin }
        let base = attempts[slot].clientNext &+ attempts[slot].synLength
        if segment.flags.contains(.ack), Sequence.isAfter(segment.ack, base),
            !Sequence.isAfter(segment.ack, attempts[slot].clientEnd)
        {
            return .confirmation
        }
        return .serverMore
    }

    private mutating func fromClientEvent(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let flags = segment.flags
        let relative = segment.seq &- attempts[slot].clientNext
        let events = attempts[slot].events
        let hasY = attempts[slot].marks.contains(.hasServerISN)
        let carried = attempts[slot].synLength
        if flags.contains(.rst) {
            if attempts[slot].machine.state == .established {
                return relative < 1 << 30 ? .resetEstablished : .resetUnacceptable
            }
            if relative == 0 || carried > 0 && relative == carried { return .clientReset }
            if events.has(.challenge), segment.seq == attempts[slot].challengeAck { return .resetAnswersChallenge }
            if events.has(.synAckWrongAck), segment.seq == attempts[slot].wrongSynAckAck { return .resetRejectsSynAck }
            if segment.seq == attempts[slot].clientISN, !events.has(.synAck) { return .clientGaveUp }
            return .resetUnacceptable
        }
        if flags.contains(.syn) {
            let isCrossed = [.crossed, .crossedClientAcked, .crossedServerAcked].contains(attempts[slot].machine.state)
            return isCrossed && segment.seq == attempts[slot].clientISN && segment.ack == attempts[slot].serverNext
                ? .clientSynAck : .synAckWrongDirection
        }
        guard flags.contains(.ack) else { return .earlyData }
        if segment.options.has(.timestamps) { attempts[slot].clientTSval = segment.options.tsval }
        attempts[slot].clientAcked = segment.ack
        if hasY {
            if attempts[slot].marks.contains(.severalServerISNs) { chooseServerISN(slot, acknowledgedBy: segment.ack) }
            let window = max(UInt32(attempts[slot].serverWindow), carried, 1)
            let seqFits = relative <= window
            let ackDistance = segment.ack &- (attempts[slot].serverISN &+ 1)
            let ackFits = ackDistance <= attempts[slot].serverEnd &- (attempts[slot].serverISN &+ 1)
            if seqFits, ackFits || segment.payloadLength > 0 {
                attempts[slot].clientEnd = Sequence.later(
                    segment.seq &+ segment.sequenceLength, attempts[slot].clientEnd)
            }
            if seqFits, ackFits {
                let exactSeq = relative == 0 || relative == carried || segment.seq == attempts[slot].synAckAck
                let exactAck = ackDistance == 0 || segment.ack == attempts[slot].serverNext
                guard exactSeq, exactAck else { return .inferredAck }
                return segment.payloadLength == 0 && !flags.contains(.fin) ? .finalAck : .finalData
            }
            if ackFits, segment.ack == attempts[slot].serverNext || segment.payloadLength == 0 { return .wrongSeq }
            if !seqFits, ackFits { return .wrongSeq }
            attempts[slot].wrongFinalAck = segment.ack
            return .wrongAck
        }
        if relative <= max(carried, UInt32(UInt16.max)) {
            attempts[slot].clientEnd = Sequence.later(segment.seq &+ segment.sequenceLength, attempts[slot].clientEnd)
        }
        if events.has(.synAckWrongAck) {
            if segment.ack != attempts[slot].wrongSynAckISN &+ 1 { attempts[slot].wrongFinalAck = segment.ack }
            return segment.ack == attempts[slot].wrongSynAckISN &+ 1 ? .earlyData : .wrongAck
        }
        return relative == 0 || relative == carried ? .oneSidedAck : .earlyData
    }

    private mutating func fromServerEvent(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let flags = segment.flags
        let carried = attempts[slot].synLength
        let events = attempts[slot].events
        let hasY = attempts[slot].marks.contains(.hasServerISN)
        let acknowledgesSYN = Sequence.isIn(segment.ack, from: attempts[slot].clientNext, length: carried)
        if flags.contains(.rst) {
            if attempts[slot].machine.state == .established {
                let end = attempts[slot].serverNext
                let isNear = segment.seq &- end < 1 << 30 || segment.seq == attempts[slot].serverEnd
                return isNear ? .resetEstablished : .resetUnacceptable
            }
            if hasY {
                if attempts[slot].marks.contains(.severalServerISNs) {
                    chooseServerISN(slot, acknowledgedBy: segment.seq)
                }
                if segment.seq == attempts[slot].serverNext { return .serverReset }
                if events.has(.wrongAck), segment.seq == attempts[slot].wrongFinalAck { return .resetAnswersWrongAck }
                if flags.contains(.ack), acknowledgesSYN { return .refusal }
                let window = max(UInt32(attempts[slot].clientWindow), 1)
                return segment.seq &- attempts[slot].serverNext < window ? .resetInexact : .resetUnacceptable
            }
            // RFC 9293 3.10.7.3: in SYN-SENT, a RST is acceptable if its ACK acknowledges the SYN.
            return flags.contains(.ack) && acknowledgesSYN ? .refusal : .resetUnacceptable
        }
        if flags.isSuperset(of: [.syn, .ack]) {
            guard acknowledgesSYN else {
                attempts[slot].wrongSynAckAck = segment.ack
                attempts[slot].wrongSynAckISN = segment.seq
                attempts[slot].serverEnd = segment.seq &+ segment.sequenceLength
                return .synAckWrongAck
            }
            if !hasY || !events.has(.synAck) && attempts[slot].serverISN == segment.seq { return .synAck }
            return segment.seq == attempts[slot].serverISN ? .synAckAgain : .synAckOther
        }
        if flags.contains(.ack), Sequence.isAfter(segment.ack, attempts[slot].serverAcked) {
            attempts[slot].serverAcked = segment.ack
        }
        let isBeyond = segment.ack &- attempts[slot].clientNext &- carried &- 1 < 1 << 30
        if hasY {
            attempts[slot].serverEnd = Sequence.later(
                segment.seq &+ segment.sequenceLength, attempts[slot].serverEnd)
            if flags.contains(.ack), isBeyond { return .proof }
            let sendsMore = segment.payloadLength > 0 || flags.contains(.fin)
            if sendsMore, segment.seq &- attempts[slot].serverNext < 1 << 30, !attempts[slot].marks.contains(.fastOpen),
                attempts[slot].events.has(.synAck)
            {
                return .proof
            }
            switch attempts[slot].machine.state {
            case .crossed, .crossedClientAcked, .crossedServerAcked:
                if flags.contains(.ack), segment.ack == attempts[slot].clientNext { return .serverAck }
            default: break
            }
        } else if events.has(.synAckWrongAck), flags.contains(.ack), isBeyond,
            !Sequence.isAfter(segment.ack, attempts[slot].clientEnd),
            segment.seq &- attempts[slot].wrongSynAckISN < 1 << 30, events.has(.earlyData)
        {
            // Data was acknowledged in both directions: that beats one wrong number.
            attempts[slot].serverISN = attempts[slot].wrongSynAckISN
            attempts[slot].marks.insert(.hasServerISN)
            return .proof
        }
        if !hasY { attempts[slot].challengeAck = segment.ack }
        return .challenge
    }

    /// Of several y, the one that `number` follows.
    private mutating func chooseServerISN(_ slot: UInt32, acknowledgedBy number: UInt32) {
        var note = attempts[slot].firstNote
        while note != 0 {
            if notes[note].event == .synAck || notes[note].event == .synAckOther,
                number == notes[note].seq &+ 1 &+ notes[note].payloadLength
            {
                attempts[slot].serverISN = notes[note].seq
                attempts[slot].synAckLength = notes[note].payloadLength
                attempts[slot].synAckAck = notes[note].ack
                attempts[slot].serverWindow = notes[note].window
                attempts[slot].serverEnd = number
                return
            }
            note = notes[note].next
        }
    }

    /// Whether the segment is one that was logged already, captured twice.
    private func isDuplicate(_ segment: Segment, _ slot: UInt32, fromClient: Bool) -> Bool {
        var note = attempts[slot].firstNote
        guard note != 0, abs(time &- notes[attempts[slot].lastNote].time) < SegmentNote.duplicateWindow else {
            return false
        }
        let candidate = SegmentNote(segment, frame: frame, time: time, event: .captureDuplicate, fromClient: fromClient)
        while note != 0 {
            if notes[note].event != .captureDuplicate, candidate.isSamePacket(as: notes[note]) { return true }
            note = notes[note].next
        }
        return false
    }

    // MARK: Events and actions

    private mutating func apply(_ event: HandshakeEvent, _ segment: Segment, _ slot: UInt32) {
        let fromServer =
            attempts[slot].isSelfConnect
            ? segment.flags.contains(.ack) && segment.flags.contains(.syn) : segment.source == attempts[slot].server
        learn(event, segment, slot, fromServer: fromServer)
        if event == .clientReset || event == .clientGaveUp, hasOtherLive(slot) {
            attempts[slot].marks.insert(.otherLiveAtReset)
        }
        let action = attempts[slot].machine.receive(event)
        attempts[slot].events.insert(event)
        switch action {
        case .ignore: return
        case .note: log(segment, event, slot, fromClient: !fromServer)
        case .complete(let how):
            log(segment, event, slot, fromClient: !fromServer)
            complete(slot, how)
            return
        case .close, .closeSilently:
            if action == .close { log(segment, event, slot, fromClient: !fromServer) }
            if event != .confirmation { attempts[slot].marks.insert(.connectionEnded) }
            report(slot, .evidence)
            remember(slot)
            return
        }
        if attempts[slot].machine.state == .established {
            return  // its time to settle runs from completion
        }
        touch(slot)
    }

    /// What an event's numbers add to the attempt.
    private mutating func learn(
        _ event: HandshakeEvent, _ segment: Segment, _ slot: UInt32, fromServer: Bool
    ) {
        if fromServer, event != .captureDuplicate, event != .badChecksum { attempts[slot].marks.insert(.serverSpoke) }
        switch event {
        case .syn:
            attempts[slot].synCount += 1
            attempts[slot].lastSYNTime = time
            attempts[slot].synLength = max(
                attempts[slot].synLength, segment.payloadLength &+ (segment.flags.contains(.fin) ? 1 : 0))
            if attempts[slot].clientWindow == 0 { attempts[slot].clientWindow = segment.window }
            if segment.options.has(.timestamps) {
                attempts[slot].marks.insert(.clientSentTimestamps)
                if attempts[slot].machine.state != .established { attempts[slot].clientTSval = segment.options.tsval }
            }
        case .synAck, .synAckOther:
            attempts[slot].synAckCount += 1
            guard event == .synAck || attempts[slot].machine.state != .established else { return }
            if event == .synAckOther { attempts[slot].marks.insert(.severalServerISNs) }
            if event == .synAck {
                attempts[slot].serverISN = segment.seq
                attempts[slot].synAckLength = segment.sequenceLength &- 1
                attempts[slot].synAckAck = segment.ack
                attempts[slot].serverWindow = segment.window
                attempts[slot].serverEnd = Sequence.later(
                    segment.seq &+ segment.sequenceLength,
                    attempts[slot].marks.contains(.hasServerISN) ? attempts[slot].serverEnd : segment.seq)
                attempts[slot].marks.insert(.hasServerISN)
                if attempts[slot].synLength > 0, segment.ack != attempts[slot].clientNext {
                    attempts[slot].marks.insert(.fastOpen)
                }
                if Sequence.isAfter(segment.ack, attempts[slot].serverAcked) {
                    attempts[slot].serverAcked = segment.ack
                }
            }
        case .synAckAgain, .synAckWrongAck: attempts[slot].synAckCount += 1
        case .oneSidedAck:
            attempts[slot].serverISN = segment.ack &- 1
            attempts[slot].serverEnd = segment.ack
            attempts[slot].synAckAck = segment.seq
            attempts[slot].marks.insert(.hasServerISN)
        case .refusal:
            attempts[slot].refusalCount += 1
            attempts[slot].rstCount += 1
        case .clientReset, .clientGaveUp, .resetAnswersChallenge, .resetRejectsSynAck, .serverReset, .resetInexact,
            .resetAnswersWrongAck, .resetUnacceptable, .resetEstablished:
            attempts[slot].rstCount += 1
        case .captureDuplicate: attempts[slot].duplicateCount += 1
        default: break
        }
    }

    /// Whether another attempt on the tuple is up, or still trying.
    private func hasOtherLive(_ slot: UInt32) -> Bool {
        let key = attempts[slot].key
        var other = find(key, key.hash(seed: seed))
        while other != 0 {
            if other != slot, !attempts[other].marks.contains(.midstream) {
                let isTrying =
                    !attempts[other].isReported && attempts[other].machine.state != .aborted
                    && !attempts[other].events.hasAny(.refusal, .serverReset)
                if isTrying || attempts[other].isLive { return true }
            }
            other = attempts[other].older
        }
        return false
    }

    private mutating func complete(_ slot: UInt32, _ how: CompletedBy) {
        attempts[slot].marks.insert(.established)
        attempts[slot].completedBy = UInt8(CompletedBy.allCases.firstIndex(of: how) ?? 0) + 1
        attempts[slot].clientEnd = Sequence.later(attempts[slot].clientEnd, attempts[slot].clientNext)
        enqueue(slot, .settling)
    }

    private mutating func take(_ error: ICMPError) {
        let key = ConnectionKey(error.source, error.destination, error.network)
        var slot = find(key, key.hash(seed: seed))
        while slot != 0 {
            let isMidstream = attempts[slot].marks.contains(.midstream)
            if !isMidstream, !attempts[slot].isReported {
                let fromClient = attempts[slot].client == error.source
                if fromClient, error.seq == nil || error.seq == attempts[slot].clientISN {
                    let event: HandshakeEvent =
                        switch error.severity {
                        case .hard: .icmpHard
                        case .admin: .icmpAdmin
                        case .soft: .icmpSoft
                        case .pmtu: .icmpOther
                        }
                    return noteICMP(event, error, slot)
                }
                if attempts[slot].older == 0 { return noteICMP(.icmpOther, error, slot) }
            }
            slot = attempts[slot].older
        }
        summary.unrelatedICMPErrors += 1
    }

    private mutating func noteICMP(_ event: HandshakeEvent, _ error: ICMPError, _ slot: UInt32) {
        guard attempts[slot].machine.receive(event) != .ignore else { return }
        attempts[slot].events.insert(event)
        var note = SegmentNote()
        note.frame = frame
        note.time = time
        note.seq = error.seq ?? 0
        note.event = event
        note.fromClient = error.reporter == attempts[slot].client.address
        note.icmpType = error.type
        note.icmpCode = error.code
        note.reporter = error.reporter
        append(note, slot)
        if attempts[slot].machine.state != .established { touch(slot) }
    }

    // MARK: The log

    private mutating func log(
        _ segment: Segment, _ event: HandshakeEvent, _ slot: UInt32, fromClient: Bool
    ) {
        append(SegmentNote(segment, frame: frame, time: time, event: event, fromClient: fromClient), slot)
    }

    /// The first 24 and the last 8 are kept.
    private mutating func append(_ note: SegmentNote, _ slot: UInt32) {
        guard let number = notes.insert(note) else {
            attempts[slot].notesOmitted += 1
            return
        }
        if attempts[slot].firstNote == 0 {
            attempts[slot].firstNote = number
        } else {
            notes[attempts[slot].lastNote].next = number
        }
        attempts[slot].lastNote = number
        attempts[slot].noteCount += 1
        guard attempts[slot].noteCount > 32 else { return }
        var kept = attempts[slot].firstNote
        for _ in 1..<24 { kept = notes[kept].next }
        let dropped = notes[kept].next
        notes[kept].next = notes[dropped].next
        notes.remove(dropped)
        attempts[slot].noteCount -= 1
        attempts[slot].notesOmitted += 1
    }

    private mutating func takeNotes(_ slot: UInt32) -> [SegmentNote] {
        var log: [SegmentNote] = []
        log.reserveCapacity(Int(attempts[slot].noteCount))
        var note = attempts[slot].firstNote
        while note != 0 {
            log.append(notes[note])
            let next = notes[note].next
            notes.remove(note)
            note = next
        }
        attempts[slot].firstNote = 0
        attempts[slot].lastNote = 0
        attempts[slot].noteCount = 0
        return log
    }

    // MARK: Ends

    /// Decides an attempt and hands out its record.
    private mutating func report(_ slot: UInt32, _ cause: Ending) {
        let log = takeNotes(slot)
        let judge = Judge(
            attempt: attempts[slot], log: log, cause: cause, now: clock.now ?? time,
            captureStart: clock.first ?? time,
            distrustsChecksums: !configuration.excludesBadChecksums || goodChecksums <= badChecksums)
        let record = judge.record()
        summary.count(record)
        decided.append(record)
    }

    /// Keeps a reported attempt in mind.
    private mutating func remember(_ slot: UInt32) {
        attempts[slot].machine = HandshakeMachine(.closed)
        enqueue(slot, attempts[slot].isLive ? .live : .ended)
    }

    private mutating func expire() {
        let now = clock.elapsed
        while let slot = queues.due(.settling, attempts, now) {
            report(slot, .timeout)
            remember(slot)
        }
        while let slot = queues.due(.unfinished, attempts, now) {
            report(slot, .timeout)
            forget(slot)
        }
        while let slot = queues.due(.ended, attempts, now) { forgetUnlessTouched(slot, .ended) }
        while let slot = queues.due(.live, attempts, now) { forgetUnlessTouched(slot, .live) }
        queues.schedule(attempts)
    }

    /// Remembered attempts are touched without being moved in their queue: moved here instead, if they were.
    private mutating func forgetUnlessTouched(_ slot: UInt32, _ queue: Attempt.Queue) {
        if attempts[slot].touched &+ QueueSet.lifetime(queue) > clock.elapsed {
            queues.move(slot, to: queue, attempts, now: clock.elapsed)
        } else {
            forget(slot)
        }
    }

    /// Makes room for one more; false where there is none to be made.
    private mutating func admit() -> Bool {
        while attempts.isFull {
            // What is reported goes first, then the oldest that is not.
            if let slot = queues.oldest(.ended) ?? queues.oldest(.live) {
                summary.forgottenEarly += 1
                forget(slot)
            } else if let slot = queues.oldest(.unfinished) ?? queues.oldest(.settling) {
                summary.evicted += 1
                report(slot, .evicted)
                forget(slot)
            } else {
                return false
            }
        }
        return true
    }

    // MARK: The table

    private mutating func add(_ attempt: Attempt, _ hash: UInt64, before newest: UInt32) -> UInt32 {
        guard let slot = attempts.insert(attempt) else { preconditionFailure("admit() made room") }
        attempts[slot].older = newest
        attempts[slot].touched = clock.elapsed
        if newest == 0 {
            index.insert(hash, slot, of: attempts, seed: seed)
        } else {
            index.replace(hash, newest, with: slot)
        }
        return slot
    }

    private mutating func forget(_ slot: UInt32) {
        queues.remove(slot, attempts)
        let key = attempts[slot].key
        let hash = key.hash(seed: seed)
        let newest = find(key, hash)
        if newest != slot {
            var newer = newest
            while attempts[newer].older != slot { newer = attempts[newer].older }
            attempts[newer].older = attempts[slot].older
        } else if attempts[slot].older != 0 {
            index.replace(hash, slot, with: attempts[slot].older)
        } else {
            index.remove(hash, slot, of: attempts, seed: seed)
        }
        attempts.remove(slot)
    }

    @inline(__always)
    private mutating func touch(_ slot: UInt32) { enqueue(slot, attempts[slot].queue) }

    @inline(__always)
    private mutating func enqueue(_ slot: UInt32, _ queue: Attempt.Queue) {
        attempts[slot].touched = clock.elapsed
        queues.move(slot, to: queue, attempts, now: clock.elapsed)
    }
}
