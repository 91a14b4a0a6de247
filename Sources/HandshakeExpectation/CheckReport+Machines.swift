import HandshakeReport

// The formats that CI systems read.
extension CheckReport {
    // MARK: JUnit

    /// JUnit XML as Jenkins' schema has it (junit-10.xsd): one suite, a test case a rule.
    func junit(to out: inout OutputBuffer) {
        let failures = verdict.results.count(where: \.fails) + (verdict.comparison?.hasWorsened == true ? 1 : 0)
        let errors = context.errors.isEmpty ? 0 : 1
        let cases = verdict.results.count + (verdict.comparison == nil ? 0 : 1) + errors
        let totals =
            "tests=\"\(cases)\" failures=\"\(failures)\" errors=\"\(errors)\" time=\"\(seconds(context.elapsed))\""
        out.line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        out.line("<testsuites name=\"synscope\" \(totals)>")
        // Its timestamps have no zone and no fraction: they are UTC.
        let timestamp = Format.rfc3339(context.started).prefix(19)
        out.line("  <testsuite name=\"synscope\" \(totals) skipped=\"0\" timestamp=\"\(timestamp)\">")
        out.line("    <properties>")
        out.line("      <property name=\"captures\" value=\"\(context.source.cleaned(for: .xml))\"/>")
        out.line("      <property name=\"attempts\" value=\"\(verdict.attempts)\"/>")
        out.line("    </properties>")
        for result in verdict.results {
            let tag = result.rule.tags.first.map { ".\($0)" } ?? ""
            let evidence = evidence(result, plain)
            testCase(
                result.rule.name, "synscope\(tag)", to: &out,
                failure: result.fails ? (result.judgement.status.rawValue, blame(result), evidence) : nil,
                output: result.passed
                    ? result.judgement.statements
                    : result.fails ? [] : ["\(result.rule.severity.rawValue): \(blame(result))"] + evidence)
        }
        if let comparison = verdict.comparison {
            let lines = comparison.lines.map(\.description)
            let worse = comparison.lines.filter(\.isWorse).map(\.description).joined(separator: "; ")
            testCase(
                "beside the baseline \(comparison.source)", "synscope.baseline", to: &out,
                failure: comparison.hasWorsened ? ("worse", worse, lines) : nil,
                output: comparison.hasWorsened ? [] : lines)
        }
        if !context.errors.isEmpty {
            let text = context.errors.map { $0.cleaned(for: .xml) }.joined(separator: "&#10;")
            out.line("    <testcase name=\"the run\" classname=\"synscope.run\" time=\"0\">")
            out.line("      <error type=\"run\" message=\"\(text)\"/>")
            out.line("    </testcase>")
        }
        if !context.notes.isEmpty {
            out.line("    <system-err>\(xml(context.notes))</system-err>")
        }
        out.line("  </testsuite>")
        out.line("</testsuites>")
    }

    private func testCase(
        _ name: String, _ className: String, to out: inout OutputBuffer,
        failure: (type: String, message: String, lines: [String])?, output: [String]
    ) {
        out.line(
            "    <testcase name=\"\(name.cleaned(for: .xml))\" classname=\"\(className.cleaned(for: .xml))\" time=\"0\">"
        )
        if let failure {
            let message = failure.message.cleaned(for: .xml)
            out.line("      <failure type=\"\(failure.type)\" message=\"\(message)\">\(xml(failure.lines))</failure>")
        }
        if !output.isEmpty { out.line("      <system-out>\(xml(output))</system-out>") }
        out.line("    </testcase>")
    }

    private func seconds(_ nanoseconds: Int64) -> String { Format.fixed(Double(nanoseconds) / 1e9, 3) }

    private func xml(_ lines: [String]) -> String { lines.map { $0.cleaned(for: .xml) }.joined(separator: "\n") }

    // MARK: TAP

    /// TAP version 14, diagnostics as YAML. A rule that only warns is a TODO: not ok, and no failure.
    func tap(to out: inout OutputBuffer) {
        let hasBaseline = verdict.comparison != nil
        out.line("TAP version 14")
        out.line("1..\(verdict.results.count + (hasBaseline ? 1 : 0) + (context.errors.isEmpty ? 0 : 1))")
        for note in context.notes { out.line("# \(note.cleaned(for: .text))") }
        for (position, result) in verdict.results.enumerated() {
            let directive = result.passed || result.fails ? "" : " # TODO \(result.rule.severity.rawValue) only"
            out.line(
                "\(result.passed ? "ok" : "not ok") \(position + 1) - \(result.rule.name.cleaned(for: .tap))\(directive)"
            )
            if result.passed { continue }
            diagnostics(
                [("message", blame(result)), ("severity", result.fails ? "fail" : "todo")],
                evidence(result, plain), to: &out)
        }
        if !context.errors.isEmpty {
            out.line("not ok \(verdict.results.count + (hasBaseline ? 2 : 1)) - the run")
            diagnostics([("message", context.errors.joined(separator: "; "))], [], to: &out)
        }
        guard let comparison = verdict.comparison else { return }
        out.line(
            "\(comparison.hasWorsened ? "not ok" : "ok") \(verdict.results.count + 1) - beside the baseline \(comparison.source.cleaned(for: .tap))"
        )
        if comparison.hasWorsened {
            diagnostics([("message", "worse than the baseline")], comparison.lines.map(\.description), to: &out)
        }
    }

    private func diagnostics(_ fields: [(String, String)], _ lines: [String], to out: inout OutputBuffer) {
        out.line("  ---")
        for (name, value) in fields { out.line("  \(name): \"\(value.cleaned(for: .yaml))\"") }
        if !lines.isEmpty {
            // 2: the text's own indentation is not taken for the block's.
            out.line("  evidence: |2")
            for line in lines { out.line("    " + line.cleaned(for: .text)) }
        }
        out.line("  ...")
    }

    // MARK: GitHub

    /// Workflow commands: an annotation for each rule that does not hold.
    func github(to out: inout OutputBuffer) {
        for result in verdict.results where !result.passed {
            let level =
                switch result.rule.severity {
                case .error: "error"
                case .warning: "warning"
                case .info: "notice"
                }
            var properties = "title=\(result.rule.name.cleaned(for: .githubProperty))"
            if let location = result.rule.location, let colon = location.lastIndex(of: ":") {
                let file = String(location[..<colon]).cleaned(for: .githubProperty)
                properties += ",file=\(file),line=\(location[location.index(after: colon)...])"
            }
            out.line("::\(level) \(properties)::\(data([blame(result)] + evidence(result, plain)))")
        }
        if let comparison = verdict.comparison, comparison.hasWorsened {
            let title = "worse than the baseline \(comparison.source)".cleaned(for: .githubProperty)
            out.line("::error title=\(title)::\(data(comparison.lines.filter(\.isWorse).map(\.description)))")
        }
        for error in context.errors { out.line("::error title=synscope::\(data([error]))") }
        for note in context.notes { out.line("::warning title=synscope::\(data([note]))") }
        out.line(counts.cleaned(for: .text))
    }

    private func data(_ lines: [String]) -> String {
        lines.map { $0.cleaned(for: .github) }.joined(separator: "%0A")
    }

    // MARK: Markdown

    func markdown(to out: inout OutputBuffer) {
        out.line("### Handshakes: \(verdict.passed ? "all rules held" : "rules failed")")
        out.line("")
        out.line(cell(counts))
        out.line("")
        out.line("| | rule | what it came to |")
        out.line("| --- | --- | --- |")
        for result in verdict.results {
            let mark = result.passed ? "✅" : result.fails ? "❌" : "⚠️"
            let figures = figures(result)
            out.line("| \(mark) | \(cell(result.rule.name)) | \(cell(result.passed ? figures : blame(result))) |")
        }
        if let comparison = verdict.comparison {
            for line in comparison.lines {
                out.line("| \(line.isWorse ? "❌" : "✅") | baseline: \(cell(line.name)) | \(cell(line.description)) |")
            }
        }
        for result in verdict.results where !result.passed {
            out.line("")
            out.line("<details><summary>\(cell(result.rule.name))</summary>")
            out.line("")
            // Four spaces make a block that nothing inside can end.
            for line in evidence(result, plain) { out.line("    " + line.cleaned(for: .text)) }
            out.line("")
            out.line("</details>")
        }
        for note in context.errors + context.notes {
            out.line("")
            out.line("> \(cell(note))")
        }
    }

    private func cell(_ text: String) -> String { text.cleaned(for: .markdown) }
}
