import ArgumentParser
import CLinux
import Glibc
import HandshakeService
import PacketWire

/// `--listen` and who may ask there.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Serve /metrics, /healthz, /attempts, /events and a live page, as 127.0.0.1:9477 or unix:/run/synscope.sock.",
            valueName: "address:port"),
        transform: ServiceOptions.place)
    var listen: Place?

    @Option(
        name: .customLong("listen-name"),
        help: ArgumentHelp(
            "Answer requests for this host name too, beside localhost and the address; repeatable.", valueName: "name"),
        transform: ServiceOptions.name)
    var names: [String] = []

    @Option(
        help: ArgumentHelp(
            "Ask for the token in this file: Authorization: Bearer TOKEN. Others must not be able to read it.",
            valueName: "file"),
        completion: .file())
    var tokenFile: String?

    enum Place: CustomStringConvertible {
        case tcp(Endpoint)
        case unix(String)

        var description: String {
            switch self {
            case .tcp(let endpoint): endpoint.description
            case .unix(let path): "unix:\(path)"
            }
        }
    }

    func validate() throws {
        if listen == nil, !names.isEmpty || tokenFile != nil {
            throw ValidationError("--listen-name and --token-file say who may ask at --listen.")
        }
    }

    private static func place(_ text: String) throws -> Place {
        if text.hasPrefix("unix:"), text.count > "unix:".count { return .unix(String(text.dropFirst("unix:".count))) }
        guard let endpoint = Endpoint(text) else {
            throw ValidationError(
                "say an address and a port: 127.0.0.1:9477, [::1]:9477 or 0.0.0.0:9477; or unix:/run/synscope.sock")
        }
        return .tcp(endpoint)
    }

    private static func name(_ text: String) throws -> String {
        guard let host = ServiceAccess.host(of: text[...]), !text.contains(":") else {
            throw ValidationError("--listen-name takes a host name without a port: monitor.example.com")
        }
        return host
    }

    // MARK: Before rights are given up

    func access() throws(CommandFailure) -> ServiceAccess {
        var access = ServiceAccess()
        access.names = Set(names)
        if let tokenFile { access.token = try ServiceOptions.token(in: tokenFile) }
        return access
    }

    private static let shortestToken = 16

    private static func token(in path: String) throws(CommandFailure) -> [UInt8] {
        var octets = try TextFile.read(path, maximum: 4096) { mode throws(CommandFailure) in
            guard mode & 0o007 == 0 else {
                throw CommandFailure(
                    status: .unreadable,
                    message: "\(path): others than its owner and group may open it, so it is no secret: chmod o= it")
            }
        }
        while octets.last == UInt8(ascii: "\n") || octets.last == UInt8(ascii: "\r") { octets.removeLast() }
        // RFC 6750 2.1
        let isToken = octets.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._~+/=".utf8.contains(octet)
            }
        }
        guard isToken, octets.count >= shortestToken else {
            throw CommandFailure(
                status: .unreadable,
                message: "\(path): a token is one line of at least \(shortestToken) letters, digits and -._~+/=; "
                    + "umask 077; head -c 32 /dev/urandom | base64 > FILE makes one")
        }
        return octets
    }

    /// A socket that listens, and where.
    struct Socket {
        var descriptor: Int32
        var place: Place
        /// For clinux_remove_socket.
        var guardDescriptor: Int32 = -1
    }

    func open(_ listen: Place) throws(CommandFailure) -> Socket {
        var socket = Socket(descriptor: -1, place: listen)
        switch listen {
        case .tcp(let endpoint):
            var port: UInt16 = 0
            socket.descriptor = unsafe clinux_listen_tcp(endpoint.address.description, endpoint.port, &port)
            socket.place = .tcp(Endpoint(endpoint.address, port))
        case .unix(let path): socket.descriptor = unsafe clinux_listen_unix(path, &socket.guardDescriptor)
        }
        guard socket.descriptor < 0 else { return socket }
        let reason =
            switch (-socket.descriptor, listen) {
            case (ENOTSOCK, .unix): "something is there that is no socket"
            case (EADDRINUSE, _): "another process serves there"
            case (let code, _): unsafe String(cString: strerror(code))
            }
        throw CommandFailure(status: .unreadable, message: "--listen \(listen): \(reason)")
    }

    /// A warning about where the service listens; nil for none.
    func warning(_ listen: Place) -> String? {
        guard case .tcp(let endpoint) = listen, ["0.0.0.0", "::"].contains(endpoint.address.description) else {
            return nil
        }
        return "--listen \(listen): this is every address of this machine: whoever reaches one of them "
            + (tokenFile == nil
                ? "sees who connects to whom. --token-file asks for a token, 127.0.0.1 is this machine only"
                : "may try tokens, and what is served crosses the network unencrypted")
    }
}
