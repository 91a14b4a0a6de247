import HandshakeRecord
import PacketWire

// How attempts without detail end, and how one is given its detail.
extension HandshakeTracker {
    // MARK: Ends

    /// Whether an established attempt can be counted without a record.
    @inline(__always)
    mutating func canClose(_ slot: UInt32) -> Bool {
        countsPlain && isPlain(slot)
    }

    private var countsPlain: Bool { configuration.listing == .sums || configuration.listing == .plainAndRecords }

    @inline(__always)
    mutating func finishShort(_ slot: UInt32, _ segment: UsualSegment, fromClient: Bool) {
        countPlain(slot, isExpiry: false)
        var end = ConnectionClose()
        if segment.flags.contains(.fin) {
            end.receive(
                segment.flags, ack: segment.ack, end: segment.seq &+ segment.sequenceLength, fromClient: fromClient,
                clientEnd: attempts.progress[attempts.entries[slot].body].numbers.clientEnd)
        }
        close(slot, end, touched: touchedAt(slot))
    }

    @inline(__always)
    private mutating func countPlain(_ slot: UInt32, isExpiry: Bool) {
        let (client, server) = attempts.ends(of: slot)
        let body = attempts.entries[slot].body
        if configuration.listing == .plainAndRecords {
            let plain = PlainDecision(
                client: client, server: server, entry: attempts.entries[slot], progress: attempts.progress[body],
                shard: shards.current.number)
            decisions.add(plain, closedBy: order, isExpiry: isExpiry)
        }
        counts.count(
            PlainHandshake(
                server: server, total: attempts.progress[body].ackTime &- attempts.entries[slot].firstTime))
    }

    /// Keeps an established attempt in mind that was reported: as `remember`.
    @inline(__always)
    mutating func close(_ slot: UInt32, _ end: ConnectionClose, touched: Int64) {
        let body = attempts.entries[slot].body
        let aftermath = Aftermath(
            touched: touched, handshakeTouched: attempts.entries[slot].queued,
            numbers: attempts.progress[body].numbers, close: end)
        attempts.progress.remove(body)
        attempts.entries[slot].body = attempts.aftermaths.insert(aftermath)
        attempts.entries[slot].stage = .closed
        // Reported, it stands where it was touched.
        queues.move(slot, to: .live, attempts.entries, now: clock.elapsed)
    }

    /// Counts an attempt that is over and of which there is nothing to say but that; false if there may be more.
    mutating func countShort(_ slot: UInt32, _ cause: Ending) -> Bool {
        switch attempts.entries[slot].stage {
        case .established:
            guard canClose(slot) else { return false }
            countPlain(slot, isExpiry: !expiryPlan.isEmpty)
            return true
        case .synSent: return !configuration.listsAttempts && countSilence(slot, cause)
        case .synReceived, .closed, .detailed: return false
        }
    }

    /// Whether an established attempt is a `PlainHandshake`.
    @inline(__always)
    private mutating func isPlain(_ slot: UInt32) -> Bool {
        guard clockTick == 0 else { return false }
        let body = attempts.entries[slot].body
        let ports = attempts.entries[slot].ports
        let numbers = (
            attempts.entries[slot].profile, attempts.progress[body].synAckProfile,
            attempts.progress[body].ackProfile
        )
        guard attempts.entries[slot].firstTime <= attempts.progress[body].synAckTime,
            attempts.progress[body].synAckTime <= attempts.progress[body].ackTime,
            attempts.entries[slot].clientISN != 0,
            attempts.progress[body].numbers.serverISN != 0, attempts.progress[body].synAckWindow != 0, ports >> 16 != 0,
            ports & 0xffff != 0
        else { return false }
        if numbers != hints.plain {
            guard isPlain(numbers) else { return false }
            hints.plain = numbers
        }
        guard profiles[numbers.1].options.contains(.timestamps) else { return true }
        return PlainHandshake.echoes(
            synAck: (attempts.progress[body].synAckTSecr, attempts.entries[slot].clientTSval),
            ack: (attempts.progress[body].ackTSecr, attempts.progress[body].synAckTSval))
    }

    @inline(never)
    private func isPlain(_ numbers: (UInt16, UInt16, UInt16)) -> Bool {
        let (offer, answer) = (profiles[numbers.0], profiles[numbers.1])
        let ack = profiles[numbers.2]
        return offer.isPlainOpening && answer.isPlainOpening && ack.isPlain
            && Judge.areNear(offer.hopLimit, ack.hopLimit)
            && PlainHandshake.answers(answer.options, offer.options)
    }

    // MARK: Detail

    /// Gives an attempt its detail, if it has none.
    @inline(__always)
    mutating func giveDetail(_ slot: UInt32) {
        if attempts.entries[slot].stage != .detailed { writeOut(slot) }
    }

    @inline(never)
    private mutating func writeOut(_ slot: UInt32) {
        var (first, last, count): (UInt32, UInt32, UInt16) = (0, 0, 0)
        var attempt = attempts.detail(of: slot, profiles) { note in
            let number = notes.insert(note)
            if first == 0 { first = number } else { notes[last].next = number }
            last = number
            count += 1
        }
        (attempt.firstNote, attempt.lastNote, attempt.noteCount) = (first, last, count)
        noteCount += Int(count)
        attempts.setDetail(slot, attempt)
    }
}
