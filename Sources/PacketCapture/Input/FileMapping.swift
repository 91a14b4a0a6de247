import CLinux

/// A regular file's octets in memory, as they are in the system's page cache: nothing is copied.
///
/// Another process may cut the file meanwhile. What is missing then is 0, and the mapping is torn; whoever reads it
/// asks for that after it has looked at octets, and before it believes them.
@safe final class FileMapping: Sendable {
    private nonisolated(unsafe) let base: UnsafeRawPointer
    private let number: Int32
    let byteCount: Int

    /// Nil where the system does not map it.
    init?(_ descriptor: Int32, byteCount: Int) {
        var number: Int32 = 0
        guard byteCount > 0, let base = unsafe clinux_map_file(descriptor, byteCount, &number) else { return nil }
        unsafe self.base = base
        self.number = number
        self.byteCount = byteCount
    }

    deinit { clinux_unmap_file(number) }

    var address: UnsafeRawPointer { unsafe base }

    /// Whether octets were missing where they were read.
    @inline(__always) var isTorn: Bool { clinux_is_torn(number) != 0 }

    /// Has octets in memory before they are read; it may wait for storage.
    /// - Returns: whether the file has them.
    func provide(_ range: Range<Int>) -> Bool {
        precondition(range.upperBound <= byteCount)
        return clinux_provide_file(number, range.lowerBound, range.count) == 0
    }

    /// Lets go of octets that were read.
    func leave(_ range: Range<Int>) {
        precondition(range.upperBound <= byteCount)
        clinux_leave_file(number, range.lowerBound, range.count)
    }
}
