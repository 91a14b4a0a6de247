import Glibc

/// A POSIX extended regular expression, in either case. The C library matches it without going back, so no pattern can
/// take long. Patterns that make it go back are refused, and patterns that would grow (`PatternSize`).
@safe final class NamePattern {
    struct Failure: Error {
        var words: String
    }

    private let compiled: UnsafeMutablePointer<regex_t>

    init(_ text: String) throws(Failure) {
        var escapes = false
        var size = PatternSize()
        for character in text.unicodeScalars {
            if escapes, character.properties.isAlphabetic || ("0"..."9").contains(character) {
                throw Failure(
                    words: "\\\(character) means nothing in POSIX extended syntax: [0-9] and [a-z] are classes")
            }
            if character == "\0" { throw Failure(words: "there is a zero octet in it") }
            if !escapes, character == "{" { throw Failure(words: "counted repetition is not taken: use * + ?") }
            size.add(character, isEscaped: escapes)
            guard size.isBounded else {
                throw Failure(words: "it grows too large: a + stands on what a + repeats")
            }
            escapes = !escapes && character == "\\"
        }
        // Kept once it is valid: only then deinit may free it.
        let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        let code = unsafe regcomp(compiled, text, REG_EXTENDED | REG_ICASE | REG_NOSUB)
        guard code == 0 else {
            var words = [CChar](repeating: 0, count: 200)
            _ = unsafe regerror(code, compiled, &words, words.count)
            unsafe compiled.deallocate()
            throw Failure(
                words: String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                    .lowercased())
        }
        unsafe self.compiled = compiled
    }

    deinit {
        unsafe regfree(compiled)
        unsafe compiled.deallocate()
    }

    func matches(_ name: String) -> Bool { unsafe regexec(compiled, name, 0, nil, 0) == 0 }
}

/// The size of the tree that the C library makes of a pattern. It writes `x+` as `xx*`, so that each `+` on another
/// doubles what is below it: 30 of them take all memory.
private struct PatternSize {
    private static let maximumNodes = 1 << 14

    /// Nodes of each group that is open, the outermost first, and of its last atom.
    private var groups: [(nodes: Int, last: Int)] = [(0, 0)]
    /// Within a bracket expression: how many characters of it came; nil outside.
    private var bracket: Int?
    private var isNegated = false

    var isBounded: Bool { groups[groups.count - 1].nodes <= PatternSize.maximumNodes }

    mutating func add(_ character: Unicode.Scalar, isEscaped: Bool) {
        if let count = bracket {
            // A bracket expression may begin with ], or with ^ and ].
            let isFirst = count == 0 || character == "]" && count == 1 && isNegated
            if count == 0 { isNegated = character == "^" }
            bracket = character == "]" && !isFirst ? nil : count + 1
            return
        }
        guard !isEscaped else { return addAtom(1) }
        switch character {
        case "[":
            bracket = 0
            addAtom(1)
        case "(": groups.append((0, 0))
        case ")" where groups.count > 1:
            let group = groups.removeLast()
            addAtom(group.nodes + 1)
        case "+":
            groups[groups.count - 1].nodes += groups[groups.count - 1].last
            groups[groups.count - 1].last *= 2
        case "*", "?": break
        default: addAtom(1)
        }
    }

    private mutating func addAtom(_ nodes: Int) {
        groups[groups.count - 1].nodes += nodes
        groups[groups.count - 1].last = nodes
    }
}
