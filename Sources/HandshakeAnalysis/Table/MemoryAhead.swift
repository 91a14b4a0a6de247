import CLinux

/// Memory of a table that it will need soon, of whole pages. The system clears pages when they are touched first, which
/// whoever touches them waits for; another thread can have that done before.
package struct MemoryAhead: Sendable {
    let address: UInt
    let length: Int

    /// Takes what will be needed.
    package typealias Announcement = @Sendable (MemoryAhead) -> Void

    /// Octets of a large page: what tables announce at a time.
    static let step = 2 << 20

    /// Has the system provide it, while the table is there. If it is needed before, nothing is lost.
    package func provide() { clinux_provide(address, length) }
}
