package import PacketCapture
package import PacketWire

/// Where the frames of a live run come from: interfaces, or what a test plays.
package protocol LiveSource: AnyObject {
    /// The link type of each interface, by its position.
    var linkTypes: [LinkType] { get }
    /// Whether no interface is left.
    var isGone: Bool { get }
    /// The names of interfaces that are not there.
    var missing: [String] { get }

    /// Waits until there are frames, `descriptor` is readable, or the time is over.
    func wait(milliseconds: Int32, or descriptor: Int32)

    /// Takes frames without waiting.
    /// - Parameter frames: what is in it is replaced.
    /// - Returns: the interfaces that went away, and why.
    func read(into frames: inout CapturedFrames) -> [CaptureError]

    /// Refuses new frames, and hands out what there still is.
    /// - Parameter each: gets frames and the interfaces that went away; false ends it early.
    func drain(into frames: inout CapturedFrames, _ each: (borrowing CapturedFrames, [CaptureError]) -> Bool)

    /// Looks whether interfaces went down.
    func checkInterfaces()

    /// Tries to open interfaces that went away.
    /// - Returns: the names of those that are back.
    func reopen() -> [String]

    /// The counters since the start, of all interfaces.
    func statistics() -> LiveStatistics
}

extension LiveCapture: LiveSource {
    package var isGone: Bool { interfaces.isEmpty }

    package func read(into frames: inout CapturedFrames) -> [CaptureError] { read(into: &frames, isLast: false) }
}
