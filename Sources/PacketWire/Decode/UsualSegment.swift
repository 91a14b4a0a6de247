/// A segment that came as nearly all do: whole, in an IP packet without options or extension headers, outside any
/// tunnel, with a good checksum and no TCP options but the four of RFC 9293 and RFC 7323. Then these 64 octets say all
/// that a `Segment` says but for IPv6 addresses and the outer headers of a SYN, which are kept beside it.
///
/// The recognition errs on one side only: what it does not take is decoded in full.
package struct UsualSegment: BitwiseCopyable {
    /// Both IPv4 addresses, the lower endpoint's in the upper half; 0 for IPv6.
    package var addresses: UInt64 = 0
    package var vlan = VLANTags()
    /// The lower endpoint's in the upper half.
    package var ports: UInt32 = 0
    package var seq: UInt32 = 0
    package var ack: UInt32 = 0
    package var payloadLength: UInt32 = 0
    package var tsval: UInt32 = 0
    package var tsecr: UInt32 = 0
    package var linkSignature: UInt32 = 0
    package var flags: TCPFlags = []
    package var window: UInt16 = 0
    package var options: TCPOptions.Present = []
    package var mss: UInt16 = 0
    package var windowScale: UInt8 = 0
    /// The kinds of `TCPOptions.kinds` that may occur: 0 to 4, and 8 as bit 5.
    package var kinds: UInt8 = 0
    package var identification: UInt16 = 0
    package var hopLimit: UInt8 = 0
    /// Good or unverified.
    package var checksum: ChecksumState = .unverified
    package var isV6 = false
    /// Which of the endpoints sent it.
    package var sourceIsLow = false
    /// The order of a SYN's options; of other segments it is not read.
    package var order = CompactOrder()

    @inline(__always) package init() {}
}

/// The order of usual options: three bits for each, the first in the lowest.
package struct CompactOrder: BitwiseCopyable {
    package private(set) var bits: UInt32 = 0

    /// Kinds by their code, which is not 0.
    private static let kinds: [UInt8] = [0, 0, 1, 2, 3, 4, 8]

    @inline(__always) package init() {}

    package init(bits: UInt32) { self.bits = bits }

    /// As Linux offers them: MSS, SACK permitted, timestamps, NOP, window scale.
    @inline(__always) static var linux: CompactOrder { CompactOrder(bits: 3 | 5 << 3 | 6 << 6 | 2 << 9 | 4 << 12) }

    /// NOP, NOP, timestamps.
    @inline(__always) static var timestamps: CompactOrder { CompactOrder(bits: 2 | 2 << 3 | 6 << 6) }

    /// - Returns: false if it has no room.
    mutating func append(_ kind: UInt8, at place: Int) -> Bool {
        guard place < 8 else { return false }
        let code: UInt32 = kind == 8 ? 6 : UInt32(kind) + 1
        bits |= code << UInt32(place * 3)
        return true
    }

    package var order: TCPOptions.Order {
        var (order, left) = (TCPOptions.Order(), bits)
        while left != 0 {
            order.append(CompactOrder.kinds[Int(left & 7)])
            left >>= 3
        }
        return order
    }
}

/// Facts from the outer headers of a usual SYN or SYN-ACK, in two words. Profiles compare the words, and calls across
/// modules are not inlined: so they can be read.
package struct OpeningHeaders: BitwiseCopyable {
    /// As in `LinkAddresses`.
    package private(set) var upper: UInt64 = 0
    /// As in `LinkAddresses`, with the traffic class in the upper octet.
    package private(set) var lower: UInt64 = 0

    @inline(__always) package init() {}

    package init(upper: UInt64, lower: UInt64) { (self.upper, self.lower) = (upper, lower) }

    @inline(__always)
    init(_ links: LinkAddresses, trafficClass: UInt8) {
        (upper, lower) = links.words
        lower |= UInt64(trafficClass) << 56
    }

    package var links: LinkAddresses { LinkAddresses(words: (upper, lower & 0x00ff_ffff_ffff_ffff)) }
    /// As in `Segment`.
    package var trafficClass: UInt8 { UInt8(lower >> 56) }
}

extension Segment {
    /// The same with every field.
    /// - Parameter headers: its, if it is a SYN.
    package init(_ usual: UsualSegment, _ tuple: Tuple, _ headers: OpeningHeaders) {
        let (low, high) = tuple.endpoints
        self.init(from: usual.sourceIsLow ? low : high, to: usual.sourceIsLow ? high : low)
        seq = usual.seq
        ack = usual.ack
        flags = usual.flags
        window = usual.window
        payloadLength = usual.payloadLength
        options.present = usual.options
        options.mss = usual.mss
        options.windowScale = usual.windowScale
        options.tsval = usual.tsval
        options.tsecr = usual.tsecr
        options.kinds = UInt64(usual.kinds & 0x1f) | UInt64(usual.kinds >> 5) << 8
        if flags.contains(.syn) {
            options.order = usual.order.order
            (links, trafficClass) = (headers.links, headers.trafficClass)
        }
        identification = usual.identification
        hopLimit = usual.hopLimit
        checksum = usual.checksum
        vlan = usual.vlan
        linkSignature = usual.linkSignature
    }
}

extension Frame {
    /// The same as a batch keeps it of a usual segment: link addresses, traffic class and the order of options are
    /// those of SYNs only.
    package var asUsual: Frame {
        guard case .segment(var segment) = self, !segment.flags.contains(.syn) else { return self }
        (segment.options.order, segment.links, segment.trafficClass) = (TCPOptions.Order(), LinkAddresses(), 0)
        return .segment(segment)
    }
}
