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

/// One kind of encapsulation.
public enum Tunnel: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case ipInIP = 0, gre, vxlan, geneve, mpls, pppoe, ah, erspan, gtpU, l2tp, teredo, nsh, macsec, pseudowire, etherIP
    case metadata, fabricPath, providerBackbone, vnTag, eTag, hsr, trill, eoip, capwap, ayiya

    /// The stable name in reports.
    public var name: String {
        switch self {
        case .ipInIP: "ip-in-ip"
        case .gre: "gre"
        case .vxlan: "vxlan"
        case .geneve: "geneve"
        case .mpls: "mpls"
        case .pppoe: "pppoe"
        case .ah: "ah"
        case .erspan: "erspan"
        case .gtpU: "gtp-u"
        case .l2tp: "l2tp"
        case .teredo: "teredo"
        case .nsh: "nsh"
        case .macsec: "macsec"
        case .pseudowire: "pseudowire"
        case .etherIP: "etherip"
        case .metadata: "cmd"
        case .fabricPath: "fabricpath"
        case .providerBackbone: "pbb"
        case .vnTag: "vn-tag"
        case .eTag: "e-tag"
        case .hsr: "hsr"
        case .trill: "trill"
        case .eoip: "eoip"
        case .capwap: "capwap"
        case .ayiya: "ayiya"
        }
    }

    /// What a layer's identifier is, in the words of its standard; nil where it has none.
    public var identifierName: String? {
        switch self {
        case .gre: "key"
        case .vxlan, .geneve: "vni"
        case .mpls: "label"
        case .pppoe, .erspan, .l2tp: "session"
        case .ah: "spi"
        case .gtpU: "teid"
        case .nsh: "path"
        case .macsec: "association"
        case .metadata: "sgt"
        case .fabricPath: "ftag"
        case .providerBackbone: "isid"
        case .vnTag: "vif"
        case .eTag: "ecid"
        case .trill: "nickname"
        case .eoip: "tunnel"
        case .capwap: "radio"
        case .ipInIP, .teredo, .pseudowire, .etherIP, .hsr, .ayiya: nil
        }
    }

    /// What is decoded of it, and its standard.
    package var summary: String {
        switch self {
        case .ipInIP: "IPv4 or IPv6 in either (RFC 2003, RFC 2473), 6in4 and 6to4 (RFC 4213)"
        case .gre:
            """
            GRE with checksum, key and sequence number (RFC 2784, RFC 2890), NVGRE (RFC 7637), WCCP, \
            PPTP's (RFC 2637), Aruba's with Wi-Fi inside (protocols 0x8200 to 0x8370), over UDP (RFC 8086)
            """
        case .vxlan:
            """
            VXLAN (RFC 7348) on UDP ports 4789 and 8472, VXLAN-GPE on 4790; VXLAN on other ports where the headers \
            inside prove it
            """
        case .geneve:
            "Geneve (RFC 8926) on UDP port 6081; on other ports where the headers inside prove it"
        case .mpls: "MPLS label stacks (RFC 3032) on Ethernet and PPP, in GRE, IP (RFC 4023) and UDP (RFC 7510)"
        case .pppoe: "PPPoE sessions (RFC 2516)"
        case .ah: "IPsec's authentication header (RFC 4302)"
        case .erspan: "ERSPAN types I, II and III"
        case .gtpU: "GTP-U version 1 with extension headers (3GPP TS 29.281) on UDP port 2152"
        case .l2tp:
            "L2TPv2 data (RFC 2661) on UDP port 1701; L2TPv3 (RFC 3931) where IP or Ethernet with IP is found in it"
        case .teredo:
            """
            Teredo with authentication and origin (RFC 4380) on UDP port 3544; on other ports where the headers inside \
            prove it
            """
        case .nsh: "NSH (RFC 8300) on Ethernet, in GRE and VXLAN-GPE"
        case .macsec: "MACsec without encryption (IEEE 802.1AE)"
        case .pseudowire: "Ethernet over MPLS, with or without a control word (RFC 4448)"
        case .etherIP: "EtherIP (RFC 3378)"
        case .metadata: "Cisco's metadata header with a security group tag (TrustSec), EtherType 0x8909"
        case .fabricPath: "Cisco FabricPath, EtherType 0x8903"
        case .providerBackbone: "provider backbone bridges (IEEE 802.1ah), EtherType 0x88e7"
        case .vnTag: "Cisco's VN-tag, EtherType 0x8926"
        case .eTag: "E-tag (IEEE 802.1BR), EtherType 0x893f"
        case .hsr: "HSR (IEC 62439-3), EtherType 0x892f; the trailer of PRP is passed over"
        case .trill: "TRILL data frames (RFC 6325), EtherType 0x22f3"
        case .eoip: "MikroTik's EoIP: GRE version 1 with protocol 0x6400"
        case .capwap: "CAPWAP data (RFC 5415, RFC 5416) on UDP port 5247, Wi-Fi or Ethernet inside"
        case .ayiya: "AYIYA (draft-massar-v6ops-ayiya) on UDP port 5072"
        }
    }
}

extension Tunnel {
    /// Those that cross an IP network: whoever can send a packet to their end can send one.
    public static let crossingNetworks = allCases.filter { !$0.isOfLink }

    /// Whether it stands between a link and an IP packet: nobody beyond the link can send it.
    private var isOfLink: Bool {
        switch self {
        case .mpls, .pppoe, .nsh, .macsec, .pseudowire, .metadata, .fabricPath, .providerBackbone, .vnTag, .eTag, .hsr,
            .trill, .ah:
            true
        case .ipInIP, .gre, .vxlan, .geneve, .erspan, .gtpU, .l2tp, .teredo, .etherIP, .eoip, .capwap, .ayiya: false
        }
    }

    /// Whether capture devices and clouds mirror traffic in it.
    package var carriesMirrors: Bool {
        switch self {
        case .gre, .vxlan, .geneve, .erspan: true
        default: false
        }
    }
}

/// A tunnel through an IP network: its kind and its two ends, in no order. Ports, keys and virtual networks are no
/// part of it, since they differ by direction.
///
/// Whoever can send a packet to one end can make up what is inside: what came in it says less than what came plain.
public struct Carrier: Hashable, Sendable, CustomStringConvertible {
    public let tunnel: Tunnel
    /// The lower of the two outer addresses, and the higher.
    public let low: IPAddress
    public let high: IPAddress

    public init(_ tunnel: Tunnel, _ a: IPAddress, _ b: IPAddress) {
        self.tunnel = tunnel
        (low, high) = b < a ? (b, a) : (a, b)
    }

    /// `gre 192.0.2.1 - 192.0.2.2`.
    public var description: String { "\(tunnel.name) \(low) - \(high)" }
}

/// The encapsulations around the innermost IP packet, as a set.
public struct Tunnels: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt32
    @inlinable @inline(__always) public init(rawValue: UInt32) { self.rawValue = rawValue }
    @inline(__always) public init(_ tunnel: Tunnel) { rawValue = 1 << UInt32(tunnel.rawValue) }

    public init(_ tunnels: [Tunnel]) { self = tunnels.reduce(into: Tunnels()) { $0.insert(Tunnels($1)) } }

    public static let ipInIP = Tunnels(.ipInIP)
    public static let gre = Tunnels(.gre)
    public static let vxlan = Tunnels(.vxlan)
    public static let geneve = Tunnels(.geneve)
    public static let mpls = Tunnels(.mpls)
    public static let pppoe = Tunnels(.pppoe)
    public static let ah = Tunnels(.ah)

    public var names: [String] { Tunnel.allCases.filter { contains(Tunnels($0)) }.map(\.name) }
}

/// The encapsulations around the innermost IP packet, outermost first, with their identifiers, and the addresses of the
/// outermost IP packet where there is more than one. All of it may differ by direction; none of it is part of a
/// connection's key but what `VirtualNetwork` holds.
public struct TunnelPath: Hashable, Sendable, BitwiseCopyable {
    /// One encapsulation.
    public struct Layer: Hashable, Sendable, BitwiseCopyable {
        public var tunnel: Tunnel
        /// A key, label, session or the like (`Tunnel.identifierName`); nil where the header has none.
        public var id: UInt32?

        public init(_ tunnel: Tunnel, id: UInt32? = nil) {
            self.tunnel = tunnel
            self.id = id
        }
    }

    /// Layers beyond so many are not listed.
    public static let mostLayers = 6

    // Flat, since every segment has one: an octet a layer (0x80: it is there, 0x40: it has an identifier), four octets an
    // identifier.
    private var kinds: UInt64 = 0
    private var identifiers: (UInt64, UInt64, UInt64) = (0, 0, 0)
    private var sourceHigh: UInt64 = 0
    private var sourceLow: UInt64 = 0
    private var destinationHigh: UInt64 = 0
    private var destinationLow: UInt64 = 0

    @inline(__always) public init() {}

    public init(_ layers: [Layer], outer: (source: IPAddress, destination: IPAddress)? = nil) {
        for layer in layers { append(layer.tunnel, id: layer.id) }
        if let outer { setOuter(outer.source, outer.destination) }
    }

    @inline(__always) public var isEmpty: Bool { kinds == 0 }

    private var count: Int {
        (0..<TunnelPath.mostLayers).first { kinds >> UInt64(8 * $0) & 0x80 == 0 } ?? TunnelPath.mostLayers
    }

    mutating func append(_ tunnel: Tunnel, id: UInt32?) {
        let position = count
        guard position < TunnelPath.mostLayers else { return }
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

    public static func == (a: TunnelPath, b: TunnelPath) -> Bool {
        a.kinds == b.kinds && a.identifiers == b.identifiers && a.sourceHigh == b.sourceHigh
            && a.sourceLow == b.sourceLow
            && a.destinationHigh == b.destinationHigh && a.destinationLow == b.destinationLow
    }

    public func hash(into hasher: inout Hasher) {
        for word in [
            kinds, identifiers.0, identifiers.1, identifiers.2, sourceHigh, sourceLow, destinationHigh, destinationLow,
        ] {
            hasher.combine(word)
        }
    }
}
