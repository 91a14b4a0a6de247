package import PacketWire

/// The tuple: both endpoints, the lower first. What else tells connections apart is in the attempt: x, and the virtual
/// network of each direction (asymmetric routing gives them different ones, so neither can be part of the key). VLAN tags,
/// MPLS labels and outer addresses are no part of a connection's identity.
struct ConnectionKey: Equatable, BitwiseCopyable {
    var low: Endpoint
    var high: Endpoint

    @inline(__always)
    init(_ a: Endpoint, _ b: Endpoint) { (low, high) = b < a ? (b, a) : (a, b) }
}

/// What there is to know of one attempt while it is followed; most never need it (`AttemptTable`). Flat (no references), since a table holds millions. What can be derived from the
/// log at the end is not kept here.
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
        /// It began in a tunnel that nobody vouches for, and a segment came otherwise.
        static var isVouchedFor: Marks { Marks(rawValue: 65536) }
        /// It has the x of the attempt before it.
        static var repeatsISN: Marks { Marks(rawValue: 32768) }
    }

    var key: ConnectionKey
    /// The virtual networks of the client's first segment, and of the server's; the latter is the client's until the server
    /// shows another. A third carries proven copies.
    var clientNetwork = VirtualNetwork.none
    var serverNetwork = VirtualNetwork.none
    var copyNetwork = VirtualNetwork.none
    /// What carried its first segment (`Carriers`).
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
    var events = EventSet()

    /// x.
    var clientISN: UInt32 = 0
    /// y, of the SYN-ACK that counts.
    var serverISN: UInt32 = 0
    /// L: what the SYN carried beside itself.
    var synLength: UInt32 = 0
    /// SEG.ACK of the SYN-ACK that counts, and of the last wrong one.
    var synAckAck: UInt32 = 0
    var wrongSynAckAck: UInt32 = 0
    var wrongSynAckISN: UInt32 = 0
    /// SEG.LEN less the SYN of the SYN-ACK that counts.
    var synAckLength: UInt32 = 0
    var challengeAck: UInt32 = 0
    /// The highest SEQ+LEN from each side.
    var clientEnd: UInt32 = 0
    var serverEnd: UInt32 = 0
    /// The highest acknowledgment that each side sent, and the client's last TSval.
    var serverAcked: UInt32 = 0
    var clientAcked: UInt32 = 0
    var clientTSval: UInt32 = 0
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
    /// When the capture's clock last heard of it (see `CaptureClock.elapsed`).
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
    @inline(__always) var serverNext: UInt32 { serverISN &+ 1 &+ synAckLength }
    /// Octets from x+1 to the end of the server's window, what the SYN carried included.
    @inline(__always) var clientMaySend: UInt32 { max(UInt32(serverWindow), synLength, 1) }
    @inline(__always) var isReported: Bool { machine.state == .closed }

    /// Whether the client sent a segment. Of a socket that is connected to itself the flags tell.
    @inline(__always)
    func isFromClient(_ segment: Segment) -> Bool {
        if isSelfConnect { return !segment.flags.isSYNACK && !segment.flags.contains(.rst) }
        return segment.source == client
    }

    /// Whether a segment's virtual network is one of this attempt's. The first segment of the server may come in another one,
    /// if it acknowledges x+1: nothing else would know that number.
    @inline(__always)
    func isIn(_ segment: Segment) -> Bool {
        if marks.contains(.midstream) || isCarried(in: segment.network) { return true }
        return segment.source == server && !marks.contains(.serverSpoke) && segment.flags.contains(.ack)
            && Sequence.isIn(segment.ack, from: clientNext, length: synLength)
    }

    /// Whether the virtual network is one in which the attempt's segments, or proven copies of them, were seen.
    @inline(__always)
    func isCarried(in network: VirtualNetwork) -> Bool {
        network == clientNetwork || network == serverNetwork || network == copyNetwork && copyNetwork != .none
    }

    /// Whether the connection is up as far as was seen: completed, no RST since, and not both FINs. Half-closed is live.
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

/// One logged segment (or ICMP error) of an attempt: what verdicts need of it, flat.
package struct SegmentNote: Sendable, BitwiseCopyable {
    package var frame: UInt64 = 0
    /// Nanoseconds of the capture's clock since the epoch.
    package var time: Int64 = 0
    package var seq: UInt32 = 0
    package var ack: UInt32 = 0
    package var payloadLength: UInt32 = 0
    package var tsval: UInt32 = 0
    package var tsecr: UInt32 = 0
    package var linkSignature: UInt32 = 0
    package var vlan = VLANTags()
    package var flags: TCPFlags = []
    package var options: TCPOptions.Present = []
    package var window: UInt16 = 0
    package var identification: UInt16 = 0
    package var mss: UInt16 = 0
    package var hopLimit: UInt8 = 0
    package var windowScale: UInt8 = 0
    package var fastOpenCookieLength: UInt8 = 0
    package var mptcpSubtype: UInt8 = 0
    package var checksum = ChecksumState.unverified
    /// What its sender's earlier checksums were, if this one is bad.
    package var senderTrust = SenderTrust.unknown
    package var event = HandshakeEvent.clientMore
    package var fromClient = false
    package var isFragment = false
    package var hasFragmentOverlap = false
    package var isUntimed = false
    package var isCut = false
    /// IEEE 802.11: the Retry bit, and the sequence control; 0 where the link has none.
    package var isLinkRetry = false
    package var linkSequence: UInt16 = 0
    package var tunnels = Tunnels()
    /// What carried it (`Carriers`).
    package var carrier: UInt32 = 0
    package var icmpType: UInt8 = 0
    package var icmpCode: UInt8 = 0
    /// Who sent the ICMP error.
    package var reporter = IPAddress(v4: 0)
    var next: UInt32 = 0

    package init() {}

    @inline(__always)
    init(_ segment: Segment, frame: UInt64, time: Int64, event: HandshakeEvent, fromClient: Bool) {
        self.frame = frame
        self.time = time
        seq = segment.seq
        ack = segment.ack
        payloadLength = segment.payloadLength
        tsval = segment.options.tsval
        tsecr = segment.options.tsecr
        linkSignature = segment.linkSignature
        vlan = segment.vlan
        flags = segment.flags
        options = segment.options.present
        window = segment.window
        identification = segment.identification
        mss = segment.options.mss
        hopLimit = segment.hopLimit
        windowScale = segment.options.windowScale
        fastOpenCookieLength = segment.options.fastOpenCookieLength
        mptcpSubtype = segment.options.mptcpSubtype
        checksum = segment.checksum
        self.event = event
        self.fromClient = fromClient
        isFragment = segment.isFragment
        hasFragmentOverlap = segment.hasFragmentOverlap
        isUntimed = segment.isUntimed
        isCut = segment.isCut
        isLinkRetry = segment.isLinkRetry
        linkSequence = segment.linkSequence
        tunnels = segment.tunnels
    }

    package var isICMP: Bool { event.isICMP }
    /// SYN without ACK or RST.
    package var isSYN: Bool { flags.isSYN }
    package var isSYNACK: Bool { flags.isSYNACK }
}
