/// A number's digits, to be written more than once: up to 24 octets, in three words, the first digit in the lowest
/// octet of the first.
struct DecimalText {
    private(set) var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    private(set) var count = 0

    @inline(__always)
    init(_ value: UInt64) {
        if value < 100_000_000 {
            (words.0, count) = DecimalText.leading(value)
        } else if value < 10_000_000_000_000_000 {
            let (upper, lower) = value.quotientAndRemainder(dividingBy: 100_000_000)
            (words.0, count) = DecimalText.leading(upper)
            append(lower)
        } else {
            setLong(value)
        }
    }

    @inline(__always)
    init(_ value: Int64) {
        self.init(value.magnitude)
        guard value < 0 else { return }
        words = (words.0 << 8 | 0x2d, words.1 << 8 | words.0 >> 56, words.2 << 8 | words.1 >> 56)
        count += 1
    }

    /// The digits of a number below 10^8 from the first that is not 0 on, and how many those are; one of 0.
    @inline(__always)
    private static func leading(_ value: UInt64) -> (UInt64, Int) {
        let digits = eight(UInt32(truncatingIfNeeded: value))
        let left = min(56, digits.trailingZeroBitCount & ~7)
        return ((digits | zeros) &>> UInt64(left), 8 - left / 8)
    }

    /// Appends the eight digits of a number below 10^8; there are one to eight before.
    @inline(__always)
    private mutating func append(_ value: UInt64) {
        let digits = DecimalText.eight(UInt32(truncatingIfNeeded: value)) | DecimalText.zeros
        let shift = UInt64(count * 8)
        words.0 |= digits << shift
        words.1 = digits >> (64 - shift)
        count += 8
    }

    @inline(never)
    private mutating func setLong(_ value: UInt64) {
        let (upper, lower) = value.quotientAndRemainder(dividingBy: 100_000_000)
        self = DecimalText(upper / 100_000_000)
        append(upper % 100_000_000)
        let digits = DecimalText.eight(UInt32(truncatingIfNeeded: lower)) | DecimalText.zeros
        let shift = UInt64((count - 8) * 8)
        words.1 |= digits << shift
        words.2 = digits >> (64 - shift)
        count += 8
    }

    static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// The eight digits of a number below 10^8, an octet each, the first in the lowest: halves, quarters and eighths at
    /// once.
    @inline(__always)
    static func eight(_ value: UInt32) -> UInt64 {
        let (upper, lower) = value.quotientAndRemainder(dividingBy: 10_000)
        let halves = UInt64(upper) | UInt64(lower) << 32
        let hundreds = (halves &* 10_486) >> 20 & 0x0000_007f_0000_007f
        let quarters = hundreds | (halves &- hundreds &* 100) << 16
        let tens = (quarters &* 103) >> 10 & 0x000f_000f_000f_000f
        return tens | (quarters &- tens &* 10) << 8
    }
}
