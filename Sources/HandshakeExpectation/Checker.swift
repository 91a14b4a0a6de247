import HandshakeRecord
import PacketWire

/// Gives names their meaning and types, and makes tests of expressions. Everything that can be wrong with an expression
/// is found here, before a packet is read.
struct Checker {
    let source: [UInt8]
    /// The origin of durations that a time is compared with.
    let reference: TimeReference

    init(_ source: [UInt8], reference: TimeReference = .captureStart) {
        self.source = source
        self.reference = reference
    }

    func error(_ message: String, _ syntax: Syntax) -> ExpressionError {
        ExpressionError(message, at: syntax.range, of: source)
    }

    func text(_ syntax: Syntax) -> String { String(decoding: source[syntax.range], as: UTF8.self) }

    // MARK: Predicates

    func predicate(_ syntax: Syntax) throws(ExpressionError) -> Predicate {
        var fields: [Field] = []
        let test = try test(syntax, &fields)
        return Predicate(text(syntax), fields, test)
    }

    private func test(_ syntax: Syntax, _ fields: inout [Field]) throws(ExpressionError) -> Predicate.Test {
        switch syntax.kind {
        case .literal(.boolean(let value)):
            let truth = Truth(value)
            return { _ in truth }
        case .literal(let literal):
            throw error("\(literal.kind) is no condition: compare it with a field", syntax)
        case .word: return try presence(syntax, try field(syntax, &fields))
        case .not(let operand):
            let inner = try test(operand, &fields)
            return { !inner($0) }
        case .and(let operands):
            let tests = try self.tests(operands, &fields)
            if tests.count == 2 { return Predicate.both(tests[0], tests[1]) }
            return { record in
                var truth = Truth.yes
                for test in tests {
                    truth = truth && test(record)
                    if truth == .no { break }
                }
                return truth
            }
        case .or(let operands):
            let tests = try self.tests(operands, &fields)
            return { record in
                var truth = Truth.no
                for test in tests {
                    truth = truth || test(record)
                    if truth == .yes { break }
                }
                return truth
            }
        case .comparison(let left, let comparison, let right):
            return try self.comparison(left, comparison, right, &fields)
        case .membership(let operand, let elements): return try membership(operand, elements, &fields)
        case .contains(let operand, let element): return try contains(operand, element, &fields)
        case .matches(let operand, let pattern): return try matches(operand, pattern, &fields)
        case .call("known", let arguments, let condition):
            guard arguments.count == 1, condition == nil else {
                throw error("known() takes one field: known(hs.rtt.total)", syntax)
            }
            return known(try field(arguments[0], &fields))
        case .call(let name, _, _):
            if AggregateKind(name) != nil {
                throw error("\(name)() is about all attempts, and this is a condition on one", syntax)
            }
            throw error(
                "there is no function '\(name)'" + NearestName.hint(name, among: ["known"] + AggregateKind.names),
                syntax)
        }
    }

    private func tests(_ operands: [Syntax], _ fields: inout [Field]) throws(ExpressionError) -> [Predicate.Test] {
        var tests: [Predicate.Test] = []
        for operand in operands { tests.append(try test(operand, &fields)) }
        return tests
    }

    func field(_ syntax: Syntax, _ fields: inout [Field]) throws(ExpressionError) -> Field {
        guard case .word(let name) = syntax.kind else { throw error("a field should stand here", syntax) }
        if let field = CaptureField(syntax) {
            throw error(
                "\(name) is about the capture, not about one attempt: it stands in an assertion, outside of aggregates, as \(name) contains \(field.codes[1])",
                syntax)
        }
        guard let field = Field.named(name)?.counted(from: reference) else {
            let owner = Field.all.first { other in
                if case .name(let vocabulary) = other.type { vocabulary.names.contains(name) } else { false }
            }
            if let owner {
                throw error("'\(name)' is \(owner.type.phrase), and no field: \(owner.name) == \(name)", syntax)
            }
            throw error("there is no field '\(name)'" + NearestName.hint(name, among: Field.all.map(\.name)), syntax)
        }
        if !fields.contains(where: { $0.name == field.name }) { fields.append(field) }
        return field
    }

    /// A field alone: its value if it is a truth value, else whether it is known, as in Wireshark.
    private func presence(_ syntax: Syntax, _ field: Field) throws(ExpressionError) -> Predicate.Test {
        if case .truth(let read) = field.reader { return { Truth(read($0)) } }
        return known(field)
    }

    private func known(_ field: Field) -> Predicate.Test {
        switch field.reader {
        case .number(let read): return { Truth(read($0) != nil) }
        case .numbers(let visit): return { record in visit(record) { _ in .yes } }
        case .time: return { _ in .yes }
        case .text(let read): return { Truth(read($0) != nil) }
        case .address(let read): return { Truth(read($0) != nil) }
        case .addresses(let visit): return { record in visit(record) { _ in .yes } }
        case .truth(let read): return { Truth(read($0) != nil) }
        case .names(let read): return { Truth((read($0) ?? 0) != 0) }
        }
    }

    // MARK: Comparisons

    private func isField(_ syntax: Syntax) -> Bool {
        if case .word(let name) = syntax.kind { return Field.named(name) != nil }
        return false
    }

    private func comparison(
        _ left: Syntax, _ comparison: Comparison, _ right: Syntax, _ fields: inout [Field]
    ) throws(ExpressionError) -> Predicate.Test {
        // The field comes first; a name that is none may be meant for the other side's.
        if !isField(left), isField(right) {
            return try self.comparison(right, comparison.mirrored, left, &fields)
        }
        if case .literal = left.kind { throw error("neither side is a field", left) }
        if case .call(let name, _, _) = left.kind, AggregateKind(name) == nil { _ = try test(left, &fields) }
        let field = try field(left, &fields)
        if isField(right) { return try compare(field, comparison, try self.field(right, &fields), left, right) }
        switch field.reader {
        case .number(let read):
            let value = Bounds(try number(right, for: field))
            return { record in read(record).map { comparison.holds($0, value) } ?? .unknown }
        case .numbers(let visit):
            let value = Bounds(try number(right, for: field))
            // Wireshark's rule: != is what == is not, so all values differ.
            if comparison == .notEqual {
                return { record in !visit(record) { Comparison.equal.holds(Bounds($0), value) } }
            }
            return { record in visit(record) { comparison.holds(Bounds($0), value) } }
        case .time(let read):
            switch try time(right, for: field) {
            case .absolute(let moment): return { record in Truth(comparison.holds(read(record), moment)) }
            case .relative(let distance):
                let reference = reference
                let value = Bounds(distance)
                return { record in comparison.holds(Bounds(reference.distance(of: record, read(record))), value) }
            }
        case .address, .addresses:
            guard comparison == .equal || comparison == .notEqual else {
                throw error(
                    "addresses are compared with == and !=, or with a network or a range: in {10.0.0.0/8, 192.0.2.1..192.0.2.9}",
                    right)
            }
            let range = try addresses(right, for: field)
            let test = anyAddress(field) { range.contains($0) }
            if comparison == .equal { return test }
            return { record in !test(record) }
        case .truth(let read):
            guard case .literal(.boolean(let value)) = right.kind, comparison == .equal || comparison == .notEqual
            else {
                throw error("\(field.name) is true or false: compare it with == true, or let it stand alone", right)
            }
            let wanted = value == (comparison == .equal)
            return { record in Truth(read(record).map { $0 == wanted }) }
        case .text(let read):
            guard comparison == .equal || comparison == .notEqual else {
                throw error("a text is compared with == and !=: it has no order", right)
            }
            let wanted = try text(right, for: field)
            return { record in Truth(read(record).map { ($0 == wanted) == (comparison == .equal) }) }
        case .names(let read):
            guard case .name(let vocabulary) = field.type else { throw error("\(field.name) has no names", left) }
            let position = try name(right, of: field)
            let mask: UInt128
            switch comparison {
            case .equal: mask = 1 << position
            case .notEqual:
                let unwanted: UInt128 = 1 << position
                return { record in read(record).map { Truth($0 & unwanted == 0) } ?? .unknown }
            default:
                guard vocabulary.isOrdered else {
                    throw error("\(field.type.phrase) is compared with ==, != and in: it has no order", right)
                }
                let value = Bounds(Double(position))
                mask = vocabulary.mask { other, _ in comparison.holds(Bounds(Double(other)), value) == .yes }
            }
            return { record in read(record).map { Truth($0 & mask != 0) } ?? .unknown }
        }
    }

    /// One field with another of its type.
    private func compare(
        _ a: Field, _ comparison: Comparison, _ b: Field, _ left: Syntax, _ right: Syntax
    ) throws(ExpressionError) -> Predicate.Test {
        guard a.type == b.type else {
            throw error("\(a.type.phrase) (\(a.name)) cannot be compared with \(b.type.phrase) (\(b.name))", right)
        }
        switch (a.reader, b.reader) {
        case (.number(let first), .number(let second)):
            return { record in
                guard let one = first(record), let other = second(record) else { return .unknown }
                return comparison.holds(one, other)
            }
        case (.address(let first), .address(let second)) where comparison == .equal || comparison == .notEqual:
            return { record in
                guard let one = first(record), let other = second(record) else { return .unknown }
                return Truth((one == other) == (comparison == .equal))
            }
        case (.names(let first), .names(let second)) where comparison == .equal || comparison == .notEqual:
            return { record in
                guard let one = first(record), let other = second(record) else { return .unknown }
                return Truth((one == other) == (comparison == .equal))
            }
        case (.truth(let first), .truth(let second)) where comparison == .equal || comparison == .notEqual:
            return { record in
                guard let one = first(record), let other = second(record) else { return .unknown }
                return Truth((one == other) == (comparison == .equal))
            }
        default:
            throw error(
                a.isMultiple || b.isMultiple
                    ? "a field of several values is compared with a value, not with another field"
                    : "two fields of this type are compared with == and !=", right)
        }
    }

    func anyAddress(
        _ field: Field, _ isIn: @escaping @Sendable (IPAddress) -> Bool
    ) -> Predicate.Test {
        switch field.reader {
        case .address(let read): return { record in Truth(read(record).map(isIn)) }
        case .addresses(let visit): return { record in visit(record) { Truth(isIn($0)) } }
        default: preconditionFailure("\(field.name) is no address")
        }
    }

    // MARK: Values

    enum Moment {
        /// Nanoseconds since the epoch.
        case absolute(Int64)
        /// Nanoseconds.
        case relative(Double)
    }

    /// A time that a field can be compared with.
    func time(_ syntax: Syntax, for field: Field) throws(ExpressionError) -> Moment {
        switch syntax.kind {
        case .literal(.duration(let nanoseconds)): return .relative(nanoseconds)
        case .literal(.time(let moment)): return .absolute(moment)
        case .literal(.text(let text)):
            do throws(AbsoluteTime.Failure) { return .absolute(try AbsoluteTime.parse(text)) } catch {
                throw self.error(
                    error == .noZone
                        ? "the time has no zone: \"\(text)Z\", or \"\(text)+01:00\""
                        : "\"\(text)\" is no time: \"2026-11-28T10:02:10Z\", \"2026-11-28 10:02:10+01:00\"", syntax)
            }
        case .literal(.number(let value)):
            throw error("\(field.name) is a time: say the unit, as \(FigureText.plain(value))s, or a date", syntax)
        default:
            throw error(
                "\(field.name) is a time: compare it with \"2026-11-28T10:02:10Z\", or with a duration since the capture's first frame, as 10s",
                syntax)
        }
    }

    /// A number or duration that a field can be compared with.
    func number(_ syntax: Syntax, for field: Field) throws(ExpressionError) -> Double {
        try number(syntax, of: field.type, field.name)
    }

    func number(_ syntax: Syntax, of type: FieldType, _ name: String) throws(ExpressionError) -> Double {
        guard case .literal(let literal) = syntax.kind else {
            throw error("\(name) is \(type.phrase), and '\(text(syntax))' is none", syntax)
        }
        switch (type, literal) {
        case (.number, .number(let value)), (.duration, .duration(let value)), (.ratio, .number(let value)),
            (.ratio, .percentage(let value)):
            if type == .ratio, !(0...1).contains(value) {
                if case .percentage = literal { throw error("a ratio is from 0% to 100%", syntax) }
                throw error(
                    "a ratio is from 0 to 1"
                        + (value > 1 && value <= 100
                            ? ": \(FigureText.plain(value)) of a hundred is \(FigureText.plain(value))%" : ""),
                    syntax)
            }
            return value
        case (.duration, .number(let value)):
            throw error("\(name) is a duration: say its unit, as \(FigureText.plain(value))ms", syntax)
        default: throw error("\(name) is \(type.phrase), and \(text(syntax)) is \(literal.kind)", syntax)
        }
    }

    func addresses(_ syntax: Syntax, for field: Field) throws(ExpressionError) -> ClosedRange<IPAddress> {
        switch syntax.kind {
        case .literal(.address(let address)): return address...address
        case .literal(.network(let first, let last)): return first...last
        case .literal(.text(let text)):
            if let address = IPAddress(text) { return address...address }
            throw error("\(field.name) is an address, and \"\(text)\" is none", syntax)
        case .literal(let literal):
            throw error("\(field.name) is an address, and \(text(syntax)) is \(literal.kind)", syntax)
        default: throw error("\(field.name) is an address, and '\(text(syntax))' is none", syntax)
        }
    }

    /// A text that a field can be compared with.
    func text(_ syntax: Syntax, for field: Field) throws(ExpressionError) -> String {
        switch syntax.kind {
        case .word(let text), .literal(.text(let text)): return text
        default: throw error("\(field.name) is a text: compare it with one in quotation marks", syntax)
        }
    }

    /// A name's place in its vocabulary.
    func name(_ syntax: Syntax, of field: Field) throws(ExpressionError) -> Int {
        guard case .name(let vocabulary) = field.type else { throw error("\(field.name) has no names", syntax) }
        let word: String
        switch syntax.kind {
        case .word(let text), .literal(.text(let text)): word = text
        case .literal(let literal):
            // The subtypes of MPTCP are numbers.
            word = text(syntax)
            if !vocabulary.names.contains(word) {
                throw error("\(field.name) is \(field.type.phrase), and \(word) is \(literal.kind)", syntax)
            }
        default: throw error("\(field.name) is compared with \(field.type.phrase)", syntax)
        }
        guard let position = vocabulary.names.firstIndex(of: word) else {
            let hint = NearestName.hint(word, among: vocabulary.names)
            throw error(
                "there is no \(vocabulary.noun) '\(word)'"
                    + (hint.isEmpty && vocabulary.names.count <= 16
                        ? ": there are \(vocabulary.names.joined(separator: ", "))" : hint),
                syntax)
        }
        return position
    }
}
