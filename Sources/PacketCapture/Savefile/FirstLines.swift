/// The first lines of a file that begins with text, and the kind of text that it is.
struct FirstLines: Sendable {
    /// A dump of octets as hex digits.
    enum Dump {
        /// Lines with offsets, as xxd and od write them.
        case captureFile
        /// As hexdump -C writes them.
        case captureFileInColumns
        /// Digits only.
        case captureFilePlain
        /// tcpdump's -x and -X, then -xx and -XX.
        case tcpdumpPackets, tcpdumpFrames
        /// Packets from the IP header on, or frames, each with offsets from 0 on, as tshark -x writes them.
        case packets, frames
    }

    let lines: [Substring]
    let dump: Dump?

    /// Octets of the text that are looked at.
    private static let size = 4096

    /// Text has no control characters but white space, backspace and escape.
    static func isText(_ octets: [UInt8]) -> Bool {
        !octets.isEmpty
            && octets.prefix(size).allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 >= 0x08 && $0 <= 0x0d || $0 == 0x1b }
    }

    /// Nil where the octets are not text.
    init?(_ octets: [UInt8]) {
        guard FirstLines.isText(octets) else { return nil }
        var text = octets.prefix(FirstLines.size)
        if text.starts(with: [0xef, 0xbb, 0xbf]) { text.removeFirst(3) }
        lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
            .filter { !$0.allSatisfy(\.isWhitespace) }
        dump = FirstLines.dump(lines)
    }

    private var start: String { String((lines.first ?? "").drop(while: \.isWhitespace)).lowercased() }

    var isHTML: Bool {
        start.hasPrefix("<!doctype html") || start.hasPrefix("<html")
            || start.hasPrefix("<?xml") && lines.prefix(20).contains { $0.contains("<html") }
    }

    var isTsharkReport: Bool {
        start.hasPrefix(#"{"index":{"_index":"packets-"#)
            || lines.prefix(20).contains {
                $0.contains(#""_index": "packets-"#) || $0.contains("<pdml") || $0.contains("<psml")
            }
    }

    /// A line of tcpdump begins with a time, and says which network protocol goes from where to where.
    var isTcpdump: Bool {
        lines.prefix(20).contains { line in
            line.first?.isNumber == true && line.contains(" > ")
                && [" IP ", " IP6 ", " ethertype "].contains { line.contains($0) }
                && line.prefix { $0 != " " }.allSatisfy { $0.isNumber || ":.-".contains($0) }
        }
    }

    /// A line of tshark begins with the frame's number and time, and has an arrow between two addresses.
    var isTshark: Bool {
        lines.prefix(20).contains { line in
            if line.hasPrefix("Frame 1: ") { return true }
            let words = line.split(separator: " ")
            return words.count > 5 && UInt64(words[0]) != nil && Double(words[1]) != nil
                && ["→", "->"].contains(words[3])
        }
    }

    /// The kind of dump, by its first line of digits.
    private static func dump(_ lines: [Substring]) -> Dump? {
        for (number, line) in lines.prefix(20).enumerated() {
            let isTcpdump = line.drop(while: \.isWhitespace).hasPrefix("0x0000:")
            guard let (octets, isPaired) = octets(of: isTcpdump ? line.drop { $0 != ":" } : line) else { continue }
            // Offsets that are not hexadecimal (od) are of no use.
            if !isTcpdump, line.contains(" "), let next = lines.dropFirst(number + 1).first,
                let offset = Int(next.prefix { $0.isHexDigit }, radix: 16), offset != 0, offset != octets.count
            {
                return nil
            }
            let isIP = octets[0] >> 4 == 4 && octets[0] & 15 >= 5 || octets[0] >> 4 == 6
            if isTcpdump { return isIP ? .tcpdumpPackets : .tcpdumpFrames }
            if CaptureMagic.isMagic(octets) {
                if !line.contains(" ") { return .captureFilePlain }
                return line.contains("|") ? .captureFileInColumns : .captureFile
            }
            // xxd's pairs are of any file, and text2pcap does not take them.
            return isPaired || !line.contains(" ") ? nil : isIP ? .packets : .frames
        }
        return nil
    }

    /// The octets of a dump's first line, and whether they stand in pairs: behind an offset of zeros, or alone.
    private static func octets(of line: Substring) -> ([UInt8], isPaired: Bool)? {
        var words = line.split(separator: " ")
        guard let first = words.first else { return nil }
        if words.count == 1, first.utf8.count >= 16 {
            let octets = parsed(first)
            return octets.count * 2 == first.utf8.count ? (octets, true) : nil
        }
        let offset = first.hasSuffix(":") ? first.dropLast() : first
        guard first == ":" || offset.utf8.count >= 3, offset.allSatisfy({ $0 == "0" }) else { return nil }
        words.removeFirst()
        let groups = words.prefix(16).prefix { ($0.utf8.count == 2 || $0.utf8.count == 4) && !parsed($0).isEmpty }
        guard groups.count >= 4 else { return nil }
        return (groups.flatMap(parsed), groups[groups.startIndex].utf8.count == 4)
    }

    /// Pairs of digits as octets; none where there is anything else.
    private static func parsed(_ digits: Substring) -> [UInt8] {
        guard digits.utf8.count % 2 == 0 else { return [] }
        var octets: [UInt8] = []
        var rest = digits
        while !rest.isEmpty {
            guard rest.first?.isHexDigit == true, rest.dropFirst().first?.isHexDigit == true,
                let octet = UInt8(rest.prefix(2), radix: 16)
            else { return [] }
            octets.append(octet)
            rest = rest.dropFirst(2)
        }
        return octets
    }
}
