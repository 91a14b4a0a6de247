import Foundation
import HandshakeCapture
import TestSupport
import Testing

@Suite("Handshakes of files, for other programs")
struct HandshakesTests {
    private let incident = Place.capture("incident.pcap")

    @Test("Attempts that are handed out one by one are those of the whole, and so are the totals")
    func oneByOne() throws {
        let whole = try Handshakes(files: incident)
        var attempts: [AttemptRecord] = []
        let summary = try Handshakes.read(files: [incident]) { attempts.append($0) }
        #expect(attempts.sorted { $0.id < $1.id } == whole.attempts)
        #expect(summary == whole.summary)
    }

    @Test("What stands before the end of a file that breaks off is handed out, then the error names the file")
    func breaksOff() throws {
        let folder = try TemporaryFolder("handshakes")
        let octets = [UInt8](try Data(contentsOf: URL(filePath: incident)))
        let path = try folder.write("cut.pcap", octets.dropLast(5).map { $0 })
        var count = 0
        let error = #expect(throws: HandshakesError.self) { try Handshakes.read(files: [path]) { _ in count += 1 } }
        #expect(error?.description.contains("cut.pcap") == true)
        #expect(count > 0)
    }

    @Test("An error of whoever takes the attempts ends the reading")
    func takerFails() {
        struct Enough: Error {}
        var count = 0
        #expect(throws: Enough.self) {
            try Handshakes.read(files: [incident]) { _ in
                count += 1
                throw Enough()
            }
        }
        #expect(count == 1)
    }

    @Test("A file that is not there is an error with its name")
    func missing() {
        let error = #expect(throws: HandshakesError.self) { try Handshakes(files: "/no/such.pcap") }
        #expect(error?.description.contains("/no/such.pcap") == true)
    }
}
