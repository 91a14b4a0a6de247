import Fixtures
import Foundation
import PacketCapture
import PacketWire
import TestSupport
import Testing

@Suite("What pcapng says beside its frames")
struct PcapngNoteTests {
    @Test("Names and comments of the file and its interfaces are kept", arguments: [false, true])
    func names(_ isBig: Bool) throws {
        var file = PcapngWriter(isBig: isBig)
        let words = file.option(1, Array("a customer's trace".utf8)) + file.option(3, Array("Linux".utf8))
        file.block(
            0x0a0d_0d0a,
            file.octets(UInt32(0x1a2b_3c4d)) + file.octets(UInt16(1)) + file.octets(UInt16(0)) + file.octets(Int64(-1))
                + words + file.option(4, Array("dumpcap".utf8)) + file.option(0, []))
        file.interface(
            .ethernet, snaplen: 96,
            options: file.option(2, Array("eth0".utf8)) + file.option(3, Array("uplink".utf8)) + file.option(9, [9]))
        file.interface(.raw, options: file.option(2, Array("tun0".utf8)))
        file.packet(SavefileTests.handshake.frames()[0].bytes, time: 1)
        let description = try #require(try Reading([TemporaryFile(file.bytes)]).descriptions.first)
        #expect(description.section.comments == ["a customer's trace"])
        #expect(description.section.system == "Linux" && description.section.application == "dumpcap")
        #expect(description.interfaces.map(\.name) == ["eth0", "tun0"])
        #expect(description.interfaces[0].description == "uplink" && description.interfaces[0].snaplen == 96)
        #expect(description.interfaces.map(\.timeResolution) == [1, 1000])
        #expect(description.interfaces[1].linkType == .raw)
    }

    /// A packet block with options.
    static func packet(_ file: inout PcapngWriter, _ frame: [UInt8], options: [UInt8]) {
        let padding = [UInt8](repeating: 0, count: -frame.count & 3)
        file.block(
            6,
            file.octets(UInt32(0)) + file.octets(UInt64(1)) + file.octets(UInt32(frame.count))
                + file.octets(UInt32(frame.count)) + frame + padding + options)
    }

    @Test("A packet's comment is that of its frame's number")
    func packetComments() throws {
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet)
        let frame = SavefileTests.handshake.frames()[0].bytes
        PcapngNoteTests.packet(&file, frame, options: [])
        PcapngNoteTests.packet(
            &file, frame,
            options: file.option(2, [1, 0, 0, 0]) + file.option(1, Array("here".utf8)) + file.option(0, []))
        PcapngNoteTests.packet(&file, frame, options: file.option(2, [1, 0, 0, 0]) + file.option(0, []))
        let comments = try Reading([TemporaryFile(file.bytes)]).comments
        #expect([1, 2, 3].map { comments[$0] } == [nil, "here", nil])
    }

    @Test("An interface's last statistics are its losses, summed over interfaces and sections")
    func statistics() throws {
        var file = PcapngWriter()
        func statistics(_ interface: UInt32, _ counts: [(UInt16, UInt64)]) {
            let options = counts.flatMap { file.option($0.0, file.octets($0.1)) } + file.option(0, [])
            file.block(5, file.octets(interface) + file.octets(UInt64(0)) + options)
        }
        for _ in 0..<2 {
            file.section()
            file.interface(.ethernet)
            file.interface(.ethernet)
            statistics(0, [(4, 5), (7, 1)])
            statistics(0, [(4, 100), (5, 3), (7, 20)])
            statistics(1, [(4, 7)])
        }
        let losses = try Reading([TemporaryFile(file.bytes)]).losses
        #expect(losses.received == 214)
        #expect(losses.droppedByInterface == 6)
        #expect(losses.droppedBySystem == 40)
    }

    @Test("Packets' drop counts stand in for statistics that are not there")
    func dropCounts() throws {
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet)
        let frame = SavefileTests.handshake.frames()[0].bytes
        for count in [UInt64(2), 3] {
            PcapngNoteTests.packet(&file, frame, options: file.option(4, file.octets(count)))
        }
        #expect(try Reading([TemporaryFile(file.bytes)]).losses.droppedBySystem == 5)
        #expect(try Reading([TemporaryFile(SavefileTests.handshake.pcap())]).losses.droppedBySystem == nil)
    }

    @Test(
        "An option or a trailing length that is wrong is told once, with its place, and the frames are read all the same"
    )
    func flaws() throws {
        var file = PcapngWriter()
        file.section()
        let broken = file.bytes.count
        file.interface(.ethernet, options: file.octets(UInt16(2)) + file.octets(UInt16(500)))
        let frame = SavefileTests.handshake.frames()[0].bytes
        for time in [UInt64(1), 2] { file.packet(frame, time: time) }
        file.bytes.replaceSubrange(file.bytes.count - 4..<file.bytes.count, with: [9, 9, 9, 9])
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.segments.count == 2)
        #expect(reading.failures.map(\.kind) == [.flawed])
        #expect(reading.failures.first?.offset == UInt64(broken))
        #expect(reading.failures.first?.description.contains("1 more") == true)
    }

    @Test("Several comments of a packet are lines, and statistics that say less take nothing back")
    func several() throws {
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet)
        let options = file.option(1, Array("one".utf8)) + file.option(1, Array("two".utf8)) + file.option(0, [])
        PcapngNoteTests.packet(&file, SavefileTests.handshake.frames()[0].bytes, options: options)
        let head = file.octets(UInt32(0)) + file.octets(UInt64(0))
        file.block(5, head + file.option(5, file.octets(UInt64(9))))
        file.block(5, head)
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.comments[1] == "one\ntwo")
        #expect(reading.losses.droppedByInterface == 9)
    }

    @Test(
        "Statistics of an interface that is described later are told as a flaw; a large block of an unknown kind is passed over"
    )
    func oddBlocks() throws {
        var file = PcapngWriter()
        file.section()
        file.block(5, file.octets(UInt32(0)) + file.octets(UInt64(0)))
        file.interface(.ethernet)
        file.block(0x0bad, [UInt8](repeating: 7, count: 17 << 20))
        file.packet(SavefileTests.handshake.frames()[0].bytes, time: 1)
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.segments.count == 1)
        #expect(reading.failures.map(\.kind) == [.flawed])
    }

    @Test("A simple packet block has no time: its frame has that of the one before, and says so")
    func untimed() throws {
        let frame = SavefileTests.handshake.frames()[0].bytes
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet)
        file.packet(frame, time: 5_000_000)
        file.block(3, file.octets(UInt32(frame.count)) + frame)
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.times == [5_000_000_000, 5_000_000_000])
        #expect(reading.segments.map(\.isUntimed) == [false, true])
    }

    @Test("Fragments on another interface make a segment at another place")
    func fragmentsOfInterfaces() throws {
        var segment = Segment(from: Endpoint("192.0.2.1:40000")!, to: Endpoint("198.51.100.1:443")!)
        segment.flags = .syn
        segment.identification = 7
        let pieces = FrameEncoder(.raw).encode(segment, pieces: [0..<8, 8..<20])
        var file = PcapngWriter()
        file.section()
        file.interface(.raw)
        file.interface(.raw)
        for interface in [UInt32(0), 1] {
            for piece in pieces { file.packet(piece, interface: interface, time: UInt64(interface) + 1) }
        }
        let segments = try Reading([TemporaryFile(file.bytes)]).segments
        #expect(segments.count == 2 && segments[0].linkSignature != segments[1].linkSignature)
    }

    @Test("A wrong trailing length with nonsense after it is corrupt")
    func nonsense() throws {
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet)
        file.packet(SavefileTests.handshake.frames()[0].bytes, time: 1)
        file.bytes.replaceSubrange(file.bytes.count - 4..<file.bytes.count, with: [9, 9, 9, 9])
        file.bytes += [UInt8](repeating: 0x5a, count: 64)
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.failures.map(\.kind) == [.corrupt])
    }

    @Test("The same packet on another interface is at another place")
    func interfacesAreLinks() throws {
        var file = PcapngWriter()
        file.section()
        file.interface(.raw)
        file.interface(.raw)
        let frame = SavefileTests.handshake.frames(.raw)[0].bytes
        for interface in [UInt32(0), 1] { file.packet(frame, interface: interface, time: 1) }
        let segments = try Reading([TemporaryFile(file.bytes)]).segments
        #expect(segments[0].linkSignature != segments[1].linkSignature)
    }
}
