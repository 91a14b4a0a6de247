import CLinux
import Glibc
import HandshakePipeline
import HandshakeRecord
import HandshakeMonitor
import HandshakeReport
import PacketCapture
import PacketWire
import Synchronization
import WorkerThreads

/// The receivers of a live capture. None of them waits before the end.
struct LiveOutlets: Sendable {
    enum Report: Sendable {
        case attempts([AttemptRecord])
        /// An interval is over, at a time in nanoseconds since the epoch.
        case interval(Int64)
        /// Situations begin or end.
        case situations([SituationCourse.Event])
        /// Attempts wait for servers that were not told yet.
        case waiting(WaitingCourse.News)
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

/// Hands attempts to the reporter, frames to the thread of the file, and both to the monitor.
///
/// Unchecked: the capture's thread owns it until that has ended; `hurry` is for others too.
final class LiveOutputs: LiveTaker, @unchecked Sendable {
    let outlets: LiveOutlets
    let keepsFrames: Bool
    private var writer: SavefileWriter?
    /// Whether each frame that is written says which it was.
    private let numbersFrames: Bool
    /// Nanoseconds between reports of intervals; nil for none.
    private let interval: Int64?
    private var nextInterval = Int64.max
    private var blockedFrames: [UInt64] = []
    private var unreportedRecords: UInt64 = 0
    private var unwrittenFrames: UInt64 = 0
    private var waitingCourse = WaitingCourse()

    /// Nanoseconds that room in the reporter's queue is waited for at the end.
    private static let maximumPatience: Int64 = 5_000_000_000
    private var patience: Int64 = 0
    private let isHurried = Atomic(false)
    /// Whether the reader took nothing at the end for as long as it was waited for.
    private(set) var hasGivenUp = false

    /// - Parameter writer: what makes blocks of handshake frames, its header taken.
    init(_ outlets: LiveOutlets, writer: SavefileWriter?, numbersFrames: Bool = false, interval: Int64? = nil) {
        self.outlets = outlets
        self.writer = writer
        self.numbersFrames = numbersFrames
        self.interval = interval
        keepsFrames = writer != nil
        if let interval { nextInterval = Clock.steady + interval }
    }

    /// Adds what was not handed on.
    func addingLosses(to loss: CaptureLoss) -> CaptureLoss {
        var loss = loss
        loss.unreportedRecords = unreportedRecords
        loss.unwrittenFrames = unwrittenFrames + outlets.monitor.savefile.framesLost
        return loss
    }

    func keep(_ slot: CapturedFrames.Slot, of frames: borrowing CapturedFrames, number: UInt64) {
        writer?.write(
            frames.octets(of: slot), wireLength: slot.wireLength, time: slot.time, interface: slot.interface,
            comments: numbersFrames ? ["frame \(number)"] : [])
        blockedFrames.append(number)
    }

    func endRound() {
        guard !blockedFrames.isEmpty, let blocks = writer?.takeOctets() else { return }
        if outlets.frames?.add(.blocks(blocks, blockedFrames), size: blocks.count) != true {
            unwrittenFrames += UInt64(blockedFrames.count)
        }
        blockedFrames.removeAll(keepingCapacity: true)
    }

    func take(_ records: [AttemptRecord], _ standing: LiveStanding, now: Int64, steady: Int64) {
        if !records.isEmpty, let reports = outlets.reports, !offer(records, to: reports) {
            unreportedRecords += UInt64(records.count)
        }
        var standing = standing
        standing.loss = addingLosses(to: standing.loss)
        outlets.monitor.take(records, standing, now: now)
        tellWaiting(standing.waiting, now)
        endInterval(steady, now)
    }

    /// Where a slow reader leaves no room, this is not told: the attempts are, once they are decided.
    private func tellWaiting(_ waiting: WaitingAttempts, _ now: Int64) {
        guard let reports = outlets.reports, let news = waitingCourse.take(waiting, now: now) else { return }
        _ = reports.add(.waiting(news), size: 1)
    }

    /// Where a slow reader leaves no room, the interval goes on.
    private func endInterval(_ steady: Int64, _ now: Int64) {
        guard let interval, steady >= nextInterval else { return }
        if outlets.reports?.add(.interval(now), size: 1) == true {
            nextInterval += interval * max(1, (steady - nextInterval) / interval + 1)
        }
    }

    /// Puts what was decided in the reporter's queue; false where there is no room, which is waited for at the end
    /// only.
    private func offer(_ records: [AttemptRecord], to reports: BoundedQueue<LiveOutlets.Report>) -> Bool {
        let deadline = Clock.steady + patience
        while !reports.add(.attempts(records), size: records.count) {
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

    /// All that is open may be more than there is room for, and no frame waits any more: so the reader is waited for,
    /// as long as it takes something.
    func endCapture() {
        patience = LiveOutputs.maximumPatience
        nextInterval = .max
    }

    /// Once asked to end: does not wait for whoever takes the report; safe from any thread.
    func hurry() { isHurried.store(true, ordering: .relaxed) }

    func tell(_ event: LiveEvent) {
        switch event {
        case .awaits(let error): StandardError.write("\(error); waiting for its return")
        case .lost(let error): StandardError.write("\(error); the others go on")
        case .returned(let name): StandardError.write("\(name): the interface is there")
        }
    }
}
