import Fixtures
import PacketWire
import TestSupport
import Testing

@testable import PacketCapture

@Suite("Annotated copies")
struct AnnotatedCopyTests {
    private struct Copied {
        var octets: [UInt8] = []
        var frames: [CaptureReader.WholeFrame] = []
        var comments: [String?] = []
        var written: UInt64
        var commented: Int
        var homeless: Int
    }

    private func copy(_ file: [UInt8], _ notes: AnnotatedCopy.Notes) throws -> Copied {
        let source = try TemporaryFile(file)
        var copy = try AnnotatedCopy(source.path, notes, CaptureReader.Options())
        var octets: [UInt8] = []
        while true {
            let piece = copy.next()
            if piece.isEmpty { break }
            octets += piece
        }
        var copied = Copied(
            octets: octets, written: copy.written, commented: copy.commented, homeless: copy.homeless)
        let result = try TemporaryFile(octets)
        let reading = try Reading([result])
        let reader = try CaptureReader(paths: [result.path])
        while let frame = reader.nextFrame() { copied.frames.append(frame) }
        copied.comments = copied.frames.map { reading.comments[$0.number] }
        #expect(reading.failures.isEmpty)
        return copied
    }

    private func notes(_ comments: [(frame: UInt64, text: String)]) -> AnnotatedCopy.Notes {
        var notes = AnnotatedCopy.Notes()
        notes.comments = comments
        return notes
    }

    /// Two interfaces, the second with coarse times; an older comment; a block of statistics at the end.
    private func pcapng(isBig: Bool) -> [UInt8] {
        var file = PcapngWriter(isBig: isBig)
        let frame = SavefileTests.handshake.frames()[0].bytes
        file.section()
        file.interface(
            .ethernet, options: file.option(2, Array("eth0".utf8)) + file.option(9, [9]) + file.option(0, []))
        file.interface(.ethernet)
        file.packet(frame, time: 1_000_000_001)
        let head = file.octets(UInt32(1)) + file.octets(UInt64(7)) + file.octets(UInt32(frame.count))
        file.block(
            6,
            head + file.octets(UInt32(frame.count)) + frame + [UInt8](repeating: 0, count: -frame.count & 3)
                + file.option(1, Array("older".utf8)) + file.option(2, [0, 0, 0, 1]) + file.option(0, []))
        file.packet(frame, time: 3_000_000_001)
        file.block(3, file.octets(UInt32(frame.count)) + frame)
        file.block(5, file.octets(UInt32(0)) + file.octets(UInt64(0)))
        return file.bytes
    }

    @Test("Without notes the blocks of a pcapng file are copied octet for octet", arguments: [false, true])
    func nothingAdded(isBig: Bool) throws {
        let file = pcapng(isBig: isBig)
        #expect(try copy(file, notes([])).octets == file)
    }

    @Test("Comments are added to those that are there, and the frames stay as they are", arguments: [false, true])
    func added(isBig: Bool) throws {
        let file = pcapng(isBig: isBig)
        let old = try copy(file, notes([]))
        let new = try copy(file, notes([(1, "first"), (2, "second"), (2, "third")]))
        #expect(new.comments == ["first", "older\nsecond\nthird", nil, nil])
        #expect(new.commented == 3)
        for (before, after) in zip(old.frames, new.frames) {
            #expect(before.octets == after.octets && before.time == after.time)
            #expect(before.wireLength == after.wireLength && before.linkType == after.linkType)
        }
        #expect(new.frames.count == 4)
    }

    @Test("A comment on a simple packet block has no place, and is counted")
    func simplePacket() throws {
        let copied = try copy(pcapng(isBig: false), notes([(3, "here"), (4, "nowhere")]))
        #expect(copied.comments == [nil, "older", "here", nil])
        #expect(copied.homeless == 1)
    }

    @Test("Frames that are not kept are left out")
    func kept() throws {
        var wanted = notes([(2, "kept"), (3, "gone")])
        wanted.kept = [2, 4]
        let copied = try copy(pcapng(isBig: true), wanted)
        #expect(copied.written == 2)
        #expect(copied.comments == ["older\nkept", nil])
    }

    @Test("The section's comment goes to the first section, and no section says a length that is no more")
    func section() throws {
        var wanted = notes([])
        wanted.section = "what it is"
        let file = pcapng(isBig: false)
        let source = try TemporaryFile(try copy(file + file, wanted).octets)
        let reader = try CaptureReader(paths: [source.path])
        #expect(reader.descriptions[0].section.comments == ["what it is"])
    }

    @Test(
        "pcap becomes pcapng with the same times",
        arguments: [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1)] as [(UInt32, Int64)])
    func classic(_ variant: (magic: UInt32, unit: Int64)) throws {
        let order = PcapngWriter()
        var bytes = order.octets(variant.magic) + order.octets(UInt16(2)) + order.octets(UInt16(4))
        bytes += [UInt8](repeating: 0, count: 8) + order.octets(UInt32(65535)) + order.octets(UInt32(1))
        let frames = SavefileTests.handshake.frames()
        for (time, frame) in frames {
            bytes += order.octets(UInt32(time / 1_000_000_000))
            bytes += order.octets(UInt32(time % 1_000_000_000 / variant.unit))
            bytes += order.octets(UInt32(frame.count)) + order.octets(UInt32(frame.count)) + frame
        }
        let copied = try copy(bytes, notes([(2, "the answer")]))
        #expect(copied.frames.map(\.time) == frames.map(\.time))
        #expect(copied.frames.map(\.octets) == frames.map(\.bytes))
        #expect(copied.comments == [nil, "the answer", nil])
        let result = try TemporaryFile(copied.octets)
        let reader = try CaptureReader(paths: [result.path])
        #expect(reader.descriptions[0].timeResolution == variant.unit)
    }

    @Test("A file that is cut is copied as far as it goes", arguments: [1, 9, 40])
    func cut(missing: Int) throws {
        let file = pcapng(isBig: false)
        let source = try TemporaryFile(Array(file.dropLast(missing)))
        var copy = try AnnotatedCopy(source.path, notes([(1, "first")]), CaptureReader.Options())
        let octets = copy.next()
        let reading = try Reading([TemporaryFile(octets)])
        #expect(reading.failures.isEmpty)
        #expect(copy.frames >= 3)
    }
}
