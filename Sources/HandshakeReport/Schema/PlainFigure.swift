import HandshakeRecord
import PacketWire

/// A figure of a plain attempt. All attempts of one shape have the same line but for these.
enum PlainFigure: UInt8, CaseIterable, Sendable {
    case uid, communityID, id, clientAddress, clientPort, serverAddress, serverPort
    case clientISN, serverISN, clientNext, serverNext
    case firstTime, firstTimeText, firstTimeMilliseconds, synToSynAck, synAckToAck, total
    case synFileFrame, synAckFrame, synAckFileFrame, ackFrame, ackFileFrame, ackPayload
    case synWindow, synIdentification, synTSval
    case synAckWindow, synAckIdentification, synAckTSval, synAckTSecr

    /// It in a line that a template is made from.
    var mark: String {
        String(decoding: [LineTemplate.mark, rawValue + LineTemplate.offset], as: UTF8.self)
    }
}

/// A line of a plain attempt with the places of its figures: to copy the text between them is three times as fast as to
/// write a record.
final class LineTemplate: Sendable {
    /// The text before each figure, and after the last.
    private let text: PaddedText
    /// Where each part ends, and the figure behind it.
    private let parts: [(end: Int, figure: PlainFigure)]
    /// The figures in it, each once.
    private let figures: [PlainFigure]
    /// Octets of the longest line.
    private let maximumOctets: Int
    /// Octets of the longest figure, an IPv6 address.
    private static let longest = 45
    /// The octet before a figure's number in what a template is made from. No format writes it: control characters are
    /// escaped, or replaced.
    static let mark: UInt8 = 1
    /// The sum of this and a figure's number is a character without a meaning.
    static let offset: UInt8 = 0x30

    /// - Parameter marked: a line with marks instead of figures.
    init(_ marked: [UInt8]) {
        var (text, parts): ([UInt8], [(Int, PlainFigure)]) = ([], [])
        var position = 0
        while position < marked.count {
            if marked[position] == LineTemplate.mark, position + 1 < marked.count,
                let figure = PlainFigure(rawValue: marked[position + 1] &- LineTemplate.offset)
            {
                parts.append((text.count, figure))
                position += 2
            } else {
                text.append(marked[position])
                position += 1
            }
        }
        (self.text, self.parts) = (PaddedText(text), parts)
        figures = PlainFigure.allCases.filter { figure in parts.contains { $0.1 == figure } }
        maximumOctets = text.count + parts.count * LineTemplate.longest
    }

    /// - Parameters:
    ///   - frames: the numbers of its frames in their files, if there are several.
    ///   - seed: of the Community ID.
    func write(
        _ attempt: PlainAttempt, _ frames: InlineArray<3, UInt64>, seed: UInt16, to out: inout OutputBuffer
    ) {
        // Most numbers stand in several places.
        var numbers = InlineArray<32, DecimalText>(repeating: DecimalText(0 as UInt64))
        for figure in figures {
            if let number = figure.number(attempt, frames) { numbers[Int(figure.rawValue)] = DecimalText(number) }
        }
        out.gather(atMost: maximumOctets) { stage in
            var start = 0
            for (end, figure) in parts {
                stage.put(text, from: start, to: end)
                start = end
                switch figure {
                case .uid: stage.put(AttemptIdentity(attempt).uid)
                case .communityID: stage.put(CommunityID.text(attempt.client, attempt.server, seed: seed))
                case .clientAddress: stage.put(attempt.client.address)
                case .serverAddress: stage.put(attempt.server.address)
                case .firstTimeText: stage.put(time: attempt.firstTime)
                default: stage.put(numbers[Int(figure.rawValue)])
                }
            }
            stage.put(text, from: start, to: text.count)
        }
    }
}

extension PlainFigure {
    /// Its number; nil of what is no number.
    @inline(__always)
    fileprivate func number(_ attempt: PlainAttempt, _ frames: InlineArray<3, UInt64>) -> Int64? {
        switch self {
        case .uid, .communityID, .clientAddress, .serverAddress, .firstTimeText: nil
        case .id: Int64(truncatingIfNeeded: attempt.id)
        case .clientPort: Int64(attempt.client.port)
        case .serverPort: Int64(attempt.server.port)
        case .clientISN: Int64(attempt.clientISN)
        case .serverISN: Int64(attempt.serverISN)
        case .clientNext: Int64(attempt.clientISN &+ 1)
        case .serverNext: Int64(attempt.serverISN &+ 1)
        case .firstTime: attempt.firstTime
        case .firstTimeMilliseconds: floorDivide(attempt.firstTime, 1_000_000)
        case .synToSynAck: attempt.synToSynAck
        case .synAckToAck: attempt.synAckToAck
        case .total: attempt.synToSynAck &+ attempt.synAckToAck
        case .synFileFrame: Int64(truncatingIfNeeded: frames[0])
        case .synAckFrame: Int64(truncatingIfNeeded: attempt.synAckFrame)
        case .synAckFileFrame: Int64(truncatingIfNeeded: frames[1])
        case .ackFrame: Int64(truncatingIfNeeded: attempt.ackFrame)
        case .ackFileFrame: Int64(truncatingIfNeeded: frames[2])
        case .ackPayload: Int64(attempt.ackPayload)
        case .synWindow: Int64(attempt.syn.window)
        case .synIdentification: Int64(attempt.syn.identification)
        case .synTSval: Int64(attempt.syn.tsval)
        case .synAckWindow: Int64(attempt.synAck.window)
        case .synAckIdentification: Int64(attempt.synAck.identification)
        case .synAckTSval: Int64(attempt.synAck.tsval)
        case .synAckTSecr: Int64(attempt.synAck.tsecr)
        }
    }
}

/// The templates of plain attempts, by shape.
///
/// A template is made from the record of the first attempt of a shape, and must give that attempt's line again: if not,
/// its attempts are written from their records.
struct PlainTemplates {
    /// The most shapes that are kept; attempts of others are written from their records.
    static let maximum = 4096

    /// Attempts of one key have the same line but for figures.
    private struct Key: Hashable {
        var shape: PlainAttempt.Shape
        /// The files of SYN, SYN-ACK and ACK; zeros where there is one.
        var files: (Int, Int, Int) = (0, 0, 0)

        static func == (a: Key, b: Key) -> Bool { a.shape == b.shape && a.files == b.files }

        func hash(into hasher: inout Hasher) {
            hasher.combine(shape)
            hasher.combine(files.0)
            hasher.combine(files.1)
            hasher.combine(files.2)
        }
    }

    private var templates: [Key: LineTemplate?] = [:]
    /// The last of each shard, since shards alternate.
    private var last = [(key: Key, template: LineTemplate)?](repeating: nil, count: 16)
    private let context: RecordContext

    init(_ context: RecordContext) { self.context = context }

    /// Writes an attempt's line, if there is a template for it.
    /// - Returns: whether it is written.
    mutating func write(_ attempt: PlainAttempt, to out: inout OutputBuffer) -> Bool {
        guard let (key, frames) = key(of: attempt) else { return false }
        let shard = Int(attempt.shard)
        if let last = last[shard], last.key == key {
            last.template.write(attempt, frames, seed: context.communitySeed, to: &out)
            return true
        }
        guard let template = templates[key] ?? nil else { return false }
        last[shard] = (key, template)
        template.write(attempt, frames, seed: context.communitySeed, to: &out)
        return true
    }

    /// Writes the line of an attempt that had no template, and makes one of it.
    /// - Parameter line: writes a record's line; with marks instead of figures, if asked.
    mutating func writeFirst(
        _ attempt: PlainAttempt, _ record: AttemptRecord, to out: inout OutputBuffer,
        _ line: (AttemptRecord, _ isMarked: Bool, inout OutputBuffer) -> Void
    ) {
        var (model, marked, copy) = (OutputBuffer(), OutputBuffer(), OutputBuffer())
        line(record, false, &model)
        out.append(octets: model.bytes)
        guard let (key, frames) = key(of: attempt), templates[key] == nil, templates.count < PlainTemplates.maximum
        else { return }
        line(record, true, &marked)
        let template = LineTemplate(marked.bytes)
        template.write(attempt, frames, seed: context.communitySeed, to: &copy)
        templates[key] = .some(copy.bytes == model.bytes ? template : nil)
    }

    /// Nil where the files of its frames were forgotten.
    private func key(of attempt: PlainAttempt) -> (Key, InlineArray<3, UInt64>)? {
        guard let places = context.places else { return (Key(shape: attempt.shape), [0, 0, 0]) }
        guard let syn = places[attempt.id], let synAck = places[attempt.synAckFrame],
            let ack = places[attempt.ackFrame]
        else { return nil }
        return (
            Key(shape: attempt.shape, files: (syn.file, synAck.file, ack.file)), [syn.frame, synAck.frame, ack.frame]
        )
    }
}
