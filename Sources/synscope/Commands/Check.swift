import ArgumentParser
import CLinux
import Glibc
import HandshakeAnalysis
import HandshakeComparison
import HandshakeExpectation
import HandshakePipeline
import HandshakeRecord
import HandshakeReport
import PacketCapture
import PacketWire

struct Check: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            An expression of aggregates over all attempts, or a condition that must hold for each (docs/expressions.md). What \
            cannot be told fails, and so does a rule that no attempt matched, unless --allow-none.
            """,
        examples: [
            .init(
                "synscope check capture.pcap -e 'all(hs.outcome == established)'", "every attempt is established"),
            .init(
                "synscope check a.pcap -e 'p99(hs.rtt.total) < 50ms' -e 'none(hs.failed)'",
                "round trips are short, and nothing failed"),
            .init(
                "synscope check *.pcap --rules hs.yml --set port=8443 --report junit=hs.xml",
                "rules of a file, with a variable, and a report for a build server"),
            .init(
                "synscope check -i lo --while 'make test' -e 'ratio(hs.failed) < 0.1%'",
                "what a command does, captured while it runs"),
            .init(
                "synscope check --points client=a.pcap,server=b.pcap -e 'none(path.lost)'",
                "what captures at two points say together"),
            .init("synscope check new.pcap --baseline old.jsonl --margin 20%", "no worse than an earlier run"),
        ],
        environment: [
            .init("GITHUB_STEP_SUMMARY", "The file that --report github adds a summary to, which a runner names.")
        ], writesText: true,
        exitStatus: [
            .init("0", "everything holds"), .init("1", "something does not hold"),
            .init("2", "wrong usage, which a mistake in a rule is too"), .unreadable,
            .init("4", "capturing is not permitted, or the interface is gone"),
            .init("5", "the command of --while failed, and everything holds"),
        ],
        seeAlso: ["pcap-filter(7)"])

    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Assert what must hold of handshakes: in captures, or live while a command runs.",
        discussion: helpText.discussion)

    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup(title: "Capture") var capture: CaptureOptions

    @Option(
        help: ArgumentHelp(
            """
            Check what captures at several points say together: client=a.pcap,server=b.pcap. Fields path.* are known \
            then.
            """,
            valueName: "name=file,..."))
    var points: String?

    @Option(
        name: .customLong("while"),
        help: ArgumentHelp("Capture while this command runs (by /bin/sh), then judge.", valueName: "command"))
    var command: String?

    @Option(
        help: ArgumentHelp(
            "After the command, or from the start without one: wait so long for attempts that are not decided, no longer than that takes.",
            valueName: "time"),
        transform: CaptureOptions.nanoseconds)
    var expectWithin: Int64?

    @Option(
        help: ArgumentHelp("Capture for this time at most: 90s, 15m, 8h.", valueName: "time"),
        transform: CaptureOptions.nanoseconds)
    var duration: Int64?

    @Option(
        name: .customShort("e"), help: ArgumentHelp("What must hold; may be repeated.", valueName: "expression"),
        completion: .custom { _, _, typed in ExpressionCompletion.continuations(of: typed, isAssertion: true) })
    var expressions: [String] = []

    @Option(
        help: ArgumentHelp("A file of rules (YAML; docs/ci.md); may be repeated.", valueName: "file"),
        completion: .file(extensions: ["yml", "yaml"]))
    var rules: [String] = []

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("A variable of the rules; may be repeated.", valueName: "name=value"))
    var variables: [String] = []

    @Option(help: ArgumentHelp("Compare with an earlier run's -T jsonl.", valueName: "file"), completion: .file())
    var baseline: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "By how much round trips may be worse than the baseline's: a share or a time (default: 10%).",
            valueName: "margin"))
    var margin: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("By how much the share of an outcome may be worse (default: 1%).", valueName: "margin"))
    var marginOutcomes: String?

    @Flag(help: "A rule that no attempt matched holds.")
    var allowNone = false

    @OptionGroup var selection: SelectionOptions

    @Option(
        name: [.customShort("T"), .customLong("report")],
        help: ArgumentHelp(
            "text, json, junit, tap, github or markdown, to standard output or a file; may be repeated (default: text).",
            valueName: "format[=file]"),
        completion: .list(CheckFormat.allCases.map(\.rawValue)))
    var reports: [String] = []

    @Option(
        name: .customShort("w"),
        help: ArgumentHelp("Write the frames of attempts that break a rule as pcapng.", valueName: "file"),
        completion: .file(extensions: ["pcapng"]))
    var evidence: String?

    @OptionGroup(title: "Text") var text: StyleOptions
    @OptionGroup(title: "Text") var times: ZoneOptions

    /// The points of `--points`.
    static func list(_ points: String) throws(CommandFailure) -> [Point] {
        try Point.list(points.split(separator: ",").map(String.init))
    }

    var isLive: Bool { !capture.interfaces.isEmpty }
    /// Live durations count until now.
    var timeReference: TimeReference { isLive ? .now : .captureStart }

    func validate() throws {
        if isLive {
            if !input.files.isEmpty { throw ValidationError("-i captures, -r reads: give one of them.") }
            if input.jobs != nil { throw ValidationError("-j is for files: live, one thread follows all attempts.") }
            if input.filter != nil, !input.arguments.isEmpty {
                throw ValidationError("Give the filter once: with -f, or at the end.")
            }
        } else {
            if command != nil || expectWithin != nil || duration != nil {
                throw ValidationError("--while, --expect-within and --duration capture: they need -i, as -i lo.")
            }
            if points == nil { try input.requireFile() }
        }
        if points != nil {
            if isLive || !input.files.isEmpty || !input.arguments.isEmpty {
                throw ValidationError("--points names the captures: no other file, and no -i")
            }
            if evidence != nil {
                throw ValidationError("-w takes frames of one capture: with --points there are several")
            }
            if input.count != nil || input.linkType != nil {
                throw ValidationError("-c and --link-type are for one capture: not with --points")
            }
        }
        if expressions.isEmpty, rules.isEmpty, baseline == nil {
            throw ValidationError("Say what must hold: -e EXPRESSION, --rules FILE or --baseline FILE.")
        }
        if !variables.isEmpty, rules.isEmpty { throw ValidationError("--set sets variables of --rules.") }
        if baseline == nil, margin != nil || marginOutcomes != nil {
            throw ValidationError("--margin and --margin-outcomes are about --baseline.")
        }
    }

    func run() throws {
        // Whatever can be wrong with the rules is said before a packet is read.
        let plan = try CheckPlan(self)
        if isLive {
            try LiveCheck(self, plan).run()
        } else if let points {
            try plan.judgePoints(self, try Check.list(points))
        } else {
            try plan.judgeFiles(self)
        }
    }
}

/// The rules of a check, read and checked.
struct CheckPlan {
    let rules: [Rule]
    let selection: Predicate?
    let margins: BaselineMargins
    let baseline: (path: String, figures: Baseline)?
    let outputs: [CheckOutput]
    /// The file of -w.
    let evidence: OutputFile?
    let style: TextStyle

    init(_ command: Check) throws {
        selection = try command.selection.predicate(relativeTo: command.timeReference)
        style = command.text.style(in: command.times.zone)
        rules = try CheckPlan.rules(command)
        margins = try CheckPlan.margins(command)
        baseline = try command.baseline.map { ($0, try CheckPlan.baseline($0)) }
        // A file that is read must not be overwritten.
        let inputs =
            if let points = command.points {
                try Check.list(points).flatMap(\.paths)
            } else {
                command.isLive ? [] : try command.input.resolve().paths
            }
        var taken = Set((inputs + command.rules + [command.baseline].compactMap(\.self)).compactMap(FileIdentity.init))
        if command.evidence != nil, let input = inputs.first(where: { FileIdentity($0)?.isRegular != true }) {
            throw CommandFailure(
                status: .wrongUsage,
                message: "-w reads the captures a second time, and \(input) cannot be: save it first")
        }
        // The user that -Z names makes the files. Without -Z that would be nobody, who may not write to the folder of a
        // job: the caller makes them then.
        let writer = try command.isLive ? command.capture.user.flatMap { try Confinement.Account($0) } : nil
        do throws(CommandFailure) {
            (evidence, outputs) = try Confinement.acting(as: writer) { () throws(CommandFailure) in
                (
                    try command.evidence.map { path throws(CommandFailure) in try OutputFile(path, taken: &taken) },
                    try CheckOutput.open(command.reports, &taken)
                )
            }
        } catch {
            guard let writer, error.status == .unreadable, let message = error.message else { throw error }
            throw CommandFailure(
                status: error.status, message: "\(message). It is \(writer.name) who writes it, whom -Z names")
        }
    }

    private static func rules(_ command: Check) throws -> [Rule] {
        var rules: [Rule] = []
        for expression in command.expressions {
            do throws(ExpressionError) { rules.append(try Rule(expression, relativeTo: command.timeReference)) } catch {
                throw CommandFailure(status: .wrongUsage, message: "-e:\(error)")
            }
        }
        var overrides: [String: String] = [:]
        for variable in command.variables {
            guard let equals = variable.firstIndex(of: "="), equals > variable.startIndex else {
                throw CommandFailure(status: .wrongUsage, message: "--set \(variable): say --set name=value")
            }
            overrides[String(variable[..<equals])] = String(variable[variable.index(after: equals)...])
        }
        if !command.rules.isEmpty {
            do {
                rules += try RulesFile.rules(
                    at: command.rules, overrides: overrides, identity: { path in FileIdentity(path)?.text ?? path },
                    relativeTo: command.timeReference
                ) { path in
                    let octets = try TextFile.read(path, maximum: RulesFile.maximumOctets)
                    guard let text = String(validating: octets, as: UTF8.self) else {
                        throw CommandFailure(
                            status: .wrongUsage, message: "\(path): rules are UTF-8 text, and this is not")
                    }
                    return text
                }
            } catch let error as RulesError {
                throw CommandFailure(status: .wrongUsage, message: error.description)
            }
        }
        var names: Set<String> = []
        for rule in rules where !names.insert(rule.name).inserted {
            throw CommandFailure(status: .wrongUsage, message: "the rule '\(rule.name)' is given twice")
        }
        if command.allowNone { for position in rules.indices { rules[position].allowsNone = true } }
        return rules
    }

    private static func margins(_ command: Check) throws -> BaselineMargins {
        var margins = BaselineMargins()
        if let text = command.margin {
            guard let latency = BaselineMargins.latency(text) else {
                throw CommandFailure(
                    status: .wrongUsage, message: "--margin \(text): say a share or a time, as 10% or 5ms")
            }
            margins.roundTrips = latency
        }
        if let text = command.marginOutcomes {
            guard let share = BaselineMargins.share(text) else {
                throw CommandFailure(status: .wrongUsage, message: "--margin-outcomes \(text): say a share, as 1%")
            }
            margins.outcomes = share
        }
        return margins
    }

    private static func baseline(_ path: String) throws(CommandFailure) -> Baseline {
        var reader = BaselineReader()
        func failure(_ error: JSONLinesError) -> CommandFailure {
            let place = TextFile.name(path) + (error.line.map { ":\($0)" } ?? "")
            return CommandFailure(status: .unreadable, message: "\(place): \(error.message)")
        }
        try TextFile.readPieces(of: path) { piece throws(CommandFailure) in
            do throws(JSONLinesError) { try reader.take(piece) } catch { throw failure(error) }
        }
        do throws(JSONLinesError) { return try reader.end() } catch { throw failure(error) }
    }

    // MARK: Files

    func judgeFiles(_ command: Check) throws {
        let paths = try command.input.resolve().paths
        var check = self.check
        let (started, steady) = (Clock.wall, Clock.steady)
        var analysis = try Analysis(command.input)
        let (summary, _) = analysis.run(&check)
        var verdict = verdict(of: check, summary.quality)
        verdict.doubt(summary.doubts)
        var context = CheckContext()
        context.captures = paths.map { $0 == "-" ? "standard input" : $0 }
        context.numbering = .init(fileCount: paths.count)
        context.started = started
        context.errors = analysis.reader.failures.map(\.description)
        let linkType = command.input.linkType?.linkType
        keep(verdict, &context) { () throws(CommandFailure) in
            try copy(analysis.withFragments(verdict.frames), paths, linkType)
        }
        context.elapsed = Clock.steady - steady
        try report(verdict, context, style) {
            if !verdict.passed { throw CommandFailure(status: .failed, message: nil) }
            if !context.errors.isEmpty { throw CommandFailure(status: .unreadable, message: nil) }
        }
    }

    /// Judges what captures at several points say together. An attempt is that of the point nearest to its client.
    func judgePoints(_ command: Check, _ points: [Point]) throws {
        var check = self.check
        let (started, steady) = (Clock.wall, Clock.steady)
        let input = command.input
        let run = try PointRun(
            points, .init(filter: input.filter, jobs: input.jobs, tracking: input.tracking), .init(), keepsRecords: true
        )
        let comparison = try run.comparison()
        for place in 0..<comparison.count {
            let verdict = comparison.verdict(place)
            guard let (point, member) = zip(verdict.points, verdict.members).first(where: { $0.1 != nil }), let member
            else { continue }
            var record = comparison.points[point].log.records[member]
            record.paths = [verdict.facts]
            check.take(record)
        }
        var verdict = verdict(of: check, comparison.points.flatMap { $0.summary.quality })
        for point in comparison.points { verdict.doubt(point.summary.doubts.map { "\(point.name): \($0)" }) }
        var context = CheckContext()
        context.captures = points.flatMap(\.paths)
        context.numbering = .noFile
        context.started = started
        context.errors = run.failures.map(\.description)
        context.elapsed = Clock.steady - steady
        try report(verdict, context, style) {
            if !verdict.passed { throw CommandFailure(status: .failed, message: nil) }
            if !context.errors.isEmpty { throw CommandFailure(status: .unreadable, message: nil) }
        }
    }

    /// Writes the file of -w, if there is one.
    /// - Parameter octets: a savefile of the frames of attempts that break a rule.
    func keep(
        _ verdict: CheckVerdict, _ context: inout CheckContext, _ octets: () throws(CommandFailure) -> [UInt8]
    ) {
        guard let evidence else { return }
        do throws(CommandFailure) {
            try evidence.write(try octets())
            if !verdict.frames.isEmpty { context.kept = evidence.path }
        } catch {
            context.errors.append(error.message ?? "")
        }
        if verdict.framesOmitted > 0 {
            context.notes.append(
                "-w lacks \(verdict.framesOmitted) frames of attempts with many segments: the middle is not remembered")
        }
    }

    private func copy(
        _ frames: [UInt64], _ paths: [String], _ linkType: LinkType?
    ) throws(CommandFailure) -> [UInt8] {
        // With an interface also where no frame follows, so that it is a capture all the same.
        var writer = SavefileWriter(.pcapng, frames.isEmpty ? [.init(linkType: .ethernet, snaplen: 262_144)] : [])
        do throws(CaptureError) {
            var options = CaptureReader.Options(verifiesChecksums: false)
            options.linkType = linkType
            let reader = try CaptureReader(paths: paths, options)
            let source = paths.joined(separator: ", ")
            reader.copyFrames(frames, to: &writer) { "frame \($0) of \(source)".cleaned(for: .text) }
        } catch {
            throw CommandFailure(
                status: .unreadable, message: "-w reads the captures a second time: \(error.description)")
        }
        return writer.takeOctets()
    }

    // MARK: Verdicts

    /// With nothing taken yet.
    var check: RuleCheck {
        .init(rules, selection: selection, keepsFrames: evidence != nil, comparesFigures: baseline != nil)
    }

    func verdict(of check: RuleCheck, _ quality: [CaptureQualityFinding]) -> CheckVerdict {
        var verdict = check.verdict(quality.map(\.code))
        if let baseline, let figures = verdict.figures {
            verdict.comparison = BaselineComparison(baseline.path, before: baseline.figures, now: figures, margins)
        }
        return verdict
    }

    /// Writes every report, whatever becomes of one of them; then says how it ends. The verdict comes first: a reader
    /// that closes our output early makes no broken rule hold.
    func report(
        _ verdict: CheckVerdict, _ context: CheckContext, _ style: TextStyle, ending: () throws -> Void
    ) throws {
        let report = CheckReport(verdict, context, style: style)
        var failure: (any Error)?
        for output in outputs {
            do { try output.write(report) } catch {
                let message = (error as? CommandFailure)?.message ?? (error as? OutputEnded)?.message
                if let message { StandardError.write(message) }
                failure = failure ?? error
            }
        }
        try ending()
        switch failure {
        case is CommandFailure: throw CommandFailure(status: .unreadable, message: nil)
        case let ended as OutputEnded where ended.message != nil:
            throw CommandFailure(status: .unreadable, message: nil)
        case let failure?: throw failure
        case nil: break
        }
    }
}

extension RuleCheck: AttemptTaker {
    package typealias Failure = Never
}
