import HandshakeRecord
import PacketWire

// Losses, and where the evidence puts them.
extension Judge {
    func findLostSYNs(_ found: inout [Finding]) {
        guard places.syns.count > 1, !places.isIncomplete || places.mayHoldCopies else { return }
        guard let synAck = note(places.synAcks.first) else {
            // Nothing ever came back: the loss is real, its place cannot be known from here. A RST, acceptable or not,
            // shows that a SYN arrived; so does an answer from an address that the client did not call, which `nat`
            // names.
            guard translation?.answer == nil, !attempt.marks.contains(.serverSpoke),
                !attempt.marks.contains(.established),
                !attempt.events.hasAny(.icmpHard, .icmpAdmin, .icmpSoft),
                !log.contains(where: { !$0.fromClient && $0.flags.contains(.rst) && !$0.isICMP })
            else { return }
            // Copies that follow each other faster than any timer say nothing: no answer was due yet.
            guard let first = note(places.syns.first),
                cause == .timeout || now &- first.time >= SegmentNote.duplicateWindow
            else { return }
            // The capture's end, or eviction, cuts off the answer to a SYN that was just sent.
            let isEnd = cause == .captureEnd || cause == .evicted
            let isCutOff = isEnd && note(places.syns.last).map { now &- $0.time < Judge.quiet } ?? false
            let due = isCutOff ? places.syns.dropLast() : places.syns
            var finding = Finding(.synLost, frames(due))
            finding.location = .unknown
            let count = (attempt.notesOmitted > 0 ? Int(attempt.synCount) : places.syns.count) - (isCutOff ? 1 : 0)
            explain(
                &finding,
                "\(count) \(count == 1 ? "SYN" : "SYNs") and no answer: "
                    + "from here a lost SYN, a lost answer and a server that drops SYNs look the same",
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
            // A stateful server echoes the first SYN that it accepted: those before did not take. (The first arrived:
            // see findLostSYNACKs.)
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

    /// Whether the answer to a SYN was due before its client sent the next: copies closer together than the shortest
    /// round trip say nothing.
    private func isDue(_ copy: Int, before next: Int?, _ synAck: SegmentNote) -> Bool {
        guard let next, let last = places.syns.last(where: { log[$0].frame < synAck.frame }) else { return false }
        return log[next].time &- log[copy].time > synAck.time &- log[last].time
    }

    func findLostSYNACKs(_ legs: (server: Interval?, client: Interval?), _ found: inout [Finding]) {
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
            "the SYN-ACK echoes the TSval of frame \(log[named].frame), "
                + "so the SYN had arrived before frame \(last) repeated it",
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
                    "the final ACK echoes an earlier SYN-ACK than the last: "
                        + "the client had received that one, and its first ACK did not get here",
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

    func findLostACKs(_ legs: (server: Interval?, client: Interval?), _ found: inout [Finding]) {
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
                + (mayHaveCrossed ? ["the two crossed on a path whose round trip varies"] : [])
                + (answer?.window == 0 ? ["a proxy answered, and its own ACK did not reach the server"] : []))
        found.append(finding)
    }
}
