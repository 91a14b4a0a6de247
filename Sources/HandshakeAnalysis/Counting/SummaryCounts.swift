package import HandshakeRecord
import PacketWire

/// Counts of attempts, kept while they are decided. A `HandshakeSummary` is made of them when it is asked for.
package struct SummaryCounts: Sendable {
    /// Counts that are only added up. The rest of a summary is derived from what follows.
    var totals = HandshakeSummary()
    private var judged = NamedCounts<Outcome>()
    private var found = NamedCounts<FindingCode>()
    /// Servers and totals of handshakes that are not yet in `patterns` and `roundTrips`. They are added in groups, and
    /// memory is prefetched for a whole group.
    private var waitingServers: [Endpoint] = []
    private var waitingTotals: [Int64] = []
    private static let maximumWaiting = 64
    // Attempts that were counted without a record.
    private var plain = 0
    private var unanswered = 0
    private var pending = 0
    /// A tracker's have only what its shards do not keep.
    var patterns = TrafficPatterns()
    var traits = CaptureTraits()
    /// Whether all TCP came in tunnels of kinds that mirror traffic.
    var isOfMirrors = false
    private var sides = QualityCounts()

    package init() {}

    /// The totals as they are now.
    package var summary: HandshakeSummary {
        var summary = totals
        let unlisted: [Outcome: Int] = [.established: plain, .unanswered: unanswered, .pending: pending]
        summary.byOutcome = judged.counts.merging(unlisted.filter { $0.value > 0 }) { $0 + $1 }
        summary.findings = found.counts
        summary.quality = quality
        // Where a filter left out what completes a handshake, none was left open.
        let isFiltered = summary.quality.contains { $0.code == .filtered }
        summary.patterns = patterns.findings().filter { !isFiltered || $0.code != .synFlood }
        summary.troubledServers = patterns.troubledServers(5)
        return summary
    }

    /// Qualities of the capture that bound what can be said of its attempts.
    private var quality: [CaptureQualityFinding] {
        var counts = sides
        counts.countPlain(plain)
        let (attempts, frames, findings) = (totals.attempts, totals.frames, found.counts)
        var holds: [CaptureQualityFinding] = []
        func say(_ code: CaptureQuality, _ text: String) { holds.append(CaptureQualityFinding(code, text)) }
        if counts.bothSides == 0, counts.clientOnly + counts.serverOnly > 0 {
            let (side, unknown) =
                counts.serverOnly == 0
                ? ("the clients'", "whether a SYN was answered is not known")
                : counts.clientOnly == 0
                    ? ("the servers'", "what the clients sent is not known")
                    : ("one side's", "what the other side sent is not known")
            say(.oneDirection, "one direction only: of each connection only \(side) segments are here; \(unknown)")
        }
        if counts.answered > 1, !traits.hasBare {
            say(
                .filtered,
                traits.hasOther
                    ? "filtered: no segment without SYN, FIN or RST is here; or no connection went on to send anything"
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
        if totals.translatedCopies > 0 {
            say(
                .translated,
                "translated: copies from behind an address translator are here (\(totals.translatedCopies)); "
                    + "they count in no total"
            )
        }
        if isOfMirrors { say(.mirrors, "mirrors: all TCP came in tunnels that mirror sessions use") }
        if frames.sliced > 0 {
            say(.sliced, "sliced: \(frames.sliced) frames are shorter than their IP packets")
        }
        let cut = Int(frames.cut) + (findings[.snaplenCut] ?? 0)
        if cut > 0, frames.sliced == 0 { say(.cut, "cut: headers are missing from \(cut) frames or attempts") }
        if totals.clockStepsBack + totals.clockStepsForward > 0 || (findings[.clockStepped] ?? 0) > 0 {
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
                "checksums say nothing in \(counts.untrustedChecksums) of \(attempts) attempts: "
                    + "all of a sender's are bad"
            )
        }
        return holds
    }

    /// Counts an attempt among those that were chosen.
    package mutating func add(_ record: AttemptRecord) { count(record) }

    mutating func count(_ record: AttemptRecord) {
        if record.copyOf != nil {
            totals.translatedCopies += 1
            return
        }
        totals.attempts += 1
        sides.count(record)
        if record.ended == .captureEnd { totals.undecided += 1 }
        judged.add(record.outcome)
        if record.has(.synRetransmitted) { totals.retransmittedSYNs += 1 }
        for position in record.findings.indices {
            let code = record.findings[position].code
            if !record.findings[..<position].contains(where: { $0.code == code }) { found.add(code) }
        }
        if let total = record.total?.nanoseconds { totals.roundTrips.record(total) }
        if record.outcome == .established { patterns.established(at: record.server) }
    }

    /// A plain handshake that is not listed.
    mutating func count(_ handshake: PlainHandshake) {
        totals.attempts += 1
        plain += 1
        waitingServers.append(handshake.server)
        waitingTotals.append(handshake.total)
        if waitingTotals.count == SummaryCounts.maximumWaiting { countWaiting() }
    }

    /// Counts what waits for that.
    @inline(never)
    mutating func countWaiting() {
        for server in waitingServers { patterns.prefetchEstablished(at: server) }
        totals.roundTrips.record(all: waitingTotals)
        for server in waitingServers { patterns.established(at: server) }
        waitingServers.removeAll(keepingCapacity: true)
        waitingTotals.removeAll(keepingCapacity: true)
    }

    /// Attempts that are not listed, and of which there is nothing but one SYN.
    /// - Parameters:
    ///   - unanswered: those that are old enough for silence to mean something.
    ///   - pending: the others.
    mutating func countSilences(unanswered old: Int, pending young: Int, _ cause: Ending) {
        totals.attempts += old + young
        if cause == .captureEnd { totals.undecided += old + young }
        unanswered += old
        pending += young
    }

    /// Adds what another tracker counted of the same capture's other tuples.
    package mutating func add(_ other: SummaryCounts) {
        assert(other.waitingTotals.isEmpty, "what waits is in no counter yet")
        totals.addTotals(other.totals)
        judged.add(other.judged)
        found.add(other.found)
        plain += other.plain
        unanswered += other.unanswered
        pending += other.pending
        sides.add(other.sides)
        patterns.add(other.patterns)
        traits = other.traits
        isOfMirrors = other.isOfMirrors
    }
}

extension HandshakeSummary {
    /// Adds the counts of another tracker, which has the same clock. What is derived from them is not added.
    fileprivate mutating func addTotals(_ other: HandshakeSummary) {
        frames.add(other.frames)
        attempts += other.attempts
        undecided += other.undecided
        retransmittedSYNs += other.retransmittedSYNs
        midstreamFlows += other.midstreamFlows
        evicted += other.evicted
        forgottenEarly += other.forgottenEarly
        lateSegments += other.lateSegments
        doubtfulSYNs += other.doubtfulSYNs
        unrelatedICMPErrors += other.unrelatedICMPErrors
        translatedCopies += other.translatedCopies
        badChecksumsIgnored += other.badChecksumsIgnored
        (clockStepsBack, clockLargestStepBack) = (other.clockStepsBack, other.clockLargestStepBack)
        clockStepsForward = other.clockStepsForward
        roundTrips.add(other.roundTrips)
        span = other.span ?? span
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
