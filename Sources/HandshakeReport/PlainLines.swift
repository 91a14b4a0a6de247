package import HandshakeAnalysis
import PacketWire

/// Writes the JSON lines of plain attempts: of one shape, all but the figures is the same in each, so that it is copied from the
/// line of the first one.
package struct PlainLines {
    /// A figure, and what precedes it in the line that `JSONReport` writes; in its order.
    private enum Figure: CaseIterable {
        case id, clientAddress, clientPort, serverAddress, serverPort, clientISN, serverISN
        case synAckExpected, synAckActual, seqExpected, seqActual, ackExpected, ackActual
        case firstTime
        case synToSynAck, synAckToAck, total, low, high, serverLow, serverHigh, clientLow, clientHigh, setup
        case clientFrame, serverFrame
        case synFrame, synSEQ
        case synAckFrame, synAckAt, synAckSEQ, synAckACK
        case ackFrame, ackAt, ackSEQ, ackACK, ackLength

        var marker: StaticString {
            switch self {
            case .id: "\"id\":"
            case .clientAddress, .serverAddress: "{\"ip\":\""
            case .clientPort, .serverPort: "\"port\":"
            case .clientISN: "\"client_isn\":"
            case .serverISN: "\"server_isn\":"
            case .synAckExpected, .seqExpected, .ackExpected: "{\"expected\":"
            case .synAckActual, .seqActual, .ackActual: "\"actual\":"
            case .firstTime: "\"first_time\":\""
            case .synToSynAck: "\"syn_to_synack_ns\":"
            case .synAckToAck: "\"synack_to_ack_ns\":"
            case .total: "\"total_ns\":"
            case .low, .serverLow, .clientLow: "\"low_ns\":"
            case .high, .serverHigh, .clientHigh: "\"high_ns\":"
            case .setup: "\"setup_ns\":"
            case .clientFrame, .serverFrame: "\"from_frame\":"
            case .synFrame, .synAckFrame, .ackFrame: "\"frame\":"
            case .synAckAt, .ackAt: "\"at_ns\":"
            case .synSEQ, .synAckSEQ, .ackSEQ: "\"seq\":"
            case .synAckACK, .ackACK: "\"ack\":"
            case .ackLength: "\"len\":"
            }
        }
    }

    /// What stands before each figure, and after the last.
    private struct Template {
        var text: [UInt8] = []
        /// Where each part ends.
        var ends: [Int] = []
    }

    /// The most shapes that are kept; attempts of others have their records written.
    private static let most = 4096
    private var templates: [PlainAttempt.Shape: Template?] = [:]
    /// Of each part, since those alternate.
    private var last = [(shape: PlainAttempt.Shape, template: Template)?](repeating: nil, count: 16)
    private var clock = SecondText()

    package init() {}

    /// Writes what `JSONReport.line` would write of the record.
    package mutating func line(
        _ attempt: PlainAttempt, to out: inout OutputBuffer, record: () -> AttemptRecord
    ) {
        let part = Int(attempt.part)
        if last[part]?.shape != attempt.shape {
            guard let template = template(attempt, record) else { return JSONReport.line(record(), to: &out) }
            last[part] = (attempt.shape, template)
        }
        if let last = last[part] { write(attempt, last.template, &out) }
    }

    private mutating func template(_ attempt: PlainAttempt, _ record: () -> AttemptRecord) -> Template? {
        if let known = templates[attempt.shape] { return known }
        guard templates.count < PlainLines.most else { return nil }
        var model = OutputBuffer()
        JSONReport.line(record(), to: &model)
        var template: Template? = PlainLines.split(model.bytes)
        // It must give its model again: if not, this is no shape that figures fill.
        if let candidate = template {
            var copy = OutputBuffer()
            write(attempt, candidate, &copy)
            if copy.bytes != model.bytes { template = nil }
        }
        templates[attempt.shape] = .some(template)
        return template
    }

    /// Takes the figures out of a line; nil where one is missing.
    private static func split(_ line: [UInt8]) -> Template? {
        var template = Template()
        var position = 0
        for figure in Figure.allCases {
            let marker = unsafe Array(
                UnsafeBufferPointer(start: figure.marker.utf8Start, count: figure.marker.utf8CodeUnitCount))
            guard let found = line[position...].firstRange(of: marker) else { return nil }
            template.text += line[position..<found.upperBound]
            template.ends.append(template.text.count)
            position = found.upperBound
            // A figure ends at a comma, brace or quotation mark.
            while position < line.count, line[position] != 0x2c, line[position] != 0x7d, line[position] != 0x22 {
                position += 1
            }
        }
        template.text += line[position...]
        template.ends.append(template.text.count)
        return template
    }

    private mutating func write(_ attempt: PlainAttempt, _ template: Template, _ out: inout OutputBuffer) {
        let (isnX, isnY) = (DecimalText(UInt64(attempt.clientISN)), DecimalText(UInt64(attempt.serverISN)))
        let (x, y) = (
            DecimalText(UInt64(attempt.clientISN &+ 1)), DecimalText(UInt64(attempt.serverISN &+ 1))
        )
        let (server, client) = (DecimalText(attempt.synToSynAck), DecimalText(attempt.synAckToAck))
        let total = DecimalText(attempt.synToSynAck &+ attempt.synAckToAck)
        let (id, synAck) = (DecimalText(attempt.id), DecimalText(attempt.synAckFrame))
        let second = clock.text(of: attempt.firstTime)
        out.fill(template.text, template.ends) { line in
            line.decimal(id)
            line.address(attempt.client.address)
            line.decimal(UInt64(attempt.client.port))
            line.address(attempt.server.address)
            line.decimal(UInt64(attempt.server.port))
            line.decimal(isnX)
            line.decimal(isnY)
            for _ in 0..<4 { line.decimal(x) }
            for _ in 0..<2 { line.decimal(y) }
            line.time(second.octets, fraction: second.fraction)
            line.decimal(server)
            line.decimal(client)
            for _ in 0..<3 { line.decimal(total) }
            for _ in 0..<2 { line.decimal(server) }
            for _ in 0..<2 { line.decimal(client) }
            line.decimal(total)
            line.decimal(id)
            line.decimal(synAck)
            line.decimal(id)
            line.decimal(isnX)
            line.decimal(synAck)
            line.decimal(server)
            line.decimal(isnY)
            line.decimal(x)
            line.decimal(attempt.ackFrame)
            line.decimal(total)
            line.decimal(x)
            line.decimal(y)
            line.decimal(UInt64(attempt.ackPayload))
        }
    }
}

/// The text of times within one second: all but the fraction is the same. Several are kept, since attempts that end together began in
/// different seconds.
private struct SecondText {
    private struct Known {
        var second = Int64.min
        var octets: [UInt8] = []
    }

    private var known = [Known](repeating: Known(), count: 8)

    /// - Returns: `2017-01-01T16:30:43.`, and the nanoseconds.
    mutating func text(of time: Int64) -> (octets: [UInt8], fraction: UInt32) {
        let floor = time >= 0 ? time / 1_000_000_000 : (time + 1) / 1_000_000_000 - 1
        let place = Int(truncatingIfNeeded: floor) & (known.count - 1)
        if known[place].second != floor || known[place].octets.isEmpty {
            known[place].second = floor
            known[place].octets = Array(Format.rfc3339(floor &* 1_000_000_000).utf8.dropLast(10))
        }
        return (known[place].octets, UInt32(truncatingIfNeeded: time &- floor &* 1_000_000_000))
    }
}
