import PacketWire
import Testing

@Suite("Decoding")
struct DecoderTests {
    static func syn(_ edit: (inout Segment) -> Void = { _ in }) -> Segment {
        var segment = Segment(
            from: Endpoint(IPAddress(v4: 0xc000_0201), 40000), to: Endpoint(IPAddress(v4: 0xc633_6401), 443))
        segment.flags = .syn
        segment.seq = 1000
        segment.hopLimit = 64
        edit(&segment)
        return segment
    }

    static var frame: [UInt8] { FrameEncoder().encode(syn()) }

    func edited(_ edit: (inout [UInt8]) -> Void) -> Frame {
        var bytes = DecoderTests.frame
        edit(&bytes)
        return decode(bytes)
    }

    // MARK: Lengths

    @Test("Payload length comes from the IP length, not from Ethernet's padding")
    func padding() throws {
        let bytes = DecoderTests.frame + [UInt8](repeating: 0, count: 6)
        guard case .segment(let segment) = decode(bytes) else { throw Mismatch(decode(bytes)) }
        #expect(segment.payloadLength == 0)
        #expect(segment.checksum == .good)
    }

    @Test("Payload length comes from the IP length, not from the snaplen")
    func snaplen() throws {
        let bytes = FrameEncoder().encode(DecoderTests.syn { $0.payloadLength = 1000 })
        guard case .segment(let segment) = decode(Array(bytes.prefix(54)), wireLength: bytes.count) else {
            throw Mismatch(decode(bytes))
        }
        #expect(segment.payloadLength == 1000)
        #expect(!segment.isCut, "the header is whole")
        #expect(segment.checksum == .unverified)
    }

    @Test("An IPv4 total length of 0 is segmentation offload: the frame's own length counts")
    func totalLengthZero() throws {
        let frame = edited { bytes in
            bytes[16] = 0
            bytes[17] = 0
        }
        guard case .segment(let segment) = frame else { throw Mismatch(frame) }
        #expect(segment.payloadLength == 0)
    }

    @Test(
        "An IP packet that is longer than its frame was sliced before it was captured: it counts as far as it is there")
    func sliced() throws {
        let frame = edited { $0[16] = 9 }
        guard case .segment(let segment) = frame else { throw Mismatch(frame) }
        #expect(segment.payloadLength > 2000 && segment.checksum == .unverified)
        let bytes = FrameEncoder().encode(DecoderTests.syn())
        let short = Array(bytes.prefix(50))
        let cut = decode(short, wireLength: 50)
        guard case .segment(let segment) = cut else { throw Mismatch(cut) }
        #expect(segment.isCut && segment.options.present == .cut)
    }

    @Test("Malformed frames name layer, offset and the length that was the limit")
    func malformations() {
        #expect(edited { $0[14] = 0x44 } == .malformed(Malformation(layer: .ipv4, offset: 14, limit: .headerLength)))
        #expect(edited { $0[14] = 0x55 } == .malformed(Malformation(layer: .ipv4, offset: 14, limit: .version)))
        #expect(edited { $0[17] = 19 } == .malformed(Malformation(layer: .ipv4, offset: 14, limit: .totalLength)))
        #expect(edited { $0[46] = 0x40 } == .malformed(Malformation(layer: .tcp, offset: 34, limit: .headerLength)))
        #expect(edited { $0[46] = 0xf0 } == .malformed(Malformation(layer: .tcp, offset: 34, limit: .enclosingLength)))
        #expect(decode([1, 2, 3]) == .malformed(Malformation(layer: .link, offset: 0, limit: .frameLength)))
    }

    @Test("Cut frames say where, and keep what is whole")
    func cut() throws {
        let bytes = DecoderTests.frame
        #expect(decode(Array(bytes.prefix(30)), wireLength: 54) == .cut(layer: .ipv4, offset: 14))
        #expect(decode(Array(bytes.prefix(47)), wireLength: 54) == .cut(layer: .tcp, offset: 34))
        let flags = decode(Array(bytes.prefix(48)), wireLength: 54)
        guard case .segment(let segment) = flags else { throw Mismatch(flags) }
        #expect(segment.isCut && segment.seq == 1000 && segment.flags == .syn)
        #expect(segment.options.has(.cut))
    }

    // MARK: Not ours

    @Test("What is whole and not TCP is ignored, with the reason")
    func ignored() {
        #expect(
            edited {
                $0[12] = 0x08; $0[13] = 0x06
            } == .ignored(.arp))
        #expect(
            edited {
                $0[12] = 0x88; $0[13] = 0xcc
            } == .ignored(.otherEtherType))
        #expect(edited { $0[23] = 17 } == .ignored(.udp))
        #expect(edited { $0[23] = 132 } == .ignored(.otherProtocol))
        #expect(edited { $0[23] = 50 } == .ignored(.encrypted))
        #expect(edited { $0[21] = 5 } == .ignored(.laterFragment))
        #expect(decode([0, 1, 2], LinkType(rawValue: 9999)) == .ignored(.unknownLinkType))
    }

    @Test("LLC with SNAP leads to IP; other LLC is ignored")
    func llc() throws {
        let packet = Array(DecoderTests.frame.dropFirst(14))
        let header = [UInt8](repeating: 2, count: 12)
        let snap = header + [0, UInt8(packet.count + 8), 0xaa, 0xaa, 3, 0, 0, 0, 8, 0] + packet
        guard case .segment = decode(snap) else { throw Mismatch(decode(snap)) }
        let spanningTree = header + [0, 38, 0x42, 0x42, 3] + [UInt8](repeating: 0, count: 43)
        #expect(decode(spanningTree) == .ignored(.llc))
    }

    // MARK: IP

    @Test("IPv4 options are skipped")
    func ipv4Options() throws {
        var bytes = DecoderTests.frame
        bytes[14] = 0x46
        bytes[17] += 4
        bytes.insert(contentsOf: [1, 1, 1, 0], at: 34)
        guard case .segment(let segment) = decode(bytes) else { throw Mismatch(decode(bytes)) }
        #expect(segment.seq == 1000)
    }

    @Test("A first fragment decodes where the TCP header is whole, and says so")
    func firstFragment() throws {
        let bytes = FrameEncoder().encode(DecoderTests.syn { $0.isFragment = true })
        guard case .segment(let segment) = decode(bytes) else { throw Mismatch(decode(bytes)) }
        #expect(segment.isFragment)
    }

    @Test("A first fragment that ends inside the TCP header is ignored, not malformed")
    func tinyFragment() {
        var bytes = FrameEncoder().encode(DecoderTests.syn { $0.isFragment = true })
        bytes[17] = 28
        #expect(decode(Array(bytes.prefix(42))) == .ignored(.laterFragment))
    }

    @Test("IPv6 extension headers are followed: hop-by-hop, routing, fragment, destination, AH")
    func ipv6Extensions() throws {
        var segment = DecoderTests.syn()
        segment.source.address = IPAddress(v6High: 1, low: 2)
        segment.destination.address = IPAddress(v6High: 3, low: 4)
        let plain = FrameEncoder(.ipv6).encode(segment)
        let tcp = Array(plain.dropFirst(40))
        let chain: [UInt8] =
            [43, 0, 0, 0, 0, 0, 0, 0] + [44, 0, 0, 0, 0, 0, 0, 0] + [60, 0, 0, 1, 0, 0, 0, 9]
            + [51, 1] + [UInt8](repeating: 0, count: 14) + [6, 1] + [UInt8](repeating: 0, count: 10)
        var bytes = Array(plain.prefix(40)) + chain + tcp
        bytes[6] = 0
        bytes[5] = UInt8(chain.count + tcp.count)
        guard case .segment(let decoded) = decode(bytes, .ipv6) else { throw Mismatch(decode(bytes, .ipv6)) }
        #expect(decoded.seq == 1000)
        #expect(decoded.isFragment)
        #expect(decoded.tunnels == .ah)
    }

    @Test("Encapsulation is followed to a bounded depth")
    func depth() {
        let inner = Array(DecoderTests.frame.dropFirst(14))
        var packet = inner
        for _ in 0..<12 {
            var header = Array(inner.prefix(20))
            header[9] = 4
            let total = packet.count + 20
            header[2] = UInt8(total >> 8)
            header[3] = UInt8(total & 255)
            packet = header + packet
        }
        #expect(decode(packet, .ipv4) == .ignored(.tooDeep))
    }

    // MARK: Options

    func options(_ area: [UInt8]) throws -> TCPOptions {
        let bytes = FrameEncoder().encode(DecoderTests.syn(), rawOptions: area)
        guard case .segment(let segment) = decode(bytes) else { throw Mismatch(decode(bytes)) }
        return segment.options
    }

    @Test(
        "Malformed options are told by kind, and what comes before them is kept",
        arguments: [
            ([2, 4, 5, 0xb4, 3, 1, 0, 0], 3), ([2, 4, 5, 0xb4, 8, 9, 0, 0], 8), ([2, 4, 5, 0xb4, 5, 0, 0, 0], 5),
            ([2, 4, 5, 0xb4, 1, 1, 1, 3], 3), ([2, 4, 5, 0xb4, 34, 3, 0, 0], 34),
        ] as [([UInt8], UInt8)])
    func malformedOption(_ area: [UInt8], _ kind: UInt8) throws {
        let decoded = try options(area)
        #expect(decoded.has(.malformed) && decoded.offendingKind == kind)
        #expect(decoded.mss == 1460)
    }

    @Test("A repeated option is told, and the last one counts")
    func repeated() throws {
        let decoded = try options([2, 4, 5, 0xb4, 2, 4, 2, 0x18])
        #expect(decoded.has(.repeated) && decoded.offendingKind == 2)
        #expect(decoded.mss == 536)
    }

    @Test("What follows the end of the list is padding")
    func endOfList() throws {
        let decoded = try options([2, 4, 5, 0xb4, 0, 2, 4, 1])
        #expect(!decoded.has(.malformed) && !decoded.has(.repeated))
    }

    @Test("Fast Open comes as kind 34 or as an experiment with its magic")
    func fastOpen() throws {
        #expect(try options([34, 2, 1, 1]).has(.fastOpen))
        let experimental = try options([254, 8, 0xf9, 0x89, 1, 2, 3, 4])
        #expect(experimental.has([.fastOpen, .fastOpenExperimental]) && experimental.fastOpenCookieLength == 4)
        #expect(try !options([254, 8, 0x12, 0x34, 1, 2, 3, 4]).has(.fastOpen))
    }

    @Test("Kinds without a field are told by kind")
    func otherKinds() throws {
        let decoded = try options([5, 2, 19, 2])
        #expect(decoded.has(.other))
        #expect(decoded.kinds >> 5 & 1 == 1 && decoded.kinds >> 19 & 1 == 1)
    }

    // MARK: Checksums

    @Test("Good, bad and offloaded checksums are told apart", arguments: [ChecksumState.good, .bad, .offload])
    func checksums(_ state: ChecksumState) throws {
        for address in [IPAddress(v4: 1), IPAddress(v6High: 5, low: 6)] {
            let segment = DecoderTests.syn {
                $0.source.address = address
                $0.destination.address = address
                $0.checksum = state
            }
            let bytes = FrameEncoder().encode(segment)
            guard case .segment(let decoded) = decode(bytes) else { throw Mismatch(decode(bytes)) }
            #expect(decoded.checksum == state)
        }
    }

    @Test("A wrong IPv4 header checksum is bad too; a zero one is offload")
    func headerChecksum() throws {
        for (value, expected) in [(UInt8(1), ChecksumState.bad), (0, .offload)] {
            let frame = edited { bytes in
                bytes[24] = value
                bytes[25] = 0
            }
            guard case .segment(let segment) = frame else { throw Mismatch(frame) }
            #expect(segment.checksum == expected)
        }
    }

    @Test("Verification can be switched off")
    func unverified() throws {
        var decoder = FrameDecoder(.ethernet)
        decoder.verifiesChecksums = false
        let bytes = FrameEncoder().encode(DecoderTests.syn { $0.checksum = .bad })
        let frame = decoder.decode(bytes.span.bytes, wireLength: bytes.count)
        guard case .segment(let segment) = frame else { throw Mismatch(frame) }
        #expect(segment.checksum == .unverified)
    }

    // MARK: ICMP

    @Test("ICMP errors give the quoted tuple and sequence number, also from 8 quoted octets", arguments: [8, 20])
    func icmp(_ quoted: Int) throws {
        let syn = DecoderTests.syn()
        let error = ICMPError(
            reporter: IPAddress(v4: 9), type: 3, code: 1, source: syn.source, destination: syn.destination, seq: syn.seq
        )
        let bytes = FrameEncoder().encode(error, about: syn, quoted: quoted)
        #expect(decode(bytes) == .icmpError(error))
    }

    @Test("A quote that ends before the sequence number leaves it unknown")
    func shortQuote() throws {
        let syn = DecoderTests.syn()
        let error = ICMPError(
            reporter: IPAddress(v4: 9), type: 3, code: 1, source: syn.source, destination: syn.destination)
        let bytes = FrameEncoder().encode(error, about: syn, quoted: 4)
        #expect(decode(bytes) == .icmpError(error))
    }

    @Test("ICMPv6 errors likewise")
    func icmpv6() {
        var syn = DecoderTests.syn()
        syn.source.address = IPAddress(v6High: 1, low: 2)
        syn.destination.address = IPAddress(v6High: 3, low: 4)
        let error = ICMPError(
            reporter: IPAddress(v6High: 5, low: 6), type: 1, code: 4, source: syn.source, destination: syn.destination,
            seq: syn.seq)
        #expect(decode(FrameEncoder().encode(error, about: syn)) == .icmpError(error))
    }

    @Test("An echo request is ICMP that is no error")
    func echo() {
        let frame = edited { bytes in
            bytes[23] = 1
            bytes[34] = 8
        }
        #expect(frame == .ignored(.icmp))
    }
}

struct Mismatch: Error, CustomStringConvertible {
    let description: String
    init(_ frame: Frame) { description = "\(frame)" }
}
