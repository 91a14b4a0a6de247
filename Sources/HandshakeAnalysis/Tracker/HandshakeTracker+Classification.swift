import HandshakeRecord
import PacketWire

// The meaning of a segment's numbers to an attempt (RFC 9293 3.10). State changes only by what the numbers add.
extension HandshakeTracker {
    mutating func classifySYN(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        if let event = exclusion(segment, slot, fromClient: true) { return event }
        return isDuplicate(segment, slot, fromClient: true) ? .captureDuplicate : .syn
    }

    mutating func classifyReverseSYN(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        if let event = exclusion(segment, slot, fromClient: false) { return event }
        if isDuplicate(segment, slot, fromClient: false) { return .captureDuplicate }
        guard attempts[slot].machine.state == .synSent else { return .reverseSyn }
        attempts[slot].numbers.serverISN = segment.seq
        attempts[slot].synAckLength = segment.sequenceLength &- 1
        attempts[slot].takeServerWindow(segment.window)
        attempts[slot].serverEnd = segment.seq &+ segment.sequenceLength
        attempts[slot].marks.insert(.hasServerISN)
        let acknowledged =
            attempts[slot].events.has(.challenge) && attempts[slot].challengeAck == attempts[slot].clientNext
        return acknowledged ? .reverseSynAfterAck : .reverseSyn
    }

    mutating func classify(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let fromClient = attempts[slot].isFromClient(segment)
        if let event = exclusion(segment, slot, fromClient: fromClient) { return event }
        if !fromClient, refutesCompletion(segment, slot) { reopen(slot) }
        if attempts[slot].machine.state.isEstablished, segment.flags.isDisjoint(with: [.syn, .rst]) {
            return fromClient ? clientAfter(segment, slot) : serverAfter(segment, slot)
        }
        if isDuplicate(segment, slot, fromClient: fromClient) { return .captureDuplicate }
        let event = fromClient ? fromClientEvent(segment, slot) : fromServerEvent(segment, slot)
        if attempts[slot].machine.state == .aborted, isAcknowledgedBothWays(slot) { return .dataBothWays }
        return event
    }

    @inline(__always)
    mutating func takeClientACK(_ segment: Segment, _ slot: UInt32) {
        attempts[slot].clientAcked = segment.ack
        if segment.options.has(.timestamps) { attempts[slot].numbers.clientTSval = segment.options.tsval }
    }

    @inline(__always)
    mutating func clientAfter(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        if attempts[slot].noteCount > 0, isCopyOfCompletion(segment, slot) {
            return isDuplicate(segment, slot, fromClient: true) ? .captureDuplicate : .finalAck
        }
        attempts[slot].numbers.takeClientEnd(segment.seq &+ segment.sequenceLength)
        takeClientACK(segment, slot)
        if let answer = lateAnswer(segment, slot) { return answer }
        // An ACK again after a SYN-ACK again says whether the first was lost: it is logged.
        if segment.payloadLength == 0, attempts[slot].events.has(.synAckAgain), !segment.flags.contains(.fin),
            segment.seq == attempts[slot].synAckAck, segment.ack == attempts[slot].serverNext
        {
            return .finalAck
        }
        return segment.flags.contains(.fin) ? .clientFin : .clientMore
    }

    /// What a segment is that answers the SYN-ACK and stands behind what showed that the client had answered: its data,
    /// an ACK of what was not captured, or what only an established server sends; nil for any other segment. A client
    /// that acknowledges y+1 has nothing of the server yet, and one whose empty segment has x+1 has sent nothing.
    private func lateAnswer(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent? {
        guard attempts[slot].completedBy == CompletedBy.number(.inferred), !segment.flags.contains(.fin),
            segment.flags.contains(.ack), let shown = completion(slot),
            // Data with these numbers may be sent once more.
            segment.payloadLength == 0 || attempts[slot].marks.contains(.completedBeyond)
        else { return nil }
        switch shown.event {
        case .proof, .inferredAck, .ackBeyond: break
        default: return nil
        }
        // It was sent behind what the server, or the client itself, had sent by then: another was the first.
        if segment.options.has(.timestamps), shown.options.contains(.timestamps) {
            let sent = shown.fromClient ? shown.tsval : shown.tsecr
            if sent != 0, SequenceNumber.isAfter(segment.options.tsval, sent) { return nil }
        }
        // No SYN-ACK says what y is: the server's first octet does.
        if !attempts[slot].marks.contains(.hasServerISN) {
            return segment.seq == attempts[slot].clientNext && segment.ack == shown.seq ? .oneSidedAck : nil
        }
        guard attempts[slot].events.has(.synAck), segment.seq == attempts[slot].synAckAck,
            segment.ack == attempts[slot].serverNext
        else { return nil }
        return segment.payloadLength == 0 ? .finalAck : .finalData
    }

    /// Whether this is, byte for byte, the segment that completed the handshake, again and at once.
    @inline(__always)
    func isCopyOfCompletion(_ segment: Segment, _ slot: UInt32) -> Bool {
        let last = attempts[slot].lastNote
        return segment.seq == notes[last].seq && segment.ack == notes[last].ack
            && segment.payloadLength == notes[last].payloadLength && notes[last].fromClient
            && segment.flags == notes[last].flags && time &- notes[last].time < SegmentNote.duplicateWindow
            && notes[last].event != .syn
            && segment.window == notes[last].window && segment.identification == notes[last].identification
    }

    @inline(__always)
    mutating func serverAfter(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        attempts[slot].takeServerEnd(segment.seq &+ segment.sequenceLength)
        if segment.flags.contains(.ack) { attempts[slot].numbers.takeServerACK(segment.ack) }
        if segment.flags.contains(.fin) { return .serverFin }
        // With Fast Open the SYN's data may not have been taken: what the SYN-ACK acknowledged is what was before.
        let base =
            attempts[slot].events.hasAny(.synAck, .oneSidedAck)
            ? attempts[slot].synAckAck : attempts[slot].clientNext &+ attempts[slot].synLength
        if segment.flags.contains(.ack), SequenceNumber.isAfter(segment.ack, base),
            !SequenceNumber.isAfter(segment.ack, attempts[slot].numbers.clientEnd)
        {
            return .confirmation
        }
        return .serverMore
    }

    /// Whether a segment shows that the server has its connection, though neither its SYN nor its SYN-ACK was captured.
    /// One that acknowledges x+1 and sends data or a FIN is no challenge (RFC 5961 4 sends an empty ACK), and without
    /// Fast Open the client had answered. One that answers the client's SYN-ACK in both numbers ends a simultaneous or
    /// split handshake (RFC 9293 Figure 7).
    mutating func provesUnseenSYNACK(_ segment: Segment, _ slot: UInt32) -> Bool {
        guard attempts[slot].machine.state == .synSent, !attempts[slot].events.has(.synAckWrongAck),
            segment.flags.contains(.ack),
            segment.ack &- attempts[slot].clientNext <= attempts[slot].numbers.clientEnd &- attempts[slot].clientNext
        else { return false }
        let sendsMore = segment.payloadLength > 0 || segment.flags.contains(.fin)
        let (isn, next) = (attempts[slot].clientISN, attempts[slot].clientNext)
        var crossing: UInt32?
        _ = hasNote(slot) { note in
            guard note.event == .synAckWrongDirection, note.seq == isn,
                sendsMore ? segment.seq &- note.ack < 1 << 30 : segment.seq == note.ack && segment.ack == next
            else { return false }
            crossing = note.ack
            return true
        }
        if let crossing {
            takeCrossing(slot, acknowledging: crossing)
            return true
        }
        return sendsMore && attempts[slot].synLength == 0
    }

    /// The client's SYN-ACK answered a SYN of the server that was not captured.
    /// - Parameter next: what it acknowledges: y+1.
    mutating func takeCrossing(_ slot: UInt32, acknowledging next: UInt32) {
        let isn = attempts[slot].clientISN
        recast(slot, .synAckWrongDirection, to: .clientSynAck) { $0.seq == isn && $0.ack == next }
        attempts[slot].events.insert(.clientSynAck)
        attempts[slot].numbers.serverISN = next &- 1
        attempts[slot].marks.formUnion([.hasServerISN, .missedSegments])
    }

    /// Whether a segment of the server can be of the connection that its SYN-ACK began: SEQ is behind y, and it was not
    /// sent before that SYN-ACK (RFC 7323 5.3). A challenge of an older connection may come late.
    func isOfAnswer(_ segment: Segment, _ slot: UInt32) -> Bool {
        guard segment.seq &- attempts[slot].numbers.serverISN < 1 << 30 else { return false }
        guard segment.options.has(.timestamps) else { return true }
        return !hasNote(slot) {
            $0.isSYNACK && !$0.fromClient && $0.seq == attempts[slot].numbers.serverISN
                && $0.options.contains(.timestamps)
                && SequenceNumber.isAfter($0.tsval, segment.options.tsval)
        }
    }

    /// Whether an ACK of the client that acknowledges more than was captured of the server is unknown rather than
    /// wrong: it lies within the client's announced window beyond what was seen (RFC 9293 3.10.7.4: a server that went
    /// on may have sent so much), its SEQ shows octets of the client that were not captured either, or it is a FIN.
    func isUnknown(_ segment: Segment, _ slot: UInt32) -> Bool {
        if echoesUnseenSYNACK(segment, slot) { return true }
        let beyond = segment.ack &- attempts[slot].serverEnd
        let sent = segment.seq &- attempts[slot].clientNext
        guard beyond < 1 << 30, sent < 1 << 30 else { return false }
        let hidesClient = SequenceNumber.isAfter(segment.seq, attempts[slot].numbers.clientEnd)
        if hidesClient || segment.flags.contains(.fin) { return true }
        guard sent <= attempts[slot].clientMaySend else { return false }
        let window = UInt64(segment.window) << UInt64(clientScale(slot))
        return UInt64(beyond) <= max(window, UInt64(attempts[slot].clientWindow))
    }

    /// Whether an ACK of the client echoes a TSval that no captured SYN-ACK had: it answers one that was not captured,
    /// perhaps with another y.
    private func echoesUnseenSYNACK(_ segment: Segment, _ slot: UInt32) -> Bool {
        guard segment.options.has(.timestamps), segment.options.tsecr != 0 else { return false }
        var (hasAnswer, isSeen) = (false, false)
        _ = hasNote(slot) { note in
            guard note.isSYNACK, !note.fromClient else { return false }
            hasAnswer = true
            // A later segment echoes a later one of the server.
            isSeen =
                isSeen || !note.options.contains(.timestamps)
                || !SequenceNumber.isAfter(note.tsval, segment.options.tsecr)
            return isSeen
        }
        return hasAnswer && !isSeen
    }

    /// The shift of the client's windows: 0 unless SYN and SYN-ACK both offered window scaling (RFC 7323 2.2).
    private func clientScale(_ slot: UInt32) -> UInt8 {
        guard hasNote(slot, where: { $0.isSYNACK && !$0.fromClient && $0.options.contains(.windowScale) }) else {
            return 0
        }
        var scale: UInt8 = 0
        _ = hasNote(slot) { note in
            guard note.isSYN, note.fromClient, note.options.contains(.windowScale) else { return false }
            scale = min(note.windowScale, 14)
            return true
        }
        return scale
    }

    /// Whether the server goes on at or beyond what an ACK acknowledged that seemed wrong: then it was right, and what
    /// it acknowledges was not captured.
    mutating func goesOnBeyond(_ segment: Segment, _ slot: UInt32) -> Bool {
        let next = attempts[slot].serverNext
        let isRight = hasNote(slot) {
            $0.event == .wrongAck && segment.seq &- $0.ack < 1 << 30 && SequenceNumber.isAfter($0.ack, next)
        }
        guard isRight else { return false }
        recast(slot, .wrongAck, to: .ackBeyond) { segment.seq &- $0.ack < 1 << 30 }
        attempts[slot].marks.insert(.missedSegments)
        return true
    }

    /// Whether data was acknowledged in both directions.
    private func isAcknowledgedBothWays(_ slot: UInt32) -> Bool {
        let sent = attempts[slot].clientNext &+ attempts[slot].synLength
        return attempts[slot].marks.contains(.hasServerISN)
            && SequenceNumber.isAfter(attempts[slot].numbers.serverAcked, sent)
            && SequenceNumber.isAfter(attempts[slot].clientAcked, attempts[slot].serverNext)
            && !SequenceNumber.isAfter(attempts[slot].clientAcked, attempts[slot].serverEnd)
    }

    /// Whether a RST has the number that a wrong final ACK acknowledged (RFC 9293 3.10.7.4): it answers that ACK.
    func answersWrongACK(_ segment: Segment, _ slot: UInt32) -> Bool {
        attempts[slot].events.hasAny(.wrongAck, .ackBeyond)
            && hasNote(slot) { ($0.event == .wrongAck || $0.event == .ackBeyond) && $0.ack == segment.seq }
    }

    /// Whether the attempt's log has a note for which `matches` holds.
    func hasNote(_ slot: UInt32, where matches: (SegmentNote) -> Bool) -> Bool {
        var note = attempts[slot].firstNote
        while note != 0 {
            if matches(notes[note]) { return true }
            note = notes[note].next
        }
        return false
    }

    /// Chooses among several y the nearest that `number` follows.
    func chooseServerISN(_ slot: UInt32, acknowledgedBy number: UInt32) {
        var note = attempts[slot].firstNote
        var nearest: UInt32 = 1 << 30
        while note != 0 {
            let next = notes[note].seq &+ 1 &+ notes[note].payloadLength
            if notes[note].event == .synAck || notes[note].event == .synAckOther, number &- next < nearest {
                nearest = number &- next
                attempts[slot].numbers.serverISN = notes[note].seq
                attempts[slot].synAckLength = notes[note].payloadLength
                attempts[slot].synAckAck = notes[note].ack
                attempts[slot].takeServerWindow(notes[note].window)
                attempts[slot].serverEnd = number
            }
            note = notes[note].next
        }
    }

    /// Whether the segment is one that was logged already, captured twice.
    mutating func isDuplicate(_ segment: Segment, _ slot: UInt32, fromClient: Bool) -> Bool {
        guard isSecondSighting(segment, slot, fromClient: fromClient) else { return false }
        // A sighting of the first segment that can be believed says how the attempt came.
        if attempts[slot].carrier != carrier, !carriers.isTrusted(attempts[slot].carrier), carriers.isTrusted(carrier),
            isSighting(segment, ofFirst: slot, fromClient: fromClient)
        {
            attempts[slot].carrier = carrier
        }
        return true
    }

    /// Whether a segment is the one that an attempt began with, captured again.
    func isSighting(_ segment: Segment, ofFirst slot: UInt32, fromClient: Bool) -> Bool {
        let first = attempts[slot].firstNote
        let copy = SegmentNote(segment, frame: frame, time: time, event: .captureDuplicate, fromClient: fromClient)
        return first != 0 && copy.isSamePacket(as: notes[first])
    }

    mutating func isSecondSighting(_ segment: Segment, _ slot: UInt32, fromClient: Bool) -> Bool {
        let last = attempts[slot].lastNote
        guard last != 0, abs(time &- notes[last].time) < SegmentNote.duplicateWindow else { return false }
        let candidate = SegmentNote(segment, frame: frame, time: time, event: .captureDuplicate, fromClient: fromClient)
        return hasNote(slot) { !$0.event.isLeftOut && candidate.isSamePacket(as: $0) }
    }
}
