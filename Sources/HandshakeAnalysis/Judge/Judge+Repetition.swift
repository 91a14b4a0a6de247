import PacketWire

// What was sent more than once, and what that says of losses (where the evidence puts them, and what else would
// look the same).
extension Judge {
    func findRepetitions(_ legs: (server: Interval?, client: Interval?), _ found: inout [Finding]) {
        findRetransmittedSYNs(&found)
        findRetransmittedSYNACKs(&found)
        findLostSYNs(&found)
        findLostSYNACKs(legs, &found)
        findLostACKs(legs, &found)
        findDuplicates(&found)
        findChanges(&found)
    }

    private func findDuplicates(_ found: inout [Finding]) {
        guard !duplicates.isEmpty else { return }
        var finding = Finding(.captureDuplicate, frames(duplicates))
        let unsure = duplicates.filter { !log[$0].hasProof(of: log[sightings.first[$0]]) }
        if !unsure.isEmpty {
            explain(
                &finding,
                "\(unsure.count) of them without an IP identification: they are told by the hop limit, the link, or by neighbours that are doubled alike",
                or: ["equal packets, of which each was captured once"])
        }
        found.append(finding)
    }

    /// SYN copies before anything answered, in groups between refusals.
    private func findRetransmittedSYNs(_ found: inout [Finding]) {
        guard syns.count > 1 else { return }
        let resets = all.filter { log[$0].event.isDecisiveReset }
        var run = BitSet64()
        var afterRefusal = BitSet64()
        var lateCopies = BitSet64()
        for syn in syns {
            let frame = log[syn].frame
            if let completion, frame > completion.frame, syn != syns.first {
                lateCopies.insert(syn)
                continue
            }
            if let last = run.last,
                let reset = resets.last(where: { log[$0].frame < frame && log[$0].frame > log[last].frame })
            {
                findRetransmission(of: run, &found)
                run = BitSet64()
                // Windows tries the same x again after a RST: no retransmission, its SYN was answered.
                if log[reset].event == .refusal { afterRefusal.insert(syn) }
            }
            run.insert(syn)
        }
        findRetransmission(of: run, &found)
        if !afterRefusal.isEmpty {
            var finding = Finding(.synAfterRefusal, frames(afterRefusal))
            explainPlaces(&finding, syns)
            found.append(finding)
        }
        if !lateCopies.isEmpty { found.append(Finding(.synOnEstablished, frames(lateCopies))) }
    }

    private func findRetransmission(of run: BitSet64, _ found: inout [Finding]) {
        guard run.count > 1 else { return }
        var finding = Finding(.synRetransmitted, frames(run))
        // Between the first 24 and the last 8 of a long log there is no gap to speak of.
        let omittedAfter = attempt.notesOmitted > 0 && log.count > 24 ? log[23].frame : .max
        let gaps = gaps(run) { log[$0].frame > omittedAfter || log[$1].frame <= omittedAfter }
        finding.gaps = gaps
        let rejected = all.filter { position in
            switch log[position].event {
            case .synAckWrongAck, .challenge: true
            case .synAck:
                log[position].options.contains(.timestamps)
                    && syns.allSatisfy {
                        log[$0].options.contains(.timestamps) && log[$0].tsval != log[position].tsecr
                    }
            default: false
            }
        }
        let isPrompted = run.dropFirst().contains { copy in
            rejected.contains { (10_000_000...35_000_000).contains(log[copy].time &- log[$0].time) }
        }
        finding.schedule = isPrompted ? "prompted" : Schedule.fitting(gaps)?.rawValue
        if mayBeOne(run) {
            explainPlaces(&finding, run)
        } else if !isPrompted, gaps.contains(where: { $0 < SegmentNote.duplicateWindow }) {
            explain(
                &finding, "copies less than 200 ms apart: no retransmission timer is that short",
                or: ["one SYN that was captured twice and changed in between", "a client that sends each SYN twice"])
        }
        found.append(finding)
    }

    /// Nanoseconds between each of these and the next, of those pairs that count.
    private func gaps(_ sent: BitSet64, where counts: (Int, Int) -> Bool = { _, _ in true }) -> [Int64] {
        var gaps: [Int64] = []
        gaps.reserveCapacity(sent.count)
        for (earlier, later) in sent.neighbours where counts(earlier, later) {
            gaps.append(log[later].time &- log[earlier].time)
        }
        return gaps
    }

    /// Retransmission schedules of SYNs. A gap fits within -5 and +15 percent.
    enum Schedule: String, CaseIterable {
        /// RFC 6298 section 2 and 5.5: doubling from 1 s.
        case rfc6298
        /// Linux since 6.5: five linear timeouts of 1 s, then doubling.
        case linux
        /// RFC 1122 4.2.3.1: doubling from 3 s.
        case rfc1122
        /// BSD: 6, 12, 24 s.
        case bsd

        var seconds: [Int64] {
            switch self {
            case .rfc6298: [1, 2, 4, 8, 16, 32, 64]
            case .linux: [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64]
            case .rfc1122: [3, 6, 12, 24, 48]
            case .bsd: [6, 12, 24, 48]
            }
        }

        static func fitting(_ gaps: [Int64]) -> Schedule? {
            allCases.first { schedule in
                gaps.count <= schedule.seconds.count
                    && zip(gaps, schedule.seconds).allSatisfy { gap, seconds in
                        (seconds * 950_000_000...seconds * 1_150_000_000).contains(gap)
                    }
            }
        }
    }

    /// Whether some may be sightings of one packet, by clocks that are apart.
    private func mayBeOne(_ run: BitSet64) -> Bool {
        run.contains { later in
            run.before(later).contains { log[later].looksLike(log[$0]) && log[later].wasElsewhere(log[$0]) }
        }
    }

    /// Says where copies may be sightings of one packet at two places whose clocks are apart.
    private func explainPlaces(_ finding: inout Finding, _ run: BitSet64) {
        guard mayBeOne(run) else { return }
        explain(
            &finding, "some of them are equal, and were seen at different places",
            or: ["one packet, seen at two capture points whose clocks are apart"])
    }

    private func findRetransmittedSYNACKs(_ found: inout [Finding]) {
        guard synAcks.count > 1 else { return }
        var finding = Finding(.synackRetransmitted, frames(synAcks))
        finding.gaps = gaps(synAcks)
        let isOnePossible = synAcks.neighbours.contains { earlier, later in
            log[earlier].looksLike(log[later])
                && log[later].time &- log[earlier].time < SegmentNote.duplicateWindow
        }
        if isOnePossible {
            explain(
                &finding, "equal octets, and nothing that tells two packets from two sightings of one",
                or: ["one SYN-ACK that was captured twice"])
        } else {
            explainPlaces(&finding, synAcks)
        }
        found.append(finding)
    }

    // MARK: Losses

    private func findLostSYNs(_ found: inout [Finding]) {
        guard places.syns.count > 1, !places.isIncomplete || places.mayHoldCopies else { return }
        guard let synAck = note(places.synAcks.first) else {
            // Nothing ever came back: the loss is real, its place cannot be known from here. A RST, acceptable or not, shows
            // that a SYN arrived.
            guard !attempt.marks.contains(.serverSpoke), !attempt.marks.contains(.established),
                !attempt.events.hasAny(.icmpHard, .icmpAdmin, .icmpSoft),
                !log.contains(where: { !$0.fromClient && $0.flags.contains(.rst) && !$0.isICMP })
            else { return }
            // Copies that follow each other faster than any timer say nothing: no answer was due yet.
            guard let first = note(places.syns.first),
                cause == .timeout || now &- first.time >= SegmentNote.duplicateWindow
            else { return }
            var finding = Finding(.synLost, frames(places.syns))
            finding.location = .unknown
            if let answer = translation?.answer {
                // A SYN arrived: what is missing is the answer.
                explain(
                    &finding, foreignAnswer(answer),
                    or: ["a server that answers from another of its addresses", "dropped by a filter on the way back"])
                return found.append(finding)
            }
            explain(
                &finding,
                "\(attempt.notesOmitted > 0 ? Int(attempt.synCount) : places.syns.count) SYNs and no answer: from here a lost SYN, a lost answer and a server that drops SYNs look the same",
                or: [
                    "dropped by a filter or by the server", "every answer was lost before the capture point",
                    "the capture missed the answers",
                ] + (places.mayHoldCopies ? ["one SYN, seen at two capture points whose clocks are apart"] : []))
            return found.append(finding)
        }
        let copies = answerableSYNs(countingChallenges: true)
        guard copies.count > 1, !isReordered, !places.isIncomplete,
            !validSYNACKs.contains(where: { log[$0].frame < synAck.frame }),
            !hasAnswerToEachSYN
        else { return }
        if let named = echoed(by: synAck, among: copies) {
            // A stateful server echoes the first SYN that it accepted: those before did not take. (The first arrived: see
            // findLostSYNACKs.)
            let before = copies.before(named)
            guard !before.isEmpty else { return }
            var finding = Finding(.synLost, frames(before))
            finding.location = .afterCapture
            explain(
                &finding, "the SYN-ACK echoes the TSval of frame \(log[named].frame) and none came before it",
                or: ["dropped by the server's full accept queue", "a stateless answer was lost"])
            found.append(finding)
        } else {
            let due = copies.dropLast().filter { copy in isDue(copy, before: copies.first { $0 > copy }, synAck) }
            guard !due.isEmpty else { return }
            var finding = Finding(.synLost, frames(due))
            finding.location = .unknown
            explain(
                &finding,
                "\(copies.count) SYNs before the first SYN-ACK, and no timestamps that tell which one it answers",
                or: [
                    "the SYN-ACK was lost before the capture point",
                    "the round trip exceeds the client's retransmission timeout",
                ])
            found.append(finding)
        }
    }

    /// Whether as many valid SYN-ACKs and refusals as SYNs passed: then none was lost, each SYN may have drawn its own.
    private var hasAnswerToEachSYN: Bool {
        places.synAcks.count + places.view.count { log[$0].event == .refusal } >= places.syns.count
    }

    /// Whether the answer to a SYN was due before its client sent the next: copies closer together than the shortest round trip
    /// say nothing.
    private func isDue(_ copy: Int, before next: Int?, _ synAck: SegmentNote) -> Bool {
        guard let next, let last = places.syns.last(where: { log[$0].frame < synAck.frame }) else { return false }
        return log[next].time &- log[copy].time > synAck.time &- log[last].time
    }

    private func findLostSYNACKs(_ legs: (server: Interval?, client: Interval?), _ found: inout [Finding]) {
        // A client that acknowledged other numbers had its SYN-ACK.
        guard let synAck = note(places.synAcks.first), !isReordered, !places.isIncomplete,
            !attempt.events.hasAny(.wrongAck, .wrongSeq)
        else { return }
        findUnseenSYNACK(synAck, &found)
        // The same SYN after the SYN-ACK: the client had not got it, unless the two crossed.
        let limit = note(places.completion)?.frame ?? .max
        let crossing = legs.client?.low ?? 0
        let again = places.syns.first {
            log[$0].frame > synAck.frame && log[$0].frame < limit && log[$0].time &- synAck.time > crossing
        }
        if let again = again.map({ log[$0].frame }),
            !log.contains(where: { $0.event == .clientReset && $0.frame < again }), !wasReceived(synAck)
        {
            var finding = Finding(.synackLost, frames(places.synAcks.filter { log[$0].frame < again }))
            finding.location = .afterCapture
            explain(
                &finding, "the client sent its SYN again in frame \(again), after the SYN-ACK had passed here",
                or: ["the client rejected the SYN-ACK", "the retransmission was spurious"]
                    + (legs.client?.nanoseconds == nil ? ["the two crossed on the way"] : []))
            found.append(finding)
        } else if places.synAcks.count > 1 {
            findSilentClient(limit, &found)
        }
    }

    /// A SYN-ACK that was lost before it came here: the one that came echoes an earlier SYN than the last.
    private func findUnseenSYNACK(_ synAck: SegmentNote, _ found: inout [Finding]) {
        guard places.syns.count > 1 else { return }
        let copies = answerableSYNs(countingChallenges: true)
        guard copies.count > 1, let last = copies.last.map({ log[$0].frame }), !hasAnswerToEachSYN,
            let named = echoed(by: synAck, among: copies), let next = copies.first(where: { $0 > named }),
            isDue(named, before: next, synAck)
        else { return }
        let gap = log[next].time &- log[named].time
        // A timer takes at least 200 ms: a client that sent it sooner began anew.
        guard gap >= SegmentNote.duplicateWindow else { return }
        // Both SYNs arrived. Were the round trip longer than the timeout, each would have drawn its SYN-ACK.
        let isSlow = places.synAcks.dropFirst().contains { other in
            let distance = log[other].time &- synAck.time
            return distance > gap * 8 / 10 && distance < gap * 12 / 10
        }
        if isSlow { return }
        var finding = Finding(.synackLost, [last])
        finding.location = .beforeCapture
        explain(
            &finding,
            "the SYN-ACK echoes the TSval of frame \(log[named].frame), so the SYN had arrived before frame \(last) repeated it",
            or: ["the round trip exceeds the client's retransmission timeout"])
        found.append(finding)
    }

    /// Whether the completing segment echoes this SYN-ACK's TSval alone: it names the first that the client received.
    private func wasReceived(_ synAck: SegmentNote) -> Bool {
        guard let completion = note(places.completion), completion.fromClient, completion.options.contains(.timestamps),
            synAck.options.contains(.timestamps), completion.tsecr == synAck.tsval
        else { return false }
        return places.synAcks.count { log[$0].tsval == synAck.tsval } == 1
    }

    /// SYN-ACKs repeated by the server's timer before the client answered.
    private func findSilentClient(_ limit: UInt64, _ found: inout [Finding]) {
        // Its answer may be one that came damaged.
        if log.contains(where: { $0.event == .badChecksum && $0.fromClient }) { return }
        // A RST proves that what came before it had arrived.
        let rejection = log.last { $0.event == .clientReset }?.frame ?? 0
        let before = places.synAcks.filter { log[$0].frame < limit && log[$0].frame > rejection }
        // A copy microseconds behind answers a SYN copy; a timer takes at least 200 ms.
        guard let last = note(before.last),
            before.neighbours.contains(where: { log[$1].time &- log[$0].time >= SegmentNote.duplicateWindow })
        else { return }
        if let completion = note(places.completion), completion.fromClient, completion.options.contains(.timestamps),
            areToldApartByTSval(before)
        {
            if completion.tsecr == last.tsval {
                var finding = Finding(.synackLost, frames(before.dropLast()))
                finding.location = .afterCapture
                explain(
                    &finding,
                    "the final ACK echoes the TSval of frame \(last.frame), the first SYN-ACK that the client received",
                    or: ["the client dropped the first SYN-ACK"])
                return found.append(finding)
            }
            if places.syns.count <= 1, before.contains(where: { log[$0].tsval == completion.tsecr }) {
                var finding = Finding(.ackLost, [completion.frame])
                finding.location = .beforeCapture
                explain(
                    &finding,
                    "the final ACK echoes an earlier SYN-ACK than the last: the client had received that one, and its first ACK did not get here",
                    or: [
                        "the round trip to the client exceeds the server's retransmission timeout",
                        "the ACK and the last SYN-ACK crossed",
                    ])
                return found.append(finding)
            }
        }
        // With several SYNs each may have drawn its SYN-ACK, on a path slower than the timeout.
        guard places.syns.count <= 1 else { return }
        var finding = Finding(.synackLost, frames(before.dropLast()))
        finding.location = .unknown
        if completion == nil {
            explain(
                &finding, "\(before.count) SYN-ACKs passed and the client did not answer",
                or: [
                    "the client's ACK was lost before the capture point", "the SYN's source is spoofed or gone",
                    "a scanner, which answers no SYN-ACK",
                ])
        } else if !log.contains(where: { $0.fromClient && !$0.isICMP && $0.frame > last.frame }) {
            explain(
                &finding, "\(before.count) SYN-ACKs passed, and what the client answered is not here",
                or: [
                    "the client's ACK was lost on its way to the server",
                    "dropped by the server's full accept queue", "the server defers accept until data comes",
                ])
        } else {
            explain(
                &finding, "\(before.count) SYN-ACKs passed before the client answered",
                or: [
                    "the client's first ACK was lost before the capture point",
                    "the round trip to the client exceeds the server's retransmission timeout",
                ])
        }
        found.append(finding)
    }

    private func findLostACKs(_ legs: (server: Interval?, client: Interval?), _ found: inout [Finding]) {
        // Where the only SYN-ACK follows the ACK, the ACK may have been under way when it was sent.
        guard let completion = note(places.completion), completion.fromClient, let first = places.synAcks.first,
            log[first].frame < completion.frame, !places.isIncomplete
        else { return }
        let least = max(legs.server?.high ?? 0, SegmentNote.duplicateWindow)
        let again = places.synAcks.first {
            log[$0].frame > completion.frame && log[$0].time &- completion.time > least
        }
        guard let again = note(again) else { return }
        var finding = Finding(.ackLost, [completion.frame])
        finding.location = .afterCapture
        // One round trip was measured, if any; the next may take longer.
        let mayHaveCrossed = legs.server.map { (again.time &- completion.time) / 8 < $0.high } ?? true
        explain(
            &finding,
            "the server sent its SYN-ACK again in frame \(again.frame), after the final ACK had passed here",
            or: [
                "dropped by the server's full accept queue", "the server defers accept until data comes",
                "it answers a copy of the SYN that came late",
            ]
                + (mayHaveCrossed ? ["the two crossed on a path whose round trip varies"] : []))
        found.append(finding)
    }

    // MARK: Changes

    private func findChanges(_ found: inout [Finding]) {
        // MSS: between two sightings of one packet it proves that something between them rewrote it.
        for position in duplicates where log[position].options.contains(.mss) {
            let copy = log[position]
            guard let original = all.before(position).last(where: { log[$0].looksLike(copy) }),
                log[original].mss != copy.mss
            else { continue }
            var finding = Finding(.mssClamped, [log[original].frame, copy.frame])
            finding.expected = UInt32(log[original].mss)
            finding.actual = UInt32(copy.mss)
            found.append(finding)
        }
        findChangedMSS(syns, &found)
        findChangedMSS(synAcks, &found)
        findChangedOptions(&found)
        if let first = validSYNACKs.first, let other = validSYNACKs.first(where: { log[$0].seq != log[first].seq }) {
            found.append(change(.synackIsnChanged, first, other, \.seq))
        }
        // A stateless server echoes whichever copy it answers.
        let cookies = synAcks.filter { log[$0].options.contains(.timestamps) }
        if let first = cookies.first,
            let other = cookies.first(where: { SequenceNumber.isAfter(log[$0].tsecr, log[first].tsecr) }),
            syns.contains(where: { log[$0].tsval == log[first].tsecr }),
            syns.contains(where: { log[$0].tsval == log[other].tsecr })
        {
            found.append(change(.syncookieSuspect, first, other, \.tsecr))
        }
    }

    private func change(
        _ code: FindingCode, _ first: Int, _ other: Int, _ number: (SegmentNote) -> UInt32?
    ) -> Finding {
        var finding = Finding(code, [log[first].frame, log[other].frame])
        finding.expected = number(log[first])
        finding.actual = number(log[other])
        return finding
    }

    private func findChangedMSS(_ copies: BitSet64, _ found: inout [Finding]) {
        guard copies.count > 1 else { return }
        let whole = copies.filter { !log[$0].options.contains(.cut) }
        let mss = { (note: SegmentNote) in note.options.contains(.mss) ? UInt32(note.mss) : nil }
        guard let first = whole.first, let other = whole.first(where: { mss(log[$0]) != mss(log[first]) }) else {
            return
        }
        found.append(change(.mssChanged, first, other, mss))
    }

    private func findChangedOptions(_ found: inout [Finding]) {
        guard syns.count > 1, let first = note(syns.first) else { return }
        let dropped: TCPOptions.Present = [.mptcp, .fastOpen, .windowScale, .timestamps, .sackPermitted]
        let ecn: TCPFlags = [.ece, .cwr, .ae]
        let changed = syns.dropFirst().first {
            !log[$0].options.contains(.cut) && !first.options.contains(.cut)
                && log[$0].options.intersection(dropped) != first.options.intersection(dropped)
                || log[$0].flags.intersection(ecn) != first.flags.intersection(ecn)
        }
        guard let copy = note(changed) else { return }
        var finding = Finding(.synOptionsChanged, [first.frame, copy.frame])
        let names: [(Bool, String)] = [
            (copy.flags.intersection(ecn) != first.flags.intersection(ecn), "ECN"),
            (copy.options.contains(.mptcp) != first.options.contains(.mptcp), "MPTCP"),
            (copy.options.contains(.fastOpen) != first.options.contains(.fastOpen), "Fast Open"),
            (copy.options.contains(.windowScale) != first.options.contains(.windowScale), "window scale"),
            (copy.options.contains(.timestamps) != first.options.contains(.timestamps), "timestamps"),
            (copy.options.contains(.sackPermitted) != first.options.contains(.sackPermitted), "SACK"),
        ]
        explain(
            &finding, "between the copies changed: " + names.filter(\.0).map(\.1).joined(separator: ", "))
        found.append(finding)
    }
}
