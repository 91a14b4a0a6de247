import Fixtures
import Foundation
import PacketCapture
import PacketWire
import Synchronization
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

@Suite("Old versions of pcap")
struct OldVersionTests {
    /// One frame of 58 octets, 56 of them captured, with its lengths in one order.
    private func file(version: (UInt16, UInt16), lengths: [UInt32]) throws -> Reading {
        let order = PcapngWriter(isBig: true)
        let frame = Array(SavefileTests.handshake.frames()[0].bytes.prefix(56))
        var bytes = order.octets(UInt32(0xa1b2_c3d4)) + order.octets(version.0) + order.octets(version.1)
        bytes += [UInt8](repeating: 0, count: 8) + order.octets(UInt32(56)) + order.octets(UInt32(1))
        bytes += order.octets(UInt32(1)) + order.octets(UInt32(0)) + lengths.flatMap { order.octets($0) } + frame
        return try Reading([TemporaryFile(bytes)])
    }

    @Test("Before 2.3 the original length comes first; in 2.3 the smaller is the captured one")
    func swapped() throws {
        for (version, lengths) in [
            ((2, 4), [56, 58]), ((2, 2), [58, 56]), ((2, 1), [58, 56]), ((543, 0), [58, 56]), ((2, 3), [56, 58]),
            ((2, 3), [58, 56]),
        ] as [((UInt16, UInt16), [UInt32])] {
            let reading = try file(version: version, lengths: lengths)
            #expect(reading.segments.count == 1 && reading.failures.isEmpty, "\(version)")
        }
    }

    @Test("Other versions are unknown")
    func unknown() {
        #expect(throws: CaptureError.self) { try file(version: (3, 0), lengths: [56, 58]) }
    }
}

@Suite("Many files")
struct ManyFilesTests {
    /// A capture of one SYN, from this client, at this time in ms.
    static func capture(_ client: Int, at time: Double) -> [UInt8] {
        var c = Conversation(from: "192.0.2.\(client)")
        c.client("S", at: time)
        return c.pcap()
    }

    static func read(_ paths: [String], _ options: CaptureReader.Options = .init()) throws -> (
        segments: [Segment], reader: CaptureReader
    ) {
        let reader = try CaptureReader(paths: paths, options)
        var batch = FrameBatch(seed: 1)
        var segments: [Segment] = []
        while true {
            reader.fill(&batch)
            if batch.count == 0 { return (segments, reader) }
            for position in 0..<batch.count {
                if case .segment(let segment) = batch.frame(position) { segments.append(segment) }
            }
        }
    }

    @Test("Two hundred files in any order are read by time, few of them open at once")
    func byTime() throws {
        let folder = try TemporaryFolder()
        var paths = try (0..<200).map { try folder.write("part\($0)", ManyFilesTests.capture($0, at: Double($0))) }
        paths.shuffle()
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        let reader = try CaptureReader(paths: paths)
        let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        #expect(after - before < 20)
        _ = reader
        let segments = try ManyFilesTests.read(paths).segments
        #expect(segments.map { $0.source.address.description } == (0..<200).map { "192.0.2.\($0)" })
    }

    @Test("Overlapping files are merged frame by frame")
    func overlapping() throws {
        let folder = try TemporaryFolder()
        let paths = try (0..<30).map { part in
            var c = Conversation(from: "192.0.2.\(part)")
            for n in 0..<50 { c.client("S", at: Double(part + n * 30), seq: Int64(n)) }
            return try folder.write("part\(part)", c.pcap())
        }
        let reader = try CaptureReader(paths: paths)
        var batch = FrameBatch(seed: 1)
        var times: [Int64] = []
        while true {
            reader.fill(&batch)
            if batch.count == 0 { break }
            times += batch.heads[..<batch.count].map(\.time)
        }
        #expect(times.count == 1500 && times == times.sorted())
    }

    @Test("A rotated set whose files have equal times is in the order of its numbers")
    func rotatedNames() throws {
        let folder = try TemporaryFolder()
        let names = ["trace.pcap"] + (1..<12).map { "trace.pcap\($0)" }
        let paths = try names.enumerated().map {
            try folder.write($0.element, ManyFilesTests.capture($0.offset, at: 0))
        }
        let segments = try ManyFilesTests.read(paths.sorted()).segments
        #expect(segments.map { $0.source.address.description } == (0..<12).map { "192.0.2.\($0)" })
    }

    @Test("Of many files one that cannot be read, or is gone when it is due, is a failure; the others are read")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        var paths = try (0..<20).map { try folder.write("part\($0)", ManyFilesTests.capture($0, at: Double($0))) }
        paths.append(try folder.write("broken", [1, 2, 3]))
        let reader = try CaptureReader(paths: paths)
        try FileManager.default.removeItem(atPath: paths[10])
        var batch = FrameBatch(seed: 1)
        var count = 0
        while true {
            reader.fill(&batch)
            if batch.count == 0 { break }
            count += batch.count
        }
        #expect(count == 19)
        #expect(reader.failures.count == 2)
    }

    @Test("Progress ends at the size of all files")
    func progress() throws {
        let folder = try TemporaryFolder()
        let bytes = ManyFilesTests.capture(1, at: 0)
        let paths = try (0..<20).map { try folder.write("part\($0)", bytes) }
        let reader = try ManyFilesTests.read(paths).reader
        let progress = try #require(reader.progress)
        #expect(progress.done == progress.all && progress.all == Int64(20 * bytes.count))
    }

    @Test("A file's end and a cut in the middle of many are told apart")
    func cutInTheMiddle() throws {
        let folder = try TemporaryFolder()
        let paths = try (0..<12).map { part in
            let bytes = ManyFilesTests.capture(part, at: Double(part))
            return try folder.write("part\(part)", part == 5 ? Array(bytes + bytes[24..<44]) : bytes)
        }
        let result = try ManyFilesTests.read(paths)
        #expect(result.segments.count == 12)
        #expect(result.reader.failures.map(\.kind) == [.cutShort])
    }
}

@Suite("A file that is followed", .serialized)
struct FollowedFileTests {
    /// Reads on a thread of its own until it is stopped, or until so many frames came.
    final class Follower: Sendable {
        let isStopped = Mutex(false)
        let segments = Mutex<[Segment]>([])
        let failures = Mutex<[CaptureError]>([])
        private let thread = Mutex<WorkThread?>(nil)

        init(_ path: String) {
            thread.withLock {
                $0 = WorkThread("follower") {
                    var options = CaptureReader.Options()
                    options.follows = true
                    options.isInterrupted = { self.isStopped.withLock { $0 } }
                    guard let reader = try? CaptureReader(paths: [path], options) else { return }
                    var batch = FrameBatch(seed: 1)
                    while true {
                        reader.fill(&batch)
                        if batch.count == 0 { break }
                        self.segments.withLock { segments in
                            for position in 0..<batch.count {
                                if case .segment(let segment) = batch.frame(position) { segments.append(segment) }
                            }
                        }
                    }
                    self.failures.withLock { $0 = reader.failures }
                }
            }
        }

        /// Whether so many frames came within ten seconds.
        func waits(for count: Int) -> Bool {
            for _ in 0..<1000 {
                if segments.withLock({ $0.count }) >= count { return true }
                usleep(10_000)
            }
            return false
        }

        func stop() {
            isStopped.withLock { $0 = true }
            thread.withLock { thread in
                thread?.join()
                thread = nil
            }
        }
    }

    private let folder: TemporaryFolder
    private let path: String
    private let bytes = SavefileTests.handshake.pcap()

    init() throws {
        folder = try ManyFilesTests.TemporaryFolder()
        path = folder.url.appending(path: "growing.pcap").path
    }

    /// A follower that has read a whole file.
    private func following() throws -> Follower {
        _ = try folder.write("growing.pcap", bytes)
        let follower = Follower(path)
        #expect(follower.waits(for: 3))
        return follower
    }

    private func append(_ octets: some Collection<UInt8>) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(octets))
        try file.close()
    }

    @Test("It is waited for, its frames come as they are written, and an unfinished one is no failure")
    func grows() throws {
        let follower = Follower(path)
        usleep(150_000)
        _ = try folder.write("growing.pcap", [])
        try append(bytes[..<10])
        usleep(150_000)
        try append(bytes[10..<100])
        #expect(follower.waits(for: 1))
        try append(bytes[100..<(bytes.count - 5)])
        #expect(follower.waits(for: 2))
        usleep(150_000)
        #expect(follower.segments.withLock { $0.count } == 2)
        follower.stop()
        #expect(follower.failures.withLock { $0.isEmpty })
    }

    @Test("Another file of its name is read next, after what the first still got")
    func isReplaced() throws {
        let follower = try following()
        let old = folder.url.appending(path: "growing.pcap.1")
        try FileManager.default.moveItem(at: URL(filePath: path), to: old)
        let file = try FileHandle(forWritingTo: old)
        try file.seekToEnd()
        try file.write(contentsOf: Data(bytes[24...]))
        try file.close()
        _ = try folder.write("growing.pcap", bytes)
        #expect(follower.waits(for: 9))
        follower.stop()
        #expect(follower.segments.withLock { $0.count } == 9)
    }

    @Test("What is empty, or has no frame, and is replaced is passed over")
    func replacedByNothing() throws {
        let follower = try following()
        for octets in [[], Array(bytes[..<24]), bytes] {
            let next = try folder.write("next", octets)
            #expect(rename(next, path) == 0)
            usleep(300_000)
        }
        #expect(follower.waits(for: 6))
        follower.stop()
        #expect(follower.failures.withLock { $0.isEmpty })
    }

    @Test("Cut and written anew, it is read from its start")
    func isTruncated() throws {
        let follower = try following()
        truncate(path, 0)
        usleep(300_000)
        try append(bytes[..<100])
        #expect(follower.waits(for: 4))
        follower.stop()
    }
}
