import PacketWire
import Testing

/// Link addresses, DSCP, ECN and the order of options, which are kept of SYNs and SYN-ACKs.
@Suite("Outer headers of a SYN")
struct OpeningHeadersTests {
    static func syn() -> Segment {
        var segment = Segment(
            from: Endpoint(IPAddress(v4: 0x0a00_0001), 40000), to: Endpoint(IPAddress(v4: 0x0a00_0002), 443))
        segment.flags = .syn
        segment.options.present = [.mss, .sackPermitted, .timestamps, .windowScale]
        segment.options.mss = 1460
        segment.trafficClass = 46 << 2 | 2
        return segment
    }

    /// An 802.11 data frame with an IPv4 packet: four addresses that end in 1 to 4.
    static func wireless(_ flags: UInt8, _ packet: ArraySlice<UInt8>) -> [UInt8] {
        func address(_ number: UInt8) -> [UInt8] { [2, 0, 0, 0, 0, number] }
        var frame: [UInt8] = [0x08, flags, 0, 0] + address(1) + address(2) + address(3) + [0x10, 0]
        if flags & 3 == 3 { frame += address(4) }
        return frame + [0xaa, 0xaa, 3, 0, 0, 0, 8, 0] + packet
    }

    @Test(
        "Who sent a Wi-Fi frame to whom says its direction (IEEE 802.11-2020 table 9-30)",
        arguments: [(UInt8(0), 2, 1), (1, 2, 3), (2, 3, 1), (3, 4, 3)])
    func wireless(_ flags: UInt8, _ source: UInt64, _ destination: UInt64) {
        let packet = FrameEncoder(.ipv4).encode(OpeningHeadersTests.syn())
        guard case .segment(let segment) = decode(OpeningHeadersTests.wireless(flags, packet[...]), .ieee80211) else {
            Issue.record("no segment")
            return
        }
        #expect(segment.links.source?.bits == 0x0200_0000_0000 | source)
        #expect(segment.links.destination?.bits == 0x0200_0000_0000 | destination)
    }

    @Test("A Wi-Fi header with four addresses that ends with the capture is read within it")
    func wirelessCut() {
        let packet = FrameEncoder(.ipv4).encode(OpeningHeadersTests.syn())
        let frame = OpeningHeadersTests.wireless(3, packet[...])
        #expect(decode(Array(frame.prefix(30)), .ieee80211, wireLength: frame.count) == .cut(layer: .link, offset: 30))
    }

    @Test(
        "A usual SYN keeps its link addresses, traffic class and order of options, behind VLAN tags too",
        arguments: [
            [UInt16](), [7], [7, 9],
        ])
    func usual(_ tags: [UInt16]) {
        for linkType in [LinkType.ethernet, .linuxSLL, .linuxSLL2] {
            var syn = OpeningHeadersTests.syn()
            syn.vlan = VLANTags(tags)
            syn.checksum = .good
            let frame = FrameEncoder(linkType).encode(syn)
            var batch = FrameBatch(seed: 1)
            batch.append(frame, number: 1, time: 0, decoder: FrameDecoder(linkType))
            #expect(batch.heads[0].isUsual)
            let segment = batch.segment(0)
            #expect(segment.trafficClass == 46 << 2 | 2)
            #expect(segment.options.order.kinds == [2, 4, 8, 1, 3])
            #expect(segment.links.source?.description == "02:00:00:00:00:01")
            #expect(segment.links.destination?.description == (linkType == .ethernet ? "02:00:00:00:00:02" : nil))
        }
    }

    @Test("Options of one set in another order are told apart")
    func order() {
        let area: [UInt8] = [2, 4, 5, 180, 1, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0]
        let frame = FrameEncoder().encode(OpeningHeadersTests.syn(), rawOptions: area)
        guard case .segment(let segment) = decode(frame) else {
            Issue.record("no segment")
            return
        }
        #expect(segment.options.order.kinds == [2, 1, 3, 4, 8])
    }

    @Test("More kinds than are kept are counted")
    func many() {
        let area = [UInt8](repeating: 1, count: 36) + [2, 4, 5, 180]
        let frame = FrameEncoder().encode(OpeningHeadersTests.syn(), rawOptions: area)
        guard case .segment(let segment) = decode(frame) else {
            Issue.record("no segment")
            return
        }
        #expect(segment.options.order.count == 37)
        #expect(segment.options.order.kinds == [UInt8](repeating: 1, count: TCPOptions.Order.maximum))
        #expect(segment.options.mss == 1460)
    }
}
