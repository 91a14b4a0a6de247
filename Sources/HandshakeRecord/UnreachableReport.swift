public import PacketWire

/// An ICMP error that quoted the attempt's SYN.
public struct UnreachableReport: Sendable, Hashable {
    /// The ICMP type.
    public var type: UInt8
    /// The ICMP code.
    public var code: UInt8
    /// How it bears on the attempt.
    public var severity: ICMPError.Severity
    /// Who sent the error.
    public var reporter: IPAddress
    /// The number of its frame.
    public var frame: UInt64

    package init(type: UInt8, code: UInt8, severity: ICMPError.Severity, reporter: IPAddress, frame: UInt64) {
        (self.type, self.code, self.severity) = (type, code, severity)
        (self.reporter, self.frame) = (reporter, frame)
    }
}
