import HandshakeRecord
import PacketWire

/// Floods, scans and backscatter: patterns of many attempts. Counts are kept for a bounded number of addresses (the
/// busiest stay), so that a flood from random sources costs no memory.
struct TrafficPatterns: Sendable {
    private var unansweredAt: FrequentKeys<Endpoint>
    /// Servers at which attempts failed otherwise: refused, reset, unreachable.
    private var failedAt = FrequentKeys<Endpoint>(capacity: 1024)
    private var established = FrequencySketch()
    private var targets: FrequentTargets
    private var unasked: FrequentKeys<IPAddress>

    /// - Parameters:
    ///   - shards: among how many tuples are shared out, this being the patterns of one.
    ///   - seed: of the hashes; those of patterns that are added up must have the same.
    init(shards: Int, seed: UInt64) {
        unansweredAt = FrequentKeys(capacity: 1024)
        targets = FrequentTargets(capacity: shards > 1 ? 512 : 2048, pairs: (1 << 17) / shards, seed: seed)
        unasked = FrequentKeys(capacity: 1024)
    }

    /// The sum that others are added to.
    init() {
        unansweredAt = FrequentKeys(capacity: 0)
        targets = FrequentTargets(capacity: 0, pairs: 0, seed: 0)
        unasked = FrequentKeys(capacity: 0)
        failedAt = FrequentKeys(capacity: 0)
    }

    /// Adds what was seen on other tuples.
    mutating func add(_ other: TrafficPatterns) {
        unansweredAt.add(other.unansweredAt)
        failedAt.add(other.failedAt)
        established.add(other.established)
        targets.add(other.targets)
        unasked.add(other.unasked)
    }

    mutating func unaskedReset(from source: IPAddress, at time: Int64) { unasked.add(source, at: time) }

    mutating func established(at server: Endpoint) { established.add(server) }

    func prefetchEstablished(at server: Endpoint) { established.prefetch(server) }

    @inline(__always)
    mutating func unanswered(_ client: Endpoint, _ server: Endpoint, at time: Int64) {
        unansweredAt.add(server, at: time)
        targets.add(client.address, server, at: time)
    }

    /// The same of IPv4.
    /// - Parameters:
    ///   - addresses: the client's in the upper half.
    ///   - port: the server's.
    @inline(__always)
    mutating func unanswered(v4 addresses: UInt64, _ port: UInt16, at time: Int64) {
        let target = SingleTargetV4(addresses, port)
        unansweredAt.add(target.destination, at: time)
        targets.add(target, at: time)
    }

    mutating func decided(_ record: AttemptRecord) {
        switch record.outcome {
        case .halfOpen, .unanswered, .pending, .superseded:
            unanswered(record.client, record.server, at: record.firstTime)
        // A scan is many targets that were not used: a browser opens many connections too, and uses them.
        case .refused, .resetByClient, .unreachable:
            targets.add(record.client.address, record.server, at: record.firstTime)
            failedAt.add(record.server, at: record.firstTime)
        case .resetByServer, .challenged, .invalid, .stale: failedAt.add(record.server, at: record.firstTime)
        case .partial where record.has(.synackUnsolicited): unasked.add(record.server.address, at: record.firstTime)
        default: break
        }
    }

    /// The servers with the most attempts that came to no connection, the worst first.
    func troubledServers(_ maximum: Int) -> [TroubledServer] {
        var all: [Endpoint: (unanswered: Int, failed: Int, window: TimeWindow)] = [:]
        for (server, count, window) in unansweredAt.sorted { all[server] = (count, 0, window) }
        for (server, count, window) in failedAt.sorted {
            all[server, default: (0, 0, TimeWindow())].failed += count
            all[server, default: (0, 0, TimeWindow())].window.add(window)
        }
        return all.sorted { a, b in
            let (one, other) = (a.value.unanswered + a.value.failed, b.value.unanswered + b.value.failed)
            return one == other ? a.key < b.key : one > other
        }.prefix(maximum).map { server, value in
            TroubledServer(
                server: server, unanswered: value.unanswered, failed: value.failed,
                established: established.upperBound(of: server), window: value.window.range)
        }
    }

    func findings() -> [TrafficPattern] {
        var patterns: [TrafficPattern] = []
        func add(
            _ code: FindingCode, _ address: IPAddress, _ port: UInt16?, _ count: Int, _ window: TimeWindow,
            established: Int? = nil
        ) {
            patterns.append(
                TrafficPattern(
                    code: code, address: address, port: port, count: count, window: window.range,
                    established: established,
                    // No more targets of one source are told apart.
                    isLowerBound: code == .portScan && count >= FrequentTargets.maximumTargets))
        }
        // A flood: many handshakes at one server left open, and more of those than completed ones.
        for (server, count, window) in unansweredAt.sorted where count >= TrafficPattern.floodThreshold {
            let completed = established.upperBound(of: server)
            if count > completed {
                add(.synFlood, server.address, server.port, count, window, established: completed)
            }
        }
        for (source, count, window) in targets.sorted where count >= TrafficPattern.scanThreshold {
            add(.portScan, source, nil, count, window)
        }
        for (victim, count, window) in unasked.sorted where count >= TrafficPattern.backscatterThreshold {
            add(.backscatter, victim, nil, count, window)
        }
        return patterns
    }
}
