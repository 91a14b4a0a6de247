/// A link address of 48 bits (IEEE 802-2014 section 8.2).
public struct LinkAddress: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The address in its lower 48 bits.
    public let bits: UInt64

    /// An address by its bits; the upper 16 are left out.
    public init(bits: UInt64) { self.bits = bits & 0xffff_ffff_ffff }

    /// An address as `description` writes it; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
        guard pairs.count == 6 else { return nil }
        var bits: UInt64 = 0
        for pair in pairs {
            guard pair.utf8.count == 2, let octet = UInt8(pair, radix: 16) else { return nil }
            bits = bits << 8 | UInt64(octet)
        }
        self.init(bits: bits)
    }

    /// Six pairs of digits: `02:00:00:00:00:01`.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for shift in stride(from: UInt64(40), through: 0, by: -8) {
            if !text.isEmpty { text.append(0x3a) }
            let octet = Int(truncatingIfNeeded: bits >> shift) & 0xff
            text += [digits[octet >> 4], digits[octet & 15]]
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The link addresses of a frame, as far as its link type has them.
public struct LinkAddresses: Hashable, Sendable, BitwiseCopyable {
    /// The destination in the upper 48 bits, then the source's first two octets.
    private var upper: UInt64 = 0
    /// The source's other octets in the lower 32 bits, and which addresses there are. Bits that are not used here are
    /// 0, for `OpeningHeaders`.
    private var lower: UInt64 = 0

    private static var sourceIsKnown: UInt64 { 1 << 32 }
    private static var destinationIsKnown: UInt64 { 1 << 33 }

    /// None.
    @inline(__always) public init() {}

    /// Addresses of one frame; nil for one that its link type has not.
    public init(source: LinkAddress?, destination: LinkAddress?) {
        if let destination {
            upper = destination.bits << 16
            lower = LinkAddresses.destinationIsKnown
        }
        if let source {
            upper |= source.bits >> 32
            lower |= source.bits & 0xffff_ffff | LinkAddresses.sourceIsKnown
        }
    }

    /// Those of an Ethernet header: destination, then source.
    @inline(__always)
    init(ethernet bytes: RawSpan, at offset: Int) {
        upper = bytes.u64(offset)
        lower = UInt64(bytes.u32(offset + 8)) | LinkAddresses.sourceIsKnown | LinkAddresses.destinationIsKnown
    }

    /// That of a LINUX_SLL or LINUX_SLL2 header: the source's, if it has six octets.
    init(cooked bytes: RawSpan, lengthAt length: Int, at offset: Int) {
        self.init(
            source: bytes.u8(length) == 6 ? LinkAddress(bits: bytes.u64(offset) >> 16) : nil, destination: nil)
    }

    @inline(__always)
    init(words: (UInt64, UInt64)) { (upper, lower) = words }

    @inline(__always) var words: (UInt64, UInt64) { (upper, lower) }

    /// Who sent the frame on its link.
    public var source: LinkAddress? {
        lower & LinkAddresses.sourceIsKnown != 0 ? LinkAddress(bits: upper << 32 | lower & 0xffff_ffff) : nil
    }

    /// To whom it was sent on its link.
    public var destination: LinkAddress? {
        lower & LinkAddresses.destinationIsKnown != 0 ? LinkAddress(bits: upper >> 16) : nil
    }
}
