/// UDP ports that carry a tunnel, beside the ports that are known: what a user says of a network.
public struct TunnelPorts: Sendable, BitwiseCopyable {
    /// More cannot be named: a decoder looks through them for each UDP datagram.
    public static let maximumCount = 8
    /// The tunnels that UDP carries.
    public static let tunnels: [Tunnel] = [
        .vxlan, .geneve, .teredo, .gtpU, .l2tp, .capwap, .ayiya, .mpls, .gre,
    ]

    private var ports = InlineArray<8, UInt16>(repeating: 0)
    private var kinds = InlineArray<8, UInt8>(repeating: 0)
    public private(set) var count = 0

    public init() {}

    /// Names the tunnel of one more port.
    /// - Returns: false where UDP does not carry that tunnel, or there is no room.
    public mutating func add(_ tunnel: Tunnel, port: UInt16) -> Bool {
        guard count < TunnelPorts.maximumCount, TunnelPorts.tunnels.contains(tunnel) else { return false }
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
