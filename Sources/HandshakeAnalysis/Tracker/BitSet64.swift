/// Some of the segments of an attempt's log, or of the frames of a batch, by their positions in it, in order. A log has
/// at most 33 (`HandshakeTracker.append`) and a batch 64, so a word holds them: no array for each question. BitSet64
/// are below 64.
struct BitSet64: Sequence, Equatable, BitwiseCopyable {
    private(set) var bits: UInt64

    @inline(__always) init() { bits = 0 }

    /// - Parameter bits: one for each position, the lowest for the first.
    @inline(__always) init(bits: UInt64) { self.bits = bits }

    /// The first `count`, 63 at most.
    @inline(__always)
    init(first count: Int) {
        precondition(count < 64)
        bits = 1 << UInt64(count) &- 1
    }

    @inline(__always) var isEmpty: Bool { bits == 0 }
    @inline(__always) var count: Int { bits.nonzeroBitCount }
    @inline(__always) var underestimatedCount: Int { count }
    @inline(__always) var first: Int? { isEmpty ? nil : bits.trailingZeroBitCount }
    @inline(__always) var last: Int? { isEmpty ? nil : 63 &- bits.leadingZeroBitCount }

    @inline(__always) func contains(_ position: Int) -> Bool { bits &>> UInt64(position) & 1 != 0 }
    @inline(__always) mutating func insert(_ position: Int) { bits |= 1 &<< UInt64(position) }
    /// Inserts it or not, without a branch.
    @inline(__always) mutating func insert(_ position: Int, if isIncluded: Bool) {
        bits |= (isIncluded ? 1 : 0) &<< UInt64(position)
    }
    @inline(__always) mutating func formUnion(_ other: BitSet64) { bits |= other.bits }

    @inline(__always)
    func subtracting(_ other: BitSet64) -> BitSet64 {
        var rest = self
        rest.bits &= ~other.bits
        return rest
    }

    @inline(__always)
    func union(_ other: BitSet64) -> BitSet64 { BitSet64(bits: bits | other.bits) }

    @inline(__always)
    func dropFirst() -> BitSet64 {
        var rest = self
        rest.bits &= rest.bits &- 1
        return rest
    }

    @inline(__always)
    func dropLast() -> BitSet64 {
        var rest = self
        if let last { rest.bits ^= 1 << UInt64(last) }
        return rest
    }

    @inline(__always)
    func before(_ position: Int) -> BitSet64 {
        var earlier = self
        earlier.bits &= 1 << UInt64(position) &- 1
        return earlier
    }

    @inline(__always)
    func filter(_ isIncluded: (Int) -> Bool) -> BitSet64 {
        var some = BitSet64()
        for position in self where isIncluded(position) { some.insert(position) }
        return some
    }

    @inline(__always)
    func last(where predicate: (Int) -> Bool) -> Int? {
        var rest = self
        while let last = rest.last {
            if predicate(last) { return last }
            rest = rest.dropLast()
        }
        return nil
    }

    /// Each with the next of them.
    @inline(__always)
    var neighbours: Zip2Sequence<BitSet64, BitSet64> { zip(self, dropFirst()) }

    struct Iterator: IteratorProtocol {
        fileprivate var rest: UInt64

        @inline(__always)
        mutating func next() -> Int? {
            guard rest != 0 else { return nil }
            defer { rest &= rest &- 1 }
            return rest.trailingZeroBitCount
        }
    }

    @inline(__always) func makeIterator() -> Iterator { Iterator(rest: bits) }
}
