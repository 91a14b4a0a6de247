import HandshakeRecord
package import HandshakeMonitor
import HandshakePage
import HandshakeReport
package import NIOCore
package import NIOHTTP1

/// The HTTP service of a live run: metrics, health, recent attempts, events as they come, and a page that draws them.
/// Everything that it serves comes from a `Monitor`; it reads nothing else and takes no input but its paths and
/// queries.
///
/// This is what is answered; `ServiceServer` has the connections.
package struct LiveService: Sendable {
    let monitor: Monitor
    let access: ServiceAccess
    let counts = ServiceCounts()
    private let release: String
    private let style = TextStyle(usesColor: false, usesUnicode: true, width: 100)

    /// Attempts in one answer.
    private static let maximumAttempts = Monitor.recentCount

    package init(_ monitor: Monitor, release: String, access: ServiceAccess = ServiceAccess()) {
        self.monitor = monitor
        self.release = release
        self.access = access
    }

    private enum Resource {
        case page, style, parts, script, metrics, health, state, attempts, events
        case attempt(UInt64)
        case ladder(UInt64)
        case drawing(UInt64)

        /// The parameters that a query may have.
        var parameters: Set<Substring> {
            if case .attempts = self { ["outcome", "failed", "limit"] } else { [] }
        }

        init?(_ path: Substring) {
            switch path {
            case "/": self = .page
            case "/page.css": self = .style
            case "/parts.js": self = .parts
            case "/page.js": self = .script
            case "/metrics": self = .metrics
            case "/healthz": self = .health
            case "/state": self = .state
            case "/attempts": self = .attempts
            case "/events": self = .events
            default:
                let parts = path.split(separator: "/", omittingEmptySubsequences: false)
                guard parts.count >= 3, parts[1] == "attempts", let id = UInt64(parts[2]) else { return nil }
                switch parts[3...] {
                case []: self = .attempt(id)
                case ["ladder"]: self = .ladder(id)
                case ["drawing"]: self = .drawing(id)
                default: return nil
                }
            }
        }
    }

    /// - Parameter local: the address that the connection came to.
    package func answer(_ request: HTTPRequestHead, at local: SocketAddress?) -> Answer {
        var target = request.uri[...]
        var authority: Substring?
        if target.hasPrefix("http://") {
            let rest = target.dropFirst("http://".count)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            authority = rest[..<end]
            target = end == rest.endIndex ? "/" : rest[end...]
        }
        if let refusal = access.refusal(of: request, authority: authority, at: local) { return refusal }
        let mark = target.firstIndex(of: "?")
        guard let resource = Resource(target[..<(mark ?? target.endIndex)]) else {
            return .complaint("there is no such path", .notFound)
        }
        guard request.method == .GET || request.method == .HEAD else {
            var answer = Answer.complaint("only GET and HEAD are answered", .methodNotAllowed)
            answer.headers.append(("Allow", "GET, HEAD"))
            return answer
        }
        if request.headers.contains(name: "transfer-encoding")
            || request.headers["content-length"].contains(where: { $0 != "0" })
        {
            return .complaint("no request has a body here", .payloadTooLarge)
        }
        var query: [Substring: Substring] = [:]
        let parameters = mark.map { target[target.index(after: $0)...].split(separator: "&") } ?? []
        for parameter in parameters {
            let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard resource.parameters.contains(pair[0]), pair.count == 2, query[pair[0]] == nil else {
                let known = resource.parameters.sorted().map { "\($0)=" }.joined(separator: ", ")
                return .complaint(
                    known.isEmpty
                        ? "this path takes no parameters" : "this path takes \(known), each once and with a value",
                    .badRequest)
            }
            query[pair[0]] = pair[1]
        }
        return answer(resource, query)
    }

    private func answer(_ resource: Resource, _ query: [Substring: Substring]) -> Answer {
        switch resource {
        case .page: return .page(PageFiles.page_html, "text/html; charset=utf-8")
        case .style: return .page(PageParts.style, "text/css; charset=utf-8")
        case .parts: return .page(PageParts.parts, "text/javascript; charset=utf-8")
        case .script: return .page(PageFiles.page_js, "text/javascript; charset=utf-8")
        case .metrics:
            return .text("text/plain; version=0.0.4; charset=utf-8") {
                Metrics.text(monitor.snapshot(), release: release, to: &$0)
                counts.metrics(to: &$0)
            }
        case .health:
            let waiting = monitor.standing.waitingFor
            return .text("text/plain; charset=utf-8", waiting.isEmpty ? .ok : .serviceUnavailable) {
                $0.line(waiting.isEmpty ? "ok" : "waiting for \(waiting.joined(separator: ", ").cleaned(for: .text))")
            }
        case .state:
            return .text("application/json") { LiveJSON.state(monitor.snapshot(), monitor.capture, to: &$0) }
        case .attempts: return attempts(query)
        case .attempt(let id):
            guard let record = monitor.attempt(id) else { return .complaint("no such attempt is kept", .notFound) }
            return .text("application/json") { JSONReport.line(record, RecordContext(.noFile), to: &$0) }
        case .ladder(let id):
            guard let record = monitor.attempt(id) else { return .complaint("no such attempt is kept", .notFound) }
            return .text("text/plain; charset=utf-8") { Ladder(record, style: style).draw(to: &$0) }
        case .drawing(let id):
            guard let record = monitor.attempt(id) else { return .complaint("no such attempt is kept", .notFound) }
            return Answer(.ok, "application/json", body: .octets(AttemptData.document(record)))
        case .events: return Answer(.ok, "text/event-stream", body: .events)
        }
    }

    private func attempts(_ query: [Substring: Substring]) -> Answer {
        let limit = query["limit"].map { Int($0) } ?? 100
        guard let limit, (1...Self.maximumAttempts).contains(limit) else {
            return .complaint("limit takes a number from 1 to \(Self.maximumAttempts)", .badRequest)
        }
        var records = monitor.recent
        if let outcome = query["outcome"] {
            guard let outcome = Outcome(rawValue: String(outcome)) else {
                return .complaint("no outcome has that name; synscope explain lists them", .badRequest)
            }
            records.removeAll { $0.outcome != outcome }
        }
        switch query["failed"] {
        case nil, "0": break
        case "1": records.removeAll { !$0.outcome.isFailure }
        default: return .complaint("failed takes 0 or 1", .badRequest)
        }
        return .text("application/json") { LiveJSON.attempts(Array(records.prefix(limit)), to: &$0) }
    }
}

/// The answer to one request.
package struct Answer: Sendable {
    package enum Body: Sendable, Equatable {
        case octets([UInt8])
        /// Server-sent events, until one side has enough.
        case events
    }

    package var status: HTTPResponseStatus
    package var headers: [(String, String)]
    package var body: Body

    init(_ status: HTTPResponseStatus, _ type: String, body: Body) {
        self.status = status
        self.body = body
        // Nothing that is served runs anything, is framed, or belongs to other origins; the page allows itself more.
        headers = [
            ("Content-Type", type), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"), ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ]
    }

    static func text(
        _ type: String, _ status: HTTPResponseStatus = .ok, _ body: (inout OutputBuffer) -> Void
    ) -> Answer {
        var buffer = OutputBuffer()
        body(&buffer)
        return Answer(status, type, body: .octets(buffer.bytes))
    }

    static func complaint(_ words: String, _ status: HTTPResponseStatus) -> Answer {
        text("text/plain; charset=utf-8", status) { $0.line(words) }
    }

    /// A part of the page: it loads nothing from elsewhere, and nothing may frame it.
    static func page(_ text: StaticString, _ type: String) -> Answer {
        var answer = Self.text(type) { $0.append(text) }
        answer.headers.removeAll { $0.0 == "Content-Security-Policy" || $0.0 == "Cache-Control" }
        answer.headers.append(
            (
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
                    + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
            ))
        answer.headers.append(("Cache-Control", "no-cache"))
        return answer
    }
}
