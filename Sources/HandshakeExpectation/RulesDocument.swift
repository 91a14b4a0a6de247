import Yams

/// The YAML of a rules file, its aliases replaced by what they stand for.
///
/// The library shares what an alias stands for, but compares mappings' keys in full: with aliases of aliases as keys,
/// some hundred octets keep it busy for ever. So it never sees an alias. Each `*` is another character when it reads.
/// Aliases are looked up here, and what they stand for is counted.
enum RulesDocument {
    /// Values, lists and mappings that the aliases of a file may stand for, all levels counted.
    static let maximumAliased = 10_000
    /// Stands for `*` while YAML is read: a private character that means nothing in YAML.
    private static let standIn: Unicode.Scalar = "\u{10fffd}"
    private static let star: Unicode.Scalar = "*"

    /// - Returns: nil where there is nothing in the text.
    static func root(of text: String, _ path: String) throws -> Node? {
        guard !text.unicodeScalars.contains(standIn) else {
            throw RulesError(path, nil, "the character U+10FFFD is not taken in rules files")
        }
        let hasStar = text.unicodeScalars.contains(star)
        do {
            // Nodes refer to their anchors weakly: the parser keeps them.
            let parser = try Yams.Parser(
                yaml: hasStar ? replacing(star, in: text, with: standIn) : text, encoding: .utf8)
            return try withExtendedLifetime(parser) {
                guard let root = try parser.singleRoot() else { return nil }
                if !hasStar { return root }
                var aliases = Aliases(path: path)
                return try aliases.resolved(root).node
            }
        } catch let error as YamlError {
            throw wrong(error, text, path)
        }
    }

    private static func replacing(
        _ old: Unicode.Scalar, in text: String, with new: Unicode.Scalar
    ) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == old ? new : $0 }))
    }

    /// The library's error without the text of the file, which need not be a rules file at all.
    private static func wrong(_ error: YamlError, _ text: String, _ path: String) -> RulesError {
        let (mark, problem): (Mark?, String) =
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _): (mark, problem)
            case .composer(_, _, let mark, _): (mark, "a second document begins")
            case .reader(let problem, _, _, _): (nil, problem)
            case .duplicatedKeysInMapping(_, let context): (context.mark, "a key is there twice")
            default: (nil, "it cannot be read")
            }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = mark.flatMap { lines.dropFirst($0.line - 1).first } ?? ""
        if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
            return RulesError(
                path, mark, "this is no YAML: a tab begins the line, and YAML is indented with spaces alone")
        }
        return RulesError(path, mark, "this is no YAML: \(problem)")
    }

    private struct Aliases {
        let path: String
        private var anchors: [String: (node: Node, size: Int)] = [:]
        private var room = maximumAliased

        init(path: String) { self.path = path }

        /// - Returns: a node without aliases, and how many nodes it is.
        mutating func resolved(_ node: Node) throws -> (node: Node, size: Int) {
            var size = 1
            var result = node
            switch node {
            case .scalar(var scalar):
                let text = scalar.string.unicodeScalars
                guard text.contains(standIn) else { break }
                if scalar.style == .plain, text.first == standIn {
                    return try target(String(text.dropFirst()), scalar.mark)
                }
                scalar.string = RulesDocument.replacing(standIn, in: scalar.string, with: star)
                result = .scalar(scalar)
            case .sequence(let sequence):
                var nodes: [Node] = []
                for element in sequence {
                    let resolved = try resolved(element)
                    nodes.append(resolved.node)
                    size += resolved.size
                }
                result = .sequence(.init(nodes, sequence.tag, sequence.style, sequence.mark, sequence.anchor))
            case .mapping(let mapping):
                var pairs: [(Node, Node)] = []
                for (key, value) in mapping {
                    let (key, value) = (try resolved(key), try resolved(value))
                    pairs.append((key.node, value.node))
                    size += key.size + value.size
                }
                result = .mapping(.init(pairs, mapping.tag, mapping.style, mapping.mark, mapping.anchor))
            case .alias: break
            }
            if let anchor = node.anchor { anchors[anchor.rawValue] = (result, size) }
            return (result, size)
        }

        private mutating func target(_ name: String, _ mark: Mark?) throws -> (node: Node, size: Int) {
            guard let target = anchors[name] else {
                throw RulesError(path, mark, "this is no YAML: an alias (*name) of an anchor that is not there")
            }
            room -= target.size
            guard room >= 0 else {
                throw RulesError(path, mark, "aliases stand for more than \(maximumAliased) values")
            }
            return target
        }
    }
}
