import HandshakeRecord
import PacketWire

/// Attempts under the names of another schema, a line each (docs/records.md has the tables).
package enum RecordMapping: Sendable {
    /// Elastic Common Schema 8.17.
    case ecs
    /// OCSF 1.3.0, class Network Activity (4001).
    case ocsf

    var fields: [SchemaField<ReportedAttempt>] { self == .ecs ? RecordMapping.ecsFields : RecordMapping.ocsfFields }

    private typealias Field = SchemaField<ReportedAttempt>

    private static func object(_ name: String, _ fields: [Field]) -> Field {
        Field(name, .object(fields) { _ in true }, "")
    }

    private static func fixed(_ name: String, _ text: String) -> Field { Field(name, .text { _ in text }, "") }

    private static func fixed(_ name: String, _ number: Int64) -> Field {
        Field(name, .integer(.four) { _ in number }, "")
    }

    private static let findings = Field("findings", .texts { $0.record.findings.map(\.code.rawValue) }, "")

    // MARK: ECS

    private static func end(
        _ name: String, _ figures: [PlainFigure], _ read: @escaping @Sendable (AttemptRecord) -> Endpoint
    ) -> Field {
        object(
            name,
            [
                Field("ip", .address { read($0.record).address }, "", figures: [figures[0]]),
                Field("port", .integer(.four) { Int64(read($0.record).port) }, "", figures: [figures[1]]),
            ])
    }

    private static let ecsFields: [Field] = [
        Field("@timestamp", .time { $0.record.firstTime }, "", figures: [.firstTimeText]),
        object("ecs", [fixed("version", "8.17.0")]),
        object(
            "event",
            [
                fixed("kind", "event"), Field("category", .texts { _ in ["network"] }, ""),
                Field("type", .texts { ["connection", eventType($0.record)] }, ""), fixed("action", "tcp-handshake"),
                fixed("module", "synscope"), fixed("dataset", "synscope.attempt"),
                Field("id", .text { $0.record.uid }, "", figures: [.uid]),
                Field("outcome", .text { eventOutcome($0.record) }, ""),
                Field("reason", .text { $0.record.failedBecause?.text }, ""),
                Field("start", .time { $0.record.firstTime }, "", figures: [.firstTimeText]),
                Field("duration", .integer(.eight) { $0.record.setup }, "", figures: [.total]),
            ]),
        end("source", [.clientAddress, .clientPort]) { $0.client },
        end("destination", [.serverAddress, .serverPort]) { $0.server },
        object(
            "network",
            [
                fixed("transport", "tcp"), fixed("iana_number", "6"),
                Field("type", .text { $0.record.client.address.version == .v4 ? "ipv4" : "ipv6" }, ""),
                Field(
                    "community_id", .text { $0.record.communityID(seed: $0.context.communitySeed) }, "",
                    figures: [.communityID]),
                object("vlan", [Field("id", .text { $0.record.clientVLAN.first.map { "\($0)" } }, "")]),
            ]),
        object(
            "observer",
            [
                fixed("product", "synscope"), fixed("type", "network"), Field("name", .text { $0.context.sensor }, ""),
                object(
                    "ingress",
                    [object("interface", [Field("name", .text { $0.context.interface }, "")])]),
            ]),
        object(
            "log",
            [
                object(
                    "file",
                    [Field("path", .text { $0.record.segments.first?.place?.file ?? $0.context.file }, "")])
            ]),
        object(
            "synscope",
            [
                Field("outcome", .text { $0.record.outcome.rawValue }, ""),
                Field("confidence", .text { $0.record.confidence.rawValue }, ""), findings,
                Field("rtt_ns", .integer(.eight) { $0.record.total?.nanoseconds }, "", figures: [.total]),
                Field("mss", .integer(.four) { $0.record.negotiatedMSS.map(Int64.init) }, ""),
            ]),
    ]

    private static func eventType(_ record: AttemptRecord) -> String {
        switch record.outcome {
        case .established: "start"
        case .refused: "denied"
        case .unreachable where record.failedBecause == .prohibited: "denied"
        default: record.outcome.isFailure ? "end" : "info"
        }
    }

    private static func eventOutcome(_ record: AttemptRecord) -> String {
        record.outcome == .established ? "success" : record.outcome.isFailure ? "failure" : "unknown"
    }

    // MARK: OCSF

    /// Open, Reset, Fail, Refuse, or Unknown.
    private static func activity(_ record: AttemptRecord) -> Int64 {
        switch record.outcome {
        case .established: 1
        case .resetByClient, .resetByServer: 3
        case .refused: 5
        default: record.outcome.isFailure ? 4 : 0
        }
    }

    private static let ocsfClass: Int64 = 4001

    private static let ocsfFields: [Field] = [
        fixed("category_uid", 4), fixed("class_uid", ocsfClass),
        Field("activity_id", .integer(.four) { activity($0.record) }, ""),
        Field("type_uid", .integer(.eight) { ocsfClass * 100 + activity($0.record) }, ""),
        fixed("severity_id", 1),
        Field(
            "status_id",
            .integer(.four) { $0.record.outcome == .established ? 1 : $0.record.outcome.isFailure ? 2 : 0 }, ""),
        Field("status_detail", .text { $0.record.failedBecause?.text }, ""),
        // Milliseconds, as timestamp_t has them.
        Field(
            "time", .integer(.eight) { floorDivide($0.record.firstTime, 1_000_000) }, "",
            figures: [.firstTimeMilliseconds]),
        object(
            "metadata",
            [
                fixed("version", "1.3.0"), Field("uid", .text { $0.record.uid }, "", figures: [.uid]),
                object("product", [fixed("name", "synscope"), fixed("vendor_name", "synscope")]),
            ]),
        end("src_endpoint", [.clientAddress, .clientPort]) { $0.client },
        end("dst_endpoint", [.serverAddress, .serverPort]) { $0.server },
        object(
            "connection_info",
            [
                fixed("protocol_name", "tcp"), fixed("protocol_num", 6),
                Field("protocol_ver_id", .integer(.four) { $0.record.client.address.version == .v4 ? 4 : 6 }, ""),
                fixed("direction_id", 0),
                Field(
                    "community_uid", .text { $0.record.communityID(seed: $0.context.communitySeed) }, "",
                    figures: [.communityID]),
            ]),
        object(
            "unmapped",
            [
                Field("outcome", .text { $0.record.outcome.rawValue }, ""),
                Field("confidence", .text { $0.record.confidence.rawValue }, ""), findings,
                Field("rtt_ns", .integer(.eight) { $0.record.total?.nanoseconds }, "", figures: [.total]),
                Field("sensor", .text { $0.context.sensor }, ""),
            ]),
    ]
}

/// The quotient, rounded down.
func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? quotient - 1 : quotient
}
