/// Frames that are not decoded, of one kind of number.
public struct UndecodedFrames: Hashable, Sendable {
    /// A kind of number that says what a frame holds.
    public enum Kind: String, CaseIterable, Sendable {
        /// An EtherType that is not decoded.
        case etherType = "ethertypes"
        /// An IP protocol that is not decoded.
        case ipProtocol = "ip_protocols"
        /// A UDP port that is not known to be a tunnel's.
        case udpPort = "udp_ports"
    }

    /// How many frames had a number.
    public struct Count: Hashable, Sendable {
        /// The EtherType, IP protocol or UDP port.
        public var number: UInt16
        /// Its frames.
        public var count: UInt64
    }

    /// What the number is of.
    public var kind: Kind
    /// The most frequent numbers with their frames, at most `UndecodedFrames.maximumListed`. A count is a lower bound
    /// once more numbers came than are kept.
    public var numbers: [Count]
    /// Frames of other numbers, and of none.
    public var others: UInt64

    /// A number as it is written: an EtherType in hexadecimal.
    public func text(of number: UInt16) -> String {
        guard kind == .etherType else { return "\(number)" }
        let digits = String(number, radix: 16)
        return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// More numbers are not listed.
    public static let maximumListed = 5
}
