/// SHA-1 (FIPS 180-4) of one block: up to 55 octets. Enough for the identities of connections, which need no secret.
struct SHA1 {
    /// The longest input.
    static let maximum = 55

    typealias Digest = (UInt32, UInt32, UInt32, UInt32, UInt32)

    private var block = InlineArray<16, UInt32>(repeating: 0)
    /// Whole words of the block, and the bits behind them that are no whole word yet.
    private var words = 0
    private var rest: UInt64 = 0
    private var restBits = 0

    @inline(__always) init() {}

    /// Appends the last octets of a number, the highest first; four at most.
    @inline(__always)
    mutating func append(_ number: UInt32, octets: Int) {
        rest = rest << UInt64(octets &* 8) | UInt64(number)
        restBits &+= octets &* 8
        guard restBits >= 32 else { return }
        restBits &-= 32
        block[words] = UInt32(truncatingIfNeeded: rest >> UInt64(restBits))
        words &+= 1
    }

    @inline(__always)
    mutating func append(_ number: UInt64) {
        append(UInt32(truncatingIfNeeded: number >> 32), octets: 4)
        append(UInt32(truncatingIfNeeded: number), octets: 4)
    }

    consuming func digest() -> Digest {
        let bits = words &* 32 &+ restBits
        precondition(bits <= SHA1.maximum * 8)
        block[words] = UInt32(truncatingIfNeeded: (rest << 8 | 0x80) << UInt64(24 &- restBits))
        block[15] = UInt32(bits)
        let start: Digest = (0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0)
        var (a, b, c, d, e) = start
        @inline(__always)
        func turn(_ step: Int, _ choice: UInt32, _ constant: UInt32) {
            var word = block[step & 15]
            if step >= 16 {
                let mixed = block[(step &+ 13) & 15] ^ block[(step &+ 8) & 15] ^ block[(step &+ 2) & 15] ^ word
                word = mixed << 1 | mixed >> 31
                block[step & 15] = word
            }
            let next = (a << 5 | a >> 27) &+ choice &+ e &+ constant &+ word
            (e, d, c, b, a) = (d, c, b << 30 | b >> 2, a, next)
        }
        for step in 0..<20 { turn(step, b & c | ~b & d, 0x5a82_7999) }
        for step in 20..<40 { turn(step, b ^ c ^ d, 0x6ed9_eba1) }
        for step in 40..<60 { turn(step, b & c | b & d | c & d, 0x8f1b_bcdc) }
        for step in 60..<80 { turn(step, b ^ c ^ d, 0xca62_c1d6) }
        return (start.0 &+ a, start.1 &+ b, start.2 &+ c, start.3 &+ d, start.4 &+ e)
    }
}
