import PacketWire
import Testing

@testable import HandshakeAnalysis

@Suite struct FrequentKeysTests {
    private func address(_ number: Int) -> IPAddress { IPAddress(v4: UInt32(number)) }

    @Test("A key's window reaches from the first to the last time that it was counted, in whatever order, also in sums")
    func windows() {
        var keys = FrequentKeys<IPAddress>(capacity: 16)
        for time: Int64 in [50, 10, 90, 40] { keys.add(FrequentKeysTests.windowKey, at: time) }
        keys.add(IPAddress(v4: 2), at: 1000)
        var other = FrequentKeys<IPAddress>(capacity: 16)
        other.add(FrequentKeysTests.windowKey, at: 200)
        other.add(FrequentKeysTests.windowKey, TimeWindow())
        keys.add(other)
        let entry = keys.sorted.first { $0.key == FrequentKeysTests.windowKey }
        #expect(entry?.count == 6)
        #expect(entry?.window.first == 10 && entry?.window.last == 200)
    }

    private static let windowKey = IPAddress(v4: 1)

    @Test("A key that is frequent keeps its count among any number of others")
    func frequent() {
        var keys = FrequentKeys<IPAddress>(capacity: 64)
        for _ in 0..<10 { keys.add(address(0), at: 0) }
        for number in 1...20_000 {
            keys.add(address(number), at: 0)
            if number % 100 == 0 { keys.add(address(0), at: 0) }
        }
        #expect(keys[address(0)] == 210)
        #expect(keys.sorted.first?.key == address(0))
        #expect(keys.keys <= 64)
    }

    @Test("A count is never more than a key occurred")
    func bounds() {
        var keys = FrequentKeys<IPAddress>(capacity: 16)
        var truth: [Int: Int] = [:]
        var state: UInt64 = 1
        for _ in 0..<5000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Int((state >> 33) % 40 * ((state >> 50) % 3))
            truth[number, default: 0] += 1
            keys.add(address(number), at: 0)
        }
        for (number, count) in truth { #expect(keys[address(number)] <= count) }
    }

    @Test("A key that comes again and again is counted as one among others is, also where it is let go or added up")
    func runs() {
        for length in [1, 2, 7] {
            var (keys, truth) = (FrequentKeys<IPAddress>(capacity: 8), [IPAddress: Int]())
            for number in 0..<64 {
                let key = address(number % 8 < 4 ? 1 : number)
                for _ in 0..<length { keys.add(key, at: 0) }
                truth[key, default: 0] += length
                #expect(keys[address(1)] == truth[address(1)])
                #expect(keys.contains(address(1)))
                let counts = Dictionary(uniqueKeysWithValues: keys.sorted.map { ($0.key, $0.count) })
                #expect(counts[address(1)] == truth[address(1)])
                #expect(counts.allSatisfy { $0.value <= truth[$0.key] ?? 0 })
            }
            var sum = FrequentKeys<IPAddress>(capacity: 8)
            for _ in 0..<3 { sum.add(address(1), at: 0) }
            sum.add(keys)
            #expect(sum[address(1)] == 3 + (truth[address(1)] ?? 0))
        }
    }

    @Test("A sketch never says less than a key occurred, and little more as long as keys are few")
    func sketch() {
        var sketch = FrequencySketch()
        #expect(sketch.upperBound(of: Endpoint(address(1), 80)) == 0)
        for number in 0..<1000 {
            for _ in 0...number { sketch.add(Endpoint(address(number), 80)) }
        }
        let excess = (0..<1000).map { sketch.upperBound(of: Endpoint(address($0), 80)) - $0 - 1 }
        #expect(excess.allSatisfy { $0 >= 0 })
        #expect(excess.count { $0 == 0 } > 980)
    }

    @Test("The sum of sketches says what one of everything would say")
    func sum() {
        var shards = [FrequencySketch](repeating: FrequencySketch(), count: 3)
        var whole = FrequencySketch()
        for number in 0..<50_000 {
            let server = Endpoint(address(number % 7000), 443)
            shards[number % 3].add(server)
            whole.add(server)
        }
        var sum = FrequencySketch()
        for shard in shards { sum.add(shard) }
        let servers = (0..<8000).map { Endpoint(address($0), 443) }
        #expect(servers.allSatisfy { sum.upperBound(of: $0) == whole.upperBound(of: $0) })
    }

    @Test("A scan is seen in the midst of a flood from many sources", arguments: [IPAddress.Version.v4, .v6])
    func scanWithinFlood(_ version: IPAddress.Version) {
        func address(_ number: Int) -> IPAddress {
            version == .v4 ? self.address(number) : IPAddress(v6High: 1 << 61, low: UInt64(number))
        }
        var targets = FrequentTargets(capacity: 512, pairs: 1 << 13, seed: 1)
        for port in 1...100 {
            for number in 0..<100 { targets.add(address(1000 + port * 100 + number), Endpoint(address(9), 80), at: 0) }
            targets.add(address(1), Endpoint(address(9), UInt16(port)), at: 0)
        }
        #expect(targets.sorted.first?.key == address(1))
        #expect(targets.sorted.first.map { $0.count > 80 } == true)
    }

    @Test("Sources of both versions of IP, each with one destination, do not take each other's place")
    func singlesOfBothVersions() {
        // Of one place each, and with a flood before, so that sources with one destination are not counted.
        var targets = FrequentTargets(capacity: 1, pairs: 1 << 10, seed: 1)
        for number in 100..<120 { targets.add(address(number), Endpoint(address(9), 80), at: 0) }
        targets.add(address(1), Endpoint(address(9), 1), at: 0)
        targets.add(IPAddress(v6High: 1 << 61, low: 1), Endpoint(IPAddress(v6High: 1 << 61, low: 2), 1), at: 0)
        targets.add(address(1), Endpoint(address(9), 2), at: 0)
        #expect(targets.sorted.map(\.key) == [address(1)])
        #expect(targets.sorted.first?.count == 2)
    }

    @Test("After a flood a source is counted from its second destination on", arguments: [IPAddress.Version.v4, .v6])
    func secondDestination(_ version: IPAddress.Version) {
        var targets = FrequentTargets(capacity: 8, pairs: 1 << 10, seed: 1)
        for number in 100..<120 { targets.add(address(number), Endpoint(address(9), 80), at: 0) }
        let source = version == .v4 ? address(1) : IPAddress(v6High: 1 << 61, low: 1)
        targets.add(source, Endpoint(source, 1), at: 0)
        #expect(!targets.sorted.contains { $0.key == source })
        for port: UInt16 in [1, 2, 3] { targets.add(source, Endpoint(source, port), at: 0) }
        #expect(targets.sorted.first { $0.key == source }?.count == 3)
    }

    @Test("Destinations of one source in different shards are added up, each of them alone in its shard too")
    func singlesOfShards() {
        var sum = FrequentTargets(capacity: 0, pairs: 0, seed: 0)
        for shard in 0..<16 {
            var targets = FrequentTargets(capacity: 512, pairs: 1 << 13, seed: 3)
            for _ in 0..<3 { targets.add(address(1), Endpoint(address(9), UInt16(shard)), at: 0) }
            if shard % 2 == 0 { targets.add(address(1), Endpoint(address(9), UInt16(100 + shard)), at: 0) }
            sum.add(targets)
        }
        #expect(sum.sorted.first?.key == address(1))
        #expect(sum.sorted.first?.count == 24)
    }

    @Test("A source that one shard let go is added up from the others, whichever comes first")
    func evictedInOneShard() {
        func shard(_ letsGo: Bool) -> FrequentTargets {
            var targets = FrequentTargets(capacity: 8, pairs: 1 << 10, seed: 3)
            for port in 1...(letsGo ? 5 : 30) { targets.add(address(1), Endpoint(address(9), UInt16(port)), at: 0) }
            guard letsGo else { return targets }
            for number in 100..<108 {
                for port in 1...6 { targets.add(address(number), Endpoint(address(9), UInt16(port)), at: 0) }
            }
            #expect(!targets.sorted.contains { $0.key == address(1) })
            return targets
        }
        for order in [[true, false], [false, true]] {
            var sum = FrequentTargets(capacity: 0, pairs: 0, seed: 0)
            for letsGo in order { sum.add(shard(letsGo)) }
            #expect(sum.sorted.first { $0.key == address(1) }?.count == 30)
        }
    }

    @Test("Adding up what shards counted lets nothing go, however many pairs there are")
    func scansOfShards() {
        var sum = FrequentTargets(capacity: 0, pairs: 0, seed: 0)
        for shard in 0..<8 {
            var targets = FrequentTargets(capacity: 512, pairs: 1 << 10, seed: 1)
            for source in 1...12 {
                for port in 1...40 { targets.add(address(source), Endpoint(address(shard), UInt16(port)), at: 0) }
            }
            #expect(targets.sorted.count == 12)
            sum.add(targets)
        }
        #expect(sum.sorted.count == 12)
        #expect(sum.sorted.allSatisfy { $0.count == 256 })
    }

    @Test("A scan is still seen after a flood from many sources, and its targets count once")
    func scanAndFlood() {
        var targets = FrequentTargets(capacity: 64, pairs: 1 << 17, seed: 1)
        for _ in 0..<2 {
            for port in 1...100 { targets.add(address(1), Endpoint(address(9), UInt16(port)), at: 0) }
        }
        for number in 100..<20_000 { targets.add(address(number), Endpoint(address(9), 80), at: 0) }
        #expect(targets.sorted.first?.key == address(1))
        #expect(targets.sorted.first?.count == 100)
    }
}
