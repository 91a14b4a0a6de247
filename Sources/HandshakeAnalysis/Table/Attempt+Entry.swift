import HandshakeRecord
import PacketWire

extension Attempt {
    /// The attempt with every field, from what the table holds of it, as a tracker without short forms would have it.
    /// - Parameter log: takes what that would have logged.
    init(
        _ entry: Entry, _ key: ConnectionKey, _ progress: Progress, _ aftermath: Aftermath?,
        _ profiles: ProfileTable, log: (SegmentNote) -> Void
    ) {
        self.init(key: key, state: entry.stage.state)
        let offer = profiles[entry.profile]
        if entry.clientIsLow { marks.insert(.clientIsLow) }
        if offer.options.contains(.timestamps) { marks.insert(.clientSentTimestamps) }
        clientISN = entry.clientISN
        numbers = ConnectionNumbers(clientISN: entry.clientISN, clientTSval: entry.clientTSval)
        clientWindow = entry.window
        if offer.checksum == .good { goodChecksums |= 1 }
        firstFrame = entry.firstFrame
        firstTime = entry.firstTime
        lastSYNTime = entry.firstTime
        identification = entry.identification
        (touched, handshakeTouched) = (entry.queued, entry.queued)
        synCount = 1
        events = entry.events
        if entry.stage != .closed {
            var note = SegmentNote(offer, event: .syn, fromClient: true)
            note.frame = entry.firstFrame
            note.time = entry.firstTime
            note.seq = entry.clientISN
            note.tsval = entry.clientTSval
            note.window = entry.window
            note.identification = entry.identification
            log(note)
        }
        guard entry.stage != .synSent else { return }

        marks.formUnion([.hasServerISN, .serverSpoke])
        synAckCount = 1
        synAckAck = clientNext
        if entry.stage != .synReceived {
            marks.insert(.established)
            completedBy = CompletedBy.number(entry.isCompletedByData ? .data : .ack)
        }
        if let aftermath {
            close = aftermath.close
            numbers = aftermath.numbers
            touched = aftermath.touched
            handshakeTouched = aftermath.handshakeTouched
            return
        }
        numbers = progress.numbers
        serverEnd = progress.serverEnd
        clientAcked = progress.clientAcked
        takeServerWindow(progress.synAckWindow)
        if profiles[progress.synAckProfile].checksum == .good { goodChecksums |= 2 }
        var note = SegmentNote(profiles[progress.synAckProfile], event: .synAck, fromClient: false)
        note.frame = entry.firstFrame &+ UInt64(progress.synAckFrame)
        note.time = progress.synAckTime
        note.seq = progress.numbers.serverISN
        note.ack = clientNext
        note.tsval = progress.synAckTSval
        note.tsecr = progress.synAckTSecr
        note.window = progress.synAckWindow
        note.identification = progress.synAckIdentification
        log(note)
        guard entry.stage == .established else { return }
        completedFrame = entry.firstFrame &+ UInt64(progress.ackFrame)
        note = SegmentNote(
            profiles[progress.ackProfile], event: entry.isCompletedByData ? .finalData : .finalAck, fromClient: true)
        note.frame = completedFrame
        note.time = progress.ackTime
        note.seq = clientNext
        note.ack = serverNext
        note.payloadLength = progress.ackPayload
        note.tsval = progress.ackTSval
        note.tsecr = progress.ackTSecr
        note.window = progress.ackWindow
        note.identification = progress.ackIdentification
        log(note)
    }
}
