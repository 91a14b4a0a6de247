import HandshakeRecord

/// A question about all attempts together.
enum AggregateKind: Equatable, Sendable {
    case all, any, none, count, ratio
    case minimum, maximum, mean, sum
    /// From 0 to 100, interpolated linearly between the closest ranks (numpy's default, Hyndman and Fan's type 7).
    case percentile(Double)

    static let names = [
        "all", "any", "none", "count", "ratio", "min", "max", "mean", "sum", "p50", "p90", "p95", "p99", "p99.9",
        "percentile",
    ]

    init?(_ name: String) {
        switch name {
        case "all": self = .all
        case "any": self = .any
        case "none": self = .none
        case "count": self = .count
        case "ratio": self = .ratio
        case "min": self = .minimum
        case "max": self = .maximum
        case "mean": self = .mean
        case "sum": self = .sum
        case "percentile": self = .percentile(.nan)
        default:
            guard name.first == "p", name.utf8.dropFirst().allSatisfy({ $0 == 46 || (48...57).contains($0) }),
                case .number(let rank)? = Lexer.literal(String(name.dropFirst())), rank > 0,
                rank < 100
            else { return nil }
            self = .percentile(rank)
        }
    }

    /// Whether it is a condition by itself.
    var isTruth: Bool { self == .all || self == .any || self == .none }
    /// Whether it takes a condition, rather than a field.
    var takesPredicate: Bool { isTruth || self == .count || self == .ratio }
}

/// One aggregate of an assertion, checked. A class: looking one up for each attempt copies a reference, not its
/// closures.
final class Aggregate: Sendable {
    /// Which of the attempts break the assertion, if it is broken.
    enum Offence: Sendable {
        case nothing
        /// Those of which the predicate says one of these.
        case truths(yes: Bool, unknown: Bool, no: Bool)
        /// Those whose value does not surely compare so.
        case value(Comparison, Bounds)
    }

    let kind: AggregateKind
    /// As it was written.
    let text: String
    let predicate: Predicate.Test?
    let read: (@Sendable (AttemptRecord) -> Bounds?)?
    let condition: Predicate.Test?
    /// The kind of its figure.
    let type: FieldType
    /// Its predicate on a record.
    let fields: [Field]
    let offence: Offence

    init(
        kind: AggregateKind, text: String, predicate: Predicate.Test?,
        read: (@Sendable (AttemptRecord) -> Bounds?)?, condition: Predicate.Test?, type: FieldType, fields: [Field],
        offence: Offence = .nothing
    ) {
        self.kind = kind
        self.text = text
        self.predicate = predicate
        self.read = read
        self.condition = condition
        self.type = type
        self.fields = fields
        self.offence = offence
    }

    /// The same, once it is known what it is compared with.
    func offended(by offence: Offence) -> Aggregate {
        Aggregate(
            kind: kind, text: text, predicate: predicate, read: read, condition: condition, type: type, fields: fields,
            offence: offence)
    }
}

/// Counts of an aggregate so far.
struct AggregateTally: Sendable {
    /// Attempts of which `where` holds, and of which it cannot be told.
    private(set) var selected = 0
    private(set) var undetermined = 0
    /// Counts of the selected, and of the undetermined, by the predicate's `Truth`.
    private var sure = (no: 0, unknown: 0, yes: 0)
    private var perhaps = (no: 0, unknown: 0, yes: 0)
    /// Selected attempts that have no such value.
    private(set) var absent = 0
    private var lows: [Double] = []
    /// Empty as long as every value is exact.
    private var highs: [Double] = []
    private(set) var offenders = Offenders()

    /// No attempt was there that belongs, or may belong.
    var isEmpty: Bool { selected + undetermined == 0 }

    mutating func take(_ record: AttemptRecord, _ aggregate: Aggregate, selected isAsked: Truth, keepsFrames: Bool) {
        let isSelected = isAsked && (aggregate.condition?(record) ?? .yes)
        if isSelected == .no { return }
        if isSelected == .yes { selected += 1 } else { undetermined += 1 }
        if let predicate = aggregate.predicate {
            let truth = predicate(record)
            if isSelected == .yes {
                AggregateTally.count(truth, in: &sure)
            } else {
                AggregateTally.count(truth, in: &perhaps)
            }
            guard case .truths(let yes, let unknown, let no) = aggregate.offence else { return }
            let isOffence =
                switch truth {
                case .yes: yes
                case .unknown: unknown
                case .no: no
                }
            if isOffence {
                offenders.add(record, isOpen: isSelected != .yes || truth == .unknown, keepsFrames: keepsFrames)
            }
            return
        }
        guard isSelected == .yes else {
            offenders.add(record, isOpen: true, keepsFrames: keepsFrames)
            return
        }
        guard let value = aggregate.read?(record) else {
            absent += 1
            return
        }
        if !value.isExact, highs.isEmpty { highs = lows }
        if !value.isExact || !highs.isEmpty { highs.append(value.high) }
        lows.append(value.low)
        guard case .value(let comparison, let limit) = aggregate.offence else { return }
        let truth = comparison.holds(value, limit)
        if truth != .yes {
            let distance = max(abs(value.high - limit.low), abs(value.low - limit.low))
            offenders.add(record, isOpen: truth == .unknown, keepsFrames: keepsFrames, badness: distance)
        }
    }

    private static func count(_ truth: Truth, in counts: inout (no: Int, unknown: Int, yes: Int)) {
        switch truth {
        case .no: counts.no += 1
        case .unknown: counts.unknown += 1
        case .yes: counts.yes += 1
        }
    }

    /// Attempts that took part with a value.
    var valued: Int { lows.count }
    /// Attempts of which the predicate cannot be told.
    var unknown: Int { sure.unknown + perhaps.unknown }
    var yes: Int { sure.yes }

    // MARK: Results

    /// The truth of `all`, `any` and `none`.
    func truth(_ kind: AggregateKind) -> Truth {
        let mayBeYes = sure.unknown + perhaps.unknown + perhaps.yes > 0
        let mayBeNo = sure.unknown + perhaps.unknown + perhaps.no > 0
        return switch kind {
        case .all: sure.no > 0 ? .no : mayBeNo ? .unknown : .yes
        case .any: sure.yes > 0 ? .yes : mayBeYes ? .unknown : .no
        default: sure.yes > 0 ? .no : mayBeYes ? .unknown : .yes
        }
    }

    /// Bounds of the others; nil where nothing can be told.
    func figure(_ kind: AggregateKind) -> Bounds? {
        switch kind {
        case .all, .any, .none: return nil
        case .count:
            return Bounds(Double(sure.yes), Double(sure.yes + sure.unknown + perhaps.yes + perhaps.unknown))
        case .ratio:
            // Who may be in the selection and not in the count makes the least, and who may be in both the most.
            let least = (sure.yes, selected + perhaps.unknown + perhaps.no)
            let maximum = (
                sure.yes + sure.unknown + perhaps.yes + perhaps.unknown, selected + perhaps.yes + perhaps.unknown
            )
            if selected == 0 { return undetermined == 0 ? nil : Bounds(0, 1) }
            return Bounds(Double(least.0) / Double(least.1), Double(maximum.0) / Double(maximum.1))
        default: break
        }
        guard undetermined == 0, !lows.isEmpty else { return nil }
        let upper = highs.isEmpty ? lows : highs
        func both(_ reduce: ([Double]) -> Double) -> Bounds {
            highs.isEmpty ? Bounds(reduce(lows)) : Bounds(reduce(lows), reduce(upper))
        }
        return switch kind {
        case .minimum: both { $0.min() ?? 0 }
        case .maximum: both { $0.max() ?? 0 }
        case .sum: both { $0.reduce(0, +) }
        case .mean: both { $0.reduce(0, +) / Double($0.count) }
        case .percentile(let rank): both { AggregateTally.percentile(rank, of: $0) }
        default: nil
        }
    }

    /// - Parameter values: not empty, in any order.
    static func percentile(_ rank: Double, of values: [Double]) -> Double {
        var values = values
        let place = rank / 100 * Double(values.count - 1)
        let below = min(Int(place), values.count - 1)
        let lower = select(below, in: &values)
        // What is above stands above: the next is the least of it.
        let upper = values[(below + 1)...].min() ?? lower
        return lower + (upper - lower) * (place - Double(below))
    }

    /// Brings the value of a rank to its place, the smaller ones before it and the greater ones after it: Hoare's FIND,
    /// with the median of three. Sorting would take as long as the rest of a check.
    private static func select(_ place: Int, in values: inout [Double]) -> Double {
        var (low, high) = (0, values.count - 1)
        while low < high {
            let middle = low + (high - low) / 2
            if values[middle] < values[low] { values.swapAt(middle, low) }
            if values[high] < values[low] { values.swapAt(high, low) }
            if values[high] < values[middle] { values.swapAt(high, middle) }
            let pivot = values[middle]
            var (left, right) = (low, high)
            while left <= right {
                while values[left] < pivot { left += 1 }
                while pivot < values[right] { right -= 1 }
                if left <= right {
                    values.swapAt(left, right)
                    left += 1
                    right -= 1
                }
            }
            if place <= right {
                high = right
            } else if place >= left {
                low = left
            } else {
                break
            }
        }
        return values[place]
    }
}

/// Attempts that break an assertion: how many, a few of them whole, and on demand the frames of all.
struct Offenders: Sendable {
    /// Kept as examples.
    static let maximumExamples = 5

    /// Attempts that break the assertion, and those that may.
    private(set) var count = 0
    private(set) var openCount = 0
    /// Those of `count` of which only one side's segments were captured, and of which no final ACK was. In a capture of
    /// one direction, or without bare ACKs, that says nothing.
    private(set) var unheardCount = 0
    private(set) var halfOpenCount = 0
    /// Those that break it first, of these the worst first; of equals the first.
    private(set) var examples: [(isOpen: Bool, badness: Double, record: AttemptRecord)] = []
    private(set) var frames: [UInt64] = []
    private(set) var framesOmitted = 0

    /// - Parameter isOpen: whether it is not known that the attempt breaks it.
    mutating func add(_ record: AttemptRecord, isOpen: Bool, keepsFrames: Bool, badness: Double = 0) {
        if isOpen {
            openCount += 1
        } else {
            count += 1
            if record.completedBy == nil, !record.sides.client || !record.sides.server { unheardCount += 1 }
            if record.outcome == .halfOpen { halfOpenCount += 1 }
        }
        if keepsFrames {
            frames += record.segments.map(\.frame)
            framesOmitted += record.segmentsOmitted
        }
        func isWorse(than other: (isOpen: Bool, badness: Double, record: AttemptRecord)) -> Bool {
            isOpen == other.isOpen ? badness > other.badness : !isOpen
        }
        if let last = examples.last, examples.count == Offenders.maximumExamples, !isWorse(than: last) { return }
        let place = examples.firstIndex(where: isWorse) ?? examples.count
        examples.insert((isOpen, badness, record), at: place)
        if examples.count > Offenders.maximumExamples { examples.removeLast() }
    }
}
