public import HandshakeRecord
import PacketWire

// A record as JSON Lines have it, by the table of its schema (docs/records.md).
extension AttemptRecord: Codable {
    /// Writes every field of the schema; those that are not known are null.
    public func encode(to encoder: any Encoder) throws {
        var writer = CodingWriter(encoder)
        writer.write(AttemptSchema.fields, of: ReportedAttempt(self, RecordContext()))
        if let error = writer.error { throw error }
    }

    /// Reads a record of version 2.
    ///
    /// The schema has less than a record: of segments other than the first SYN and SYN-ACK no window, hop limit,
    /// identification or options (they are 0 and nil), and nothing of the capture (`captureStart` is the first time).
    /// What it computes from other fields is not read.
    /// - Throws: `DecodingError` where a field is missing, or has a value that the schema does not know.
    public init(from decoder: any Decoder) throws {
        let fields = Fields(container: try decoder.container(keyedBy: FieldName.self))
        let version: Int = try fields.need("schema")
        guard version == AttemptSchema.version else {
            throw fields.error("schema", "it is of version \(version): version \(AttemptSchema.version) is read")
        }
        self.init(
            id: try fields.need("id"), client: try fields.endpoint("client"), server: try fields.endpoint("server"))
        if let tunnel = try fields.object("tunnel") {
            tunnels = Tunnels(try Fields.tunnels(tunnel, "kinds"))
            network = try tunnel.network("network")
            serverNetwork = try tunnel.network("server_network")
            clientPath = try tunnel.path("client")
            serverPath = try tunnel.path("server")
        }
        let vlan = try fields.needObject("vlan")
        (clientVLAN, serverVLAN) = (try vlan.need("client"), try vlan.need("server"))
        try readVerdict(fields)
        try readTimes(fields)
        let mss = try fields.needObject("mss")
        (clientMSS, serverMSS) = (try mss.value("client"), try mss.value("server"))
        (clientSendMSS, serverSendMSS) = (try mss.value("client_send"), try mss.value("server_send"))
        negotiatedMSS = try mss.value("negotiated")
        let options = try fields.needObject("options")
        clientOptions = try options.object("client").map { try OfferedOptions($0) }
        serverOptions = try options.object("server").map { try OfferedOptions($0) }
        unreachable = try fields.object("icmp").map { try UnreachableReport($0) }
        (related, copyOf) = (try fields.need("related"), try fields.value("copy_of"))
        segmentsOmitted = try fields.need("segments_omitted")
        segments = try fields.objects("segments").map { try SegmentRecord($0) }
        findings = try fields.objects("findings").map { try Finding($0) }
        for (name, offered) in [("syn", clientOptions), ("syn_ack", serverOptions)] {
            guard let opening = try fields.object(name) else { continue }
            let frame: UInt64 = try opening.need("frame")
            guard let place = segments.firstIndex(where: { $0.frame == frame && !$0.isDuplicate }) else { continue }
            try segments[place].read(opening, offered, mss: name == "syn" ? clientMSS : serverMSS)
        }
        try readIdentity(fields)
    }

    private mutating func readVerdict(_ fields: Fields) throws {
        outcome = try fields.needWord("outcome")
        (form, completedBy) = (try fields.word("form"), try fields.word("completed_by"))
        startsAtSYN = try fields.need("starts_at") as String == "syn"
        (ended, confidence) = (try fields.needWord("ended"), try fields.needWord("confidence"))
        isDoubtful = try fields.need("doubtful")
        (clientISN, serverISN) = (try fields.need("client_isn"), try fields.value("server_isn"))
        let arithmetic = try fields.needObject("arithmetic")
        synAckAck = try arithmetic.check("syn_ack_ack")
        (ackSeq, ackAck) = (try arithmetic.check("ack_seq"), try arithmetic.check("ack_ack"))
        let counts = try fields.needObject("counts")
        (synCount, synAckCount) = (try counts.need("syn"), try counts.need("syn_ack"))
        (rstCount, refusalCount) = (try counts.need("rst"), try counts.need("refusals"))
        duplicateCount = try counts.need("capture_duplicates")
    }

    private mutating func readTimes(_ fields: Fields) throws {
        firstTime = try fields.need("first_time_ns")
        captureStart = firstTime
        (setup, refusal) = (try fields.value("setup_ns"), try fields.value("refusal_ns"))
        let rtt = try fields.needObject("rtt")
        let legs = try rtt.needObject("legs")
        (synToSynAck, synAckToAck) = (
            try Interval(legs.object("syn_to_synack"), nanoseconds: rtt.value("syn_to_synack_ns")),
            try Interval(legs.object("synack_to_ack"), nanoseconds: rtt.value("synack_to_ack_ns"))
        )
        total = try rtt.value("low_ns") as Int64? == nil ? nil : Interval(rtt, nanoseconds: rtt.value("total_ns"))
        unknownBecause = try rtt.word("unknown_because")
    }

    /// The uid has the ordinal, which no other field has.
    private mutating func readIdentity(_ fields: Fields) throws {
        let uid: String = try fields.need("uid")
        while self.uid != uid {
            guard ordinal < 64 else { throw fields.error("uid", "it is not that of these ends, numbers and times") }
            ordinal += 1
        }
    }
}

/// An object of a record that is read.
private struct Fields {
    let container: KeyedDecodingContainer<FieldName>

    func error(_ name: String, _ message: String) -> DecodingError {
        .dataCorrupted(
            .init(codingPath: container.codingPath + [FieldName(stringValue: name)], debugDescription: message))
    }

    /// Nil where it is null. Every field is there.
    func value<Value: Decodable>(_ name: String) throws -> Value? {
        try container.decode(Value?.self, forKey: FieldName(stringValue: name))
    }

    func need<Value: Decodable>(_ name: String) throws -> Value {
        try container.decode(Value.self, forKey: FieldName(stringValue: name))
    }

    /// One of the words of an enumeration.
    func word<Word: RawRepresentable<String>>(_ name: String) throws -> Word? {
        guard let text: String = try value(name) else { return nil }
        guard let word = Word(rawValue: text) else { throw error(name, "'\(text)' is none of its words") }
        return word
    }

    func needWord<Word: RawRepresentable<String>>(_ name: String) throws -> Word {
        guard let word: Word = try word(name) else { throw error(name, "it is null") }
        return word
    }

    func address(_ name: String) throws -> IPAddress? {
        guard let text: String = try value(name) else { return nil }
        guard let address = IPAddress(text) else { throw error(name, "it is no address") }
        return address
    }

    func needAddress(_ name: String) throws -> IPAddress {
        guard let address = try address(name) else { throw error(name, "it is null") }
        return address
    }

    func needObject(_ name: String) throws -> Fields {
        Fields(container: try container.nestedContainer(keyedBy: FieldName.self, forKey: FieldName(stringValue: name)))
    }

    func object(_ name: String) throws -> Fields? {
        try container.decodeNil(forKey: FieldName(stringValue: name)) ? nil : needObject(name)
    }

    func objects(_ name: String) throws -> [Fields] {
        var list = try container.nestedUnkeyedContainer(forKey: FieldName(stringValue: name))
        var all: [Fields] = []
        while !list.isAtEnd { all.append(Fields(container: try list.nestedContainer(keyedBy: FieldName.self))) }
        return all
    }

    func endpoint(_ name: String) throws -> Endpoint {
        let end = try needObject(name)
        return Endpoint(try end.needAddress("ip"), try end.need("port"))
    }

    func check(_ name: String) throws -> ArithmeticCheck {
        let check = try needObject(name)
        return ArithmeticCheck(
            expected: try check.value("expected"), expectedMax: try check.value("expected_max"),
            actual: try check.value("actual"), ok: try check.value("ok"))
    }

    static func tunnels(_ fields: Fields, _ name: String) throws -> [Tunnel] {
        let names: [String] = try fields.need(name)
        return try names.map { try fields.tunnel(name, $0) }
    }

    private func tunnel(_ field: String, _ name: String) throws -> Tunnel {
        guard let tunnel = Tunnel.allCases.first(where: { $0.name == name }) else {
            throw error(field, "'\(name)' is no encapsulation")
        }
        return tunnel
    }

    func network(_ name: String) throws -> VirtualNetwork {
        guard let network = try object(name) else { return .none }
        let kinds: [VirtualNetwork.Kind] = [.vxlan, .geneve, .nvgre]
        let text: String = try network.need("kind")
        guard let kind = kinds.first(where: { "\($0)" == text }) else {
            throw network.error("kind", "'\(text)' is no virtual network")
        }
        return VirtualNetwork(kind: kind, id: try network.need("id"))
    }

    func path(_ name: String) throws -> TunnelPath {
        guard let path = try object(name) else { return TunnelPath() }
        let layers = try path.objects("layers").map { layer in
            TunnelPath.Layer(try layer.tunnel("kind", layer.need("kind")), id: try layer.value("id"))
        }
        let outer = try path.object("outer").map { (try $0.needAddress("source"), try $0.needAddress("destination")) }
        return TunnelPath(layers, outer: outer)
    }
}

extension Interval {
    /// - Parameter leg: its provenance and bounds; nil for none.
    fileprivate init?(_ leg: Fields?, nanoseconds: Int64?) throws {
        guard let leg else { return nil }
        self.init(
            nanoseconds: nanoseconds, provenance: try leg.needWord("provenance"), low: try leg.need("low_ns"),
            high: try leg.need("high_ns"))
    }
}

extension OfferedOptions {
    fileprivate init(_ fields: Fields) throws {
        self.init(fromFrame: try fields.need("from_frame"))
        (windowScale, sackPermitted) = (try fields.value("window_scale"), try fields.value("sack_permitted"))
        (timestamps, fastOpen) = (try fields.value("timestamps"), try fields.value("fast_open"))
        (mptcp, ecn, accurateECN) = (
            try fields.value("mptcp"), try fields.value("ecn"), try fields.value("accurate_ecn")
        )
    }
}

extension UnreachableReport {
    fileprivate init(_ fields: Fields) throws {
        self.init(
            type: try fields.need("type"), code: try fields.need("code"), severity: try fields.needWord("severity"),
            reporter: try fields.needAddress("reporter"), frame: try fields.need("frame"))
    }
}

extension SegmentRecord {
    fileprivate init(_ fields: Fields) throws {
        let (kind, from): (Kind, String) = (try fields.needWord("kind"), try fields.need("from"))
        self.init(kind, fromClient: from == "client", frame: try fields.need("frame"), at: try fields.need("at_ns"))
        isDuplicate = try fields.need("capture_duplicate")
        (seq, ack, len) = (try fields.need("seq"), try fields.need("ack"), try fields.need("len"))
        let text: String = try fields.need("flags")
        guard let flags = TCPFlags(text) else { throw fields.error("flags", "'\(text)' are no control bits") }
        self.flags = flags
        icmp = try fields.object("icmp").map { try UnreachableReport($0) }
        comment = try fields.value("comment")
        if let file: String = try fields.value("file"), let frame: UInt64 = try fields.value("file_frame") {
            place = Place(file: file, frame: frame)
        }
    }

    /// Takes what a record says of its first SYN or SYN-ACK.
    fileprivate mutating func read(_ opening: Fields, _ offered: OfferedOptions?, mss: UInt16?) throws {
        (hopLimit, window) = (try opening.need("hop_limit"), try opening.need("window"))
        identification = try opening.value("ip_id")
        if let tsval: UInt32 = try opening.value("tsval"), let tsecr: UInt32 = try opening.value("tsecr") {
            timestamps = (tsval, tsecr)
        }
        let order: String? = try opening.value("option_kinds")
        optionKinds = order?.split(separator: "-").compactMap { UInt8($0) }
        let (dscp, ecn): (UInt8, UInt8) = (try opening.need("dscp"), try opening.need("ecn"))
        trafficClass = dscp << 2 | ecn & 3
        links = LinkAddresses(source: try opening.link("source_mac"), destination: try opening.link("destination_mac"))
        (self.mss, windowScale, sackPermitted) = (mss, offered?.windowScale, offered?.sackPermitted ?? false)
    }
}

extension Fields {
    fileprivate func link(_ name: String) throws -> LinkAddress? {
        guard let text: String = try value(name) else { return nil }
        guard let address = LinkAddress(text) else { throw error(name, "it is no link address") }
        return address
    }
}

extension Finding {
    fileprivate init(_ fields: Fields) throws {
        self.init(try fields.needWord("code"), try fields.need("frames"))
        (expected, actual) = (try fields.value("expected"), try fields.value("actual"))
        let times: [Int64] = try fields.need("gaps_ns")
        if !times.isEmpty { gaps = times }
        (schedule, location) = (try fields.word("schedule"), try fields.word("where"))
        (evidence, alternatives) = (try fields.value("evidence"), try fields.need("alternatives"))
    }
}
