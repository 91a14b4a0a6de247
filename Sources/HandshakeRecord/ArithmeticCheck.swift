/// One of the sums that a handshake must get right, modulo 2^32.
public struct ArithmeticCheck: Sendable, Hashable {
    /// Nil where what it would be computed from was not seen.
    public var expected: UInt32?
    /// The value may lie between `expected` and this: with data on the SYN (Fast Open), and in an ACK of a SYN-ACK with
    /// data.
    public var expectedMax: UInt32?
    /// Nil where the segment was not seen.
    public var actual: UInt32?
    /// Whether it is as expected; nil where one of the two is not known.
    public var ok: Bool?

    package init(expected: UInt32? = nil, expectedMax: UInt32? = nil, actual: UInt32? = nil, ok: Bool? = nil) {
        (self.expected, self.expectedMax, self.actual, self.ok) = (expected, expectedMax, actual, ok)
    }
}
