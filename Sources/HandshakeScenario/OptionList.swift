// TCP options as tcpdump and packetdrill write them, `mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7`, and their octets.
// A new kind is a case in `octets(of:)` and one in `word(for:)`.

/// The option area of a TCP header (RFC 9293 section 3.2) as text.
package enum OptionList {
    package static let maximumOctets = 40

    struct Malformed: Error {
        /// Characters from the list's start to what is wrong.
        var offset: Int
        var message: String
    }

    // MARK: Text to octets

    /// - Parameter text: what stands between the angle brackets.
    static func octets(_ text: Substring) throws(Malformed) -> [UInt8] {
        var area: [UInt8] = []
        if text.allSatisfy(\.isWhitespace) { return [] }
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = item.split(separator: " ")
            let offset = text.distance(from: text.startIndex, to: words.first?.startIndex ?? item.startIndex)
            guard let octets = octets(of: words) else {
                throw Malformed(
                    offset: offset,
                    message: item.isEmpty
                        ? "an option is missing between two commas"
                        : "no TCP option is written '\(words.joined(separator: " "))' (there are \(known))")
            }
            area += octets
            if area.count > maximumOctets {
                throw Malformed(offset: offset, message: "with this option the options exceed \(maximumOctets) octets")
            }
        }
        while area.count % 4 != 0 { area.append(0) }
        return area
    }

    private static let known =
        "mss N, wscale N, sackOK, TS val N ecr N, FO [HEX], FOEXP [HEX], mptcp capable|join|N, nop, eol, kind N [HEX], raw HEX"

    private static func octets(of words: [Substring]) -> [UInt8]? {
        func option(_ kind: UInt8, _ content: [UInt8]?) -> [UInt8]? {
            guard let content, content.count <= maximumOctets - 2 else { return nil }
            return [kind, UInt8(content.count + 2)] + content
        }
        switch words.first {
        case "mss" where words.count == 2: return option(2, UInt16(words[1])?.octets)
        case "wscale" where words.count == 2: return option(3, UInt8(words[1]).map { [$0] })
        case "sackOK" where words.count == 1: return option(4, [])
        case "TS" where words.count == 5 && words[1] == "val" && words[3] == "ecr":
            guard let value = UInt32(words[2]), let echo = UInt32(words[4]) else { return nil }
            return option(8, value.octets + echo.octets)
        case "FO" where words.count <= 2: return option(34, words.count == 1 ? [] : hexadecimal(words[1]))
        case "FOEXP" where words.count <= 2:
            return option(254, (words.count == 1 ? [] : hexadecimal(words[1])).map { [0xf9, 0x89] + $0 })
        case "mptcp" where words.count == 2: return mptcp(words[1])
        case "nop" where words.count == 1: return [1]
        case "eol" where words.count == 1: return [0]
        case "kind" where words.count == 2 || words.count == 3:
            guard let kind = UInt8(words[1]) else { return nil }
            return option(kind, words.count == 2 ? [] : hexadecimal(words[2]))
        case "raw" where words.count == 2: return hexadecimal(words[1])
        default: return nil
        }
    }

    /// The option in a SYN (RFC 8684 3.1 and 3.2): 4 octets of MP_CAPABLE version 1, 12 of MP_JOIN.
    private static func mptcp(_ word: Substring) -> [UInt8]? {
        switch word {
        case "capable": return [30, 4, 0x01, 0x81]
        case "join": return [30, 12, 0x10, 1, 0, 0, 0, 1, 0, 0, 0, 2]
        default: return UInt8(word).flatMap { $0 < 16 ? [30, 4, $0 << 4, 0] : nil }
        }
    }

    // MARK: Octets to text

    /// The area as text that gives the same octets when it is read.
    static func text(_ area: [UInt8]) -> String {
        var words: [String] = []
        var rest = area[...]
        while let kind = rest.first {
            if kind == 0 {
                // Padding of the area is not written; anything else after the end of the list is.
                if rest.allSatisfy({ $0 == 0 }), rest.count < 4 { break }
                words.append("eol")
                rest = rest.dropFirst()
                continue
            }
            if kind == 1 {
                words.append("nop")
                rest = rest.dropFirst()
                continue
            }
            guard let length = rest.dropFirst().first, length >= 2, Int(length) <= rest.count else {
                words.append("raw \(hexadecimal(rest))")
                break
            }
            words.append(word(for: kind, Array(rest.prefix(Int(length)))))
            rest = rest.dropFirst(Int(length))
        }
        return words.joined(separator: ",")
    }

    private static func word(for kind: UInt8, _ octets: [UInt8]) -> String {
        let content = octets[2...]
        func number(_ range: Range<Int>) -> UInt32 { octets[range].reduce(0) { $0 << 8 | UInt32($1) } }
        switch (kind, content.count) {
        case (2, 2): return "mss \(number(2..<4))"
        case (3, 1): return "wscale \(octets[2])"
        case (4, 0): return "sackOK"
        case (8, 8): return "TS val \(number(2..<6)) ecr \(number(6..<10))"
        case (34, 0): return "FO"
        case (34, _): return "FO \(hexadecimal(content))"
        case (254, 2...) where number(2..<4) == 0xf989:
            return content.count == 2 ? "FOEXP" : "FOEXP \(hexadecimal(content.dropFirst(2)))"
        case (30, _):
            for word in ["capable", "join"] + (0..<16).map(String.init) where mptcp(word[...]) == octets {
                return "mptcp \(word)"
            }
            return "kind 30 \(hexadecimal(content))"
        default: return content.isEmpty ? "kind \(kind)" : "kind \(kind) \(hexadecimal(content))"
        }
    }
}

/// Octets from hexadecimal digits, two each; nil for anything else.
func hexadecimal(_ text: Substring) -> [UInt8]? {
    let digits = text.compactMap { $0.isASCII ? $0.hexDigitValue : nil }
    guard !digits.isEmpty, digits.count % 2 == 0, digits.count == text.count else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func hexadecimal(_ octets: some Sequence<UInt8>) -> String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

extension FixedWidthInteger {
    /// In network order.
    var octets: [UInt8] {
        stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}
