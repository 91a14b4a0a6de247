import HandshakeDiagnosis
import HandshakeExpectation
import HandshakeRecord
import HandshakeReport
import PacketWire

/// What a page says in words and tables, without a script: what is wrong, what the capture is, the counts; and the
/// places where the script draws the rest.
struct PageTop {
    let capture: CaptureDescription
    let end: ReportEnd
    let figures: PageFigures
    /// Attempts that the page lists, by their ids.
    let listed: Set<UInt64>
    let zone: Zone
    let hidesNames: Bool

    /// The totals of the attempts that the page shows.
    var summary: HandshakeSummary { end.choice?.summary ?? end.summary }

    /// The capture's name.
    var title: String {
        if hidesNames { return Format.count(capture.files.count, "capture file") }
        let names = capture.files.map { String($0.name.split(separator: "/").last ?? "") }
        return names.count > 3 ? "\(names[0]) and \(names.count - 1) more files" : names.joined(separator: ", ")
    }

    func write(to html: inout HTMLWriter) {
        html.element("header") {
            $0.element("p", ["class": "brand"], "synscope: TCP handshakes")
            $0.element("h1", title)
            $0.element("p", ["class": "faint"], subtitle)
            $0.element("nav", ["aria-label": "Sections"]) { html in
                for (id, name) in PageTop.sections { html.element("a", ["href": "#\(id)"], name) }
            }
        }
        html.element("main") {
            writeSituations(to: &$0)
            writeCounts(to: &$0)
            writeTimeline(to: &$0)
            writeTables(to: &$0)
            writeRoundTrips(to: &$0)
            writeAttempts(to: &$0)
        }
        html.element("footer") {
            $0.element(
                "p", "Figures are of all attempts. synscope explain WORD says more about each word of this page.")
        }
    }

    private static let sections = [
        ("wrong", "What is wrong"), ("counts", "Counts"), ("time", "Time"), ("servers", "Servers"),
        ("clients", "Clients"), ("rtt", "Round trips"), ("attempts", "Attempts"),
    ]

    private var subtitle: String {
        var parts: [String] = []
        if let span = end.summary.span {
            parts.append(
                "\(zone.span(span.lowerBound, span.upperBound)) (\(Format.span(span.upperBound &- span.lowerBound)))")
        }
        let frames = end.summary.frames.read
        parts.append(
            knowsFrames ? "\(HTMLWriter.grouped(frames)) \(frames == 1 ? "frame" : "frames")" : "saved attempts")
        if !hidesNames, let filter = capture.filter { parts.append("filter: \(filter)") }
        return parts.joined(separator: " · ")
    }

    /// Attempts that were saved without their capture's totals have no frames.
    var knowsFrames: Bool { !capture.files.allSatisfy { $0.format == "jsonl" } }

    func section(
        _ id: String, _ title: String, to html: inout HTMLWriter, _ content: (inout HTMLWriter) -> Void
    ) {
        html.element("section", ["id": id, "aria-labelledby": "\(id)-title"]) {
            $0.element("h2", ["id": "\(id)-title"], title)
            content(&$0)
        }
    }

    // MARK: What is wrong

    private func writeSituations(to html: inout HTMLWriter) {
        section("wrong", "What is wrong", to: &html) { html in
            let situations = end.diagnosis?.situations ?? []
            let untold = TextReport.untoldPatterns(end.summary, end.diagnosis)
            html.element("p", ["class": "verdict \(tone)"], verdict)
            if end.choice != nil, !situations.isEmpty {
                html.element("p", ["class": "faint"], "Of all attempts, not of the chosen ones alone.")
            }
            for (place, situation) in situations.prefix(PageTop.maximumSituations).enumerated() {
                write(place + 1, situation, to: &html)
            }
            if situations.count > PageTop.maximumSituations {
                html.element("p", "\(situations.count - PageTop.maximumSituations) more: synscope diagnose lists them.")
            }
            for pattern in untold.prefix(PageTop.maximumSituations) {
                html.element("p", ["class": "pattern"], "\(pattern.code.rawValue): \(TextReport.describe(pattern))")
            }
            for quality in end.summary.quality {
                html.element("p", ["class": "quality"]) {
                    $0.element("b", "The capture: ")
                    $0.text("\(quality.text). \(quality.code.explanation.next)")
                }
            }
            if !knowsFrames {
                html.element(
                    "p", ["class": "quality"], "What the capture was is not known: report --summary FILE says it.")
            }
            let missing = TextReport.notUsed(end.summary, end.loss)
            if !missing.isEmpty {
                html.element("p", ["class": "quality"]) {
                    $0.element("b", "Not used: ")
                    $0.text(missing.joined(separator: "; ") + ".")
                }
            }
        }
    }

    private static let maximumSituations = 50

    private var failed: Int {
        end.summary.byOutcome.reduce(0) { $0 + ($1.key.isFailure ? $1.value : 0) }
    }

    private var tone: String {
        if end.summary.attempts == 0 { return "unknown" }
        guard let worst = end.diagnosis?.situations.first?.code.severity, worst >= .warning else {
            return failed == 0 ? "fine" : "warning"
        }
        return worst.rawValue
    }

    /// What came of the attempts in all, and whether that has causes in common.
    private var verdict: String {
        let attempts = end.summary.attempts
        if attempts == 0 { return "No connection attempt was captured." }
        let share = Format.fixed(Double(failed) / Double(attempts) * 100, 1)
        let whole =
            failed == 0
            ? attempts == 1 ? "The one attempt did not fail" : "None of \(HTMLWriter.grouped(attempts)) attempts failed"
            : "\(HTMLWriter.grouped(failed)) of \(HTMLWriter.grouped(attempts)) attempts failed (\(share) %)"
        let situations = end.diagnosis?.situations.count ?? 0
        if situations > 0 {
            let beside = end.diagnosis.map(\.unexplainedFailures) ?? 0
            let more = beside > 0 ? "; \(Format.count(beside, "failure")) beside" : ""
            return "\(whole): \(Format.count(situations, "situation"))\(more)."
        }
        if failed > 0 {
            let isEnough = (end.diagnosis?.attempts ?? 0) >= Diagnosis.leastAttempts
            return whole + (isEnough ? ", too unlike or too few to have one cause." : ": too few to look for a cause.")
        }
        let notable = FindingCode.allCases.filter { $0.severity >= .warning && end.summary.findings[$0] != nil }
        if notable.isEmpty { return "\(whole). Nothing stands out." }
        let names = notable.map { "\($0.rawValue) (\(end.summary.findings[$0] ?? 0))" }
        return "\(whole). Findings: \(names.joined(separator: ", "))."
    }

    private func write(_ number: Int, _ situation: Situation, to html: inout HTMLWriter) {
        let (words, code) = (SituationWords(situation, zone), situation.code)
        html.element("article", ["class": "situation \(code.severity.rawValue)", "id": "situation-\(number)"]) { html in
            html.element("h3") {
                $0.element("span", ["class": "severity"], code.severity.rawValue)
                $0.element("code", code.rawValue)
            }
            html.element(
                "p", ["class": "sentence"], "\(words.sentence.prefix(1).uppercased())\(words.sentence.dropFirst()).")
            html.element("p") {
                $0.element("b", "What to do: ")
                $0.text(code.explanation.next)
            }
            html.element("details") { html in
                html.element("summary", "When, how sure, what else it could be")
                html.element("dl") {
                    PageTop.row("when", [words.times], to: &$0)
                    PageTop.row("compare", words.comparisons, to: &$0)
                    PageTop.row("how sure", [words.sureness], to: &$0)
                    PageTop.row("or", code.alternatives, to: &$0)
                    PageTop.row("refuted by", [code.refutedBy], to: &$0)
                    write(evidence: situation.evidence, to: &$0)
                    if hidesNames { return }
                    PageTop.row("choose", words.expression.map { ["-Y '\($0)'"] } ?? [], isCode: true, to: &$0)
                    PageTop.row("Wireshark", [words.displayFilter], isCode: true, to: &$0)
                }
            }
        }
    }

    private static func row(_ name: String, _ texts: [String], isCode: Bool = false, to html: inout HTMLWriter) {
        if texts.isEmpty { return }
        html.element("dt", name)
        for text in texts {
            html.element("dd") { if isCode { $0.element("code", text) } else { $0.text(text) } }
        }
    }

    private func write(evidence: [UInt64], to html: inout HTMLWriter) {
        html.element("dt", "attempts")
        html.element("dd") { html in
            for (place, id) in evidence.enumerated() {
                if place > 0 { html.text(", ") }
                if listed.contains(id) {
                    html.element("a", ["href": "#attempt=\(id)"], "\(id)")
                } else {
                    html.text("\(id) (not listed)")
                }
            }
        }
    }
}
