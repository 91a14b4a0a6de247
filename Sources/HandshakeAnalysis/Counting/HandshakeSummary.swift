import PacketWire

/// Frames by what they were. The counts add up to `read`.
public struct FrameCounts: Sendable {
    public internal(set) var segments: UInt64 = 0
    /// Cut by the snaplen before a TCP header's flags.
    public internal(set) var cut: UInt64 = 0
    // By raw value: a frame that is not ours must not cost more than one that is.
    private var ignoredByReason = [UInt64](repeating: 0, count: IgnoredReason.allCases.count)
    private var malformedByCause = [UInt64](
        repeating: 0, count: Malformation.Layer.allCases.count * Malformation.Limit.allCases.count)

    /// Frames that held more than the one packet that was decoded: aggregated Wi-Fi frames.
    public internal(set) var aggregated: UInt64 = 0
    /// Frames of link types that are not decoded, by the type's number.
    public private(set) var unknownLinkTypes: [UInt16: UInt64] = [:]
    /// Frames whose IP packet is longer than the frame: they were sliced before they were captured.
    public internal(set) var sliced: UInt64 = 0
    /// Frames of link type Ethernet that are whole IP packets if they are taken for such.
    public internal(set) var looksRaw: UInt64 = 0
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
        var counts: [String: UInt64] = [:]
        for layer in Malformation.Layer.allCases {
            for limit in Malformation.Limit.allCases where malformedByCause[FrameCounts.index(layer, limit)] > 0 {
                let name = Malformation(layer: layer, offset: 0, limit: limit).name
                counts[name] = malformedByCause[FrameCounts.index(layer, limit)]
            }
        }
        return counts
    }

    private static func index(_ layer: Malformation.Layer, _ limit: Malformation.Limit) -> Int {
        Int(layer.rawValue) * Malformation.Limit.allCases.count + Int(limit.rawValue)
    }

    mutating func add(_ other: FrameCounts) {
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

    mutating func count(_ frame: Frame) {
        switch frame {
        case .segment: segments += 1
        case .icmpError: count(.icmpError)
        case .ignored(let reason): count(reason)
        case .malformed(let malformation): count(malformation.layer, malformation.limit)
        case .cut: cut += 1
        }
    }

    mutating func count(_ slot: DecodedFrame) {
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

/// Totals over all attempts, kept while they are decided.
public struct HandshakeSummary: Sendable {
    public internal(set) var frames = FrameCounts()
    public internal(set) var attempts = 0
    public var byOutcome: [Outcome: Int] {
        let unlisted: [Outcome: Int] = [.established: plain, .unanswered: unanswered, .pending: pending]
        return judged.counts.merging(unlisted.filter { $0.value > 0 }) { $0 + $1 }
    }
    private var judged = NamedCounts<Outcome>()
    /// Handshakes that are counted, but for their round trips and servers: one counter after the other would be waited
    /// for.
    private var waiting: [PlainHandshake] = []
    private static let maximumWaiting = 32
    // Attempts that were counted without a record.
    private var plain = 0
    private var unanswered = 0
    private var pending = 0
    /// Attempts that the end of the capture cut off: what came of them is not known.
    public internal(set) var undecided = 0
    /// Attempts that have a finding, by its code.
    public var findings: [FindingCode: Int] { found.counts }
    private var found = NamedCounts<FindingCode>()
    /// Attempts of which a SYN was sent more than once.
    public internal(set) var retransmittedSYNs = 0
    /// Connections of which neither SYN nor SYN-ACK was seen.
    public internal(set) var midstreamFlows = 0
    /// Attempts decided early because the table was full.
    public internal(set) var evicted = 0
    /// Reported connections forgotten early for the same reason: what comes of them later counts as midstream.
    public internal(set) var forgottenEarly = 0
    /// SYNs and SYN-ACKs that came after their attempt was reported.
    public internal(set) var lateSegments = 0
    public internal(set) var unrelatedICMPErrors = 0
    /// Attempts that are another one's copy behind an address translator: nothing else counts them.
    public internal(set) var translatedCopies = 0
    /// SYN-ACKs with a bad checksum that belong to no attempt.
    public internal(set) var badChecksumsIgnored = 0
    public internal(set) var clockStepsBack = 0
    /// Nanoseconds of the largest of them.
    public internal(set) var clockLargestStepBack: Int64 = 0
    /// Steps of a live capture that its steady clock does not bear out.
    public internal(set) var clockStepsForward = 0
    /// Totals of a tracker have only what its shards do not keep.
    public internal(set) var patterns = TrafficPatterns()
    public internal(set) var roundTrips = RoundTripTimes()
    /// The times of the capture's first and last frame, in nanoseconds since the epoch, as far as its clock goes; nil
    /// without frames.
    public internal(set) var span: ClosedRange<Int64>?

    var traits = CaptureTraits()
    /// Whether all TCP came in tunnels of kinds that mirror traffic.
    var isOfMirrors = false
    private var sides = QualityCounts()

    package init() {}

    /// SYNs that may have been connections of their own: they had the x of one that was decided, and nothing tells when
    /// they were sent.
    public internal(set) var doubtfulSYNs = 0

    /// Why an assertion that no attempt breaks may not hold all the same: what else happened, or did not, is not known.
    public var doubts: [String] {
        var doubts: [String] = []
        if doubtfulSYNs > 0 {
            doubts.append("\(doubtfulSYNs) late SYNs may be attempts that are not reported")
        }
        if evicted > 0 { doubts.append("\(evicted) attempts were decided early, since the table was full") }
        for quality in quality where quality.code == .filtered || quality.code == .oneDirection {
            doubts.append("the capture is \(quality.text)")
        }
        return doubts
    }

    /// What the capture itself is, as far as it bounds what can be said of its attempts.
    public var quality: [CaptureQualityFinding] {
        var counts = sides
        counts.countPlain(plain)
        var found: [CaptureQualityFinding] = []
        func say(_ code: CaptureQuality, _ text: String) { found.append(CaptureQualityFinding(code: code, text: text)) }
        if counts.bothSides == 0, counts.clientOnly + counts.serverOnly > 0 {
            let side =
                counts.serverOnly == 0 ? "the clients'" : counts.clientOnly == 0 ? "the servers'" : "one side's"
            say(.oneDirection, "one direction only: of each connection only \(side) segments are here")
        }
        if counts.answered > 1, !traits.hasBare {
            say(
                .filtered,
                traits.hasOther
                    ? "filtered: no segment without SYN, FIN or RST is here"
                    : "filtered: no segment without SYN is here; or nothing but half-open handshakes happened")
        }
        let doubled = findings[.captureDuplicate] ?? 0
        if doubled > 0, 2 * doubled >= attempts {
            say(.doubled, "doubled: \(doubled) of \(attempts) attempts have packets that were captured more than once")
        }
        if counts.twoPlaces > 0 {
            say(
                .twoPlaces,
                "two capture points: packets of \(counts.twoPlaces) of \(attempts) attempts were seen at both")
        }
        if translatedCopies > 0 {
            say(
                .translated,
                "translated: copies from behind an address translator are here (\(translatedCopies)); they count in no total"
            )
        }
        if isOfMirrors { say(.mirrors, "mirrors: all TCP came in tunnels that mirror sessions use") }
        if frames.sliced > 0 {
            say(.sliced, "sliced: \(frames.sliced) frames are shorter than their IP packets")
        }
        let cut = Int(frames.cut) + (findings[.snaplenCut] ?? 0)
        if cut > 0, frames.sliced == 0 { say(.cut, "cut: headers are missing from \(cut) frames or attempts") }
        if clockStepsBack + clockStepsForward > 0 || (findings[.clockStepped] ?? 0) > 0 {
            say(.clockUneven, "the clock stepped: times before and after a step cannot be compared")
        }
        if traits.tick > 0 {
            say(
                .clockCoarse,
                "the clock counts \(CaptureTraits.words(traits.tick)): round trips have bounds only"
            )
        }
        if counts.untrustedChecksums > 0 {
            say(
                .checksumsUntrusted,
                "checksums say nothing in \(counts.untrustedChecksums) of \(attempts) attempts: all of a sender's are bad"
            )
        }
        return found
    }

    /// Counts an attempt among those that were chosen.
    package mutating func add(_ record: AttemptRecord) { count(record) }

    mutating func count(_ record: AttemptRecord) {
        if record.copyOf != nil {
            translatedCopies += 1
            return
        }
        attempts += 1
        sides.count(record)
        if record.ended == .captureEnd { undecided += 1 }
        judged.add(record.outcome)
        if record.has(.synRetransmitted) { retransmittedSYNs += 1 }
        for position in record.findings.indices {
            let code = record.findings[position].code
            if !record.findings[..<position].contains(where: { $0.code == code }) { found.add(code) }
        }
        if let total = record.total?.nanoseconds { roundTrips.record(total) }
        if record.outcome == .established { patterns.established(at: record.server) }
    }

    /// A plain handshake that is not listed.
    mutating func count(_ handshake: PlainHandshake) {
        attempts += 1
        plain += 1
        waiting.append(handshake)
        if waiting.count == HandshakeSummary.maximumWaiting { settle() }
    }

    /// Counts what waits for that.
    @inline(never)
    mutating func settle() {
        for handshake in waiting {
            roundTrips.prefetch(handshake.total)
            patterns.prefetchEstablished(at: handshake.server)
        }
        for handshake in waiting {
            roundTrips.record(handshake.total)
            patterns.established(at: handshake.server)
        }
        waiting.removeAll(keepingCapacity: true)
    }

    /// Attempts that are not listed, and of which there is nothing but one SYN.
    /// - Parameters:
    ///   - unanswered: those that are old enough for silence to mean something.
    ///   - pending: the others.
    mutating func countSilences(unanswered old: Int, pending young: Int, _ cause: Ending) {
        attempts += old + young
        if cause == .captureEnd { undecided += old + young }
        unanswered += old
        pending += young
    }

    /// Adds what another tracker counted of the same capture's other tuples.
    package mutating func add(_ other: HandshakeSummary) {
        frames.add(other.frames)
        attempts += other.attempts
        judged.add(other.judged)
        plain += other.plain
        unanswered += other.unanswered
        pending += other.pending
        undecided += other.undecided
        found.add(other.found)
        retransmittedSYNs += other.retransmittedSYNs
        midstreamFlows += other.midstreamFlows
        evicted += other.evicted
        forgottenEarly += other.forgottenEarly
        lateSegments += other.lateSegments
        doubtfulSYNs += other.doubtfulSYNs
        unrelatedICMPErrors += other.unrelatedICMPErrors
        translatedCopies += other.translatedCopies
        badChecksumsIgnored += other.badChecksumsIgnored
        // Every tracker has the same clock.
        (clockStepsBack, clockLargestStepBack) = (other.clockStepsBack, other.clockLargestStepBack)
        clockStepsForward = other.clockStepsForward
        sides.add(other.sides)
        traits = other.traits
        isOfMirrors = other.isOfMirrors
        span = other.span ?? span
        patterns.add(other.patterns)
        roundTrips.add(other.roundTrips)
    }

    /// The servers with the most attempts that came to no connection, the worst first: five at most.
    public var troubledServers: [TrafficPatterns.TroubledServer] { patterns.troubledServers(5) }

    /// What the attempts together look like: floods, scans, backscatter.
    public var patternFindings: [TrafficPatterns.Pattern] {
        // Where a filter left out what completes a handshake, none was left open.
        let isFiltered = quality.contains { $0.code == .filtered }
        return patterns.findings().filter { !isFiltered || $0.code != .synFlood }
    }
}

/// How often each of a few names came. Names compare faster than they hash: a dictionary hashes their texts.
private struct NamedCounts<Name: Hashable & Sendable>: Sendable {
    private var entries: [(name: Name, count: Int)] = []

    mutating func add(_ name: Name, _ count: Int = 1) {
        if let known = entries.firstIndex(where: { $0.name == name }) {
            entries[known].count += count
        } else {
            entries.append((name, count))
        }
    }

    mutating func add(_ other: NamedCounts) { for entry in other.entries { add(entry.name, entry.count) } }

    var counts: [Name: Int] { Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.count) }) }
}

/// The distribution of handshake round trips, in nanoseconds; only pairs that are known count.
///
/// Counts by value: exact below 2048 ns, above that 1024 steps for each power of two, as in HdrHistogram.
public struct RoundTripTimes: Sendable {
    /// Quantiles are within this fraction of a value that was recorded.
    public static let relativeError = 0.001
    private static let exact: UInt64 = 2048
    private var counts: [UInt64] = []
    public private(set) var count = 0
    public private(set) var minimum: Int64?
    public private(set) var maximum: Int64?

    mutating func record(_ nanoseconds: Int64) {
        count += 1
        if nanoseconds < minimum ?? .max { minimum = nanoseconds }
        if nanoseconds > maximum ?? .min { maximum = nanoseconds }
        let step = RoundTripTimes.step(UInt64(max(0, nanoseconds)))
        if step >= counts.count { counts += [UInt64](repeating: 0, count: step + 1024 - counts.count) }
        counts[step] += 1
    }

    func prefetch(_ nanoseconds: Int64) { counts.prefetch(RoundTripTimes.step(UInt64(max(0, nanoseconds)))) }

    mutating func add(_ other: RoundTripTimes) {
        count += other.count
        minimum = [minimum, other.minimum].compactMap { $0 }.min()
        maximum = [maximum, other.maximum].compactMap { $0 }.max()
        if other.counts.count > counts.count {
            counts += [UInt64](repeating: 0, count: other.counts.count - counts.count)
        }
        for step in other.counts.indices { counts[step] += other.counts[step] }
    }

    private static func step(_ value: UInt64) -> Int {
        guard value >= exact else { return Int(value) }
        let shift = 64 - 11 - value.leadingZeroBitCount
        return Int(exact) + (shift - 1) * 1024 + Int(value >> UInt64(shift)) - 1024
    }

    /// The largest value of a step.
    private static func end(_ step: Int) -> UInt64 {
        guard step >= exact else { return UInt64(step) }
        let shift = UInt64((step - Int(exact)) / 1024 + 1)
        return (UInt64((step - Int(exact)) % 1024 + 1024 + 1) << shift) &- 1
    }

    /// The smallest recorded value that at least `percentile` percent do not exceed; nil without any.
    public func percentile(_ percentile: Double) -> Int64? {
        guard count > 0, let minimum, let maximum else { return nil }
        // One unit in the last place less, so that rounding does not run into the next step.
        let wanted = UInt64(max(1, (min(max(percentile.nextDown, 0), 100) * Double(count) / 100).rounded(.up)))
        var seen: UInt64 = 0
        for step in counts.indices {
            seen += counts[step]
            if seen >= wanted { return min(maximum, max(minimum, Int64(clamping: RoundTripTimes.end(step)))) }
        }
        return maximum
    }
}
