import HandshakeRecord
import PacketWire

/// The attempts that a page lists, of however many: failures before others. Of more than it lists, some of each server
/// and outcome are kept, and of the rest those that are spread evenly over the capture.
struct AttemptChoice {
    static let maximum = 5000

    /// The order of the list: failures come first.
    enum Rank: Int, CaseIterable {
        case failed, flagged, open, plain

        init(_ record: AttemptRecord) {
            if record.failedBecause != nil {
                self = .failed
            } else if record.findings.contains(where: { $0.code.severity > .info }) {
                self = .flagged
            } else {
                self = record.outcome == .established ? .plain : .open
            }
        }
    }

    private struct Leading: Hashable {
        let server: Endpoint
        let outcome: Outcome
    }

    /// Every `stride`th of those that come.
    private struct Thinned {
        private(set) var records: [AttemptRecord] = []
        private(set) var count = 0
        private var stride = 1

        /// Whether the next one is kept. It must be added then.
        mutating func takesNext() -> Bool {
            defer { count += 1 }
            return count % stride == 0
        }

        mutating func add(_ record: AttemptRecord) {
            records.append(record)
            guard records.count > AttemptChoice.maximum else { return }
            records = records.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
            stride *= 2
        }
    }

    private var ranks = [Thinned](repeating: Thinned(), count: Rank.allCases.count)
    private var leading: [Leading: Int] = [:]
    private var leaders: [AttemptRecord] = []
    private static let leadersOfEach = 3
    private static let maximumLeading = 500

    mutating func add(_ record: AttemptRecord) {
        add(Rank(record), record.server, record.outcome) { record }
    }

    /// - Parameter record: makes its record.
    mutating func add(_ plain: PlainAttempt, record: () -> AttemptRecord) {
        add(.plain, plain.server, .established, record)
    }

    private mutating func add(_ rank: Rank, _ server: Endpoint, _ outcome: Outcome, _ record: () -> AttemptRecord) {
        let isKept = ranks[rank.rawValue].takesNext()
        let isLeader = leads(server, outcome)
        guard isKept || isLeader else { return }
        let record = record()
        if isKept { ranks[rank.rawValue].add(record) }
        if isLeader { leaders.append(record) }
    }

    private mutating func leads(_ server: Endpoint, _ outcome: Outcome) -> Bool {
        let key = Leading(server: server, outcome: outcome)
        guard let count = leading[key] ?? (leading.count < AttemptChoice.maximumLeading ? 0 : nil),
            count < AttemptChoice.leadersOfEach
        else { return false }
        leading[key] = count + 1
        return true
    }

    /// Attempts that came, of each rank.
    func count(_ rank: Rank) -> Int { ranks[rank.rawValue].count }

    /// The attempts to list, each rank in the order of time: those that must not be missing, then by rank.
    /// - Parameter evidence: ids of those that must not be missing, if they were kept.
    func chosen(_ evidence: Set<UInt64>) -> [(rank: Rank, record: AttemptRecord)] {
        var ids: Set<UInt64> = []
        var chosen: [(rank: Rank, record: AttemptRecord)] = []
        func take(_ records: some Sequence<AttemptRecord>) {
            for record in records where chosen.count < AttemptChoice.maximum && ids.insert(record.id).inserted {
                chosen.append((Rank(record), record))
            }
        }
        take((ranks.flatMap(\.records) + leaders).filter { evidence.contains($0.id) })
        take(leaders)
        for rank in ranks { take(rank.records) }
        return chosen.sorted { ($0.rank.rawValue, $0.record.id) < ($1.rank.rawValue, $1.record.id) }
    }
}
