import PacketWire
import Testing

@testable import HandshakeAnalysis

@Suite struct FrequentKeysTests {
    private func address(_ number: Int) -> IPAddress { IPAddress(v4: UInt32(number)) }

    @Test("A key that is frequent keeps its count among any number of others")
    func frequent() {
        var keys = FrequentKeys<IPAddress>(capacity: 64)
        for _ in 0..<10 { keys.add(address(0)) }
        for number in 1...20_000 {
            keys.add(address(number))
            if number % 100 == 0 { keys.add(address(0)) }
        }
        #expect(keys[address(0)] == 210)
        #expect(keys.sorted.first?.key == address(0))
        #expect(keys.keys <= 64)
    }

    @Test("What a key occurred is between its count and the most that it may be")
    func bounds() {
        var keys = FrequentKeys<IPAddress>(capacity: 16)
        var truth: [Int: Int] = [:]
        var state: UInt64 = 1
        for _ in 0..<5000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Int((state >> 33) % 40 * ((state >> 50) % 3))
            truth[number, default: 0] += 1
            keys.add(address(number))
        }
        for (number, count) in truth {
            #expect(keys[address(number)] <= count)
            #expect(keys.most(address(number)) >= count)
        }
    }

    @Test("A scan is still seen after a flood from many sources, and its targets count once")
    func scanAndFlood() {
        var targets = FrequentTargets(capacity: 64, pairs: 1 << 17, seed: 1)
        for _ in 0..<2 {
            for port in 1...100 { targets.add(address(1), Endpoint(address(9), UInt16(port))) }
        }
        for number in 100..<20_000 { targets.add(address(number), Endpoint(address(9), 80)) }
        #expect(targets.sorted.first?.key == address(1))
        #expect(targets.sorted.first?.count == 100)
    }
}
