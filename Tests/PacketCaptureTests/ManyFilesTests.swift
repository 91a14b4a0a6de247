import Fixtures
import Foundation
import PacketCapture
import PacketWire
import TestSupport
import Testing

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
