import HandshakeRecord

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
        case .word: CaptureField(syntax) != nil
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
        case .contains(let left, let right) where CaptureField(left) != nil:
            guard let field = CaptureField(left) else { preconditionFailure("it names a field") }
            return .capture(field, try checker.captureCode(right, of: field))
        case .literal:
            throw checker.error("\(checker.text(syntax)) is no condition: compare an aggregate with it", syntax)
        case .word(let name) where CaptureField(syntax) != nil:
            let example = CaptureField(syntax)?.codes.dropFirst().first ?? ""
            throw checker.error("\(name) is no condition: \(name) contains \(example)", syntax)
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

    /// What a figure counts that is to be one number; for a share of more than half, what is missing from it.
    static func counted(_ aggregate: Aggregate, near limit: Double) -> Self {
        guard aggregate.kind.takesPredicate else { return .nothing }
        let isMost = aggregate.kind == .ratio && limit > 0.5
        return .truths(yes: !isMost, unknown: true, no: isMost)
    }
}
