import PacketWire
import TestSupport
import Testing

@Suite("UDP ports that are not known")
struct UnknownPortTests {
    /// A frame that scapy made, by its name in the table.
    static func made(_ name: String) throws -> IndependentFrame {
        try #require(IndependentFrame.all.first { $0.name == name }, "there is no frame '\(name)'")
    }

    static func slot(_ octets: [UInt8], _ decoder: FrameDecoder) -> DecodedFrame {
        var slot = DecodedFrame()
        decoder.decode(octets.span.bytes, wireLength: octets.count, into: &slot)
        return slot
    }

    /// The outermost tunnel, and the number of a UDP port that is not decoded.
    static func outcome(_ octets: [UInt8], _ ports: TunnelRules) -> (tunnel: Tunnel?, port: UInt16) {
        let slot = slot(octets, FrameDecoder(.ethernet, tunnelRules: ports))
        return (slot.kind == .segment ? slot.segment.path.layers.first?.tunnel : nil, slot.number)
    }

    static func ports(_ tunnel: Tunnel, _ port: UInt16) -> TunnelRules {
        var ports = TunnelRules()
        let isAdded = ports.add(tunnel, port: port)
        #expect(isAdded)
        return ports
    }

    /// The destination port of a datagram in IPv4 on Ethernet.
    static func onPort(_ port: UInt16, _ octets: [UInt8]) -> [UInt8] {
        var octets = octets
        octets[36] = UInt8(port >> 8)
        octets[37] = UInt8(port & 0xff)
        return octets
    }

    @Test(
        "A tunnel on a port that the user names is decoded",
        arguments: [
            ("vxlan", Tunnel.vxlan), ("geneve with options, ipv6", .geneve), ("gtp-u", .gtpU),
            ("l2tp with length, sequence and offset", .l2tp), ("capwap, wi-fi as cisco writes it", .capwap),
            ("ayiya", .ayiya), ("mpls in udp", .mpls), ("gre in udp", .gre), ("teredo", .teredo),
        ])
    func named(_ name: String, _ tunnel: Tunnel) throws {
        var octets = UnknownPortTests.onPort(33333, try UnknownPortTests.made(name).octets)
        (octets[34], octets[35]) = (0xc3, 0x50)
        #expect(UnknownPortTests.outcome(octets, UnknownPortTests.ports(tunnel, 33333)).tunnel == tunnel)
        #expect(TunnelRules.tunnels.contains(tunnel))
    }

    @Test(
        "A tunnel that is not looked into is ignored, and counted as such; one that is looked into is decoded",
        arguments: ["vxlan", "gtp-u", "gre with checksum, key and sequence number", "ip in ip"])
    func notLookedInto(_ name: String) throws {
        let octets = try UnknownPortTests.made(name).octets
        var none = TunnelRules()
        none.lookedInto = []
        let slot = UnknownPortTests.slot(octets, FrameDecoder(.ethernet, tunnelRules: none))
        #expect(slot.frame == .ignored(.tunnel))
        let decoded = UnknownPortTests.slot(octets, FrameDecoder(.ethernet))
        try #require(decoded.kind == .segment)
        var own = TunnelRules()
        own.lookedInto = decoded.segment.tunnels
        #expect(UnknownPortTests.slot(octets, FrameDecoder(.ethernet, tunnelRules: own)).kind == .segment)
    }

    @Test("Layers of a link are looked into whatever is said of tunnels")
    func linkLayers() throws {
        var none = TunnelRules()
        none.lookedInto = []
        let octets = try UnknownPortTests.made("mpls").octets
        #expect(UnknownPortTests.slot(octets, FrameDecoder(.ethernet, tunnelRules: none)).kind == .segment)
    }

    @Test("What contradicts the tunnel of a port that the user names is UDP of that port")
    func contradicted() throws {
        let octets = UnknownPortTests.onPort(33333, try UnknownPortTests.made("dns").octets)
        let outcome = UnknownPortTests.outcome(octets, UnknownPortTests.ports(.vxlan, 33333))
        #expect(outcome.tunnel == nil && outcome.port == 33333)
    }

    @Test("What the user says of a port counts more than what the port is known for")
    func overridden() throws {
        let octets = UnknownPortTests.onPort(6081, try UnknownPortTests.made("vxlan").octets)
        #expect(UnknownPortTests.outcome(octets, TunnelRules()).tunnel == nil)
        #expect(UnknownPortTests.outcome(octets, UnknownPortTests.ports(.vxlan, 6081)).tunnel == .vxlan)
    }

    @Test("A tunnel in a fragmented datagram on a port that the user names is decoded once it is whole")
    func fragmented() throws {
        let whole = UnknownPortTests.onPort(33333, try UnknownPortTests.made("geneve with options, ipv6").octets)
        func piece(_ range: Range<Int>, isLast: Bool) -> [UInt8] {
            let total = 20 + range.count
            var header = Array(whole[0..<34])
            (header[16], header[17]) = (UInt8(total >> 8), UInt8(total & 0xff))
            (header[20], header[21]) = (isLast ? 0 : 0x20, UInt8(range.lowerBound / 8))
            return header + whole[34 + range.lowerBound..<34 + range.upperBound]
        }
        let end = whole.count - 34
        var batch = FrameBatch(seed: 1)
        let decoder = FrameDecoder(.ethernet, tunnelRules: UnknownPortTests.ports(.geneve, 33333))
        for (index, octets) in [piece(0..<24, isLast: false), piece(24..<end, isLast: true)].enumerated() {
            batch.append(
                octets.span.bytes, wireLength: octets.count, number: UInt64(index + 1), time: 0, decoder: decoder)
        }
        batch.endFragments()
        let tunnels = (0..<batch.count).compactMap { place -> Tunnels? in
            if case .segment(let segment) = batch.frame(place) { segment.tunnels } else { nil }
        }
        #expect(tunnels == [.geneve])
    }

    @Test("More than eight ports cannot be named, nor a tunnel that UDP does not carry")
    func bounds() {
        var ports = TunnelRules()
        let added = [(Tunnel.pppoe, 1)] + (1...9).map { (Tunnel.vxlan, $0) }
        let answers = added.map { ports.add($0.0, port: UInt16($0.1)) }
        #expect(answers == [false] + [Bool](repeating: true, count: 8) + [false] && ports.count == 8)
        #expect(ports[8] == .vxlan && ports[9] == nil && ports[0] == nil)
    }

    @Test("Random payload is never taken for a tunnel, whatever its first octets look like")
    func random() throws {
        var generator = RandomNumbers(seed: 7)
        let frame = try UnknownPortTests.made("vxlan on another port").octets
        let heads: [[UInt8]] = [
            [], [8, 0, 0, 0, 1, 2, 3, 0], [0, 0, 0x65, 0x58, 1, 2, 3, 0], [0, 0, 8, 0, 1, 2, 3, 0],
            [0, 0, 0x86, 0xdd, 1, 2, 3, 0], [0x60, 0, 0, 0], [0x60, 0, 0, 0, 0, 26, 6, 64, 0x20, 1, 0, 0],
            [8, 0, 0, 0, 1, 2, 3, 0] + frame[50..<64] + [0x45, 0],
        ]
        for round in 0..<20_000 {
            var octets = frame
            let head = heads[round % heads.count]
            for position in 42..<octets.count {
                octets[position] =
                    position - 42 < head.count ? head[position - 42] : UInt8.random(in: 0...255, using: &generator)
            }
            let outcome = UnknownPortTests.outcome(octets, TunnelRules())
            #expect(outcome.tunnel == nil && outcome.port == 12345, "\(octets)")
        }
    }

    @Test("Any change of a proving header is enough to be no tunnel")
    func nearMisses() throws {
        let frame = try UnknownPortTests.made("vxlan on another port").octets
        // Flags and reserved octets of VXLAN, the EtherType, and the IPv4 header, each of whose words is in its
        // checksum.
        for position in [42, 43, 44, 45, 49] + Array(62..<84) {
            var octets = frame
            octets[position] ^= 0x10
            #expect(UnknownPortTests.outcome(octets, TunnelRules()).tunnel == nil, "octet \(position)")
        }
    }

    @Test("The number of a datagram is the lower of its ports, or the one that is not 0")
    func portNumbers() throws {
        let frame = try UnknownPortTests.made("dns").octets
        for (source, destination, number) in [(50000, 53, 53), (53, 50000, 53), (0, 514, 514), (0, 0, 0)] {
            var octets = UnknownPortTests.onPort(UInt16(destination), frame)
            (octets[34], octets[35]) = (UInt8(source >> 8), UInt8(source & 0xff))
            #expect(Int(UnknownPortTests.outcome(octets, TunnelRules()).port) == number)
        }
    }
}

@Suite("IP packets that are labelled Ethernet")
struct RawAsEthernetTests {
    static func looksRaw(_ name: String, _ edit: (inout [UInt8]) -> Void = { _ in }, cutTo: Int? = nil) throws -> Bool {
        var octets = try UnknownPortTests.made(name).octets
        edit(&octets)
        var slot = DecodedFrame()
        let captured = Array(octets.prefix(cutTo ?? octets.count))
        FrameDecoder(.ethernet).decode(captured.span.bytes, wireLength: octets.count, into: &slot)
        #expect(slot.kind != .segment)
        return slot.looksRaw
    }

    @Test("A whole IPv4 or IPv6 packet is told, and stays ignored or malformed", arguments: ["raw", "ipv6"])
    func told(_ name: String) throws { #expect(try RawAsEthernetTests.looksRaw(name)) }

    @Test("An IPv4 packet that the snaplen cut behind its TCP header is told too")
    func cut() throws { #expect(try RawAsEthernetTests.looksRaw("raw", cutTo: 40)) }

    /// An octet more or less, or other bits in one.
    enum Change: Sendable { case more, fewer, bits(at: Int, UInt8) }

    @Test(
        "A wrong length, checksum or protocol is enough not to be told",
        arguments: [
            ("raw", .more), ("raw", .fewer), ("raw", .bits(at: 8, 1)), ("raw", .bits(at: 10, 1)), ("ipv6", .more),
            ("ipv6", .fewer), ("ipv6", .bits(at: 43, 1)), ("ipv6", .bits(at: 6, 95)),
        ] as [(String, Change)])
    func nearMisses(_ name: String, _ change: Change) throws {
        let isTold = try RawAsEthernetTests.looksRaw(name) { octets in
            switch change {
            case .more: octets.append(0)
            case .fewer: octets.removeLast()
            case .bits(let position, let bits): octets[position] ^= bits
            }
        }
        #expect(!isTold)
    }

    @Test("Ethernet is not told", arguments: IndependentFrame.all.filter { $0.linkType == .ethernet })
    func ethernet(_ frame: IndependentFrame) {
        var slot = DecodedFrame()
        FrameDecoder(.ethernet).decode(frame.octets.span.bytes, wireLength: frame.octets.count, into: &slot)
        #expect(!slot.looksRaw)
    }
}
