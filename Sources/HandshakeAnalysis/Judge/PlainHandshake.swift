import PacketWire

/// A handshake of which there is nothing to say but its figures: SYN, SYN-ACK and final ACK, once each, in order,
/// whole, with right numbers and usual options. Most attempts of most captures are like that. What a `Judge` would find
/// by weighing every possibility follows at once: established, no finding. So this is asked first; the tests compare
/// both on every scenario and simulated world.
///
/// It errs on one side only: what it does not recognise is judged in full.
struct PlainHandshake {
    let server: Endpoint
    /// Nanoseconds from the SYN to the final ACK.
    let total: Int64

    private static let usualEvents: EventSet = {
        var events = EventSet()
        for event: HandshakeEvent in [
            .syn, .synAck, .finalAck, .finalData, .confirmation, .clientFin, .serverFin, .clientMore, .serverMore,
        ] {
            events.insert(event)
        }
        return events
    }()

    /// Marks without which, and with none but which, a handshake is plain.
    private static let needed: Attempt.Marks = [.hasServerISN, .established, .serverSpoke]
    private static let allowed: Attempt.Marks = [
        .hasServerISN, .established, .serverSpoke, .clientIsLow, .clientSentTimestamps,
    ]
    /// Options whose presence, in SYN or SYN-ACK, asks for a closer look.
    private static let odd: TCPOptions.Present = [.fastOpen, .mptcp, .malformed, .repeated, .cut]
    /// RFC 7323 1.3 and 2.2, RFC 2018 2: these may only answer an offer.
    static let answers: TCPOptions.Present = [.windowScale, .sackPermitted, .timestamps]

    init(server: Endpoint, total: Int64) {
        self.server = server
        self.total = total
    }

    /// - Returns: nil where there may be more to say.
    @inline(__always)
    init?(_ attempt: Attempt, _ notes: borrowing Pool<SegmentNote>) {
        guard attempt.noteCount == 3, attempt.notesOmitted == 0, attempt.synCount == 1, attempt.synAckCount == 1,
            attempt.rstCount == 0, attempt.duplicateCount == 0, attempt.synLength == 0, attempt.synAckLength == 0,
            attempt.predecessor == .none || attempt.predecessor == .other,
            attempt.marks.isSuperset(of: PlainHandshake.needed),
            PlainHandshake.allowed.isSuperset(of: attempt.marks),
            attempt.events.isSubset(of: PlainHandshake.usualEvents), attempt.clientISN != 0, attempt.serverISN != 0,
            attempt.key.low.port != 0, attempt.key.high.port != 0, !attempt.isSelfConnect
        else { return nil }
        let first = attempt.firstNote
        let second = notes[first].next
        let third = notes[second].next
        guard notes[first].event == .syn, notes[second].event == .synAck,
            notes[third].event == .finalAck || notes[third].event == .finalData,
            notes[third].frame == attempt.completedFrame, notes[first].frame < notes[second].frame,
            notes[second].frame < notes[third].frame, notes[first].time <= notes[second].time,
            notes[second].time <= notes[third].time
        else { return nil }
        let standard = Judge.defaultMSS(attempt.key.low.address.version)
        let (offered, answered) = (notes[first].options, notes[second].options)
        guard notes[first].isUsual, notes[second].isUsual, notes[third].isUsual,
            notes[first].flags.isDisjoint(with: [.fin, .rst, .urg]),
            notes[second].flags.isDisjoint(with: [.fin, .rst, .urg]), notes[first].payloadLength == 0,
            notes[second].payloadLength == 0, offered.union(answered).isDisjoint(with: PlainHandshake.odd),
            offered.contains(.mss), answered.contains(.mss), notes[first].mss >= standard,
            notes[second].mss >= standard,
            notes[first].windowScale <= 14, notes[second].windowScale <= 14,
            offered.isSuperset(of: answered.intersection(PlainHandshake.answers)),
            !answered.contains(.timestamps)
                || notes[second].tsecr == notes[first].tsval
                    && (notes[third].tsecr == notes[second].tsval || notes[third].tsecr == 0),
            notes[second].seq == attempt.serverISN, notes[second].ack == attempt.clientNext,
            notes[third].seq == attempt.clientNext, notes[third].ack == attempt.serverNext,
            Judge.areNear(notes[first].hopLimit, notes[third].hopLimit)
        else { return nil }
        server = attempt.server
        total = notes[third].time &- notes[first].time
    }
}

extension SegmentNote {
    /// Whether nothing about it asks for a closer look, whatever it is.
    @inline(__always)
    var isUsual: Bool {
        (checksum == .good || checksum == .unverified) && !isFragment && !hasFragmentOverlap && !isCut && !isUntimed
            && flags.isDisjoint(with: .reserved) && options.isDisjoint(with: [.malformed, .repeated, .cut])
    }
}

extension EventSet {
    @inline(__always)
    func isSubset(of other: EventSet) -> Bool { bits & ~other.bits == 0 }
}
