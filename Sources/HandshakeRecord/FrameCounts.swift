package import PacketWire

/// Frames by what they were. The counts add up to `read`.
public struct FrameCounts: Hashable, Sendable {
    /// TCP segments.
    public package(set) var segments: UInt64 = 0
    /// Cut by the snaplen before a TCP header's flags.
    public package(set) var cut: UInt64 = 0
    // By raw value: a frame that is not ours must not cost more than one that is.
    private var ignoredByReason = [UInt64](repeating: 0, count: IgnoredReason.allCases.count)
    private var malformedByCause = [UInt64](
        repeating: 0, count: Malformation.Layer.allCases.count * Malformation.Limit.allCases.count)

    /// Frames that held more than the one packet that was decoded: aggregated Wi-Fi frames.
    public package(set) var aggregated: UInt64 = 0
    /// Frames of link types that are not decoded, by the type's number.
    public private(set) var unknownLinkTypes: [UInt16: UInt64] = [:]
    /// Frames whose IP packet is longer than the frame: they were sliced before they were captured.
    public package(set) var sliced: UInt64 = 0
    /// Frames of link type Ethernet that are whole IP packets if they are taken for such.
    public package(set) var looksRaw: UInt64 = 0
    private var etherTypes = NumberCounts()
    private var ipProtocols = NumberCounts()
    private var udpPorts = NumberCounts()

    /// Ignored frames of EtherTypes, IP protocols and UDP ports that are not decoded. Each kind's counts add up to
    /// its reason's in `ignored`; a kind that did not occur is left out.
    public var undecoded: [UndecodedFrames] {
        let kinds: [(UndecodedFrames.Kind, NumberCounts, IgnoredReason)] = [
            (.etherType, etherTypes, .otherEtherType), (.ipProtocol, ipProtocols, .otherProtocol),
            (.udpPort, udpPorts, .udp),
        ]
        return kinds.compactMap { kind, counts, reason in
            let numbers = counts.mostFrequent(UndecodedFrames.maximumListed)
            let listed = numbers.reduce(0) { $0 + $1.count }
            return numbers.isEmpty
                ? nil
                : UndecodedFrames(
                    kind: kind, numbers: numbers, others: ignoredByReason[Int(reason.rawValue)] - listed)
        }
    }

    package init() {}

    /// Counts that were saved, by the names of `ignored` and `malformed`; nil where a name is not known.
    package init?(segments: UInt64, cut: UInt64, ignored: [String: UInt64], malformed: [String: UInt64]) {
        (self.segments, self.cut) = (segments, cut)
        let reasons = Dictionary(uniqueKeysWithValues: IgnoredReason.allCases.map { ($0.name, $0) })
        for (name, count) in ignored {
            if let reason = reasons[name] {
                ignoredByReason[Int(reason.rawValue)] = count
            } else if name.hasPrefix("link-type-"), let number = UInt16(name.dropFirst("link-type-".count)) {
                unknownLinkTypes[number] = count
            } else {
                return nil
            }
        }
        for (name, count) in malformed {
            guard let place = FrameCounts.malformations[name] else { return nil }
            malformedByCause[place] = count
        }
    }

    /// Places of malformations by their names.
    private static let malformations: [String: Int] = {
        var places: [String: Int] = [:]
        for layer in Malformation.Layer.allCases {
            for limit in Malformation.Limit.allCases {
                places[Malformation(layer: layer, offset: 0, limit: limit).name] = index(layer, limit)
            }
        }
        return places
    }()

    /// All frames that were read: the sum of the others.
    public var read: UInt64 {
        segments + cut + ignoredByReason.reduce(0, +) + malformedByCause.reduce(0, +)
            + unknownLinkTypes.values.reduce(0, +)
    }

    /// By the reason's name, link types that are not decoded as `link-type-N`; ICMP errors are here too: no segment of
    /// a connection, but used as evidence.
    public var ignored: [String: UInt64] {
        var counts = IgnoredReason.allCases.reduce(into: [String: UInt64]()) { counts, reason in
            let count = ignoredByReason[Int(reason.rawValue)]
            if count > 0 { counts[reason.name] = count }
        }
        for (linkType, count) in unknownLinkTypes { counts["link-type-\(linkType)"] = count }
        return counts
    }

    /// By layer and limit.
    public var malformed: [String: UInt64] {
        FrameCounts.malformations.mapValues { malformedByCause[$0] }.filter { $0.value > 0 }
    }

    private static func index(_ layer: Malformation.Layer, _ limit: Malformation.Limit) -> Int {
        Int(layer.rawValue) * Malformation.Limit.allCases.count + Int(limit.rawValue)
    }

    package mutating func add(_ other: FrameCounts) {
        segments += other.segments
        cut += other.cut
        for reason in ignoredByReason.indices { ignoredByReason[reason] += other.ignoredByReason[reason] }
        for cause in malformedByCause.indices { malformedByCause[cause] += other.malformedByCause[cause] }
        aggregated += other.aggregated
        sliced += other.sliced
        unknownLinkTypes.merge(other.unknownLinkTypes, uniquingKeysWith: +)
        looksRaw += other.looksRaw
        etherTypes.add(other.etherTypes)
        ipProtocols.add(other.ipProtocols)
        udpPorts.add(other.udpPorts)
    }

    package mutating func count(_ frame: Frame) {
        switch frame {
        case .segment: segments += 1
        case .icmpError: count(.icmpError)
        case .ignored(let reason): count(reason)
        case .malformed(let malformation): count(malformation.layer, malformation.limit)
        case .cut: cut += 1
        }
    }

    package mutating func count(_ slot: DecodedFrame) {
        if slot.holdsMore { aggregated += 1 }
        if slot.isSliced { sliced += 1 }
        if slot.looksRaw { looksRaw += 1 }
        switch slot.kind {
        case .segment: segments += 1
        case .icmpError: count(.icmpError)
        case .ignored where slot.reason == .unknownLinkType: unknownLinkTypes[slot.number, default: 0] += 1
        case .ignored:
            count(slot.reason)
            if slot.number != 0 { count(slot.number, of: slot.reason) }
        case .malformed: count(slot.layer, slot.limit)
        case .cut: cut += 1
        }
    }

    private mutating func count(_ number: UInt16, of reason: IgnoredReason) {
        switch reason {
        case .otherEtherType: etherTypes.add(number)
        case .otherProtocol: ipProtocols.add(number)
        case .udp: udpPorts.add(number)
        default: break
        }
    }

    private mutating func count(_ reason: IgnoredReason) { ignoredByReason[Int(reason.rawValue)] += 1 }

    private mutating func count(_ layer: Malformation.Layer, _ limit: Malformation.Limit) {
        malformedByCause[FrameCounts.index(layer, limit)] += 1
    }
}
