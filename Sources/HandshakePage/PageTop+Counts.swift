import HandshakeRecord
import HandshakeReport
import PacketWire

/// Totals of attempts and frames.
extension PageTop {
    func writeCounts(to html: inout HTMLWriter) {
        section("counts", "Counts", to: &html) { html in
            if let choice = end.choice {
                let untold = choice.untold > 0 ? "; of \(choice.untold) it cannot be told" : ""
                let text = hidesNames ? "an expression" : choice.text
                let all = Format.count(end.summary.attempts, "attempt")
                html.element("p", "\(choice.shown) of \(all) are chosen by \(text)\(untold).")
            }
            html.element("div", ["class": "tiles"]) { html in
                let failed = summary.byOutcome.reduce(0) { $0 + ($1.key.isFailure ? $1.value : 0) }
                let established = summary.byOutcome[.established] ?? 0
                tile("attempts", HTMLWriter.grouped(summary.attempts), "", to: &html)
                tile("established", HTMLWriter.grouped(established), share(established), to: &html)
                tile("failed", HTMLWriter.grouped(failed), share(failed), to: &html)
                tile("open or not whole", HTMLWriter.grouped(summary.attempts - failed - established), "", to: &html)
                let times = summary.roundTrips
                let (median, tail) = (times.percentile(50), times.percentile(99))
                tile(
                    "RTT, median", median.map(Format.duration) ?? "–",
                    times.count > 0 ? "of \(HTMLWriter.grouped(times.count))" : "",
                    to: &html)
                tile("RTT, 99 % within", tail.map(Format.duration) ?? "–", "", to: &html)
            }
            html.element("div", ["class": "columns"]) { html in
                html.table("outcomes", "Outcomes", ["outcome", "#attempts", "#share", "meaning"]) { html in
                    for outcome in Outcome.allCases {
                        guard let count = summary.byOutcome[outcome] else { continue }
                        html.element("tr") {
                            $0.element("td", outcome.rawValue)
                            $0.cell(count)
                            $0.element("td", ["class": "number"], share(count))
                            $0.element("td", outcome.explanation.title)
                        }
                    }
                }
                html.table("findings", "Findings", ["finding", "#attempts", "severity", "meaning"]) { html in
                    for code in FindingCode.allCases.sorted(by: { $0.severity > $1.severity }) {
                        guard let count = summary.findings[code] else { continue }
                        html.element("tr") {
                            $0.element("td", code.rawValue)
                            $0.cell(count)
                            $0.element("td", ["class": code.severity.rawValue], code.severity.rawValue)
                            $0.element("td", code.explanation.title)
                        }
                    }
                }
                if !knowsFrames { return }
                html.table("frames", "Frames", ["frame", "#count"]) { html in
                    for (name, count) in frameRows {
                        html.element("tr") {
                            $0.element("td", name)
                            $0.cell(count)
                        }
                    }
                }
            }
        }
    }

    private func share(_ count: Int) -> String {
        summary.attempts == 0 ? "" : Format.fixed(Double(count) / Double(summary.attempts) * 100, 1) + " %"
    }

    private func tile(_ name: String, _ figure: String, _ more: String, to html: inout HTMLWriter) {
        html.element("div", ["class": "tile"]) {
            $0.element("p", ["class": "name"], name)
            $0.element("p", ["class": "figure"], figure)
            $0.element("p", ["class": "faint"], more)
        }
    }

    private var frameRows: [(String, UInt64)] {
        let frames = end.summary.frames
        var rows = [("TCP segments", frames.segments)]
        rows += frames.ignored.sorted(by: <).map { ("ignored: \($0.key)", $0.value) }
        rows += frames.malformed.sorted(by: <).map { ("malformed: \($0.key)", $0.value) }
        if frames.cut > 0 { rows.append(("cut by the snaplen", frames.cut)) }
        rows.append(("all that were read", frames.read))
        if end.loss.filteredOut > 0 { rows.append(("stopped by the filter, beside these", end.loss.filteredOut)) }
        return rows
    }
}
