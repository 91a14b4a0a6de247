package import HandshakeRecord

/// The ladder diagram of one attempt as texts, lines and arrows at their places: every picture of it is made of these.
/// Arrows slant in the direction of time; how long a packet took is not known at one capture point, so all slant alike.
/// Distances between them are by time, but for text that needs room, and long waits, which are broken off and say how
/// long they are.
package struct LadderDrawing {
    /// What a picture is made of. Places are in pixels from the upper left corner.
    package enum Element {
        case text(String, Text)
        /// A straight line.
        case line(Line)
        /// The way of a segment: a line, with a head where it arrives.
        case arrow(Line, hasHead: Bool)
    }

    /// Where a text stands, and how.
    package struct Text {
        package var x: Int
        package var y: Int
        /// A class of the style sheet; empty for the usual.
        package var kind: String
        /// Whether the place is the text's end, and not its start.
        package var endsThere: Bool
    }

    package struct Line {
        /// A class of the style sheet; empty for the usual.
        package var kind: String
        package var from: (x: Int, y: Int)
        package var to: (x: Int, y: Int)
    }

    package static let width = 640
    package private(set) var height = 0
    package private(set) var elements: [Element] = []
    /// Title and description for those who do not see it.
    package let title: String

    private let record: AttemptRecord
    private let content: LadderContent
    private let zone: Zone
    /// The lowest pixel that is drawn.
    private var y = 0.0

    // Pixels.
    private static let client = 100.0
    private static let server = 626.0
    private static let line = 15.0
    private static let slant = 12.0
    /// The longest distance that stands for time, and what the usual wait gets.
    private static let longestWait = 110.0
    private static let usualWait = 40.0
    /// Letters that fit between the lifelines, of the usual font.
    private static let letters = 78
    /// Segments that are drawn: a picture stays below 20 KB.
    private static let maximumSegments = 30

    package init(_ record: AttemptRecord, zone: Zone = .utc) {
        self.record = record
        self.zone = zone
        content = LadderContent(record)
        title = "\(content.title): \(record.client) to \(record.server)"
        draw()
        height = Int(y.rounded(.up)) + 12
    }

    /// The drawing in words.
    package var description: String {
        let parts = record.segments.prefix(LadderDrawing.maximumSegments).map { segment in
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
        text(LadderDrawing.client - 14, "client \(record.client)")
        // Two long addresses of IPv6 do not stand side by side.
        if "\(record.client)\(record.server)".count > 60 { y += LadderDrawing.line }
        text(LadderDrawing.server, "server \(record.server)", anchor: .end)
        y += 8
        let top = y
        let beneath = elements.count
        drawSegments()
        let end = y + 8
        let rails = [LadderDrawing.client, LadderDrawing.server].map {
            LadderDrawing.line("rail", from: ($0, top), to: ($0, end))
        }
        elements.insert(contentsOf: rails, at: beneath)
        y = end + 18
        for line in content.figures.joined(separator: "; ").wrapped(96) {
            text(12, line, "faint")
            y += LadderDrawing.line
        }
        y -= LadderDrawing.line
    }

    /// What stands between the lifelines.
    private mutating func drawSegments() {
        let lost = content.losses
        let places = content.placesOfFindings
        let segments = record.segments.prefix(LadderDrawing.maximumSegments)
        let unit = usualGap(segments)
        var last: SegmentRecord?
        for segment in segments {
            if let last { wait(segment.at &- last.at, unit) }
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
    }

    /// Nanoseconds that the usual wait takes: the median of those that are none of the shortest.
    private func usualGap(_ segments: ArraySlice<SegmentRecord>) -> Double {
        let gaps = zip(segments, segments.dropFirst()).map { Double($1.at &- $0.at) }.filter { $0 > 0 }.sorted()
        return gaps.isEmpty ? 1 : max(1, gaps[gaps.count / 2])
    }

    /// Time that goes by.
    private mutating func wait(_ nanoseconds: Int64, _ unit: Double) {
        let distance = Double(max(0, nanoseconds)) / unit * LadderDrawing.usualWait
        if distance <= LadderDrawing.longestWait {
            y += distance
            return
        }
        y += 10
        for x in [LadderDrawing.client, LadderDrawing.server] {
            elements.append(LadderDrawing.line("cut", from: (x - 6, y + 8), to: (x + 6, y + 2)))
        }
        y += 9
        text(LadderDrawing.client - 12, Format.duration(nanoseconds), "faint", anchor: .end)
        y += 10
    }

    private mutating func arrow(_ segment: SegmentRecord, _ fate: Finding.Location?) {
        let place = segment.place.map { " (\($0.file): \($0.frame))" } ?? ""
        y += LadderDrawing.line
        let first = y
        for line in (content.label(segment) + place).wrapped(LadderDrawing.letters) {
            text(LadderDrawing.client + 10, line)
            y += LadderDrawing.line
        }
        let bottom = y
        y = first
        text(LadderDrawing.client - 12, LadderContent.seconds(segment.at), anchor: .end)
        y += LadderDrawing.line
        text(LadderDrawing.client - 12, "frame \(segment.frame)", "faint", anchor: .end)
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
        y += LadderDrawing.slant
    }

    /// A segment that must have been sent and never reached the capture.
    private mutating func ghost(_ finding: Finding) {
        y += LadderDrawing.line
        text(LadderDrawing.client + 10, LadderContent.ghost(finding), "warn")
        y += 6
        shaft(fromClient: finding.code != .synackLost, "unseen", share: 0.33, mark: "✕")
        y += LadderDrawing.slant
    }

    /// - Parameters:
    ///   - share: how much of the way it goes.
    ///   - mark: where it ends, if it does not arrive.
    private mutating func shaft(fromClient: Bool, _ kind: String, share: Double, mark: String) {
        let (from, to) =
            fromClient ? (LadderDrawing.client, LadderDrawing.server) : (LadderDrawing.server, LadderDrawing.client)
        let end = from + (to - from) * share
        let low = y + LadderDrawing.slant * share
        let line = Line(kind: kind, from: (Int(from), Int(y)), to: (Int(end), Int(low)))
        elements.append(.arrow(line, hasHead: share == 1))
        if share < 1 {
            let middle = y
            y = low + 4
            text(end + (fromClient ? 6 : -6), mark, "warn", anchor: fromClient ? .start : .end)
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
        for line in text.wrapped(LadderDrawing.letters) {
            y += LadderDrawing.line
            self.text(LadderDrawing.client + 22, line, kind)
        }
        y += 3
    }

    // MARK: Elements

    private mutating func text(_ x: Double, _ text: String, _ kind: String = "", anchor: Anchor = .start) {
        elements.append(.text(text, Text(x: Int(x), y: Int(y), kind: kind, endsThere: anchor == .end)))
    }

    private enum Anchor { case start, end }

    private static func line(_ kind: String, from: (Double, Double), to: (Double, Double)) -> Element {
        .line(Line(kind: kind, from: (Int(from.0), Int(from.1)), to: (Int(to.0), Int(to.1))))
    }
}
