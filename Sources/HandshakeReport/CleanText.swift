/// Where text from outside goes: names of files and interfaces, comments of captures, rules' names and words, what is
/// shown back of a command line.
package enum TextSink: Sendable, CaseIterable {
    /// A line of a terminal, a log or a text report, or a part of one.
    case text
    /// A message whose own further lines begin with two spaces.
    case message
    /// Between the quotation marks of a JSON string.
    case json
    /// Text and attributes of XML 1.0.
    case xml
    /// A description in a line of TAP.
    case tap
    /// Between the quotation marks of a YAML string.
    case yaml
    /// The text of a node that a page's script makes.
    case node
    /// The message of a GitHub workflow command, and one of its properties.
    case github, githubProperty
    /// Within a line of Markdown, or of HTML in Markdown.
    case markdown

    /// The replacement of the second `#` where a bracket follows.
    fileprivate var partedHash: String {
        switch self {
        case .text, .message, .node, .yaml, .github, .githubProperty: " #"
        case .json: "\\u0023"
        case .xml, .markdown: "&#35;"
        case .tap: "\\#"
        }
    }

    /// Replacements of characters that mean something in a line's text.
    fileprivate var escapes: [Unicode.Scalar: String] {
        switch self {
        case .text, .message, .node, .json: [:]
        case .xml: ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"]
        case .tap: ["\\": "\\\\", "#": "\\#"]
        case .yaml: ["\\": "\\\\", "\"": "\\\""]
        case .github: ["%": "%25"]
        case .githubProperty: ["%": "%25", ":": "%3A", ",": "%2C"]
        // Character references mean the same in both.
        case .markdown:
            [
                "&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;", "*": "&#42;", "_": "&#95;",
                "[": "&#91;", "]": "&#93;", "\\": "&#92;", "~": "&#126;",
            ]
        }
    }
}

extension String {
    /// Text from outside as it may go to a sink. This is the one place where that is decided.
    ///
    /// Line breaks become spaces. Other control characters, and those that turn the direction of text, become `?`:
    /// they could do anything to a terminal, or show what is not so. JSON has escapes for them: there they are kept.
    /// `::` where a line begins and `##` before a bracket are commands to GitHub and Azure, which read logs: a space
    /// parts them, or an escape.
    package func cleaned(for sink: TextSink) -> String {
        switch sink {
        case .json: jsonEscaped()
        case .message: cleanedMessage()
        default: cleanedLine(sink)
        }
    }

    private func cleanedLine(_ sink: TextSink) -> String {
        let escapes = sink.escapes
        let mayBeginLine = sink == .text || sink == .message
        let hasBracket = unicodeScalars.contains("[")
        var start = mayBeginLine ? LineStart.space : .past
        var last: Unicode.Scalar?
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            let shown = scalar.shown
            let isSecondHash = hasBracket && last == "#" && shown == "#"
            last = shown
            if start.isParted(before: shown) { result.append(" ") }
            if isSecondHash {
                result += sink.partedHash.unicodeScalars
            } else if let escape = escapes[shown] {
                result += escape.unicodeScalars
            } else {
                result.append(shown)
            }
        }
        return String(result)
    }

    private func cleanedMessage() -> String {
        var result = ""
        for (number, line) in unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let isOwn = line.starts(with: "  ".unicodeScalars)
            if number > 0 { result += isOwn ? "\n" : " " }
            result += String(line).cleanedLine(.message)
        }
        return result
    }

    /// RFC 8259 section 7; C1, DEL and characters that turn the direction of text are escaped too.
    private func jsonEscaped() -> String {
        let hasBracket = unicodeScalars.contains("[")
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "#" where hasBracket && result.unicodeScalars.last == "#": result += TextSink.json.partedHash
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.shown != scalar:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// How far a line's start is. GitHub passes over white space before a command, .NET over what is not seen within it.
private enum LineStart {
    case space, colon, past

    /// Goes on to a character.
    /// - Returns: whether it is the second colon of a command.
    mutating func isParted(before scalar: Unicode.Scalar) -> Bool {
        let isUnseen = scalar.properties.isDefaultIgnorableCodePoint
        switch self {
        case .space where scalar == ":": self = .colon
        case .space: if !isUnseen, !scalar.properties.isWhitespace { self = .past }
        case .colon where scalar == ":":
            self = .past
            return true
        case .colon: if !isUnseen { self = .past }
        case .past: break
        }
        return false
    }
}

extension Unicode.Scalar {
    /// The character itself, a space for a line break or tab, or `?` for what is never shown.
    fileprivate var shown: Unicode.Scalar {
        switch value {
        case 0x09...0x0d, 0x85, 0x2028, 0x2029: " "
        case 0..<0x20, 0x7f...0x9f: "?"
        // The direction of text: marks, embeddings, overrides and isolates.
        case 0x061c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: "?"
        // No characters, which XML cannot hold.
        case 0xfffe, 0xffff: "?"
        default: self
        }
    }
}
