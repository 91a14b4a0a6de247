/// Why a packet was sent. The oracle judges by this, never by numbers.
public enum Meaning: String, Sendable {
    case syn
    case synAck
    /// The client's first segment in ESTABLISHED, and each that repeats it.
    case finalAck
    /// Any later segment that only an established client sends.
    case fromEstablishedClient
    /// From a server that has seen the final ACK.
    case fromEstablishedServer
    /// RST+ACK of a closed port.
    case refusal
    /// The client rejects what answered its SYN, or an older one: RST, SEQ x+1.
    case clientReset
    /// The server gives up a connection that it has not seen completed: RST, SEQ y+1.
    case serverReset
    /// RST on a connection that its sender had established.
    case laterReset
    /// ACK of what was there before (RFC 5961 4, RFC 9293 Figures 9 and 10).
    case challenge
    /// RST that answers a challenge, or a segment for no connection.
    case strayReset
    case icmp
    /// RST of a middlebox, in the server's name.
    case forgedReset
    /// A SYN that the server's host sends on a connection that it has.
    case reverseSYN
}

public struct Sent: Sendable {
    public var index: Int
    public var meaning: Meaning
    public var fromClient: Bool
    /// x of the attempt that it belongs to.
    public var attempt: UInt32
    public var letters: String
    public var seq: UInt32
    public var ack: UInt32
    public var length: UInt32
    public var mss: UInt16?
    public var timestamps: (value: UInt32, echo: UInt32)?
    public var identification: UInt16
    public var sentAt: Int64
    /// The packet whose arrival made its sender send it; nil for a timer.
    public var answers: Int?
    /// Which transmission of its kind it is in its attempt, from 0.
    public var copy: Int
    /// When it first arrived; nil if it never did.
    public var arrivedAt: Int64?
    /// Its receiver took it: a SYN made state, an ACK completed.
    public var wasAccepted = false
    /// For `icmp`: the packet that it quotes.
    public var quotes: Int?
    /// The hop limit with which it passes the capture point.
    public var hopLimit: UInt8
    public var window: UInt16 = 64_240
    /// From, or to, an address that the client did not call.
    public var isElsewhere = false
}

/// A packet on its way by the capture point.
struct Pass: Sendable {
    var packet: Int
    var time: Int64
    var mss: UInt16?
    /// When it came to its receiver; nil if it was lost behind the capture point.
    var arrivedAt: Int64?
}

/// A packet as the capture has it.
public struct Sighting: Sendable {
    public var time: Int64
    public var packet: Int
    public var mss: UInt16?
    /// Captured a second time, one hop on.
    public var isCaptureDuplicate = false
    /// The second time was at the first's place: at the same hop limit.
    public var isBesideFirst = false
    /// The second time was nearer to its sender.
    public var isNearSender = false
    var carriage = Carriage.plain
    /// IEEE 802.11: the frame's number on the link, and whether it was sent again there.
    var linkSequence: UInt16 = 0
    var isLinkRetry = false
}

/// What carried a packet where it was captured.
enum Carriage: Sendable {
    case plain, gtp, ipInIP, vxlan, gre
    /// Behind address translation: the client has another address and port.
    case translated
}

/// What the server is.
public enum ServerKind: CaseIterable, Sendable {
    case listening, closed, blackhole, rejecting, cookies, fullQueue, abortsOnOverflow, givesUp, holdsOldConnection
    /// It closes first, and is in TIME-WAIT when the client opens the tuple again.
    case closesFirst
    case simultaneous
}

public enum ClientKind: CaseIterable, Sendable { case ordinary, scanner, sendsData }

/// What else is peculiar to a world: to an end, or to a box on the way. One of four worlds has one.
public enum Trait: String, CaseIterable, Sendable {
    /// The client sends the SYN of a refused attempt again, as Windows does; a closed port may have opened by then.
    case retriesRefused = "retries-refused"
    /// SYN-ACKs echo a timestamp of 0.
    case echoesZero = "echoes-zero"
    /// A box behind the capture point takes the timestamps out of the SYNs.
    case stripsTimestamps = "strips-timestamps"
    /// A SYN proxy behind the capture point answers with SYN-ACKs of its own hop limit.
    case proxied
    /// The server sends first, as mail servers do.
    case greets
    /// A box behind the capture point answers a SYN or the client's data with a RST in the server's name.
    case forgesResets = "forges-resets"
    /// The client loses its state and opens the same tuple again, with the same x.
    case reboots
    /// The client closes, the server does not, and the client opens the tuple again.
    case halfCloses = "half-closes"
    /// The server's host sends a SYN on the connection.
    case reverseSYN = "reverse-syn"
    /// What the server sends has another of its addresses: a translator on its way back is missing.
    case answersElsewhere = "answers-elsewhere"
}
