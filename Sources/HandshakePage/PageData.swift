import HandshakeExpectation
import HandshakeRecord
import HandshakeReport
import PacketWire

/// What the page's script draws: one JSON document. Texts are numbers of a table; lists have one order, which is said
/// where they are written here and where `report.js` reads them.
struct PageData {
    /// The page's data may take so many octets: it opens at once.
    static let maximumSize = 9_500_000

    private let zone: Zone
    private let numbering: DisplayFilter.Numbering
    private let hidesNames: Bool
    /// Whether times need no date.
    private let isOneDay: Bool
    private var texts: TextTable
    /// Words of the catalogue that the page explains, in the order in which they come.
    private var explained: [String] = []
    private var explanations: [String: (explanation: Explanation, severity: Severity?)] = [:]
    /// Attempts that are listed, by their ids.
    private(set) var listed: Set<UInt64> = []

    /// - Parameter span: from the first frame to the last, nanoseconds since the epoch.
    init(
        _ zone: Zone, span: ClosedRange<Int64>?, _ numbering: DisplayFilter.Numbering, _ pseudonyms: Pseudonyms?
    ) {
        (self.zone, self.numbering) = (zone, numbering)
        isOneDay = span.map { zone.isOneDay($0.lowerBound, $0.upperBound) } ?? false
        hidesNames = pseudonyms != nil
        texts = TextTable(pseudonyms)
    }

    /// The document.
    /// - Parameter figures: what was counted.
    mutating func document(_ figures: PageFigures, evidence: Set<UInt64>) -> [UInt8] {
        let timeline = figures.timeline.drawn
        let attempts = attempts(figures.choice, timeline.steps, evidence)
        var out = OutputBuffer()
        JSONReport.write(to: &out) { json in
            json.object {
                $0.array("outcomes", Outcome.allCases) { $0.element($1.rawValue) }
                $0.array("failures", Outcome.allCases) { $0.element($1.isFailure ? 1 : 0) }
                writeTimeline(timeline, to: &$0)
                writeGrid(figures.grid, to: &$0)
                $0.array("legs", figures.legs) { json, leg in
                    json.object {
                        $0.field("name", leg.name)
                        $0.field("count", leg.times.count)
                        $0.array("quantiles_ns", [0.5, 0.9, 0.99]) { $0.element(leg.times.quantile($1)) }
                        $0.array("steps", leg.times.octaves) { json, step in
                            json.elements([step.upTo, Int64(step.count)]) { $0.element($1) }
                        }
                    }
                }
                $0.object("explained") { json in
                    for word in explained { writeExplanation(word, to: &json) }
                }
                $0.array("texts", texts.texts) { $0.element($1) }
            }
        }
        // The attempts are there already, within their bound.
        var document = out.take()
        document.removeLast(2)
        document += Array(",\"attempts\":[".utf8) + attempts + Array("]}".utf8)
        return PageData.withoutMarkup(document)
    }

    /// JSON that no parser of HTML takes for the end of its element.
    private static func withoutMarkup(_ json: [UInt8]) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(json.count + 64)
        for octet in json {
            if octet == UInt8(ascii: "<") { octets += Array("\\u003c".utf8) } else { octets.append(octet) }
        }
        return octets
    }

    // MARK: Figures

    /// The text of a step's start, as exact as its width.
    private func label(_ time: Int64, _ width: Int64) -> String {
        if width >= 86_400_000_000_000 { return zone.day(time) }
        return String(zone.clock(time).prefix(width >= 1_000_000_000 ? 8 : 12))
    }

    private func writeSteps(_ steps: TimeSteps, to json: inout JSONWriter) {
        json.field("width_ns", steps.width)
        json.field("first", steps.range?.lowerBound)
        let range = steps.range.map { Array($0) } ?? []
        json.array("labels", range) { $0.element(label($1 &* steps.width, steps.width)) }
        // [place, day] where a day begins.
        var days: [(place: Int, day: String)] = []
        for (place, number) in range.enumerated() {
            let day = zone.heading(number &* steps.width)
            if day != days.last?.day { days.append((place, day)) }
        }
        json.array("days", days) { json, entry in
            json.elements([0]) { json, _ in
                json.element(entry.place)
                json.element(entry.day)
            }
        }
    }

    private func writeTimeline(_ timeline: AttemptTimeline, to json: inout JSONWriter) {
        json.object("timeline") {
            writeSteps(timeline.steps, to: &$0)
            let first = timeline.steps.range?.lowerBound ?? 0
            // [place, resent, lossy, p50, p90, p99 in ns or null, attempts of each outcome].
            $0.array("steps", timeline.counts.keys.sorted()) { json, number in
                guard let step = timeline.counts[number] else { return }
                json.elements([0]) { json, _ in
                    json.element(number - first)
                    json.element(step.resent)
                    json.element(step.lossy)
                    for share in [0.5, 0.9, 0.99] { json.element(step.roundTrips.quantile(share)) }
                    for count in step.outcomes { json.element(count) }
                }
            }
        }
    }

    private mutating func writeGrid(_ grid: ServerGrid, to json: inout JSONWriter) {
        let rows = grid.worst(PageFigures.gridServers).map { (text: texts.number($0.server.description), row: $0) }
        json.object("grid") {
            writeSteps(grid.steps, to: &$0)
            let first = grid.steps.range?.lowerBound ?? 0
            $0.array("servers", rows) { json, entry in
                json.object {
                    $0.field("name", entry.text)
                    $0.field("attempts", entry.row.attempts)
                    $0.field("failed", entry.row.failed)
                    // [place, attempts, failed].
                    $0.array("cells", entry.row.cells.keys.sorted()) { json, number in
                        guard let cell = entry.row.cells[number] else { return }
                        json.elements([Int(number - first), cell.attempts, cell.failed]) { $0.element($1) }
                    }
                }
            }
        }
    }

    // MARK: Words

    private mutating func explain(_ word: String, _ explanation: Explanation, _ severity: Severity?) -> Int {
        if explanations.updateValue((explanation, severity), forKey: word) == nil { explained.append(word) }
        return texts.number(word)
    }

    private func writeExplanation(_ word: String, to json: inout JSONWriter) {
        guard let (explanation, severity) = explanations[word] else { return }
        json.object(word) {
            $0.field("title", explanation.title)
            $0.field("meaning", explanation.meaning)
            $0.field("reference", explanation.reference)
            $0.field("next", explanation.next)
            $0.field("severity", severity?.rawValue)
        }
    }

    // MARK: Attempts

    /// The attempts that are listed, as elements of an array.
    private mutating func attempts(
        _ choice: AttemptChoice, _ steps: TimeSteps, _ evidence: Set<UInt64>
    ) -> [UInt8] {
        var octets: [UInt8] = []
        for (rank, record) in choice.chosen(evidence) {
            let attempt = attempt(record, rank, steps)
            if octets.count + attempt.count + texts.size > PageData.maximumSize { break }
            if !octets.isEmpty { octets.append(UInt8(ascii: ",")) }
            octets += attempt
            listed.insert(record.id)
        }
        return octets
    }

    private mutating func attempt(
        _ record: AttemptRecord, _ rank: AttemptChoice.Rank, _ steps: TimeSteps
    ) -> [UInt8] {
        var record = record
        if hidesNames {
            // Comments and names of files may say anything.
            for place in record.segments.indices {
                record.segments[place].comment = nil
                record.segments[place].place = nil
            }
        }
        var place = steps
        let step = place.step(holding: record.firstTime).number - (steps.range?.lowerBound ?? 0)
        let time = texts.number(isOneDay ? zone.clock(record.firstTime) : zone.dateAndTime(record.firstTime))
        let (client, server) = (texts.number(record.client.description), texts.number(record.server.description))
        let outcome = explain(record.outcome.rawValue, record.outcome.explanation, nil)
        let reason = record.failedBecause.map { texts.number($0.text) }
        let findings = record.findings.map { finding in
            (
                code: explain(finding.code.rawValue, finding.code.explanation, finding.code.severity),
                alternatives: finding.alternatives.map { texts.number($0) }
            )
        }
        let filter = texts.number(filter(record))
        let drawing = LadderDrawing(record, zone: zone)
        let (title, description) = (texts.number(drawing.title), texts.number(drawing.description))
        let elements = drawing.elements.map { element($0) }
        var out = OutputBuffer()
        JSONReport.write(to: &out) { json in
            // [id, rank, step, time, client, server, outcome, reason, findings, rtt, mss, filter, title, description,
            // height, elements of the ladder].
            json.elements([0]) { json, _ in
                for number in [Int(record.id), rank.rawValue, Int(step), time, client, server, outcome] {
                    json.element(number)
                }
                json.element(reason)
                json.elements(findings) { json, finding in
                    json.elements([finding.code] + finding.alternatives) { $0.element($1) }
                }
                json.element(record.total?.nanoseconds)
                json.element(record.negotiatedMSS)
                for number in [filter, title, description, drawing.height] { json.element(number) }
                json.elements(elements) { json, numbers in json.elements(numbers) { $0.element($1) } }
            }
        }
        var octets = out.take()
        octets.removeLast()
        return octets
    }

    /// The display filter of Wireshark for it; by its frames alone where addresses are not told.
    private func filter(_ record: AttemptRecord) -> String {
        if !hidesNames { return DisplayFilter.text(record, numbering) }
        guard numbering == .oneFile else { return "" }
        return "frame.number in {\(record.segments.map { "\($0.frame)" }.joined(separator: ", "))}"
    }

    /// A text is [0, kind, x, y, text], or [1, ...] where x is its end; a line [2, kind, x, y, x, y]; an arrow
    /// [3, ...], or [4, ...] with a head.
    private mutating func element(_ element: LadderDrawing.Element) -> [Int] {
        switch element {
        case .text(let text, let place):
            [place.endsThere ? 1 : 0, texts.number(place.kind), place.x, place.y, texts.number(text)]
        case .line(let line): [2] + numbers(line)
        case .arrow(let line, let hasHead): [hasHead ? 4 : 3] + numbers(line)
        }
    }

    private mutating func numbers(_ line: LadderDrawing.Line) -> [Int] {
        [texts.number(line.kind), line.from.x, line.from.y, line.to.x, line.to.y]
    }
}
