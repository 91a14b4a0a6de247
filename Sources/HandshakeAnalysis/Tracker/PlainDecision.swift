import HandshakeRecord
import PacketWire

/// A `PlainHandshake` that is listed: what the table held of it when it was decided.
struct PlainDecision: BitwiseCopyable, Sendable {
    let client: Endpoint
    let server: Endpoint
    let entry: Entry
    let progress: Progress
    /// The shard that it belongs to, which numbers its profiles.
    let shard: UInt8

    /// Its figures.
    var attempt: PlainAttempt {
        PlainAttempt(
            client: client, server: server,
            shape: PlainAttempt.Shape(
                profiles: UInt64(entry.profile) << 32 | UInt64(progress.synAckProfile) << 16
                    | UInt64(progress.ackProfile),
                bits: (entry.isV6 ? 1 : 0) | (entry.isCompletedByData ? 2 : 0) | UInt16(shard) << 8),
            shard: shard, id: entry.firstFrame, clientISN: entry.clientISN, serverISN: progress.numbers.serverISN,
            firstTime: entry.firstTime, synToSynAck: progress.synAckTime &- entry.firstTime,
            synAckToAck: progress.ackTime &- progress.synAckTime,
            synAckFrame: entry.firstFrame &+ UInt64(progress.synAckFrame),
            ackFrame: entry.firstFrame &+ UInt64(progress.ackFrame), ackPayload: progress.ackPayload,
            syn: .init(
                window: entry.window, identification: entry.identification, tsval: entry.clientTSval, tsecr: 0),
            synAck: .init(
                window: progress.synAckWindow, identification: progress.synAckIdentification,
                tsval: progress.synAckTSval, tsecr: progress.synAckTSecr))
    }
}
