import PacketWire

/// The tuple: both endpoints, the lower first. What else tells connections apart is in the attempt: x, and the virtual
/// network of each direction (asymmetric routing gives them different ones, so neither can be part of the key). VLAN
/// tags, MPLS labels and outer addresses are no part of a connection's identity.
struct ConnectionKey: Equatable, BitwiseCopyable {
    var low: Endpoint
    var high: Endpoint

    @inline(__always)
    init(_ a: Endpoint, _ b: Endpoint) { (low, high) = b < a ? (b, a) : (a, b) }
}
