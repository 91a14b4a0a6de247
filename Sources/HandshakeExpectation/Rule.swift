package import HandshakeRecord
import HandshakeDiagnosis

/// An assertion with what a report says of it.
package struct Rule: Sendable {
    /// The consequence for the whole check if it is broken.
    package enum Severity: String, CaseIterable, Sendable {
        /// Reported.
        case info
        case warning
        /// The check has failed.
        case error
    }

    package var name: String
    package var assertion: Assertion
    /// Which attempts it is about, as written; nil for all.
    package var condition: String?
    package var severity = Severity.error
    package var reason: String?
    package var tags: [String] = []
    /// Whether it holds where no attempt is there to judge.
    package var allowsNone = false
    /// `rules.yml:12`; nil of one from the command line.
    package var location: String?

    package init(name: String, assertion: Assertion) {
        self.name = name
        self.assertion = assertion
    }

    /// One from the command line: its expression is its name.
    package init(_ expression: String, relativeTo reference: TimeReference = .captureStart) throws(ExpressionError) {
        self.init(name: expression, assertion: try Assertion(expression, relativeTo: reference))
    }
}

/// All rules of a check, and the attempts that they have met.
package struct RuleCheck: Sendable {
    package let rules: [Rule]
    private let selection: Predicate?
    private var trials: [Trial]
    /// Attempts that were selected, and those of them of which that cannot be told.
    package private(set) var attempts = 0
    private var untold = 0
    /// Figures of the surely selected attempts, to be compared with a baseline; nil where none is asked for.
    private var figures: Baseline?
    /// Facts of the attempts, in which situations are looked for; nil where no rule asks for them.
    private var observed: ObservationLog?

    /// - Parameter selection: which attempts are looked at at all; nil for all.
    package init(_ rules: [Rule], selection: Predicate? = nil, keepsFrames: Bool = false, comparesFigures: Bool = false)
    {
        self.rules = rules
        figures = comparesFigures ? Baseline() : nil
        self.selection = selection
        observed = rules.contains(where: \.assertion.asksForSituations) ? ObservationLog() : nil
        trials = rules.map { Trial($0.assertion, allowsNone: $0.allowsNone, keepsFrames: keepsFrames) }
    }

    package mutating func take(_ record: AttemptRecord) {
        // The client's side of a translated connection counts, not its copy.
        if record.copyOf != nil { return }
        let selected = selection?(record) ?? .yes
        if selected == .no { return }
        attempts += 1
        if selected == .unknown {
            untold += 1
        } else {
            figures?.take(record)
            observed?.add(record)
        }
        for position in trials.indices { trials[position].take(record, selected: selected) }
    }

    /// Whether each rule has met an attempt.
    package var hasMatched: Bool { trials.allSatisfy(\.hasMatched) }

    /// - Parameter quality: what the capture itself is.
    package func verdict(_ quality: [CaptureQuality] = []) -> CheckVerdict {
        let situations = observed.map { Diagnosis($0).situations.map(\.code) } ?? []
        let capture = CaptureFacts(quality: quality, situations: situations)
        var verdict = CheckVerdict(
            results: zip(rules, trials).map { .init(rule: $0, judgement: $1.judgement(capture)) }, attempts: attempts)
        verdict.selection = selection?.text
        verdict.untold = untold
        verdict.figures = figures
        return verdict
    }
}

/// The result of a check.
package struct CheckVerdict: Sendable {
    package struct Result: Sendable {
        package var rule: Rule
        package var judgement: Judgement

        package var passed: Bool { judgement.status == .passed }
        /// Whether it fails the check.
        package var fails: Bool { !passed && rule.severity == .error }
    }

    package var results: [Result]
    package var attempts: Int
    /// Which attempts were looked at (-Y), and of how many of them that cannot be told.
    package var selection: String?
    package var untold = 0
    /// Figures to be compared with a baseline, where one was asked for.
    package var figures: Baseline?
    /// Figures that worsened since a baseline.
    package var comparison: BaselineComparison?
    /// Whether attempts were lost before they could be judged: that is no pass.
    package var isIncomplete = false

    package init(results: [Result], attempts: Int) {
        self.results = results
        self.attempts = attempts
    }

    /// Takes back that rules hold: what the capture lacks may be an attempt that breaks them.
    /// - Parameter reasons: why; none changes nothing.
    package mutating func doubt(_ reasons: [String]) {
        guard !reasons.isEmpty else { return }
        for position in results.indices where results[position].passed && !results[position].judgement.isOfCapture {
            results[position].judgement.doubt(reasons)
        }
    }

    package var passed: Bool {
        !results.contains(where: \.fails) && comparison?.hasWorsened != true && !isIncomplete
    }

    /// Frames of such attempts that records of many segments do not list.
    package var framesOmitted: Int { results.map(\.judgement.framesOmitted).max() ?? 0 }

    /// The frames of all attempts that break a rule, in order.
    package var frames: [UInt64] { Set(results.flatMap(\.judgement.frames)).sorted() }
}
