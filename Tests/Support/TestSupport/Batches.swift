package import PacketWire

/// Decodes frames in batches as a reader does, and hands each on.
/// - Parameters:
///   - frames: their octets and times, numbered from 1.
///   - batch: used for all of them.
///   - isArriving: whether a batch also ends before a pause (`ArrivalCuts`), as those of a pipe do.
///   - take: takes each batch; the last may be empty.
package func inBatches(
    _ frames: some Sequence<(octets: [UInt8], time: Int64)>, _ batch: consuming FrameBatch,
    decoder: FrameDecoder = FrameDecoder(.ethernet), isArriving: Bool = false, _ take: (borrowing FrameBatch) -> Void
) {
    var cuts = ArrivalCuts()
    for (index, frame) in frames.enumerated() {
        if isArriving ? cuts.cuts(batch, before: frame.time) : batch.isFull {
            take(batch)
            batch.removeAll()
        }
        batch.append(
            frame.octets.span.bytes, wireLength: frame.octets.count, number: UInt64(index + 1), time: frame.time,
            decoder: decoder)
    }
    take(batch)
}
