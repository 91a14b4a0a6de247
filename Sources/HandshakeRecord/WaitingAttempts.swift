package import PacketWire

/// Attempts that are not decided and have waited for a while: what a live run shows before silence is called a failure.
package struct WaitingAttempts: Sendable, Hashable {
    package struct Server: Sendable, Hashable {
        package let server: Endpoint
        package var attempts = 0
        package var syns = 0
        /// Attempts that had a SYN-ACK and no final ACK yet.
        package var answered = 0
        /// Attempts that were refused and may still be tried again.
        package var refused = 0
        /// Attempts that the server reset behind its SYN-ACK, or that an ICMP error ended. They may still be tried
        /// again.
        package var rejected = 0
        /// Nanoseconds since the first SYN of the oldest.
        package var oldest: Int64 = 0

        package init(server: Endpoint) { self.server = server }

        /// The answers so far, in words.
        package var state: String {
            var parts: [String] = []
            func add(_ count: Int, _ words: String) {
                if count > 0 { parts.append(count == attempts ? words : "\(count) \(words)") }
            }
            if attempts > answered + refused + rejected { parts.append("no answer yet") }
            add(answered, "SYN-ACK, no final ACK yet")
            add(refused, "refused so far")
            add(rejected, "reset or rejected so far")
            return parts.joined(separator: ", ")
        }
    }

    /// Silence is shown from this age on, refusals and rejections at once.
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
