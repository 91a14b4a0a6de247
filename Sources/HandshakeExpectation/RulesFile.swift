import Yams

/// A fault of a rules file, and its place.
package struct RulesError: Error, Sendable, CustomStringConvertible {
    package var description: String

    init(_ path: String, _ mark: Mark?, _ message: String) {
        let text = message.count > 1000 ? message.prefix(1000) + "..." : message[...]
        description = (mark.map { "\(path):\($0.line):\($0.column)" } ?? path) + ": \(text)"
    }
}

/// Rules from YAML (docs/rules.schema.json).
///
/// ```yaml
/// variables:
///   port: 8443
/// rules:
///   - name: every handshake completes
///     where: tcp.dstport == ${port}
///     expect: all(hs.outcome == established)
/// ```
///
/// A rules file may come from whoever proposes a change. So what all files of a check may take is bounded.
package struct RulesFile {
    /// How many files may include each other, how many may be read, and how often files may be named.
    static let deepest = 16
    static let maximumFiles = 64
    static let maximumIncludes = 1024
    /// Octets of all files.
    package static let maximumOctets = 4 << 20
    static let maximumRules = 10_000
    /// Octets of a rule's text, and of all rules' texts, once variables are put in.
    static let maximumTextLength = Lexer.longest
    static let maximumText = 16 << 20

    private static let keys = ["variables", "include", "rules"]
    private static let ruleKeys = ["name", "where", "expect", "severity", "reason", "tags", "allow-none"]

    private let identity: (String) -> String
    private let read: (String) throws -> String
    private let reference: TimeReference
    /// Those of --set.
    private let overrides: [String: String]
    /// A file that two files include is read once, by whatever names.
    private var loaded: Set<String> = []
    private var includes = 0
    private var octets = 0
    private var text = 0
    /// The names of all variables.
    private var known: Set<String> = []

    /// - Parameters:
    ///   - paths: files, of which the later ones' variables outrank the earlier ones'.
    ///   - overrides: variables that take the place of the files' own.
    ///   - identity: what is equal for all paths to one file.
    ///   - reference: what a duration that `frame.time` is compared with is counted from.
    ///   - read: the text of the file at a path.
    /// - Throws: `RulesError`, and what `read` throws.
    package static func rules(
        at paths: [String], overrides: [String: String] = [:], identity: @escaping (String) -> String = { $0 },
        relativeTo reference: TimeReference = .captureStart, read: @escaping (String) throws -> String
    ) throws -> [Rule] {
        var file = RulesFile(identity: identity, read: read, reference: reference, overrides: overrides)
        var variables: [String: String] = [:]
        var documents: [(path: String, rules: [Node])] = []
        for path in paths { documents += try file.load(path, [], &variables) }
        variables.merge(overrides) { $1 }
        if let unknown = overrides.keys.sorted().first(where: { !file.known.contains($0) }) {
            throw RulesError(
                paths.joined(separator: ", "), nil,
                "--set \(unknown)=...: there is no variable '\(unknown)'" + NearestName.hint(unknown, among: file.known)
            )
        }
        var rules: [Rule] = []
        for (path, nodes) in documents {
            for node in nodes {
                guard rules.count < maximumRules else {
                    throw RulesError(path, node.mark, "there are more than \(maximumRules) rules")
                }
                rules.append(try file.rule(node, path, variables))
            }
        }
        if rules.isEmpty { throw RulesError(paths.joined(separator: ", "), nil, "there are no rules in it") }
        var names: Set<String> = []
        for rule in rules where !names.insert(rule.name).inserted {
            throw RulesError(rule.location ?? "", nil, "there are two rules '\(rule.name)'")
        }
        return rules
    }

    private init(
        identity: @escaping (String) -> String, read: @escaping (String) throws -> String, reference: TimeReference,
        overrides: [String: String]
    ) {
        self.identity = identity
        self.read = read
        self.reference = reference
        self.overrides = overrides
    }

    // MARK: Files

    /// The rules of a file and of those that it includes, which come first. Its own variables outrank theirs.
    private mutating func load(
        _ path: String, _ includers: [String], _ variables: inout [String: String]
    ) throws -> [(path: String, rules: [Node])] {
        let identity = identity(path)
        if includers.contains(identity) { throw RulesError(path, nil, "it includes itself") }
        if !loaded.insert(identity).inserted { return [] }
        if includers.count >= RulesFile.deepest {
            throw RulesError(path, nil, "more than \(RulesFile.deepest) files include each other")
        }
        if loaded.count > RulesFile.maximumFiles {
            throw RulesError(path, nil, "there are more than \(RulesFile.maximumFiles) rules files")
        }
        let text = try read(path)
        octets += text.utf8.count
        if octets > RulesFile.maximumOctets {
            throw RulesError(path, nil, "the rules files have more than \(RulesFile.maximumOctets) octets together")
        }
        let root = try RulesDocument.root(of: text, path)
        guard let root, let mapping = root.mapping else {
            throw RulesError(path, root?.mark, "it should hold 'rules:'")
        }
        // Nothing is quoted of what may be any file.
        try check(
            mapping, RulesFile.keys, path,
            quotes: mapping.contains { RulesFile.keys.contains($0.key.scalar?.string ?? "") }
        )
        var documents: [(path: String, rules: [Node])] = []
        if let include = mapping["include"] {
            let nodes = include.sequence.map(Array.init) ?? [include]
            for node in nodes {
                guard let name = node.scalar?.string, !name.isEmpty else {
                    throw RulesError(path, node.mark, "include names a file, or a list of files")
                }
                let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
                    separator: "/")
                let isRelative = !name.hasPrefix("/") && path.contains("/")
                let included = isRelative ? "\(folder)/\(name)" : name
                includes += 1
                if includes > RulesFile.maximumIncludes {
                    throw RulesError(path, node.mark, "files are included more than \(RulesFile.maximumIncludes) times")
                }
                if included == "-" { throw RulesError(path, node.mark, "standard input (-) is not included") }
                documents += try load(included, includers + [identity], &variables)
            }
        }
        if let node = mapping["variables"] {
            guard let pairs = node.mapping else { throw RulesError(path, node.mark, "variables are names with values") }
            for (key, value) in pairs {
                guard let name = key.scalar?.string, let text = value.scalar?.string else {
                    throw RulesError(path, value.mark, "a variable's value is a number or a text")
                }
                variables[name] = text
                known.insert(name)
            }
        }
        if let node = mapping["rules"] {
            guard let nodes = node.sequence else { throw RulesError(path, node.mark, "rules are a list: - name: ...") }
            documents.append((path, Array(nodes)))
        } else if mapping["include"] == nil {
            throw RulesError(path, root.mark, "it should hold 'rules:'")
        }
        return documents
    }

    /// - Parameter quotes: whether a wrong key may be shown; if not, it is where it nearly is one of ours.
    private func check(_ mapping: Node.Mapping, _ keys: [String], _ path: String, quotes: Bool = true) throws {
        var seen: Set<String> = []
        for (key, _) in mapping {
            let name = key.scalar?.string ?? ""
            guard keys.contains(name) else {
                let near = NearestName.of(name, among: keys)
                guard quotes || near != nil && !name.contains(".") else {
                    throw RulesError(
                        path, key.mark, "this is no rules file: its keys are not \(keys.joined(separator: ", "))")
                }
                throw RulesError(
                    path, key.mark,
                    "there is no key '\(name)'"
                        + (near.map { ": did you mean '\($0)'?" } ?? ": there are \(keys.joined(separator: ", "))"))
            }
            guard seen.insert(name).inserted else { throw RulesError(path, key.mark, "'\(name)' is there twice") }
        }
    }

    // MARK: Rules

    private mutating func rule(_ node: Node, _ path: String, _ variables: [String: String]) throws -> Rule {
        guard let mapping = node.mapping else {
            throw RulesError(path, node.mark, "a rule has a name and what it expects: - name: ...")
        }
        try check(mapping, RulesFile.ruleKeys, path)
        func text(_ key: String) throws -> (text: String, mark: Mark?)? {
            guard let node = mapping[key] else { return nil }
            guard let scalar = node.scalar else { throw RulesError(path, node.mark, "'\(key)' is a text") }
            return (try substitute(scalar.string, variables, path, node.mark), node.mark)
        }
        guard let expect = try text("expect") else {
            throw RulesError(
                path, node.mark, "the rule has no 'expect': what should hold, as all(hs.outcome == established)")
        }
        func checked<Result>(_ mark: Mark?, _ make: () throws(ExpressionError) -> Result) throws -> Result {
            do throws(ExpressionError) { return try make() } catch { throw RulesError(path, mark, "\(error)") }
        }
        let condition = try text("where")
        let predicate = try condition.map { condition in
            try checked(condition.mark) { () throws(ExpressionError) in
                try Predicate(condition.text, relativeTo: reference)
            }
        }
        let assertion = try checked(expect.mark) { () throws(ExpressionError) in
            try Assertion(expect.text, where: predicate, relativeTo: reference)
        }
        var rule = Rule(name: try text("name")?.text ?? expect.text, assertion: assertion)
        rule.condition = condition?.text
        rule.reason = try text("reason")?.text
        rule.location = node.mark.map { "\(path):\($0.line)" }
        if let severity = try text("severity") {
            guard let known = Rule.Severity(rawValue: severity.text) else {
                throw RulesError(
                    path, severity.mark, "there is no severity '\(severity.text)': there are error, warning, info")
            }
            rule.severity = known
        }
        if let node = mapping["tags"] {
            guard let nodes = node.sequence, nodes.allSatisfy({ $0.scalar != nil }) else {
                throw RulesError(path, node.mark, "tags are a list of texts: [web, tls]")
            }
            for tag in nodes.compactMap(\.scalar) {
                try count(tag.string.utf8.count, path, tag.mark)
                rule.tags.append(tag.string)
            }
        }
        if let node = mapping["allow-none"] {
            guard let value = node.bool else { throw RulesError(path, node.mark, "allow-none is true or false") }
            rule.allowsNone = value
        }
        return rule
    }

    /// Puts variables' values in the place of `${name}`.
    private mutating func substitute(
        _ text: String, _ variables: [String: String], _ path: String, _ mark: Mark?
    ) throws -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        func checkLength() throws {
            guard result.count + rest.count <= RulesFile.maximumTextLength else {
                throw RulesError(
                    path, mark, "the text has more than \(RulesFile.maximumTextLength) octets, its variables put in")
            }
        }
        try checkLength()
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            guard rest[dollar...].starts(with: "${".utf8) else {
                result += rest[...dollar]
                rest = rest[(dollar + 1)...]
                continue
            }
            result += rest[..<dollar]
            guard let end = rest[dollar...].firstIndex(of: UInt8(ascii: "}")) else {
                throw RulesError(path, mark, "'${' has no '}'")
            }
            let name = String(decoding: rest[(dollar + 2)..<end], as: UTF8.self)
            guard let value = variables[name] else {
                throw RulesError(
                    path, mark,
                    "there is no variable '\(name)'" + NearestName.hint(name, among: variables.keys.sorted()))
            }
            result += value.utf8
            rest = rest[(end + 1)...]
            try checkLength()
        }
        result += rest
        try count(max(result.count, text.utf8.count), path, mark)
        return String(decoding: result, as: UTF8.self)
    }

    /// Counts octets of a rule's text.
    private mutating func count(_ octets: Int, _ path: String, _ mark: Mark?) throws {
        text += octets
        guard octets <= RulesFile.maximumTextLength else {
            throw RulesError(path, mark, "the text has more than \(RulesFile.maximumTextLength) octets")
        }
        guard text <= RulesFile.maximumText else {
            throw RulesError(path, mark, "the rules' texts have more than \(RulesFile.maximumText) octets together")
        }
    }
}
