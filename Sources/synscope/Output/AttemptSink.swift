import HandshakeAnalysis
import HandshakeDiagnosis
import HandshakeExpectation
import HandshakeMonitor
import HandshakePage
import HandshakePipeline
import HandshakeReport
import PacketWire

/// Hands attempts to a writer, in the order asked for: all, or those that were chosen.
struct AttemptSink: AttemptTaker {
    private let quiet: Bool
    private var output: StandardOutput
    private var writer: any RecordWriter
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
    private let summaryFile: OutputFile?
    private var capture: CaptureDescription?
    static let shownOnTerminal = 1000

    /// - Parameters:
    ///   - isLive: attempts are written as they come, and their totals are kept elsewhere.
    ///   - context: where packets come from.
    ///   - columns: the chosen fields; nil for the usual ones.
    ///   - summary: a file that takes the totals.
    ///   - showsAll: whether attempts without failure or finding are listed however many there are.
    ///   - hidesAddresses: whether addresses have other names (html).
    init(
        format: OutputFormat, quiet: Bool, style: TextStyle, output: StandardOutput, selection: Predicate? = nil,
        context: RecordContext, columns: ChosenColumns? = nil, summary: OutputFile? = nil, isLive: Bool = true,
        isVerbose: Bool = false, showsAll: Bool = true, hidesAddresses: Bool = false
    ) {
        self.selection = selection
        self.quiet = quiet
        self.output = output
        self.style = style
        self.showsAll = showsAll
        summaryFile = summary
        writer = format.writer(
            style, context, columns, isVerbose: isVerbose, isLive: isLive, hidesAddresses: hidesAddresses)
        // A summary alone looks at no attempt, unless some are chosen.
        if format.tellsSituations, !isLive, !quiet || selection != nil {
            // A page has an overview of its own.
            if format == .text { overview = CaptureOverview() }
            observed = ObservationLog()
            if selection != nil { chosen = SummaryCounts() }
        }
    }

    mutating func begin(_ capture: CaptureDescription) throws(OutputEnded) {
        self.capture = capture
        writer.begin(capture, to: &output.buffer)
        try output.flushIfFull()
    }

    mutating func take(_ record: AttemptRecord) throws(OutputEnded) {
        if quiet, overview == nil { return }
        // Causes show in the contrast: they are looked for among all attempts, whichever are chosen.
        observed?.add(record)
        if !isSelected(record) { return }
        overview?.add(record)
        chosen?.add(record)
        if quiet { return }
        if isHolding {
            held.append(record)
            if held.count > holdLimit { try release() }
            return
        }
        try write(record)
    }

    /// A plain attempt is written without its record, but for those that are held back, and the first.
    mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) throws(OutputEnded) {
        guard writer.takesPlain, !isHolding, selection == nil, !quiet else { return try take(record()) }
        overview?.add(plain, record: record)
        observed?.add(plain)
        writer.attempt(plain, record: record, to: &output.buffer)
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

    /// - Parameter whole: the totals, where there are no more than the held ones.
    private mutating func release(whole: HandshakeSummary? = nil) throws(OutputEnded) {
        isHolding = false
        if holdLimit > 0 { held.sort { $0.id < $1.id } }
        writer.beginAttempts(held, whole: whole, to: &output.buffer)
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
        writer.attempt(record, to: &output.buffer)
        try output.flushIfFull()
    }

    /// A situation begins or ends, live.
    mutating func tell(_ event: SituationCourse.Event) throws(OutputEnded) {
        let text = event.text(style.zone)
        if writer.situation(text, to: &output.buffer) { try output.flushIfFull() } else { StandardError.write(text) }
    }

    /// Attempts wait for servers that were not told yet, live.
    mutating func tell(_ news: WaitingCourse.News) throws(OutputEnded) {
        writer.waiting(news.lines, at: news.time, to: &output.buffer)
        try output.flushIfFull()
    }

    mutating func end(_ summary: HandshakeSummary, _ loss: CaptureLoss) throws(OutputEnded) {
        if isHolding { try release(whole: summary) }
        var end = ReportEnd(summary, loss)
        (end.isQuiet, end.leftOut) = (quiet, leftOut)
        end.details = overview?.rows(style) ?? []
        end.diagnosis = observed.map { Diagnosis($0) }
        if let selection {
            end.choice = ReportEnd.Choice(
                text: selection.text, shown: shown, untold: untold, summary: chosen?.summary)
        }
        writer.end(end, to: &output.buffer)
        try output.flush()
        if let summaryFile, let capture {
            var line = OutputBuffer()
            JSONReport.line(summary, loss, of: capture, to: &line)
            do throws(CommandFailure) {
                try summaryFile.write(line.bytes)
            } catch {
                throw OutputEnded(message: error.message)
            }
        }
    }
}

extension OutputFormat {
    /// Its writer.
    /// - Parameters:
    ///   - context: where packets come from.
    ///   - columns: the chosen fields, of formats that are tables or lines.
    ///   - isLive: attempts are written as they come.
    fileprivate func writer(
        _ style: TextStyle, _ context: RecordContext, _ columns: ChosenColumns?, isVerbose: Bool, isLive: Bool,
        hidesAddresses: Bool
    ) -> any RecordWriter {
        switch self {
        case .text:
            var text = TextReport(style: style, isVerbose: isVerbose, folds: !isLive)
            text.numbering = context.numbering
            return text
        case .json: return JSONDocumentWriter(context)
        case .jsonl: return JSONLinesWriter(context, columns: columns)
        case .csv: return CSVReport(context, columns: columns)
        case .ecs: return JSONLinesWriter(context, .ecs)
        case .ocsf: return JSONLinesWriter(context, .ocsf)
        case .html: return HTMLReport(context, zone: style.zone, hidesAddresses: hidesAddresses)
        }
    }
}
