/// The expiry queues: one for each lifetime, so that each is in the order of its deadlines and only the heads need
/// looking at. Links are in the entries.
struct QueueSet: ~Copyable {
    struct Ends: BitwiseCopyable {
        var head: UInt32 = 0
        var tail: UInt32 = 0
        var count = 0
    }

    private let ends = FixedArray4(repeating: Ends())
    /// No queue's head is due before this, on `CaptureClock.elapsed`.
    private(set) var nextDeadline = Int64.max

    @inline(__always)
    static func lifetime(_ queue: Attempt.Queue) -> Int64 {
        switch queue {
        case .unfinished, .ended: HandshakeTracker.identityLifetime
        case .settling: HandshakeTracker.settlingTime
        case .live: HandshakeTracker.liveMemory
        }
    }

    subscript(queue: Attempt.Queue) -> Ends { ends[queue.rawValue] }

    /// Moves an attempt to a queue's tail.
    @inline(__always)
    mutating func move(_ slot: UInt32, to queue: Attempt.Queue, _ entries: borrowing Pool<Entry>, now: Int64) {
        remove(slot, entries)
        add(slot, to: queue, entries, now: now)
    }

    /// Puts an attempt that is in no queue at a queue's tail.
    @inline(__always)
    mutating func add(_ slot: UInt32, to queue: Attempt.Queue, _ entries: borrowing Pool<Entry>, now: Int64) {
        place(&entries[slot], in: queue, now: now)
        added(slot, to: queue, entries)
    }

    /// Readies an entry for a queue's tail. One that is to be inserted is whole then: it is not written to again while
    /// that is under way.
    @inline(__always)
    func place(_ entry: inout Entry, in queue: Attempt.Queue, now: Int64) {
        entry.queue = queue
        entry.queued = now
        entry.queuePrevious = ends[queue.rawValue].tail
        entry.queueNext = 0
    }

    /// An entry that was made ready for a queue's tail is in the table.
    @inline(__always)
    mutating func added(_ slot: UInt32, to queue: Attempt.Queue, _ entries: borrowing Pool<Entry>) {
        let tail = ends[queue.rawValue].tail
        if tail == 0 {
            ends[queue.rawValue].head = slot
            nextDeadline = min(nextDeadline, entries[slot].queueDeadline)
        } else {
            // The head is due before it, or hides it.
            entries[tail].queueNext = slot
        }
        ends[queue.rawValue].tail = slot
        ends[queue.rawValue].count &+= 1
    }

    /// Takes an attempt out of its queue. A slot that is in no queue has no links and is no queue's head.
    @inline(__always)
    mutating func remove(_ slot: UInt32, _ entries: borrowing Pool<Entry>) {
        let queue = entries[slot].queue
        let (previous, next) = (entries[slot].queuePrevious, entries[slot].queueNext)
        guard previous != 0 || ends[queue.rawValue].head == slot else { return }
        ends[queue.rawValue].count &-= 1
        if previous == 0 { ends[queue.rawValue].head = next } else { entries[previous].queueNext = next }
        if next == 0 { ends[queue.rawValue].tail = previous } else { entries[next].queuePrevious = previous }
        entries[slot].queuePrevious = 0
        entries[slot].queueNext = 0
    }

    /// Nanoseconds, a power of two.
    fileprivate static let granularity: Int64 = 1 << 30

    /// The head of a queue whose deadline has passed.
    func due(_ queue: Attempt.Queue, _ entries: borrowing Pool<Entry>, _ now: Int64) -> UInt32? {
        guard let slot = oldest(queue) else { return nil }
        return entries[slot].queueDeadline <= now ? slot : nil
    }

    /// An attempt that would be forgotten, had its deadline come.
    func overdue(_ entries: borrowing Pool<Entry>, _ now: Int64) -> UInt32? {
        if let slot = oldest(.ended), entries[slot].queueEnd <= now { return slot }
        if let slot = oldest(.live), entries[slot].queueEnd <= now { return slot }
        return nil
    }

    func oldest(_ queue: Attempt.Queue) -> UInt32? {
        let head = self[queue].head
        return head == 0 ? nil : head
    }

    /// Recomputes `nextDeadline` from the heads.
    mutating func schedule(_ entries: borrowing Pool<Entry>) {
        nextDeadline = .max
        for queue in [Attempt.Queue.unfinished, .settling, .ended, .live] {
            if let slot = oldest(queue) { nextDeadline = min(nextDeadline, entries[slot].queueDeadline) }
        }
    }
}

extension Entry {
    /// When its time in its queue is over, on `CaptureClock.elapsed`.
    var queueEnd: Int64 { queued &+ QueueSet.lifetime(queue) }

    /// When it leaves its queue. What is then only forgotten is so with all of its second: time is looked at less
    /// often.
    var queueDeadline: Int64 {
        switch queue {
        case .unfinished, .settling: queueEnd
        case .ended, .live: (queueEnd &+ (QueueSet.granularity - 1)) & ~(QueueSet.granularity - 1)
        }
    }
}
