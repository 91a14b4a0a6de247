import CLinux
import HandshakeAnalysis
import HandshakeReport
import PacketCapture
import PacketWire

/// Trackers on threads of their own that share the tuples out, beside one that reads and one, the caller's, that takes what they
/// decide. One tracker that lists nothing needs no thread: the caller's has nothing else to do.
///
/// Unchecked: a worker's tracker, and what it decided on a piece, are its own until it passes the piece on, or has ended.
final class TrackerTeam: @unchecked Sendable {
    private final class Worker: @unchecked Sendable {
        var tracker: HandshakeTracker
        /// What it decided on the piece in each place of the ring, and by the end.
        let decisions = (0..<ReadAhead.pieces).map { _ in Cell() }
        var last = Decisions()

        init(_ tracker: consuming HandshakeTracker) { self.tracker = tracker }
    }

    private final class Cell: @unchecked Sendable {
        var decisions = Decisions()
    }

    private let ahead: ReadAhead
    private let workers: [Worker]
    private var threads: [WorkThread] = []
    /// Memory that trackers will need, and the thread that has it provided.
    private let memory = BoundedQueue<MemoryAhead>(limit: 1 << 10)
    private var provider: WorkThread?

    /// Nil where the system has not the memory, descriptors or threads: then one thread does without, and nothing was read.
    init?(_ reader: CaptureReader, _ configuration: HandshakeTracker.Configuration, workers: Int) {
        var configuration = configuration
        // One for all: patterns are added up, and tuples are hashed where frames are decoded.
        let seed = configuration.hashSeed ?? .random(in: .min ... .max)
        configuration.hashSeed = seed
        configuration.announcesMemory = { [memory] in _ = memory.add($0, size: 1) }
        let count = max(1, min(workers, configuration.mostWorkers))
        // All or none, so that the limits are the same.
        var made: [Worker] = []
        for worker in 0..<count {
            guard let tracker = HandshakeTracker(configuration, worker: worker, of: count) else { return nil }
            made.append(Worker(tracker))
        }
        self.workers = made
        let takers = count > 1 || configuration.listsAttempts ? count : 0
        guard
            let ahead = ReadAhead(
                reader, seed: seed, takers: takers, isInterrupted: { clinux_interrupted() != 0 })
        else { return nil }
        self.ahead = ahead
        for number in 0..<takers {
            guard let thread = WorkThread.start("track \(number)", { self.work(number) }) else {
                end()
                return nil
            }
            threads.append(thread)
        }
        // Without it, trackers wait for their memory themselves.
        if memory.isUsable {
            provider = WorkThread.start("memory") { [memory] in
                while let needed = memory.take() { for range in needed { range.provide() } }
            }
        }
        if !ahead.start() {
            end()
            return nil
        }
    }

    private func end() {
        ahead.stop()
        for thread in threads { thread.join() }
    }

    /// The tables go: nobody touches their memory any more.
    deinit {
        memory.end()
        provider?.join()
    }

    /// Follows the capture to its end.
    /// - Parameters:
    ///   - batch: takes what is known of fragmented packets.
    ///   - take: takes what each worker decided since the last time.
    func run(
        _ batch: inout FrameBatch, _ progress: inout ProgressBar, _ take: ([Decisions]) throws(OutputEnded) -> Void
    ) throws(OutputEnded) -> HandshakeSummary {
        do throws(OutputEnded) {
            if threads.isEmpty { runAlone(&progress) } else { try collect(&progress, take) }
        } catch {
            end()
            throw error
        }
        ahead.finish(&batch)
        var summary = HandshakeSummary()
        for worker in workers { summary.add(worker.tracker.summary) }
        return summary
    }

    /// Of one that lists nothing.
    private func runAlone(_ progress: inout ProgressBar) {
        while let piece = ahead.next() {
            for position in 0..<piece.count { workers[0].tracker.receive(piece.batches[position].frames) }
            progress.tick { piece.progress }
            ahead.pass()
        }
        workers[0].tracker.end()
        progress.clear()
    }

    private func collect(
        _ progress: inout ProgressBar, _ take: ([Decisions]) throws(OutputEnded) -> Void
    ) throws(OutputEnded) {
        while let piece = ahead.next() {
            if workers.contains(where: { !$0.decisions[piece.place].decisions.isEmpty }) {
                progress.clear()
                try take(workers.map { $0.decisions[piece.place].decisions })
            }
            progress.tick { piece.progress }
            ahead.pass()
        }
        for thread in threads { thread.join() }
        progress.clear()
        try take(workers.map(\.last))
    }

    private func work(_ number: Int) {
        let worker = workers[number]
        while let piece = ahead.next(taker: number) {
            for position in 0..<piece.count { worker.tracker.receive(piece.batches[position].frames) }
            worker.tracker.take(&worker.decisions[piece.place].decisions)
            ahead.pass(taker: number)
        }
        // Nobody takes what is decided any more.
        if ahead.isStopped { return }
        worker.tracker.end()
        worker.tracker.take(&worker.last)
    }
}
