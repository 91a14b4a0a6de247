import HandshakeRecord

/// The times at which a live capture lost frames, so that attempts that overlap one are not trusted fully.
struct CaptureGaps: Sendable {
    /// Nanoseconds since the epoch, in order, apart from each other.
    private var gaps: [ClosedRange<Int64>] = []
    /// Beyond so many the oldest two are taken for one.
    private static let maximumGaps = 1024
    /// Nanoseconds before an attempt's first SYN in which an earlier one may have been lost: a client waits so long for
    /// an answer before it repeats its SYN (RFC 6298 2.1).
    private static let initialTimeout: Int64 = 1_000_000_000

    init() {}

    /// Frames were lost between two readings of the drop counters.
    /// - Parameter interval: nanoseconds since the epoch.
    mutating func add(_ interval: ClosedRange<Int64>) {
        var interval = interval
        while let last = gaps.last, last.upperBound >= interval.lowerBound {
            interval = min(last.lowerBound, interval.lowerBound)...max(last.upperBound, interval.upperBound)
            gaps.removeLast()
        }
        gaps.append(interval)
        if gaps.count > CaptureGaps.maximumGaps {
            gaps.replaceSubrange(0...1, with: [gaps[0].lowerBound...gaps[1].upperBound])
        }
    }

    /// Lowers the confidence of a record to `lossy` if the capture lost frames while its attempt was under way.
    /// - Parameter decided: nanoseconds since the epoch when it was decided.
    func lower(_ record: inout AttemptRecord, decided: Int64) {
        guard !gaps.isEmpty, record.confidence == .full || record.confidence == .inferred else { return }
        let lastSegment = record.firstTime &+ (record.segments.map(\.at).max() ?? 0)
        // What time decided was watched until then: what would have spoken against it may be among what was lost.
        let end = record.ended == .evidence || record.ended == .clientAbort ? lastSegment : max(lastSegment, decided)
        let start = record.firstTime &- CaptureGaps.initialTimeout
        if gaps.contains(where: { $0.overlaps(start...max(start, end)) }) { record.confidence = .lossy }
    }
}
