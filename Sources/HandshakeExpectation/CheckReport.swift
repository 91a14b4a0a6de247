import HandshakeRecord
package import HandshakeReport
import PacketWire

/// A check's verdict for people and for machines.
package enum CheckFormat: String, CaseIterable, Sendable {
    case text
    case json
    case junit
    case tap
    /// Workflow commands: annotations on standard output.
    case github
    /// Markdown, as for a step's summary.
    case markdown
}

/// Parts of a report beside the verdict.
package struct CheckContext: Sendable {
    /// The captures that were read, or the interfaces that were captured on.
    package var captures: [String] = []
    /// The numbering of frames.
    package var numbering = DisplayFilter.Numbering.oneFile
    /// Nanoseconds since the epoch at which it began, and how long it took.
    package var started: Int64 = 0
    package var elapsed: Int64 = 0
    /// Where the frames of offending attempts were written to.
    package var kept: String?
    /// Reasons why the verdict is not whole: dropped frames, attempts that are not decided.
    package var notes: [String] = []
    /// Errors beside the rules: a file that breaks off, a command that failed. Reported as a test of its own.
    package var errors: [String] = []

    package init() {}

    var source: String { captures.joined(separator: ", ") }
}

package struct CheckReport {
    let verdict: CheckVerdict
    let context: CheckContext
    let style: TextStyle

    /// - Parameter style: of text; the others have no colours.
    package init(_ verdict: CheckVerdict, _ context: CheckContext, style: TextStyle) {
        self.verdict = verdict
        self.context = context
        self.style = style
    }

    package func write(_ format: CheckFormat, to out: inout OutputBuffer) {
        switch format {
        case .text: text(to: &out)
        case .json: json(to: &out)
        case .junit: junit(to: &out)
        case .tap: tap(to: &out)
        case .github: github(to: &out)
        case .markdown: markdown(to: &out)
        }
    }

    // MARK: Words

    typealias Result = CheckVerdict.Result

    /// The reason why a rule does not hold, in one line.
    func blame(_ result: Result) -> String {
        let judgement = result.judgement
        switch judgement.status {
        case .passed: return "holds"
        case .unmatched: return "no attempt was there to judge (allow-none would let that pass)"
        case .failed, .unknown:
            let figures = figures(result)
            let unknown = judgement.status == .unknown ? "cannot be told: " : ""
            if !judgement.doubts.isEmpty { return unknown + figures + "; " + judgement.doubts.joined(separator: "; ") }
            var counts: [String] = []
            if judgement.offenderCount > 0 {
                let verb = judgement.offenderCount == 1 ? "breaks" : "break"
                counts.append("\(Format.count(judgement.offenderCount, "attempt")) \(verb) it")
            }
            if judgement.openCount > 0 {
                let verb = judgement.openCount == 1 ? "leaves" : "leave"
                counts.append("\(Format.count(judgement.openCount, "attempt")) \(verb) it open")
            }
            return ([unknown + figures] + counts).joined(separator: "; ")
        }
    }

    func figures(_ result: Result) -> String {
        result.judgement.statements.joined(separator: "; ")
    }

    /// An example in one line: what it is, what it says and in which frames.
    func line(_ example: Judgement.Example) -> String {
        let record = example.record
        let frames = record.segments.map { "\($0.frame)" }.joined(separator: " ")
        let omitted = record.segmentsOmitted > 0 ? " ..." : ""
        return "attempt \(record.id), \(record.client) > \(record.server), \(record.outcome.rawValue): "
            + example.values.map { "\($0.field) = \($0.value)" }.joined(separator: ", ")
            + "; frames \(frames)\(omitted)"
    }

    /// The ladder of an example.
    func ladder(_ example: Judgement.Example, _ style: TextStyle) -> String {
        var out = OutputBuffer()
        Ladder(example.record, style: style).draw(to: &out)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    /// The text behind the blame: the rule's own words, examples with ladders, where the frames are. It is clean, but
    /// for colours.
    func evidence(_ result: Result, _ style: TextStyle) -> [String] {
        var lines: [String] = []
        if let location = result.rule.location { lines.append("rule: \(location)") }
        if result.rule.name != result.rule.assertion.text { lines.append("expect: \(result.rule.assertion.text)") }
        if let condition = result.rule.condition { lines.append("where: \(condition)") }
        if let reason = result.rule.reason { lines.append("reason: \(reason)") }
        if !result.rule.tags.isEmpty { lines.append("tags: \(result.rule.tags.joined(separator: ", "))") }
        let judgement = result.judgement
        if !judgement.examples.isEmpty {
            lines.append("capture: \(context.source)")
            if let kept = context.kept { lines.append("frames kept: \(kept)") }
            let all = judgement.offenderCount + judgement.openCount
            if all > judgement.examples.count { lines.append("the first \(judgement.examples.count) of \(all):") }
        }
        lines = lines.map { $0.cleaned(for: .text) }
        for example in judgement.examples {
            lines += line(example).wrapped(style.width)
            lines += ladder(example, style.narrower(by: 2)).split(separator: "\n", omittingEmptySubsequences: false).map
            { "  \($0)" }
            .dropLast()
        }
        return lines
    }

    /// Without colours, for files.
    var plain: TextStyle { TextStyle(usesColor: false, usesUnicode: style.usesUnicode, width: 100) }

    var counts: String {
        let failed = verdict.results.count(where: \.fails)
        let warned = verdict.results.count { !$0.passed && !$0.fails }
        return Format.count(verdict.results.count, "rule") + ": \(verdict.results.count(where: \.passed)) held"
            + (failed > 0 ? ", \(failed) failed" : "") + (warned > 0 ? ", " + Format.count(warned, "warning") : "")
            + "; " + Format.count(verdict.attempts, "attempt") + " in \(context.source)"
            + (verdict.selection.map { ", of which: \($0)" } ?? "")
            + (verdict.untold > 0 ? " (of \(verdict.untold) it cannot be told)" : "")
    }

    // MARK: Text

    private func text(to out: inout OutputBuffer) {
        let indent = "      "
        let inner = style.narrower(by: indent.count)
        func write(_ text: String) { for line in text.wrapped(inner.width) { out.line(indent + line) } }
        for result in verdict.results {
            let (word, color): (String, TextStyle.Color) =
                result.passed ? ("ok  ", .green) : result.fails ? ("FAIL", .red) : ("warn", .yellow)
            out.line(style.paint(word, color) + "  " + result.rule.name.cleaned(for: .text))
            if result.passed {
                write(
                    result.judgement.isEmpty
                        ? "no attempt was there to judge, which is allowed" : figures(result).cleaned(for: .text))
                continue
            }
            write(blame(result).cleaned(for: .text))
            for line in evidence(result, inner) { out.line(indent + line) }
        }
        if let comparison = verdict.comparison {
            out.line(
                style.paint(comparison.hasWorsened ? "FAIL" : "ok  ", comparison.hasWorsened ? .red : .green)
                    + "  beside the baseline \(comparison.source.cleaned(for: .text))")
            for line in comparison.lines { out.line("      " + (line.isWorse ? "worse: " : "") + line.description) }
        }
        for error in context.errors { out.line(style.paint("error", .red) + " " + error.cleaned(for: .text)) }
        for note in context.notes { out.line(style.paint("note", .yellow) + "  " + note.cleaned(for: .text)) }
        out.line(counts.cleaned(for: .text))
    }

    // MARK: JSON

    private func json(to out: inout OutputBuffer) {
        JSONReport.write(to: &out) { $0.object { fields(&$0) } }
    }

    private func fields(_ json: inout JSONWriter) {
        json.field("type", "check")
        json.field("schema", 1)
        json.field("passed", verdict.passed)
        json.field("attempts", verdict.attempts)
        json.field("selection", verdict.selection)
        json.field("untold", verdict.untold)
        json.array("captures", context.captures) { $0.element($1) }
        json.field("started", Format.rfc3339(context.started))
        json.field("elapsed_ns", context.elapsed)
        json.field("kept", context.kept)
        json.array("notes", context.notes) { $0.element($1) }
        json.array("errors", context.errors) { $0.element($1) }
        json.array("rules", verdict.results) { json, result in json.object { fields(of: result, &$0) } }
        guard let comparison = verdict.comparison else { return json.null("baseline") }
        json.object("baseline") {
            $0.field("source", comparison.source)
            $0.field("worse", comparison.hasWorsened)
            $0.array("figures", comparison.lines) { json, line in
                json.object {
                    $0.field("name", line.name)
                    $0.field("unit", CheckReport.unit(line.type))
                    CheckReport.number("before", line.before, &$0)
                    CheckReport.number("now", line.now, &$0)
                    CheckReport.number("limit", line.limit, &$0)
                    $0.field("worse", line.isWorse)
                }
            }
        }
    }

    private func fields(of result: Result, _ json: inout JSONWriter) {
        json.field("name", result.rule.name)
        json.field("location", result.rule.location)
        json.field("expect", result.rule.assertion.text)
        json.field("where", result.rule.condition)
        json.field("severity", result.rule.severity.rawValue)
        json.field("reason", result.rule.reason)
        json.array("tags", result.rule.tags) { $0.element($1) }
        json.field("status", result.judgement.status.rawValue)
        json.field("attempts", result.judgement.attempts)
        json.array("figures", result.judgement.figures) { json, figure in
            json.object {
                $0.field("text", figure.text)
                if let truth = figure.truth {
                    $0.field("value", truth == .unknown ? nil : truth == .yes)
                } else {
                    let value = figure.value
                    CheckReport.number("value", value.flatMap { $0.isExact ? $0.low : nil }, &$0)
                    CheckReport.number("low", value?.low, &$0)
                    CheckReport.number("high", value?.high, &$0)
                    $0.field("unit", CheckReport.unit(figure.type))
                }
                $0.field("attempts", figure.attempts)
                $0.field("with_value", figure.valued)
                $0.field("undetermined", figure.undetermined)
            }
        }
        json.field("offenders", result.judgement.offenderCount)
        json.field("open", result.judgement.openCount)
        json.array("examples", result.judgement.examples) { json, example in
            json.object {
                $0.object("values") { for (field, value) in example.values { $0.field(field, value) } }
                $0.object("attempt") { JSONReport.fields(of: example.record, RecordContext(context.numbering), &$0) }
                $0.field("ladder", ladder(example, plain))
            }
        }
    }

    static func unit(_ type: FieldType) -> String {
        switch type {
        case .duration: "ns"
        case .ratio: "of 1"
        default: "1"
        }
    }

    static func number(_ name: String, _ value: Double?, _ json: inout JSONWriter) {
        guard let value else { return json.null(name) }
        if value == value.rounded(), value.magnitude < 9e15 {
            json.field(name, Int64(value))
        } else {
            json.field(name, fraction: value)
        }
    }
}
