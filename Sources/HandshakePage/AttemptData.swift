package import HandshakeRecord
import HandshakeReport
import PacketWire

/// Attempts as a page's script has them, and what goes with them: their texts, each once, and what the words of the
/// catalogue mean that they have. Lists have one order, which is said where they are written here and where `parts.js`
/// reads them.
package struct AttemptData {
    private let zone: Zone
    private let numbering: DisplayFilter.Numbering
    private let hidesNames: Bool
    /// Whether times need no date.
    private let isOneDay: Bool
    var texts: TextTable
    /// Words of the catalogue that the page explains, in the order in which they come.
    private var explained: [String] = []
    private var explanations: [String: (explanation: Explanation, severity: Severity?)] = [:]

    /// - Parameter span: from the first frame to the last, nanoseconds since the epoch.
    init(
        _ zone: Zone, span: ClosedRange<Int64>?, _ numbering: DisplayFilter.Numbering, _ pseudonyms: Pseudonyms?
    ) {
        (self.zone, self.numbering) = (zone, numbering)
        isOneDay = span.map { zone.isOneDay($0.lowerBound, $0.upperBound) } ?? false
        hidesNames = pseudonyms != nil
        texts = TextTable(pseudonyms)
    }

    /// One attempt of a live run, with all that its ladder needs: `texts`, `explained`, `attempt`.
    package static func document(_ record: AttemptRecord) -> [UInt8] {
        var data = AttemptData(.utc, span: nil, .noFile, nil)
        let attempt = data.attempt(record, .plain, step: 0)
        var out = OutputBuffer()
        JSONReport.write(to: &out) { json in json.object { data.writeWords(to: &$0) } }
        var document = out.take()
        document.removeLast(2)
        return document + Array(",\"attempt\":".utf8) + attempt + Array("}\n".utf8)
    }

    /// The texts of the attempts that were written, and what the words among them mean.
    func writeWords(to json: inout JSONWriter) {
        json.object("explained") { json in
            for word in explained { writeExplanation(word, to: &json) }
        }
        json.array("texts", texts.texts) { $0.element($1) }
    }

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

    /// A list: id, rank, step, time, client, server, outcome, reason, findings, rtt, mss, filter, title, description,
    /// height of the ladder, elements of it. A finding is its code and its alternatives. Texts are their numbers.
    mutating func attempt(_ record: AttemptRecord, _ rank: AttemptChoice.Rank, step: Int64) -> [UInt8] {
        var record = record
        if hidesNames {
            // Comments and names of files may say anything.
            for place in record.segments.indices {
                record.segments[place].comment = nil
                record.segments[place].place = nil
            }
        }
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
            json.elements([0]) { json, _ in
                for number in [Int(clamping: record.id), rank.rawValue, Int(step), time, client, server, outcome] {
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
