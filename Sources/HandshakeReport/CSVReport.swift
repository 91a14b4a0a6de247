package import HandshakeAnalysis
import PacketWire

/// Records as CSV (RFC 4180), a header line first. Unknown is empty; findings are separated by spaces.
package enum CSVReport {
    private typealias Column = (name: String, value: (AttemptRecord) -> String)

    private static func text<T: CustomStringConvertible>(_ value: T?) -> String { value?.description ?? "" }

    private static var columns: [Column] {
        [
            ("id", { "\($0.id)" }),
            ("first_time", { Format.rfc3339($0.firstTime) }),
            ("client_ip", { $0.client.address.description }),
            ("client_port", { "\($0.client.port)" }),
            ("server_ip", { $0.server.address.description }),
            ("server_port", { "\($0.server.port)" }),
            ("outcome", { $0.outcome.rawValue }),
            ("form", { text($0.form?.rawValue) }),
            ("completed_by", { text($0.completedBy?.rawValue) }),
            ("starts_at", { $0.startsAtSYN ? "syn" : "syn-ack" }),
            ("ended", { $0.ended.rawValue }),
            ("confidence", { $0.confidence.rawValue }),
            ("client_isn", { "\($0.clientISN)" }),
            ("server_isn", { text($0.serverISN) }),
            ("syn_ack_ack_ok", { text($0.synAckAck.ok) }),
            ("ack_seq_ok", { text($0.ackSeq.ok) }),
            ("ack_ack_ok", { text($0.ackAck.ok) }),
            ("syn", { "\($0.synCount)" }),
            ("syn_ack", { "\($0.synAckCount)" }),
            ("rst", { "\($0.rstCount)" }),
            ("refusals", { "\($0.refusalCount)" }),
            ("capture_duplicates", { "\($0.duplicateCount)" }),
            ("rtt_syn_to_synack_ns", { text($0.synToSynAck?.nanoseconds) }),
            ("rtt_synack_to_ack_ns", { text($0.synAckToAck?.nanoseconds) }),
            ("rtt_total_ns", { text($0.total?.nanoseconds) }),
            ("rtt_provenance", { text($0.total?.provenance.rawValue) }),
            ("rtt_low_ns", { text($0.total?.low) }),
            ("rtt_high_ns", { text($0.total?.high) }),
            ("setup_ns", { text($0.setup) }),
            ("refusal_ns", { text($0.refusal) }),
            ("mss_client", { text($0.clientMSS) }),
            ("mss_server", { text($0.serverMSS) }),
            ("mss_negotiated", { text($0.negotiatedMSS) }),
            ("findings", { $0.findings.map(\.code.rawValue).joined(separator: " ") }),
        ]
    }

    package static func header(to out: inout OutputBuffer) { row(columns.map(\.name), to: &out) }

    package static func row(_ record: AttemptRecord, to out: inout OutputBuffer) {
        row(columns.map { $0.value(record) }, to: &out)
    }

    // No value holds a comma, a quote or a line break: names, numbers and addresses only.
    private static func row(_ fields: [String], to out: inout OutputBuffer) {
        out.append(fields.joined(separator: ","))
        out.append("\r\n")
    }
}
