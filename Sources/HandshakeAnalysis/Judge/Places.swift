import PacketWire

/// The capture points that a log shows, and the one whose sightings time is measured by. A packet that was seen at two
/// points has two times, perhaps by two clocks: all legs of a round trip take those of one point.
struct Places {
    /// Sightings at the point that is measured by; the first sightings of all packets where there is one point only.
    private(set) var view: BitSet64
    private(set) var syns: BitSet64
    private(set) var synAcks: BitSet64
    /// The sighting there of the segment that completed the handshake.
    private(set) var completion: Int?
    /// Whether equal segments were seen at different places, and it is not proven that they are one.
    private(set) var mayHoldCopies = false
    /// Whether no point saw the whole handshake.
    private(set) var isIncomplete = false
    /// Whether packets of both directions were seen with two hop limits each.
    private(set) var areTwo = false
    /// Whether all first sightings are by one clock, as far as the log shows.
    private(set) var isOneClock = true

    /// Nanoseconds: sightings so close are on one machine, or beside each other on a wire.
    private static let beside: Int64 = 1_000_000

    /// - Parameters:
    ///   - syns: first sightings of the client's SYNs; of the valid SYN-ACKs of the y that counts.
    ///   - completion: the first sighting of the segment that completed the handshake.
    init(
        _ log: [SegmentNote], _ sightings: Sightings, syns: BitSet64, synAcks: BitSet64, completion: Int?
    ) {
        let all = BitSet64(first: log.count)
        view = sightings.counted
        (self.syns, self.synAcks, self.completion) = (syns, synAcks, completion)
        var hops = (client: Set<UInt8>(), server: Set<UInt8>())
        var gap: Int64 = 0
        for position in sightings.duplicates {
            let (copy, original) = (log[position], log[sightings.first[position]])
            guard copy.hopLimit != original.hopLimit else { continue }
            // A pair that may be two packets tells no place.
            if !copy.isSurelySamePacket(as: original), abs(copy.time &- original.time) > Places.beside {
                isIncomplete = true
            }
            gap = max(gap, abs(copy.time &- original.time))
            if copy.fromClient {
                hops.client.formUnion([copy.hopLimit, original.hopLimit])
            } else {
                hops.server.formUnion([copy.hopLimit, original.hopLimit])
            }
        }
        // Nor does what is equal, and was seen elsewhere by a clock that may be apart.
        let openings = syns.union(synAcks)
        if openings.count > 1,
            openings.contains(where: { later in
                openings.before(later).contains { log[later].looksLike(log[$0]) && log[later].wasElsewhere(log[$0]) }
            })
        {
            mayHoldCopies = !isIncomplete
            isIncomplete = true
        }
        if isIncomplete {
            isOneClock = false
            return
        }
        guard gap > 0 || !hops.client.isEmpty && !hops.server.isEmpty else { return }
        // One direction alone was seen twice: at one point, or nobody can tell at which the other was.
        if hops.client.isEmpty || hops.server.isEmpty {
            isIncomplete = gap > Places.beside
            isOneClock = !isIncomplete
            return
        }
        areTwo = true
        isOneClock = gap <= Places.beside
        let near = Places.at(log, all, fromClient: hops.client.max(), fromServer: hops.server.min())
        let far = Places.at(log, all, fromClient: hops.client.min(), fromServer: hops.server.max())
        for sightingsThere in [near, far] {
            // Each packet's first sighting there: the network may have doubled it.
            let place = sightingsThere.filter { later in
                !sightingsThere.before(later).contains { sightings.first[$0] == sightings.first[later] }
            }
            // Those of what counts.
            func seen(_ originals: BitSet64) -> BitSet64 {
                place.filter { originals.contains(sightings.first[$0]) }
            }
            let (seenSYNs, seenSYNACKs) = (seen(syns), seen(synAcks))
            let completions = completion.map { original in place.filter { sightings.first[$0] == original } }
            // Segments that it did not see may have been between.
            guard !seenSYNs.isEmpty, !seenSYNACKs.isEmpty, completions.map({ !$0.isEmpty }) ?? true,
                Places.isEach(of: syns, among: seenSYNs, sightings),
                Places.isEach(of: synAcks, among: seenSYNACKs, sightings)
            else { continue }
            view = place
            (self.syns, self.synAcks, self.completion) = (seenSYNs, seenSYNACKs, completions?.first)
            return
        }
        isIncomplete = true
    }

    /// Whether each packet has a sighting among some.
    private static func isEach(of originals: BitSet64, among seen: BitSet64, _ sightings: Sightings) -> Bool {
        originals.filter { original in !seen.contains { sightings.first[$0] == original } }.isEmpty
    }

    private static func at(
        _ log: [SegmentNote], _ all: BitSet64, fromClient: UInt8?, fromServer: UInt8?
    ) -> BitSet64 {
        all.filter { log[$0].hopLimit == (log[$0].fromClient ? fromClient : fromServer) && !log[$0].isICMP }
    }
}
