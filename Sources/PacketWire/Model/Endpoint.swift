/// One end of a connection (RFC 9293 calls it a socket): an address and a port.
public struct Endpoint: Hashable, Sendable, Comparable, BitwiseCopyable {
    /// The IPv4 or IPv6 address.
    public var address: IPAddress
    /// The TCP port.
    public var port: UInt16

    /// An address with a port.
    @inlinable @inline(__always)
    public init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Whether both have the same address and port.
    @inlinable @inline(__always)
    public static func == (a: Endpoint, b: Endpoint) -> Bool { a.port == b.port && a.address == b.address }

    /// By address, then port.
    @inlinable @inline(__always)
    public static func < (a: Endpoint, b: Endpoint) -> Bool {
        a.address == b.address ? a.port < b.port : a.address < b.address
    }

    /// `192.0.2.1:443` or `[2001:db8::1]:443`.
    public var description: String { address.version == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}

extension Endpoint: LosslessStringConvertible {
    /// Reads `192.0.2.1:443` or `[2001:db8::1]:443`; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        let isBracketed = text.hasPrefix("[") && text[..<colon].hasSuffix("]")
        let host = isBracketed ? text[..<colon].dropFirst().dropLast() : text[..<colon]
        guard let address = IPAddress(String(host)), isBracketed == (address.version == .v6) else { return nil }
        self.init(address, port)
    }
}
