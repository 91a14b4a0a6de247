import CLinux
import Glibc
import HandshakeExpectation
import HandshakeMonitor
import HandshakePipeline
import HandshakeRecord
import HandshakeReport
import PacketCapture
import Synchronization
import WorkerThreads

/// A check of what interfaces carry while a command runs, or for a time.
///
/// The command starts once the capture is on, with the rights of whoever called; this process then gives up its own.
struct LiveCheck {
    private let command: Check
    private let plan: CheckPlan

    init(_ command: Check, _ plan: CheckPlan) {
        self.command = command
        self.plan = plan
    }

    /// Attempts that wait to be judged at most, and octets of handshake frames that are kept for -w.
    private static let maximumReports = 1 << 20
    private static let maximumKept = 256 << 20
    /// Nanoseconds after the command's end until what it sent has come through the kernel's buffer.
    private static let latency: Int64 = 500_000_000

    func run() throws {
        let confinement = Confinement.capturing()
        let account = try Confinement.Account(command.capture.user ?? Confinement.defaultUser)
        let filter =
            command.input.filter
            ?? (command.input.arguments.isEmpty ? nil : command.input.arguments.joined(separator: " "))
        let options = command.capture.liveOptions(filter: filter, waits: false)
        let signals = clinux_signal_descriptor()
        let capture = try command.capture.open(options)
        let child = try command.command.map { try Child($0) }
        try confinement.reduceRights(account)
        try confinement.enter()

        let (started, steady) = (Clock.wall, Clock.steady)
        let description = CaptureOptions.describe(capture, options, started: started)
        let monitor = Monitor(description, started: started)
        let reports = BoundedQueue<LiveOutlets.Report>(limit: Self.maximumReports)
        let kept = plan.evidence == nil ? nil : KeptFrames(capture, limit: Self.maximumKept)
        let outlets = LiveOutlets(reports: reports, frames: kept?.queue, monitor: monitor)
        let outputs = LiveOutputs(outlets, writer: kept?.writer, numbersFrames: true)
        let pipeline = LivePipeline(
            capture, command.input.tracking.configuration(usual: Watch.usualAttempts),
            limits: .init(count: command.input.count, duration: command.duration),
            verifiesChecksums: command.input.tracking.verifiesChecksums,
            tunnelRules: command.input.tracking.tunnelRules, taker: outputs)
        let ending = RunEnding()
        CaptureOptions.announce(capture, options)
        let jury = Jury(plan)
        let juryThread = WorkThread("judge") {
            while let waiting = reports.take() { jury.take(waiting) }
        }
        let captureThread = WorkThread("capture") {
            pipeline.run()
            ending.note(.captureEnded)
        }
        let isInterrupted = attend(signals, child, monitor, jury, ending, since: steady)
        let wasRunning = child?.stop() ?? false
        pipeline.stop()
        captureThread.join()
        kept?.end()
        reports.end()
        juryThread.join()

        var context = CheckContext()
        context.captures = command.capture.interfaces
        context.numbering = .noFile
        context.started = started
        let end = pipeline.end
        let (summary, loss) = (end.summary, outputs.addingLosses(to: end.loss))
        context.notes = notes(summary, loss, framesLost: (kept?.lost ?? 0) + Int(loss.unwrittenFrames), isInterrupted)
        let status = child?.status
        if let status, status != 0, !wasRunning { context.errors.append("the command ended with status \(status)") }
        if wasRunning { context.errors.append("the command was still running, and was ended") }
        if let failure = pipeline.failure { context.errors.append(failure.description) }
        if loss.unreportedRecords > 0 {
            context.errors.append("\(loss.unreportedRecords) attempts came too fast to be judged")
        }
        var verdict = jury.verdict(plan, summary)
        verdict.isIncomplete = loss.unreportedRecords > 0
        verdict.doubt(summary.doubts)
        plan.keep(verdict, &context) { kept?.octets(of: Set(pipeline.withFragments(verdict.frames))) ?? [] }
        context.elapsed = Clock.steady - steady
        try plan.report(verdict, context, plan.style) {
            if !verdict.passed { throw CommandFailure(status: .failed, message: nil) }
            if pipeline.failure != nil { throw CommandFailure(status: .notPermitted, message: nil) }
            if child != nil, status != 0 { throw CommandFailure(status: .commandFailed, message: nil) }
            if !context.errors.isEmpty { throw CommandFailure(status: .unreadable, message: nil) }
        }
    }

    /// Reasons why the verdict may not be whole.
    private func notes(
        _ summary: HandshakeSummary, _ loss: CaptureLoss, framesLost: Int, _ isInterrupted: Bool
    ) -> [String] {
        var notes: [String] = []
        let dropped = (loss.kernelDropped ?? 0) + (loss.interfaceDropped ?? 0)
        if dropped > 0 {
            notes.append("\(dropped) frames were dropped before they were captured: what is missing may be among them")
        }
        if framesLost > 0 { notes.append("\(framesLost) frames were too many to be kept for -w") }
        if summary.undecided > 0 {
            notes.append(
                "\(Format.count(summary.undecided, "attempt")) not decided at the end: --expect-within waits for such")
        }
        if isInterrupted { notes.append("interrupted") }
        return notes
    }

    /// Waits until the run is to end.
    /// - Returns: whether the user ended it.
    private func attend(
        _ signals: Int32, _ child: Child?, _ monitor: Monitor, _ jury: Jury, _ ending: RunEnding, since start: Int64
    ) -> Bool {
        var since = child == nil ? start : nil
        while ending.reason == nil {
            var waiting = [
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ending.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            if let child, since == nil {
                waiting.append(pollfd(fd: child.descriptor, events: Int16(POLLIN), revents: 0))
            }
            unsafe poll(&waiting, nfds_t(waiting.count), since == nil || command.expectWithin == nil ? -1 : 100)
            while case let number = clinux_next_signal(signals), number != 0 {
                if number == SIGINT || number == SIGTERM || number == SIGHUP { return true }
            }
            if let child, since == nil, child.hasEnded {
                guard command.expectWithin != nil else { return false }
                since = Clock.steady
            }
            if let since, let patience = command.expectWithin {
                let waited = Clock.steady - since
                if waited >= patience { return false }
                // Without a command the first attempts may be still to come.
                let standing = monitor.standing
                let isQuiet = standing.open == 0 && jury.attempts == standing.summary.attempts
                if waited >= Self.latency, isQuiet, child != nil || jury.hasMatched { return false }
            }
        }
        return false
    }
}

/// The command of `--while`.
private final class Child {
    private let process: pid_t
    let descriptor: Int32
    private var leash: Int32
    /// Nil while it runs.
    private(set) var status: Int32?

    init(_ command: String) throws(CommandFailure) {
        var (descriptor, leash): (Int32, Int32) = (-1, -1)
        process = unsafe clinux_start(command, &descriptor, &leash)
        self.descriptor = descriptor
        self.leash = leash
        if process < 0 {
            throw CommandFailure(
                status: .wrongUsage, message: "--while: cannot start it: \(unsafe String(cString: strerror(errno)))")
        }
    }

    var hasEnded: Bool {
        if status == nil {
            let code = clinux_exit_status(process)
            if code >= 0 { status = code }
        }
        return status != nil
    }

    /// Ends it, if it still runs.
    /// - Returns: whether it did.
    func stop() -> Bool {
        if hasEnded { return false }
        close(leash)
        leash = -1
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        unsafe poll(&waiting, 1, 5000)
        _ = hasEnded
        return true
    }
}

/// The check, between the thread that judges and the one that waits.
private final class Jury: Sendable {
    private struct State {
        var check: RuleCheck
        /// All that came, those that -Y leaves out included.
        var attempts: UInt64 = 0
    }
    private let state: Mutex<State>

    init(_ plan: CheckPlan) { state = Mutex(State(check: plan.check)) }

    var attempts: UInt64 { state.withLock { $0.attempts } }
    var hasMatched: Bool { state.withLock { $0.check.hasMatched && $0.attempts > 0 } }

    func take(_ reports: [LiveOutlets.Report]) {
        state.withLock { state in
            for case .attempts(let records) in reports {
                state.attempts += UInt64(records.count)
                for record in records { state.check.take(record) }
            }
        }
    }

    func verdict(_ plan: CheckPlan, _ summary: HandshakeSummary) -> CheckVerdict {
        state.withLock { plan.verdict(of: $0.check, summary.quality) }
    }
}

/// Frames of handshakes in memory, until it is known which of them are wanted.
///
/// Unchecked: its thread fills it, and who asks for octets has joined that.
private final class KeptFrames: @unchecked Sendable {
    let queue: BoundedQueue<LiveOutlets.FileWork>
    /// The writer of the blocks, its header taken.
    let writer: SavefileWriter
    private let header: [UInt8]
    private var blocks: [UInt8] = []
    private var numbers: [UInt64] = []
    /// Frames beyond the limit.
    private(set) var lost = 0
    private var thread: WorkThread?

    init(_ capture: LiveCapture, limit: Int) {
        queue = BoundedQueue(limit: limit)
        var writer = SavefileWriter(
            .pcapng, capture.interfaces.map { .init(name: $0.name, linkType: $0.linkType, snaplen: $0.snaplen) })
        header = writer.takeOctets()
        self.writer = writer
        thread = WorkThread("frames") { [unowned self] in
            while let works = queue.take() {
                for case .blocks(let octets, let numbers) in works {
                    if blocks.count + octets.count > limit {
                        lost += numbers.count
                    } else {
                        blocks += octets
                        self.numbers += numbers
                    }
                }
            }
        }
    }

    func end() {
        queue.end()
        thread?.join()
    }

    /// A savefile of the frames with some numbers.
    func octets(of wanted: Set<UInt64>) -> [UInt8] {
        var octets = header
        var rest = blocks[...]
        for number in numbers {
            // A block's length follows its type, and counts both.
            let length = rest.dropFirst(4).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            if wanted.contains(number) { octets += rest.prefix(length) }
            rest = rest.dropFirst(length)
        }
        return octets
    }
}
