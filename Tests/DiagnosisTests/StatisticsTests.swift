@testable import HandshakeDiagnosis
import Testing

@Suite("Tests that rule chance out")
struct StatisticsTests {
    @Test("Fisher's exact test has the values of R's fisher.test, alternative greater")
    func fisher() {
        // R: fisher.test(matrix(c(3, 1, 1, 3), 2), alternative = "greater")$p.value, and so on.
        let rows: [(inside: Counts, all: Counts, value: Double)] = [
            (.init(attempts: 4, failures: 3), .init(attempts: 8, failures: 4), 0.242857142857143),
            (.init(attempts: 10, failures: 10), .init(attempts: 20, failures: 10), 5.41254e-06),
            (.init(attempts: 5, failures: 5), .init(attempts: 14, failures: 5), 0.0004995004995),
            (.init(attempts: 3, failures: 0), .init(attempts: 9, failures: 5), 1),
        ]
        for row in rows {
            let value = Statistics.fisher(row.inside, of: row.all)
            #expect(abs(value - row.value) <= row.value * 1e-5, "\(row.inside) of \(row.all): \(value)")
        }
    }

    @Test("A rate that is no higher inside than outside has no likelihood ratio")
    func likelihoodRatio() {
        let all = Counts(attempts: 40, failures: 10)
        #expect(Statistics.likelihoodRatio(.init(attempts: 20, failures: 5), of: all) == 0)
        #expect(Statistics.likelihoodRatio(.init(attempts: 20, failures: 2), of: all) == 0)
        #expect(Statistics.likelihoodRatio(.init(attempts: 40, failures: 10), of: all) == 0)
        // 10 ln 1 + 0 - (10 ln 1/4 + 30 ln 3/4)
        let whole = Statistics.likelihoodRatio(.init(attempts: 10, failures: 10), of: all)
        #expect(abs(whole - 22.4934) < 1e-3)
    }

    @Test("Wilson's interval has published values, and holds the rate")
    func interval() {
        // Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263, and 0 of 20.
        let some = Statistics.interval(.init(attempts: 263, failures: 81))
        #expect(abs(some.lowerBound - 0.2553) < 1e-4 && abs(some.upperBound - 0.3662) < 1e-4)
        let none = Statistics.interval(.init(attempts: 20, failures: 0))
        #expect(none.lowerBound == 0 && abs(none.upperBound - 0.1611) < 1e-4)
        #expect(Statistics.interval(.init(attempts: 0, failures: 0)) == 0...1)
    }

    @Test("A step in a series is found where it is, and none in a series without")
    func change() throws {
        let step = (0..<20).map { Int64($0 % 3) } + (0..<20).map { Int64(100 + $0 % 3) }
        let found = try #require(Statistics.change(in: step))
        #expect(found.position == 20)
        #expect(found.probability < 1e-6)
        let even = try #require(Statistics.change(in: (0..<40).map { Int64($0 % 3) }))
        #expect(even.probability > 0.5)
        #expect(Statistics.change(in: [1, 2, 3]) == nil)
    }
}
