import Foundation
import TestSupport
import Testing

@Suite("Frames of several files")
struct SeveralFilesTests {
    private struct Attempt: Decodable {
        struct Segment: Decodable {
            var frame: Int
            var file: String?
            var fileFrame: Int?
        }
        var type: String
        var segments: [Segment]?
    }

    /// The frames of a classic file, each with its record header.
    private static func records(_ octets: [UInt8]) -> [ArraySlice<UInt8>] {
        var records: [ArraySlice<UInt8>] = []
        var offset = 24
        while offset < octets.count {
            let length = (0..<4).reduce(0) { $0 | Int(octets[offset + 8 + $1]) << (8 * $1) }
            records.append(octets[offset..<offset + 16 + length])
            offset += 16 + length
        }
        return records
    }

    @Test(
        "Each segment has its file and the number of its frame there, whoever follows it", arguments: [1, 2, 3])
    func places(_ workers: Int) throws {
        let whole = [UInt8](try Data(contentsOf: URL(filePath: Place.capture("outage.pcap"))))
        var parts = [[UInt8]](repeating: Array(whole[..<24]), count: 3)
        var expected: [(part: Int, frame: Int)] = []
        var counts = [0, 0, 0]
        for (number, record) in SeveralFilesTests.records(whole).enumerated() {
            // Stretches of one file, and frames of all in turn.
            let part = number < 200 ? number / 50 % 3 : number * 7 % 3
            counts[part] += 1
            expected.append((part, counts[part]))
            parts[part] += record
        }
        let files = try parts.map { try TemporaryFile($0) }
        let run = try Run(["-T", "jsonl", "-j", "\(workers)"] + files.map(\.path))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        var seen = 0
        for line in run.output.split(separator: "\n") {
            for segment in try decoder.decode(Attempt.self, from: Data(line.utf8)).segments ?? [] {
                let place = expected[segment.frame - 1]
                #expect(segment.file == files[place.part].path && segment.fileFrame == place.frame)
                seen += 1
            }
        }
        #expect(seen > 100)
        let one = try Run(["-T", "jsonl", Place.capture("outage.pcap")]).output
        #expect(!one.contains("\"file_frame\":1") && one.contains("\"file_frame\":null"))
    }

    @Test("Findings and ladders name the file of each frame")
    func text() throws {
        let run = try Run([Place.capture("established.pcap"), Place.capture("mss-clamped.pcap")])
        #expect(run.output.contains("mss-clamped.pcap: "))
    }
}
