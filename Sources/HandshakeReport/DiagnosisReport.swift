package import HandshakeRecord
package import HandshakeDiagnosis
import PacketWire

/// The situations of a capture, in full.
package struct DiagnosisReport {
    private let diagnosis: Diagnosis
    private let quality: [CaptureQualityFinding]?
    private let comparison: DiagnosisComparison?

    /// The most situations that a summary lists.
    package static let listedInSummary = 10

    /// - Parameters:
    ///   - quality: what the capture itself is; nil where that is not known.
    ///   - comparison: with an earlier diagnosis; nil for none.
    package init(
        _ diagnosis: Diagnosis, quality: [CaptureQualityFinding]?, _ comparison: DiagnosisComparison? = nil
    ) {
        self.diagnosis = diagnosis
        self.quality = quality
        self.comparison = comparison
    }

    // MARK: Text

    /// - Parameters:
    ///   - top: so many situations at most.
    ///   - ladders: the records that are evidence, by their ids.
    package func text(
        _ style: TextStyle, top: Int = .max, ladders: [UInt64: AttemptRecord] = [:], to out: inout OutputBuffer
    ) {
        let words = quality?.map(\.text) ?? ["not known what it was: --summary FILE says it"]
        for text in words { out.row("capture", text, style, .yellow) }
        if !words.isEmpty { out.line("") }
        for (place, situation) in diagnosis.situations.prefix(top).enumerated() {
            write(place + 1, situation, style, &out)
            for id in situation.evidence {
                guard let record = ladders[id] else { continue }
                out.line("")
                Ladder(record, style: style).draw(to: &out)
            }
            out.line("")
        }
        if diagnosis.situations.count > top {
            out.line("\(Format.count(diagnosis.situations.count - top, "more situation")): --top shows more")
        }
        for gone in comparison?.gone ?? [] {
            out.row("gone", "\(gone.code): \(gone.sentence)".cleaned(for: .text), style, .green)
        }
        out.row("in all", totals, style)
    }

    private func write(_ number: Int, _ situation: Situation, _ style: TextStyle, _ out: inout OutputBuffer) {
        let words = SituationWords(situation, style.zone)
        let code = situation.code
        out.line(
            style.paint("\(number)  \(code.rawValue)", code.severity.color ?? .bold)
                + " (\(code.severity.rawValue))")
        for line in (words.sentence + ".").wrapped(max(40, style.width)) { out.line(style.paint(line, .bold)) }
        if let change = comparison?.change(of: situation) {
            out.row("against", DiagnosisReport.text(change), style)
        }
        out.row("when", words.times, style)
        for comparison in words.comparisons { out.row("compare", comparison, style) }
        out.row("how sure", words.sureness, style)
        for alternative in code.alternatives { out.row("or", alternative, style) }
        out.row("refuted by", code.refutedBy, style)
        out.row("what to do", code.explanation.next, style)
        out.row("attempts", situation.evidence.map(String.init).joined(separator: ", "), style)
        if let expression = words.expression { out.row("choose", "-Y '\(expression)'", style) }
        out.row("Wireshark", words.displayFilter, style)
    }

    private static func text(_ change: DiagnosisComparison.Change) -> String {
        switch change {
        case .new: "new: it was not there before"
        case .worse: "worse: it happens to a greater share than before"
        case .better: "better: it happens to a smaller share than before"
        case .same: "as before"
        }
    }

    /// The attempts in all, and the failures beside the situations.
    private var totals: String {
        var parts = [Format.count(diagnosis.attempts, "attempt")]
        if diagnosis.situations.isEmpty {
            parts.append(DiagnosisReport.nothing(diagnosis))
        } else if diagnosis.unexplainedFailures > 0 {
            parts.append("\(Format.count(diagnosis.unexplainedFailures, "failure")) beside these situations")
        }
        if diagnosis.evicted > 0 {
            parts.append("\(Format.count(diagnosis.evicted, "attempt")) found no room and were not looked at")
        }
        return parts.joined(separator: "; ")
    }

    /// That there is no situation, in words.
    package static func nothing(_ diagnosis: Diagnosis) -> String {
        diagnosis.unexplainedFailures == 0
            ? "nothing stands out"
            : "nothing stands out: \(Format.count(diagnosis.unexplainedFailures, "failure")) too few or too unlike to have one cause"
    }

    /// The lines of a summary: one sentence a situation.
    /// - Parameter isOfAll: whether attempts were chosen, of which these are not the situations.
    package static func rows(_ diagnosis: Diagnosis, _ zone: Zone, isOfAll: Bool) -> [TextReport.SummaryRow] {
        if diagnosis.attempts < Diagnosis.leastAttempts { return [] }
        let shown = diagnosis.situations.prefix(listedInSummary)
        if shown.isEmpty { return [TextReport.SummaryRow("situation", nothing(diagnosis))] }
        var rows = shown.map {
            TextReport.SummaryRow(
                "situation", "\($0.code.rawValue): \(SituationWords($0, zone).sentence)", $0.code.severity.color)
        }
        let more = diagnosis.situations.count - shown.count
        let scope = isOfAll ? "of all attempts, not of the chosen ones alone; " : ""
        rows.append(
            TextReport.SummaryRow(
                "", (more > 0 ? "and \(more) more; " : "") + scope + "synscope diagnose FILE says how sure"))
        return rows
    }

    // MARK: JSON

    /// One document: what the capture is, and its situations.
    package func json(_ capture: CaptureDescription, to out: inout OutputBuffer) {
        JSONReport.write(to: &out) {
            $0.object {
                $0.field("type", "diagnosis")
                $0.field("schema", JSONReport.schemaVersion)
                $0.array("files", capture.files.map(\.name)) { $0.element($1) }
                $0.field("filter", capture.filter)
                if let quality {
                    $0.array("quality", quality) { $0.element($1.code.rawValue) }
                } else {
                    $0.null("quality")
                }
                $0.field("attempts", diagnosis.attempts)
                $0.field("attempts_let_go", diagnosis.evicted)
                $0.field("failures_beside", diagnosis.unexplainedFailures)
                $0.array("situations", diagnosis.situations) { json, situation in
                    json.object { fieldsAndChange(of: situation, &$0) }
                }
                if let comparison {
                    $0.array("gone", comparison.gone) { json, gone in
                        json.object {
                            $0.field("code", gone.code)
                            $0.field("servers", gone.servers)
                            $0.array("ports", gone.ports) { $0.element($1) }
                            $0.field("clients", gone.clients)
                            $0.field("sentence", gone.sentence)
                        }
                    }
                }
            }
        }
    }

    /// A line a situation.
    package func jsonLines(to out: inout OutputBuffer) {
        for situation in diagnosis.situations {
            JSONReport.write(to: &out) { json in json.object { fieldsAndChange(of: situation, &$0) } }
        }
    }

    private func fieldsAndChange(of situation: Situation, _ json: inout JSONWriter) {
        DiagnosisReport.fields(of: situation, &json)
        if let comparison { json.field("change", comparison.change(of: situation).rawValue) }
    }

    /// A live situation's line, when it begins and when it ends.
    package static func line(_ situation: Situation, state: String, to out: inout OutputBuffer) {
        JSONReport.write(to: &out) { json in
            json.object {
                fields(of: situation, &$0)
                $0.field("state", state)
            }
        }
    }

    private static func fields(of situation: Situation, _ json: inout JSONWriter) {
        let words = SituationWords(situation)
        json.field("type", "situation")
        json.field("schema", JSONReport.schemaVersion)
        json.field("code", situation.code.rawValue)
        json.field("severity", situation.code.severity.rawValue)
        json.field("sentence", words.sentence)
        json.field("servers", situation.scope.servers?.description)
        json.array("ports", situation.scope.ports) { $0.element($1) }
        json.field("clients", situation.scope.clients?.description)
        json.field("hosts", situation.hosts)
        json.field("answer", situation.answer?.rawValue)
        json.field("reporter", situation.reporter?.description)
        json.field("attempts", situation.attempts)
        json.field("affected", situation.affected)
        json.field("is_estimate", situation.isEstimate)
        json.field("first_time", time: situation.window.lowerBound)
        json.field("last_time", time: situation.window.upperBound)
        json.field("spells", situation.spells)
        json.field("well_before", time: situation.wellBefore)
        json.field("well_after", time: situation.wellAfter)
        if let share = situation.share {
            json.object("share") {
                $0.field("low", fraction: share.lowerBound)
                $0.field("high", fraction: share.upperBound)
            }
        } else {
            json.null("share")
        }
        json.field("median_before_ns", situation.shift?.before)
        json.field("median_since_ns", situation.shift?.since)
        if let losses = situation.losses {
            json.object("lost") {
                $0.field("syn", losses.syn)
                $0.field("syn_ack", losses.synAck)
                $0.field("ack", losses.ack)
            }
        } else {
            json.null("lost")
        }
        json.array("contrasts", situation.contrasts) { json, contrast in
            json.object {
                $0.field("kind", contrast.kind.rawValue)
                $0.field("attempts", contrast.attempts)
                $0.field("affected", contrast.affected)
            }
        }
        if let chance = situation.chance { json.field("chance", fraction: chance) } else { json.null("chance") }
        json.array("evidence", situation.evidence) { $0.element($1) }
        json.array("alternatives", situation.code.alternatives) { $0.element($1) }
        json.field("refuted_by", situation.code.refutedBy)
        json.field("next", situation.code.explanation.next)
        json.field("expression", words.expression)
        json.field("display_filter", words.displayFilter)
    }
}
