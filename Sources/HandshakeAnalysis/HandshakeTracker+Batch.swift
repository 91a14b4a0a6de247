package import PacketWire

// The entry point of the hot path. Memory is what it waits for, so that is asked for first, for 64 frames at once: where their attempts are,
// then the entries, then what those lead to.
extension HandshakeTracker {
    /// A batch's frames that are this tracker's. There is room for `FrameBatch.capacity`.
    ///
    /// Passed inout, for reading too: of a borrowed one, the compiler copies the arrays for each element.
    private struct Own: ~Copyable {
        var positions = InlineArray<64, UInt8>(repeating: 0)
        var count = 0
        /// The attempt that a usual segment likely leads to; 0 for none.
        var candidates = InlineArray<64, UInt32>(repeating: 0)
        /// `reroutings` when those were found.
        var reroutings: UInt64 = 0
        /// Whether the batch's hashes are this tracker's.
        var isHashed = true
    }

    /// Asks for what a batch that comes next says of its frames: it may still be with the core that decoded them.
    package static func prefetch(_ batch: borrowing FrameBatch) { batch.heads.span.prefetch() }

    /// Takes a batch of decoded frames.
    package mutating func receive(_ batch: borrowing FrameBatch) {
        let isDone = follow(batch)
        precondition(isDone, "decisions were not taken")
    }

    /// Takes a batch of decoded frames, of which time may decide more than is to be kept.
    /// - Parameter hand: takes what was decided so far (`take`), where that is `Configuration.mostDecided` and there is more.
    package mutating func receive<Failure>(
        _ batch: borrowing FrameBatch, _ hand: (inout HandshakeTracker) throws(Failure) -> Void
    ) throws(Failure) {
        mostDecided = max(1, configuration.mostDecided)
        defer { mostDecided = .max }
        while !follow(batch) { try hand(&self) }
    }

    /// - Returns: false where decisions have to be taken first: then it is called again with the same batch.
    private mutating func follow(_ batch: borrowing FrameBatch) -> Bool {
        let isDone = agenda.isEmpty ? begin(batch) : resume(batch)
        if isDone { trust(batch.checksums.areMostGood) }
        return isDone
    }

    @inline(__always)
    private mutating func begin(_ batch: borrowing FrameBatch) -> Bool {
        guard isUsual(batch) else { return goInDetail(batch) }
        var own = Own()
        find(batch, &own)
        if batch.count > 0 { tick(batch, 0) }
        if agenda.isEmpty, batch.count > 1,
            clock.goesSteadily(
                from: batch.heads[0].time, to: batch.heads[batch.count - 1].time, steps: batch.steps,
                before: nextDeadline)
        {
            let known = attempts.entries.count
            goSteadily(batch, &own)
            isFlooded = (attempts.entries.count &- known) &* 8 > own.count &* 7
            return true
        }
        return go(batch, &own, from: 0)
    }

    /// Goes on with a batch where there was too much to decide.
    @inline(never)
    private mutating func resume(_ batch: borrowing FrameBatch) -> Bool {
        decideNext()
        guard agenda.isEmpty else { return false }
        guard isUsual(batch) else { return goInDetail(batch, from: agenda.position) }
        var own = Own()
        find(batch, &own)
        return go(batch, &own, from: agenda.position)
    }

    /// Whether a batch's frames can go the short way: it is longer where fragments were let go.
    @inline(__always)
    private func isUsual(_ batch: borrowing FrameBatch) -> Bool {
        usesShortForms && batch.count <= FrameBatch.capacity
    }

    /// The next frame comes, whosesoever it is.
    @inline(__always)
    private mutating func tick(_ batch: borrowing FrameBatch, _ position: Int) {
        order = batch.first &+ UInt64(position)
        trust(batch.heads[position].trusts)
        tick(batch.heads[position].number, batch.heads[position].time)
    }

    /// Takes own frames, of which the clock needs not be asked at each; the first has come.
    @inline(__always)
    private mutating func goSteadily(_ batch: borrowing FrameBatch, _ own: inout Own) {
        let heads = batch.heads.span
        let (first, last) = (batch.first, batch.count - 1)
        let start = clock.elapsed &- clock.reference
        for turn in 0..<own.count {
            let position = Int(own.positions[turn])
            let head = heads[position]
            if position > 0 {
                clock.go(to: head.time, after: heads[position - 1].time, since: start)
                frame = head.number
                time = head.time
            }
            order = first &+ UInt64(position)
            trust(head.trusts)
            // The next frame, whosesoever it is, will show this.
            let next = start &+ head.time
            hearsAt = position == last ? HandshakeTracker.unknown : next
            let isUsual = take(batch, head, position, turn, &own)
            settleOrder()
            if !isUsual, position < last {
                if next != clock.elapsed { touchRecent(next) }
                (recent, recentHandshake) = ((0, 0), 0)
            }
        }
        hearsAt = HandshakeTracker.unknown
        clock.go(to: heads[last].time, after: heads[last - 1].time, since: start)
        frame = heads[last].number
        time = heads[last].time
        for number in 0..<UInt8(parts.count) { nextDeadline = min(nextDeadline, parts[number].queues.nextDeadline) }
    }

    /// Takes own frames from one on that has come.
    /// - Returns: false where there is too much to decide first.
    private mutating func go(_ batch: borrowing FrameBatch, _ own: inout Own, from first: Int) -> Bool {
        var turn = 0
        while turn < own.count, Int(own.positions[turn]) < first { turn += 1 }
        for position in first..<batch.count {
            if position > first { tick(batch, position) }
            if !agenda.isEmpty {
                agenda.position = position
                return false
            }
            if turn < own.count, Int(own.positions[turn]) == position {
                _ = take(batch, batch.heads[position], position, turn, &own)
                turn += 1
            }
            endFrame()
        }
        return true
    }

    /// Takes own frames, each attempt with its detail from the start.
    /// - Parameter resumed: the frame that came when there was too much to decide first; nil for all frames.
    private mutating func goInDetail(_ batch: borrowing FrameBatch, from resumed: Int? = nil) -> Bool {
        for position in (resumed ?? 0)..<batch.count {
            if position != resumed { tick(batch, position) }
            if !agenda.isEmpty {
                agenda.position = position
                return false
            }
            if batch.heads[position].isUsual {
                let tuple = batch.tuple(position)
                if begin(tuple) {
                    totals.frames.segments += 1
                    take(Segment(batch.segments[position], tuple))
                }
            } else {
                takeOther(batch, position)
            }
            endFrame()
        }
        return true
    }

    /// Finds this tracker's frames, and asks for the memory that they lead to.
    @inline(__always)
    private func find(_ batch: borrowing FrameBatch, _ own: inout Own) {
        let heads = batch.heads.span
        own.isHashed = batch.seed == seed
        own.reroutings = reroutings
        for position in 0..<batch.count {
            // Whose a frame is, of several trackers, is not to be predicted: no branch.
            let isOwn = share.count(ofPart: heads[position].part) | (heads[position].isUsual ? 0 : 1)
            own.positions[own.count] = UInt8(truncatingIfNeeded: position)
            own.count &+= isOwn
            recentIndex.prefetch(heads[position].hash)
        }
        guard own.isHashed else { return }
        if isFlooded { findVacancies(batch, &own) } else { findAttempts(batch, &own) }
    }

    /// Of a flood, what frames lead to is a place in the index.
    @inline(__always)
    private func findVacancies(_ batch: borrowing FrameBatch, _ own: inout Own) {
        let (heads, segments) = (batch.heads.span, batch.segments.span)
        for turn in 0..<own.count {
            let position = Int(own.positions[turn])
            segments.prefetch(position)
            parts[share.place(ofPart: heads[position].part)].index.prefetch(heads[position].hash)
        }
    }

    @inline(__always)
    private func findAttempts(_ batch: borrowing FrameBatch, _ own: inout Own) {
        let (heads, segments) = (batch.heads.span, batch.segments.span)
        // What is no usual segment leads anywhere: it is not to be told apart here.
        var strangers = InlineArray<64, UInt8>(repeating: 0)
        var strangerCount = 0
        for turn in 0..<own.count {
            let slot = recentIndex.candidate(heads[Int(own.positions[turn])].hash)
            own.candidates[turn] = slot
            attempts.entries.prefetch(slot)
            segments.prefetch(Int(own.positions[turn]))
            strangers[strangerCount] = UInt8(truncatingIfNeeded: turn)
            strangerCount &+= slot == 0 ? 1 : 0
        }
        for place in 0..<strangerCount {
            let head = heads[Int(own.positions[Int(strangers[place])])]
            parts[share.place(ofPart: head.part)].index.prefetch(head.hash)
        }
        for turn in 0..<own.count { attempts.prefetchBody(own.candidates[turn]) }
        var knownCount = 0
        for place in 0..<strangerCount {
            let turn = Int(strangers[place])
            let head = heads[Int(own.positions[turn])]
            let slot = parts[share.place(ofPart: head.part)].index.candidate(head.hash)
            guard slot != 0 else { continue }
            recentIndex.remember(head.hash, slot)
            own.candidates[turn] = slot
            attempts.entries.prefetch(slot)
            strangers[knownCount] = UInt8(truncatingIfNeeded: turn)
            knownCount &+= 1
        }
        for place in 0..<knownCount { attempts.prefetchBody(own.candidates[Int(strangers[place])]) }
    }

    /// - Returns: whether it went the short way.
    @inline(__always)
    private mutating func take(
        _ batch: borrowing FrameBatch, _ head: FrameHead, _ position: Int, _ turn: Int, _ own: inout Own
    ) -> Bool {
        guard head.isUsual else {
            takeOther(batch, position)
            return false
        }
        begin(share.place(ofPart: head.part))
        totals.frames.segments &+= 1
        // Nothing leads elsewhere than it did, unless it was rerouted since.
        let candidate = own.reroutings == reroutings ? own.candidates[turn] : 0
        return take(
            batch.segments.span, position, batch.addresses[position], own.isHashed ? head.hash : nil, candidate)
    }

    @inline(never)
    private mutating func takeOther(_ batch: borrowing FrameBatch, _ position: Int) {
        switch batch.others[position].kind {
        case .segment:
            let segment = batch.others[position].segment
            guard begin(ConnectionKey(segment.source, segment.destination).tuple) else { return }
            totals.frames.count(batch.others[position])
            take(segment)
        case .icmpError:
            let error = batch.others[position].icmp
            guard begin(ConnectionKey(error.source, error.destination).tuple) else { return }
            totals.frames.count(batch.others[position])
            take(error)
        case .ignored, .malformed, .cut: if share.hasFirst { totals.frames.count(batch.others[position]) }
        }
    }
}

extension FrameHead {
    /// The hash, as far as it is looked at.
    @inline(__always) fileprivate var hash: UInt64 { UInt64(tag) << 32 }
}
