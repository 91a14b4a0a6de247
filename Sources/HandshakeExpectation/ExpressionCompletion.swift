/// Completions at the end of an expression that is being typed.
package enum ExpressionCompletion {
    /// The expression with each word that its end can become.
    /// - Parameter isAssertion: whether aggregates can stand there too.
    package static func continuations(of text: String, isAssertion: Bool) -> [String] {
        let word = text.reversed().prefix { $0.isLetter || $0.isNumber || "._-".contains($0) }.count
        let head = String(text.dropLast(word))
        let start = text.suffix(word)
        return words(after: head, isAssertion: isAssertion).filter { $0.hasPrefix(start) }.map { head + $0 }
    }

    /// The list of fields with each field that its last one can become.
    package static func continuations(ofGrouping text: String) -> [String] {
        let last = text.reversed().prefix { $0 != "," }.count
        let head = String(text.dropLast(last))
        let taken = Set(head.split(separator: ",").map { $0.prefix { $0 != "/" } })
        return Field.all.map(\.name)
            .filter { $0.hasPrefix(text.suffix(last)) && !taken.contains($0[...]) }
            .map { head + $0 }
    }

    private static func words(after head: String, isAssertion: Bool) -> [String] {
        let head = String(head.reversed().drop(while: \.isWhitespace).reversed())
        if let match = head.firstMatch(of: /([a-z0-9_.]+)\s*(?:==|!=|<=|>=|<|>|\bcontains|\bin\s*\{[^}]*)$/) {
            return names(of: String(match.1))
        }
        let expectsTerm = head.isEmpty || head.contains(/(?:[(!]|&&|\|\||\b(?:and|or|not|where))$/)
        guard expectsTerm else {
            return ["and", "or", "contains", "in"] + (isAssertion ? ["where"] : [])
        }
        let aggregates = isAssertion ? AggregateKind.names.map { $0 + "(" } : []
        return Field.all.map(\.name) + (isAssertion ? CaptureField.allCases.map(\.rawValue) : []) + aggregates + ["not"]
    }

    /// The names that a field can have; none where it has no such set.
    private static func names(of field: String) -> [String] {
        if let field = CaptureField(rawValue: field) { return field.codes }
        guard case .name(let vocabulary)? = Field.named(field)?.type else { return [] }
        return vocabulary.names
    }
}
