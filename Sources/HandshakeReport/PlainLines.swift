package import HandshakeRecord
package import PacketWire

/// Writes the JSON lines of plain attempts: of one shape, all but the figures is the same in each, so that it is copied
/// from the line of the first one.
package struct PlainLines {
    /// A figure, and what precedes it in the line that `JSONReport` writes; in its order.
    private enum Figure: CaseIterable {
        case id, clientAddress, clientPort, serverAddress, serverPort, clientISN, serverISN
        case synAckExpected, synAckActual, seqExpected, seqActual, ackExpected, ackActual
        case firstTime
        case synToSynAck, synAckToAck, total, low, high, serverLow, serverHigh, clientLow, clientHigh, setup
        case clientFrame, serverFrame
        case synFrame, synPlace, synSEQ
        case synAckFrame, synAckPlace, synAckAt, synAckSEQ, synAckACK
        case ackFrame, ackPlace, ackAt, ackSEQ, ackACK, ackLength
        case filterClient, filterServer, filterClientPort, filterServerPort, filterFirst, filterLast

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
            case .synPlace, .synAckPlace, .ackPlace: "\"file_frame\":"
            case .synAckAt, .ackAt: "\"at_ns\":"
            case .synSEQ, .synAckSEQ, .ackSEQ: "\"seq\":"
            case .synAckACK, .ackACK: "\"ack\":"
            case .ackLength: "\"len\":"
            case .filterClient, .filterServer: "addr=="
            case .filterClientPort, .filterServerPort: "port=="
            case .filterFirst: "number>="
            case .filterLast: "number<="
            }
        }
    }

    /// Attempts of one key have the same line but for figures.
    private struct Key: Hashable {
        var shape: PlainAttempt.Shape
        /// The files of SYN, SYN-ACK and ACK; none where there is one.
        var files: [Int] = []
    }

    private var templates: [Key: LineTemplate?] = [:]
    /// The last of each shard, since shards alternate.
    private var last = [(key: Key, template: LineTemplate)?](repeating: nil, count: 16)

    private let numbering: DisplayFilter.Numbering
    private let places: FramePlaces?

    /// - Parameters:
    ///   - numbering: what frame numbers are.
    ///   - places: where frames are, if there are several files.
    package init(_ numbering: DisplayFilter.Numbering = .oneFile, _ places: FramePlaces? = nil) {
        (self.numbering, self.places) = (numbering, places)
    }

    /// Writes what `JSONReport.line` would write of the record.
    package mutating func line(
        _ attempt: PlainAttempt, to out: inout OutputBuffer, record: () -> AttemptRecord
    ) {
        let shard = Int(attempt.shard)
        guard let places else { return line(attempt, Key(shape: attempt.shape), [], shard, to: &out, record: record) }
        let found = [attempt.id, attempt.synAckFrame, attempt.ackFrame].compactMap { places[$0] }
        guard found.count == 3 else { return JSONReport.line(record(), numbering, to: &out) }
        line(
            attempt, Key(shape: attempt.shape, files: found.map(\.file)), found.map(\.frame), shard, to: &out,
            record: record)
    }

    /// - Parameter frames: the numbers of its frames in their files, if there are several.
    private mutating func line(
        _ attempt: PlainAttempt, _ key: Key, _ frames: [UInt64], _ shard: Int, to out: inout OutputBuffer,
        record: () -> AttemptRecord
    ) {
        if let last = last[shard], last.key == key { return write(attempt, frames, last.template, &out) }
        guard let template = template(attempt, key, frames, record) else {
            return JSONReport.line(record(), numbering, to: &out)
        }
        last[shard] = (key, template)
        write(attempt, frames, template, &out)
    }

    private mutating func template(
        _ attempt: PlainAttempt, _ key: Key, _ frames: [UInt64], _ record: () -> AttemptRecord
    ) -> LineTemplate? {
        if let known = templates[key] { return known }
        guard templates.count < LineTemplate.maximumKept else { return nil }
        var model = OutputBuffer()
        JSONReport.line(record(), numbering, to: &model)
        var template: LineTemplate? = PlainLines.split(model.bytes, numbering, hasPlaces: places != nil)
        // It must give its model again: if not, this is no shape that figures fill.
        if let candidate = template {
            var copy = OutputBuffer()
            write(attempt, frames, candidate, &copy)
            if copy.bytes != model.bytes { template = nil }
        }
        templates[key] = .some(template)
        return template
    }

    /// Takes the figures out of a line; nil where one is missing.
    private static func split(
        _ line: [UInt8], _ numbering: DisplayFilter.Numbering, hasPlaces: Bool
    ) -> LineTemplate? {
        var (text, ends): ([UInt8], [Int]) = ([], [])
        var position = 0
        let hasNumbers = numbering == .oneFile
        for figure in Figure.allCases {
            switch figure {
            case .filterFirst, .filterLast: if !hasNumbers { continue }
            case .synPlace, .synAckPlace, .ackPlace: if !hasPlaces { continue }
            default: break
            }
            let marker = unsafe Array(
                UnsafeBufferPointer(start: figure.marker.utf8Start, count: figure.marker.utf8CodeUnitCount))
            guard let found = line[position...].firstRange(of: marker) else { return nil }
            text += line[position..<found.upperBound]
            ends.append(text.count)
            position = found.upperBound
            // A figure ends at a comma, brace, quotation mark or space.
            while position < line.count, ![0x2c, 0x7d, 0x22, 0x20].contains(line[position]) { position += 1 }
        }
        text += line[position...]
        ends.append(text.count)
        return LineTemplate(text, ends)
    }

    private func write(
        _ attempt: PlainAttempt, _ frames: [UInt64], _ template: LineTemplate, _ out: inout OutputBuffer
    ) {
        let (isnX, isnY) = (DecimalText(UInt64(attempt.clientISN)), DecimalText(UInt64(attempt.serverISN)))
        let (x, y) = (
            DecimalText(UInt64(attempt.clientISN &+ 1)), DecimalText(UInt64(attempt.serverISN &+ 1))
        )
        let (toServer, toClient) = (DecimalText(attempt.synToSynAck), DecimalText(attempt.synAckToAck))
        let (clientPort, serverPort) = (
            DecimalText(UInt64(attempt.client.port)), DecimalText(UInt64(attempt.server.port))
        )
        let total = DecimalText(attempt.synToSynAck &+ attempt.synAckToAck)
        let (id, synAck) = (DecimalText(attempt.id), DecimalText(attempt.synAckFrame))
        let ack = DecimalText(attempt.ackFrame)
        let hasNumbers = numbering == .oneFile
        out.gather(atMost: template.maximumOctets) { stage in
            var line = LineTemplate.Line(stage)
            line.figure(id, template)
            let client = line.place(attempt.client.address, template)
            line.figure(clientPort, template)
            let server = line.place(attempt.server.address, template)
            line.figure(serverPort, template)
            line.figure(isnX, template)
            line.figure(isnY, template)
            for _ in 0..<4 { line.figure(x, template) }
            for _ in 0..<2 { line.figure(y, template) }
            line.figure(time: attempt.firstTime, template)
            line.figure(toServer, template)
            line.figure(toClient, template)
            for _ in 0..<3 { line.figure(total, template) }
            for _ in 0..<2 { line.figure(toServer, template) }
            for _ in 0..<2 { line.figure(toClient, template) }
            line.figure(total, template)
            line.figure(id, template)
            line.figure(synAck, template)
            func place(_ segment: Int, _ line: inout LineTemplate.Line) {
                if !frames.isEmpty { line.figure(DecimalText(frames[segment]), template) }
            }
            line.figure(id, template)
            place(0, &line)
            line.figure(isnX, template)
            line.figure(synAck, template)
            place(1, &line)
            line.figure(toServer, template)
            line.figure(isnY, template)
            line.figure(x, template)
            line.figure(ack, template)
            place(2, &line)
            line.figure(total, template)
            line.figure(x, template)
            line.figure(y, template)
            line.figure(DecimalText(UInt64(attempt.ackPayload)), template)
            line.again(client, template)
            line.again(server, template)
            line.figure(clientPort, template)
            line.figure(serverPort, template)
            if hasNumbers {
                line.figure(id, template)
                line.figure(ack, template)
            }
            line.finish(template)
            stage = line.stage
        }
    }
}
