import HandshakeAnalysis
import PacketCapture
import PacketWire
import Synchronization
import WorkerThreads

/// A capture on a thread of its own, from its making until it is ended.
///
/// Unchecked: the thread owns what it captures with; others ask it to stop, and wait.
final class LiveSession: @unchecked Sendable {
    private let capture: LiveCapture
    private let interface: String
    private var tracker: HandshakeTracker
    private var batch: FrameBatch
    private var decoder: FrameDecoder
    private var frameNumber: UInt64 = 0
    private var attempts: [AttemptRecord] = []
    private let isStopped = Atomic(false)
    private let result = AsyncStream.makeStream(of: Handshakes.self)

    init(_ interface: String, _ filter: String?) throws(HandshakesError) {
        self.interface = interface
        var options = LiveOptions()
        options.filter = filter
        do throws(CaptureError) { capture = try LiveCapture(interfaces: [interface], options) } catch {
            let hint = error.kind == .notPermitted ? ": run the tests as root, or with CAP_NET_RAW" : ""
            throw HandshakesError(error.description + hint)
        }
        decoder = FrameDecoder(capture.linkTypes[0])
        tracker = HandshakeTracker()
        batch = tracker.makeBatch()
        WorkThread("synscope") { self.run() }.detach()
    }

    /// Analyses what the kernel still holds, and decides what is open.
    func end() async -> Handshakes {
        isStopped.store(true, ordering: .releasing)
        for await handshakes in result.stream { return handshakes }
        preconditionFailure("the thread yields before it ends")
    }

    private func run() {
        var frames = CapturedFrames()
        while !isStopped.load(ordering: .acquiring) {
            capture.wait(milliseconds: 20, or: -1)
            tracker.pass(steady: Clock.steady)
            _ = capture.take(into: &frames)
            analyse(frames)
        }
        capture.drain(into: &frames) { frames, _ in
            analyse(frames)
            return true
        }
        attempts += tracker.finish()
        let loss = capture.statistics()
        result.continuation.yield(
            Handshakes(attempts, tracker.summary, interface, dropped: loss.dropped + loss.droppedByInterface))
        result.continuation.finish()
    }

    private func analyse(_ frames: borrowing CapturedFrames) {
        for slot in frames.slots {
            frameNumber += 1
            frames.withSpan(of: slot) {
                batch.append($0, wireLength: slot.wireLength, number: frameNumber, time: slot.time, decoder: decoder)
            }
            if batch.isFull { receive() }
        }
        if batch.count > 0 { receive() }
        attempts += tracker.drain()
    }

    private func receive() {
        tracker.receive(batch)
        batch.removeAll()
    }
}
