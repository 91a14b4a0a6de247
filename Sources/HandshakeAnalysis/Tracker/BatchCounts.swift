/// Batches of two frames or more that a tracker took, and how many of them went the steady way
/// (`HandshakeTracker.followSteadily`), as nearly all batches of a real capture do.
package struct BatchCounts: Sendable, Equatable {
    package private(set) var all = 0
    package private(set) var steady = 0

    package init() {}

    @inline(__always)
    mutating func count(_ frames: Int, isSteady: Bool) {
        all &+= frames > 1 ? 1 : 0
        steady &+= isSteady ? 1 : 0
    }

    package static func += (sum: inout BatchCounts, other: BatchCounts) {
        sum.all += other.all
        sum.steady += other.steady
    }
}
