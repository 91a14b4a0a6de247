import HandshakeAnalysis
import HandshakeReport
import Testing

@testable import HandshakeExpectation

@Suite("Rules files")
struct RuleTests {
    struct NoFile: Error {}

    static func rules(_ files: [String: String], _ overrides: [String: String] = [:]) throws -> [Rule] {
        try RulesFile.rules(at: ["rules.yml"], overrides: overrides) { path in
            guard let text = files[path] else { throw NoFile() }
            return text
        }
    }

    private func error(_ text: String, _ overrides: [String: String] = [:]) -> String {
        do {
            _ = try Self.rules(["rules.yml": text], overrides)
            return "taken"
        } catch { return "\(error)" }
    }

    @Test("A rule has a name, a selection, an expectation and words")
    func whole() throws {
        let rules = try Self.rules([
            "rules.yml": """
            variables:
              port: 8443
              limit: 50ms
            rules:
              - name: fast on ${port}
                where: tcp.dstport == ${port}
                expect: p99(hs.rtt.total) < ${limit}
                severity: warning
                reason: the pool times out after 100 ms
                tags: [web, latency]
                allow-none: true
              - expect: none(hs.findings contains syn-lost)
            """
        ])
        #expect(rules.count == 2)
        #expect(rules[0].name == "fast on 8443")
        #expect(rules[0].condition == "tcp.dstport == 8443")
        #expect(rules[0].assertion.text == "p99(hs.rtt.total) < 50ms")
        #expect(rules[0].severity == .warning && rules[0].tags == ["web", "latency"] && rules[0].allowsNone)
        #expect(rules[0].reason == "the pool times out after 100 ms")
        #expect(rules[0].location == "rules.yml:5")
        #expect(rules[1].name == "none(hs.findings contains syn-lost)" && rules[1].severity == .error)
    }

    @Test("Included files come first, and their variables yield to the includer's and to --set")
    func includes() throws {
        let files = [
            "rules.yml":
                "include: [common.yml]\nvariables: {port: 2}\nrules:\n  - {name: b, expect: 'count(tcp.dstport == ${port}) > 0'}",
            "common.yml": "variables: {port: 1}\nrules:\n  - {name: a, expect: 'any(tcp.dstport == ${port})'}",
        ]
        #expect(
            try Self.rules(files).map(\.assertion.text) == ["any(tcp.dstport == 2)", "count(tcp.dstport == 2) > 0"])
        #expect(try Self.rules(files, ["port": "3"]).map(\.assertion.text).first == "any(tcp.dstport == 3)")
    }

    @Test("An include is looked for beside the file that names it")
    func relativeInclude() throws {
        let rules = try RulesFile.rules(at: ["ci/rules.yml"]) { path in
            switch path {
            case "ci/rules.yml": "include: more/common.yml"
            case "ci/more/common.yml": "rules: [{expect: count() > 0}]"
            default: throw NoFile()
            }
        }
        #expect(rules.count == 1)
    }

    @Test(
        "A mistake is named with file, line and what was meant",
        arguments: [
            ("rules: []", "rules.yml: there are no rules in it"), ("", "rules.yml: it should hold 'rules:'"),
            ("5", "should hold 'rules:'"), ("rules: 5", "rules.yml:1:8: rules are a list"),
            ("rule: []", "rules.yml:1:1: there is no key 'rule': did you mean 'rules'?"),
            ("rules:\n  - expcet: 'true'", "rules.yml:2:5: there is no key 'expcet': did you mean 'expect'?"),
            ("rules:\n  - name: x", "rules.yml:2:5: the rule has no 'expect'"),
            ("rules:\n  - x", "a rule has a name and what it expects"),
            ("rules:\n  - expect: hs.outcom == refused", "rules.yml:2:13: 1:1: there is no field 'hs.outcom'"),
            ("rules:\n  - expect: count() > 0\n    where: hs.fail", "rules.yml:3:12: 1:1: there is no field 'hs.fail'"),
            ("rules:\n  - expect: count() > ${n}", "rules.yml:2:13: there is no variable 'n'"),
            ("rules:\n  - expect: count() > ${n", "'${' has no '}'"),
            ("rules:\n  - {expect: count() > 0, severity: fatal}", "there is no severity 'fatal'"),
            ("rules:\n  - {expect: count() > 0, tags: web}", "tags are a list"),
            ("rules:\n  - {expect: count() > 0, allow-none: 5}", "allow-none is true or false"),
            ("rules:\n  - {expect: [count()]}", "'expect' is a text"),
            (
                "rules:\n  - {name: a, expect: count() > 0}\n  - {name: a, expect: count() > 1}",
                "there are two rules 'a'"
            ),
            ("include: rules.yml\nrules: [{expect: count() > 0}]", "it includes itself"),
            ("include: [[]]", "include names a file"),
            ("variables: 5\nrules: [{expect: count() > 0}]", "variables are names with values"),
            ("variables: {a: [1]}\nrules: [{expect: count() > 0}]", "a variable's value is a number or a text"),
            ("rules: [\n", "this is no YAML"),
            ("rules:\n\t- expect: count() > 0", "a tab begins the line, and YAML is indented with spaces alone"),
            ("rules:\n  - name: a\n  \t  expect: count() > 0", "a tab begins the line"),
            ("rules: *nobody", "this is no YAML"),
        ])
    func mistakes(_ text: String, _ message: String) {
        #expect(error(text).contains(message), "\(error(text))")
    }

    @Test("--set of a variable that no file has is a mistake")
    func unknownOverride() {
        #expect(
            error("variables: {port: 1}\nrules: [{expect: count() > 0}]", ["prot": "2"])
                .contains("there is no variable 'prot': did you mean 'port'?"))
    }

    // MARK: Verdicts

    private func verdict(_ rules: [Rule]) -> CheckVerdict {
        var check = RuleCheck(rules)
        for record in Records.five { check.take(record) }
        return check.verdict()
    }

    @Test("A warning that does not hold fails nothing, an error does")
    func severities() throws {
        var rule = try Rule("none(hs.failed)")
        #expect(!verdict([rule]).passed)
        rule.severity = .warning
        #expect(verdict([rule]).passed && !verdict([rule]).results[0].passed)
    }

    @Test("A rule that no attempt matched fails, unless it is allowed")
    func noneMatched() throws {
        var rule = try Rule("all(hs.failed where tcp.dstport == 1)")
        #expect(verdict([rule]).results[0].judgement.status == .unmatched)
        rule.allowsNone = true
        #expect(verdict([rule]).passed)
    }

    // MARK: Reports

    private func report(_ format: CheckFormat, _ expressions: [String]) throws -> String {
        var context = CheckContext()
        context.captures = ["a & <b>.pcap"]
        var out = OutputBuffer()
        CheckReport(
            verdict(try expressions.map { try Rule($0) }), context,
            style: TextStyle(usesColor: false, usesUnicode: false, width: 100)
        ).write(format, to: &out)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    @Test("JUnit escapes what XML reserves")
    func junitEscapes() throws {
        let text = try report(.junit, ["p99(hs.syn.count) < 1"])
        #expect(text.contains("name=\"p99(hs.syn.count) &lt; 1\""))
        #expect(text.contains("a &amp; &lt;b&gt;.pcap") && !text.contains("<b>"))
        #expect(text.contains("tests=\"1\" failures=\"1\" errors=\"0\""))
    }

    @Test("TAP plans as many tests as there are rules, and a # in a name begins no directive")
    func tap() throws {
        let text = try report(.tap, ["count() == 5", "hs.outcome matches '#|established'"])
        #expect(
            text.hasPrefix(
                "TAP version 14\n1..2\nok 1 - count() == 5\nnot ok 2 - hs.outcome matches '\\#|established'\n"))
    }

    @Test("GitHub's annotation is one line, and names the file of the rule")
    func github() throws {
        var out = OutputBuffer()
        var rule = try Rule("none(hs.failed)")
        rule.location = "ci/rules.yml:7"
        CheckReport(verdict([rule]), CheckContext(), style: TextStyle(usesColor: false, usesUnicode: false, width: 100))
            .write(.github, to: &out)
        let lines = String(decoding: out.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("::error title=none(hs.failed),file=ci/rules.yml,line=7::none(hs.failed) = false"))
        #expect(lines[0].contains("%0A"))
    }

    @Test("A line break of any kind begins no workflow command")
    func githubLineBreaks() throws {
        var out = OutputBuffer()
        var rule = try Rule("none(hs.failed)")
        rule.reason = "a\r\n::error::b\r::error::c"
        CheckReport(verdict([rule]), CheckContext(), style: TextStyle(usesColor: false, usesUnicode: false, width: 100))
            .write(.github, to: &out)
        #expect(out.bytes.count { $0 == 10 } == 2 && !out.bytes.contains(13))
    }

    @Test("What goes wrong beside the rules is a test of its own, that failed")
    func runErrors() throws {
        var context = CheckContext()
        context.errors = ["the command ended with status 7"]
        var out = OutputBuffer()
        CheckReport(
            verdict([try Rule("count() == 5")]), context,
            style: TextStyle(usesColor: false, usesUnicode: false, width: 100)
        )
        .write(.junit, to: &out)
        #expect(String(decoding: out.bytes, as: UTF8.self).contains("tests=\"2\" failures=\"0\" errors=\"1\""))
    }

    @Test("What two files include comes once")
    func diamond() throws {
        let files = [
            "rules.yml": "include: [a.yml, b.yml]", "a.yml": "include: c.yml", "b.yml": "include: c.yml",
            "c.yml": "rules: [{expect: count() > 0}]",
        ]
        #expect(try Self.rules(files).count == 1)
    }

    // MARK: Baselines

    private func baseline(_ records: [AttemptRecord]) -> Baseline {
        var baseline = Baseline()
        for record in records { baseline.take(record) }
        return baseline
    }

    @Test("A run is not worse than itself, and its JSON Lines give the same baseline")
    func sameBaseline() throws {
        var out = OutputBuffer()
        for record in Records.five { JSONReport.line(record, to: &out) }
        let old = try Baseline(jsonLines: out.bytes)
        #expect(old == baseline(Records.five))
        #expect(!BaselineComparison("old", before: old, now: baseline(Records.five), .init()).hasWorsened)
    }

    @Test("More failures than the margin allows are worse, fewer are not")
    func worseOutcomes() {
        let (all, good) = (baseline(Records.five), baseline(Records.five.filter { !$0.outcome.isFailure }))
        #expect(BaselineComparison("old", before: good, now: all, .init()).hasWorsened)
        #expect(!BaselineComparison("old", before: all, now: good, .init()).hasWorsened)
        var margins = BaselineMargins()
        margins.outcomes = 0.5
        #expect(!BaselineComparison("old", before: good, now: all, margins).hasWorsened)
    }

    @Test("A round trip beyond its margin is worse; one that is gone is too")
    func worseRoundTrips() {
        let slow = baseline([Records.five[0]])
        let fast = baseline([Records.five[4]])
        #expect(BaselineComparison("old", before: fast, now: slow, .init()).hasWorsened)
        #expect(!BaselineComparison("old", before: slow, now: fast, .init()).hasWorsened)
        var margins = BaselineMargins()
        margins.roundTrips = .duration(16e6)
        #expect(!BaselineComparison("old", before: fast, now: slow, margins).hasWorsened)
        #expect(BaselineComparison("old", before: fast, now: baseline([Records.five[1]]), margins).hasWorsened)
    }

    @Test(
        "A baseline that is none is named with its line",
        arguments: [
            ("{}", 1), ("{\"type\":\"attempt\"}", 1), ("\n[5]\n", 2),
            ("{\"type\":\"attempt\",\"outcome\":\"lost\"}", 1),
        ])
    func badBaseline(_ text: String, _ line: Int) {
        #expect(throws: JSONLinesError.self) { try Baseline(jsonLines: Array(text.utf8)) }
        do throws(JSONLinesError) { _ = try Baseline(jsonLines: Array(text.utf8)) } catch {
            #expect(error.line == line)
        }
    }

    @Test("A summary alone is a baseline too")
    func summaryOnly() throws {
        let text =
            #"{"type":"summary","attempts":{"total":4,"by_outcome":{"established":3,"refused":1}},"rtt_ns":{"p50":5,"p90":6,"p99":7}}"#
        let old = try Baseline(jsonLines: Array(text.utf8))
        #expect(old.attempts == 4 && old.share(of: .refused) == 0.25 && old.roundTrip(99) == 7)
    }
}
