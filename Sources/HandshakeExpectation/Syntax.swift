/// An expression as it is written: what its names stand for is the checker's business.
struct Syntax {
    indirect enum Kind {
        /// A field, or a name that a field can have.
        case word(String)
        case literal(Literal)
        case not(Syntax)
        /// Two or more, in a row: a long chain is no deep tree.
        case and([Syntax])
        case or([Syntax])
        case comparison(Syntax, Comparison, Syntax)
        /// `in {...}`: single values, and ranges of two.
        case membership(Syntax, [(low: Syntax, high: Syntax?)])
        case contains(Syntax, Syntax)
        case matches(Syntax, Syntax)
        case call(String, [Syntax], condition: Syntax?)
    }
    var kind: Kind
    /// Octets of the source.
    var range: Range<Int>
}

/// Reads an expression by recursive descent.
///
/// ```
/// expression = and { ("||" | "or") and } and        = not { ("&&" | "and") not } not        = ("!" | "not") not |
/// relation relation   = primary [ comparison primary | ["not"] "in" set | "contains" primary | ("matches" | "~")
/// string ] primary    = "(" expression ")" | function "(" [expression {"," expression}] ["where" expression] ")" |
/// field | name | literal set        = "{" [element {[","] element}] "}"        element = primary [".." primary]
/// comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" | "eq" | "ne" | "lt" | "le" | "gt" | "ge"
/// ```
struct ExpressionParser {
    /// Parentheses, functions and negations inside each other.
    static let deepest = 100

    private let source: [UInt8]
    private let tokens: [Token]
    private var position = 0
    private var depth = 0

    private init(_ source: [UInt8]) throws(ExpressionError) {
        self.source = source
        tokens = try Lexer.tokens(source)
    }

    static func parse(_ source: [UInt8]) throws(ExpressionError) -> Syntax {
        var parser = try ExpressionParser(source)
        if parser.token.kind == .end { throw parser.error("the expression is empty") }
        let expression = try parser.expression()
        if parser.token.kind != .end { throw parser.unexpected("'and', 'or' or the end") }
        return expression
    }

    // MARK: Tokens

    private var token: Token { tokens[position] }

    private mutating func advance() { if position < tokens.count - 1 { position += 1 } }

    private mutating func take(_ spellings: String...) -> Bool {
        switch token.kind {
        case .symbol(let text), .word(let text):
            guard spellings.contains(text) else { return false }
            advance()
            return true
        default: return false
        }
    }

    private func error(_ message: String, _ range: Range<Int>? = nil) -> ExpressionError {
        ExpressionError(message, at: range ?? token.range, of: source)
    }

    private static let units = ["ns", "us", "µs", "ms", "s", "m", "min", "h", "%"]

    /// The number that stands before the token.
    private var numberBefore: Range<Int>? {
        guard position > 0, case .literal(.number) = tokens[position - 1].kind else { return nil }
        return tokens[position - 1].range
    }

    private func unexpected(_ wanted: String) -> ExpressionError {
        switch token.kind {
        case .end: return error("the expression ends where \(wanted) should come")
        case .symbol("="): return error("'=' is no operator: equality is '=='")
        default:
            let text = String(decoding: source[token.range], as: UTF8.self)
            if let number = numberBefore, ExpressionParser.units.contains(text) {
                return error(
                    "no space comes between a number and its unit: \(String(decoding: source[number], as: UTF8.self))\(text)",
                    number.lowerBound..<token.range.upperBound)
            }
            return error("'\(text)' stands where \(wanted) should come")
        }
    }

    private mutating func nested<Result>(
        _ body: (inout ExpressionParser) throws(ExpressionError) -> Result
    ) throws(ExpressionError) -> Result {
        depth += 1
        defer { depth -= 1 }
        if depth > ExpressionParser.deepest {
            throw error("more than \(ExpressionParser.deepest) levels inside each other")
        }
        return try body(&self)
    }

    // MARK: The grammar

    private mutating func expression() throws(ExpressionError) -> Syntax {
        var operands = [try conjunction()]
        while take("||", "or") { operands.append(try conjunction()) }
        if operands.count == 1 { return operands[0] }
        return Syntax(kind: .or(operands), range: operands[0].range.lowerBound..<tokens[position - 1].range.upperBound)
    }

    private mutating func conjunction() throws(ExpressionError) -> Syntax {
        var operands = [try negation()]
        while take("&&", "and") { operands.append(try negation()) }
        if operands.count == 1 { return operands[0] }
        return Syntax(kind: .and(operands), range: operands[0].range.lowerBound..<tokens[position - 1].range.upperBound)
    }

    private mutating func negation() throws(ExpressionError) -> Syntax {
        let start = token.range.lowerBound
        guard take("!", "not") else { return try relation() }
        let operand = try nested { parser throws(ExpressionError) in try parser.negation() }
        return Syntax(kind: .not(operand), range: start..<operand.range.upperBound)
    }

    private static let comparisons: [String: Comparison] = [
        "==": .equal, "eq": .equal, "!=": .notEqual, "ne": .notEqual, "<": .less, "lt": .less, "<=": .lessOrEqual,
        "le": .lessOrEqual, ">": .greater, "gt": .greater, ">=": .greaterOrEqual, "ge": .greaterOrEqual,
    ]

    private mutating func comparison() -> Comparison? {
        switch token.kind {
        case .symbol(let text), .word(let text):
            guard let comparison = ExpressionParser.comparisons[text] else { return nil }
            advance()
            return comparison
        default: return nil
        }
    }

    private mutating func relation() throws(ExpressionError) -> Syntax {
        let left = try primary()
        func spanning(_ kind: Syntax.Kind) -> Syntax {
            Syntax(kind: kind, range: left.range.lowerBound..<tokens[position - 1].range.upperBound)
        }
        if let comparison = comparison() {
            let right = try primary()
            let result = spanning(.comparison(left, comparison, right))
            if self.comparison() != nil {
                throw error("comparisons do not chain: join two with 'and'", tokens[position - 1].range)
            }
            return result
        }
        if take("contains") { return spanning(.contains(left, try primary())) }
        if take("matches", "~") { return spanning(.matches(left, try primary())) }
        if take("in") { return spanning(.membership(left, try set())) }
        if token.kind == .word("not"), tokens[position + 1].kind == .word("in") {
            advance()
            advance()
            let membership = spanning(.membership(left, try set()))
            return Syntax(kind: .not(membership), range: membership.range)
        }
        return left
    }

    private mutating func set() throws(ExpressionError) -> [(low: Syntax, high: Syntax?)] {
        guard take("{") else { throw unexpected("a set, as {80, 443, 8000..8999},") }
        var elements: [(low: Syntax, high: Syntax?)] = []
        while !take("}") {
            let low = try primary()
            elements.append((low, take("..") ? try primary() : nil))
            _ = take(",")
        }
        if elements.isEmpty { throw error("the set is empty", tokens[position - 1].range) }
        return elements
    }

    private static let reserved: Set = [
        "and", "or", "not", "in", "contains", "matches", "where", "eq", "ne", "lt", "le", "gt", "ge",
    ]

    private mutating func primary() throws(ExpressionError) -> Syntax {
        let token = token
        switch token.kind {
        case .literal(let literal):
            advance()
            return Syntax(kind: .literal(literal), range: token.range)
        case .word(let word) where !ExpressionParser.reserved.contains(word):
            advance()
            if take("(") { return try nested { parser throws(ExpressionError) in try parser.call(word, token.range) } }
            return Syntax(kind: .word(word), range: token.range)
        case .symbol("("):
            advance()
            return try nested { parser throws(ExpressionError) in
                let inner = try parser.expression()
                guard parser.take(")") else { throw parser.unexpected("')'") }
                return Syntax(
                    kind: inner.kind,
                    range: token.range.lowerBound..<parser.tokens[parser.position - 1].range.upperBound)
            }
        default: throw unexpected("a field, a value or '('")
        }
    }

    private mutating func call(_ name: String, _ range: Range<Int>) throws(ExpressionError) -> Syntax {
        var arguments: [Syntax] = []
        var condition: Syntax?
        while !take(")") {
            if !arguments.isEmpty, !take(","), token.kind != .word("where") { throw unexpected("',', 'where' or ')'") }
            if take("where") {
                condition = try expression()
                guard take(")") else { throw unexpected("')'") }
                break
            }
            arguments.append(try expression())
        }
        return Syntax(
            kind: .call(name, arguments, condition: condition),
            range: range.lowerBound..<tokens[position - 1].range.upperBound)
    }
}
