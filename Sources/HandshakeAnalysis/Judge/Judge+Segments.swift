import HandshakeRecord
import PacketWire

// Options and frames of single segments.
extension Judge {
    // MARK: Options

    func findOptions(_ found: inout [Finding]) {
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

    /// Findings that one SYN or SYN-ACK is enough for.
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

    func findFrames(_ found: inout [Finding]) {
        let segments = all.filter { !log[$0].isICMP }
        find(
            .synOddFlags,
            on: segments.filter {
                log[$0].flags.contains(.syn) && !log[$0].flags.isDisjoint(with: [.fin, .rst, .urg])
            }, &found)
        findBadChecksums(segments.filter { log[$0].checksum == .bad }, &found)
        find(.checksumOffload, on: segments.filter { log[$0].checksum == .offload }, &found)
        find(.fragmented, on: segments.filter { log[$0].isFragment }, &found)
        find(.fragmentsOverlap, on: segments.filter { log[$0].hasFragmentOverlap }, &found)
        find(.snaplenCut, on: segments.filter { log[$0].isCut }, &found)
        find(.reservedFlags, on: segments.filter { !log[$0].flags.isDisjoint(with: .reserved) }, &found)
        if sawSYN, attempt.clientISN == 0 { find(.isnZero, on: offer, &found) }
        if let answer, answer.seq == 0, answer.isSYNACK { find(.isnZero, on: answer, &found) }
        if let answer, answer.window == 0, answer.isSYNACK, !answer.isCut { find(.synackNoWindow, on: answer, &found) }
        if attempt.client.port == 0 || attempt.server.port == 0 {
            found.append(Finding(.portZero, [attempt.firstFrame]))
        }
    }

    private func findBadChecksums(_ bad: BitSet64, _ found: inout [Finding]) {
        guard !bad.isEmpty else { return }
        var finding = Finding(.checksumBad, frames(bad))
        // A sender with good sums sent a wrong one. A sender without any may have been rewritten in the file.
        if let alone = bad.subtracting(trust.counting).first, log[alone].senderTrust != .good {
            explain(
                &finding, "no segment shows that the receiver took frame \(log[alone].frame): it drops a wrong sum",
                or: ["a capture that was rewritten without new sums"])
        }
        found.append(finding)
    }
}
