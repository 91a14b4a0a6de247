import HandshakeRecord
import PacketWire

// The meaning of a server's segment to a handshake that is not complete, by its control bits.
extension HandshakeTracker {
    mutating func fromServerEvent(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        if segment.flags.contains(.rst) { return serverRST(segment, slot) }
        if segment.flags.isSYNACK { return serverSYNACK(segment, slot) }
        return serverACK(segment, slot)
    }

    /// Whether a segment's ACK is acceptable in SYN-SENT (RFC 9293 3.10.7.3): in [x+1, x+1+L], where Fast Open may
    /// leave data unacknowledged (RFC 7413 4.2).
    private mutating func acknowledgesSYN(_ segment: Segment, _ slot: UInt32) -> Bool {
        SequenceNumber.isIn(segment.ack, from: attempts[slot].clientNext, length: attempts[slot].synLength)
    }

    private mutating func serverRST(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        if attempts[slot].machine.state.isEstablished {
            if answersWrongACK(segment, slot) { return .resetAnswersWrongAck }
            // RFC 5961 3.2: only the exact number resets.
            let exact = [attempts[slot].serverEnd, attempts[slot].clientAcked, attempts[slot].serverNext]
            if exact.contains(segment.seq) { return .resetEstablished }
            return segment.seq &- attempts[slot].serverNext < 1 << 30 ? .resetInexact : .resetUnacceptable
        }
        if attempts[slot].marks.contains(.hasServerISN) {
            if attempts[slot].marks.contains(.severalServerISNs) { chooseServerISN(slot, acknowledgedBy: segment.seq) }
            // The client is past SYN-SENT: RFC 9293 3.10.7.4, second, and RFC 5961 3.2.
            if segment.seq == attempts[slot].serverNext { return .serverReset }
            if answersWrongACK(segment, slot) { return .resetAnswersWrongAck }
            let window = max(UInt32(attempts[slot].clientWindow), 1)
            if segment.seq &- attempts[slot].serverNext < window { return .resetInexact }
        }
        // RFC 9293 3.10.7.3: in SYN-SENT, a RST is acceptable if its ACK acknowledges the SYN.
        return segment.flags.contains(.ack) && acknowledgesSYN(segment, slot) ? .refusal : .resetUnacceptable
    }

    private mutating func serverSYNACK(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let hasY = attempts[slot].marks.contains(.hasServerISN)
        guard acknowledgesSYN(segment, slot) else {
            attempts[slot].wrongSynAckAck = segment.ack
            attempts[slot].wrongSynAckISN = segment.seq
            // It says nothing of the connection's own numbers.
            if !hasY { attempts[slot].serverEnd = segment.seq &+ segment.sequenceLength }
            return .synAckWrongAck
        }
        if !hasY || !attempts[slot].events.has(.synAck) && attempts[slot].numbers.serverISN == segment.seq {
            return .synAck
        }
        // RFC 9293 3.8.1: a retransmission has the same y.
        return segment.seq == attempts[slot].numbers.serverISN ? .synAckAgain : .synAckOther
    }

    /// A segment of the server without SYN and RST.
    private mutating func serverACK(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let events = attempts[slot].events
        let hasACK = segment.flags.contains(.ack)
        if hasACK { attempts[slot].numbers.takeServerACK(segment.ack) }
        let isBeyond = segment.ack &- attempts[slot].clientNext &- attempts[slot].synLength &- 1 < 1 << 30
        if attempts[slot].marks.contains(.hasServerISN) {
            if let event = serverACKWithY(segment, slot, isBeyond: isBeyond) { return event }
        } else if events.has(.synAckWrongAck), hasACK, isBeyond,
            !SequenceNumber.isAfter(segment.ack, attempts[slot].numbers.clientEnd),
            segment.seq &- attempts[slot].wrongSynAckISN < 1 << 30, events.has(.earlyData)
        {
            // Data was acknowledged in both directions: that beats one wrong number.
            attempts[slot].numbers.serverISN = attempts[slot].wrongSynAckISN
            attempts[slot].marks.insert(.hasServerISN)
            return .proof
        } else if provesUnseenSYNACK(segment, slot) {
            attempts[slot].serverEnd = segment.seq &+ segment.sequenceLength
            attempts[slot].marks.insert(.missedSegments)
            return .proof
        }
        if !attempts[slot].marks.contains(.hasServerISN), events.has(.synAckWrongAck) {
            attempts[slot].takeServerEnd(segment.seq &+ segment.sequenceLength)
        }
        // RFC 5961 4: a SYN that meets a connection is answered by an ACK of that connection's numbers.
        return .challenge
    }

    /// What a segment behind the server's SYN shows; nil where it shows nothing.
    private mutating func serverACKWithY(_ segment: Segment, _ slot: UInt32, isBeyond: Bool) -> HandshakeEvent? {
        let hasACK = segment.flags.contains(.ack)
        if attempts[slot].marks.contains(.severalServerISNs) { chooseServerISN(slot, acknowledgedBy: segment.seq) }
        attempts[slot].takeServerEnd(segment.seq &+ segment.sequenceLength)
        if attempts[slot].events.has(.wrongAck), goesOnBeyond(segment, slot) { return .proof }
        // A server acknowledges data only in ESTABLISHED (RFC 9293 3.10.7.4, seventh).
        if hasACK, isBeyond, isOfAnswer(segment, slot) {
            if SequenceNumber.isAfter(segment.ack, attempts[slot].numbers.clientEnd) {
                attempts[slot].marks.insert(.missedSegments)
            }
            return .proof
        }
        let sendsMore = segment.payloadLength > 0 || segment.flags.contains(.fin)
        let state = attempts[slot].machine.state
        // Where SYNs crossed, and neither SYN-ACK was captured, it acknowledges x+1 beside.
        let isMissed =
            (state == .crossed || state == .crossedServerAcked) && hasACK && attempts[slot].synLength == 0
            && segment.ack == attempts[slot].clientNext
        if sendsMore, segment.seq &- attempts[slot].serverNext < 1 << 30, !attempts[slot].marks.contains(.fastOpen),
            isMissed || attempts[slot].events.has(.synAck)
        {
            if isMissed { attempts[slot].marks.insert(.missedSegments) }
            return .proof
        }
        switch state {
        case .crossed, .crossedClientAcked, .crossedServerAcked:
            // RFC 9293 3.10.7.4, first: acceptable only with SEQ in the window.
            let window = max(UInt32(attempts[slot].clientWindow), 1)
            let isInWindow = segment.seq &- attempts[slot].serverNext < window
            return hasACK && segment.ack == attempts[slot].clientNext && isInWindow ? .serverAck : nil
        default: return nil
        }
    }
}
