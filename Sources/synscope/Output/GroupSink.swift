import HandshakeAnalysis
import HandshakeDiagnosis
import HandshakeExpectation
import HandshakeMonitor
import HandshakeReport
import PacketCapture

/// A sink for the report of a live run.
protocol ReportSink {
    mutating func begin(_ capture: CaptureDescription) throws(OutputEnded)
    mutating func take(_ record: AttemptRecord) throws(OutputEnded)
    /// An interval of the run is over.
    /// - Parameter now: nanoseconds since the epoch.
    mutating func endInterval(_ now: Int64) throws(OutputEnded)
    /// A situation begins or ends.
    mutating func tell(_ event: SituationCourse.Event) throws(OutputEnded)
    /// Attempts wait for servers that were not told yet.
    mutating func tell(_ news: WaitingCourse.News) throws(OutputEnded)
    mutating func end(_ summary: HandshakeSummary, _ loss: CaptureLoss) throws(OutputEnded)
}

extension AttemptSink: ReportSink {
    mutating func endInterval(_ now: Int64) {}
}

extension ReportSink {
    /// Groups are of decided attempts.
    mutating func tell(_ news: WaitingCourse.News) throws(OutputEnded) {}
}

extension SituationCourse.Event {
    var situation: Situation {
        switch self {
        case .begins(let situation), .ends(let situation): situation
        }
    }

    var state: String {
        switch self {
        case .begins: "begins"
        case .ends: "ends"
        }
    }

    /// `situation begins: port-refused: 10.0.0.5:8443 refuses (...)`.
    func text(_ zone: Zone) -> String {
        "situation \(state): \(situation.code.rawValue): \(SituationWords(situation, zone).sentence)"
    }
}

/// Counts the attempts of a live run by group, and writes the groups of each interval and of all.
struct GroupSink: ReportSink {
    struct Settings {
        /// Whether there are intervals.
        var hasIntervals: Bool
        var isJSON: Bool
        var order: GroupTable.Order
        var top: Int?
        var showsFilters: Bool
        var style: TextStyle
        var selection: Predicate?
    }

    private let settings: Settings
    /// A table without attempts.
    private let empty: GroupTable
    private var interval: GroupTable
    private var whole: GroupTable
    private var output = StandardOutput(isLineBuffered: true)
    /// Nanoseconds since the epoch at which the run and its current interval began.
    private var started: Int64 = 0
    private var intervalStart: Int64 = 0
    /// Attempts of which `-Y` cannot be told.
    private var unknown = 0

    init(_ table: GroupTable, _ settings: Settings) {
        self.settings = settings
        (empty, interval, whole) = (table, table, table)
    }

    mutating func begin(_ capture: CaptureDescription) throws(OutputEnded) {
        started = capture.started ?? Clock.wall
        intervalStart = started
        if settings.isJSON { JSONReport.line(capture, to: &output.buffer) }
        try output.flush()
    }

    mutating func take(_ record: AttemptRecord) {
        switch settings.selection?(record) ?? .yes {
        case .yes:
            whole.add(record)
            if settings.hasIntervals { interval.add(record) }
        case .unknown: unknown += 1
        case .no: break
        }
    }

    mutating func endInterval(_ now: Int64) throws(OutputEnded) {
        write(interval, .init(from: intervalStart, to: now, isWhole: false))
        interval = empty
        intervalStart = now
        try output.flush()
    }

    mutating func tell(_ event: SituationCourse.Event) throws(OutputEnded) {
        if settings.isJSON {
            DiagnosisReport.line(event.situation, state: event.state, to: &output.buffer)
        } else {
            output.buffer.line(event.text(settings.style.zone))
        }
        try output.flush()
    }

    mutating func end(_ summary: HandshakeSummary, _ loss: CaptureLoss) throws(OutputEnded) {
        let now = Clock.wall
        // Open attempts are decided at the end, after the last whole interval.
        if settings.hasIntervals, interval.attempts > 0 { try endInterval(now) }
        write(whole, .init(from: started, to: now, isWhole: true))
        if settings.isJSON {
            JSONReport.line(summary, loss, to: &output.buffer)
        } else if unknown > 0 {
            let attempts = Format.count(unknown, "attempt")
            output.buffer.line("-Y: of \(attempts) it cannot be told; they are in no group")
        }
        try output.flush()
    }

    private mutating func write(_ table: GroupTable, _ span: GroupReport.Span) {
        let report = GroupReport(
            table, order: settings.order, top: settings.top, showsFilters: settings.showsFilters, span: span)
        if settings.isJSON { return report.jsonLines(to: &output.buffer) }
        report.text(settings.style, to: &output.buffer)
        if !span.isWhole { output.buffer.line("") }
    }
}
