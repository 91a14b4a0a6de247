package import HandshakeAnalysis
package import HandshakeRecord
package import PacketCapture
import PacketWire

/// Files in, decided attempts out: through one tracker, or through several on threads of their own.
package struct FilePipeline: ~Copyable {
    package let reader: CaptureReader
    private let configuration: HandshakeTracker.Configuration
    private let workers: Int
    private let follows: Bool
    private let isInterrupted: @Sendable () -> Bool
    private var batch = FrameBatch(seed: 0)

    /// - Parameters:
    ///   - workers: trackers that share the tuples out, where the files can be read ahead.
    ///   - follows: whether the one file is followed while it grows.
    ///   - isInterrupted: whether the user has had enough: what was read by then is handed out.
    package init(
        _ reader: CaptureReader, _ configuration: HandshakeTracker.Configuration, workers: Int, follows: Bool = false,
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) {
        self.reader = reader
        self.configuration = configuration
        self.workers = workers
        self.follows = follows
        self.isInterrupted = isInterrupted
    }

    /// Hands out each attempt as it is decided, until the files end.
    /// - Returns: the totals.
    package mutating func run<Taker: AttemptTaker>(
        _ taker: inout Taker, _ observer: inout some ReadingObserver
    ) throws(Taker.Failure) -> HandshakeSummary {
        let (comments, places) = (reader.comments, reader.places)
        return try follow(&observer) { order throws(Taker.Failure) in
            try FilePipeline.hand(&order, comments, places, &taker)
        }
    }

    /// The same, with nobody who watches.
    package mutating func run<Taker: AttemptTaker>(_ taker: inout Taker) throws(Taker.Failure) -> HandshakeSummary {
        var nobody = NoObserver()
        return try run(&taker, &nobody)
    }

    /// Losses of the capture, as far as its files tell; after `run`.
    package var loss: CaptureLoss {
        var loss = CaptureLoss()
        loss.isTruncated = reader.failures.contains { [.cutShort, .corrupt].contains($0.kind) }
        loss.filteredOut = reader.filteredOut
        let losses = reader.losses
        loss.received = losses.received
        loss.kernelDropped = losses.droppedBySystem
        loss.interfaceDropped = losses.droppedByInterface
        return loss
    }

    /// The given frames, and those with the other fragments of their packets; after `run`.
    package func withFragments(_ frames: [UInt64]) -> [UInt64] { batch.withFragments(frames) }

    /// - Parameter take: takes what was decided, in order.
    private mutating func follow<Failure>(
        _ observer: inout some ReadingObserver, _ take: (inout Decisions.Order) throws(Failure) -> Void
    ) throws(Failure) -> HandshakeSummary {
        // Files are read ahead. Frames of a pipe, and of a file that is followed, are taken as they come.
        if !follows, reader.progress != nil {
            if let team = TrackerTeam(reader, configuration, workers: workers, isInterrupted: isInterrupted) {
                return try team.run(&batch, &observer, take)
            }
        }
        var tracker = HandshakeTracker(configuration)
        batch = tracker.makeBatch()
        var decisions = Decisions()
        func hand(_ tracker: inout HandshakeTracker) throws(Failure) {
            guard tracker.hasDecided else { return }
            observer.hide()
            tracker.moveDecisions(into: &decisions)
            var order = Decisions.Order([decisions])
            try take(&order)
        }
        while !isInterrupted() {
            reader.fill(&batch)
            if batch.count == 0 { break }
            try tracker.receive(batch, hand)
            observer.tick { reader.progress }
            try hand(&tracker)
        }
        // Interrupted, some fragments may still wait for the rest of their packets.
        batch.removeAll()
        batch.endFragments()
        try tracker.receive(batch, hand)
        try tracker.end(hand)
        try hand(&tracker)
        observer.hide()
        return tracker.summary
    }

    private static func hand<Taker: AttemptTaker>(
        _ order: inout Decisions.Order, _ comments: FrameComments, _ places: FramePlaces?, _ taker: inout Taker
    ) throws(Taker.Failure) {
        let hasComments = !comments.isEmpty
        func annotated(_ record: AttemptRecord) -> AttemptRecord {
            var record = record
            for position in record.segments.indices {
                let frame = record.segments[position].frame
                if hasComments { record.segments[position].comment = comments[frame] }
                if let places, let place = places[frame] {
                    record.segments[position].place = .init(file: places.names[place.file], frame: place.frame)
                }
            }
            return record
        }
        while let turn = order.next() {
            if hasComments {
                try taker.take(annotated(order.record(turn)))
            } else if order.isPlain(turn) {
                try taker.take(order.plain(turn)) { annotated(order.record(turn)) }
            } else {
                try taker.take(annotated(order.record(turn)))
            }
        }
    }
}
