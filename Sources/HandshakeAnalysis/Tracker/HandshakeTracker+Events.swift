import HandshakeRecord
import PacketWire

// The effect of an event on an attempt.
extension HandshakeTracker {
    // MARK: Events and actions

    mutating func apply(_ event: HandshakeEvent, _ segment: Segment, _ slot: UInt32) {
        let fromServer = !attempts[slot].isFromClient(segment)
        if event.isExactCompletion || event == .oneSidedAck,
            attempts[slot].completedBy == CompletedBy.number(.inferred)
        {
            return completeExactly(event, segment, slot)
        }
        if event == .resetAnswersWrongAck { recast(slot, .ackBeyond, to: .wrongAck) { $0.ack == segment.seq } }
        learn(event, segment, slot, fromServer: fromServer)
        if attempts[slot].carrier != Carriers.plain, carriers.isTrusted(carrier), event.provesAttempt {
            attempts[slot].marks.insert(.isVouchedFor)
        }
        if event == .clientReset || event == .clientGaveUp, replay == nil, hasOtherLive(slot) {
            attempts[slot].marks.insert(.otherLiveAtReset)
        }
        let action = attempts[slot].machine.receive(event)
        attempts[slot].events.insert(event)
        noteClose(event, segment, slot)
        if event == .foreignCarrier {
            if action == .note { logForeign(segment, slot, fromClient: !fromServer) }
            return
        }
        if action != .ignore, action != .close {
            attempts[slot].handshakeTouched = clock.elapsed
            recentHandshake = slot
        }
        if event == .resetAnswersChallenge { endOthers(than: slot) }
        switch action {
        case .ignore:
            if attempts[slot].foreignCount > 0 { hearSighting(segment, slot, fromClient: !fromServer) }
            return
        case .note:
            log(segment, event, slot, fromClient: !fromServer)
            if event == .synAck || event == .synAckOther { takeEarlierAnswer(to: segment, slot) }
        case .complete(let how):
            log(segment, event, slot, fromClient: !fromServer)
            complete(slot, how)
            if event == .ackBeyond { attempts[slot].marks.formUnion([.completedBeyond, .missedSegments]) }
            endOthers(than: slot)
            noteClose(event, segment, slot)
            return
        case .reopen: return
        case .close:
            if replay != nil { return }
            report(slot, .evidence)
            remember(slot, isTouched: true)
            return
        }
        // Completed, its time to settle runs from completion.
        if !attempts[slot].machine.state.isEstablished { enqueue(slot, queue(after: event, slot)) }
    }

    /// Where an attempt waits that is not complete: for 75 s, in which the same x is the same attempt. Live, one that
    /// was refused, reset or given up waits for 10 s, unless its client, which waits twice as long each time (RFC 6298
    /// 5.5), could be back later than that.
    private func queue(after event: HandshakeEvent, _ slot: UInt32) -> Attempt.Queue {
        guard configuration.decidesEndsEarly else { return .unfinished }
        switch event {
        case .refusal, .serverReset, .clientReset, .clientGaveUp, .resetAnswersChallenge, .resetRejectsSynAck,
            .icmpHard,
            .icmpAdmin:
            let isQuick = attempts[slot].lastSYNTime &- attempts[slot].firstTime <= Self.settlingTime / 2
            return isQuick ? .settling : .unfinished
        case .syn, .synAck, .synAckAgain, .synAckOther: return .unfinished
        default: return attempts.entries[slot].queue
        }
    }

    /// The exact ACK stands behind what showed that it was sent: it is what completed the handshake.
    private mutating func completeExactly(_ event: HandshakeEvent, _ segment: Segment, _ slot: UInt32) {
        attempts[slot].events.insert(event)
        if attempts[slot].marks.contains(.completedBeyond) {
            attempts[slot].marks.subtract([.completedBeyond, .missedSegments])
        }
        attempts[slot].marks.insert(.completedLate)
        attempts[slot].completedFrame = frame
        if event == .oneSidedAck {
            (attempts[slot].numbers.serverISN, attempts[slot].synAckAck) = (segment.ack &- 1, segment.seq)
            attempts[slot].marks.insert(.hasServerISN)
        } else {
            attempts[slot].completedBy = CompletedBy.number(event == .finalAck ? .ack : .data)
        }
        log(segment, event, slot, fromClient: true)
    }

    /// A valid SYN-ACK may stand behind the client's answer to it. That acknowledges y+1, and was taken for the answer
    /// to a SYN-ACK that was not captured, or to one of another connection.
    private mutating func takeEarlierAnswer(to synAck: Segment, _ slot: UInt32) {
        func answers(_ note: SegmentNote) -> Bool {
            note.fromClient && note.ack == synAck.seq &+ synAck.sequenceLength && note.seq == synAck.ack
        }
        if attempts[slot].marks.contains(.established) {
            if let answer = completion(slot), answer.event == .oneSidedAck, answers(answer) {
                attempts[slot].completedBy = CompletedBy.number(answer.isEmptyACK ? .ack : .data)
            }
            return
        }
        guard attempts[slot].machine.state == .synReceived else { return }
        let isn = attempts[slot].clientISN
        // Each side has acknowledged the other's SYN by SYN-ACK (RFC 9293 Figure 7); the server's SYN was not captured.
        if hasNote(slot, where: { $0.event == .synAckWrongDirection && $0.seq == isn && $0.ack == synAck.seq &+ 1 }) {
            takeCrossing(slot, acknowledging: synAck.seq &+ 1)
            guard case .complete(let how) = attempts[slot].machine.receive(.finalAck) else { return }
            complete(slot, how)
            return endOthers(than: slot)
        }
        var answer: SegmentNote?
        _ = hasNote(slot) { note in
            guard note.event == .wrongAck || note.event == .earlyData, answers(note) else { return false }
            answer = note
            return true
        }
        guard let answer else { return }
        let event: HandshakeEvent = answer.isEmptyACK ? .finalAck : .finalData
        recast(slot, answer.event, to: event) { $0.frame == answer.frame }
        if attempts[slot].marks.contains(.severalServerISNs) { chooseServerISN(slot, acknowledgedBy: answer.ack) }
        attempts[slot].numbers.takeClientEnd(answer.seq &+ answer.payloadLength)
        attempts[slot].clientAcked = answer.ack
        attempts[slot].events.insert(event)
        guard case .complete(let how) = attempts[slot].machine.receive(event) else { return }
        complete(slot, how)
        attempts[slot].completedFrame = answer.frame
        endOthers(than: slot)
    }

    /// Keeps in mind how the connection of a completed attempt ends.
    private mutating func noteClose(_ event: HandshakeEvent, _ segment: Segment, _ slot: UInt32) {
        guard attempts[slot].marks.contains(.established), !event.isLeftOut,
            !segment.flags.contains(.rst) || event == .resetEstablished,
            attempts[slot].close.awaitsACK || !segment.flags.isDisjoint(with: [.fin, .rst])
        else { return }
        if attempts[slot].close.isReset, event == .serverMore || event == .serverFin || event == .confirmation {
            attempts[slot].marks.insert(.outlivedReset)
            attempts[slot].close = ConnectionClose()
        }
        noteEnd(slot, segment)
    }

    /// Whether a segment of the server shows that it never sent what completed the handshake acknowledged: a RST
    /// without ACK with that number (RFC 9293 3.10.7.2), its SYN-ACK again, or new data below it.
    mutating func refutesCompletion(_ segment: Segment, _ slot: UInt32) -> Bool {
        guard attempts[slot].marks.contains(.completedBeyond), let seen = completion(slot), seen.event == .ackBeyond
        else { return false }
        let ack = seen.ack
        let flags = segment.flags
        if flags.contains(.rst) { return !flags.contains(.ack) && segment.seq == ack }
        if flags.isSYNACK {
            return segment.seq == attempts[slot].numbers.serverISN
                && !isSecondSighting(segment, slot, fromClient: false)
        }
        let isNew = !SequenceNumber.isAfter(attempts[slot].serverEnd, segment.seq)
        return segment.payloadLength > 0 && isNew && SequenceNumber.isAfter(ack, segment.seq)
    }

    /// The logged segment that completed the handshake.
    func completion(_ slot: UInt32) -> SegmentNote? {
        var note = attempts[slot].firstNote
        while note != 0 {
            if notes[note].frame == attempts[slot].completedFrame { return notes[note] }
            note = notes[note].next
        }
        return nil
    }

    /// Opens an attempt again: the segment that completed it turns out to be a wrong ACK.
    mutating func reopen(_ slot: UInt32) {
        _ = attempts[slot].machine.receive(.ackRefuted)
        attempts[slot].events.insert(.wrongAck)
        attempts[slot].marks.subtract([.established, .completedBeyond, .missedSegments])
        attempts[slot].completedBy = 0
        recast(slot, .ackBeyond, to: .wrongAck) { _ in true }
        enqueue(slot, .unfinished)
    }

    /// Calls logged segments of one event another.
    mutating func recast(
        _ slot: UInt32, _ event: HandshakeEvent, to other: HandshakeEvent, where matches: (SegmentNote) -> Bool
    ) {
        var note = attempts[slot].firstNote
        while note != 0 {
            if notes[note].event == event, matches(notes[note]) { notes[note].event = other }
            note = notes[note].next
        }
    }

    /// Adds an event's numbers to the attempt.
    mutating func learn(
        _ event: HandshakeEvent, _ segment: Segment, _ slot: UInt32, fromServer: Bool
    ) {
        if fromServer, !event.isLeftOut, event != .resetUnacceptable {
            if !attempts[slot].marks.contains(.serverSpoke) { attempts[slot].serverNetwork = segment.network }
            attempts[slot].marks.insert(.serverSpoke)
        }
        switch event {
        case .syn:
            attempts[slot].synCount += 1
            attempts[slot].lastSYNTime = time
            attempts[slot].synLength = max(
                attempts[slot].synLength, segment.payloadLength &+ (segment.flags.contains(.fin) ? 1 : 0))
            if attempts[slot].clientWindow == 0 { attempts[slot].clientWindow = segment.window }
            if segment.options.has(.timestamps) {
                attempts[slot].marks.insert(.clientSentTimestamps)
                if !attempts[slot].machine.state.isEstablished {
                    attempts[slot].numbers.clientTSval = segment.options.tsval
                }
            }
        case .synAck, .synAckOther:
            attempts[slot].synAckCount += 1
            guard event == .synAck || !attempts[slot].machine.state.isEstablished else { return }
            if event == .synAckOther { attempts[slot].marks.insert(.severalServerISNs) }
            if event == .synAck {
                attempts[slot].numbers.serverISN = segment.seq
                attempts[slot].synAckLength = segment.sequenceLength &- 1
                attempts[slot].synAckAck = segment.ack
                attempts[slot].takeServerWindow(segment.window)
                attempts[slot].serverEnd = SequenceNumber.later(
                    segment.seq &+ segment.sequenceLength,
                    attempts[slot].marks.contains(.hasServerISN) ? attempts[slot].serverEnd : segment.seq)
                attempts[slot].marks.insert(.hasServerISN)
                if attempts[slot].synLength > 0, segment.ack != attempts[slot].clientNext {
                    attempts[slot].marks.insert(.fastOpen)
                }
                attempts[slot].numbers.takeServerACK(segment.ack)
            }
        case .synAckAgain, .synAckWrongAck: attempts[slot].synAckCount += 1
        case .oneSidedAck:
            attempts[slot].numbers.serverISN = segment.ack &- 1
            attempts[slot].serverEnd = segment.ack
            attempts[slot].synAckAck = segment.seq
            attempts[slot].marks.insert(.hasServerISN)
        case .refusal:
            attempts[slot].refusalCount += 1
            attempts[slot].rstCount += 1
        case .clientReset, .clientGaveUp, .resetAnswersChallenge, .resetRejectsSynAck, .serverReset, .resetInexact,
            .resetAnswersWrongAck, .resetUnacceptable, .resetEstablished:
            attempts[slot].rstCount += 1
        case .captureDuplicate: attempts[slot].duplicateCount += 1
        case .challenge:
            if !attempts[slot].marks.contains(.hasServerISN) { attempts[slot].challengeAck = segment.ack }
        default: break
        }
    }

    /// Whether another attempt on the tuple is up, or still trying.
    func hasOtherLive(_ slot: UInt32) -> Bool {
        let key = attempts[slot].key
        var other = find(key, key.tuple.hash(seed: seed))
        while other != 0 {
            if other != slot, !attempts[other].marks.contains(.midstream),
                attempts[other].carrier == attempts[slot].carrier
            {
                let isTrying =
                    !attempts[other].isReported && attempts[other].machine.state != .aborted
                    && !attempts[other].machine.state.isEstablished && !isDead(other, countingICMP: true)
                    && !endsWithOddSYN(other)
                if isTrying || attempts[other].isLive { return true }
            }
            other = attempts[other].older
        }
        return false
    }

    /// Whether the last SYN of an attempt has flags that no stack sends with it: it makes nothing live.
    private func endsWithOddSYN(_ slot: UInt32) -> Bool {
        var isOdd = false
        var note = attempts[slot].firstNote
        while note != 0 {
            if notes[note].event == .syn { isOdd = !notes[note].flags.isDisjoint(with: [.fin, .urg]) }
            note = notes[note].next
        }
        return isOdd
    }

    /// Ends the other live attempts of the tuple: the RST that answers a challenge ended them (RFC 9293 Figures 9 and
    /// 10), or another handshake completed in their place.
    private mutating func endOthers(than slot: UInt32) {
        guard replay == nil else { return }
        let key = attempts[slot].key
        var other = find(key, key.tuple.hash(seed: seed))
        while other != 0 {
            let next = attempts[other].older
            if other != slot, attempts[other].isLive, attempts[other].carrier == attempts[slot].carrier {
                attempts[other].close.replace()
                if attempts[other].isReported { enqueue(other, .ended) }
            }
            other = next
        }
    }

    mutating func complete(_ slot: UInt32, _ how: CompletedBy) {
        attempts[slot].marks.insert(.established)
        attempts[slot].completedFrame = frame
        attempts[slot].completedBy = CompletedBy.number(how)
        attempts[slot].numbers.takeClientEnd(attempts[slot].clientNext)
        enqueue(slot, .settling)
    }

    mutating func takeICMPError(_ error: ICMPError) {
        let key = ConnectionKey(error.source, error.destination)
        let hash = key.tuple.hash(seed: seed)
        var slot = forgetPast(find(key, hash), key, hash)
        if slot != 0 { giveDetail(slot) }
        while slot != 0 {
            let isMidstream = attempts[slot].marks.contains(.midstream)
            if !isMidstream, !attempts[slot].isReported, !isForeign(to: slot) {
                let fromClient = attempts[slot].client == error.source
                if fromClient, error.seq == nil || error.seq == attempts[slot].clientISN {
                    let event: HandshakeEvent =
                        switch error.severity {
                        case .hard: .icmpHard
                        case .admin: .icmpAdmin
                        case .soft: .icmpSoft
                        case .pmtu: .icmpOther
                        }
                    return noteICMP(event, error, slot)
                }
                if attempts[slot].older == 0 { return noteICMP(.icmpOther, error, slot) }
            }
            slot = attempts[slot].older
        }
        counts.totals.unrelatedICMPErrors += 1
    }

    mutating func noteICMP(_ event: HandshakeEvent, _ error: ICMPError, _ slot: UInt32) {
        guard attempts[slot].machine.receive(event) != .ignore else { return }
        attempts[slot].events.insert(event)
        var note = SegmentNote()
        note.frame = frame
        note.time = time
        note.seq = error.seq ?? 0
        note.event = event
        note.fromClient = error.reporter == attempts[slot].client.address
        note.icmpType = error.type
        note.icmpCode = error.code
        note.reporter = error.reporter
        note.carrier = carrier
        append(note, slot)
        if !attempts[slot].machine.state.isEstablished { enqueue(slot, queue(after: event, slot)) }
    }
}
