package import HandshakeRecord

/// The ladder diagram of one attempt as SVG: the same as `Ladder` draws in text. Arrows slant in the direction of time;
/// how long a packet took is not known at one capture point, so all slant alike. Distances between them are by time,
/// but for text that needs room, and long waits, which are broken off and say how long they are.
package struct LadderSVG {
    private let record: AttemptRecord
    private let content: LadderContent
    private let zone: Zone
    private var out = OutputBuffer()
    /// The lowest pixel that is drawn.
    private var y = 0.0

    // Pixels.
    private static let width = 640.0
    private static let client = 100.0
    private static let server = 626.0
    private static let line = 15.0
    private static let slant = 12.0
    /// The longest distance that stands for time, and what the usual wait gets.
    private static let longestWait = 110.0
    private static let usualWait = 40.0
    /// Letters that fit between the lifelines, of the usual font.
    private static let letters = 78
    /// Segments that are drawn: the file stays below 20 KB.
    private static let maximumSegments = 30

    package init(_ record: AttemptRecord, zone: Zone = .utc) {
        self.record = record
        self.zone = zone
        content = LadderContent(record)
    }

    /// The whole document.
    package func document() -> [UInt8] {
        var drawing = self
        drawing.draw()
        let height = Int(drawing.y.rounded(.up)) + 12
        var document = OutputBuffer()
        let title = "\(content.title): \(record.client) to \(record.server)"
        document.line(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(LadderSVG.width)) \(height)\" role=\"img\" "
                + "aria-labelledby=\"title description\">")
        document.line("<title id=\"title\">\(title.cleaned(for: .xml))</title>")
        document.line("<desc id=\"description\">\(description.cleaned(for: .xml))</desc>")
        document.line("<style>\(LadderSVG.style)</style>")
        document.line("<rect class=\"paper\" width=\"\(Int(LadderSVG.width))\" height=\"\(height)\"/>")
        document.append(octets: drawing.out.bytes)
        document.line("</svg>")
        return document.bytes
    }

    private static let style = """
        .paper{fill:#fff}.rail{stroke:#8c959f;stroke-width:1.5}.cut{stroke:#fff;stroke-width:6}\
        path{fill:none;stroke:#0860ca;stroke-width:1.6}path.lost{stroke:#8a5300}path.reset{stroke:#b3261e}\
        path.again{stroke:#6e7781}path.unseen{stroke:#8a5300}\
        path.unseen,path.again,path.icmp{stroke-dasharray:5 4}\
        text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#1b1f24;font-variant-numeric:tabular-nums}\
        .head{font-weight:600;font-size:14px}.faint{fill:#57606a}\
        .right{fill:#1a7036}.wrong{fill:#b3261e}.warn{fill:#8a5300}\
        @media(prefers-color-scheme:dark){.paper{fill:#0f1318}.rail{stroke:#6e7781}.cut{stroke:#0f1318}\
        path{stroke:#6cb0ff}\
        path.lost,path.unseen{stroke:#e8b35a}path.reset{stroke:#ff8f87}path.again{stroke:#a3adb9}text{fill:#e6eaef}\
        .faint{fill:#a3adb9}.right{fill:#6fd08c}.wrong{fill:#ff8f87}.warn{fill:#e8b35a}}
        """

    /// The drawing in words.
    private var description: String {
        let parts = record.segments.prefix(LadderSVG.maximumSegments).map { segment in
            let sender = segment.fromClient ? "client" : "server"
            return "\(LadderContent.seconds(segment.at)) s \(sender): \(segment.kind.rawValue)"
        }
        let findings = record.findings.map(\.code.rawValue)
        return (parts + findings).joined(separator: "; ")
    }

    // MARK: Drawing

    private mutating func draw() {
        y = 22
        text(12, content.title, "head")
        y += 17
        text(12, "\(zone.rfc3339(record.firstTime))", "faint")
        y += 20
        text(LadderSVG.client - 14, "client \(record.client)")
        // Two long addresses of IPv6 do not stand side by side.
        if "\(record.client)\(record.server)".count > 60 { y += LadderSVG.line }
        text(LadderSVG.server, "server \(record.server)", anchor: "end")
        y += 8
        let top = y
        let body = drawn()
        let end = y + 8
        for x in [LadderSVG.client, LadderSVG.server] {
            rule("rail", from: (x, top), to: (x, end))
        }
        out.append(octets: body)
        y = end + 18
        for line in content.figures.joined(separator: "; ").wrapped(96) {
            text(12, line, "faint")
            y += LadderSVG.line
        }
        y -= LadderSVG.line
    }

    /// What stands between the lifelines.
    private mutating func drawn() -> [UInt8] {
        let before = out
        out = OutputBuffer()
        let lost = content.losses
        let places = content.placesOfFindings
        let segments = record.segments.prefix(LadderSVG.maximumSegments)
        let unit = usualGap(segments)
        var last: SegmentRecord?
        for segment in segments {
            if let last { wait(segment.at - last.at, unit) }
            last = segment
            for finding in lost.before[segment.frame] ?? [] { ghost(finding) }
            arrow(segment, lost.at[segment.frame])
            for sum in content.sums(after: segment) {
                note("\(sum.isRight ? "✓" : "✗") \(sum.text)", sum.isRight ? "right" : "wrong")
            }
            for finding in places.at[segment.frame] ?? [] { note(finding) }
            if let comment = segment.comment { note("# \(comment)", "faint") }
        }
        let omitted = record.segments.count - segments.count + record.segmentsOmitted
        if omitted > 0 { note("\(omitted) more segments are not drawn", "faint") }
        for finding in places.elsewhere { note(finding) }
        let body = out.bytes
        out = before
        return body
    }

    /// Nanoseconds that the usual wait takes: the median of those that are none of the shortest.
    private func usualGap(_ segments: ArraySlice<SegmentRecord>) -> Double {
        let gaps = zip(segments, segments.dropFirst()).map { Double($1.at - $0.at) }.filter { $0 > 0 }.sorted()
        return gaps.isEmpty ? 1 : max(1, gaps[gaps.count / 2])
    }

    /// Time that goes by.
    private mutating func wait(_ nanoseconds: Int64, _ unit: Double) {
        let distance = Double(max(0, nanoseconds)) / unit * LadderSVG.usualWait
        if distance <= LadderSVG.longestWait {
            y += distance
            return
        }
        y += 10
        for x in [LadderSVG.client, LadderSVG.server] {
            rule("cut", from: (x - 6, y + 8), to: (x + 6, y + 2))
        }
        y += 9
        text(LadderSVG.client - 12, Format.duration(nanoseconds), "faint", anchor: "end")
        y += 10
    }

    private mutating func arrow(_ segment: SegmentRecord, _ fate: Finding.Location?) {
        let place = segment.place.map { " (\($0.file): \($0.frame))" } ?? ""
        y += LadderSVG.line
        let first = y
        for line in (content.label(segment) + place).wrapped(LadderSVG.letters) {
            text(LadderSVG.client + 10, line)
            y += LadderSVG.line
        }
        let bottom = y
        y = first
        text(LadderSVG.client - 12, LadderContent.seconds(segment.at), anchor: "end")
        y += LadderSVG.line
        text(LadderSVG.client - 12, "frame \(segment.frame)", "faint", anchor: "end")
        y = max(bottom, y) - 9
        let isLost = fate == .afterCapture || fate == .unknown
        let kind =
            switch (fate, segment.kind) {
            case (.unknown?, _): "unseen"
            case (.afterCapture?, _): "lost"
            case (_, _) where segment.isDuplicate: "again"
            case (_, .icmp): "icmp reset"
            case (_, .rst): "reset"
            default: ""
            }
        shaft(fromClient: segment.fromClient, kind, share: isLost ? 0.66 : 1, mark: fate == .unknown ? "?" : "✕")
        y += LadderSVG.slant
    }

    /// A segment that must have been sent and never reached the capture.
    private mutating func ghost(_ finding: Finding) {
        y += LadderSVG.line
        text(LadderSVG.client + 10, LadderContent.ghost(finding), "warn")
        y += 6
        shaft(fromClient: finding.code != .synackLost, "unseen", share: 0.33, mark: "✕")
        y += LadderSVG.slant
    }

    /// - Parameters:
    ///   - share: how much of the way it goes.
    ///   - mark: where it ends, if it does not arrive.
    private mutating func shaft(fromClient: Bool, _ kind: String, share: Double, mark: String) {
        let (from, to) = fromClient ? (LadderSVG.client, LadderSVG.server) : (LadderSVG.server, LadderSVG.client)
        let end = from + (to - from) * share
        let low = y + LadderSVG.slant * share
        let back = fromClient ? -9 : 9
        let head = share < 1 ? "" : "m\(back) -5l\(-back) 5l\(back) 3"
        let marks = kind.isEmpty ? "" : " class=\"\(kind)\""
        out.line("<path\(marks) d=\"M\(Int(from)) \(Int(y))L\(Int(end)) \(Int(low))\(head)\"/>")
        if share < 1 {
            let middle = y
            y = low + 4
            text(end + (fromClient ? 6 : -6), mark, "warn", anchor: fromClient ? "start" : "end")
            y = middle
        }
    }

    private mutating func note(_ finding: Finding) {
        let words = TextReport.describe(finding, record.segments)
        note(
            "\(finding.code.severity.rawValue) \(finding.code.rawValue): \(words)",
            finding.code.severity >= .error ? "wrong" : finding.code.severity >= .warning ? "warn" : "faint")
    }

    private mutating func note(_ text: String, _ kind: String) {
        for line in text.wrapped(LadderSVG.letters) {
            y += LadderSVG.line
            self.text(LadderSVG.client + 22, line, kind)
        }
        y += 3
    }

    // MARK: Elements

    private mutating func text(_ x: Double, _ text: String, _ kind: String = "", anchor: String = "start") {
        let marks = (kind.isEmpty ? "" : " class=\"\(kind)\"") + (anchor == "start" ? "" : " text-anchor=\"\(anchor)\"")
        out.line("<text x=\"\(Int(x))\" y=\"\(Int(y))\"\(marks)>\(text.cleaned(for: .xml))</text>")
    }

    private mutating func rule(_ kind: String, from: (x: Double, y: Double), to: (x: Double, y: Double)) {
        let (start, end) = ("x1=\"\(Int(from.x))\" y1=\"\(Int(from.y))\"", "x2=\"\(Int(to.x))\" y2=\"\(Int(to.y))\"")
        out.line("<line class=\"\(kind)\" \(start) \(end)/>")
    }
}
