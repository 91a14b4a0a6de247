import HandshakeRecord
import PacketWire

// From a segment's tuple to the attempt that it belongs to, or to a new one.
extension HandshakeTracker {
    // MARK: Routing

    @inline(__always)
    func find(_ key: ConnectionKey, _ hash: UInt64) -> UInt32 {
        let tuple = key.tuple
        return index.find(hash) { attempts.has(tuple, $0) }.slot
    }

    mutating func takeSegment(_ segment: Segment) {
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
        if attempts[newest].older == 0, attempts[newest].isReported, isIn(newest, segment) {
            if flags.isSYNACK, isNewSYNACK(segment, newest) {
                return openPartial(segment, key, hash, before: newest)
            }
            return takeAfterReport(newest, segment)
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
        // RFC 5961 4: a live connection answers a SYN with an ACK of its own numbers. It belongs to the SYN's attempt
        // as well: the newest, if that has had no answer.
        let last = isAlike(newest) ? newest : newestAlike(newest)
        let answersLast = isChallenge(segment, to: last, on: slot)
        if attempts[slot].isReported {
            takeAfterReport(slot, segment)
        } else {
            apply(classify(segment, slot), segment, slot)
        }
        if answersLast { apply(.challenge, segment, last) }
    }

    /// Whether an attempt, of which the SYN or SYN-ACK was seen, came as the current frame did.
    @inline(__always)
    func isAlike(_ slot: UInt32) -> Bool { hasCarrier(of: slot) && !attempts[slot].marks.contains(.midstream) }

    /// The newest attempt on the tuple that came as the current frame did; the newest of all where there is none.
    private mutating func newestAlike(_ newest: UInt32) -> UInt32 {
        var slot = newest
        while slot != 0, !isAlike(slot) { slot = attempts[slot].older }
        return slot == 0 ? newest : slot
    }

    /// Whether a segment of the connection in `connection` also answers the SYN of `attempt`: a bare ACK that
    /// acknowledges nothing new.
    func isChallenge(_ segment: Segment, to attempt: UInt32, on connection: UInt32) -> Bool {
        guard attempt != connection, !attempts[attempt].isReported, attempts[attempt].machine.state == .synSent,
            // It acknowledges nothing that only the SYN's receiver knows: it has to come as the SYN did.
            hasCarrier(of: attempt) || carriers.isTrusted(attempts[attempt].carrier) && !isForeign(to: attempt),
            // Also in TIME-WAIT: the connection that ended still answers.
            attempts[connection].marks.contains(.established) || attempts[connection].machine.state == .synReceived,
            segment.source == attempts[attempt].server,
            attempts[attempt].marks.contains(.clientIsLow) == attempts[connection].marks.contains(.clientIsLow),
            segment.payloadLength == 0, segment.flags.isDisjoint(with: [.syn, .rst, .fin])
        else { return false }
        return segment.ack == attempts[connection].numbers.serverAcked
    }

    /// Whether a SYN-ACK opens a partial attempt beside what is remembered on its tuple.
    func isNewSYNACK(_ segment: Segment, _ slot: UInt32) -> Bool {
        if attempts[slot].marks.contains(.midstream) { return true }
        let isServer = attempts[slot].server == segment.source
        if isServer, SequenceNumber.isIn(segment.ack, from: attempts[slot].clientNext, length: attempts[slot].synLength)
        {
            return false
        }
        return !attempts[slot].isLive
    }

    /// The attempt on the tuple that a segment (not a SYN) fits best; 0 for none.
    func route(_ segment: Segment, _ newest: UInt32) -> UInt32 {
        if attempts[newest].older == 0 { return isIn(newest, segment) ? newest : 0 }
        let flags = segment.flags
        if !carriers.isEmpty, let slot = sighted(segment, newest) { return slot }
        let isSYNACK = flags.isSYNACK
        var best: UInt32 = 0
        var bestDistance = UInt32.max
        var fallback: UInt32 = 0
        var midstream: UInt32 = 0
        var continuing: UInt32 = 0
        let isCarried = isAny(newest) { isCarriedOrMidstream($0, segment.network) }
        let isCarriedAlike = !carriers.isEmpty && isAny(newest) { isAlike($0) }
        var slot = newest
        while slot != 0 {
            defer { slot = attempts[slot].older }
            // One that is in the segment's virtual network comes before one whose server may answer from another.
            if !isIn(slot, segment) || isCarried && !isCarriedOrMidstream(slot, segment.network) { continue }
            // As does one that came as the segment does, before one whose server may answer from another tunnel, or
            // plain.
            if isCarriedAlike, !hasCarrier(of: slot) { continue }
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
                let ahead = segment.seq &- attempts[slot].clientNext
                // x itself is one below. x+1 of a handshake that waits for its answer: its SYN-ACK was not captured.
                if ahead == 0, attempts[slot].machine.state == .synSent, flags.contains(.ack),
                    !continuesAny(newest, segment)
                {
                    return slot
                }
                distance = ahead == .max ? 1 : ahead
            } else if flags.contains(.ack) {
                let ahead = segment.ack &- attempts[slot].clientNext
                distance = ahead == .max && !isSYNACK ? 1 : ahead
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

    /// The attempt that began with a sighting of the same segment in a tunnel.
    private func sighted(_ segment: Segment, _ newest: UInt32) -> UInt32? {
        var slot = newest
        while slot != 0 {
            let fromClient = attempts[slot].isFromClient(segment)
            if !hasCarrier(of: slot), isSighting(segment, ofFirst: slot, fromClient: fromClient) { return slot }
            slot = attempts[slot].older
        }
        return nil
    }

    /// Whether a segment of the client is exactly the next one of a live connection on the tuple.
    private func continuesAny(_ newest: UInt32, _ segment: Segment) -> Bool {
        var slot = newest
        while slot != 0 {
            if attempts[slot].isLive, attempts[slot].numbers.clientEnd == segment.seq { return true }
            slot = attempts[slot].older
        }
        return false
    }

    /// Whether a segment may be of an attempt, by how both came. Of an attempt in a tunnel that nobody vouches for,
    /// what came otherwise is a second sighting of its first segment, or an answer that acknowledges what came in the
    /// tunnel.
    @inline(__always)
    private func isIn(_ slot: UInt32, _ segment: Segment) -> Bool {
        // Inlined as far as nearly all go: a call of a function that is not mutating copies the tracker.
        attempts[slot].isIn(segment) && (attempts[slot].carrier == carrier || reaches(slot, segment))
    }

    @inline(never)
    private func reaches(_ slot: UInt32, _ segment: Segment) -> Bool {
        if carriers.isTrusted(attempts[slot].carrier) || !carriers.isTrusted(carrier) { return true }
        let fromClient = attempts[slot].isFromClient(segment)
        if isSighting(segment, ofFirst: slot, fromClient: fromClient) { return true }
        return !fromClient && attempts[slot].synCount > 0 && segment.flags.contains(.ack)
            && SequenceNumber.isIn(
                segment.ack, from: attempts[slot].clientNext,
                // Not all that the client sent in the tunnel need be captured.
                length: max(
                    attempts[slot].synLength, attempts[slot].numbers.clientEnd &- attempts[slot].clientNext, 0xffff))
    }

    /// Whether something holds for any attempt on the tuple.
    func isAny(_ newest: UInt32, _ holds: (UInt32) -> Bool) -> Bool {
        var slot = newest
        while slot != 0 {
            if holds(slot) { return true }
            slot = attempts[slot].older
        }
        return false
    }

    private func isCarriedOrMidstream(_ slot: UInt32, _ network: VirtualNetwork) -> Bool {
        attempts[slot].marks.contains(.midstream)
            ? hasCarrier(of: slot) : attempts[slot].isCarried(in: network)
    }

    /// Whether a segment is within both windows of a handshake that has its SYN-ACK and is not complete.
    private func fitsHandshake(_ segment: Segment, _ slot: UInt32, _ fromClient: Bool) -> Bool {
        guard attempts[slot].machine.state == .synReceived || attempts[slot].machine.state == .synAckOnly,
            attempts[slot].marks.contains(.hasServerISN), segment.flags.contains(.ack)
        else { return false }
        let (x, y) = (attempts[slot].clientNext, attempts[slot].numbers.serverISN &+ 1)
        if fromClient {
            return segment.seq &- x <= UInt32(attempts[slot].serverWindow)
                && segment.ack &- y <= attempts[slot].serverEnd &- y
        }
        return segment.seq &- y <= UInt32(attempts[slot].clientWindow)
            && segment.ack &- x <= attempts[slot].numbers.clientEnd &- x
    }

    /// Whether a segment goes on where a live connection is: within a mebibyte of what its client sent, or was
    /// acknowledged.
    private func continues(_ segment: Segment, _ slot: UInt32, _ fromClient: Bool) -> Bool {
        let near: UInt32 = 1 << 20
        if fromClient { return segment.seq &- attempts[slot].numbers.clientEnd &+ near <= 2 * near }
        return segment.flags.contains(.ack) && segment.ack &- attempts[slot].numbers.serverAcked <= near
    }

    /// A segment of an attempt that is reported: only what later attempts on the tuple must know is kept.
    @inline(__always)
    mutating func takeAfterReport(_ slot: UInt32, _ segment: Segment) {
        let flags = segment.flags
        if exclusion(segment, slot, fromClient: segment.source == attempts[slot].client) != nil { return }
        attempts[slot].numbers.takeAfterReport(
            end: segment.seq &+ segment.sequenceLength, ack: segment.ack, hasACK: flags.contains(.ack),
            tsval: segment.options.tsval, hasTSval: segment.options.has(.timestamps),
            fromClient: segment.source == attempts[slot].client)
        attempts[slot].touched = clock.elapsed
        noteRecent(slot)
        if flags.contains(.syn) {
            counts.totals.lateSegments += 1
        } else if attempts[slot].close.awaitsACK || !flags.isDisjoint(with: [.fin, .rst]) {
            noteEnd(slot, segment)
        }
    }

    /// A segment that ends the connection, or acknowledges its end.
    mutating func noteEnd(_ slot: UInt32, _ segment: Segment) {
        guard attempts[slot].marks.contains(.established) || attempts[slot].marks.contains(.midstream) else { return }
        attempts[slot].close.receive(
            segment.flags, ack: segment.ack, end: segment.seq &+ segment.sequenceLength,
            fromClient: segment.source == attempts[slot].client, clientEnd: attempts[slot].numbers.clientEnd)
        if attempts[slot].close.isOver, attempts.entries[slot].queue == .live { enqueue(slot, .ended) }
    }

    // MARK: Opening

    mutating func openPartial(
        _ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, before newest: UInt32 = 0
    ) {
        if segment.checksum == .bad, senderTrust == .good, configuration.excludesBadChecksums {
            counts.totals.badChecksumsIgnored += 1
            return
        }
        guard let slot = open(segment, key, hash, .synAckOnly, clientIsSource: false, before: newest) else { return }
        if segment.checksum == .bad { attempts[slot].marks.insert(.hasDoubtfulSegments) }
        attempts[slot].clientISN = segment.ack &- 1
        attempts[slot].numbers.clientEnd = segment.ack
        attempts[slot].numbers.serverAcked = segment.ack
        if attempts[slot].older != 0, !attempts[attempts[slot].older].marks.contains(.midstream) {
            attempts[slot].predecessor = .other
            attempts[slot].predecessorID = attempts[attempts[slot].older].firstFrame
        }
        apply(.synAck, segment, slot)
    }

    /// Keeps the attempts on one tuple few, so that a client that never repeats an x (hping3 -k) costs no more than
    /// others.
    private mutating func shorten(_ newest: UInt32) {
        var count = 0
        var (slot, oldest) = (newest, newest)
        // Segments of one tunnel take no room from others, as long as they have some of their own.
        while slot != 0 {
            if hasCarrier(of: slot) || !hasCarrier(of: oldest) { oldest = slot }
            slot = attempts[slot].older
            count += 1
        }
        guard count >= HandshakeTracker.maximumPerTuple else { return }
        if attempts[oldest].isReported {
            counts.totals.forgottenEarly += 1
        } else if isDead(oldest) {
            // Refused or reset: its client has gone on to other numbers since.
            report(oldest, .evidence)
        } else {
            counts.totals.evicted += 1
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
        attempts[slot].carrier = carrier
        attempts[slot].clientNetwork = segment.network
        enqueue(slot, .live)
        counts.totals.midstreamFlows += 1
        if segment.flags.contains(.rst) { patterns.unaskedReset(from: segment.source.address, at: time) }
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
        attempts[slot].carrier = carrier
        attempts[slot].firstFrame = frame
        attempts[slot].firstTime = time
        attempts[slot].lastSYNTime = time
        enqueue(slot, .unfinished)
        return slot
    }
}
