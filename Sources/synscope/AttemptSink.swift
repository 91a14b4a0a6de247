import HandshakeAnalysis
import HandshakeReport

/// Writes attempts in one format, in the order asked for.
struct AttemptSink {
    private let format: OutputFormat
    private let quiet: Bool
    private var output: StandardOutput
    private var text: TextReport
    private var document = JSONReport.Document()
    private var held: [AttemptRecord] = []
    private var isHolding = true
    /// The most attempts that are held back to be sorted by their start.
    var holdLimit = 0

    init(format: OutputFormat, quiet: Bool, style: TextStyle, output: StandardOutput) {
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

    private mutating func release(isComplete: Bool = false) throws(OutputEnded) {
        isHolding = false
        if holdLimit > 0 { held.sort { $0.id < $1.id } }
        if format == .text { text.begin(held, isComplete: isComplete, to: &output.buffer) }
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
        if isHolding { try release(isComplete: true) }
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
