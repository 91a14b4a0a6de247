/// The distribution of some values from 0 on, in memory that grows with their spread: 128 steps for each power of two.
/// The window of steps that occurred is kept whole.
package struct ValueHistogram: Sendable {
    /// A quantile is less than this fraction above a value that was recorded.
    package static let relativeError = 1.0 / 128
    private static let bits = 7
    private var counts: [UInt32] = []
    /// The step of the first count.
    private var base = 0
    package private(set) var count = 0
    package private(set) var minimum: Int64?
    package private(set) var maximum: Int64?

    package init() {}

    @inline(__always)
    package mutating func record(_ value: Int64) {
        count += 1
        if value < minimum ?? .max { minimum = value }
        if value > maximum ?? .min { maximum = value }
        let step = ValueHistogram.step(UInt64(max(0, value)))
        if step < base || step - base >= counts.count { makeRoom(for: step) }
        counts[step - base] &+= 1
    }

    @inline(never)
    private mutating func makeRoom(for step: Int) {
        if counts.isEmpty { base = step & ~15 }
        if step < base {
            let first = step & ~15
            counts.insert(contentsOf: repeatElement(0, count: base - first), at: 0)
            base = first
        }
        let missing = step - base - counts.count
        if missing >= 0 { counts.append(contentsOf: repeatElement(0, count: (missing & ~15) + 16)) }
    }

    package mutating func add(_ other: ValueHistogram) {
        guard let least = other.minimum, let greatest = other.maximum else { return }
        count += other.count
        minimum = min(minimum ?? least, least)
        maximum = max(maximum ?? greatest, greatest)
        for (offset, number) in other.counts.enumerated() where number > 0 {
            let step = other.base + offset
            if step < base || step - base >= counts.count { makeRoom(for: step) }
            counts[step - base] &+= number
        }
    }

    @inline(__always)
    private static func step(_ value: UInt64) -> Int {
        guard value >= 1 << UInt64(bits) else { return Int(value) }
        let shift = 63 - bits - value.leadingZeroBitCount
        return (shift + 1) << bits + Int(truncatingIfNeeded: value >> UInt64(shift)) - 1 << bits
    }

    /// The largest value of a step.
    private static func end(_ step: Int) -> Int64 {
        guard step >= 1 << bits else { return Int64(step) }
        let shift = UInt64(step >> bits - 1)
        let last = (UInt64(step & (1 << bits - 1)) + 1 << bits + 1) << shift
        return Int64(clamping: last &- 1)
    }

    /// The smallest step's end that at least `share` of the values do not exceed, within the least and the largest
    /// value; nil without any.
    package func quantile(_ share: Double) -> Int64? {
        guard let minimum, let maximum else { return nil }
        let wanted = max(1, Int((min(max(share.nextDown, 0), 1) * Double(count)).rounded(.up)))
        var seen = 0
        for offset in counts.indices {
            seen += Int(counts[offset])
            if seen >= wanted { return min(maximum, max(minimum, ValueHistogram.end(base + offset))) }
        }
        return maximum
    }

    /// Counts of wider steps, eight for each power of two, with the largest value that each may have; those without
    /// values are left out.
    package var octaves: [(upTo: Int64, count: Int)] {
        var steps: [(upTo: Int64, count: Int)] = []
        let width = 1 << (ValueHistogram.bits - 3)
        for offset in counts.indices where counts[offset] > 0 {
            let end = ValueHistogram.end((base + offset) / width * width + width - 1)
            if steps.last?.upTo != end { steps.append((end, 0)) }
            steps[steps.count - 1].count += Int(counts[offset])
        }
        return steps
    }
}
