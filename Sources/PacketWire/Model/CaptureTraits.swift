/// Properties of a capture's frames so far: which kinds of segments it has at all, and how fine its clock
/// is.
package struct CaptureTraits: BitwiseCopyable, Equatable, Sendable {
    /// The traits that were not seen so far, as bits; 0 once there is nothing more to learn.
    private var missing =
        CaptureTraits.other | CaptureTraits.bare | CaptureTraits.payload | CaptureTraits.times | CaptureTraits.plain
    /// Frames that came while the clock seemed coarse.
    private var frames: UInt32 = 0
    /// The tick of the coarsest clock that a file declares (if_tsresol); 0 for none that is coarse.
    private var declaredTick: Int64 = 0

    private static let other: UInt32 = 1
    private static let bare: UInt32 = 2
    private static let payload: UInt32 = 4
    /// A time that is no whole second; one that is no whole millisecond.
    private static let millisecond: UInt32 = 8
    private static let finer: UInt32 = 16
    private static let times = millisecond | finer
    /// A segment in no tunnel through an IP network.
    private static let plain: UInt32 = 32

    package init() {}

    /// Whether there are segments without SYN; without SYN, FIN and RST; with payload.
    package var hasOther: Bool { missing & CaptureTraits.other == 0 }
    package var hasBare: Bool { missing & CaptureTraits.bare == 0 }
    package var hasPayload: Bool { missing & CaptureTraits.payload == 0 }

    /// Whether a segment came in no tunnel through an IP network.
    package var hasPlain: Bool { missing & CaptureTraits.plain == 0 }

    /// Takes that a segment came in no such tunnel.
    @inline(__always) package mutating func notePlain() { missing &= ~CaptureTraits.plain }

    /// Whether there is more to learn.
    @inline(__always) package var isOpen: Bool { missing != 0 }

    /// Takes a segment's flags and payload.
    @inline(__always)
    package mutating func note(_ flags: TCPFlags, payload length: UInt32) {
        if flags.rawValue & 2 == 0 { missing &= ~CaptureTraits.other }
        if flags.rawValue & 7 == 0 { missing &= ~CaptureTraits.bare }
        if length != 0 { missing &= ~CaptureTraits.payload }
    }

    /// Takes the time of a frame.
    /// - Parameter time: nanoseconds since the epoch.
    @inline(__always)
    package mutating func note(_ time: Int64) { if missing & CaptureTraits.times != 0 { narrow(time) } }

    @inline(never)
    private mutating func narrow(_ time: Int64) {
        frames = frames == .max ? frames : frames + 1
        if time % 1_000_000_000 != 0 { missing &= ~CaptureTraits.millisecond }
        if time % 1_000_000 != 0 { missing &= ~CaptureTraits.times }
    }

    /// Takes what a file says of its coarsest clock. Finer than a millisecond, a clock is not coarse.
    /// - Parameter tick: nanoseconds.
    package mutating func declare(tick: Int64) {
        if tick >= 1_000_000 { declaredTick = max(declaredTick, tick) }
    }

    /// Nanoseconds between two readings of the clock, if it is coarse; else 0. A file may declare it.
    package var tick: Int64 { max(declaredTick, seenTick) }

    /// The unit of a clock's tick in words: `whole seconds`.
    package static func words(_ tick: Int64) -> String {
        switch tick {
        case 1_000_000_000: "whole seconds"
        case 1_000_000: "whole milliseconds"
        default: "units of \(tick / 1_000_000) ms"
        }
    }

    /// Four frames on whole seconds are no chance, nor are a hundred on whole milliseconds.
    private var seenTick: Int64 {
        switch missing & CaptureTraits.times {
        case CaptureTraits.times: frames >= 4 ? 1_000_000_000 : 0
        case CaptureTraits.finer: frames >= 100 ? 1_000_000 : 0
        default: 0
        }
    }
}
