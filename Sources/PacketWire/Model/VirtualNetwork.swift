/// The virtual network of a tunnelled segment. Part of a connection's key (addresses may repeat between networks).
public struct VirtualNetwork: Hashable, Sendable, BitwiseCopyable {
    @frozen public enum Kind: UInt8, Sendable, BitwiseCopyable { case none = 0, vxlan, geneve, nvgre }
    public var kind: Kind
    public var id: UInt32
    public static let none = VirtualNetwork(kind: .none, id: 0)
    @inlinable @inline(__always)
    public init(kind: Kind, id: UInt32) {
        self.kind = kind
        self.id = id
    }

    @inlinable @inline(__always)
    public static func == (a: VirtualNetwork, b: VirtualNetwork) -> Bool {
        a.id == b.id && a.kind.rawValue == b.kind.rawValue
    }
}
