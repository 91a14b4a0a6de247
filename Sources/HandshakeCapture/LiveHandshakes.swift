public import HandshakeRecord

/// The attempts of an interface, as they are decided, until `stop()`.
///
/// ```swift
/// let live = try LiveHandshakes(on: "eth0", filter: "tcp port 443")
/// for await attempt in live where attempt.outcome.isFailure { print(attempt.server, attempt.outcome) }
/// ```
///
/// It needs the right to capture (CAP_NET_RAW, or root). A thread captures and analyses from its making on. Attempts
/// that nobody has taken wait in memory.
public final class LiveHandshakes: AsyncSequence, Sendable {
    private let session: LiveSession

    /// - Parameters:
    ///   - interface: its name, as `lo`; `any` stands for all.
    ///   - filter: an expression of pcap-filter(7).
    /// - Throws: `HandshakesError` where capturing is not possible.
    public init(on interface: String, filter: String? = nil) throws {
        session = try LiveSession(interface, filter, keepsAttempts: false)
    }

    deinit { session.stop() }

    /// Ends the capture. What the kernel still holds is analysed, what is open is decided, and the sequence ends.
    /// - Returns: the totals, and the frames that the kernel or the interface dropped.
    public func stop() async -> (summary: HandshakeSummary, dropped: UInt64) {
        let all = await session.end()
        return (all.summary, all.dropped)
    }

    /// Several iterators share the attempts out among them.
    public func makeAsyncIterator() -> AsyncStream<AttemptRecord>.Iterator { session.decided.makeAsyncIterator() }
}
