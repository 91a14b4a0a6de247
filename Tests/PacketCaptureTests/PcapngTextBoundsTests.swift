import Fixtures
import PacketWire
import TestSupport
import Testing

@testable import PacketCapture

/// Files whose texts are of many pieces, or long: reading them takes time and memory for what is kept only.
@Suite("Bounds of pcapng's texts", .timeLimit(.minutes(10)))
struct PcapngTextBoundsTests {
    private static let pieces = 1_000_000
    private static let frame = SavefileTests.handshake.frames()[0].bytes

    /// Where an option stands that is repeated.
    enum Place: CaseIterable { case section, interface, packet, statistics, nameResolution, custom }

    /// A section, an interface and a packet; the block at a place has these options.
    private static func file(_ place: Place, options repeated: [UInt8]) -> [UInt8] {
        var file = PcapngWriter()
        func options(_ here: Place) -> [UInt8] { here == place ? repeated : [] }
        file.block(
            0x0a0d_0d0a,
            file.octets(UInt32(0x1a2b_3c4d)) + file.octets(UInt16(1)) + file.octets(UInt16(0)) + file.octets(Int64(-1))
                + options(.section))
        file.interface(.ethernet, options: options(.interface))
        if place == .nameResolution { file.block(4, repeated) }
        if place == .custom { file.block(0xbad, file.octets(UInt32(32473)) + repeated) }
        if place == .statistics { file.block(5, file.octets(UInt32(0)) + file.octets(UInt64(0)) + repeated) }
        PcapngNoteTests.packet(&file, frame, options: options(.packet))
        return file.bytes
    }

    private static func repeated(_ code: UInt16, _ value: [UInt8], _ count: Int = pieces) -> [UInt8] {
        let option = PcapngWriter().option(code, value)
        var options: [UInt8] = []
        options.reserveCapacity(option.count * count)
        for _ in 0..<count { options += option }
        return options
    }

    @Test(
        "A packet's comment of a million pieces is cut after 16 KiB, and counted", arguments: [[], Array("abcd".utf8)])
    func commentPieces(_ piece: [UInt8]) throws {
        let bytes = Self.file(.packet, options: Self.repeated(1, piece))
        let reading = try Reading([TemporaryFile(bytes)])
        let comment = try #require(reading.comments[1])
        #expect((16 << 10...(16 << 10) + 16).contains(comment.utf8.count) && comment.hasSuffix(" ..."))
        #expect(reading.comments.cut == 1 && reading.segments.count == 1 && reading.failures.isEmpty)
    }

    @Test(
        "Every option of every block a million times is read in one pass, and leaves at most 64 comments of a block",
        arguments: Place.allCases, [1, 2, 3, 4] as [UInt16])
    func repeatedOptions(_ place: Place, _ code: UInt16) throws {
        let bytes = Self.file(place, options: Self.repeated(code, Array("name".utf8)))
        let reading = try Reading([TemporaryFile(bytes)])
        #expect(reading.segments.count == 1 && reading.failures.isEmpty)
        let description = try #require(reading.descriptions.first)
        let comments = description.section.comments + (description.interfaces.first?.comments ?? [])
        #expect(comments.count <= PcapngState.maximumNotes + 1)
        #expect(code != 1 || ![.section, .interface].contains(place) || comments.last == "...")
    }

    @Test(
        "A text of 65,535 octets keeps 4,096, and says that it is cut", arguments: [Place.section, .interface, .packet])
    func longText(_ place: Place) throws {
        let reading = try Reading([
            TemporaryFile(Self.file(place, options: Self.repeated(1, [UInt8](repeating: 0x61, count: 65_535), 1)))
        ])
        let description = try #require(reading.descriptions.first)
        let texts =
            description.section.comments + description.interfaces.flatMap(\.comments)
            + [reading.comments[1]].compactMap(\.self)
        #expect(texts == [String(repeating: "a", count: 4096) + " ..."])
    }

    @Test("The texts of a section and its interfaces together keep 1 MiB; interfaces beyond 64 are counted")
    func manyInterfaces() throws {
        var file = PcapngWriter()
        file.section()
        let texts = Self.repeated(1, [UInt8](repeating: 0x61, count: 4000), 64)
        for _ in 0..<100 { file.interface(.ethernet, options: texts) }
        file.packet(Self.frame, time: 1)
        let description = try #require(try Reading([TemporaryFile(file.bytes)]).descriptions.first)
        #expect(description.interfaces.count == 64 && description.interfacesOmitted == 36)
        let kept = description.interfaces.flatMap(\.comments).reduce(0) { $0 + $1.utf8.count }
        #expect((1 << 20...(1 << 20) + 64 * 65 * 4).contains(kept))
        #expect(description.interfaces.last?.comments.allSatisfy { $0 == "..." } == true)
    }

    @Test("A section of more than 65,536 interfaces ends there, with its offset")
    func interfaceFlood() throws {
        var file = PcapngWriter()
        file.section()
        let start = file.bytes.count
        file.interface(.ethernet)
        let size = file.bytes.count - start
        let block = Array(file.bytes[start...])
        file.packet(Self.frame, time: 1)
        let offset = file.bytes.count + (PcapngState.maximumInterfaces - 1) * size
        for _ in 0..<PcapngState.maximumInterfaces { file.bytes += block }
        file.packet(Self.frame, time: 2)
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.segments.count == 1)
        #expect(reading.failures.map(\.offset) == [UInt64(offset)])
        #expect(reading.failures.first?.reason.contains("more than 65536 interfaces") == true)
    }

    @Test("The comments of all frames keep 16 MiB; the frames whose comments are left out are counted")
    func commentFlood() throws {
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet)
        let options = Self.repeated(1, [UInt8](repeating: 0x61, count: 4000), 4)
        for _ in 0..<1100 { PcapngNoteTests.packet(&file, Self.frame, options: options) }
        let comments = try Reading([TemporaryFile(file.bytes)]).comments
        let kept = (1...1100).filter { comments[$0] != nil }.count
        #expect((1000..<1100).contains(kept) && comments.omitted == 1100 - kept && comments.cut == 0)
    }

    @Test("A few comments, Greek and of several lines, are kept as they are")
    func harmless() throws {
        let options = Self.repeated(1, Array("χειραψία 🤝".utf8), 1) + Self.repeated(1, Array("two\nlines".utf8), 1)
        let reading = try Reading([TemporaryFile(Self.file(.packet, options: options))])
        #expect(reading.comments[1] == "χειραψία 🤝\ntwo\nlines" && reading.comments.cut == 0)
    }
}
