package import PacketWire

/// Attempts that are not decided and have waited for a while: what a live run shows before silence is called a failure.
package struct WaitingAttempts: Sendable, Hashable {
    package struct Server: Sendable, Hashable {
        package let server: Endpoint
        package var attempts = 0
        package var syns = 0
        /// Attempts that had a SYN-ACK and no final ACK yet, and attempts that were refused and may still be tried
        /// again.
        package var answered = 0
        package var refused = 0
        /// Nanoseconds since the first SYN of the oldest.
        package var oldest: Int64 = 0

        package init(server: Endpoint) { self.server = server }

        /// The answers so far, in words.
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
    package var servers: [Server] = []
    /// Attempts by age, one for each of `ages`.
    package var byAge = [Int](repeating: 0, count: WaitingAttempts.ages.count)
    /// Whether there are more that were not looked at.
    package var isPartial = false

    package init() {}
}
