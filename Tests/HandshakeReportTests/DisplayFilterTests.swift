import HandshakeAnalysis
import HandshakeScenario
import PacketWire
import Testing

@testable import HandshakeReport

@Suite("Display filters")
struct DisplayFilterTests {
    private func record(_ text: String) throws -> AttemptRecord {
        try #require(try Scenario(text: text, name: "filter").analysed().attempts.first)
    }

    private static let refused = "flow a 192.0.2.1:50000 > 198.51.100.1:80 isn 1 0\n0 a > S\n+5ms a < R. -1\n"
    private static let overIPv6 = "flow a [2001:db8::1]:50000 > [2001:db8::2]:443 isn 1 9\n0 a > S\n+5ms a < S.\n"

    @Test(
        "An attempt's display filter names both ends, and in one file its first and last frame",
        arguments: [
            (
                refused, .oneFile,
                "ip.addr==192.0.2.1 && ip.addr==198.51.100.1 && tcp.port==50000 && tcp.port==80 && frame.number>=1 && frame.number<=2"
            ),
            (
                refused, .noFile, "ip.addr==192.0.2.1 && ip.addr==198.51.100.1 && tcp.port==50000 && tcp.port==80"
            ),
            (
                overIPv6, .noFile,
                "ipv6.addr==2001:db8::1 && ipv6.addr==2001:db8::2 && tcp.port==50000 && tcp.port==443"
            ),
        ] as [(String, DisplayFilter.Numbering, String)])
    func ofAttempt(_ text: String, _ numbering: DisplayFilter.Numbering, _ filter: String) throws {
        #expect(DisplayFilter.text(try record(text), numbering) == filter)
    }

    @Test("An attempt with more segments than are kept has no last frame in its display filter")
    func omitted() throws {
        var record = try record(Self.refused)
        record.segmentsOmitted = 1
        #expect(DisplayFilter.text(record, .oneFile).hasSuffix("frame.number>=1"))
    }

    @Test("Text has the display filter with -v", arguments: [true, false])
    func text(_ isVerbose: Bool) throws {
        var out = OutputBuffer()
        var report = TextReport(
            style: TextStyle(usesColor: false, usesUnicode: false, width: 80), isVerbose: isVerbose)
        report.numbering = .noFile
        let record = try record(Self.refused)
        report.attempt(record, to: &out)
        let line = "wireshark: \(DisplayFilter.text(record, .noFile))\n"
        #expect(String(decoding: out.bytes, as: UTF8.self).contains(line) == isVerbose)
    }
}
