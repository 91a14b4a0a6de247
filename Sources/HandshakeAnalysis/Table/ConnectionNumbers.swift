import PacketWire

/// The numbers of a connection that a later SYN on its tuple is held against (RFC 9293 3.3.1, RFC 6191), as far as they
/// were seen. An attempt has them in each of its forms until it is forgotten.
struct ConnectionNumbers: BitwiseCopyable {
    /// y, of the SYN-ACK that counts.
    var serverISN: UInt32 = 0
    /// The highest SEQ+LEN from the client.
    var clientEnd: UInt32 = 0
    /// The highest acknowledgment of the server.
    var serverAcked: UInt32 = 0
    /// The client's last TSval (RFC 7323 3.2).
    var clientTSval: UInt32 = 0

    @inline(__always) init() {}

    /// Those of a client that has sent no more than its SYN.
    @inline(__always)
    init(clientISN: UInt32, clientTSval: UInt32) {
        clientEnd = clientISN &+ 1
        serverAcked = clientISN
        self.clientTSval = clientTSval
    }

    /// Takes the octets of a client's segment up to its end.
    @inline(__always)
    mutating func takeClientEnd(_ end: UInt32) { clientEnd = SequenceNumber.later(end, clientEnd) }

    /// Takes what a server's segment acknowledges.
    @inline(__always)
    mutating func takeServerACK(_ ack: UInt32) {
        if SequenceNumber.isAfter(ack, serverAcked) { serverAcked = ack }
    }

    /// Takes a segment of an attempt that is reported, as far as a later SYN on the tuple asks for it. Whose segment it
    /// is is not to be predicted: each number is written, the same where it is not this side's.
    @inline(__always)
    mutating func takeAfterReport(
        end: UInt32, ack: UInt32, hasACK: Bool, tsval: UInt32, hasTSval: Bool, fromClient: Bool
    ) {
        let end = SequenceNumber.later(end, clientEnd)
        let isNews = hasACK && SequenceNumber.isAfter(ack, serverAcked)
        let (client, server) = (mask(fromClient), mask(!fromClient))
        clientEnd = clientEnd ^ (end ^ clientEnd) & client
        clientTSval = clientTSval ^ (tsval ^ clientTSval) & client & mask(hasTSval)
        serverAcked = serverAcked ^ (ack ^ serverAcked) & server & mask(isNews)
    }

    /// All bits, or none: a choice that the compiler does not make a branch.
    @inline(__always)
    private func mask(_ condition: Bool) -> UInt32 { 0 &- (condition ? 1 : 0) }
}
