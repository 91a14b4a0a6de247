/// One kind of encapsulation.
public enum Tunnel: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// IP in IP, GRE, VXLAN, Geneve, MPLS, PPPoE, AH, ERSPAN, GTP-U, L2TP, Teredo, NSH, MACsec, Ethernet pseudowires,
    /// and Ethernet in IP.
    case ipInIP = 0, gre, vxlan, geneve, mpls, pppoe, ah, erspan, gtpU, l2tp, teredo, nsh, macsec, pseudowire, etherIP
    /// Cisco metadata (TrustSec), FabricPath, 802.1ah, VN-tag, E-tag, HSR and PRP, TRILL, MikroTik EoIP, CAPWAP data
    /// and AYIYA.
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

    /// The name of a layer's identifier in its standard; nil where it has none.
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

    /// The part of it that is decoded, and its standard.
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

/// The encapsulations around the innermost IP packet, as a set.
public struct Tunnels: OptionSet, Hashable, Sendable, BitwiseCopyable {
    /// A bit for each kind of tunnel.
    public let rawValue: UInt32
    /// A set by its bits.
    /// The set of one kind.
    @inlinable @inline(__always) public init(rawValue: UInt32) { self.rawValue = rawValue }
    @inline(__always) public init(_ tunnel: Tunnel) { rawValue = 1 << UInt32(tunnel.rawValue) }

    /// The set of these kinds.
    public init(_ tunnels: [Tunnel]) { self = tunnels.reduce(into: Tunnels()) { $0.insert(Tunnels($1)) } }

    /// IP in IP.
    public static let ipInIP = Tunnels(.ipInIP)
    /// GRE.
    public static let gre = Tunnels(.gre)
    /// VXLAN.
    public static let vxlan = Tunnels(.vxlan)
    /// Geneve.
    public static let geneve = Tunnels(.geneve)
    /// MPLS.
    public static let mpls = Tunnels(.mpls)
    /// PPPoE.
    public static let pppoe = Tunnels(.pppoe)
    /// IPsec's Authentication Header.
    public static let ah = Tunnels(.ah)

    /// The kinds' names, in the order of `Tunnel`.
    public var names: [String] { Tunnel.allCases.filter { contains(Tunnels($0)) }.map(\.name) }
}
