import PacketWire

/// Derives the record of an attempt that is over from its log: the outcome, then what the numbers, times and options say.
/// Pure: equal logs give equal records. The parts are in `Judge+*.swift`.
struct Judge {
    /// Nanoseconds that the first SYN or SYN-ACK must be old before silence means something: a client of RFC 6298 has
    /// sent three by then.
    static let patience: Int64 = 7_000_000_000
    /// Nanoseconds that the last one must be old.
    static let quiet: Int64 = 1_000_000_000

    let attempt: Attempt
    let paths: TunnelPaths?
    /// Every logged segment, in the order of the capture.
    let log: [SegmentNote]
    let cause: Ending
    let now: Int64
    let captureStart: Int64
    let distrustsChecksums: Bool

    /// Positions in `log` of what was captured a second time.
    let duplicates: Set<Int>

    /// The client's SYNs, in order, without capture duplicates.
    let syns: [SegmentNote]
    /// The server's SYN-ACKs that acknowledge the SYN, without capture duplicates; of every y.
    let validSYNACKs: [SegmentNote]
    /// Those of the y that counts.
    let synAcks: [SegmentNote]
    /// The segment that completed the handshake.
    let completion: SegmentNote?

    init(
        attempt: Attempt, paths: TunnelPaths?, log: [SegmentNote], cause: Ending, now: Int64, captureStart: Int64,
        distrustsChecksums: Bool
    ) {
        self.attempt = attempt
        self.paths = paths
        self.log = log
        self.cause = cause
        self.now = now
        self.captureStart = captureStart
        self.distrustsChecksums = distrustsChecksums
        let duplicates = Judge.duplicates(in: log)
        self.duplicates = duplicates
        let once = duplicates.isEmpty ? log : log.indices.filter { !duplicates.contains($0) }.map { log[$0] }
        let sent = once.filter { $0.event == .syn }
        let intact = distrustsChecksums ? sent : sent.filter { $0.checksum != .bad }
        syns = intact.isEmpty ? sent : intact
        validSYNACKs = once.filter { [.synAck, .synAckAgain, .synAckOther].contains($0.event) }
        let y = attempt.serverISN
        synAcks = validSYNACKs.filter { $0.seq == y }
        completion =
            attempt.marks.contains(.established) ? once.first { $0.frame == attempt.completedFrame } : nil
    }

    // MARK: Duplicates

    /// What was captured twice. A pair may be proven by itself (`SegmentNote.isSamePacket`); a pair of equal bytes without
    /// other evidence counts where its neighbours are doubled alike: each segment of the handshake, at once, twice.
    private static func duplicates(in log: [SegmentNote]) -> Set<Int> {
        var found = Set(log.indices.filter { log[$0].event == .captureDuplicate })
        guard log.count >= 4 else { return found }
        var twins: [(Int, Int)] = []
        for later in log.indices.dropFirst() where !found.contains(later) {
            let window = log[..<later].indices.reversed().prefix(3)
            if let earlier = window.first(where: {
                !found.contains($0) && log[$0].looksLike(log[later]) && !log[$0].isICMP
                    && abs(log[later].time &- log[$0].time) < SegmentNote.duplicateWindow
            }) {
                twins.append((earlier, later))
            }
        }
        // Doubled alike: at least two kinds of segment, from both directions, and nothing that came only once.
        let kinds = Set(twins.map { log[$0.0].flags.rawValue << 1 | (log[$0.0].fromClient ? 1 : 0) })
        let directions = Set(twins.map { log[$0.0].fromClient })
        let paired = Set(twins.flatMap { [$0.0, $0.1] })
        if kinds.count >= 2, directions.count == 2, paired.count == log.count - found.count {
            found.formUnion(twins.map(\.1))
        }
        return found
    }

    // MARK: Record

    /// - Parameter isPlain: the attempt is a `PlainHandshake`: there is nothing to find.
    func record(isPlain: Bool = false) -> AttemptRecord {
        let timing = roundTrips()
        let mss = segmentSizes()
        let outcome = outcome()
        let final = finalArithmetic()
        let twins = duplicates.count - log.count { $0.event == .captureDuplicate }
        let doubledSYNs = duplicates.count { log[$0].event == .syn }
        var record = AttemptRecord(
            id: attempt.firstFrame, client: attempt.client, server: attempt.server, network: attempt.clientNetwork,
            serverNetwork: attempt.serverNetwork, tunnels: log.reduce(into: Tunnels()) { $0.formUnion($1.tunnels) },
            clientPath: paths?.client ?? TunnelPath(), serverPath: paths?.server ?? TunnelPath(),
            clientVLAN: vlan(fromClient: true), serverVLAN: vlan(fromClient: false), outcome: outcome, form: form(),
            completedBy: completedBy, startsAtSYN: sawSYN, ended: ended(outcome), confidence: confidence(),
            clientISN: attempt.clientISN,
            serverISN: attempt.marks.contains(.hasServerISN)
                ? attempt.serverISN : attempt.events.has(.synAckWrongAck) ? attempt.wrongSynAckISN : nil,
            synAckAck: synAckArithmetic(), ackSeq: final.seq, ackAck: final.ack,
            synCount: Int(attempt.synCount) - doubledSYNs,
            synAckCount: Int(attempt.synAckCount)
                - duplicates.count { [.synAck, .synAckAgain, .synAckOther, .synAckWrongAck].contains(log[$0].event) },
            rstCount: Int(attempt.rstCount), refusalCount: Int(attempt.refusalCount),
            duplicateCount: Int(attempt.duplicateCount) + twins, firstTime: attempt.firstTime,
            synToSynAck: timing.synToSynAck, synAckToAck: timing.synAckToAck, total: timing.total, setup: timing.setup,
            refusal: timing.refusal, clientMSS: mss.client, serverMSS: mss.server, clientSendMSS: mss.clientSend,
            serverSendMSS: mss.serverSend, negotiatedMSS: mss.negotiated, clientOptions: clientOptions(),
            serverOptions: serverOptions(), unreachable: unreachable(),
            related: [attempt.predecessorID, attempt.successorID].filter { $0 != 0 }, segments: segmentRecords(),
            segmentsOmitted: Int(attempt.notesOmitted), findings: [])
        if !isPlain { record.findings = findings(record) }
        return record
    }

    var sawSYN: Bool { attempt.synCount > 0 }

    var completedBy: CompletedBy? {
        attempt.completedBy == 0 ? nil : CompletedBy.allCases[Int(attempt.completedBy) - 1]
    }

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
            let answers = log.filter {
                [.synAck, .synAckAgain, .synAckOther, .reverseSyn, .reverseSynAfterAck].contains($0.event)
            }
            return isOldEnough(answers.map(\.time)) ? .halfOpen : .pending
        }
        if events.has(.synAckWrongAck) { return .invalid }
        if events.hasAny(.challenge, .resetAnswersChallenge) { return .challenged }
        if attempt.marks.contains(.reusedEarly) { return .superseded }
        if events.has(.clientGaveUp) { return .unanswered }
        return isOldEnough(syns.map(\.time)) ? .unanswered : .pending
    }

    /// Whether silence after these times means something by now.
    private func isOldEnough(_ times: [Int64]) -> Bool {
        if cause == .timeout { return true }
        guard let first = times.first, let last = times.last else { return false }
        return now &- first >= Judge.patience && now &- last >= Judge.quiet
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

    func form() -> HandshakeForm? {
        let events = attempt.events
        let hasCrossed = log.contains { [.reverseSyn, .reverseSynAfterAck].contains($0.event) && !isLateReverse($0) }
        if hasCrossed, !attempt.isSelfConnect,
            !validSYNACKs.isEmpty || events.hasAny(.clientSynAck, .serverAck, .reverseSynAfterAck)
        {
            return events.hasAny(.serverAck, .reverseSynAfterAck) && validSYNACKs.isEmpty ? .split : .simultaneous
        }
        if attempt.isSelfConnect, attempt.marks.contains(.established) { return .simultaneous }
        return attempt.marks.contains(.established) || !validSYNACKs.isEmpty ? .threeWay : nil
    }

    /// The client acknowledged the server's SYN, which itself was not seen.
    var isOneSided: Bool { sawSYN && attempt.events.has(.oneSidedAck) && validSYNACKs.isEmpty }

    /// A SYN-ACK that stands in the capture before its SYN, or an ACK before its SYN-ACK.
    var isReordered: Bool {
        guard let synAck = synAcks.first else { return false }
        if let syn = syns.first, synAck.frame < syn.frame { return true }
        return attempt.events.has(.oneSidedAck) && completion.map { $0.frame < synAck.frame } ?? false
    }

    private func confidence() -> Confidence {
        if log.contains(where: \.isCut) { return .cut }
        if isOneSided { return .oneDirection }
        if isReordered || clockStep != nil { return .reordered }
        if attempt.marks.contains(.missedSegments) { return .lossy }
        if attempt.marks.contains(.established), let answer = synAcks.first, !syns.isEmpty, echoesUnseenSYN(answer) {
            return .lossy
        }
        if completedBy == .inferred { return .inferred }
        return .full
    }

    /// The first place in the log where time runs backwards.
    var clockStep: (before: SegmentNote, after: SegmentNote)? {
        for position in log.indices.dropFirst() where log[position].time < log[position - 1].time {
            return (log[position - 1], log[position])
        }
        return nil
    }

    // MARK: Parts

    private func vlan(fromClient: Bool) -> [UInt16] {
        log.first { $0.fromClient == fromClient && !$0.isICMP }?.vlan.identifiers ?? []
    }

    private func unreachable() -> UnreachableReport? {
        log.first { [.icmpHard, .icmpAdmin, .icmpSoft].contains($0.event) }.flatMap(report)
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
            return SegmentRecord(
                kind: kind, isDuplicate: duplicates.contains(position), fromClient: note.fromClient, frame: note.frame,
                at: note.time &- attempt.firstTime, seq: note.seq, ack: note.flags.contains(.ack) ? note.ack : 0,
                len: note.payloadLength, flags: note.flags, window: note.window,
                mss: note.options.contains(.mss) ? note.mss : nil,
                windowScale: note.options.contains(.windowScale) ? note.windowScale : nil,
                sackPermitted: note.options.contains(.sackPermitted), hasTimestamps: note.options.contains(.timestamps),
                tsval: note.tsval, tsecr: note.tsecr, icmp: report(note))
        }
    }

    // MARK: Arithmetic

    /// Did the SYN-ACK acknowledge x+1 (with Fast Open, up to x+1+L)?
    private func synAckArithmetic() -> ArithmeticCheck {
        let expected = attempt.clientNext
        let most = attempt.synLength > 0 ? expected &+ attempt.synLength : nil
        let seen = synAcks.first ?? log.first { $0.event == .synAckWrongAck }
        guard sawSYN else {  // x itself was computed from it
            return ArithmeticCheck(expected: nil, expectedMax: nil, actual: seen?.ack, ok: nil)
        }
        return ArithmeticCheck(
            expected: expected, expectedMax: most, actual: seen?.ack,
            ok: seen.map { Sequence.isIn($0.ack, from: expected, length: attempt.synLength) })
    }

    /// Did the final ACK have SEQ x+1 and acknowledge y+1?
    private func finalArithmetic() -> (seq: ArithmeticCheck, ack: ArithmeticCheck) {
        // In a simultaneous open the client acknowledges with a SYN-ACK that reuses its ISS (RFC 9293 Figure 7).
        let crossing = form() == .threeWay ? nil : log.first { $0.event == .clientSynAck }
        let exact =
            crossing ?? completion.flatMap { [.finalAck, .finalData, .oneSidedAck].contains($0.event) ? $0 : nil }
        let wrong = completion == nil ? log.first { [.wrongAck, .wrongSeq].contains($0.event) } : nil
        let seen = exact ?? wrong
        let expectedSeq =
            crossing != nil ? attempt.clientISN : synAcks.isEmpty ? attempt.clientNext : attempt.synAckAck
        let most = attempt.synLength > 0 ? attempt.clientNext &+ attempt.synLength : nil
        let seq = ArithmeticCheck(
            expected: expectedSeq, expectedMax: most, actual: seen?.seq,
            ok: seen.map {
                $0.seq == expectedSeq || Sequence.isIn($0.seq, from: attempt.clientNext, length: attempt.synLength)
            })
        let expectedAck: UInt32? =
            !synAcks.isEmpty || attempt.events.hasAny(.reverseSyn, .reverseSynAfterAck)
            ? attempt.serverNext : nil
        let ack = ArithmeticCheck(
            expected: expectedAck, expectedMax: nil, actual: seen?.ack,
            ok: expectedAck.flatMap { expected in
                seen.map { $0.ack == expected || $0.ack == attempt.serverISN &+ 1 }
            })
        return (seq, ack)
    }
}
