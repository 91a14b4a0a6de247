package import PacketWire

// The entry point of the hot path. Memory is what it waits for, so that is asked for first, for 64 frames at once: the lines of the
// index, then the entries that they lead to, then what those lead to.
extension HandshakeTracker {
    /// A batch's frames that are this tracker's: their positions, and of usual segments the place of their part, and their hash. There is
    /// room for `FrameBatch.capacity`.
    ///
    /// Passed inout, for reading too: of a borrowed one, the compiler copies the arrays for each element.
    private struct Own: ~Copyable {
        var positions = InlineArray<64, UInt8>(repeating: 0)
        var count = 0
        var places = InlineArray<64, UInt8>(repeating: Share.another)
        var hashes = InlineArray<64, UInt64>(repeating: 0)
        /// The attempt that a usual segment likely leads to; 0 for none.
        var candidates = InlineArray<64, UInt32>(repeating: 0)
        /// `reroutings` when those were found.
        var reroutings: UInt64 = 0
    }

    /// Takes a batch of decoded frames.
    package mutating func receive(_ batch: borrowing FrameBatch) {
        // Longer than usual where fragments were let go.
        if usesShortForms, batch.count <= FrameBatch.capacity {
            var own = Own()
            find(batch, &own)
            if batch.count > 0 { tick(batch, 0) }
            if clock.goesSteadily(batch.times.span.extracting(first: batch.count), before: nextDeadline) {
                goSteadily(batch, &own)
            } else {
                go(batch, &own)
            }
        } else {
            goInDetail(batch)
        }
        trust(batch.checksums.areMostGood)
    }

    /// The next frame comes, whosesoever it is.
    @inline(__always)
    private mutating func tick(_ batch: borrowing FrameBatch, _ position: Int) {
        order = batch.first &+ UInt64(position)
        trust(batch.trusts[position])
        tick(batch.numbers[position], batch.times[position])
    }

    /// Takes own frames, of which the clock needs not be asked at each; the first has come.
    @inline(__always)
    private mutating func goSteadily(_ batch: borrowing FrameBatch, _ own: inout Own) {
        let numbers = batch.numbers.span
        let times = batch.times.span
        let trusts = batch.trusts.span
        let (first, last) = (batch.first, batch.count - 1)
        for turn in 0..<own.count {
            let position = Int(own.positions[turn])
            if position > 0 {
                clock.go(to: times[position], after: times[position - 1])
                frame = numbers[position]
                time = times[position]
            }
            order = first &+ UInt64(position)
            trust(trusts[position])
            hearsAt = position == last ? nil : clock.elapsed &+ clock.lead
            take(batch, position, turn, &own)
            if position < last, recent.0 | recent.1 | recentHandshake != 0 {
                // The next frame, whosesoever it is, will say so.
                let next = clock.elapsed &+ clock.lead
                if next != clock.elapsed { touchRecent(next) }
                (recent, recentHandshake) = ((0, 0), 0)
            }
        }
        hearsAt = nil
        clock.go(to: times[last], after: times[last - 1])
        frame = numbers[last]
        time = times[last]
    }

    /// Takes own frames; the first has come.
    private mutating func go(_ batch: borrowing FrameBatch, _ own: inout Own) {
        var turn = 0
        for position in 0..<batch.count {
            if position > 0 { tick(batch, position) }
            if turn < own.count, Int(own.positions[turn]) == position {
                take(batch, position, turn, &own)
                turn += 1
            } else {
                endFrame()
            }
        }
    }

    /// Takes own frames, each attempt with its detail from the start.
    private mutating func goInDetail(_ batch: borrowing FrameBatch) {
        for position in 0..<batch.count {
            tick(batch, position)
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
            attempts.entries.prefetch(slot)
        }
        own.reroutings = reroutings
        for turn in 0..<own.count { attempts.prefetchBody(own.candidates[turn]) }
    }

    @inline(__always)
    private mutating func take(_ batch: borrowing FrameBatch, _ position: Int, _ turn: Int, _ own: inout Own) {
        let place = own.places[position]
        if place != Share.another {
            begin(place)
            totals.frames.segments &+= 1
            // Nothing leads elsewhere than it did, unless it was rerouted since.
            let candidate = own.reroutings == reroutings ? own.candidates[turn] : 0
            take(batch.segments[position], own.hashes[position], candidate)
        } else {
            takeOther(batch, position)
        }
        endFrame()
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
