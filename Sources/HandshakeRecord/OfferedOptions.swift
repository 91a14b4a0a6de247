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

    /// A value that JSON and expressions have of each side.
    package struct Entry: Sendable {
        package enum Reader: Sendable {
            case number(@Sendable (OfferedOptions) -> Int?)
            case truth(@Sendable (OfferedOptions) -> Bool?)
            /// One of some words, and the noun for these.
            case word(noun: String, words: [String], @Sendable (OfferedOptions) -> String?)
        }

        package let name: String
        /// In words, behind "the client's" or "the server's".
        package let summary: String
        package let reader: Reader

        fileprivate init(_ name: String, _ summary: String, _ reader: Reader) {
            (self.name, self.summary, self.reader) = (name, summary, reader)
        }
    }

    /// In the order of JSON.
    package static let entries = [
        Entry("window_scale", "window shift count", .number { $0.windowScale.map { Int($0) } }),
        Entry("sack_permitted", "leave to acknowledge selectively (SACK)", .truth { $0.sackPermitted }),
        Entry("timestamps", "offer of timestamps", .truth { $0.timestamps }),
        Entry(
            "fast_open", "Fast Open option",
            .word(noun: "Fast Open option", words: ["request", "cookie"]) { $0.fastOpen }),
        Entry(
            "mptcp", "MPTCP option",
            .word(noun: "MPTCP subtype", words: multipathSubtypes + (multipathSubtypes.count..<16).map(String.init)) {
                $0.mptcp
            }),
        Entry("ecn", "offer or acceptance of ECN (RFC 3168)", .truth { $0.ecn }),
        Entry("accurate_ecn", "offer or acceptance of Accurate ECN (RFC 9768)", .truth { $0.accurateECN }),
    ]
}
