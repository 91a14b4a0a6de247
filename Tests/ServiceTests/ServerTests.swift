import CLinux
import Glibc
import HandshakeMonitor
import HandshakeRecord
@testable import HandshakeService
import TestSupport
import Testing

/// A service on a port of loopback, and clients that behave as told.
private final class Served {
    let server: ServiceServer
    let port: UInt16
    let monitor: Monitor

    init(_ monitor: Monitor, _ change: (inout ServiceServer.Limits) -> Void = { _ in }) throws {
        var limits = ServiceServer.Limits()
        change(&limits)
        var port: UInt16 = 0
        let listener = clinux_listen_tcp("127.0.0.1", 0, &port)
        try #require(listener >= 0)
        self.port = port
        self.monitor = monitor
        server = try ServiceServer(LiveService(monitor, release: "test"), on: listener, limits: limits) {}
    }

    deinit { server.stop() }

    func client(_ text: String = "", window: Int32? = nil) throws -> Client {
        let client = try Client(port, window)
        client.send(text)
        return client
    }

    func get(_ path: String) throws -> String { try client("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n").rest() }

    /// A figure of /metrics.
    func figure(_ name: String) throws -> Int? {
        try get("/metrics").split(separator: "\n").first { $0.hasPrefix(name + " ") }?.split(separator: " ").last
            .flatMap { Int($0) }
    }
}

private final class Client {
    private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)

    init(_ port: UInt16, _ window: Int32?) throws {
        if var window {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size))
        }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafeBytes(of: &place) {
            connect(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        try #require(code == 0)
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let octets = Array(text.utf8)
        _ = Glibc.send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL))
    }

    func sendEnd() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// All that comes until the other side closes.
    func rest() -> String { read { _ in false } }

    /// What comes until a text is there, or the other side closes.
    func read(until text: String) -> String { read { $0.contains(text) } }

    private func read(until isEnough: (String) -> Bool) -> String {
        var octets: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while !isEnough(String(decoding: octets, as: UTF8.self)) {
            let count = recv(descriptor, &piece, piece.count, 0)
            if count <= 0 { break }
            octets += piece[..<count]
        }
        return String(decoding: octets, as: UTF8.self)
    }
}

@Suite("The connections of the service", .timeLimit(.minutes(10)))
struct ServerTests {
    @Test("A request is answered with its length, and the connection ends")
    func one() throws {
        let served = try Served(monitor(1))
        let answer = try served.get("/healthz")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("\r\nConnection: close\r\n"))
        #expect(answer.contains("\r\nContent-Length: 3\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nok\n"))
    }

    @Test("HEAD has the headers of GET and no body", arguments: ["/", "/metrics", "/state", "/events"])
    func head(_ path: String) throws {
        let served = try Served(monitor(1))
        let answer = try served.client("HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n").rest()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
        #expect(answer.contains("Content-Length: ") == (path != "/events"))
        #expect(!answer.lowercased().contains("transfer-encoding"))
    }

    @Test("A client that ends its own side first is answered all the same")
    func halfClosed() throws {
        let served = try Served(monitor(1))
        let client = try served.client("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        client.sendEnd()
        let answer = client.rest()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("ok\n"))
    }

    @Test("Requests behind the first are not answered, and do not cost the first its answer")
    func pipelined() throws {
        let served = try Served(monitor(1000))
        let request = "GET /attempts?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let answer = try served.client(String(repeating: request, count: 1000)).rest()
        #expect(answer.components(of: "HTTP/1.1 200 OK") == 1)
        #expect(answer.hasSuffix("]}\n"))
    }

    @Test(
        "What is no request, or has no end, is told so and ends",
        arguments: [
            ("nonsense\r\n\r\n", "HTTP/1.1 400 "),
            ("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", "HTTP/1.1 400 "),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 9000))\r\n\r\n", "HTTP/1.1 431 "),
            ("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 431 "),
            (
                "GET / HTTP/1.1\r\nHost: localhost\r\n\(String(repeating: "X: y\r\n", count: 200))\r\n", "HTTP/1.1 431 "
            ),
        ])
    func malformed(_ request: String, _ expected: String) throws {
        let served = try Served(monitor())
        #expect(try served.client(request).rest().hasPrefix(expected))
    }

    @Test("Where a request does not come in time, its connection ends, however its octets trickle")
    func halfOpen() throws {
        let served = try Served(monitor()) { $0.request = 1 }
        let idle = try served.client()
        let partial = try served.client("GET / HTTP/1.1\r\nHost:")
        partial.send(" local")
        #expect(idle.rest().isEmpty)
        #expect(partial.rest().isEmpty)
        #expect(try served.figure("synscope_service_closed_total{reason=\"timeout\"}") == 2)
    }

    @Test("Connections that ask nothing make way for those that do")
    func idle() throws {
        let served = try Served(monitor()) {
            $0.connections = 8
            $0.request = 100
        }
        let idle = try (0..<50).map { try served.client($0 % 2 == 0 ? "" : "GET / HT") }
        #expect(try served.get("/healthz").hasSuffix("ok\n"))
        let open = try served.figure("synscope_service_connections")
        #expect((1...8).contains(open ?? 0))
        // A connection whose client has gone may be there when the next one comes.
        let evicted = try served.figure("synscope_service_closed_total{reason=\"evicted\"}")
        #expect((43...46).contains(evicted ?? 0))
        #expect(idle[0].rest().isEmpty)
    }

    @Test("Answers that nobody takes are held up to a bound, and one that is taken comes whole")
    func untaken() throws {
        let served = try Served(monitor(1000)) {
            $0.octets = 4 << 20
            $0.stall = 100
        }
        let request = "GET /attempts?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let size = try served.get("/attempts?limit=1000").utf8.count
        let untaken = try (0..<40).map { _ in try served.client(request, window: 4096) }
        let answer = try served.get("/attempts?limit=1000")
        #expect(answer.utf8.count == size)
        let evicted = try served.figure("synscope_service_closed_total{reason=\"evicted\"}") ?? 0
        // Each holds an answer but for what the system holds of it, 512 KiB at most.
        #expect(evicted >= 40 - (4 << 20) / (size - (512 << 10)) - 2)
        #expect(untaken.count == 40)
    }

    @Test("An answer of which nothing is taken ends after a while")
    func stalled() throws {
        let served = try Served(monitor(1000)) { $0.stall = 1 }
        let stalled = try served.client("GET /attempts?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n", window: 4096)
        while try served.figure("synscope_service_closed_total{reason=\"timeout\"}") == 0 { usleep(50_000) }
        #expect(!stalled.rest().hasSuffix("]}\n"))
    }

    @Test("A reader of events has the state at once, and attempts as they come")
    func events() throws {
        let served = try Served(monitor())
        let reader = try served.client("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(reader.read(until: "event: state\ndata: {").contains("Content-Type: text/event-stream"))
        served.monitor.take(monitor(1).recent, .init(), now: 3_000_000_000)
        #expect(reader.read(until: "event: attempt").contains("event: attempt\ndata: {"))
    }

    @Test("Readers of events take half of the connections at most, and leave their place")
    func manyReaders() throws {
        let served = try Served(monitor()) { $0.connections = 8 }
        let request = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"
        var readers: [Client] = []
        for _ in 0..<4 {
            readers.append(try served.client(request))
            #expect(readers.last?.read(until: "event: state").contains("200 OK") == true)
        }
        #expect(try served.client(request).rest().hasPrefix("HTTP/1.1 503 "))
        readers.removeAll()
        while try served.client(request).read(until: "\r\n").hasPrefix("HTTP/1.1 503 ") { usleep(20_000) }
        #expect(try served.get("/healthz").hasSuffix("ok\n"))
    }

    @Test(
        "The number of connections leaves descriptors for others, and never is none",
        arguments: [
            (4096, 256), (1000, 256), (85, 53), (40, 8), (3, 4),
        ])
    func descriptors(_ free: Int, _ expected: Int) {
        var limits = ServiceServer.Limits()
        limits.fit(freeDescriptors: free)
        #expect(limits.connections == expected)
    }
}

@Suite("The socket of the service")
struct UnixSocketTests {
    private func mode(_ path: String) -> mode_t? {
        var information = stat()
        return lstat(path, &information) == 0 ? information.st_mode : nil
    }

    @Test("It has mode 0660 from the start, replaces a stale one, and is removed")
    func unixSocket() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("socket")
        let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: path.utf8) }
        #expect(
            withUnsafeBytes(of: &place) {
                bind(stale, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
            } == 0)
        close(stale)
        var release: Int32 = -1
        let listener = clinux_listen_unix(path, &release)
        try #require(listener >= 0)
        #expect(mode(path) == S_IFSOCK | 0o660)
        var other: Int32 = -1
        #expect(clinux_listen_unix(path, &other) == -EADDRINUSE)
        clinux_remove_socket(release)
        #expect(mode(path) == nil)
        close(listener)
    }

    @Test("A file at its place is left alone")
    func file() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("socket")
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        var release: Int32 = -1
        #expect(clinux_listen_unix(path, &release) == -ENOTSOCK)
        #expect(mode(path) == S_IFREG | 0o600)
    }

    @Test("A path that is too long is refused")
    func long() {
        var release: Int32 = -1
        #expect(clinux_listen_unix("/tmp/" + String(repeating: "x", count: 200), &release) == -ENAMETOOLONG)
    }
}

extension String {
    fileprivate func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
