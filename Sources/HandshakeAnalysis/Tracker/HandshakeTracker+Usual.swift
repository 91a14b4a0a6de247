import HandshakeRecord
import PacketWire

// The short way, which nearly all segments go: a usual segment that is the ordinary next one of an attempt without
// detail. What each step does is what `takeSegment`, `classify` and `apply` do to a detailed attempt in the same
// place. Whatever is not recognised gives the attempt its detail, and goes there.
extension HandshakeTracker {
    /// Segments are handed on as where they are in a batch, and their fields read there: to copy one takes longer than
    /// to follow it.
    ///
    /// - Parameters:
    ///   - headers: their outer headers.
    ///   - pair: its addresses, if those are IPv6's.
    ///   - hash: of its tuple.
    ///   - candidate: the attempt that its hash leads to; 0 where it has to be looked up.
    /// - Returns: whether it went the short way.
    @inline(__always)
    mutating func takeUsual(
        _ segments: Span<UsualSegment>, _ headers: Span<OpeningHeaders>, _ position: Int,
        _ pair: @autoclosure () -> AddressPair, _ hash: UInt64, _ candidate: UInt32
    ) -> Bool {
        let segment = segments[position]
        let found =
            candidate != 0 && attempts.has(segment, pair(), candidate)
            ? HashIndex.Finding(slot: candidate, vacancy: -1)
            : index.find(hash) { attempts.has(segment, pair(), $0) }
        let slot = found.slot
        let isTaken: Bool
        if slot == 0 {
            isTaken = openAttempt(segments, headers, position, pair(), hash, at: found.vacancy)
        } else {
            let fromClient = segment.sourceIsLow == attempts.entries[slot].clientIsLow
            switch attempts.entries[slot].stage {
            case .closed:
                // A reported attempt is not decided again, and a full table evicts reported ones first: there is no
                // order to settle.
                if takeAfterReport(slot, segments, position, fromClient) { return true }
                isTaken = false
            case .established: isTaken = isInTime(slot) && takeAfterCompletion(slot, segments, position, fromClient)
            case .synReceived: isTaken = isInTime(slot) && fromClient && takeFinalACK(slot, segments, position)
            case .synSent: isTaken = isInTime(slot) && !fromClient && takeSYNACK(slot, segments, headers, position)
            case .detailed: isTaken = false
            }
        }
        if isTaken { orderDecisions() } else { takeUsualInDetail(segments, headers, position, tuple(segment, pair())) }
        return isTaken
    }

    /// As `FrameBatch.tuple`: calls across modules are not inlined.
    @inline(__always)
    private func tuple(_ segment: UsualSegment, _ pair: @autoclosure () -> AddressPair) -> Tuple {
        segment.isV6
            ? Tuple(pair(), ports: segment.ports) : Tuple(addresses: segment.addresses, ports: segment.ports)
    }

    @inline(never)
    private mutating func takeUsualInDetail(
        _ segments: Span<UsualSegment>, _ headers: Span<OpeningHeaders>, _ position: Int, _ tuple: Tuple
    ) {
        takeSegment(Segment(segments[position], tuple, headers[position]))
    }

    // MARK: Steps

    /// A SYN on a tuple that is not remembered.
    /// - Parameter vacancy: where the index has room for it.
    @inline(__always)
    private mutating func openAttempt(
        _ segments: Span<UsualSegment>, _ headers: Span<OpeningHeaders>, _ position: Int,
        _ pair: @autoclosure () -> AddressPair, _ hash: UInt64, at vacancy: Int
    ) -> Bool {
        let segment = segments[position]
        let control: TCPFlags = [.syn, .ack, .rst, .fin]
        guard segment.flags.intersection(control).rawValue == TCPFlags.syn.rawValue, segment.payloadLength == 0,
            segment.ack == 0, segment.tsecr == 0,
            // Not connected to itself.
            segment.ports >> 16 != segment.ports & 0xffff || !hasOneAddress(segment, pair())
        else { return false }
        let profile = profiles.number(
            segments, position, SegmentProfile.Opening(headers[position], segment.order), hint: &hints.syn)
        guard profile != 0 else { return false }
        var vacancy = vacancy
        if isFull {
            if !admit() { return true }
            vacancy = -1
        }
        var entry = Entry()
        entry.stage = .synSent
        entry.clientIsLow = segment.sourceIsLow
        entry.firstFrame = frame
        entry.firstTime = time
        entry.clientISN = segment.seq
        entry.clientTSval = segment.tsval
        entry.profile = profile
        entry.identification = segment.identification
        entry.window = segment.window
        let isTouchedLater = activityTime == HandshakeTracker.unknown
        queues.place(&entry, in: .unfinished, now: isTouchedLater ? clock.elapsed : activityTime)
        let slot = attempts.insert(&entry, segment, pair())
        attemptCount += 1
        addRoute(hash, slot, at: vacancy)
        queues.added(slot, to: .unfinished, attempts.entries)
        if isTouchedLater {
            recentHandshake = slot
            noteRecent(slot)
        }
        return true
    }

    @inline(__always)
    private func hasOneAddress(_ segment: UsualSegment, _ pair: @autoclosure () -> AddressPair) -> Bool {
        guard segment.isV6 else { return segment.addresses >> 32 == segment.addresses & 0xffff_ffff }
        let pair = pair()
        return pair.lowHigh == pair.highHigh && pair.lowLow == pair.highLow
    }

    /// The server's answer to a SYN.
    @inline(__always)
    private mutating func takeSYNACK(
        _ slot: UInt32, _ segments: Span<UsualSegment>, _ headers: Span<OpeningHeaders>, _ position: Int
    ) -> Bool {
        let segment = segments[position]
        let control: TCPFlags = [.syn, .ack, .rst, .fin]
        let next = attempts.entries[slot].clientISN &+ 1
        let distance = frame &- attempts.entries[slot].firstFrame
        guard segment.flags.intersection(control).rawValue == 0x12, segment.ack == next, segment.payloadLength == 0,
            distance <= UInt32.max
        else { return false }
        let profile = profiles.number(
            segments, position, SegmentProfile.Opening(headers[position], segment.order), hint: &hints.synAck)
        guard profile != 0 else { return false }
        var progress = Progress()
        progress.numbers.clientTSval = attempts.entries[slot].clientTSval
        progress.numbers.clientEnd = next
        progress.numbers.serverISN = segment.seq
        progress.serverEnd = segment.seq &+ 1
        progress.numbers.serverAcked = next
        progress.synAckTime = time
        progress.synAckFrame = UInt32(truncatingIfNeeded: distance)
        progress.synAckTSval = segment.tsval
        progress.synAckTSecr = segment.tsecr
        progress.synAckProfile = profile
        progress.synAckWindow = segment.window
        progress.synAckIdentification = segment.identification
        attempts.entries[slot].body = attempts.progress.insert(progress)
        attempts.entries[slot].advance(by: .synAck)
        touchHandshake(slot, .unfinished)
        return true
    }

    /// The final ACK, with payload or without.
    @inline(__always)
    private mutating func takeFinalACK(_ slot: UInt32, _ segments: Span<UsualSegment>, _ position: Int) -> Bool {
        let segment = segments[position]
        let body = attempts.entries[slot].body
        let control: TCPFlags = [.syn, .ack, .rst, .fin]
        let distance = frame &- attempts.entries[slot].firstFrame
        guard segment.flags.intersection(control).rawValue == TCPFlags.ack.rawValue,
            segment.seq == attempts.entries[slot].clientISN &+ 1,
            segment.ack == attempts.progress[body].numbers.serverISN &+ 1,
            distance <= UInt32.max
        else { return false }
        let profile = profiles.number(segments, position, SegmentProfile.Opening(), hint: &hints.ack)
        guard profile != 0 else { return false }
        attempts.progress[body].ackTime = time
        attempts.progress[body].ackFrame = UInt32(truncatingIfNeeded: distance)
        attempts.progress[body].ackTSval = segment.tsval
        attempts.progress[body].ackTSecr = segment.tsecr
        attempts.progress[body].ackPayload = segment.payloadLength
        attempts.progress[body].ackProfile = profile
        attempts.progress[body].ackWindow = segment.window
        attempts.progress[body].ackIdentification = segment.identification
        attempts.progress[body].numbers.clientEnd = segment.seq &+ segment.payloadLength
        attempts.progress[body].takeClientACK(segment)
        attempts.entries[slot].advance(by: segment.payloadLength > 0 ? .finalData : .finalAck)
        touchHandshake(slot, .settling)
        return true
    }

    /// A segment behind completion: it is only noted until one side confirms completion or ends the connection.
    @inline(__always)
    private mutating func takeAfterCompletion(
        _ slot: UInt32, _ segments: Span<UsualSegment>, _ position: Int, _ fromClient: Bool
    ) -> Bool {
        let segment = segments[position]
        guard segment.flags.isDisjoint(with: [.syn, .rst]) else { return false }
        let body = attempts.entries[slot].body
        let isFIN = segment.flags.contains(.fin)
        let end = segment.seq &+ segment.sequenceLength
        let next = attempts.entries[slot].clientISN &+ 1
        if fromClient {
            if segment.seq == next, segment.ack == attempts.progress[body].numbers.serverISN &+ 1,
                isLikeCompletion(segment, body)
            {
                return false
            }
            if isFIN, !canClose(slot) { return false }
            attempts.progress[body].numbers.takeClientEnd(end)
            attempts.progress[body].takeClientACK(segment)
            if isFIN {
                finishShort(slot, segment, fromClient: true)
            } else {
                attempts.entries[slot].advance(by: .clientMore)
            }
            return true
        }
        let acknowledges = segment.flags.contains(.ack)
        let isConfirmation =
            acknowledges && SequenceNumber.isAfter(segment.ack, next)
            && !SequenceNumber.isAfter(segment.ack, attempts.progress[body].numbers.clientEnd)
        if isFIN || isConfirmation, !canClose(slot) { return false }
        attempts.progress[body].serverEnd = SequenceNumber.later(end, attempts.progress[body].serverEnd)
        if acknowledges { attempts.progress[body].numbers.takeServerACK(segment.ack) }
        if isFIN || isConfirmation {
            finishShort(slot, segment, fromClient: false)
        } else {
            attempts.entries[slot].advance(by: .serverMore)
        }
        return true
    }

    /// Whether it may be the segment that completed the handshake, captured again (`isCopyOfCompletion` knows).
    @inline(__always)
    private func isLikeCompletion(_ segment: UsualSegment, _ body: UInt32) -> Bool {
        segment.payloadLength == attempts.progress[body].ackPayload
            && segment.window == attempts.progress[body].ackWindow
            && segment.identification == attempts.progress[body].ackIdentification
            && time &- attempts.progress[body].ackTime < SegmentNote.duplicateWindow
    }

    /// A segment of a reported attempt: as `takeAfterReport`.
    @inline(__always)
    private mutating func takeAfterReport(
        _ slot: UInt32, _ segments: Span<UsualSegment>, _ position: Int, _ fromClient: Bool
    ) -> Bool {
        let segment = segments[position]
        let body = attempts.entries[slot].body
        let isLive = attempts.entries[slot].queue == .live
        let lifetime = isLive ? HandshakeTracker.liveMemory : HandshakeTracker.identityLifetime
        let now = activityTime != HandshakeTracker.unknown ? activityTime : presentNow()
        guard !segment.flags.contains(.syn), attempts.aftermaths[body].touched &+ lifetime > now else { return false }
        attempts.aftermaths[body].note(segment, fromClient: fromClient, at: touchedAt(slot))
        if attempts.aftermaths[body].close.awaitsACK || !segment.flags.isDisjoint(with: [.fin, .rst]) {
            // Nearly all connections close with the client's FIN.
            if attempts.aftermaths[body].close.opensWith(segment.flags, fromClient) { return true }
            noteEnd(slot, segments, position, fromClient)
        }
        return true
    }

    /// Whether an open attempt's time is not over by the current frame's own time. While time goes steadily no deadline
    /// passes.
    @inline(__always)
    private mutating func isInTime(_ slot: UInt32) -> Bool {
        activityTime != HandshakeTracker.unknown || attempts.entries[slot].queueEnd > presentNow()
    }

    /// `presentTime`. Mutating, since the call of a function that is not would copy the tracker.
    @inline(never)
    private mutating func presentNow() -> Int64 { presentTime }

    @inline(never)
    private mutating func noteEnd(
        _ slot: UInt32, _ segments: Span<UsualSegment>, _ position: Int, _ fromClient: Bool
    ) {
        let segment = segments[position]
        let body = attempts.entries[slot].body
        let isOver = attempts.aftermaths[body].noteClose(segment, fromClient: fromClient)
        if isOver, attempts.entries[slot].queue == .live {
            queues.move(slot, to: .ended, attempts.entries, now: clock.elapsed)
        }
    }

    /// A segment of the handshake touches its attempt.
    @inline(__always)
    private mutating func touchHandshake(_ slot: UInt32, _ queue: Attempt.Queue) {
        if activityTime == HandshakeTracker.unknown { recentHandshake = slot }
        queues.move(slot, to: queue, attempts.entries, now: touchedAt(slot))
    }

    /// When an attempt is touched that the current frame touches.
    @inline(__always)
    mutating func touchedAt(_ slot: UInt32) -> Int64 {
        activityTime != HandshakeTracker.unknown ? activityTime : touchedNow(slot)
    }

    @inline(never)
    private mutating func touchedNow(_ slot: UInt32) -> Int64 {
        noteRecent(slot)
        return clock.elapsed
    }
}
