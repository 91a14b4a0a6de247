import HandshakeExpectation
import Testing

@Suite("Completion of expressions")
struct ExpressionCompletionTests {
    private func words(_ text: String, isAssertion: Bool = false) -> [String] {
        ExpressionCompletion.continuations(of: text, isAssertion: isAssertion)
    }

    @Test("A field is completed at the start, after a parenthesis and after a connective")
    func fields() {
        #expect(words("tcp.dstp") == ["tcp.dstport"])
        #expect(words("not (tcp.dstp") == ["not (tcp.dstport"])
        #expect(words("hs.failed and tcp.dstp") == ["hs.failed and tcp.dstport"])
        #expect(words("hs.failed || tcp.dstp") == ["hs.failed || tcp.dstport"])
    }

    @Test("Only an assertion has aggregates")
    func aggregates() {
        #expect(words("percen", isAssertion: true) == ["percentile("])
        #expect(words("percen").isEmpty)
        #expect(words("all(hs.failed where tcp.dstp", isAssertion: true) == ["all(hs.failed where tcp.dstport"])
    }

    @Test("Names of a field are completed after a comparison and in a set")
    func names() {
        #expect(words("hs.outcome == refu") == ["hs.outcome == refused"])
        #expect(words("hs.outcome in {stale refu") == ["hs.outcome in {stale refused"])
        #expect(words("hs.findings contains syn-l") == ["hs.findings contains syn-lost"])
        #expect(words("tcp.dstport == 4").isEmpty)
    }

    @Test("Every name that is offered makes an expression", arguments: Field.all.map(\.name))
    func offeredNames(_ field: String) throws {
        for text in words("\(field) == ") { _ = try Predicate(text) }
    }

    @Test("After a value comes a connective")
    func connectives() { #expect(words("tcp.dstport == 443 a") == ["tcp.dstport == 443 and"]) }

    @Test("A grouping is completed behind its comma, with fields that it does not have")
    func grouping() {
        #expect(ExpressionCompletion.continuations(ofGrouping: "ip.src/24,tcp.dstp") == ["ip.src/24,tcp.dstport"])
        #expect(!ExpressionCompletion.continuations(ofGrouping: "ip.src/24,ip.s").contains("ip.src/24,ip.src"))
    }
}
