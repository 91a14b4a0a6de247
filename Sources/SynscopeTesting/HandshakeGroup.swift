public import HandshakeCapture
public import HandshakeRecord
import HandshakeExpectation

/// The figures of the attempts with the same values of some fields, as `synscope group` counts them (docs/groups.md).
///
/// ```swift
/// for server in try handshakes.groups(by: "ip.dst,tcp.dstport") {
///     #expect((server.failedShare ?? 0) < 0.01, "\(server)")
///     #expect((server.quantile(0.99) ?? 0) < 50_000_000, "\(server)")
/// }
/// ```
public struct HandshakeGroup: Sendable {
    /// Which round trip.
    public enum Leg: Sendable, CaseIterable {
        /// From the SYN to the final ACK.
        case total
        /// From the SYN to the SYN-ACK: the server's leg.
        case synToSynAck
        /// From the SYN-ACK to the final ACK: the client's leg.
        case synAckToAck
    }

    /// The fields that were grouped by, as they were written, and this group's value of each: `unknown` where it is not
    /// known, `none` of a list without entries.
    public let key: [(field: String, value: String)]
    private let group: AttemptGroup

    init(_ group: AttemptGroup, _ table: GroupTable) {
        self.group = group
        key = zip(table.grouping.columns.map(\.name), table.text(group.key)).map { (field: $0, value: $1) }
    }

    /// The value of a field that was grouped by, as the field was written; nil of another field.
    public subscript(field: String) -> String? { key.first { $0.field == field }?.value }

    /// Attempts, each once. A copy behind an address translator is none.
    public var attempts: Int { group.attempts }
    /// Attempts that were established.
    public var established: Int { group.established }
    /// Attempts that failed.
    public var failed: Int { group.failed }
    /// Attempts of which it is known whether they failed: not those that are pending or partial.
    public var decided: Int { group.decided }
    /// The share of failed attempts among the decided ones; nil where there are none.
    public var failedShare: Double? { group.failedShare }
    /// Attempts of which a SYN was captured, and those of them whose SYN was sent more than once.
    public var started: Int { group.started }
    /// Attempts whose SYN was sent again.
    public var retransmitted: Int { group.retransmitted }

    /// Attempts by outcome. An outcome that did not occur is not in it.
    public var outcomes: [Outcome: Int] {
        Dictionary(uniqueKeysWithValues: group.byOutcome.map { ($0.outcome, $0.count) })
    }

    /// Failed attempts by reason. A reason that did not occur is not in it.
    public var reasons: [FailureReason: Int] {
        Dictionary(uniqueKeysWithValues: group.byReason.map { ($0.reason, $0.count) })
    }

    /// Nanoseconds since the epoch: when the first and the last of its attempts began.
    public var firstTime: Int64 { group.firstTime }
    /// When the last of them began, nanoseconds since the epoch.
    public var lastTime: Int64 { group.lastTime }

    /// Nanoseconds that a share of the known round trips does not exceed; nil where none is known.
    /// - Parameters:
    ///   - share: from 0 (the shortest) to 1 (the longest); between them the result is less than 1/128 above a value
    ///     that
    ///     occurred.
    ///   - leg: which round trip.
    public func quantile(_ share: Double, of leg: Leg = .total) -> Int64? {
        let values = values(leg)
        return share <= 0 ? values.minimum : values.quantile(share)
    }

    /// How many attempts have a known round trip.
    public func count(of leg: Leg = .total) -> Int { values(leg).count }

    private func values(_ leg: Leg) -> ValueHistogram {
        switch leg {
        case .total: group.total
        case .synToSynAck: group.serverLeg
        case .synAckToAck: group.clientLeg
        }
    }
}

extension HandshakeGroup: CustomStringConvertible {
    /// The group's values, for messages.
    public var description: String {
        let names = key.map { "\($0.field) \($0.value)" }.joined(separator: ", ")
        return "\(names): \(failed) of \(decided) failed"
    }
}

extension Handshakes {
    /// The attempts by some fields, those groups first in which most failed.
    /// - Parameter fields: up to four, as after `--by` of `synscope group`: `ip.dst,tcp.dstport`, `ip.src/24`,
    ///   `frame.time/1m`.
    /// - Throws: `HandshakesError` where there is no such field, or it has no such steps.
    public func groups(by fields: String) throws -> [HandshakeGroup] {
        let grouping: Grouping
        do throws(ExpressionError) { grouping = try Grouping(fields) } catch {
            throw HandshakesError(error.description)
        }
        // There are no more groups than attempts and values: none is let go.
        var table = GroupTable(grouping, maximum: .max)
        for attempt in attempts { table.add(attempt) }
        return table.sorted(by: .failed).map { HandshakeGroup($0, table) }
    }
}
