/// A user's rules for the tunnels of a network: UDP ports that carry one, beside the ports that are known, and which
/// tunnels are looked into.
public struct TunnelRules: Sendable, BitwiseCopyable {
    /// More cannot be named: a decoder looks through them for each UDP datagram.
    public static let maximumCount = 8
    /// The tunnels that UDP carries.
    public static let tunnels: [Tunnel] = [
        .vxlan, .geneve, .teredo, .gtpU, .l2tp, .capwap, .ayiya, .mpls, .gre,
    ]

    private var ports = InlineArray<8, UInt16>(repeating: 0)
    private var kinds = InlineArray<8, UInt8>(repeating: 0)
    /// How many ports were given.
    public private(set) var count = 0

    /// The tunnels through IP networks that are looked into. Those between a link and its IP packet always are.
    public var lookedInto = Tunnels(Tunnel.crossingNetworks)

    /// No ports but the registered ones; every tunnel is looked into.
    public init() {}

    /// Whether all tunnels through IP networks among some are looked into.
    @inline(__always)
    func areLookedInto(_ crossed: Tunnels) -> Bool {
        crossed.intersection(Tunnels(Tunnel.crossingNetworks)).isSubset(of: lookedInto)
    }

    /// Names the tunnel of one more port.
    /// - Returns: false where UDP does not carry that tunnel, or there is no room.
    public mutating func add(_ tunnel: Tunnel, port: UInt16) -> Bool {
        guard count < TunnelRules.maximumCount, TunnelRules.tunnels.contains(tunnel) else { return false }
        ports[count] = port
        kinds[count] = tunnel.rawValue
        count += 1
        return true
    }

    /// The tunnel of a port; nil where none was named.
    public subscript(port: UInt16) -> Tunnel? {
        for index in 0..<count where ports[index] == port { return Tunnel(rawValue: kinds[index]) }
        return nil
    }
}
