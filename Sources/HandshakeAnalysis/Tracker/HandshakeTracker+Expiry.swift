import HandshakeRecord

// Decisions by time, and at the end of the capture. They may be all that is open: it is decided in the order in which
// it is handed out, and where that is more than is to be kept, what there is of it is taken first.
extension HandshakeTracker {
    /// Attempts to be decided next, in order.
    struct ExpiryPlan {
        struct Item {
            /// The attempt's.
            var id: UInt64
            var slot: UInt32
            /// The place of its shard.
            var shard: UInt8
        }

        fileprivate var items: [Item] = []
        fileprivate var next = 0
        fileprivate var cause = Ending.timeout
        /// The frame of the batch at hand that waits until all is decided.
        var position = 0

        @inline(__always) var isEmpty: Bool { next == items.count }
        /// Attempts that are decided and still in their queues.
        var decided: Int { next }

        fileprivate mutating func removeAll() {
            // As many as are open at the end are not soon that many again.
            items.removeAll(keepingCapacity: items.count < 1 << 12)
            next = 0
        }
    }

    /// Ends the capture, as `finish`, without handing out what was decided.
    /// - Parameter apportion: has several threads count what is open, where that is all; nil for none but this one.
    package mutating func end(_ apportion: Apportionment? = nil) {
        decideAll(apportion) { _ in }
    }

    /// The same, of which there may be more than is to be kept.
    /// - Parameter hand: takes what was decided so far (`moveDecisions(into:)`), where that is
    ///   `Configuration.maximumDecided` and there is more.
    package mutating func end<Failure>(_ hand: (inout HandshakeTracker) throws(Failure) -> Void) throws(Failure) {
        maximumDecided = max(1, configuration.maximumDecided)
        defer { maximumDecided = .max }
        try decideAll(nil, hand)
    }

    private mutating func decideAll<Failure>(
        _ apportion: Apportionment?, _ hand: (inout HandshakeTracker) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(expiryPlan.isEmpty, "decisions were not taken")
        clock.end()
        touchRecent(clock.elapsed)
        (recent, recentHandshake) = ((0, 0), 0)
        order = Decisions.endOfTime
        expire()
        try decideRest(hand)
        order = Decisions.end
        if configuration.listsAttempts { decideOpen() } else { countOpen(apportion) }
        try decideRest(hand)
        for number in 0..<UInt8(shards.count) {
            select(number)
            shards.current.removeAll()
        }
        recentIndex.removeAll()
        attempts.removeAll()
        notes.removeAll()
    }

    private mutating func decideRest<Failure>(
        _ hand: (inout HandshakeTracker) throws(Failure) -> Void
    ) throws(Failure) {
        while !expiryPlan.isEmpty {
            try hand(&self)
            decideNext()
        }
    }

    /// Decides and forgets what the time of is over.
    @inline(never)
    mutating func expire() {
        // Only counted, each is forgotten at once.
        guard configuration.listsAttempts else { return finishExpiry() }
        let now = clock.elapsed
        for number in 0..<UInt8(shards.count) {
            select(number)
            if queues.nextDeadline <= now { plan(number) { $0.queueDeadline <= now } }
        }
        decidePlanned(.timeout)
    }

    private mutating func decideOpen() {
        expiryPlan.items.reserveCapacity(openAttempts)
        for number in 0..<UInt8(shards.count) {
            select(number)
            plan(number) { _ in true }
        }
        decidePlanned(.captureEnd)
    }

    /// Decides what was planned.
    private mutating func decidePlanned(_ cause: Ending) {
        expiryPlan.cause = cause
        expiryPlan.items.sort { $0.id < $1.id }
        decideNext()
    }

    /// Decides what the expiry plan has, up to what is to be kept.
    mutating func decideNext() {
        while !expiryPlan.isEmpty, decisions.count < maximumDecided {
            let item = expiryPlan.items[expiryPlan.next]
            select(item.shard)
            report(item.slot, expiryPlan.cause)
            expiryPlan.next += 1
        }
        orderDecisions()
        guard expiryPlan.isEmpty else { return }
        expiryPlan.removeAll()
        if expiryPlan.cause == .timeout { finishExpiry() }
    }

    /// Plans to decide what is open in the current shard.
    /// - Parameters:
    ///   - shard: its place.
    ///   - isDue: whether an attempt's turn has come, and those that stand behind it in its queue are to be asked.
    private mutating func plan(_ shard: UInt8, _ isDue: (Entry) -> Bool) {
        for queue in [Attempt.Queue.unfinished, .settling] {
            var slot = queues[queue].head
            while slot != 0, isDue(attempts.entries[slot]) {
                let next = attempts.entries[slot].queueNext
                attempts.entries.prefetch(next)
                expiryPlan.items.append(ExpiryPlan.Item(id: attempts.firstFrame(slot), slot: slot, shard: shard))
                slot = next
            }
        }
    }

    /// Forgets what was decided because its time was over, and what was remembered for long enough.
    private mutating func finishExpiry() {
        nextDeadline = .max
        for number in 0..<UInt8(shards.count) {
            select(number)
            if queues.nextDeadline <= clock.elapsed { expireShard() }
            nextDeadline = min(nextDeadline, queues.nextDeadline)
        }
        // Time touched those, not the frame.
        (recent, recentHandshake) = ((0, 0), 0)
    }

    /// Forgets what is due in the current shard.
    private mutating func expireShard() {
        let now = clock.elapsed
        // Attempts that are listed were decided.
        let isListed = configuration.listsAttempts
        while let slot = queues.due(.settling, attempts.entries, now) {
            if !isListed { report(slot, .timeout) }
            remember(slot, isTouched: false)
        }
        while let slot = queues.due(.unfinished, attempts.entries, now) {
            if !isListed { report(slot, .timeout) }
            forget(slot)
        }
        while let slot = queues.due(.ended, attempts.entries, now) { forgetUnlessTouched(slot) }
        while let slot = queues.due(.live, attempts.entries, now) { forgetUnlessTouched(slot) }
        queues.schedule(attempts.entries)
    }
}
