import CLinux
import Glibc
import Synchronization

/// Reads a regular file on a thread of its own, some buffers ahead of who takes them: on large frames the copy out of the page cache
/// is most of the work. A buffer is handed over whole, with room in front of its octets for what is left of the one before.
///
/// Unchecked: buffers change hands under the lock.
@safe final class AheadInput: @unchecked Sendable {
    /// A buffer with octets from `room` on. One thread at a time has it.
    @safe final class Buffer: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
        let size: Int
        /// 0 at the end of the file, negative where reading failed, with `code`.
        fileprivate(set) var count = 0
        fileprivate(set) var code: Int32 = 0

        fileprivate init(_ size: Int) {
            self.size = size
            unsafe base = .allocate(byteCount: size, alignment: 4096)
        }

        deinit { unsafe base.deallocate() }
    }

    private struct State {
        var ready: [Buffer] = []
        var free: [Buffer] = []
        var isStopped = false
    }

    /// Octets in front of a buffer's: more than nearly any record is long.
    static let room = 1 << 17
    private static let buffers = 3

    private let pieceSize: Int
    private let input: RawInput
    private let state = Mutex(State())
    private let readyEvent = clinux_wake_descriptor()
    private let freeEvent = clinux_wake_descriptor()

    /// Nil where the system has no descriptor or thread left: then one thread does without.
    init?(_ input: RawInput, pieceSize: Int) {
        self.input = input
        self.pieceSize = pieceSize
        guard readyEvent >= 0, freeEvent >= 0 else { return nil }
        state.withLock { $0.free = (0..<AheadInput.buffers).map { _ in Buffer(AheadInput.room + pieceSize) } }
        guard let thread = WorkThread.start("read file", { self.run() }) else { return nil }
        thread.detach()
    }

    deinit {
        close(readyEvent)
        close(freeEvent)
    }

    /// The next buffer, waited for.
    /// - Parameter isUnwanted: whether nobody wants it any more; nil where that is not asked.
    /// - Returns: nil where storage has not answered for a second since it is unwanted.
    func take(unless isUnwanted: (() -> Bool)?) -> Buffer? {
        var quarters = 0
        while true {
            if let buffer = state.withLock({ $0.ready.isEmpty ? nil : $0.ready.removeFirst() }) { return buffer }
            guard let isUnwanted else {
                waitForWake(readyEvent)
                continue
            }
            if waitForWake(readyEvent, milliseconds: 250) { continue }
            quarters = isUnwanted() ? quarters + 1 : 0
            if quarters == 4 { return nil }
        }
    }

    /// Gives a buffer back, to be filled again.
    func give(_ buffer: Buffer) {
        state.withLock { $0.free.append(buffer) }
        clinux_wake(freeEvent)
    }

    /// Ends the thread at the next buffer.
    func stop() {
        state.withLock { $0.isStopped = true }
        clinux_wake(freeEvent)
    }

    private func run() {
        while true {
            let (buffer, isStopped) = state.withLock { state in (state.free.popLast(), state.isStopped) }
            if isStopped { return }
            guard let buffer else {
                waitForWake(freeEvent)
                continue
            }
            repeat {
                buffer.count = unsafe input.read(into: buffer.base + AheadInput.room, pieceSize)
                buffer.code = errno
            } while buffer.count < 0 && buffer.code == EINTR
            state.withLock { $0.ready.append(buffer) }
            clinux_wake(readyEvent)
            if buffer.count <= 0 { return }
        }
    }
}
