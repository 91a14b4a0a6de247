import Fixtures
import Foundation
import HandshakeAnalysis
import HandshakeScenario
import PacketWire
import Testing

@testable import HandshakeReport

@Suite("Reports")
struct ReportTests {
    private func object(_ conversation: Conversation) throws -> [String: Any] {
        var out = OutputBuffer()
        JSONReport.line(try #require(conversation.attempts().first), to: &out)
        return try #require(try JSONSerialization.jsonObject(with: Data(out.bytes)) as? [String: Any])
    }

    @Test("Text of files goes to a terminal without control characters")
    func printable() {
        #expect("\u{1b}[2J red\nline\t\u{9b}x é".cleaned(for: .text) == "?[2J red line ?x é")
    }

    @Test(
        "Progress says share, octets, rate and the time that is left",
        arguments: [
            (
                1_000_000_000, 4_000_000_000, 4,
                "[######..................] 25 %  1.00 GB of 4.00 GB, 250.0 MB/s, 12 s left"
            ),
            (5, 10, 0.5, "[############............] 50 %  5 B of 10 B, 10 B/s, 1 s left"),
            (
                1_000_000, 1_000_000_000, 10,
                "[........................] 0 %  1.00 MB of 1.00 GB, 100.0 kB/s, 166 min 30 s left"
            ),
            (20, 10, 1, "[########################] 100 %  20 B of 10 B, 20 B/s, 0 s left"),
            (0, 10, 1, "[........................] 0 %  0 B of 10 B, 0 B/s, no end in sight"),
        ] as [(Int64, Int64, Double, String)])
    func progress(_ done: Int64, _ all: Int64, _ seconds: Double, _ line: String) {
        #expect(Format.progress(done: done, all: all, seconds: seconds) == line)
    }

    private func table(_ text: String, width: Int, isVerbose: Bool = false) throws -> [Substring] {
        let records = try Scenario(text: text, name: "table").analysed().attempts.sorted { $0.id < $1.id }
        var out = OutputBuffer()
        var report = TextReport(
            style: TextStyle(usesColor: false, usesUnicode: true, width: width), isVerbose: isVerbose, folds: true)
        report.begin(records, isComplete: true, to: &out)
        for record in records { report.attempt(record, to: &out) }
        report.endAttempts(to: &out)
        return String(decoding: out.bytes, as: UTF8.self).split(separator: "\n")
    }

    private static let silent = """
        flow a 192.0.2.1:50000 > 198.51.100.1:80 isn 1 0
        flow b 192.0.2.1:50001 > 198.51.100.1:80 isn 2 0
        flow c 192.0.2.1:50002 > 198.51.100.1:80 isn 3 0
        flow d [2001:db8:1234:5678:9abc:def0:1234:5678]:50003 > [2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:443 isn 4 0
        0    a > S
        1s   b > S
        2s   c > S
        3s   d > S
        +100s idle
        +1s   idle
        """

    @Test(
        "No line of the table is wider than the terminal, also with the longest addresses",
        arguments: [60, 80, 100, 132, 200])
    func tableWidth(_ width: Int) throws {
        let lines = try table(Self.silent, width: width, isVerbose: true)
        // A display filter is not wrapped: it is there to be copied.
        let wrapped = lines.filter { !$0.contains("wireshark: ") }
        #expect(wrapped.allSatisfy { $0.count <= width }, "\(lines)")
        #expect(lines.joined().contains("[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:443"))
    }

    @Test("Failures that are like the one before are counted in one line; -v lists them")
    func folded() throws {
        let lines = try table(Self.silent, width: 132)
        #expect(lines.count { $0.contains("192.0.2.1:5000") } == 1)
        #expect(lines.contains { $0.contains("and 2 more like it, the last with id 3 at 2026-01-01 00:00:02") })
        let all = try table(Self.silent, width: 132, isVerbose: true)
        #expect(all.count { $0.contains("192.0.2.1:5000") } == 3)
    }

    @Test("Failures at one server are folded whoever the clients are, and their number is said")
    func foldedClients() throws {
        let flows = (1...4).map { "flow f\($0) 192.0.2.\(max($0, 2)):5000\($0) > 198.51.100.1:80 isn \($0) 0\n" }
        let steps = (1...4).map { "\($0)s f\($0) > S\n" }
        let lines = try table(flows.joined() + steps.joined() + "+100s idle\n+1s idle\n", width: 132)
        #expect(lines.contains { $0.contains("and 3 more like it (3 clients in all), the last with id 4") }, "\(lines)")
    }

    private static func refusedOnTheWay(_ errors: [String]) -> String {
        let flows = errors.indices.map { "flow f\($0) 192.0.2.1:\(50_000 + $0) > 198.51.100.1:80 isn \($0 + 1) 0\n" }
        let steps = errors.enumerated().map { "\($0)s f\($0) > S as s\($0)\n+5ms \($1) about s\($0)\n" }
        return flows.joined() + steps.joined() + "+100s idle\n+1s idle\n"
    }

    @Test(
        "The table says which segment of an inferred handshake was not captured",
        arguments: [
            ("0 > S\n+20ms > .\n+40ms < P. 1(5)", "the SYN-ACK was not captured"),
            ("0 > S\n+20ms < S.\n+40ms < P. 1(5)", "no final ACK was captured while it was open"),
            ("0 > S\n+20ms < S.\n+40ms < P. 1(5)\n+1ms > .", nil),
            ("0 > S\n+20ms > .\n+1us < S.", nil),
        ] as [(String, String?)])
    func missing(_ steps: String, _ remark: String?) throws {
        let lines = try table(steps, width: 132).joined(separator: "\n")
        let remarks = ["the SYN-ACK was not captured", "no final ACK was captured while it was open"]
        #expect(remarks.filter { lines.contains($0) } == (remark.map { [$0] } ?? []))
    }

    @Test("The table says where the answer of an unanswered attempt came from, though that is informational")
    func answeredElsewhere() throws {
        let lines = try table(
            """
            flow a 192.0.2.1:40000 > 198.51.100.1:443 isn 1000 5000
            flow b 192.0.2.1:40000 > 198.51.100.9:443 isn 1000 5000
            0 a > S
            +20ms b < S.
            +20s idle
            +1s idle
            """, width: 200)
        #expect(lines.contains { $0.contains("nat: frames 1, 2") && $0.contains("198.51.100.9:443") }, "\(lines)")
    }

    @Test("The table says an ICMP error in words, with its reporter")
    func icmpInWords() throws {
        let lines = try table(Self.refusedOnTheWay(["icmp 3/13 from 203.0.113.1"]), width: 200)
        #expect(lines.contains { $0.hasSuffix("administratively prohibited, says 203.0.113.1") }, "\(lines)")
    }

    @Test("Failures with the same ICMP error are folded, and those with another one or another reporter are not")
    func icmpFolded() throws {
        let errors = ["3/13 from 203.0.113.1", "3/13 from 203.0.113.1", "3/1 from 203.0.113.1", "3/1 from 203.0.113.2"]
        let lines = try table(Self.refusedOnTheWay(errors.map { "icmp \($0)" }), width: 200)
        #expect(lines.count { $0.contains("192.0.2.1:5000") } == 3, "\(lines)")
        #expect(lines.count { $0.contains("and 1 more like it") } == 1)
    }

    @Test("The ladder says an ICMP error in words, with its numbers")
    func icmpLadder() throws {
        let text = Self.refusedOnTheWay(["icmp 3/13 from 203.0.113.1"])
        let record = try #require(try Scenario(text: text, name: "ladder").analysed().attempts.first)
        var out = OutputBuffer()
        Ladder(record, style: TextStyle(usesColor: false, usesUnicode: false, width: 120)).draw(to: &out)
        let drawn = String(decoding: out.bytes, as: UTF8.self)
        #expect(
            drawn.contains("ICMP administratively prohibited, says 203.0.113.1 (type 3 code 13, admin)"), "\(drawn)")
    }

    @Test(
        "JSON says why an attempt failed, and null where it did not",
        arguments: [
            ("0 > S\n+5ms icmp 3/13 from 203.0.113.1 seq 0\n", "admin-prohibited"),
            ("0 > S\n+5ms < R. -0\n", "refused"), ("0 > S\n+5ms < S.\n+5ms > .\n", nil),
        ] as [(String, String?)])
    func reasons(_ steps: String, _ reason: String?) throws {
        let record = try #require(try Scenario(text: steps, name: "reason").analysed().attempts.first)
        var out = OutputBuffer()
        JSONReport.line(record, to: &out)
        let attempt = try #require(try JSONSerialization.jsonObject(with: Data(out.bytes)) as? [String: Any])
        #expect(attempt["failed_because"] as? String == reason)
        #expect(attempt["failed_because"] != nil)
    }

    @Test("The date stands once, and where it changes")
    func dates() throws {
        let lines = try table(
            """
            flow a 192.0.2.1:50000 > 198.51.100.1:80 isn 1 9
            flow b 192.0.2.2:50000 > 198.51.100.1:80 isn 2 9
            flow c 192.0.2.3:50000 > 198.51.100.2:80 isn 3 9
            0      a > S
            1s     b > S
            86400s c > S
            +100s  idle
            """, width: 132)
        #expect(lines.filter { $0.hasPrefix("2026") } == ["2026-01-01", "2026-01-02"])
    }

    @Test(
        "A pattern is told with its window, its rate, bounds as bounds, and how many connections were established",
        arguments: [
            (
                .synFlood, 80, 200, 0...2_000_000_000, 0,
                "10.0.0.1:80: 200 handshakes left open in 2.000 s (100.0 a second); none established"
            ),
            (
                .portScan, nil, 256, 0...1_000_000_000, nil,
                "10.0.0.1 tried 256 or more targets that it did not use in 1.000 s (256.0 a second)"
            ),
            (.synFlood, 80, 100, 5...5, 3, "10.0.0.1:80: 100 handshakes left open; at most 3 others established"),
            (.backscatter, nil, 20, nil, nil, "10.0.0.1 sent 20 answers that nobody asked for"),
        ] as [(FindingCode, UInt16?, Int, ClosedRange<Int64>?, Int?, String)])
    func patterns(
        _ code: FindingCode, _ port: UInt16?, _ count: Int, _ window: ClosedRange<Int64>?, _ established: Int?,
        _ text: String
    ) {
        let pattern = TrafficPattern(
            code: code, address: IPAddress(v4: 0x0a00_0001), port: port, count: count, window: window,
            established: established, isLowerBound: code == .portScan)
        #expect(TextReport.describe(pattern) == text)
    }

    @Test(
        "Times are RFC 3339 with nanoseconds, on both sides of 1970 and of leap days",
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z"), (1_767_225_600_000_000_001, "2026-01-01T00:00:00.000000001Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
            (4_102_444_799_999_999_999, "2099-12-31T23:59:59.999999999Z"),
            (1_709_251_199_123_456_789, "2024-02-29T23:59:59.123456789Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (.max, "2262-04-11T23:47:16.854775807Z"), (.min, "1677-09-21T00:12:43.145224192Z"),
        ] as [(Int64, String)])
    func times(_ nanoseconds: Int64, _ expected: String) {
        #expect(Format.rfc3339(nanoseconds) == expected)
        #expect(Format.clock(nanoseconds) == String(expected.dropFirst(11).dropLast(4)))
    }

    @Test(
        "Durations have a unit and are rounded, not cut",
        arguments: [
            (999, "999 ns"), (1500, "1.500 µs"), (57_000, "57.00 µs"), (20_167_000, "20.17 ms"),
            (132_768_000, "132.8 ms"),
            (1_033_167_000, "1.033 s"), (0, "0 ns"), (-1000, "-1.000 µs"), (999_950, "1000.0 µs"),
            (.min, "-9223372036.9 s"),
        ] as [(Int64, String)])
    func durations(_ nanoseconds: Int64, _ expected: String) {
        #expect(Format.duration(nanoseconds) == expected)
    }

    @Test("Unknown is null, never 0 or a default")
    func nulls() throws {
        var c = Conversation()
        c.client("S", at: 0)
        let attempt = try object(c)
        #expect(attempt["server_isn"] is NSNull)
        #expect((attempt["mss"] as? [String: Any])?["negotiated"] is NSNull)
        #expect((attempt["rtt"] as? [String: Any])?["total_ns"] is NSNull)
        let check = (attempt["arithmetic"] as? [String: Any])?["syn_ack_ack"] as? [String: Any]
        #expect(check?["actual"] is NSNull && check?["ok"] is NSNull)
        #expect(check?["expected"] as? Int == 1001)
    }

    @Test("Ambiguous round trips have bounds and no figure")
    func bounds() throws {
        var c = Conversation()
        c.client("S", at: 0)
        c.client("S", at: 1000)
        c.server("S.", at: 1020)
        c.client(".", at: 1021)
        let rtt = try #require(try object(c)["rtt"] as? [String: Any])
        #expect(rtt["provenance"] as? String == "ambiguous")
        #expect(rtt["total_ns"] is NSNull)
        #expect(rtt["low_ns"] as? Int == 21_000_000 && rtt["high_ns"] as? Int == 1_021_000_000)
    }

    @Test("With Fast Open expected_max stands beside expected")
    func fastOpen() throws {
        var c = Conversation()
        c.client("S", at: 0, len: 10) {
            $0.options.present.insert(.fastOpen)
            $0.options.fastOpenCookieLength = 8
        }
        c.server("S.", at: 20, ack: 11)
        let check = (try object(c)["arithmetic"] as? [String: Any])?["syn_ack_ack"] as? [String: Any]
        #expect(check?["expected_max"] as? Int == 1011)
    }

    @Test("Strings are escaped")
    func escapes() throws {
        var out = OutputBuffer()
        let name = "a\"b\\c\nd\te\u{1}f é"
        JSONReport.line(
            CaptureDescription(
                files: [.init(name: name, format: "pcap", linkType: "EN10MB", snaplen: 1, timeResolution: 1)],
                filter: name,
                started: nil), to: &out)
        let capture = try #require(try JSONSerialization.jsonObject(with: Data(out.bytes)) as? [String: Any])
        #expect(capture["filter"] as? String == name)
        #expect(capture["started"] is NSNull)
    }

    @Test("Every outcome and finding has a whole explanation, with a section of a standard")
    func explanations() {
        let all =
            Outcome.allCases.map { ($0.rawValue, $0.explanation) }
            + FindingCode.allCases.map { ($0.rawValue, $0.explanation) }
        #expect(Set(all.map(\.0)).count == all.count, "an outcome and a finding may not share a name")
        for (name, text) in all {
            for part in [text.title, text.meaning, text.recognition, text.causes, text.next] {
                #expect(part.count > 3, "\(name)")
            }
            #expect(text.reference.contains("RFC") || text.reference.contains("pcap"), "\(name): \(text.reference)")
        }
    }

    @Test("Lines are broken at spaces, and words that are too long within")
    func wrapping() {
        #expect("one two three".wrapped(7) == ["one two", "three"])
        #expect("abcdefghij".wrapped(4) == ["abcd", "efgh", "ij"])
        #expect("".wrapped(10) == [""])
    }

    @Test("A SYN-ACK that was lost before the capture point is drawn as an arrow that did not arrive")
    func ghost() throws {
        var c = Conversation()
        c.client("S", at: 0, ts: (100, 0))
        c.client("S", at: 1000, ts: (1100, 0))
        c.server("S.", at: 1020, ts: (7, 100))
        c.client(".", at: 1021, ts: (1121, 7))
        var out = OutputBuffer()
        let style = TextStyle(usesColor: false, usesUnicode: false, width: 100)
        Ladder(try #require(c.attempts().first), style: style).draw(to: &out)
        let text = String(decoding: out.bytes, as: UTF8.self)
        #expect(text.contains("SYN-ACK, lost before the capture point"))
        #expect(text.contains("X......"))
    }
}

@Suite("Text")
struct OutputStageTests {
    /// Numbers around each power of ten, and those of which digits are easily lost.
    private static let numbers: [UInt64] = {
        var numbers: [UInt64] = [0, 1, .max, .max - 1, UInt64(UInt32.max), 1_000_000_007, 100_000_000_000_000_001]
        var power: UInt64 = 1
        for _ in 0..<19 {
            power *= 10
            numbers += [power - 1, power, power + 1, power / 3, power + power / 2]
        }
        return numbers
    }()

    private static func text(_ body: (inout OutputStage) -> Void) -> String {
        var buffer = OutputBuffer()
        buffer.gather(body)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    @Test("A figure has the digits of its number, whatever its length", arguments: numbers)
    func digits(_ number: UInt64) {
        #expect(OutputStageTests.text { $0.put(number) } == "\(number)")
        if let signed = Int64(exactly: number) {
            #expect(OutputStageTests.text { $0.put(DecimalText(-signed)) } == "\(-signed)")
        }
    }

    @Test(
        "A span has the two greatest units that it has",
        arguments: [
            (0, "0 ns"), (57_900_000_000, "57.90 s"), (558_000_000_000, "9 min 18 s"), (7_200_000_000_000, "2 h"),
            (23_673_603_500_000_000, "274 d"), (23_677_203_500_000_000, "274 d 1 h"),
        ] as [(Int64, String)])
    func span(_ nanoseconds: Int64, _ text: String) { #expect(Format.span(nanoseconds) == text) }

    @Test("Texts of every length are whole, one after the other and across the stage's end")
    func texts() {
        for length in [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 991, 992, 993, 1023, 1024, 5000] {
            let part = String((0..<length).map { Character(Unicode.Scalar(UInt8(97 + $0 % 26))) })
            let padded = PaddedText(Array("<\(part)>".utf8))
            let text = OutputStageTests.text { stage in
                for _ in 0..<40 {
                    stage.put(part)
                    stage.put(quoted: part)
                    stage.put(padded, from: 1, to: length + 1)
                    stage.put(octet: 0x3b)
                    stage.put(UInt64(length))
                }
            }
            #expect(text == String(repeating: "\(part)\"\(part)\"\(part);\(length)", count: 40), "\(length)")
        }
    }

    @Test("Columns have their width in characters, on either side")
    func columns() {
        let text = OutputStageTests.text { stage in
            for _ in 0..<100 {
                stage.column(6) { $0.put("12") }
                stage.column(6, isRight: true) { $0.put("µs") }
                stage.column(2) { $0.put("wider") }
                stage.put("|")
            }
        }
        #expect(text == String(repeating: "12        µswider|", count: 100))
    }

    @Test("Addresses and endpoints are written as they describe themselves")
    func addresses() throws {
        for text in ["0.0.0.0", "255.255.255.255", "10.9.100.2", "::", "2001:db8::1", "::ffff:192.0.2.1"] {
            let address = try #require(IPAddress(text))
            let endpoint = Endpoint(address, 65_535)
            #expect(OutputStageTests.text { $0.put(address) } == text)
            #expect(OutputStageTests.text { $0.put(endpoint) } == endpoint.description)
        }
    }

    @Test("Control bits have their letters, and none a word")
    func flags() {
        #expect(TCPFlags([.syn, .ack, .ece]).description == "S.E")
        #expect(TCPFlags(rawValue: 0xfff).description == "FSRP.UEWe")
        #expect(TCPFlags(rawValue: 0xe00).description == "none")
    }
}
