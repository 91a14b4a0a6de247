/// What packets say of two clocks: how far the second is ahead of the first, and whether that changes.
///
/// A packet does not arrive before it leaves. So each that went from the first point to the second bounds the offset
/// from above, by the difference of its two times, and each that went back bounds it from below. With a constant skew
/// the offset is a line in time: every line below all upper bounds and above all lower ones is possible, and no other
/// (Moon, Skelly, Towsley 1999). What these lines have between them at a moment is the band there. It holds whatever
/// the delays of the two ways are. Where no line is possible a clock stepped, and another piece begins.
package struct ClockBand: Sendable {
    /// One packet's word: at a time by the first clock, the difference of its two times. Nanoseconds.
    package struct Bound: Sendable {
        package var time: Int64
        package var difference: Int64
        /// Whether it went from the first point to the second: an upper bound.
        package var isUpper: Bool

        package init(time: Int64, difference: Int64, isUpper: Bool) {
            (self.time, self.difference, self.isUpper) = (time, difference, isUpper)
        }
    }

    /// A stretch of time over which both clocks run evenly.
    package struct Piece: Sendable {
        /// Times of its first and last bound, by the first clock.
        package fileprivate(set) var span: ClosedRange<Int64>
        /// Bounds that it rests on.
        package fileprivate(set) var count: Int
        /// What differences are counted from, so that fractions of them lose nothing.
        fileprivate var base: Int64
        fileprivate var upper: [Point]
        fileprivate var lower: [Point]
        /// The skews that are possible, in seconds a second.
        package fileprivate(set) var skew: ClosedRange<Double>

        /// A guess at the skew, if delays scatter alike all the time: the mean of two straight lines through the bounds
        /// of each direction. Nil where one direction was seen, or for less than a second.
        package fileprivate(set) var likelySkew: Double?

        /// Whether both directions bound it.
        package var isBounded: Bool { !upper.isEmpty && !lower.isEmpty }

        /// The offsets that are possible at a time by the first clock, nanoseconds; nil where one direction only was
        /// seen.
        package func band(at time: Int64) -> ClosedRange<Int64>? {
            guard isBounded else { return nil }
            let t = Double(time - span.lowerBound)
            let high = ClockBand.extreme(skew) { ClockBand.ceiling($0, upper, at: t) }
            let low = -ClockBand.extreme(skew) { -ClockBand.floor($0, lower, at: t) }
            // Times count whole nanoseconds: rounding away from the middle keeps the truth inside.
            return base + Int64(min(low, high).rounded(.down))...base + Int64(max(low, high).rounded(.up))
        }
    }

    /// The bound at which a piece's band is narrowest, by its time: there the offset is known best.
    package func bestTime(_ piece: Piece) -> Int64? {
        guard piece.isBounded else { return nil }
        let times = (piece.upper + piece.lower).map { piece.span.lowerBound + Int64($0.x) }
        return times.sorted().min { width(piece, $0) < width(piece, $1) }
    }

    private func width(_ piece: Piece, _ time: Int64) -> Int64 {
        piece.band(at: time).map { $0.upperBound - $0.lowerBound } ?? .max
    }

    /// Clocks of machines differ by less: 500 in a million.
    static let maximumSkew = 500e-6

    package private(set) var pieces: [Piece] = []
    /// Whether the user vouches for the clocks.
    private let stated: Int64?

    /// - Parameters:
    ///   - bounds: in any order.
    ///   - tick: by how much times may be wrong because the clocks count units, nanoseconds.
    ///   - stated: how far the clocks are apart at most, as the user says; nil where nobody does. Nanoseconds.
    package init(_ bounds: [Bound], tick: Int64, stated: Int64? = nil) {
        self.stated = stated
        let sorted = bounds.sorted { ($0.time, $0.difference) < ($1.time, $1.difference) }
        var start = sorted.startIndex
        while start < sorted.endIndex {
            let end = ClockBand.end(of: sorted[start...], tick)
            pieces.append(ClockBand.piece(sorted[start..<end], tick))
            start = end
        }
    }

    /// The offsets that are possible at a time by the first clock, nanoseconds; nil where nothing bounds them.
    package func band(at time: Int64) -> ClosedRange<Int64>? {
        let seen = piece(at: time)?.band(at: time)
        guard let stated else { return seen }
        guard let seen else { return -stated...stated }
        // What packets prove outranks what was said.
        let (low, high) = (max(seen.lowerBound, -stated), min(seen.upperBound, stated))
        return low <= high ? low...high : seen
    }

    /// The piece that a time is in; between two pieces, the nearer.
    package func piece(at time: Int64) -> Piece? {
        pieces.min { ClockBand.distance(time, $0.span) < ClockBand.distance(time, $1.span) }
    }

    private static func distance(_ time: Int64, _ span: ClosedRange<Int64>) -> Int64 {
        span.contains(time) ? 0 : min(abs(time - span.lowerBound), abs(time - span.upperBound))
    }

    /// Steps of the clocks: between which times, and by how much the offset changed at least and at most.
    package var steps: [(between: ClosedRange<Int64>, by: ClosedRange<Int64>?)] {
        zip(pieces, pieces.dropFirst()).map { before, after in
            let (end, start) = (before.span.upperBound, after.span.lowerBound)
            var by: ClosedRange<Int64>?
            if let old = before.band(at: end), let new = after.band(at: start) {
                by = new.lowerBound - old.upperBound...new.upperBound - old.lowerBound
            }
            return (end...max(end, start), by)
        }
    }

    // MARK: Pieces

    /// How many of the bounds, from the first, one line can keep.
    private static func end(of bounds: ArraySlice<Bound>, _ tick: Int64) -> Int {
        func isPossible(_ end: Int) -> Bool { possibleSkew(hulls(bounds[..<end], tick)) != nil }
        // Ever longer stretches, until one is too long: then its end by halving, since a line that keeps more bounds
        // keeps fewer too.
        var (kept, broken) = (bounds.startIndex, bounds.startIndex)
        var length = 64
        while broken == bounds.startIndex {
            let end = min(bounds.endIndex, bounds.startIndex + length)
            if !isPossible(end) { broken = end } else if end == bounds.endIndex { return end } else { kept = end }
            length *= 2
        }
        while broken - kept > 1 {
            let middle = kept + (broken - kept) / 2
            if isPossible(middle) { kept = middle } else { broken = middle }
        }
        return max(kept, bounds.startIndex + 1)
    }

    private static func piece(_ bounds: ArraySlice<Bound>, _ tick: Int64) -> Piece {
        let (upper, lower) = hulls(bounds, tick)
        let first = bounds.first?.time ?? 0
        return Piece(
            span: first...(bounds.last?.time ?? first), count: bounds.count, base: bounds.first?.difference ?? 0,
            upper: upper, lower: lower,
            skew: possibleSkew((upper, lower)) ?? 0...0, likelySkew: likelySkew(bounds))
    }

    private static func likelySkew(_ bounds: ArraySlice<Bound>) -> Double? {
        guard let first = bounds.first, let last = bounds.last, last.time - first.time > 1_000_000_000 else {
            return nil
        }
        func slope(_ isUpper: Bool) -> Double? {
            let points = bounds.filter { $0.isUpper == isUpper }.map {
                Point(x: Double($0.time - first.time), y: Double($0.difference - first.difference))
            }
            guard points.count > 2 else { return nil }
            let count = Double(points.count)
            let (x, y) = points.reduce((0, 0)) { ($0.0 + $1.x / count, $0.1 + $1.y / count) }
            let (xy, xx) = points.reduce((0, 0)) { sums, point in
                (sums.0 + (point.x - x) * (point.y - y), sums.1 + (point.x - x) * (point.x - x))
            }
            return xx > 0 ? xy / xx : nil
        }
        guard let up = slope(true), let down = slope(false) else { return nil }
        return (up + down) / 2
    }

    // MARK: Hulls and lines

    fileprivate struct Point: Sendable {
        /// Nanoseconds from the piece's first bound, and the difference.
        var x: Double
        var y: Double
    }

    /// Bounds that decide: the lower hull of the upper ones, the upper hull of the lower ones.
    private static func hulls(_ bounds: ArraySlice<Bound>, _ tick: Int64) -> (upper: [Point], lower: [Point]) {
        var (upper, lower): ([Point], [Point]) = ([], [])
        let (start, base) = (bounds.first?.time ?? 0, bounds.first?.difference ?? 0)
        for bound in bounds {
            let x = Double(bound.time - start)
            if bound.isUpper {
                add(Point(x: x, y: Double(bound.difference - base + tick)), to: &upper, sign: 1)
            } else {
                add(Point(x: x, y: Double(bound.difference - base - tick)), to: &lower, sign: -1)
            }
        }
        return (upper, lower)
    }

    /// Adds a point to a hull (Andrew 1979): the one before it goes if it is not beyond the line around it.
    private static func add(_ point: Point, to hull: inout [Point], sign: Double) {
        if let last = hull.last, last.x == point.x {
            guard (point.y - last.y) * sign < 0 else { return }
            hull.removeLast()
        }
        while hull.count > 1 {
            let (a, b) = (hull[hull.count - 2], hull[hull.count - 1])
            let turn = (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x)
            guard turn * sign <= 0 else { break }
            hull.removeLast()
        }
        hull.append(point)
    }

    /// The highest that a line of a slope can be at a time, below all upper bounds.
    fileprivate static func ceiling(_ slope: Double, _ upper: [Point], at t: Double) -> Double {
        upper.reduce(.infinity) { min($0, $1.y + slope * (t - $1.x)) }
    }

    /// The lowest that it can be, above all lower bounds.
    fileprivate static func floor(_ slope: Double, _ lower: [Point], at t: Double) -> Double {
        lower.reduce(-.infinity) { max($0, $1.y + slope * (t - $1.x)) }
    }

    /// The slopes of lines that keep all bounds; nil if there is none.
    private static func possibleSkew(_ hulls: (upper: [Point], lower: [Point])) -> ClosedRange<Double>? {
        let all = -maximumSkew...maximumSkew
        guard let last = hulls.upper.last, !hulls.lower.isEmpty else { return all }
        // The room between the highest and the lowest line of a slope is concave in it. It is asked near the middle of
        // the hulls, where rounding costs least.
        let t = last.x / 2
        func room(_ slope: Double) -> Double { ceiling(slope, hulls.upper, at: t) - floor(slope, hulls.lower, at: t) }
        let (best, most) = highest(all, room)
        guard most >= 0 else { return nil }
        func edge(_ outside: Double) -> Double {
            if room(outside) >= 0 { return outside }
            var (no, yes) = (outside, best)
            for _ in 0..<60 {
                let middle = (no + yes) / 2
                if room(middle) >= 0 { yes = middle } else { no = middle }
            }
            return yes
        }
        return edge(all.lowerBound)...edge(all.upperBound)
    }

    /// The highest value of a concave function.
    fileprivate static func extreme(_ range: ClosedRange<Double>, _ value: (Double) -> Double) -> Double {
        highest(range, value).value
    }

    private static func highest(
        _ range: ClosedRange<Double>, _ value: (Double) -> Double
    ) -> (at: Double, value: Double) {
        var (low, high) = (range.lowerBound, range.upperBound)
        for _ in 0..<80 where high > low {
            let (left, right) = (low + (high - low) / 3, high - (high - low) / 3)
            if value(left) < value(right) { low = left } else { high = right }
        }
        let middle = (low + high) / 2
        return [low, middle, high].map { ($0, value($0)) }.max { $0.1 < $1.1 } ?? (middle, value(middle))
    }
}
