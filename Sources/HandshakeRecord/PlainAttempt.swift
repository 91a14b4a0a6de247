package import PacketWire

/// An attempt of which there is nothing to say but its figures: established, by SYN, SYN-ACK and final ACK, once each.
/// All attempts of one `shape` have the same record but for these figures.
package struct PlainAttempt: BitwiseCopyable, Sendable {
    /// Stands for everything in a record that the figures do not decide.
    package struct Shape: Hashable, BitwiseCopyable, Sendable {
        package var profiles: UInt64
        package var bits: UInt16

        package init(profiles: UInt64, bits: UInt16) { (self.profiles, self.bits) = (profiles, bits) }
    }

    package var client: Endpoint
    package var server: Endpoint
    package var shape: Shape
    /// The shard that it belongs to, which numbers its shapes.
    package var shard: UInt8
    /// As in `AttemptRecord`.
    package var id: UInt64
    package var clientISN: UInt32
    package var serverISN: UInt32
    /// Nanoseconds since the epoch.
    package var firstTime: Int64
    /// Nanoseconds from the SYN to the SYN-ACK, and from that to the final ACK.
    package var synToSynAck: Int64
    package var synAckToAck: Int64
    /// Numbers of the frames with the SYN-ACK and the final ACK.
    package var synAckFrame: UInt64
    package var ackFrame: UInt64
    /// Octets of payload that the final ACK carries.
    package var ackPayload: UInt32
    package var syn: Opening
    package var synAck: Opening

    /// The numbers of a SYN or SYN-ACK that its shape does not decide.
    package struct Opening: BitwiseCopyable, Sendable {
        package var window: UInt16
        package var identification: UInt16
        package var tsval: UInt32
        package var tsecr: UInt32

        package init(window: UInt16, identification: UInt16, tsval: UInt32, tsecr: UInt32) {
            (self.window, self.identification, self.tsval, self.tsecr) = (window, identification, tsval, tsecr)
        }
    }

    package init(
        client: Endpoint, server: Endpoint, shape: Shape, shard: UInt8, id: UInt64, clientISN: UInt32,
        serverISN: UInt32, firstTime: Int64, synToSynAck: Int64, synAckToAck: Int64, synAckFrame: UInt64,
        ackFrame: UInt64, ackPayload: UInt32, syn: Opening, synAck: Opening
    ) {
        (self.client, self.server, self.shape, self.shard, self.id) = (client, server, shape, shard, id)
        (self.clientISN, self.serverISN, self.firstTime) = (clientISN, serverISN, firstTime)
        (self.synToSynAck, self.synAckToAck) = (synToSynAck, synAckToAck)
        (self.synAckFrame, self.ackFrame, self.ackPayload) = (synAckFrame, ackFrame, ackPayload)
        (self.syn, self.synAck) = (syn, synAck)
    }
}
