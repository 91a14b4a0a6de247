import Glibc

/// The system's clocks, in nanoseconds.
package enum Clock {
    /// Since the epoch; it may be set.
    package static var wall: Int64 { read(CLOCK_REALTIME) }
    /// Never steps.
    package static var steady: Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
