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

// The octets of each kind: how they are read, and how they are written.
extension TCPOptions {
    /// Takes an option.
    /// - Parameters:
    ///   - length: octets with kind and length; as many are there.
    ///   - offset: where its kind is in `bytes`.
    /// - Returns: false if it has not the length of its kind.
    @inline(__always)
    mutating func take(_ kind: UInt8, _ length: Int, at offset: Int, of bytes: RawSpan) -> Bool {
        switch kind {
        case 2:
            guard length == 4 else { return false }
            present.insert(.mss)
            mss = bytes.u16(offset + 2)
        case 3:
            guard length == 3 else { return false }
            present.insert(.windowScale)
            windowScale = bytes.u8(offset + 2)
        case 4:
            guard length == 2 else { return false }
            present.insert(.sackPermitted)
        case 8:
            guard length == 10 else { return false }
            present.insert(.timestamps)
            tsval = bytes.u32(offset + 2)
            tsecr = bytes.u32(offset + 6)
        case 30:
            guard length >= 3 else { return false }
            if !has(.mptcp) { mptcpSubtype = bytes.u8(offset + 2) >> 4 }
            present.insert(.mptcp)
        case 34:
            // RFC 7413 section 4.1.1: no cookie, or 4 to 16 octets, an even number.
            guard length == 2 || (6...18).contains(length) && length % 2 == 0 else { return false }
            present.insert(.fastOpen)
            fastOpenCookieLength = UInt8(length - 2)
        case 254 where length >= 4 && bytes.u16(offset + 2) == 0xf989:
            present.formUnion([.fastOpen, .fastOpenExperimental])
            fastOpenCookieLength = UInt8(length - 4)
        default:
            present.insert(.other)
        }
        return true
    }

    /// The option area in the order and with the padding of Linux, and padded with end-of-list octets to a multiple of
    /// four. Options of kinds without a field here come as two-octet options (kind, length 2).
    var encoded: [UInt8] {
        var area: [UInt8] = []
        if has(.mss) { area += [2, 4] + mss.octets }
        if has(.sackPermitted) { area += [4, 2] }
        if has(.timestamps), !has(.sackPermitted) { area += [1, 1] }
        if has(.timestamps) { area += [8, 10] + tsval.octets + tsecr.octets }
        if has(.windowScale) { area += [1, 3, 3, windowScale] }
        let cookie = [UInt8](repeating: 0xc0, count: Int(fastOpenCookieLength))
        if has(.fastOpenExperimental) {
            area += [254, UInt8(4 + cookie.count), 0xf9, 0x89] + cookie
        } else if has(.fastOpen) {
            area += [34, UInt8(2 + cookie.count)] + cookie
        }
        if has(.mptcp) { area += [30, 4, mptcpSubtype << 4, 0] }
        for kind in UInt8(5)..<64 where kinds >> UInt64(kind) & 1 != 0 && ![8, 30, 34].contains(kind) {
            area += [kind, 2]
        }
        while area.count % 4 != 0 { area.append(0) }
        return area
    }
}
