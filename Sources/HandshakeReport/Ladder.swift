package import HandshakeRecord
import PacketWire

/// The ladder diagram of one attempt: two lifelines, an arrow a segment, the sums that must come out, and findings
/// where they belong.
///
/// A loss is drawn where the evidence puts it. After the capture point: the arrow ends in the middle. Before it: an
/// arrow of its own, without a frame number, that never reached the capture. Unknown: the arrow ends in a question
/// mark.
package struct Ladder {
    let style: TextStyle
    private let record: AttemptRecord
    private let content: LadderContent
    private let margin: Int
    /// Columns between the two lifelines.
    private let span: Int

    package static let narrowest = 60

    package init(_ record: AttemptRecord, style: TextStyle) {
        self.record = record
        content = LadderContent(record)
        self.style = style
        // Frame number, time, lifeline.
        margin = max(5, "\(record.segments.last?.frame ?? 0)".count) + 1 + 11 + 1
        span = max(Ladder.narrowest, style.width) - margin - 3
    }

    // MARK: Glyphs

    private var rail: String { style.usesUnicode ? "│" : "|" }
    private var dash: Character { style.usesUnicode ? "─" : "-" }
    private var missing: Character { style.usesUnicode ? "╌" : "." }
    private var cross: String { style.usesUnicode ? "╳" : "X" }
    private var rightHead: String { style.usesUnicode ? "▶" : ">" }
    private var leftHead: String { style.usesUnicode ? "◀" : "<" }
    private var tick: String { style.usesUnicode ? "✓" : "ok" }
    private var flaw: String { style.usesUnicode ? "✗" : "WRONG" }

    // MARK: Drawing

    package func draw(to out: inout OutputBuffer) {
        title(to: &out)
        let lost = content.losses
        let places = content.placesOfFindings
        for (position, segment) in record.segments.enumerated() {
            if position == 24, record.segmentsOmitted > 0 {
                rails("... \(record.segmentsOmitted) more segments ...", to: &out)
            }
            for finding in lost.before[segment.frame] ?? [] { ghost(finding, to: &out) }
            arrow(segment, fate: lost.at[segment.frame], to: &out)
            for sum in content.sums(after: segment) { line(of: sum, to: &out) }
            for finding in places.at[segment.frame] ?? [] { note(finding, to: &out) }
            if let comment = segment.comment { note(comment.cleaned(for: .text), .dim, mark: "# ", to: &out) }
        }
        for finding in places.elsewhere { note(finding, to: &out) }
        footer(to: &out)
    }

    private func title(to out: inout OutputBuffer) {
        let client = "client \(record.client)"
        let server = "server \(record.server)"
        let room = span + 2
        let words = content.title + ", " + style.zone.rfc3339(record.firstTime)
        for line in words.wrapped(max(Ladder.narrowest, style.width)) { out.line(style.paint(line, .bold)) }
        if client.count + server.count < room {
            let gap = String(repeating: " ", count: room - client.count - server.count)
            out.line(String(repeating: " ", count: margin) + client + gap + server)
        } else {
            out.line(String(repeating: " ", count: margin) + client)
            out.line(String(repeating: " ", count: margin) + server.paddedLeft(room))
        }
        rails("", to: &out)
    }

    /// An empty stretch of both lifelines, with a text between.
    private func rails(_ text: String, left: String = "", to out: inout OutputBuffer) {
        for line in text.wrapped(span - 2) {
            out.line(left.padded(margin) + rail + " " + line.padded(span - 1) + rail)
        }
    }

    private func arrow(_ segment: SegmentRecord, fate: Finding.Location?, to out: inout OutputBuffer) {
        let time = LadderContent.seconds(segment.at)
        let stamp = "\(segment.frame)".paddedLeft(margin - 13) + " " + time.paddedLeft(11)
        let place = segment.place.map { " (\($0.file.cleaned(for: .text)): \($0.frame))" } ?? ""
        let lines = (content.label(segment) + place).wrapped(span - 2)
        for (index, line) in lines.enumerated() {
            rails(line, left: index == 0 ? stamp : "", to: &out)
        }
        let isDuplicate = segment.isDuplicate
        let body = isDuplicate || segment.kind == .icmp ? missing : dash
        let mark = fate == .unknown ? "?" : cross
        let shaft: String
        if segment.fromClient {
            if fate == nil || fate == .beforeCapture {
                shaft = String(repeating: body, count: span - 1) + rightHead
            } else {
                shaft = (String(repeating: body, count: span * 2 / 3) + mark).padded(span)
            }
            out.line(String(repeating: " ", count: margin) + rail + paint(shaft, segment, fate) + rail)
        } else {
            if fate == nil || fate == .beforeCapture {
                shaft = leftHead + String(repeating: body, count: span - 1)
            } else {
                shaft = (mark + String(repeating: body, count: span * 2 / 3)).paddedLeft(span)
            }
            out.line(String(repeating: " ", count: margin) + rail + paint(shaft, segment, fate) + rail)
        }
    }

    private func paint(_ shaft: String, _ segment: SegmentRecord, _ fate: Finding.Location?) -> String {
        if fate == .afterCapture || fate == .unknown { return style.paint(shaft, .yellow) }
        if segment.kind == .rst || segment.kind == .icmp { return style.paint(shaft, .red) }
        return segment.isDuplicate ? style.paint(shaft, .dim) : shaft
    }

    /// A segment that must have been sent and never reached the capture.
    private func ghost(_ finding: Finding, to out: inout OutputBuffer) {
        let fromClient = finding.code != .synackLost
        rails(LadderContent.ghost(finding), to: &out)
        let half = String(repeating: missing, count: span / 3)
        let shaft = fromClient ? (half + cross).padded(span) : (cross + half).paddedLeft(span)
        out.line(String(repeating: " ", count: margin) + rail + style.paint(shaft, .yellow) + rail)
    }

    private func line(of sum: LadderContent.Sum, to out: inout OutputBuffer) {
        let indent = String(repeating: " ", count: margin + 2)
        let lines = "\(sum.text) \(sum.isRight ? tick : flaw)".wrapped(
            max(Ladder.narrowest, style.width) - indent.count)
        for (index, line) in lines.enumerated() {
            out.line(indent + (index == lines.count - 1 ? style.paint(line, sum.isRight ? .green : .red) : line))
        }
    }

    private func note(_ finding: Finding, to out: inout OutputBuffer) {
        let words = TextReport.describe(finding, record.segments)
        note(
            "! \(finding.code.severity.rawValue) \(finding.code.rawValue): \(words)",
            finding.code.severity >= .warning ? .yellow : .dim, to: &out)
    }

    /// - Parameter mark: begins each line, so that no word of a text from outside does.
    private func note(_ text: String, _ color: TextStyle.Color, mark: String = "", to out: inout OutputBuffer) {
        let indent = String(repeating: " ", count: margin + 2)
        for line in text.wrapped(max(Ladder.narrowest, style.width) - indent.count - mark.count) {
            out.line(indent + style.paint(mark + line, color))
        }
    }

    private func footer(to out: inout OutputBuffer) {
        rails("", to: &out)
        for line in content.figures.joined(separator: "; ").wrapped(max(Ladder.narrowest, style.width)) {
            out.line(line)
        }
    }
}
