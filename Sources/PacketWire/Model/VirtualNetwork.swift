/// The virtual network of a tunnelled segment. Part of a connection's key (addresses may repeat between networks).
public struct VirtualNetwork: Hashable, Sendable, BitwiseCopyable {
    /// The encapsulation that has the identifier.
    /// The encapsulation.
    @frozen public enum Kind: UInt8, Sendable, BitwiseCopyable { case none = 0, vxlan, geneve, nvgre }
    public var kind: Kind
    /// The 24-bit identifier: VNI, or the VSID of NVGRE.
    public var id: UInt32
    /// No virtual network.
    public static let none = VirtualNetwork(kind: .none, id: 0)
    /// A network by its encapsulation and identifier.
    @inlinable @inline(__always)
    public init(kind: Kind, id: UInt32) {
        self.kind = kind
        self.id = id
    }

    /// Whether both have the same kind and identifier.
    @inlinable @inline(__always)
    public static func == (a: VirtualNetwork, b: VirtualNetwork) -> Bool {
        a.id == b.id && a.kind.rawValue == b.kind.rawValue
    }
}
