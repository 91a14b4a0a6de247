import SynscopeTesting
import TestSupport
import Testing

@Suite("Groups of a capture in Swift tests")
struct HandshakeGroupTests {
    private func servers() throws -> [HandshakeGroup] {
        try Handshakes(files: Place.capture("incident.pcap")).groups(by: "ip.dst,tcp.dstport")
    }

    @Test("Groups tell their fields' values, those with failures first")
    func keys() throws {
        #expect(try servers().map { $0["tcp.dstport"] } == ["25", "8443", "443"])
        #expect(try servers().allSatisfy { $0["ip.dst"] == "198.51.100.1" && $0["ip.src"] == nil })
    }

    @Test("A group counts its attempts, the failed ones by reason, and the share of them")
    func counts() throws {
        let refusing = try #require(try servers().first { $0["tcp.dstport"] == "8443" })
        #expect((refusing.attempts, refusing.failed, refusing.decided, refusing.failedShare) == (1, 1, 1, 1))
        #expect(refusing.reasons == [.refused: 1])
        #expect(refusing.outcomes == [.refused: 1])
        let serving = try #require(try servers().first { $0["tcp.dstport"] == "443" })
        #expect((serving.attempts, serving.established, serving.failedShare) == (8, 8, 0))
        #expect((serving.started, serving.retransmitted) == (8, 1))
    }

    @Test("A group's quantiles lie between its shortest and its longest round trip")
    func quantiles() throws {
        let serving = try #require(try servers().first { $0["tcp.dstport"] == "443" })
        let total = [0, 0.5, 0.99, 1].compactMap { serving.quantile($0) }
        #expect(total.count == 4)
        #expect(total == total.sorted())
        #expect(serving.count() == 8)
        #expect(try #require(serving.quantile(0.5, of: .synToSynAck)) <= total[1])
    }

    @Test("A group without a known round trip has no quantile")
    func noRoundTrip() throws {
        let silent = try #require(try servers().first { $0["tcp.dstport"] == "25" })
        #expect(HandshakeGroup.Leg.allCases.allSatisfy { silent.quantile(0.5, of: $0) == nil })
    }

    @Test("A field that does not exist is an error that names the nearest one")
    func unknownField() throws {
        let handshakes = try Handshakes(files: Place.capture("incident.pcap"))
        let error = try #require(throws: HandshakesError.self) { try handshakes.groups(by: "ip.dts") }
        #expect(error.description.contains("ip.dst"))
    }
}
