/// The three values of Kleene's logic. What a record does not say is unknown, and stays so through `not`, `and` and
/// `or` wherever it could decide the result.
package enum Truth: UInt8, Sendable, Comparable {
    case no, unknown, yes

    @inline(__always) package init(_ value: Bool) { self = value ? .yes : .no }
    @inline(__always) package init(_ value: Bool?) { self = value.map { Truth($0) } ?? .unknown }

    @inline(__always) package static func < (a: Truth, b: Truth) -> Bool { a.rawValue < b.rawValue }
    @inline(__always) package static prefix func ! (a: Truth) -> Truth {
        switch a {
        case .no: .yes
        case .unknown: .unknown
        case .yes: .no
        }
    }
    @inline(__always) package static func && (a: Truth, b: Truth) -> Truth { min(a, b) }
    @inline(__always) package static func || (a: Truth, b: Truth) -> Truth { max(a, b) }
}

/// A figure, or the bounds that it is known to lie within: a round trip whose segments cannot be told apart has such.
package struct Bounds: Sendable, Equatable {
    package var low: Double
    package var high: Double

    @inline(__always) package init(_ value: Double) { (low, high) = (value, value) }
    @inline(__always) package init(_ low: Double, _ high: Double) { (self.low, self.high) = (low, high) }

    package var isExact: Bool { low == high }

    /// Whether it lies in one of some ranges, ends included.
    func isIn(_ ranges: [Bounds]) -> Truth {
        var truth = Truth.no
        for range in ranges {
            if range.low <= low, high <= range.high { return .yes }
            if low <= range.high, range.low <= high { truth = .unknown }
        }
        return truth
    }
}

/// How two values are compared.
package enum Comparison: String, Sendable, CaseIterable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// The opposite.
    package var negated: Comparison {
        switch self {
        case .equal: .notEqual
        case .notEqual: .equal
        case .less: .greaterOrEqual
        case .lessOrEqual: .greater
        case .greater: .lessOrEqual
        case .greaterOrEqual: .less
        }
    }

    /// The same with its sides exchanged.
    package var mirrored: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }

    @inline(__always)
    package func holds(_ a: Int64, _ b: Int64) -> Bool {
        switch self {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        }
    }

    /// Yes or no where it is so for every value within the bounds.
    @inline(__always)
    package func holds(_ a: Bounds, _ b: Bounds) -> Truth {
        switch self {
        case .equal: a.high < b.low || b.high < a.low ? .no : a.isExact && b.isExact ? .yes : .unknown
        case .notEqual: !Comparison.equal.holds(a, b)
        case .less: a.high < b.low ? .yes : a.low >= b.high ? .no : .unknown
        case .lessOrEqual: a.high <= b.low ? .yes : a.low > b.high ? .no : .unknown
        case .greater: Comparison.less.holds(b, a)
        case .greaterOrEqual: Comparison.lessOrEqual.holds(b, a)
        }
    }
}
