import HandshakeRecord
import PacketWire

extension Judge {
    struct Timing {
        var synToSynAck: Interval?
        var synAckToAck: Interval?
        var total: Interval?
        var setup: Int64?
        var refusal: Int64?
        var unknownBecause: RoundTripGap?
    }

    func roundTrips() -> Timing {
        var timing = Timing()
        timing.unknownBecause = gap()
        if log.contains(where: \.isUntimed) { return timing }
        timing.refusal = refusalTime()
        if let completion = note(places.completion), let syn = places.syns.first, !places.isIncomplete,
            !attempt.marks.contains(.completedLate), completion.event != .proof,
            completion.fromClient || form != .threeWay, isContinuous(log[syn], completion)
        {
            timing.setup = completion.time &- log[syn].time
        }
        // A false figure is worse than none.
        guard !isReordered, hasWholeLog, !places.isIncomplete else { return timing }
        timing.synToSynAck = serverLeg().map(blurred)
        timing.synAckToAck = clientLeg().map(blurred)
        if let server = timing.synToSynAck, let client = timing.synAckToAck {
            timing.total = sum(server, client)
        }
        if let total = timing.total {
            timing.unknownBecause = total.nanoseconds == nil ? (tick > 0 ? .coarseClock : .ambiguous) : nil
        }
        return timing
    }

    /// Why there may be no figure; nil where nothing stands against one.
    private func gap() -> RoundTripGap? {
        if log.contains(where: \.isUntimed) { return .untimed }
        if !sawSYN || syns.isEmpty { return .noSYN }
        guard let synAck = synAcks.first else { return .noSYNACK }
        if places.isIncomplete { return .twoPlaces }
        if isReordered { return .reordered }
        if clockStep != nil { return .clockStepped }
        if !hasWholeLog { return .logCut }
        guard let completion else { return .noFinalAck }
        if !completion.event.isExactCompletion || !completion.fromClient { return .inferred }
        if echoesUnseenSYN(log[synAck]) { return .answersUnseen }
        return acknowledgesUnseenSYNACK ? .acknowledgesUnseen : .ambiguous
    }

    /// A clock that counts in coarse steps bounds a time, it does not tell it.
    private func blurred(_ leg: Interval) -> Interval {
        guard tick > 0 else { return leg }
        let high = leg.high.addingReportingOverflow(tick)
        return Interval(
            nanoseconds: nil, provenance: .ambiguous, low: max(0, leg.low &- tick),
            high: high.overflow ? .max : high.partialValue)
    }

    /// Whether every SYN and SYN-ACK is in the log: a pair may be missing its half where some were left out.
    private var hasWholeLog: Bool {
        attempt.notesOmitted == 0
            || log.count { $0.event == .syn } == Int(attempt.synCount) && validSYNACKs.count == Int(attempt.synAckCount)
    }

    /// Whether time runs forward from one logged segment to the other, and neither stands beside a step: a clock that
    /// steps back had stepped forward before, or will.
    private func isContinuous(_ first: SegmentNote, _ last: SegmentNote) -> Bool {
        guard first.frame <= last.frame, first.time <= last.time else { return false }
        guard let clockStep else { return true }
        let between = places.view.filter { log[$0].frame >= first.frame && log[$0].frame <= last.frame }
        let before = places.view.before(clockStep).last
        return between.neighbours.allSatisfy { log[$0].time <= log[$1].time }
            && !between.contains { $0 == clockStep || $0 == before }
    }

    private func sum(_ a: Interval, _ b: Interval) -> Interval {
        let provenance: Provenance =
            if a.provenance == .ambiguous || b.provenance == .ambiguous {
                .ambiguous
            } else if a.provenance == .timestamp || b.provenance == .timestamp { .timestamp } else { .exact }
        func plus(_ a: Int64, _ b: Int64) -> Int64 {
            let sum = a.addingReportingOverflow(b)
            return sum.overflow ? .max : sum.partialValue
        }
        let known = a.nanoseconds.flatMap { a in b.nanoseconds.map { plus(a, $0) } }
        return Interval(
            nanoseconds: known, provenance: provenance, low: plus(a.low, b.low), high: plus(a.high, b.high))
    }

    private func known(_ nanoseconds: Int64, _ provenance: Provenance) -> Interval {
        Interval(nanoseconds: nanoseconds, provenance: provenance, low: nanoseconds, high: nanoseconds)
    }

    /// The SYNs that the first SYN-ACK of y may answer: all before it, less those that something else answered.
    /// - Parameter countingChallenges: whether a challenge ACK answers one. For a figure it does not: it may be the
    ///   answer to a
    ///   SYN that was not captured, and the next one still be under way.
    func answerableSYNs(countingChallenges: Bool) -> BitSet64 {
        guard let synAck = places.synAcks.first.map({ log[$0].frame }) else { return BitSet64() }
        // One answer covers one SYN: which, is known only where as many answers as SYNs have come.
        var firstOpen: UInt64 = 0
        var open = 0
        for position in places.view where log[position].frame < synAck {
            let event = log[position].event
            if places.syns.contains(position) { open += 1 }
            if event.answersSYN || countingChallenges && event == .challenge {
                open -= 1
                if open <= 0 {
                    firstOpen = log[position].frame
                    open = 0
                }
            }
        }
        return places.syns.filter { log[$0].frame < synAck && log[$0].frame > firstOpen }
    }

    /// The SYN whose TSval the SYN-ACK echoes, if the copies' TSvals tell them apart.
    func echoed(by synAck: SegmentNote, among copies: BitSet64) -> Int? {
        guard synAck.options.contains(.timestamps), areToldApartByTSval(copies) else { return nil }
        return copies.first { log[$0].tsval == synAck.tsecr }
    }

    /// Whether all of these have timestamps, and no two the same TSval.
    func areToldApartByTSval(_ copies: BitSet64) -> Bool {
        copies.allSatisfy { copy in
            log[copy].options.contains(.timestamps)
                && !copies.before(copy).contains { log[$0].tsval == log[copy].tsval }
        }
    }

    /// Whether the SYN-ACK echoes a TSval that no captured SYN had: what it answers was not captured. (0 is a field
    /// that was never filled.)
    func echoesUnseenSYN(_ synAck: SegmentNote) -> Bool {
        synAck.options.contains(.timestamps) && synAck.tsecr != 0
            && syns.allSatisfy { log[$0].options.contains(.timestamps) && log[$0].tsval != synAck.tsecr }
    }

    /// V to the server and back.
    private func serverLeg() -> Interval? {
        guard let synAck = note(places.synAcks.first) else { return nil }
        var copies = answerableSYNs(countingChallenges: false)
        // An answer between may have been to another copy than it seems: the echo says which SYN is meant.
        let before = places.syns.filter { log[$0].frame < synAck.frame }
        if let named = echoed(by: synAck, among: before), !copies.contains(named) { copies = before }
        if echoesUnseenSYN(synAck) { return nil }
        // A SYN that was on its way before the SYN-ACK, and that this place saw only later, or not at all.
        let isUnderWay = syns.contains { syn in
            log[syn].frame < synAck.frame && !before.contains { sightings.first[$0] == syn }
        }
        if isUnderWay { return nil }
        // It answers a SYN that this place saw only later.
        if synAck.options.contains(.timestamps), synAck.tsecr != 0, !before.isEmpty,
            before.allSatisfy({ log[$0].options.contains(.timestamps) && log[$0].tsval != synAck.tsecr })
        {
            return nil
        }
        return leg(from: copies, to: synAck, naming: echoed(by: synAck, among: copies))
    }

    /// Whether the final ACK echoes a TSval of no SYN-ACK before it at the place that time is measured by: it answers
    /// one that this place saw only later, or not at all.
    private var acknowledgesUnseenSYNACK: Bool {
        guard let ack = note(places.completion), ack.fromClient, ack.options.contains(.timestamps), ack.tsecr != 0
        else {
            return false
        }
        let before = places.synAcks.filter { log[$0].frame < ack.frame }
        return !before.isEmpty
            && before.allSatisfy { log[$0].options.contains(.timestamps) && log[$0].tsval != ack.tsecr }
    }

    /// V to the client and back.
    private func clientLeg() -> Interval? {
        guard let completion = note(places.completion), completion.fromClient,
            self.completion?.event.isExactCompletion == true
        else { return nil }
        if acknowledgesUnseenSYNACK { return nil }
        let copies = places.synAcks.filter { log[$0].frame < completion.frame }
        // The ACK's TSecr names the first SYN-ACK that the client received.
        let isNaming = completion.options.contains(.timestamps) && areToldApartByTSval(copies)
        return leg(
            from: copies, to: completion,
            naming: isNaming ? copies.first { log[$0].tsval == completion.tsecr } : nil)
    }

    /// From the one of several copies that was answered to its answer. Karn: without timestamps any of the copies may
    /// be meant. A peer echoes the first that it accepted, also in later answers: only where that is the last copy is
    /// the pair certain.
    /// - Parameter named: the copy that the answer echoes.
    private func leg(from copies: BitSet64, to answer: SegmentNote, naming named: Int?) -> Interval? {
        guard let first = copies.first, let last = copies.last, isContinuous(log[first], answer) else { return nil }
        let shortest = answer.time &- log[last].time
        if copies.count == 1 { return known(shortest, .exact) }
        if named == last { return known(shortest, .timestamp) }
        return Interval(
            nanoseconds: nil, provenance: .ambiguous, low: shortest, high: answer.time &- log[named ?? first].time)
    }

    /// SYN to RST, where one SYN can be meant.
    private func refusalTime() -> Int64? {
        guard let refusal = log.first(where: { $0.event == .refusal }), tick == 0, places.isOneClock else { return nil }
        let before = syns.filter { log[$0].frame < refusal.frame }
        guard before.count == 1, let syn = before.first, isContinuous(log[syn], refusal) else { return nil }
        return refusal.time &- log[syn].time
    }
}
