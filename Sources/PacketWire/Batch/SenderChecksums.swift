/// The trust in a sender by the checksums of its earlier segments.
package enum SenderTrust: UInt8, Sendable, BitwiseCopyable {
    /// Nothing is known of it.
    case unknown
    /// Some were good: a bad one of this sender was damaged, or is not this sender's.
    case good
    /// There were some, and all were bad: they were rewritten, or left to the network card.
    case onlyBad
}

/// Which senders have shown good checksums, and which bad ones, in a bounded memory: a sender that finds its place
/// taken by another since is not known any more. Asked where frames are decoded, since a sender's connections may be
/// followed by different trackers.
///
/// A good sum counts if it is a SYN-ACK's: of an ACK's or a FIN's there are too many to look at. A SYN's does not
/// count: a flood from random sources would take all places, and a connection's own SYN is known to its attempt.
package struct SenderChecksums: Sendable {
    private static let goodBits: UInt64 = 14
    private static let badBits: UInt64 = 10
    // Made when the first is noted: most batches only carry what another one decoded.
    private var good: [UInt32] = []
    private var bad: [UInt32] = []

    /// The place and tag of an address. Not seeded: equal captures give equal results.
    @inline(__always)
    private static func mix(_ high: UInt64, _ low: UInt64) -> UInt64 {
        (high &* 0x9e37_79b9_7f4a_7c15 ^ low) &* 0xd6e8_feb8_6659_fd93
    }

    /// Whoever can send to a tunnel's end can show good sums in another's name. So a sender is another one in each
    /// carrier, and outside of them.
    private static func mix(_ carrier: Carrier) -> UInt64 {
        let (low, high) = (carrier.low, carrier.high)
        return mix(mix(low.high, low.low), mix(high.high, high.low)) ^ UInt64(carrier.tunnel.rawValue) &+ 1
    }

    /// Taken from the upper bits, which every bit of the address reaches.
    @inline(__always)
    private static func tag(_ mixed: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: mixed >> 18) | 1 }

    package init() {}

    /// Whether a usual segment's checksum says something of its sender.
    @inline(__always)
    static func counts(_ flags: TCPFlags, _ checksum: ChecksumState) -> Bool {
        checksum == .good && flags.isSYNACK
    }

    /// Takes a usual segment's good checksum.
    @inline(never)
    mutating func takeGood(_ segment: UsualSegment, _ pair: AddressPair) {
        if segment.isV6 {
            takeGood(
                segment.sourceIsLow ? pair.lowHigh : pair.highHigh, segment.sourceIsLow ? pair.lowLow : pair.highLow)
        } else {
            takeGood(0, segment.sourceIsLow ? segment.addresses >> 32 : segment.addresses & 0xffff_ffff)
        }
    }

    @inline(__always)
    private mutating func takeGood(_ high: UInt64, _ low: UInt64) {
        if good.isEmpty { good = [UInt32](repeating: 0, count: 1 << Int(SenderChecksums.goodBits)) }
        let mixed = SenderChecksums.mix(high, low)
        good[Int(truncatingIfNeeded: mixed >> (64 - SenderChecksums.goodBits))] = SenderChecksums.tag(mixed)
    }

    /// Takes the checksum of any segment.
    /// - Returns: what is known of its sender, this segment not included; only asked where its checksum is bad.
    package mutating func note(_ segment: Segment) -> SenderTrust {
        let address = segment.source.address
        // As a usual segment's.
        var (high, low) = address.version == .v4 ? (0, address.low & 0xffff_ffff) : (address.high, address.low)
        if let carrier = segment.path.carrier { high ^= SenderChecksums.mix(carrier) }
        switch segment.checksum {
        case .good:
            if segment.flags.isSYNACK { takeGood(high, low) }
            return .unknown
        case .bad:
            let mixed = SenderChecksums.mix(high, low)
            let tag = SenderChecksums.tag(mixed)
            if !good.isEmpty, good[Int(truncatingIfNeeded: mixed >> (64 - SenderChecksums.goodBits))] == tag {
                return .good
            }
            if bad.isEmpty { bad = [UInt32](repeating: 0, count: 1 << Int(SenderChecksums.badBits)) }
            let place = Int(truncatingIfNeeded: mixed >> (64 - SenderChecksums.badBits))
            defer { bad[place] = tag }
            return bad[place] == tag ? .onlyBad : .unknown
        case .offload, .unverified: return .unknown
        }
    }
}
