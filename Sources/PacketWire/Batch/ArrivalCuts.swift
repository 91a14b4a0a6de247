/// Where batches end if frames are taken as they arrive, as from an interface or a pipe: a batch is handed on when it
/// is full, before a pause, and before time runs back. The first frame after a pause is a batch of its own, so that the
/// clock has caught up when the next one comes.
package struct ArrivalCuts: Sendable {
    /// Nanoseconds.
    private static let pause: Int64 = 1_000_000_000
    private var last: Int64?
    private var isAfterPause = true

    package init() {}

    /// Whether the batch is to be handed on before a frame of this time is added to it.
    package mutating func cuts(_ batch: borrowing FrameBatch, before time: Int64) -> Bool {
        let step = last.map { time &- $0 } ?? .max
        let isPause = !(0...ArrivalCuts.pause).contains(step)
        defer { (last, isAfterPause) = (time, isPause) }
        return batch.count > 0 && (batch.isFull || isPause || isAfterPause)
    }
}
