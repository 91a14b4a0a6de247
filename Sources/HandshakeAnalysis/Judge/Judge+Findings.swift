import HandshakeRecord
import PacketWire

extension Judge {
    /// Every finding, in the order of its first frame, then of the catalogue.
    func findings(_ record: AttemptRecord) -> [Finding] {
        var found: [Finding] = []
        found.reserveCapacity(4)
        findRepetitions((record.synToSynAck, record.synAckToAck), &found)
        findTupleHistory(&found)
        findWrongArithmetic(&found)
        findDirections(&found)
        findTranslation(&found)
        findCarriers(&found)
        findOptions(&found)
        findFrames(&found)
        // They are few, and mostly in order already; equals stay as they came.
        for end in found.indices.dropFirst() {
            var place = end
            while place > 0, Judge.precedes(found[place], found[place - 1]) {
                found.swapAt(place, place - 1)
                place -= 1
            }
        }
        return found
    }

    private static func precedes(_ a: Finding, _ b: Finding) -> Bool {
        let (first, second) = (a.frames.first ?? 0, b.frames.first ?? 0)
        return first == second ? a.code != b.code && a.code.order < b.code.order : first < second
    }

    func frames(_ positions: BitSet64) -> [UInt64] { positions.map { log[$0].frame } }

    /// Says why, where it will be read, and what else would look the same.
    func explain(
        _ finding: inout Finding, _ evidence: @autoclosure () -> String,
        or alternatives: @autoclosure () -> [String] = []
    ) {
        guard isListed else { return }
        finding.evidence = evidence()
        finding.alternatives = alternatives()
    }

    /// A finding on some segments, where there are any.
    func find(_ code: FindingCode, on positions: BitSet64, _ found: inout [Finding]) {
        if !positions.isEmpty { found.append(Finding(code, frames(positions))) }
    }

    /// A finding on each segment of an event.
    func find(_ code: FindingCode, on event: HandshakeEvent, _ found: inout [Finding]) {
        find(code, on: all.filter { log[$0].event == event }, &found)
    }

    /// A finding on one segment, where there is one.
    func find(
        _ code: FindingCode, on note: SegmentNote?, expected: UInt32? = nil, actual: UInt32? = nil,
        _ found: inout [Finding]
    ) {
        guard let note else { return }
        var finding = Finding(code, [note.frame])
        finding.expected = expected
        finding.actual = actual
        found.append(finding)
    }

    // MARK: The tuple's other attempts

    private func findTupleHistory(_ found: inout [Finding]) {
        func about(
            _ code: FindingCode, _ evidence: @autoclosure () -> String, or others: @autoclosure () -> [String] = []
        ) {
            let first = syns.first.map { log[$0].frame } ?? attempt.firstFrame
            var finding = Finding(code, [attempt.predecessorID, first])
            explain(&finding, evidence(), or: others())
            found.append(finding)
        }
        let copies = attempt.marks.contains(.repeatsISN) ? ["a copy of its SYN that was under way for long"] : []
        switch attempt.predecessor {
        case .none, .other: break
        case .over:
            about(
                .tupleReused, "attempt \(attempt.predecessorID) on the tuple is over",
                or: copies)
        case .timeWaitTaken where isAcceptedAtOnce, .timeWaitNotTaken where isAcceptedAtOnce:
            about(
                .tupleReused,
                "attempt \(attempt.predecessorID) on the tuple is over, and its server in TIME-WAIT; this SYN was taken",
                or: copies)
        case .timeWaitTaken:
            about(
                .tupleReused,
                "attempt \(attempt.predecessorID) on the tuple is over, and its server in TIME-WAIT; RFC 6191 lets this SYN take it",
                or: copies)
        case .timeWaitNotTaken:
            about(
                .tupleReused,
                "attempt \(attempt.predecessorID) on the tuple is over, and its server in TIME-WAIT; RFC 6191 does not let this SYN take it (section 2: TSval, else sequence number)",
                or: copies)
        case .unanswered:
            about(.synIsnChanged, "attempt \(attempt.predecessorID) on the tuple was still unanswered")
        case .live:
            about(.synOnEstablished, "the connection of attempt \(attempt.predecessorID) is live on the tuple")
        }
        find(.synOnEstablished, on: all.filter { log[$0].event.isReverseSYN && isLateReverse(log[$0]) }, &found)
        if attempt.events.has(.resetAnswersChallenge) {
            let note = log.first { $0.event == .resetAnswersChallenge }
            find(.halfOpenDiscovered, on: note, expected: attempt.challengeAck, actual: note?.seq, &found)
        }
    }

    /// Whether the first SYN was answered by a SYN-ACK, and by nothing else.
    private var isAcceptedAtOnce: Bool {
        syns.count == 1 && !synAcks.isEmpty && !attempt.events.hasAny(.challenge, .resetAnswersChallenge)
    }

    /// Whether a SYN of the server came when there was nothing left to cross: after completion, or after its SYN-ACK
    /// with another number.
    func isLateReverse(_ note: SegmentNote) -> Bool {
        if let completion, note.frame > completion.frame { return true }
        return validSYNACKs.contains { log[$0].frame < note.frame }
    }

    // MARK: Arithmetic

    private func findWrongArithmetic(_ found: inout [Finding]) {
        for note in log {
            switch note.event {
            case .synAckWrongAck:
                find(.synackWrongAck, on: note, expected: attempt.clientNext, actual: note.ack, &found)
            case .wrongAck where isOfServer(note.ack) || isOfLaterAnswer(note): break
            case .wrongAck:
                let y =
                    (attempt.marks.contains(.hasServerISN) ? attempt.numbers.serverISN : attempt.wrongSynAckISN) &+ 1
                var finding = Finding(.ackWrongAck, [note.frame])
                (finding.expected, finding.actual) = (y, note.ack)
                if !attempt.events.has(.resetAnswersWrongAck) {
                    explain(
                        &finding, "frame \(note.frame) acknowledges nothing that this server was seen to send",
                        or: ["a SYN-ACK with another y, or what the server sent, was not captured"])
                }
                found.append(finding)
                if attempt.marks.contains(.hasServerISN), note.seq &- attempt.clientNext > attempt.clientMaySend {
                    find(.ackWrongSeq, on: note, expected: attempt.clientNext, actual: note.seq, &found)
                }
            case .wrongSeq:
                var finding = Finding(.ackWrongSeq, [note.frame])
                (finding.expected, finding.actual) = (attempt.clientNext, note.seq)
                explain(
                    &finding, "frame \(note.frame) has the right ACK, and its SEQ is outside the server's window",
                    or: ["a connection on the tuple whose SYN was not captured"])
                found.append(finding)
            case .resetInexact:
                var finding = Finding(.rstInexact, [note.frame])
                finding.expected = note.fromClient ? attempt.clientNext : attempt.serverNext
                finding.actual = note.seq
                explain(
                    &finding, "frame \(note.frame) lies beyond all that its sender was seen to send",
                    or: ["its sender's data was not captured, and the RST is exact"])
                found.append(finding)
            case .resetUnacceptable:
                let expected: UInt32? =
                    note.fromClient ? attempt.clientNext : note.flags.contains(.ack) ? attempt.clientNext : nil
                find(
                    .rstUnacceptable, on: note, expected: expected,
                    actual: note.fromClient ? note.seq : note.flags.contains(.ack) ? note.ack : nil, &found)
            default: break
            }
        }
    }

    // MARK: Translation

    private func findTranslation(_ found: inout [Finding]) {
        guard let translation else { return }
        let shown = translation.shown
        if shown.kind == .copy {
            var finding = Finding(.nat, [shown.original.frame, shown.other.frame])
            let equal =
                shown.hasEqualTSval
                ? shown.hasEqualIdentification ? "x, TSval and IP identification" : "x and TSval"
                : "x and IP identification"
            let (before, behind) = (shown.original, shown.other)
            explain(
                &finding,
                "the SYN of \(before.source) > \(before.destination) went on as \(behind.source) > \(behind.destination): equal \(equal), hop limit \(before.hopLimit) and \(behind.hopLimit)",
                or: shown.hasEqualTSval
                    ? ["a proxy that keeps the client's numbers"]
                    : ["two devices with the same fixed ISN that started at once"])
            found.append(finding)
            findTranslatedMSS(shown, &found)
        }
        guard translation.role != .copy, synAcks.isEmpty || translation.role == .answer,
            let answer = translation.role == .answer ? shown : translation.answer
        else { return }
        var finding = Finding(.nat, [answer.original.frame, answer.frame])
        explain(
            &finding, foreignAnswer(answer),
            or: ["a server that answers from another of its addresses", "the answer that came back was not captured"])
        found.append(finding)
    }

    /// A change of the SYN's MSS by the translator.
    private func findTranslatedMSS(_ shown: Translation, _ found: inout [Finding]) {
        let (before, behind) = (shown.original, shown.other)
        guard before.mss != behind.mss, !before.hasCutOptions, !behind.hasCutOptions else { return }
        var finding = Finding(
            before.mss != nil && behind.mss != nil ? .mssClamped : .mssChanged, [before.frame, behind.frame])
        (finding.expected, finding.actual) = (before.mss.map(UInt32.init), behind.mss.map(UInt32.init))
        explain(&finding, "the translator changed it")
        found.append(finding)
    }

    /// The text about a SYN-ACK on another tuple that acknowledges this attempt's SYN.
    func foreignAnswer(_ answer: Translation) -> String {
        answer.original.source == answer.other.source
            ? "frame \(answer.frame) acknowledges its SYN and comes from \(answer.other.destination), which the client did not call: it was not translated back"
            : "frame \(answer.frame) answers the copy of its SYN behind the translator, from \(answer.other.destination); nothing came back to \(answer.original.source)"
    }

    /// Whether the server sent a segment that begins or ends at a number, and no RST, which may quote a wrong one: the
    /// capture may have it in another place.
    private func isOfServer(_ number: UInt32) -> Bool {
        log.contains {
            !$0.fromClient && !$0.isICMP && !$0.isSYNACK && !$0.flags.contains(.rst)
                && ($0.seq == number || $0.seq &+ $0.payloadLength == number)
        }
    }

    /// Whether an ACK answers a SYN-ACK that stands behind it in the capture, whether or not its checksum is good.
    private func isOfLaterAnswer(_ ack: SegmentNote) -> Bool {
        log.contains { !$0.fromClient && $0.isSYNACK && $0.frame > ack.frame && $0.seq &+ 1 == ack.ack }
    }

    // MARK: Tunnels

    private func findCarriers(_ found: inout [Finding]) {
        guard let doubts else { return }
        if let tunnel = doubts.oneWay {
            var finding = Finding(.oneWayTunnel, [attempt.firstFrame])
            explain(
                &finding,
                "it came in \(tunnel.tunnel.name) from \(tunnel.source) to \(tunnel.destination), and no TCP came from \(tunnel.destination)",
                or: [
                    "made up by whoever can send to \(tunnel.destination)", "a mirror session",
                    "nothing came back through the tunnel, or it was not captured",
                ])
            found.append(finding)
        }
        let ignored = ignoredSegments
        guard !ignored.isEmpty else { return }
        var finding = Finding(.foreignTunnel, frames(ignored))
        let tunnel = doubts.first.map { "\($0)" } ?? "one of too many tunnels"
        let number =
            attempt.foreignCount == 1 ? "1 segment" : "\(attempt.foreignCount) segments"
        explain(
            &finding,
            "\(number) in a tunnel (\(tunnel)) that the SYN did not come in, from one of its ends only: they decide nothing",
            or: ["made up by whoever can send to an end of it", "the tunnel's other direction was not captured"])
        found.append(finding)
    }

    // MARK: Direction and order

    private func findDirections(_ found: inout [Finding]) {
        find(.synackWrongDirection, on: .synAckWrongDirection, &found)
        if isOneSided { find(.oneSided, on: completion, &found) }
        if attempt.isSelfConnect { found.append(Finding(.selfConnect, [attempt.firstFrame])) }
        let resets = all.filter {
            log[$0].flags.contains(.rst) && !log[$0].isICMP && log[$0].event != .captureDuplicate
                && log[$0].event != .foreignCarrier
        }
        if let synAck = synAcks.first.map({ log[$0].frame }),
            let rst = resets.last(where: { !log[$0].fromClient && log[$0].frame < synAck }).map({ log[$0].frame }),
            !syns.contains(where: { log[$0].frame > rst && log[$0].frame < synAck })
        {
            found.append(Finding(.rstBeforeSynack, [rst, synAck]))
        }
        // Once the server acknowledged data it had accepted the connection; if it goes on, the RST did not reset it.
        let wentOn =
            SequenceNumber.isAfter(attempt.numbers.serverAcked, attempt.clientNext)
            || attempt.marks.contains(.outlivedReset)
        if completion != nil, !wentOn { find(.resetAfterEstablished, on: .resetEstablished, &found) }
        findForgeries(resets.filter { !log[$0].fromClient }, &found)
        findMiddleboxResets(resets.filter { !log[$0].fromClient }, &found)
        findMiddleboxResetsOfClient(resets.filter { log[$0].fromClient }, &found)
        // The server's own segments may prove a client.
        if !sawSYN, completion == nil, translation == nil, let synAck = synAcks.first,
            log[synAck].time &- captureStart > Judge.patience,
            !log.contains(where: { $0.fromClient && !$0.flags.contains(.rst) && !$0.isICMP })
        {
            var finding = Finding(.synackUnsolicited, [log[synAck].frame])
            explain(
                &finding, "no segment of its client is here",
                or: ["the client's segments were not captured, or stand elsewhere in the capture"])
            found.append(finding)
        }
        findEarlyData(&found)
        if isReordered {
            findReorderedFrames(&found)
        } else if let clockStep {
            let (before, after) = (log[places.view.before(clockStep).last ?? clockStep - 1], log[clockStep])
            var finding = Finding(.clockStepped, [before.frame, after.frame])
            finding.gaps = [after.time &- before.time]
            explain(
                &finding, "frame \(after.frame) has an earlier time than frame \(before.frame) before it",
                or: ["the frames stand out of the order of their times"])
            found.append(finding)
        }
        let errors = all.filter { log[$0].isICMP }
        if let first = note(errors.first) {
            var finding = Finding(.icmpError, frames(errors))
            explain(&finding, "type \(first.icmpType) code \(first.icmpCode) from \(first.reporter)")
            found.append(finding)
        }
    }

    /// Which frame stands behind one that it belongs before.
    private func findReorderedFrames(_ found: inout [Finding]) {
        var (early, late): (UInt64, UInt64)
        let alternative: String
        if let completion, let shown = shownBefore(completion) {
            (early, late) = (shown, completion.frame)
            alternative = "the client's first ACK was not captured, and frame \(late) repeats it"
        } else if let synAck = synAcks.first.map({ log[$0].frame }) {
            let syn = syns.first.map { log[$0].frame }
            (early, late) = (synAck, syn.map { $0 > synAck ? $0 : completion?.frame ?? $0 } ?? synAck)
            if early > late { swap(&early, &late) }
            alternative = "what frame \(synAck) answers was not captured, and a copy of it came later"
        } else {
            return
        }
        var finding = Finding(.reorderedCapture, [early, late])
        explain(&finding, "frame \(late) belongs before frame \(early)", or: [alternative])
        found.append(finding)
    }

    /// The frame that showed that the segment that completed the handshake had been sent, where it stands before that.
    private func shownBefore(_ completion: SegmentNote) -> UInt64? {
        guard attempt.marks.contains(.completedLate) else { return nil }
        return all.last { position in
            switch log[position].event {
            case .proof, .inferredAck, .ackBeyond: log[position].frame < completion.frame
            default: false
            }
        }.map { log[$0].frame }
    }

    private func findEarlyData(_ found: inout [Finding]) {
        let isFastOpen = offer.map { $0.options.contains(.fastOpen) } ?? false
        let hasSYNACK = log.contains { $0.isSYNACK && !$0.fromClient }
        let early = sightings.counted.filter { position in
            let note = log[position]
            guard note.payloadLength > 0, !note.flags.contains(.rst) else { return false }
            // Data of a server behind its SYN or SYN-ACK shows that it had the client's answer.
            guard note.fromClient || note.isSYNACK || note.isSYN else { return false }
            if let completion, note.frame >= shownBefore(completion) ?? completion.frame { return false }
            // A copy, in a tunnel, of what came after completion.
            if note.event == .clientMore { return false }
            if note.isSYN { return !note.options.contains(.fastOpen) && !isFastOpen }
            if note.isSYNACK { return !isFastOpen }
            // Without any SYN-ACK, what it acknowledges was not captured.
            if note.fromClient, note.flags.contains(.ack), !hasSYNACK { return false }
            // Further from x+1 than a mebibyte, it may be data of another connection on the tuple.
            if note.seq &- attempt.clientNext >= 1 << 20 { return false }
            // It acknowledges another y. If the SYN-ACK's y turns out to be right, this one was wrong; else its
            // SYN-ACK was not captured.
            if !log.contains(where: { $0.isSYNACK && $0.seq &+ 1 == note.ack }),
                completion?.event.isExactCompletion != true
            {
                return false
            }
            // Exact, after SYNs that crossed: what made the client send it was not captured.
            if note.event.isExactCompletion { return false }
            // Its SYN-ACK stands behind it in the capture.
            if isOfLaterAnswer(note) { return false }
            return !(attempt.marks.contains(.fastOpen))
        }
        for note in early.map({ log[$0] }) {
            var finding = Finding(.dataBeforeEstablished, [note.frame])
            if note.fromClient, note.flags.contains(.ack),
                !SequenceNumber.isIn(note.ack, from: attempt.numbers.serverISN &+ 1, length: attempt.synAckLength)
            {
                explain(
                    &finding, "frame \(note.frame) acknowledges nothing that this server was seen to send",
                    or: ["its SYN-ACK, with another y, was not captured"])
            }
            found.append(finding)
        }
    }
}
