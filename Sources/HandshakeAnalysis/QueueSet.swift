/// The expiry queues: one for each lifetime, so that each is in the order of its deadlines and only the heads need looking
/// at. Links are in the attempts.
struct QueueSet {
    struct Ends {
        var head: UInt32 = 0
        var tail: UInt32 = 0
        var count = 0
    }

    private var ends: (Ends, Ends, Ends, Ends) = (Ends(), Ends(), Ends(), Ends())
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

    subscript(queue: Attempt.Queue) -> Ends {
        @inline(__always) get {
            switch queue {
            case .unfinished: ends.0
            case .settling: ends.1
            case .ended: ends.2
            case .live: ends.3
            }
        }
        @inline(__always) set {
            switch queue {
            case .unfinished: ends.0 = newValue
            case .settling: ends.1 = newValue
            case .ended: ends.2 = newValue
            case .live: ends.3 = newValue
            }
        }
    }

    /// Moves an attempt to a queue's tail. A slot that is in no queue has no links and is no queue's head.
    @inline(__always)
    mutating func move(_ slot: UInt32, to queue: Attempt.Queue, _ attempts: borrowing Pool<Attempt>, now: Int64) {
        remove(slot, attempts)
        attempts[slot].queue = queue
        attempts[slot].queued = now
        let tail = self[queue].tail
        attempts[slot].queuePrevious = tail
        attempts[slot].queueNext = 0
        if tail == 0 { self[queue].head = slot } else { attempts[tail].queueNext = slot }
        self[queue].tail = slot
        self[queue].count += 1
        nextDeadline = min(nextDeadline, attempts[slot].queueDeadline)
    }

    @inline(__always)
    mutating func remove(_ slot: UInt32, _ attempts: borrowing Pool<Attempt>) {
        let queue = attempts[slot].queue
        let (previous, next) = (attempts[slot].queuePrevious, attempts[slot].queueNext)
        guard previous != 0 || self[queue].head == slot else { return }
        self[queue].count -= 1
        if previous == 0 { self[queue].head = next } else { attempts[previous].queueNext = next }
        if next == 0 { self[queue].tail = previous } else { attempts[next].queuePrevious = previous }
        attempts[slot].queuePrevious = 0
        attempts[slot].queueNext = 0
    }

    /// The head of a queue whose lifetime has passed.
    func due(_ queue: Attempt.Queue, _ attempts: borrowing Pool<Attempt>, _ now: Int64) -> UInt32? {
        guard let slot = oldest(queue) else { return nil }
        return attempts[slot].queueDeadline <= now ? slot : nil
    }

    func oldest(_ queue: Attempt.Queue) -> UInt32? {
        let head = self[queue].head
        return head == 0 ? nil : head
    }

    /// Recomputes `nextDeadline` from the heads.
    mutating func schedule(_ attempts: borrowing Pool<Attempt>) {
        nextDeadline = .max
        for queue in [Attempt.Queue.unfinished, .settling, .ended, .live] {
            if let slot = oldest(queue) { nextDeadline = min(nextDeadline, attempts[slot].queueDeadline) }
        }
    }
}

extension Attempt {
    /// When its time in its queue is over, on `CaptureClock.elapsed`.
    var queueDeadline: Int64 { queued &+ QueueSet.lifetime(queue) }
}
