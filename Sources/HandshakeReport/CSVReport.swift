package import HandshakeRecord
import PacketWire

/// Records as CSV (RFC 4180), a header line first. Unknown is empty; findings are separated by spaces.
package struct CSVReport: RecordWriter {
    package var takesPlain: Bool { true }
    private var plainRows = PlainRows()

    package init() {}

    package mutating func attempt(_ plain: PlainAttempt, record: () -> AttemptRecord, to out: inout OutputBuffer) {
        plainRows.row(plain, to: &out, record: record)
    }

    package func begin(_ capture: CaptureDescription, to out: inout OutputBuffer) {
        out.append(
            """
            id,first_time,client_ip,client_port,server_ip,server_port,outcome,form,completed_by,starts_at,ended,\
            confidence,client_isn,server_isn,syn_ack_ack_ok,ack_seq_ok,ack_ack_ok,syn,syn_ack,rst,refusals,\
            capture_duplicates,rtt_syn_to_synack_ns,rtt_synack_to_ack_ns,rtt_total_ns,rtt_provenance,rtt_low_ns,\
            rtt_high_ns,setup_ns,refusal_ns,mss_client,mss_server,mss_negotiated,findings,failed_because\r\n
            """)
    }

    /// In the header's order.
    package func attempt(_ record: AttemptRecord, to out: inout OutputBuffer) {
        out.gather { stage in
            var row = Row(stage)
            row.field(record.id)
            row.field(time: record.firstTime)
            for endpoint in [record.client, record.server] {
                row.field(endpoint.address)
                row.field(endpoint.port)
            }
            row.field(record.outcome.rawValue)
            row.field(record.form?.rawValue)
            row.field(record.completedBy?.rawValue)
            row.field(record.startsAtSYN ? "syn" : "syn-ack")
            row.field(record.ended.rawValue)
            row.field(record.confidence.rawValue)
            row.field(record.clientISN)
            row.field(record.serverISN)
            for check in [record.synAckAck, record.ackSeq, record.ackAck] {
                row.field(check.ok.map { $0 ? "true" : "false" })
            }
            row.field(record.synCount)
            row.field(record.synAckCount)
            row.field(record.rstCount)
            row.field(record.refusalCount)
            row.field(record.duplicateCount)
            row.field(record.synToSynAck?.nanoseconds)
            row.field(record.synAckToAck?.nanoseconds)
            row.field(record.total?.nanoseconds)
            row.field(record.total?.provenance.rawValue)
            row.field(record.total?.low)
            row.field(record.total?.high)
            row.field(record.setup)
            row.field(record.refusal)
            row.field(record.clientMSS)
            row.field(record.serverMSS)
            row.field(record.negotiatedMSS)
            row.field(record.findings.isEmpty ? nil : record.findings.map(\.code.rawValue).joined(separator: " "))
            row.field(record.failedBecause?.rawValue)
            stage = row.end()
        }
    }
}

/// No value holds a comma, a quote or a line break: names, numbers and addresses only.
private struct Row {
    private var stage: OutputStage
    private var isFirst = true

    init(_ stage: OutputStage) { self.stage = stage }

    @inline(__always)
    private mutating func separate() {
        if !isFirst { stage.put(octet: 0x2c) }
        isFirst = false
    }

    mutating func field(_ text: String?) {
        separate()
        if let text { stage.put(text) }
    }

    mutating func field(_ number: (some BinaryInteger)?) {
        separate()
        if let number { stage.put(number) }
    }

    mutating func field(_ address: IPAddress) {
        separate()
        stage.put(address)
    }

    mutating func field(time: Int64) {
        separate()
        stage.put(time: time)
    }

    mutating func end() -> OutputStage {
        stage.put("\r\n")
        return stage
    }
}
