/// A field that something on the way changed, or may have.
package enum PathField: String, CaseIterable, Sendable {
    case clientAddress = "client-address"
    case clientPort = "client-port"
    case serverAddress = "server-address"
    case serverPort = "server-port"
    case clientISN = "client-isn"
    case serverISN = "server-isn"
    case mss
    case windowScale = "window-scale"
    case sackPermitted = "sack-permitted"
    case timestamps
    case timestampValues = "timestamp-values"
    case options
    case window
    case dscp
    case ecn
    case ecnFlags = "ecn-flags"

    /// In a sentence.
    package var words: String {
        switch self {
        case .clientAddress: "the client's address"
        case .clientPort: "the client's port"
        case .serverAddress: "the server's address"
        case .serverPort: "the server's port"
        case .clientISN: "the client's sequence numbers"
        case .serverISN: "the server's sequence numbers"
        case .mss: "the MSS"
        case .windowScale: "the window scale"
        case .sackPermitted: "SACK permitted"
        case .timestamps: "the timestamps option"
        case .timestampValues: "the timestamps' values"
        case .options: "the list of options"
        case .window: "the window"
        case .dscp: "the DSCP"
        case .ecn: "the ECN field"
        case .ecnFlags: "the flags ECE and CWR"
        }
    }

    /// Whether each connection has values of its own, so that a table of values would have a row for each.
    package var isIndividual: Bool {
        switch self {
        case .clientAddress, .clientPort, .clientISN, .serverISN, .timestampValues, .window: true
        default: false
        }
    }
}

/// What captures at several points say together of one attempt.
package struct PathFacts: Hashable, Sendable {
    /// Points that captured it, and all there are.
    package var points: Int
    package var allPoints: Int
    /// Whether a segment was lost between two points; nil where that cannot be told.
    package var isLost: Bool?
    /// Whether a point's capture lacks a segment that passed it.
    package var isNotCaptured: Bool
    /// Whether a proxy ends the client's handshake and begins another.
    package var isProxied: Bool
    /// Whether a RST, an ICMP error or a SYN-ACK was captured near the client, and not near the server.
    package var isAnsweredBetween: Bool
    /// Its outcome at the point nearest to the server.
    package var serverOutcome: Outcome
    /// Nanoseconds between the first point and the last, both ways together; nil where it is not known.
    package var between: Int64?
    /// Hops between them; nil where it is not known.
    package var hops: Int?
    /// Fields that differ between two points.
    package var changed: Set<PathField>

    package init(
        points: Int, allPoints: Int, isLost: Bool?, isNotCaptured: Bool, isProxied: Bool, isAnsweredBetween: Bool,
        serverOutcome: Outcome, between: Int64?, hops: Int?, changed: Set<PathField>
    ) {
        (self.points, self.allPoints, self.isLost) = (points, allPoints, isLost)
        (self.isNotCaptured, self.isProxied, self.isAnsweredBetween) = (isNotCaptured, isProxied, isAnsweredBetween)
        (self.serverOutcome, self.between, self.hops, self.changed) = (serverOutcome, between, hops, changed)
    }
}
