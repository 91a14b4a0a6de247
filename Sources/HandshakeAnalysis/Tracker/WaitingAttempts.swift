package import PacketWire

/// Attempts that are not decided and have waited for a while: what a live run shows before silence is called a failure.
package struct WaitingAttempts: Sendable, Hashable {
    package struct Server: Sendable, Hashable {
        package let server: Endpoint
        package fileprivate(set) var attempts = 0
        package fileprivate(set) var syns = 0
        /// Attempts that had a SYN-ACK and no final ACK yet, and attempts that were refused and may still be tried
        /// again.
        package fileprivate(set) var answered = 0
        package fileprivate(set) var refused = 0
        /// Nanoseconds since the first SYN of the oldest.
        package fileprivate(set) var oldest: Int64 = 0

        /// What came so far, in words.
        package var state: String {
            var shards: [String] = []
            if attempts > answered + refused { shards.append("no answer yet") }
            if answered > 0 { shards.append("\(attempts == answered ? "" : "\(answered) ")SYN-ACK, no final ACK yet") }
            if refused > 0 { shards.append("\(attempts == refused ? "" : "\(refused) ")refused so far") }
            return shards.joined(separator: ", ")
        }
    }

    /// Silence is shown from this age on, refusals at once.
    package static let leastAge: Int64 = 3_000_000_000
    /// Lower ends of the ages that are counted apart, in seconds.
    package static let ages: [Int64] = [3, 10, 30]

    /// The most attempts first.
    package fileprivate(set) var servers: [Server] = []
    /// Attempts by age, one for each of `ages`.
    package fileprivate(set) var byAge = [Int](repeating: 0, count: WaitingAttempts.ages.count)
    /// Whether there are more that were not looked at.
    package fileprivate(set) var isPartial = false

    package init() {}
}

extension HandshakeTracker {
    /// Looks at the attempts that are open, those first that were not heard of for the longest.
    /// - Parameters:
    ///   - now: nanoseconds since the epoch.
    ///   - limit: of each shard's attempts so many at most.
    package mutating func waiting(now: Int64, limit: Int = 1024) -> WaitingAttempts {
        var waiting = WaitingAttempts()
        var servers: [Endpoint: WaitingAttempts.Server] = [:]
        for place in 0..<UInt8(shards.count) {
            var slot = shards[place].queues[.unfinished].head
            var left = limit
            while slot != 0, left > 0 {
                add(slot, now, &servers, &waiting)
                slot = attempts.entries[slot].queueNext
                left -= 1
            }
            if slot != 0 { waiting.isPartial = true }
        }
        waiting.servers = servers.values.sorted { a, b in
            a.attempts == b.attempts ? a.server < b.server : a.attempts > b.attempts
        }
        return waiting
    }

    private mutating func add(
        _ slot: UInt32, _ now: Int64, _ servers: inout [Endpoint: WaitingAttempts.Server],
        _ waiting: inout WaitingAttempts
    ) {
        let isDetailed = attempts.entries[slot].stage == .detailed
        let age = now &- (isDetailed ? attempts[slot].firstTime : attempts.entries[slot].firstTime)
        let server = isDetailed ? attempts[slot].server : attempts.ends(of: slot).server
        let isRefused = isDetailed && attempts[slot].refusalCount > 0
        let isAnswered =
            isDetailed ? attempts[slot].synAckCount > 0 : attempts.entries[slot].stage == .synReceived
        guard isRefused || age >= WaitingAttempts.leastAge, isDetailed || attempts.entries[slot].stage != .closed else {
            return
        }
        var known = servers[server] ?? WaitingAttempts.Server(server: server)
        known.attempts += 1
        known.syns += isDetailed ? Int(attempts[slot].synCount) : 1
        if isRefused { known.refused += 1 } else if isAnswered { known.answered += 1 }
        known.oldest = max(known.oldest, age)
        servers[server] = known
        if let place = WaitingAttempts.ages.lastIndex(where: { age >= $0 * 1_000_000_000 }) {
            waiting.byAge[place] += 1
        }
    }
}
