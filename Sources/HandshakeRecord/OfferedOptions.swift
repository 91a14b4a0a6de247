/// The options that one side sent in its SYN or SYN-ACK, and the frame that they were read from.
public struct OfferedOptions: Sendable, Hashable {
    /// The shift count as sent; nil where absent or unknown.
    public var windowScale: UInt8?
    /// Nil where unknown, as below.
    public var sackPermitted: Bool?
    /// Whether timestamps were offered (RFC 7323); null where the options were cut.
    public var timestamps: Bool?
    /// `request`, `cookie` or nil.
    public var fastOpen: String?
    /// `capable`, `join`, the subtype's number, or nil.
    public var mptcp: String?
    /// RFC 8684 section 3, the first ones.
    package static let multipathSubtypes = ["capable", "join"]
    /// RFC 3168: a SYN with ECE and CWR, a SYN-ACK with ECE alone.
    public var ecn: Bool?
    /// RFC 9768: a SYN with AE, CWR and ECE, or an answer that says so.
    public var accurateECN: Bool?
    /// Number of the frame that they were taken from.
    public var fromFrame: UInt64

    package init(fromFrame: UInt64) { self.fromFrame = fromFrame }
}
