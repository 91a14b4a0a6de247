import PacketWire

// Segments with bad checksums. As they come they are kept out of the state if their sender is known to have good ones, and
// taken if not. What the whole log says may differ: then it is gone through again.
extension HandshakeTracker {
    /// Whether a segment is kept out of the state for its checksum, by what is known so far.
    mutating func isExcluded(_ segment: Segment, _ slot: UInt32, fromClient: Bool) -> Bool {
        let side: UInt8 = fromClient ? 1 : 2
        switch segment.checksum {
        case .good: attempts[slot].goodChecksums |= side
        case .bad where configuration.excludesBadChecksums:
            if let replay { return !replay.counting.contains(replay.position) }
            attempts[slot].marks.insert(.hasBadChecksums)
            return attempts[slot].goodChecksums & side != 0 || senderTrust == .good
        case .bad, .offload, .unverified: break
        }
        return false
    }

    /// A log that is gone through again.
    struct Replay {
        /// Segments with bad checksums that count, by position, and the position at hand.
        var counting: Positions
        var position = 0
    }

    /// Goes through an attempt's log again, if other segments with bad checksums count than were taken.
    mutating func resolveChecksums(_ slot: UInt32) {
        guard attempts[slot].marks.contains(.hasBadChecksums), attempts[slot].notesOmitted == 0 else { return }
        let log = notesOfLog(slot)
        let counting = ChecksumTrust(log, good: attempts[slot].goodChecksums).counting
        let taken = Positions(first: log.count).filter { log[$0].checksum == .bad && log[$0].event != .badChecksum }
        // An attempt's first SYN is there, whatever its checksum.
        let isFirst = { (position: Int) in position == 0 && log[position].isSYN }
        if counting.filter({ !isFirst($0) }) != taken.filter({ !isFirst($0) }) { replay(slot, log, counting) }
    }

    private mutating func replay(_ slot: UInt32, _ log: [SegmentNote], _ counting: Positions) {
        let (currentFrame, currentTime) = (frame, time)
        replay = Replay(counting: counting)
        releaseNotes(slot)
        attempts[slot].restart()
        for (position, note) in log.enumerated() {
            (frame, time) = (note.frame, note.time)
            replay?.position = position
            if note.isICMP {
                _ = attempts[slot].machine.receive(note.event)
                attempts[slot].events.insert(note.event)
                append(note, slot)
                continue
            }
            let segment = Segment(note, of: attempts[slot])
            if position == 0 {
                apply(note.isSYNACK ? .synAck : .syn, segment, slot)
            } else if note.isSYN, note.fromClient {
                apply(classifySYN(segment, slot), segment, slot)
            } else if note.isSYN {
                apply(classifyReverseSYN(segment, slot), segment, slot)
            } else {
                apply(classify(segment, slot), segment, slot)
            }
        }
        (frame, time) = (currentFrame, currentTime)
        replay = nil
    }
}

extension Attempt {
    /// Forgets what its segments said, and keeps whose they are and what came before it.
    fileprivate mutating func restart() {
        var fresh = Attempt(key: key, state: synCount > 0 ? .synSent : .synAckOnly)
        let kept: Marks = [
            .clientIsLow, .olderThanLive, .reusedEarly, .hasBadChecksums, .otherLiveAtReset, .repeatsISN,
        ]
        fresh.marks = marks.intersection(kept)
        (fresh.clientNetwork, fresh.serverNetwork, fresh.copyNetwork) = (clientNetwork, serverNetwork, copyNetwork)
        (fresh.predecessor, fresh.predecessorID, fresh.successorID) = (predecessor, predecessorID, successorID)
        (fresh.firstFrame, fresh.firstTime, fresh.lastSYNTime) = (firstFrame, firstTime, firstTime)
        (fresh.touched, fresh.handshakeTouched) = (touched, handshakeTouched)
        (fresh.older, fresh.goodChecksums, fresh.identification) = (older, goodChecksums, identification)
        fresh.clientISN = clientISN
        fresh.clientEnd = clientISN &+ 1
        fresh.serverAcked = synCount > 0 ? clientISN : clientISN &+ 1
        self = fresh
    }
}

extension Segment {
    /// The segment that a note was made of, as far as verdicts ask.
    fileprivate init(_ note: SegmentNote, of attempt: Attempt) {
        let (client, server) = (attempt.client, attempt.server)
        self.init(from: note.fromClient ? client : server, to: note.fromClient ? server : client)
        seq = note.seq
        ack = note.ack
        flags = note.flags
        window = note.window
        payloadLength = note.payloadLength
        options.present = note.options
        options.mss = note.mss
        options.windowScale = note.windowScale
        options.tsval = note.tsval
        options.tsecr = note.tsecr
        options.fastOpenCookieLength = note.fastOpenCookieLength
        options.mptcpSubtype = note.mptcpSubtype
        identification = note.identification
        hopLimit = note.hopLimit
        checksum = note.checksum
        isFragment = note.isFragment
        hasFragmentOverlap = note.hasFragmentOverlap
        isCut = note.isCut
        isUntimed = note.isUntimed
        vlan = note.vlan
        tunnels = note.tunnels
        linkSignature = note.linkSignature
        network = note.fromClient ? attempt.clientNetwork : attempt.serverNetwork
    }
}
