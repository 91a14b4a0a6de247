import HandshakeRecord
import PacketWire

// Comparisons with sets of names, and with text.
extension Checker {
    func membership(
        _ operand: Syntax, _ elements: [(low: Syntax, high: Syntax?)], _ fields: inout [Field]
    ) throws(ExpressionError) -> Predicate.Test {
        let field = try field(operand, &fields)
        switch field.reader {
        case .number(let read):
            let set = try ranges(elements, of: field.type, field.name)
            return { record in read(record).map { $0.isIn(set) } ?? .unknown }
        case .numbers(let visit):
            let set = try ranges(elements, of: field.type, field.name)
            return { record in visit(record) { Bounds($0).isIn(set) } }
        case .time(let read):
            var tests: [Predicate.Test] = []
            let reference = reference
            for (low, high) in elements {
                switch (try time(low, for: field), try time(high ?? low, for: field)) {
                case (.absolute(let first), .absolute(let last)):
                    if let high, last < first { throw nothingBetween(low, high) }
                    tests.append { Truth((first...last).contains(read($0))) }
                case (.relative(let first), .relative(let last)):
                    if let high, last < first { throw nothingBetween(low, high) }
                    tests.append { Truth((first...last).contains(reference.distance(of: $0, read($0)))) }
                default: throw error("a range is of two times, or of two durations", high ?? low)
                }
            }
            let all = tests
            return { record in all.reduce(.no) { $0 == .yes ? .yes : $0 || $1(record) } }
        case .address, .addresses:
            var ranges: [ClosedRange<IPAddress>] = []
            for (low, high) in elements {
                let first = try addresses(low, for: field)
                let last = if let high { try addresses(high, for: field) } else { first }
                if let high {
                    guard first.lowerBound.version == last.lowerBound.version else {
                        throw error("a range is of one version of IP", high)
                    }
                    if last.upperBound < first.lowerBound { throw nothingBetween(low, high) }
                }
                ranges.append(first.lowerBound...last.upperBound)
            }
            let set = ranges
            return anyAddress(field) { address in set.contains { $0.contains(address) } }
        case .truth: throw error("\(field.name) is true or false, and in no set", operand)
        case .text(let read):
            var texts: Set<String> = []
            for (low, high) in elements {
                if let high { throw error("texts make no range: list them", high) }
                texts.insert(try text(low, for: field))
            }
            let set = texts
            return { record in Truth(read(record).map { set.contains($0) }) }
        case .names(let read):
            var mask: UInt128 = 0
            for (low, high) in elements {
                if let high { throw error("names make no range: list them", high) }
                mask |= 1 << (try name(low, of: field))
            }
            let set = mask
            return { record in read(record).map { Truth($0 & set != 0) } ?? .unknown }
        }
    }

    /// The ranges of a set of numbers or durations; a single value is one.
    func ranges(
        _ elements: [(low: Syntax, high: Syntax?)], of type: FieldType, _ name: String
    ) throws(ExpressionError) -> [Bounds] {
        var ranges: [Bounds] = []
        for (low, high) in elements {
            let first = try number(low, of: type, name)
            let last = if let high { try number(high, of: type, name) } else { first }
            if let high, last < first { throw nothingBetween(low, high) }
            ranges.append(Bounds(first, last))
        }
        return ranges
    }

    private func nothingBetween(_ low: Syntax, _ high: Syntax) -> ExpressionError {
        ExpressionError(
            "the range ends before it begins", at: low.range.lowerBound..<high.range.upperBound, of: source)
    }

    func contains(
        _ operand: Syntax, _ element: Syntax, _ fields: inout [Field]
    ) throws(ExpressionError) -> Predicate.Test {
        let field = try field(operand, &fields)
        guard case .names(let read) = field.reader, case .name(let vocabulary) = field.type else {
            throw error("contains asks of names, and \(field.name) is \(field.type.phrase)", operand)
        }
        // A list contains a name, a name contains letters.
        let mask: UInt128
        if field.isMultiple {
            mask = 1 << (try name(element, of: field))
        } else {
            let letters: String
            switch element.kind {
            case .word(let text), .literal(.text(let text)): letters = text
            default: throw error("a string should stand here", element)
            }
            mask = vocabulary.mask { $1.contains(letters) }
            if mask == 0 { throw error("no \(vocabulary.noun) contains '\(letters)'", element) }
        }
        return { record in read(record).map { Truth($0 & mask != 0) } ?? .unknown }
    }

    /// Octets that a pattern may have.
    private static let maximumPatternLength = 200

    func matches(
        _ operand: Syntax, _ pattern: Syntax, _ fields: inout [Field]
    ) throws(ExpressionError) -> Predicate.Test {
        let field = try field(operand, &fields)
        guard case .names(let read) = field.reader, case .name(let vocabulary) = field.type else {
            throw error("matches asks of names, and \(field.name) is \(field.type.phrase)", operand)
        }
        guard case .literal(.text(let text)) = pattern.kind else {
            throw error("a regular expression stands in quotes: matches \"^reset-\"", pattern)
        }
        guard text.utf8.count <= Checker.maximumPatternLength else {
            throw error("the regular expression is longer than \(Checker.maximumPatternLength) octets", pattern)
        }
        let expression: NamePattern
        do throws(NamePattern.Failure) { expression = try NamePattern(text) } catch {
            throw self.error("this is no regular expression: \(error.words)", pattern)
        }
        // The names are known, so they are matched now and not for each record.
        let mask = vocabulary.mask { expression.matches($1) }
        if mask == 0 { throw error("no \(vocabulary.noun) matches \"\(text)\"", pattern) }
        return { record in read(record).map { Truth($0 & mask != 0) } ?? .unknown }
    }
}
