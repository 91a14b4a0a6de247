import WorkerThreads

/// Has the octets of a mapped file in memory some way ahead of who reads them, on a thread of its own: the reader waits
/// neither for storage nor for pages to be mapped.
///
/// Unchecked: what varies is the reader's, or changes hands through the ring.
final class AheadInput: @unchecked Sendable {
    /// Octets that lie one behind the other in the file.
    private final class Stretch: @unchecked Sendable {
        var range = 0..<0
    }

    /// Octets that are asked for at a time.
    static let stretch = 1 << 19
    private static let stretches = 4
    /// Octets of the pages that the system may have a file in: they are let go as a whole.
    private static let unit = 1 << 21

    private let ring: StageRing<Stretch>
    /// Whether the reader has one.
    private var isReading = false

    /// Nil where the system has no descriptor or thread left: then one thread does without.
    /// - Parameters:
    ///   - range: the octets.
    ///   - provide: has some of them in memory; false where they are not to be had.
    ///   - leave: lets those go that were read, from the start of the file.
    init?(
        _ range: Range<Int>, provide: @escaping @Sendable (Range<Int>) -> Bool,
        leave: @escaping @Sendable (Range<Int>) -> Void
    ) {
        let slots = (0..<AheadInput.stretches).map { _ in Stretch() }
        guard let ring = StageRing(slots, stages: [1, 1]) else { return nil }
        self.ring = ring
        let thread = WorkThread.start("read file") {
            var (start, left) = (range.lowerBound, 0)
            while let stretch = ring.next(0) {
                // The pages that were read are let go, but for the last stretch: a record that is not read yet may
                // begin in it, and reading it again would map it again.
                let read = stretch.range.lowerBound / AheadInput.unit * AheadInput.unit
                if read > left {
                    leave(left..<read)
                    left = read
                }
                let end = min(start + AheadInput.stretch, range.upperBound)
                let isThere = start < end && provide(start..<end)
                stretch.range = start..<(isThere ? end : start)
                start = end
                ring.pass(0, isLast: !isThere || end == range.upperBound)
            }
        }
        guard let thread else { return nil }
        thread.detach()
    }

    deinit { ring.stop() }

    /// Where the octets end that are there, once the next ones are, waited for; those before are read, but for what a
    /// record has of them.
    /// - Parameter isUnwanted: whether nobody wants them any more; nil where that is not asked.
    /// - Returns: nil where there are no more of them, or storage has not answered for a second since they are
    ///   unwanted.
    func take(unless isUnwanted: (() -> Bool)?) -> Int? {
        if isReading { ring.pass(1) }
        let stretch = ring.next(1, isInterrupted: isUnwanted, orElse: { ring.stop() })
        isReading = stretch != nil
        return stretch.flatMap { $0.range.isEmpty ? nil : $0.range.upperBound }
    }

    /// Whether storage was not waited for.
    var hasGivenUp: Bool { ring.isStopped }
}
