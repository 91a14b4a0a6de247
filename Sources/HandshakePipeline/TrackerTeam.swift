import HandshakeAnalysis
import HandshakeRecord
import PacketCapture
import PacketWire
import WorkerThreads

/// Trackers that share the tuples out, on threads of their own. The caller's thread takes what they decide; where they
/// list nothing it has nothing else to do, and is the first tracker's.
///
/// Unchecked: a worker's tracker is its thread's until that has ended, and what it decided changes hands through its
/// outlet.
final class TrackerTeam: @unchecked Sendable {
    private final class Worker: @unchecked Sendable {
        var tracker: HandshakeTracker
        /// The way of its decisions, with each piece and at the end; nil where nothing is handed out.
        let outlet: StageRing<Cell>?

        init(_ tracker: consuming HandshakeTracker, _ outlet: StageRing<Cell>?) {
            self.tracker = tracker
            self.outlet = outlet
        }

        /// Hands on what was decided: on a piece as far as it came, or on all of it.
        func handOn(_ tracker: inout HandshakeTracker) throws(Unwanted) {
            guard let outlet else { return }
            guard let cell = outlet.next(0) else { throw Unwanted() }
            tracker.moveDecisions(into: &cell.decisions)
            outlet.pass(0)
        }
    }

    /// Nobody takes what is decided any more.
    private struct Unwanted: Error {}

    private final class Cell: @unchecked Sendable {
        var decisions = Decisions()
    }

    /// What a worker may have handed on that the caller has not come to. So much less than the pieces there are, that a
    /// worker whom the caller waits for, until half of its cells are filled, is given as many pieces whatever the
    /// others do.
    private static let cells = 16

    private let ahead: ReadAhead
    private let workers: [Worker]
    private let lists: Bool
    private var threads: [WorkThread] = []
    /// Memory that trackers will need, and the thread that has it provided.
    private let memory = BoundedQueue<MemoryAhead>(limit: 1 << 10)
    private var provider: WorkThread?

    /// Nil where the system has not the memory, descriptors or threads: then one thread does without, and nothing was
    /// read.
    init?(
        _ reader: CaptureReader, _ configuration: HandshakeTracker.Configuration, workers: Int,
        isInterrupted: @escaping @Sendable () -> Bool
    ) {
        var configuration = configuration
        // One for all: patterns are added up, and tuples are hashed where frames are decoded.
        let seed = configuration.hashSeed ?? .random(in: .min ... .max)
        configuration.hashSeed = seed
        configuration.announcesMemory = { [memory] in _ = memory.add($0, size: 1) }
        let count = max(1, min(workers, configuration.maximumWorkers))
        // All or none, so that the limits are the same.
        var made: [Worker] = []
        for worker in 0..<count {
            guard let tracker = HandshakeTracker(configuration, worker: worker, of: count) else { return nil }
            var outlet: StageRing<Cell>?
            if configuration.listsAttempts {
                outlet = StageRing((0..<TrackerTeam.cells).map { _ in Cell() }, stages: [1, 1])
                if outlet == nil { return nil }
            }
            made.append(Worker(tracker, outlet))
        }
        self.workers = made
        let lists = configuration.listsAttempts
        guard
            let ahead = ReadAhead(
                reader, seed: seed, takers: count, collects: lists, isInterrupted: isInterrupted)
        else { return nil }
        self.ahead = ahead
        self.lists = lists
        for number in (lists ? 0 : 1)..<count {
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
        for worker in workers { worker.outlet?.stop() }
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
    ///   - take: takes what the workers decided, in order.
    func run<Failure>(
        _ batch: inout FrameBatch, _ observer: inout some ReadingObserver,
        _ take: (inout Decisions.Order) throws(Failure) -> Void
    ) throws(Failure) -> HandshakeSummary {
        do throws(Failure) {
            if lists { try collect(&observer, take) } else { workFirst(&observer) }
            for thread in threads { thread.join() }
        } catch {
            end()
            throw error
        }
        ahead.finish(&batch)
        var counts = SummaryCounts()
        for worker in workers { counts.add(worker.tracker.allCounts) }
        return counts.summary
    }

    /// The first tracker's work, where nothing is listed.
    private func workFirst(_ observer: inout some ReadingObserver) {
        while let piece = ahead.next(taker: 0) {
            TrackerTeam.follow(piece, &workers[0].tracker) { _ in }
            observer.tick { piece.progress }
            ahead.pass(taker: 0)
        }
        // The core of who read is free by now: another thread takes a shard. Several trackers come to their ends side
        // by side.
        workers[0].tracker.end(workers.count == 1 ? { apportion("count", $0, $1) } : nil)
        observer.hide()
    }

    private func collect<Failure>(
        _ observer: inout some ReadingObserver, _ take: (inout Decisions.Order) throws(Failure) -> Void
    ) throws(Failure) {
        let outlets = workers.compactMap(\.outlet)
        while true {
            // With each piece, and once more at the end.
            try merge(outlets, &observer, take)
            guard let piece = ahead.next() else { break }
            observer.tick { piece.progress }
            ahead.pass()
        }
        observer.hide()
    }

    /// Takes what all workers decided on a piece.
    private func merge<Failure>(
        _ outlets: [StageRing<Cell>], _ observer: inout some ReadingObserver,
        _ take: (inout Decisions.Order) throws(Failure) -> Void
    ) throws(Failure) {
        var decisions: [Decisions] = []
        for outlet in outlets {
            guard let cell = ahead.next(from: outlet) else { return }
            decisions.append(cell.decisions)
        }
        if decisions.contains(where: { !$0.isEmpty }) { observer.hide() }
        var order = Decisions.Order(decisions)
        decisions = []
        try take(&order)
        while let worker = order.awaited {
            // Its memory is the worker's again.
            order.release()
            outlets[worker].pass(1)
            guard let cell = ahead.next(from: outlets[worker]) else { return }
            order.resume(with: cell.decisions)
            try take(&order)
        }
        order = Decisions.Order([])
        for outlet in outlets { outlet.pass(1) }
    }

    private static func follow<Failure>(
        _ piece: ReadAhead.Piece, _ tracker: inout HandshakeTracker,
        _ handOn: (inout HandshakeTracker) throws(Failure) -> Void
    ) throws(Failure) {
        for position in 0..<piece.count {
            if position + 1 < piece.count { HandshakeTracker.prefetch(piece.batches[position + 1]) }
            try tracker.receive(piece.batches[position], handOn)
        }
    }

    private func work(_ number: Int) {
        let worker = workers[number]
        func handOn(_ tracker: inout HandshakeTracker) throws(Unwanted) { try worker.handOn(&tracker) }
        do throws(Unwanted) {
            while let piece = ahead.next(taker: number) {
                try TrackerTeam.follow(piece, &worker.tracker, handOn)
                // Before its last decisions: who has those does not wait for the piece.
                ahead.pass(taker: number)
                try handOn(&worker.tracker)
            }
            if ahead.isStopped { return }
            try worker.tracker.end(handOn)
            try handOn(&worker.tracker)
            worker.outlet?.end()
        } catch {
            // There is nothing left to do.
        }
    }
}
