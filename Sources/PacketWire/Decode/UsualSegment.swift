/// A segment that came as nearly all do: whole, in an IP packet without options or extension headers, outside any
/// tunnel, with a good checksum and no TCP options but the four of RFC 9293 and RFC 7323. Then these 64 octets say all
/// that a `Segment` says but for IPv6 addresses, which are kept beside it.
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

    @inline(__always) package init() {}
}

extension Segment {
    /// The same with every field.
    package init(_ usual: UsualSegment, _ tuple: Tuple) {
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
        identification = usual.identification
        hopLimit = usual.hopLimit
        checksum = usual.checksum
        vlan = usual.vlan
        linkSignature = usual.linkSignature
    }
}
