/// Four elements that are reached one by one. To reach one of an `InlineArray` by its number all are copied, in
/// vectors: those wait until what was last written to any of them is in memory.
@safe struct FixedArray4<Element: BitwiseCopyable>: ~Copyable {
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
