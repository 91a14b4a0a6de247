package import PacketWire
import Synchronization
package import WorkerThreads

/// Reads and decodes files some batches ahead of those who take them: on a thread of its own, or, where there are
/// several takers and reading waits for nobody but a thread that has buffers ready, on theirs.
///
/// Unchecked: the reader is the thread's, or whose turn it is to fill a piece, until there are no more; pieces change
/// hands through the ring.
package final class ReadAhead: @unchecked Sendable {
    /// Batches that are handed over together, in order.
    package final class Piece: @unchecked Sendable {
        /// In the piece itself: several threads would count their references to each.
        package fileprivate(set) var batches: InlineArray<8, FrameBatch>
        package fileprivate(set) var count = 0
        /// How far the reader was, or some pieces ago.
        package fileprivate(set) var progress: (done: Int64, all: Int64)?

        fileprivate init(seed: UInt64) { batches = InlineArray { _ in FrameBatch(seed: seed) } }
    }

    /// Few enough that what they hold stays in a near cache on its way from one thread to the other. So many that one
    /// of them does not sleep before the other has worked for a while: threads of which one always sleeps are left to
    /// one core, in turns.
    package static let pieces = 24

    private let ring: StageRing<Piece>
    private let reader: CaptureReader
    private let isInterrupted: @Sendable () -> Bool
    /// Nil while a piece is filled.
    private var batch: FrameBatch?
    /// Pieces that were filled, and how far the reader was when it was asked: it asks the system.
    private var filled = 0
    private var progress: (done: Int64, all: Int64)?
    private var thread: WorkThread?
    private let takersRead: Bool
    private let collects: Bool
    private let isDone = Atomic(false)

    /// Nil where the system has no descriptor left: then one thread does without.
    /// - Parameters:
    ///   - seed: of the hashes of tuples.
    ///   - takers: threads that take every piece.
    ///   - collects: whether the caller is one more, that takes pieces after them; else the first of them is the
    ///     caller.
    ///   - isInterrupted: whether the user has had enough: what was read by then is handed over.
    package init?(
        _ reader: CaptureReader, seed: UInt64, takers: Int, collects: Bool,
        isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.reader = reader
        batch = FrameBatch(seed: seed)
        self.isInterrupted = isInterrupted
        let pieces = (0..<ReadAhead.pieces).map { _ in Piece(seed: seed) }
        takersRead = takers > 1 && reader.isReadAhead
        self.collects = collects
        let stages = [takersRead ? 0 : 1, takers] + (collects ? [1] : [])
        guard let ring = StageRing(pieces, stages: stages) else { return nil }
        self.ring = ring
        // Whoever waits for storage holds up a tracker then, and those that wait for that one.
        if takersRead { reader.givesUp { isInterrupted() || ring.isStopped } }
    }

    /// Begins to read, once all takers are there; false where the system has no thread left, and nothing was read.
    package func start() -> Bool {
        if takersRead {
            ring.begin()
            return true
        }
        thread = WorkThread.start("read") { self.run() }
        return thread != nil
    }

    // MARK: Taking

    /// The caller's next piece, where it collects, waited for; nil at the end.
    package func next() -> Piece? { ring.next(ring.last, isInterrupted: isInterrupted, orElse: giveUp) }

    /// The decisions that a taker hands to the caller, waited for as a piece is.
    package func next<Slot>(from outlet: StageRing<Slot>) -> Slot? {
        outlet.next(1, isInterrupted: isInterrupted, orElse: giveUp)
    }

    /// Takers that read give up themselves.
    private func giveUp() { if !takersRead { ring.abandonFirst(before: ring.last) } }

    /// The caller is done with it.
    package func pass() { ring.pass(ring.last) }

    /// The same for a taker.
    package func next(taker: Int) -> Piece? {
        if !takersRead {
            return collects || taker > 0
                ? ring.next(1, taker) : ring.next(1, taker, isInterrupted: isInterrupted, orElse: giveUp)
        }
        while let turn = ring.nextOrUnfilled(taker) {
            switch turn {
            case .filled(let piece): return piece
            case .unfilled(let piece): ring.pass(0, isLast: fill(piece))
            }
        }
        return nil
    }

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
            if let last = self.batch.take() { batch = last }
        }
        thread = nil
    }

    // MARK: Reading

    /// The thread's, if there is one.
    private func run() {
        var isLast = false
        while !isLast, let piece = ring.next(0) {
            isLast = fill(piece)
            ring.pass(0, isLast: isLast)
        }
        isDone.store(true, ordering: .releasing)
        ring.end()
    }

    /// - Returns: whether it is the last one: the reader is done.
    private func fill(_ piece: Piece) -> Bool {
        // Once, not for each batch: what others can reach is asked for with a check.
        guard var batch = batch.take() else { preconditionFailure("two pieces are filled at once") }
        var isLast = false
        piece.count = 0
        while piece.count < piece.batches.count, !isLast {
            if isInterrupted() {
                // Some fragments may still wait for the rest of their packets.
                batch.removeAll()
                batch.endFragments()
                isLast = true
            } else {
                reader.fill(&batch)
                isLast = batch.count == 0
            }
            if batch.count == 0 { break }
            batch.exchange(&piece.batches[piece.count])
            piece.count += 1
        }
        if filled.isMultiple(of: 16) { progress = reader.progress }
        filled += 1
        piece.progress = progress
        self.batch = consume batch
        if isLast { isDone.store(true, ordering: .releasing) }
        return isLast
    }
}
