import HandshakeMonitor
import HandshakeRecord
import PacketWire
import Testing

@Suite("What a live run waits for")
struct WaitingCourseTests {
    private static let second: Int64 = 1_000_000_000

    private func waiting(_ ports: [UInt16]) -> WaitingAttempts {
        var waiting = WaitingAttempts()
        waiting.servers = ports.map { port in
            var server = WaitingAttempts.Server(server: Endpoint(IPAddress(v4: 0xc000_0201), port))
            (server.attempts, server.syns, server.oldest) = (2, 5, 3 * Self.second)
            return server
        }
        return waiting
    }

    @Test("A server is told once, in words")
    func once() {
        var course = WaitingCourse()
        let news = course.take(waiting([443]), now: 0)
        #expect(news?.lines == ["192.0.2.1:443  2 attempts, 5 SYNs, no answer yet (oldest 3 s)"])
        #expect(course.take(waiting([443]), now: Self.second) == nil)
        #expect(course.take(waiting([443, 80]), now: 2 * Self.second)?.servers.map(\.server.port) == [80])
    }

    @Test("It is told again if nothing waited for it for a minute, and not before")
    func again() {
        var course = WaitingCourse()
        _ = course.take(waiting([443]), now: 0)
        #expect(course.take(waiting([]), now: 30 * Self.second) == nil)
        #expect(course.take(waiting([443]), now: 59 * Self.second) == nil)
        #expect(course.take(waiting([]), now: 119 * Self.second) == nil)
        #expect(course.take(waiting([443]), now: 120 * Self.second) != nil)
    }

    @Test("Of many servers the first are told, and the others counted, once")
    func many() {
        var course = WaitingCourse()
        let ports = Array(1...UInt16(WaitingCourse.maximumTold + 5))
        let news = course.take(waiting(ports), now: 0)
        #expect(news?.servers.count == WaitingCourse.maximumTold && news?.lines.last == "and 5 more servers")
        #expect(course.take(waiting(ports), now: Self.second) == nil)
    }

    @Test("However many servers come, memory is bounded")
    func bounded() {
        var course = WaitingCourse()
        for round in 0..<40 {
            let ports = (0..<1000).map { UInt16(round * 1000 + $0) }
            _ = course.take(waiting(ports), now: Int64(round))
        }
        #expect(course.rememberedServers <= 4096)
    }
}
