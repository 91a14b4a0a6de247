package import HandshakeAnalysis

/// A claim about all attempts of a capture, checked and ready to be tried.
package struct Assertion: Sendable {
    indirect enum Claim: Sendable {
        /// An aggregate that is a condition by itself.
        case truth(Int)
        case comparison(Term, Comparison, Term)
        /// A figure is in one of some ranges.
        case membership(Int, [Bounds])
        /// The capture itself is of a kind.
        case quality(CaptureQuality)
        case not(Claim)
        case and([Claim])
        case or([Claim])

        var asksOfCapture: Bool {
            switch self {
            case .quality: true
            case .truth, .comparison, .membership: false
            case .not(let claim): claim.asksOfCapture
            case .and(let claims), .or(let claims): claims.contains(where: \.asksOfCapture)
            }
        }
    }
    enum Term: Sendable {
        case aggregate(Int)
        case literal(Bounds, FieldType)
    }

    /// As it was written.
    package let text: String
    let aggregates: [Aggregate]
    let claim: Claim

    /// - Parameters:
    ///   - text: an expression of aggregates; one without any is to hold for every attempt.
    ///   - condition: which attempts it is about; nil for all.
    package init(_ text: String, where condition: Predicate? = nil) throws(ExpressionError) {
        let source = Array(text.utf8)
        var builder = ClaimBuilder(Checker(source), condition)
        var syntax = try Parser.parse(source)
        if !ClaimBuilder.hasAggregate(syntax) {
            syntax = Syntax(kind: .call("all", [syntax], condition: nil), range: syntax.range)
        }
        claim = try builder.claim(syntax, isWanted: true)
        aggregates = builder.aggregates
        self.text = text
    }
}

/// Makes a claim of an expression.
struct ClaimBuilder {
    private let checker: Checker
    private let condition: Predicate?
    private(set) var aggregates: [Aggregate] = []

    init(_ checker: Checker, _ condition: Predicate?) {
        self.checker = checker
        self.condition = condition
    }

    static func hasAggregate(_ syntax: Syntax) -> Bool {
        switch syntax.kind {
        // A question about the capture is asked once, as an aggregate is.
        case .word: CaptureField.isMeant(syntax)
        case .literal: false
        case .not(let operand): hasAggregate(operand)
        case .and(let operands), .or(let operands): operands.contains(where: hasAggregate)
        case .comparison(let left, _, let right), .contains(let left, let right), .matches(let left, let right):
            hasAggregate(left) || hasAggregate(right)
        case .membership(let operand, _): hasAggregate(operand)
        case .call(let name, _, _): AggregateKind(name) != nil
        }
    }

    /// - Parameter isWanted: whether the whole is broken where this does not hold; else where it does.
    mutating func claim(_ syntax: Syntax, isWanted: Bool) throws(ExpressionError) -> Assertion.Claim {
        switch syntax.kind {
        case .not(let operand): return .not(try claim(operand, isWanted: !isWanted))
        case .and(let operands): return .and(try claims(operands, isWanted: isWanted))
        case .or(let operands): return .or(try claims(operands, isWanted: isWanted))
        case .call(let name, _, _):
            let position = try aggregate(syntax)
            guard aggregates[position].kind.isTruth else {
                throw checker.error("\(name)() is a figure: compare it, as \(checker.text(syntax)) <= ...", syntax)
            }
            offend(position, by: .truths(of: aggregates[position].kind, isWanted: isWanted))
            return .truth(position)
        case .comparison(let left, let comparison, let right):
            return try self.comparison(syntax, left, comparison, right, isWanted: isWanted)
        case .membership(let operand, let elements):
            let position = try figure(operand)
            let (type, name) = (aggregates[position].type, aggregates[position].text)
            let ranges = try checker.ranges(elements, of: type, name)
            offend(position, by: .counted(aggregates[position], near: ranges.map(\.high).max() ?? 0))
            return .membership(position, ranges)
        case .contains(let left, let right) where CaptureField.isMeant(left):
            return .quality(try checker.captureQuality(right))
        case .literal:
            throw checker.error("\(checker.text(syntax)) is no condition: compare an aggregate with it", syntax)
        case .word where CaptureField.isMeant(syntax):
            throw checker.error("\(CaptureField.name) is no condition: \(CaptureField.name) contains filtered", syntax)
        case .word, .contains, .matches:
            throw checker.error(
                "beside an aggregate, a condition on one attempt stands inside one: all(\(checker.text(syntax)))",
                syntax)
        }
    }

    private mutating func offend(_ position: Int, by offence: Aggregate.Offence) {
        aggregates[position] = aggregates[position].offended(by: offence)
    }

    private mutating func claims(_ operands: [Syntax], isWanted: Bool) throws(ExpressionError) -> [Assertion.Claim] {
        var claims: [Assertion.Claim] = []
        for operand in operands { claims.append(try claim(operand, isWanted: isWanted)) }
        return claims
    }

    private mutating func comparison(
        _ syntax: Syntax, _ left: Syntax, _ comparison: Comparison, _ right: Syntax, isWanted: Bool
    ) throws(ExpressionError) -> Assertion.Claim {
        let (isLeft, isRight) = (ClaimBuilder.hasAggregate(left), ClaimBuilder.hasAggregate(right))
        if !isLeft, isRight { return try self.comparison(syntax, right, comparison.mirrored, left, isWanted: isWanted) }
        guard isLeft else {
            throw checker.error(
                "beside an aggregate, a condition on one attempt stands inside one: all(\(checker.text(syntax)))",
                syntax)
        }
        let position = try figure(left)
        let aggregate = aggregates[position]
        if isRight {
            let other = try figure(right)
            guard aggregates[other].type == aggregate.type else {
                throw checker.error(
                    "\(aggregate.type.phrase) (\(aggregate.text)) cannot be compared with \(aggregates[other].type.phrase)",
                    right)
            }
            return .comparison(.aggregate(position), comparison, .aggregate(other))
        }
        let limit = Bounds(try checker.number(right, of: aggregate.type, aggregate.text))
        let needed = isWanted ? comparison : comparison.negated
        switch aggregate.kind {
        case .count, .ratio:
            switch needed {
            case .less, .lessOrEqual: offend(position, by: .truths(yes: true, unknown: true, no: false))
            case .greater, .greaterOrEqual: offend(position, by: .truths(yes: false, unknown: true, no: true))
            case .equal: offend(position, by: .counted(aggregate, near: limit.low))
            case .notEqual: offend(position, by: .counted(aggregate, near: 0))
            }
        default: offend(position, by: .value(needed, limit))
        }
        return .comparison(.aggregate(position), comparison, .literal(limit, aggregate.type))
    }

    /// An aggregate that is a figure.
    private mutating func figure(_ syntax: Syntax) throws(ExpressionError) -> Int {
        guard case .call(let name, _, _) = syntax.kind, AggregateKind(name) != nil else {
            throw checker.error("a figure should stand here: count(...), ratio(...), p99(...)", syntax)
        }
        let position = try aggregate(syntax)
        if aggregates[position].kind.isTruth {
            throw checker.error("\(name)() is true or false by itself: it is compared with nothing", syntax)
        }
        return position
    }

    private mutating func aggregate(_ syntax: Syntax) throws(ExpressionError) -> Int {
        guard case .call(let name, let arguments, let inner) = syntax.kind, var kind = AggregateKind(name) else {
            throw checker.error("an aggregate should stand here: all(...), count(...), p99(...)", syntax)
        }
        var fields: [Field] = []
        var condition = condition
        if let inner {
            let predicate = try checker.predicate(inner)
            fields = predicate.fields
            condition = Predicate.both(condition, predicate)
        }
        var predicate: Predicate.Test?
        var read: (@Sendable (AttemptRecord) -> Bounds?)?
        var type = kind == .ratio ? FieldType.ratio : .number
        if kind.takesPredicate {
            if kind == .count, arguments.isEmpty {
                predicate = { _ in .yes }
            } else {
                guard arguments.count == 1 else {
                    throw checker.error("\(name)() takes one condition: \(name)(hs.outcome == established)", syntax)
                }
                let checked = try checker.predicate(arguments[0])
                predicate = checked.test
                fields = checked.fields + fields
            }
        } else {
            let isPercentile = name == "percentile"
            guard arguments.count == (isPercentile ? 2 : 1) else {
                throw checker.error(
                    isPercentile
                        ? "percentile() takes a field and a rank: percentile(hs.rtt.total, 99)"
                        : "\(name)() takes one field: \(name)(hs.rtt.total)", syntax)
            }
            if isPercentile {
                guard case .literal(.number(let rank)) = arguments[1].kind, (0...100).contains(rank) else {
                    throw checker.error("a rank is a number from 0 to 100", arguments[1])
                }
                kind = .percentile(rank)
            }
            let field = try checker.field(arguments[0], &fields)
            guard case .number(let reader) = field.reader else {
                throw checker.error(
                    "\(name)() is of a number or a duration, and \(field.name) is \(field.isMultiple ? "a list" : field.type.phrase)",
                    arguments[0])
            }
            read = reader
            type = field.type
        }
        aggregates.append(
            Aggregate(
                kind: kind, text: checker.text(syntax), predicate: predicate, read: read, condition: condition?.test,
                type: type, fields: fields))
        return aggregates.count - 1
    }
}

extension Aggregate.Offence {
    static func truths(of kind: AggregateKind, isWanted: Bool) -> Self {
        switch (kind, isWanted) {
        case (.none, true): .truths(yes: true, unknown: true, no: false)
        case (.none, false): .truths(yes: false, unknown: true, no: true)
        case (_, true): .truths(yes: false, unknown: true, no: true)
        case (_, false): .truths(yes: true, unknown: true, no: false)
        }
    }

    /// Of a figure that is to be one number: what it counts; of a share of more than half, what is missing from it.
    static func counted(_ aggregate: Aggregate, near limit: Double) -> Self {
        guard aggregate.kind.takesPredicate else { return .nothing }
        let isMost = aggregate.kind == .ratio && limit > 0.5
        return .truths(yes: !isMost, unknown: true, no: isMost)
    }
}

/// An assertion and the attempts that it has met.
package struct Trial: Sendable {
    package let assertion: Assertion
    /// Whether it holds where no attempt is there to judge.
    private let allowsNone: Bool
    /// Whether the frames of all attempts that break it are kept.
    private let keepsFrames: Bool
    private var tallies: [Tally]
    /// Attempts that nobody vouches for.
    private var doubtful = 0

    package init(_ assertion: Assertion, allowsNone: Bool = false, keepsFrames: Bool = false) {
        self.assertion = assertion
        self.allowsNone = allowsNone
        self.keepsFrames = keepsFrames
        tallies = assertion.aggregates.map { _ in Tally() }
    }

    /// - Parameter selected: whether the record is one of those that are asked about. Translated copies are not.
    package mutating func take(_ record: AttemptRecord, selected: Truth = .yes) {
        if record.copyOf != nil { return }
        // It may not have happened, or have come to something else.
        let selected = record.isDoubtful ? selected && .unknown : selected
        if record.isDoubtful, selected != .no { doubtful += 1 }
        for position in tallies.indices {
            tallies[position].take(record, assertion.aggregates[position], selected: selected, keepsFrames: keepsFrames)
        }
    }

    /// Whether each of its aggregates has met an attempt.
    package var hasMatched: Bool { !tallies.contains(where: \.isEmpty) }

    /// - Parameter quality: what the capture itself is.
    package func judgement(_ quality: [CaptureQuality] = []) -> Judgement {
        var judgement = Judgement()
        judgement.figures = zip(assertion.aggregates, tallies).map(Judgement.Figure.init)
        judgement.attempts = tallies.map { $0.selected + $0.undetermined }.max() ?? 0
        judgement.isOfCapture = tallies.isEmpty
        if assertion.claim.asksOfCapture { judgement.quality = quality }
        judgement.isEmpty = !tallies.isEmpty && tallies.allSatisfy(\.isEmpty)
        let (truth, broken) = truth(assertion.claim, quality, isWanted: true)
        judgement.status =
            if !hasMatched, !allowsNone {
                .unmatched
            } else {
                switch truth {
                // What may not be about anything has not been seen to hold.
                case .yes: tallies.contains { $0.selected == 0 && $0.undetermined > 0 } ? .unknown : .passed
                case .no: .failed
                case .unknown: .unknown
                }
            }
        if judgement.status == .passed { return judgement }
        if judgement.status == .unknown, doubtful > 0 {
            judgement.doubt([
                "\(doubtful) of the attempts may be made up, or their outcome be another (one-way-tunnel, foreign-tunnel, possible-forgery)"
            ])
        }
        var ids: Set<UInt64> = []
        for position in broken.sorted() {
            let offenders = tallies[position].offenders
            judgement.offenderCount = max(judgement.offenderCount, offenders.count)
            judgement.frames += offenders.frames
            judgement.framesOmitted += offenders.framesOmitted
            for (_, record) in offenders.examples where ids.insert(record.id).inserted {
                judgement.examples.append(
                    .init(record: record, values: assertion.aggregates[position].values(of: record)))
            }
        }
        judgement.frames = Set(judgement.frames).sorted()
        return judgement
    }

    /// - Returns: what it comes to, and the aggregates that keep it from being as wanted; none if it is.
    private func truth(
        _ claim: Assertion.Claim, _ quality: [CaptureQuality], isWanted: Bool
    ) -> (Truth, broken: Set<Int>) {
        let truth: Truth
        var involved: Set<Int> = []
        switch claim {
        case .not(let inner):
            let (truth, broken) = self.truth(inner, quality, isWanted: !isWanted)
            return (!truth, broken)
        case .and(let claims):
            let parts = claims.map { self.truth($0, quality, isWanted: isWanted) }
            truth = parts.reduce(.yes) { $0 && $1.0 }
            involved = parts.reduce(into: []) { $0.formUnion($1.broken) }
        case .or(let claims):
            let parts = claims.map { self.truth($0, quality, isWanted: isWanted) }
            truth = parts.reduce(.no) { $0 || $1.0 }
            involved = parts.reduce(into: []) { $0.formUnion($1.broken) }
        case .quality(let code): truth = Truth(quality.contains(code))
        case .truth(let position):
            involved = [position]
            truth = tallies[position].truth(assertion.aggregates[position].kind)
        case .comparison(let left, let comparison, let right):
            for case .aggregate(let position) in [left, right] { involved.insert(position) }
            if let one = bounds(left), let other = bounds(right) {
                truth = comparison.holds(one, other)
            } else {
                truth = excuse(involved, isWanted)
            }
        case .membership(let position, let ranges):
            involved = [position]
            if let value = bounds(.aggregate(position)) {
                truth = value.isIn(ranges)
            } else {
                truth = excuse(involved, isWanted)
            }
        }
        return (truth, (isWanted ? truth : !truth) == .yes ? [] : involved)
    }

    /// A figure that nobody is there for is as wanted where that is allowed, and unknown else.
    private func excuse(_ involved: Set<Int>, _ isWanted: Bool) -> Truth {
        allowsNone && involved.contains { tallies[$0].isEmpty } ? Truth(isWanted) : .unknown
    }

    private func bounds(_ term: Assertion.Term) -> Bounds? {
        switch term {
        case .literal(let value, _): value
        case .aggregate(let position): tallies[position].figure(assertion.aggregates[position].kind)
        }
    }
}

extension Aggregate {
    /// What a record says of what it is asked.
    func values(of record: AttemptRecord) -> [(field: String, value: String)] {
        var names: Set<String> = []
        return fields.filter { names.insert($0.name).inserted }.map { ($0.name, $0.text(of: record)) }
    }
}

/// What came of an assertion.
package struct Judgement: Sendable {
    package enum Status: String, Sendable {
        case passed
        case failed
        /// What is not known could decide it: that is no pass.
        case unknown
        /// No attempt was there to judge.
        case unmatched = "no-attempt-matched"
    }

    /// Why it cannot be told though no attempt speaks against it.
    package private(set) var doubts: [String] = []
    /// Whether it asks of the capture alone.
    package internal(set) var isOfCapture = false
    /// What the capture itself is, where that is asked.
    package internal(set) var quality: [CaptureQuality]?

    /// The aggregates, and what the capture is, with what they came to.
    package var statements: [String] {
        let codes = quality.map { $0.isEmpty ? "none" : $0.map(\.rawValue).joined(separator: " ") }
        return figures.map(\.description) + (codes.map { ["\(CaptureField.name) = \($0)"] } ?? [])
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

        init(_ aggregate: Aggregate, _ tally: Tally) {
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
            line += valued.map { ", of \($0) of \(attempts) attempts" } ?? ", of \(attempts) attempts"
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
    /// Attempts that break it, and a few of them.
    package var offenderCount = 0
    package var examples: [Example] = []
    /// The frames of all that break it, in order; empty unless they were kept.
    package var frames: [UInt64] = []
    /// Frames of theirs that records of many segments do not list.
    package var framesOmitted = 0
}
