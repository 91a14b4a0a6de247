import TestSupport

/// What a seed decides: equal seeds give equal worlds on every machine.
public struct Draw: RandomNumberGenerator, Sendable {
    private var numbers: RandomNumbers
    public init(seed: UInt64) { numbers = RandomNumbers(seed: seed) }

    public mutating func next() -> UInt64 { numbers.next() }

    package mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func nanoseconds(_ milliseconds: ClosedRange<Double>) -> Int64 {
        Int64(Double.random(in: milliseconds, using: &self) * 1_000_000)
    }
    mutating func pick<T>(_ choices: [T]) -> T { choices[int(0...choices.count - 1)] }
    mutating func number() -> UInt32 { UInt32(truncatingIfNeeded: next()) }
}
