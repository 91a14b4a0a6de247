package import HandshakeRecord
import HandshakeReport

/// The result of an assertion.
package struct Judgement: Sendable {
    package enum Status: String, Sendable {
        case passed
        case failed
        /// Unknown facts could decide it: that is no pass.
        case unknown
        /// No attempt was there to judge.
        case unmatched = "no-attempt-matched"
    }

    /// Why it cannot be told.
    package private(set) var doubts: [String] = []
    /// Whether it asks what the capture is, and of no attempt.
    package internal(set) var isOfCapture = false
    /// The fields of the capture that are asked for, and what they are.
    package internal(set) var capture: [(field: String, codes: [String])] = []

    /// The aggregates, and what the capture is, with what they came to.
    package var statements: [String] {
        figures.map(\.description)
            + capture.map { "\($0.field) = \($0.codes.isEmpty ? "none" : $0.codes.joined(separator: " "))" }
    }

    package mutating func doubt(_ reasons: [String]) {
        status = .unknown
        doubts = reasons
    }

    /// An aggregate and what it came to.
    package struct Figure: Sendable {
        package var text: String
        /// Nil of those that are true or false, and where it cannot be told.
        package var value: Bounds?
        package var truth: Truth?
        package var type: FieldType
        /// Attempts that it is about; of them with a value, and those of which it cannot be told whether they belong.
        package var attempts: Int
        package var valued: Int?
        package var undetermined: Int

        init(_ aggregate: Aggregate, _ tally: AggregateTally) {
            text = aggregate.text
            type = aggregate.type
            attempts = tally.selected
            undetermined = tally.undetermined
            if aggregate.kind.isTruth {
                truth = tally.truth(aggregate.kind)
            } else {
                value = tally.figure(aggregate.kind)
                if !aggregate.kind.takesPredicate { valued = tally.valued }
            }
        }

        /// `p99(hs.rtt.total) = 12.3ms, of 97 of 100 attempts`.
        package var description: String {
            var line = text + " = "
            if let truth {
                line += truth == .yes ? "true" : truth == .no ? "false" : "unknown"
            } else {
                line += value.map { FigureText.text($0, type) } ?? "unknown"
            }
            line +=
                valued.map { ", of \($0) of \(Format.count(attempts, "attempt"))" }
                ?? ", of \(Format.count(attempts, "attempt"))"
            if undetermined > 0 { line += "; of \(undetermined) it cannot be told whether they belong" }
            return line
        }
    }

    package struct Example: Sendable {
        package var record: AttemptRecord
        /// The fields that were asked of, and what it says.
        package var values: [(field: String, value: String)]
    }

    package var status = Status.passed
    /// No attempt was there at all.
    package var isEmpty = false
    package var figures: [Figure] = []
    /// Attempts that it was about.
    package var attempts = 0
    /// Attempts that break it, attempts of which it is not known whether they do, and a few of them: those that break
    /// it first.
    package var offenderCount = 0
    package var openCount = 0
    package var examples: [Example] = []
    /// The frames of all that break it or may, in order; empty unless they were kept.
    package var frames: [UInt64] = []
    /// Frames of theirs that records of many segments do not list.
    package var framesOmitted = 0
}
