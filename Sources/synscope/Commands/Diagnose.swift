import ArgumentParser
import HandshakeAnalysis
import HandshakeDiagnosis
import HandshakeExpectation
import HandshakePipeline
import HandshakeRecord
import HandshakeReport

struct Diagnose: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            A situation is something that happened to several attempts and has one likely cause: a port that a filter \
            drops, a server that is down, clients that are blocked, a path that loses segments. Each says who, since \
            when, how many of how many, what others of the same time came to, how sure that is, what else would look \
            the same, what would refute it, and what to do next.

            synscope explain lists the situations, and explains each.
            """,
        examples: [
            .init("synscope diagnose capture.pcap", "what is wrong here, the worst first"),
            .init("synscope diagnose -v capture.pcap", "with the ladders of the attempts that show it"),
            .init("synscope diagnose -T json *.pcapng > diagnosis.json", "for other programs"),
            .init("synscope diagnose today.pcap --against diagnosis.json", "what is new, worse, gone"),
            .init("synscope diagnose --saved attempts.jsonl --summary s.json", "of an earlier run's output"),
        ],
        writesText: true,
        exitStatus: [.fine, .wrongUsage, .unreadable],
        seeAlso: ["pcap-filter(7)"])

    static let configuration = CommandConfiguration(
        commandName: "diagnose",
        abstract: "What is wrong here: causes over many attempts, since when, for whom, how sure.",
        discussion: helpText.discussion)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl }

    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup(title: "Text") var text: StyleOptions
    @OptionGroup(title: "Text") var times: ZoneOptions

    @Option(parsing: .unconditional, help: "So many situations at most.")
    var top: Int = 20

    @Flag(name: .shortAndLong, help: "With the ladder of each attempt that is named as evidence.")
    var verbose = false

    @Option(name: [.customShort("T"), .customLong("format")], help: "Output: text, json or jsonl.")
    var format = Format.text

    @Option(
        help: ArgumentHelp(
            "Compare with an earlier diagnosis, the output of -T json or jsonl: what is new, worse, better, gone.",
            valueName: "file"),
        completion: .file(extensions: ["json", "jsonl"]))
    var against: String?

    @OptionGroup(title: "Input") var saved: SavedOptions

    func validate() throws {
        try saved.validate(beside: input)
        if saved.attempts != nil, !selection.expressions.isEmpty || verbose {
            throw ValidationError("--saved has no records that -Y could choose from, or -v draw")
        }
        if top < 1 { throw ValidationError("--top \(top): there is nothing to show; it takes a number from 1 on") }
    }

    func run() throws {
        let style = text.style(in: times.zone)
        let earlier = try against.map(Self.earlier)
        if let saved = saved.attempts { return try report(ofSaved: saved, earlier, style) }
        var taker = DiagnosisTaker(selection: try selection.predicate(), keepsEvidence: verbose && format == .text)
        var analysis = try Analysis(input)
        let (summary, _) = analysis.run(&taker)
        let diagnosis = Diagnosis(taker.log)
        var output = StandardOutput(isLineBuffered: false)
        let comparison = earlier.map { DiagnosisComparison($0, diagnosis) }
        write(
            DiagnosisReport(diagnosis, quality: summary.quality, comparison), analysis.capture, style, taker.evidence,
            to: &output.buffer)
        if format == .text, taker.unknown > 0 {
            output.buffer.line(
                "-Y: of \(HandshakeReport.Format.count(taker.unknown, "attempt")) it cannot be told; they were not looked at"
            )
        }
        try output.flush()
        try analysis.reportFailures()
    }

    private func write(
        _ report: DiagnosisReport, _ capture: CaptureDescription, _ style: TextStyle,
        _ evidence: [UInt64: AttemptRecord], to out: inout OutputBuffer
    ) {
        switch format {
        case .text: report.text(style, top: top, ladders: evidence, to: &out)
        case .json: report.json(capture, to: &out)
        case .jsonl: report.jsonLines(to: &out)
        }
    }

    // MARK: Files of earlier runs

    /// The most that an earlier diagnosis may have: octets.
    private static let maximumDiagnosis = 64 << 20

    private static func earlier(_ path: String) throws -> [EarlierSituation] {
        let octets = try TextFile.read(path, maximum: maximumDiagnosis)
        do throws(JSONLinesError) { return try EarlierDiagnosis.read(octets) } catch {
            throw CommandFailure(path, error)
        }
    }

    /// The qualities of a capture, by its saved summary.
    private static func quality(_ path: String) throws -> [CaptureQualityFinding] {
        try SavedSummary.read(path).quality.map { CaptureQualityFinding($0.code, $0.text.cleaned(for: .text)) }
    }

    /// Diagnoses attempts that were saved.
    private func report(ofSaved path: String, _ earlier: [EarlierSituation]?, _ style: TextStyle) throws {
        var reader = SavedAttempts()
        try TextFile.readPieces(of: path) { piece throws(CommandFailure) in
            do throws(JSONLinesError) { try reader.take(piece) } catch { throw CommandFailure(path, error) }
        }
        do throws(JSONLinesError) { try reader.end() } catch { throw CommandFailure(path, error) }
        let quality = try saved.summary.map(Self.quality)
        let diagnosis = Diagnosis(reader.log)
        var output = StandardOutput(isLineBuffered: false)
        let description = CaptureDescription(
            files: [.init(name: TextFile.name(path), format: "jsonl", linkType: "", snaplen: 0, timeResolution: 1)],
            filter: nil, started: nil)
        write(
            DiagnosisReport(diagnosis, quality: quality, earlier.map { DiagnosisComparison($0, diagnosis) }),
            description,
            style, [:], to: &output.buffer)
        try output.flush()
    }
}

extension CommandFailure {
    /// A fault in a file of JSON Lines.
    init(_ path: String, _ error: JSONLinesError) {
        let place = TextFile.name(path) + (error.line.map { ":\($0)" } ?? "")
        self.init(status: .unreadable, message: "\(place): \(error.message)")
    }
}

extension SavedSummary {
    /// Octets that a summary may have.
    private static let maximumSize = 64 << 20

    static func read(_ path: String) throws(CommandFailure) -> SavedSummary {
        if let summary = SavedSummary(try TextFile.read(path, maximum: maximumSize)) { return summary }
        throw CommandFailure(
            status: .unreadable, message: "\(TextFile.name(path)): this is no summary that --summary wrote")
    }
}

/// Keeps what is needed of each attempt to find causes.
struct DiagnosisTaker: AttemptTaker {
    private(set) var log = ObservationLog()
    private let selection: Predicate?
    private let keepsEvidence: Bool
    /// Records that may be evidence, by their ids: of what did not go as usual, up to a number.
    private(set) var evidence: [UInt64: AttemptRecord] = [:]
    /// Attempts of which `-Y` cannot be told.
    private(set) var unknown = 0
    private static let maximumEvidence = 10_000

    init(selection: Predicate? = nil, keepsEvidence: Bool = false) {
        self.selection = selection
        self.keepsEvidence = keepsEvidence
    }

    mutating func take(_ record: AttemptRecord) {
        switch selection?(record) ?? .yes {
        case .yes:
            log.add(record)
            let isPlain = record.outcome == .established && record.findings.isEmpty
            if keepsEvidence, !isPlain, evidence.count < Self.maximumEvidence { evidence[record.id] = record }
        case .unknown: unknown += 1
        case .no: break
        }
    }

    mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) {
        if selection != nil || keepsEvidence { return take(record()) }
        log.add(plain)
    }
}
