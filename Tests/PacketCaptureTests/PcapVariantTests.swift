import Fixtures
import PacketCapture
import PacketWire
import TestSupport
import Testing

/// A variant of pcap, and what its files have that those of libpcap have not.
struct PcapVariant: Sendable, CustomTestStringConvertible {
    var name: String
    var magic: UInt32 = 0xa1b2_c3d4
    var minor: UInt16 = 4
    var linkType: UInt32 = 1
    /// Nanoseconds a unit of the fraction.
    var unit: Int64 = 1000
    /// Octets behind the file header.
    var afterHeader = 0
    /// Octets behind a record's header, in the file's byte order.
    var afterRecord: @Sendable (PcapngWriter) -> [UInt8] = { _ in [] }
    var testDescription: String { name }

    /// Interface 2, IPv4, from another host.
    private static func linux(_ order: PcapngWriter) -> [UInt8] {
        order.octets(UInt32(2)) + order.octets(UInt16(0x800)) + [0]
    }

    static let all: [PcapVariant] = [
        PcapVariant(name: "pcap"),
        PcapVariant(name: "Red Hat 6.1", afterRecord: { linux($0) + [7] }),
        PcapVariant(name: "Nokia", afterRecord: { _ in [1, 0xb9, 0xbf, 0x9f] }),
        PcapVariant(name: "Kuznetzov", magic: 0xa1b2_cd34, afterRecord: { linux($0) + [7] }),
        PcapVariant(name: "SuSE 6.3", magic: 0xa1b2_cd34, afterRecord: { linux($0) + [1, 2, 7, 7, 7] }),
        PcapVariant(name: "AIX", minor: 2, linkType: 6, unit: 1),
        PcapVariant(name: "Ixia hardware", magic: 0x1c00_01ac, unit: 1, afterHeader: 4),
        PcapVariant(name: "Ixia software", magic: 0x1c00_01ab, afterHeader: 4),
    ]

    func file(_ frames: [(time: Int64, bytes: [UInt8])], isBig: Bool) -> [UInt8] {
        let order = PcapngWriter(isBig: isBig)
        var bytes = order.octets(magic) + order.octets(UInt16(2)) + order.octets(minor)
        bytes += [UInt8](repeating: 0, count: 8) + order.octets(UInt32(65535)) + order.octets(linkType)
        bytes += [UInt8](repeating: 9, count: afterHeader)
        for (time, frame) in frames {
            bytes += order.octets(UInt32(time / 1_000_000_000))
            bytes += order.octets(UInt32(time % 1_000_000_000 / unit))
            bytes += order.octets(UInt32(frame.count)) + order.octets(UInt32(frame.count))
            bytes += afterRecord(order) + frame
        }
        return bytes
    }
}

@Suite("Variants of pcap")
struct PcapVariantTests {
    private var frames: [(time: Int64, bytes: [UInt8])] { SavefileTests.handshake.frames() }

    @Test("Each is read, with frames and times right, in both byte orders", arguments: PcapVariant.all, [true, false])
    func isRead(_ variant: PcapVariant, _ isBig: Bool) throws {
        let reading = try Reading([TemporaryFile(variant.file(frames, isBig: isBig))])
        #expect(reading.segments.count == 3)
        #expect(reading.times == frames.map(\.time))
        #expect(reading.descriptions[0].timeResolution == variant.unit)
        #expect(reading.descriptions[0].linkType == .ethernet)
        #expect(reading.failures.isEmpty)
    }

    @Test("One frame is enough to tell", arguments: PcapVariant.all, [true, false])
    func singleFrame(_ variant: PcapVariant, _ isBig: Bool) throws {
        let reading = try Reading([TemporaryFile(variant.file(Array(frames.prefix(1)), isBig: isBig))])
        #expect(reading.segments.count == 1)
        #expect(reading.failures.isEmpty)
    }

    @Test("Frames without a time do not hide which it is", arguments: PcapVariant.all, [true, false])
    func untimedFrame(_ variant: PcapVariant, _ isBig: Bool) throws {
        for position in frames.indices {
            var frames = frames
            frames[position].time = 0
            let reading = try Reading([TemporaryFile(variant.file(frames, isBig: isBig))])
            #expect(reading.segments.count == 3)
            #expect(reading.times == frames.map(\.time))
        }
    }

    @Test("A file without a frame is no failure", arguments: PcapVariant.all, [true, false])
    func noFrame(_ variant: PcapVariant, _ isBig: Bool) throws {
        let reading = try Reading([TemporaryFile(variant.file([], isBig: isBig))])
        #expect(reading.times.isEmpty && reading.failures.isEmpty)
    }

    @Test("A file cut behind its second frame delivers both, and is cut", arguments: PcapVariant.all, [true, false])
    func cut(_ variant: PcapVariant, _ isBig: Bool) throws {
        let two = variant.file(Array(frames.prefix(2)), isBig: isBig).count
        let bytes = variant.file(frames, isBig: isBig)
        for length in [two + 1, two + 8, two + 16, bytes.count - 1] {
            let reading = try Reading([TemporaryFile(Array(bytes.prefix(length)))])
            #expect(reading.segments.count == 2)
            #expect(reading.failures.map(\.kind) == [.cutShort])
        }
    }

    @Test("A capture whose second record is damaged is not taken for a variant", arguments: [true, false])
    func damaged(_ isBig: Bool) throws {
        var bytes = PcapVariant.all[0].file(frames, isBig: isBig)
        let second = 24 + 16 + frames[0].bytes.count
        for position in second + 8..<second + 12 { bytes[position] = 0xff }
        let reading = try Reading([TemporaryFile(bytes)])
        #expect(reading.segments.count == 1)
        #expect(reading.failures.map(\.kind) == [.corrupt])
        #expect(reading.failures.first?.offset == UInt64(second))
    }

    @Test(
        "A capture with a fraction beyond a second in its first frames is read as it stands", arguments: [true, false])
    func oddTimes(_ isBig: Bool) throws {
        let order = PcapngWriter(isBig: isBig)
        var bytes = PcapVariant.all[0].file(frames, isBig: isBig)
        bytes.replaceSubrange(28..<32, with: order.octets(UInt32(1_500_000)))
        let reading = try Reading([TemporaryFile(bytes)])
        #expect(reading.segments.count == 3)
        #expect(reading.failures.isEmpty)
    }
}
