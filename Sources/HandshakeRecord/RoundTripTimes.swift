/// The distribution of handshake round trips, in nanoseconds; only pairs that are known count.
///
/// Counts by value: exact below 2048 ns, above that 1024 steps for each power of two, as in HdrHistogram.
public struct RoundTripTimes: Hashable, Sendable {
    /// Quantiles are within this fraction of a value that was recorded.
    public static let relativeError = 0.001
    private static let exact: UInt64 = 2048
    private var counts: [UInt64] = []
    /// Round trips that were counted.
    public private(set) var count = 0
    /// The shortest, nanoseconds.
    public private(set) var minimum: Int64?
    /// The longest, nanoseconds.
    public private(set) var maximum: Int64?

    package init() {}

    package mutating func record(_ nanoseconds: Int64) {
        count += 1
        if nanoseconds < minimum ?? .max { minimum = nanoseconds }
        if nanoseconds > maximum ?? .min { maximum = nanoseconds }
        let step = RoundTripTimes.step(UInt64(max(0, nanoseconds)))
        if step >= counts.count { counts += [UInt64](repeating: 0, count: step + 1024 - counts.count) }
        counts[step] += 1
    }

    /// Records many at once: extremes and the size of the table are checked once for all of them.
    package mutating func record(all values: [Int64]) {
        guard !values.isEmpty else { return }
        var (least, greatest) = (minimum ?? .max, maximum ?? .min)
        for place in values.indices {
            least = min(least, values[place])
            greatest = max(greatest, values[place])
        }
        (minimum, maximum) = (least, greatest)
        count += values.count
        let last = RoundTripTimes.step(UInt64(max(0, greatest)))
        if last >= counts.count { counts += [UInt64](repeating: 0, count: last + 1024 - counts.count) }
        var steps = counts.mutableSpan
        for place in values.indices { steps[RoundTripTimes.step(UInt64(max(0, values[place])))] += 1 }
    }

    package mutating func add(_ other: RoundTripTimes) {
        count += other.count
        minimum = [minimum, other.minimum].compactMap { $0 }.min()
        maximum = [maximum, other.maximum].compactMap { $0 }.max()
        if other.counts.count > counts.count {
            counts += [UInt64](repeating: 0, count: other.counts.count - counts.count)
        }
        for step in other.counts.indices { counts[step] += other.counts[step] }
    }

    private static func step(_ value: UInt64) -> Int {
        guard value >= exact else { return Int(value) }
        let shift = 64 - 11 - value.leadingZeroBitCount
        return Int(exact) + (shift - 1) * 1024 + Int(value >> UInt64(shift)) - 1024
    }

    /// The largest value of a step.
    private static func end(_ step: Int) -> UInt64 {
        guard step >= exact else { return UInt64(step) }
        let shift = UInt64((step - Int(exact)) / 1024 + 1)
        return (UInt64((step - Int(exact)) % 1024 + 1024 + 1) << shift) &- 1
    }

    /// The smallest recorded value that at least `percentile` percent do not exceed; nil without any.
    public func percentile(_ percentile: Double) -> Int64? {
        guard count > 0, let minimum, let maximum else { return nil }
        // One unit in the last place less, so that rounding does not run into the next step.
        let wanted = UInt64(max(1, (min(max(percentile.nextDown, 0), 100) * Double(count) / 100).rounded(.up)))
        var seen: UInt64 = 0
        for step in counts.indices {
            seen += counts[step]
            if seen >= wanted { return min(maximum, max(minimum, Int64(clamping: RoundTripTimes.end(step)))) }
        }
        return maximum
    }
}
