import Glibc

/// A POSIX extended regular expression, in either case. The C library matches it without going back, so no pattern can
/// take long; what makes it go back, or grow, is refused.
@safe final class NamePattern {
    struct Failure: Error {
        var words: String
    }

    private let compiled: UnsafeMutablePointer<regex_t>

    init(_ text: String) throws(Failure) {
        var escapes = false
        for character in text.unicodeScalars {
            if escapes, character.properties.isAlphabetic || ("0"..."9").contains(character) {
                throw Failure(
                    words: "\\\(character) means nothing in POSIX extended syntax: [0-9] and [a-z] are classes")
            }
            if character == "\0" { throw Failure(words: "there is a zero octet in it") }
            if !escapes, character == "{" { throw Failure(words: "counted repetition is not taken: use * + ?") }
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
