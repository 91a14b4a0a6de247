import HandshakeExpectation
import HandshakeRecord
import PacketWire

/// What became of the attempts that began in each step of time. The number of steps is bounded, however long the
/// capture is.
struct AttemptTimeline {
    struct Step {
        /// Attempts by the place of their outcome in `Outcome.allCases`.
        var outcomes = [Int](repeating: 0, count: Outcome.allCases.count)
        /// Attempts whose SYN was sent more than once, and those that lost a segment.
        var resent = 0
        var lossy = 0
        /// Round trips that are known, in nanoseconds.
        var roundTrips = ValueHistogram()

        mutating func add(_ other: Step) {
            for place in outcomes.indices { outcomes[place] += other.outcomes[place] }
            resent += other.resent
            lossy += other.lossy
            roundTrips.add(other.roundTrips)
        }
    }

    private(set) var steps = TimeSteps(maximum: 600)
    /// By their numbers; those without attempts are left out.
    private(set) var counts: [Int64: Step] = [:]

    private static let places = Dictionary(
        uniqueKeysWithValues: Outcome.allCases.enumerated().map { ($0.element, $0.offset) })
    private static let losses: Set<FindingCode> = [.synLost, .synackLost, .ackLost]

    mutating func add(_ record: AttemptRecord) {
        add(at: record.firstTime) { step in
            step.outcomes[AttemptTimeline.places[record.outcome] ?? 0] += 1
            if record.has(.synRetransmitted) { step.resent += 1 }
            if record.findings.contains(where: { AttemptTimeline.losses.contains($0.code) }) { step.lossy += 1 }
            if let time = record.total?.nanoseconds { step.roundTrips.record(time) }
        }
    }

    mutating func add(_ plain: PlainAttempt) {
        add(at: plain.firstTime) { step in
            step.outcomes[AttemptTimeline.places[.established] ?? 0] += 1
            step.roundTrips.record(plain.synToSynAck &+ plain.synAckToAck)
        }
    }

    private mutating func add(at time: Int64, _ change: (inout Step) -> Void) {
        let (number, ratio) = steps.step(holding: time)
        merge(ratio)
        change(&counts[number, default: Step()])
    }

    private mutating func merge(_ ratio: Int64) {
        if ratio == 1 { return }
        var wider: [Int64: Step] = [:]
        for (number, step) in counts { wider[TimeSteps.wider(number, ratio), default: Step()].add(step) }
        counts = wider
    }

    /// The same in steps that are no finer than what there is to show: one has two attempts or more, on the average.
    var drawn: AttemptTimeline {
        let attempts = counts.values.reduce(0) { $0 + $1.outcomes.reduce(0, +) }
        var drawn = self
        drawn.merge(drawn.steps.widen(toHold: max(24, Int64(attempts) / 2)))
        return drawn
    }
}
