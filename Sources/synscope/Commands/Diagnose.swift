import ArgumentParser
import HandshakeAnalysis
import HandshakeDiagnosis
import HandshakeExpectation
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

    @Option(help: "So many situations at most.")
    var top: Int = 20

    @Flag(name: .shortAndLong, help: "With the ladder of each attempt that is named as evidence.")
    var verbose = false

    @Option(name: [.customShort("T"), .customLong("format")], help: "Output: text, json or jsonl.")
    var format = Format.text

    func validate() throws {
        try input.requireFile()
        if top < 1 { throw ValidationError("--top \(top): there is nothing to show; it takes a number from 1 on") }
    }

    func run() throws {
        let style = text.style(in: times.zone)
        var taker = DiagnosisTaker(selection: try selection.predicate(), keepsEvidence: verbose && format == .text)
        var analysis = try Analysis(input)
        let (summary, _) = try analysis.run(&taker)
        let diagnosis = Diagnosis(taker.log)
        var output = StandardOutput(isLineBuffered: false)
        let report = DiagnosisReport(diagnosis, summary)
        switch format {
        case .text: report.text(style, top: top, ladders: taker.evidence, to: &output.buffer)
        case .json: report.json(analysis.capture, to: &output.buffer)
        case .jsonl: report.jsonLines(to: &output.buffer)
        }
        if format == .text, taker.unknown > 0 {
            output.buffer.line(
                "-Y: of \(HandshakeReport.Format.count(taker.unknown, "attempt")) it cannot be told; they were not looked at"
            )
        }
        try output.flush()
        try analysis.reportFailures()
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
