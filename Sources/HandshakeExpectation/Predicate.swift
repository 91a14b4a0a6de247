package import HandshakeRecord
import PacketWire

/// A question about one record, checked and ready to be asked of millions.
package struct Predicate: Sendable {
    typealias Test = @Sendable (AttemptRecord) -> Truth

    let test: Test
    /// The fields that it asks of, each once, in the order in which they come.
    package let fields: [Field]
    /// As it was written.
    package let text: String

    @inline(__always)
    package func callAsFunction(_ record: AttemptRecord) -> Truth { test(record) }

    /// - Parameters:
    ///   - text: an expression over records, as of `-Y`.
    ///   - reference: what a duration that `frame.time` is compared with is counted from.
    package init(_ text: String, relativeTo reference: TimeReference = .captureStart) throws(ExpressionError) {
        let source = Array(text.utf8)
        let syntax = try ExpressionParser.parse(source)
        self = try Checker(source, reference: reference).predicate(syntax)
    }

    init(_ text: String, _ fields: [Field], _ test: @escaping Test) {
        self.text = text
        self.fields = fields
        self.test = test
    }

    /// All of them; nil for none.
    package static func all(_ predicates: [Predicate]) -> Predicate? {
        guard let first = predicates.first, predicates.count > 1 else { return predicates.first }
        let rest = predicates.dropFirst()
        return Predicate(
            predicates.map { "(\($0.text))" }.joined(separator: " and "), predicates.flatMap(\.fields)
        ) { record in
            var truth = first(record)
            for predicate in rest where truth != .no { truth = truth && predicate(record) }
            return truth
        }
    }

    /// Both; nil is no condition.
    static func both(_ a: Predicate?, _ b: Predicate?) -> Predicate? {
        guard let a, let b else { return a ?? b }
        return Predicate("(\(a.text)) and (\(b.text))", a.fields + b.fields, both(a.test, b.test))
    }

    static func both(_ first: @escaping Test, _ second: @escaping Test) -> Test {
        { record in
            let truth = first(record)
            return truth == .no ? .no : truth && second(record)
        }
    }
}
