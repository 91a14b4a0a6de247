import PacketWire

// What an event does to an attempt.
extension HandshakeTracker {
    // MARK: Events and actions

    mutating func apply(_ event: HandshakeEvent, _ segment: Segment, _ slot: UInt32) {
        let fromServer = !attempts[slot].isFromClient(segment)
        learn(event, segment, slot, fromServer: fromServer)
        if event == .clientReset || event == .clientGaveUp, hasOtherLive(slot) {
            attempts[slot].marks.insert(.otherLiveAtReset)
        }
        let action = attempts[slot].machine.receive(event)
        attempts[slot].events.insert(event)
        if action != .ignore, action != .closeSilently {
            attempts[slot].handshakeTouched = clock.elapsed
            recentHandshake = slot
        }
        if event == .resetAnswersChallenge { endOthers(than: slot) }
        switch action {
        case .ignore: return
        case .note: log(segment, event, slot, fromClient: !fromServer)
        case .complete(let how):
            log(segment, event, slot, fromClient: !fromServer)
            complete(slot, how)
            endOthers(than: slot)
            if segment.flags.contains(.fin) { attempts[slot].marks.insert(.connectionEnded) }
            return
        case .close, .closeSilently:
            if action == .close { log(segment, event, slot, fromClient: !fromServer) }
            if event != .confirmation { attempts[slot].marks.insert(.connectionEnded) }
            report(slot, .evidence)
            remember(slot)
            return
        }
        if attempts[slot].machine.state == .established {
            return  // its time to settle runs from completion
        }
        enqueue(slot, queue(after: event, slot))
    }

    /// An attempt that was refused, reset or given up only settles, until one side goes on with it. Not if its client, which
    /// waits twice as long each time (RFC 6298, 5.5), could be back later than that: some go on after an error.
    private func queue(after event: HandshakeEvent, _ slot: UInt32) -> Attempt.Queue {
        switch event {
        case .refusal, .serverReset, .clientReset, .clientGaveUp, .resetAnswersChallenge, .resetRejectsSynAck,
            .icmpHard,
            .icmpAdmin:
            attempts[slot].lastSYNTime &- attempts[slot].firstTime <= Self.settlingTime / 2 ? .settling : .unfinished
        case .syn, .synAck, .synAckAgain, .synAckOther: .unfinished
        default: attempts.entries[slot].queue
        }
    }

    /// What an event's numbers add to the attempt.
    mutating func learn(
        _ event: HandshakeEvent, _ segment: Segment, _ slot: UInt32, fromServer: Bool
    ) {
        if fromServer, event != .captureDuplicate, event != .badChecksum, event != .resetUnacceptable {
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
                if attempts[slot].machine.state != .established { attempts[slot].clientTSval = segment.options.tsval }
            }
        case .synAck, .synAckOther:
            attempts[slot].synAckCount += 1
            guard event == .synAck || attempts[slot].machine.state != .established else { return }
            if event == .synAckOther { attempts[slot].marks.insert(.severalServerISNs) }
            if event == .synAck {
                attempts[slot].serverISN = segment.seq
                attempts[slot].synAckLength = segment.sequenceLength &- 1
                attempts[slot].synAckAck = segment.ack
                attempts[slot].serverWindow = segment.window
                attempts[slot].serverEnd = Sequence.later(
                    segment.seq &+ segment.sequenceLength,
                    attempts[slot].marks.contains(.hasServerISN) ? attempts[slot].serverEnd : segment.seq)
                attempts[slot].marks.insert(.hasServerISN)
                if attempts[slot].synLength > 0, segment.ack != attempts[slot].clientNext {
                    attempts[slot].marks.insert(.fastOpen)
                }
                if Sequence.isAfter(segment.ack, attempts[slot].serverAcked) {
                    attempts[slot].serverAcked = segment.ack
                }
            }
        case .synAckAgain, .synAckWrongAck: attempts[slot].synAckCount += 1
        case .oneSidedAck:
            attempts[slot].serverISN = segment.ack &- 1
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
            if other != slot, !attempts[other].marks.contains(.midstream) {
                let isTrying =
                    !attempts[other].isReported && attempts[other].machine.state != .aborted
                    && attempts[other].machine.state != .established && !isDead(other, countingICMP: true)
                if isTrying || attempts[other].isLive { return true }
            }
            other = attempts[other].older
        }
        return false
    }

    /// What was live on the tuple is so no longer: the RST that answers a challenge ended it (RFC 9293 Figures 9 and 10),
    /// or another handshake completed in its place.
    private mutating func endOthers(than slot: UInt32) {
        let key = attempts[slot].key
        var other = find(key, key.tuple.hash(seed: seed))
        while other != 0 {
            let next = attempts[other].older
            if other != slot, attempts[other].isLive {
                attempts[other].marks.insert(.connectionEnded)
                if attempts[other].isReported { enqueue(other, .ended) }
            }
            other = next
        }
    }

    mutating func complete(_ slot: UInt32, _ how: CompletedBy) {
        attempts[slot].marks.insert(.established)
        attempts[slot].completedFrame = frame
        attempts[slot].completedBy = CompletedBy.number(how)
        attempts[slot].clientEnd = Sequence.later(attempts[slot].clientEnd, attempts[slot].clientNext)
        enqueue(slot, .settling)
    }

    mutating func take(_ error: ICMPError) {
        let key = ConnectionKey(error.source, error.destination)
        let hash = key.tuple.hash(seed: seed)
        var slot = forgetPast(find(key, hash), key, hash)
        if slot != 0 { giveDetail(slot) }
        while slot != 0 {
            let isMidstream = attempts[slot].marks.contains(.midstream)
            if !isMidstream, !attempts[slot].isReported {
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
        totals.unrelatedICMPErrors += 1
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
        append(note, slot)
        if attempts[slot].machine.state != .established { enqueue(slot, queue(after: event, slot)) }
    }

    // MARK: The log

    mutating func log(
        _ segment: Segment, _ event: HandshakeEvent, _ slot: UInt32, fromClient: Bool
    ) {
        append(SegmentNote(segment, frame: frame, time: time, event: event, fromClient: fromClient), slot)
        if !segment.tunnels.isEmpty { paths[slot, default: TunnelPaths()].add(segment.path, fromClient: fromClient) }
    }

    /// The first 24 and the last 8 are kept.
    mutating func append(_ note: SegmentNote, _ slot: UInt32) {
        if configuration.listsEvidence, evidence.last != frame { evidence.append(frame) }
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

    mutating func link(_ note: SegmentNote, _ slot: UInt32) {
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

    /// The log is full: lets the oldest attempt that has a log go, as a full table does. Those on the tuple at hand stay, since whoever
    /// logs is looking at them.
    /// - Returns: whether there is room.
    private mutating func evictForNote(_ slot: UInt32) -> Bool {
        for queue in [Attempt.Queue.unfinished, .settling] {
            var victim = queues[queue].head
            for _ in 0...HandshakeTracker.mostPerTuple where victim != 0 {
                if attempts.entries[victim].stage == .detailed, attempts[victim].noteCount > 0,
                    ConnectionKey(attempts.tuple(of: victim)) != attempts[slot].key
                {
                    totals.evicted += 1
                    report(victim, .evicted)
                    forget(victim)
                    return noteCount < noteLimit
                }
                victim = attempts.entries[victim].queueNext
            }
        }
        return false
    }

    mutating func takeNotes(_ slot: UInt32) -> [SegmentNote] {
        var log: [SegmentNote] = []
        log.reserveCapacity(Int(attempts[slot].noteCount))
        var note = attempts[slot].firstNote
        while note != 0 {
            log.append(notes[note])
            note = notes[note].next
        }
        releaseNotes(slot)
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
