@testable import HandshakeDiagnosis
import HandshakeMonitor
import PacketWire
import Testing

@Suite("Situations of a live run")
struct SituationCourseTests {
    private static let second: Int64 = 1_000_000_000

    private func situation(_ code: SituationCode, port: UInt16 = 443, last: Int64 = 0) -> Situation {
        let server = AddressPrefix.host(IPAddress(v4: 0xc000_0201))
        return Situation(
            code: code, scope: Scope(servers: server, ports: [port]), attempts: 3, affected: 3, window: 0...last,
            evidence: [1])
    }

    private func words(_ events: [SituationCourse.Event]) -> [String] {
        events.map {
            switch $0 {
            case .begins(let situation): "begins \(situation.code.rawValue)"
            case .ends(let situation): "ends \(situation.code.rawValue)"
            }
        }
    }

    @Test("A situation is told once when it begins and once when it is found no more")
    func onceEach() {
        var course = SituationCourse()
        #expect(words(course.take([situation(.portRefused)], now: 10)) == ["begins port-refused"])
        #expect(words(course.take([situation(.portRefused)], now: 20)) == [])
        #expect(course.lasting.map(\.told) == [10])
        #expect(words(course.take([], now: 30)) == ["ends port-refused"])
        #expect(words(course.take([], now: 40)) == [])
    }

    @Test("Another port is another situation, other clients are the same")
    func whatIsOne() {
        var course = SituationCourse()
        var wider = situation(.clientsBlocked)
        wider.scope.clients = .host(IPAddress(v4: 0xc000_0205))
        #expect(words(course.take([wider], now: 10)) == ["begins clients-blocked"])
        wider.scope.clients = AddressPrefix(of: IPAddress(v4: 0xc000_0205), bits: 24)
        #expect(words(course.take([wider], now: 20)) == [])
        let both = [wider, situation(.clientsBlocked, port: 80)]
        #expect(words(course.take(both, now: 30)) == ["begins clients-blocked"])
    }

    @Test("Where others went well since, a situation ends after a minute of quiet, though it is still remembered")
    func quiet() {
        var course = SituationCourse()
        var over = situation(.hostSilent, last: 10 * Self.second)
        #expect(words(course.take([over], now: 20 * Self.second)) == ["begins host-silent"])
        over.wellAfter = 15 * Self.second
        #expect(words(course.take([over], now: 60 * Self.second)) == [])
        #expect(words(course.take([over], now: 71 * Self.second)) == ["ends host-silent"])
        // Without anything that went well, silence is no end.
        over.wellAfter = nil
        #expect(words(course.take([over], now: 72 * Self.second)) == ["begins host-silent"])
        #expect(words(course.take([over], now: 500 * Self.second)) == [])
    }
}
