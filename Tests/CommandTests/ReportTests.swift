import Foundation
import TestSupport
import Testing

@Suite("synscope report")
struct ReportTests {
    private static let outage = Place.capture("outage.pcap")

    private func page(_ words: [String]) throws -> String {
        let folder = try TemporaryFolder()
        let path = folder.path("report.html")
        let run = try Run(["report"] + words + ["-o", path])
        #expect(run.status == 0 && run.output.isEmpty && run.errors.isEmpty, "\(run.errors)")
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    /// The part of a page from an element with an id to another's.
    private func section(_ id: String, upTo next: String, of page: String) throws -> Substring {
        let first = try #require(page.range(of: "<section id=\"\(id)\""))
        let last = try #require(page.range(of: "<section id=\"\(next)\""))
        return page[first.lowerBound..<last.lowerBound]
    }

    @Test("The page is what -T html writes, and the same each time")
    func same() throws {
        let page = try page([Self.outage])
        #expect(try page == self.page([Self.outage]))
        #expect(try page == Run(["-T", "html", Self.outage]).output)
        #expect(page.contains("10.0.0.5:8443 does not answer 10.1.0.0/24 (5 of 5 attempts"))
    }

    @Test("Of saved attempts with their totals the figures are those of the capture")
    func saved() throws {
        let folder = try TemporaryFolder()
        let (lines, totals) = (folder.path("attempts.jsonl"), folder.path("totals.json"))
        let run = try Run.shell("\(Place.synscope.path) -T jsonl --summary \(totals) \(Self.outage) > \(lines)")
        #expect(run.status == 0)
        let direct = try page([Self.outage])
        let saved = try page(["--saved", lines, "--summary", totals])
        for (id, next) in [("wrong", "counts"), ("counts", "time"), ("servers", "clients"), ("clients", "rtt")] {
            #expect(try section(id, upTo: next, of: saved) == section(id, upTo: next, of: direct))
        }
        let alone = try page(["--saved", lines])
        #expect(alone.contains("What the capture was is not known") && !alone.contains("id=\"frames\""))
    }

    @Test("Saved attempts with the largest and smallest numbers make a page")
    func wild() throws {
        let folder = try TemporaryFolder()
        let lines = try Run(["-T", "jsonl", Self.outage]).output.split(separator: "\n").map { line in
            line.replacing(/"at_ns":[1-9][0-9]*/) { _ in "\"at_ns\":\(Int64.max)" }
                .replacing(/"at_ns":0/) { _ in "\"at_ns\":\(Int64.min)" }
                .replacing(/"(total_ns|low_ns|high_ns)":[0-9]+/) { "\"\($0.1)\":\(Int64.max)" }
                .replacing(/"id":1,/) { _ in "\"id\":\(UInt64.max)," }
                .replacing(/"first_time":"2026-01-01T00:00/) { _ in "\"first_time\":\"1970-01-01T00:00" }
        }
        let path = try folder.write("attempts.jsonl", lines.joined(separator: "\n"))
        let page = try page(["--saved", path])
        #expect(page.contains("5 of 44 attempts failed") && page.contains("\(Int64.max)"))
    }

    @Test("With --pseudonyms no address, file or network of the capture is on the page")
    func pseudonyms() throws {
        let page = try page([Self.outage, "--pseudonyms", "-Y", "ip.src == 10.0.0.0/8"])
        let addresses = ["10.0.0.", "10.1.0.", "10.2.0.", "10.0.0.0/8", "outage"]
        for address in addresses { #expect(!page.contains(address), "\(address)") }
        #expect(page.contains("host-1:8443 does not answer network-1"))
    }

    @Test("A chosen part says what was chosen, and whose the situations are")
    func chosen() throws {
        let page = try page([Self.outage, "-Y", "tcp.dstport == 443"])
        #expect(page.contains("17 of 44 attempts are chosen by tcp.dstport == 443."))
        #expect(page.contains("Of all attempts, not of the chosen ones alone."))
    }

    @Test("A capture that breaks off is reported as far as it goes")
    func broken() throws {
        let folder = try TemporaryFolder()
        let octets = try Data(contentsOf: URL(filePath: Self.outage)).dropLast(5)
        let (capture, path) = (folder.path("broken.pcap"), folder.path("report.html"))
        try octets.write(to: URL(filePath: capture))
        let run = try Run(["report", capture, "-o", path])
        #expect(run.status == 3 && run.errors.contains("broken.pcap"))
        let page = try String(contentsOfFile: path, encoding: .utf8)
        #expect(page.contains("a file ends in the middle: what came after is unknown"))
    }

    @Test(
        "What makes no page is refused, with the reason",
        arguments: [
            (["report", outage], "-o"), (["report", outage, "-o", outage], "read or written already"),
            (["report", "-o", "x.html", "--summary", "s.json", outage], "--summary goes with --saved"),
            (["report", "-o", "x.html", "--saved", "a.jsonl", outage], "--saved takes the place"),
            (["-T", "html", "-q", outage], "it has no summary without attempts"),
            (["-T", "html", "--follow", outage], "no end"),
            (["--pseudonyms", outage], "goes with -T html"),
            (["watch", "-i", "lo", "-T", "html"], "--listen serves a page"),
            (["report", "/nowhere.pcap", "-o", "/tmp/x.html"], "no such file"),
        ])
    func refused(_ words: [String], _ reason: String) throws {
        let run = try Run(words)
        #expect(run.status != 0 && run.errors.contains(reason), "\(run.errors)")
    }

    @Test(
        "Saved attempts that cannot be read are named with their line",
        arguments: [
            ("{\"type\":\"attempt\"}\n", "attempts.jsonl:1: the attempt is not as synscope -T jsonl writes it"),
            ("\n[]\n", "attempts.jsonl:2: this is no line of synscope -T jsonl"),
            ("{\"type\":\"summary\"}\n", "attempts.jsonl: there is no attempt in it"),
        ])
    func unreadable(_ text: String, _ reason: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("attempts.jsonl", text)
        let run = try Run(["report", "--saved", path, "-o", folder.path("report.html")])
        #expect(run.status == 3 && run.errors.contains(reason), "\(run.errors)")
    }
}
