/// Time as the capture tells it. Real files jump by years and back, so the clock moves only where two consecutive
/// frames agree that it did.
package struct CaptureClock: Sendable {
    /// Nanoseconds since the epoch that two consecutive frames have both reached; nil before the first frame.
    package var now: Int64? { hasFrames ? reference : nil }
    /// Nanoseconds that the clock has moved forward in all: never decreases, also where `now` steps back. Deadlines are
    /// kept in it.
    package private(set) var elapsed: Int64 = 0
    /// The first frame's own time, and the steps back that two frames agreed on.
    package var first: Int64? { hasFrames ? firstTime : nil }
    package private(set) var stepsBack = 0
    package private(set) var largestStepBack: Int64 = 0

    private var hasFrames = false
    private(set) var reference: Int64 = 0
    private var firstTime: Int64 = 0
    private var lastTime: Int64 = 0

    /// The steps forward that a live capture's steady clock does not bear out.
    package private(set) var stepsForward = 0
    /// The limit of `elapsed`: none, but in a live capture.
    private var ceiling = CaptureClock.farthest
    /// The steady clock's reading when `elapsed` was 0.
    private var steadyStart: Int64?

    /// A clock that is less than this behind is jitter between interfaces, not a step.
    static let step: Int64 = 10_000_000_000
    /// A last frame further ahead than this cannot tell how old the rest is.
    static let plausibleEnd: Int64 = 86_400_000_000_000

    /// Nanoseconds; times are within this of the epoch.
    package static let farthest: Int64 = (1 << 62) - 1

    package init() {}

    /// Takes the time of the next frame.
    @inline(__always)
    package mutating func tick(_ time: Int64) {
        // Nearly always a frame is a little later than the one before, which was a little later than the clock.
        let (step, lead) = (time &- lastTime, lastTime &- reference)
        if hasFrames, UInt64(bitPattern: step) | UInt64(bitPattern: lead) < CaptureClock.usualStep,
            elapsed &+ lead <= ceiling
        {
            reference = lastTime
            lastTime = time
            elapsed &+= lead
            return
        }
        tickUnusually(time)
    }

    /// Nanoseconds; a power of two.
    private static let usualStep: UInt64 = 1 << 40

    /// Whether each of a batch's frames is a little later than the one before, and the clock will not reach a deadline
    /// while they come: then `advanceSteadily` takes the place of `tick`. The first was taken already.
    /// - Parameters:
    ///   - first: its time.
    ///   - last: the last frame's time.
    ///   - steps: from each frame to the next, as `FrameBatch.steps`.
    ///   - deadline: on `elapsed`. What is added meanwhile is due later than a batch can last.
    @inline(__always)
    func isSteady(from first: Int64, to last: Int64, steps: Int64, before deadline: Int64) -> Bool {
        guard lastTime == first, UInt64(bitPattern: steps) < CaptureClock.maximumSteady else { return false }
        let span = last &- reference
        return lastTime >= reference && span >= 0 && span < CaptureClock.maximumSteady && last <= CaptureClock.farthest
            && elapsed &+ span <= min(ceiling, deadline &- 1)
    }

    /// Nanoseconds, a power of two: less than any lifetime.
    private static let maximumSteady: Int64 = 1 << 33

    /// Goes on to a frame, as `tick` would with that and all before it.
    /// - Parameter start: what `elapsed` was ahead of `reference`, which does not change meanwhile.
    @inline(__always)
    mutating func advanceSteadily(to time: Int64, after previous: Int64, since start: Int64) {
        elapsed = start &+ previous
        reference = previous
        lastTime = time
    }

    @inline(never)
    private mutating func tickUnusually(_ time: Int64) {
        guard hasFrames else {
            hasFrames = true
            (firstTime, lastTime, reference) = (time, time, time)
            return
        }
        let previous = lastTime
        lastTime = time
        let agreed = min(previous, time)
        if agreed > reference {
            advance(agreed &- reference)
            reference = agreed
        } else if max(previous, time) < reference &- CaptureClock.step {
            stepsBack += 1
            largestStepBack = max(largestStepBack, reference &- max(previous, time))
            reference = max(previous, time)
        }
    }

    /// Nanoseconds that frames may be behind or ahead of the steady clock: the kernel hands them over in blocks.
    static let steadyTolerance: Int64 = 300_000_000

    /// Live captures go on when no frame comes, and their system's clock may be set: a steady clock bounds from both
    /// sides how much time has passed.
    /// - Parameter steady: nanoseconds of a clock that never steps; only differences count.
    /// - Returns: nanoseconds that have passed, beyond what frames told: to be given to `pass`.
    package mutating func silence(until steady: Int64) -> Int64 {
        guard hasFrames else { return 0 }
        let start = steadyStart ?? steady &- elapsed
        steadyStart = start
        let passed = steady &- start
        ceiling = passed &+ CaptureClock.step
        return max(0, passed &- CaptureClock.steadyTolerance &- elapsed)
    }

    /// Goes on without a frame.
    package mutating func pass(_ nanoseconds: Int64) {
        advance(nanoseconds)
        reference &+= nanoseconds
    }

    /// Nanoseconds by which the last frame's own time is ahead: no other frame agreed so far.
    @inline(__always) package var lead: Int64 { max(0, lastTime &- reference) }

    /// The capture is over: the last frame needs nobody to agree with it, unless it is days off.
    package mutating func end() {
        guard lastTime > reference, lastTime &- reference < CaptureClock.plausibleEnd else { return }
        advance(lastTime &- reference)
        reference = lastTime
    }

    /// It stops at the end of what deadlines can be kept in, and takes no part in a step that the steady clock
    /// disproves.
    @inline(__always)
    private mutating func advance(_ nanoseconds: Int64) {
        let sum = elapsed.addingReportingOverflow(nanoseconds)
        if sum.partialValue > ceiling, !sum.overflow {
            stepsForward += 1
            return
        }
        elapsed = sum.overflow ? CaptureClock.farthest : min(sum.partialValue, CaptureClock.farthest)
    }
}
