import PacketWire

// Doubtful segments: those with bad checksums, and those in tunnels that say nothing of the attempt. As they come
// they are kept out of the state; bad checksums only if their sender is known to have good ones. What the whole log
// says may differ: then it is gone through again.
extension HandshakeTracker {
    /// As what a segment is kept out of the state, by what is known so far; nil where it counts.
    @inline(__always)
    mutating func exclusion(_ segment: Segment, _ slot: UInt32, fromClient: Bool) -> HandshakeEvent? {
        if carrier != Carriers.plain || segment.checksum == .bad { return weigh(segment, slot, fromClient: fromClient) }
        if segment.checksum == .good { attempts[slot].goodChecksums |= fromClient ? 1 : 2 }
        return nil
    }

    @inline(never)
    private mutating func weigh(_ segment: Segment, _ slot: UInt32, fromClient: Bool) -> HandshakeEvent? {
        let side: UInt8 = fromClient ? 1 : 2
        let isForeign = isForeign(to: slot)
        if segment.checksum == .good, !isForeign { attempts[slot].goodChecksums |= side }
        let isBad = segment.checksum == .bad && configuration.excludesBadChecksums
        guard isForeign || isBad else { return nil }
        let event: HandshakeEvent = isForeign ? .foreignCarrier : .badChecksum
        if let replay { return replay.counting.contains(replay.position) ? nil : event }
        attempts[slot].marks.insert(.hasDoubtfulSegments)
        return isForeign || attempts[slot].goodChecksums & side != 0 || senderTrust == .good ? event : nil
    }

    /// A log that is gone through again.
    struct Replay {
        /// Doubtful segments that count, by position, and the position at hand.
        var counting: BitSet64
        var position = 0
    }

    /// Goes through an attempt's log again, if other doubtful segments count than were taken.
    mutating func resolveTrust(_ slot: UInt32) {
        guard attempts[slot].marks.contains(.hasDoubtfulSegments), attempts[slot].notesOmitted == 0 else { return }
        let log = notesOfLog(slot)
        let foreign = foreignSegments(slot, log)
        let counting = SegmentTrust(log, good: attempts[slot].goodChecksums, foreign: foreign).counting
        let all = BitSet64(first: log.count)
        // A tunnel may have become one that is trusted.
        if all.contains(where: { log[$0].event == .foreignCarrier && !foreign.contains($0) }) {
            return replay(slot, log, counting)
        }
        let taken = all.filter {
            (log[$0].checksum == .bad || foreign.contains($0)) && log[$0].event != .badChecksum
                && log[$0].event != .foreignCarrier
        }
        // An attempt's first SYN is there, whatever its checksum.
        let isFirst = { (position: Int) in position == 0 && log[position].isSYN }
        if counting.filter({ !isFirst($0) }) != taken.filter({ !isFirst($0) }) { replay(slot, log, counting) }
    }

    private mutating func replay(_ slot: UInt32, _ log: [SegmentNote], _ counting: BitSet64) {
        let (currentFrame, currentTime, currentCarrier) = (frame, time, carrier)
        replay = Replay(counting: counting)
        releaseNotes(slot)
        // Segments that were not logged are not replayed.
        let serverSpoke = attempts[slot].events.hasAny(.serverMore, .serverFin, .confirmation)
        attempts[slot].restart()
        for (position, note) in log.enumerated() {
            (frame, time, carrier) = (note.frame, note.time, note.carrier)
            replay?.position = position
            if note.isICMP {
                _ = attempts[slot].machine.receive(note.event)
                attempts[slot].events.insert(note.event)
                append(note, slot)
                continue
            }
            let segment = Segment(note, of: attempts[slot])
            if position == 0, !isForeign(to: slot) {
                apply(note.isSYNACK ? .synAck : .syn, segment, slot)
            } else if note.isSYN, note.fromClient {
                apply(classifySYN(segment, slot), segment, slot)
            } else if note.isSYN {
                apply(classifyReverseSYN(segment, slot), segment, slot)
            } else {
                apply(classify(segment, slot), segment, slot)
            }
        }
        if serverSpoke { attempts[slot].marks.insert(.serverSpoke) }
        (frame, time, carrier) = (currentFrame, currentTime, currentCarrier)
        replay = nil
    }
}

extension Attempt {
    /// Forgets what its segments said, and keeps whose they are and what came before it.
    fileprivate mutating func restart() {
        var fresh = Attempt(key: key, state: synCount > 0 ? .synSent : .synAckOnly)
        let kept: Marks = [
            .clientIsLow, .olderThanLive, .reusedEarly, .hasDoubtfulSegments, .otherLiveAtReset, .repeatsISN,
            .isVouchedFor,
        ]
        fresh.marks = marks.intersection(kept)
        (fresh.carrier, fresh.foreignCount) = (carrier, foreignCount)
        (fresh.clientNetwork, fresh.serverNetwork, fresh.copyNetwork) = (clientNetwork, serverNetwork, copyNetwork)
        (fresh.predecessor, fresh.predecessorID, fresh.successorID) = (predecessor, predecessorID, successorID)
        (fresh.firstFrame, fresh.firstTime, fresh.lastSYNTime) = (firstFrame, firstTime, firstTime)
        (fresh.touched, fresh.handshakeTouched) = (touched, handshakeTouched)
        (fresh.older, fresh.goodChecksums, fresh.identification) = (older, goodChecksums, identification)
        fresh.clientISN = clientISN
        fresh.numbers.clientEnd = clientISN &+ 1
        fresh.numbers.serverAcked = synCount > 0 ? clientISN : clientISN &+ 1
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
        (links, trafficClass, options.order) = (note.links, note.trafficClass, note.order)
        network = note.fromClient ? attempt.clientNetwork : attempt.serverNetwork
    }
}
