import HandshakeComparison
import TestSupport
import Testing

@Suite("What packets say of two clocks")
struct ClockBandTests {
    private static let start: Int64 = 1_767_225_600_000_000_000
    private static let second: Int64 = 1_000_000_000

    /// Handshakes over ten minutes: 20 ms there and back, a millisecond of jitter.
    private func bounds(
        _ count: Int, seed: UInt64, offset: Int64, skew: Double = 0, step: (at: Int64, by: Int64)? = nil
    ) -> [ClockBand.Bound] {
        var random = RandomNumbers(seed: seed)
        func other(_ time: Int64) -> Int64 {
            var shown = time + offset + Int64(skew * Double(time - Self.start))
            if let step, time >= step.at { shown += step.by }
            return shown
        }
        return (0..<count).flatMap { number -> [ClockBand.Bound] in
            let sent = Self.start + Int64(number) * 600 * Self.second / Int64(count)
            let came = sent + 10_000_000 + Int64.random(in: 0..<1_000_000, using: &random)
            let back = came + 10_000_000 + Int64.random(in: 0..<1_000_000, using: &random)
            return [
                .init(time: sent, difference: other(came) - sent, isUpper: true),
                .init(time: back, difference: other(came) - back, isUpper: false),
            ]
        }
    }

    @Test("The true offset is in the band, at each bound", arguments: 0..<30 as Range<UInt64>)
    func offset(seed: UInt64) throws {
        let band = ClockBand(bounds(40, seed: seed, offset: 3600 * Self.second, skew: 30e-6), tick: 1)
        let piece = try #require(band.pieces.first)
        #expect(band.pieces.count == 1)
        for bound in bounds(40, seed: seed, offset: 0) {
            let truth = 3600 * Self.second + Int64(30e-6 * Double(bound.time - Self.start))
            // At a bound's time of arrival the offset has gone on by 30e-6 of 10 ms.
            let range = try #require(piece.band(at: bound.time))
            #expect(range.lowerBound - 500 <= truth && truth <= range.upperBound + 500)
        }
    }

    @Test(
        "The skew is known within a millionth after 20 handshakes over ten minutes", arguments: 0..<30 as Range<UInt64>)
    func skew(seed: UInt64) throws {
        let piece = try #require(ClockBand(bounds(20, seed: seed, offset: 5, skew: 30e-6), tick: 1).pieces.first)
        #expect(piece.skew.contains(30e-6))
        #expect(abs(try #require(piece.likelySkew) - 30e-6) < 1e-6)
    }

    @Test("A step of 250 ms begins another piece within one interval of handshakes", arguments: [250, -250])
    func step(milliseconds: Int64) throws {
        let at = Self.start + 300 * Self.second
        let band = ClockBand(
            bounds(600, seed: 1, offset: 0, step: (at, milliseconds * 1_000_000)), tick: 1)
        #expect(band.pieces.count == 2)
        let step = try #require(band.steps.first)
        #expect(step.between.lowerBound <= at + Self.second && at - Self.second <= step.between.upperBound)
        #expect(try #require(step.by).contains(milliseconds * 1_000_000))
    }

    @Test("Packets of one direction say nothing of the offset, but what the user states holds")
    func oneDirection() {
        let upper = bounds(20, seed: 1, offset: 0).filter(\.isUpper)
        #expect(ClockBand(upper, tick: 1).band(at: Self.start) == nil)
        #expect(ClockBand(upper, tick: 1, stated: 50_000).band(at: Self.start) == -50_000...50_000)
    }

    @Test("What packets prove outranks what the user states")
    func statement() throws {
        let band = ClockBand(bounds(20, seed: 1, offset: 3600 * Self.second), tick: 1, stated: 50_000)
        #expect(try #require(band.band(at: Self.start)).lowerBound > 3599 * Self.second)
    }

    @Test("Clocks that count microseconds widen the band")
    func tick() throws {
        let bounds = bounds(20, seed: 1, offset: 0)
        let fine = try #require(ClockBand(bounds, tick: 1).band(at: Self.start))
        let coarse = try #require(ClockBand(bounds, tick: 1000).band(at: Self.start))
        #expect(coarse.lowerBound < fine.lowerBound && fine.upperBound < coarse.upperBound)
    }

    @Test("Without a packet there is no piece")
    func nothing() { #expect(ClockBand([], tick: 1).band(at: 0) == nil) }
}
