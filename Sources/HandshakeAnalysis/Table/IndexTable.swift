import CLinux

/// The entries of an index, in one of its sizes.
@safe struct IndexTable {
    /// Where they are, and in the bits that are 0 in that how many bits of an entry are below those that say where it
    /// belongs: a lookup has one word to choose between two tables.
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
    /// - Returns: false, and nothing is done, where some do not belong in this bucket, or something has run over into
    ///   those two.
    @inline(__always)
    func split(_ start: Int, into larger: IndexTable) -> Bool {
        let (first, second) = (2 &* start, 2 &* start &+ IndexTable.bucket)
        var strays = Int(truncatingIfNeeded: larger[first] | larger[second])
        for place in start..<start + IndexTable.bucket {
            let entry = self[place]
            strays |= entry == 0 ? 0 : home(entry) ^ start
        }
        guard strays == 0 else { return false }
        // Which of the two is not to be predicted, nor whether there is one: none is put in an empty place too, and
        // leaves it empty.
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
