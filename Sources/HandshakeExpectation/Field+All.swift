import HandshakeRecord
import PacketWire

extension Field {
    /// Every field, in the order in which `synscope fields` lists them.
    package static let all: [Field] =
        tuple + outcome + arithmetic + counts + roundTrips + segmentSize + options("client", \.clientOptions)
        + options("server", \.serverOptions) + opening("syn", "syn", "SYN", \.syn)
        + opening("synack", "syn_ack", "SYN-ACK", \.synAck) + circumstances
        + path + changes

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    static func named(_ name: String) -> Field? { byName[name] }

    // MARK: Kinds of fields

    private static func number(
        _ name: String, _ path: String?, _ summary: String,
        _ read: @escaping @Sendable (AttemptRecord) -> (some BinaryInteger & SendableMetatype)?
    ) -> Field {
        Field(
            name: name, type: .number, path: path, summary: summary,
            reader: .number { record in read(record).map { Bounds(Double($0)) } })
    }

    private static func duration(
        _ name: String, _ path: String?, _ summary: String, _ read: @escaping @Sendable (AttemptRecord) -> Bounds?
    ) -> Field { Field(name: name, type: .duration, path: path, summary: summary, reader: .number(read)) }

    private static func truth(
        _ name: String, _ path: String?, _ summary: String, _ read: @escaping @Sendable (AttemptRecord) -> Bool?
    ) -> Field { Field(name: name, type: .truth, path: path, summary: summary, reader: .truth(read)) }

    /// One of an enumeration's cases.
    private static func name<Name: CaseIterable & RawRepresentable & Equatable & Sendable>(
        _ name: String, _ path: String?, _ noun: String, _ summary: String, isOrdered: Bool = false,
        _ read: @escaping @Sendable (AttemptRecord) -> Name?
    ) -> Field where Name.RawValue == String, Name.AllCases == [Name] {
        let cases = Name.allCases
        return Field(
            name: name, type: .name(Vocabulary(noun, cases.map(\.rawValue), isOrdered: isOrdered)), path: path,
            summary: summary,
            reader: .names { record in
                guard let value = read(record) else { return nil }
                for (position, other) in cases.enumerated() where other == value { return 1 << position }
                return nil
            })
    }

    /// One of some words.
    private static func word(
        _ name: String, _ path: String?, _ noun: String, _ words: [String], _ summary: String,
        _ read: @escaping @Sendable (AttemptRecord) -> String?
    ) -> Field {
        Field(
            name: name, type: .name(Vocabulary(noun, words)), path: path, summary: summary,
            reader: .names { record in read(record).flatMap { words.firstIndex(of: $0) }.map { 1 << $0 } })
    }

    // MARK: The fields

    private static let tuple: [Field] = [
        Field(
            name: "ip.src", type: .address, path: "client.ip", summary: "the client's address, IPv4 or IPv6",
            reader: .address { $0.client.address }),
        Field(
            name: "ip.dst", type: .address, path: "server.ip", summary: "the server's address",
            reader: .address { $0.server.address }),
        Field(
            name: "ip.addr", type: .address, path: nil, summary: "either address",
            reader: .addresses { record, test in test(record.client.address) || test(record.server.address) }),
        number("ip.version", nil, "4 or 6") { $0.client.address.version.rawValue },
        number("tcp.srcport", "client.port", "the client's port") { $0.client.port },
        number("tcp.dstport", "server.port", "the server's port") { $0.server.port },
        Field(
            name: "tcp.port", type: .number, path: nil, summary: "either port",
            reader: .numbers { record, test in test(Double(record.client.port)) || test(Double(record.server.port)) }),
        number("hs.id", "id", "the number of the attempt's first frame") { $0.id },
        text("hs.uid", "uid", "the attempt's identity, the same in every run") { $0.uid },
        text("hs.community_id", "community_id", "the connection's Community ID, version 1, with the seed 0") {
            $0.communityID()
        },
        Field(
            name: "frame.number", type: .number, path: "segments[].frame", summary: "the frames of its segments",
            reader: .numbers { record, test in
                let omitted = record.segmentsOmitted > 0 ? Truth.unknown : .no
                return record.segments.reduce(omitted) { $0 == .yes ? .yes : $0 || test(Double($1.frame)) }
            }),
        Field(
            name: "vlan.id", type: .number, path: nil, summary: "the VLAN tags of either side's segments",
            reader: .numbers { record, test in
                (record.clientVLAN + record.serverVLAN).reduce(.no) { $0 || test(Double($1)) }
            }),
        Field(
            name: "hs.tunnel", type: .name(Vocabulary("tunnel", tunnels)), path: "tunnel.kinds",
            summary: "the tunnels that the segments came through",
            reader: .names { record in
                record.tunnels.names.reduce(0) { mask, name in
                    tunnels.firstIndex(of: name).map { mask | 1 << $0 } ?? mask
                }
            }),
        Field(
            name: "frame.time", type: .time, path: "first_time",
            summary:
                "when its first segment came: a time with its zone, or a duration since the capture's first frame (live: until now)",
            reader: .time { $0.firstTime }),
        duration(
            relativeTimeName, nil, "from the capture's first frame to its own (live: from its own until now)"
        ) { record in
            Bounds(Double(record.firstTime &- record.captureStart))
        },
        number("hs.network.id", "tunnel.network.id", "the id of the virtual network (VXLAN, Geneve, NVGRE)") {
            $0.network == .none ? nil : $0.network.id
        },
    ]

    static let relativeTimeName = "frame.time_relative"

    private static let tunnels = Tunnels(rawValue: .max).names

    private static let outcome: [Field] = [
        name("hs.outcome", "outcome", "outcome", "what became of it (synscope explain)") { $0.outcome },
        truth("hs.failed", nil, "the client did not get its connection; unknown while pending, and of partial ones") {
            $0.outcome == .pending || $0.outcome == .partial ? nil : $0.outcome.isFailure
        },
        name("hs.failed_because", "failed_because", "reason", "why it failed; unknown where it did not") {
            $0.failedBecause
        },
        name("hs.form", "form", "form", "three-way, simultaneous or split; unknown where it did not complete") {
            $0.form
        },
        name("hs.completed_by", "completed_by", "completion", "what completed it; unknown unless it did") {
            $0.completedBy
        },
        word("hs.starts_at", "starts_at", "start", ["syn", "syn-ack"], "the first segment that was seen") {
            $0.startsAtSYN ? "syn" : "syn-ack"
        },
        name("hs.ended", "ended", "ending", "what decided it") { $0.ended },
        name("hs.confidence", "confidence", "confidence", "how far the record can be trusted") { $0.confidence },
        Field(
            name: "hs.findings", type: .name(Vocabulary("finding", codes.map(\.rawValue))), path: "findings",
            summary: "the codes of what was found",
            reader: .names { record in
                let findings = record.findings.span
                var mask: UInt128 = 0
                for position in findings.indices {
                    if let bit = codes.firstIndex(of: findings[position].code) { mask |= 1 << bit }
                }
                return mask
            }),
        number("hs.findings.count", nil, "how many findings it has") { $0.findings.count },
        name("hs.severity", nil, "severity", "the worst of its findings; unknown without any", isOrdered: true) {
            let findings = $0.findings.span
            var worst: Severity?
            for position in findings.indices { worst = max(worst ?? .info, findings[position].code.severity) }
            return worst
        },
    ]

    private static let codes = FindingCode.allCases

    private static let arithmetic: [Field] = [
        truth("hs.arithmetic.syn_ack_ack", "arithmetic.syn_ack_ack.ok", "SYN-ACK acknowledged x+1") { $0.synAckAck.ok },
        truth("hs.arithmetic.ack_seq", "arithmetic.ack_seq.ok", "the final ACK's SEQ was x+1") { $0.ackSeq.ok },
        truth("hs.arithmetic.ack_ack", "arithmetic.ack_ack.ok", "the final ACK acknowledged y+1") { $0.ackAck.ok },
        number("hs.isn.client", "client_isn", "x") { $0.clientISN },
        number("hs.isn.server", "server_isn", "y; unknown where it was not seen") { $0.serverISN },
    ]

    private static let counts: [Field] = [
        number("hs.syn.count", "counts.syn", "SYNs, retransmissions included") { $0.synCount },
        number("hs.synack.count", "counts.syn_ack", "SYN-ACKs, retransmissions included") { $0.synAckCount },
        number("hs.rst.count", "counts.rst", "RSTs") { $0.rstCount },
        number("hs.refusal.count", "counts.refusals", "RSTs that refused a SYN") { $0.refusalCount },
        number("hs.duplicate.count", "counts.capture_duplicates", "frames that were captured twice") {
            $0.duplicateCount
        },
    ]

    private static func text(
        _ name: String, _ path: String, _ summary: String, _ read: @escaping @Sendable (AttemptRecord) -> String?
    ) -> Field { Field(name: name, type: .text, path: path, summary: summary, reader: .text(read)) }

    /// An interval that cannot be told from others is known within its bounds.
    private static func bounds(_ interval: Interval?) -> Bounds? {
        interval.map { interval in
            interval.nanoseconds.map { Bounds(Double($0)) } ?? Bounds(Double(interval.low), Double(interval.high))
        }
    }

    private static let roundTrips: [Field] = [
        duration("hs.rtt.total", "rtt.total_ns", "the handshake's round trip; within bounds where it is ambiguous") {
            bounds($0.total)
        },
        duration("hs.rtt.syn_to_synack", "rtt.syn_to_synack_ns", "from the SYN to the SYN-ACK") {
            bounds($0.synToSynAck)
        },
        duration("hs.rtt.synack_to_ack", "rtt.synack_to_ack_ns", "from the SYN-ACK to the final ACK") {
            bounds($0.synAckToAck)
        },
        name("hs.rtt.provenance", "rtt.provenance", "provenance", "how sure the round trip is") {
            $0.total?.provenance
        },
        duration("hs.setup", "setup_ns", "from the first SYN to the final ACK: what the user waited") { record in
            record.setup.map { Bounds(Double($0)) }
        },
        duration("hs.duration", nil, "from its first segment to the last that belongs to it") { record in
            // The last segment is not known where more came than are kept.
            guard record.segmentsOmitted == 0, let last = record.segments.map(\.at).max() else { return nil }
            return Bounds(Double(max(0, last)))
        },
        duration("hs.refusal", "refusal_ns", "from the SYN to the RST that refused it") { record in
            record.refusal.map { Bounds(Double($0)) }
        },
    ]

    private static let segmentSize: [Field] = [
        number("hs.mss.client", "mss.client", "MSS that the client announced, octets") { $0.clientMSS },
        number("hs.mss.server", "mss.server", "MSS that the server announced") { $0.serverMSS },
        number("hs.mss.client_send", "mss.client_send", "octets that the client may send in a segment") {
            $0.clientSendMSS
        },
        number("hs.mss.server_send", "mss.server_send", "octets that the server may send in a segment") {
            $0.serverSendMSS
        },
        number("hs.mss.negotiated", "mss.negotiated", "the smaller of the two") { $0.negotiatedMSS },
    ]

    private static func options(
        _ side: String, _ options: @escaping @Sendable (AttemptRecord) -> OfferedOptions?
    ) -> [Field] {
        OfferedOptions.entries.map { entry in
            let path = "options.\(side).\(entry.name)"
            let (name, summary) = ("hs.\(path)", "the \(side)'s \(entry.summary)")
            return switch entry.reader {
            case .number(let read): number(name, path, summary) { options($0).flatMap(read) }
            case .truth(let read): truth(name, path, summary) { options($0).flatMap(read) }
            case .word(let noun, let words, let read):
                word(name, path, noun, words, summary) { options($0).flatMap(read) }
            }
        }
    }

    /// What the first SYN or SYN-ACK said; unknown where none was captured.
    private static func opening(
        _ name: String, _ path: String, _ noun: String, _ read: @escaping @Sendable (AttemptRecord) -> SegmentRecord?
    ) -> [Field] {
        [
            number("hs.\(name).hop_limit", "\(path).hop_limit", "time to live or hop limit of the \(noun)") {
                read($0)?.hopLimit
            },
            number("hs.\(name).ip_id", "\(path).ip_id", "the \(noun)'s IPv4 identification") {
                read($0)?.identification
            },
            number("hs.\(name).window", "\(path).window", "the \(noun)'s window in octets, not scaled") {
                read($0)?.window
            },
            number("hs.\(name).len", "\(path).len", "octets of data in the \(noun)") { read($0)?.len },
            number("hs.\(name).tsval", "\(path).tsval", "TSval of the \(noun)") { read($0)?.timestamps?.tsval },
            number("hs.\(name).tsecr", "\(path).tsecr", "TSecr of the \(noun)") { read($0)?.timestamps?.tsecr },
            text("hs.\(name).option_kinds", "\(path).option_kinds", "kinds of the \(noun)'s options: \"2-4-8-1-3\"") {
                read($0)?.optionOrder
            },
            number("hs.\(name).dscp", "\(path).dscp", "the \(noun)'s DSCP") { read($0)?.dscp },
            number("hs.\(name).ecn", "\(path).ecn", "ECN in the \(noun)'s IP header, 0 to 3") { read($0)?.ecn },
            text("hs.\(name).source_mac", "\(path).source_mac", "who sent the \(noun)'s frame on its link") {
                read($0)?.links.source?.description
            },
            text(
                "hs.\(name).destination_mac", "\(path).destination_mac",
                "to whom the \(noun)'s frame was sent on its link"
            ) {
                read($0)?.links.destination?.description
            },
        ]
    }

    private static let circumstances: [Field] = [
        number("hs.icmp.type", "icmp.type", "the type of the ICMP error that quoted its SYN") { $0.unreachable?.type },
        number("hs.icmp.code", "icmp.code", "its code") { $0.unreachable?.code },
        word(
            "hs.icmp.severity", "icmp.severity", "ICMP severity", ["hard", "admin", "soft", "pmtu"],
            "what it means for TCP"
        ) {
            $0.unreachable?.severity.rawValue
        },
        Field(
            name: "hs.icmp.reporter", type: .address, path: "icmp.reporter", summary: "who sent it",
            reader: .address { $0.unreachable?.reporter }),
        Field(
            name: "hs.related", type: .number, path: "related",
            summary: "ids of other attempts on the tuple, or of those that translation relates",
            reader: .numbers { record, test in record.related.reduce(.no) { $0 || test(Double($1)) } }),
        number("hs.copy_of", "copy_of", "the id of the attempt whose copy behind a translator this is") { $0.copyOf },
    ]

    /// What captures at several points say together: unknown without check --points.
    private static let path: [Field] = [
        number("path.points", nil, "with --points: how many of the points captured it") { $0.paths.first?.points },
        truth("path.lost", nil, "with --points: a segment of it was lost between two points") {
            $0.paths.first?.isLost
        },
        truth("path.not_captured", nil, "with --points: a capture lacks a segment of it that passed the point") {
            $0.paths.first?.isNotCaptured
        },
        truth("path.proxied", nil, "with --points: a proxy ends the client's handshake and begins another") {
            $0.paths.first?.isProxied
        },
        truth("path.answered_between", nil, "with --points: something between two points answered") {
            $0.paths.first?.isAnsweredBetween
        },
        name("path.server_outcome", nil, "outcome", "with --points: its outcome at the point nearest to the server") {
            $0.paths.first?.serverOutcome
        },
        duration("path.between", nil, "with --points: between the first and the last point, both ways together") {
            record in record.paths.first?.between.map { Bounds(Double($0)) }
        },
        number("path.hops", nil, "with --points: hops from the first point to the last") { $0.paths.first?.hops },
    ]

    /// Whether something on the way changed a field; known where all points captured the attempt.
    private static let changes: [Field] = PathField.allCases.map { field in
        truth(
            "path.\(field.rawValue.map { $0 == "-" ? "_" : String($0) }.joined()).changed", nil,
            "with --points: \(field.words) differs between two points"
        ) { record in
            guard let path = record.paths.first else { return nil }
            if path.changed.contains(field) { return true }
            return path.points == path.allPoints && !path.isProxied ? false : nil
        }
    }
}
