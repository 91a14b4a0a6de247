import CLinux

/// A dense pool of records.
///
/// The pools, `FixedArray4`, `Shards`, the indexes and the prefetches have the only unsafe code of the analysis. Memory
/// is the limit here, not instructions: a pool is reserved address space that costs nothing until it is touched, so it
/// never grows by copying; a lookup touches one index line and one record. Slots are numbered from 1; 0 is none. Every
/// number that gets in here came from here.
@safe struct Pool<Element: BitwiseCopyable>: ~Copyable {
    private let base: UnsafeMutablePointer<Element>
    private let byteCount: Int
    /// 0 where the address space was refused.
    let capacity: Int
    private var used = 0
    private(set) var count = 0
    /// The first of the slots that were given back, each of which holds the number of the next.
    private var free: UInt32 = 0
    let announce: MemoryAhead.Announcement?
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
    /// The memory of the next is asked for: all that is written later would wait until a write to memory that is not at
    /// hand is done.
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
    func address(_ slot: UInt32) -> UnsafeRawPointer { unsafe UnsafeRawPointer(base + Int(slot)) }
}
