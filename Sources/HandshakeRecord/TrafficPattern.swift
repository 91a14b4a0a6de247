public import PacketWire

/// A pattern of many attempts: a flood, a scan, backscatter.
public struct TrafficPattern: Sendable, Hashable {
    /// `synFlood`, `portScan` or `backscatter`.
    public var code: FindingCode
    /// The server under a flood, the source of a scan, the victim whose backscatter this is.
    public var address: IPAddress
    /// The port under a flood; nil where the pattern is not about one.
    public var port: UInt16?
    /// Attempts, targets or segments, as the code says; a lower bound where more addresses were seen than are kept.
    public var count: Int
    /// When the first and the last of them began, in nanoseconds since the epoch; nil where that is not known.
    public var window: ClosedRange<Int64>?
    /// A second, over that time; nil where it is none.
    public var rate: Double? {
        guard let window, window.upperBound > window.lowerBound else { return nil }
        return Double(count) * 1e9 / Double(window.upperBound &- window.lowerBound)
    }
    /// Connections of a flooded server that were established, at most: others may share their counter. Nil of other
    /// patterns: established connections are not counted by their clients.
    public var established: Int?
    /// Whether the count reached its bound: there may be more.
    public var isLowerBound: Bool

    /// Below these a pattern is not named.
    public static let floodThreshold = 100
    /// Targets from which on a source scans.
    public static let scanThreshold = 20
    /// Recipients from which on answers are backscatter.
    public static let backscatterThreshold = 20

    package init(
        code: FindingCode, address: IPAddress, port: UInt16?, count: Int, window: ClosedRange<Int64>?,
        established: Int?, isLowerBound: Bool
    ) {
        (self.code, self.address, self.port, self.count) = (code, address, port, count)
        (self.window, self.established, self.isLowerBound) = (window, established, isLowerBound)
    }
}
