import HandshakeRecord
public import PacketWire

// The entry point of the hot path. Memory is what it waits for, so that is asked for first, for 64 frames at once:
// where their attempts are, then the entries, then what those lead to.
extension HandshakeTracker {
    /// A batch's frames that are this tracker's, and what is found of them.
    ///
    /// Passed inout, for reading too: of a borrowed one, the compiler copies the array for each element.
    private struct Own: ~Copyable {
        let frames: BitSet64
        /// The attempt that a usual segment likely leads to; 0 for none. By position.
        var candidates = InlineArray<64, UInt32>(repeating: 0)
        /// `reroutings` when those were found.
        let reroutings: UInt64
    }

    /// Asks for what a batch that comes next says of its frames: it may still be with the core that decoded them.
    package static func prefetch(_ batch: borrowing FrameBatch) { batch.heads.span.prefetch() }

    /// Takes a batch of decoded frames.
    /// - Parameter batch: one that this tracker made (`makeBatch()`).
    public mutating func receive(_ batch: borrowing FrameBatch) {
        let isDone = followBatch(batch)
        precondition(isDone, "decisions were not taken")
    }

    /// Takes a batch of decoded frames, of which time may decide more than is to be kept.
    /// - Parameter hand: takes what was decided so far (`moveDecisions(into:)`), where that is
    ///   `Configuration.maximumDecided` and there is more.
    package mutating func receive<Failure>(
        _ batch: borrowing FrameBatch, _ hand: (inout HandshakeTracker) throws(Failure) -> Void
    ) throws(Failure) {
        maximumDecided = max(1, configuration.maximumDecided)
        defer { maximumDecided = .max }
        while !followBatch(batch) { try hand(&self) }
    }

    /// - Returns: false where decisions have to be taken first: then it is called again with the same batch.
    private mutating func followBatch(_ batch: borrowing FrameBatch) -> Bool {
        precondition(batch.seed == seed, "a batch of another seed: make it with makeBatch()")
        traits = batch.traits
        clockTick = traits.tick
        return expiryPlan.isEmpty ? startBatch(batch) : resumeBatch(batch)
    }

    @inline(__always)
    private mutating func startBatch(_ batch: borrowing FrameBatch) -> Bool {
        guard batch.count > 0 else { return true }
        var own = find(batch)
        tick(batch, 0)
        let known = attempts.entries.count
        let isSteady =
            isCompact(batch) && expiryPlan.isEmpty && batch.count > 1
            && clock.isSteady(
                from: batch.heads[0].time, to: batch.heads[batch.count - 1].time, steps: batch.steps,
                before: nextDeadline)
        var isDone = true
        if isSteady { followSteadily(batch, &own) } else { isDone = followEach(batch, &own, from: 0) }
        batches.count(batch.count, isSteady: isSteady)
        isFlooded = (attempts.entries.count &- known) &* 8 > own.frames.count &* 7
        return isDone
    }

    /// Goes on with a batch where there was too much to decide.
    @inline(never)
    private mutating func resumeBatch(_ batch: borrowing FrameBatch) -> Bool {
        decideNext()
        guard expiryPlan.isEmpty else { return false }
        var own = find(batch)
        return followEach(batch, &own, from: expiryPlan.position)
    }

    /// Whether a batch's frames can go the short way: it is longer where fragments were let go.
    @inline(__always)
    private func isCompact(_ batch: borrowing FrameBatch) -> Bool {
        usesShortForms && batch.count <= FrameBatch.capacity
    }

    /// The next frame comes, whosesoever it is.
    @inline(__always)
    private mutating func tick(_ batch: borrowing FrameBatch, _ position: Int) {
        order = batch.first &+ UInt64(position)
        tick(batch.heads[position].number, batch.heads[position].time)
    }

    /// Takes own frames, of which the clock needs not be asked at each; the first has come.
    @inline(__always)
    private mutating func followSteadily(_ batch: borrowing FrameBatch, _ own: inout Own) {
        let (heads, segments, headers) = (batch.heads.span, batch.segments.span, batch.headers.span)
        let (first, last) = (batch.first, batch.count - 1)
        let start = clock.elapsed &- clock.reference
        let isLimited = memoryLimit != .max
        var taken: UInt64 = 0
        // By hand: with an iterator the compiler leaves what a frame takes out of the loop, 40 instructions more.
        var left = own.frames.bits & ~(1 &<< UInt64(last))
        while left != 0 {
            let position = left.trailingZeroBitCount
            left &= left &- 1
            let head = heads[position]
            if position > 0 { advanceSteadily(to: head, after: heads[position - 1].time, since: start) }
            order = first &+ UInt64(position)
            // The next frame, whosesoever it is, will show this.
            let next = start &+ head.time
            activityTime = next
            if head.isUsual {
                let place = ownShards.place(ofShard: head.shard)
                if isLimited { selectLimitedShard(at: place) } else { shards.select(place) }
                taken &+= 1
                let candidate = candidate(position, &own)
                if takeUsual(segments, headers, position, batch.addresses[position], head.hash, candidate) {
                    continue
                }
            } else {
                takeOther(batch, position)
            }
            orderDecisions()
            if next != clock.elapsed { touchRecent(next) }
            (recent, recentHandshake) = ((0, 0), 0)
        }
        counts.totals.frames.segments &+= taken
        activityTime = HandshakeTracker.unknown
        advanceSteadily(to: heads[last], after: heads[last - 1].time, since: start)
        order = first &+ UInt64(last)
        _ = followEach(batch, &own, from: last)
        for number in 0..<UInt8(shards.count) { nextDeadline = min(nextDeadline, shards[number].queues.nextDeadline) }
    }

    /// Apart, so that what there is for every frame is not too long to be in one piece.
    @inline(never)
    private mutating func selectLimitedShard(at place: UInt8) { selectShard(at: place) }

    @inline(__always)
    private mutating func advanceSteadily(to head: FrameHead, after previous: Int64, since start: Int64) {
        clock.advanceSteadily(to: head.time, after: previous, since: start)
        frame = head.number
        time = head.time
    }

    /// Takes own frames from one on that has come.
    /// - Returns: false where there is too much to decide first.
    @inline(never)
    private mutating func followEach(_ batch: borrowing FrameBatch, _ own: inout Own, from first: Int) -> Bool {
        let (segments, headers) = (batch.segments.span, batch.headers.span)
        let isCompact = isCompact(batch)
        for position in first..<batch.count {
            if position > first { tick(batch, position) }
            if !expiryPlan.isEmpty {
                expiryPlan.position = position
                return false
            }
            let head = batch.heads[position]
            if !head.isUsual {
                takeOther(batch, position)
            } else if !isCompact {
                takeInDetail(batch, position)
            } else if own.frames.contains(position) {
                selectShard(at: ownShards.place(ofShard: head.shard))
                counts.totals.frames.segments &+= 1
                let candidate = candidate(position, &own)
                _ = takeUsual(
                    segments, headers, position, batch.addresses[position], head.hash, candidate)
            }
            endFrame()
        }
        return true
    }

    /// Takes a usual segment, if it is this tracker's, and gives its attempt the detail at once.
    @inline(never)
    private mutating func takeInDetail(_ batch: borrowing FrameBatch, _ position: Int) {
        let tuple = batch.tuple(position)
        guard selectShard(of: tuple) else { return }
        counts.totals.frames.segments &+= 1
        takeSegment(Segment(batch.segments[position], tuple, batch.headers[position]))
    }

    /// The attempt that an own frame likely leads to; 0 for none. Nothing leads elsewhere than it did, unless it was
    /// rerouted since.
    @inline(__always)
    private func candidate(_ position: Int, _ own: inout Own) -> UInt32 {
        own.reroutings == reroutings ? own.candidates[position] : 0
    }

    /// Finds this tracker's frames, and asks for the memory that they lead to.
    @inline(__always)
    private mutating func find(_ batch: borrowing FrameBatch) -> Own {
        // Made in one place: where it is made in two, it is copied.
        var own = Own(frames: isCompact(batch) ? ownShards.frames(of: batch) : BitSet64(), reroutings: reroutings)
        if isFlooded { findVacancies(batch, own.frames) } else { findAttempts(batch, &own) }
        return own
    }

    /// In a flood nearly every frame opens an attempt: only its index bucket is prefetched, and the next where that is
    /// full.
    @inline(__always)
    private mutating func findVacancies(_ batch: borrowing FrameBatch, _ frames: BitSet64) {
        let (heads, segments) = (batch.heads.span, batch.segments.span)
        for position in frames {
            // One after the other, the processor fetches them by itself.
            if !ownShards.isWhole { segments.prefetch(position) }
            shards[ownShards.place(ofShard: heads[position].shard)].index.prefetch(heads[position].hash)
        }
        for position in frames {
            shards[ownShards.place(ofShard: heads[position].shard)].index.prefetchOverflow(heads[position].hash)
        }
    }

    /// Else they lead to attempts: nearly all to such as were heard of a moment ago, the strangers to what the index
    /// says. What is no usual segment leads anywhere: it is not to be told apart here.
    @inline(__always)
    private mutating func findAttempts(_ batch: borrowing FrameBatch, _ own: inout Own) {
        let (heads, segments) = (batch.heads.span, batch.segments.span)
        var strangers = BitSet64()
        for position in own.frames {
            let slot = recentIndex.candidate(heads[position].hash)
            own.candidates[position] = slot
            attempts.entries.prefetch(slot)
            if !ownShards.isWhole { segments.prefetch(position) }
            strangers.insert(position, if: slot == 0)
        }
        for position in strangers {
            shards[ownShards.place(ofShard: heads[position].shard)].index.prefetch(heads[position].hash)
        }
        for position in own.frames.subtracting(strangers) { attempts.prefetchBody(own.candidates[position]) }
        var known = BitSet64()
        for position in strangers {
            let head = heads[position]
            let slot = shards[ownShards.place(ofShard: head.shard)].index.candidate(head.hash)
            guard slot != 0 else { continue }
            recentIndex.remember(head.hash, slot)
            own.candidates[position] = slot
            attempts.entries.prefetch(slot)
            known.insert(position)
        }
        for position in known { attempts.prefetchBody(own.candidates[position]) }
    }

    @inline(never)
    private mutating func takeOther(_ batch: borrowing FrameBatch, _ position: Int) {
        switch batch.others[position].kind {
        case .segment:
            senderTrust = batch.heads[position].senderTrust
            let segment = batch.others[position].segment
            carrier = carriers.register(segment.path)
            let tuple = ConnectionKey(segment.source, segment.destination).tuple
            let isOwn = selectShard(of: tuple)
            if isOwn {
                counts.totals.frames.count(batch.others[position])
                takeSegment(segment)
            }
            if let translation = batch.translation(position) {
                relate(translation)
                if isOwn { _ = selectShard(of: tuple) }
            }
        case .icmpError:
            let error = batch.others[position].icmp
            carrier = carriers.number(of: error.path)
            if selectShard(of: ConnectionKey(error.source, error.destination).tuple) {
                counts.totals.frames.count(batch.others[position])
                takeICMPError(error)
            }
        case .ignored, .malformed, .cut: if ownShards.hasFirst { counts.totals.frames.count(batch.others[position]) }
        }
        carrier = Carriers.plain
    }
}

extension FrameHead {
    /// The hash, as far as it is looked at.
    @inline(__always) fileprivate var hash: UInt64 { UInt64(tag) << 32 }
}
