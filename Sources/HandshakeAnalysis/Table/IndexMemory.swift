import CLinux

/// Address space for the indexes of a table's shards, of every size that they will grow through. The indexes of one
/// size lie side by side: together they fill large pages, which one alone would not, and to find an entry is to find
/// its page first.
@safe struct IndexMemory: ~Copyable {
    private let base: UnsafeMutableRawPointer?
    private let byteCount: Int
    let largest: UInt64
    let announce: MemoryAhead.Announcement?
    let mayGrow: Bool
    let shards: Int

    /// - Parameters:
    ///   - entries: the most that the index of a shard will have.
    ///   - announce: takes memory that entries will be put in soon.
    ///   - mayGrow: whether an index grows whenever it has to: no limit of memory forbids it.
    init(shards: Int, entries: Int, announce: MemoryAhead.Announcement? = nil, mayGrow: Bool = true) {
        precondition(shards > 0)
        self.shards = shards
        self.announce = announce
        self.mayGrow = mayGrow
        var largest = HashIndex.smallest
        while HashIndex.isCrowded(entries, mask: 1 << largest - 1) { largest += 1 }
        self.largest = largest
        byteCount = shards * 8 << (largest + 1)
        unsafe base = clinux_map(byteCount)
    }

    deinit { if let base = unsafe base { unsafe clinux_unmap(base, byteCount) } }

    /// Whether the address space was granted.
    var isUsable: Bool { unsafe base != nil }

    func room(_ shard: Int) -> IndexRoom {
        guard let base = unsafe base else { preconditionFailure("an index without memory") }
        return unsafe IndexRoom(
            base: base, shard: shard, shards: shards, largest: largest, announce: announce, mayGrow: mayGrow)
    }
}

/// Where the index of one shard may be, in each size.
@safe struct IndexRoom {
    fileprivate let base: UnsafeMutableRawPointer
    fileprivate let shard: Int
    fileprivate let shards: Int
    /// The logarithm of the entries of the largest.
    let largest: UInt64
    let announce: MemoryAhead.Announcement?
    let mayGrow: Bool

    /// All indexes of one size, 2^size entries each, end where those of twice the size begin.
    func place(_ size: UInt64) -> UnsafeMutablePointer<UInt64> {
        unsafe (base + (shards + shard) * 8 << size).bindMemory(to: UInt64.self, capacity: 1 << size)
    }
}
