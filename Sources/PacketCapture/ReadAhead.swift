package import PacketWire
import Synchronization

/// Reads and decodes files on a thread of its own, some batches ahead of those who take them.
///
/// Unchecked: the reader is the thread's until there are no more pieces, and pieces change hands through the ring.
package final class ReadAhead: @unchecked Sendable {
    /// Batches that are handed over together, in order.
    package final class Piece: @unchecked Sendable {
        package fileprivate(set) var batches: [Batch] = []
        package fileprivate(set) var count = 0
        /// How far the reader was.
        package fileprivate(set) var progress: (done: Int64, all: Int64)?

        fileprivate init(seed: UInt64) {
            batches = (0..<ReadAhead.batches).map { _ in Batch(seed: seed) }
        }
    }

    package final class Batch {
        package fileprivate(set) var frames: FrameBatch

        fileprivate init(seed: UInt64) { frames = FrameBatch(seed: seed) }
    }

    /// Few enough that what they hold stays in a cache on its way from one thread to the other.
    package static let pieces = 24
    private static let batches = 8

    private let ring: Ring<Piece>
    private let reader: CaptureReader
    private let isInterrupted: @Sendable () -> Bool
    private var batch: FrameBatch
    private var thread: WorkThread?
    private let isDone = Atomic(false)

    /// Nil where the system has no descriptor left: then one thread does without.
    /// - Parameters:
    ///   - seed: of the hashes of tuples.
    ///   - takers: threads that take every piece; the caller is one more that does, after them, if there are any.
    ///   - isInterrupted: whether the user has had enough: what was read by then is handed over.
    package init?(
        _ reader: CaptureReader, seed: UInt64, takers: Int, isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.reader = reader
        batch = FrameBatch(seed: seed)
        self.isInterrupted = isInterrupted
        let pieces = (0..<ReadAhead.pieces).map { _ in Piece(seed: seed) }
        guard let ring = Ring(pieces, stages: takers == 0 ? [1, 1] : [1, takers, 1]) else { return nil }
        self.ring = ring
    }

    /// Begins to read, once all takers are there; false where the system has no thread left, and nothing was read.
    package func start() -> Bool {
        thread = WorkThread.start("read") { self.run() }
        return thread != nil
    }

    // MARK: Taking

    /// The caller's next piece, waited for; nil at the end.
    package func next() -> Piece? { ring.next(ring.last, isInterrupted: isInterrupted, orElse: giveUp) }

    /// What a taker hands on to the caller, waited for as a piece is.
    package func next<Slot>(from outlet: Ring<Slot>) -> Slot? {
        outlet.next(1, isInterrupted: isInterrupted, orElse: giveUp)
    }

    private func giveUp() { ring.abandonFirst(before: ring.last) }

    /// The caller is done with it.
    package func pass() { ring.pass(ring.last) }

    /// The same for a taker.
    package func next(taker: Int) -> Piece? { ring.next(1, taker) }

    package func pass(taker: Int) { ring.pass(1, taker) }

    /// Nobody is given a piece any more.
    package func stop() { ring.stop() }

    package var isStopped: Bool { ring.isStopped }

    /// Ends the thread, once there are no more pieces.
    /// - Parameter batch: takes what is known of fragmented packets.
    package func finish(_ batch: inout FrameBatch) {
        // Where the user has had enough, storage that does not answer is not waited for.
        if isInterrupted(), !isDone.load(ordering: .acquiring) {
            thread?.detach()
        } else {
            thread?.join()
            swap(&batch, &self.batch)
        }
        thread = nil
    }

    // MARK: The thread

    private func run() {
        // Once, not for each batch: what others can reach is asked for with a check.
        var batch = FrameBatch()
        swap(&batch, &self.batch)
        var isLast = false
        while !isLast, let piece = ring.next(0) {
            piece.count = 0
            while piece.count < piece.batches.count, !isLast {
                if isInterrupted() {
                    // Some fragments may still wait for the rest of their packets.
                    batch.count = 0
                    batch.endFragments()
                    isLast = true
                } else {
                    reader.fill(&batch)
                    isLast = batch.count == 0
                }
                if batch.count == 0 { break }
                batch.exchange(&piece.batches[piece.count].frames)
                piece.count += 1
            }
            piece.progress = reader.progress
            ring.pass(0)
        }
        swap(&batch, &self.batch)
        isDone.store(true, ordering: .releasing)
        ring.end()
    }
}
