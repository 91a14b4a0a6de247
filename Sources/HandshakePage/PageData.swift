import HandshakeExpectation
import HandshakeRecord
import HandshakeReport
import PacketWire

/// What a report's script draws: one JSON document. Lists have one order, which is said where they are written here and
/// where `report.js` reads them.
struct PageData {
    /// The page's data may take so many octets: it opens at once.
    static let maximumSize = 9_500_000

    private let zone: Zone
    private var data: AttemptData
    /// Attempts that are listed, by their ids.
    private(set) var listed: Set<UInt64> = []

    /// - Parameter span: from the first frame to the last, nanoseconds since the epoch.
    init(
        _ zone: Zone, span: ClosedRange<Int64>?, _ numbering: DisplayFilter.Numbering, _ pseudonyms: Pseudonyms?
    ) {
        self.zone = zone
        data = AttemptData(zone, span: span, numbering, pseudonyms)
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
                data.writeWords(to: &$0)
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
        let rows = grid.worst(PageFigures.gridServers).map { (text: data.texts.number($0.server.description), row: $0) }
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

    // MARK: Attempts

    /// The attempts that are listed, as elements of an array.
    private mutating func attempts(
        _ choice: AttemptChoice, _ steps: TimeSteps, _ evidence: Set<UInt64>
    ) -> [UInt8] {
        var octets: [UInt8] = []
        for (rank, record) in choice.chosen(evidence) {
            var place = steps
            let step = place.step(holding: record.firstTime).number - (steps.range?.lowerBound ?? 0)
            let attempt = data.attempt(record, rank, step: step)
            if octets.count + attempt.count + data.texts.size > PageData.maximumSize { break }
            if !octets.isEmpty { octets.append(UInt8(ascii: ",")) }
            octets += attempt
            listed.insert(record.id)
        }
        return octets
    }
}
