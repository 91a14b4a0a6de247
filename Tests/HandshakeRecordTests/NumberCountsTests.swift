import PacketWire
import Testing

@testable import HandshakeRecord

@Suite("Counts of numbers")
struct NumberCountsTests {
    @Test("The most frequent come first, of equally frequent ones the lowest")
    func order() {
        var counts = NumberCounts()
        for (number, count) in [(443, 7), (53, 9), (123, 7), (5353, 1)] as [(UInt16, UInt64)] {
            counts.add(number, count)
        }
        #expect(counts.mostFrequent(3).map(\.number) == [53, 123, 443])
        #expect(counts.mostFrequent(9).map(\.count) == [9, 7, 7, 1])
    }

    @Test("A flood of numbers takes a bounded place, and does not hide a frequent one")
    func flood() {
        var counts = NumberCounts()
        for number in 1...UInt16.max {
            counts.add(number)
            if number % 10 == 0 { counts.add(443) }
        }
        #expect(counts.kept <= NumberCounts.capacity)
        let first = counts.mostFrequent(1)[0]
        #expect(first.number == 443 && first.count <= 6554 && first.count > 6000)
    }

    @Test("With no more numbers than are kept every count is exact, and sums of two are sums")
    func exact() {
        var (a, b) = (NumberCounts(), NumberCounts())
        for number in 1...UInt16(NumberCounts.capacity) {
            a.add(number, UInt64(number))
            b.add(number, 1)
        }
        a.add(b)
        #expect(a.kept == NumberCounts.capacity)
        #expect(a.mostFrequent(.max).allSatisfy { $0.count == UInt64($0.number) + 1 })
    }

    /// Frames of `numbers`, counted as a reader's are.
    static func counted(_ reason: IgnoredReason, _ numbers: [UInt16]) -> FrameCounts {
        var counts = FrameCounts()
        for number in numbers {
            var slot = DecodedFrame()
            slot.kind = .ignored
            slot.reason = reason
            slot.number = number
            counts.count(slot)
        }
        return counts
    }

    @Test(
        "The numbers of a kind and the others add up to the frames of its reason",
        arguments: [IgnoredReason.udp, .otherProtocol, .otherEtherType])
    func sums(_ reason: IgnoredReason) {
        var numbers: [UInt16] = [0, 0]
        for number in 1...9 { numbers += [UInt16](repeating: UInt16(number * 1000), count: number) }
        let counts = NumberCountsTests.counted(reason, numbers)
        let undecoded = counts.undecoded
        #expect(undecoded.count == 1)
        let listed: [UInt16] = undecoded[0].numbers.map { $0.number }
        #expect(listed == [9000, 8000, 7000, 6000, 5000])
        // Four, three, two and one of those that are not listed, and two of none.
        #expect(undecoded[0].others == 12)
        #expect(counts.ignored == [reason.name: UInt64(numbers.count)])
        #expect(counts.read == UInt64(numbers.count))
    }

    @Test("After a flood of numbers the counts still add up")
    func sumsOfFlood() {
        let counts = NumberCountsTests.counted(.udp, Array(1...20_000))
        let undecoded = counts.undecoded[0]
        #expect(undecoded.numbers.reduce(0) { $0 + $1.count } + undecoded.others == 20_000)
    }

    @Test("Frames that are ignored for another reason have no number in the summary")
    func otherReasons() {
        #expect(NumberCountsTests.counted(.arp, [7]).undecoded.isEmpty)
    }
}
