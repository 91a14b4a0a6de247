import CLinux
import HandshakeAnalysis
import HandshakeReport
import PacketCapture
import PacketWire
import Synchronization

/// Trackers on threads of their own that share the tuples out, beside one that reads and one, the caller's, that takes what they
/// decide. One tracker needs no thread: the caller's has nothing else to do.
///
/// Unchecked: what a worker decided on a piece is its own until it passes the piece on.
final class TrackerTeam: @unchecked Sendable {
    /// What one worker decided on the piece in one place of the ring.
    private final class Cell: @unchecked Sendable {
        var decisions = Decisions()
    }

    private let ahead: ReadAhead
    private var configuration: HandshakeTracker.Configuration
    private let workers: Int
    /// By the piece's place, then the worker.
    private let cells: [[Cell]]
    private let ends: [Cell]
    private let summaries: Mutex<[HandshakeSummary]>
    private var threads: [WorkThread] = []

    /// Nil where the system has no descriptor or thread left: then one thread does without.
    init?(_ reader: CaptureReader, _ configuration: HandshakeTracker.Configuration, workers: Int) {
        // One for all: patterns are added up, and tuples are hashed where frames are decoded.
        let seed = configuration.hashSeed ?? .random(in: .min ... .max)
        self.configuration = configuration
        self.configuration.hashSeed = seed
        let workers = min(workers, configuration.mostWorkers)
        self.workers = workers
        cells = (0..<ReadAhead.pieces).map { _ in (0..<workers).map { _ in Cell() } }
        ends = (0..<workers).map { _ in Cell() }
        summaries = Mutex([])
        let takers = workers > 1 ? workers : 0
        guard
            let ahead = ReadAhead(
                reader, seed: seed, takers: takers, isInterrupted: { clinux_interrupted() != 0 })
        else { return nil }
        self.ahead = ahead
        for worker in 0..<takers {
            guard let thread = WorkThread.start("track \(worker)", { self.work(worker) }) else {
                end()
                return nil
            }
            threads.append(thread)
        }
    }

    private func end() {
        ahead.stop()
        for thread in threads { thread.join() }
    }

    /// Follows the capture to its end.
    /// - Parameters:
    ///   - batch: takes what is known of fragmented packets.
    ///   - take: takes what each worker decided since the last time.
    func run(
        _ batch: inout FrameBatch, _ progress: inout ProgressBar, _ take: ([Decisions]) throws(OutputEnded) -> Void
    ) throws(OutputEnded) -> HandshakeSummary {
        do throws(OutputEnded) {
            if workers == 1 { try runAlone(&progress, take) } else { try collect(&progress, take) }
        } catch {
            end()
            throw error
        }
        ahead.finish(&batch)
        return summaries.withLock { $0.reduce(into: HandshakeSummary()) { $0.add($1) } }
    }

    private func runAlone(
        _ progress: inout ProgressBar, _ take: ([Decisions]) throws(OutputEnded) -> Void
    ) throws(OutputEnded) {
        var tracker = HandshakeTracker(configuration)
        var decisions = Decisions()
        while let piece = ahead.next() {
            for position in 0..<piece.count {
                tracker.receive(piece.batches[position].frames)
                guard tracker.hasDecided else { continue }
                progress.clear()
                tracker.take(&decisions)
                try take([decisions])
            }
            progress.tick { piece.progress }
            ahead.pass()
        }
        tracker.end()
        tracker.take(&decisions)
        progress.clear()
        try take([decisions])
        summaries.withLock { $0 = [tracker.summary] }
    }

    private func collect(
        _ progress: inout ProgressBar, _ take: ([Decisions]) throws(OutputEnded) -> Void
    ) throws(OutputEnded) {
        while let piece = ahead.next() {
            let decisions = cells[piece.place].map(\.decisions)
            if decisions.contains(where: { !$0.isEmpty }) {
                progress.clear()
                try take(decisions)
            }
            progress.tick { piece.progress }
            ahead.pass()
        }
        for thread in threads { thread.join() }
        progress.clear()
        try take(ends.map(\.decisions))
    }

    private func work(_ worker: Int) {
        var tracker = HandshakeTracker(configuration, worker: worker, of: workers)
        while let piece = ahead.next(taker: worker) {
            for position in 0..<piece.count { tracker.receive(piece.batches[position].frames) }
            tracker.take(&cells[piece.place][worker].decisions)
            ahead.pass(taker: worker)
        }
        tracker.end()
        tracker.take(&ends[worker].decisions)
        summaries.withLock { $0.append(tracker.summary) }
    }
}
