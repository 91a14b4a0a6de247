import ArgumentParser
import CLinux
import Glibc
import HandshakeAnalysis
import HandshakeExpectation
import HandshakeReport
import PacketCapture
import PacketWire

/// Which frames are read: shared by the commands that read captures.
struct InputOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Capture files (pcap, pcapng), - for standard input; then a filter of pcap-filter(7).",
            valueName: "file ... [filter]"))
    var arguments: [String] = []

    @Option(name: .customShort("r"), help: ArgumentHelp("A capture file; may be repeated.", valueName: "file"))
    var files: [String] = []

    @Option(name: [.customShort("f"), .long], help: "A filter of pcap-filter(7).")
    var filter: String?

    @Option(name: .customShort("c"), help: ArgumentHelp("Stop after so many frames.", valueName: "count"))
    var count: UInt64?

    @Flag(name: .customShort("n"), help: "Accepted for habit: names are never resolved.")
    var numeric = false

    @OptionGroup var tracking: TrackingOptions

    /// For commands that read nothing else.
    func requireFile() throws {
        if arguments.isEmpty, files.isEmpty {
            throw ValidationError("Name a capture file, or - for standard input.")
        }
    }

    /// Files come first; the first word that is no file begins the filter.
    /// - Parameter follows: the one file may be there only later.
    func resolve(follows: Bool = false) throws(CommandFailure) -> (paths: [String], filter: String?) {
        var paths = files
        var words = arguments[...]
        if follows, paths.isEmpty, let word = words.popFirst() { paths = [word] }
        while let word = words.first, word == "-" || exists(word) {
            paths.append(word)
            words = words.dropFirst()
        }
        if let missing = words.first, words.dropFirst().contains(where: exists) {
            throw CommandFailure(
                status: .wrongUsage,
                message: "'\(missing)' is no file, and after it comes one: files come first, then the filter (or -f)")
        }
        guard !paths.isEmpty else { throw InputOptions.missing(words.first ?? "") }
        if follows, paths.count > 1 || paths == ["-"] {
            throw CommandFailure(status: .wrongUsage, message: "--follow takes one file")
        }
        if paths.count(where: { $0 == "-" }) > 1 {
            throw CommandFailure(status: .wrongUsage, message: "standard input (-) can be read once only")
        }
        if words.isEmpty { return (paths, filter) }
        let trailing = words.joined(separator: " ")
        if filter != nil {
            throw CommandFailure(
                status: .wrongUsage,
                message: "'\(trailing)' is neither a file nor, beside -f, a filter: there is no such file")
        }
        return (paths, trailing)
    }

    private static func missing(_ name: String) -> CommandFailure {
        let message =
            if name.isEmpty {
                "an empty file name was given"
            } else if name.unicodeScalars.contains("\u{fffd}") {
                "\(name): the name is not UTF-8 and cannot be opened by it; use: synscope - < FILE"
            } else {
                "\(name): no such file"
            }
        return CommandFailure(status: .unreadable, message: message)
    }

    private func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// - Parameter follows: whether the one file is followed while it grows.
    func open(follows: Bool = false) throws(CommandFailure) -> CaptureReader {
        let (paths, filter) = try resolve(follows: follows)
        // Files whose times overlap are open at once.
        if paths.count > 100 { clinux_raise_descriptors() }
        do throws(CaptureError) {
            var options = CaptureReader.Options(
                filter: filter, limit: count, verifiesChecksums: tracking.verifiesChecksums)
            options.follows = follows
            options.isInterrupted = { clinux_interrupted() != 0 }
            return try CaptureReader(paths: paths, options)
        } catch {
            var message = error.description
            if error.kind == .filter, self.filter == nil, let word = filter?.split(separator: " ").first {
                message += ". If '\(word)' was meant as a file: there is no such file"
            }
            throw CommandFailure(status: error.kind == .filter ? .wrongUsage : .unreadable, message: message)
        }
    }
}

/// How attempts are followed: shared by the commands that follow them.
struct TrackingOptions: ParsableArguments {
    @Option(help: "verify: segments with a bad checksum are kept out of the state; ignore: they are not looked at.")
    var checksums = ChecksumPolicy.verify

    @Option(
        name: .long,
        help:
            "The most attempts and connections to remember at a time; the oldest are then let go, and counted (default: \(HandshakeTracker.Configuration().maximumAttempts); live \(Watch.usualAttempts))."
    )
    var maxAttempts: Int?

    @Option(
        name: .long,
        help:
            "The most memory that what is remembered of them may take, as 64M or 2G; the oldest are then let go, and counted. The program itself takes about 30M more."
    )
    var maxMemory: MemorySize?

    /// Octets, as text with K, M or G for powers of 1024.
    struct MemorySize: ExpressibleByArgument {
        var octets: Int

        init?(argument: String) {
            let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
            let unit = argument.last.flatMap { units[Character($0.uppercased())] }
            guard let number = Int(unit == nil ? argument[...] : argument.dropLast()), number > 0 else { return nil }
            let (octets, isTooLarge) = number.multipliedReportingOverflow(by: unit ?? 1)
            if isTooLarge { return nil }
            self.octets = octets
        }
    }

    enum ChecksumPolicy: String, ExpressibleByArgument, CaseIterable { case verify, ignore }

    func validate() throws {
        let most = HandshakeTracker.Configuration.mostAttempts
        if let maxAttempts, !(16...most).contains(maxAttempts) {
            throw ValidationError("--max-attempts takes a number from 16 to \(most)")
        }
        if let maxMemory, maxMemory.octets < HandshakeTracker.Configuration.leastMemory {
            throw ValidationError("--max-memory takes 1M or more")
        }
    }

    private static let mostForMemory = HandshakeTracker.Configuration.mostAttempts

    var verifiesChecksums: Bool { checksums == .verify }

    /// - Parameter usual: the most attempts where none are asked for.
    func configuration(usual: Int = HandshakeTracker.Configuration().maximumAttempts) -> HandshakeTracker.Configuration
    {
        var configuration = HandshakeTracker.Configuration()
        // Where memory is the limit, the number is not.
        configuration.maximumAttempts = maxAttempts ?? (maxMemory == nil ? usual : Self.mostForMemory)
        configuration.maximumMemory = maxMemory?.octets ?? .max
        configuration.excludesBadChecksums = verifiesChecksums
        return configuration
    }
}

/// Which attempts are shown, or judged.
struct SelectionOptions: ParsableArguments {
    @Option(
        name: .customShort("Y"),
        help: ArgumentHelp(
            "Only attempts of which this holds, as: hs.outcome != established and tcp.dstport == 443 (synscope fields; docs/expressions.md). Of several all must hold.",
            valueName: "expression"))
    var expressions: [String] = []

    func predicate() throws(CommandFailure) -> Predicate? {
        var predicate: Predicate?
        for expression in expressions {
            do throws(ExpressionError) { predicate = Predicate.both(predicate, try Predicate(expression)) } catch {
                throw CommandFailure(status: .wrongUsage, message: "-Y:\(error)")
            }
        }
        return predicate
    }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl, csv }

/// How text looks.
struct StyleOptions: ParsableArguments {
    @Option(help: "Colours: auto (on a terminal, unless NO_COLOR is set), always or never.")
    var color = ColorChoice.auto

    @Flag(help: "Draw with ASCII characters, also where the locale has more.")
    var ascii = false

    @Option(help: "Columns, from 60; by default the terminal's.")
    var width: Int?

    enum ColorChoice: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

    func validate() throws {
        if let width, !StyleOptions.widths.contains(width) {
            throw ValidationError(
                "--width takes a number from \(StyleOptions.widths.lowerBound) to \(StyleOptions.widths.upperBound)")
        }
    }

    static let widths = Ladder.narrowest...1000

    var style: TextStyle {
        let automatic =
            Terminal.isTerminal(STDOUT_FILENO) && (Terminal.environment("NO_COLOR") ?? "").isEmpty
            && Terminal.environment("TERM") != "dumb"
        return TextStyle(
            usesColor: color == .always || color == .auto && automatic, usesUnicode: !ascii && Terminal.usesUnicode,
            width: min(max(width ?? Terminal.width, StyleOptions.widths.lowerBound), StyleOptions.widths.upperBound))
    }
}

/// Runs a capture through the tracker.
struct Analysis: ~Copyable {
    let reader: CaptureReader
    private var tracker: HandshakeTracker
    private var batch = FrameBatch()
    private let follows: Bool

    /// - Parameters:
    ///   - follows: whether the one file is followed while it grows.
    ///   - listsAttempts: whether attempts are handed out.
    ///   - listsPlain: whether plain attempts are handed out as such: to `run`'s `takePlain`.
    init(
        _ input: InputOptions, follows: Bool = false, listsAttempts: Bool = true, listsPlain: Bool = false
    ) throws(CommandFailure) {
        if follows { clinux_catch_interrupts() }
        reader = try input.open(follows: follows)
        self.follows = follows
        var configuration = input.tracking.configuration()
        configuration.listsAttempts = listsAttempts
        configuration.listsPlain = listsAttempts && listsPlain
        tracker = HandshakeTracker(configuration)
    }

    var capture: CaptureDescription {
        CaptureDescription(
            files: reader.descriptions.map { CaptureDescription.File($0) }, filter: reader.filterExpression,
            started: reader.started)
    }

    /// Hands out each attempt as it is decided, until the capture or the user ends it.
    /// - Parameters:
    ///   - takePlain: takes plain attempts, which can still be made records.
    /// - Returns: the totals, and what the capture lost.
    mutating func run(
        takePlain: (PlainAttempt, () -> AttemptRecord) throws(OutputEnded) -> Void = { _, _ in },
        _ take: ([AttemptRecord]) throws(OutputEnded) -> Void
    ) throws(OutputEnded) -> (HandshakeSummary, CaptureLoss) {
        clinux_catch_interrupts()
        var progress = ProgressBar(isWanted: !follows)
        defer { progress.clear() }
        // Files are read ahead. Of a pipe, and of a file that is followed, frames are taken as they come.
        if !follows, reader.progress != nil, let ahead = ReadAhead(reader) {
            do throws(OutputEnded) {
                while clinux_interrupted() == 0, let piece = ahead.take() {
                    try receive(piece, &progress, takePlain, take)
                    ahead.give(piece)
                }
            } catch {
                _ = ahead.stop(&batch)
                throw error
            }
            // Interrupted: what was read counts.
            for piece in ahead.stop(&batch) { try receive(piece, &progress, takePlain, take) }
        } else {
            while clinux_interrupted() == 0 {
                reader.fill(&batch)
                if batch.count == 0 { break }
                tracker.receive(batch)
                progress.tick { reader.progress }
                if tracker.hasDecided { try hand(&progress, takePlain, take) }
            }
        }
        // Interrupted, some fragments may still wait for the rest of their packets.
        batch.count = 0
        batch.endFragments()
        tracker.receive(batch)
        tracker.end()
        try hand(&progress, takePlain, take)
        var loss = CaptureLoss()
        loss.isTruncated = reader.failures.contains { [.cutShort, .corrupt].contains($0.kind) }
        loss.filteredOut = reader.filteredOut
        let losses = reader.losses
        loss.received = losses.received
        loss.kernelDropped = losses.droppedBySystem
        loss.interfaceDropped = losses.droppedByInterface
        tellOfGaps()
        return (tracker.summary, loss)
    }

    private mutating func receive(
        _ piece: ReadAhead.Piece, _ progress: inout ProgressBar,
        _ takePlain: (PlainAttempt, () -> AttemptRecord) throws(OutputEnded) -> Void,
        _ take: ([AttemptRecord]) throws(OutputEnded) -> Void
    ) throws(OutputEnded) {
        for position in 0..<piece.count {
            tracker.receive(piece.batches[position].frames)
            if tracker.hasDecided { try hand(&progress, takePlain, take) }
        }
        progress.tick { piece.progress }
    }

    private mutating func hand(
        _ progress: inout ProgressBar, _ takePlain: (PlainAttempt, () -> AttemptRecord) throws(OutputEnded) -> Void,
        _ take: ([AttemptRecord]) throws(OutputEnded) -> Void
    ) throws(OutputEnded) {
        progress.clear()
        let comments = reader.comments
        func annotated(_ record: AttemptRecord) -> AttemptRecord {
            var record = record
            for position in record.segments.indices {
                record.segments[position].comment = comments[record.segments[position].frame]
            }
            return record
        }
        let hasComments = !comments.isEmpty
        defer { tracker.clearDecisions() }
        for position in 0..<tracker.decisions.count {
            guard let plain = tracker.decisions.plain(at: position) else {
                let record = tracker.decisions.record(at: position)
                try take([hasComments ? annotated(record) : record])
                continue
            }
            if hasComments {
                try take([annotated(tracker.record(of: plain))])
            } else {
                try takePlain(plain) { tracker.record(of: plain) }
            }
        }
    }

    /// With the frames that held the other fragments of theirs.
    func withFragments(_ frames: [UInt64]) -> [UInt64] { batch.withFragments(frames) }

    /// What was not used though it was read.
    private func tellOfGaps() {
        for (linkType, count) in tracker.summary.frames.unknownLinkTypes.sorted(by: <) {
            StandardError.write(
                "\(Format.count(Int(count), "frame")) of link type \(linkType), which is not decoded (synscope formats lists what is; docs/formats.md says how to ask for more)"
            )
        }
        if reader.untimed > 0 {
            StandardError.write(
                "\(Format.count(Int(reader.untimed), "frame")) without a time (simple packet blocks): they count at their place, and give no round trips"
            )
        }
        if reader.comments.letGo > 0 {
            StandardError.write("\(Format.count(reader.comments.letGo, "comment")) of frames found no room")
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
