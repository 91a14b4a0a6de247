import PacketWire

/// A value that is written in an expression.
enum Literal: Equatable {
    case number(Double)
    /// Nanoseconds.
    case duration(Double)
    /// Of 1.
    case percentage(Double)
    case address(IPAddress)
    /// CIDR: the first and the last address.
    case network(IPAddress, IPAddress)
    case text(String)
    case boolean(Bool)

    var kind: String {
        switch self {
        case .number: "a number"
        case .duration: "a duration"
        case .percentage: "a percentage"
        case .address: "an address"
        case .network: "a network"
        case .text: "a string"
        case .boolean: "a truth value"
        }
    }
}

struct Token {
    enum Kind: Equatable {
        /// A field, a function, a name, or a word of the language.
        case word(String)
        case literal(Literal)
        /// Operators and punctuation as they are written.
        case symbol(String)
        case end
    }
    var kind: Kind
    /// Octets of the source.
    var range: Range<Int>
}

/// Splits an expression into tokens.
struct Lexer {
    /// Octets that an expression may have.
    static let longest = 1 << 16

    private let source: [UInt8]
    private var position = 0

    init(_ source: [UInt8]) { self.source = source }

    static func tokens(_ source: [UInt8]) throws(ExpressionError) -> [Token] {
        if source.count > longest {
            throw ExpressionError("the expression is longer than \(longest) octets", at: 0..<1, of: source)
        }
        var lexer = Lexer(source)
        var tokens: [Token] = []
        repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
        return tokens
    }

    private static let symbols = [
        "==", "!=", "<=", ">=", "&&", "||", "..", "<", ">", "!", "(", ")", "{", "}", ",", "~", "=",
    ]

    private mutating func next() throws(ExpressionError) -> Token {
        while position < source.count, [32, 9, 10, 13].contains(source[position]) { position += 1 }
        let start = position
        guard start < source.count else { return Token(kind: .end, range: start..<start) }
        if source[start] == UInt8(ascii: "\"") || source[start] == UInt8(ascii: "'") { return try string() }
        if let symbol = Lexer.symbols.first(where: { source[start...].starts(with: $0.utf8) }) {
            position += symbol.utf8.count
            return Token(kind: .symbol(symbol), range: start..<position)
        }
        guard isWord(start) else {
            let length = source[(start + 1)...].prefix { $0 & 0xc0 == 0x80 }.count + 1
            throw error("this character means nothing here", start..<start + length)
        }
        // A word ends at two dots: they make a range.
        while position < source.count, isWord(position), !source[position...].starts(with: "..".utf8) { position += 1 }
        return try word(start..<position)
    }

    /// Letters, digits and what fields, numbers, addresses and units are written with; µ is two octets.
    private func isWord(_ at: Int) -> Bool {
        switch source[at] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "%"),
            UInt8(ascii: "-"),
            UInt8(ascii: "+"):
            true
        case 0xc2: at + 1 < source.count && source[at + 1] == 0xb5
        case 0xb5: at > 0 && source[at - 1] == 0xc2
        default: false
        }
    }

    private func error(_ message: String, _ range: Range<Int>) -> ExpressionError {
        ExpressionError(message, at: range, of: source)
    }

    private mutating func string() throws(ExpressionError) -> Token {
        let start = position
        let quote = source[start]
        var octets: [UInt8] = []
        position += 1
        while position < source.count, source[position] != quote {
            if source[position] == UInt8(ascii: "\\") {
                position += 1
                guard position < source.count else { break }
            }
            octets.append(source[position])
            position += 1
        }
        guard position < source.count else { throw error("the string has no closing quote", start..<start + 1) }
        position += 1
        return Token(kind: .literal(.text(String(decoding: octets, as: UTF8.self))), range: start..<position)
    }

    private func word(_ range: Range<Int>) throws(ExpressionError) -> Token {
        let text = String(decoding: source[range], as: UTF8.self)
        if text == "true" || text == "false" { return Token(kind: .literal(.boolean(text == "true")), range: range) }
        let first = source[range.lowerBound]
        let startsNumber =
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
            || [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ".")].contains(first)
        if text.contains(":") || startsNumber {
            guard let literal = Lexer.literal(text) else {
                throw error("'\(text)' is no number, duration, percentage, address or network", range)
            }
            return Token(kind: .literal(literal), range: range)
        }
        return Token(kind: .word(text), range: range)
    }

    /// A literal that is no string; nil where it is none.
    static func literal(_ text: String) -> Literal? {
        if let address = IPAddress(text) { return .address(address) }
        if text.contains("/") { return network(text) }
        if text.hasPrefix("0x") {
            return text.utf8.count > 2 ? UInt64(text.dropFirst(2), radix: 16).map { .number(Double($0)) } : nil
        }
        let units: [(suffix: String, make: (Double) -> Literal)] = [
            ("%", { .percentage($0 / 100) }), ("ns", { .duration($0) }), ("us", { .duration($0 * 1e3) }),
            ("µs", { .duration($0 * 1e3) }), ("ms", { .duration($0 * 1e6) }), ("s", { .duration($0 * 1e9) }),
            ("min", { .duration($0 * 60e9) }), ("m", { .duration($0 * 60e9) }), ("h", { .duration($0 * 3600e9) }),
            ("", { .number($0) }),
        ]
        for (suffix, make) in units where text.hasSuffix(suffix) {
            let digits = text.dropLast(suffix.count)
            let unsigned = digits.first == "-" || digits.first == "+" ? digits.dropFirst() : digits
            let parts = unsigned.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count <= 2, parts.contains(where: { !$0.isEmpty }),
                parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }), let value = Double(digits),
                value.magnitude < 1e18
            else { continue }
            return make(value)
        }
        return nil
    }

    private static func network(_ text: String) -> Literal? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]),
            (0...(address.version == .v4 ? 32 : 128)).contains(length),
            parts[1].utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        if address.version == .v4 {
            let mask = length == 0 ? 0 : UInt32.max << UInt32(32 - length)
            let bits = UInt32(truncatingIfNeeded: address.low) & mask
            return .network(IPAddress(v4: bits), IPAddress(v4: bits | ~mask))
        }
        let high = length == 0 ? 0 : UInt64.max << UInt64(64 - min(length, 64))
        let low = length <= 64 ? 0 : UInt64.max << UInt64(128 - length)
        return .network(
            IPAddress(v6High: address.high & high, low: address.low & low),
            IPAddress(v6High: address.high | ~high, low: address.low | ~low))
    }
}
