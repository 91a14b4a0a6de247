import CLinux

/// The memory of the tracker: dense pools of records, and a tagged open-addressed index over the attempts.
///
/// The only unsafe code of the analysis. Memory is the limit here, not instructions: a pool is reserved address space that
/// costs nothing until it is touched, so it never grows by copying; a lookup touches one index line and one record. Slots
/// are numbered from 1; 0 is none. Every number that gets in here came from here.
@safe struct Pool<Element: BitwiseCopyable>: ~Copyable {
    private let base: UnsafeMutablePointer<Element>
    private let byteCount: Int
    /// 0 where the address space was refused.
    let capacity: Int
    private var used = 0
    private(set) var count = 0
    /// The first of the slots that were given back, each of which holds the number of the next.
    private var free: UInt32 = 0
    private let announce: MemoryAhead.Announcement?
    /// The element with which more memory is announced.
    private var announcing = Int.max

    /// - Parameters:
    ///   - capacity: the most elements at a time. Address space for them is reserved here.
    ///   - announce: takes memory that elements will be put in soon.
    init(capacity: Int, announce: MemoryAhead.Announcement? = nil) {
        precondition(capacity > 0 && capacity < Int(UInt32.max) && MemoryLayout<Element>.size >= 4)
        byteCount = (capacity + 1) * MemoryLayout<Element>.stride
        if let memory = unsafe clinux_map(byteCount) {
            self.capacity = capacity
            unsafe base = memory.bindMemory(to: Element.self, capacity: capacity + 1)
        } else {
            self.capacity = 0
            unsafe base = .allocate(capacity: 1)
        }
        self.announce = announce
        // A table that stays small needs none ahead.
        if announce != nil { announcing = MemoryAhead.step / 2 / MemoryLayout<Element>.stride }
    }

    /// Announces the next large page, and says when the one behind it is.
    @inline(never)
    private mutating func announceMore() {
        let start = unsafe UInt(bitPattern: base)
        let step = UInt(MemoryAhead.step)
        let next = (start + UInt(max(used * MemoryLayout<Element>.stride, MemoryAhead.step)) + step) / step * step
        announcing = .max
        guard next + step <= start + UInt(byteCount) else { return }
        announce?(MemoryAhead(address: next, length: MemoryAhead.step))
        announcing = Int(next - start) / MemoryLayout<Element>.stride + 1
    }

    deinit {
        if capacity > 0 { unsafe clinux_unmap(base, byteCount) } else { unsafe base.deallocate() }
    }

    /// Octets of the elements that there are.
    @inline(__always) var size: Int { count &* MemoryLayout<Element>.stride }

    @inline(__always)
    subscript(slot: UInt32) -> Element {
        unsafeAddress {
            assert(slot > 0 && Int(slot) <= used)
            return unsafe UnsafePointer(base + Int(slot))
        }
        nonmutating unsafeMutableAddress {
            assert(slot > 0 && Int(slot) <= used)
            return unsafe base + Int(slot)
        }
    }

    /// An element, or what is in the place of none: zeros.
    @inline(__always)
    func peek(_ slot: UInt32) -> Element {
        assert(Int(slot) <= used)
        return unsafe base[Int(slot)]
    }

    /// Takes a slot. The pool must not be full.
    ///
    /// The memory of the next is asked for: all that is written later would wait until a write to memory that is not at hand is done.
    @inline(__always)
    mutating func insert(_ element: Element) -> UInt32 {
        precondition(count < capacity)
        count += 1
        let slot: UInt32
        if free != 0 {
            slot = free
            unsafe free = UnsafeRawPointer(base + Int(slot)).load(as: UInt32.self)
            unsafe clinux_prefetch(base + Int(free))
        } else {
            used += 1
            if used == announcing { announceMore() }
            slot = UInt32(truncatingIfNeeded: used)
            unsafe clinux_prefetch(base + used + 8)
        }
        unsafe base[Int(slot)] = element
        return slot
    }

    @inline(__always)
    mutating func remove(_ slot: UInt32) {
        assert(slot > 0 && Int(slot) <= used)
        count -= 1
        unsafe UnsafeMutableRawPointer(base + Int(slot)).storeBytes(of: free, as: UInt32.self)
        free = slot
    }

    mutating func removeAll() { (used, count, free) = (0, 0, 0) }

    @inline(__always)
    func prefetch(_ slot: UInt32) { unsafe clinux_prefetch(base + Int(slot)) }

    @inline(__always)
    fileprivate func address(_ slot: UInt32) -> UnsafeRawPointer { unsafe UnsafeRawPointer(base + Int(slot)) }
}

/// Asks for an element of one pool or another, and for the line behind its first, without a branch.
@inline(__always)
func prefetch<First, Second>(
    _ slot: UInt32, _ isFirst: Bool, of first: borrowing Pool<First>, else second: borrowing Pool<Second>
) {
    let address = unsafe isFirst ? first.address(slot) : second.address(slot)
    unsafe clinux_prefetch(address)
    unsafe clinux_prefetch(address + (isFirst ? 0 : 64))
}

/// Four elements that are reached one by one. To reach one of an `InlineArray` by its number all are copied, in vectors: those wait until what
/// was last written to any of them is in memory.
@safe struct Quartet<Element: BitwiseCopyable>: ~Copyable {
    private let base: UnsafeMutablePointer<Element>

    init(repeating element: Element) {
        unsafe base = .allocate(capacity: 4)
        unsafe base.initialize(repeating: element, count: 4)
    }

    deinit { unsafe base.deallocate() }

    @inline(__always)
    subscript(number: UInt8) -> Element {
        unsafeAddress {
            precondition(number < 4)
            return unsafe UnsafePointer(base + Int(number))
        }
        nonmutating unsafeMutableAddress {
            precondition(number < 4)
            return unsafe base + Int(number)
        }
    }
}

/// The parts of a table. They do not move, and one of them is at hand.
@safe struct Parts: ~Copyable {
    private let base: UnsafeMutablePointer<Part>
    private var chosen: UnsafeMutablePointer<Part>
    let count: Int
    private let memory: IndexMemory

    /// - Parameter memory: of the indexes of all.
    init(_ memory: consuming IndexMemory, _ make: (Int, IndexRoom) -> Part) {
        count = memory.parts
        self.memory = memory
        unsafe base = .allocate(capacity: count)
        unsafe chosen = base
        for made in 0..<count { unsafe (base + made).initialize(to: make(made, self.memory.room(made))) }
    }

    deinit {
        unsafe base.deinitialize(count: count)
        unsafe base.deallocate()
    }

    /// The one at hand.
    @inline(__always)
    var current: Part {
        unsafeAddress { unsafe UnsafePointer(chosen) }
        nonmutating unsafeMutableAddress { unsafe chosen }
    }

    @inline(__always)
    subscript(number: UInt8) -> Part {
        unsafeAddress {
            precondition(number < count)
            return unsafe UnsafePointer(base + Int(number))
        }
        nonmutating unsafeMutableAddress {
            precondition(number < count)
            return unsafe base + Int(number)
        }
    }

    /// The place of the one at hand.
    var place: UInt8 { UInt8(unsafe chosen - base) }

    /// Takes a part at hand.
    @inline(__always)
    mutating func choose(_ number: UInt8) {
        precondition(number < count)
        unsafe chosen = base + Int(number)
    }
}

/// Address space for the indexes of a table's parts, of every size that they will grow through. The indexes of one size lie side by
/// side: together they fill large pages, which one alone would not, and to find an entry is to find its page first.
@safe struct IndexMemory: ~Copyable {
    private let base: UnsafeMutableRawPointer?
    private let byteCount: Int
    private let largest: UInt64
    private let announce: MemoryAhead.Announcement?
    private let mayGrow: Bool
    let parts: Int

    /// - Parameters:
    ///   - entries: the most that the index of a part will have.
    ///   - announce: takes memory that entries will be put in soon.
    ///   - mayGrow: whether an index grows whenever it has to: no limit of memory forbids it.
    init(parts: Int, entries: Int, announce: MemoryAhead.Announcement? = nil, mayGrow: Bool = true) {
        precondition(parts > 0)
        self.parts = parts
        self.announce = announce
        self.mayGrow = mayGrow
        var largest = HashIndex.smallest
        while HashIndex.isCrowded(entries, mask: 1 << largest - 1) { largest += 1 }
        self.largest = largest
        byteCount = parts * 8 << (largest + 1)
        unsafe base = clinux_map(byteCount)
    }

    deinit { if let base = unsafe base { unsafe clinux_unmap(base, byteCount) } }

    /// Whether the address space was granted.
    var isUsable: Bool { unsafe base != nil }

    func room(_ part: Int) -> IndexRoom {
        guard let base = unsafe base else { preconditionFailure("an index without memory") }
        return unsafe IndexRoom(
            base: base, part: part, parts: parts, largest: largest, announce: announce, mayGrow: mayGrow)
    }
}

/// Where the index of one part may be, in each size.
@safe struct IndexRoom {
    fileprivate let base: UnsafeMutableRawPointer
    fileprivate let part: Int
    fileprivate let parts: Int
    /// The logarithm of the entries of the largest.
    fileprivate let largest: UInt64
    fileprivate let announce: MemoryAhead.Announcement?
    fileprivate let mayGrow: Bool

    /// All indexes of one size, 2^size entries each, end where those of twice the size begin.
    fileprivate func place(_ size: UInt64) -> UnsafeMutablePointer<UInt64> {
        unsafe (base + (parts + part) * 8 << size).bindMemory(to: UInt64.self, capacity: 1 << size)
    }
}

/// An open-addressed index from a hash to a slot. An entry is eight octets: the upper 32 bits of the hash, and the slot. The first
/// of those bits say where an entry belongs, so that neither growth nor removal has to look at the records: those are rarely in a
/// cache. That is a bucket of eight places, a line of a cache, which is looked at in two steps; where it is full, the next places follow. At
/// most five eighths full, doubled when it is; deletion shifts back, so there are no tombstones to age.
///
/// It grows without a pause: each insertion moves a bucket, or some, to the two of the new table that each becomes, in the order of hashes. So
/// one comparison says whether a hash was moved yet. What was moved stays where it was too until all are: what belongs at the end of the old
/// table, and lies at its start, is found by going past it. Nobody takes it for an entry, since its tag is below the boundary.
@safe struct HashIndex: ~Copyable {
    /// `young` and `old`, side by side so that one of them is chosen without a branch.
    private var tables: InlineArray<2, IndexTable>
    /// How many places of `old` were moved; of a hash that belongs in one of those the entry is in `young`.
    private var moved = 0
    private var boundary: UInt64 = 0
    private(set) var count = 0
    private let room: IndexRoom
    /// The number of entries with which the memory of the next table is announced: so much before growth begins as the system takes to clear it.
    private var announcing = Int.max
    /// Below so many there is one table, and one more is put in its place and that is all; 0 while it grows.
    private var calm = 0

    fileprivate static let smallest: UInt64 = 12
    /// Octets from which a table's memory is announced: smaller ones share their pages.
    private static let announced = 1 << 18

    init(_ room: IndexRoom) {
        self.room = room
        tables = InlineArray(repeating: IndexTable(room, HashIndex.smallest))
        settle()
    }

    /// It has one size, for as long as it is not too full.
    private mutating func settle() {
        let most = young.mask / 8 * 5
        calm = most
        guard room.announce != nil, room.mayGrow, young.size * 2 >= HashIndex.announced, young.bits < room.largest
        else { return }
        announcing = most - most / 64
        calm = announcing
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
    fileprivate static func isCrowded(_ count: Int, mask: Int) -> Bool { count &* 8 > mask &* 5 }

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

    /// What a search came to.
    struct Finding {
        /// 0 for none.
        var slot: UInt32
        /// Where an entry for it would be put then, in the table that was searched, as long as none is removed or inserted; -1 where that is
        /// not known.
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

    /// - Parameter vacancy: where `find` says that it would be put; -1 where that is not known. It counts only where there is one table.
    @inline(__always)
    mutating func insert(_ hash: UInt64, _ slot: UInt32, at vacancy: Int = -1) {
        if count < calm, vacancy >= 0 {
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
            calm = 0
            // Where a limit may forbid it, not before.
            if !room.mayGrow, young.size >= HashIndex.announced { room.announce?(young.memory) }
        }
        let size = IndexTable.bucket
        // What some insertions later will be moved, and where to.
        let later = moved &+ 4 &* size
        old.prefetch(place: later)
        young.prefetch(place: 2 &* later)
        young.prefetch(place: 2 &* later &+ size)
        // Up to where nothing has run over from what belongs before. What lies before its place belongs at the end, and is moved last.
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
        settle()
    }

    mutating func removeAll() {
        // A large one is as soon provided anew as cleared.
        if young.size >= HashIndex.announced { young.release() } else { young.clear() }
        if isGrowing { old.release() }
        old = young
        (moved, boundary, count) = (0, 0, 0)
        settle()
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

/// The entries of an index, in one of its sizes.
@safe private struct IndexTable {
    /// Where they are, and in the bits that are 0 in that how many bits of an entry are below those that say where it belongs: a lookup has
    /// one word to choose between two tables.
    private let word: UInt
    private static let alignment: UInt = 64

    init(_ room: IndexRoom, _ bits: UInt64) {
        let address = unsafe UInt(bitPattern: room.place(bits))
        precondition(address % IndexTable.alignment == 0)
        word = address | UInt(64 - bits)
    }

    @inline(__always)
    private var entries: UnsafeMutablePointer<UInt64> {
        unsafe UnsafeMutablePointer(bitPattern: word & ~(IndexTable.alignment - 1)).unsafelyUnwrapped
    }

    /// The logarithm of the number of its places.
    var bits: UInt64 { 64 - UInt64(word % IndexTable.alignment) }
    @inline(__always) var mask: Int { Int(bitPattern: UInt.max &>> word) }
    @inline(__always) var shift: UInt64 { UInt64(word % IndexTable.alignment) }
    @inline(__always) var size: Int { (mask &+ 1) &* 8 }

    /// Places that lie in one line of a cache.
    static let bucket = 8

    /// The first place of the bucket in which an entry, or a hash, belongs.
    @inline(__always)
    func home(_ entry: UInt64) -> Int { Int(truncatingIfNeeded: entry &>> UInt64(word)) & ~(IndexTable.bucket - 1) }

    @inline(__always)
    func after(_ position: Int) -> Int { (position &+ 1) & mask }

    @inline(__always)
    subscript(position: Int) -> UInt64 {
        get { unsafe entries[position] }
        nonmutating set { unsafe entries[position] = newValue }
    }

    @inline(__always)
    func prefetch(_ hash: UInt64) { unsafe clinux_prefetch(entries + home(hash)) }

    /// A bit for each place of a bucket that has a hash's tag, or is empty.
    @inline(__always)
    func probe(_ home: Int, _ hash: UInt64) -> UInt32 {
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        return unsafe clinux_probe(entries + home, tag) | clinux_probe(entries + home + 4, tag) << 4
    }

    @inline(__always)
    static func entry(_ hash: UInt64, _ slot: UInt32) -> UInt64 { (hash >> 32) << 32 | UInt64(slot) }

    @inline(__always)
    func position(of entry: UInt64) -> Int {
        var position = home(entry)
        while self[position] != entry { position = after(position) }
        return position
    }

    @inline(__always)
    func place(_ entry: UInt64) {
        var position = home(entry)
        while self[position] != 0 { position = after(position) }
        self[position] = entry
    }

    /// Puts the entries of a bucket in the two of a table of twice the size that it becomes.
    /// - Returns: false, and nothing is done, where some do not belong in this bucket, or something has run over into those two.
    @inline(__always)
    func split(_ start: Int, into larger: IndexTable) -> Bool {
        let (first, second) = (2 &* start, 2 &* start &+ IndexTable.bucket)
        var strays = Int(truncatingIfNeeded: larger[first] | larger[second])
        for place in start..<start + IndexTable.bucket {
            let entry = self[place]
            strays |= entry == 0 ? 0 : home(entry) ^ start
        }
        guard strays == 0 else { return false }
        // Which of the two is not to be predicted, nor whether there is one: none is put in an empty place too, and leaves it empty.
        var counts = 0
        for place in start..<start + IndexTable.bucket {
            let entry = self[place]
            let half = larger.home(entry) & IndexTable.bucket
            larger[first &+ half &+ (counts &>> (half &* 2)) & 15] = entry
            counts &+= (entry == 0 ? 0 : 1) &<< (half &* 2)
        }
        return true
    }

    @inline(__always)
    func prefetch(place: Int) { unsafe clinux_prefetch(entries + place) }

    /// Its pages.
    var memory: MemoryAhead { MemoryAhead(address: word & ~(IndexTable.alignment - 1), length: size) }

    func clear() { unsafe entries.update(repeating: 0, count: mask + 1) }
    /// Gives its memory back.
    func release() { unsafe clinux_release(entries, size) }
}

/// Where the attempts are that were heard of last, beside the index: an open connection's segments come within little time, and its place
/// in a large index is far from all others. Buckets of four entries, as the index has them; the newest is the first, and the last is
/// given up for it.
///
/// What it leads to is what the index leads to, or nothing: whoever changes that changes it here too.
@safe struct RecentIndex: ~Copyable {
    private let entries: UnsafeMutablePointer<UInt64>
    private static let bits: UInt64 = 13
    private static let byteCount = 32 << Int(bits)
    /// Whether the memory was granted.
    let isUsable: Bool

    init() {
        if let memory = unsafe clinux_map(RecentIndex.byteCount) {
            unsafe entries = memory.bindMemory(to: UInt64.self, capacity: RecentIndex.byteCount / 8)
            isUsable = true
        } else {
            unsafe entries = .allocate(capacity: 1)
            isUsable = false
        }
    }

    deinit { if isUsable { unsafe clinux_unmap(entries, RecentIndex.byteCount) } else { unsafe entries.deallocate() } }

    @inline(__always)
    private func bucket(_ hash: UInt64) -> UnsafeMutablePointer<UInt64> {
        unsafe entries + Int(truncatingIfNeeded: hash &>> (64 - RecentIndex.bits)) &* 4
    }

    /// The slot whose entry has this hash's tag, likely the one that the index gives; 0 where that has to be asked.
    @inline(__always)
    func candidate(_ hash: UInt64) -> UInt32 {
        let bucket = unsafe bucket(hash)
        let found = unsafe clinux_probe(bucket, UInt32(truncatingIfNeeded: hash >> 32)) & 15
        // Where there is none that of the first, which is masked out: no branch.
        let entry = unsafe bucket[(found | 16).trailingZeroBitCount & 3]
        return UInt32(truncatingIfNeeded: entry) & (found == 0 ? 0 : .max)
    }

    @inline(__always)
    func remember(_ hash: UInt64, _ slot: UInt32) {
        let bucket = unsafe bucket(hash)
        let (first, second, third) = unsafe (bucket[0], bucket[1], bucket[2])
        unsafe bucket[0] = IndexTable.entry(hash, slot)
        unsafe bucket[1] = first
        unsafe bucket[2] = second
        unsafe bucket[3] = third
    }

    func forget(_ hash: UInt64, _ slot: UInt32) {
        let bucket = unsafe bucket(hash)
        let entry = IndexTable.entry(hash, slot)
        for place in 0..<4 where unsafe bucket[place] == entry { unsafe bucket[place] = 0 }
    }

    func removeAll() { unsafe entries.update(repeating: 0, count: RecentIndex.byteCount / 8) }
}

extension Array where Element: BitwiseCopyable {
    /// Asks for an element, if there are any.
    @inline(__always)
    func prefetch(_ position: Int) {
        unsafe withUnsafeBufferPointer { elements in
            if let base = elements.baseAddress { unsafe clinux_prefetch(base + position) }
        }
    }
}

extension Span where Element: BitwiseCopyable {
    /// Asks for the first and the last line of an element.
    @inline(__always)
    func prefetch(_ position: Int) {
        precondition(position >= 0 && position < count)
        unsafe withUnsafeBufferPointer { elements in
            let element = unsafe UnsafeRawPointer(elements.baseAddress! + position)
            unsafe clinux_prefetch_read(element)
            unsafe clinux_prefetch_read(element + MemoryLayout<Element>.size - 1)
        }
    }

    /// Asks for all lines.
    @inline(__always)
    func prefetch() {
        unsafe withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                unsafe clinux_prefetch_read(bytes.baseAddress! + offset)
                offset += 64
            }
        }
    }
}
