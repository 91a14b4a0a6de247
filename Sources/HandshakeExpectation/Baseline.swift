import Foundation
package import HandshakeRecord

/// Results of an earlier run: shares of outcomes, and quantiles of the handshake's round trip.
package struct Baseline: Sendable, Equatable {
    package static let ranks: [Double] = [50, 90, 99]

    package private(set) var attempts = 0
    private var outcomes: [String: Int] = [:]
    /// Nanoseconds, of the attempts whose round trip is known.
    private var roundTrips: [Double] = []
    /// Quantiles of a run of which only the summary is there.
    private var quantiles: [Double: Double] = [:]

    package init() {}

    package mutating func take(_ record: AttemptRecord) { add(record.outcome.rawValue, record.total?.nanoseconds) }

    fileprivate mutating func add(_ outcome: String, _ roundTrip: Int64?) {
        attempts += 1
        outcomes[outcome, default: 0] += 1
        if let roundTrip { roundTrips.append(Double(roundTrip)) }
    }

    /// Nil where there is no attempt.
    func share(of outcome: Outcome) -> Double? {
        attempts == 0 ? nil : Double(outcomes[outcome.rawValue] ?? 0) / Double(attempts)
    }

    /// Nil where no round trip is known.
    func roundTrip(_ rank: Double) -> Double? {
        roundTrips.isEmpty ? quantiles[rank] : AggregateTally.percentile(rank, of: roundTrips)
    }

    // MARK: JSON Lines

    /// The keys of docs/schema.json that matter here.
    fileprivate struct Line: Decodable {
        struct RoundTrip: Decodable { var totalNs: Int64? }
        struct Attempts: Decodable {
            var total: Int
            var byOutcome: [String: Int]
        }
        struct Quantiles: Decodable {
            var p50: Double?
            var p90: Double?
            var p99: Double?
        }
        var type: String
        var outcome: String?
        var rtt: RoundTrip?
        var attempts: Attempts?
        var rttNs: Quantiles?
    }

    /// - Parameter octets: the output of `synscope -T jsonl`; of `-q` the summary alone.
    /// - Throws: `JSONLinesError`, which names the line.
    package init(jsonLines octets: [UInt8]) throws(JSONLinesError) {
        var reader = BaselineReader()
        try reader.take(octets[...])
        self = try reader.end()
    }
}

/// Reads a baseline piece by piece.
package struct BaselineReader: ~Copyable {
    private var lines = JSONLines()
    private var baseline = Baseline()
    private var summary: Baseline.Line?

    package init() {}

    package mutating func take(_ octets: ArraySlice<UInt8>) throws(JSONLinesError) {
        var (baseline, summary) = (self.baseline, self.summary)
        defer { (self.baseline, self.summary) = (baseline, summary) }
        try lines.take(octets) { lines, line throws(JSONLinesError) in
            try Self.take(line, of: lines, &baseline, &summary)
        }
    }

    private static func take(
        _ line: Data, of lines: borrowing JSONLines, _ baseline: inout Baseline, _ summary: inout Baseline.Line?
    ) throws(JSONLinesError) {
        guard let line = lines.decode(Baseline.Line.self, line) else {
            throw lines.error("this is no line of synscope -T jsonl")
        }
        switch line.type {
        case "attempt":
            guard let outcome = line.outcome, Outcome(rawValue: outcome) != nil else {
                throw lines.error("the attempt has no outcome that is known here")
            }
            baseline.add(outcome, line.rtt?.totalNs)
        case "summary": summary = line
        default: break
        }
    }

    package mutating func end() throws(JSONLinesError) -> Baseline {
        var (baseline, summary) = (self.baseline, self.summary)
        try lines.endLine { lines, line throws(JSONLinesError) in
            try Self.take(line, of: lines, &baseline, &summary)
        }
        if baseline.attempts == 0 { try baseline.take(summary) }
        return baseline
    }
}

extension Baseline {
    /// The figures of a run of which only the summary is there.
    fileprivate mutating func take(_ summary: Line?) throws(JSONLinesError) {
        guard let summary, let totals = summary.attempts else {
            throw JSONLinesError(line: nil, message: "there is neither an attempt nor a summary in it")
        }
        guard totals.total > 0 else {
            throw JSONLinesError(line: nil, message: "there is no attempt in it: nothing to compare with")
        }
        attempts = totals.total
        outcomes = totals.byOutcome
        for (rank, value) in zip(Baseline.ranks, [summary.rttNs?.p50, summary.rttNs?.p90, summary.rttNs?.p99]) {
            quantiles[rank] = value
        }
    }
}

/// By how much a run may be worse than its baseline.
package struct BaselineMargins: Sendable {
    package enum Latency: Sendable, Equatable {
        /// Share of the baseline's figure.
        case share(Double)
        /// Nanoseconds.
        case duration(Double)
    }
    /// Share of an outcome that may differ, as a part of 1.
    package var outcomes = 0.01
    package var roundTrips = Latency.share(0.1)

    package init() {}

    /// `10%` or `5ms`; nil for anything else, and below zero.
    package static func latency(_ text: String) -> Latency? {
        switch Lexer.literal(text) {
        case .percentage(let share)? where share >= 0: .share(share)
        case .duration(let nanoseconds)? where nanoseconds >= 0: .duration(nanoseconds)
        default: nil
        }
    }

    /// `1%`; nil for anything else.
    package static func share(_ text: String) -> Double? {
        if case .percentage(let share)? = Lexer.literal(text), (0...1).contains(share) { share } else { nil }
    }
}

/// A run beside its baseline.
package struct BaselineComparison: Sendable {
    package struct Line: Sendable {
        package var name: String
        /// Nil where it is not known.
        package var before: Double?
        package var now: Double?
        package var type: FieldType
        /// The worst figure that is allowed.
        package var limit: Double?
        package var isWorse: Bool

        package var description: String {
            func text(_ value: Double?) -> String { value.map { FigureText.text($0, type) } ?? "unknown" }
            return "\(name): \(text(now)), was \(text(before))"
                + (limit.map { ", limit \(FigureText.text($0, type))" } ?? "")
        }
    }

    /// Where the baseline was read from.
    package var source: String
    package private(set) var lines: [Line] = []

    package var hasWorsened: Bool { lines.contains(where: \.isWorse) }

    package init(_ source: String, before: Baseline, now: Baseline, _ margins: BaselineMargins) {
        self.source = source
        for outcome in Outcome.allCases where outcome == .established || outcome.isFailure {
            let (old, new) = (before.share(of: outcome), now.share(of: outcome))
            if old ?? 0 == 0, new ?? 0 == 0, outcome != .established { continue }
            let isGood = outcome == .established
            let limit = old.map { isGood ? max(0, $0 - margins.outcomes) : min(1, $0 + margins.outcomes) }
            let isWorse =
                // Shares are sums of decimals here: what differs by rounding is equal.
                if let limit, let new { isGood ? new < limit - 1e-12 : new > limit + 1e-12 } else { old != nil }
            lines.append(
                Line(name: outcome.rawValue, before: old, now: new, type: .ratio, limit: limit, isWorse: isWorse))
        }
        for rank in Baseline.ranks {
            let (old, new) = (before.roundTrip(rank), now.roundTrip(rank))
            let limit = old.map { old in
                switch margins.roundTrips {
                case .share(let share): old * (1 + share)
                case .duration(let nanoseconds): old + nanoseconds
                }
            }
            // Where there is no round trip left to compare, that is worse: nothing passes because it is not known.
            let isWorse = if let limit, let new { new > limit } else { limit != nil }
            lines.append(
                Line(
                    name: "p\(FigureText.plain(rank))(hs.rtt.total)", before: old, now: new, type: .duration,
                    limit: limit,
                    isWorse: isWorse))
        }
    }
}
