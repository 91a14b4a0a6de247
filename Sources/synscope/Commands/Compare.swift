import ArgumentParser
import CLinux
import Glibc
import HandshakeAnalysis
import HandshakeComparison
import HandshakeExpectation
import HandshakePipeline
package import HandshakeRecord
import HandshakeReport
import HandshakeScenario
import PacketCapture

struct Compare: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            From one capture a lost SYN and a server that drops SYNs look the same. From captures of the same traffic \
            at two or more points, compare says what happened between them: which segments were lost where, what was \
            delayed, what was rewritten, and what cannot be known. It finds by itself which attempts are the same, \
            also behind address translation, which point is nearer to the clients, and how the clocks stand to each \
            other.

            A point is a capture file, or name=file; a name that comes again adds a file to its point.
            """,
        examples: [
            .init("synscope compare client.pcap server.pcap", "where it is lost, where it is slow, who changes what"),
            .init("synscope compare inside=a.pcap inside=b.pcap outside=c.pcap", "points by name, of several files"),
            .init("synscope compare -v client.pcap server.pcap", "with the ladder of each attempt that differs"),
            .init("synscope compare -T jsonl client.pcap server.pcap", "a line of JSON for each attempt"),
            .init(
                "synscope compare client.pcap server.pcap -w merged.pcapng",
                "one capture of both, with equal packet ids for the same packet"),
        ],
        writesText: true,
        exitStatus: [
            .fine, .init("2", "wrong usage, or captures of different traffic"), .unreadable,
        ],
        seeAlso: ["pcap-filter(7)", "synscope-diagnose(1)"])

    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "What happened between two or more capture points: lost, delayed, rewritten.",
        discussion: helpText.discussion)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl }

    @OptionGroup(title: "Points") var input: PointOptions
    @OptionGroup(title: "Text") var text: StyleOptions
    @OptionGroup(title: "Text") var times: ZoneOptions

    @Option(
        name: [.customShort("T"), .customLong("format")],
        help: "Output: text, json (one document), or jsonl (a line an attempt).")
    var format = Format.text

    @Option(
        parsing: .unconditional, help: "List so many attempts that differ.", transform: Expected.number(0...Int.max))
    var top: Int = ComparisonReport.listedAttempts

    @Flag(name: .shortAndLong, help: "With the ladder of each attempt that is listed, a column a point.")
    var verbose = false

    @Option(
        name: .customShort("w"),
        help: ArgumentHelp(
            """
            Write all frames into one pcapng file: an interface a point, equal packet ids for the same packet, \
            comments.
            """,
            valueName: "file"),
        completion: .file(extensions: ["pcapng"]))
    var merged: String?

    @Flag(help: "With -w: all times by the first point's clock, by the middle of what is possible.")
    var align = false

    func validate() throws {
        if align, merged == nil { throw ValidationError("--align is about -w.") }
    }

    func run() throws {
        let style = text.style(in: times.zone)
        let points = try input.resolve()
        var taken = Set(points.flatMap(\.paths).compactMap(FileIdentity.init))
        if merged != nil, let pipe = points.flatMap(\.paths).first(where: { FileIdentity($0)?.isRegular != true }) {
            throw CommandFailure(
                status: .wrongUsage,
                message: "-w reads the captures a second time, and \(pipe) cannot be: save it first")
        }
        let file = try merged.map { path throws(CommandFailure) in try OutputFile(path, taken: &taken) }
        let run = try PointRun(points, input.reading, try input.statements(points.map(\.name)))
        let comparison = try run.comparison()
        var output = StandardOutput(isLineBuffered: false)
        let report = ComparisonReport(comparison)
        switch format {
        case .text: report.text(style, top: top, isVerbose: verbose, to: &output.buffer)
        case .json: report.json(to: &output.buffer)
        case .jsonl:
            for place in 0..<comparison.count {
                report.line(comparison.verdict(place), to: &output.buffer)
                try output.flushIfFull()
            }
        }
        try output.flush()
        if let file { try MergedCapture(comparison, aligns: align).write(run.readers(), to: file) }
        try run.reportFailures()
    }
}

/// A capture point on the command line.
struct Point {
    var name: String
    var paths: [String]

    /// - Parameter words: `file` or `name=file`; a name that comes again adds a file to its point.
    static func list(_ words: [String]) throws(CommandFailure) -> [Point] {
        var points: [Point] = []
        for word in words {
            let (name, path) = Point.split(word)
            guard unsafe access(path, F_OK) == 0 else {
                let isStandardInput = path == "-"
                throw CommandFailure(
                    status: isStandardInput ? .wrongUsage : .unreadable,
                    message: isStandardInput
                        ? "a point's capture on standard input is NAME=/dev/stdin" : "\(path): no such file")
            }
            if let name, let place = points.firstIndex(where: { $0.name == name }) {
                points[place].paths.append(path)
            } else {
                points.append(Point(name: name ?? Point.name(of: path, among: points.map(\.name)), paths: [path]))
            }
        }
        guard points.count > 1 else {
            throw CommandFailure(
                status: .wrongUsage,
                message: "two points or more are compared: name their captures, client=a.pcap b.pcap")
        }
        return points
    }

    /// `client=a.pcap`; a file of the whole name is that file.
    private static func split(_ argument: String) -> (name: String?, path: String) {
        guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex,
            unsafe access(argument, F_OK) != 0
        else { return (nil, argument) }
        return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
    }

    /// The file's name without its endings, and a number where that is taken.
    private static func name(of path: String, among taken: [String]) -> String {
        var name = String(path.split(separator: "/").last ?? "-")
        for ending in [".gz", ".zst", ".lz4", ".pcapng", ".pcap", ".cap"] where name.hasSuffix(ending) {
            if name.count > ending.count { name.removeLast(ending.count) }
        }
        guard taken.contains(name) else { return name }
        return (2...).lazy.map { "\(name)-\($0)" }.first { !taken.contains($0) } ?? name
    }
}

/// Which captures are compared, and how.
struct PointOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Capture files, one a point, from any number of points; with a name before it: client=a.pcap.",
            valueName: "[name=]file ..."),
        completion: .file())
    var arguments: [String] = []

    @Option(
        help: ArgumentHelp(
            "The points from the clients to the servers, by name: client,firewall,server. Otherwise it is found.",
            valueName: "name,..."))
    var order: String?

    @Option(
        help: ArgumentHelp(
            "What you know of the clocks: synchronised-within=50us. One-way delays then have these bounds too.",
            valueName: "statement"))
    var clocks: String?

    @Option(name: [.customShort("f"), .long], help: "A filter of pcap-filter(7), for all points.")
    var filter: String?

    @Option(
        name: [.customShort("j", allowingJoined: true), .long], parsing: .unconditional,
        help: ArgumentHelp(
            "How many threads follow attempts; the output is the same (default: the cores).", valueName: "count"),
        transform: Expected.number(1...Int.max))
    var jobs: Int?

    @OptionGroup var tracking: TrackingOptions

    /// The points with their files.
    func resolve() throws(CommandFailure) -> [Point] {
        try Point.list(arguments.filter { $0 != clocksDistance })
    }

    var reading: PointRun.Reading { .init(filter: filter, jobs: jobs, tracking: tracking) }

    func statements(_ names: [String]) throws(CommandFailure) -> PathComparison.Options {
        .init(order: try stated(names), clocksWithin: try clocksWithin())
    }

    /// Numbers of the points in the stated order; nil where none is stated.
    func stated(_ names: [String]) throws(CommandFailure) -> [Int]? {
        guard let order else { return nil }
        let words = order.split(separator: ",").map(String.init)
        for word in words where !names.contains(word) {
            throw CommandFailure(
                status: .wrongUsage,
                message: "--order \(order): there is no point '\(word)'; there are \(names.joined(separator: ", "))")
        }
        guard Set(words).count == words.count, words.count == names.count else {
            throw CommandFailure(
                status: .wrongUsage,
                message: "--order \(order): name each point once: \(names.joined(separator: ", "))")
        }
        return words.compactMap { names.firstIndex(of: $0) }
    }

    private static let clocksWord = "synchronised-within"

    /// `--clocks synchronised-within 50us`: the distance is a word of its own.
    private var clocksDistance: String? {
        guard clocks == PointOptions.clocksWord else { return nil }
        return arguments.first { unsafe access($0, F_OK) != 0 && TimeSpan(text: $0[...]) != nil }
    }

    /// Nanoseconds that the clocks are apart at most; nil where nothing is stated.
    func clocksWithin() throws(CommandFailure) -> Int64? {
        guard let clocks else { return nil }
        let words =
            clocks.split(whereSeparator: { $0 == "=" || $0 == " " }).map(String.init)
            + [clocksDistance].compactMap(\.self)
        guard words.count == 2, words[0] == PointOptions.clocksWord,
            let time = TimeSpan(text: words[1][...])
        else {
            throw CommandFailure(
                status: .wrongUsage, message: "--clocks \(clocks): say how near they are: synchronised-within=50us")
        }
        return time.nanoseconds
    }
}

/// The analyses of all points, one after the other.
struct PointRun {
    /// How each point's captures are read.
    struct Reading {
        var filter: String?
        var jobs: Int?
        var tracking: TrackingOptions
    }

    private let points: [Point]
    private let reading: Reading
    private let statements: PathComparison.Options
    private let captures: [CapturePoint]
    private(set) var failures: [CaptureError] = []

    /// - Parameters:
    ///   - statements: what the user says of order and clocks.
    ///   - keepsRecords: whether whole records are kept.
    init(
        _ points: [Point], _ reading: Reading, _ statements: PathComparison.Options, keepsRecords: Bool = false
    ) throws(CommandFailure) {
        (self.points, self.reading, self.statements) = (points, reading, statements)
        let filter = reading.filter.map { PacketFilter($0) }
        // All files, before the first octet of one is looked at.
        Confinement.confineReading(points.flatMap(\.paths))
        clinux_catch_interrupts()
        var captures: [CapturePoint] = []
        for point in points {
            let reader = try PointRun.open(point.paths, reading, filter)
            var configuration = reading.tracking.configuration()
            configuration.listing = .plainAndRecords
            var pipeline = FilePipeline(
                reader, configuration, workers: reading.jobs ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
                isInterrupted: { clinux_interrupted() != 0 })
            var log = PointLog(keepsRecords: keepsRecords)
            var progress = ProgressBar(isWanted: true)
            let summary = pipeline.run(&log, &progress)
            progress.hide()
            captures.append(
                CapturePoint(
                    name: point.name, files: point.paths.map { String($0.split(separator: "/").last ?? "-") }, log: log,
                    summary: summary, loss: pipeline.loss, tick: reader.descriptions.map(\.timeResolution).max() ?? 1))
            failures += reader.failures
        }
        self.captures = captures
    }

    private static func open(
        _ paths: [String], _ reading: Reading, _ filter: PacketFilter?
    ) throws(CommandFailure) -> CaptureReader {
        do throws(CaptureError) {
            var options = CaptureReader.Options(
                filter: reading.filter, verifiesChecksums: reading.tracking.verifiesChecksums)
            options.tunnelRules = reading.tracking.tunnelRules
            options.isInterrupted = { clinux_interrupted() != 0 }
            return try CaptureReader(paths: paths, options, filter: filter)
        } catch {
            throw CommandFailure(
                status: error.kind == .filter ? .wrongUsage : .unreadable, message: error.description)
        }
    }

    func comparison() throws(CommandFailure) -> PathComparison {
        do throws(ComparisonError) {
            return try PathComparison(captures, statements)
        } catch {
            tellFailures()
            throw CommandFailure(status: .wrongUsage, message: error.message)
        }
    }

    /// The files once more, for their frames.
    func readers() throws(CommandFailure) -> [CaptureReader] {
        var readers: [CaptureReader] = []
        // As they are: no filter.
        let reading = Reading(filter: nil, jobs: nil, tracking: self.reading.tracking)
        for point in points { readers.append(try PointRun.open(point.paths, reading, nil)) }
        return readers
    }

    private func tellFailures() {
        for failure in failures { StandardError.write(failure.description) }
    }

    func reportFailures() throws(CommandFailure) {
        guard let last = failures.last else { return }
        for failure in failures.dropLast() { StandardError.write(failure.description) }
        throw CommandFailure(status: .unreadable, message: last.description)
    }
}

extension PointLog: AttemptTaker {
    package mutating func take(_ record: AttemptRecord) { add(record) }
    package mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) { add(plain, record: record) }
}
