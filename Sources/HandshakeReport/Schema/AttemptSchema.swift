import HandshakeRecord
import PacketWire

/// The fields of an attempt in records, version 2: one table for JSON, CSV, column types and docs.
package enum AttemptSchema {
    package static let version = 2

    private typealias Field = SchemaField<ReportedAttempt>

    /// In the order of JSON.
    static let fields: [SchemaField<ReportedAttempt>] =
        identity + ends + verdict + numbers + times + offers + evidence

    /// Every leaf under a name of its own.
    static let flat: [SchemaField<ReportedAttempt>] = fields.flatMap { $0.flattened() }

    package static var columns: [SchemaColumn] { fields.map(SchemaColumn.init) }
    package static var flatColumns: [SchemaColumn] { flat.map(SchemaColumn.init) }

    private static let identity: [Field] = [
        Field("type", .word(["attempt"]) { _ in "attempt" }, "What the line is of."),
        Field("schema", .integer(.four) { _ in Int64(version) }, "The version of this schema."),
        Field(
            "uid", .text { $0.record.uid },
            "The attempt's identity: the same in every run that reads its packets with their times. "
                + "A hash of both ends, the virtual network, x (y where no SYN was captured) and the time of the first "
                + "segment.",
            figures: [.uid]),
        Field(
            "community_id", .text { $0.record.communityID(seed: $0.context.communitySeed) },
            "The connection's Community ID, version 1; in a tunnel that of the inner addresses.",
            figures: [.communityID]),
        Field(
            "outer_community_id",
            .text { attempt in
                let record = attempt.record
                let path = record.clientPath.outer == nil ? record.serverPath : record.clientPath
                return CommunityID.text(
                    around: path, record.client.address.version, seed: attempt.context.communitySeed)?.description
            },
            "The Community ID of the tunnel's packets: of GRE, EtherIP and IP in IP.",
            null: "no such tunnel; ports of tunnels over UDP are not kept"),
        Field(
            "id", .integer(.eight) { Int64(clamping: $0.record.id) },
            "The number of the attempt's first frame, among those of all files.", figures: [.id]),
        Field(
            "capture",
            .object(
                [
                    Field(
                        "file", .text { $0.record.segments.first?.place?.file ?? $0.context.file },
                        "The file of the attempt's first frame.", null: "a live capture"),
                    Field(
                        "interface", .text { $0.context.interface }, "The interface of a live capture.",
                        null: "a file, or several interfaces"),
                    Field(
                        "sensor", .text { $0.context.sensor }, "The name that --sensor gave.", null: "none was given"),
                ]) { _ in true }, "Where the packets came from."),
    ]

    private static func end(
        _ name: String, _ noun: String, _ figures: [PlainFigure],
        _ read: @escaping @Sendable (AttemptRecord) -> Endpoint
    ) -> Field {
        Field(
            name,
            .object(
                [
                    Field("ip", .address { read($0.record).address }, "The \(noun)'s address.", figures: [figures[0]]),
                    Field(
                        "port", .integer(.four) { Int64(read($0.record).port) }, "The \(noun)'s port.",
                        figures: [figures[1]]),
                ]) { _ in true }, "The \(noun): \(noun == "client" ? "who sent the SYN" : "who was called").")
    }

    private static let ends: [Field] = [
        end("client", "client", [.clientAddress, .clientPort]) { $0.client },
        end("server", "server", [.serverAddress, .serverPort]) { $0.server },
        Field(
            "tunnel",
            .object(
                [
                    Field("kinds", .texts { $0.record.tunnels.names }, "The encapsulations, each once."),
                    network("network", "client") { $0.network },
                    network("server_network", "server") { $0.serverNetwork },
                    path("client") { $0.clientPath }, path("server") { $0.serverPath },
                ]) { !$0.record.tunnels.isEmpty }, "How the segments were carried.", null: "in no tunnel"),
        Field(
            "vlan",
            .object(
                [
                    Field(
                        "client", .integers(.four) { $0.record.clientVLAN.map(Int64.init) },
                        "VLAN identifiers around the client's segments, outermost first."),
                    Field(
                        "server", .integers(.four) { $0.record.serverVLAN.map(Int64.init) },
                        "VLAN identifiers around the server's segments, outermost first."),
                ]) { _ in true }, "VLAN tags."),
    ]

    private static func network(
        _ name: String, _ side: String, _ read: @escaping @Sendable (AttemptRecord) -> VirtualNetwork
    ) -> Field {
        Field(
            name,
            .object(
                [
                    Field(
                        "kind", .text { read($0.record) == .none ? nil : "\(read($0.record).kind)" },
                        "What has the identifier: vxlan, geneve or nvgre.", null: "no tunnel"),
                    Field(
                        "id", .integer(.four) { read($0.record) == .none ? nil : Int64(read($0.record).id) },
                        "The VNI, or the VSID of NVGRE.", null: "no tunnel"),
                ]) { read($0.record) != .none }, "The virtual network of the \(side)'s segments.", null: "none")
    }

    private static func path(_ side: String, _ read: @escaping @Sendable (AttemptRecord) -> TunnelPath) -> Field {
        let layers: [SchemaField<TunnelPath.Layer>] = [
            .init("kind", .text { $0.tunnel.name }, "The encapsulation."),
            .init(
                "identifier", .text { $0.tunnel.identifierName }, "What its number is called.", null: "it has none"),
            .init(
                "id", .integer(.eight) { $0.tunnel.identifierName == nil ? nil : $0.id.map(Int64.init) }, "The number.",
                null: "it has none"),
        ]
        return Field(
            side,
            .object(
                [
                    Field("layers", .objects(SchemaList(layers) { read($0.record).layers }), "Outermost first."),
                    Field(
                        "outer",
                        .object(
                            [
                                Field(
                                    "source", .address { read($0.record).outer?.source }, "Who sent the outer packet.",
                                    null: "no IP packet around it"),
                                Field(
                                    "destination", .address { read($0.record).outer?.destination },
                                    "To whom it was sent.", null: "no IP packet around it"),
                            ]) { read($0.record).outer != nil }, "The addresses around it.",
                        null: "no IP packet around it"),
                ]) { !read($0.record).isEmpty }, "How the \(side)'s first encapsulated segment was carried.",
            null: "in no tunnel")
    }

    private static func word<Word: CaseIterable & RawRepresentable>(
        _ name: String, _ meaning: String, null: String? = nil, _ read: @escaping @Sendable (AttemptRecord) -> Word?
    ) -> Field where Word.RawValue == String, Word: SendableMetatype {
        Field(name, .word(Word.allCases.map(\.rawValue)) { read($0.record)?.rawValue }, meaning, null: null)
    }

    private static let verdict: [Field] = [
        word("outcome", "What became of the attempt (synscope explain).") { $0.outcome as Outcome? },
        word("failed_because", "Why the client did not get its connection.", null: "it did, or that is not known") {
            $0.failedBecause
        },
        word("form", "The form of the handshake.", null: "neither SYN was answered by the other's") { $0.form },
        word("completed_by", "What completed it.", null: "it did not complete") { $0.completedBy },
        Field(
            "starts_at", .word(["syn", "syn-ack"]) { $0.record.startsAtSYN ? "syn" : "syn-ack" },
            "Whether the SYN was captured."),
        word("ended", "What decided it.") { $0.ended as Ending? },
        word("confidence", "How far the record can be trusted.") { $0.confidence as Confidence? },
        Field(
            "doubtful", .truth { $0.record.isDoubtful },
            "Whether segments that nobody vouches for may have made it up, or its outcome: "
                + "assertions are then not known."),
        Field(
            "client_isn", .integer(.eight) { Int64($0.record.clientISN) },
            "x; where no SYN was captured, as the SYN-ACK implies.", figures: [.clientISN]),
        Field(
            "server_isn", .integer(.eight) { $0.record.serverISN.map(Int64.init) }, "y.",
            null: "no SYN of the server, nor an ACK of it, was captured", figures: [.serverISN]),
    ]

    private static func check(
        _ name: String, _ meaning: String, _ expected: PlainFigure,
        _ read: @escaping @Sendable (AttemptRecord) -> ArithmeticCheck
    ) -> Field {
        Field(
            name,
            .object(
                [
                    Field(
                        "expected", .integer(.eight) { read($0.record).expected.map(Int64.init) },
                        "The number that is right.",
                        null: "not known", figures: [expected]),
                    Field(
                        "expected_max", .integer(.eight) { read($0.record).expectedMax.map(Int64.init) },
                        "The largest number that is right, where SYN or SYN-ACK had data.",
                        null: "there is one right number"),
                    Field(
                        "actual", .integer(.eight) { read($0.record).actual.map(Int64.init) }, "The number that came.",
                        null: "none was captured", figures: [expected]),
                    Field("ok", .truth { read($0.record).ok }, "Whether it is right.", null: "not known"),
                ]) { _ in true }, meaning)
    }

    private static func count(_ name: String, _ meaning: String, _ read: @escaping @Sendable (AttemptRecord) -> Int)
        -> Field
    {
        Field(name, .integer(.four) { Int64(read($0.record)) }, meaning)
    }

    private static let numbers: [Field] = [
        Field(
            "arithmetic",
            .object(
                [
                    check("syn_ack_ack", "SEG.ACK of the SYN-ACK against x+1 (RFC 9293 3.10.7.3).", .clientNext) {
                        $0.synAckAck
                    },
                    check("ack_seq", "SEG.SEQ of the final ACK against x+1.", .clientNext) { $0.ackSeq },
                    check("ack_ack", "SEG.ACK of the final ACK against y+1.", .serverNext) { $0.ackAck },
                ]) { _ in true }, "The sums of the handshake."),
        Field(
            "counts",
            .object(
                [
                    count("syn", "SYNs, each packet once.") { $0.synCount },
                    count("syn_ack", "SYN-ACKs, each packet once.") { $0.synAckCount },
                    count("rst", "RSTs of both sides.") { $0.rstCount },
                    count("refusals", "RSTs that acknowledge the SYN.") { $0.refusalCount },
                    count("capture_duplicates", "Further sightings of packets.") { $0.duplicateCount },
                ]) { _ in true }, "How many segments there were."),
    ]

    private static func duration(
        _ name: String, _ meaning: String, null: String, _ figures: [PlainFigure],
        _ read: @escaping @Sendable (AttemptRecord) -> Int64?
    ) -> Field { Field(name, .integer(.eight) { read($0.record) }, meaning, unit: "ns", null: null, figures: figures) }

    private static func leg(
        _ name: String, _ figure: PlainFigure, _ read: @escaping @Sendable (AttemptRecord) -> Interval?
    ) -> Field {
        Field(
            name,
            .object(
                [
                    word("provenance", "What the figure rests on.") { read($0)?.provenance },
                    duration("low_ns", "It is no less than this.", null: "not known", [figure]) { read($0)?.low },
                    duration("high_ns", "It is no more than this.", null: "not known", [figure]) { read($0)?.high },
                ]) { read($0.record) != nil }, "A leg of it, with its bounds.", null: "not known")
    }

    private static let times: [Field] = [
        Field(
            "first_time", .time { $0.record.firstTime }, "When the first segment was captured (RFC 3339, UTC).",
            figures: [.firstTimeText]),
        Field(
            "first_time_ns", .integer(.eight) { $0.record.firstTime }, "The same since the epoch.", unit: "ns",
            figures: [.firstTime]),
        Field(
            "rtt",
            .object(
                [
                    duration(
                        "syn_to_synack_ns", "From the SYN to the SYN-ACK.", null: "not known, or bounds only",
                        [.synToSynAck]
                    ) { $0.synToSynAck?.nanoseconds },
                    duration(
                        "synack_to_ack_ns", "From the SYN-ACK to the final ACK.", null: "not known, or bounds only",
                        [.synAckToAck]
                    ) { $0.synAckToAck?.nanoseconds },
                    duration(
                        "total_ns", "The handshake's round trip: both legs.", null: "not known, or bounds only",
                        [.total]
                    ) { $0.total?.nanoseconds },
                    word("provenance", "What the round trip rests on.", null: "not known") { $0.total?.provenance },
                    duration("low_ns", "The round trip is no less than this.", null: "not known", [.total]) {
                        $0.total?.low
                    },
                    duration("high_ns", "The round trip is no more than this.", null: "not known", [.total]) {
                        $0.total?.high
                    },
                    word("unknown_because", "Why no figure is given.", null: "one is given") { $0.unknownBecause },
                    Field(
                        "legs",
                        .object([
                            leg("syn_to_synack", .synToSynAck) { $0.synToSynAck },
                            leg("synack_to_ack", .synAckToAck) { $0.synAckToAck },
                        ]) { _ in true }, "Both legs with their bounds."),
                ]) { _ in true }, "Round trips."),
        duration(
            "setup_ns", "From the first SYN to the final ACK, retransmissions included.", null: "not known", [.total]
        ) { $0.setup },
        duration("refusal_ns", "From the SYN to the RST that refused it.", null: "not refused, or not known", []) {
            $0.refusal
        },
    ]

    private static func size(_ name: String, _ meaning: String, _ read: @escaping @Sendable (AttemptRecord) -> UInt16?)
        -> Field
    {
        Field(
            name, .integer(.four) { read($0.record).map(Int64.init) }, meaning, unit: "octets",
            null: "absent, or not known")
    }

    /// The fields of one SYN or SYN-ACK.
    private static func opening(
        _ name: String, _ noun: String, _ window: PlainFigure, _ identification: PlainFigure, _ tsval: PlainFigure,
        _ tsecr: [PlainFigure], _ frame: PlainFigure,
        _ read: @escaping @Sendable (ReportedAttempt) -> SegmentRecord?
    ) -> Field {
        func integer(
            _ name: String, _ width: IntegerWidth, _ meaning: String, unit: String? = nil, null: String? = nil,
            _ figures: [PlainFigure] = [], _ value: @escaping @Sendable (SegmentRecord) -> Int64?
        ) -> Field {
            Field(
                name, .integer(width) { read($0).flatMap(value) }, meaning, unit: unit,
                null: null ?? "none was captured", figures: figures)
        }
        func text(
            _ name: String, _ meaning: String, null: String, _ value: @escaping @Sendable (SegmentRecord) -> String?
        ) -> Field { Field(name, .text { read($0).flatMap(value) }, meaning, null: null) }
        let noLink = "none was captured, or its link type has none"
        return Field(
            name,
            .object(
                [
                    integer("frame", .eight, "The number of its frame.", [frame]) { Int64(clamping: $0.frame) },
                    integer("hop_limit", .four, "Time to live or hop limit as captured.") { Int64($0.hopLimit) },
                    integer(
                        "ip_id", .four, "Identification of its IPv4 packet.", null: "none was captured, or IPv6",
                        [identification]
                    ) { $0.identification.map(Int64.init) },
                    integer("window", .four, "SEG.WND as in the header, not scaled.", unit: "octets", [window]) {
                        Int64($0.window)
                    },
                    integer("len", .four, "Payload.", unit: "octets") { Int64($0.len) },
                    integer("tsval", .eight, "TSval (RFC 7323 3.2).", null: "no timestamps", [tsval]) {
                        $0.timestamps.map { Int64($0.tsval) }
                    },
                    integer("tsecr", .eight, "TSecr (RFC 7323 3.2).", null: "no timestamps", tsecr) {
                        $0.timestamps.map { Int64($0.tsecr) }
                    },
                    text(
                        "option_kinds",
                        "Kinds of its options in their order, as in 2-4-8-1-3, up to the first 0; "
                            + "empty without options.",
                        null: "none was captured whole", { $0.optionOrder }),
                    integer("dscp", .four, "Differentiated services code point of its IP packet (RFC 2474).") {
                        Int64($0.dscp)
                    },
                    integer("ecn", .four, "The ECN field of its IP packet (RFC 3168).") { Int64($0.ecn) },
                    text("source_mac", "Who sent its frame on the link.", null: noLink) {
                        $0.links.source?.description
                    },
                    text("destination_mac", "To whom its frame was sent on the link.", null: noLink) {
                        $0.links.destination?.description
                    },
                ]) { read($0) != nil }, "What the first \(noun) said.", null: "none was captured")
    }

    private static func options(
        _ name: String, _ frame: PlainFigure, _ read: @escaping @Sendable (AttemptRecord) -> OfferedOptions?
    ) -> Field {
        let entries = OfferedOptions.entries.map { entry in
            let null = "not offered, or not known"
            return switch entry.reader {
            case .number(let value):
                Field(
                    entry.name, .integer(.four) { read($0.record).flatMap(value).map(Int64.init) },
                    "The \(name)'s \(entry.summary).", null: null)
            case .truth(let value):
                Field(
                    entry.name, .truth { read($0.record).flatMap(value) }, "The \(name)'s \(entry.summary).", null: null
                )
            case .word(_, let words, let value):
                Field(
                    entry.name, .word(words) { read($0.record).flatMap(value) }, "The \(name)'s \(entry.summary).",
                    null: null)
            }
        }
        return Field(
            name,
            .object(
                entries + [
                    Field(
                        "from_frame", .integer(.eight) { read($0.record).map { Int64(clamping: $0.fromFrame) } },
                        "The frame that they were read from.", null: "not known", figures: [frame])
                ]
            ) { read($0.record) != nil }, "What the \(name)'s SYN\(name == "server" ? "-ACK" : "") offered.",
            null: "it was not captured whole")
    }

    private static let offers: [Field] = [
        Field(
            "mss",
            .object(
                [
                    size("client", "As the client announced it.") { $0.clientMSS },
                    size("server", "As the server announced it.") { $0.serverMSS },
                    size("client_send", "The most that the client may send in a segment (RFC 9293 3.7.1).") {
                        $0.clientSendMSS
                    },
                    size("server_send", "The most that the server may send in a segment.") { $0.serverSendMSS },
                    size("negotiated", "The smaller of the two.") { $0.negotiatedMSS },
                ]) { _ in true }, "Maximum segment sizes."),
        Field(
            "options",
            .object([options("client", .id) { $0.clientOptions }, options("server", .synAckFrame) { $0.serverOptions }])
            { _ in true },
            "TCP options of SYN and SYN-ACK."),
        opening("syn", "SYN", .synWindow, .synIdentification, .synTSval, [], .id) { $0.record.syn },
        opening("syn_ack", "SYN-ACK", .synAckWindow, .synAckIdentification, .synAckTSval, [.synAckTSecr], .synAckFrame)
        { $0.record.synAck },
    ]

    private static func icmp<Subject>(_ null: String, _ read: @escaping @Sendable (Subject) -> UnreachableReport?)
        -> SchemaField<Subject>
    {
        SchemaField(
            "icmp",
            .object(
                [
                    .init("type", .integer(.four) { read($0).map { Int64($0.type) } }, "Its type.", null: null),
                    .init("code", .integer(.four) { read($0).map { Int64($0.code) } }, "Its code.", null: null),
                    .init(
                        "severity", .word(ICMPError.Severity.allCases.map(\.rawValue)) { read($0)?.severity.rawValue },
                        "How it bears on the attempt.", null: null),
                    .init("reporter", .address { read($0)?.reporter }, "Who sent it.", null: null),
                    .init(
                        "frame", .integer(.eight) { read($0).map { Int64(clamping: $0.frame) } },
                        "The number of its frame.", null: null),
                ]) { read($0) != nil }, "An ICMP error that quotes the attempt.", null: null)
    }

    private static let segments: [SchemaField<SegmentRecord>] = [
        .init("kind", .word(SegmentRecord.Kind.allCases.map(\.rawValue)) { $0.kind.rawValue }, "What it is."),
        .init(
            "from",
            .word(["client", "server", "network"]) {
                $0.kind == .icmp ? "network" : $0.fromClient ? "client" : "server"
            }, "Who sent it."),
        .init(
            "frame", .integer(.eight) { Int64(clamping: $0.frame) }, "The number of its frame.",
            figures: [.id, .synAckFrame, .ackFrame]),
        .init(
            "file", .text { $0.place?.file }, "The file that has the frame, if there are several.",
            null: "there is one, or it is not known"),
        .init(
            "file_frame", .integer(.eight) { $0.place.map { Int64(clamping: $0.frame) } },
            "The number of the frame in it.", null: "there is one, or it is not known",
            figures: [.synFileFrame, .synAckFileFrame, .ackFileFrame]),
        .init(
            "at_ns", .integer(.eight) { $0.at }, "Time since the attempt's first segment.", unit: "ns",
            figures: [nil, .synToSynAck, .total]),
        .init("seq", .integer(.eight) { Int64($0.seq) }, "SEG.SEQ.", figures: [.clientISN, .serverISN, .clientNext]),
        .init(
            "ack", .integer(.eight) { Int64($0.ack) }, "SEG.ACK; 0 without the ACK flag.",
            figures: [nil, .clientNext, .serverNext]),
        .init("len", .integer(.eight) { Int64($0.len) }, "Payload.", unit: "octets", figures: [nil, nil, .ackPayload]),
        .init("flags", .text { $0.kind == .icmp ? "" : $0.flags.description }, "Its control bits."),
        .init("capture_duplicate", .truth { $0.isDuplicate }, "Whether it is a further sighting of a packet."),
        icmp("no ICMP error") { $0.icmp },
        .init("comment", .text { $0.comment }, "The capture file's comment on the frame.", null: "none"),
    ]

    private static let findings: [SchemaField<Finding>] = [
        .init("code", .word(FindingCode.allCases.map(\.rawValue)) { $0.code.rawValue }, "Its code (synscope explain)."),
        .init("severity", .word(Severity.allCases.map(\.rawValue)) { $0.code.severity.rawValue }, "How bad it is."),
        .init("frames", .integers(.eight) { $0.frames.map { Int64(clamping: $0) } }, "The frames that show it."),
        .init(
            "expected", .integer(.eight) { $0.expected.map(Int64.init) }, "The number that is right.",
            null: "it is not about a number"),
        .init(
            "actual", .integer(.eight) { $0.actual.map(Int64.init) }, "The number that came.",
            null: "it is not about a number"),
        .init("gaps_ns", .integers(.eight) { $0.gaps ?? [] }, "Times between repetitions.", unit: "ns"),
        .init(
            "schedule", .word(RetransmissionSchedule.allCases.map(\.rawValue)) { $0.schedule?.rawValue },
            "The retransmission schedule that the gaps fit.", null: "none fits, or it is not about repetitions"),
        .init(
            "where", .word(Finding.Location.allCases.map(\.rawValue)) { $0.location?.rawValue },
            "Where a segment was lost.", null: "it is not about a loss"),
        .init("evidence", .text { $0.evidence }, "What shows it.", null: "its frames say all"),
        .init("alternatives", .texts { $0.alternatives }, "What else would look the same."),
    ]

    private static let evidence: [Field] = [
        icmp("no ICMP error decided it") { $0.record.unreachable },
        Field(
            "related", .integers(.eight) { $0.record.related.map { Int64(clamping: $0) } },
            "Ids of other attempts on the tuple, and of translated ones."),
        Field(
            "copy_of", .integer(.eight) { $0.record.copyOf.map { Int64(clamping: $0) } },
            "The id of the attempt whose copy behind an address translator this is.", null: "it is none"),
        Field(
            "segments", .objects(SchemaList(segments) { $0.record.segments }),
            "Its segments, the first 24 and the last 8."),
        Field(
            "segments_omitted", .integer(.eight) { Int64($0.record.segmentsOmitted) },
            "Segments between those that are not listed."),
        Field(
            "findings",
            .objects(SchemaList(findings, words: { $0.record.findings.map(\.code.rawValue) }) { $0.record.findings }),
            "What stands out. Where lists cannot be nested: the codes."),
        Field(
            "display_filter",
            .pattern { attempt, isMarked in
                isMarked
                    ? DisplayFilter.marked(attempt.record, attempt.context.numbering)
                    : DisplayFilter.text(attempt.record, attempt.context.numbering)
            }, "Wireshark's display filter for it."),
    ]
}
