import CLinux
import Glibc
import HandshakeDiagnosis
import HandshakeExpectation
import HandshakeMonitor
import HandshakePipeline
import HandshakeRecord
import HandshakeReport
import HandshakeService
import PacketCapture
import PacketWire
import Synchronization
import WorkerThreads

/// One run of `watch`: opens what needs rights, gives them up, starts the threads, and sees to signals until the end.
///
/// The capture's thread (`LivePipeline`) waits for the others at its end only: attempts go to the reporter's thread and
/// frames to the file's over bounded queues, the screen and the service look at the monitor.
struct WatchRun {
    private let command: Watch

    init(_ command: Watch) { self.command = command }

    /// Attempts that wait for a slow reader of our output at most, and octets that wait for a slow disk.
    private static let maximumReports = 16_384
    private static let maximumBlocks = 64 << 20
    /// Nanoseconds after the end that a reader of our output has to take what waits for it.
    private static let patience: Int64 = 5_000_000_000

    func run() throws {
        let style = command.text.style(in: command.times.zone)
        let selection = try command.selection.predicate(relativeTo: .now)
        let table = command.isGrouped ? try command.groups.table() : nil
        let columns = try command.records.columns()
        let confinement = Confinement.capturing(
            reopens: command.wait, folder: command.output.map(RotatingSavefile.folder),
            serves: command.service.listen != nil)
        let account = try Confinement.Account(command.capture.user ?? Confinement.defaultUser)
        let access = try command.service.access()
        // While there are the rights to bind it; the process that removes a Unix socket keeps them.
        let socket = try command.service.listen.map { place throws(CommandFailure) in
            if let warning = command.service.warning(place) { StandardError.write(warning) }
            return try command.service.open(place)
        }
        let signals = clinux_signal_descriptor()
        let options = command.liveOptions
        let capture = try command.capture.open(options)
        // Before files are opened: what root may not overwrite is then the system's to say.
        try confinement.reduceRights(account)
        let summaryFile = try command.records.openSummary([])
        let now = Clock.wall
        var writer: SavefileWriter?
        var file: RotatingSavefile?
        if let path = command.output {
            var blocks = SavefileWriter(
                .pcapng,
                zip(command.capture.interfaces, capture.linkTypes).map {
                    .init(name: $0, linkType: $1, snaplen: command.capture.snaplen)
                })
            do throws(CaptureError) {
                file = try RotatingSavefile(
                    path: path, header: blocks.takeOctets(), rotation: command.rotation, now: now)
            } catch {
                throw CommandFailure(status: .unreadable, message: Self.explain(error, path, account))
            }
            writer = blocks
        }
        try confinement.enter()
        // The guard of the terminal is a process of its own: it starts before the threads.
        let terminal = command.screen ? clinux_take_terminal(STDOUT_FILENO) : -1

        let description = CaptureOptions.describe(capture, options, started: now)
        let monitor = Monitor(description, started: now)
        let listsAttempts = !command.quiet && !command.screen
        let outlets = LiveOutlets(
            reports: listsAttempts ? BoundedQueue(limit: Self.maximumReports) : nil,
            frames: command.output == nil ? nil : BoundedQueue(limit: Self.maximumBlocks), monitor: monitor)
        let outputs = LiveOutputs(outlets, writer: writer, interval: command.every)
        let pipeline = LivePipeline(
            capture, command.tracking.configuration(usual: Watch.usualAttempts),
            limits: .init(count: command.count, duration: command.duration, waits: command.wait),
            verifiesChecksums: command.tracking.verifiesChecksums, tunnelRules: command.tracking.tunnelRules,
            taker: outputs)
        let ending = RunEnding()
        let reports = outlets.reports ?? BoundedQueue(limit: Self.maximumReports)
        let reporter = Reporter(sink(table, style, selection, columns, summaryFile), reports, ending)
        if !command.screen { CaptureOptions.announce(capture, options) }
        let fileThread = outlets.frames.map { FileThread(file.take(), $0, monitor, ending, isQuiet: command.screen) }
        let reportThread = WorkThread("report") { reporter.run(description) }
        let diagnosis = DiagnosisThread(monitor, outlets.reports)
        let captureThread = WorkThread("capture") {
            pipeline.run()
            ending.note(.captureEnded)
        }

        let server = try socket.map { socket in try serve(socket, access, monitor, ending) }

        var screen = command.screen ? Screen(style, description) : nil
        attend(signals, &screen, monitor, outlets, ending, style.zone)

        pipeline.stop()
        if !wait(signals, ending, for: .max, until: { ending.isCaptureOver }) { outputs.hurry() }
        captureThread.join()
        diagnosis.stop()
        clinux_release_terminal(terminal)
        outlets.frames?.end()
        fileThread?.join()
        let end = pipeline.end
        let (summary, loss) = (end.summary, outputs.addingLosses(to: end.loss))
        _ = reports.add(.end(summary, loss), size: 0)
        reports.end()
        let patience = outputs.hasGivenUp ? 0 : Self.patience
        let isReported = wait(signals, ending, for: patience) { ending.isReported }
        if isReported { reportThread.join() }
        withExtendedLifetime(server) { clinux_remove_socket(socket?.guardDescriptor ?? -1) }
        if !showsTotals || !isReported { StandardError.write(Self.closing(summary, loss)) }
        if !isReported { StandardError.write("standard output's reader did not take the end of the report") }
        try ending.rethrow()
        if let failure = pipeline.failure {
            throw CommandFailure(
                status: .notPermitted, message: "\(failure). --wait would have waited for its return")
        }
        if !isReported { throw CommandFailure(status: .unreadable, message: nil) }
    }

    /// The sink of the report: attempts, or groups where there is a table.
    private func sink(
        _ table: GroupTable?, _ style: TextStyle, _ selection: Predicate?, _ columns: ChosenColumns?,
        _ summaryFile: OutputFile?
    ) -> any ReportSink {
        if let table {
            let settings = GroupSink.Settings(
                hasIntervals: command.every != nil, isJSON: command.format == .jsonl, order: command.groups.sort,
                top: command.groups.top, showsFilters: command.verbose, style: style, selection: selection)
            return GroupSink(table, settings)
        }
        return AttemptSink(
            format: command.format, quiet: command.quiet || command.screen, style: style,
            output: StandardOutput(isLineBuffered: true), selection: selection,
            context: command.records.context(.noFile), columns: columns, summary: summaryFile,
            isVerbose: command.verbose)
    }

    /// Whether the report shows the user the counts of frames at its end, so that they need not be said again.
    private var showsTotals: Bool {
        command.format == .text && !command.isGrouped && Terminal.isTerminal(STDOUT_FILENO)
    }

    /// The hint for a user that may not write where root may.
    private static func explain(_ error: CaptureError, _ path: String, _ account: Confinement.Account?) -> String {
        guard error.kind == .notPermitted, let account else { return error.description }
        let folder = RotatingSavefile.folder(of: path)
        return "\(error). It is \(account.name) who writes it, whom this process became: give that user a folder "
            + "(chown \(account.name) \(folder)), choose another user with -Z, or stay root with -Z root"
    }

    private func serve(
        _ socket: ServiceOptions.Socket, _ access: ServiceAccess, _ monitor: Monitor, _ ending: RunEnding
    ) throws(CommandFailure) -> ServiceServer {
        var limits = ServiceServer.Limits()
        limits.fit(freeDescriptors: Int(clinux_free_descriptors()))
        let service = LiveService(monitor, release: Synscope.release, access: access)
        let place = socket.place
        do {
            let server = try ServiceServer(service, on: socket.descriptor, limits: limits) {
                ending.note(
                    .serviceEnded, CommandFailure(status: .unreadable, message: "--listen \(place): the socket failed"))
            }
            if !command.screen {
                let url = if case .tcp = place { "http://\(place)/" } else { "\(place)" }
                StandardError.write("serving \(url)")
            }
            return server
        } catch {
            throw CommandFailure(status: .unreadable, message: "--listen \(place): \(error)")
        }
    }

    /// One line at the end, as tcpdump gives it.
    private static func closing(_ summary: HandshakeSummary, _ loss: CaptureLoss) -> String {
        var parts = [
            "\(loss.received ?? 0) frames received", "\(loss.kernelDropped ?? 0) dropped by the kernel",
            "\(loss.interfaceDropped ?? 0) dropped by the interface", "\(summary.frames.read) analysed",
            "\(summary.attempts) attempts, \(summary.undecided) undecided at exit",
        ]
        if loss.unreportedRecords > 0 { parts.append("\(loss.unreportedRecords) attempts not shown (slow reader)") }
        if loss.unwrittenFrames > 0 { parts.append("\(loss.unwrittenFrames) frames not written") }
        return parts.joined(separator: ", ")
    }

    // MARK: While it runs

    /// Sees to signals and the screen until something ends the run.
    private func attend(
        _ signals: Int32, _ screen: inout Screen?, _ monitor: Monitor, _ outlets: LiveOutlets, _ ending: RunEnding,
        _ zone: Zone
    ) {
        while ending.reason == nil {
            var waiting = [
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ending.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            if screen != nil { waiting.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
            screen?.draw(monitor)
            unsafe poll(&waiting, nfds_t(waiting.count), screen == nil ? -1 : Screen.period)
            if screen?.readKeys() == .quit { ending.note(.asked) }
            while case let number = clinux_next_signal(signals), number != 0 {
                switch number {
                case SIGINT, SIGTERM: ending.note(.asked)
                case SIGHUP where screen != nil: ending.note(.asked)  // the terminal is gone
                case SIGHUP: _ = outlets.frames?.add(.reopen, size: 0)
                case SIGUSR1: if screen == nil { Self.printTotals(monitor.standing, monitor.situations, zone) }
                default: break
                }
            }
        }
    }

    private static func printTotals(
        _ standing: LiveStanding, _ situations: [SituationCourse.Entry], _ zone: Zone
    ) {
        var buffer = OutputBuffer()
        let style = TextStyle(usesColor: false, usesUnicode: Terminal.usesUnicode, width: 100, zone: zone)
        TextReport(style: style).summary(standing.summary, standing.loss, to: &buffer)
        buffer.line("open        \(standing.open) attempts are not decided")
        for entry in situations.prefix(DiagnosisReport.listedInSummary) {
            buffer.line(
                "situation   \(entry.situation.code.rawValue): \(SituationWords(entry.situation, zone).sentence)")
        }
        for waiting in standing.waiting.servers.prefix(10) {
            buffer.line("waiting     \(waiting.text)")
        }
        StandardError.write(raw: String(decoding: buffer.bytes, as: UTF8.self))
    }

    /// Waits for something that a thread tells of, for some nanoseconds, and until the user has had enough.
    private func wait(_ signals: Int32, _ ending: RunEnding, for maximum: Int64, until isDone: () -> Bool) -> Bool {
        let start = Clock.steady
        while !isDone() {
            let rest = (maximum - (Clock.steady - start)) / 1_000_000
            if rest <= 0 { return false }
            var waiting = [
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ending.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            unsafe poll(&waiting, nfds_t(waiting.count), Int32(clamping: rest))
            ending.woken()
            let number = clinux_next_signal(signals)
            // timeout(1) sends its signal to the process and to its group: two at once are one.
            if number == SIGINT || number == SIGTERM, Clock.steady > start + 300_000_000 { return false }
        }
        return true
    }
}

/// Why the run ends: told by any thread, looked at by the first.
final class RunEnding: Sendable {
    enum Reason { case asked, captureEnded, outputEnded, serviceEnded }

    private struct State {
        var reason: Reason?
        var isCaptureOver = false
        var isReported = false
        var failure: CommandFailure?
    }

    private let state = Mutex(State())
    let descriptor = clinux_wake_descriptor()

    var reason: Reason? { state.withLock { $0.reason } }
    var isCaptureOver: Bool { state.withLock { $0.isCaptureOver } }
    var isReported: Bool { state.withLock { $0.isReported } }

    /// The first reason counts.
    func note(_ reason: Reason, _ failure: CommandFailure? = nil) {
        state.withLock {
            if $0.reason == nil { $0.reason = reason }
            if reason == .captureEnded { $0.isCaptureOver = true }
            if $0.failure == nil { $0.failure = failure }
        }
        clinux_wake(descriptor)
    }

    /// For the exit status of a run that goes on.
    func note(failure: CommandFailure) { state.withLock { if $0.failure == nil { $0.failure = failure } } }

    func noteReported() {
        state.withLock { $0.isReported = true }
        clinux_wake(descriptor)
    }

    func woken() { clinux_woken(descriptor) }

    func rethrow() throws(CommandFailure) { if let failure = state.withLock({ $0.failure }) { throw failure } }
}

/// The reporter's thread: writes attempts to standard output, which may wait for its reader.
///
/// Unchecked: only its thread touches the sink.
final class Reporter: @unchecked Sendable {
    private var sink: any ReportSink
    private let queue: BoundedQueue<LiveOutlets.Report>
    private let ending: RunEnding

    init(_ sink: any ReportSink, _ queue: BoundedQueue<LiveOutlets.Report>, _ ending: RunEnding) {
        self.sink = sink
        self.queue = queue
        self.ending = ending
    }

    func run(_ capture: CaptureDescription) {
        do throws(OutputEnded) {
            try sink.begin(capture)
            while let reports = queue.take() {
                for report in reports {
                    switch report {
                    case .attempts(let records): for record in records { try sink.take(record) }
                    case .interval(let now): try sink.endInterval(now)
                    case .situations(let events): for event in events { try sink.tell(event) }
                    case .waiting(let news): try sink.tell(news)
                    case .end(let summary, let loss): try sink.end(summary, loss)
                    }
                }
            }
        } catch {
            // A closed pipe is a normal end.
            ending.note(.outputEnded, error.message.map { CommandFailure(status: .unreadable, message: $0) })
        }
        // Whoever still hands something on needs not wait.
        queue.end()
        ending.noteReported()
    }
}

/// Looks for situations every ten seconds, on a thread of its own: the capture's has no time for it.
final class DiagnosisThread: Sendable {
    /// Nanoseconds.
    private static let period: Int64 = 10_000_000_000
    private let isStopped = Atomic(false)
    private let thread: Mutex<WorkThread?>

    /// - Parameter reports: takes what begins and ends; nil where nothing is listed.
    init(_ monitor: Monitor, _ reports: BoundedQueue<LiveOutlets.Report>?) {
        thread = Mutex(nil)
        let started = WorkThread("diagnosis") { [self] in
            var next = Clock.steady + Self.period
            while !isStopped.load(ordering: .acquiring) {
                usleep(100_000)
                guard Clock.steady >= next else { continue }
                let began = Clock.steady
                let events = monitor.diagnose(now: Clock.wall)
                if !events.isEmpty { _ = reports?.add(.situations(events), size: events.count) }
                // At most a tenth of a core.
                next = Clock.steady + max(Self.period, 9 * (Clock.steady - began))
            }
        }
        thread.withLock { $0 = started }
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        thread.withLock { $0.take() }?.join()
    }
}

/// The file's thread: writes the blocks of -w, which may wait for the disk. A file that cannot be written ends
/// nothing: that is said, and tried again.
///
/// Unchecked: only its thread touches the file.
final class FileThread: @unchecked Sendable {
    private var file: RotatingSavefile?
    private var state = Monitor.Savefile()
    private let monitor: Monitor
    private let isQuiet: Bool
    private var lastTrouble: Int64 = 0
    private var thread: WorkThread?

    /// Nanoseconds without trouble until it is over: on a disk that is full, small pieces find room now and then.
    private static let patience: Int64 = 5_000_000_000

    init(
        _ file: consuming RotatingSavefile?, _ queue: BoundedQueue<LiveOutlets.FileWork>, _ monitor: Monitor,
        _ ending: RunEnding, isQuiet: Bool
    ) {
        self.file = file
        self.monitor = monitor
        self.isQuiet = isQuiet
        thread = WorkThread("file") { self.run(queue, ending) }
    }

    private func run(_ queue: BoundedQueue<LiveOutlets.FileWork>, _ ending: RunEnding) {
        var failure: CaptureError?
        while let works = queue.take() {
            for work in works {
                switch work {
                case .blocks(let blocks, let frames):
                    do throws(CaptureError) {
                        try file?.write(blocks, now: Clock.wall)
                    } catch {
                        failure = error
                        state.framesLost += UInt64(frames.count)
                        monitor.savefile = state
                    }
                case .reopen: file?.reopen(now: Clock.wall)
                }
                tell(file?.trouble)
            }
        }
        file = nil
        if let failure {
            let frames = "\(state.framesLost) frames of handshakes are not in the file"
            ending.note(failure: CommandFailure(status: .unreadable, message: "\(failure); \(frames)"))
        }
    }

    /// Says when something begins to be wrong, and when it is over.
    private func tell(_ trouble: CaptureError?) {
        let now = Clock.steady
        if trouble != nil { lastTrouble = now }
        let isFailing = trouble != nil || state.isFailing && now < lastTrouble + Self.patience
        guard isFailing != state.isFailing else { return }
        state.isFailing = isFailing
        if trouble != nil { state.failures += 1 }
        monitor.savefile = state
        if isQuiet { return }
        if let trouble {
            StandardError.write("\(trouble). It is tried again; the capture goes on")
        } else {
            StandardError.write("the file of -w is written again; \(state.framesLost) frames are not in it")
        }
    }

    func join() { thread?.join() }
}
