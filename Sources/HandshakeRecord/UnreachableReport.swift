public import PacketWire

/// An ICMP error that quoted the attempt's SYN.
public struct UnreachableReport: Sendable, Hashable {
    public var type: UInt8
    public var code: UInt8
    public var severity: ICMPError.Severity
    public var reporter: IPAddress
    public var frame: UInt64

    package init(type: UInt8, code: UInt8, severity: ICMPError.Severity, reporter: IPAddress, frame: UInt64) {
        (self.type, self.code, self.severity) = (type, code, severity)
        (self.reporter, self.frame) = (reporter, frame)
    }
}
