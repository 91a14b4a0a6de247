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
        out.line("      <property name=\"captures\" value=\"\(xml(context.source))\"/>")
        out.line("      <property name=\"attempts\" value=\"\(verdict.attempts)\"/>")
        out.line("    </properties>")
        for result in verdict.results {
            let tag = result.rule.tags.first.map { ".\($0)" } ?? ""
            let evidence = evidence(result, plain).joined(separator: "\n")
            testCase(
                result.rule.name, "synscope\(tag)", to: &out,
                failure: result.fails ? (result.judgement.status.rawValue, blame(result), evidence) : nil,
                output: result.passed
                    ? result.judgement.figures.map(\.description).joined(separator: "\n")
                    : result.fails ? "" : "\(result.rule.severity.rawValue): \(blame(result))\n\(evidence)")
        }
        if let comparison = verdict.comparison {
            let lines = comparison.lines.map(\.description).joined(separator: "\n")
            let worse = comparison.lines.filter(\.isWorse).map(\.description).joined(separator: "; ")
            testCase(
                "beside the baseline \(comparison.source)", "synscope.baseline", to: &out,
                failure: comparison.hasWorsened ? ("worse", worse, lines) : nil,
                output: comparison.hasWorsened ? "" : lines)
        }
        if !context.errors.isEmpty {
            let text = xml(context.errors.joined(separator: "\n"))
            out.line("    <testcase name=\"the run\" classname=\"synscope.run\" time=\"0\">")
            out.line("      <error type=\"run\" message=\"\(text)\"/>")
            out.line("    </testcase>")
        }
        if !context.notes.isEmpty {
            out.line("    <system-err>\(xml(context.notes.joined(separator: "\n")))</system-err>")
        }
        out.line("  </testsuite>")
        out.line("</testsuites>")
    }

    private func testCase(
        _ name: String, _ className: String, to out: inout OutputBuffer,
        failure: (type: String, message: String, text: String)?, output: String
    ) {
        out.line("    <testcase name=\"\(xml(name))\" classname=\"\(xml(className))\" time=\"0\">")
        if let failure {
            out.line(
                "      <failure type=\"\(failure.type)\" message=\"\(xml(failure.message))\">\(xml(failure.text))</failure>"
            )
        }
        if !output.isEmpty { out.line("      <system-out>\(xml(output))</system-out>") }
        out.line("    </testcase>")
    }

    private func seconds(_ nanoseconds: Int64) -> String { Format.fixed(Double(nanoseconds) / 1e9, 3) }

    /// Escaped for text and attributes; what XML 1.0 cannot hold becomes U+FFFD.
    private func xml(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case "\0"..."\u{1f}", "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    // MARK: TAP

    /// TAP version 14, diagnostics as YAML. A rule that only warns is a TODO: not ok, and no failure.
    func tap(to out: inout OutputBuffer) {
        let hasBaseline = verdict.comparison != nil
        out.line("TAP version 14")
        out.line("1..\(verdict.results.count + (hasBaseline ? 1 : 0) + (context.errors.isEmpty ? 0 : 1))")
        for note in context.notes { out.line("# \(oneLine(note))") }
        for (position, result) in verdict.results.enumerated() {
            let directive = result.passed || result.fails ? "" : " # TODO \(result.rule.severity.rawValue) only"
            out.line(
                "\(result.passed ? "ok" : "not ok") \(position + 1) - \(description(result.rule.name))\(directive)")
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
            "\(comparison.hasWorsened ? "not ok" : "ok") \(verdict.results.count + 1) - beside the baseline \(description(comparison.source))"
        )
        if comparison.hasWorsened {
            diagnostics([("message", "worse than the baseline")], comparison.lines.map(\.description), to: &out)
        }
    }

    private func diagnostics(_ fields: [(String, String)], _ lines: [String], to out: inout OutputBuffer) {
        out.line("  ---")
        for (name, value) in fields { out.line("  \(name): \(quoted(value))") }
        if !lines.isEmpty {
            // 2: the text's own indentation is not taken for the block's.
            out.line("  evidence: |2")
            for line in lines { out.line("    " + oneLine(line)) }
        }
        out.line("  ...")
    }

    private func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

    /// A `#` would begin a directive.
    private func description(_ text: String) -> String {
        oneLine(text).replacing("\\", with: "\\\\").replacing("#", with: "\\#")
    }

    private func quoted(_ text: String) -> String {
        "\"" + oneLine(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
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
            var properties = "title=\(property(result.rule.name))"
            if let location = result.rule.location, let colon = location.lastIndex(of: ":") {
                properties +=
                    ",file=\(property(String(location[..<colon]))),line=\(location[location.index(after: colon)...])"
            }
            let text = ([blame(result)] + evidence(result, plain)).joined(separator: "\n")
            out.line("::\(level) \(properties)::\(data(text))")
        }
        if let comparison = verdict.comparison, comparison.hasWorsened {
            let text = comparison.lines.filter(\.isWorse).map(\.description).joined(separator: "\n")
            out.line("::error title=\(property("worse than the baseline \(comparison.source)"))::\(data(text))")
        }
        for error in context.errors { out.line("::error title=synscope::\(data(error))") }
        for note in context.notes { out.line("::warning title=synscope::\(data(note))") }
        out.line(counts)
    }

    private func data(_ text: String) -> String { escaped(text, ["%": "%25", "\r": "%0D", "\n": "%0A"]) }

    private func property(_ text: String) -> String {
        escaped(text, ["%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"])
    }

    /// By scalar: a carriage return and a line feed together are one character.
    private func escaped(_ text: String, _ table: [Unicode.Scalar: String]) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            if let escape = table[scalar] { result += escape } else { result.unicodeScalars.append(scalar) }
        }
    }

    // MARK: Markdown

    func markdown(to out: inout OutputBuffer) {
        out.line("### Handshakes: \(verdict.passed ? "all rules held" : "rules failed")")
        out.line("")
        out.line(counts)
        out.line("")
        out.line("| | rule | what it came to |")
        out.line("| --- | --- | --- |")
        for result in verdict.results {
            let mark = result.passed ? "✅" : result.fails ? "❌" : "⚠️"
            let figures = result.judgement.figures.map(\.description).joined(separator: "; ")
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
            for line in evidence(result, plain) { out.line("    " + oneLine(line)) }
            out.line("")
            out.line("</details>")
        }
        for note in context.errors + context.notes {
            out.line("")
            out.line("> \(cell(note))")
        }
    }

    private func cell(_ text: String) -> String {
        oneLine(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("|", with: "\\|")
    }
}
