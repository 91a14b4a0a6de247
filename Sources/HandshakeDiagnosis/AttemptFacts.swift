package import HandshakeRecord
package import PacketWire

/// The facts that a diagnosis asks of an attempt, of its record or of a saved line of JSON.
package struct AttemptFacts: Sendable {
    package var id: UInt64
    package var client: Endpoint
    package var server: Endpoint
    /// x; of a partial attempt, as its SYN-ACK implies.
    package var clientISN: UInt32
    /// Nanoseconds since the epoch.
    package var firstTime: Int64
    package var outcome: Outcome
    package var failedBecause: FailureReason?
    package var synCount = 1
    package var rstCount = 0
    /// Nanoseconds from the SYN to the SYN-ACK, and from that to the final ACK; nil where they are not known.
    package var serverLeg: Int64?
    package var clientLeg: Int64?
    package var findings: [FindingCode] = []
    /// Who sent the ICMP error that decided it.
    package var reporter: IPAddress?
    /// Whether its SYN has the option of Fast Open.
    package var hasFastOpen = false
    /// Whether its client reset it as soon as it was a connection.
    package var isResetByClientAtOnce = false
    /// Whether a RST in its server's name, or in its client's, does not look like its sender's other packets.
    package var hasForeignReset = false
    package var hasForeignResetOfClient = false
    /// Whether a connection came to be of which nothing of the client is in the capture.
    package var isServersDirection = false
    /// As in `AttemptRecord`.
    package var isDoubtful = false
    /// Whether it is another attempt's copy behind a translator.
    package var isCopy = false

    package init(
        id: UInt64, client: Endpoint, server: Endpoint, clientISN: UInt32, firstTime: Int64, outcome: Outcome
    ) {
        (self.id, self.client, self.server, self.clientISN) = (id, client, server, clientISN)
        (self.firstTime, self.outcome) = (firstTime, outcome)
    }

    package init(_ record: AttemptRecord) {
        self.init(
            id: record.id, client: record.client, server: record.server, clientISN: record.clientISN,
            firstTime: record.firstTime, outcome: record.outcome)
        failedBecause = record.failedBecause
        (synCount, rstCount) = (record.synCount, record.rstCount)
        (serverLeg, clientLeg) = (record.synToSynAck?.nanoseconds, record.synAckToAck?.nanoseconds)
        findings = record.findings.map(\.code)
        reporter = record.unreachable?.reporter
        hasFastOpen = record.clientOptions?.fastOpen != nil
        isResetByClientAtOnce = record.findings.contains { finding in
            finding.code == .resetAfterEstablished
                && record.segments.contains { $0.fromClient && finding.frames.contains($0.frame) }
        }
        let foreign = record.findings.filter { AttemptFacts.foreignResets.contains($0.code) }.flatMap(\.frames)
        for segment in record.segments where segment.kind == .rst && foreign.contains(segment.frame) {
            if segment.fromClient { hasForeignResetOfClient = true } else { hasForeignReset = true }
        }
        isServersDirection =
            record.outcome == .partial && record.completedBy == .inferred
            && !record.segments.contains { $0.fromClient }
        (isDoubtful, isCopy) = (record.isDoubtful, record.copyOf != nil)
    }

    /// Findings among whose frames is a RST that its sender may not have sent.
    package static let foreignResets: [FindingCode] = [.rstFromMiddlebox, .possibleForgery]

    func has(_ code: FindingCode) -> Bool { findings.contains(code) }
}
