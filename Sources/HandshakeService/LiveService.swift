import HandshakeAnalysis
package import HandshakeMonitor
import HandshakeReport
import Hummingbird
import Logging
import Synchronization

/// The HTTP service of a live run: metrics, health, recent attempts, events as they come, and a page that draws them.
/// Everything that it serves comes from a `Monitor`; it reads nothing else and takes no input but its paths and queries.
package struct LiveService: Sendable {
    private let monitor: Monitor
    private let release: String
    private let style = TextStyle(usesColor: false, usesUnicode: true, width: 100)
    private let readers = Readers()

    /// Readers of `/events` at a time.
    private static let mostReaders = 64
    /// Milliseconds between looks for new attempts, and looks between states.
    private static let eventPeriod = 250
    private static let looksPerState = 4
    /// Attempts in one answer.
    private static let mostAttempts = Monitor.recentCount

    package init(_ monitor: Monitor, release: String) {
        self.monitor = monitor
        self.release = release
    }

    /// Serves until the task is cancelled.
    /// - Parameters:
    ///   - address: a numeric address.
    ///   - port: 0 takes one that is free.
    ///   - ready: told the port.
    package func run(address: String, port: Int, ready: @escaping @Sendable (Int) -> Void) async throws {
        let silent = Logger(label: "service") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            router: router(),
            configuration: .init(address: .hostname(address, port: port), serverName: "synscope"),
            onServerRunning: { ready($0.localAddress?.port ?? port) }, logger: silent)
        try await application.runService(gracefulShutdownSignals: [])
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/") { _, _ in Self.page(PackageResources.page_html, "text/html; charset=utf-8") }
        router.get("/page.css") { _, _ in Self.page(PackageResources.page_css, "text/css; charset=utf-8") }
        router.get("/page.js") { _, _ in Self.page(PackageResources.page_js, "text/javascript; charset=utf-8") }
        router.get("/metrics") { _, _ in
            Self.answer("text/plain; version=0.0.4; charset=utf-8") {
                Metrics.text(monitor.snapshot(), release: release, to: &$0)
            }
        }
        router.get("/healthz") { _, _ in
            let waiting = monitor.standing.waitingFor
            return Self.answer("text/plain; charset=utf-8", waiting.isEmpty ? .ok : .serviceUnavailable) {
                $0.line(waiting.isEmpty ? "ok" : "waiting for \(waiting.joined(separator: ", "))")
            }
        }
        router.get("/state") { _, _ in
            Self.answer("application/json") { LiveJSON.state(monitor.snapshot(), monitor.capture, to: &$0) }
        }
        router.get("/attempts") { request, _ in
            let query = request.uri.queryParameters
            let limit = query["limit"].map { Int($0) } ?? 100
            guard let limit, (1...Self.mostAttempts).contains(limit) else {
                return Self.complaint("limit takes a number from 1 to \(Self.mostAttempts)")
            }
            var records = monitor.recent
            if let outcome = query["outcome"] {
                guard let outcome = Self.outcome(named: outcome) else {
                    return Self.complaint("no outcome has that name; synscope explain lists them")
                }
                records.removeAll { $0.outcome != outcome }
            }
            if query["failed"] == "1" { records.removeAll { !$0.outcome.isFailure } }
            return Self.answer("application/json") { LiveJSON.attempts(Array(records.prefix(limit)), to: &$0) }
        }
        router.get("/attempts/{id}") { _, context in
            guard let record = context.parameters.get("id", as: UInt64.self).flatMap(monitor.attempt) else {
                return Self.complaint("no such attempt is kept", .notFound)
            }
            return Self.answer("application/json") { JSONReport.line(record, to: &$0) }
        }
        router.get("/attempts/{id}/ladder") { _, context in
            guard let record = context.parameters.get("id", as: UInt64.self).flatMap(monitor.attempt) else {
                return Self.complaint("no such attempt is kept", .notFound)
            }
            return Self.answer("text/plain; charset=utf-8") { Ladder(record, style: style).draw(to: &$0) }
        }
        router.get("/events") { _, _ in events() }
        return router
    }

    private static func outcome(named name: some StringProtocol) -> Outcome? { Outcome(rawValue: String(name)) }

    // MARK: Events

    /// Server-sent events: `attempt` for each that is decided, `state` each second, `missed` with how many attempts were let
    /// go because this reader was slow.
    private func events() -> Response {
        guard readers.enter(most: Self.mostReaders) else {
            return Self.complaint("\(Self.mostReaders) readers are served already", .serviceUnavailable)
        }
        var headers = Self.headers("text/event-stream")
        headers[.cacheControl] = "no-store"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                let listener = monitor.listen()
                defer {
                    listener.end()
                    readers.leave()
                }
                var look = 0
                while !Task.isCancelled {
                    var buffer = OutputBuffer()
                    if look % Self.looksPerState == 0 {
                        buffer.append("event: state\ndata: ")
                        LiveJSON.state(monitor.snapshot(), monitor.capture, to: &buffer)
                        buffer.append(octet: 10)
                    }
                    let (records, letGo) = listener.take()
                    for record in records {
                        buffer.append("event: attempt\ndata: ")
                        JSONReport.line(record, to: &buffer)
                        buffer.append(octet: 10)
                    }
                    if letGo > 0 { buffer.append("event: missed\ndata: \(letGo)\n\n") }
                    if !buffer.bytes.isEmpty { try await writer.write(ByteBuffer(bytes: buffer.bytes)) }
                    look += 1
                    try await Task.sleep(for: .milliseconds(Self.eventPeriod))
                }
                try await writer.finish(nil)
            })
    }

    // MARK: Answers

    private static func headers(_ type: String) -> HTTPFields {
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.xContentTypeOptions] = "nosniff"
        return headers
    }

    private static func answer(
        _ type: String, _ status: HTTPResponse.Status = .ok, _ body: (inout OutputBuffer) -> Void
    ) -> Response {
        var buffer = OutputBuffer()
        body(&buffer)
        var headers = headers(type)
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: buffer.bytes)))
    }

    private static func complaint(_ words: String, _ status: HTTPResponse.Status = .badRequest) -> Response {
        answer("text/plain; charset=utf-8", status) { $0.line(words) }
    }

    /// A part of the page: it loads nothing from elsewhere, and nothing may frame it.
    private static func page(_ octets: [UInt8], _ type: String) -> Response {
        var headers = headers(type)
        headers[.contentSecurityPolicy] =
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
            + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        headers[.cacheControl] = "no-cache"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: octets)))
    }
}

/// How many read events.
private final class Readers: Sendable {
    private let count = Mutex(0)

    func enter(most: Int) -> Bool {
        count.withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
