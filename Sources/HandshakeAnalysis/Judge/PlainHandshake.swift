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
    // MARK: What a handshake is asked, in either form

    /// Whether a SYN or SYN-ACK offers nothing that asks for a closer look.
    static func isPlainOpening(
        _ flags: TCPFlags, _ options: TCPOptions.Present, mss: UInt16, windowScale: UInt8, _ version: IPAddress.Version
    ) -> Bool {
        flags.isDisjoint(with: [.fin, .rst, .urg])
            && options.isDisjoint(with: [.fastOpen, .mptcp, .malformed, .repeated, .cut]) && options.contains(.mss)
            && mss >= Judge.defaultMSS(version) && windowScale <= 14
    }

    /// Whether a SYN-ACK has only what may answer the SYN's offer (RFC 7323 1.3 and 2.2, RFC 2018 2).
    static func answers(_ answer: TCPOptions.Present, _ offer: TCPOptions.Present) -> Bool {
        offer.isSuperset(of: answer.intersection([.windowScale, .sackPermitted, .timestamps]))
    }

    /// Whether SYN-ACK and final ACK echo what they answer (RFC 7323 3.2): each is a TSecr and the TSval before it.
    @inline(__always)
    static func echoes(synAck: (tsecr: UInt32, tsval: UInt32), ack: (tsecr: UInt32, tsval: UInt32)) -> Bool {
        synAck.tsecr == synAck.tsval && (ack.tsecr == ack.tsval || ack.tsecr == 0)
    }

    // MARK: A detailed attempt

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
            attempt.events.isSubset(of: PlainHandshake.usualEvents), attempt.clientISN != 0,
            attempt.numbers.serverISN != 0,
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
        let version = attempt.key.low.address.version
        guard notes[first].isUsual, notes[second].isUsual, notes[third].isUsual,
            notes[first].isPlainOpening(version), notes[second].isPlainOpening(version),
            PlainHandshake.answers(notes[second].options, notes[first].options),
            !notes[second].options.contains(.timestamps)
                || PlainHandshake.echoes(
                    synAck: (notes[second].tsecr, notes[first].tsval), ack: (notes[third].tsecr, notes[second].tsval)),
            notes[second].window != 0, notes[second].seq == attempt.numbers.serverISN,
            notes[second].ack == attempt.clientNext,
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

    fileprivate func isPlainOpening(_ version: IPAddress.Version) -> Bool {
        payloadLength == 0
            && PlainHandshake.isPlainOpening(flags, options, mss: mss, windowScale: windowScale, version)
    }
}

extension EventSet {
    @inline(__always)
    func isSubset(of other: EventSet) -> Bool { bits & ~other.bits == 0 }
}
