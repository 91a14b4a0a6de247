import Foundation
import HandshakeRecord
package import HandshakeDiagnosis
import PacketWire

/// The attempts that an earlier run saved with `-T jsonl`, as far as a diagnosis asks for them.
package struct SavedAttempts: ~Copyable {
    private struct Kind: Decodable { var type: String }

    private struct Line: Decodable {
        struct End: Decodable {
            var ip: String
            var port: UInt16
        }
        struct Counts: Decodable {
            var syn: Int
            var rst: Int
        }
        struct RoundTrip: Decodable {
            var synToSynackNs: Int64?
            var synackToAckNs: Int64?
        }
        struct Code: Decodable {
            var code: String
            var frames: [UInt64]?
        }
        struct Segment: Decodable {
            var kind: String?
            var from: String
            var frame: UInt64
        }
        struct ICMP: Decodable { var reporter: String? }
        struct Options: Decodable {
            struct Side: Decodable { var fastOpen: String? }
            var client: Side?
        }
        var type: String
        var id: UInt64?
        var client: End?
        var server: End?
        var outcome: String?
        var failedBecause: String?
        var completedBy: String?
        var doubtful: Bool?
        var clientIsn: UInt32?
        var counts: Counts?
        var firstTime: String?
        var rtt: RoundTrip?
        var icmp: ICMP?
        var options: Options?
        var copyOf: UInt64?
        var findings: [Code]?
        var segments: [Segment]?
    }

    private var lines = JSONLines()
    package private(set) var log = ObservationLog()

    package init() {}

    package mutating func take(_ octets: ArraySlice<UInt8>) throws(JSONLinesError) {
        var log = self.log
        self.log = ObservationLog()
        defer { self.log = log }
        try lines.take(octets) { lines, line throws(JSONLinesError) in try Self.take(line, of: lines, &log) }
    }

    /// The last line may have no newline.
    package mutating func end() throws(JSONLinesError) {
        var log = self.log
        defer { self.log = log }
        try lines.endLine { lines, line throws(JSONLinesError) in try Self.take(line, of: lines, &log) }
        if log.attempts == 0 { throw JSONLinesError(line: nil, message: "there is no attempt in it") }
    }

    private static func take(
        _ line: Data, of lines: borrowing JSONLines, _ log: inout ObservationLog
    ) throws(JSONLinesError) {
        if let line = lines.decode(Line.self, line), line.type == "attempt", let attempt = facts(line) {
            return log.add(attempt)
        }
        guard let kind = lines.decode(Kind.self, line) else {
            throw lines.error("this is no line of synscope -T jsonl")
        }
        if kind.type == "attempt" {
            throw lines.error("the attempt lacks what synscope -T jsonl writes, or has it in another form")
        }
    }

    /// Findings by which nobody vouches for an attempt: version 1 of the schema says it by them alone.
    private static let doubtful: [FindingCode] = [.oneWayTunnel, .foreignTunnel, .possibleForgery]

    private static func facts(_ line: Line) -> AttemptFacts? {
        func endpoint(_ end: Line.End?) -> Endpoint? {
            end.flatMap { end in IPAddress(end.ip).map { Endpoint($0, end.port) } }
        }
        guard let id = line.id, let client = endpoint(line.client), let server = endpoint(line.server),
            let outcome = line.outcome.flatMap(Outcome.init(rawValue:)), let counts = line.counts,
            let time = line.firstTime.flatMap({ try? AbsoluteTime.parse($0) })
        else { return nil }
        var attempt = AttemptFacts(
            id: id, client: client, server: server, clientISN: line.clientIsn ?? 0, firstTime: time, outcome: outcome)
        attempt.failedBecause = line.failedBecause.flatMap(FailureReason.init(rawValue:))
        (attempt.synCount, attempt.rstCount) = (counts.syn, counts.rst)
        (attempt.serverLeg, attempt.clientLeg) = (line.rtt?.synToSynackNs, line.rtt?.synackToAckNs)
        attempt.findings = (line.findings ?? []).compactMap { FindingCode(rawValue: $0.code) }
        attempt.reporter = line.icmp?.reporter.flatMap { IPAddress($0) }
        attempt.hasFastOpen = line.options?.client?.fastOpen != nil
        let resets = (line.findings ?? []).filter { $0.code == FindingCode.resetAfterEstablished.rawValue }
            .flatMap { $0.frames ?? [] }
        attempt.isResetByClientAtOnce = (line.segments ?? []).contains {
            $0.from == "client" && resets.contains($0.frame)
        }
        let foreign = (line.findings ?? []).filter { finding in
            AttemptFacts.foreignResets.contains { $0.rawValue == finding.code }
        }.flatMap { $0.frames ?? [] }
        for segment in line.segments ?? [] where segment.kind == "rst" && foreign.contains(segment.frame) {
            if segment.from == "client" {
                attempt.hasForeignResetOfClient = true
            } else {
                attempt.hasForeignReset = true
            }
        }
        attempt.isServersDirection =
            attempt.outcome == .partial && line.completedBy == CompletedBy.inferred.rawValue
            && !(line.segments ?? []).contains { $0.from == "client" }
        attempt.isDoubtful = line.doubtful ?? attempt.findings.contains(where: doubtful.contains)
        attempt.isCopy = line.copyOf != nil
        return attempt
    }
}
