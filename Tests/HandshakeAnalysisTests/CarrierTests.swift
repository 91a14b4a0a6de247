@testable import HandshakeAnalysis
import HandshakeScenario
import PacketWire
import Testing

@Suite("What came in which tunnel, and what it proves")
struct CarrierTests {
    static func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(v4: 0) }

    static let (near, far) = (address("10.3.0.1"), address("10.3.0.9"))

    /// A mirrored handshake in GRE, beside a plain SYN.
    static func mirrored() throws -> Scenario {
        try Scenario(
            text: """
                flow 10.9.1.10:40000 > 10.9.2.20:443 isn 1000 5000
                flow plain 10.9.1.11:40000 > 10.9.2.20:443 isn 1000 5000
                0     plain > S
                +1ms  > S  in gre from 10.3.0.1 to 10.3.0.9
                +10ms < S. in gre from 10.3.0.1 to 10.3.0.9
                +1ms  > .  in gre from 10.3.0.1 to 10.3.0.9
                """, name: "mirrored")
    }

    @Test("A tunnel that is declared, in either order, is believed though one end only was heard")
    func declared() throws {
        let scenario = try CarrierTests.mirrored()
        #expect(try #require(scenario.analysed().attempts.last).has(.oneWayTunnel))
        for ends in [(CarrierTests.near, CarrierTests.far), (CarrierTests.far, CarrierTests.near)] {
            var configuration = HandshakeTracker.Configuration()
            configuration.declaredTunnels = [ends]
            let record = try #require(scenario.analysed(configuration).attempts.last)
            #expect(record.outcome == .established && record.findings.isEmpty)
            #expect(record.confidence == .full && !record.isDoubtful)
        }
    }

    @Test("A declaration of another pair changes nothing")
    func otherDeclared() throws {
        var configuration = HandshakeTracker.Configuration()
        configuration.declaredTunnels = [(CarrierTests.near, CarrierTests.address("10.3.0.8"))]
        let record = try #require(try CarrierTests.mirrored().analysed(configuration).attempts.last)
        #expect(record.isDoubtful)
    }

    /// The outcome of an attempt whose plain SYN an ICMP error quotes that comes over `path`.
    private func outcome(errorOver path: TunnelPath) -> Outcome? {
        let (client, server) = (Endpoint(IPAddress(v4: 1), 1000), Endpoint(IPAddress(v4: 2), 443))
        var tracker = HandshakeTracker()
        var syn = Segment(from: client, to: server)
        syn.flags = .syn
        syn.seq = 1000
        tracker.receive(.segment(syn), number: 1, time: 0)
        var error = ICMPError(
            reporter: IPAddress(v4: 3), type: 3, code: 3, source: client, destination: server, seq: 1000)
        error.path = path
        tracker.receive(.icmpError(error), number: 2, time: 1_000_000)
        return tracker.finish().first?.outcome
    }

    @Test("An ICMP error in a tunnel of which one end was heard decides nothing; a plain one does")
    func icmpError() {
        #expect(outcome(errorOver: TunnelPath()) == .unreachable)
        let tunnelled = TunnelPath([.init(.gre)], outer: (CarrierTests.near, CarrierTests.far))
        #expect(outcome(errorOver: tunnelled) == .pending)
    }

    @Test("A tunnel is two-way once TCP came from both ends, in whichever direction inside")
    func twoWay() {
        let carriers = Carriers(declared: [])
        let number = carriers.register(TunnelPath([.init(.gre)], outer: (CarrierTests.near, CarrierTests.far)))
        #expect(number != Carriers.plain && !carriers.isTrusted(number))
        #expect(carriers.register(TunnelPath([.init(.gre)], outer: (CarrierTests.near, CarrierTests.far))) == number)
        #expect(!carriers.isTrusted(number))
        #expect(carriers.register(TunnelPath([.init(.gre)], outer: (CarrierTests.far, CarrierTests.near))) == number)
        #expect(carriers.isTrusted(number))
    }

    @Test("Another kind of tunnel between the same ends is another carrier; another network or session is not")
    func identity() {
        let carriers = Carriers(declared: [])
        let ends = (CarrierTests.near, CarrierTests.far)
        let gre = carriers.register(TunnelPath([.init(.gre, id: 1)], outer: ends))
        #expect(carriers.register(TunnelPath([.init(.gre, id: 2)], outer: ends)) == gre)
        #expect(carriers.register(TunnelPath([.init(.gtpU, id: 1)], outer: ends)) != gre)
        // MPLS labels before it, as a link has them, make no other carrier.
        #expect(carriers.register(TunnelPath([.init(.mpls, id: 3), .init(.gre)], outer: ends)) == gre)
    }

    @Test("Layers of a link, without an outer IP packet, are no carrier")
    func links() {
        let carriers = Carriers(declared: [])
        #expect(carriers.register(TunnelPath([.init(.mpls, id: 3), .init(.pppoe, id: 1)])) == Carriers.plain)
        #expect(carriers.register(TunnelPath()) == Carriers.plain)
        #expect(carriers.isEmpty)
    }

    @Test("Tunnels beyond the most that are kept are not believed, and the kept ones stay as they are")
    func flooded() {
        let carriers = Carriers(declared: [])
        let first = carriers.register(TunnelPath([.init(.gre)], outer: (CarrierTests.near, CarrierTests.far)))
        _ = carriers.register(TunnelPath([.init(.gre)], outer: (CarrierTests.far, CarrierTests.near)))
        for source in 0..<UInt32(70_000) {
            _ = carriers.register(TunnelPath([.init(.gtpU)], outer: (IPAddress(v4: source), CarrierTests.far)))
        }
        let ends = (IPAddress(v4: 99_999_999), CarrierTests.far)
        let late = carriers.register(TunnelPath([.init(.gtpU)], outer: ends))
        #expect(carriers.register(TunnelPath([.init(.gtpU)], outer: (ends.1, ends.0))) == late)
        #expect(!carriers.isTrusted(late))
        #expect(carriers.isTrusted(first))
    }

    @Test("A capture of mirrors alone stays one while tunnels of other kinds are not seen")
    func mirrors() {
        let carriers = Carriers(declared: [])
        _ = carriers.register(TunnelPath([.init(.gre)], outer: (CarrierTests.near, CarrierTests.far)))
        _ = carriers.register(TunnelPath([.init(.erspan)], outer: (CarrierTests.near, CarrierTests.far)))
        #expect(carriers.areMirrors)
        _ = carriers.register(TunnelPath([.init(.gtpU)], outer: (CarrierTests.near, CarrierTests.far)))
        #expect(!carriers.areMirrors)
    }
}
