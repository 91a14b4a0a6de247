import PacketWire

/// How the connection of an established attempt came to its end, as far as it was seen: it says what a later SYN on the
/// tuple meets.
struct ConnectionClose: BitwiseCopyable, Equatable {
    private var bits: UInt8 = 0
    /// SEQ+LEN of the server's FIN.
    private var serverFinEnd: UInt32 = 0

    private static let clientFin: UInt8 = 1
    private static let serverFin: UInt8 = 2
    private static let serverFirst: UInt8 = 4
    private static let clientFinAcknowledged: UInt8 = 8
    private static let serverFinAcknowledged: UInt8 = 16
    private static let reset: UInt8 = 32
    private static let replaced: UInt8 = 64

    @inline(__always) init() {}

    private func has(_ bits: UInt8) -> Bool { self.bits & bits == bits }

    /// A RST, both FINs, or another handshake in its place. After one FIN the connection is half-closed, and live.
    @inline(__always)
    var isOver: Bool {
        bits & (ConnectionClose.reset | ConnectionClose.replaced) != 0
            || has(ConnectionClose.clientFin | ConnectionClose.serverFin)
    }
    /// Whether it matters what is acknowledged from now on. If the client closed first, and both FINs came, it does
    /// not.
    @inline(__always)
    var awaitsACK: Bool {
        let fins = bits & (ConnectionClose.clientFin | ConnectionClose.serverFin | ConnectionClose.serverFirst)
        return fins != 0 && fins != ConnectionClose.clientFin | ConnectionClose.serverFin
    }
    var isReset: Bool { has(ConnectionClose.reset) }

    /// Whether the server is in TIME-WAIT, where RFC 6191 applies: its FIN did not acknowledge the client's (it closed
    /// first, or both at once, RFC 9293 3.6), and both FINs were acknowledged.
    var isServerInTimeWait: Bool {
        !isReset
            && has(
                ConnectionClose.serverFirst | ConnectionClose.clientFinAcknowledged
                    | ConnectionClose.serverFinAcknowledged)
    }

    /// Takes a segment of the connection: FIN, RST, and what acknowledges a FIN.
    /// - Parameters:
    ///   - end: SEQ+LEN of the segment.
    ///   - clientEnd: the highest SEQ+LEN of the client, this segment included.
    @inline(__always)
    mutating func receive(_ flags: TCPFlags, ack: UInt32, end: UInt32, fromClient: Bool, clientEnd: UInt32) {
        if flags.contains(.rst) { bits |= ConnectionClose.reset }
        if flags.contains(.ack) {
            if fromClient, has(ConnectionClose.serverFin), !SequenceNumber.isAfter(serverFinEnd, ack) {
                bits |= ConnectionClose.serverFinAcknowledged
            }
            if !fromClient, has(ConnectionClose.clientFin), !SequenceNumber.isAfter(clientEnd, ack) {
                bits |= ConnectionClose.clientFinAcknowledged
            }
        }
        guard flags.contains(.fin) else { return }
        if fromClient {
            bits |= ConnectionClose.clientFin
        } else if !has(ConnectionClose.serverFin) {
            if !has(ConnectionClose.clientFinAcknowledged) { bits |= ConnectionClose.serverFirst }
            bits |= ConnectionClose.serverFin
            serverFinEnd = end
        }
    }

    /// Takes a segment if it is the client's FIN, and the first: as `receive`.
    @inline(__always)
    mutating func opensWith(_ flags: TCPFlags, _ fromClient: Bool) -> Bool {
        guard bits == 0, fromClient, !flags.contains(.rst) else { return false }
        bits = ConnectionClose.clientFin
        return true
    }

    /// The server forgot the connection, or another handshake completed in its place.
    mutating func replace() { bits |= ConnectionClose.replaced }
}
