import PacketWire

/// A value that is written in an expression.
enum Literal: Equatable {
    case number(Double)
    /// Nanoseconds.
    case duration(Double)
    /// A share of 1.
    case percentage(Double)
    /// Nanoseconds since the epoch.
    case time(Int64)
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
        case .time: "a time"
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
            // Before anything else a backslash is itself: regular expressions have their own.
            if source[position] == UInt8(ascii: "\\"), position + 1 < source.count,
                [quote, UInt8(ascii: "\\")].contains(source[position + 1])
            {
                position += 1
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
                throw error(
                    AbsoluteTime.isMeant(text)
                        ? "'\(text)' is no time with its zone: 2026-11-28T10:02:10Z, 2026-11-28T10:02:10+01:00"
                        : "'\(text)' is no number, duration, percentage, time, address or network", range)
            }
            return Token(kind: .literal(literal), range: range)
        }
        return Token(kind: .word(text), range: range)
    }

    /// A literal that is no string; nil where it is none.
    static func literal(_ text: String) -> Literal? {
        if let address = IPAddress(text) { return .address(address) }
        if AbsoluteTime.isMeant(text) { return (try? AbsoluteTime.parse(text)).map { .time($0) } }
        if text.contains("/") { return network(text) }
        if text.hasPrefix("0x") {
            return text.utf8.count > 2 ? UInt64(text.dropFirst(2), radix: 16).map { .number(Double($0)) } : nil
        }
        let units: [(suffix: String, scale: Double, make: (Double) -> Literal)] = [
            ("%", 0.01, { .percentage($0) }), ("ns", 1, { .duration($0) }), ("us", 1e3, { .duration($0) }),
            ("µs", 1e3, { .duration($0) }), ("ms", 1e6, { .duration($0) }), ("s", 1e9, { .duration($0) }),
            ("min", 60e9, { .duration($0) }), ("m", 60e9, { .duration($0) }), ("h", 3600e9, { .duration($0) }),
            ("", 1, { .number($0) }),
        ]
        for (suffix, scale, make) in units where text.hasSuffix(suffix) {
            let digits = text.dropLast(suffix.count)
            let unsigned = digits.first == "-" || digits.first == "+" ? digits.dropFirst() : digits
            let parts = unsigned.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count <= 2, parts.contains(where: { !$0.isEmpty }),
                parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
                let mantissa = Double(parts.joined()), mantissa < 1e18
            else { continue }
            // One division at most, so that 99.9% is what 999 of 1000 is, and 1.001ms is 1001000 ns.
            let places = (parts.count == 2 ? parts[1].utf8.count : 0) + (scale < 1 ? 2 : 0)
            let divisor = (0..<places).reduce(1.0) { power, _ in power * 10 }
            let value = (digits.first == "-" ? -1 : 1) * mantissa * (scale < 1 ? 1 : scale) / divisor
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
