/// One expectation of a scenario: a line of it.
package struct Expectation: Sendable {
    package enum Subject: Sendable, Hashable {
        /// The `occurrence`th attempt (from 1) of a flow.
        case attempt(flow: Int, occurrence: Int)
        /// All attempts and the patterns.
        case everything
        case summary
    }

    package enum Claim: Sendable {
        /// The field has this value: a number, a word, `null`, several of an array.
        case field(path: String, values: [String])
        /// A number between two, both included.
        case range(path: String, ClosedRange<Int64>)
        /// Exactly these findings, each once or more.
        case findings([String])
        /// Not this finding.
        case absent(String)
    }

    package var subject: Subject
    package var claim: Claim
    /// Where it stands; nil where it was not read from text.
    package var source: SourceLine?

    package init(_ subject: Subject, _ claim: Claim, source: SourceLine? = nil) {
        self.subject = subject
        self.claim = claim
        self.source = source
    }
}
