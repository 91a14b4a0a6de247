import HandshakeRecord
import PacketWire

// How attempts end, are remembered and forgotten.
extension HandshakeTracker {
    // MARK: Ends

    /// Decides an attempt and hands out its record.
    mutating func report(_ slot: UInt32, _ cause: Ending) {
        if attempts.entries[slot].stage != .detailed {
            if countShort(slot, cause) { return }
            // An attempt that is forgotten next needs no detail in the table.
            if attempts.entries[slot].stage != .established { return decideShort(slot, cause) }
            giveDetail(slot)
        }
        resolveTrust(slot)
        let translation = translations.isEmpty ? nil : translations.removeValue(forKey: slot)
        let hasDoubts = !carriers.isEmpty && isOneWay(slot)
        let plain =
            clockTick == 0 && translation == nil && !hasDoubts ? PlainHandshake(attempts[slot], notes) : nil
        if let plain, !configuration.listsAttempts {
            releaseNotes(slot)
            if !paths.isEmpty { paths.removeValue(forKey: slot) }
            return counts.count(plain)
        }
        let log = takeNotes(slot)
        decide(
            attempts[slot], paths.isEmpty ? nil : paths.removeValue(forKey: slot), translation,
            carriers.isEmpty ? nil : carrierDoubts(slot, log), log, cause, isPlain: plain != nil)
    }

    /// Decides an attempt without detail that was never completed.
    private mutating func decideShort(_ slot: UInt32, _ cause: Ending) {
        var log: [SegmentNote] = []
        let attempt = attempts.detail(of: slot, profiles) { log.append($0) }
        decide(attempt, nil, nil, nil, log, cause, isPlain: false)
    }

    private mutating func decide(
        _ attempt: Attempt, _ paths: TunnelPaths?, _ translation: AttemptTranslation?, _ doubts: CarrierDoubts?,
        _ log: [SegmentNote], _ cause: Ending, isPlain: Bool
    ) {
        let judge = Judge(
            attempt: attempt, paths: paths, translation: translation, doubts: doubts, log: log, cause: cause,
            now: clock.now ?? time,
            captureStart: clock.first ?? time, tick: clockTick, isListed: configuration.listsAttempts)
        let record = judge.record(isPlain: isPlain)
        counts.count(record)
        if record.copyOf == nil { patterns.decided(record) }
        if configuration.listsAttempts { decisions.add(record, closedBy: order, isExpiry: !expiryPlan.isEmpty) }
    }

    /// Keeps a reported attempt in mind.
    /// - Parameter isTouched: the current frame is one of its own; else time decided it, and when it was last heard of
    ///   stays.
    mutating func remember(_ slot: UInt32, isTouched: Bool) {
        if attempts.entries[slot].stage != .detailed {
            return close(slot, ConnectionClose(), touched: attempts.entries[slot].queued)
        }
        attempts[slot].machine = HandshakeMachine(.closed)
        let queue: Attempt.Queue = attempts[slot].isLive ? .live : .ended
        if isTouched {
            enqueue(slot, queue)
        } else {
            queues.move(slot, to: queue, attempts.entries, now: clock.elapsed)
        }
    }

    /// Forgets a remembered attempt, unless it was heard of since it was queued: it was touched without being moved
    /// then, is moved now, and has another turn.
    /// - Returns: whether it was forgotten.
    @discardableResult
    mutating func forgetUnlessTouched(_ slot: UInt32) -> Bool {
        let touched = lastTouched(slot)
        if touched > attempts.entries[slot].queued {
            queues.move(slot, to: attempts.entries[slot].queue, attempts.entries, now: touched)
            return false
        }
        forget(slot)
        return true
    }

    /// When a remembered attempt was touched last.
    @inline(__always)
    private func lastTouched(_ slot: UInt32) -> Int64 {
        attempts.entries[slot].stage == .detailed
            ? attempts[slot].touched : attempts.aftermaths[attempts.entries[slot].body].touched
    }

    /// Whether a remembered attempt is remembered for too long. Those that were heard of again stand further back in
    /// their queue than their time; how far depends on what else is in it, and what is made of a segment must not.
    func isPast(_ slot: UInt32) -> Bool {
        let queue = attempts.entries[slot].queue
        return (queue == .ended || queue == .live) && lastTouched(slot) &+ QueueSet.lifetime(queue) <= presentTime
    }

    /// Nanoseconds, on `clock.elapsed`, at which the current frame came by its own time: the clock itself follows when
    /// the next frame agrees. A frame that is days ahead is not believed.
    @inline(__always)
    var presentTime: Int64 {
        let ahead = time &- (clock.now ?? time)
        return ahead >= 0 && ahead < CaptureClock.plausibleEnd ? clock.elapsed &+ ahead : clock.elapsed
    }

    /// Decides and forgets what is over on a tuple by the current frame's own time, though the clock may not have got
    /// there: what becomes of an attempt must not depend on whether other frames came between its own.
    /// - Returns: the newest that is left.
    mutating func forgetPast(_ newest: UInt32, _ key: ConnectionKey, _ hash: UInt64) -> UInt32 {
        guard newest != 0 else { return 0 }
        if attempts.entries[newest].stage != .detailed { return endIfOver(newest) ? 0 : newest }
        var (slot, isChanged) = (newest, false)
        while slot != 0 {
            let older = attempts[slot].older
            if endIfOver(slot) { isChanged = true }
            slot = older
        }
        return isChanged ? find(key, hash) : newest
    }

    /// Decides an attempt whose time is over, and forgets what was remembered for long enough.
    /// - Returns: whether it was forgotten.
    private mutating func endIfOver(_ slot: UInt32) -> Bool {
        let queue = attempts.entries[slot].queue
        if queue == .unfinished || queue == .settling {
            guard attempts.entries[slot].queueEnd <= presentTime else { return false }
            report(slot, .timeout)
            orderDecisions()
            if queue == .unfinished {
                forget(slot)
                return true
            }
            remember(slot, isTouched: false)
        }
        guard isPast(slot) else { return false }
        forget(slot)
        return true
    }

    /// Keeps to the limits between frames.
    @inline(never)
    mutating func shrink() {
        if attemptCount < attemptLimit { _ = admit() }
    }

    /// Makes room for one more; false where there is none to be made.
    mutating func admit() -> Bool {
        while isFull {
            // Attempts whose time is over go first, then reported ones, then the oldest others.
            if let slot = queues.overdue(attempts.entries, clock.elapsed) {
                forgetUnlessTouched(slot)
            } else if let slot = queues.oldest(.ended) ?? queues.oldest(.live) {
                if forgetUnlessTouched(slot) { counts.totals.forgottenEarly += 1 }
            } else if let slot = queues.oldest(.unfinished) ?? queues.oldest(.settling) {
                counts.totals.evicted += 1
                report(slot, .evicted)
                forget(slot)
            } else {
                return false
            }
        }
        return true
    }

    // MARK: The table

    mutating func add(_ attempt: Attempt, _ hash: UInt64, before newest: UInt32) -> UInt32 {
        let slot = attempts.insert(attempt)
        attemptCount += 1
        attempts[slot].older = newest
        attempts[slot].touched = clock.elapsed
        if newest == 0 {
            addRoute(hash, slot)
        } else {
            replaceRoute(hash, newest, with: slot)
        }
        return slot
    }

    mutating func forget(_ slot: UInt32) {
        if recent.0 == slot { recent.0 = 0 }
        if recent.1 == slot { recent.1 = 0 }
        if recentHandshake == slot { recentHandshake = 0 }
        queues.remove(slot, attempts.entries)
        attemptCount -= 1
        let tuple = attempts.tuple(of: slot)
        let hash = tuple.hash(seed: seed)
        if attempts.entries[slot].stage != .detailed {
            removeRoute(hash, slot)
            return attempts.remove(slot)
        }
        let newest = index.find(hash) { attempts.has(tuple, $0) }.slot
        if newest != slot {
            var newer = newest
            while attempts[newer].older != slot { newer = attempts[newer].older }
            attempts[newer].older = attempts[slot].older
        } else if attempts[slot].older != 0 {
            replaceRoute(hash, slot, with: attempts[slot].older)
        } else {
            removeRoute(hash, slot)
        }
        attempts.remove(slot)
    }

    @inline(__always)
    mutating func touch(_ slot: UInt32) { enqueue(slot, attempts.entries[slot].queue) }

    @inline(__always)
    mutating func enqueue(_ slot: UInt32, _ queue: Attempt.Queue) {
        if replay != nil { return }
        attempts[slot].touched = clock.elapsed
        noteRecent(slot)
        queues.move(slot, to: queue, attempts.entries, now: clock.elapsed)
    }
}
