import PacketWire
import Testing

@Suite("Trust in a sender's checksums")
struct SenderChecksumsTests {
    private func synAck(_ checksum: ChecksumState, from: (outer: UInt32, to: UInt32)? = nil) -> Segment {
        var segment = Segment(
            from: Endpoint(IPAddress(v4: 0xc633_6401), 443), to: Endpoint(IPAddress(v4: 0xc000_0201), 40000))
        segment.flags = [.syn, .ack]
        segment.checksum = checksum
        if let from {
            segment.tunnels = Tunnels(.gtpU)
            segment.path = TunnelPath(
                [.init(.gtpU, id: 1)], outer: (IPAddress(v4: from.outer), IPAddress(v4: from.to)))
        }
        return segment
    }

    @Test("A sender that showed a good sum is trusted to send good ones")
    func good() {
        var senders = SenderChecksums()
        _ = senders.note(synAck(.good))
        #expect(senders.note(synAck(.bad)) == .good)
    }

    @Test("A good sum in a tunnel says nothing of the sender outside of it, nor of another tunnel")
    func tunnels() {
        var senders = SenderChecksums()
        _ = senders.note(synAck(.good, from: (0xcb00_7142, 0xc000_0263)))
        #expect(senders.note(synAck(.bad)) == .unknown)
        #expect(senders.note(synAck(.bad, from: (0xcb00_7143, 0xc000_0263))) == .unknown)
    }

    @Test("In its own tunnel it is the sender's, in both directions of the tunnel")
    func sameTunnel() {
        var senders = SenderChecksums()
        _ = senders.note(synAck(.good, from: (0xcb00_7142, 0xc000_0263)))
        #expect(senders.note(synAck(.bad, from: (0xcb00_7142, 0xc000_0263))) == .good)
        #expect(senders.note(synAck(.bad, from: (0xc000_0263, 0xcb00_7142))) == .good)
    }
}
