import Fixtures
import Foundation
import Glibc
@testable import PacketCapture
import PacketWire
import TestSupport
import Testing

@Suite("What a live capture does apart from the kernel")
struct LiveCaptureTests {
    private func frames(_ times: [Int64]) -> CapturedFrames {
        var frames = CapturedFrames()
        for (position, time) in times.enumerated() {
            let octets = [UInt8](repeating: UInt8(position), count: position + 1)
            octets.withUnsafeBytes { frames.append($0, wireLength: 100, time: time, interface: position % 2) }
        }
        return frames
    }

    @Test("Frames of several interfaces come in the order of time, with their octets")
    func order() {
        var frames = frames([30, 10, 20, 10])
        frames.sortByTime()
        #expect(frames.slots.map(\.time) == [10, 10, 20, 30])
        #expect(frames.slots.map { Array(frames.octets(of: $0)) } == [[1, 1], [3, 3, 3, 3], [2, 2, 2], [0]])
        #expect(frames.slots.map(\.interface) == [1, 1, 0, 0])
    }

    @Test("Frames from a moment on are held back, and handed on later")
    func heldBack() {
        var held = frames([30, 10, 20])
        held.sortByTime()
        var first = CapturedFrames()
        held.move(before: 25, to: &first)
        #expect(first.slots.map(\.time) == [10, 20])
        #expect(held.slots.map(\.time) == [30])
        var second = CapturedFrames()
        held.move(before: .max, to: &second)
        #expect(second.slots.map { Array(second.octets(of: $0)) } == [[0]])
        #expect(held.count == 0)
    }

    static func passes(_ options: LiveOptions, _ conversation: Conversation, _ linkType: LinkType) throws -> [UInt64] {
        let file = try TemporaryFile(conversation.pcap(linkType))
        return try Reading([file], filter: options.kernelFilter(for: linkType)).numbers
    }

    @Test(
        "The filter for handshakes passes SYN, SYN-ACK, empty ACKs, RST and FIN, and no data",
        arguments: [LinkType.ethernet, .raw, .linuxSLL2])
    func handshakesOnly(_ linkType: LinkType) throws {
        for isV6 in [false, true] {
            var c = isV6 ? Conversation(from: "2001:db8::1", to: "2001:db8::2") : Conversation()
            c.handshake(at: 0)  // 1, 2, 3
            c.client("P.", at: 10, len: 10)  // 4
            c.server(".", at: 11, ack: 11)  // 5
            c.server(".", at: 12, ack: 11, len: 500)  // 6
            c.client("F.", at: 20)  // 7
            c.server("R", at: 21)  // 8
            var options = LiveOptions()
            options.isHandshakesOnly = true
            #expect(try Self.passes(options, c, linkType) == [1, 2, 3, 5, 7, 8])
        }
    }

    @Test("A filter of the user's holds beside it")
    func both() throws {
        var c = Conversation()
        c.handshake(at: 0)
        c.client("P.", at: 10, len: 10)
        var options = LiveOptions()
        options.isHandshakesOnly = true
        options.filter = "src host 192.0.2.1 or src host 203.0.113.1"
        #expect(try Self.passes(options, c, .ethernet) == [1, 3])
    }
}

@Suite("The file of watch -w")
struct RotatingSavefileTests {
    private let header: [UInt8] = [0xff]

    @Test("The next file begins before a write would make it larger than asked, each with the header")
    func bySize() throws {
        let folder = try TemporaryFolder()
        var rotation = RotatingSavefile.Rotation()
        rotation.size = 10
        var file = try RotatingSavefile(path: folder.path("a.pcapng"), header: header, rotation: rotation, now: 0)
        for value in 1...3 { try file.write([UInt8](repeating: UInt8(value), count: 5), now: 0) }
        try file.write([UInt8](repeating: 9, count: 50), now: 0)
        #expect(folder.names == ["a-00001.pcapng", "a-00002.pcapng", "a-00003.pcapng", "a-00004.pcapng"])
        #expect(folder.data("a-00002.pcapng") == [0xff, 2, 2, 2, 2, 2])
        #expect(folder.data("a-00004.pcapng").count == 51)
    }

    @Test("The next file begins after the time asked for")
    func byAge() throws {
        let folder = try TemporaryFolder()
        var rotation = RotatingSavefile.Rotation()
        rotation.age = 100
        var file = try RotatingSavefile(path: folder.path("a"), header: header, rotation: rotation, now: 0)
        try file.write([1], now: 99)
        try file.write([2], now: 100)
        #expect(folder.names == ["a-00001", "a-00002"])
    }

    @Test("The oldest files go, those of an earlier run among them, and other files stay")
    func ring() throws {
        let folder = try TemporaryFolder()
        for name in ["a-00007.pcapng", "a-00008.pcapng", "a-8.pcapng", "b-00001.pcapng"] {
            _ = FileManager.default.createFile(atPath: folder.path(name), contents: nil)
        }
        var rotation = RotatingSavefile.Rotation()
        rotation.size = 4
        rotation.files = 2
        var file = try RotatingSavefile(path: folder.path("a.pcapng"), header: header, rotation: rotation, now: 0)
        #expect(folder.names == ["a-00008.pcapng", "a-00009.pcapng", "a-8.pcapng", "b-00001.pcapng"])
        for _ in 0..<2 { try file.write([1, 2, 3], now: 0) }
        #expect(folder.names == ["a-00009.pcapng", "a-00010.pcapng", "a-8.pcapng", "b-00001.pcapng"])
    }

    @Test("Opened anew it makes the file that was moved, or goes on with a section of its own")
    func reopen() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a")
        var file = try RotatingSavefile(path: path, header: header, rotation: .init(), now: 0)
        try file.write([1], now: 0)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        file.reopen(now: 0)
        try file.write([2], now: 0)
        file.reopen(now: 0)
        #expect(folder.data("a.1") == [0xff, 1])
        #expect(folder.data("a") == [0xff, 2, 0xff])
    }

    @Test("Where the next file cannot be begun the last one goes on, and a second later it is tried again")
    func failedRotation() throws {
        let folder = try TemporaryFolder()
        let moved = folder.url.path + "-moved"
        let second: Int64 = 1_000_000_000
        var rotation = RotatingSavefile.Rotation()
        rotation.size = 4
        var file = try RotatingSavefile(path: folder.path("a"), header: header, rotation: rotation, now: 0)
        try file.write([1, 1, 1], now: 0)
        try FileManager.default.moveItem(atPath: folder.url.path, toPath: moved)
        try file.write([2, 2, 2], now: 0)
        #expect(file.trouble?.description.contains(folder.url.path + "/a-00002") == true)
        try FileManager.default.moveItem(atPath: moved, toPath: folder.url.path)
        try file.write([3], now: second - 1)
        #expect(file.trouble != nil)
        try file.write([4], now: second)
        #expect(file.trouble == nil)
        #expect(folder.data("a-00001") == [0xff, 1, 1, 1, 2, 2, 2, 3])
        #expect(folder.data("a-00002") == [0xff, 4])
    }

    @Test("A pipe without a reader in the place of the next file holds nothing up: the last file goes on")
    func pipeInTheWay() throws {
        let folder = try TemporaryFolder()
        var rotation = RotatingSavefile.Rotation()
        rotation.size = 4
        var file = try RotatingSavefile(path: folder.path("a"), header: header, rotation: rotation, now: 0)
        try file.write([1, 1, 1], now: 0)
        #expect(mkfifo(folder.path("a-00002"), 0o600) == 0)
        try file.write([2, 2, 2], now: 0)
        #expect(file.trouble?.description.contains("a-00002: is a pipe that nobody reads") == true)
        #expect(folder.data("a-00001") == [0xff, 1, 1, 1, 2, 2, 2])
    }

    @Test("A file that cannot be opened anew goes on, and is opened when that can be")
    func failedReopen() throws {
        let folder = try TemporaryFolder()
        let moved = folder.url.path + "-moved"
        var file = try RotatingSavefile(path: folder.path("a"), header: header, rotation: .init(), now: 0)
        try FileManager.default.moveItem(atPath: folder.url.path, toPath: moved)
        file.reopen(now: 0)
        #expect(file.trouble != nil)
        try file.write([1], now: 1)
        try FileManager.default.moveItem(atPath: moved, toPath: folder.url.path)
        try file.write([2], now: 1_000_000_000)
        #expect(file.trouble == nil)
        #expect(folder.data("a") == [0xff, 1, 0xff, 2])
    }

    @Test("A folder that is not there is named")
    func missingFolder() {
        let error = #expect(throws: CaptureError.self) {
            _ = try RotatingSavefile(path: "/nowhere/a", header: [1], rotation: .init(), now: 0)
        }
        #expect(error?.description.contains("/nowhere/a") == true)
    }

    @Test("Frames of several interfaces name theirs, in blocks that are read again")
    func interfaces() throws {
        var c = Conversation()
        c.handshake(at: 0)
        var writer = SavefileWriter(
            .pcapng,
            [
                .init(name: "eth0", linkType: .ethernet, snaplen: 256),
                .init(name: "any", linkType: .raw, snaplen: 256),
            ])
        for (position, frame) in c.frames(.ethernet).enumerated() {
            let octets = position == 1 ? Array(frame.bytes.dropFirst(14)) : frame.bytes
            writer.write(octets, wireLength: octets.count, time: frame.time, interface: position == 1 ? 1 : 0)
        }
        let reading = try Reading([TemporaryFile(writer.takeOctets())])
        #expect(reading.segments.count == 3)
        #expect(reading.failures.isEmpty)
        #expect(reading.times == c.frames(.ethernet).map(\.time))
    }
}
