public import PacketWire

/// What many attempts together look like. Counts are kept for a bounded number of addresses (the busiest stay), so that a
/// flood from random sources costs no memory.
public struct TrafficPatterns: Sendable {
    public struct Pattern: Sendable, Hashable {
        public var code: FindingCode
        /// The server under a flood, the source of a scan, the victim whose backscatter this is.
        public var address: IPAddress
        /// The port under a flood; nil where the pattern is not about one.
        public var port: UInt16?
        /// Attempts, targets or segments, as the code says; a lower bound where more addresses were seen than are kept.
        public var count: Int
        /// Whether there may be more: no more are told apart.
        public var isLowerBound: Bool { code == .portScan && count >= FrequentTargets.most }
    }

    /// Below these a pattern is not named.
    public static let floodThreshold = 100
    public static let scanThreshold = 20
    public static let backscatterThreshold = 20

    private var unansweredAt: FrequentKeys<Endpoint>
    private var established = FrequencySketch()
    private var targets: FrequentTargets
    private var unasked: FrequentKeys<IPAddress>

    /// - Parameters:
    ///   - parts: among how many tuples are shared out, this being the patterns of one.
    ///   - seed: of the hashes; those of patterns that are added up must have the same.
    init(parts: Int, seed: UInt64) {
        unansweredAt = FrequentKeys(capacity: 1024)
        targets = FrequentTargets(capacity: parts > 1 ? 512 : 2048, pairs: (1 << 17) / parts, seed: seed)
        unasked = FrequentKeys(capacity: 1024)
    }

    /// What others are added to.
    init() {
        unansweredAt = FrequentKeys(capacity: 0)
        targets = FrequentTargets(capacity: 0, pairs: 0, seed: 0)
        unasked = FrequentKeys(capacity: 0)
    }

    /// Adds what was seen on other tuples.
    mutating func add(_ other: TrafficPatterns) {
        unansweredAt.add(other.unansweredAt)
        established.add(other.established)
        targets.add(other.targets)
        unasked.add(other.unasked)
    }

    mutating func unaskedReset(from source: IPAddress) { unasked.add(source) }

    mutating func established(at server: Endpoint) { established.add(server) }

    func prefetchEstablished(at server: Endpoint) { established.prefetch(server) }

    @inline(__always)
    mutating func unanswered(_ client: Endpoint, _ server: Endpoint) {
        unansweredAt.add(server)
        targets.add(client.address, server)
    }

    /// The same of IPv4.
    /// - Parameters:
    ///   - addresses: the client's in the upper half.
    ///   - port: the server's.
    @inline(__always)
    mutating func unanswered(v4 addresses: UInt64, _ port: UInt16) {
        let target = SingleTargetV4(addresses, port)
        unansweredAt.add(target.destination)
        targets.add(target)
    }

    mutating func decided(_ record: AttemptRecord) {
        switch record.outcome {
        case .halfOpen, .unanswered, .pending, .superseded:
            unanswered(record.client, record.server)
        // A scan is many targets that were not used: a browser opens many connections too, and uses them.
        case .refused, .resetByClient, .unreachable: targets.add(record.client.address, record.server)
        case .partial where record.has(.synackUnsolicited): unasked.add(record.server.address)
        default: break
        }
    }

    func findings() -> [Pattern] {
        var patterns: [Pattern] = []
        // A flood: many handshakes at one server left open, and more of those than completed ones.
        for (server, count) in unansweredAt.sorted where count >= TrafficPatterns.floodThreshold {
            if count > established.most(server) {
                patterns.append(Pattern(code: .synFlood, address: server.address, port: server.port, count: count))
            }
        }
        for (source, count) in targets.sorted where count >= TrafficPatterns.scanThreshold {
            patterns.append(Pattern(code: .portScan, address: source, port: nil, count: count))
        }
        for (victim, count) in unasked.sorted where count >= TrafficPatterns.backscatterThreshold {
            patterns.append(Pattern(code: .backscatter, address: victim, port: nil, count: count))
        }
        return patterns
    }
}
