import PacketWire

// Blocks that hold packets.
extension PcapngState {
    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                         Block type = 6                        |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                       Block total length                      |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                          Interface ID                         |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                     Timestamp (upper half)                    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                     Timestamp (lower half)                    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                     Captured packet length                    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                     Original packet length                    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | Packet data, padded to 4 octets; options, block total length...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // draft-ietf-opsawg-pcapng section 4.3.
    @inline(__always)
    mutating func enhanced(_ reader: inout ByteReader, _ length: Int) throws(CaptureError) -> FrameHeader {
        guard length >= 32 else { throw Self.corrupt(reader, "a packet block of \(length) octets") }
        return try timed(&reader, length, interface: Int(order.u32(reader.bytes, 8)))
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                         Block type = 2                        |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                       Block total length                      |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |          Interface ID         |          Drops count          |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | From the timestamp on as an enhanced packet block...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // draft-ietf-opsawg-pcapng appendix A.
    mutating func obsolete(_ reader: inout ByteReader, _ length: Int) throws(CaptureError) -> FrameHeader {
        guard length >= 32 else { throw Self.corrupt(reader, "a packet block of \(length) octets") }
        let drops = order.u16(reader.bytes, 10)
        let interface = Int(order.u16(reader.bytes, 8))
        if drops != 0, drops != 0xffff { dropped[interface, default: 0] += UInt64(drops) }
        return try timed(&reader, length, interface: interface)
    }

    /// A packet's comment (1), and the frames dropped since the one before it (4).
    @inline(never)
    private mutating func packetOptions(
        _ reader: borrowing ByteReader, _ range: Range<Int>, _ interface: Int
    ) {
        let isWhole = Self.options(order, reader, range) { code, value in
            switch code {
            case 1: addComment(reader, value)
            case 4 where value.count == 8:
                let sum = dropped[interface, default: 0].addingReportingOverflow(
                    order.u64(reader.bytes, value.lowerBound))
                dropped[interface] = sum.overflow ? .max : sum.partialValue
            default: break
            }
        }
        if !isWhole { flaw(reader, "an option that runs past its packet block") }
    }

    /// Time, lengths and octets stand in the same places in both.
    @inline(__always)
    private mutating func timed(_ reader: inout ByteReader, _ length: Int, interface: Int) throws(CaptureError)
        -> FrameHeader
    {
        let units = UInt64(order.u32(reader.bytes, 12)) << 32 | UInt64(order.u32(reader.bytes, 16))
        let captured = Int(order.u32(reader.bytes, 20))
        let wire = Int(order.u32(reader.bytes, 24))
        let end = 28 + (captured + 3) & ~3
        if end + 8 <= length { packetOptions(reader, end..<length - 4, interface) }
        let header = try frame(&reader, length, interface, units, captured, wire, at: 28)
        lastTime = header.time
        return header
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                         Block type = 3                        |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                       Block total length                      |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                     Original packet length                    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | Packet data, padded to 4 octets; block total length...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // draft-ietf-opsawg-pcapng section 4.4: of the first interface, without a time.
    mutating func simple(_ reader: inout ByteReader, _ length: Int) throws(CaptureError) -> FrameHeader {
        guard length >= 16 else { throw Self.corrupt(reader, "a simple packet block of \(length) octets") }
        let wire = Int(order.u32(reader.bytes, 8))
        let snaplen = interfaces.first?.snaplen ?? 0
        let captured = min(wire, snaplen == 0 ? wire : snaplen, length - 16)
        var header = try frame(&reader, length, 0, 0, captured, wire, at: 12)
        (header.time, header.isTimed) = (lastTime, false)
        return header
    }

    @inline(__always)
    private func frame(
        _ reader: inout ByteReader, _ length: Int, _ number: Int, _ units: UInt64, _ captured: Int, _ wire: Int,
        at start: Int
    ) throws(CaptureError) -> FrameHeader {
        guard number < interfaces.count else {
            throw Self.corrupt(reader, "a packet of interface \(number), of which there is no description")
        }
        guard captured <= length - 4 - start else {
            throw Self.corrupt(reader, "a packet of \(captured) octets in a block of \(length)")
        }
        let interface = interfaces[number]
        reader.consume(start)
        return FrameHeader(
            linkType: interface.linkType, time: interface.nanoseconds(units), capturedLength: captured,
            wireLength: wire, trailer: length - start - captured, interface: number)
    }
}
