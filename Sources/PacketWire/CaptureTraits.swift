/// What the frames of a capture have in common, so far: which kinds of segments it has at all, and how fine its clock is.
package struct CaptureTraits: BitwiseCopyable, Equatable, Sendable {
    /// Segments without SYN; without SYN, FIN and RST; with payload.
    package private(set) var hasOther = false
    package private(set) var hasBare = false
    package private(set) var hasPayload = false
    private var frames = 0
    /// Nanoseconds of which every time so far is a multiple; 1 once one is finer than a millisecond.
    private var unit = CaptureTraits.second

    private static let second: Int64 = 1_000_000_000
    private static let millisecond: Int64 = 1_000_000

    package init() {}

    /// Takes a segment's flags and payload.
    @inline(__always)
    package mutating func take(_ flags: TCPFlags, payload: UInt32) {
        hasOther = hasOther || flags.rawValue & 2 == 0
        hasBare = hasBare || flags.rawValue & 7 == 0
        hasPayload = hasPayload || payload != 0
    }

    /// Takes the time of a frame.
    /// - Parameter time: nanoseconds since the epoch.
    @inline(__always)
    package mutating func take(_ time: Int64) {
        frames &+= 1
        if unit != 1 { narrow(time) }
    }

    @inline(never)
    private mutating func narrow(_ time: Int64) {
        if unit == CaptureTraits.second, time % CaptureTraits.second != 0 { unit = CaptureTraits.millisecond }
        if unit == CaptureTraits.millisecond, time % CaptureTraits.millisecond != 0 { unit = 1 }
    }

    /// Nanoseconds between two readings of the clock, if it is coarse; else 0. Four frames on whole seconds are no chance, nor
    /// are a hundred on whole milliseconds.
    package var tick: Int64 {
        switch unit {
        case CaptureTraits.second: frames >= 4 ? unit : 0
        case CaptureTraits.millisecond: frames >= 100 ? unit : 0
        default: 0
        }
    }
}
