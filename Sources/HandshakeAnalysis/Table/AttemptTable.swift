import PacketWire

/// Every attempt that is remembered.
///
/// Each has an `Entry` of 64 octets: a cache line, found through the index. As long as nothing about it is out of the
/// ordinary that and little more is all there is: a SYN without an answer costs its entry, from its SYN-ACK on an
/// attempt has a `Progress` too, and once it is reported an `Aftermath`. With the first thing that is not ordinary it
/// is given an `Attempt`, which has a field for everything, and a log. Its slot stays the same. A test compares the
/// results with those of a tracker that gives every attempt its detail at once.
struct AttemptTable: ~Copyable {
    var entries: Pool<Entry>
    var details: Pool<Attempt>
    var progress: Pool<Progress>
    var aftermaths: Pool<Aftermath>
    /// Addresses of IPv6 attempts: the lower endpoint's, then the higher's.
    var addresses: Pool<AddressPair>

    /// - Parameters:
    ///   - capacity: the most attempts. Address space for them is reserved here.
    ///   - announce: takes memory that will be needed soon.
    init(capacity: Int, announce: MemoryAhead.Announcement?) {
        entries = Pool(capacity: capacity, announce: announce)
        details = Pool(capacity: capacity, announce: announce)
        progress = Pool(capacity: capacity, announce: announce)
        aftermaths = Pool(capacity: capacity, announce: announce)
        addresses = Pool(capacity: capacity, announce: announce)
    }

    /// Whether the address space was granted.
    var isUsable: Bool {
        entries.capacity > 0 && details.capacity > 0 && progress.capacity > 0 && aftermaths.capacity > 0
            && addresses.capacity > 0
    }

    /// Octets of what is remembered.
    @inline(__always)
    var size: Int {
        entries.size &+ details.size &+ progress.size &+ aftermaths.size &+ addresses.size
    }

    /// The detail of an attempt that has one.
    @inline(__always)
    subscript(slot: UInt32) -> Attempt {
        _read {
            assert(entries[slot].stage == .detailed)
            yield details[entries[slot].body]
        }
        nonmutating _modify {
            assert(entries[slot].stage == .detailed)
            yield &details[entries[slot].body]
        }
    }

    @inline(__always)
    func prefetchBody(_ slot: UInt32) {
        let entry = entries.peek(slot)
        let (body, stage) = (entry.body, entry.stage)
        // Its neighbours' links are written when it moves.
        entries.prefetch(entry.queuePrevious)
        entries.prefetch(entry.queueNext)
        if stage == .detailed { return details.prefetch(body) }
        // Which of the two it is cannot be predicted: no branch.
        prefetch(body, stage == .closed, of: aftermaths, else: progress)
    }

    // MARK: Tuples

    /// - Parameter pair: the segment's addresses, if those are IPv6's.
    @inline(__always)
    func has(_ segment: UsualSegment, _ pair: @autoclosure () -> AddressPair, _ slot: UInt32) -> Bool {
        if !segment.isV6 {
            let difference =
                entries[slot].addresses ^ segment.addresses | UInt64(entries[slot].ports ^ segment.ports)
            return difference == 0 && !entries[slot].isV6
        }
        guard entries[slot].ports == segment.ports, entries[slot].isV6 else { return false }
        return isSame(addresses[UInt32(truncatingIfNeeded: entries[slot].addresses)], pair())
    }

    @inline(__always)
    private func isSame(_ a: AddressPair, _ b: AddressPair) -> Bool {
        a.lowHigh == b.lowHigh && a.lowLow == b.lowLow && a.highHigh == b.highHigh && a.highLow == b.highLow
    }

    @inline(__always)
    func has(_ tuple: Tuple, _ slot: UInt32) -> Bool {
        guard entries[slot].ports == tuple.ports, entries[slot].isV6 == tuple.isV6 else { return false }
        if !tuple.isV6 { return entries[slot].addresses == tuple.addresses }
        return isSame(addresses[UInt32(truncatingIfNeeded: entries[slot].addresses)], tuple.pair)
    }

    @inline(__always)
    func tuple(of slot: UInt32) -> Tuple {
        if !entries[slot].isV6 { return Tuple(addresses: entries[slot].addresses, ports: entries[slot].ports) }
        return Tuple(
            addresses[UInt32(truncatingIfNeeded: entries[slot].addresses)], ports: entries[slot].ports)
    }

    /// Who sent the SYN of an attempt without detail, and to whom.
    @inline(__always)
    func ends(of slot: UInt32) -> (client: Endpoint, server: Endpoint) {
        let (low, high): (Endpoint, Endpoint)
        if entries[slot].isV6 {
            (low, high) = tuple(of: slot).endpoints
        } else {
            let (addresses, ports) = (entries[slot].addresses, entries[slot].ports)
            low = Endpoint(IPAddress(v4: UInt32(truncatingIfNeeded: addresses >> 32)), UInt16(ports >> 16))
            high = Endpoint(IPAddress(v4: UInt32(truncatingIfNeeded: addresses)), UInt16(truncatingIfNeeded: ports))
        }
        return entries[slot].clientIsLow ? (low, high) : (high, low)
    }

    /// The same of IPv4, without a branch: both addresses, the client's in the upper half, and the server's port.
    @inline(__always)
    func target(of slot: UInt32) -> (addresses: UInt64, port: UInt16) {
        let (addresses, ports) = (entries[slot].addresses, entries[slot].ports)
        let clientIsLow = entries[slot].clientIsLow
        return (
            clientIsLow ? addresses : addresses >> 32 | addresses << 32,
            UInt16(truncatingIfNeeded: clientIsLow ? ports : ports >> 16)
        )
    }

    // MARK: Entries

    /// Adds an entry on a segment's tuple; there is room for it.
    /// - Parameter pair: the segment's addresses, if those are IPv6's.
    @inline(__always)
    mutating func insert(
        _ entry: inout Entry, _ segment: UsualSegment, _ pair: @autoclosure () -> AddressPair
    ) -> UInt32 {
        entry.ports = segment.ports
        entry.addresses = segment.isV6 ? UInt64(addresses.insert(pair())) : segment.addresses
        entry.isV6 = segment.isV6
        return entries.insert(entry)
    }

    mutating func insert(_ attempt: Attempt) -> UInt32 {
        let tuple = attempt.key.tuple
        var entry = Entry()
        entry.ports = tuple.ports
        entry.addresses = tuple.isV6 ? UInt64(addresses.insert(tuple.pair)) : tuple.addresses
        entry.isV6 = tuple.isV6
        entry.stage = .detailed
        entry.body = details.insert(attempt)
        return entries.insert(entry)
    }

    @inline(__always)
    mutating func remove(_ slot: UInt32) {
        releaseBody(slot)
        if entries[slot].isV6 { addresses.remove(UInt32(truncatingIfNeeded: entries[slot].addresses)) }
        entries.remove(slot)
    }

    mutating func removeAll() {
        entries.removeAll()
        details.removeAll()
        progress.removeAll()
        aftermaths.removeAll()
        addresses.removeAll()
    }

    @inline(__always)
    private mutating func releaseBody(_ slot: UInt32) {
        let body = entries[slot].body
        guard body != 0 else { return }
        switch entries[slot].stage {
        case .detailed: details.remove(body)
        case .closed: aftermaths.remove(body)
        case .synSent, .synReceived, .established: progress.remove(body)
        }
    }

    func firstFrame(_ slot: UInt32) -> UInt64 {
        entries[slot].stage == .detailed ? self[slot].firstFrame : entries[slot].firstFrame
    }

    // MARK: Detail

    /// The attempt with every field, as a tracker without short forms would have it.
    /// - Parameter log: takes what that would have logged.
    func detail(of slot: UInt32, _ profiles: ProfileTable, log: (SegmentNote) -> Void) -> Attempt {
        let entry = entries[slot]
        let hasProgress = entry.stage == .synReceived || entry.stage == .established
        return Attempt(
            entry, ConnectionKey(tuple(of: slot)), hasProgress ? progress[entry.body] : Progress(),
            entry.stage == .closed ? aftermaths[entry.body] : nil, profiles, log: log)
    }

    /// Puts the detail in the place of the short form.
    mutating func setDetail(_ slot: UInt32, _ attempt: Attempt) {
        releaseBody(slot)
        entries[slot].stage = .detailed
        entries[slot].body = details.insert(attempt)
    }
}

// Code that runs for every frame is here rather than where the types are: calls across modules are not inlined.
extension Tuple {
    /// Both IPv4 addresses.
    @inline(__always) var addresses: UInt64 { lowLow << 32 | highLow }
    /// Both IPv6 addresses.
    var pair: AddressPair {
        var pair = AddressPair()
        (pair.lowHigh, pair.lowLow, pair.highHigh, pair.highLow) = (lowHigh, lowLow, highHigh, highLow)
        return pair
    }
}

extension UsualSegment {
    /// SEG.LEN (RFC 9293 section 3.4): payload, plus one each for SYN and FIN.
    @inline(__always)
    var sequenceLength: UInt32 {
        payloadLength &+ UInt32(flags.rawValue & 1) &+ UInt32(flags.rawValue >> 1 & 1)
    }
}

extension ConnectionKey {
    init(_ tuple: Tuple) { (low, high) = tuple.endpoints }

    @inline(__always)
    var tuple: Tuple {
        let ports = UInt32(low.port) << 16 | UInt32(high.port)
        if low.address.version == .v4, high.address.version == .v4 {
            return Tuple(addresses: low.address.low << 32 | high.address.low, ports: ports)
        }
        return Tuple(
            lowHigh: low.address.high, lowLow: low.address.low, highHigh: high.address.high, highLow: high.address.low,
            ports: ports)
    }
}
