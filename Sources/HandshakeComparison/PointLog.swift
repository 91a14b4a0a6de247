package import HandshakeRecord
import PacketWire

/// The attempts of one capture point, in bounded memory: about 400 octets each.
package struct PointLog: Sendable {
    /// Attempts that are kept.
    package static let usualMaximum = 4_000_000

    package private(set) var attempts: [PointAttempt] = []
    package private(set) var segments: [PointSegment] = []
    /// Lists of option kinds that its SYNs and SYN-ACKs have. The first stands for a list that the snaplen cut.
    package private(set) var optionLists: [[UInt8]] = [[]]
    /// Attempts that found no room.
    package private(set) var omitted = 0
    private let maximum: Int
    private let keepsRecords: Bool
    /// The records of its attempts, where they are kept.
    package private(set) var records: [AttemptRecord] = []
    private var optionNumbers: [[UInt8]: UInt16] = [:]
    private var models: [Model: (attempt: PointAttempt, segments: [PointSegment])] = [:]

    /// What plain attempts have in common.
    private struct Model: Hashable {
        var shape: PlainAttempt.Shape
        var shard: UInt8
        var version: UInt8
    }

    /// - Parameter keepsRecords: whether whole records are kept beside: about two kilobytes each.
    package init(maximum: Int = PointLog.usualMaximum, keepsRecords: Bool = false) {
        self.maximum = maximum
        self.keepsRecords = keepsRecords
    }

    /// The segments of an attempt.
    package func segments(of attempt: PointAttempt) -> ArraySlice<PointSegment> { segments[attempt.segments] }

    package mutating func add(_ record: AttemptRecord) {
        // A translated copy is the same connection: what it adds is the other tuple.
        guard record.copyOf == nil else { return }
        guard attempts.count < maximum else { return omitted += 1 }
        append(record)
    }

    /// Adds a plain attempt.
    /// - Parameter record: makes its record.
    package mutating func add(_ plain: PlainAttempt, record: () -> AttemptRecord) {
        guard attempts.count < maximum else { return omitted += 1 }
        if keepsRecords { return append(record()) }
        let model = Model(
            shape: plain.shape, shard: plain.shard, version: plain.client.address.version.rawValue)
        guard let (attempt, three) = models[model] else {
            append(record())
            let attempt = attempts[attempts.count - 1]
            if attempt.segments.count == 3 { models[model] = (attempt, Array(segments[attempt.segments])) }
            return
        }
        append(plain, attempt, three)
    }

    private mutating func append(_ plain: PlainAttempt, _ model: PointAttempt, _ three: [PointSegment]) {
        var attempt = model
        (attempt.id, attempt.client, attempt.server) = (plain.id, plain.client, plain.server)
        (attempt.clientISN, attempt.serverISN, attempt.firstTime) = (plain.clientISN, plain.serverISN, plain.firstTime)
        (attempt.synToSynAck, attempt.synAckToAck) = (plain.synToSynAck, plain.synAckToAck)
        attempt.segments = segments.count..<segments.count + 3
        attempts.append(attempt)
        var (syn, synAck, ack) = (three[0], three[1], three[2])
        (syn.time, syn.frame, syn.seq) = (plain.firstTime, plain.id, plain.clientISN)
        syn.take(plain.syn)
        (synAck.time, synAck.frame) = (plain.firstTime + plain.synToSynAck, plain.synAckFrame)
        (synAck.seq, synAck.ack) = (plain.serverISN, plain.clientISN &+ 1)
        synAck.take(plain.synAck)
        (ack.time, ack.frame) = (synAck.time + plain.synAckToAck, plain.ackFrame)
        (ack.seq, ack.ack, ack.len) = (plain.clientISN &+ 1, plain.serverISN &+ 1, plain.ackPayload)
        // A plain attempt does not carry these figures of its ACK. There is one, so nothing is told apart by them.
        (ack.identification, ack.hasTimestamps) = (0, false)
        segments.append(syn)
        segments.append(synAck)
        segments.append(ack)
    }

    private mutating func append(_ record: AttemptRecord) {
        if keepsRecords { records.append(record) }
        let first = segments.count
        for segment in record.segments {
            let own = PointSegment(segment, firstTime: record.firstTime, options: number(of: segment))
            if !segment.isDuplicate {
                segments.append(own)
            } else if let packet = segments[first...].lastIndex(where: { $0.isSamePacket(as: own) }) {
                segments[packet].spread = max(segments[packet].spread, own.time - segments[packet].time)
            }
        }
        attempts.append(
            PointAttempt(
                id: record.id, client: record.client, server: record.server, network: record.network,
                ordinal: record.ordinal, clientISN: record.clientISN, serverISN: record.serverISN,
                startsAtSYN: record.startsAtSYN, outcome: record.outcome, completedBy: record.completedBy,
                confidence: record.confidence, isDoubtful: record.isDoubtful, firstTime: record.firstTime,
                synToSynAck: record.synToSynAck?.nanoseconds ?? -1, synAckToAck: record.synAckToAck?.nanoseconds ?? -1,
                findings: FindingSet(record.findings), segments: first..<segments.count,
                segmentsOmitted: record.segmentsOmitted))
    }

    private mutating func number(of segment: SegmentRecord) -> UInt16 {
        guard segment.flags.contains(.syn), let kinds = segment.optionKinds else { return 0 }
        if let number = optionNumbers[kinds] { return number }
        guard optionLists.count < Int(UInt16.max) else { return 0 }
        optionLists.append(kinds)
        optionNumbers[kinds] = UInt16(optionLists.count - 1)
        return UInt16(optionLists.count - 1)
    }
}

extension PointSegment {
    fileprivate mutating func take(_ opening: PlainAttempt.Opening) {
        (window, identification) = (opening.window, opening.identification)
        if hasTimestamps { (tsval, tsecr) = (opening.tsval, opening.tsecr) }
    }
}
