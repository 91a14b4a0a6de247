import CLinux
import Glibc
import HandshakeAnalysis
import HandshakePipeline
import HandshakeRecord
import HandshakeReport
import PacketCapture

/// A pipeline over the files that options name, with a progress bar, and with words on standard error for what was not
/// used.
struct Analysis: ~Copyable {
    private var pipeline: FilePipeline
    private let follows: Bool

    var reader: CaptureReader { pipeline.reader }

    /// - Parameters:
    ///   - follows: whether the one file is followed while it grows.
    ///   - listsAttempts: whether attempts are handed out.
    ///   - folder: where files may be made.
    init(
        _ input: InputOptions, follows: Bool = false, listsAttempts: Bool = true, writing folder: String? = nil
    ) throws(CommandFailure) {
        if follows { clinux_catch_interrupts() }
        let reader = try input.open(follows: follows, writing: folder)
        self.follows = follows
        var configuration = input.tracking.configuration()
        // Most attempts go the short way to where their records are made.
        configuration.listing = listsAttempts ? .plainAndRecords : .sums
        pipeline = FilePipeline(
            reader, configuration, workers: input.jobs ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
            follows: follows, isInterrupted: { clinux_interrupted() != 0 })
    }

    var capture: CaptureDescription {
        CaptureDescription(
            files: reader.descriptions.map { CaptureDescription.File($0) }, filter: reader.filterExpression,
            started: reader.started)
    }

    /// Hands out each attempt as it is decided, until the capture or the user ends it.
    /// - Returns: the totals, and what the capture lost.
    mutating func run<Taker: AttemptTaker>(
        _ taker: inout Taker
    ) throws(Taker.Failure) -> (HandshakeSummary, CaptureLoss) {
        clinux_catch_interrupts()
        var progress = ProgressBar(isWanted: !follows)
        defer { progress.hide() }
        let summary = try pipeline.run(&taker, &progress)
        tellOfGaps(summary)
        return (summary, pipeline.loss)
    }

    /// The given frames, and those with the other fragments of their packets.
    func withFragments(_ frames: [UInt64]) -> [UInt64] { pipeline.withFragments(frames) }

    /// Frames that were read and not used.
    private func tellOfGaps(_ summary: HandshakeSummary) {
        for (linkType, count) in summary.frames.unknownLinkTypes.sorted(by: <) {
            StandardError.write(
                "\(Format.count(Int(count), "frame")) of link type \(linkType), which is not decoded (synscope formats lists what is; docs/formats.md says how to ask for more)"
            )
        }
        if reader.untimed > 0 {
            StandardError.write(
                "\(Format.count(Int(reader.untimed), "frame")) without a valid time (simple packet blocks, or "
                    + "fractions of a second or more): they count at their place, and give no round trips"
            )
        }
        if reader.comments.omitted > 0 {
            StandardError.write("comments of \(Format.count(reader.comments.omitted, "frame")) found no room")
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
