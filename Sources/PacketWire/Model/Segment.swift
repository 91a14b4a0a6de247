/// The control bits of a TCP header (RFC 9293 section 3.1), reserved bits included.
public struct TCPFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16
    @inlinable @inline(__always) public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable @inline(__always) public static var fin: TCPFlags { TCPFlags(rawValue: 0x001) }
    @inlinable @inline(__always) public static var syn: TCPFlags { TCPFlags(rawValue: 0x002) }
    @inlinable @inline(__always) public static var rst: TCPFlags { TCPFlags(rawValue: 0x004) }
    @inlinable @inline(__always) public static var psh: TCPFlags { TCPFlags(rawValue: 0x008) }
    @inlinable @inline(__always) public static var ack: TCPFlags { TCPFlags(rawValue: 0x010) }
    @inlinable @inline(__always) public static var urg: TCPFlags { TCPFlags(rawValue: 0x020) }
    /// Explicit congestion notification echo (RFC 3168).
    @inlinable @inline(__always) public static var ece: TCPFlags { TCPFlags(rawValue: 0x040) }
    /// Congestion window reduced (RFC 3168).
    @inlinable @inline(__always) public static var cwr: TCPFlags { TCPFlags(rawValue: 0x080) }
    /// Accurate ECN (RFC 9768); once the nonce sum.
    @inlinable @inline(__always) public static var ae: TCPFlags { TCPFlags(rawValue: 0x100) }
    /// The three bits that RFC 9293 still reserves: zero in what a conforming sender generates.
    @inlinable @inline(__always) public static var reserved: TCPFlags { TCPFlags(rawValue: 0xe00) }

    /// SYN without ACK or RST.
    @inlinable @inline(__always) public var isSYN: Bool { rawValue & 0x016 == 0x002 }
    /// SYN and ACK without RST.
    @inlinable @inline(__always) public var isSYNACK: Bool { rawValue & 0x016 == 0x012 }
}

extension TCPFlags: CustomStringConvertible {
    private static let letters: [(flag: TCPFlags, letter: Character)] = [
        (.fin, "F"), (.syn, "S"), (.rst, "R"), (.psh, "P"), (.ack, "."), (.urg, "U"), (.ece, "E"), (.cwr, "W"),
        (.ae, "e"),
    ]

    /// As tcpdump prints them: `S` SYN, `F` FIN, `R` RST, `P` PSH, `U` URG, `E` ECE, `W` CWR, `e` AE, `.` ACK.
    public var description: String { TCPFlags.texts[Int(rawValue & 0x1ff)] }

    private static let texts = (0..<0x200).map { (flags: UInt16) in
        let text = letters.reduce(into: "") { if TCPFlags(rawValue: flags).contains($1.flag) { $0.append($1.letter) } }
        return text.isEmpty ? "none" : text
    }

    /// Flags from those letters in any order, or from `none`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        self = []
        if text == "none" { return }
        for letter in text {
            guard let known = TCPFlags.letters.first(where: { $0.letter == letter }) else { return nil }
            insert(known.flag)
        }
    }
}

/// What a header checksum says of the octets that it covers.
public enum ChecksumState: UInt8, Sendable, BitwiseCopyable {
    /// Not computed: verification was off, or the snaplen cut what it covers.
    case unverified
    case good
    case bad
    /// The field holds the pseudo-header's partial sum: the sender's network card was to finish it.
    case offload
}

/// The options of one TCP header, decoded (RFC 9293 section 3.2 and the RFCs named below).
public struct TCPOptions: Hashable, Sendable, BitwiseCopyable {
    /// Fields that say which options are there; an absent option's value is 0.
    public struct Present: OptionSet, Hashable, Sendable, BitwiseCopyable {
        public let rawValue: UInt16
        @inlinable @inline(__always) public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// Maximum segment size (RFC 9293 3.7.1).
        @inlinable @inline(__always) public static var mss: Present { Present(rawValue: 1) }
        /// Window scale (RFC 7323 2.2).
        @inlinable @inline(__always) public static var windowScale: Present { Present(rawValue: 2) }
        /// SACK permitted (RFC 2018).
        @inlinable @inline(__always) public static var sackPermitted: Present { Present(rawValue: 4) }
        /// Timestamps (RFC 7323 3.2).
        @inlinable @inline(__always) public static var timestamps: Present { Present(rawValue: 8) }
        /// Fast Open, kind 34 (RFC 7413) or the experimental kind 254 with magic 0xF989.
        @inlinable @inline(__always) public static var fastOpen: Present { Present(rawValue: 16) }
        /// The Fast Open option came in its experimental form.
        @inlinable @inline(__always) public static var fastOpenExperimental: Present { Present(rawValue: 32) }
        /// Multipath TCP (RFC 8684).
        @inlinable @inline(__always) public static var mptcp: Present { Present(rawValue: 64) }
        /// An option's length is wrong for its kind, or runs past the header: what follows it was not read.
        @inlinable @inline(__always) public static var malformed: Present { Present(rawValue: 128) }
        /// A kind other than NOP occurs twice; the last one counts, as in Linux.
        @inlinable @inline(__always) public static var repeated: Present { Present(rawValue: 256) }
        /// The snaplen cut the option area: what is absent is unknown.
        @inlinable @inline(__always) public static var cut: Present { Present(rawValue: 512) }
        /// Any option of a kind that has no field here.
        @inlinable @inline(__always) public static var other: Present { Present(rawValue: 1024) }
    }

    public var present: Present = []
    /// Octets.
    public var mss: UInt16 = 0
    /// The shift count as sent; above 14 it is used as 14 (RFC 7323 2.3).
    public var windowScale: UInt8 = 0
    public var tsval: UInt32 = 0
    public var tsecr: UInt32 = 0
    /// Octets of the Fast Open cookie; 0 asks for one.
    public var fastOpenCookieLength: UInt8 = 0
    /// 0 MP_CAPABLE, 1 MP_JOIN, ... (RFC 8684 section 8).
    public var mptcpSubtype: UInt8 = 0
    /// The kind that was malformed or repeated, if one was.
    public var offendingKind: UInt8 = 0
    /// A bit for each kind from 0 to 63 that occurred.
    public var kinds: UInt64 = 0

    @inline(__always) public init() {}

    @inlinable @inline(__always) public func has(_ option: Present) -> Bool { present.contains(option) }
}

/// 802.1Q and 802.1ad tags, outermost first; the first four are kept.
public struct VLANTags: Hashable, Sendable, BitwiseCopyable {
    /// Sixteen bits a tag: 0x8000 says that there is one, the low twelve bits are its VLAN identifier.
    package internal(set) var packed: UInt64 = 0
    @inline(__always) public init() {}

    @inline(__always)
    mutating func append(_ tci: UInt16) {
        guard packed >> 48 == 0 else { return }
        var shift: UInt64 = 0
        while packed >> shift & 0x8000 != 0 { shift += 16 }
        packed |= UInt64(0x8000 | tci & 0x0fff) << shift
    }

    public init(_ identifiers: [UInt16]) {
        for identifier in identifiers { append(identifier) }
    }

    /// VLAN identifiers, 0 to 4095.
    public var identifiers: [UInt16] {
        stride(from: UInt64(0), to: 64, by: 16).compactMap {
            let tag = UInt16(truncatingIfNeeded: packed >> $0)
            return tag & 0x8000 != 0 ? tag & 0x0fff : nil
        }
    }
}

/// One TCP segment, as its packet's bytes say it: what is decoded, never what is believed.
public struct Segment: Hashable, Sendable, BitwiseCopyable {
    public var source: Endpoint
    public var destination: Endpoint
    /// SEG.SEQ.
    public var seq: UInt32 = 0
    /// SEG.ACK as it stands in the header, also without the ACK flag.
    public var ack: UInt32 = 0
    public var flags: TCPFlags = []
    /// SEG.WND, unscaled.
    public var window: UInt16 = 0
    /// Octets of payload, from the IP length: neither Ethernet padding nor the snaplen changes it. SEG.LEN of RFC 9293
    /// is this plus one for SYN and one for FIN.
    public var payloadLength: UInt32 = 0
    public var options = TCPOptions()
    /// IPv4 identification; 0 for IPv6.
    public var identification: UInt16 = 0
    /// IPv4 time to live or IPv6 hop limit.
    public var hopLimit: UInt8 = 0
    public var checksum: ChecksumState = .unverified
    /// It came in a first IP fragment, or was put together of several.
    public var isFragment = false
    /// Its IP fragments overlapped: receivers discard such a packet, or differ on what it says (RFC 5722).
    public var hasFragmentOverlap = false
    /// The snaplen cut the TCP header itself: options, or more, are unknown.
    public var isCut = false
    public var vlan = VLANTags()
    public var network = VirtualNetwork.none
    /// How the innermost IP packet was carried.
    public var tunnels = Tunnels()
    /// The same in order, with the identifiers and outer addresses that are no part of the key.
    public var path = TunnelPath()
    /// The capture file does not say when it came: it stands at its place among the others, and no time follows from it.
    public var isUntimed = false
    /// IEEE 802.11: the frame was sent again on the link (Retry).
    public var isLinkRetry = false
    /// IEEE 802.11: sequence control, by which a receiver knows a repeated frame; 0 for other links.
    public var linkSequence: UInt16 = 0
    /// A hash of the link addresses, 0 where the link type has none. Two sightings of a packet with different ones were
    /// taken at different places.
    public var linkSignature: UInt32 = 0

    @inline(__always)
    public init(from source: Endpoint, to destination: Endpoint) {
        self.source = source
        self.destination = destination
    }

    /// SEG.LEN (RFC 9293 section 3.4): payload, plus one each for SYN and FIN.
    @inlinable @inline(__always)
    public var sequenceLength: UInt32 {
        payloadLength &+ UInt32(flags.rawValue & 1) &+ UInt32(flags.rawValue >> 1 & 1)
    }
}

/// An ICMP or ICMPv6 error and the TCP segment that it quotes (RFC 792, RFC 4443 section 3).
public struct ICMPError: Hashable, Sendable {
    /// Who sent the error.
    public var reporter: IPAddress
    public var type: UInt8
    public var code: UInt8
    /// Sender and receiver of the quoted segment.
    public var source: Endpoint
    public var destination: Endpoint
    /// SEG.SEQ of the quoted segment; nil where the quote ends before it.
    public var seq: UInt32?
    public var network = VirtualNetwork.none
    /// How the error was carried.
    public var path = TunnelPath()

    public init(
        reporter: IPAddress, type: UInt8, code: UInt8, source: Endpoint, destination: Endpoint, seq: UInt32? = nil,
        network: VirtualNetwork = .none
    ) {
        self.reporter = reporter
        self.type = type
        self.code = code
        self.source = source
        self.destination = destination
        self.seq = seq
        self.network = network
    }

    /// What the error means for a connection attempt (RFC 1122 4.2.3.9, RFC 5461).
    public enum Severity: String, Sendable { case hard, admin, soft, pmtu }

    public var severity: Severity {
        switch (source.address.version, type, code) {
        case (.v4, 3, 2), (.v4, 3, 3), (.v6, 1, 1), (.v6, 1, 4): .hard
        case (.v4, 3, 9), (.v4, 3, 10), (.v4, 3, 13): .admin
        case (.v4, 3, 4), (.v6, 2, _): .pmtu
        default: .soft
        }
    }
}
