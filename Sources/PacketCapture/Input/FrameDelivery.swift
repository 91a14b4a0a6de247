import PacketWire

/// The rules by which frames of files go into batches.
struct FrameDelivery {
    var filter: PacketFilter?
    /// For frames of the link type that was last.
    private(set) var decoder: FrameDecoder
    /// The most frames to deliver.
    let limit: UInt64
    var frameNumber: UInt64 = 0
    var filteredOut: UInt64 = 0
    var delivered: UInt64 = 0
    /// Frames of which the file does not say when they came.
    var untimed: UInt64 = 0
    let comments: FrameComments

    init(_ decoder: FrameDecoder, limit: UInt64, comments: FrameComments) {
        self.comments = comments
        self.decoder = decoder
        self.limit = limit
    }

    @inline(__always) var isLimitReached: Bool { delivered >= limit }

    mutating func changeLinkType(_ linkType: LinkType) {
        decoder = FrameDecoder(
            linkType, verifiesChecksums: decoder.verifiesChecksums, tunnelRules: decoder.tunnelRules)
    }
}
