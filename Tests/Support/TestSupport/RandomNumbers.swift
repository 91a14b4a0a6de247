/// Numbers that look random and are the same in every run (SplitMix64).
public struct RandomNumbers: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    /// A number from 0 up to below a bound.
    public mutating func next(below bound: UInt64) -> UInt64 { next() % bound }
    public mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
