import Foundation
import Testing

@testable import PacketCapture

@Suite struct AheadInputTests {
    @Test("Who has had enough does not wait for storage that does not answer")
    func noAnswer() throws {
        // An empty pipe that somebody could write to is such storage: the thread that reads it waits for ever.
        let path = FileManager.default.temporaryDirectory.appending(path: "synscope-\(UUID().uuidString)").path
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let writer = open(path, O_RDWR)
        try #require(writer >= 0)
        defer { close(writer) }
        let input = try RawInput(path: path, follows: false, isInterrupted: { false })
        let ahead = try #require(AheadInput(input, pieceSize: 4096))
        #expect(ahead.take(unless: { true }) == nil)
        ahead.stop()
    }

    @Test("What was read when the user had enough is handed over first")
    func readBefore() throws {
        let file = try TemporaryFile([UInt8](repeating: 7, count: 10))
        let input = try RawInput(path: file.path, follows: false, isInterrupted: { false })
        let ahead = try #require(AheadInput(input, pieceSize: 4096))
        #expect(ahead.take(unless: { true })?.count == 10)
        #expect(ahead.take(unless: { true })?.count == 0)
        ahead.stop()
    }
}
