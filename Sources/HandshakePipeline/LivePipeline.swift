import CLinux
import Glibc
package import HandshakeAnalysis
package import HandshakeRecord
package import PacketCapture
package import PacketWire
import Synchronization

/// Frames of a live source in, decided attempts out. Everything is done on the one thread that runs it, so that a frame
/// is touched while it is in the cache; the kernel's buffer takes the bursts.
///
/// Unchecked: the thread that runs it owns it until it has ended; `stop` is for others too.
package final class LivePipeline: @unchecked Sendable {
    package struct Limits: Sendable {
        /// Frames.
        package var count: UInt64?
        /// Nanoseconds.
        package var duration: Int64?
        /// Whether an interface that went away is waited for.
        package var waits: Bool

        package init(count: UInt64? = nil, duration: Int64? = nil, waits: Bool = false) {
            (self.count, self.duration, self.waits) = (count, duration, waits)
        }
    }

    /// Nanoseconds between readings of the drop counters. Attempts are handed on after one, so that a drop they overlap
    /// is known.
    private static let period: Int64 = 250_000_000
    /// Attempts after which one is taken early.
    private static let maximumPending = 4096

    private let source: any LiveSource
    private let taker: any LiveTaker
    /// Whether it keeps frames.
    private let keepsFrames: Bool
    private let limits: Limits
    private var tracker: HandshakeTracker
    /// The attempts that waited at the last look, and when the next look is, by the steady clock.
    private var waiting = WaitingAttempts()
    private var nextLook: Int64 = 0
    private static let lookPeriod: Int64 = 1_000_000_000
    private var decoders: [FrameDecoder]

    private var batch: FrameBatch
    /// Numbers and places of the frames since the last batch.
    private var places: [(number: UInt64, slot: CapturedFrames.Slot)] = []
    private var frameNumber: UInt64 = 0
    private var pending: [AttemptRecord] = []
    private var gaps = CaptureGaps()
    private var statistics = LiveStatistics()
    private var lastReading: Int64
    private var nextReading: Int64 = 0

    private let wakeDescriptor = clinux_wake_descriptor()
    private let isStopped = Atomic(false)
    /// Why it ended, if not as asked.
    package private(set) var failure: CaptureError?

    package init(
        _ source: any LiveSource, _ configuration: HandshakeTracker.Configuration, limits: Limits = Limits(),
        verifiesChecksums: Bool = true, tunnelRules: TunnelRules = TunnelRules(), taker: any LiveTaker
    ) {
        self.source = source
        self.limits = limits
        self.taker = taker
        keepsFrames = taker.keepsFrames
        var configuration = configuration
        if keepsFrames { configuration.listing = .recordsAndEvidence }
        // One thread follows them all, and asks for the sums often.
        configuration.shards = 1
        configuration.decidesEndsEarly = true
        tracker = HandshakeTracker(configuration)
        batch = tracker.makeBatch()
        decoders = source.linkTypes.map {
            FrameDecoder($0, verifiesChecksums: verifiesChecksums, tunnelRules: tunnelRules)
        }
        lastReading = Clock.wall
    }

    deinit { if wakeDescriptor >= 0 { close(wakeDescriptor) } }

    /// The given frames, and those with the other fragments of their packets; once it has ended.
    package func withFragments(_ frames: [UInt64]) -> [UInt64] { batch.withFragments(frames) }

    /// Asks it to end; safe from any thread.
    package func stop() {
        isStopped.store(true, ordering: .releasing)
        clinux_wake(wakeDescriptor)
    }

    /// The totals, and what was lost, once it has ended.
    package var end: (summary: HandshakeSummary, loss: CaptureLoss) { (tracker.summary, loss) }

    package func run() {
        var frames = CapturedFrames()
        let end = limits.duration.map { Clock.steady + $0 }
        while !isStopped.load(ordering: .acquiring) {
            source.wait(milliseconds: 100, or: wakeDescriptor)
            let steady = Clock.steady
            tracker.pass(steady: steady)
            // Some rounds, so that the clock and the counters are looked at also while frames keep coming.
            for _ in 0..<16 {
                lose(source.read(into: &frames))
                analyse(frames)
                if frames.count == 0 || isCountReached || pending.count >= LivePipeline.maximumPending { break }
            }
            if steady >= nextReading || pending.count >= LivePipeline.maximumPending { read(steady) }
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
            if keepsFrames { places.append((frameNumber, slot)) }
            if batch.isFull { receive(frames) }
        }
        // Frames that are held back must not wait for the next one.
        batch.passFragments(Clock.wall)
        if batch.count > 0 { receive(frames) }
        taker.endRound()
        if tracker.hasDecided { pending += tracker.drain() }
    }

    private func receive(_ frames: borrowing CapturedFrames) {
        tracker.receive(batch)
        if keepsFrames { keep(frames) }
        batch.removeAll()
        places.removeAll(keepingCapacity: true)
    }

    /// Hands on the frames of handshakes: with SYN, FIN or RST, ICMP errors, fragments, and what else was evidence.
    private func keep(_ frames: borrowing CapturedFrames) {
        let evidence = Set(tracker.takeEvidence())
        // A fragment may be held back, and decide something when its place is no longer known: so all of them are kept.
        var unimportant: Set<UInt64> = []
        for position in 0..<batch.count where !isControl(position) {
            unimportant.insert(batch.heads[position].number)
        }
        for (number, slot) in places where !unimportant.contains(number) || evidence.contains(number) {
            taker.keep(slot, of: frames, number: number)
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

    // MARK: Counters and reports

    /// Reads the drop counters, and hands on what was decided until now.
    private func read(_ steady: Int64) {
        nextReading = steady + LivePipeline.period
        let now = Clock.wall
        let latest = source.statistics()
        if latest.dropped != statistics.dropped || latest.droppedByInterface != statistics.droppedByInterface {
            // A frame's time is up to a block's age before the moment at which it is counted.
            let first = min(lastReading, now) - LiveCapture.latency
            gaps.add(first...max(first, now))
        }
        statistics = latest
        lastReading = now
        source.checkInterfaces()
        if limits.waits {
            for name in source.reopen() { taker.tell(.returned(name)) }
            for (position, linkType) in source.linkTypes.enumerated() where decoders[position].linkType != linkType {
                decoders[position] = FrameDecoder(
                    linkType, verifiesChecksums: decoders[position].verifiesChecksums,
                    tunnelRules: decoders[position].tunnelRules)
            }
        }
        if tracker.hasDecided { pending += tracker.drain() }
        if steady >= nextLook {
            nextLook = steady + LivePipeline.lookPeriod
            waiting = tracker.waiting(now: now)
        }
        handOn(standing(tracker), now, steady)
    }

    private func handOn(_ standing: LiveStanding, _ now: Int64, _ steady: Int64) {
        for position in pending.indices { gaps.lower(&pending[position], decided: now) }
        taker.take(pending, standing, now: now, steady: steady)
        pending.removeAll(keepingCapacity: true)
    }

    private var loss: CaptureLoss {
        var loss = CaptureLoss()
        loss.received = statistics.received
        loss.kernelDropped = statistics.dropped
        loss.interfaceDropped = statistics.droppedByInterface
        return loss
    }

    private func standing(_ tracker: borrowing HandshakeTracker) -> LiveStanding {
        var standing = LiveStanding()
        standing.summary = tracker.summary
        standing.loss = loss
        standing.open = tracker.openAttempts
        if standing.open > 0 { standing.waiting = waiting }
        standing.waitingFor = source.missing
        return standing
    }

    private func lose(_ failures: [CaptureError]) {
        for error in failures {
            if limits.waits {
                taker.tell(.awaits(error))
            } else if source.isGone {
                failure = error
            } else {
                taker.tell(.lost(error))
            }
        }
    }

    // MARK: The end

    /// The kernel takes nothing new; what it holds is analysed, and everything that is open is decided.
    private func drain(_ frames: inout CapturedFrames) {
        source.drain(into: &frames) { frames, failures in
            lose(failures)
            analyse(frames)
            return !isCountReached
        }
        batch.endFragments()
        receive(frames)
        taker.endRound()
        tracker.pass(steady: Clock.steady)
        read(Clock.steady)
        taker.endCapture()
        // A summary takes longer than what is decided at once: it is made some times a second.
        var last = standing(tracker)
        func hand(_ tracker: inout HandshakeTracker) {
            pending = tracker.drain()
            let steady = Clock.steady
            if steady >= nextReading {
                nextReading = steady + LivePipeline.period
                last = standing(tracker)
            }
            handOn(last, Clock.wall, steady)
        }
        tracker.end(hand)
        hand(&tracker)
        handOn(standing(tracker), Clock.wall, Clock.steady)
    }
}
