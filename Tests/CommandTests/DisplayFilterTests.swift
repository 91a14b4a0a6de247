import Foundation
import TestSupport
import Testing

/// Whether there is a tshark to ask.
private let hasTshark = (try? Run.shell("tshark --version").status) == 0

@Suite("Display filters, applied by tshark", .enabled(if: hasTshark, "tshark is not installed: it judges the filters"))
struct DisplayFilterTests {
    private struct Attempt: Decodable {
        struct Segment: Decodable { var frame: Int }
        var type: String
        var segments: [Segment]?
        var displayFilter: String?

        enum CodingKeys: String, CodingKey {
            case type, segments
            case displayFilter = "display_filter"
        }
    }

    /// The frames that a display filter selects.
    private func frames(_ capture: String, _ filter: String) throws -> Set<Int> {
        let run = try Run.shell("tshark -r '\(capture)' -Y '\(filter)' -T fields -e frame.number")
        #expect(run.status == 0, "\(filter): \(run.errors)")
        return Set(run.output.split(separator: "\n").compactMap { Int($0) })
    }

    private func lines(_ arguments: [String]) throws -> [Attempt] {
        try Run(arguments).output.split(separator: "\n").map {
            try JSONDecoder().decode(Attempt.self, from: Data($0.utf8))
        }
    }

    @Test(
        "Each attempt's display filter selects its frames, ICMP errors among them, and none outside of its first and last",
        arguments: [
            "incident.pcap", "kernel-unreachable.pcap", "ipv6-raw.pcap", "kernel-ipv6.pcap", "established.pcap",
        ])
    func attempts(_ name: String) throws {
        let path = Place.capture(name)
        let attempts = try lines(["-T", "jsonl", path]).filter { $0.type == "attempt" }
        #expect(!attempts.isEmpty)
        for attempt in attempts {
            let own = Set(try #require(attempt.segments).map(\.frame))
            let selected = try frames(path, try #require(attempt.displayFilter))
            #expect(own.isSubset(of: selected))
            #expect((selected.min(), selected.max()) == (own.min(), own.max()))
        }
    }

    @Test("A group's display filter selects the frames of all of its attempts")
    func groups() throws {
        let path = Place.capture("incident.pcap")
        let groups = try lines(["group", path, "--by", "ip.dst,tcp.dstport", "-T", "jsonl"]).filter {
            $0.type == "group"
        }
        #expect(groups.count == 3)
        var selected: Set<Int> = []
        for group in groups { selected.formUnion(try frames(path, try #require(group.displayFilter))) }
        let own = try lines(["-T", "jsonl", path]).flatMap { $0.segments ?? [] }.map(\.frame)
        #expect(Set(own).isSubset(of: selected))
    }
}

@Suite("Display filters of several files")
struct DisplayFilterFilesTests {
    @Test("Of several files, display filters name no frame numbers, which no file has")
    func several() throws {
        let run = try Run(["-T", "jsonl", Place.capture("established.pcap"), Place.capture("half-open.pcap")])
        #expect(run.output.contains("\"display_filter\":\"ip.addr=="))
        #expect(!run.output.contains("frame.number"))
    }
}
