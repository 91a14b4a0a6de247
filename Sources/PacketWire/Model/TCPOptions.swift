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

    /// The kinds of an option area in their order: each as often as it came, no-operations and the end of the list
    /// included. The first `maximum` are kept.
    public struct Order: Hashable, Sendable, BitwiseCopyable {
        /// Kinds that are kept.
        public static let maximum = 15
        // An octet for each kind; the upper octet of `late` is their number.
        private var early: UInt64 = 0
        private var late: UInt64 = 0

        /// No options.
        @inline(__always) public init() {}

        /// Kinds in order; more than it holds are only counted.
        public init(_ kinds: [UInt8]) {
            for kind in kinds { append(kind) }
        }

        /// NOP, NOP, timestamps.
        @inline(__always) static var timestamps: Order {
            var order = Order()
            (order.early, order.late) = (1 | 1 << 8 | 8 << 16, 3 << 56)
            return order
        }

        /// Kinds that came, kept or not.
        public var count: Int { Int(late >> 56) }

        /// The first of them.
        public var kinds: [UInt8] {
            (0..<UInt64(min(count, Order.maximum))).map {
                UInt8(truncatingIfNeeded: $0 < 8 ? early >> ($0 * 8) : late >> (($0 - 8) * 8))
            }
        }

        /// The area holds 40 octets, so at most as many kinds.
        mutating func append(_ kind: UInt8) {
            let place = UInt64(count)
            if place < 8 {
                early |= UInt64(kind) << (place * 8)
            } else if place < UInt64(Order.maximum) {
                late |= UInt64(kind) << ((place - 8) * 8)
            }
            late &+= 1 << 56
        }
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
    /// The kinds in the order in which they came.
    public var order = Order()

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

    /// The option area in the given order, else in that of Linux, and padded with end-of-list octets to a multiple of
    /// four. Options of kinds without a field here come as two-octet options (kind, length 2).
    var encoded: [UInt8] {
        var area = (order.count > 0 ? order.kinds : usualOrder).flatMap { encoded($0) }
        while area.count % 4 != 0 { area.append(0) }
        return area
    }

    /// The kinds in the order and with the padding of Linux.
    private var usualOrder: [UInt8] {
        var kinds: [UInt8] = []
        if has(.mss) { kinds.append(2) }
        if has(.sackPermitted) { kinds.append(4) }
        if has(.timestamps) { kinds += has(.sackPermitted) ? [8] : [1, 1, 8] }
        if has(.windowScale) { kinds += [1, 3] }
        if has(.fastOpen) { kinds.append(has(.fastOpenExperimental) ? 254 : 34) }
        if has(.mptcp) { kinds.append(30) }
        for kind in UInt8(5)..<64 where self.kinds >> UInt64(kind) & 1 != 0 && ![8, 30, 34].contains(kind) {
            kinds.append(kind)
        }
        return kinds
    }

    /// The option of a kind.
    private func encoded(_ kind: UInt8) -> [UInt8] {
        let cookie = [UInt8](repeating: 0xc0, count: Int(fastOpenCookieLength))
        return switch kind {
        case 0, 1: [kind]
        case 2: [2, 4] + mss.octets
        case 3: [3, 3, windowScale]
        case 4: [4, 2]
        case 8: [8, 10] + tsval.octets + tsecr.octets
        case 30: [30, 4, mptcpSubtype << 4, 0]
        case 34: [34, UInt8(2 + cookie.count)] + cookie
        case 254: [254, UInt8(4 + cookie.count), 0xf9, 0x89] + cookie
        default: [kind, 2]
        }
    }
}
