import PacketWire

/// Which doubtful segments count.
///
/// The receiver of a segment with a bad checksum would discard it, but a capture may have been rewritten, or taken
/// before the network card filled the sums in. So this direction of the connection is asked, then the sender's other
/// connections; no other host's frames count. A segment in a tunnel that says nothing of the attempt counts only
/// where it is proven.
struct SegmentTrust {
    /// The sides whose sums are all bad, at least two of them: these say nothing, and the segments count.
    private(set) var distrustsClient = false
    private(set) var distrustsServer = false
    /// Doubtful segments that count: those, and the ones that are proven to have been taken.
    private(set) var counting = BitSet64()

    /// - Parameters:
    ///   - good: the sides that showed good sums: `Attempt.goodChecksums`.
    ///   - foreign: segments in tunnels that say nothing of the attempt.
    init(_ log: [SegmentNote], good: UInt8, foreign: BitSet64) {
        let all = BitSet64(first: log.count)
        let bad = all.filter { log[$0].checksum == .bad && !log[$0].isICMP && !foreign.contains($0) }
        let doubtful = bad.union(foreign)
        guard !doubtful.isEmpty else { return }
        distrustsClient = SegmentTrust.distrusts(log, bad.filter { log[$0].fromClient }, isGood: good & 1 != 0)
        distrustsServer = SegmentTrust.distrusts(log, bad.filter { !log[$0].fromClient }, isGood: good & 2 != 0)
        counting = bad.filter { log[$0].fromClient ? distrustsClient : distrustsServer }
        let sure = all.subtracting(doubtful)
        // A segment that is proven may prove another.
        for _ in 0..<2 {
            let known = counting
            counting = doubtful.filter { position in
                known.contains(position)
                    || all.contains {
                        (sure.contains($0) || known.contains($0))
                            && SegmentTrust.proves(log, $0, position, sure: sure)
                    }
            }
        }
    }

    private static func distrusts(_ log: [SegmentNote], _ bad: BitSet64, isGood: Bool) -> Bool {
        if isGood || bad.contains(where: { log[$0].senderTrust == .good }) { return false }
        return bad.count > 1 || bad.contains { log[$0].senderTrust == .onlyBad }
    }

    /// Whether a segment that counts proves that its sender took another one: it echoes the other's TSval, or
    /// acknowledges its numbers, and no copy of the other was seen that is beyond doubt.
    private static func proves(_ log: [SegmentNote], _ proof: Int, _ position: Int, sure: BitSet64) -> Bool {
        let (answer, segment) = (log[proof], log[position])
        guard proof > position, answer.fromClient != segment.fromClient, !answer.isICMP, answer.flags.contains(.ack)
        else { return false }
        let isEcho =
            segment.options.contains(.timestamps) && segment.tsval != 0 && answer.options.contains(.timestamps)
            && answer.tsecr == segment.tsval
        let length = segment.payloadLength &+ (segment.flags.contains(.syn) ? 1 : 0)
        let acknowledges = length > 0 && answer.ack == segment.seq &+ length
        guard isEcho || acknowledges else { return false }
        return !sure.contains { position in
            let other = log[position]
            return other.fromClient == segment.fromClient && !other.isICMP
                && (isEcho ? other.tsval == segment.tsval : other.seq == segment.seq && other.flags == segment.flags)
        }
    }
}
