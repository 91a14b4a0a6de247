import HandshakeRecord
import PacketWire

/// Writes the rows of plain attempts, as `PlainLines` writes their JSON.
struct PlainRows {
    /// Cells of a row that hold figures, in the header's order.
    private static let figures = [0, 1, 2, 3, 4, 5, 12, 13, 22, 23, 24, 26, 27, 28]

    private var templates: [PlainAttempt.Shape: LineTemplate?] = [:]
    private var last: (shape: PlainAttempt.Shape, template: LineTemplate)?

    /// Writes what `CSVReport.attempt` would write of the record.
    mutating func row(_ attempt: PlainAttempt, to out: inout OutputBuffer, record: () -> AttemptRecord) {
        if let last, last.shape == attempt.shape { return write(attempt, last.template, &out) }
        guard let template = template(attempt, record) else { return CSVReport().attempt(record(), to: &out) }
        last = (attempt.shape, template)
        write(attempt, template, &out)
    }

    private mutating func template(_ attempt: PlainAttempt, _ record: () -> AttemptRecord) -> LineTemplate? {
        if let known = templates[attempt.shape] { return known }
        guard templates.count < LineTemplate.maximumKept else { return nil }
        var model = OutputBuffer()
        CSVReport().attempt(record(), to: &model)
        var template: LineTemplate? = PlainRows.split(model.bytes)
        // It must give its model again: if not, this is no shape that figures fill.
        if let candidate = template {
            var copy = OutputBuffer()
            write(attempt, candidate, &copy)
            if copy.bytes != model.bytes { template = nil }
        }
        templates[attempt.shape] = .some(template)
        return template
    }

    /// Takes the figures out of a row.
    private static func split(_ row: [UInt8]) -> LineTemplate {
        var (text, ends): ([UInt8], [Int]) = ([], [])
        for (position, cell) in row.split(separator: 0x2c, omittingEmptySubsequences: false).enumerated() {
            if position > 0 { text.append(0x2c) }
            if figures.contains(position) { ends.append(text.count) } else { text += cell }
        }
        ends.append(text.count)
        return LineTemplate(text, ends)
    }

    private func write(_ attempt: PlainAttempt, _ template: LineTemplate, _ out: inout OutputBuffer) {
        let total = DecimalText(attempt.synToSynAck &+ attempt.synAckToAck)
        out.gather(atMost: template.maximumOctets) { stage in
            var line = LineTemplate.Line(stage)
            line.figure(DecimalText(attempt.id), template)
            line.figure(time: attempt.firstTime, template)
            _ = line.place(attempt.client.address, template)
            line.figure(DecimalText(UInt64(attempt.client.port)), template)
            _ = line.place(attempt.server.address, template)
            line.figure(DecimalText(UInt64(attempt.server.port)), template)
            line.figure(DecimalText(UInt64(attempt.clientISN)), template)
            line.figure(DecimalText(UInt64(attempt.serverISN)), template)
            line.figure(DecimalText(attempt.synToSynAck), template)
            line.figure(DecimalText(attempt.synAckToAck), template)
            // The total, its bounds, and what the user waited.
            for _ in 0..<4 { line.figure(total, template) }
            line.finish(template)
            stage = line.stage
        }
    }
}
