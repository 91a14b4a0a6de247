import HandshakeRecord

/// An open-addressed index from a hash to a slot. An entry is eight octets: the upper 32 bits of the hash, and the
/// slot. The first of those bits say where an entry belongs, so that neither growth nor removal has to look at the
/// records: those are rarely in a cache. That is a bucket of eight places, a line of a cache, which is looked at in two
/// steps; where it is full, the next places follow. At most five eighths full, doubled when it is; deletion shifts
/// back, so there are no tombstones to age.
///
/// It grows without a pause: each insertion moves a bucket, or some, to the two of the new table that each becomes, in
/// the order of hashes. So one comparison says whether a hash was moved yet. What was moved stays where it was too
/// until all are: what belongs at the end of the old table, and lies at its start, is found by going past it. Nobody
/// takes it for an entry, since its tag is below the boundary.
@safe struct HashIndex: ~Copyable {
    /// `young` and `old`, side by side so that one of them is chosen without a branch.
    private var tables: InlineArray<2, IndexTable>
    /// How many places of `old` were moved; of a hash that belongs in one of those the entry is in `young`.
    private var moved = 0
    private var boundary: UInt64 = 0
    private(set) var count = 0
    private let room: IndexRoom
    /// The number of entries with which the memory of the next table is announced: so much before growth begins as the
    /// system takes to clear it.
    private var announcing = Int.max
    /// Below so many there is one table, and one more is put in its place and that is all; 0 while it grows.
    private var roomBeforeGrowth = 0

    static let smallest: UInt64 = 12
    /// Octets from which a table's memory is announced: smaller ones share their pages.
    private static let announced = 1 << 18

    init(_ room: IndexRoom) {
        self.room = room
        tables = InlineArray(repeating: IndexTable(room, HashIndex.smallest))
        endGrowth()
    }

    /// It has one size, for as long as it is not too full.
    private mutating func endGrowth() {
        let maximum = young.mask / 8 * 5
        roomBeforeGrowth = maximum
        guard room.announce != nil, room.mayGrow, young.size * 2 >= HashIndex.announced, young.bits < room.largest
        else { return }
        announcing = maximum - maximum / 64
        roomBeforeGrowth = announcing
    }

    @inline(never)
    private mutating func announceNext() {
        announcing = .max
        room.announce?(IndexTable(room, young.bits + 1).memory)
    }

    private var young: IndexTable {
        get { tables[0] }
        set { tables[0] = newValue }
    }

    /// Where those entries still are that growth has not moved: the same as `young` while there is none.
    private var old: IndexTable {
        get { tables[1] }
        set { tables[1] = newValue }
    }

    @inline(__always)
    static func isCrowded(_ count: Int, mask: Int) -> Bool { count &* 8 > mask &* 5 }

    private var isGrowing: Bool { old.mask != young.mask }

    /// Octets that it takes with one entry more, while it grows if it has to for that.
    @inline(__always)
    var sizeWithOneMore: Int {
        if isGrowing { return young.size &+ old.size }
        return young.size &* (HashIndex.isCrowded(count, mask: young.mask) ? 3 : 1)
    }

    @inline(__always)
    private func table(of hash: UInt64) -> IndexTable { tables[hash < boundary ? 0 : 1] }

    @inline(__always)
    func prefetch(_ hash: UInt64) { table(of: hash).prefetch(hash) }

    /// Asks for the bucket that takes what finds no place in a full one; the first is there, or was asked for.
    @inline(__always)
    func prefetchOverflow(_ hash: UInt64) {
        let table = table(of: hash)
        let last = table.home(hash) &+ (IndexTable.bucket - 1)
        // Which are full is not to be predicted: no branch.
        table.prefetch(place: table[last] == 0 ? last : table.after(last))
    }

    /// The first slot whose entry has this hash's tag, likely the one that `find` will give; 0 for none.
    @inline(__always)
    func candidate(_ hash: UInt64) -> UInt32 {
        let table = table(of: hash)
        let home = table.home(hash)
        // All at once: which place of its bucket an entry has is not to be predicted.
        let found = table.probe(home, hash)
        if found != 0 { return UInt32(truncatingIfNeeded: table[home &+ found.trailingZeroBitCount]) }
        return farCandidate(table, hash)
    }

    @inline(never)
    private func farCandidate(_ table: IndexTable, _ hash: UInt64) -> UInt32 {
        var position = table.home(hash)
        while true {
            let entry = table[position & table.mask]
            if entry == 0 || (entry ^ hash) >> 32 == 0 { return UInt32(truncatingIfNeeded: entry) }
            position &+= 1
        }
    }

    /// The result of a search.
    struct Finding {
        /// 0 for none.
        var slot: UInt32
        /// Where an entry for it would be put then, in the table that was searched, as long as none is removed or
        /// inserted; -1 where that is not known.
        var vacancy: Int
    }

    /// The slot whose entry has this hash's tag and that `matches`.
    @inline(__always)
    func find(_ hash: UInt64, where matches: (UInt32) -> Bool) -> Finding {
        let table = table(of: hash)
        let home = table.home(hash)
        let found = table.probe(home, hash)
        if found != 0 {
            let position = home &+ found.trailingZeroBitCount
            let slot = UInt32(truncatingIfNeeded: table[position])
            if slot == 0 { return Finding(slot: 0, vacancy: position) }
            if matches(slot) { return Finding(slot: slot, vacancy: -1) }
        }
        var position = home
        while true {
            let entry = table[position]
            if entry == 0 { return Finding(slot: 0, vacancy: position) }
            if (entry ^ hash) >> 32 == 0 {
                let slot = UInt32(truncatingIfNeeded: entry)
                if matches(slot) { return Finding(slot: slot, vacancy: -1) }
            }
            position = table.after(position)
        }
    }

    /// Points the entry of `old` at `new`.
    @inline(__always)
    mutating func replace(_ hash: UInt64, _ old: UInt32, with new: UInt32) {
        let table = table(of: hash)
        table[table.position(of: IndexTable.entry(hash, old))] = IndexTable.entry(hash, new)
    }

    /// - Parameter vacancy: where `find` says that it would be put; -1 where that is not known. It counts only where
    ///   there is one table.
    @inline(__always)
    mutating func insert(_ hash: UInt64, _ slot: UInt32, at vacancy: Int = -1) {
        if count < roomBeforeGrowth, vacancy >= 0 {
            young[vacancy] = IndexTable.entry(hash, slot)
        } else {
            if count >= announcing { announceNext() }
            if isGrowing || HashIndex.isCrowded(count, mask: young.mask) { grow() }
            table(of: hash).place(IndexTable.entry(hash, slot))
        }
        count += 1
    }

    /// Begins to grow, or goes on with it.
    private mutating func grow() {
        if !isGrowing {
            precondition(young.bits < room.largest, "more entries than were expected")
            young = IndexTable(room, young.bits + 1)
            roomBeforeGrowth = 0
            // Where a limit may forbid it, not before.
            if !room.mayGrow, young.size >= HashIndex.announced { room.announce?(young.memory) }
        }
        let size = IndexTable.bucket
        // Prefetches entries that some insertions later will be moved, and their new places.
        let later = moved &+ 4 &* size
        old.prefetch(place: later)
        young.prefetch(place: 2 &* later)
        young.prefetch(place: 2 &* later &+ size)
        // Up to where nothing has run over from what belongs before. What lies before its place belongs at the end, and
        // is moved last.
        repeat {
            if !old.split(moved, into: young) { moveSingly() }
            moved += size
        } while moved <= old.mask && old[moved - 1] != 0
        if moved <= old.mask {
            boundary = UInt64(moved) << old.shift
        } else {
            finishGrowth()
        }
    }

    /// Moves a bucket's entries of which some belong elsewhere, or whose new places are partly taken.
    @inline(never)
    private mutating func moveSingly() {
        for place in moved..<moved + IndexTable.bucket {
            let entry = old[place]
            if entry != 0, old.home(entry) <= place { young.place(entry) }
        }
    }

    private mutating func finishGrowth() {
        var position = 0
        while old[position] != 0 {
            if old.home(old[position]) > position { young.place(old[position]) }
            position += 1
        }
        old.release()
        old = young
        (moved, boundary) = (0, 0)
        endGrowth()
    }

    mutating func removeAll() {
        // A large one is as soon provided anew as cleared.
        if young.size >= HashIndex.announced { young.release() } else { young.clear() }
        if isGrowing { old.release() }
        old = young
        (moved, boundary, count) = (0, 0, 0)
        endGrowth()
    }

    /// Removes the entry of `slot`, and closes the gap.
    mutating func remove(_ hash: UInt64, _ slot: UInt32) {
        let table = table(of: hash)
        var gap = table.position(of: IndexTable.entry(hash, slot))
        var next = table.after(gap)
        while true {
            let entry = table[next]
            if entry == 0 { break }
            // An entry moves back unless its home lies between the gap and itself.
            if (next - table.home(entry)) & table.mask >= (next - gap) & table.mask {
                table[gap] = entry
                gap = next
            }
            next = table.after(next)
        }
        table[gap] = 0
        count -= 1
    }
}
