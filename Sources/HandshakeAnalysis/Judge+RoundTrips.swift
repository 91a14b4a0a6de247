import PacketWire

extension Judge {
    struct Timing {
        var synToSynAck: Interval?
        var synAckToAck: Interval?
        var total: Interval?
        var setup: Int64?
        var refusal: Int64?
    }

    func roundTrips() -> Timing {
        var timing = Timing()
        if log.contains(where: \.isUntimed) { return timing }
        timing.refusal = refusalTime()
        if let completion, let syn = syns.first, completion.fromClient || form() != .threeWay,
            isContinuous(syn, completion)
        {
            timing.setup = completion.time &- syn.time
        }
        // A false figure is worse than none.
        guard !isReordered, hasWholeLog else { return timing }
        timing.synToSynAck = serverLeg()
        timing.synAckToAck = clientLeg()
        if let server = timing.synToSynAck, let client = timing.synAckToAck {
            timing.total = sum(server, client)
        }
        return timing
    }

    /// Whether every SYN and SYN-ACK is in the log: a pair may be missing its half where some were left out.
    private var hasWholeLog: Bool {
        attempt.notesOmitted == 0
            || log.count { $0.event == .syn } == Int(attempt.synCount) && validSYNACKs.count == Int(attempt.synAckCount)
    }

    /// Whether time runs forward from one logged segment to the other.
    private func isContinuous(_ first: SegmentNote, _ last: SegmentNote) -> Bool {
        guard first.frame <= last.frame else { return false }
        if clockStep == nil { return true }
        let between = log.filter { $0.frame >= first.frame && $0.frame <= last.frame }
        return zip(between, between.dropFirst()).allSatisfy { $0.time <= $1.time }
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
    /// - Parameter countingChallenges: whether a challenge ACK answers one. For a figure it does not: it may be the answer to a
    ///   SYN that was not captured, and the next one still be under way.
    func answerableSYNs(countingChallenges: Bool) -> [SegmentNote] {
        guard let synAck = synAcks.first else { return [] }
        var answers: [HandshakeEvent] = [
            .refusal, .clientReset, .serverReset, .synAckWrongAck, .synAck, .synAckOther, .icmpHard,
            .icmpAdmin, .icmpSoft,
        ]
        if countingChallenges { answers.append(.challenge) }
        // One answer covers one SYN: which, is known only where as many answers as SYNs have come.
        var firstOpen: UInt64 = 0
        var open = 0
        for note in log where note.frame < synAck.frame {
            if note.event == .syn { open += 1 }
            if answers.contains(note.event) {
                open -= 1
                if open <= 0 {
                    firstOpen = note.frame
                    open = 0
                }
            }
        }
        return syns.filter { $0.frame < synAck.frame && $0.frame > firstOpen }
    }

    /// The SYN whose TSval the SYN-ACK echoes, if the copies' TSvals tell them apart.
    func echoed(by synAck: SegmentNote, among copies: [SegmentNote]) -> Int? {
        guard synAck.options.contains(.timestamps), copies.allSatisfy({ $0.options.contains(.timestamps) }),
            Set(copies.map(\.tsval)).count == copies.count
        else { return nil }
        return copies.firstIndex { $0.tsval == synAck.tsecr }
    }

    /// Whether the SYN-ACK echoes a TSval that no captured SYN had: what it answers was not captured. (0 is a field that was
    /// never filled.)
    func echoesUnseenSYN(_ synAck: SegmentNote) -> Bool {
        synAck.options.contains(.timestamps) && synAck.tsecr != 0
            && syns.allSatisfy { $0.options.contains(.timestamps) && $0.tsval != synAck.tsecr }
    }

    /// V to the server and back.
    private func serverLeg() -> Interval? {
        guard let synAck = synAcks.first else { return nil }
        var copies = answerableSYNs(countingChallenges: false)
        // An answer between may have been to another copy than it seems: the echo says which SYN is meant.
        let before = syns.filter { $0.frame < synAck.frame }
        if let named = echoed(by: synAck, among: before), !copies.contains(where: { $0.frame == before[named].frame }) {
            copies = before
        }
        guard let first = copies.first, let last = copies.last, isContinuous(first, synAck) else { return nil }
        if echoesUnseenSYN(synAck) { return nil }
        if copies.count == 1 { return known(synAck.time &- first.time, .exact) }
        // Karn: without timestamps any of the copies may be meant. A stateful server echoes the first that it accepted,
        // also in later SYN-ACKs: only where that is the last copy is the pair certain.
        let named = echoed(by: synAck, among: copies)
        if named == copies.count - 1 { return known(synAck.time &- last.time, .timestamp) }
        let earliest = named.map { copies[$0] } ?? first
        return Interval(
            nanoseconds: nil, provenance: .ambiguous, low: synAck.time &- last.time,
            high: synAck.time &- earliest.time)
    }

    /// V to the client and back.
    private func clientLeg() -> Interval? {
        guard let completion, [.finalAck, .finalData].contains(completion.event), completion.fromClient else {
            return nil
        }
        let copies = synAcks.filter { $0.frame < completion.frame }
        guard let first = copies.first, let last = copies.last, isContinuous(first, completion) else { return nil }
        if copies.count == 1 { return known(completion.time &- first.time, .exact) }
        // The ACK's TSecr names the first SYN-ACK that the client received.
        var named: Int?
        if completion.options.contains(.timestamps), copies.allSatisfy({ $0.options.contains(.timestamps) }),
            Set(copies.map(\.tsval)).count == copies.count
        {
            named = copies.firstIndex { $0.tsval == completion.tsecr }
        }
        if named == copies.count - 1 { return known(completion.time &- last.time, .timestamp) }
        let earliest = named.map { copies[$0] } ?? first
        return Interval(
            nanoseconds: nil, provenance: .ambiguous, low: completion.time &- last.time,
            high: completion.time &- earliest.time)
    }

    /// SYN to RST, where one SYN can be meant.
    private func refusalTime() -> Int64? {
        guard let refusal = log.first(where: { $0.event == .refusal }) else { return nil }
        let before = syns.filter { $0.frame < refusal.frame }
        guard before.count == 1, let syn = before.first, isContinuous(syn, refusal) else { return nil }
        return refusal.time &- syn.time
    }
}
