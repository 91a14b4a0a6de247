/// Steps of time of one width, each a whole multiple of it from the epoch on. There are at most `maximum` from the
/// first to the last time: a longer capture has wider steps. A width divides the next, so that steps can be put
/// together.
struct TimeSteps {
    let maximum: Int64
    /// Nanoseconds.
    private(set) var width = TimeSteps.widths[0]
    /// Numbers of the first and the last step, counted from the epoch; nil before the first time.
    private(set) var range: ClosedRange<Int64>?

    private static let widths: [Int64] = {
        let (second, minute, hour): (Int64, Int64, Int64) = (1_000_000_000, 60_000_000_000, 3_600_000_000_000)
        let short: [Int64] = [1, 2, 10, 20, 100, 200].map { $0 * 1_000_000 }
        let long = [second, 2 * second, 10 * second, 20 * second, minute, 2 * minute, 10 * minute, 20 * minute]
        // Times reach from 1677 to 2262: 64 bits.
        return short + long + [1, 2, 6, 24, 240, 2_400, 24_000, 240_000].map { $0 * hour }
    }()

    init(maximum: Int64) { self.maximum = maximum }

    /// The number of the step that a time lies in. Steps become wider where it lies outside.
    /// - Parameter time: nanoseconds since the epoch.
    /// - Returns: the number, and how many steps have become one.
    mutating func step(holding time: Int64) -> (number: Int64, ratio: Int64) {
        let step = TimeSteps.quotient(time, width)
        guard let range else {
            range = step...step
            return (step, 1)
        }
        if range.contains(step) { return (step, 1) }
        self.range = min(range.lowerBound, step)...max(range.upperBound, step)
        let ratio = widen(toHold: maximum)
        return (TimeSteps.quotient(time, width), ratio)
    }

    /// Widens steps until there are so many at most.
    /// - Returns: how many steps have become one.
    mutating func widen(toHold maximum: Int64) -> Int64 {
        guard let range else { return 1 }
        func wider(_ ratio: Int64) -> ClosedRange<Int64> {
            TimeSteps.quotient(range.lowerBound, ratio)...TimeSteps.quotient(range.upperBound, ratio)
        }
        let ratios = TimeSteps.widths.map { $0 / width }.filter { $0 > 0 }
        let ratio =
            ratios.first { wider($0).upperBound - wider($0).lowerBound < maximum } ?? ratios.last ?? 1
        self.range = wider(ratio)
        width *= ratio
        return ratio
    }

    /// A step's number among steps that are so many times as wide.
    static func wider(_ step: Int64, _ ratio: Int64) -> Int64 { quotient(step, ratio) }

    /// Rounded down.
    private static func quotient(_ number: Int64, _ divisor: Int64) -> Int64 {
        let quotient = number / divisor
        return number < 0 && quotient * divisor != number ? quotient - 1 : quotient
    }
}
