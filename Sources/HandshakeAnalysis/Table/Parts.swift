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
