import CLinux

/// Asks for an element of one pool or another, and for the line behind its first, without a branch.
@inline(__always)
func prefetch<First, Second>(
    _ slot: UInt32, _ isFirst: Bool, of first: borrowing Pool<First>, else second: borrowing Pool<Second>
) {
    let address = unsafe isFirst ? first.address(slot) : second.address(slot)
    unsafe clinux_prefetch(address)
    unsafe clinux_prefetch(address + (isFirst ? 0 : 64))
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
