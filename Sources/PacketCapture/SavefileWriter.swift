package import PacketWire

/// Writes a savefile: pcap with nanosecond times, or pcapng; little-endian.
package struct SavefileWriter {
    package enum Format: Sendable { case pcap, pcapng }

    private let format: Format
    /// What is written so far.
    package private(set) var octets: [UInt8] = []

    /// - Parameter snaplen: the most octets of a frame that the file says it holds.
    package init(_ format: Format, linkType: LinkType, snaplen: Int) {
        self.format = format
        switch format {
        case .pcap:
            put(UInt32(0xa1b2_3c4d))  // nanoseconds
            put(UInt16(2))
            put(UInt16(4))
            put(UInt64(0))
            put(UInt32(snaplen))
            put(UInt32(linkType.rawValue))
        case .pcapng:
            block(0x0a0d_0d0a) {  // Section Header Block
                $0.put(UInt32(0x1a2b_3c4d))
                $0.put(UInt16(1))
                $0.put(UInt16(0))
                $0.put(UInt64.max)  // the section's length is not given
            }
            block(1) {  // Interface Description Block
                $0.put(UInt32(linkType.rawValue))
                $0.put(UInt32(snaplen))
                $0.octets += [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]  // if_tsresol: 10^-9 s; end of options
            }
        }
    }

    /// - Parameters:
    ///   - time: nanoseconds since the epoch.
    ///   - frame: what was captured of it.
    ///   - wireLength: octets that it had.
    package mutating func write(_ frame: [UInt8], wireLength: Int, time: Int64) {
        let stamp = UInt64(max(0, time))
        switch format {
        case .pcap:
            put(UInt32(truncatingIfNeeded: stamp / 1_000_000_000))
            put(UInt32(stamp % 1_000_000_000))
            put(UInt32(frame.count))
            put(UInt32(wireLength))
            octets += frame
        case .pcapng:
            block(6) {  // Enhanced Packet Block
                $0.put(UInt32(0))
                $0.put(UInt32(truncatingIfNeeded: stamp >> 32))
                $0.put(UInt32(truncatingIfNeeded: stamp))
                $0.put(UInt32(frame.count))
                $0.put(UInt32(wireLength))
                $0.octets += frame
                $0.octets += [UInt8](repeating: 0, count: -frame.count & 3)
            }
        }
    }

    private mutating func block(_ type: UInt32, _ body: (inout SavefileWriter) -> Void) {
        let start = octets.count
        put(type)
        put(UInt32(0))
        body(&self)
        let length = UInt32(octets.count - start + 4)
        put(length)
        for index in 0..<4 { octets[start + 4 + index] = UInt8(truncatingIfNeeded: length >> UInt32(8 * index)) }
    }

    private mutating func put(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            octets.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
