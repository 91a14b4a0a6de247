import CLinux
import Glibc
import Synchronization
import WorkerThreads

/// Reads a descriptor and decompresses it on a thread of its own, some pieces ahead of who takes them: a decompressor
/// is slower than what analyses its output, or nearly so.
///
/// Unchecked: the thread owns the input and the decompressor, and pieces change hands under the lock.
@safe final class DecompressedInput: @unchecked Sendable {
    enum End {
        case complete
        /// The input ends before the data do.
        case cutShort
        case damaged(String)
        /// errno.
        case unreadable(Int32)
    }

    private struct State {
        var ready: [[UInt8]] = []
        var free: [[UInt8]] = []
        var end: End?
        var isStopped = false
    }

    private static let pieces = 4
    private let pieceSize: Int
    private let inputSize: Int

    private let state = Mutex(State())
    private let input: RawInput
    private let decompressor: any Decompressor
    /// Readable where pieces came, or the end; and where one is free again.
    private let readyEvent = clinux_wake_descriptor()
    private let freeEvent = clinux_wake_descriptor()
    /// The piece that is being taken, and how far.
    private var current: [UInt8] = []
    private var taken = 0

    /// Fails where the system has no memory, descriptor or thread left.
    /// - Parameters:
    ///   - head: what was read of the input already.
    ///   - pieceSize: octets of output that are handed over at a time.
    init?(_ compression: Compression, _ input: RawInput, head: UnsafeRawBufferPointer, pieceSize: Int) {
        guard readyEvent >= 0, freeEvent >= 0, let decompressor = compression.makeDecompressor() else { return nil }
        self.decompressor = decompressor
        self.input = input
        self.pieceSize = pieceSize
        inputSize = pieceSize / 4
        let head = unsafe Array(head)
        state.withLock { state in
            state.free = (0..<Self.pieces).map { _ in [UInt8](repeating: 0, count: pieceSize) }
        }
        guard let thread = WorkThread.start("decompress", { self.run(head) }) else { return nil }
        thread.detach()
    }

    deinit {
        close(readyEvent)
        close(freeEvent)
    }

    /// Ends the thread at the next piece.
    func stop() {
        state.withLock { $0.isStopped = true }
        clinux_wake(freeEvent)
    }

    // MARK: Taking

    /// Whether a read would return at once.
    var hasPending: Bool { taken < current.count || state.withLock { !$0.ready.isEmpty || $0.end != nil } }

    /// How it ended, once all was taken.
    var end: End? { state.withLock { $0.ready.isEmpty ? $0.end : nil } }

    /// Takes octets, waiting for them where there are none.
    /// - Returns: octets; 0 at the end, negative where a signal interrupted the wait.
    func read(into buffer: UnsafeMutableRawPointer, _ capacity: Int) -> Int {
        while taken == current.count {
            let isEnded = state.withLock { state in
                if !current.isEmpty { state.free.append(current) }
                current = state.ready.isEmpty ? [] : state.ready.removeFirst()
                return state.end != nil
            }
            taken = 0
            clinux_wake(freeEvent)
            if !current.isEmpty { break }
            if isEnded { return 0 }
            var waiting = pollfd(fd: readyEvent, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&waiting, 1, -1) < 0 { return -1 }
            clinux_woken(readyEvent)
        }
        let count = min(capacity, current.count - taken)
        unsafe current.withUnsafeBytes { unsafe buffer.copyMemory(from: $0.baseAddress! + taken, byteCount: count) }
        taken += count
        return count
    }

    // MARK: The thread

    private func run(_ head: [UInt8]) {
        var input = head
        var (position, count) = (0, head.count)
        if input.count < inputSize { input += [UInt8](repeating: 0, count: inputSize - input.count) }
        var end: End?
        while end == nil, var piece = freePiece() {
            var filled = 0
            while filled < pieceSize {
                // Also with all input taken: the library may still hold output.
                do throws(DamagedData) {
                    let step = try Self.step(decompressor, input, position..<count, &piece, filled)
                    position += step.taken
                    filled += step.given
                    if step != (0, 0) { continue }
                    if position < count { throw DamagedData(words: "the library goes no further") }
                } catch {
                    end = .damaged(error.words)
                    break
                }
                if filled > 0, self.input.mayWait, !self.input.hasInput() { break }
                (position, count) = (
                    0, unsafe input.withUnsafeMutableBytes { unsafe self.input.read(into: $0.baseAddress!, $0.count) }
                )
                if count < 0, errno == EINTR {
                    count = 0
                    continue
                }
                if count <= 0 {
                    end = count < 0 ? .unreadable(errno) : decompressor.isBetweenFrames ? .complete : .cutShort
                    break
                }
            }
            piece.removeLast(pieceSize - filled)
            state.withLock { state in
                if filled > 0 { state.ready.append(piece) }
                if let end { state.end = end }
            }
            clinux_wake(readyEvent)
        }
    }

    private static func step(
        _ decompressor: any Decompressor, _ input: [UInt8], _ range: Range<Int>, _ piece: inout [UInt8], _ filled: Int
    ) throws(DamagedData) -> (taken: Int, given: Int) {
        var failure: DamagedData?
        var step = (taken: 0, given: 0)
        unsafe input.withUnsafeBytes { source in
            unsafe piece.withUnsafeMutableBytes { target in
                do throws(DamagedData) {
                    step = try unsafe decompressor.step(
                        UnsafeRawBufferPointer(rebasing: source[range]),
                        into: UnsafeMutableRawBufferPointer(rebasing: target[filled...]))
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        return step
    }

    /// Waits for a piece to fill; nil once it is to stop.
    private func freePiece() -> [UInt8]? {
        while true {
            let (piece, isStopped) = state.withLock { state in (state.free.popLast(), state.isStopped) }
            if isStopped { return nil }
            if var piece {
                if piece.count < pieceSize {
                    piece += [UInt8](repeating: 0, count: pieceSize - piece.count)
                }
                return piece
            }
            waitForWake(freeEvent)
        }
    }
}
