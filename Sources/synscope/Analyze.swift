import ArgumentParser
import HandshakeAnalysis
import HandshakeReport

struct Analyze: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Report every connection attempt in capture files (the default command).",
        discussion: """
            Several files are one capture, read in the order of time. Frames are numbered from 1 as Wireshark does; an \
            attempt's id is the number of its first frame.
            """)

    enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl, csv }
    enum Order: String, ExpressibleByArgument, CaseIterable { case start, decided }

    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup(title: "Text") var text: StyleOptions

    @Option(name: [.customShort("T"), .customLong("format")], help: "Output: text, json, jsonl or csv.")
    var format = OutputFormat.text

    @Flag(name: [.customShort("q"), .long], help: "The summary only (jsonl and json: the capture and the summary).")
    var quiet = false

    @Flag(name: .customShort("l"), help: "Write each attempt at once.")
    var lineBuffered = false

    @Option(
        help:
            "Attempts in the order in which they start, or are decided. Text sorts by start while it is small; the others write as they go."
    )
    var sort: Order?

    /// Text is sorted by start up to so many attempts; beyond, it is written as it comes.
    static let sortedTextLimit = 10_000

    func validate() throws {
        if quiet, format == .csv { throw ValidationError("-q leaves nothing of -T csv: it has no summary") }
    }

    func run() throws {
        var analysis = try Analysis(input)
        var sink = AttemptSink(
            format: format, quiet: quiet, style: text.style, output: StandardOutput(isLineBuffered: lineBuffered))
        switch sort {
        case .start?: sink.holdLimit = .max
        case .decided?: sink.holdLimit = 0
        case nil: sink.holdLimit = format == .text ? Analyze.sortedTextLimit : 0
        }
        try sink.begin(analysis.capture)
        let (summary, loss) = try analysis.run { records throws(OutputEnded) in try sink.take(records) }
        try sink.end(summary, loss)
        try analysis.reportFailures()
    }
}

/// Writes attempts in one format, in the order asked for.
struct AttemptSink {
    private let format: Analyze.OutputFormat
    private let quiet: Bool
    private var output: StandardOutput
    private var text: TextReport
    private var document = JSONReport.Document()
    private var held: [AttemptRecord] = []
    private var isHolding = true
    /// The most attempts that are held back to be sorted by their start.
    var holdLimit = 0

    init(format: Analyze.OutputFormat, quiet: Bool, style: TextStyle, output: StandardOutput) {
        self.format = format
        self.quiet = quiet
        self.output = output
        text = TextReport(style: style)
    }

    mutating func begin(_ capture: CaptureDescription) throws(OutputEnded) {
        switch format {
        case .text: break
        case .jsonl: JSONReport.line(capture, to: &output.buffer)
        case .json: document.begin(capture, to: &output.buffer)
        case .csv: CSVReport.header(to: &output.buffer)
        }
        try output.flushIfFull()
    }

    mutating func take(_ records: [AttemptRecord]) throws(OutputEnded) {
        if quiet { return }
        if isHolding {
            held += records
            if held.count > holdLimit { try release() }
            return
        }
        try write(records)
    }

    private mutating func release() throws(OutputEnded) {
        isHolding = false
        if holdLimit > 0 { held.sort { $0.id < $1.id } }
        if format == .text { text.begin(held, to: &output.buffer) }
        try write(held)
        held = []
    }

    private mutating func write(_ records: [AttemptRecord]) throws(OutputEnded) {
        for record in records {
            switch format {
            case .text: text.attempt(record, to: &output.buffer)
            case .jsonl: JSONReport.line(record, to: &output.buffer)
            case .json: document.attempt(record, to: &output.buffer)
            case .csv: CSVReport.row(record, to: &output.buffer)
            }
            try output.flushIfFull()
        }
    }

    mutating func end(_ summary: HandshakeSummary, _ loss: CaptureLoss) throws(OutputEnded) {
        if isHolding { try release() }
        switch format {
        case .text:
            if !quiet, summary.attempts > 0 { output.buffer.line("") }
            text.summary(summary, loss, to: &output.buffer)
        case .jsonl: JSONReport.line(summary, loss, to: &output.buffer)
        case .json: document.end(summary, loss, to: &output.buffer)
        case .csv: break
        }
        try output.flush()
    }
}
