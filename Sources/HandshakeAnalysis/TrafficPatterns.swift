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
    }

    /// Below these a pattern is not named.
    public static let floodThreshold = 100
    public static let scanThreshold = 20
    public static let backscatterThreshold = 20

    private var unansweredAt = TopCounts<Endpoint>(capacity: 1024)
    private var answeredAt = TopCounts<Endpoint>(capacity: 1024)
    private var targets = TopTargets(capacity: 1024)
    private var unasked = TopCounts<IPAddress>(capacity: 1024)

    mutating func unaskedReset(from source: IPAddress) { unasked.add(source) }

    mutating func established(at server: Endpoint) { answeredAt.add(server) }

    mutating func unanswered(_ client: Endpoint, _ server: Endpoint) {
        unansweredAt.add(server)
        targets.add(client.address, server)
    }

    mutating func decided(_ record: AttemptRecord) {
        switch record.outcome {
        case .halfOpen, .unanswered, .pending, .superseded:
            unanswered(record.client, record.server)
        // A scan is many targets that were not used: a browser opens many connections too, and uses them.
        case .refused, .resetByClient, .unreachable: targets.add(record.client.address, record.server)
        case .established: established(at: record.server)
        case .partial where record.has(.synackUnsolicited): unasked.add(record.server.address)
        default: break
        }
    }

    func findings() -> [Pattern] {
        var patterns: [Pattern] = []
        // A flood: many handshakes at one server left open, and more of those than completed ones.
        for (server, count) in unansweredAt.sorted where count >= TrafficPatterns.floodThreshold {
            if count > answeredAt[server] {
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

/// The most frequent keys of a stream, in bounded memory.
struct TopCounts<Key: Hashable & Comparable & Sendable>: Sendable {
    let capacity: Int
    private var counts: [Key: Int] = [:]

    init(capacity: Int) { self.capacity = capacity }

    subscript(key: Key) -> Int { counts[key] ?? 0 }

    mutating func add(_ key: Key) {
        counts[key, default: 0] += 1
        guard counts.count > capacity * 2 else { return }
        // Halve: cheap on average, and what is frequent stays. The order of equals is the keys' own.
        let kept = sorted.prefix(capacity)
        counts = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.count) })
    }

    /// Most frequent first.
    var sorted: [(key: Key, count: Int)] {
        counts.map { (key: $0.key, count: $0.value) }.sorted { ($1.count, $0.key) < ($0.count, $1.key) }
    }
}

/// For each of a bounded number of sources, how many distinct destinations it tried (at most 256 are told apart).
struct TopTargets: Sendable {
    let capacity: Int
    private var destinations: [IPAddress: Set<Endpoint>] = [:]
    static let most = 256

    init(capacity: Int) { self.capacity = capacity }

    mutating func add(_ source: IPAddress, _ destination: Endpoint) {
        if destinations[source, default: []].count < TopTargets.most {
            destinations[source, default: []].insert(destination)
        }
        guard destinations.count > capacity * 2 else { return }
        let kept = Set(sorted.prefix(capacity).map(\.key))
        destinations = destinations.filter { kept.contains($0.key) }
    }

    var sorted: [(key: IPAddress, count: Int)] {
        destinations.map { (key: $0.key, count: $0.value.count) }.sorted { ($1.count, $0.key) < ($0.count, $1.key) }
    }
}
