import PacketWire

/// Where the profiles of the last SYN, SYN-ACK and final ACK are: those of the next are likely the same.
struct ProfileHints {
    var syn: UInt16 = 0
    var synAck: UInt16 = 0
    var ack: UInt16 = 0
    /// The last three, of one attempt, that made a plain handshake.
    var plain: (UInt16, UInt16, UInt16) = (0, 0, 0)
}
