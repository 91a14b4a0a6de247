package import PacketWire

/// Writes a savefile: pcap with nanosecond times, or pcapng; little-endian.
package struct SavefileWriter {
    package enum Format: Sendable { case pcap, pcapng }

    /// Where frames come from: pcap has one, of pcapng each frame names its own.
    package struct Interface: Sendable {
        package var name: String?
        package var linkType: LinkType
        /// The most octets of a frame that the file says it holds.
        package var snaplen: Int
        /// Times in pcapng count units of so many decimal digits of a second, at most 9.
        package var timeDigits: UInt8

        package init(name: String? = nil, linkType: LinkType, snaplen: Int, timeDigits: UInt8 = 9) {
            self.name = name
            self.linkType = linkType
            self.snaplen = snaplen
            self.timeDigits = timeDigits
        }
    }

    private let format: Format
    /// Nanoseconds of a unit of each interface's times.
    private var units: [UInt64] = []
    /// Octets of a comment.
    static let longestComment = 1 << 15
    /// Octets that are written and not taken.
    package private(set) var octets: [UInt8] = []

    /// Begins with the file's header.
    /// - Parameters:
    ///   - interfaces: of pcap exactly one.
    ///   - comment: what pcapng says of the whole file.
    package init(_ format: Format, _ interfaces: [Interface], comment: String? = nil) {
        self.format = format
        switch format {
        case .pcap:
            put(UInt32(0xa1b2_3c4d))  // nanoseconds
            put(UInt16(2))
            put(UInt16(4))
            put(UInt64(0))
            put(UInt32(interfaces[0].snaplen))
            put(UInt32(interfaces[0].linkType.rawValue))
        case .pcapng:
            block(0x0a0d_0d0a) {  // Section Header Block
                $0.put(UInt32(0x1a2b_3c4d))
                $0.put(UInt16(1))
                $0.put(UInt16(0))
                $0.put(UInt64.max)  // the section's length is not given
                if let comment {
                    $0.add(comment)
                    $0.put(UInt32(0))  // end of options
                }
            }
            for interface in interfaces { add(interface) }
        }
    }

    /// Adds an interface to a pcapng file; its position follows those before it.
    package mutating func add(_ interface: Interface) {
        precondition(format == .pcapng, "pcap has one interface")
        block(1) {  // Interface Description Block
            $0.put(UInt32(interface.linkType.rawValue))
            $0.put(UInt32(interface.snaplen))
            if let name = interface.name { $0.option(2, Array(name.utf8)) }  // if_name
            $0.option(9, [interface.timeDigits])  // if_tsresol
            $0.put(UInt32(0))  // end of options
        }
        units.append((interface.timeDigits..<9).reduce(1) { unit, _ in unit * 10 })
    }

    /// - Parameters:
    ///   - frame: what was captured of it.
    ///   - wireLength: octets that it had.
    ///   - time: nanoseconds since the epoch.
    ///   - interface: its position among the interfaces.
    ///   - comments: what pcapng says of the frame; pcap has no place for it.
    ///   - packetID: equal for the same packet on several interfaces (epb_packetid); pcap has no place for it.
    package mutating func write(
        _ frame: some Collection<UInt8>, wireLength: Int, time: Int64, interface: Int = 0,
        comments: [String] = [], packetID: UInt64? = nil
    ) {
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
                $0.put(UInt32(interface))
                let ticks = stamp / $0.units[interface]
                $0.put(UInt32(truncatingIfNeeded: ticks >> 32))
                $0.put(UInt32(truncatingIfNeeded: ticks))
                $0.put(UInt32(frame.count))
                $0.put(UInt32(wireLength))
                $0.octets += frame
                $0.pad(frame.count)
                for comment in comments { $0.add(comment) }
                if let packetID { $0.option(5, (0..<8).map { UInt8(truncatingIfNeeded: packetID >> (8 * $0)) }) }
                if !comments.isEmpty || packetID != nil { $0.put(UInt32(0)) }  // end of options
            }
        }
    }

    /// Whole blocks that were written since the last call.
    package mutating func takeOctets() -> [UInt8] {
        defer { octets = [] }
        return octets
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

    /// Adds an opt_comment.
    private mutating func add(_ comment: String) {
        option(1, Array(comment.utf8.prefix(SavefileWriter.longestComment)))
    }

    private mutating func option(_ code: UInt16, _ value: [UInt8]) {
        put(code)
        put(UInt16(value.count))
        octets += value
        pad(value.count)
    }

    /// Zeros up to a multiple of four.
    private mutating func pad(_ count: Int) { octets += [UInt8](repeating: 0, count: -count & 3) }

    private mutating func put(_ value: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe octets.append(contentsOf: $0) }
    }
}
