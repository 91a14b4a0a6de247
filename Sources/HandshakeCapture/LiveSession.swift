import HandshakeAnalysis
import HandshakePipeline
import HandshakeRecord
import PacketCapture
import WorkerThreads

/// A capture on a thread of its own, from its making until it is ended.
final class LiveSession: Sendable {
    private let pipeline: LivePipeline
    private let result = AsyncStream.makeStream(of: Handshakes.self)
    /// The attempts as they are decided, where they are not kept.
    let decided: AsyncStream<AttemptRecord>

    /// - Parameter keepsAttempts: whether they are kept until the end, rather than handed out as they come.
    init(_ interface: String, _ filter: String?, keepsAttempts: Bool = true) throws(HandshakesError) {
        var options = LiveOptions()
        options.filter = filter
        let capture: LiveCapture
        do throws(CaptureError) { capture = try LiveCapture(interfaces: [interface], options) } catch {
            let hint = error.kind == .notPermitted ? ": it needs root, or CAP_NET_RAW" : ""
            throw HandshakesError(error.description + hint)
        }
        let stream = AsyncStream.makeStream(of: AttemptRecord.self)
        decided = stream.stream
        let collector = LiveCollector(keepsAttempts ? nil : stream.continuation)
        let pipeline = LivePipeline(capture, HandshakeTracker.Configuration(), taker: collector)
        self.pipeline = pipeline
        WorkThread("synscope") { [result] in
            pipeline.run()
            let (summary, loss) = pipeline.end
            stream.continuation.finish()
            result.continuation.yield(
                Handshakes(
                    collector.attempts, summary, interface,
                    dropped: (loss.kernelDropped ?? 0) + (loss.interfaceDropped ?? 0)))
            result.continuation.finish()
        }.detach()
    }

    /// Asks it to end, and waits for nothing.
    func stop() { pipeline.stop() }

    /// Analyses what the kernel still holds, and decides what is open.
    func end() async -> Handshakes {
        pipeline.stop()
        for await handshakes in result.stream { return handshakes }
        preconditionFailure("the thread yields before it ends")
    }
}

/// Keeps all attempts of a live run, or hands them on.
///
/// Unchecked: the capture's thread fills it, and reads it once it is done.
private final class LiveCollector: LiveTaker, @unchecked Sendable {
    private(set) var attempts: [AttemptRecord] = []
    private let stream: AsyncStream<AttemptRecord>.Continuation?
    let keepsFrames = false

    init(_ stream: AsyncStream<AttemptRecord>.Continuation?) { self.stream = stream }

    func keep(_ slot: CapturedFrames.Slot, of frames: borrowing CapturedFrames, number: UInt64) {}
    func endRound() {}
    func endCapture() {}
    func tell(_ event: LiveEvent) {}

    func take(_ records: [AttemptRecord], _ standing: LiveStanding, now: Int64, steady: Int64) {
        if let stream { for record in records { stream.yield(record) } } else { attempts += records }
    }
}
