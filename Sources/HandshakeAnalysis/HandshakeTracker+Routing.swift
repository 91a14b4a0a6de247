import PacketWire

// From a segment's tuple to the attempt that it belongs to, or to a new one.
extension HandshakeTracker {
    // MARK: Routing

    @inline(__always)
    func find(_ key: ConnectionKey, _ hash: UInt64) -> UInt32 {
        let tuple = key.tuple
        return index.find(hash) { attempts.has(tuple, $0) }.slot
    }

    mutating func take(_ segment: Segment) {
        let key = ConnectionKey(segment.source, segment.destination)
        let hash = key.tuple.hash(seed: seed)
        let newest = forgetPast(find(key, hash), key, hash)
        if newest != 0 { giveDetail(newest) }
        let flags = segment.flags
        if flags.isSYN {
            return takeSYN(segment, key, hash, newest)
        }
        if newest == 0 {
            if flags.isSYNACK {
                openPartial(segment, key, hash)
            } else {
                openMidstream(segment, key, hash, before: 0)
            }
            return
        }
        // The usual case: one attempt on the tuple, and it is reported.
        if attempts[newest].older == 0, attempts[newest].isReported, attempts[newest].isIn(segment) {
            if flags.isSYNACK, isNewSYNACK(segment, newest) {
                return openPartial(segment, key, hash, before: newest)
            }
            return heardAgain(newest, segment)
        }
        let slot = route(segment, newest)
        if slot == 0 {
            if flags.isSYNACK {
                openPartial(segment, key, hash, before: newest)
            } else {
                openMidstream(segment, key, hash, before: newest)
            }
            return
        }
        // RFC 5961 4: a live connection answers a SYN with an ACK of its own numbers. It belongs to the SYN's attempt as
        // well: the newest, if that has had no answer.
        let answersNewest = isChallenge(segment, to: newest, on: slot)
        if attempts[slot].isReported {
            heardAgain(slot, segment)
        } else {
            apply(classify(segment, slot), segment, slot)
        }
        if answersNewest { apply(.challenge, segment, newest) }
    }

    /// Whether a segment of the connection in `connection` also answers the SYN of `attempt`: a bare ACK that
    /// acknowledges nothing new.
    func isChallenge(_ segment: Segment, to attempt: UInt32, on connection: UInt32) -> Bool {
        guard attempt != connection, !attempts[attempt].isReported, attempts[attempt].machine.state == .synSent,
            // Also in TIME-WAIT: the connection that ended still answers.
            attempts[connection].marks.contains(.established) || attempts[connection].machine.state == .synReceived,
            segment.source == attempts[attempt].server,
            attempts[attempt].marks.contains(.clientIsLow) == attempts[connection].marks.contains(.clientIsLow),
            segment.payloadLength == 0, segment.flags.isDisjoint(with: [.syn, .rst, .fin])
        else { return false }
        return segment.ack == attempts[connection].serverAcked
    }

    /// A SYN without ACK: another copy, one half of a crossing, or a new attempt.
    mutating func takeSYN(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, _ newest: UInt32
    ) {
        var slot = newest
        var reverse: UInt32 = 0
        while slot != 0 {
            if !attempts[slot].marks.contains(.midstream) {
                if attempts[slot].client == segment.source, isSame(slot, segment),
                    attempts[slot].clientNetwork == segment.network
                {
                    let isCurrent = !isOver(attempts[slot].handshakeTouched, HandshakeTracker.identityLifetime)
                    if isCurrent, attempts[slot].isReported {
                        totals.lateSegments += 1
                        attempts[slot].handshakeTouched = clock.elapsed
                        recentHandshake = slot
                        touch(slot)
                        return
                    }
                    if isCurrent {
                        attempts[slot].clientISN = segment.seq
                        return apply(classifySYN(segment, slot), segment, slot)
                    }
                } else if attempts[slot].client == segment.destination, reverse == 0,
                    attempts[slot].serverNetwork == segment.network, acceptsReverse(slot)
                {
                    reverse = slot
                }
            }
            slot = attempts[slot].older
        }
        if reverse != 0 {
            if attempts[reverse].isReported {
                totals.lateSegments += 1
            } else {
                apply(classifyReverseSYN(segment, reverse), segment, reverse)
            }
            return
        }
        openSYN(segment, key, hash, before: newest)
    }

    /// Whether a SYN of the client has the attempt's x. Of an attempt that began with its SYN-ACK, x was computed: with Fast
    /// Open that SYN-ACK may have acknowledged the SYN's data as well.
    private func isSame(_ slot: UInt32, _ segment: Segment) -> Bool {
        if attempts[slot].clientISN == segment.seq { return true }
        return attempts[slot].machine.state == .synAckOnly && segment.payloadLength > 0
            && attempts[slot].clientISN &- segment.seq <= segment.payloadLength
    }

    /// Whether an attempt's time is over by the current frame's own time, though the clock may not have got there yet: no
    /// frame came between.
    func isForgotten(_ slot: UInt32) -> Bool {
        let isLiveConnection = attempts[slot].isLive && attempts[slot].isReported
        return isOver(
            attempts[slot].touched,
            isLiveConnection ? HandshakeTracker.liveMemory : HandshakeTracker.identityLifetime)
    }

    func isOver(_ touched: Int64, _ lifetime: Int64) -> Bool {
        let ahead = time &- (clock.now ?? time)
        guard ahead >= 0, ahead < CaptureClock.plausibleEnd else { return touched &+ lifetime <= clock.elapsed }
        return touched &+ lifetime <= clock.elapsed &+ ahead
    }

    /// A reverse SYN on a live tuple never opens an attempt. Where the tuple is dead, it does.
    func acceptsReverse(_ slot: UInt32) -> Bool {
        if attempts[slot].isReported || attempts[slot].machine.state == .established { return attempts[slot].isLive }
        return attempts[slot].machine.state != .aborted && !isDead(slot)
    }

    /// Whether the last word on an attempt was the server's no (or, if asked, the network's).
    func isDead(_ slot: UInt32, countingICMP: Bool = false) -> Bool {
        var isDead = false
        var note = attempts[slot].firstNote
        while note != 0 {
            switch notes[note].event {
            case .refusal, .serverReset: isDead = true
            case .icmpHard, .icmpAdmin, .icmpSoft: isDead = isDead || countingICMP
            case .syn, .synAck, .synAckAgain, .synAckOther: isDead = false
            default: break
            }
            note = notes[note].next
        }
        return isDead
    }

    /// Whether a SYN-ACK opens a partial attempt beside what is remembered on its tuple.
    func isNewSYNACK(_ segment: Segment, _ slot: UInt32) -> Bool {
        if attempts[slot].marks.contains(.midstream) { return true }
        let isServer = attempts[slot].server == segment.source
        if isServer, Sequence.isIn(segment.ack, from: attempts[slot].clientNext, length: attempts[slot].synLength) {
            return false
        }
        return attempts[slot].marks.contains(.connectionEnded) || !attempts[slot].isLive
    }

    /// The attempt on the tuple that a segment (not a SYN) fits best; 0 for none.
    func route(_ segment: Segment, _ newest: UInt32) -> UInt32 {
        if attempts[newest].older == 0 { return attempts[newest].isIn(segment) ? newest : 0 }
        let flags = segment.flags
        let isSYNACK = flags.isSYNACK
        var best: UInt32 = 0
        var bestDistance = UInt32.max
        var fallback: UInt32 = 0
        var midstream: UInt32 = 0
        var continuing: UInt32 = 0
        var slot = newest
        while slot != 0 {
            defer { slot = attempts[slot].older }
            if !attempts[slot].isIn(segment) { continue }
            if attempts[slot].marks.contains(.midstream) {
                midstream = slot
                continue
            }
            let fromClient = attempts[slot].isFromClient(segment)
            var distance: UInt32
            if fromClient {
                // RST may also answer a challenge or a wrong SYN-ACK with the number that those acknowledged.
                if flags.contains(.rst), !attempts[slot].isReported {
                    let events = attempts[slot].events
                    if segment.seq == attempts[slot].clientISN
                        || events.has(.challenge) && segment.seq == attempts[slot].challengeAck
                        || events.has(.synAckWrongAck) && segment.seq == attempts[slot].wrongSynAckAck
                    {
                        return slot
                    }
                }
                distance = segment.seq &- attempts[slot].clientNext
            } else if flags.contains(.ack) {
                distance = segment.ack &- attempts[slot].clientNext
                if isSYNACK, distance > attempts[slot].synLength { distance = UInt32.max - 1 }
            } else {
                distance = segment.seq &- attempts[slot].serverNext
                if !attempts[slot].marks.contains(.hasServerISN) { distance = UInt32.max - 1 }
            }
            // Both numbers fit a handshake that is under way: no other connection would have them.
            if fitsHandshake(segment, slot, fromClient) { return slot }
            if continuing == 0, !isSYNACK, !flags.contains(.rst), attempts[slot].isLive,
                continues(segment, slot, fromClient)
            {
                continuing = slot
            }
            if fallback == 0, !isSYNACK || !attempts[slot].isReported { fallback = slot }
            if distance < bestDistance {
                bestDistance = distance
                best = slot
            }
        }
        if continuing != 0 { return continuing }
        if midstream != 0, !isSYNACK, best != 0, attempts[best].machine.state == .synSent, !flags.contains(.rst),
            bestDistance > attempts[best].synLength,
            segment.payloadLength > 0 || segment.source == attempts[best].client
        {
            return midstream  // the old connection's traffic, not an answer to the SYN
        }
        if bestDistance < 1 << 30 { return best }
        return fallback != 0 ? fallback : isSYNACK ? 0 : midstream
    }

    /// Whether a segment is within both windows of a handshake that has its SYN-ACK and is not complete.
    private func fitsHandshake(_ segment: Segment, _ slot: UInt32, _ fromClient: Bool) -> Bool {
        guard attempts[slot].machine.state == .synReceived || attempts[slot].machine.state == .synAckOnly,
            attempts[slot].marks.contains(.hasServerISN), segment.flags.contains(.ack)
        else { return false }
        let (x, y) = (attempts[slot].clientNext, attempts[slot].serverISN &+ 1)
        if fromClient {
            return segment.seq &- x <= UInt32(attempts[slot].serverWindow)
                && segment.ack &- y <= attempts[slot].serverEnd &- y
        }
        return segment.seq &- y <= UInt32(attempts[slot].clientWindow)
            && segment.ack &- x <= attempts[slot].clientEnd &- x
    }

    /// Whether a segment goes on where a live connection is: within a mebibyte of what its client sent, or was acknowledged.
    private func continues(_ segment: Segment, _ slot: UInt32, _ fromClient: Bool) -> Bool {
        let near: UInt32 = 1 << 20
        if fromClient { return segment.seq &- attempts[slot].clientEnd &+ near <= 2 * near }
        return segment.flags.contains(.ack) && segment.ack &- attempts[slot].serverAcked <= near
    }

    /// A segment of an attempt that is reported: only what later attempts on the tuple must know is kept.
    @inline(__always)
    mutating func heardAgain(_ slot: UInt32, _ segment: Segment) {
        let flags = segment.flags
        if isExcluded(segment) { return }
        if segment.source == attempts[slot].client {
            attempts[slot].clientEnd = Sequence.later(
                segment.seq &+ segment.sequenceLength, attempts[slot].clientEnd)
            if segment.options.has(.timestamps) { attempts[slot].clientTSval = segment.options.tsval }
        } else if flags.contains(.ack), Sequence.isAfter(segment.ack, attempts[slot].serverAcked) {
            attempts[slot].serverAcked = segment.ack
        }
        attempts[slot].touched = clock.elapsed
        noteRecent(slot)
        if !flags.isDisjoint(with: [.fin, .rst, .syn]) {
            if flags.contains(.syn) {
                totals.lateSegments += 1
            } else if attempts.entries[slot].queue == .live {
                attempts[slot].marks.insert(.connectionEnded)
                enqueue(slot, .ended)
            }
        }
    }

    // MARK: Opening

    mutating func openSYN(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, before newest: UInt32
    ) {
        guard let slot = open(segment, key, hash, .synSent, clientIsSource: true, before: newest) else { return }
        attempts[slot].clientISN = segment.seq
        attempts[slot].clientEnd = segment.seq &+ segment.sequenceLength
        attempts[slot].serverAcked = segment.seq
        var previous = attempts[slot].older
        while previous != 0,
            attempts[previous].marks.contains(.midstream) || attempts[previous].clientNetwork != segment.network
                || isForgotten(previous)
        {
            previous = attempts[previous].older
        }
        // A live connection says more than what came after it.
        var other = previous
        while other != 0 {
            if attempts[other].isLive, attempts[other].client == segment.source, !isForgotten(other),
                attempts[other].clientNetwork == segment.network
            {
                previous = other
                break
            }
            other = attempts[other].older
        }
        if previous != 0 { relate(slot, to: previous, segment) }
        apply(.syn, segment, slot)
    }

    /// What the newest remembered attempt on the tuple has to do with a new one.
    mutating func relate(_ slot: UInt32, to previous: UInt32, _ segment: Segment) {
        attempts[slot].predecessorID = attempts[previous].firstFrame
        attempts[previous].successorID = attempts[slot].firstFrame
        let sameClient = attempts[previous].client == segment.source
        let events = attempts[previous].events
        guard sameClient else {
            attempts[slot].predecessor = .other
            return
        }
        if attempts[previous].marks.contains(.connectionEnded) {
            attempts[slot].predecessor = isLegalReuse(segment, of: previous) ? .reusedLegally : .reusedIllegally
        } else if attempts[previous].isLive {
            attempts[slot].predecessor = .live
            if isOlder(segment, than: previous) { attempts[slot].marks.insert(.olderThanLive) }
        } else if isDead(previous) || events.has(.clientReset) || attempts[previous].machine.state == .aborted {
            attempts[slot].predecessor = .reusedLegally
        } else if !attempts[previous].marks.contains(.serverSpoke) {
            attempts[slot].predecessor = .unanswered
            let isOldEnough =
                time &- attempts[previous].firstTime >= Judge.patience
                && time &- attempts[previous].lastSYNTime >= Judge.quiet
            if !isOldEnough { attempts[previous].marks.insert(.reusedEarly) }
        } else {
            attempts[slot].predecessor = .other
        }
    }

    /// RFC 6191 section 2: when a SYN may reuse the tuple of a connection in TIME-WAIT.
    func isLegalReuse(_ segment: Segment, of previous: UInt32) -> Bool {
        let greaterSeq = Sequence.isAfter(segment.seq, attempts[previous].clientEnd &- 1)
        let hadTimestamps = attempts[previous].marks.contains(.clientSentTimestamps)
        switch (hadTimestamps, segment.options.has(.timestamps)) {
        case (true, true):
            let old = attempts[previous].clientTSval
            if segment.options.tsval == old { return greaterSeq }
            return Sequence.isAfter(segment.options.tsval, old)
        case (false, true): return true
        case (_, false): return greaterSeq
        }
    }

    /// Whether a SYN is older than the connection that is live on its tuple: by TSval, else by x.
    func isOlder(_ segment: Segment, than live: UInt32) -> Bool {
        if segment.options.has(.timestamps), attempts[live].marks.contains(.clientSentTimestamps) {
            return Sequence.isAfter(attempts[live].clientTSval, segment.options.tsval)
        }
        return Sequence.isAfter(attempts[live].clientISN, segment.seq)
    }

    mutating func openPartial(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, before newest: UInt32 = 0
    ) {
        if isExcluded(segment) {
            totals.badChecksumsIgnored += 1
            return
        }
        guard let slot = open(segment, key, hash, .synAckOnly, clientIsSource: false, before: newest) else { return }
        attempts[slot].clientISN = segment.ack &- 1
        attempts[slot].clientEnd = segment.ack
        attempts[slot].serverAcked = segment.ack
        if attempts[slot].older != 0, !attempts[attempts[slot].older].marks.contains(.midstream) {
            attempts[slot].predecessor = .other
            attempts[slot].predecessorID = attempts[attempts[slot].older].firstFrame
        }
        apply(.synAck, segment, slot)
    }

    /// Keeps the attempts on one tuple few, so that a client that never repeats an x (hping3 -k) costs no more than others.
    private mutating func shorten(_ newest: UInt32) {
        var count = 1
        var oldest = newest
        while attempts[oldest].older != 0 {
            oldest = attempts[oldest].older
            count += 1
        }
        guard count >= HandshakeTracker.mostPerTuple else { return }
        if attempts[oldest].isReported {
            totals.forgottenEarly += 1
        } else {
            totals.evicted += 1
            report(oldest, .evicted)
        }
        forget(oldest)
    }

    mutating func openMidstream(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, before newest: UInt32
    ) {
        guard admit() else { return }
        let slot = add(Attempt(key: key, state: .closed), hash, before: newest == 0 ? 0 : find(key, hash))
        attempts[slot].marks = segment.source == key.low ? [.midstream, .clientIsLow] : .midstream
        attempts[slot].clientNetwork = segment.network
        enqueue(slot, .live)
        totals.midstreamFlows += 1
        if segment.flags.contains(.rst) { patterns.unaskedReset(from: segment.source.address) }
    }

    mutating func open(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, _ state: HandshakeState,
        clientIsSource: Bool, before newest: UInt32
    ) -> UInt32? {
        guard admit() else { return nil }
        // Letting the oldest go may have let go what was on this tuple.
        var newest = newest == 0 ? 0 : find(key, hash)
        if newest != 0 {
            shorten(newest)
            newest = find(key, hash)
        }
        let slot = add(Attempt(key: key, state: state), hash, before: newest)
        if (segment.source == key.low) == clientIsSource || key.low == key.high {
            attempts[slot].marks.insert(.clientIsLow)
        }
        attempts[slot].clientNetwork = segment.network
        attempts[slot].serverNetwork = segment.network
        attempts[slot].firstFrame = frame
        attempts[slot].firstTime = time
        attempts[slot].lastSYNTime = time
        enqueue(slot, .unfinished)
        return slot
    }
}
