/// The control bits of a TCP header (RFC 9293 section 3.1), reserved bits included.
public struct TCPFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
    /// The twelve bits of the header, FIN the lowest.
    public let rawValue: UInt16
    /// Flags by the header's bits.
    @inlinable @inline(__always) public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// FIN: no more data from the sender.
    /// URG: the urgent pointer is significant.
    /// SYN: synchronise sequence numbers.
    /// ACK: SEG.ACK is significant.
    /// RST: reset the connection.
    /// PSH: push.
    @inlinable @inline(__always) public static var fin: TCPFlags { TCPFlags(rawValue: 0x001) }
    @inlinable @inline(__always) public static var syn: TCPFlags { TCPFlags(rawValue: 0x002) }
    @inlinable @inline(__always) public static var rst: TCPFlags { TCPFlags(rawValue: 0x004) }
    @inlinable @inline(__always) public static var psh: TCPFlags { TCPFlags(rawValue: 0x008) }
    @inlinable @inline(__always) public static var ack: TCPFlags { TCPFlags(rawValue: 0x010) }
    @inlinable @inline(__always) public static var urg: TCPFlags { TCPFlags(rawValue: 0x020) }
    /// Explicit congestion notification echo (RFC 3168).
    @inlinable @inline(__always) public static var ece: TCPFlags { TCPFlags(rawValue: 0x040) }
    /// Congestion window reduced (RFC 3168).
    @inlinable @inline(__always) public static var cwr: TCPFlags { TCPFlags(rawValue: 0x080) }
    /// Accurate ECN (RFC 9768); once the nonce sum.
    @inlinable @inline(__always) public static var ae: TCPFlags { TCPFlags(rawValue: 0x100) }
    /// The three bits that RFC 9293 still reserves: zero in what a conforming sender generates.
    @inlinable @inline(__always) public static var reserved: TCPFlags { TCPFlags(rawValue: 0xe00) }

    /// SYN without ACK or RST.
    @inlinable @inline(__always) public var isSYN: Bool { rawValue & 0x016 == 0x002 }
    /// SYN and ACK without RST.
    @inlinable @inline(__always) public var isSYNACK: Bool { rawValue & 0x016 == 0x012 }
}

extension TCPFlags: CustomStringConvertible {
    private static let letters: [(flag: TCPFlags, letter: Character)] = [
        (.fin, "F"), (.syn, "S"), (.rst, "R"), (.psh, "P"), (.ack, "."), (.urg, "U"), (.ece, "E"), (.cwr, "W"),
        (.ae, "e"),
    ]

    /// As tcpdump prints them: `S` SYN, `F` FIN, `R` RST, `P` PSH, `U` URG, `E` ECE, `W` CWR, `e` AE, `.` ACK.
    public var description: String { TCPFlags.texts[Int(rawValue & 0x1ff)] }

    private static let texts = (0..<0x200).map { (flags: UInt16) in
        let text = letters.reduce(into: "") { if TCPFlags(rawValue: flags).contains($1.flag) { $0.append($1.letter) } }
        return text.isEmpty ? "none" : text
    }

    /// Flags from those letters in any order, or from `none`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        self = []
        if text == "none" { return }
        for letter in text {
            guard let known = TCPFlags.letters.first(where: { $0.letter == letter }) else { return nil }
            insert(known.flag)
        }
    }
}
