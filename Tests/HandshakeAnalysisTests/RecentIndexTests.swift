import TestSupport
import Testing

@testable import HandshakeAnalysis

@Suite struct RecentIndexTests {
    /// Of one bucket: equal in their first bits, with tags of their own.
    private static func hash(_ number: UInt64) -> UInt64 { 0xabc0_0000_0000_0000 | number << 32 }

    @Test("What is remembered is found")
    func found() {
        let recent = RecentIndex()
        recent.remember(RecentIndexTests.hash(1), 7)
        #expect(recent.candidate(RecentIndexTests.hash(1)) == 7)
    }

    @Test("Of what nothing is remembered there is no candidate, in an empty bucket or beside others")
    func unknown() {
        let recent = RecentIndex()
        #expect(recent.candidate(RecentIndexTests.hash(9)) == 0)
        for number in UInt64(1)...4 { recent.remember(RecentIndexTests.hash(number), UInt32(number)) }
        #expect(recent.candidate(RecentIndexTests.hash(9)) == 0)
    }

    @Test("A bucket keeps the last four")
    func lastFour() {
        let recent = RecentIndex()
        for number in UInt64(1)...6 { recent.remember(RecentIndexTests.hash(number), UInt32(number)) }
        #expect((UInt64(1)...6).map { recent.candidate(RecentIndexTests.hash($0)) } == [0, 0, 3, 4, 5, 6])
    }

    @Test("Of two slots on one hash the newer is the candidate")
    func newer() {
        let recent = RecentIndex()
        recent.remember(RecentIndexTests.hash(1), 7)
        recent.remember(RecentIndexTests.hash(2), 8)
        recent.remember(RecentIndexTests.hash(1), 9)
        #expect(recent.candidate(RecentIndexTests.hash(1)) == 9)
    }

    @Test("A slot that is forgotten is no candidate, however often it was remembered")
    func forgotten() {
        let recent = RecentIndex()
        for number in UInt64(1)...3 { recent.remember(RecentIndexTests.hash(number), UInt32(number)) }
        recent.remember(RecentIndexTests.hash(2), 2)
        recent.forget(RecentIndexTests.hash(2), 2)
        // Where one is missing the index is asked.
        #expect(recent.candidate(RecentIndexTests.hash(2)) == 0)
        recent.remember(RecentIndexTests.hash(4), 4)
        #expect(recent.candidate(RecentIndexTests.hash(4)) == 4)
    }

    @Test("What it says is what was remembered last and not forgotten, or nothing")
    func model() {
        let recent = RecentIndex()
        var known: [UInt64: UInt32] = [:]
        var numbers = RandomNumbers(seed: 1)
        var answers = 0
        for _ in 0..<100_000 {
            let random = numbers.next()
            // Few buckets, and several hashes in each.
            let hash = (random >> 40 & 0x3) << 60 | (random >> 50 & 0x7) << 32
            switch random >> 33 & 0x3 {
            case 0:
                if let old = known[hash] { recent.forget(hash, old) }
                known[hash] = UInt32(truncatingIfNeeded: random >> 20) | 1
                recent.remember(hash, known[hash] ?? 0)
            case 1:
                if let old = known.removeValue(forKey: hash) { recent.forget(hash, old) }
            default:
                let candidate = recent.candidate(hash)
                if candidate != 0 { answers += 1 }
                #expect(candidate == 0 || candidate == known[hash])
            }
        }
        #expect(answers > 10_000)
    }

    @Test("Nothing is left when all is removed")
    func removed() {
        let recent = RecentIndex()
        for number in UInt64(0)..<1000 { recent.remember(number << 51, UInt32(number + 1)) }
        recent.removeAll()
        #expect((UInt64(0)..<1000).allSatisfy { recent.candidate($0 << 51) == 0 })
    }
}
