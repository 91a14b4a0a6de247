import HandshakeAnalysis
import Testing

@testable import HandshakeExpectation

/// Rules files of whoever proposes a change: what they make the check do is bounded, and what they include is not told.
@Suite("Bounds of rules files", .timeLimit(.minutes(10)))
struct RulesBoundsTests {
    private struct NoFile: Error {}
    private static let rule = "rules: [{expect: count() > 0}]"

    /// What files in memory come to: the names of rules, or the error; and how often a file was read.
    private static func load(
        _ files: [String: String], identity: @escaping (String) -> String = { $0 }
    ) -> (names: [String], error: String, reads: Int) {
        var reads = 0
        do {
            let rules = try RulesFile.rules(at: ["rules.yml"], identity: identity) { path in
                reads += 1
                guard let text = files[identity(path)] else { throw NoFile() }
                return text
            }
            return (rules.map(\.name), "", reads)
        } catch { return ([], "\(error)", reads) }
    }

    /// A path without `./` and doubled slashes.
    private static func plain(_ path: String) -> String {
        path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    // MARK: Includes

    private static let spellings = ["./a.yml", ".//a.yml", "././a.yml", ".///a.yml", "./././a.yml", ".//./a.yml"]

    @Test("A file that includes itself by other spellings is told at the first, whatever they are")
    func selfBySpellings() {
        let include = "include: [\(Self.spellings.joined(separator: ", "))]\n"
        let found = Self.load(["rules.yml": include, "a.yml": include + Self.rule], identity: Self.plain)
        #expect(found.error.contains("a.yml: it includes itself") && found.reads == 2)
    }

    @Test("A file under many names is read once")
    func once() {
        let found = Self.load(
            ["rules.yml": "include: [\(Self.spellings.joined(separator: ", "))]", "a.yml": Self.rule],
            identity: Self.plain)
        #expect(found.names == ["count() > 0"] && found.reads == 2)
    }

    @Test("A diamond, and one file twice in a list, are no mistake")
    func diamond() {
        let found = Self.load([
            "rules.yml": "include: [a.yml, b.yml, a.yml]", "a.yml": "include: c.yml", "b.yml": "include: c.yml",
            "c.yml": Self.rule,
        ])
        #expect(found.names == ["count() > 0"] && found.reads == 4)
    }

    @Test("More files than 64 are too many, and so are more names of files than 1,024")
    func tooMany() {
        var files = Dictionary(uniqueKeysWithValues: (1...64).map { ("\($0).yml", "variables: {a: b}\nrules: []") })
        files["rules.yml"] = "include: [\((1...64).map { "\($0).yml" }.joined(separator: ", "))]"
        #expect(Self.load(files).error.contains("64.yml: there are more than 64 rules files"))
        let names = Array(repeating: "a.yml", count: 1025).joined(separator: ", ")
        let found = Self.load(["rules.yml": "include: [\(names)]", "a.yml": Self.rule])
        #expect(found.error.contains("files are included more than 1024 times") && found.reads == 2)
    }

    @Test("All files together may have 4 MiB")
    func octets() {
        let padding = "# " + String(repeating: "x", count: 3 << 20) + "\n"
        let found = Self.load(["rules.yml": "include: a.yml\n" + padding, "a.yml": padding + Self.rule])
        #expect(found.error.contains("a.yml: the rules files have more than 4194304 octets together"))
    }

    @Test("Standard input is not included")
    func standardInput() {
        #expect(Self.load(["rules.yml": "include: '-'"]).error.contains("standard input (-) is not included"))
    }

    // MARK: Content of other files

    @Test(
        "Nothing of a file that is no rules file is in the error, only where",
        arguments: [
            "root:*:19000:0:99999:7:::\nhunter2:!:19000::::::", "password: hunter2", "hunter2: x", "hunter2",
            "- hunter2", "hunter2: 1\nhunter2: 2", "a: [hunter2", "*hunter2", "a: *hunter2", "%hunter2\n---\nx",
            "hunter2\n---\nhunter2", "'hunter2", "hunter2: {", "!<hunter2> x", "x: \"\\hunter2\"", "@hunter2",
            "hunter2.rules: 1", "\thunter2", "hunter2: a: b", "hunter2\u{1}",
        ])
    func secrets(_ content: String) {
        let found = Self.load(["rules.yml": "include: secret", "secret": content])
        #expect(found.error.hasPrefix("secret") && !found.error.contains("hunter2"), "\(found.error)")
    }

    @Test("A wrong key of a rules file is shown")
    func shown() {
        #expect(
            Self.load(["rules.yml": Self.rule + "\nhunter2: 1"]).error.contains(
                "rules.yml:2:1: there is no key 'hunter2'"))
    }

    @Test("An error is no longer than what can be read")
    func longError() {
        let found = Self.load([
            "rules.yml": "rules: [{expect: \"count() > ${\(String(repeating: "x", count: 60_000))}\"}]"
        ])
        #expect(found.error.contains("there is no variable 'xxx") && found.error.utf8.count < 1100)
    }

    // MARK: Variables

    @Test("A text that variables make longer than 65,536 octets is refused before it is made")
    func longExpansion() {
        let found = Self.load([
            "rules.yml": """
            variables: {a: \(String(repeating: "x", count: 20_000))}
            rules:
              - {name: "\(String(repeating: "${a}", count: 10_000))", expect: count() > 0}
            """
        ])
        #expect(found.error.contains("the text has more than 65536 octets, its variables put in"))
    }

    @Test("The texts of all rules together may have 16 MiB")
    func manyExpansions() {
        let rules = (0..<300).map { "  - {name: '\($0) ${a}', expect: count() > 0}" }.joined(separator: "\n")
        let files = ["rules.yml": "variables: {a: \(String(repeating: "x", count: 65_000))}\nrules:\n\(rules)"]
        #expect(Self.load(files).error.contains("the rules' texts have more than 16777216 octets together"))
    }

    @Test("A short variable may be used often")
    func often() {
        let condition = Array(repeating: "tcp.dstport == ${port}", count: 200).joined(separator: " or ")
        let rules = (0..<50).map { "  - {name: '${port} ${port} \($0)', where: '\(condition)', expect: count() > 0}" }
        let found = Self.load(["rules.yml": "variables: {port: 443}\nrules:\n" + rules.joined(separator: "\n")])
        #expect(found.names.count == 50 && found.names.first == "443 443 0")
    }

    @Test("More than 10,000 rules are too many")
    func rules() {
        let list = String(repeating: "  - *r\n", count: 9_999)
        let anchor = "rules:\n  - &r {expect: count() > 0}\n"
        // An alias stands for three values here: those are bounded first.
        #expect(Self.load(["rules.yml": anchor + list]).error.contains("aliases stand for more than 10000 values"))
        let many = (0...10_000).map { "- {expect: count() > \($0)}" }.joined(separator: "\n")
        #expect(Self.load(["rules.yml": "rules:\n" + many]).error.contains("there are more than 10000 rules"))
    }

    // MARK: Aliases

    /// Thirty levels of lists, each twice the one before.
    private static let bomb =
        "  a0: &a0 x\n" + (1...30).map { "  a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()

    @Test(
        "Aliases of aliases are refused, as values and as keys",
        arguments: [
            "variables:\n\(bomb)", "variables:\n\(bomb)  ? *a30\n  : x\n", "? [*a, {*b : c}]\n: 1\nvariables:\n\(bomb)",
        ])
    func bombs(_ text: String) {
        let found = Self.load(["rules.yml": text + Self.rule])
        #expect(
            found.error.contains("aliases stand for more than 10000 values") || found.error.contains("an alias (*name)")
        )
    }

    @Test("An alias stands for its anchor's value, and a star elsewhere for itself")
    func aliases() throws {
        let rules = try RulesTestsFiles.rules(
            """
            variables: {port: &port 443}
            rules:
              - &first
                name: '*a* star'
                where: &https tcp.dstport == 443
                expect: "none(hs.outcome matches 'est.*')"
                tags: &tags [web, "*"]
              - name: second
                where: *https
                expect: |
                  all(hs.syn.count
                    < 9)
                tags: *tags
            """)
        #expect(rules.map(\.name) == ["*a* star", "second"])
        #expect(rules.map(\.condition) == ["tcp.dstport == 443", "tcp.dstport == 443"])
        #expect(rules.map(\.tags) == [["web", "*"], ["web", "*"]])
        #expect(rules[0].assertion.text == "none(hs.outcome matches 'est.*')")
    }

    // MARK: Baselines

    @Test("A baseline's line that does not end is refused at 16 MiB")
    func endlessLine() {
        var reader = BaselineReader()
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        var pieces = 0
        #expect(throws: JSONLinesError.self) {
            while pieces < 10_000 {
                try reader.take(zeros[...])
                pieces += 1
            }
        }
        #expect(pieces == 256)
    }

    // MARK: Many selections

    @Test("A thousand selections are one, as long as they are together")
    func manySelections() throws {
        let record = try #require(Records.five.first)
        let yes = try Predicate("hs.syn.count >= 0")
        let all = try #require(Predicate.all(Array(repeating: yes, count: 10_000)))
        #expect(all(record) == .yes && all.text.utf8.count == 10_000 * ("(hs.syn.count >= 0)".utf8.count + 5) - 5)
        #expect(Predicate.all([yes, try Predicate("hs.syn.count > 1000")])?(record) == .no)
        #expect(Predicate.all([])?.text == nil && Predicate.all([yes])?.text == "hs.syn.count >= 0")
    }
}

/// Rules of one file.
private enum RulesTestsFiles {
    static func rules(_ text: String) throws -> [Rule] { try RulesFile.rules(at: ["rules.yml"]) { _ in text } }
}
