import CLinux
import Glibc
import HandshakeAnalysis
import HandshakeMonitor
import HandshakeReport
import PacketCapture
import PacketWire
import Synchronization
import WorkerThreads

/// What the capture's thread hands on, and to whom. Nothing in it waits before the end.
struct LiveOutlets: Sendable {
    enum Report: Sendable {
        case attempts([AttemptRecord])
        /// An interval is over, at a time in nanoseconds since the epoch.
        case interval(Int64)
        /// Situations begin or end.
        case situations([SituationCourse.Event])
        case end(HandshakeSummary, CaptureLoss)
    }
    enum FileWork: Sendable {
        /// Whole blocks, a frame each, and the frames' numbers.
        case blocks([UInt8], [UInt64])
        case reopen
    }

    /// Nil where attempts are not listed.
    var reports: BoundedQueue<Report>?
    /// Nil without -w.
    var frames: BoundedQueue<FileWork>?
    var monitor: Monitor
}

/// The capture's thread: from the kernel's buffer through the tracker to the outlets. Everything is done on this one
/// thread, so that a frame is touched while it is in the cache; the kernel's buffer takes the bursts.
///
/// Unchecked: the thread that runs it owns it until it has ended; `stop` is for others too.
final class LiveAnalysis: @unchecked Sendable {
    struct Limits {
        /// Frames.
        var count: UInt64?
        /// Nanoseconds.
        var duration: Int64?
        /// Whether an interface that went away is waited for.
        var waits = false
        /// Nanoseconds between reports of intervals; nil for none.
        var interval: Int64?
    }

    /// Whether each frame that is written says which it was.
    var numbersFrames = false

    /// Nanoseconds between readings of the drop counters. Attempts are handed on after one, so that a drop they overlap
    /// is known.
    private static let period: Int64 = 250_000_000
    /// Nanoseconds that room in the reporter's queue is waited for at the end.
    private static let maximumPatience: Int64 = 5_000_000_000
    /// Attempts after which one is taken early.
    private static let maximumPending = 4096

    private let capture: LiveCapture
    private let outlets: LiveOutlets
    private let limits: Limits
    private var tracker: HandshakeTracker
    /// What waited when it was looked at last, and when that is done again, by the steady clock.
    private var waiting = WaitingAttempts()
    private var nextLook: Int64 = 0
    private static let lookPeriod: Int64 = 1_000_000_000
    private var decoders: [FrameDecoder]
    private var writer: SavefileWriter?

    private var batch: FrameBatch
    /// Numbers and places of the frames since the last batch.
    private var places: [(number: UInt64, slot: CapturedFrames.Slot)] = []
    private var frameNumber: UInt64 = 0
    private var pending: [AttemptRecord] = []
    private var gaps = CaptureGaps()
    private var statistics = LiveStatistics()
    private var lastReading: Int64
    private var nextReading: Int64 = 0
    private var nextInterval = Int64.max
    private var recordsLetGo: UInt64 = 0
    private var framesLetGo: UInt64 = 0
    private var blockedFrames: [UInt64] = []

    private let wakeDescriptor = clinux_wake_descriptor()
    private let isStopped = Atomic(false)
    private let isHurried = Atomic(false)
    private var patience: Int64 = 0
    /// Whether the reader took nothing at the end for as long as it was waited for.
    private(set) var hasGivenUp = false
    /// Why it ended, if not as asked.
    private(set) var failure: CaptureError?

    /// The totals, once it has ended.
    var end: (summary: HandshakeSummary, loss: CaptureLoss) { (tracker.summary, loss) }

    /// - Parameter writer: what makes blocks of handshake frames, its header taken.
    init(
        _ capture: LiveCapture, _ configuration: HandshakeTracker.Configuration, limits: Limits,
        verifiesChecksums: Bool, tunnelRules: TunnelRules,
        writer: SavefileWriter?, outlets: LiveOutlets
    ) {
        self.capture = capture
        self.limits = limits
        self.outlets = outlets
        self.writer = writer
        var configuration = configuration
        if writer != nil { configuration.listing = .recordsAndEvidence }
        // One thread follows them all, and asks for the sums often.
        configuration.shards = 1
        configuration.decidesEndsEarly = true
        tracker = HandshakeTracker(configuration)
        batch = tracker.makeBatch()
        decoders = capture.linkTypes.map {
            FrameDecoder($0, verifiesChecksums: verifiesChecksums, tunnelRules: tunnelRules)
        }
        lastReading = Clock.wall
    }

    /// With the frames that held the other fragments of theirs; once it has ended.
    func withFragments(_ frames: [UInt64]) -> [UInt64] { batch.withFragments(frames) }

    /// Asks it to end; safe from any thread.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        clinux_wake(wakeDescriptor)
    }

    /// Once asked to end: does not wait for whoever takes the report; safe from any thread.
    func hurry() { isHurried.store(true, ordering: .relaxed) }

    func run() {
        var frames = CapturedFrames()
        let end = limits.duration.map { Clock.steady + $0 }
        if let interval = limits.interval { nextInterval = Clock.steady + interval }
        while !isStopped.load(ordering: .acquiring) {
            capture.wait(milliseconds: 100, or: wakeDescriptor)
            let steady = Clock.steady
            tracker.pass(steady: steady)
            // Some rounds, so that the clock and the counters are looked at also while frames keep coming.
            for _ in 0..<16 {
                lose(capture.take(into: &frames))
                analyse(frames)
                if frames.count == 0 || isCountReached || pending.count >= LiveAnalysis.maximumPending { break }
            }
            if steady >= nextReading || pending.count >= LiveAnalysis.maximumPending { read(steady) }
            if isCountReached || failure != nil { break }
            if let end, steady >= end { break }
        }
        drain(&frames)
    }

    private var isCountReached: Bool { limits.count.map { frameNumber >= $0 } ?? false }

    // MARK: Frames

    private func analyse(_ frames: borrowing CapturedFrames) {
        for slot in frames.slots {
            if isCountReached { break }
            frameNumber += 1
            frames.withSpan(of: slot) {
                batch.append(
                    $0, wireLength: slot.wireLength, number: frameNumber, time: slot.time,
                    decoder: decoders[slot.interface])
            }
            if writer != nil { places.append((frameNumber, slot)) }
            if batch.isFull { receive(frames) }
        }
        // What is held back must not wait for the next frame.
        batch.passFragments(Clock.wall)
        if batch.count > 0 { receive(frames) }
        flushBlocks()
        if tracker.hasDecided { pending += tracker.drain() }
    }

    private func receive(_ frames: borrowing CapturedFrames) {
        tracker.receive(batch)
        if writer != nil { keep(frames) }
        batch.removeAll()
        places.removeAll(keepingCapacity: true)
    }

    /// Writes the frames of handshakes: those with SYN, FIN or RST, ICMP errors, fragments, and what else was evidence.
    private func keep(_ frames: borrowing CapturedFrames) {
        let evidence = Set(tracker.takeEvidence())
        // A fragment may be held back, and decide something when its place is no longer known: so all of them are kept.
        var unimportant: Set<UInt64> = []
        for position in 0..<batch.count where !isControl(position) {
            unimportant.insert(batch.heads[position].number)
        }
        for (number, slot) in places where !unimportant.contains(number) || evidence.contains(number) {
            writer?.write(
                frames.octets(of: slot), wireLength: slot.wireLength, time: slot.time, interface: slot.interface,
                comment: numbersFrames ? "frame \(number)" : nil)
            blockedFrames.append(number)
        }
    }

    private func isControl(_ position: Int) -> Bool {
        let control: TCPFlags = [.syn, .fin, .rst]
        if batch.heads[position].isUsual { return !batch.segments[position].flags.isDisjoint(with: control) }
        switch batch.others[position].kind {
        case .segment: return !batch.others[position].segment.flags.isDisjoint(with: control)
        case .icmpError: return true
        case .ignored: return batch.others[position].reason == .laterFragment
        case .malformed, .cut: return false
        }
    }

    private func flushBlocks() {
        guard !blockedFrames.isEmpty, let blocks = writer?.takeOctets() else { return }
        if outlets.frames?.add(.blocks(blocks, blockedFrames), size: blocks.count) != true {
            framesLetGo += UInt64(blockedFrames.count)
        }
        blockedFrames.removeAll(keepingCapacity: true)
    }

    // MARK: Counters and reports

    /// Reads the drop counters, and hands on what was decided until now.
    private func read(_ steady: Int64) {
        nextReading = steady + LiveAnalysis.period
        let now = Clock.wall
        let latest = capture.statistics()
        if latest.dropped != statistics.dropped || latest.droppedByInterface != statistics.droppedByInterface {
            // A frame's time is up to a block's age before the moment at which it is counted.
            let first = min(lastReading, now) - LiveCapture.latency
            gaps.add(first...max(first, now))
        }
        statistics = latest
        lastReading = now
        capture.checkInterfaces()
        if limits.waits {
            for name in capture.reopen() { StandardError.write("\(name): the interface is there") }
            for (position, linkType) in capture.linkTypes.enumerated() where decoders[position].linkType != linkType {
                decoders[position] = FrameDecoder(
                    linkType, verifiesChecksums: decoders[position].verifiesChecksums,
                    tunnelRules: decoders[position].tunnelRules)
            }
        }
        if tracker.hasDecided { pending += tracker.drain() }
        if steady >= nextLook {
            nextLook = steady + LiveAnalysis.lookPeriod
            waiting = tracker.waiting(now: now)
        }
        handOn(now, standing(tracker))
        endInterval(steady, now)
    }

    /// Where a slow reader leaves no room, the interval goes on.
    private func endInterval(_ steady: Int64, _ now: Int64) {
        guard let interval = limits.interval, steady >= nextInterval else { return }
        if outlets.reports?.add(.interval(now), size: 1) == true {
            nextInterval += interval * max(1, (steady - nextInterval) / interval + 1)
        }
    }

    private func handOn(_ now: Int64, _ standing: Monitor.Standing) {
        for position in pending.indices { gaps.lower(&pending[position], decided: now) }
        if !pending.isEmpty, let reports = outlets.reports, !offer(to: reports) {
            recordsLetGo += UInt64(pending.count)
        }
        outlets.monitor.take(pending, standing, now: now)
        pending.removeAll(keepingCapacity: true)
    }

    /// Puts what was decided in the reporter's queue; false where there is no room, which is waited for at the end
    /// only.
    private func offer(to reports: BoundedQueue<LiveOutlets.Report>) -> Bool {
        let deadline = Clock.steady + patience
        while !reports.add(.attempts(pending), size: pending.count) {
            if patience == 0 { return false }
            if Clock.steady >= deadline || reports.isClosed || isHurried.load(ordering: .relaxed) {
                patience = 0
                hasGivenUp = true
                return false
            }
            usleep(2000)
        }
        return true
    }

    private var loss: CaptureLoss {
        var loss = CaptureLoss()
        loss.received = statistics.received
        loss.kernelDropped = statistics.dropped
        loss.interfaceDropped = statistics.droppedByInterface
        loss.recordsLetGo = recordsLetGo
        loss.framesLetGo = framesLetGo + outlets.monitor.savefile.framesLost
        return loss
    }

    private func standing(_ tracker: borrowing HandshakeTracker) -> Monitor.Standing {
        var standing = Monitor.Standing()
        standing.summary = tracker.summary
        standing.loss = loss
        standing.open = tracker.openAttempts
        if standing.open > 0 { standing.waiting = waiting }
        standing.waitingFor = capture.missing
        return standing
    }

    private func lose(_ failures: [CaptureError]) {
        for error in failures {
            if limits.waits {
                StandardError.write("\(error); waiting for its return")
            } else if capture.interfaces.isEmpty {
                failure = error
            } else {
                StandardError.write("\(error); the others go on")
            }
        }
    }

    // MARK: The end

    /// The kernel takes nothing new; what it holds is analysed, and everything that is open is decided.
    private func drain(_ frames: inout CapturedFrames) {
        capture.drain(into: &frames) { frames, failures in
            lose(failures)
            analyse(frames)
            return !isCountReached
        }
        batch.endFragments()
        receive(frames)
        flushBlocks()
        tracker.pass(steady: Clock.steady)
        read(Clock.steady)
        // All that is open may be more than there is room for, and no frame waits any more: so the reader is waited
        // for, as long as it takes something.
        patience = LiveAnalysis.maximumPatience
        func hand(_ tracker: inout HandshakeTracker) {
            pending = tracker.drain()
            handOn(Clock.wall, standing(tracker))
        }
        tracker.end(hand)
        hand(&tracker)
    }
}
