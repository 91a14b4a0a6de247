/// A frame's place in the capture, beside its time.
package struct FrameOrigin: Sendable {
    /// Which of several interfaces it came from.
    var interface = 0
    /// Whether its time is its own, and not just its place's.
    var isTimed = true

    package init() {}

    @inline(__always)
    package init(interface: Int, isTimed: Bool) {
        self.interface = interface
        self.isTimed = isTimed
    }
}

extension FrameOrigin {
    @inline(__always) var signature: UInt32 { UInt32(truncatingIfNeeded: interface &* 0x9e37_79b1) }
}

/// Where a frame lies in a stretch of octets, and what its record says of it.
package struct FramePlace: BitwiseCopyable {
    /// Octets from the start of the stretch.
    package var offset = 0
    /// Octets that were captured.
    package var length = 0
    package var wireLength = 0
    /// Nanoseconds since the epoch.
    package var time: Int64 = 0

    package init() {}
}

extension Segment {
    /// The same packet on another interface was seen at another place.
    @inline(__always)
    mutating func came(from origin: FrameOrigin) {
        if origin.interface > 0 { linkSignature ^= origin.signature }
        if !origin.isTimed { isUntimed = true }
    }
}

/// The first properties that are asked of a decoded frame.
package struct FrameHead: BitwiseCopyable, Sendable {
    /// The frame's, from 1 in the order of the capture.
    package var number: UInt64 = 0
    /// Nanoseconds since the epoch.
    package var time: Int64 = 0
    /// The upper half of a usual segment's tuple hash by the batch's seed, and the shard that the tuple belongs to.
    package var tag: UInt32 = 0
    package var shard: UInt8 = 0
    /// Whether it is a usual segment.
    package var isUsual = false
    /// The trust in the sender's earlier checksums, if this one is bad; asked of no usual segment.
    package var senderTrust = SenderTrust.unknown
    /// Whether it shows a translation (`FrameBatch.translation`).
    package internal(set) var showsTranslation = false
}
