import HandshakeRecord

/// A claim about all attempts of a capture, checked and ready to be tried.
package struct Assertion: Sendable {
    indirect enum Claim: Sendable {
        /// An aggregate that is a condition by itself.
        case truth(Int)
        case comparison(Term, Comparison, Term)
        /// A figure is in one of some ranges.
        case membership(Int, [Bounds])
        /// A field of the capture has a name.
        case capture(CaptureField, String)
        case not(Claim)
        case and([Claim])
        case or([Claim])

        /// The fields of the capture that it asks for, in order.
        var captureFields: [CaptureField] {
            switch self {
            case .capture(let field, _): [field]
            case .truth, .comparison, .membership: []
            case .not(let claim): claim.captureFields
            case .and(let claims), .or(let claims):
                CaptureField.allCases.filter { field in claims.contains { $0.captureFields.contains(field) } }
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

    /// Whether it asks for situations: then somebody has to look for them.
    package var asksForSituations: Bool { claim.captureFields.contains(.situations) }

    /// - Parameters:
    ///   - text: an expression of aggregates; one without any is to hold for every attempt.
    ///   - condition: which attempts it is about; nil for all.
    ///   - reference: what a duration that `frame.time` is compared with is counted from.
    package init(
        _ text: String, where condition: Predicate? = nil, relativeTo reference: TimeReference = .captureStart
    ) throws(ExpressionError) {
        let source = Array(text.utf8)
        var builder = ClaimBuilder(Checker(source, reference: reference), condition)
        var syntax = try ExpressionParser.parse(source)
        if !ClaimBuilder.hasAggregate(syntax) {
            syntax = Syntax(kind: .call("all", [syntax], condition: nil), range: syntax.range)
        }
        claim = try builder.claim(syntax, isWanted: true)
        aggregates = builder.aggregates
        self.text = text
    }
}
