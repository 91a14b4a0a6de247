import HandshakeAnalysis
import HandshakeDiagnosis
import HandshakeExpectation
import HandshakeMonitor
import HandshakePipeline
import HandshakeReport

/// Writes attempts in one format, in the order asked for.
struct AttemptSink: AttemptTaker {
    private let format: OutputFormat
    private let quiet: Bool
    private var output: StandardOutput
    private var text: TextReport
    private var document = JSONReport.Document()
    private var plainLines: PlainLines
    private let numbering: DisplayFilter.Numbering
    private var held: [AttemptRecord] = []
    private var isHolding = true
    /// The most attempts that are held back to be sorted by their start.
    var holdLimit = 0

    /// Which attempts are written (-Y); nil for all. Those of which it cannot be told are not, and are counted.
    private let selection: Predicate?
    private var shown = 0
    private var untold = 0
    /// Summary of the chosen attempts, for text; and their totals where not all were chosen.
    private var overview: CaptureOverview?
    private var chosen: SummaryCounts?
    /// Facts of these attempts, in which situations are looked for.
    private var observed: ObservationLog?
    private let style: TextStyle
    /// Attempts that a terminal shows in any case; of more, those without failure or finding are only counted.
    private let showsAll: Bool
    private var leftOut = 0
    static let shownOnTerminal = 1000

    /// - Parameters:
    ///   - isLive: attempts are written as they come, and their totals are kept elsewhere.
    ///   - numbering: what frame numbers are.
    ///   - showsAll: whether attempts without failure or finding are listed however many there are.
    init(
        format: OutputFormat, quiet: Bool, style: TextStyle, output: StandardOutput, selection: Predicate? = nil,
        numbering: DisplayFilter.Numbering, isLive: Bool = true, isVerbose: Bool = false, showsAll: Bool = true
    ) {
        self.format = format
        self.selection = selection
        self.quiet = quiet
        self.output = output
        self.style = style
        self.showsAll = showsAll
        self.numbering = numbering
        plainLines = PlainLines(numbering)
        text = TextReport(style: style, isVerbose: isVerbose, folds: !isLive)
        text.numbering = numbering
        // A summary alone looks at no attempt, unless some are chosen.
        if format == .text, !isLive, !quiet || selection != nil {
            overview = CaptureOverview()
            observed = ObservationLog()
            if selection != nil { chosen = SummaryCounts() }
        }
    }

    mutating func begin(_ capture: CaptureDescription) throws(OutputEnded) {
        switch format {
        case .text: break
        case .jsonl: JSONReport.line(capture, to: &output.buffer)
        case .json: document.begin(capture, numbering, to: &output.buffer)
        case .csv: CSVReport.header(to: &output.buffer)
        }
        try output.flushIfFull()
    }

    mutating func take(_ record: AttemptRecord) throws(OutputEnded) {
        if quiet, overview == nil { return }
        if !isSelected(record) { return }
        overview?.add(record)
        observed?.add(record)
        chosen?.add(record)
        if quiet { return }
        if isHolding {
            held.append(record)
            if held.count > holdLimit { try release() }
            return
        }
        try write(record)
    }

    /// As JSON, in the order of decision, it is written without its record.
    mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) throws(OutputEnded) {
        guard format == .json || format == .jsonl, holdLimit == 0, selection == nil else { return try take(record()) }
        if isHolding { try release() }
        if format == .json { document.separate(&output.buffer) }
        plainLines.line(plain, to: &output.buffer, record: record)
        try output.flushIfFull()
    }

    private mutating func isSelected(_ record: AttemptRecord) -> Bool {
        guard let selection else { return true }
        switch selection(record) {
        case .yes:
            shown += 1
            return true
        case .unknown: untold += 1
        case .no: break
        }
        return false
    }

    private mutating func release(isComplete: Bool = false) throws(OutputEnded) {
        isHolding = false
        if holdLimit > 0 { held.sort { $0.id < $1.id } }
        if format == .text { text.begin(held, isComplete: isComplete, to: &output.buffer) }
        let isLong = held.count > AttemptSink.shownOnTerminal && !showsAll
        for record in held {
            if isLong, record.outcome == .established, !record.findings.contains(where: { $0.code.severity != .info }) {
                leftOut += 1
            } else {
                try write(record)
            }
        }
        held = []
    }

    private mutating func write(_ record: AttemptRecord) throws(OutputEnded) {
        switch format {
        case .text: text.attempt(record, to: &output.buffer)
        case .jsonl: JSONReport.line(record, numbering, to: &output.buffer)
        case .json: document.attempt(record, to: &output.buffer)
        case .csv: CSVReport.row(record, to: &output.buffer)
        }
        try output.flushIfFull()
    }

    /// A situation begins or ends, live. A table of CSV and a document of JSON have no place for it.
    mutating func tell(_ event: SituationCourse.Event) throws(OutputEnded) {
        switch format {
        case .text: output.buffer.line(style.paint(event.text(style.zone), .bold))
        case .jsonl: DiagnosisReport.line(event.situation, state: event.state, to: &output.buffer)
        case .json, .csv: return
        }
        try output.flushIfFull()
    }

    mutating func end(_ summary: HandshakeSummary, _ loss: CaptureLoss) throws(OutputEnded) {
        if isHolding {
            if format == .text, !held.isEmpty { text.captureBeforeAttempts(summary, to: &output.buffer) }
            try release(isComplete: true)
        }
        switch format {
        case .text:
            text.endAttempts(to: &output.buffer)
            if leftOut > 0 {
                output.buffer.line(
                    "\(Format.count(leftOut, "attempt")) without failure or finding are not listed: --all lists them")
            }
            if !quiet, selection == nil || shown > 0, summary.attempts > 0 { output.buffer.line("") }
            if let selection {
                let more = untold > 0 ? "; of \(untold) it cannot be told" : ""
                // Copies behind a translator are listed, though no total counts them.
                let all = Format.count(summary.attempts + summary.translatedCopies, "attempt")
                output.buffer.line("\(shown) of \(all): \(selection.text.cleaned(for: .text))\(more)")
                output.buffer.line("")
            }
            text.summary(
                summary, loss, chosen: chosen?.summary, details: overview?.rows(style) ?? [],
                diagnosis: observed.map { Diagnosis($0) }, to: &output.buffer)
        case .jsonl: JSONReport.line(summary, loss, to: &output.buffer)
        case .json: document.end(summary, loss, to: &output.buffer)
        case .csv: break
        }
        try output.flush()
    }
}
