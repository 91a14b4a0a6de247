import PacketWire

/// Which segments with bad checksums count. Their receiver would discard them, but a capture may have been rewritten, or
/// taken before the network card filled the sums in. So this direction of the connection is asked, then the sender's other
/// connections; no other host's frames count.
struct ChecksumTrust {
    /// The sides whose sums are all bad, at least two of them: these say nothing, and the segments count.
    private(set) var distrustsClient = false
    private(set) var distrustsServer = false
    /// Segments with bad sums that count: those, and the ones that are proven to have been taken.
    private(set) var counting = Positions()

    /// - Parameter good: the sides that showed good sums: `Attempt.goodChecksums`.
    init(_ log: [SegmentNote], good: UInt8) {
        let all = Positions(first: log.count)
        let bad = all.filter { log[$0].checksum == .bad && !log[$0].isICMP }
        guard !bad.isEmpty else { return }
        distrustsClient = ChecksumTrust.distrusts(log, bad.filter { log[$0].fromClient }, isGood: good & 1 != 0)
        distrustsServer = ChecksumTrust.distrusts(log, bad.filter { !log[$0].fromClient }, isGood: good & 2 != 0)
        counting = bad.filter { log[$0].fromClient ? distrustsClient : distrustsServer }
        // What is proven may prove another.
        for _ in 0..<2 {
            let known = counting
            counting = bad.filter { position in
                known.contains(position)
                    || all.contains {
                        (log[$0].checksum != .bad || known.contains($0)) && ChecksumTrust.proves(log, $0, position)
                    }
            }
        }
    }

    private static func distrusts(_ log: [SegmentNote], _ bad: Positions, isGood: Bool) -> Bool {
        if isGood || bad.contains(where: { log[$0].senderTrust == .good }) { return false }
        return bad.count > 1 || bad.contains { log[$0].senderTrust == .onlyBad }
    }

    /// Whether a segment that counts proves that its sender took another one: it echoes the other's TSval, or acknowledges its
    /// numbers, and no good copy of the other was seen.
    private static func proves(_ log: [SegmentNote], _ proof: Int, _ position: Int) -> Bool {
        let (answer, segment) = (log[proof], log[position])
        guard proof > position, answer.fromClient != segment.fromClient, !answer.isICMP, answer.flags.contains(.ack)
        else { return false }
        let isEcho =
            segment.options.contains(.timestamps) && segment.tsval != 0 && answer.options.contains(.timestamps)
            && answer.tsecr == segment.tsval
        let length = segment.payloadLength &+ (segment.flags.contains(.syn) ? 1 : 0)
        let acknowledges = length > 0 && answer.ack == segment.seq &+ length
        guard isEcho || acknowledges else { return false }
        return !log.contains { other in
            other.fromClient == segment.fromClient && other.checksum != .bad && !other.isICMP
                && (isEcho ? other.tsval == segment.tsval : other.seq == segment.seq && other.flags == segment.flags)
        }
    }
}
