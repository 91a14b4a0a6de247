import HandshakeRecord
import PacketWire

// Which attempt a SYN belongs to: another copy of one that is known, one half of a crossing, or a new attempt.
extension HandshakeTracker {
    /// The kinds of a SYN of the client with an attempt's x.
    private enum Copy {
        /// The attempt's own: its handshake is unfinished, or its own SYN was captured late.
        case same
        /// Sent before the client went on, and captured after its attempt was decided.
        case late
        /// Sent since: a new connection that happens to have the same x, as devices with fixed ISNs make.
        case new
    }

    /// Nanoseconds after its handshake in which a SYN without timestamps may still be a copy that was under way.
    private static let copiesWander: Int64 = 3_000_000_000
    /// Nanoseconds by which the capture may have an attempt's own SYN behind what answers it.
    private static let reordering: Int64 = 200_000_000

    mutating func takeSYN(_ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, _ newest: UInt32) {
        var slot = newest
        var reverse: UInt32 = 0
        let isCarriedAlike = !carriers.isEmpty && isAny(newest) { isAlike($0) }
        while slot != 0 {
            let isOfClient = attempts[slot].client == segment.source
            if attempts[slot].marks.contains(.midstream) {
                // No SYN of it was seen.
            } else if isOfClient, isSame(slot, segment), joins(segment, slot) {
                switch copy(segment, of: slot) {
                case .same:
                    believe(slot)
                    attempts[slot].clientISN = segment.seq
                    if attempts[slot].synCount == 0 { attempts[slot].identification = segment.identification }
                    return apply(classifySYN(segment, slot), segment, slot)
                case .late:
                    counts.totals.lateSegments += 1
                    if wasSentBefore(segment, slot) == nil { counts.totals.doubtfulSYNs += 1 }
                    attempts[slot].handshakeTouched = clock.elapsed
                    recentHandshake = slot
                    touch(slot)
                    return
                case .new: return openSYN(segment, key, hash, before: newest)
                }
            } else if !isOfClient, attempts[slot].client == segment.destination, reverse == 0,
                attempts[slot].isCarried(in: segment.network), !isCarriedAlike || hasCarrier(of: slot),
                acceptsReverse(slot)
            {
                reverse = slot
            }
            slot = attempts[slot].older
        }
        if reverse != 0 {
            if attempts[reverse].isReported {
                counts.totals.lateSegments += 1
            } else {
                apply(classifyReverseSYN(segment, reverse), segment, reverse)
            }
            return
        }
        openSYN(segment, key, hash, before: newest)
    }

    /// Whether a SYN of the client has the attempt's x. Of an attempt that began with its SYN-ACK, x was computed: with
    /// Fast Open that SYN-ACK may have acknowledged the SYN's data as well.
    private func isSame(_ slot: UInt32, _ segment: Segment) -> Bool {
        if attempts[slot].clientISN == segment.seq { return true }
        return attempts[slot].machine.state == .synAckOnly && segment.payloadLength > 0
            && attempts[slot].clientISN &- segment.seq <= segment.payloadLength
    }

    /// Whether a SYN with the attempt's x is carried as the attempt is. One that comes in another virtual network joins
    /// as a copy, if it is proven to be one: networks keep tenants apart, but not the sightings of a packet.
    private mutating func joins(_ segment: Segment, _ slot: UInt32) -> Bool {
        // The only answer so far came in a tunnel that nobody vouches for. A capture has an answer before its SYN only
        // where its frames are out of order, by so little.
        if attempts[slot].synCount == 0, carrier != attempts[slot].carrier,
            !carriers.isTrusted(attempts[slot].carrier),
            time &- attempts[slot].firstTime > HandshakeTracker.reordering
        {
            return false
        }
        if attempts[slot].isCarried(in: segment.network) { return true }
        guard attempts[slot].copyNetwork == .none, !attempts[slot].isReported else { return false }
        let copy = SegmentNote(segment, frame: frame, time: time, event: .syn, fromClient: true)
        guard hasNote(slot, where: { $0.isSYN && $0.fromClient && copy.isSightingElsewhere(of: $0) }) else {
            return false
        }
        attempts[slot].copyNetwork = segment.network
        return true
    }

    /// A SYN says how its attempt came. Where that was seen in a tunnel that nobody vouches for, one that can be
    /// believed says more; where only the answer was seen, that may have passed the SYN's tunnel by.
    private mutating func believe(_ slot: UInt32) {
        let isTrusted = carriers.isTrusted(attempts[slot].carrier)
        if !isTrusted, carriers.isTrusted(carrier) {
            attempts[slot].carrier = carrier
            attempts[slot].marks.insert(.hasDoubtfulSegments)
        } else if isTrusted, attempts[slot].synCount == 0, isForeign(to: slot) {
            attempts[slot].carrier = carrier
            attempts[slot].marks.insert(.isVouchedFor)
        }
    }

    private func copy(_ segment: Segment, of slot: UInt32) -> Copy {
        let close = attempts[slot].close
        let wasEstablished = attempts[slot].marks.contains(.established)
        // A client's RST before completion, a refusal or an error leaves the attempt open for the same x.
        guard wasEstablished else { return attempts[slot].isReported ? .new : .same }
        let isFirst = attempts[slot].synCount == 0
        let age = presentTime &- attempts[slot].handshakeTouched
        let wasSentBefore =
            wasSentBefore(segment, slot)
            ?? (isFirst ? age <= HandshakeTracker.reordering : !close.isOver && age <= HandshakeTracker.copiesWander)
        return !wasSentBefore ? .new : attempts[slot].isReported ? .late : .same
    }

    /// Whether a SYN was sent before its client went on, if that can be told: by timestamps, its TSval is not later
    /// than the client's last; without, it has the first SYN's IP identification.
    private func wasSentBefore(_ segment: Segment, _ slot: UInt32) -> Bool? {
        if segment.options.has(.timestamps), segment.options.tsval != 0,
            attempts[slot].marks.contains(.clientSentTimestamps)
        {
            return !SequenceNumber.isAfter(segment.options.tsval, attempts[slot].numbers.clientTSval)
        }
        let isEqual = segment.identification != 0 && segment.identification == attempts[slot].identification
        return isEqual ? true : nil
    }

    /// A reverse SYN on a live tuple never opens an attempt. Where the tuple is dead, it does.
    private func acceptsReverse(_ slot: UInt32) -> Bool {
        if attempts[slot].isReported || attempts[slot].machine.state.isEstablished { return attempts[slot].isLive }
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

    // MARK: A new attempt and what was on its tuple

    private mutating func openSYN(_ segment: Segment, _ key: ConnectionKey, _ hash: UInt64, before newest: UInt32) {
        guard let slot = open(segment, key, hash, .synSent, clientIsSource: true, before: newest) else { return }
        attempts[slot].clientISN = segment.seq
        attempts[slot].numbers.clientEnd = segment.seq &+ segment.sequenceLength
        attempts[slot].numbers.serverAcked = segment.seq
        attempts[slot].identification = segment.identification
        _ = exclusion(segment, slot, fromClient: true)
        var previous: UInt32 = 0
        var other = attempts[slot].older
        while other != 0 {
            if attempts[other].firstTime == attempts[slot].firstTime, attempts[other].clientISN == segment.seq {
                attempts[slot].ordinal = max(attempts[slot].ordinal, attempts[other].ordinal &+ 1)
            }
            // A SYN says nothing of what came in another tunnel, or plain.
            if !attempts[other].marks.contains(.midstream), attempts[other].isCarried(in: segment.network),
                hasCarrier(of: other)
            {
                if previous == 0 { previous = other }
                // A live connection says more than what came after it.
                if attempts[other].isLive, attempts[other].client == segment.source {
                    previous = other
                    break
                }
            }
            other = attempts[other].older
        }
        if previous != 0 { relate(slot, to: previous, segment) }
        apply(.syn, segment, slot)
    }

    /// Relates a new attempt to the newest remembered one on its tuple.
    private mutating func relate(_ slot: UInt32, to previous: UInt32, _ segment: Segment) {
        attempts[slot].predecessorID = attempts[previous].firstFrame
        attempts[previous].successorID = attempts[slot].firstFrame
        let events = attempts[previous].events
        if attempts[previous].clientISN == segment.seq { attempts[slot].marks.insert(.repeatsISN) }
        guard attempts[previous].client == segment.source else {
            attempts[slot].predecessor = .other
            return
        }
        if attempts[previous].marks.contains(.established) {
            if attempts[previous].isLive {
                attempts[slot].predecessor = .live
                if isOlder(segment, than: previous) { attempts[slot].marks.insert(.olderThanLive) }
            } else if attempts[previous].close.isServerInTimeWait {
                attempts[slot].predecessor =
                    isTakenInTimeWait(segment, of: previous) ? .timeWaitTaken : .timeWaitNotTaken
            } else {
                attempts[slot].predecessor = .over
            }
        } else if isDead(previous) || events.has(.clientReset)
            || attempts[previous].isReported && events.hasAny(.refusal, .serverReset)
            || attempts[previous].machine.state == .aborted
        {
            attempts[slot].predecessor = .over
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

    /// RFC 6191 section 2: whether a SYN may take the tuple of a connection in TIME-WAIT. Linux leaves a SYN with a
    /// lower TSval untaken whatever its SEQ is.
    private func isTakenInTimeWait(_ segment: Segment, of previous: UInt32) -> Bool {
        let greaterSeq = SequenceNumber.isAfter(segment.seq, attempts[previous].numbers.clientEnd &- 1)
        let hadTimestamps = attempts[previous].marks.contains(.clientSentTimestamps)
        switch (hadTimestamps, segment.options.has(.timestamps)) {
        case (true, true):
            let old = attempts[previous].numbers.clientTSval
            if segment.options.tsval == old { return greaterSeq }
            return SequenceNumber.isAfter(segment.options.tsval, old)
        case (false, true): return true
        case (_, false): return greaterSeq
        }
    }

    /// Whether a SYN is older than the connection that is live on its tuple: by TSval, else by x.
    private func isOlder(_ segment: Segment, than live: UInt32) -> Bool {
        if segment.options.has(.timestamps), attempts[live].marks.contains(.clientSentTimestamps) {
            return SequenceNumber.isAfter(attempts[live].numbers.clientTSval, segment.options.tsval)
        }
        return SequenceNumber.isAfter(attempts[live].clientISN, segment.seq)
    }
}
