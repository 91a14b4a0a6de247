import Synchronization
import WorkerThreads

/// Writes standard output on a thread of its own, some pieces behind who fills the next.
///
/// Unchecked: the thread's handle is the owner's, and pieces change hands through the ring.
final class OutputWriter: @unchecked Sendable {
    private final class Piece: @unchecked Sendable {
        var octets: [UInt8] = []
    }

    private static let pieces = 8

    private let ring: StageRing<Piece>
    /// errno of what failed.
    private let code = Atomic<Int32>(0)
    private var thread: WorkThread?

    /// Nil where the system has no descriptor or thread left: then it is written without.
    init?() {
        guard let ring = StageRing((0..<OutputWriter.pieces).map { _ in Piece() }, stages: [1, 1]) else { return nil }
        self.ring = ring
        thread = WorkThread.start("write") { self.run() }
        if thread == nil { return nil }
    }

    /// Hands over octets to be written, once those before are.
    /// - Returns: memory to go on with, and the errno of what failed before.
    func write(_ octets: [UInt8]) -> (spare: [UInt8], code: Int32) {
        guard let piece = ring.next(0) else { return ([], code.load(ordering: .acquiring)) }
        let spare = piece.octets
        piece.octets = octets
        ring.pass(0)
        return (spare, 0)
    }

    /// Waits until all is written, and ends.
    /// - Returns: the errno of what failed.
    func finish() -> Int32 {
        ring.end()
        thread?.join()
        thread = nil
        return code.load(ordering: .acquiring)
    }

    private func run() {
        while let piece = ring.next(1) {
            let failure = StandardOutput.write(piece.octets)
            if failure != 0 {
                code.store(failure, ordering: .releasing)
                return ring.stop()
            }
            // The memory for what comes after the next.
            piece.octets.removeAll(keepingCapacity: true)
            ring.pass(1)
        }
    }
}
