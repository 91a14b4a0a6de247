import HandshakeRecord
import PacketWire

// The meaning of a client's segment to a handshake that is not complete, by its control bits.
extension HandshakeTracker {
    mutating func fromClientEvent(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let flags = segment.flags
        if flags.contains(.rst) { return clientRST(segment, slot) }
        if flags.contains(.syn) { return clientSYNACK(segment, slot) }
        // RFC 9293 3.10.7.4: if the ACK bit is off, drop the segment.
        return flags.contains(.ack) ? clientACK(segment, slot) : .earlyData
    }

    private mutating func clientRST(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let relative = segment.seq &- attempts[slot].clientNext
        let events = attempts[slot].events
        if attempts[slot].machine.state.isEstablished {
            // RFC 5961 3.2: only the exact number resets.
            let exact = [
                attempts[slot].numbers.clientEnd, attempts[slot].numbers.serverAcked, attempts[slot].clientNext,
            ]
            if exact.contains(segment.seq) { return .resetEstablished }
            return relative < 1 << 30 ? .resetInexact : .resetUnacceptable
        }
        // RFC 9293 3.10.7.4: SYN-RECEIVED ends with a RST of RCV.NXT, what the SYN carried included.
        let carried = attempts[slot].synLength
        if relative == 0 || carried > 0 && relative == carried { return .clientReset }
        // RFC 9293 3.5.1, Figure 9: the RST that answers an ACK has its number.
        if events.has(.challenge), segment.seq == attempts[slot].challengeAck { return .resetAnswersChallenge }
        // RFC 9293 3.10.7.3: in SYN-SENT, an ACK that does not acknowledge the SYN is answered by a RST of its number.
        if events.has(.synAckWrongAck), segment.seq == attempts[slot].wrongSynAckAck { return .resetRejectsSynAck }
        // RFC 9293 3.10.4 asks for no RST from SYN-SENT; stacks that give up send one with x.
        if segment.seq == attempts[slot].clientISN, !events.has(.synAck) { return .clientGaveUp }
        // RFC 5961 3.2: inexact within the window draws a challenge ACK. Elsewhere RFC 9293 3.10.7.4 drops it.
        let isInWindow = relative < max(UInt32(attempts[slot].serverWindow), 1)
        return attempts[slot].marks.contains(.hasServerISN) && isInWindow ? .resetInexact : .resetUnacceptable
    }

    /// A segment of the client with SYN and ACK: RFC 9293 3.5 has it only where SYNs crossed (Figure 7).
    private mutating func clientSYNACK(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let isCrossed = [.crossed, .crossedClientAcked, .crossedServerAcked].contains(attempts[slot].machine.state)
        // It may leave data that the server's SYN carried unacknowledged.
        return isCrossed && segment.seq == attempts[slot].clientISN
            && SequenceNumber.isIn(
                segment.ack, from: attempts[slot].numbers.serverISN &+ 1, length: attempts[slot].synAckLength)
            ? .clientSynAck : .synAckWrongDirection
    }

    private mutating func clientACK(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        takeClientACK(segment, slot)
        guard attempts[slot].marks.contains(.hasServerISN) else { return clientACKWithoutY(segment, slot) }
        if attempts[slot].marks.contains(.severalServerISNs) { chooseServerISN(slot, acknowledgedBy: segment.ack) }
        let relative = segment.seq &- attempts[slot].clientNext
        // RFC 9293 3.10.7.4, first: SEG.SEQ in the server's window. Fifth: SND.UNA < SEG.ACK =< SND.NXT.
        let seqFits = relative <= attempts[slot].clientMaySend
        let ackDistance = segment.ack &- (attempts[slot].numbers.serverISN &+ 1)
        let ackFits = ackDistance <= attempts[slot].serverEnd &- (attempts[slot].numbers.serverISN &+ 1)
        if seqFits, ackFits || segment.payloadLength > 0 {
            attempts[slot].numbers.takeClientEnd(segment.seq &+ segment.sequenceLength)
        }
        if seqFits, ackFits {
            let exactSeq =
                relative == 0 || relative == attempts[slot].synLength || segment.seq == attempts[slot].synAckAck
            let exactAck = ackDistance == 0 || segment.ack == attempts[slot].serverNext
            guard exactSeq, exactAck else { return .inferredAck }
            // RFC 9293 3.5: the third segment of Figure 6, with or without data.
            return segment.payloadLength == 0 && !segment.flags.contains(.fin) ? .finalAck : .finalData
        }
        // RFC 9293 3.10.7.4, first: what is outside the window is acknowledged and dropped.
        if ackFits, segment.ack == attempts[slot].serverNext || segment.payloadLength == 0 { return .wrongSeq }
        if !seqFits, ackFits { return .wrongSeq }
        // RFC 9293 3.10.7.4, fifth: in SYN-RECEIVED an unacceptable ACK is answered by a RST of its number.
        return isUnknown(segment, slot) ? .ackBeyond : .wrongAck
    }

    /// An ACK of the client where no SYN-ACK that acknowledges x+1 was captured.
    private mutating func clientACKWithoutY(_ segment: Segment, _ slot: UInt32) -> HandshakeEvent {
        let relative = segment.seq &- attempts[slot].clientNext
        let carried = attempts[slot].synLength
        if relative <= max(carried, UInt32(UInt16.max)) {
            attempts[slot].numbers.takeClientEnd(segment.seq &+ segment.sequenceLength)
        }
        if attempts[slot].events.has(.synAckWrongAck) {
            let next = attempts[slot].wrongSynAckISN &+ 1
            return segment.ack &- next <= attempts[slot].serverEnd &- next ? .earlyData : .wrongAck
        }
        // RFC 9293 3.5: a client acknowledges y+1 only once it has the SYN-ACK. An ACK of 0 is a field that was never
        // filled.
        return (relative == 0 || relative == carried) && segment.ack != 0 ? .oneSidedAck : .earlyData
    }
}
