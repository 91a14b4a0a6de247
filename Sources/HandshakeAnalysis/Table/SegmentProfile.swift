import PacketWire

/// Properties that many segments share: how they were carried, what they offer.
struct SegmentProfile: BitwiseCopyable {
    var vlan = VLANTags()
    var linkSignature: UInt32 = 0
    var flags: TCPFlags = []
    var options: TCPOptions.Present = []
    var mss: UInt16 = 0
    var windowScale: UInt8 = 0
    var hopLimit: UInt8 = 0
    var checksum: ChecksumState = .unverified
    var version: IPAddress.Version = .v4
    /// The part that only SYNs and SYN-ACKs have.
    var opening = Opening()
    /// Whether a SYN or SYN-ACK with it is one that `PlainHandshake` asks no more about.
    private(set) var isPlainOpening = false

    /// Facts of SYNs and SYN-ACKs alone: the words of `OpeningHeaders` and `CompactOrder`.
    struct Opening: BitwiseCopyable {
        private(set) var upper: UInt64 = 0
        private(set) var lower: UInt64 = 0
        private(set) var order: UInt32 = 0

        /// The value for other segments.
        @inline(__always) init() {}

        @inline(__always)
        init(_ headers: OpeningHeaders, _ order: CompactOrder) {
            (upper, lower, self.order) = (headers.upper, headers.lower, order.bits)
        }

        @inline(__always)
        func equals(_ other: Opening) -> Bool {
            (upper ^ other.upper) | (lower ^ other.lower) | UInt64(order ^ other.order) == 0
        }
    }

    init() {}

    @inline(__always)
    init(_ segment: UsualSegment, _ opening: Opening) {
        self.opening = opening
        vlan = segment.vlan
        linkSignature = segment.linkSignature
        flags = segment.flags
        options = segment.options
        mss = segment.mss
        windowScale = segment.windowScale
        hopLimit = segment.hopLimit
        checksum = segment.checksum
        version = segment.isV6 ? .v6 : .v4
        isPlainOpening =
            isPlain
            && PlainHandshake.isPlainOpening(flags, options, mss: mss, windowScale: windowScale, version)
    }

    @inline(__always)
    func isOf(_ segment: UsualSegment, _ opening: Opening) -> Bool {
        linkSignature == segment.linkSignature && flags.rawValue == segment.flags.rawValue && mss == segment.mss
            && options.rawValue == segment.options.rawValue && windowScale == segment.windowScale
            && hopLimit == segment.hopLimit && checksum.rawValue == segment.checksum.rawValue
            && vlan.packed == segment.vlan.packed && (version == .v6) == segment.isV6
            && self.opening.equals(opening)
    }

    var isPlain: Bool { flags.isDisjoint(with: .reserved) }
}

/// The profiles that occurred, each once, under a number from 1. It never forgets one: beyond the most that it holds
/// attempts with others have their detail at once.
struct ProfileTable {
    private let maximum: Int
    private var profiles = [SegmentProfile()]
    /// Open addressing: numbers by hash.
    private var index: [UInt16]
    /// The most places that are looked at, since traffic chooses the profiles. What finds no place is without a number,
    /// and that depends on nothing but the traffic.
    private static let reach = 16

    /// - Parameter maximum: a power of two.
    init(maximum: Int) {
        self.maximum = maximum
        index = [UInt16](repeating: 0, count: maximum * 2)
    }

    var count: Int { profiles.count }

    subscript(number: UInt16) -> SegmentProfile { profiles[Int(number)] }

    /// The number of a segment's profile; 0 where there is no room for another. The segment is looked at where it is: a
    /// copy would be compared while it is still being written.
    /// - Parameters:
    ///   - opening: of a SYN or SYN-ACK; of others nothing.
    ///   - hint: where it was last time.
    @inline(__always)
    mutating func number(
        _ segments: Span<UsualSegment>, _ position: Int, _ opening: SegmentProfile.Opening, hint: inout UInt16
    ) -> UInt16 {
        if hint != 0, profiles[Int(hint)].isOf(segments[position], opening) { return hint }
        let number = find(segments[position], opening)
        if number != 0 { hint = number }
        return number
    }

    @inline(never)
    private mutating func find(_ segment: UsualSegment, _ opening: SegmentProfile.Opening) -> UInt16 {
        var hash = UInt64(segment.linkSignature) << 32 | UInt64(segment.flags.rawValue) << 16 | UInt64(segment.mss)
        hash ^=
            UInt64(segment.options.rawValue) << 40 | UInt64(segment.windowScale) << 24
            ^ UInt64(segment.hopLimit) << 56
        // Its link addresses are in the link signature.
        hash ^= UInt64(opening.order) << 8 ^ (opening.lower >> 56) << 48
        hash ^= segment.vlan.packed &* 0xe703_7ed1_a0b4_28db
        hash = foldedProduct(hash ^ 0x5899_65cc_7537_4cc3, 0x9e37_79b9_7f4a_7c15)
        var position = Int(truncatingIfNeeded: hash) & (index.count - 1)
        var left = ProfileTable.reach
        while index[position] != 0 {
            if profiles[Int(index[position])].isOf(segment, opening) { return index[position] }
            left -= 1
            if left == 0 { return 0 }
            position = (position + 1) & (index.count - 1)
        }
        guard profiles.count < maximum else { return 0 }
        profiles.append(SegmentProfile(segment, opening))
        index[position] = UInt16(profiles.count - 1)
        return index[position]
    }
}

extension SegmentNote {
    /// The properties of a segment that its profile holds.
    init(_ profile: SegmentProfile, event: HandshakeEvent, fromClient: Bool) {
        self.init()
        linkSignature = profile.linkSignature
        vlan = profile.vlan
        flags = profile.flags
        options = profile.options
        mss = profile.mss
        windowScale = profile.windowScale
        hopLimit = profile.hopLimit
        checksum = profile.checksum
        order = CompactOrder(bits: profile.opening.order).order
        let headers = OpeningHeaders(upper: profile.opening.upper, lower: profile.opening.lower)
        (links, trafficClass) = (headers.links, headers.trafficClass)
        self.event = event
        self.fromClient = fromClient
    }
}
