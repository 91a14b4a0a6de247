import Glibc
import HandshakeAnalysis

/// What a duration that a time is compared with is counted from.
package enum TimeReference: Sendable {
    /// The capture's first frame: `frame.time < 10s` chooses what began in the first ten seconds.
    case captureStart
    /// Now, backwards: `frame.time < 10s` chooses what began in the last ten seconds.
    case now

    /// Nanoseconds.
    func distance(of record: AttemptRecord, _ time: Int64) -> Double {
        switch self {
        case .captureStart: return Double(time &- record.captureStart)
        case .now:
            var now = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &now)
            return Double(Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec) &- time)
        }
    }
}
