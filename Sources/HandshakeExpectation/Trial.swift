package import HandshakeRecord

/// An assertion and the attempts that it has met.
package struct Trial: Sendable {
    package let assertion: Assertion
    /// Whether it holds where no attempt is there to judge.
    private let allowsNone: Bool
    /// Whether the frames of all attempts that break it are kept.
    private let keepsFrames: Bool
    private var tallies: [AggregateTally]
    /// Attempts that nobody vouches for.
    private var doubtful = 0

    package init(_ assertion: Assertion, allowsNone: Bool = false, keepsFrames: Bool = false) {
        self.assertion = assertion
        self.allowsNone = allowsNone
        self.keepsFrames = keepsFrames
        tallies = assertion.aggregates.map { _ in AggregateTally() }
    }

    /// - Parameter selected: whether the record is one of those that are asked about. Translated copies are not.
    package mutating func take(_ record: AttemptRecord, selected: Truth = .yes) {
        if record.copyOf != nil { return }
        // It may not have happened, or have come to something else.
        let selected = record.isDoubtful ? selected && .unknown : selected
        if record.isDoubtful, selected != .no { doubtful += 1 }
        for position in tallies.indices {
            tallies[position].take(record, assertion.aggregates[position], selected: selected, keepsFrames: keepsFrames)
        }
    }

    /// Whether each of its aggregates has met an attempt.
    package var hasMatched: Bool { !tallies.contains(where: \.isEmpty) }

    /// - Parameter capture: what the capture itself is, and what stands out in it.
    package func judgement(_ capture: CaptureFacts = CaptureFacts()) -> Judgement {
        var judgement = Judgement()
        judgement.figures = zip(assertion.aggregates, tallies).map(Judgement.Figure.init)
        judgement.attempts = tallies.map { $0.selected + $0.undetermined }.max() ?? 0
        let fields = assertion.claim.captureFields
        judgement.isOfCapture = tallies.isEmpty && !fields.contains(.situations)
        judgement.capture = fields.map { ($0.rawValue, capture[$0]) }
        judgement.isEmpty = !tallies.isEmpty && tallies.allSatisfy(\.isEmpty)
        let (truth, broken) = truth(assertion.claim, capture, isWanted: true)
        judgement.status =
            if !hasMatched, !allowsNone {
                .unmatched
            } else {
                switch truth {
                // A rule that may be about no attempt has not been seen to hold.
                case .yes: tallies.contains { $0.selected == 0 && $0.undetermined > 0 } ? .unknown : .passed
                case .no: .failed
                case .unknown: .unknown
                }
            }
        if judgement.status == .passed { return judgement }
        if judgement.status == .unknown, doubtful > 0 {
            judgement.doubt([
                "\(doubtful) of the attempts may be made up, or their outcome be another (one-way-tunnel, foreign-tunnel, possible-forgery)"
            ])
        }
        if judgement.status == .unknown, let reason = broken.sorted().lazy.compactMap({ hidden($0, capture) }).first {
            judgement.doubt([reason])
        }
        var ids: Set<UInt64> = []
        for position in broken.sorted() {
            let offenders = tallies[position].offenders
            judgement.offenderCount = max(judgement.offenderCount, offenders.count)
            judgement.openCount = max(judgement.openCount, offenders.openCount)
            judgement.frames += offenders.frames
            judgement.framesOmitted += offenders.framesOmitted
            for (_, _, record) in offenders.examples where ids.insert(record.id).inserted {
                judgement.examples.append(
                    .init(record: record, values: assertion.aggregates[position].values(of: record)))
            }
        }
        judgement.frames = Set(judgement.frames).sorted()
        return judgement
    }

    /// Why it is not known whether attempts break an aggregate: it asks for outcomes, and the capture lacks what would
    /// show them. Nil where the capture has it.
    private func hidden(_ position: Int, _ capture: CaptureFacts) -> String? {
        let offenders = tallies[position].offenders
        guard offenders.count > 0, assertion.aggregates[position].fields.contains(where: \.isOfOutcome) else {
            return nil
        }
        if capture.has(.oneDirection), offenders.count == offenders.unheardCount {
            return "the capture has one direction only: answers may not have been captured"
        }
        if capture.has(.filtered), offenders.count == offenders.halfOpenCount {
            return "the capture is filtered: final ACKs may not have been captured"
        }
        return nil
    }

    /// - Returns: what it comes to, and the aggregates that keep it from being as wanted; none if it is.
    private func truth(
        _ claim: Assertion.Claim, _ capture: CaptureFacts, isWanted: Bool
    ) -> (Truth, broken: Set<Int>) {
        var truth: Truth
        var involved: Set<Int> = []
        var isLeaf = true
        switch claim {
        case .not(let inner):
            let (truth, broken) = self.truth(inner, capture, isWanted: !isWanted)
            return (!truth, broken)
        case .and(let claims):
            let parts = claims.map { self.truth($0, capture, isWanted: isWanted) }
            truth = parts.reduce(.yes) { $0 && $1.0 }
            isLeaf = false
            involved = parts.reduce(into: []) { $0.formUnion($1.broken) }
        case .or(let claims):
            let parts = claims.map { self.truth($0, capture, isWanted: isWanted) }
            truth = parts.reduce(.no) { $0 || $1.0 }
            isLeaf = false
            involved = parts.reduce(into: []) { $0.formUnion($1.broken) }
        case .capture(let field, let code): truth = Truth(capture[field].contains(code))
        case .truth(let position):
            involved = [position]
            truth = tallies[position].truth(assertion.aggregates[position].kind)
        case .comparison(let left, let comparison, let right):
            for case .aggregate(let position) in [left, right] { involved.insert(position) }
            if let one = bounds(left), let other = bounds(right) {
                truth = comparison.holds(one, other)
            } else {
                truth = excuse(involved, isWanted)
            }
        case .membership(let position, let ranges):
            involved = [position]
            if let value = bounds(.aggregate(position)) {
                truth = value.isIn(ranges)
            } else {
                truth = excuse(involved, isWanted)
            }
        }
        if isLeaf, (isWanted ? truth : !truth) == .no, involved.contains(where: { hidden($0, capture) != nil }) {
            truth = .unknown
        }
        return (truth, (isWanted ? truth : !truth) == .yes ? [] : involved)
    }

    /// A figure that nobody is there for is as wanted where that is allowed, and unknown else.
    private func excuse(_ involved: Set<Int>, _ isWanted: Bool) -> Truth {
        allowsNone && involved.contains { tallies[$0].isEmpty } ? Truth(isWanted) : .unknown
    }

    private func bounds(_ term: Assertion.Term) -> Bounds? {
        switch term {
        case .literal(let value, _): value
        case .aggregate(let position): tallies[position].figure(assertion.aggregates[position].kind)
        }
    }
}

extension Field {
    /// Whether an answer that was not captured could change it.
    fileprivate var isOfOutcome: Bool { ["hs.outcome", "hs.failed", "hs.failed_because"].contains(name) }
}

extension Aggregate {
    /// The answer of a record to a predicate.
    func values(of record: AttemptRecord) -> [(field: String, value: String)] {
        var names: Set<String> = []
        return fields.filter { names.insert($0.name).inserted }.map { ($0.name, $0.text(of: record)) }
    }
}
