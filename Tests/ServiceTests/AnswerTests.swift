import Fixtures
import HandshakeAnalysis
import HandshakeMonitor
import HandshakeReport
@testable import HandshakeService
import NIOCore
import NIOHTTP1
import Testing

/// A monitor that knows so many refused attempts.
func monitor(_ count: Int = 0) -> Monitor {
    let monitor = Monitor(CaptureDescription(files: [], filter: nil, started: nil), started: 1_000_000_000)
    let records = (0..<count).flatMap { number in
        var c = Conversation(from: "192.0.2.1", UInt16(1024 + number))
        c.client("S", at: Double(number))
        c.server("R.", at: Double(number) + 0.5)
        return c.attempts()
    }
    monitor.take(records, .init(), now: 2_000_000_000)
    return monitor
}

@Suite("What the service answers to a request")
struct AnswerTests {
    private func ask(
        _ target: String, _ method: HTTPMethod = .GET, _ headers: [(String, String)] = [("Host", "localhost:9477")],
        access: ServiceAccess = ServiceAccess(), local: String? = "127.0.0.1"
    ) throws -> Answer {
        let request = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: HTTPHeaders(headers))
        let place = try local.map { try SocketAddress(ipAddress: $0, port: 9477) }
        return LiveService(monitor(2), release: "test", access: access).answer(request, at: place)
    }

    private func text(_ answer: Answer) -> String {
        if case .octets(let octets) = answer.body { String(decoding: octets, as: UTF8.self) } else { "" }
    }

    @Test(
        "A name that somebody else's DNS leads here is not answered",
        arguments: [
            "evil.example", "evil.example:9477", "localhost.evil.example", "127.0.0.1.evil.example", "203.0.113.9",
        ])
    func rebinding(_ host: String) throws {
        let answer = try ask("/attempts", .GET, [("Host", host)])
        #expect(answer.status == .forbidden)
        #expect(!text(answer).contains("192.0.2.1"))
    }

    @Test(
        "Loopback's names and the address that the connection came to are answered",
        arguments: [
            ("localhost", "127.0.0.1"), ("localhost:9477", "127.0.0.1"), ("LocalHost.", "127.0.0.1"),
            ("127.0.0.1:8080", "127.0.0.1"), ("[::1]:9477", "::1"), ("192.0.2.7:9477", "192.0.2.7"),
            ("192.0.2.7", "::ffff:192.0.2.7"), ("[2001:DB8:0::1]", "2001:db8::1"),
        ])
    func ours(_ host: String, _ local: String) throws {
        #expect(try ask("/metrics", .GET, [("Host", host)], local: local).status == .ok)
    }

    @Test("A Unix socket is asked as localhost")
    func unixSocket() throws {
        #expect(try ask("/metrics", local: nil).status == .ok)
        #expect(try ask("/metrics", .GET, [("Host", "192.0.2.7")], local: nil).status == .forbidden)
    }

    @Test("A name that was given is answered, and no other")
    func names() throws {
        var access = ServiceAccess()
        access.names = ["monitor.example.com"]
        #expect(try ask("/", .GET, [("Host", "Monitor.example.com:443")], access: access).status == .ok)
        #expect(try ask("/", .GET, [("Host", "example.com")], access: access).status == .forbidden)
    }

    @Test(
        "Host is there once, and is a name",
        arguments: [[], ["localhost", "localhost"], ["a b"], [""], ["[::1"], ["localhost:x"]])
    func malformedHost(_ hosts: [String]) throws {
        #expect(try ask("/", .GET, hosts.map { ("Host", $0) }).status == .badRequest)
    }

    @Test("A target in absolute form says the name itself")
    func absoluteForm() throws {
        #expect(try ask("http://localhost:9477/healthz").status == .ok)
        #expect(try ask("http://evil.example/healthz").status == .forbidden)
        #expect(try ask("http://localhost").status == .ok)
    }

    @Test(
        "A page of another origin is not answered",
        arguments: ["http://evil.example", "null", "http://localhost:3000", "https://evil.example:9477", "file://"])
    func foreignOrigin(_ origin: String) throws {
        let answer = try ask("/state", .GET, [("Host", "localhost:9477"), ("Origin", origin)])
        #expect(answer.status == .forbidden)
    }

    @Test("The page's own origin is answered, also behind a proxy whose name was given")
    func ownOrigin() throws {
        let direct = [("Host", "localhost:9477"), ("Origin", "http://localhost:9477")]
        #expect(try ask("/state", .GET, direct).status == .ok)
        var access = ServiceAccess()
        access.names = ["monitor.example.com"]
        let headers = [("Host", "localhost"), ("Origin", "https://monitor.example.com")]
        #expect(try ask("/state", .GET, headers, access: access).status == .ok)
    }

    @Test("The token is asked for, and nothing else opens")
    func token() throws {
        var access = ServiceAccess()
        access.token = Array("0123456789abcdef".utf8)
        func status(_ values: [String]) throws -> HTTPResponseStatus {
            let headers = [("Host", "localhost")] + values.map { ("Authorization", $0) }
            return try ask("/metrics", .GET, headers, access: access).status
        }
        #expect(try status(["Bearer 0123456789abcdef"]) == .ok)
        #expect(try status(["bearer 0123456789abcdef"]) == .ok)
        let wrongs = [
            "Bearer 0123456789abcdeF", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer ", "Bearer",
            "Basic 0123456789abcdef", "0123456789abcdef",
        ]
        for wrong in wrongs {
            #expect(try status([wrong]) == .unauthorized, "\(wrong)")
        }
        #expect(try status([]) == .unauthorized)
        #expect(try status(["Bearer x", "Bearer 0123456789abcdef"]) == .unauthorized)
        let answer = try ask("/", access: access)
        #expect(answer.headers.contains { $0 == ("WWW-Authenticate", "Bearer realm=\"synscope\"") })
    }

    @Test(
        "Unknown paths are 404",
        arguments: ["/nothing", "/attempts/", "/attempts/x", "/attempts/1/", "/metrics/", "//", "*", ""])
    func unknownPath(_ path: String) throws { #expect(try ask(path).status == .notFound) }

    @Test(
        "Other methods are 405 and told which there are",
        arguments: [HTTPMethod.POST, .PUT, .DELETE, .OPTIONS, .TRACE])
    func otherMethods(_ method: HTTPMethod) throws {
        let answer = try ask("/metrics", method)
        #expect(answer.status == .methodNotAllowed)
        #expect(answer.headers.contains { $0 == ("Allow", "GET, HEAD") })
    }

    @Test(
        "Parameters that a path does not take are 400",
        arguments: [
            "/metrics?name=x", "/?x", "/attempts?outcom=refused", "/attempts?limit=1&limit=2", "/attempts?limit",
            "/attempts?limit=0", "/attempts?failed=yes", "/attempts/1?limit=1", "/attempts?outcome=%72efused",
        ])
    func unknownParameters(_ target: String) throws { #expect(try ask(target).status == .badRequest) }

    @Test("Parameters that a path takes choose attempts")
    func parameters() throws {
        #expect(text(try ask("/attempts?outcome=refused&failed=1&limit=1")).contains("192.0.2.1"))
        #expect(!text(try ask("/attempts?outcome=established")).contains("192.0.2.1"))
        #expect(try ask("/metrics?").status == .ok)
    }

    @Test("A request with a body is refused")
    func body() throws {
        #expect(try ask("/", .GET, [("Host", "localhost"), ("Content-Length", "5")]).status == .payloadTooLarge)
        let chunked = [("Host", "localhost"), ("Transfer-Encoding", "chunked")]
        #expect(try ask("/", .GET, chunked).status == .payloadTooLarge)
        #expect(try ask("/", .GET, [("Host", "localhost"), ("Content-Length", "0")]).status == .ok)
    }

    @Test(
        "Every answer says what a browser may do with it",
        arguments: ["/", "/page.js", "/metrics", "/state", "/nothing", "/events"])
    func securityHeaders(_ path: String) throws {
        let headers = try ask(path).headers
        func values(_ name: String) -> [String] { headers.filter { $0.0 == name }.map(\.1) }
        #expect(values("X-Content-Type-Options") == ["nosniff"])
        #expect(values("Cross-Origin-Resource-Policy") == ["same-origin"])
        #expect(values("Referrer-Policy") == ["no-referrer"])
        #expect(values("Content-Security-Policy").count == 1)
        #expect(values("Content-Security-Policy")[0].contains("frame-ancestors 'none'"))
        #expect(values("Cache-Control").count == 1)
    }
}
