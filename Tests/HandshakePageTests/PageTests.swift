import Foundation
import HandshakeRecord
import HandshakeReport
import PacketWire
import TestSupport
import Testing

@testable import HandshakePage

@Suite("A page")
struct PageTests {
    private static func page(_ records: [AttemptRecord] = [], file: String = "a.pcap") -> String {
        var report = HTMLReport(RecordContext(), zone: .utc, hidesAddresses: false)
        var out = OutputBuffer()
        report.begin(
            CaptureDescription(
                files: [.init(name: file, format: "pcap", linkType: "EN10MB", snaplen: 0, timeResolution: 1)],
                filter: nil, started: nil), to: &out)
        for record in records { report.attempt(record, to: &out) }
        report.end(ReportEnd(HandshakeSummary(), CaptureLoss()), to: &out)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    /// The text of an element's only occurrence, or of its last.
    private static func content(_ start: String, _ end: String, of page: String) throws -> String {
        let first = try #require(page.range(of: start, options: .backwards))
        let last = try #require(page.range(of: end, range: first.upperBound..<page.endIndex))
        return String(page[first.upperBound..<last.lowerBound])
    }

    /// As a Content Security Policy has it.
    private static func hash(_ text: String) throws -> String {
        let folder = try TemporaryFolder()
        let path = try folder.write("text", text)
        let digits = Array(try Run.shell("sha256sum '\(path)'").output.prefix(64))
        let octets = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
        return Data(octets).base64EncodedString()
    }

    @Test("A browser applies the page's own style and runs its own script, by their hashes")
    func policy() throws {
        let page = Self.page()
        let style = try Self.content("<style>", "</style>", of: page)
        let script = try Self.content("<script>", "</script>", of: page)
        let advice: Comment = "make page-hashes writes them anew"
        #expect(try Self.hash(style) == PageParts.styleHash, advice)
        #expect(try Self.hash(script) == PageParts.scriptHash, advice)
        #expect(page.contains("script-src 'sha256-\(PageParts.scriptHash)'") && !page.contains("unsafe-inline"))
    }

    @Test("No text ends an element or begins one")
    func markup() throws {
        let name = "</title></script><script>alert(1)</script><!--\"'&\u{202e}.pcap"
        var record = AttemptRecord(
            id: 1, client: Endpoint(IPAddress(v4: 1), 1), server: Endpoint(IPAddress(v4: 2), 2))
        var segment = SegmentRecord(.syn, fromClient: true, frame: 1, at: 0)
        segment.comment = name
        record.segments = [segment]
        let page = Self.page([record], file: "<script>alert(1)<!--\"'&\u{202e}.pcap")
        #expect(page.ranges(of: "<script").count == 2 && page.ranges(of: "</script>").count == 2)
        #expect(page.ranges(of: "</title>").count == 1 && !page.contains("<!--") && !page.contains("\u{202e}"))
        #expect(page.contains("&lt;script&gt;alert(1)") && page.contains(#"\u003cscript>alert(1)"#))
    }
}
