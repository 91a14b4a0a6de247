import NIOCore
import NIOHTTP1
import PacketWire

/// Who may ask: by the name that was asked for, and by a token.
///
/// A page from elsewhere can have its name resolve to this machine (DNS rebinding). A browser then sends that name as
/// `Host`, so only names that are this service's are answered.
package struct ServiceAccess: Sendable {
    /// Further names that the service is reached by, in lower case.
    package var names: Set<String> = []
    /// The token that `Authorization: Bearer` must give; nil where everybody may ask.
    package var token: [UInt8]?

    package init() {}

    private static let loopback: Set<String> = ["localhost", "127.0.0.1", "::1"]

    /// Why a request is not answered; nil where it is.
    /// - Parameters:
    ///   - authority: of a request target in absolute form, which stands above `Host` (RFC 9112 3.2.2).
    ///   - local: the address that the connection came to.
    func refusal(of request: HTTPRequestHead, authority: Substring?, at local: SocketAddress?) -> Answer? {
        let hosts = request.headers["host"]
        guard hosts.count == 1, let asked = ServiceAccess.host(of: authority ?? hosts[0][...]) else {
            return .complaint("a request names its host once, as Host: localhost", .badRequest)
        }
        guard isOurs(asked, local) else {
            return .complaint(
                "this service is not asked by that name: --listen-name NAME allows another one", .forbidden)
        }
        for origin in request.headers["origin"] where !isOurs(origin: origin, host: hosts[0]) {
            return .complaint("pages of other origins are not answered", .forbidden)
        }
        guard let token else { return nil }
        let given = request.headers["authorization"]
        if given.count == 1, given[0].lowercased().hasPrefix("bearer "),
            ServiceAccess.isSame(Array(given[0].utf8.dropFirst("bearer ".utf8.count)), token)
        {
            return nil
        }
        var answer = Answer.complaint("a token is asked for: Authorization: Bearer TOKEN", .unauthorized)
        answer.headers.append(("WWW-Authenticate", "Bearer realm=\"synscope\""))
        return answer
    }

    private func isOurs(_ host: String, _ local: SocketAddress?) -> Bool {
        if ServiceAccess.loopback.contains(host) || names.contains(host) { return true }
        // A name cannot be bound to; an address that somebody else's name resolves to is not what Host says.
        guard let host = IPAddress(host), var place = local?.ipAddress else { return false }
        // IPv4 that came to an IPv6 socket.
        if place.hasPrefix("::ffff:") { place.removeFirst("::ffff:".count) }
        return IPAddress(place) == host
    }

    /// Whether an origin is that of the page that the service itself gave out.
    private func isOurs(origin: String, host: String) -> Bool {
        let lower = origin.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lower.hasPrefix) else { return false }
        let authority = lower.dropFirst(scheme.count)
        return authority == host.lowercased() || ServiceAccess.host(of: authority).map(names.contains) == true
    }

    /// `name`, `name:port`, `[address]` or `[address]:port`, without the port and in lower case; nil for anything else.
    package static func host(of authority: Substring) -> String? {
        var host = authority
        var port: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.first == ":", IPAddress(String(host))?.version == .v6 else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
            if host.contains(":") { return nil }
        }
        if let port, UInt16(port) == nil { return nil }
        if host.last == "." { host.removeLast() }
        let isName = host.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: ":"):
                true
            default: false
            }
        }
        return host.isEmpty || !isName ? nil : host.lowercased()
    }

    /// Compares in a time that depends on the lengths only.
    package static func isSame(_ given: [UInt8], _ token: [UInt8]) -> Bool {
        var difference = given.count ^ token.count
        for position in token.indices {
            difference |= Int(token[position] ^ (position < given.count ? given[position] : 0))
        }
        return difference == 0
    }
}
