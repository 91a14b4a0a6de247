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
            guard !size.isStacked else {
                throw Failure(words: "a repetition stands on another: POSIX gives that no meaning")
            }
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

/// What the C library adds to the tree of a pattern. It writes `x+` as `xx*`, so that each `+` on what a `+` repeats
/// doubles what is below it, and its time grows with the cube: ten of them take a minute, 30 all memory.
private struct PatternSize {
    private static let maximumCopied = 1 << 7

    /// A part that a repetition may stand on.
    private struct Part {
        var nodes = 0
        var hasPlus = false
    }

    /// Nodes that a + repeats and that another one repeats too.
    private var copied = 0
    /// Each group that is open, the outermost first, and its last part.
    private var groups: [(all: Part, last: Part)] = [(Part(), Part())]
    /// Within a bracket expression: how many characters of it came; nil outside.
    private var bracket: Int?
    private var isNegated = false
    private var repeats = false
    /// Whether a repetition stands on another, with nothing between.
    private(set) var isStacked = false

    var isBounded: Bool { copied <= PatternSize.maximumCopied }

    mutating func add(_ character: Unicode.Scalar, isEscaped: Bool) {
        if let count = bracket {
            // A bracket expression may begin with ], or with ^ and ].
            let isFirst = count == 0 || character == "]" && count == 1 && isNegated
            if count == 0 { isNegated = character == "^" }
            bracket = character == "]" && !isFirst ? nil : count + 1
            return
        }
        let wasRepetition = repeats
        repeats = !isEscaped && ["*", "+", "?"].contains(character)
        if repeats, wasRepetition { isStacked = true }
        guard !isEscaped else { return add(Part(nodes: 1)) }
        switch character {
        case "[":
            bracket = 0
            add(Part(nodes: 1))
        case "(": groups.append((Part(), Part()))
        case ")" where groups.count > 1:
            var group = groups.removeLast().all
            group.nodes += 1
            add(group)
        case "+":
            let end = groups.count - 1
            let repeated = groups[end].last
            if repeated.hasPlus { copied += repeated.nodes }
            groups[end].all.nodes += repeated.nodes
            groups[end].all.hasPlus = true
            groups[end].last = Part(nodes: repeated.nodes * 2, hasPlus: true)
        case "*", "?": break
        default: add(Part(nodes: 1))
        }
    }

    private mutating func add(_ part: Part) {
        let end = groups.count - 1
        groups[end].all.nodes += part.nodes
        if part.hasPlus { groups[end].all.hasPlus = true }
        groups[end].last = part
    }
}
