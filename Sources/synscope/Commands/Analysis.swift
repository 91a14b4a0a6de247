import CLinux
import Glibc
import HandshakeAnalysis
import HandshakeReport
import PacketCapture
import PacketWire

/// Takes attempts as they are decided.
protocol AttemptTaker {
    mutating func take(_ record: AttemptRecord) throws(OutputEnded)
    /// Takes a plain attempt, which can still be made a record.
    mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) throws(OutputEnded)
}

extension AttemptTaker {
    mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) throws(OutputEnded) { try take(record()) }
}

/// Runs a capture through the tracker, or through several.
struct Analysis: ~Copyable {
    let reader: CaptureReader
    private let configuration: HandshakeTracker.Configuration
    private let workers: Int
    private var batch = FrameBatch(seed: 0)
    private let follows: Bool

    /// - Parameters:
    ///   - follows: whether the one file is followed while it grows.
    ///   - listsAttempts: whether attempts are handed out.
    init(
        _ input: InputOptions, follows: Bool = false, listsAttempts: Bool = true
    ) throws(CommandFailure) {
        if follows { clinux_catch_interrupts() }
        reader = try input.open(follows: follows)
        self.follows = follows
        var configuration = input.tracking.configuration()
        // Most attempts go the short way to where their records are made.
        configuration.listing = listsAttempts ? .plainAndRecords : .sums
        self.configuration = configuration
        workers = input.jobs ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    var capture: CaptureDescription {
        CaptureDescription(
            files: reader.descriptions.map { CaptureDescription.File($0) }, filter: reader.filterExpression,
            started: reader.started)
    }

    /// Hands out each attempt as it is decided, until the capture or the user ends it.
    /// - Returns: the totals, and what the capture lost.
    mutating func run(_ taker: inout some AttemptTaker) throws(OutputEnded) -> (HandshakeSummary, CaptureLoss) {
        clinux_catch_interrupts()
        var progress = ProgressBar(isWanted: !follows)
        defer { progress.clear() }
        let comments = reader.comments
        let summary = try follow(&progress) { order throws(OutputEnded) in
            try Analysis.hand(&order, comments, &taker)
        }
        var loss = CaptureLoss()
        loss.isTruncated = reader.failures.contains { [.cutShort, .corrupt].contains($0.kind) }
        loss.filteredOut = reader.filteredOut
        let losses = reader.losses
        loss.received = losses.received
        loss.kernelDropped = losses.droppedBySystem
        loss.interfaceDropped = losses.droppedByInterface
        tellOfGaps(summary)
        return (summary, loss)
    }

    /// - Parameter take: takes what was decided, in order.
    private mutating func follow(
        _ progress: inout ProgressBar, _ take: (inout Decisions.Order) throws(OutputEnded) -> Void
    ) throws(OutputEnded) -> HandshakeSummary {
        // Files are read ahead. Of a pipe, and of a file that is followed, frames are taken as they come.
        if !follows, reader.progress != nil {
            if let team = TrackerTeam(reader, configuration, workers: workers) {
                return try team.run(&batch, &progress, take)
            }
        }
        var tracker = HandshakeTracker(configuration)
        batch = tracker.makeBatch()
        var decisions = Decisions()
        func hand(_ tracker: inout HandshakeTracker) throws(OutputEnded) {
            guard tracker.hasDecided else { return }
            progress.clear()
            tracker.take(&decisions)
            var order = Decisions.Order([decisions])
            try take(&order)
        }
        while clinux_interrupted() == 0 {
            reader.fill(&batch)
            if batch.count == 0 { break }
            try tracker.receive(batch, hand)
            progress.tick { reader.progress }
            try hand(&tracker)
        }
        // Interrupted, some fragments may still wait for the rest of their packets.
        batch.removeAll()
        batch.endFragments()
        try tracker.receive(batch, hand)
        try tracker.end(hand)
        try hand(&tracker)
        progress.clear()
        return tracker.summary
    }

    private static func hand(
        _ order: inout Decisions.Order, _ comments: FrameComments, _ taker: inout some AttemptTaker
    ) throws(OutputEnded) {
        func annotated(_ record: AttemptRecord) -> AttemptRecord {
            var record = record
            for position in record.segments.indices {
                record.segments[position].comment = comments[record.segments[position].frame]
            }
            return record
        }
        let hasComments = !comments.isEmpty
        while let turn = order.next() {
            if hasComments {
                try taker.take(annotated(order.record(turn)))
            } else if order.isPlain(turn) {
                try taker.take(order.plain(turn)) { order.record(turn) }
            } else {
                try taker.take(order.record(turn))
            }
        }
    }

    /// With the frames that held the other fragments of theirs.
    func withFragments(_ frames: [UInt64]) -> [UInt64] { batch.withFragments(frames) }

    /// What was not used though it was read.
    private func tellOfGaps(_ summary: HandshakeSummary) {
        for (linkType, count) in summary.frames.unknownLinkTypes.sorted(by: <) {
            StandardError.write(
                "\(Format.count(Int(count), "frame")) of link type \(linkType), which is not decoded (synscope formats lists what is; docs/formats.md says how to ask for more)"
            )
        }
        if reader.untimed > 0 {
            StandardError.write(
                "\(Format.count(Int(reader.untimed), "frame")) without a valid time (simple packet blocks, or fractions of a second or more): they count at their place, and give no round trips"
            )
        }
        if reader.comments.letGo > 0 {
            StandardError.write("comments of \(Format.count(reader.comments.letGo, "frame")) found no room")
        }
        if reader.comments.cut > 0 {
            StandardError.write(
                "comments of \(Format.count(reader.comments.cut, "frame")) were cut, where they end with ... (docs/formats.md)"
            )
        }
    }

    /// Tells of files that broke off, where another failure decides the exit status.
    func tellFailures() {
        for failure in reader.failures { StandardError.write(failure.description) }
    }

    /// Tells of files that broke off, after everything else was reported.
    func reportFailures() throws(CommandFailure) {
        guard let last = reader.failures.last else { return }
        for failure in reader.failures.dropLast() { StandardError.write(failure.description) }
        throw CommandFailure(status: .unreadable, message: last.description)
    }
}
