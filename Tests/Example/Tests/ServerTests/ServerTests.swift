import Foundation
import SynscopeTesting
import Testing

/// A TCP server that accepts, on a port of its own of loopback.
final class Server: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(descriptor, address, length) == 0, listen(descriptor, 16) == 0,
                    getsockname(descriptor, address, &length) == 0
                else { throw POSIXError(.EADDRNOTAVAIL) }
            }
        }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }
}

func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

/// Connects, and closes again.
/// - Returns: whether it was connected.
func connects(to port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: port)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

@Suite("Handshakes of a server", .enabled(if: geteuid() == 0, "capturing needs root"))
struct ServerTests {
    @Test("Every handshake completes, fast and without a retransmission")
    func completes() async throws {
        let server = try Server()
        let (handshakes, connected) = try await Handshakes.captured(on: "lo", filter: "tcp port \(server.port)") {
            (0..<10).count { _ in connects(to: server.port) }
        }
        #expect(connected == 10)
        #expect(handshakes.attempts.count == 10)
        #expect(handshakes.attempts.allSatisfy { $0.outcome == .established })
        handshakes.expect("all(hs.outcome == established) and none(hs.findings contains syn-retransmitted)")
        handshakes.expect("p99(hs.rtt.total) < 1s")
    }

    @Test("A closed port refuses")
    func refuses() async throws {
        var server: Server? = try Server()
        let port = try #require(server?.port)
        server = nil
        let (handshakes, _) = try await Handshakes.captured(on: "lo", filter: "tcp port \(port)") { connects(to: port) }
        handshakes.expect("count(hs.outcome == refused) == 1")
    }

    @Test("Attempts of an interface come as they are decided, until it is stopped")
    func live() async throws {
        let server = try Server()
        let live = try LiveHandshakes(on: "lo", filter: "tcp port \(server.port)")
        #expect((0..<5).count { _ in connects(to: server.port) } == 5)
        async let attempts = live.reduce(into: []) { $0.append($1) }
        let (summary, dropped) = await live.stop()
        #expect(await attempts.allSatisfy { $0.outcome == .established })
        #expect(await attempts.count == 5)
        #expect(summary.attempts == 5 && dropped == 0)
    }

    @Test("What does not hold is an issue that names the attempt, and its ladder is attached")
    func fails() async throws {
        var server: Server? = try Server()
        let port = try #require(server?.port)
        server = nil
        let (handshakes, _) = try await Handshakes.captured(on: "lo", filter: "tcp port \(port)") { connects(to: port) }
        withKnownIssue {
            handshakes.expect("all(hs.outcome == established)")
        } matching: { issue in
            issue.comments.contains { "\($0)".contains("hs.outcome = refused") }
        }
        #expect(handshakes.ladder(of: handshakes.attempts[0]).contains("RST"))
    }
}

@Suite("Handshakes of a file")
struct FileTests {
    /// A capture of this project; yours would lie beside your tests.
    static let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../../../Captures/incident.pcap"
    ).standardizedFileURL.path

    @Test("A capture's attempts can be looked at one by one")
    func attempts() throws {
        let handshakes = try Handshakes(files: Self.path)
        #expect(handshakes.attempts.count == 10)
        handshakes.expect("count(hs.failed) == 2")
        handshakes.expect("all(hs.outcome == established)", where: "tcp.dstport == 443")
    }

    @Test("A file that is not there is an error that names it")
    func missing() {
        #expect(throws: HandshakesError.self) { try Handshakes(files: "/nowhere.pcap") }
    }
}
