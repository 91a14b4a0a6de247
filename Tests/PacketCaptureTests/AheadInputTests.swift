import Fixtures
import Foundation
import PacketWire
import Synchronization
import TestSupport
import Testing

@testable import PacketCapture

@Suite struct AheadInputTests {
    private static func start(
        _ range: Range<Int>, leave: @escaping @Sendable (Range<Int>) -> Void = { _ in },
        provide: @escaping @Sendable (Range<Int>) -> Bool
    ) throws -> AheadInput {
        let ahead = AheadInput(range, provide: provide, leave: leave)
        return try #require(ahead)
    }

    @Test("Who has had enough does not wait for storage that does not answer")
    func noAnswer() throws {
        let answer = DispatchSemaphore(value: 0)
        defer { answer.signal() }
        let ahead = try AheadInputTests.start(0..<10) { _ in
            answer.wait()
            return true
        }
        #expect(ahead.take(unless: { true }) == nil)
        #expect(ahead.hasGivenUp)
    }

    @Test("What was there when the user had enough is handed over first")
    func readBefore() throws {
        let ahead = try AheadInputTests.start(3..<10) { _ in true }
        #expect(ahead.take(unless: { true }) == 10)
        #expect(ahead.take(unless: { true }) == nil)
        #expect(!ahead.hasGivenUp)
    }

    @Test("Octets end where the file does not have the next ones")
    func missing() throws {
        let ahead = try AheadInputTests.start(0..<AheadInput.stretch * 3) { $0.lowerBound == 0 }
        #expect(ahead.take(unless: nil) == AheadInput.stretch)
        #expect(ahead.take(unless: nil) == nil)
        #expect(!ahead.hasGivenUp)
    }

    @Test("What is read is let go, and never what is not")
    func memory() throws {
        let left = Mutex(0)
        let size = AheadInput.stretch * 64 + 1
        let ahead = try AheadInputTests.start(0..<size, leave: { range in left.withLock { $0 = range.upperBound } }) {
            _ in
            true
        }
        var end = 0
        while let there = ahead.take(unless: nil) {
            #expect(left.withLock { $0 } <= end)
            end = there
        }
        #expect(end == size)
        #expect(left.withLock { $0 } > size / 2)
    }
}

/// One after the other: there are not many places for mappings.
@Suite(.serialized) enum MappedFileTests {}

extension MappedFileTests {
    @Suite struct FileMappingTests {
        @Test("Octets of a file that was cut are zeros, and the mapping is torn")
        func cut() throws {
            let file = try TemporaryFile([UInt8](repeating: 7, count: 1 << 16))
            let mapping = try #require(
                RawInput(path: file.path, follows: false, isInterrupted: { false }).mapping())
            #expect(mapping.byteCount == 1 << 16)
            #expect(mapping.provide(0..<1 << 16))
            #expect(unsafe mapping.address.load(fromByteOffset: 40_000, as: UInt8.self) == 7)
            try #require(truncate(file.path, 1 << 15) == 0)
            #expect(!mapping.isTorn)
            #expect(unsafe mapping.address.load(fromByteOffset: 40_000, as: UInt8.self) == 0)
            #expect(mapping.isTorn)
            #expect(unsafe mapping.address.load(fromByteOffset: 20_000, as: UInt8.self) == 7)
        }

        @Test("What a file does not have any more is not provided, and tears nothing")
        func notProvided() throws {
            let file = try TemporaryFile([UInt8](repeating: 7, count: 1 << 16))
            let mapping = try #require(
                RawInput(path: file.path, follows: false, isInterrupted: { false }).mapping())
            try #require(truncate(file.path, 1 << 15) == 0)
            #expect(!mapping.provide(1 << 15..<1 << 16))
            #expect(mapping.provide(0..<1 << 15))
            #expect(!mapping.isTorn)
        }

        @Test("So many files are mapped at a time as there are places for, and again once they are let go")
        func places() throws {
            let file = try TemporaryFile([1, 2, 3])
            let input = try RawInput(path: file.path, follows: false, isInterrupted: { false })
            for _ in 0..<3 {
                var mappings: [FileMapping] = []
                while mappings.count < 100, let mapping = input.mapping() { mappings.append(mapping) }
                #expect(mappings.count > 1 && mappings.count < 100)
                #expect(mappings.allSatisfy { unsafe $0.address.load(fromByteOffset: 2, as: UInt8.self) == 3 })
            }
        }
    }
}

extension MappedFileTests {
    /// Files that are large enough to be mapped, and what becomes of them meanwhile.
    @Suite struct LargeFileTests {
        private static let count = 5000
        /// Segments of 1,200 octets.
        private static let capture: [UInt8] = {
            var c = Conversation()
            for n in 0..<count { c.client(".", at: Double(n), seq: Int64(n) * 7919, len: 1200) }
            return c.pcap()
        }()
        private static let record = (capture.count - 24) / count

        /// The batch's segments, and all that come after them.
        private static func rest(_ reader: CaptureReader, _ batch: inout FrameBatch) -> [Segment] {
            var segments: [Segment] = []
            repeat {
                for position in 0..<batch.count {
                    if case .segment(let segment) = batch.frame(position) { segments.append(segment) }
                }
                reader.fill(&batch)
            } while batch.count > 0
            return segments
        }

        private static func areInOrder(_ segments: [Segment]) -> Bool {
            segments.enumerated().allSatisfy {
                $0.element.seq &- segments[0].seq == UInt32(truncatingIfNeeded: $0.offset * 7919)
            }
        }

        @Test("A large file comes whole")
        func whole() throws {
            let file = try TemporaryFile(Self.capture)
            let reader = try CaptureReader(paths: [file.path])
            var batch = FrameBatch(seed: 1)
            reader.fill(&batch)
            let segments = Self.rest(reader, &batch)
            #expect(
                segments.count == Self.count && Self.areInOrder(segments) && reader.failures.isEmpty)
        }

        @Test("What is written to a large file while it is read comes too")
        func grows() throws {
            let bytes = Self.capture
            let file = try TemporaryFile(Array(bytes.prefix(5_000_001)))
            let reader = try CaptureReader(paths: [file.path])
            var batch = FrameBatch(seed: 1)
            reader.fill(&batch)
            let handle = try FileHandle(forWritingTo: URL(filePath: file.path))
            try handle.seekToEnd()
            try handle.write(contentsOf: bytes.dropFirst(5_000_001))
            let segments = Self.rest(reader, &batch)
            #expect(
                segments.count == Self.count && Self.areInOrder(segments) && reader.failures.isEmpty)
        }

        @Test(
            "Of a large file that is cut while it is read comes what is left, and that it was cut",
            arguments: [0, 200_000], [3_000_000, 732 * 4096])
        func isCut(_ wait: UInt32, _ left: Int) throws {
            let file = try TemporaryFile(Self.capture)
            let reader = try CaptureReader(paths: [file.path])
            var batch = FrameBatch(seed: 1)
            reader.fill(&batch)
            // With time, pages behind are mapped before they are cut off.
            usleep(wait)
            try #require(truncate(file.path, off_t(left)) == 0)
            let segments = Self.rest(reader, &batch)
            let most = (left - 24) / Self.record
            // Where a page is missing, what was found together with that is not believed.
            #expect(segments.count <= most && segments.count >= most - FrameBatch.capacity)
            #expect(segments.count == most || left % 4096 == 0)
            #expect(Self.areInOrder(segments))
            #expect(reader.failures.map(\.kind) == [.cutShort])
        }
    }
}
