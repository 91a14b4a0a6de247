import HandshakeRecord
import PacketWire

/// Derives the record of an attempt that is over from its log: the outcome, then what the numbers, times and options
/// say. Pure: equal logs give equal records. The parts are in `Judge+*.swift`.
struct Judge {
    /// Nanoseconds that the first SYN or SYN-ACK must be old before silence means something: a client of RFC 6298 has
    /// sent three by then.
    static let patience: Int64 = 7_000_000_000
    /// Nanoseconds that the last one must be old.
    static let quiet: Int64 = 1_000_000_000

    let attempt: Attempt
    let paths: TunnelPaths?
    let translation: AttemptTranslation?
    let doubts: CarrierDoubts?
    /// Every logged segment, in the order of the capture.
    let log: [SegmentNote]
    let cause: Ending
    let now: Int64
    let captureStart: Int64
    /// Nanoseconds between two readings of the capture's clock, if it is coarse; else 0.
    let tick: Int64
    /// Whether the record is handed out. One that is only counted goes without segments and explanations.
    let isListed: Bool

    // BitSet64 in the log.
    let all: BitSet64
    let sightings: Sightings
    /// The capture points that the log shows.
    let places: Places
    let trust: SegmentTrust
    /// The client's SYNs, without capture duplicates.
    let syns: BitSet64
    /// The server's SYN-ACKs that acknowledge the SYN, without capture duplicates; of every y.
    let validSYNACKs: BitSet64
    /// Those of the y that counts.
    let synAcks: BitSet64
    /// The segment that completed the handshake.
    let completion: SegmentNote?

    /// The first place in the log where time runs backwards: the segment after it.
    private(set) var clockStep: Int?
    /// A SYN-ACK stands in the capture before its SYN, or an ACK before its SYN-ACK, or behind what shows that it was
    /// sent.
    private(set) var isReordered = false
    /// Segments that the tracker took for second sightings, and that are none by what the whole log says.
    private var revoked = (syns: 0, synAcks: 0, all: 0)
    private(set) var form: HandshakeForm?
    /// Something speaks against the client as the sender of what completed the handshake.
    private(set) var isCompletionStrange = false

    init(
        attempt: Attempt, paths: TunnelPaths?, translation: AttemptTranslation? = nil,
        doubts: CarrierDoubts? = nil, log: [SegmentNote], cause: Ending, now: Int64, captureStart: Int64,
        tick: Int64 = 0, isListed: Bool
    ) {
        var log = log
        self.attempt = attempt
        self.paths = paths
        self.translation = translation
        self.doubts = doubts
        self.cause = cause
        self.now = now
        self.captureStart = captureStart
        self.tick = tick
        self.isListed = isListed
        let all = BitSet64(first: log.count)
        self.all = all
        sightings = Sightings(
            log, doubtful: all.filter { log[$0].event == .badChecksum || log[$0].event == .foreignCarrier })
        let once = all.subtracting(sightings.duplicates)
        // Segments that the tracker took for second sightings, and that the whole log shows to be none.
        for position in once where log[position].event == .captureDuplicate {
            // Where notes were left out, what it is a second sighting of may be among them.
            if attempt.notesOmitted == 0 {
                revoked.all += 1
                if log[position].isSYN { revoked.syns += 1 } else if log[position].isSYNACK { revoked.synAcks += 1 }
            }
            log[position].event = log[position].isSYN ? .syn : log[position].isSYNACK ? .synAckAgain : .clientMore
        }
        self.log = log
        trust = SegmentTrust(log, good: attempt.goodChecksums, foreign: doubts?.foreign ?? BitSet64())
        let counting = trust.counting
        let sent = once.filter { log[$0].event == .syn }
        let intact = sent.filter { log[$0].checksum != .bad || counting.contains($0) }
        syns = intact.isEmpty ? sent : intact
        validSYNACKs = once.filter { log[$0].event.isValidSYNACK }
        let y = attempt.numbers.serverISN
        synAcks = validSYNACKs.filter { log[$0].seq == y }
        let completed =
            attempt.marks.contains(.established) ? once.first { log[$0].frame == attempt.completedFrame } : nil
        completion = completed.map { log[$0] }
        places = Places(log, sightings, syns: syns, synAcks: synAcks, completion: completed)
        clockStep = places.view.neighbours.first { log[$1].time < log[$0].time }?.1
        isReordered = findReordering()
        form = findForm()
        isCompletionStrange = !strangeCompletion.isEmpty
    }

    /// Positions of second sightings.
    var duplicates: BitSet64 { sightings.duplicates }

    /// The segment at a position, if there is one.
    func note(_ position: Int?) -> SegmentNote? { position.map { log[$0] } }

    // MARK: Record

    /// - Parameter isPlain: the attempt is a `PlainHandshake`: there is nothing to find.
    func record(isPlain: Bool = false) -> AttemptRecord {
        let timing = roundTrips()
        let mss = segmentSizes()
        let outcome = outcome()
        let twins = duplicates.count { log[$0].event != .captureDuplicate }
        let doubledSYNs = duplicates.count { log[$0].event == .syn }
        let tunnels = log.reduce(into: Tunnels()) { if $1.event != .foreignCarrier { $0.formUnion($1.tunnels) } }
        let doubledSYNACKs = duplicates.count { log[$0].event.isValidSYNACK || log[$0].event == .synAckWrongAck }
        var record = AttemptRecord(id: attempt.firstFrame, client: attempt.client, server: attempt.server)
        (record.network, record.serverNetwork) = (attempt.clientNetwork, attempt.serverNetwork)
        record.tunnels = tunnels
        // A mirror's copies came in a tunnel, and the attempt in none.
        if let paths, !tunnels.isEmpty { (record.clientPath, record.serverPath) = (paths.client, paths.server) }
        (record.clientVLAN, record.serverVLAN) = (vlan(fromClient: true), vlan(fromClient: false))
        record.outcome = outcome
        record.form = form
        record.completedBy = completedBy
        record.startsAtSYN = sawSYN
        record.ended = ended(outcome)
        record.confidence = confidence()

        record.clientISN = attempt.clientISN
        record.ordinal = UInt16(attempt.ordinal)
        if attempt.marks.contains(.hasServerISN) {
            record.serverISN = attempt.numbers.serverISN
        } else if attempt.events.has(.synAckWrongAck) {
            record.serverISN = attempt.wrongSynAckISN
        }
        record.synAckAck = synAckArithmetic()
        (record.ackSeq, record.ackAck) = finalArithmetic()

        record.synCount = max(syns.count, Int(attempt.synCount) - doubledSYNs + revoked.syns)
        record.synAckCount = Int(attempt.synAckCount) - doubledSYNACKs + revoked.synAcks
        record.rstCount = Int(attempt.rstCount)
        record.refusalCount = Int(attempt.refusalCount)
        record.duplicateCount = max(duplicates.count, Int(attempt.duplicateCount) - revoked.all + twins)

        (record.firstTime, record.captureStart) = (attempt.firstTime, captureStart)
        (record.synToSynAck, record.synAckToAck) = (timing.synToSynAck, timing.synAckToAck)
        (record.total, record.setup, record.refusal) = (timing.total, timing.setup, timing.refusal)
        record.unknownBecause = timing.unknownBecause

        (record.clientMSS, record.serverMSS) = (mss.client, mss.server)
        (record.clientSendMSS, record.serverSendMSS) = (mss.clientSend, mss.serverSend)
        record.negotiatedMSS = mss.negotiated
        (record.clientOptions, record.serverOptions) = (clientOptions(), serverOptions())

        record.unreachable = unreachable()
        record.related = related()
        record.copyOf = translation?.role == .copy ? translation?.shown.original.frame : nil
        if isListed { record.segments = segmentRecords() }
        record.segmentsOmitted = Int(attempt.notesOmitted)
        if !isPlain { record.findings = findings(record) }
        record.sides.client = isPlain || log.contains { $0.fromClient && !$0.isICMP }
        record.sides.server = isPlain || attempt.marks.contains(.serverSpoke)
        record.sides.hasTwoPlaces = places.areTwo
        record.isDoubtful =
            doubts?.oneWay != nil || hasIgnoredSegments && outcome != .established
            || !isPlain && isCompletionStrange
        record.sides.distrustsChecksums = trust.distrustsClient || trust.distrustsServer
        return record
    }

    /// The ids of the other attempts on the tuple, and of those that a translation relates to this.
    private func related() -> [UInt64] {
        guard attempt.predecessorID | attempt.successorID != 0 || translation != nil else { return [] }
        let translated: UInt64? = translation.map {
            $0.role == .original || $0.role == nil ? $0.shown.other.frame : $0.shown.original.frame
        }
        return [attempt.predecessorID, attempt.successorID, translated ?? 0].filter { $0 != 0 }
    }

    var sawSYN: Bool { attempt.synCount > 0 }

    var completedBy: CompletedBy? { CompletedBy(number: attempt.completedBy) }

    // MARK: Outcome

    /// The first that matches, in the order of `Outcome`'s cases.
    private func outcome() -> Outcome {
        let events = attempt.events
        if !sawSYN { return .partial }
        if attempt.marks.contains(.established) { return .established }
        if events.has(.clientReset) {
            // RFC 9293 Figure 8: the SYN was an old duplicate if another attempt was alive when it was rejected.
            return attempt.marks.contains(.otherLiveAtReset) ? .stale : .resetByClient
        }
        let answered = attempt.marks.contains(.serverSpoke)
        if !answered, attempt.marks.contains(.olderThanLive) { return .stale }
        if events.has(.serverReset) { return .resetByServer }
        if events.has(.refusal) { return .refused }
        if events.hasAny(.icmpHard, .icmpAdmin, .icmpSoft) { return .unreachable }
        if !validSYNACKs.isEmpty || attempt.marks.contains(.hasServerISN) {
            if events.hasAny(.wrongAck, .wrongSeq) { return .invalid }
            let answers = all.filter { log[$0].event.isValidSYNACK || log[$0].event.isReverseSYN }
            return isOldEnough(answers) ? .halfOpen : .pending
        }
        if events.has(.synAckWrongAck) { return .invalid }
        if events.hasAny(.challenge, .resetAnswersChallenge) { return .challenged }
        if attempt.marks.contains(.reusedEarly) { return .superseded }
        if events.has(.clientGaveUp) { return .unanswered }
        return isOldEnough(syns) ? .unanswered : .pending
    }

    /// Whether silence after these means something by now.
    private func isOldEnough(_ sent: BitSet64) -> Bool {
        if cause == .timeout { return true }
        guard let first = sent.first, let last = sent.last else { return false }
        return now &- log[first].time >= Judge.patience && now &- log[last].time >= Judge.quiet
    }

    private func ended(_ outcome: Outcome) -> Ending {
        switch outcome {
        case .established, .resetByServer, .refused, .unreachable, .superseded: .evidence
        case .resetByClient: .clientAbort
        case .stale: attempt.events.has(.clientReset) ? .clientAbort : cause
        case .unanswered where attempt.events.has(.clientGaveUp): .clientAbort
        case .partial where attempt.events.has(.clientReset): .clientAbort
        case .partial
        where attempt.marks.contains(.established) || attempt.events.hasAny(.serverReset, .refusal): .evidence
        default: cause
        }
    }

    private func findForm() -> HandshakeForm? {
        let events = attempt.events
        let hasCrossed = all.contains { log[$0].event.isReverseSYN && !isLateReverse(log[$0]) }
        // The client's SYN-ACK answered a SYN: whether the server's SYN-ACK followed, or an ACK alone, is not known.
        if !hasCrossed, events.has(.clientSynAck) { return validSYNACKs.isEmpty ? nil : .simultaneous }
        if hasCrossed, !attempt.isSelfConnect,
            !validSYNACKs.isEmpty || events.hasAny(.clientSynAck, .serverAck, .reverseSynAfterAck)
        {
            return events.hasAny(.serverAck, .reverseSynAfterAck) && validSYNACKs.isEmpty ? .split : .simultaneous
        }
        if attempt.isSelfConnect, attempt.marks.contains(.established) { return .simultaneous }
        return attempt.marks.contains(.established) ? .threeWay : nil
    }

    /// The client acknowledged the server's SYN, and nothing of the server is in the capture.
    var isOneSided: Bool {
        lacksSYNACK && !attempt.marks.contains(.serverSpoke) && !log.contains { !$0.fromClient && !$0.isICMP }
    }

    /// The handshake completed, and its SYN-ACK is not in the capture.
    private var lacksSYNACK: Bool { sawSYN && attempt.events.has(.oneSidedAck) && validSYNACKs.isEmpty }

    private func findReordering() -> Bool {
        if attempt.marks.contains(.completedLate) { return true }
        guard let synAck = synAcks.first else { return false }
        let (syns, synAcks) = places.isOneClock ? (syns, synAcks) : (places.syns, places.synAcks)
        if let syn = syns.first, let synAck = synAcks.first, log[synAck].frame < log[syn].frame { return true }
        // Where SYNs crossed, an ACK of the server may complete it, and its SYN-ACK be a copy that was under way.
        return completion.map { $0.frame < log[synAck].frame && $0.event != .serverAck } ?? false
    }

    private func confidence() -> Confidence {
        if log.contains(where: \.isCut) { return .cut }
        if isOneSided { return .oneDirection }
        if isReordered || clockStep != nil { return .reordered }
        if attempt.marks.contains(.missedSegments) || lacksSYNACK { return .lossy }
        if attempt.marks.contains(.established), let answer = synAcks.first, !syns.isEmpty, echoesUnseenSYN(log[answer])
        {
            return .lossy
        }
        if completedBy == .inferred || !trust.counting.isEmpty || restsOnBadChecksum { return .inferred }
        if doubts?.oneWay != nil || hasIgnoredSegments && !attempt.marks.contains(.established) { return .inferred }
        if isCompletionStrange { return .inferred }
        return .full
    }

    /// Whether the numbers of the first SYN, or else of the SYN-ACK, are from a segment with a bad sum.
    private var restsOnBadChecksum: Bool {
        (syns.first ?? validSYNACKs.first).map { log[$0].checksum == .bad } ?? false
    }

    /// Segments in tunnels that say nothing of the attempt, and that would have said something: no SYN, and no
    /// sighting of another.
    var ignoredSegments: BitSet64 {
        guard let doubts else { return BitSet64() }
        return doubts.foreign.filter {
            log[$0].event == .foreignCarrier && !duplicates.contains($0) && !(log[$0].isSYN && log[$0].fromClient)
                && !isAwaitedCopy($0, doubts.foreign)
        }
    }

    /// Whether a segment in a tunnel is likely a mirror's copy of one that is still to come: others of the tunnel are
    /// proven copies, and the attempt ended before a mirror's window was over.
    private func isAwaitedCopy(_ position: Int, _ foreign: BitSet64) -> Bool {
        guard cause == .evidence, let end = log.last?.time, end &- log[position].time <= SegmentNote.mirrorWindow else {
            return false
        }
        return foreign.contains { duplicates.contains($0) && log[$0].carrier == log[position].carrier }
    }

    private var hasIgnoredSegments: Bool { doubts != nil && !ignoredSegments.isEmpty }

    // MARK: Parts

    private func vlan(fromClient: Bool) -> [UInt16] {
        log.first { $0.fromClient == fromClient && !$0.isICMP }?.vlan.identifiers ?? []
    }

    private func unreachable() -> UnreachableReport? {
        log.first { $0.event.isUnreachable }.flatMap(report)
    }

    private func report(_ note: SegmentNote) -> UnreachableReport? {
        guard note.isICMP else { return nil }
        let error = ICMPError(
            reporter: note.reporter, type: note.icmpType, code: note.icmpCode, source: attempt.client,
            destination: attempt.server)
        return UnreachableReport(
            type: note.icmpType, code: note.icmpCode, severity: error.severity, reporter: note.reporter,
            frame: note.frame)
    }

    private func segmentRecords() -> [SegmentRecord] {
        log.indices.map { position in
            let note = log[position]
            let kind: SegmentRecord.Kind =
                if note.isICMP { .icmp } else if note.flags.contains(.rst) {
                    .rst
                } else if note.flags.isSuperset(of: [.syn, .ack]) { .synAck } else if note.flags.contains(.syn) {
                    .syn
                } else if note.flags.contains(.fin) { .fin } else if note.payloadLength > 0 { .data } else { .ack }
            var segment = SegmentRecord(
                kind, fromClient: note.fromClient, frame: note.frame, at: note.time &- attempt.firstTime)
            segment.isDuplicate = duplicates.contains(position)
            segment.seq = note.seq
            if note.flags.contains(.ack) { segment.ack = note.ack }
            segment.len = note.payloadLength
            (segment.flags, segment.window, segment.hopLimit) = (note.flags, note.window, note.hopLimit)
            if attempt.client.address.version == .v4 { segment.identification = note.identification }
            if note.options.contains(.mss) { segment.mss = note.mss }
            if note.options.contains(.windowScale) { segment.windowScale = note.windowScale }
            segment.sackPermitted = note.options.contains(.sackPermitted)
            if note.options.contains(.timestamps) { segment.timestamps = (note.tsval, note.tsecr) }
            if note.isSYN || note.isSYNACK {
                segment.optionKinds = note.options.contains(.cut) ? nil : note.order.kinds
                (segment.trafficClass, segment.links) = (note.trafficClass, note.links)
            }
            segment.icmp = report(note)
            return segment
        }
    }

    // MARK: Arithmetic

    /// Did the SYN-ACK acknowledge x+1 (with Fast Open, up to x+1+L)?
    private func synAckArithmetic() -> ArithmeticCheck {
        let expected = attempt.clientNext
        let maximum = attempt.synLength > 0 ? expected &+ attempt.synLength : nil
        let seen = note(synAcks.first) ?? log.first { $0.event == .synAckWrongAck }
        guard sawSYN else {  // x itself was computed from it
            return ArithmeticCheck(expected: nil, expectedMax: nil, actual: seen?.ack, ok: nil)
        }
        return ArithmeticCheck(
            expected: expected, expectedMax: maximum, actual: seen?.ack,
            ok: seen.map { SequenceNumber.isIn($0.ack, from: expected, length: attempt.synLength) })
    }

    /// Did the final ACK have SEQ x+1 and acknowledge y+1?
    private func finalArithmetic() -> (seq: ArithmeticCheck, ack: ArithmeticCheck) {
        // In a simultaneous open the client acknowledges with a SYN-ACK that reuses its ISS (RFC 9293 Figure 7).
        let crossing = form == .threeWay ? nil : log.first { $0.event == .clientSynAck }
        let exact = crossing ?? completion.flatMap { $0.event.isExactCompletion || $0.event == .oneSidedAck ? $0 : nil }
        let wrong = completion == nil ? log.first { $0.event == .wrongAck || $0.event == .wrongSeq } : nil
        let seen = exact ?? wrong
        let expectedSeq =
            crossing != nil ? attempt.clientISN : synAcks.isEmpty ? attempt.clientNext : attempt.synAckAck
        let maximum = attempt.synLength > 0 ? attempt.clientNext &+ attempt.synLength : nil
        let seq = ArithmeticCheck(
            expected: expectedSeq, expectedMax: maximum, actual: seen?.seq,
            ok: seen.map {
                $0.seq == expectedSeq
                    || SequenceNumber.isIn($0.seq, from: attempt.clientNext, length: attempt.synLength)
            })
        // A SYN-ACK with data may be acknowledged without them (RFC 9293 3.10.7.4).
        let next = attempt.numbers.serverISN &+ 1
        let isKnown = !synAcks.isEmpty || attempt.events.hasAny(.reverseSyn, .reverseSynAfterAck)
        let ack = ArithmeticCheck(
            expected: isKnown ? next : nil,
            expectedMax: isKnown && attempt.synAckLength > 0 ? attempt.serverNext : nil, actual: seen?.ack,
            ok: isKnown ? seen.map { SequenceNumber.isIn($0.ack, from: next, length: attempt.synAckLength) } : nil)
        return (seq, ack)
    }
}
