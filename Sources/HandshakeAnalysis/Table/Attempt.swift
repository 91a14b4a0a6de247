import PacketWire

/// The detail of one attempt while it is followed; most never need it (`AttemptTable`). Flat (no
/// references), since a table holds millions. What can be derived from the log at the end is not kept here.
struct Attempt: BitwiseCopyable {
    /// Which expiry queue it is in.
    enum Queue: UInt8 { case unfinished, settling, ended, live }

    /// How a new attempt found its tuple. In the server's TIME-WAIT, RFC 6191 says whether its SYN is taken.
    enum Predecessor: UInt8 { case none, over, timeWaitTaken, timeWaitNotTaken, unanswered, live, other }

    struct Marks: OptionSet {
        let rawValue: UInt32
        /// The client is the key's lower endpoint.
        static var clientIsLow: Marks { Marks(rawValue: 1) }
        static var hasServerISN: Marks { Marks(rawValue: 2) }
        /// Another attempt on the tuple was live when the client's RST came.
        static var otherLiveAtReset: Marks { Marks(rawValue: 4) }
        /// Its SYN came while a newer connection was live on the tuple.
        static var olderThanLive: Marks { Marks(rawValue: 8) }
        /// Another x came before this one had been unanswered for long.
        static var reusedEarly: Marks { Marks(rawValue: 16) }
        static var clientSentTimestamps: Marks { Marks(rawValue: 32) }
        /// No SYN, no SYN-ACK: a connection that was there before the capture.
        static var midstream: Marks { Marks(rawValue: 64) }
        /// The server went on after a RST that should have ended the connection.
        static var outlivedReset: Marks { Marks(rawValue: 128) }
        static var established: Marks { Marks(rawValue: 256) }
        static var fastOpen: Marks { Marks(rawValue: 512) }
        static var serverSpoke: Marks { Marks(rawValue: 1024) }
        /// SYN-ACKs with more than one valid y.
        static var severalServerISNs: Marks { Marks(rawValue: 2048) }
        /// The server acknowledged client data that was not captured.
        static var missedSegments: Marks { Marks(rawValue: 4096) }
        /// Segments with bad checksums, or in tunnels that say nothing of it, came: the log says which of them count
        /// (`HandshakeTracker.resolveTrust`).
        static var hasDoubtfulSegments: Marks { Marks(rawValue: 8192) }
        /// The client's ACK that completed it acknowledges what was not captured; evidence may still speak against it.
        static var completedBeyond: Marks { Marks(rawValue: 16384) }
        /// The segment that completed it stands behind one that shows that it was sent.
        static var completedLate: Marks { Marks(rawValue: 131072) }
        /// It began in a tunnel that nobody vouches for, and a segment came otherwise.
        static var isVouchedFor: Marks { Marks(rawValue: 65536) }
        /// It has the x of the attempt before it.
        static var repeatsISN: Marks { Marks(rawValue: 32768) }
    }

    var key: ConnectionKey
    /// The virtual networks of the client's first segment, and of the server's; the latter is the client's until the
    /// server shows another. A third carries proven copies.
    var clientNetwork = VirtualNetwork.none
    var serverNetwork = VirtualNetwork.none
    var copyNetwork = VirtualNetwork.none
    /// The number of its first segment's carrier (`Carriers`).
    var carrier = Carriers.plain
    /// Segments in tunnels that say nothing of it.
    var foreignCount: UInt32 = 0
    var marks: Marks = []
    var machine: HandshakeMachine
    var predecessor = Predecessor.none
    var completedBy: UInt8 = 0
    var close = ConnectionClose()
    /// The sides that showed good checksums: 1 the client, 2 the server.
    var goodChecksums: UInt8 = 0
    /// As in `AttemptRecord`.
    var ordinal: UInt8 = 0
    var events = EventSet()

    /// x.
    var clientISN: UInt32 = 0
    var numbers = ConnectionNumbers()
    /// The highest SEQ+LEN from the server, and the client's last acknowledgment.
    var serverEnd: UInt32 = 0
    var clientAcked: UInt32 = 0
    /// L: what the SYN carried beside itself.
    var synLength: UInt32 = 0
    /// SEG.ACK of the SYN-ACK that counts, and of the last wrong one.
    var synAckAck: UInt32 = 0
    var wrongSynAckAck: UInt32 = 0
    var wrongSynAckISN: UInt32 = 0
    /// SEG.LEN less the SYN of the SYN-ACK that counts.
    var synAckLength: UInt32 = 0
    var challengeAck: UInt32 = 0
    var clientWindow: UInt16 = 0
    var serverWindow: UInt16 = 0

    /// The number of the frame with its first segment: the attempt's id.
    var firstFrame: UInt64 = 0
    var firstTime: Int64 = 0
    var lastSYNTime: Int64 = 0
    /// IP identification of the first SYN; 0 for none.
    var identification: UInt16 = 0
    var predecessorID: UInt64 = 0
    var successorID: UInt64 = 0
    /// The number of the frame that completed it.
    var completedFrame: UInt64 = 0
    /// When it was touched last (see `CaptureClock.elapsed`).
    var touched: Int64 = 0
    /// The same, of its handshake's last segment: identity counts from it.
    var handshakeTouched: Int64 = 0

    // Links: slots of the table, notes of the log; 0 is none.
    var older: UInt32 = 0
    var firstNote: UInt32 = 0
    var lastNote: UInt32 = 0
    var noteCount: UInt16 = 0
    var notesOmitted: UInt32 = 0
    var synCount: UInt32 = 0
    var synAckCount: UInt32 = 0
    var rstCount: UInt32 = 0
    var refusalCount: UInt32 = 0
    var duplicateCount: UInt32 = 0

    init(key: ConnectionKey, state: HandshakeState) {
        self.key = key
        machine = HandshakeMachine(state)
    }

    @inline(__always) var client: Endpoint { marks.contains(.clientIsLow) ? key.low : key.high }
    @inline(__always) var server: Endpoint { marks.contains(.clientIsLow) ? key.high : key.low }
    @inline(__always) var isSelfConnect: Bool { key.low == key.high }
    /// x+1.
    @inline(__always) var clientNext: UInt32 { clientISN &+ 1 }
    /// y+1, the SYN-ACK's payload included.
    @inline(__always) var serverNext: UInt32 { numbers.serverISN &+ 1 &+ synAckLength }
    /// Octets from x+1 to the end of the server's window, what the SYN carried included.
    @inline(__always) var clientMaySend: UInt32 { max(UInt32(serverWindow), synLength, 1) }
    /// Takes the window of the server's SYN. One of 0 is opened later, and perhaps not in the capture: then only the
    /// largest that a SYN-ACK could have said bounds what the client sends.
    @inline(__always)
    mutating func takeServerWindow(_ window: UInt16) { serverWindow = window == 0 ? .max : window }

    @inline(__always) var isReported: Bool { machine.state == .closed }

    /// Takes the octets of a server's segment up to its end.
    @inline(__always)
    mutating func takeServerEnd(_ end: UInt32) { serverEnd = SequenceNumber.later(end, serverEnd) }

    /// Whether the client sent a segment. Of a socket that is connected to itself the flags tell.
    @inline(__always)
    func isFromClient(_ segment: Segment) -> Bool {
        if isSelfConnect { return !segment.flags.isSYNACK && !segment.flags.contains(.rst) }
        return segment.source == client
    }

    /// Whether a segment's virtual network is one of this attempt's. The first segment of the server may come in
    /// another one, if it acknowledges x+1: nothing else would know that number.
    @inline(__always)
    func isIn(_ segment: Segment) -> Bool {
        if marks.contains(.midstream) || isCarried(in: segment.network) { return true }
        return segment.source == server && !marks.contains(.serverSpoke) && segment.flags.contains(.ack)
            && SequenceNumber.isIn(segment.ack, from: clientNext, length: synLength)
    }

    /// Whether the virtual network is one in which the attempt's segments, or proven copies of them, were seen.
    @inline(__always)
    func isCarried(in network: VirtualNetwork) -> Bool {
        network == clientNetwork || network == serverNetwork || network == copyNetwork && copyNetwork != .none
    }

    /// Whether the connection is up as far as was seen: completed, no RST since, and not both FINs. Half-closed is
    /// live.
    @inline(__always) var isLive: Bool { marks.contains(.established) && !close.isOver }
}

/// How each side's segments were carried: as the first of them that was encapsulated.
struct TunnelPaths {
    var client = TunnelPath()
    var server = TunnelPath()

    mutating func add(_ path: TunnelPath, fromClient: Bool) {
        if fromClient {
            if client.isEmpty { client = path }
        } else if server.isEmpty {
            server = path
        }
    }
}
