import Yams

/// What is wrong with a rules file, and where.
package struct RulesError: Error, Sendable, CustomStringConvertible {
    package var description: String

    init(_ path: String, _ mark: Mark?, _ message: String) {
        description = (mark.map { "\(path):\($0.line):\($0.column)" } ?? path) + ": \(message)"
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
package struct RulesFile {
    /// How many files may include each other.
    private static let deepest = 16
    private static let keys = ["variables", "include", "rules"]
    private static let ruleKeys = ["name", "where", "expect", "severity", "reason", "tags", "allow-none"]

    private let read: (String) throws -> String
    /// Those of --set.
    private let overrides: [String: String]
    /// What two files include comes once.
    private var loaded: Set<String> = []
    /// The names of all variables.
    private var known: Set<String> = []

    /// - Parameters:
    ///   - paths: files, of which the later ones' variables outrank the earlier ones'.
    ///   - overrides: variables that take the place of the files' own.
    ///   - read: the text of the file at a path.
    /// - Throws: `RulesError`, and what `read` throws.
    package static func rules(
        at paths: [String], overrides: [String: String] = [:], read: @escaping (String) throws -> String
    ) throws -> [Rule] {
        var file = RulesFile(read: read, overrides: overrides)
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
            for node in nodes { rules.append(try file.rule(node, path, variables)) }
        }
        if rules.isEmpty { throw RulesError(paths.joined(separator: ", "), nil, "there are no rules in it") }
        var names: Set<String> = []
        for rule in rules where !names.insert(rule.name).inserted {
            throw RulesError(rule.location ?? "", nil, "there are two rules '\(rule.name)'")
        }
        return rules
    }

    private init(read: @escaping (String) throws -> String, overrides: [String: String]) {
        self.read = read
        self.overrides = overrides
    }

    // MARK: Files

    /// The rules of a file and of those that it includes, which come first. Its own variables outrank theirs.
    private mutating func load(
        _ path: String, _ includers: [String], _ variables: inout [String: String]
    ) throws -> [(path: String, rules: [Node])] {
        if includers.contains(path) { throw RulesError(path, nil, "it includes itself") }
        if !loaded.insert(path).inserted { return [] }
        if includers.count >= RulesFile.deepest {
            throw RulesError(path, nil, "more than \(RulesFile.deepest) files include each other")
        }
        let text = try read(path)
        let root: Node?
        do {
            root = try compose(yaml: text)
        } catch let error as YamlError {
            throw RulesError(path, nil, "this is no YAML: \(RulesFile.text(error))")
        }
        guard let root, let mapping = root.mapping else {
            throw RulesError(path, root?.mark, "it should hold 'rules:'")
        }
        try check(mapping, RulesFile.keys, path)
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
                documents += try load(isRelative ? "\(folder)/\(name)" : name, includers + [path], &variables)
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

    /// One line of what the library says.
    private static func text(_ error: YamlError) -> String {
        "\(error)".split(whereSeparator: \.isNewline).prefix(1).joined()
    }

    private func check(_ mapping: Node.Mapping, _ keys: [String], _ path: String) throws {
        var seen: Set<String> = []
        for (key, _) in mapping {
            let name = key.scalar?.string ?? ""
            guard keys.contains(name) else {
                throw RulesError(
                    path, key.mark,
                    "there is no key '\(name)'"
                        + (NearestName.of(name, among: keys).map { ": did you mean '\($0)'?" }
                            ?? ": there are \(keys.joined(separator: ", "))"))
            }
            guard seen.insert(name).inserted else { throw RulesError(path, key.mark, "'\(name)' is there twice") }
        }
    }

    // MARK: Rules

    private func rule(_ node: Node, _ path: String, _ variables: [String: String]) throws -> Rule {
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
            try checked(condition.mark) { () throws(ExpressionError) in try Predicate(condition.text) }
        }
        let assertion = try checked(expect.mark) { () throws(ExpressionError) in
            try Assertion(expect.text, where: predicate)
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
            rule.tags = nodes.compactMap { $0.scalar?.string }
        }
        if let node = mapping["allow-none"] {
            guard let value = node.bool else { throw RulesError(path, node.mark, "allow-none is true or false") }
            rule.allowsNone = value
        }
        return rule
    }

    /// Puts variables' values in the place of `${name}`.
    private func substitute(
        _ text: String, _ variables: [String: String], _ path: String, _ mark: Mark?
    ) throws -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            result += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw RulesError(path, mark, "'${' has no '}'")
            }
            let name = String(rest[start.upperBound..<end])
            guard let value = variables[name] else {
                throw RulesError(
                    path, mark,
                    "there is no variable '\(name)'" + NearestName.hint(name, among: variables.keys.sorted()))
            }
            result += value
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}
