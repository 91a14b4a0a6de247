public import PacketWire

/// A server and the attempts at it that came to no connection. Counts are lower bounds where more servers were seen
/// than are kept.
public struct TroubledServer: Sendable, Hashable {
    /// Address and port.
    public var server: Endpoint
    /// Attempts that were left open, unanswered or superseded, and those that failed otherwise.
    public var unanswered: Int
    /// Attempts that failed.
    public var failed: Int
    /// Connections that were established, at most: others may share their counter.
    public var established: Int
    /// When the first and the last of those that failed began, in nanoseconds since the epoch.
    public var window: ClosedRange<Int64>?

    package init(
        server: Endpoint, unanswered: Int, failed: Int, established: Int, window: ClosedRange<Int64>?
    ) {
        (self.server, self.unanswered, self.failed) = (server, unanswered, failed)
        (self.established, self.window) = (established, window)
    }
}
