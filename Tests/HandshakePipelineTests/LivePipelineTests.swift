import Fixtures
import HandshakeAnalysis
import HandshakePipeline
import HandshakeRecord
import PacketCapture
import PacketWire
import Synchronization
import Testing
import WorkerThreads

@Suite("Live frames in, attempts out")
struct LivePipelineTests {
    /// Plays frames in rounds, with what else happens in each.
    ///
    /// Unchecked: only the thread that runs the pipeline touches it.
    private final class Played: LiveSource, @unchecked Sendable {
        struct Round {
            var frames: [(octets: [UInt8], time: Int64)] = []
            var failures: [CaptureError] = []
            var returned: [String] = []
            /// Frames that the kernel dropped until then.
            var dropped: UInt64 = 0
        }
        var linkTypes: [LinkType] = [.ethernet]
        var isGone = false
        var missing: [String] = []
        private var rounds: [Round]
        private var returned: [String] = []
        private var counts = LiveStatistics()
        private let whenEmpty: () -> Void

        init(_ rounds: [Round], whenEmpty: @escaping () -> Void = {}) {
            (self.rounds, self.whenEmpty) = (rounds, whenEmpty)
        }

        func wait(milliseconds: Int32, or descriptor: Int32) {
            if rounds.isEmpty { whenEmpty() }
            waitForWake(descriptor, milliseconds: 1)
        }

        func read(into frames: inout CapturedFrames) -> [CaptureError] {
            frames.removeAll()
            guard !rounds.isEmpty else { return [] }
            let round = rounds.removeFirst()
            for frame in round.frames { frames.append(frame.octets, time: frame.time) }
            counts.received += UInt64(round.frames.count)
            counts.dropped += round.dropped
            returned += round.returned
            return round.failures
        }

        func drain(into frames: inout CapturedFrames, _ each: (borrowing CapturedFrames, [CaptureError]) -> Bool) {
            while !rounds.isEmpty {
                let failures = read(into: &frames)
                guard each(frames, failures) else { return }
            }
        }

        func checkInterfaces() {}

        func reopen() -> [String] {
            defer { returned = [] }
            return returned
        }

        func statistics() -> LiveStatistics { counts }
    }

    private final class Collector: LiveTaker {
        let keepsFrames: Bool
        var records: [AttemptRecord] = []
        var kept: [UInt64] = []
        var events: [String] = []
        var recordsAtEnd: Int?

        init(keepsFrames: Bool = false) { self.keepsFrames = keepsFrames }

        func keep(_ slot: CapturedFrames.Slot, of frames: borrowing CapturedFrames, number: UInt64) {
            #expect(frames.octets(of: slot).count == slot.capturedLength)
            kept.append(number)
        }
        func endRound() {}
        func take(_ records: [AttemptRecord], _ standing: LiveStanding, now: Int64, steady: Int64) {
            self.records += records
        }
        func endCapture() { recordsAtEnd = records.count }
        func tell(_ event: LiveEvent) {
            switch event {
            case .awaits(let error): events.append("awaits \(error.kind)")
            case .lost(let error): events.append("lost \(error.kind)")
            case .returned(let name): events.append("returned \(name)")
            }
        }
    }

    /// A handshake and some data, by the wall clock of now.
    private static func frames(_ count: Int = 1, from first: Int = 0, data: Int = 0) -> [(octets: [UInt8], time: Int64)]
    {
        var all: [(octets: [UInt8], time: Int64)] = []
        let now = Clock.wall
        for number in first..<first + count {
            var c = Conversation(x: UInt32(1000 + number), y: 9000)
            c.clientEnd = Endpoint(IPAddress(v4: 0x0a00_0000 + UInt32(number)), 40_000)
            c.handshake(at: 0)
            for n in 0..<data { c.client("P.", at: Double(10 + n), seq: Int64(1 + n), len: 1) }
            let frames = c.frames()
            all += frames.map { (octets: $0.bytes, time: now + $0.time - frames[0].time) }
        }
        return all
    }

    private static func run(
        _ rounds: [Played.Round], _ collector: Collector, limits: LivePipeline.Limits = .init(), isGone: Bool = false,
        missing: [String] = []
    ) -> LivePipeline {
        let stop = Mutex<LivePipeline?>(nil)
        let source = Played(rounds) { stop.withLock { $0 }?.stop() }
        (source.isGone, source.missing) = (isGone, missing)
        let pipeline = LivePipeline(source, HandshakeTracker.Configuration(), limits: limits, taker: collector)
        stop.withLock { $0 = pipeline }
        pipeline.run()
        stop.withLock { $0 = nil }
        return pipeline
    }

    @Test("Every frame is counted, and what is open at the end is decided")
    func whole() {
        let collector = Collector()
        let pipeline = Self.run([.init(frames: Self.frames(3)), .init(frames: Self.frames(1, from: 3))], collector)
        #expect(collector.records.count == 4)
        #expect(collector.records.allSatisfy { $0.outcome == .established && $0.confidence == .full })
        #expect(pipeline.end.summary.frames.read == 12)
        #expect(pipeline.end.loss.received == 12 && pipeline.end.loss.kernelDropped == 0)
        #expect(collector.recordsAtEnd != nil)
        #expect(pipeline.failure == nil)
    }

    @Test("A limit ends it after so many frames")
    func limit() {
        let pipeline = Self.run([.init(frames: Self.frames(30))], Collector(), limits: .init(count: 10))
        #expect(pipeline.end.summary.frames.read == 10)
    }

    @Test("A time ends it, though frames may still come")
    func duration() {
        let source = Played([])
        let collector = Collector()
        let pipeline = LivePipeline(
            source, HandshakeTracker.Configuration(), limits: .init(duration: 20_000_000), taker: collector)
        pipeline.run()
        #expect(pipeline.end.summary.frames.read == 0)
    }

    @Test("Frames that the kernel dropped meanwhile lower the confidence of what they may belong to")
    func drops() {
        let collector = Collector()
        let pipeline = Self.run([.init(frames: Self.frames(2), dropped: 5)], collector)
        #expect(pipeline.end.loss.kernelDropped == 5)
        #expect(collector.records.map(\.confidence) == [.lossy, .lossy])
    }

    @Test("The frames of handshakes are kept, data are not")
    func kept() {
        let collector = Collector(keepsFrames: true)
        _ = Self.run([.init(frames: Self.frames(1, data: 5))], collector)
        #expect(collector.kept == [1, 2, 3])
    }

    @Test("An interface that goes away is waited for, or the end where none is left; others go on")
    func interfaces() {
        let gone = CaptureError(.noInterface, "eth9", "the interface went down")
        let waiting = Collector()
        let waited = Self.run(
            [.init(failures: [gone]), .init(returned: ["eth9"])], waiting, limits: .init(waits: true), isGone: true,
            missing: ["eth9"])
        #expect(waiting.events.first == "awaits \(CaptureError.Kind.noInterface)")
        #expect(waiting.events.contains("returned eth9"))
        #expect(waited.failure == nil)
        let others = Collector()
        #expect(Self.run([.init(failures: [gone])], others).failure == nil)
        #expect(others.events == ["lost \(CaptureError.Kind.noInterface)"])
        #expect(Self.run([.init(failures: [gone])], Collector(), isGone: true).failure?.kind == .noInterface)
    }

    @Test("Another thread can end it while it waits")
    func stopped() {
        let pipeline = LivePipeline(Played([]), HandshakeTracker.Configuration(), taker: Collector())
        let thread = WorkThread("capture") { pipeline.run() }
        pipeline.stop()
        thread.join()
        #expect(pipeline.end.summary.frames.read == 0)
    }
}
