import HandshakeRecord
import PacketWire

// The log: the segments that an attempt is judged by.
extension HandshakeTracker {
    mutating func log(
        _ segment: Segment, _ event: HandshakeEvent, _ slot: UInt32, fromClient: Bool
    ) {
        var note = SegmentNote(segment, frame: frame, time: time, event: event, fromClient: fromClient)
        note.carrier = carrier
        if segment.checksum == .bad { note.senderTrust = senderTrust }
        append(note, slot)
        if replay == nil, !segment.tunnels.isEmpty, event != .foreignCarrier {
            paths[slot, default: TunnelPaths()].add(segment.path, fromClient: fromClient)
        }
    }

    /// Notes a segment in a tunnel that says nothing of an attempt. It keeps nothing alive, and pushes nothing out of
    /// the log.
    mutating func logForeign(_ segment: Segment, _ slot: UInt32, fromClient: Bool) {
        attempts[slot].foreignCount &+= 1
        guard replay != nil || attempts[slot].foreignCount <= HandshakeTracker.maximumForeign else { return }
        log(segment, .foreignCarrier, slot, fromClient: fromClient)
    }

    /// A segment that counts and is not logged, of which a copy in a tunnel was: that copy is no news either.
    mutating func hearSighting(_ segment: Segment, _ slot: UInt32, fromClient: Bool) {
        let seen = SegmentNote(segment, frame: frame, time: time, event: .clientMore, fromClient: fromClient)
        var note = attempts[slot].firstNote
        while note != 0 {
            if notes[note].event == .foreignCarrier, seen.isSamePacket(as: notes[note]) {
                (notes[note].event, notes[note].carrier) = (.clientMore, carrier)
            }
            note = notes[note].next
        }
    }

    /// The first 24 and the last 8 are kept.
    mutating func append(_ note: SegmentNote, _ slot: UInt32) {
        if listsEvidence, replay == nil, evidence.last != frame { evidence.append(frame) }
        guard noteCount < noteLimit || evictForNote(slot) else {
            attempts[slot].notesOmitted += 1
            return
        }
        link(note, slot)
        guard attempts[slot].noteCount > 32 else { return }
        var kept = attempts[slot].firstNote
        for _ in 1..<24 { kept = notes[kept].next }
        let dropped = notes[kept].next
        notes[kept].next = notes[dropped].next
        notes.remove(dropped)
        noteCount -= 1
        attempts[slot].noteCount -= 1
        attempts[slot].notesOmitted += 1
    }

    /// Puts a note at the end of an attempt's log.
    mutating func link(_ note: SegmentNote, _ slot: UInt32) {
        var note = note
        // One that is logged again still names what followed it before.
        note.next = 0
        let number = notes.insert(note)
        noteCount += 1
        if attempts[slot].firstNote == 0 {
            attempts[slot].firstNote = number
        } else {
            notes[attempts[slot].lastNote].next = number
        }
        attempts[slot].lastNote = number
        attempts[slot].noteCount += 1
    }

    /// The log is full: lets the oldest attempt that has notes go, as a full table does. Those on the tuple at hand
    /// stay, since whoever logs is looking at them.
    /// - Returns: whether there is room.
    private mutating func evictForNote(_ slot: UInt32) -> Bool {
        for queue in [Attempt.Queue.unfinished, .settling] {
            var victim = queues[queue].head
            for _ in 0...HandshakeTracker.maximumPerTuple where victim != 0 {
                if attempts.entries[victim].stage == .detailed, attempts[victim].noteCount > 0,
                    ConnectionKey(attempts.tuple(of: victim)) != attempts[slot].key
                {
                    counts.totals.evicted += 1
                    report(victim, .evicted)
                    forget(victim)
                    return true
                }
                victim = attempts.entries[victim].queueNext
            }
        }
        return false
    }

    mutating func takeNotes(_ slot: UInt32) -> [SegmentNote] {
        defer { releaseNotes(slot) }
        return notesOfLog(slot)
    }

    func notesOfLog(_ slot: UInt32) -> [SegmentNote] {
        var log: [SegmentNote] = []
        log.reserveCapacity(Int(attempts[slot].noteCount))
        var note = attempts[slot].firstNote
        while note != 0 {
            log.append(notes[note])
            note = notes[note].next
            assert(log.count <= Int(attempts[slot].noteCount), "a log is a circle")
        }
        return log
    }

    mutating func releaseNotes(_ slot: UInt32) {
        var note = attempts[slot].firstNote
        while note != 0 {
            let next = notes[note].next
            notes.remove(note)
            noteCount -= 1
            note = next
        }
        attempts[slot].firstNote = 0
        attempts[slot].lastNote = 0
        attempts[slot].noteCount = 0
    }
}
