import PacketWire

// What was sent more than once, and what that says of losses (where the evidence puts them, and what else would
// look the same).
extension Judge {
    func repetitionFindings(_ legs: (server: Interval?, client: Interval?)) -> [Finding] {
        retransmittedSYNs() + retransmittedSYNACKs() + lostSYNs(legs) + lostSYNACKs(legs) + lostACKs(legs)
            + captureDuplicates() + changes()
    }

    /// SYN copies before anything answered, in groups between refusals.
    private func retransmittedSYNs() -> [Finding] {
        var findings: [Finding] = []
        let refusals = log.filter { [.refusal, .clientReset, .serverReset].contains($0.event) }
        var run: [SegmentNote] = []
        var afterRefusal: [UInt64] = []
        var lateCopies: [UInt64] = []
        func flush() {
            if run.count > 1 { findings.append(retransmission(of: run)) }
            run = []
        }
        for syn in syns {
            if let completion, syn.frame > completion.frame, syn.frame != syns.first?.frame {
                lateCopies.append(syn.frame)
                continue
            }
            if let last = run.last,
                let refusal = refusals.last(where: { $0.frame < syn.frame && $0.frame > last.frame })
            {
                flush()
                // Windows tries the same x again after a RST: no retransmission, its SYN was answered.
                if refusal.event == .refusal { afterRefusal.append(syn.frame) }
            }
            run.append(syn)
        }
        flush()
        if !afterRefusal.isEmpty { findings.append(Finding(.synAfterRefusal, afterRefusal)) }
        if !lateCopies.isEmpty { findings.append(Finding(.synOnEstablished, lateCopies)) }
        return findings
    }

    private func retransmission(of run: [SegmentNote]) -> Finding {
        var finding = Finding(.synRetransmitted, run.map(\.frame))
        // Between the first 24 and the last 8 of a long log there is no gap to speak of.
        let omittedAfter = attempt.notesOmitted > 0 && log.count > 24 ? log[23].frame : .max
        let gaps = zip(run, run.dropFirst()).filter { $0.frame > omittedAfter || $1.frame <= omittedAfter }
            .map { $1.time &- $0.time }
        finding.gaps = gaps
        let rejected = log.filter { note in
            if [.synAckWrongAck, .challenge].contains(note.event) { return true }
            return note.event == .synAck && note.options.contains(.timestamps)
                && syns.allSatisfy { $0.options.contains(.timestamps) && $0.tsval != note.tsecr }
        }
        let isPrompted = run.dropFirst().contains { copy in
            rejected.contains { (10_000_000...35_000_000).contains(copy.time &- $0.time) }
        }
        finding.schedule = isPrompted ? "prompted" : Schedule.fitting(gaps)?.rawValue
        return finding
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

    private func retransmittedSYNACKs() -> [Finding] {
        guard synAcks.count > 1 else { return [] }
        var finding = Finding(.synackRetransmitted, synAcks.map(\.frame))
        finding.gaps = zip(synAcks, synAcks.dropFirst()).map { $1.time &- $0.time }
        return [finding]
    }

    // MARK: Losses

    private func lostSYNs(_ legs: (server: Interval?, client: Interval?)) -> [Finding] {
        guard let synAck = synAcks.first else {
            // Nothing ever came back: the loss is real, its place cannot be known from here.
            guard syns.count > 1, !attempt.marks.contains(.serverSpoke), !attempt.marks.contains(.established),
                !attempt.events.hasAny(.icmpHard, .icmpAdmin, .icmpSoft)
            else { return [] }
            var finding = Finding(.synLost, syns.map(\.frame))
            finding.location = .unknown
            finding.evidence =
                "\(attempt.notesOmitted > 0 ? Int(attempt.synCount) : syns.count) SYNs and no answer: from here a lost SYN, a lost answer and a server that drops SYNs look the same"
            finding.alternatives = [
                "dropped by a filter or by the server", "every answer was lost before the capture point",
            ]
            return [finding]
        }
        let copies = answerableSYNs(countingChallenges: true)
        guard copies.count > 1, !isReordered, !validSYNACKs.contains(where: { $0.frame < synAck.frame }) else {
            return []
        }
        switch echoed(by: synAck, among: copies) {
        case .some(let named) where named > 0:
            // A stateful server echoes the first SYN that it accepted: those before did not take.
            var finding = Finding(.synLost, copies[..<named].map(\.frame))
            finding.location = .afterCapture
            finding.evidence = "the SYN-ACK echoes the TSval of frame \(copies[named].frame) and none came before it"
            finding.alternatives = ["dropped by the server's full accept queue", "a stateless answer was lost"]
            return [finding]
        case .some: return []  // the first arrived: see lostSYNACKs
        case nil:
            var finding = Finding(.synLost, copies.dropLast().map(\.frame))
            finding.location = .unknown
            finding.evidence =
                "\(copies.count) SYNs before the first SYN-ACK, and no timestamps that tell which one it answers"
            finding.alternatives = [
                "the SYN-ACK was lost before the capture point",
                "the round trip exceeds the client's retransmission timeout",
            ]
            return [finding]
        }
    }

    private func lostSYNACKs(_ legs: (server: Interval?, client: Interval?)) -> [Finding] {
        guard let synAck = synAcks.first, !isReordered else { return [] }
        var findings: [Finding] = []
        let copies = answerableSYNs(countingChallenges: true)
        if copies.count > 1, let last = copies.last, let named = echoed(by: synAck, among: copies),
            named < copies.count - 1
        {
            let gap = copies[named + 1].time &- copies[named].time
            // Both SYNs arrived. Were the round trip longer than the timeout, each would have drawn its SYN-ACK.
            let isSlow = synAcks.dropFirst().contains { other in
                let distance = other.time &- synAck.time
                return distance > gap * 8 / 10 && distance < gap * 12 / 10
            }
            if !isSlow {
                var finding = Finding(.synackLost, [last.frame])
                finding.location = .beforeCapture
                finding.evidence =
                    "the SYN-ACK echoes the TSval of frame \(copies[named].frame), so the SYN had arrived before frame \(last.frame) repeated it"
                finding.alternatives = ["the round trip exceeds the client's retransmission timeout"]
                findings.append(finding)
            }
        }
        // The same SYN after the SYN-ACK: the client had not got it, unless the two crossed.
        let limit = completion?.frame ?? .max
        let crossing = legs.client?.low ?? 0
        if let again = syns.first(where: {
            $0.frame > synAck.frame && $0.frame < limit && $0.time &- synAck.time > crossing
        }), !log.contains(where: { $0.event == .clientReset && $0.frame < again.frame }), !wasReceived(synAck) {
            var finding = Finding(.synackLost, synAcks.filter { $0.frame < again.frame }.map(\.frame))
            finding.location = .afterCapture
            finding.evidence =
                "the client sent its SYN again in frame \(again.frame), after the SYN-ACK had passed here"
            finding.alternatives = ["the client rejected the SYN-ACK", "the retransmission was spurious"]
            if legs.client?.nanoseconds == nil { finding.alternatives.append("the two crossed on the way") }
            findings.append(finding)
        } else if synAcks.count > 1 {
            findings += silentClient(limit)
        }
        return findings
    }

    /// Whether the completing segment echoes this SYN-ACK's TSval alone: it names the first that the client received.
    private func wasReceived(_ synAck: SegmentNote) -> Bool {
        guard let completion, completion.fromClient, completion.options.contains(.timestamps),
            synAck.options.contains(.timestamps), completion.tsecr == synAck.tsval
        else { return false }
        return synAcks.count { $0.tsval == synAck.tsval } == 1
    }

    /// SYN-ACKs repeated by the server's timer before the client answered.
    private func silentClient(_ limit: UInt64) -> [Finding] {
        // A RST proves that what came before it had arrived.
        let rejection = log.last { $0.event == .clientReset }?.frame ?? 0
        let before = synAcks.filter { $0.frame < limit && $0.frame > rejection }
        // A copy microseconds behind answers a SYN copy; a timer takes at least 200 ms.
        let timed = zip(before, before.dropFirst()).filter { $1.time &- $0.time >= SegmentNote.duplicateWindow }
        guard !timed.isEmpty, let last = before.last else { return [] }
        let lost = before.dropLast().map(\.frame)
        if let completion, completion.fromClient, completion.options.contains(.timestamps),
            before.allSatisfy({ $0.options.contains(.timestamps) }), Set(before.map(\.tsval)).count == before.count
        {
            if completion.tsecr == last.tsval {
                var finding = Finding(.synackLost, lost)
                finding.location = .afterCapture
                finding.evidence =
                    "the final ACK echoes the TSval of frame \(last.frame), the first SYN-ACK that the client received"
                finding.alternatives = ["the client dropped the first SYN-ACK"]
                return [finding]
            }
            if syns.count <= 1, before.contains(where: { $0.tsval == completion.tsecr }) {
                var finding = Finding(.ackLost, [completion.frame])
                finding.location = .beforeCapture
                finding.evidence =
                    "the final ACK echoes an earlier SYN-ACK than the last: the client had received that one, and its first ACK did not get here"
                finding.alternatives = ["the round trip to the client exceeds the server's retransmission timeout"]
                return [finding]
            }
        }
        // With several SYNs each may have drawn its SYN-ACK, on a path slower than the timeout.
        guard syns.count <= 1 else { return [] }
        var finding = Finding(.synackLost, lost)
        finding.location = .unknown
        finding.evidence = "\(before.count) SYN-ACKs passed before the client answered"
        if completion == nil {
            finding.evidence = "\(before.count) SYN-ACKs passed and the client did not answer"
            finding.alternatives = [
                "the client's ACK was lost before the capture point", "the SYN's source is spoofed or gone",
            ]
        } else {
            finding.alternatives = [
                "the client's first ACK was lost before the capture point",
                "the round trip to the client exceeds the server's retransmission timeout",
            ]
        }
        return [finding]
    }

    private func lostACKs(_ legs: (server: Interval?, client: Interval?)) -> [Finding] {
        // Of a SYN-ACK that follows the ACK alone it is not known whether the ACK was under way when it was sent.
        guard let completion, completion.fromClient, let first = synAcks.first, first.frame < completion.frame else {
            return []
        }
        let least = max(legs.server?.high ?? 0, SegmentNote.duplicateWindow)
        guard let again = synAcks.first(where: { $0.frame > completion.frame && $0.time &- completion.time > least })
        else { return [] }
        var finding = Finding(.ackLost, [completion.frame])
        finding.location = .afterCapture
        finding.evidence =
            "the server sent its SYN-ACK again in frame \(again.frame), after the final ACK had passed here"
        finding.alternatives = [
            "dropped by the server's full accept queue", "the server defers accept until data comes",
        ]
        // One round trip was measured, if any; the next may take longer.
        if legs.server.map({ (again.time &- completion.time) / 8 < $0.high }) ?? true {
            finding.alternatives.append("the two crossed on a path whose round trip varies")
        }
        return [finding]
    }

    // MARK: Copies and changes

    private func captureDuplicates() -> [Finding] {
        guard !duplicates.isEmpty else { return [] }
        return [Finding(.captureDuplicate, duplicates.sorted().map { log[$0].frame })]
    }

    private func changes() -> [Finding] {
        var findings: [Finding] = []
        // MSS: between two sightings of one packet it proves that something between them rewrote it.
        for position in duplicates.sorted() {
            let copy = log[position]
            guard let original = log[..<position].last(where: { $0.looksLike(copy) }), copy.options.contains(.mss)
            else { continue }
            if original.mss != copy.mss {
                var finding = Finding(.mssClamped, [original.frame, copy.frame])
                finding.expected = UInt32(original.mss)
                finding.actual = UInt32(copy.mss)
                findings.append(finding)
            }
        }
        for group in [syns, synAcks] {
            guard let first = group.first(where: { !$0.options.contains(.cut) }) else { continue }
            let others = group.filter { !$0.options.contains(.cut) && $0.frame > first.frame }
            if let other = others.first(where: {
                ($0.options.contains(.mss) ? $0.mss : nil) != (first.options.contains(.mss) ? first.mss : nil)
            }) {
                var finding = Finding(.mssChanged, [first.frame, other.frame])
                finding.expected = first.options.contains(.mss) ? UInt32(first.mss) : nil
                finding.actual = other.options.contains(.mss) ? UInt32(other.mss) : nil
                findings.append(finding)
            }
        }
        if let first = syns.first {
            let dropped: TCPOptions.Present = [.mptcp, .fastOpen]
            let ecn: TCPFlags = [.ece, .cwr, .ae]
            let changed = syns.dropFirst().filter {
                $0.options.intersection(dropped) != first.options.intersection(dropped)
                    || $0.flags.intersection(ecn) != first.flags.intersection(ecn)
            }
            if let copy = changed.first {
                var finding = Finding(.synOptionsChanged, [first.frame, copy.frame])
                let names: [(Bool, String)] = [
                    (copy.flags.intersection(ecn) != first.flags.intersection(ecn), "ECN"),
                    (copy.options.contains(.mptcp) != first.options.contains(.mptcp), "MPTCP"),
                    (copy.options.contains(.fastOpen) != first.options.contains(.fastOpen), "Fast Open"),
                ]
                finding.evidence =
                    "between the copies changed: " + names.filter(\.0).map(\.1).joined(separator: ", ")
                findings.append(finding)
            }
        }
        if let first = validSYNACKs.first, let other = validSYNACKs.first(where: { $0.seq != first.seq }) {
            var finding = Finding(.synackIsnChanged, [first.frame, other.frame])
            finding.expected = first.seq
            finding.actual = other.seq
            findings.append(finding)
        }
        // A stateless server echoes whichever copy it answers.
        let cookies = synAcks.filter { $0.options.contains(.timestamps) }
        if cookies.count > 1, let first = cookies.first,
            let other = cookies.first(where: { Sequence.isAfter($0.tsecr, first.tsecr) }),
            syns.contains(where: { $0.tsval == first.tsecr }), syns.contains(where: { $0.tsval == other.tsecr })
        {
            var finding = Finding(.syncookieSuspect, [first.frame, other.frame])
            finding.expected = first.tsecr
            finding.actual = other.tsecr
            findings.append(finding)
        }
        return findings
    }
}
