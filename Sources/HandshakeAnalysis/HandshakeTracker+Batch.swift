package import PacketWire

// The entry point of the hot path. Memory is what it waits for, so that is asked for first, for 64 frames at once: the lines of the
// index, then the entries that they lead to, then what those lead to.
extension HandshakeTracker {
    /// A batch's frames that are this tracker's: their positions, and of usual segments the place of their part, and their hash.
    private struct Own {
        var positions = InlineArray<64, UInt8>(repeating: 0)
        var count = 0
        var places = InlineArray<64, UInt8>(repeating: Share.another)
        var hashes = InlineArray<64, UInt64>(repeating: 0)
        /// The attempt that a usual segment likely leads to; 0 for none.
        var candidates = InlineArray<64, UInt32>(repeating: 0)
    }

    /// Takes a batch of decoded frames.
    package mutating func receive(_ batch: borrowing FrameBatch) {
        // Longer than usual where fragments were let go.
        guard usesShortForms, batch.count <= FrameBatch.capacity else { return receiveOneByOne(batch) }
        var own = Own()
        find(batch, &own)
        let numbers = batch.numbers.span
        let times = batch.times.span
        let count = batch.count
        let trusts = batch.trusts.span
        let first = batch.first
        if count > 0 {
            order = first
            trustsChecksums = configuration.excludesBadChecksums && trusts[0]
            tick(numbers[0], times[0])
        }
        if clock.goesSteadily(times.extracting(first: count), before: nextDeadline) {
            for turn in 0..<own.count {
                let position = Int(own.positions[turn])
                let time = times[position]
                if position > 0 {
                    clock.go(to: time, after: times[position - 1])
                    frame = numbers[position]
                    self.time = time
                }
                order = first &+ UInt64(position)
                let isLast = position + 1 == count
                hearsAt = isLast ? nil : clock.elapsed &+ clock.lead
                trustsChecksums = configuration.excludesBadChecksums && trusts[position]
                take(batch, position, own.places[position], own.hashes[position])
                if !isLast, recent.0 | recent.1 | recentHandshake != 0 {
                    // The next frame, whosesoever it is, will say so.
                    let next = clock.elapsed &+ clock.lead
                    if next != clock.elapsed { touchRecent(next) }
                    (recent, recentHandshake) = ((0, 0), 0)
                }
            }
            hearsAt = nil
            if count > 1 {
                clock.go(to: times[count - 1], after: times[count - 2])
                frame = numbers[count - 1]
                time = times[count - 1]
            }
        } else {
            var turn = 0
            for position in 0..<count {
                order = first &+ UInt64(position)
                trustsChecksums = configuration.excludesBadChecksums && trusts[position]
                if position > 0 { tick(numbers[position], times[position]) }
                if turn < own.count, Int(own.positions[turn]) == position {
                    take(batch, position, own.places[position], own.hashes[position])
                    turn += 1
                } else {
                    endFrame()
                }
            }
        }
        weigh(batch.checksums)
    }

    /// Finds this tracker's frames, and asks for the memory that they lead to.
    @inline(__always)
    private func find(_ batch: borrowing FrameBatch, _ own: inout Own) {
        let segments = batch.segments.span
        let isUsual = batch.isUsual.span
        let parts = batch.parts.span
        let hashes = batch.hashes.span
        let isHashed = batch.seed == seed
        for position in 0..<batch.count {
            if isUsual[position] {
                let place = share.place(ofPart: parts[position])
                guard place != Share.another else { continue }
                let hash = isHashed ? hashes[position] : segments[position].tuple.hash(seed: seed)
                own.places[position] = place
                own.hashes[position] = hash
                self.parts[place].index.prefetch(hash)
            }
            own.positions[own.count] = UInt8(truncatingIfNeeded: position)
            own.count &+= 1
        }
        for turn in 0..<own.count {
            let position = Int(own.positions[turn])
            guard own.places[position] != Share.another else { continue }
            let slot = self.parts[own.places[position]].index.candidate(own.hashes[position])
            own.candidates[turn] = slot
            if slot != 0 { attempts.entries.prefetch(slot) }
        }
        for turn in 0..<own.count where own.candidates[turn] != 0 {
            attempts.prefetchBody(own.candidates[turn])
        }
    }

    @inline(__always)
    private mutating func take(_ batch: borrowing FrameBatch, _ position: Int, _ place: UInt8, _ hash: UInt64) {
        if place != Share.another {
            begin(place)
            totals.frames.segments &+= 1
            take(batch.segments[position], hash)
        } else {
            takeOther(batch, position)
        }
        endFrame()
    }

    /// The same, each attempt with its detail from the start.
    private mutating func receiveOneByOne(_ batch: borrowing FrameBatch) {
        for position in 0..<batch.count {
            order = batch.first &+ UInt64(position)
            trustsChecksums = configuration.excludesBadChecksums && batch.trusts[position]
            tick(batch.numbers[position], batch.times[position])
            if batch.isUsual[position] {
                if begin(batch.segments[position].tuple) {
                    totals.frames.segments += 1
                    take(Segment(batch.segments[position]))
                }
            } else {
                takeOther(batch, position)
            }
            endFrame()
        }
        weigh(batch.checksums)
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
