import PacketWire
import TestSupport
import Testing

/// Decodes a frame in full, and as part of a batch, where usual segments go a shorter way: both must say the same, but
/// for what only SYNs keep there.
func decode(_ bytes: [UInt8], _ linkType: LinkType = .ethernet, wireLength: Int? = nil) -> Frame {
    let wireLength = wireLength ?? bytes.count
    for verifies in [true, false] {
        let decoder = FrameDecoder(linkType, verifiesChecksums: verifies)
        let frame = decoder.decode(bytes.span.bytes, wireLength: wireLength)
        var batch = FrameBatch(seed: 1)
        batch.append(bytes.span.bytes, wireLength: wireLength, number: 1, time: 0, decoder: decoder)
        // A fragment is held back.
        if batch.count == 1, batch.frame(0) != (batch.heads[0].isUsual ? frame.asUsual : frame) {
            Issue.record("\(bytes) is \(frame), but in a batch \(batch.frame(0))")
        }
    }
    return FrameDecoder(linkType).decode(bytes.span.bytes, wireLength: wireLength)
}

@Suite("The encoder is the decoder's inverse")
struct RoundTripTests {
    static let linkTypes: [LinkType] = [
        .ethernet, .linuxSLL, .linuxSLL2, .raw, .null, .loop, .ppp, .pppSerial, .cHDLC, .ipoib,
        .ieee80211,
    ]

    /// A segment of any kind that the link type can carry, in the form in which it decodes.
    static func segment(_ generator: inout RandomNumbers, on linkType: LinkType) -> Segment {
        let isV6 = Bool.random(using: &generator)
        func end() -> Endpoint {
            let port = UInt16.random(in: 0...UInt16.max, using: &generator)
            return isV6
                ? Endpoint(IPAddress(v6High: generator.next(), low: generator.next()), port)
                : Endpoint(IPAddress(v4: UInt32(truncatingIfNeeded: generator.next())), port)
        }
        var segment = Segment(from: end(), to: end())
        segment.seq = UInt32(truncatingIfNeeded: generator.next())
        segment.ack = UInt32(truncatingIfNeeded: generator.next())
        segment.flags = TCPFlags(rawValue: UInt16.random(in: 0...0xfff, using: &generator))
        segment.window = UInt16.random(in: 0...UInt16.max, using: &generator)
        segment.payloadLength = UInt32.random(in: 0...40, using: &generator)
        segment.hopLimit = UInt8.random(in: 0...255, using: &generator)
        segment.trafficClass = UInt8.random(in: 0...255, using: &generator)
        if !isV6 { segment.identification = UInt16.random(in: 0...UInt16.max, using: &generator) }
        var options: TCPOptions.Present = []
        for option in [TCPOptions.Present.mss, .windowScale, .sackPermitted, .timestamps, .mptcp]
        where Bool.random(using: &generator) {
            options.insert(option)
        }
        segment.options.present = options
        if options.contains(.mss) { segment.options.mss = UInt16.random(in: 0...UInt16.max, using: &generator) }
        if options.contains(.windowScale) { segment.options.windowScale = UInt8.random(in: 0...255, using: &generator) }
        if options.contains(.timestamps) {
            segment.options.tsval = UInt32(truncatingIfNeeded: generator.next())
            segment.options.tsecr = UInt32(truncatingIfNeeded: generator.next())
        }
        if options.contains(.mptcp) { segment.options.mptcpSubtype = UInt8.random(in: 0...15, using: &generator) }
        if Bool.random(using: &generator), !options.contains(.mptcp) {
            segment.options.present.insert(.fastOpen)
            segment.options.fastOpenCookieLength = [0, 4, 8, 12].randomElement(using: &generator) ?? 0
            if segment.options.fastOpenCookieLength > 4 { segment.options.present.remove(.timestamps) }
            if !segment.options.has(.timestamps) { segment.options.tsval = 0; segment.options.tsecr = 0 }
        }
        segment.options.order = order(segment.options, &generator)
        segment.options.kinds = segment.options.order.kinds.reduce(0) { $0 | 1 << UInt64($1) }
        let verified = segment.payloadLength == 0 || !segment.flags.isDisjoint(with: [.syn, .rst, .fin])
        segment.checksum = verified ? [.good, .bad, .offload].randomElement(using: &generator) ?? .good : .unverified
        if linkType == .ethernet || linkType == .linuxSLL || linkType == .linuxSLL2 {
            let tags = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                UInt16.random(in: 0...4095, using: &generator)
            }
            segment.vlan = VLANTags(tags)
        }
        if linkType == .ieee80211 {
            segment.isLinkRetry = Bool.random(using: &generator)
            segment.linkSequence = UInt16.random(in: 0...4095, using: &generator) << 4
        }
        let tunnels: [(Tunnels, VirtualNetwork.Kind)] = [
            ([], .none), ([], .none), (.ipInIP, .none), (.gre, .none), (.gre, .nvgre), (.vxlan, .vxlan),
            (.geneve, .geneve),
        ]
        let (tunnel, kind) = tunnels.randomElement(using: &generator) ?? ([], .none)
        segment.tunnels = tunnel
        if kind != .none {
            segment.network = VirtualNetwork(kind: kind, id: UInt32.random(in: 0..<1 << 24, using: &generator))
        }
        return segment
    }

    /// The options in any order, with the padding that they need.
    static func order(_ options: TCPOptions, _ generator: inout RandomNumbers) -> TCPOptions.Order {
        let all: [(TCPOptions.Present, kind: UInt8, octets: Int)] = [
            (.mss, 2, 4), (.windowScale, 3, 3), (.sackPermitted, 4, 2), (.timestamps, 8, 10), (.mptcp, 30, 4),
            (.fastOpen, 34, 2 + Int(options.fastOpenCookieLength)),
        ]
        let there = all.filter { options.has($0.0) }.shuffled(using: &generator)
        var kinds = there.map(\.kind)
        var length = there.reduce(0) { $0 + $1.octets }
        for _ in 0..<Int.random(in: 0...3, using: &generator) where length < 40 {
            kinds.insert(1, at: Int.random(in: 0...kinds.count, using: &generator))
            length += 1
        }
        if length % 4 != 0 { kinds.append(0) }
        return TCPOptions.Order(kinds)
    }

    /// The link addresses of an encoder's frames.
    static func links(_ linkType: LinkType, in tunnels: Tunnels) -> LinkAddresses {
        let (source, destination) = (LinkAddress(bits: 0x0200_0000_0001), LinkAddress(bits: 0x0200_0000_0002))
        switch linkType {
        case .ethernet, .ieee80211: return LinkAddresses(source: source, destination: destination)
        case .linuxSLL, .linuxSLL2: return LinkAddresses(source: source, destination: nil)
        default:
            // Where the link has none, those of an Ethernet header in a tunnel count.
            let hasEthernet = !tunnels.isDisjoint(with: [.vxlan, .geneve])
            return hasEthernet ? LinkAddresses(source: source, destination: destination) : LinkAddresses()
        }
    }

    @Test("Two thousand segments of every kind, on each link type", arguments: linkTypes)
    func segments(_ linkType: LinkType) {
        var generator = RandomNumbers(seed: UInt64(linkType.rawValue))
        for number in 0..<2000 {
            var segment = RoundTripTests.segment(&generator, on: linkType)
            segment.links = RoundTripTests.links(linkType, in: segment.tunnels)
            if segment.network.kind == .nvgre, segment.links == LinkAddresses() {
                segment.links = RoundTripTests.links(.ethernet, in: [])
            }
            let bytes = FrameEncoder(linkType).encode(segment)
            guard case .segment(var decoded) = decode(bytes, linkType) else {
                Issue.record("segment \(number): \(decode(bytes, linkType))")
                return
            }
            decoded.linkSignature = 0
            #expect(
                decoded.path.layers.map(\.tunnel) == Tunnel.allCases.filter { segment.tunnels.contains(Tunnels($0)) })
            decoded.path = TunnelPath()
            guard decoded == segment else {
                Issue.record("segment \(number): \(segment) became \(decoded)")
                return
            }
        }
    }

    @Test("Any cut of any frame is a segment, cut or ignored, never malformed, and never traps", arguments: linkTypes)
    func cuts(_ linkType: LinkType) {
        var generator = RandomNumbers(seed: 7)
        for _ in 0..<60 {
            let segment = RoundTripTests.segment(&generator, on: linkType)
            let bytes = FrameEncoder(linkType).encode(segment)
            for length in 0..<bytes.count {
                let frame = decode(Array(bytes.prefix(length)), linkType, wireLength: bytes.count)
                if case .malformed(let malformation) = frame {
                    Issue.record("cut to \(length) of \(bytes.count): \(malformation)")
                    return
                }
            }
        }
    }

    @Test("Noise never traps, and every frame is something", arguments: linkTypes + [.ipv4, .ipv6])
    func noise(_ linkType: LinkType) {
        var generator = RandomNumbers(seed: 99)
        for _ in 0..<400 {
            var bytes = FrameEncoder(linkType).encode(RoundTripTests.segment(&generator, on: linkType))
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = decode(bytes, linkType)
            _ = decode(bytes, linkType, wireLength: bytes.count + 100)
            _ = decode(Array(bytes.dropLast(bytes.count / 3)), linkType, wireLength: bytes.count)
        }
    }

    @Test(
        "Addresses read back from their text",
        arguments: [
            "0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1", "2001:db8:0:1::2", "fe80::1:0:0:1",
            "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "1:0:3:4:5:6:7:8",
        ])
    func addresses(_ text: String) {
        #expect(IPAddress(text)?.description == text)
    }

    @Test(
        "What is no address is nil",
        arguments: [
            "", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1..2.3", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::1",
            "1::2::3",
            "12345::", "+1.2.3.4",
        ])
    func notAddresses(_ text: String) {
        #expect(IPAddress(text) == nil)
    }
}
