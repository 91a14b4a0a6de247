import HandshakeDiagnosis
import PacketWire
import Simulation
import Testing

@Suite("What is nearly a situation, and what another is")
struct NearMissTests {
    private func codes(_ build: (inout StagedTraffic) -> Void) -> [SituationCode] {
        var traffic = StagedTraffic()
        build(&traffic)
        return traffic.diagnosis().situations.map(\.code)
    }

    @Test("Two failures are no situation, three are", arguments: [(2, []), (3, [SituationCode.portRefused])])
    func least(_ count: Int, _ expected: [SituationCode]) {
        let found = codes { traffic in
            for n in 0..<count { traffic.add("10.1.0.\(n + 1)", "10.0.0.5:80", at: Double(n), .refused) }
        }
        #expect(found == expected)
    }

    @Test("A host of which one port answers is no silent host")
    func silentPort() {
        let found = codes { traffic in
            for n in 0..<6 {
                traffic.add("10.1.0.\(n + 1)", "10.0.0.5:8443", at: Double(20 * n), .silent)
                traffic.add("10.1.0.\(n + 1)", "10.0.0.5:443", at: Double(20 * n) + 5)
            }
        }
        #expect(found == [.portFiltered])
    }

    @Test("A port that is refused answers: its host is not silent beside it")
    func refusedBesideSilent() {
        let found = codes { traffic in
            for n in 0..<6 {
                traffic.add("10.1.0.\(n + 1)", "10.0.0.5:8443", at: Double(20 * n), .silent)
                traffic.add("10.1.0.\(n + 1)", "10.0.0.5:443", at: Double(20 * n) + 5, .refused)
            }
        }
        #expect(Set(found) == [.portFiltered, .portRefused])
    }

    @Test("Clients that fail at other times than others succeed are not told from them")
    func blockedAtAnotherTime() {
        let found = codes { traffic in
            for n in 0..<5 { traffic.add("10.2.0.\(n + 1)", "10.0.0.5:443", at: Double(n)) }
            for n in 0..<5 { traffic.add("10.1.0.\(n + 1)", "10.0.0.5:443", at: Double(100 + 20 * n), .silent) }
        }
        #expect(found == [.hostSilent])
    }

    @Test("One network of clients that fails while another succeeds is blocked")
    func blocked() throws {
        var traffic = StagedTraffic()
        for n in 0..<8 {
            traffic.add("10.1.0.\(n + 1)", "10.0.0.5:443", at: Double(20 * n), .silent)
            traffic.add("10.2.0.\(n + 1)", "10.0.0.5:443", at: Double(20 * n) + 7)
        }
        let found = traffic.diagnosis().situations
        #expect(found.map(\.code) == [.clientsBlocked])
        #expect(found.first?.scope.clients?.description == "10.1.0.0/24")
        #expect(found.first?.scope.servers?.description == "10.0.0.5")
        #expect(try #require(found.first?.chance) < 1e-3)
    }

    @Test("19 targets that were not used are no scan, 20 are", arguments: [(19, false), (20, true)])
    func scan(_ count: Int, _ isScan: Bool) {
        let found = codes { traffic in
            for n in 0..<count { traffic.add("10.9.0.9", "10.0.\(n).5:\(1000 + n)", at: Double(n), .refused) }
        }
        #expect(found.contains(.scan) == isScan)
        #expect(!found.contains(.portRefused))
    }

    @Test("A client that uses most of what it tries is no scanner")
    func busyClient() {
        let found = codes { traffic in
            for n in 0..<30 { traffic.add("10.9.0.9", "10.0.\(n).5:443", at: Double(n), .refused) }
            for n in 0..<20 { traffic.add("10.9.0.9", "10.0.\(100 + n).5:443", at: Double(40 + n)) }
        }
        #expect(!found.contains(.scan))
    }

    @Test("Clients that send their SYNs again are no flood, however many they are")
    func noFlood() {
        let found = codes { traffic in
            for n in 0..<150 {
                traffic.add("10.\(n % 50).7.\(n / 50 + 1)", "10.0.0.5:443", at: Double(n) * 0.1, .silent)
            }
        }
        #expect(found == [.hostSilent])
    }

    @Test("Resets at irregular times are no checks of health")
    func irregularChecks() {
        let found = codes { traffic in
            for second in [0.0, 3, 31, 33, 80, 91, 170] {
                traffic.add("10.9.0.9", "10.0.0.5:443", at: second, .clientResets)
            }
        }
        #expect(found == [.clientResets])
    }

    @Test("A server without MPTCP strips no option, and a client that lowers its MSS is clamped by nobody")
    func optionsOfTheEnds() {
        let found = codes { traffic in
            for n in 0..<40 {
                traffic.add("10.1.0.\(n + 1)", "10.0.0.5:443", at: Double(5 * n), .multipathDeclined)
                traffic.add("10.2.0.\(n + 1)", "10.0.0.6:443", at: Double(5 * n), n < 4 ? .mssLowered : .well)
            }
        }
        #expect(found == [])
    }

    @Test("A small window is one: no proxy answers for a server that opens it")
    func smallWindow() {
        let found = codes { traffic in
            for n in 0..<20 { traffic.add("10.1.0.\(n + 1)", "10.0.0.5:443", at: Double(5 * n), .smallWindow) }
        }
        #expect(found == [])
    }

    @Test("Four lost SYNs of fifty are too few for a rate; a tenth of two hundred is one")
    func loss() {
        func found(_ lost: Int, of all: Int) -> [SituationCode] {
            codes { traffic in
                for n in 0..<all {
                    let isLost = n % (all / lost) == 0 && n / (all / lost) < lost
                    traffic.add("10.1.0.\(n % 37 + 1)", "10.0.0.5:443", at: Double(2 * n), isLost ? .synLost : .well)
                }
            }
        }
        #expect(found(4, of: 50) == [])
        #expect(found(20, of: 200) == [.pathLoss])
    }

    @Test("SYNs without any answer, one at each of many servers, are no loss on the way")
    func silenceIsNoLoss() {
        let found = codes { traffic in
            for n in 0..<12 {
                traffic.add("10.1.0.\(n % 5 + 1)", "10.0.\(n).5:443", at: Double(10 * n), .silent)
                for m in 0..<4 {
                    traffic.add("10.1.0.\(m + 1)", "10.0.\(n).5:443", at: Double(10 * n + m) + 0.5)
                }
            }
        }
        #expect(found == [])
    }

    @Test("A server that is always slow did not become slow; one that became slow did, and since when is told")
    func slow() throws {
        func found(_ legs: [Double]) -> [Situation] {
            var traffic = StagedTraffic()
            for (n, leg) in legs.enumerated() {
                traffic.add("10.1.0.\(n % 10 + 1)", "10.0.0.5:443", at: Double(5 * n), leg: leg + Double(n % 7))
            }
            return traffic.diagnosis().situations
        }
        #expect(found([Double](repeating: 80, count: 60)) == [])
        let step = found([Double](repeating: 10, count: 30) + [Double](repeating: 80, count: 30))
        #expect(step.map(\.code) == [.serverSlow])
        #expect(step.first?.affected == 30)
        let shift = try #require(step.first?.shift)
        #expect((10_000_000...17_000_000).contains(shift.before) && (80_000_000...87_000_000).contains(shift.since))
        // Half as long again is no step that matters.
        #expect(found([Double](repeating: 20, count: 30) + [Double](repeating: 30, count: 30)) == [])
    }

    @Test("A farther client that comes later is no slower client")
    func fartherClient() {
        var traffic = StagedTraffic()
        for n in 0..<30 { traffic.add("10.1.0.1", "10.0.0.5:443", at: Double(n)) }
        for n in 0..<30 { traffic.add("10.1.0.2", "10.0.0.5:443", at: Double(100 + n)) }
        #expect(traffic.diagnosis().situations.isEmpty)
    }

    @Test("A situation that comes back is one, with its spells")
    func spells() {
        var traffic = StagedTraffic()
        for n in 0..<60 {
            let isDown = (10..<18).contains(n) || (40..<48).contains(n)
            traffic.add("10.1.0.\(n % 9 + 1)", "10.0.0.5:443", at: Double(8 * n), isDown ? .refused : .well)
        }
        let found = traffic.diagnosis().situations
        #expect(found.map(\.code) == [.portRefused])
        #expect(found.first?.spells == 2, "\(found)")
        #expect(found.first?.affected == 16)
        #expect(found.first?.wellBefore != nil && found.first?.wellAfter != nil)
    }
}
