import HandshakeRecord
import PacketWire

// Who sent a segment: what tells it from its supposed sender's others.
extension Judge {
    /// Evidence that somebody else than the client sent the segment that completed the handshake.
    var strangeCompletion: [String] {
        guard let completion, completion.fromClient, duplicates.isEmpty else { return [] }
        return strangeness(of: completion, among: syns.filter { log[$0].frame < completion.frame })
    }

    /// Segments that decided the outcome, and are not like their sender's others.
    func findForgeries(_ resets: BitSet64, _ found: inout [Finding]) {
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

    /// Marks that tell a segment from its supposed sender's others: from how many hops away it comes, and its IP
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
    func findMiddleboxResets(_ resets: BitSet64, _ found: inout [Finding]) {
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
            if rst.hopLimit == 1 || peers.contains(where: { log[$0].hopLimit == 255 }) {
                others.append("a protocol that chooses its hop limits, as BGP does (RFC 5082)")
            }
            if peers.allSatisfy({ log[$0].isSYNACK }) {
                others.append("a SYN proxy sent the SYN-ACK, and the server the RST")
            }
            explain(&finding, hints.joined(separator: "; "), or: others)
            found.append(finding)
        }
    }

    /// RSTs in the client's name that come from another distance than all that it sent. Other marks say less: stacks
    /// number the RSTs of connections that they do not know by themselves.
    func findMiddleboxResetsOfClient(_ resets: BitSet64, _ found: inout [Finding]) {
        guard !resets.isEmpty else { return }
        let peers = all.filter {
            log[$0].fromClient && !log[$0].flags.contains(.rst) && !log[$0].isICMP && !log[$0].event.isLeftOut
        }
        guard let peer = note(peers.first) else { return }
        for rst in resets.map({ log[$0] })
        where peers.allSatisfy({ !Judge.areNear(log[$0].hopLimit, rst.hopLimit) }) {
            var finding = Finding(.rstFromMiddlebox, [rst.frame])
            explain(
                &finding, "hop limit \(rst.hopLimit), the client's is \(peer.hopLimit)",
                or: [
                    "a stack that sends its resets so", "a RST of another connection on the tuple",
                    "a scanner whose host resets what it did not begin",
                    "a SYN that was sent in the client's name: the RST is the client's",
                ])
            found.append(finding)
        }
    }

    /// Whether RFC 9293 3.10.7.1 prescribes SEQ 0 for a RST of the server: with ACK, it answers a segment without ACK,
    /// and acknowledges that segment's SEQ+LEN; without, it answers an ACK of 0.
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

    /// From how many hops away a packet comes that has this limit left: stacks send RSTs of their own with another
    /// initial one, but from as many hops away.
    private static func hops(_ limit: UInt8) -> Int {
        let initial = limit <= 32 ? 32 : limit <= 64 ? 64 : limit <= 128 ? 128 : 255
        return initial - Int(limit)
    }

    /// Whether packets with these limits left come from equally far away, or one hop apart.
    static func areNear(_ a: UInt8, _ b: UInt8) -> Bool { a == b || abs(hops(a) - hops(b)) <= 1 }

    /// The last IP identification of a peer that counts them, seen by two of its packets at least. Zero, random or
    /// mixed ones (Linux sends 0 on SYN-ACKs and counts later) say nothing: of two random ones, one pair in 64 lies
    /// within 1024.
    private func countsIdentifications(_ peers: BitSet64, before rst: SegmentNote) -> UInt16? {
        let earlier = peers.filter { log[$0].frame < rst.frame }
        let steps: ClosedRange<UInt16> = earlier.count > 2 ? 1...1024 : 1...16
        guard earlier.count > 1, let last = earlier.last, !earlier.contains(where: { log[$0].identification == 0 }),
            earlier.neighbours.allSatisfy({ steps.contains(log[$1].identification &- log[$0].identification) })
        else { return nil }
        return log[last].identification
    }
}
