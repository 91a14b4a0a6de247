import PacketWire

// Which logged segments are sightings of one packet. Everything that asks so asks here.
extension SegmentNote {
    /// Nanoseconds below which two sightings may be one packet.
    package static let duplicateWindow: Int64 = 200_000_000

    /// Nanoseconds within which a mirror shows a packet again.
    static let mirrorWindow: Int64 = 100_000

    /// Whether both look like one packet: equal but for what a second sighting may change (hop limit, link, MSS, an
    /// option taken out). Different IP identifications disprove it.
    @inline(__always)
    package func looksLike(_ other: SegmentNote) -> Bool {
        hasNumbers(of: other) && window == other.window && tsval == other.tsval
            && tsecr == other.tsecr && windowScale == other.windowScale
            && options.subtracting(.mptcp) == other.options.subtracting(.mptcp)
            && identification == other.identification && !isICMP && !other.isICMP
    }

    /// The same ports (they are of one attempt), flags, SEQ, ACK and length.
    @inline(__always)
    private func hasNumbers(of other: SegmentNote) -> Bool {
        seq == other.seq && ack == other.ack && flags == other.flags && payloadLength == other.payloadLength
            && fromClient == other.fromClient
    }

    private func hasEqualIdentification(_ other: SegmentNote) -> Bool {
        identification != 0 && identification == other.identification
    }

    private func hasEqualTSval(_ other: SegmentNote) -> Bool {
        options.contains(.timestamps) && other.options.contains(.timestamps) && tsval != 0 && tsval == other.tsval
    }

    /// Whether they were taken at different places: another hop limit, VLAN, link address, interface, file or tunnel.
    func wasElsewhere(_ other: SegmentNote) -> Bool {
        hopLimit != other.hopLimit || vlan != other.vlan || linkSignature != other.linkSignature
            || tunnels != other.tunnels || carrier != other.carrier
    }

    /// Whether the two are proven to be one packet, captured twice. Equal bytes alone do not prove it: Linux answers a
    /// SYN copy and its own timer with equal SYN-ACKs, microseconds apart.
    @inline(__always)
    package func isSamePacket(as other: SegmentNote) -> Bool {
        guard looksLike(other) else { return false }
        if abs(time &- other.time) < SegmentNote.duplicateWindow {
            return identification != 0 || wasElsewhere(other) || isLinkRepetition(of: other)
        }
        // The clocks of two capture points may be apart by any time.
        return hasEqualIdentification(other) && hasEqualTSval(other) && wasElsewhere(other)
    }

    /// IEEE 802.11-2020 10.3.2.14: a repeated frame has the Retry bit, and the sequence control of the first.
    private func isLinkRepetition(of other: SegmentNote) -> Bool {
        (isLinkRetry || other.isLinkRetry) && linkSequence == other.linkSequence
    }

    /// Whether an identification or the link itself proves that they are one packet.
    func hasProof(of other: SegmentNote) -> Bool { hasEqualIdentification(other) || isLinkRepetition(of: other) }

    /// Whether no two packets of a sender would be alike like this: they share an identification or a TSval that is not
    /// 0, or the link repeated a frame.
    func isSurelySamePacket(as other: SegmentNote) -> Bool {
        hasEqualIdentification(other) || hasEqualTSval(other) && wasElsewhere(other) || isLinkRepetition(of: other)
    }

    /// Whether it is the other's packet in another carrier: equal numbers, and an equal TSval or IP identification,
    /// neither contradicting.
    func isSightingElsewhere(of other: SegmentNote) -> Bool {
        guard hasNumbers(of: other) else { return false }
        let hasTimestamps = options.contains(.timestamps) && other.options.contains(.timestamps)
        if hasTimestamps, tsval != other.tsval { return false }
        if identification != 0, other.identification != 0, identification != other.identification { return false }
        return hasEqualTSval(other) || hasEqualIdentification(other)
    }
}

/// The sightings of each packet in a log.
struct Sightings {
    /// Every sighting of a packet but its first.
    private(set) var duplicates = BitSet64()
    /// The first sightings of segments that count.
    private(set) var counted: BitSet64
    /// By position: the first sighting of the same packet.
    private(set) var first: [Int]

    /// - Parameter doubtful: segments that do not count: they may be sightings of others, and others none of theirs.
    init(_ log: [SegmentNote], doubtful: BitSet64 = BitSet64()) {
        first = Array(log.indices)
        counted = BitSet64(first: log.count).subtracting(doubtful)
        guard log.count > 1 else { return }
        find(log, counted)
        for position in doubtful where !log[position].isICMP {
            guard let original = counted.first(where: { log[position].isSamePacket(as: log[$0]) }) else { continue }
            first[position] = first[original]
            duplicates.insert(position)
        }
        counted = counted.subtracting(duplicates)
    }

    /// Finds the sightings among some segments.
    private mutating func find(_ log: [SegmentNote], _ all: BitSet64) {
        // A sender that gives one identification to different packets proves nothing by it.
        let repeats = (
            client: Sightings.repeatsIdentifications(log, all.filter { log[$0].fromClient }),
            server: Sightings.repeatsIdentifications(log, all.filter { !log[$0].fromClient })
        )
        func isProven(_ position: Int, _ before: Int) -> Bool {
            guard log[position].isSamePacket(as: log[before]) else { return false }
            guard log[position].fromClient ? repeats.client : repeats.server else { return true }
            return log[position].wasElsewhere(log[before])
        }
        var possible: [(earlier: Int, later: Int)] = []
        var taken = BitSet64()
        for position in all.dropFirst() where !log[position].isICMP {
            let earlier = all.before(position)
            // One place shows a packet twice only at once.
            func isTwiceAtOnePlace(_ original: Int) -> Bool {
                earlier.contains {
                    first[$0] == first[original] && !log[position].wasElsewhere(log[$0])
                        && !log[position].isSurelySamePacket(as: log[$0])
                        && abs(log[position].time &- log[$0].time) > SegmentNote.mirrorWindow
                }
            }
            if let original = earlier.last(where: { isProven(position, $0) && !isTwiceAtOnePlace($0) }) {
                first[position] = first[original]
                duplicates.insert(position)
                continue
            }
            let near = (max(0, position - 3)..<position).last {
                all.contains($0) && !taken.contains($0) && log[$0].looksLike(log[position])
                    && abs(log[position].time &- log[$0].time) < SegmentNote.duplicateWindow
            }
            if let near, !isTwiceAtOnePlace(near) {
                possible.append((near, position))
                taken.insert(near)
            }
        }
        guard !possible.isEmpty else { return }
        confirm(possible, log, all)
    }

    private static func repeatsIdentifications(_ log: [SegmentNote], _ sent: BitSet64) -> Bool {
        sent.contains { position in
            log[position].identification != 0
                && sent.before(position).contains {
                    log[$0].identification == log[position].identification
                        && (!log[position].looksLike(log[$0])
                            // Earlier than the one before it, it was stamped by a clock that was set back.
                            || log[position].time &- log[$0].time >= SegmentNote.duplicateWindow
                                && !log[position].wasElsewhere(log[$0]))
                }
        }
    }

    /// Pairs of equal bytes without other evidence are one packet where their neighbours are doubled alike: the packets
    /// before and behind were seen twice as well, and of those one is proven, or all of the log came twice, in both
    /// directions.
    private mutating func confirm(
        _ possible: [(earlier: Int, later: Int)], _ log: [SegmentNote], _ all: BitSet64
    ) {
        var doubled = BitSet64()
        for position in duplicates {
            doubled.insert(position)
            doubled.insert(first[position])
        }
        let proven = doubled
        for pair in possible {
            doubled.insert(pair.earlier)
            doubled.insert(pair.later)
        }
        let segments = all.filter { !log[$0].isICMP }
        let isAllDoubled =
            doubled == segments && doubled.contains { log[$0].fromClient } && doubled.contains { !log[$0].fromClient }
        for pair in possible {
            // A packet that the network doubled, and what answers both, are longer apart.
            let isNear = abs(log[pair.later].time &- log[pair.earlier].time) < SegmentNote.mirrorWindow
            guard isNear || log[pair.later].wasElsewhere(log[pair.earlier]) else { continue }
            let others = segments.filter { $0 != pair.earlier && $0 != pair.later }
            let neighbours = [others.last { $0 < pair.earlier }, others.first { $0 > pair.later }].compactMap { $0 }
            let isAlike = neighbours.allSatisfy { doubled.contains($0) } && neighbours.contains { proven.contains($0) }
            guard isAlike || isAllDoubled else { continue }
            duplicates.insert(pair.later)
            first[pair.later] = first[pair.earlier]
        }
    }
}
