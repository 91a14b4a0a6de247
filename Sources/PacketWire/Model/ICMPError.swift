/// An ICMP or ICMPv6 error and the TCP segment that it quotes (RFC 792, RFC 4443 section 3).
public struct ICMPError: Hashable, Sendable {
    /// Who sent the error.
    public var reporter: IPAddress
    /// The ICMP type.
    public var type: UInt8
    /// The ICMP code.
    public var code: UInt8
    /// Sender and receiver of the quoted segment.
    public var source: Endpoint
    /// Destination of the quoted segment.
    public var destination: Endpoint
    /// SEG.SEQ of the quoted segment; nil where the quote ends before it.
    public var seq: UInt32?
    /// The virtual network in which the error came.
    public var network = VirtualNetwork.none
    /// How the error was carried.
    public var path = TunnelPath()

    /// An ICMP error that quotes a segment.
    public init(
        reporter: IPAddress, type: UInt8, code: UInt8, source: Endpoint, destination: Endpoint, seq: UInt32? = nil,
        network: VirtualNetwork = .none
    ) {
        self.reporter = reporter
        self.type = type
        self.code = code
        self.source = source
        self.destination = destination
        self.seq = seq
        self.network = network
    }

    /// The error's severity for a connection attempt (RFC 1122 4.2.3.9, RFC 5461).
    public enum Severity: String, CaseIterable, Sendable { case hard, admin, soft, pmtu }

    /// The codes of a type whose messages are errors that quote a packet (IANA's registries); nil for other types.
    /// Source quench is no error to TCP: it is silently discarded (RFC 9293 3.9.2.2, MUST-55).
    package static func codes(ofErrors type: UInt8, _ version: IPAddress.Version) -> ClosedRange<UInt8>? {
        switch (version, type) {
        case (.v4, 3): 0...15
        case (.v4, 11): 0...1
        case (.v4, 12): 0...2
        case (.v6, 1): 0...8
        case (.v6, 2): 0...0
        case (.v6, 3): 0...1
        case (.v6, 4): 0...10
        default: nil
        }
    }

    /// How it bears on a connection attempt (RFC 1122 4.2.3.9, RFC 5461).
    public var severity: Severity {
        switch (source.address.version, type, code) {
        case (.v4, 3, 2), (.v4, 3, 3), (.v6, 1, 1), (.v6, 1, 4): .hard
        case (.v4, 3, 9), (.v4, 3, 10), (.v4, 3, 13): .admin
        case (.v4, 3, 4), (.v6, 2, _): .pmtu
        default: .soft
        }
    }
}
