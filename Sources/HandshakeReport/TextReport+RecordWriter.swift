package import HandshakeRecord

extension TextReport: RecordWriter {
    // With -v the frames of each attempt are named, in its display filter.
    package var takesPlain: Bool { !isVerbose }

    package mutating func beginAttempts(
        _ first: [AttemptRecord], whole: HandshakeSummary?, to out: inout OutputBuffer
    ) {
        if let whole, !first.isEmpty { captureBeforeAttempts(whole, to: &out) }
        begin(first, isComplete: whole != nil, to: &out)
    }

    package func situation(_ text: String, to out: inout OutputBuffer) -> Bool {
        out.line(style.paint(text, .bold))
        return true
    }

    package func waiting(_ lines: [String], at time: Int64, to out: inout OutputBuffer) {
        for line in lines { out.line(style.paint("\(style.zone.clock(time).prefix(8)) waiting: \(line)", .yellow)) }
    }

    package mutating func end(_ end: ReportEnd, to out: inout OutputBuffer) {
        endAttempts(to: &out)
        if end.leftOut > 0 {
            out.line(
                "\(Format.count(end.leftOut, "attempt")) without failure or finding are not listed: --all lists them")
        }
        let summary = end.summary
        if !end.isQuiet, end.choice.map({ $0.shown > 0 }) ?? true, summary.attempts > 0 { out.line("") }
        if let choice = end.choice {
            let more = choice.untold > 0 ? "; of \(choice.untold) it cannot be told" : ""
            // Copies behind a translator are listed, though no total counts them.
            let all = Format.count(summary.attempts + summary.translatedCopies, "attempt")
            out.line("\(choice.shown) of \(all): \(choice.text.cleaned(for: .text))\(more)")
            out.line("")
        }
        self.summary(
            summary, end.loss, chosen: end.choice?.summary, details: end.details, diagnosis: end.diagnosis, to: &out)
    }
}
