/// An IPv4 or IPv6 address: sixteen octets in network order and the version that they came in.
///
/// An IPv4 address keeps its four octets in the low 32 bits of `low`, so that both versions compare and hash as two
/// words. An IPv6 address never equals an IPv4 one, not even its mapped form.
public struct IPAddress: Hashable, Sendable, Comparable, BitwiseCopyable {
    /// The IP version, by its number.
    @frozen public enum Version: UInt8, Sendable, BitwiseCopyable { case v4 = 4, v6 = 6 }

    /// The upper 64 bits; 0 for IPv4.
    public let high: UInt64
    /// The lower 64 bits; for IPv4 its 32.
    public let low: UInt64
    /// Its IP version.
    public let version: Version

    /// An IPv4 address of its 32 bits in host byte order.
    @inlinable @inline(__always)
    public init(v4 bits: UInt32) {
        high = 0
        low = UInt64(bits)
        version = .v4
    }

    /// An IPv6 address of its two halves in host byte order.
    @inlinable @inline(__always)
    public init(v6High high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
        version = .v6
    }

    // Comparisons are written out, so that other modules need no call for them: they run for every frame.
    /// Whether both are the same address of the same version.
    @inlinable @inline(__always)
    public static func == (a: IPAddress, b: IPAddress) -> Bool {
        a.low == b.low && a.high == b.high && a.version.rawValue == b.version.rawValue
    }

    /// IPv4 before IPv6, then by number.
    @inlinable @inline(__always)
    public static func < (a: IPAddress, b: IPAddress) -> Bool {
        if a.version.rawValue != b.version.rawValue { return a.version.rawValue < b.version.rawValue }
        return a.high == b.high ? a.low < b.low : a.high < b.high
    }

    var v4Bits: UInt32 { UInt32(truncatingIfNeeded: low) }

    var groups: [UInt16] {
        (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 % 4))) }
    }
}

extension IPAddress: CustomStringConvertible, LosslessStringConvertible {
    /// Dotted decimal for IPv4; for IPv6 the canonical text of RFC 5952 section 4.
    public var description: String {
        if version == .v4 {
            let b = v4Bits
            return "\(b >> 24).\(b >> 16 & 255).\(b >> 8 & 255).\(b & 255)"
        }
        let groups = groups
        if high == 0, low >> 32 == 0xffff {  // RFC 5952 section 5: a mapped address shows its IPv4 part
            return "::ffff:\(IPAddress(v4: v4Bits))"
        }
        // RFC 5952 4.2.2 and 4.2.3: "::" for the longest run of two or more zero groups, the first of equals.
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty
            ? text(groups[...]) : text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }

    /// Reads dotted decimal, or any IPv6 text form of RFC 4291 section 2.2; nil for anything else.
    public init?(_ text: String) {
        if !text.contains(":") {
            guard let bits = IPAddress.dotted(text[...]) else { return nil }
            self.init(v4: bits)
            return
        }
        func parse(_ part: Substring) -> [UInt16]? {
            if part.isEmpty { return [] }
            var groups: [UInt16] = []
            let fields = part.split(separator: ":", omittingEmptySubsequences: false)
            for (index, field) in fields.enumerated() {
                if field.contains("."), index == fields.count - 1 {
                    guard let bits = IPAddress.dotted(field) else { return nil }
                    groups += [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
                } else {
                    guard field.utf8.count <= 4, let group = UInt16(field, radix: 16) else { return nil }
                    groups.append(group)
                }
            }
            return groups
        }
        var groups: [UInt16]
        if let gap = text.firstRange(of: "::") {
            guard let head = parse(text[..<gap.lowerBound]), let tail = parse(text[gap.upperBound...]),
                head.count + tail.count < 8
            else { return nil }
            groups = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        } else {
            guard let all = parse(text[...]), all.count == 8 else { return nil }
            groups = all
        }
        let words = groups.reduce(into: (UInt64(0), UInt64(0))) { words, group in
            words.0 = words.0 << 16 | words.1 >> 48
            words.1 = words.1 << 16 | UInt64(group)
        }
        self.init(v6High: words.0, low: words.1)
    }

    private static func dotted(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard !part.isEmpty, part.utf8.allSatisfy({ (48...57).contains($0) }), let octet = UInt8(part) else {
                return nil
            }
            bits = bits << 8 | UInt32(octet)
        }
        return bits
    }
}
