import Glibc

/// The tests that a situation must pass before chance is ruled out.
enum Statistics {
    /// ln n!
    private static func logFactorial(_ n: Int) -> Double { lgamma(Double(n) + 1) }

    private static func logChoose(_ n: Int, _ k: Int) -> Double {
        logFactorial(n) - logFactorial(k) - logFactorial(n - k)
    }

    /// Fisher's exact test, one-sided: the probability that `inside` attempts drawn from all hold at least so many of
    /// the failures, if failing had nothing to do with being inside.
    static func fisher(_ inside: Counts, of all: Counts) -> Double {
        let maximum = min(inside.attempts, all.failures)
        guard inside.failures > 0 else { return 1 }
        var term = exp(
            logChoose(all.failures, inside.failures)
                + logChoose(all.attempts - all.failures, inside.attempts - inside.failures)
                - logChoose(all.attempts, inside.attempts))
        var sum = term
        var k = inside.failures
        while k < maximum, term > sum * 1e-12 {
            let passed = Double(all.attempts - all.failures - inside.attempts + k + 1)
            term *= Double(all.failures - k) * Double(inside.attempts - k) / (Double(k + 1) * max(passed, 1))
            sum += term
            k += 1
        }
        return min(1, sum)
    }

    /// The log-likelihood ratio of Kulldorff's scan statistic for Bernoulli trials (Communications in Statistics 26,
    /// 1997): how much better two rates describe the failures than one. 0 where the rate inside is not the higher one.
    static func likelihoodRatio(_ inside: Counts, of all: Counts) -> Double {
        let outside = Counts(
            attempts: all.attempts - inside.attempts, failures: all.failures - inside.failures)
        guard outside.attempts > 0, inside.rate > outside.rate else { return 0 }
        return likelihood(inside) + likelihood(outside) - likelihood(all)
    }

    /// The log-likelihood of a count under its own rate.
    private static func likelihood(_ counts: Counts) -> Double {
        func term(_ count: Int) -> Double {
            count == 0 ? 0 : Double(count) * log(Double(count) / Double(counts.attempts))
        }
        return term(counts.failures) + term(counts.attempts - counts.failures)
    }

    /// The interval of Wilson (Journal of the American Statistical Association 22, 1927) that holds a rate with 95 %
    /// confidence.
    static func interval(_ counts: Counts) -> ClosedRange<Double> {
        guard counts.attempts > 0 else { return 0...1 }
        let (n, rate, z) = (Double(counts.attempts), counts.rate, 1.959964)
        let middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
        let half = z * (rate * (1 - rate) / n + z * z / (4 * n * n)).squareRoot() / (1 + z * z / n)
        return max(0, middle - half)...min(1, middle + half)
    }

    /// Pettitt's test for one change in a series (Applied Statistics 28, 1979): where its values change most, and how
    /// probable so great a change is if the order means nothing.
    /// - Returns: the first position behind the change; nil for fewer than four values.
    static func change(in values: [Int64]) -> (position: Int, probability: Double)? {
        guard values.count >= 4 else { return nil }
        let ranks = ranks(of: values)
        let count = Double(values.count)
        var sum = 0.0
        var best = (position: 0, size: -1.0)
        for position in 1..<values.count {
            sum += ranks[position - 1]
            let size = abs(2 * sum - Double(position) * (count + 1))
            if size > best.size { best = (position, size) }
        }
        let probability = 2 * exp(-6 * best.size * best.size / (count * count * count + count * count))
        return (best.position, min(1, probability))
    }

    /// Ranks count from 1; equals share the mean of theirs.
    private static func ranks(of values: [Int64]) -> [Double] {
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }
}

/// Failures among attempts.
struct Counts: Hashable {
    var attempts: Int
    var failures: Int

    var rate: Double { attempts == 0 ? 0 : Double(failures) / Double(attempts) }
    var isTotal: Bool { failures == attempts }

    static func += (counts: inout Counts, more: Counts) {
        counts.attempts += more.attempts
        counts.failures += more.failures
    }
}
