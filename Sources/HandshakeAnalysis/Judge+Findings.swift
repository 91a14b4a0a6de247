import PacketWire

extension Judge {
    /// Every finding, in the order of its first frame, then of the catalogue.
    func findings(_ record: AttemptRecord) -> [Finding] {
        let found =
            repetitionFindings((record.synToSynAck, record.synAckToAck)) + tupleFindings() + arithmeticFindings(record)
            + directionFindings() + optionFindings(record) + frameFindings()
        return found.enumerated().sorted {
            ($0.element.frames.first ?? 0, $0.element.code.order, $0.offset)
                < ($1.element.frames.first ?? 0, $1.element.code.order, $1.offset)
        }.map(\.element)
    }

    private func frames(_ events: HandshakeEvent...) -> [UInt64] {
        log.filter { events.contains($0.event) }.map(\.frame)
    }

    private func finding(
        _ code: FindingCode, _ note: SegmentNote?, expected: UInt32? = nil, actual: UInt32? = nil
    ) -> [Finding] {
        guard let note else { return [] }
        var finding = Finding(code, [note.frame])
        finding.expected = expected
        finding.actual = actual
        return [finding]
    }

    private func plain(_ code: FindingCode, _ frames: [UInt64]) -> [Finding] {
        frames.isEmpty ? [] : [Finding(code, frames)]
    }

    // MARK: The tuple's other attempts

    private func tupleFindings() -> [Finding] {
        var findings: [Finding] = []
        let first = syns.first?.frame ?? attempt.firstFrame
        func about(_ code: FindingCode, _ evidence: String) {
            var finding = Finding(code, [attempt.predecessorID, first])
            finding.evidence = evidence
            findings.append(finding)
        }
        switch attempt.predecessor {
        case .none, .other: break
        case .reusedLegally:
            about(
                .tupleReused, "attempt \(attempt.predecessorID) on the tuple is over; this SYN may reuse it (RFC 6191)")
        case .reusedIllegally:
            about(
                .tupleReused,
                "attempt \(attempt.predecessorID) on the tuple is over; in TIME-WAIT this SYN is refused (RFC 6191 section 2: TSval, else sequence number)"
            )
        case .unanswered:
            about(.synIsnChanged, "attempt \(attempt.predecessorID) on the tuple was still unanswered")
        case .live:
            about(.synOnEstablished, "the connection of attempt \(attempt.predecessorID) is live on the tuple")
        }
        let reverse = log.filter { [.reverseSyn, .reverseSynAfterAck].contains($0.event) && isLateReverse($0) }
        findings += plain(.synOnEstablished, reverse.map(\.frame))
        if attempt.events.has(.resetAnswersChallenge) {
            let note = log.first { $0.event == .resetAnswersChallenge }
            findings += finding(.halfOpenDiscovered, note, expected: attempt.challengeAck, actual: note?.seq)
        }
        return findings
    }

    /// Whether a SYN of the server came when there was nothing left to cross: after completion, or after its SYN-ACK with
    /// another number.
    func isLateReverse(_ note: SegmentNote) -> Bool {
        if let completion, note.frame > completion.frame { return true }
        return validSYNACKs.contains { $0.frame < note.frame }
    }

    // MARK: Arithmetic

    private func arithmeticFindings(_ record: AttemptRecord) -> [Finding] {
        var findings: [Finding] = []
        for note in log {
            switch note.event {
            case .synAckWrongAck:
                findings += finding(.synackWrongAck, note, expected: attempt.clientNext, actual: note.ack)
            case .wrongAck:
                let y = attempt.marks.contains(.hasServerISN) ? attempt.serverNext : attempt.wrongSynAckISN &+ 1
                findings += finding(.ackWrongAck, note, expected: y, actual: note.ack)
                if attempt.marks.contains(.hasServerISN), note.seq &- attempt.clientNext > attempt.clientMaySend {
                    findings += finding(.ackWrongSeq, note, expected: attempt.clientNext, actual: note.seq)
                }
            case .wrongSeq: findings += finding(.ackWrongSeq, note, expected: attempt.clientNext, actual: note.seq)
            case .resetInexact:
                let next = note.fromClient ? attempt.clientNext : attempt.serverNext
                findings += finding(.rstInexact, note, expected: next, actual: note.seq)
            case .resetUnacceptable:
                let expected: UInt32? =
                    note.fromClient ? attempt.clientNext : note.flags.contains(.ack) ? attempt.clientNext : nil
                findings += finding(
                    .rstUnacceptable, note, expected: expected,
                    actual: note.fromClient ? note.seq : note.flags.contains(.ack) ? note.ack : nil)
            default: break
            }
        }
        return findings
    }

    // MARK: Direction and order

    private func directionFindings() -> [Finding] {
        var findings: [Finding] = []
        findings += plain(.synackWrongDirection, frames(.synAckWrongDirection))
        if isOneSided { findings += finding(.oneSided, completion) }
        if attempt.isSelfConnect { findings += plain(.selfConnect, [attempt.firstFrame]) }
        if let synAck = synAcks.first,
            let rst = log.last(where: {
                $0.flags.contains(.rst) && !$0.fromClient && $0.frame < synAck.frame && !$0.isICMP
                    && $0.event != .captureDuplicate
            }), !syns.contains(where: { $0.frame > rst.frame && $0.frame < synAck.frame })
        {
            findings += plain(.rstBeforeSynack, [rst.frame, synAck.frame])
        }
        if completion != nil {
            findings += plain(.resetAfterEstablished, frames(.resetEstablished))
        }
        findings += middleboxResets()
        if !sawSYN, let synAck = synAcks.first, synAck.time &- captureStart > Judge.patience,
            !log.contains(where: { $0.fromClient && !$0.flags.contains(.rst) && !$0.isICMP })
        {
            findings += finding(.synackUnsolicited, synAck)
        }
        let isFastOpen = offer.map { $0.options.contains(.fastOpen) } ?? false
        let early = log.indices.filter { position in
            let note = log[position]
            guard note.payloadLength > 0, !duplicates.contains(position), !note.flags.contains(.rst) else {
                return false
            }
            if let completion, note.frame >= completion.frame { return false }
            if note.isSYN { return !note.options.contains(.fastOpen) && !isFastOpen }
            if note.isSYNACK { return !isFastOpen }
            return !(attempt.marks.contains(.fastOpen))
        }
        findings += plain(.dataBeforeEstablished, early.map { log[$0].frame })
        if isReordered, let synAck = synAcks.first {
            let other = syns.first.map { $0.frame > synAck.frame ? $0.frame : completion?.frame ?? $0.frame }
            findings += plain(.reorderedCapture, [synAck.frame, other ?? synAck.frame].sorted())
        } else if let step = clockStep {
            var finding = Finding(.clockStepped, [step.before.frame, step.after.frame])
            finding.gaps = [step.after.time &- step.before.time]
            findings.append(finding)
        }
        let errors = log.filter(\.isICMP)
        if let first = errors.first {
            var finding = Finding(.icmpError, errors.map(\.frame))
            finding.evidence = "type \(first.icmpType) code \(first.icmpCode) from \(first.reporter)"
            findings.append(finding)
        }
        return findings
    }

    /// A RST that does not look like its supposed sender's other packets.
    private func middleboxResets() -> [Finding] {
        let peers = log.filter {
            !$0.fromClient && !$0.flags.contains(.rst) && !$0.isICMP && $0.event != .captureDuplicate
        }
        var findings: [Finding] = []
        for rst in log where rst.flags.contains(.rst) && !rst.fromClient && rst.event != .captureDuplicate {
            var hints: [String] = []
            if let peer = peers.first {
                // Stacks send RSTs of their own with another initial hop limit, but from as many hops away.
                let hops = { (limit: UInt8) -> Int in
                    let initial = [32, 64, 128, 255].first { Int(limit) <= $0 } ?? 255
                    return initial - Int(limit)
                }
                if peers.allSatisfy({ abs(hops($0.hopLimit) - hops(rst.hopLimit)) > 1 }) {
                    hints.append("hop limit \(rst.hopLimit), the peer's is \(peer.hopLimit)")
                }
                if rst.seq == 0, peer.seq != 0, rst.event != .refusal || !validSYNACKs.isEmpty { hints.append("SEQ 0") }
                if let usual = countsIdentifications(peers, before: rst), rst.identification &- usual > 4096 {
                    hints.append("IP identification \(rst.identification), the peer counts near \(usual)")
                }
                if rst.payloadLength > 0 { hints.append("\(rst.payloadLength) octets of payload") }
            }
            guard !hints.isEmpty else { continue }
            var finding = Finding(.rstFromMiddlebox, [rst.frame])
            finding.evidence = hints.joined(separator: "; ")
            findings.append(finding)
        }
        return findings
    }

    /// The last IP identification of a peer that counts them, seen by two of its packets at least. Zero, random or mixed ones
    /// (Linux sends 0 on SYN-ACKs and counts later) say nothing.
    private func countsIdentifications(_ peers: [SegmentNote], before rst: SegmentNote) -> UInt16? {
        let numbers = peers.filter { $0.frame < rst.frame }.map(\.identification)
        guard numbers.count > 1, !numbers.contains(0),
            zip(numbers, numbers.dropFirst()).allSatisfy({ (1...1024).contains($1 &- $0) })
        else { return nil }
        return numbers.last
    }

    // MARK: Options

    private func optionFindings(_ record: AttemptRecord) -> [Finding] {
        var findings: [Finding] = []
        let standard = Judge.defaultMSS(attempt.client.address.version)
        for note in [offer, answer].compactMap({ $0 }) {
            if !note.options.contains(.mss), !note.options.contains(.cut) {
                findings += finding(.mssAbsent, note, expected: nil, actual: nil)
            }
            if note.options.contains(.mss), note.mss < standard {
                findings += finding(.mssTiny, note, expected: UInt32(standard), actual: UInt32(note.mss))
            }
            if note.options.contains(.windowScale), note.windowScale > 14 {
                findings += finding(.wscaleOver14, note, expected: 14, actual: UInt32(note.windowScale))
            }
        }
        for note in log where !note.isICMP && note.event != .captureDuplicate {
            if note.options.contains(.malformed) { findings += finding(.optionMalformed, note) }
            if note.options.contains(.repeated) { findings += finding(.optionRepeated, note) }
        }
        if let offer, let answer, !offer.options.contains(.cut), answer.isSYNACK {
            // RFC 7323 1.3 and 2.2, RFC 2018 2, RFC 8684 3.1: these may only answer an offer.
            let answered: TCPOptions.Present = [.windowScale, .sackPermitted, .timestamps, .mptcp]
            let offered = syns.reduce(into: TCPOptions.Present()) { $0.formUnion($1.options) }
            let extra = answer.options.intersection(answered).subtracting(offered)
            if !extra.isEmpty {
                let names: [(TCPOptions.Present, String)] = [
                    (.windowScale, "window scale"), (.sackPermitted, "SACK permitted"), (.timestamps, "timestamps"),
                    (.mptcp, "MPTCP"),
                ]
                var finding = Finding(.optionNotOffered, [offer.frame, answer.frame])
                finding.evidence = names.filter { extra.contains($0.0) }.map(\.1).joined(separator: ", ")
                findings.append(finding)
            }
            // A copy without the data may be what was answered (RFC 7413 4.2: it is sent so).
            if offer.options.contains(.fastOpen), answer.ack == attempt.clientNext,
                syns.allSatisfy({ $0.payloadLength > 0 || $0.frame > answer.frame })
            {
                var finding = Finding(.fastOpenDataIgnored, [offer.frame, answer.frame])
                finding.expected = attempt.clientNext &+ attempt.synLength
                finding.actual = answer.ack
                findings.append(finding)
            }
            // A client that goes on has found its own TSval in it: then the SYN that had it was not captured.
            if !attempt.marks.contains(.established), offer.options.contains(.timestamps),
                answer.options.contains(.timestamps),
                syns.allSatisfy({ $0.options.contains(.timestamps) && $0.tsval != answer.tsecr }),
                !isReordered, attempt.notesOmitted == 0
            {
                findings += finding(.synackBadTsecr, answer, expected: offer.tsval, actual: answer.tsecr)
            }
            // RFC 8684 3.1: the third ACK repeats MP_CAPABLE; something took it out if it does not.
            if offer.options.contains(.mptcp), answer.options.contains(.mptcp), let completion, completion.fromClient,
                completion.event != .inferredAck, !completion.options.contains(.mptcp), !completion.isCut
            {
                findings += plain(.mptcpStripped, [answer.frame, completion.frame])
            }
        }
        for position in duplicates.sorted() where log[position].isSYN || log[position].isSYNACK {
            let copy = log[position]
            let original = log[..<position].last {
                $0.seq == copy.seq && $0.flags == copy.flags && $0.fromClient == copy.fromClient
            }
            if let original, original.options.contains(.mptcp) != copy.options.contains(.mptcp) {
                findings += plain(.mptcpStripped, [original.frame, copy.frame])
            }
        }
        return findings
    }

    // MARK: Single frames

    private func frameFindings() -> [Finding] {
        let segments = log.filter { !$0.isICMP }
        let odd = segments.filter { $0.flags.contains(.syn) && !$0.flags.isDisjoint(with: [.fin, .rst, .urg]) }
        var findings = plain(.synOddFlags, odd.map(\.frame))
        findings += plain(.checksumBad, segments.filter { $0.checksum == .bad }.map(\.frame))
        findings += plain(.checksumOffload, segments.filter { $0.checksum == .offload }.map(\.frame))
        findings += plain(.fragmented, segments.filter(\.isFragment).map(\.frame))
        findings += plain(.fragmentsOverlap, segments.filter(\.hasFragmentOverlap).map(\.frame))
        findings += plain(.snaplenCut, segments.filter(\.isCut).map(\.frame))
        findings += plain(.reservedFlags, segments.filter { !$0.flags.isDisjoint(with: .reserved) }.map(\.frame))
        if sawSYN, attempt.clientISN == 0 { findings += finding(.isnZero, offer) }
        if let answer, answer.seq == 0, answer.isSYNACK { findings += finding(.isnZero, answer) }
        if attempt.client.port == 0 || attempt.server.port == 0 { findings += plain(.portZero, [attempt.firstFrame]) }
        return findings
    }
}
