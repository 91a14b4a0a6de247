import HandshakeAnalysis
@testable import HandshakeDiagnosis
import PacketWire
import Testing

@Suite("What is kept of attempts")
struct ObservationLogTests {
    private func attempt(_ number: Int, clients: Int, servers: Int) -> AttemptFacts {
        AttemptFacts(
            id: UInt64(number + 1), client: Endpoint(IPAddress(v4: 0x0a01_0000 + UInt32(number % clients)), 40_000),
            server: Endpoint(IPAddress(v4: 0x0a02_0000 + UInt32(number % servers)), 443), clientISN: UInt32(number),
            firstTime: Int64(number) * 1000, outcome: number % 7 == 0 ? .refused : .established)
    }

    @Test(
        "However full it is, what is kept and what was let go add up to what was added",
        arguments: [(3, 2), (500, 3), (5000, 5000)])
    func addsUp(_ clients: Int, _ servers: Int) {
        var log = ObservationLog(maximum: 64)
        for number in 0..<5000 {
            log.add(attempt(number, clients: clients, servers: servers))
            #expect(log.observations.count < 64)
        }
        #expect(log.attempts == 5000)
        #expect(log.isThinned)
        #expect(log.observations.reduce(0) { $0 + Int($1.weight) } + log.evicted == 5000)
        // As long as attempts are alike, none is let go.
        #expect((log.evicted == 0) == (servers < 5000))
        #expect(log.servers.count <= 64 && log.addresses.count <= 128)
    }

    @Test("Beside a server with many attempts, each one of a server with few is kept")
    func busyServers() {
        var log = ObservationLog(maximum: 64)
        for number in 0..<5000 {
            // The second server is asked 15 times, the first all others.
            let isRare = number % 333 == 1
            log.add(attempt(isRare ? 1 : number / 2 * 2, clients: 3, servers: 2))
        }
        let rare = log.observations.filter { log.servers[Int($0.server)].address.description == "10.2.0.1" }
        #expect(rare.map(\.weight) == Array(repeating: 1, count: 16))
        #expect(log.evicted == 0)
    }

    @Test("An attempt takes 64 octets, as docs/diagnosis.md says")
    func size() { #expect(MemoryLayout<Observation>.stride == 64) }

    @Test("What began before a time is forgotten, with its addresses")
    func forgets() {
        var log = ObservationLog()
        for number in 0..<100 { log.add(attempt(number, clients: 100, servers: 1)) }
        log.forget(before: 90_000)
        #expect(log.observations.map(\.time) == (90..<100).map { Int64($0) * 1000 })
        #expect(log.addresses.count == 10)
        #expect(log.observations.map { log.addresses[Int($0.client)].description }.first == "10.1.0.90")
    }
}
