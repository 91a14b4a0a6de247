import HandshakeComparison
import HandshakeDiagnosis
import HandshakeRecord

/// `synscope explain`: the catalogue in words.
package enum ExplainReport {
    /// Everything of a stable name; false where there is nothing of that name.
    package static func explain(_ name: String, style: TextStyle, to out: inout OutputBuffer) -> Bool {
        let terms = Glossary.terms.filter { $0.name == name } + Glossary.icmp(name)
        let isInCatalogue = explainCatalogue(name, style: style, to: &out)
        for (place, term) in terms.enumerated() {
            if isInCatalogue || place > 0 { out.line("") }
            out.line(style.paint(term.name, .bold) + " (\(term.kind))")
            for line in term.meaning.wrapped(max(40, style.width)) { out.line(line) }
            for line in term.consequence.wrapped(max(40, style.width)) { out.line(line) }
        }
        return isInCatalogue || !terms.isEmpty
    }

    private static func explainCatalogue(_ name: String, style: TextStyle, to out: inout OutputBuffer) -> Bool {
        if let code = FindingCode(rawValue: name) {
            write(name, "finding, \(code.severity.rawValue)", code.explanation, style, &out)
        } else if let outcome = Outcome(rawValue: name) {
            write(name, "outcome", outcome.explanation, style, &out)
        } else if let quality = CaptureQuality(rawValue: name) {
            write(name, "capture quality", quality.explanation, style, &out)
        } else if let situation = SituationCode(rawValue: name) {
            write(name, "situation, \(situation.severity.rawValue)", situation.explanation, style, &out)
            section("What else would look the same", situation.alternatives, style, &out)
            section("What would refute it", [situation.refutedBy], style, &out)
        } else if let situation = PathSituationCode(rawValue: name) {
            write(
                name, "situation between capture points, \(situation.severity.rawValue)", situation.explanation, style,
                &out)
            if !situation.alternatives.isEmpty {
                section("What else would look the same", situation.alternatives, style, &out)
            }
        } else {
            return false
        }
        return true
    }

    private static func section(
        _ title: String, _ lines: [String], _ style: TextStyle, _ out: inout OutputBuffer
    ) {
        out.line("")
        out.line(style.paint(title, .bold))
        for line in lines.flatMap({ $0.wrapped(max(40, style.width - 2)) }) { out.line("  " + line) }
    }

    package static func list(style: TextStyle, to out: inout OutputBuffer) {
        func heading(_ title: String) { out.line(style.paint(title, .bold)) }
        func row(_ name: String, _ text: String) {
            for (place, line) in text.wrapped(max(40, style.width - 28)).enumerated() {
                out.line("  " + (place == 0 ? name : "").padded(26) + line)
            }
        }
        heading("Outcomes, in order of precedence")
        for outcome in Outcome.allCases { row(outcome.rawValue, outcome.explanation.title) }
        for severity in Severity.allCases.reversed() {
            out.line("")
            heading("Findings: \(severity.rawValue)")
            for code in FindingCode.allCases where code.severity == severity {
                row(code.rawValue, code.explanation.title)
            }
        }
        out.line("")
        heading("Capture qualities")
        for quality in CaptureQuality.allCases { row(quality.rawValue, quality.explanation.title) }
        out.line("")
        heading("Situations, in order of precedence")
        for code in SituationCode.allCases { row(code.rawValue, code.explanation.title) }
        out.line("")
        heading("Situations between capture points (compare)")
        for code in PathSituationCode.allCases { row(code.rawValue, code.explanation.title) }
        var kind: String?
        for term in Glossary.terms {
            if term.kind != kind {
                out.line("")
                heading("Words: \(term.kind)")
                kind = term.kind
            }
            row(term.name, term.meaning)
        }
    }

    /// The names nearest to one that does not exist.
    package static func suggestions(for name: String) -> [String] {
        return Set(names).map { ($0, distance($0, name)) }.filter { $0.1 <= max(2, name.count / 3) }
            .sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map(\.0)
    }

    package static var names: [String] {
        Outcome.allCases.map(\.rawValue) + FindingCode.allCases.map(\.rawValue)
            + CaptureQuality.allCases.map(\.rawValue) + SituationCode.allCases.map(\.rawValue)
            + PathSituationCode.allCases.map(\.rawValue)
            + Glossary.terms.map(\.name)
    }

    /// Levenshtein's.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let above = row[j + 1]
                row[j + 1] = letter == b[j] ? diagonal : 1 + min(diagonal, above, row[j])
                diagonal = above
            }
        }
        return row[b.count]
    }

    private static func write(
        _ name: String, _ kind: String, _ text: Explanation, _ style: TextStyle, _ out: inout OutputBuffer
    ) {
        out.line(style.paint(name, .bold) + " (\(kind))")
        out.line(text.title + ".")
        let rows = [
            ("What it means", text.meaning), ("Recognised by", text.recognition), ("Standard", text.reference),
            ("Usual causes", text.causes), ("What to do", text.next),
        ]
        for (title, body) in rows {
            out.line("")
            out.line(style.paint(title, .bold))
            for line in body.wrapped(max(40, style.width - 2)) { out.line("  " + line) }
        }
    }
}
