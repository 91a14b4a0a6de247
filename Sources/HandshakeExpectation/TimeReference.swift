import Glibc
import HandshakeRecord

/// The origin of a duration that a time is compared with.
package enum TimeReference: Sendable {
    /// The capture's first frame: `frame.time < 10s` chooses what began in the first ten seconds.
    case captureStart
    /// Now, backwards: `frame.time < 10s` chooses what began in the last ten seconds.
    case now

    /// Nanoseconds from it to a time, or from a time until now.
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

extension Field {
    /// The field as it reads with a reference: `frame.time_relative` counts from the capture's first frame, or until
    /// now.
    func counted(from reference: TimeReference) -> Field {
        guard case .now = reference, name == Field.relativeTimeName else { return self }
        return Field(
            name: name, type: type, path: path, summary: summary,
            reader: .number { record in Bounds(reference.distance(of: record, record.firstTime)) })
    }
}
