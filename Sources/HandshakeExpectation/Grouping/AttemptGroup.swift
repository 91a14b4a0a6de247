package import HandshakeRecord

/// The figures of a group of attempts.
package struct AttemptGroup: Sendable {
    package let key: GroupKey
    package private(set) var attempts = 0
    /// Whether others of it may have been let go before: its counts are then lower bounds.
    package let isLowerBound: Bool
    /// Attempts by outcome, and failed ones by reason, by the place of each among all.
    private var outcomes = InlineArray<16, UInt32>(repeating: 0)
    private var reasons = InlineArray<20, UInt32>(repeating: 0)
    package private(set) var failed = 0
    /// Attempts of which it is known whether they failed.
    package private(set) var decided = 0
    /// Attempts of which a SYN was captured, and those of which more than one was sent.
    package private(set) var started = 0
    package private(set) var retransmitted = 0
    /// Nanoseconds since the epoch: when the first and the last attempt began, and the first and the last that failed.
    package private(set) var firstTime = Int64.max
    package private(set) var lastTime = Int64.min
    package private(set) var firstFailure: Int64?
    package private(set) var lastFailure: Int64?
    /// Round trips in nanoseconds: the handshake's, the server's leg and the client's.
    package private(set) var total = ValueHistogram()
    package private(set) var serverLeg = ValueHistogram()
    package private(set) var clientLeg = ValueHistogram()
    /// Negotiated MSS values and how often; more than are told apart are counted together.
    package private(set) var segmentSizes: [(size: UInt16, count: Int)] = []
    package private(set) var otherSizes = 0
    private static let maximumSizes = 8

    init(_ key: GroupKey, isLowerBound: Bool) {
        self.key = key
        self.isLowerBound = isLowerBound
    }

    package var established: Int { Int(outcomes[AttemptGroup.establishedPlace]) }

    /// In the order of `Outcome`, those that occurred.
    package var byOutcome: [(outcome: Outcome, count: Int)] {
        Outcome.allCases.enumerated().compactMap { place, outcome in
            outcomes[place] == 0 ? nil : (outcome, Int(outcomes[place]))
        }
    }

    /// Most frequent first.
    package var byReason: [(reason: FailureReason, count: Int)] {
        FailureReason.allCases.enumerated().compactMap { place, reason in
            reasons[place] == 0 ? nil : (reason, Int(reasons[place]))
        }.sorted { $0.count > $1.count }
    }

    /// The share of failed attempts among those of which it is known; nil where there are none.
    package var failedShare: Double? { decided == 0 ? nil : Double(failed) / Double(decided) }
    package var retransmittedShare: Double? { started == 0 ? nil : Double(retransmitted) / Double(started) }

    private static let establishedPlace = Outcome.allCases.firstIndex(of: .established) ?? 0
    private static let outcomePlaces = Dictionary(
        uniqueKeysWithValues: Outcome.allCases.enumerated().map { ($0.element, $0.offset) })
    private static let reasonPlaces = Dictionary(
        uniqueKeysWithValues: FailureReason.allCases.enumerated().map { ($0.element, $0.offset) })

    mutating func add(_ record: AttemptRecord, keepsFigures: Bool) {
        widen(to: record.firstTime)
        outcomes[AttemptGroup.outcomePlaces[record.outcome] ?? 0] &+= 1
        if record.outcome != .pending, record.outcome != .partial { decided += 1 }
        if let reason = record.failedBecause {
            failed += 1
            reasons[AttemptGroup.reasonPlaces[reason] ?? 0] &+= 1
            firstFailure = min(firstFailure ?? .max, record.firstTime)
            lastFailure = max(lastFailure ?? .min, record.firstTime)
        }
        if record.startsAtSYN {
            started += 1
            if record.has(.synRetransmitted) { retransmitted += 1 }
        }
        guard keepsFigures else { return }
        if let nanoseconds = record.total?.nanoseconds { total.record(nanoseconds) }
        if let nanoseconds = record.synToSynAck?.nanoseconds { serverLeg.record(nanoseconds) }
        if let nanoseconds = record.synAckToAck?.nanoseconds { clientLeg.record(nanoseconds) }
        if let size = record.negotiatedMSS { add(size) }
    }

    /// The same of a plain attempt, which was established at once.
    /// - Parameter size: its negotiated MSS, as all of its shape have it.
    @inline(__always)
    mutating func add(_ plain: borrowing PlainAttempt, _ size: UInt16?) {
        addEstablished(plain.firstTime)
        total.record(plain.synToSynAck &+ plain.synAckToAck)
        serverLeg.record(plain.synToSynAck)
        clientLeg.record(plain.synAckToAck)
        if let size { add(size) }
    }

    /// A plain attempt, but for its figures.
    @inline(__always)
    mutating func addEstablished(_ time: Int64) {
        widen(to: time)
        outcomes[AttemptGroup.establishedPlace] &+= 1
        decided += 1
        started += 1
    }

    @inline(__always)
    private mutating func widen(to time: Int64) {
        attempts += 1
        firstTime = min(firstTime, time)
        lastTime = max(lastTime, time)
    }

    @inline(__always)
    private mutating func add(_ size: UInt16) {
        for place in segmentSizes.indices where segmentSizes[place].size == size {
            segmentSizes[place].count += 1
            return
        }
        if segmentSizes.count < AttemptGroup.maximumSizes { segmentSizes.append((size, 1)) } else { otherSizes += 1 }
    }
}
