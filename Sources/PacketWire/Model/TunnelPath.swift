/// A tunnel through an IP network: its kind and its two ends, in no order. Ports, keys and virtual networks are no
/// part of it, since they differ by direction.
///
/// Whoever can send a packet to one end can make up what is inside: what came in it says less than what came plain.
public struct Carrier: Hashable, Sendable, CustomStringConvertible {
    /// The tunnel's kind.
    public let tunnel: Tunnel
    /// The lower of the two outer addresses, and the higher.
    public let low: IPAddress
    /// The higher of its outer addresses.
    public let high: IPAddress

    /// A kind and both outer addresses, in any order.
    public init(_ tunnel: Tunnel, _ a: IPAddress, _ b: IPAddress) {
        self.tunnel = tunnel
        (low, high) = b < a ? (b, a) : (a, b)
    }

    /// `gre 192.0.2.1 - 192.0.2.2`.
    public var description: String { "\(tunnel.name) \(low) - \(high)" }
}

/// The encapsulations around the innermost IP packet, outermost first, with their identifiers, and the addresses of the
/// outermost IP packet where there is more than one. All of it may differ by direction; none of it is part of a
/// connection's key but what `VirtualNetwork` holds.
public struct TunnelPath: Hashable, Sendable, BitwiseCopyable {
    /// One encapsulation.
    public struct Layer: Hashable, Sendable, BitwiseCopyable {
        /// The layer's kind.
        public var tunnel: Tunnel
        /// A key, label, session or the like (`Tunnel.identifierName`); nil where the header has none.
        public var id: UInt32?

        /// A layer, with its identifier if it has one.
        public init(_ tunnel: Tunnel, id: UInt32? = nil) {
            self.tunnel = tunnel
            self.id = id
        }
    }

    /// Layers beyond so many are not listed.
    public static let maximumLayers = 6

    // Flat, since every segment has one: an octet a layer (0x80: it is there, 0x40: it has an identifier), four octets
    // an identifier.
    private var kinds: UInt64 = 0
    private var identifiers: (UInt64, UInt64, UInt64) = (0, 0, 0)
    private var sourceHigh: UInt64 = 0
    private var sourceLow: UInt64 = 0
    private var destinationHigh: UInt64 = 0
    private var destinationLow: UInt64 = 0

    /// No tunnel.
    @inline(__always) public init() {}

    /// Layers, outermost first, and the addresses around them. More layers than it holds are left out.
    public init(_ layers: [Layer], outer: (source: IPAddress, destination: IPAddress)? = nil) {
        for layer in layers { append(layer.tunnel, id: layer.id) }
        if let outer { setOuter(outer.source, outer.destination) }
    }

    /// Whether it came in no tunnel.
    @inline(__always) public var isEmpty: Bool { kinds == 0 }

    private var count: Int {
        (0..<TunnelPath.maximumLayers).first { kinds >> UInt64(8 * $0) & 0x80 == 0 } ?? TunnelPath.maximumLayers
    }

    mutating func append(_ tunnel: Tunnel, id: UInt32?) {
        let position = count
        guard position < TunnelPath.maximumLayers else { return }
        kinds |= UInt64(0x80 | (id == nil ? 0 : 0x40) | tunnel.rawValue) << UInt64(8 * position)
        let bits = UInt64(id ?? 0) << (position % 2 == 0 ? 0 : 32)
        switch position / 2 {
        case 0: identifiers.0 |= bits
        case 1: identifiers.1 |= bits
        default: identifiers.2 |= bits
        }
    }

    /// Sets the outer addresses, unless they are set.
    mutating func setOuter(_ source: IPAddress, _ destination: IPAddress) {
        guard kinds >> 56 == 0 else { return }
        kinds |= UInt64(source.version.rawValue) << 56
        (sourceHigh, sourceLow) = (source.high, source.low)
        (destinationHigh, destinationLow) = (destination.high, destination.low)
    }

    /// The layers, outermost first.
    public var layers: [Layer] {
        (0..<count).compactMap { position in
            let kind = UInt8(truncatingIfNeeded: kinds >> UInt64(8 * position))
            let pair = position / 2 == 0 ? identifiers.0 : position / 2 == 1 ? identifiers.1 : identifiers.2
            let id = UInt32(truncatingIfNeeded: pair >> (position % 2 == 0 ? 0 : 32))
            return Tunnel(rawValue: kind & 0x3f).map { Layer($0, id: kind & 0x40 == 0 ? nil : id) }
        }
    }

    /// Source and destination of the outermost IP packet that carried another one; nil where there was none.
    public var outer: (source: IPAddress, destination: IPAddress)? {
        switch kinds >> 56 {
        case 4:
            (
                IPAddress(v4: UInt32(truncatingIfNeeded: sourceLow)),
                IPAddress(v4: UInt32(truncatingIfNeeded: destinationLow))
            )
        case 6: (IPAddress(v6High: sourceHigh, low: sourceLow), IPAddress(v6High: destinationHigh, low: destinationLow))
        default: nil
        }
    }

    /// The tunnel that crosses the IP network; nil where the segment came plain, or in link layers only.
    public var carrier: Carrier? {
        guard let outer else { return nil }
        let layers = layers
        let tunnel = layers.first { Tunnel.crossingNetworks.contains($0.tunnel) } ?? layers.first
        return tunnel.map { Carrier($0.tunnel, outer.source, outer.destination) }
    }

    /// Whether both have the same layers, identifiers and outer addresses.
    public static func == (a: TunnelPath, b: TunnelPath) -> Bool {
        a.kinds == b.kinds && a.identifiers == b.identifiers && a.sourceHigh == b.sourceHigh
            && a.sourceLow == b.sourceLow
            && a.destinationHigh == b.destinationHigh && a.destinationLow == b.destinationLow
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        for word in [
            kinds, identifiers.0, identifiers.1, identifiers.2, sourceHigh, sourceLow, destinationHigh, destinationLow,
        ] {
            hasher.combine(word)
        }
    }
}
