/// The shards of a table. They do not move. One of them is the current one.
@safe struct Shards: ~Copyable {
    private let base: UnsafeMutablePointer<Shard>
    private var chosen: UnsafeMutablePointer<Shard>
    let count: Int
    private let memory: IndexMemory

    /// - Parameter memory: of the indexes of all.
    init(_ memory: consuming IndexMemory, _ make: (Int, IndexRoom) -> Shard) {
        count = memory.shards
        self.memory = memory
        unsafe base = .allocate(capacity: count)
        unsafe chosen = base
        for made in 0..<count { unsafe (base + made).initialize(to: make(made, self.memory.room(made))) }
    }

    deinit {
        unsafe base.deinitialize(count: count)
        unsafe base.deallocate()
    }

    /// The current one.
    @inline(__always)
    var current: Shard {
        unsafeAddress { unsafe UnsafePointer(chosen) }
        nonmutating unsafeMutableAddress { unsafe chosen }
    }

    @inline(__always)
    subscript(number: UInt8) -> Shard {
        unsafeAddress {
            precondition(number < count)
            return unsafe UnsafePointer(base + Int(number))
        }
        nonmutating unsafeMutableAddress {
            precondition(number < count)
            return unsafe base + Int(number)
        }
    }

    /// The place of the current one.
    var place: UInt8 { UInt8(unsafe chosen - base) }

    /// Makes a shard the current one.
    @inline(__always)
    mutating func select(_ number: UInt8) {
        precondition(number < count)
        unsafe chosen = base + Int(number)
    }
}
