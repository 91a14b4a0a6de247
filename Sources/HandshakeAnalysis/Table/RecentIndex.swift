import CLinux

/// Where the attempts are that were heard of last, beside the index: an open connection's segments come within little
/// time, and its place in a large index is far from all others. Buckets of four entries, as the index has them; the
/// newest is the first, and the last is given up for it.
///
/// It leads where the index leads, or nowhere: whoever changes the index changes it here too.
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
