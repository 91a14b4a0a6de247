/// Sequence number arithmetic, modulo 2^32 (RFC 9293 section 3.4).
enum SequenceNumber {
    /// Whether `number` is in `[start, start + length]`.
    @inline(__always)
    static func isIn(_ number: UInt32, from start: UInt32, length: UInt32) -> Bool { number &- start <= length }

    /// Whether `a` is after `b`, less than half the space apart.
    @inline(__always)
    static func isAfter(_ a: UInt32, _ b: UInt32) -> Bool { Int32(bitPattern: a &- b) > 0 }

    /// The later of two.
    @inline(__always)
    static func later(_ a: UInt32, _ b: UInt32) -> UInt32 { isAfter(a, b) ? a : b }
}
