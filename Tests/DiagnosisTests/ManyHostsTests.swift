import HandshakeDiagnosis
import HandshakeRecord
import PacketWire
import Simulation
import Testing

@Suite("One of many hosts")
struct ManyHostsTests {
    /// 600 servers that refuse one attempt in 200, by chance, and the last of them one in so many.
    private func situations(lastRefusesOneIn share: Double, seed: UInt64) -> [Situation] {
        var draw = Draw(seed: seed)
        var log = ObservationLog()
        for number in 0..<60_000 {
            let server = number % 600
            let isRefused = draw.chance(server == 599 ? 1 / share : 0.005)
            var attempt = AttemptFacts(
                id: UInt64(number + 1), client: Endpoint(IPAddress(v4: 0x0a01_0000 + UInt32(number % 997)), 40_000),
                server: Endpoint(IPAddress(v4: 0x0a02_0000 + UInt32(server)), 443), clientISN: UInt32(number),
                firstTime: Int64(number) * 1_000_000, outcome: isRefused ? .refused : .established)
            attempt.failedBecause = isRefused ? .refused : nil
            log.add(attempt)
        }
        return Diagnosis(log).situations
    }

    @Test("Of many servers that refuse now and then, one refuses more by chance, and is no situation", arguments: 1...3)
    func chance(_ seed: UInt64) {
        #expect(situations(lastRefusesOneIn: 200, seed: seed).isEmpty)
    }

    @Test("One that refuses an attempt in six is one", arguments: 1...3)
    func cause(_ seed: UInt64) throws {
        let found = situations(lastRefusesOneIn: 6, seed: seed)
        #expect(found.map(\.code) == [.portRefused])
        #expect(found.first?.scope.servers?.description == "10.2.2.87")
        #expect(try #require(found.first?.chance) < 0.01)
    }
}
