import HandshakeRecord
import PacketWire

extension Judge {
    struct SegmentSizes {
        var client: UInt16?
        var server: UInt16?
        var clientSend: UInt16?
        var serverSend: UInt16?
        var negotiated: UInt16?
    }

    /// The SYN that options are taken from: the first.
    var offer: SegmentNote? { note(syns.first) }
    /// The SYN-ACK that options are taken from: the one that the client answered, if its TSecr names one; else the
    /// first.
    var answer: SegmentNote? {
        note(answered ?? synAcks.first) ?? log.first { $0.event == .synAckWrongAck } ?? log.first {
            $0.event == .reverseSyn
        }
            ?? log.first { $0.event == .reverseSynAfterAck }
    }

    private var answered: Int? {
        guard synAcks.count > 1, let completion, completion.fromClient, completion.options.contains(.timestamps),
            areToldApartByTSval(synAcks)
        else { return nil }
        return synAcks.first { log[$0].tsval == completion.tsecr }
    }

    /// RFC 9293 3.7.1: what is announced limits the other side; absent, 536 for IPv4 and 1220 for IPv6.
    static func defaultMSS(_ version: IPAddress.Version) -> UInt16 { version == .v4 ? 536 : 1220 }

    func segmentSizes() -> SegmentSizes {
        let standard = Judge.defaultMSS(attempt.client.address.version)
        func announced(_ note: SegmentNote?) -> UInt16? {
            note.flatMap { $0.options.contains(.mss) ? $0.mss : nil }
        }
        // Absent from a SYN that was seen whole means the default; from a cut or unseen one it means nothing.
        func allowed(_ note: SegmentNote?) -> UInt16? {
            guard let note else { return nil }
            return announced(note) ?? (note.options.contains(.cut) ? nil : standard)
        }
        /// As it was seen nearest to its receiver: something on the way may have lowered its MSS.
        func received(_ note: SegmentNote?) -> SegmentNote? {
            guard let note else { return nil }
            var last = note
            for position in duplicates where log[position].options.contains(.mss) && log[position].looksLike(note) {
                last = log[position]
            }
            return last
        }
        var sizes = SegmentSizes(
            client: announced(offer), server: announced(answer), clientSend: allowed(received(answer)),
            serverSend: allowed(received(offer)))
        if let client = sizes.clientSend, let server = sizes.serverSend { sizes.negotiated = min(client, server) }
        return sizes
    }

    func clientOptions() -> OfferedOptions? {
        offer.map { note in
            var options = common(note)
            options.ecn = note.flags.isSuperset(of: [.ece, .cwr])
            options.accurateECN = note.flags.isSuperset(of: [.ece, .cwr, .ae])
            return options
        }
    }

    func serverOptions() -> OfferedOptions? {
        answer.map { note in
            var options = common(note)
            let bits = note.flags.intersection([.ece, .cwr, .ae])
            options.ecn = bits == [.ece]
            // RFC 9768 table 2: an AccECN server answers an AccECN SYN with one of these.
            let offered = offer.map { $0.flags.isSuperset(of: [.ece, .cwr, .ae]) } ?? false
            options.accurateECN = offered && [[.cwr], [.ae], [.ae, .cwr], [.cwr, .ece]].contains(bits)
            return options
        }
    }

    private func common(_ note: SegmentNote) -> OfferedOptions {
        let isCut = note.options.contains(.cut)
        func flag(_ option: TCPOptions.Present) -> Bool? {
            note.options.contains(option) ? true : isCut ? nil : false
        }
        var options = OfferedOptions(fromFrame: note.frame)
        if note.options.contains(.windowScale) { options.windowScale = note.windowScale }
        options.sackPermitted = flag(.sackPermitted)
        options.timestamps = flag(.timestamps)
        if note.options.contains(.fastOpen) {
            options.fastOpen = note.fastOpenCookieLength == 0 ? "request" : "cookie"
        }
        if note.options.contains(.mptcp) {
            let (subtype, names) = (Int(note.mptcpSubtype), OfferedOptions.multipathSubtypes)
            options.mptcp = subtype < names.count ? names[subtype] : "\(subtype)"
        }
        return options
    }
}
