/// What a seed decides (SplitMix64): equal seeds give equal worlds on every machine.
public struct Draw: RandomNumberGenerator, Sendable {
    private var state: UInt64
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func nanoseconds(_ milliseconds: ClosedRange<Double>) -> Int64 {
        Int64(Double.random(in: milliseconds, using: &self) * 1_000_000)
    }
    mutating func pick<T>(_ choices: [T]) -> T { choices[int(0...choices.count - 1)] }
    mutating func number() -> UInt32 { UInt32(truncatingIfNeeded: next()) }
}
