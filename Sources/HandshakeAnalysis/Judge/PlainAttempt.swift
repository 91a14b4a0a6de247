package import PacketWire

/// A `PlainHandshake` that is listed: its figures, without the record that they would fill. What else the record says
/// is the same for all of one `shape`.
package struct PlainAttempt: BitwiseCopyable, Sendable {
    package var client: Endpoint
    package var server: Endpoint
    let entry: Entry
    let progress: Progress
    /// The shard that it belongs to, which numbers its profiles.
    package let shard: UInt8

    init(client: Endpoint, server: Endpoint, shard: UInt8, _ entry: Entry, _ progress: Progress) {
        self.client = client
        self.server = server
        self.shard = shard
        self.entry = entry
        self.progress = progress
    }

    /// What of a record its figures do not decide.
    package struct Shape: Hashable, Sendable {
        var profiles: UInt64
        var bits: UInt16
    }

    package var shape: Shape {
        Shape(
            profiles: UInt64(entry.profile) << 32 | UInt64(progress.synAckProfile) << 16 | UInt64(progress.ackProfile),
            bits: (entry.isV6 ? 1 : 0) | (entry.isCompletedByData ? 2 : 0) | UInt16(shard) << 8)
    }

    /// As in `AttemptRecord`.
    package var id: UInt64 { entry.firstFrame }
    package var clientISN: UInt32 { entry.clientISN }
    package var serverISN: UInt32 { progress.serverISN }
    /// Nanoseconds of the capture's clock since the epoch.
    package var firstTime: Int64 { entry.firstTime }
    /// Nanoseconds from the SYN to the SYN-ACK, and from that to the final ACK.
    package var synToSynAck: Int64 { progress.synAckTime &- entry.firstTime }
    package var synAckToAck: Int64 { progress.ackTime &- progress.synAckTime }
    /// Numbers of the frames with the SYN-ACK and the final ACK.
    package var synAckFrame: UInt64 { entry.firstFrame &+ UInt64(progress.synAckFrame) }
    package var ackFrame: UInt64 { entry.firstFrame &+ UInt64(progress.ackFrame) }
    /// Octets of payload that the final ACK carries.
    package var ackPayload: UInt32 { progress.ackPayload }
}
