import CLinux
import Glibc
package import PacketWire
import Synchronization

/// Reads and decodes files on a thread of its own, some batches ahead of who takes them.
///
/// Unchecked: the reader and its batch are the thread's until `stop`, and pieces change hands under the lock.
@safe package final class ReadAhead: @unchecked Sendable {
    /// Batches that are handed over together, in order.
    package final class Piece: @unchecked Sendable {
        package fileprivate(set) var batches: [Batch] = []
        package fileprivate(set) var count = 0
        /// How far the reader was.
        package fileprivate(set) var progress: (done: Int64, all: Int64)?

        fileprivate init() { batches = (0..<ReadAhead.batches).map { _ in Batch() } }
    }

    package final class Batch {
        package fileprivate(set) var frames = FrameBatch()
    }

    private struct State {
        var ready: [Piece] = []
        var free: [Piece] = []
        var isEnded = false
        var isStopped = false
    }

    /// Few enough that what they hold stays in a cache on its way from one thread to the other.
    private static let pieces = 4
    private static let batches = 16

    private let state = Mutex(State())
    private let reader: CaptureReader
    private var batch = FrameBatch()
    private let readyEvent = clinux_wake_descriptor()
    private let freeEvent = clinux_wake_descriptor()
    private var thread: WorkThread?

    /// Nil where the system has no descriptor or thread left: then one thread does without.
    package init?(_ reader: CaptureReader) {
        self.reader = reader
        guard readyEvent >= 0, freeEvent >= 0 else { return nil }
        state.withLock { $0.free = (0..<ReadAhead.pieces).map { _ in Piece() } }
        thread = WorkThread.start("read") { self.run() }
        if thread == nil { return nil }
    }

    deinit {
        close(readyEvent)
        close(freeEvent)
    }

    // MARK: Taking

    /// The next frames, waited for; nil at the end.
    package func take() -> Piece? {
        while true {
            let (piece, isEnded) = state.withLock { state in
                (state.ready.isEmpty ? nil : state.ready.removeFirst(), state.isEnded)
            }
            if let piece { return piece }
            if isEnded { return nil }
            waitForWake(readyEvent)
        }
    }

    /// Gives a piece back, to be filled again.
    package func give(_ piece: Piece) {
        let isFirst = state.withLock { state in
            state.free.append(piece)
            return state.free.count == 1
        }
        if isFirst { clinux_wake(freeEvent) }
    }

    /// Ends the thread, and waits until it has.
    /// - Parameter batch: takes what it holds back of fragmented packets.
    /// - Returns: what it had read and nobody took, in order.
    package func stop(_ batch: inout FrameBatch) -> [Piece] {
        state.withLock { $0.isStopped = true }
        clinux_wake(freeEvent)
        thread?.join()
        thread = nil
        swap(&batch, &self.batch)
        return state.withLock { state in
            defer { state.ready = [] }
            return state.ready
        }
    }

    // MARK: The thread

    private func run() {
        while let piece = nextFree() {
            piece.count = 0
            var isLast = false
            while piece.count < piece.batches.count, !isLast {
                reader.fill(&batch)
                isLast = batch.count == 0
                if isLast { break }
                batch.exchange(&piece.batches[piece.count].frames)
                piece.count += 1
            }
            piece.progress = reader.progress
            let isFirst = state.withLock { state in
                if piece.count > 0 { state.ready.append(piece) }
                if isLast { state.isEnded = true }
                return state.ready.count == 1 || isLast
            }
            if isFirst { clinux_wake(readyEvent) }
            if isLast { return }
        }
    }

    private func nextFree() -> Piece? {
        while true {
            let (piece, isStopped) = state.withLock { state in (state.free.popLast(), state.isStopped) }
            if isStopped { return nil }
            if let piece { return piece }
            waitForWake(freeEvent)
        }
    }
}
