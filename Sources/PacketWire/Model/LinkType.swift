/// A link type by its LINKTYPE_ value in a savefile (tcpdump.org/linktypes.html).
public struct LinkType: RawRepresentable, Hashable, Sendable {
    /// The number that savefiles have (tcpdump.org/linktypes.html).
    public let rawValue: UInt16
    /// A link type by its number in savefiles.
    @inline(__always) public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// BSD loopback: the address family in the host's byte order.
    public static let null = LinkType(rawValue: 0)
    /// Ethernet II and IEEE 802.3.
    public static let ethernet = LinkType(rawValue: 1)
    /// IEEE 802.5 Token Ring.
    public static let tokenRing = LinkType(rawValue: 6)
    /// ARCNET, as BSD captures it.
    public static let arcnet = LinkType(rawValue: 7)
    /// PPP (RFC 1661), with or without HDLC framing.
    public static let ppp = LinkType(rawValue: 9)
    /// FDDI.
    public static let fddi = LinkType(rawValue: 10)
    /// PPP in HDLC-like framing (RFC 1662).
    public static let pppSerial = LinkType(rawValue: 50)
    /// PPPoE session frames without their Ethernet header (RFC 2516).
    public static let pppEther = LinkType(rawValue: 51)
    /// LLC over ATM (RFC 2684).
    public static let atmRFC1483 = LinkType(rawValue: 100)
    /// An IPv4 or IPv6 packet by its version nibble.
    public static let raw = LinkType(rawValue: 101)
    /// Cisco HDLC.
    public static let cHDLC = LinkType(rawValue: 104)
    /// IEEE 802.11.
    public static let ieee80211 = LinkType(rawValue: 105)
    /// Frame Relay (RFC 2427).
    public static let frameRelay = LinkType(rawValue: 107)
    /// OpenBSD loopback: the address family in network byte order.
    public static let loop = LinkType(rawValue: 108)
    /// OpenBSD enc(4): decapsulated IPsec.
    public static let enc = LinkType(rawValue: 109)
    /// Linux cooked capture, version 1.
    public static let linuxSLL = LinkType(rawValue: 113)
    /// OpenBSD and FreeBSD packet filter log.
    public static let pflog = LinkType(rawValue: 117)
    /// IEEE 802.11 behind a Prism header.
    public static let prism = LinkType(rawValue: 119)
    /// IP over Fibre Channel (RFC 2625).
    public static let ipOverFC = LinkType(rawValue: 122)
    /// IEEE 802.11 behind a radiotap header.
    public static let radiotap = LinkType(rawValue: 127)
    /// ARCNET, as Linux captures it.
    public static let arcnetLinux = LinkType(rawValue: 129)
    /// IEEE 802.11 behind an AVS header.
    public static let avs = LinkType(rawValue: 163)
    /// PPP, as pppd logs it, with a direction octet.
    public static let pppPPPD = LinkType(rawValue: 166)
    /// Per-Packet Information, with its own link type inside.
    public static let ppi = LinkType(rawValue: 192)
    /// PPP behind a direction octet.
    public static let pppWithDirection = LinkType(rawValue: 204)
    /// Cisco HDLC behind a direction octet.
    public static let cHDLCWithDirection = LinkType(rawValue: 205)
    /// Frame Relay behind a direction octet.
    public static let frameRelayWithDirection = LinkType(rawValue: 206)
    /// An IPv4 packet.
    public static let ipv4 = LinkType(rawValue: 228)
    /// An IPv6 packet.
    public static let ipv6 = LinkType(rawValue: 229)
    /// Linux netfilter log: TLVs with the packet in one of them.
    public static let nflog = LinkType(rawValue: 239)
    /// IP over InfiniBand (RFC 4391).
    public static let ipoib = LinkType(rawValue: 242)
    /// Apple PKTAP, with its own link type inside.
    public static let pktap = LinkType(rawValue: 258)
    /// Linux cooked capture, version 2.
    public static let linuxSLL2 = LinkType(rawValue: 276)
    /// Ethernet with a Broadcom switch tag behind the addresses.
    public static let dsaBroadcom = LinkType(rawValue: 281)
    /// Ethernet behind a Broadcom switch tag.
    public static let dsaBroadcomPrepended = LinkType(rawValue: 282)
    /// Ethernet with a Marvell DSA tag.
    public static let dsa = LinkType(rawValue: 284)
    /// Ethernet with a Marvell EtherType DSA tag.
    public static let edsa = LinkType(rawValue: 285)

    /// The link types that are decoded, each with libpcap's name and a summary. RAW has three values: some systems
    /// wrote their own DLT_RAW, 12 or 14, as it is.
    package static let catalogue: [(type: LinkType, name: String, summary: String)] = [
        (.null, "NULL", "BSD loopback, the address family in the writer's byte order"),
        (.ethernet, "EN10MB", "Ethernet, with IEEE 802.3 lengths and LLC/SNAP too"),
        (.tokenRing, "IEEE802", "Token Ring, LLC/SNAP, with a routing field"),
        (.arcnet, "ARCNET", "ARCNET with BSD's header (RFC 1201, RFC 1051)"),
        (.ppp, "PPP", "PPP, with or without address and control, or Cisco's HDLC"),
        (.fddi, "FDDI", "FDDI, LLC/SNAP"),
        (LinkType(rawValue: 12), "RAW", "IPv4 or IPv6, as OpenBSD and others number it"),
        (LinkType(rawValue: 14), "RAW", "IPv4 or IPv6, as BSD/OS numbers it"),
        (.pppSerial, "PPP_SERIAL", "PPP in HDLC-like framing (RFC 1662), or Cisco's HDLC"),
        (.pppEther, "PPP_ETHER", "PPPoE sessions (RFC 2516) without Ethernet"),
        (.atmRFC1483, "ATM_RFC1483", "LLC over ATM (RFC 2684)"),
        (.raw, "RAW", "IPv4 or IPv6"),
        (.cHDLC, "C_HDLC", "Cisco's HDLC"),
        (.ieee80211, "IEEE802_11", "Wi-Fi data frames that are not encrypted"),
        (.frameRelay, "FRELAY", "Frame Relay (RFC 2427, or Cisco's)"),
        (.loop, "LOOP", "OpenBSD loopback, the address family in network order"),
        (.enc, "ENC", "OpenBSD's enc(4): IPsec, decrypted"),
        (.linuxSLL, "LINUX_SLL", "Linux cooked capture"),
        (.pflog, "PFLOG", "OpenBSD's pf log"),
        (.prism, "PRISM_HEADER", "Wi-Fi with a Prism header"),
        (.ipOverFC, "IP_OVER_FC", "IP over Fibre Channel (RFC 4338)"),
        (.radiotap, "IEEE802_11_RADIO", "Wi-Fi with radiotap"),
        (.arcnetLinux, "ARCNET_LINUX", "ARCNET with Linux's header"),
        (.avs, "IEEE802_11_RADIO_AVS", "Wi-Fi with an AVS header"),
        (.pppPPPD, "PPP_PPPD", "PPP after a direction octet, as pppd logs it"),
        (.ppi, "PPI", "a per-packet header before another link type"),
        (.pppWithDirection, "PPP_WITH_DIR", "PPP after a direction octet"),
        (.cHDLCWithDirection, "C_HDLC_WITH_DIR", "Cisco's HDLC after a direction octet"),
        (.frameRelayWithDirection, "FRELAY_WITH_DIR", "Frame Relay after a direction octet"),
        (.ipv4, "IPV4", "IPv4"),
        (.ipv6, "IPV6", "IPv6"),
        (.nflog, "NFLOG", "Linux netfilter's log, of bridges too"),
        (.ipoib, "IPOIB", "IP over InfiniBand (RFC 4391)"),
        (.pktap, "PKTAP", "macOS packet tap: a header before another link type"),
        (.linuxSLL2, "LINUX_SLL2", "Linux cooked capture, version 2"),
        (.dsaBroadcom, "DSA_TAG_BRCM", "a Broadcom switch's tag within Ethernet"),
        (.dsaBroadcomPrepended, "DSA_TAG_BRCM_PREPEND", "a Broadcom switch's tag before Ethernet"),
        (.dsa, "DSA_TAG_DSA", "a Marvell switch's tag within Ethernet"),
        (.edsa, "DSA_TAG_EDSA", "a Marvell switch's tag with an EtherType of its own"),
    ]

    private static let names = Dictionary(uniqueKeysWithValues: catalogue.map { ($0.type, $0.name) })

    /// libpcap's name, or `LINKTYPE_n`.
    public var name: String { LinkType.names[self] ?? "LINKTYPE_\(rawValue)" }

    /// Whether frames of it are decoded.
    public var isDecoded: Bool { LinkType.names[self] != nil }
}
