/// A frame whose headers contradict themselves.
public struct Malformation: Hashable, Sendable, CustomStringConvertible {
    /// The header that is malformed.
    public enum Layer: UInt8, CaseIterable, Sendable {
        /// The layers, outermost first, and ICMP.
        case link, vlan, ipv4, ipv6, tcp, icmp, tunnel
        /// The layer's name in messages and JSON.
        public var name: String { "\(self)" }
    }

    /// The length that was the limit.
    public enum Limit: UInt8, CaseIterable, Sendable {
        /// Fewer octets on the wire than the layer's fixed header.
        case frameLength
        /// The header's own length field is below the fixed header's size.
        case headerLength
        /// The header is longer than the packet around it says there is.
        case enclosingLength
        /// The length field claims more than the frame had on the wire.
        case totalLength
        /// The version field is not the layer's.
        case version

        /// The limit's name in messages and JSON.
        public var name: String {
            switch self {
            case .frameLength: "frame-length"
            case .headerLength: "header-length"
            case .enclosingLength: "enclosing-length"
            case .totalLength: "total-length"
            case .version: "version"
            }
        }
    }

    /// The layer whose header it is.
    public var layer: Layer
    /// Octets from the start of the frame to the layer's header.
    public var offset: Int
    /// The limit that it broke.
    public var limit: Limit

    /// A malformation of a header that begins at `offset` octets of the frame.
    public init(layer: Layer, offset: Int, limit: Limit) {
        self.layer = layer
        self.offset = offset
        self.limit = limit
    }

    /// The stable name in reports: `ipv4-total-length`.
    public var name: String { "\(layer.name)-\(limit.name)" }
    /// For messages: what, and where.
    public var description: String { "\(name) at offset \(offset)" }
}
