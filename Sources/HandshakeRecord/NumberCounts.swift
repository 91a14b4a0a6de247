/// How often each number of one kind came, in bounded memory: EtherTypes, IP protocols, UDP ports. Traffic chooses
/// them.
///
/// A table of fixed size. When it holds too many numbers, the least frequent half of them is let go, so that a flood
/// of numbers takes no more memory than a few. A count that stays is exact unless its number was let go before: then
/// it is a lower bound. Which numbers are let go depends on the numbers alone.
struct NumberCounts: Hashable, Sendable {
    /// Numbers that are kept at a time.
    static let capacity = 128
    private static let slotCount = 256

    private struct Slot: BitwiseCopyable {
        var number: UInt16 = 0
        /// 0 where there is none.
        var count: UInt64 = 0
    }

    private var slots: [Slot] = []
    private(set) var kept = 0

    /// Where a number stands depends on what came before it: only the counts are compared.
    static func == (a: NumberCounts, b: NumberCounts) -> Bool { a.mostFrequent(.max) == b.mostFrequent(.max) }

    func hash(into hasher: inout Hasher) { hasher.combine(mostFrequent(.max)) }

    @inline(__always)
    private func position(of number: UInt16) -> Int {
        var position = Int((UInt32(number) &* 0x9e37_79b1) >> 24)
        while slots[position].count != 0, slots[position].number != number {
            position = (position + 1) & (NumberCounts.slotCount - 1)
        }
        return position
    }

    mutating func add(_ number: UInt16, _ count: UInt64 = 1) {
        if slots.isEmpty { slots = [Slot](repeating: Slot(), count: NumberCounts.slotCount) }
        let position = position(of: number)
        if slots[position].count == 0 {
            if kept == NumberCounts.capacity {
                evict()
                return add(number, count)
            }
            slots[position].number = number
            kept += 1
        }
        slots[position].count += count
    }

    private mutating func evict() {
        let stay = mostFrequent(NumberCounts.capacity / 2)
        slots = [Slot](repeating: Slot(), count: NumberCounts.slotCount)
        kept = 0
        for entry in stay { add(entry.number, entry.count) }
    }

    mutating func add(_ other: NumberCounts) {
        // In order: what is let go must not depend on where a number stands.
        for entry in other.mostFrequent(.max) { add(entry.number, entry.count) }
    }

    /// The most frequent first; of equally frequent ones the lowest number.
    func mostFrequent(_ maximum: Int) -> [UndecodedFrames.Count] {
        let entries = slots.filter { $0.count > 0 }
            .sorted { $0.count == $1.count ? $0.number < $1.number : $0.count > $1.count }
        return entries.prefix(maximum).map { UndecodedFrames.Count(number: $0.number, count: $0.count) }
    }
}
