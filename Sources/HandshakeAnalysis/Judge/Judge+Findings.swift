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
    private func find(_ code: FindingCode, on positions: BitSet64, _ found: inout [Finding]) {
        if !positions.isEmpty { found.append(Finding(code, frames(positions))) }
    }

    /// A finding on each segment of an event.
    private func find(_ code: FindingCode, on event: HandshakeEvent, _ found: inout [Finding]) {
        find(code, on: all.filter { log[$0].event == event }, &found)
    }

    /// A finding on one segment, where there is one.
    private func find(
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

    /// Whether a SYN of the server came when there was nothing left to cross: after completion, or after its SYN-ACK with
    /// another number.
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
                let y = attempt.marks.contains(.hasServerISN) ? attempt.serverNext : attempt.wrongSynAckISN &+ 1
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
                let next = note.fromClient ? attempt.clientNext : attempt.serverNext
                find(.rstInexact, on: note, expected: next, actual: note.seq, &found)
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

    /// What a SYN-ACK on another tuple says of the attempt whose SYN it acknowledges.
    func foreignAnswer(_ answer: Translation) -> String {
        answer.original.source == answer.other.source
            ? "frame \(answer.frame) acknowledges its SYN and comes from \(answer.other.destination), which the client did not call: it was not translated back"
            : "frame \(answer.frame) answers the copy of its SYN behind the translator, from \(answer.other.destination); nothing came back to \(answer.original.source)"
    }

    /// Whether the server sent a segment that begins or ends at a number, and no RST, which may quote a wrong one: the capture
    /// may have it in another place.
    private func isOfServer(_ number: UInt32) -> Bool {
        log.contains {
            !$0.fromClient && !$0.isICMP && !$0.isSYNACK && !$0.flags.contains(.rst)
                && ($0.seq == number || $0.seq &+ $0.payloadLength == number)
        }
    }

    /// Whether an ACK answers a valid SYN-ACK that stands behind it in the capture.
    private func isOfLaterAnswer(_ ack: SegmentNote) -> Bool {
        validSYNACKs.contains { log[$0].frame > ack.frame && log[$0].seq &+ 1 == ack.ack }
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
        let unheard = unheardSegments
        guard !unheard.isEmpty else { return }
        var finding = Finding(.foreignTunnel, frames(unheard))
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
            SequenceNumber.isAfter(attempt.serverAcked, attempt.clientNext) || attempt.marks.contains(.outlivedReset)
        if completion != nil, !wentOn { find(.resetAfterEstablished, on: .resetEstablished, &found) }
        findForgeries(resets.filter { !log[$0].fromClient }, &found)
        findMiddleboxResets(resets.filter { !log[$0].fromClient }, &found)
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
        if isReordered, let synAck = synAcks.first.map({ log[$0].frame }) {
            let syn = syns.first.map { log[$0].frame }
            let other = syn.map { $0 > synAck ? $0 : completion?.frame ?? $0 } ?? synAck
            var finding = Finding(.reorderedCapture, [min(synAck, other), max(synAck, other)])
            explain(
                &finding, "frame \(max(synAck, other)) belongs before frame \(min(synAck, other))",
                or: ["what frame \(synAck) answers was not captured, and a copy of it came later"])
            found.append(finding)
        } else if let clockStep {
            let (before, after) = (log[clockStep - 1], log[clockStep])
            var finding = Finding(.clockStepped, [before.frame, after.frame])
            finding.gaps = [after.time &- before.time]
            found.append(finding)
        }
        let errors = all.filter { log[$0].isICMP }
        if let first = note(errors.first) {
            var finding = Finding(.icmpError, frames(errors))
            explain(&finding, "type \(first.icmpType) code \(first.icmpCode) from \(first.reporter)")
            found.append(finding)
        }
    }

    private func findEarlyData(_ found: inout [Finding]) {
        let isFastOpen = offer.map { $0.options.contains(.fastOpen) } ?? false
        let early = sightings.counted.filter { position in
            let note = log[position]
            guard note.payloadLength > 0, !note.flags.contains(.rst) else { return false }
            // What a server sends behind its SYN-ACK says that it had the client's ACK.
            guard note.fromClient || note.isSYNACK else { return false }
            if let completion, note.frame >= completion.frame { return false }
            // A copy, in a tunnel, of what came after completion.
            if note.event == .clientMore { return false }
            if note.isSYN { return !note.options.contains(.fastOpen) && !isFastOpen }
            if note.isSYNACK { return !isFastOpen }
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
            if note.fromClient, note.flags.contains(.ack), note.ack != attempt.serverNext {
                explain(
                    &finding, "frame \(note.frame) acknowledges nothing that this server was seen to send",
                    or: ["its SYN-ACK, with another y, was not captured"])
            }
            found.append(finding)
        }
    }

    // MARK: Who sent it

    /// What speaks against the client as the sender of what completed the handshake.
    var strangeCompletion: [String] {
        guard let completion, completion.fromClient, duplicates.isEmpty else { return [] }
        return strangeness(of: completion, among: syns.filter { log[$0].frame < completion.frame })
    }

    /// Segments that decided the outcome, and are not like their sender's others.
    private func findForgeries(_ resets: BitSet64, _ found: inout [Finding]) {
        if let completion, isCompletionStrange {
            var finding = Finding(.possibleForgery, [completion.frame])
            explain(
                &finding,
                "frame \(completion.frame) may not be the client's: " + strangeCompletion.joined(separator: "; "),
                or: ["a proxy on the path completes handshakes for the client", "its route changed meanwhile"])
            found.append(finding)
        }
        guard let synAck = note(synAcks.first) else { return }
        let answers = resets.filter { answersSYN(log[$0]) && !Judge.areNear(log[$0].hopLimit, synAck.hopLimit) }
        guard let rst = note(answers.first) else { return }
        var finding = Finding(.possibleForgery, [synAck.frame, rst.frame])
        explain(
            &finding,
            "both answer the SYN, frame \(synAck.frame) with hop limit \(synAck.hopLimit), frame \(rst.frame) with \(rst.hopLimit): one of the two is not the server's",
            or: ["two servers behind one address"])
        found.append(finding)
    }

    /// Whether a RST is one that RFC 9293 3.10.7.1 has a closed port send in answer to the SYN.
    private func answersSYN(_ rst: SegmentNote) -> Bool {
        rst.flags.contains(.ack) && rst.seq == 0
            && SequenceNumber.isIn(rst.ack, from: attempt.clientNext, length: attempt.synLength)
    }

    /// What tells a segment from its supposed sender's others: from how many hops away it comes, and its IP
    /// identification.
    private func strangeness(of note: SegmentNote, among peers: BitSet64) -> [String] {
        guard let peer = self.note(peers.first) else { return [] }
        var hints: [String] = []
        if peers.allSatisfy({ !Judge.areNear(log[$0].hopLimit, note.hopLimit) }) {
            hints.append("hop limit \(note.hopLimit), the peer's is \(peer.hopLimit)")
        }
        // Linux sends 0 with some, and counts with others.
        if note.identification != 0, let usual = countsIdentifications(peers, before: note),
            min(note.identification &- usual, usual &- note.identification) > 4096
        {
            hints.append("IP identification \(note.identification), the peer counts near \(usual)")
        }
        return hints
    }

    /// RSTs that do not look like their supposed sender's other packets.
    private func findMiddleboxResets(_ resets: BitSet64, _ found: inout [Finding]) {
        guard !resets.isEmpty else { return }
        let peers = all.filter {
            !log[$0].fromClient && !log[$0].flags.contains(.rst) && !log[$0].isICMP && !log[$0].event.isLeftOut
        }
        guard let peer = note(peers.first) else { return }
        // One that answers the SYN may as well be the server's, and the SYN-ACK not.
        for rst in resets.map({ log[$0] }) where !answersSYN(rst) {
            var hints = strangeness(of: rst, among: peers)
            if rst.seq == 0, rst.seq != attempt.serverNext, peer.seq != 0, !isPrescribed(rst) { hints.append("SEQ 0") }
            if rst.payloadLength > 0 { hints.append("\(rst.payloadLength) octets of payload") }
            guard !hints.isEmpty else { continue }
            var finding = Finding(.rstFromMiddlebox, [rst.frame])
            var others = ["a stack that sends its resets so", "a RST of another connection on the tuple"]
            if peers.allSatisfy({ log[$0].isSYNACK }) {
                others.append("a SYN proxy sent the SYN-ACK, and the server the RST")
            }
            explain(&finding, hints.joined(separator: "; "), or: others)
            found.append(finding)
        }
    }

    /// Whether RFC 9293 3.10.7.1 prescribes SEQ 0 for a RST of the server: with ACK, it answers a segment without ACK, and
    /// acknowledges that segment's SEQ+LEN; without, it answers an ACK of 0.
    private func isPrescribed(_ rst: SegmentNote) -> Bool {
        log.contains { segment in
            guard segment.fromClient, !segment.isICMP, segment.frame < rst.frame else { return false }
            if !rst.flags.contains(.ack) { return segment.flags.contains(.ack) && segment.ack == 0 }
            let length =
                segment.payloadLength &+ (segment.flags.contains(.syn) ? 1 : 0)
                &+ (segment.flags.contains(.fin) ? 1 : 0)
            return !segment.flags.contains(.ack) && rst.ack == segment.seq &+ length
        }
    }

    /// From how many hops away a packet comes that has this limit left: stacks send RSTs of their own with another initial one, but
    /// from as many hops away.
    private static func hops(_ limit: UInt8) -> Int {
        let initial = limit <= 32 ? 32 : limit <= 64 ? 64 : limit <= 128 ? 128 : 255
        return initial - Int(limit)
    }

    /// Whether packets with these limits left come from equally far away, or one hop apart.
    static func areNear(_ a: UInt8, _ b: UInt8) -> Bool { a == b || abs(hops(a) - hops(b)) <= 1 }

    /// The last IP identification of a peer that counts them, seen by two of its packets at least. Zero, random or mixed ones
    /// (Linux sends 0 on SYN-ACKs and counts later) say nothing: of two random ones, one pair in 64 lies within 1024.
    private func countsIdentifications(_ peers: BitSet64, before rst: SegmentNote) -> UInt16? {
        let earlier = peers.filter { log[$0].frame < rst.frame }
        let steps: ClosedRange<UInt16> = earlier.count > 2 ? 1...1024 : 1...16
        guard earlier.count > 1, let last = earlier.last, !earlier.contains(where: { log[$0].identification == 0 }),
            earlier.neighbours.allSatisfy({ steps.contains(log[$1].identification &- log[$0].identification) })
        else { return nil }
        return log[last].identification
    }

    // MARK: Options

    private func findOptions(_ found: inout [Finding]) {
        if let offer { findOffer(offer, &found) }
        if let answer { findOffer(answer, &found) }
        for note in log where !note.isICMP && note.event != .captureDuplicate {
            if note.options.contains(.malformed) { find(.optionMalformed, on: note, &found) }
            if note.options.contains(.repeated) { find(.optionRepeated, on: note, &found) }
        }
        if let offer, let answer, !offer.options.contains(.cut), answer.isSYNACK {
            findAnswer(answer, to: offer, &found)
        }
        for position in duplicates where log[position].isSYN || log[position].isSYNACK {
            let copy = log[position]
            let original = all.before(position).last {
                log[$0].seq == copy.seq && log[$0].flags == copy.flags && log[$0].fromClient == copy.fromClient
            }
            if let original, log[original].options.contains(.mptcp) != copy.options.contains(.mptcp) {
                found.append(Finding(.mptcpStripped, [log[original].frame, copy.frame]))
            }
        }
    }

    /// What a SYN or SYN-ACK says by itself.
    private func findOffer(_ note: SegmentNote, _ found: inout [Finding]) {
        let standard = Judge.defaultMSS(attempt.client.address.version)
        if !note.options.contains(.mss), !note.options.contains(.cut) { find(.mssAbsent, on: note, &found) }
        if note.options.contains(.mss), note.mss < standard {
            find(.mssTiny, on: note, expected: UInt32(standard), actual: UInt32(note.mss), &found)
        }
        if note.options.contains(.windowScale), note.windowScale > 14 {
            find(.wscaleOver14, on: note, expected: 14, actual: UInt32(note.windowScale), &found)
        }
    }

    private func findAnswer(_ answer: SegmentNote, to offer: SegmentNote, _ found: inout [Finding]) {
        // RFC 7323 1.3 and 2.2, RFC 2018 2, RFC 8684 3.1: these may only answer an offer.
        let answered: TCPOptions.Present = [.windowScale, .sackPermitted, .timestamps, .mptcp]
        let offered = syns.reduce(into: TCPOptions.Present()) { $0.formUnion(log[$1].options) }
        let extra = answer.options.intersection(answered).subtracting(offered)
        if !extra.isEmpty {
            let names: [(TCPOptions.Present, String)] = [
                (.windowScale, "window scale"), (.sackPermitted, "SACK permitted"), (.timestamps, "timestamps"),
                (.mptcp, "MPTCP"),
            ]
            var finding = Finding(.optionNotOffered, [offer.frame, answer.frame])
            explain(&finding, names.filter { extra.contains($0.0) }.map(\.1).joined(separator: ", "))
            found.append(finding)
        }
        // A copy without the data may be what was answered (RFC 7413 4.2: it is sent so).
        if offer.options.contains(.fastOpen), answer.ack == attempt.clientNext,
            syns.allSatisfy({ log[$0].payloadLength > 0 || log[$0].frame > answer.frame })
        {
            var finding = Finding(.fastOpenDataIgnored, [offer.frame, answer.frame])
            finding.expected = attempt.clientNext &+ attempt.synLength
            finding.actual = answer.ack
            found.append(finding)
        }
        // A client that goes on has found its own TSval in it: then the SYN that had it was not captured.
        if !attempt.marks.contains(.established), offer.options.contains(.timestamps),
            answer.options.contains(.timestamps), answer.tsecr != 0,
            syns.allSatisfy({ log[$0].options.contains(.timestamps) && log[$0].tsval != answer.tsecr }),
            !isReordered, attempt.notesOmitted == 0, wasRejected(answer)
        {
            find(.synackBadTsecr, on: answer, expected: offer.tsval, actual: answer.tsecr, &found)
        }
        // RFC 8684 3.1: the third ACK repeats MP_CAPABLE; something took it out if it does not.
        if offer.options.contains(.mptcp), answer.options.contains(.mptcp), let completion, completion.fromClient,
            completion.event != .inferredAck, !completion.options.contains(.mptcp), !completion.isCut
        {
            found.append(Finding(.mptcpStripped, [answer.frame, completion.frame]))
        }
    }

    /// Whether the client answered a SYN-ACK with RST, SEQ x+1, and sent its SYN again.
    private func wasRejected(_ answer: SegmentNote) -> Bool {
        guard let rejection = log.first(where: { $0.event == .clientReset && $0.frame > answer.frame }) else {
            return false
        }
        return syns.contains { log[$0].frame > rejection.frame }
    }

    // MARK: Single frames

    private func findFrames(_ found: inout [Finding]) {
        let segments = all.filter { !log[$0].isICMP }
        find(
            .synOddFlags,
            on: segments.filter {
                log[$0].flags.contains(.syn) && !log[$0].flags.isDisjoint(with: [.fin, .rst, .urg])
            }, &found)
        find(.checksumBad, on: segments.filter { log[$0].checksum == .bad }, &found)
        find(.checksumOffload, on: segments.filter { log[$0].checksum == .offload }, &found)
        find(.fragmented, on: segments.filter { log[$0].isFragment }, &found)
        find(.fragmentsOverlap, on: segments.filter { log[$0].hasFragmentOverlap }, &found)
        find(.snaplenCut, on: segments.filter { log[$0].isCut }, &found)
        find(.reservedFlags, on: segments.filter { !log[$0].flags.isDisjoint(with: .reserved) }, &found)
        if sawSYN, attempt.clientISN == 0 { find(.isnZero, on: offer, &found) }
        if let answer, answer.seq == 0, answer.isSYNACK { find(.isnZero, on: answer, &found) }
        if attempt.client.port == 0 || attempt.server.port == 0 {
            found.append(Finding(.portZero, [attempt.firstFrame]))
        }
    }
}
