import HandshakeRecord
import PacketWire

// Repetitions: packets that the sender sent again, that the network doubled, or that were captured twice.
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
                "\(unsure.count) of them without an IP identification: they are told by the hop limit, the "
                    + "link, or by neighbours that are doubled alike",
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
            if let soon = afterRefusal.first(where: followsRefusalSoon) {
                let others = finding.alternatives
                explain(
                    &finding, "frame \(log[soon].frame) follows the refusal sooner than any timer would",
                    or: others + ["the two crossed on the way"])
            }
            found.append(finding)
        }
        if !lateCopies.isEmpty { found.append(Finding(.synOnEstablished, frames(lateCopies))) }
    }

    private func followsRefusalSoon(_ syn: Int) -> Bool {
        log.contains {
            $0.event == .refusal && $0.frame < log[syn].frame
                && log[syn].time &- $0.time < SegmentNote.duplicateWindow
        }
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
        finding.schedule = isPrompted ? .prompted : RetransmissionSchedule.fitting(gaps)
        if mayBeOne(run) {
            explainPlaces(&finding, run)
        } else if !isPrompted, gaps.contains(where: { $0 < SegmentNote.duplicateWindow }) {
            explainFastCopies(&finding, run)
        }
        found.append(finding)
    }

    /// Says what copies may be that follow each other faster than any retransmission timer.
    private func explainFastCopies(_ finding: inout Finding, _ run: BitSet64) {
        let fast = run.neighbours.filter { log[$1].time &- log[$0].time < SegmentNote.duplicateWindow }
        var others: [String] = []
        // Of different length they are no sightings of one packet.
        let alike = fast.filter {
            log[$0].identification == log[$1].identification && log[$0].payloadLength == log[$1].payloadLength
        }
        if alike.contains(where: { !isUnchanged($0, $1) }) {
            others.append("one SYN that was captured twice and changed in between")
        }
        if let (first, _) = alike.first(where: { isUnchanged($0, $1) }) {
            let reason =
                log[first].identification == 0
                ? "it has no IP identification that could tell" : "its sender gives one IP identification to several"
            others.append("one SYN that was captured twice: \(reason)")
        }
        if fast.contains(where: { log[$0].payloadLength != log[$1].payloadLength }) {
            others.append("SYNs of one x with different data, which no retransmission has")
        }
        others.append(run.count == 2 ? "a client that sends each SYN twice" : "a client with a timer of its own")
        let copies =
            run.count == 2 || fast.count == run.count - 1
            ? "copies" : fast.map { "frames \(log[$0].frame) and \(log[$1].frame)" }.joined(separator: ", ")
        explain(&finding, "\(copies) less than 200 ms apart: no retransmission timer is that short", or: others)
    }

    /// Whether two SYNs are equal in all that a capture point between them could have changed.
    private func isUnchanged(_ first: Int, _ second: Int) -> Bool {
        log[first].hopLimit == log[second].hopLimit && log[first].window == log[second].window
            && log[first].mss == log[second].mss && log[first].options == log[second].options
            && log[first].tsval == log[second].tsval
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
        let watched: TCPOptions.Present = [.mptcp, .fastOpen, .windowScale, .timestamps, .sackPermitted]
        let ecn: TCPFlags = [.ece, .cwr, .ae]
        let other = syns.dropFirst().first {
            !log[$0].options.contains(.cut) && !first.options.contains(.cut)
                && log[$0].options.intersection(watched) != first.options.intersection(watched)
                || log[$0].flags.intersection(ecn) != first.flags.intersection(ecn)
        }
        guard let copy = note(other) else { return }
        var finding = Finding(.synOptionsChanged, [first.frame, copy.frame])
        func isThere(_ option: TCPOptions.Present) -> (Bool, Bool) {
            (first.options.contains(option), copy.options.contains(option))
        }
        let (before, after) = (first.flags.intersection(ecn), copy.flags.intersection(ecn))
        let names: [((Bool, Bool), String)] = [
            (before == after ? (false, false) : (!before.isEmpty, !after.isEmpty), "ECN"),
            (isThere(.mptcp), "MPTCP"), (isThere(.fastOpen), "Fast Open"), (isThere(.windowScale), "window scale"),
            (isThere(.timestamps), "timestamps"), (isThere(.sackPermitted), "SACK"),
        ]
        let dropped = names.filter { $0.0 == (true, false) }.map(\.1)
        let added = names.filter { $0.0 == (false, true) }.map(\.1)
        // ECN flags may also change from one set to another.
        let changed = before != after && !before.isEmpty && !after.isEmpty ? ["ECN changed"] : []
        let words =
            (dropped.isEmpty ? [] : ["without " + dropped.joined(separator: ", ")])
            + (added.isEmpty ? [] : ["with " + added.joined(separator: ", ")]) + changed
        explain(&finding, "frame \(copy.frame) is a copy " + words.joined(separator: "; "))
        found.append(finding)
    }
}

extension RetransmissionSchedule {
    static func fitting(_ gaps: [Int64]) -> RetransmissionSchedule? {
        allCases.first { schedule in
            gaps.count <= schedule.seconds.count
                && zip(gaps, schedule.seconds).allSatisfy { gap, seconds in
                    (seconds * 950_000_000...seconds * 1_150_000_000).contains(gap)
                }
        }
    }
}
