import Fixtures
import Foundation
import PacketCapture
import PacketWire
import Synchronization
import TestSupport
import Testing
import WorkerThreads

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
        folder = try TemporaryFolder()
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
