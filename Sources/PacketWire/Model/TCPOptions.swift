/// The options of one TCP header, decoded (RFC 9293 section 3.2 and the RFCs named below).
public struct TCPOptions: Hashable, Sendable, BitwiseCopyable {
    /// Fields that say which options are there; an absent option's value is 0.
    public struct Present: OptionSet, Hashable, Sendable, BitwiseCopyable {
        /// A bit for each kind of option.
        public let rawValue: UInt16
        /// A set by its bits.
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

    /// The options that are there, and what is wrong with them.
    public var present: Present = []
    /// Octets.
    public var mss: UInt16 = 0
    /// The shift count as sent; above 14 it is used as 14 (RFC 7323 2.3).
    public var windowScale: UInt8 = 0
    /// TSval (RFC 7323 3.2); 0 where there are no timestamps.
    public var tsval: UInt32 = 0
    /// TSecr (RFC 7323 3.2); 0 where there are no timestamps.
    public var tsecr: UInt32 = 0
    /// Octets of the Fast Open cookie; 0 asks for one.
    public var fastOpenCookieLength: UInt8 = 0
    /// 0 MP_CAPABLE, 1 MP_JOIN, ... (RFC 8684 section 8).
    public var mptcpSubtype: UInt8 = 0
    /// The kind that was malformed or repeated, if one was.
    public var offendingKind: UInt8 = 0
    /// A bit for each kind from 0 to 63 that occurred.
    public var kinds: UInt64 = 0

    /// No options.
    @inline(__always) public init() {}

    /// Whether an option is there.
    @inlinable @inline(__always) public func has(_ option: Present) -> Bool { present.contains(option) }
}
