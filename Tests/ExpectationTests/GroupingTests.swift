import HandshakeAnalysis
import HandshakeReport
import HandshakeScenario
import Simulation
import Testing

@testable import HandshakeExpectation

@Suite("Groups of attempts")
struct GroupingTests {
    private func table(_ by: String, _ records: [AttemptRecord] = Records.five, maximum: Int = 100) throws -> GroupTable
    {
        var table = GroupTable(try Grouping(by), maximum: maximum)
        for record in records { table.add(record) }
        return table
    }

    /// `key: attempts/failed` of each group, in the order of keys.
    private func counts(_ by: String) throws -> [String] {
        let table = try table(by)
        return table.sorted(by: .key).map {
            "\(table.text($0.key).joined(separator: " ")): \($0.attempts)/\($0.failed)"
        }
    }

    @Test(
        "Attempts are grouped by any field, by networks, by steps of time and of numbers",
        arguments: [
            ("ip.dst", ["198.51.100.1: 3/1", "203.0.113.9: 1/1", "2001:db8::1: 1/0"]),
            (
                "ip.dst,tcp.dstport",
                ["198.51.100.1 443: 2/0", "198.51.100.1 8443: 1/1", "203.0.113.9 25: 1/1", "2001:db8::1 443: 1/0"]
            ),
            ("ip.src/24", ["192.0.2.0/24: 4/2", "2001:db8::/64: 1/0"]),
            ("ip.src/0/32", ["0.0.0.0/0: 4/2", "2001:db8::/32: 1/0"]),
            (
                "ip.src/48",
                [
                    "192.0.2.10/32: 1/0", "192.0.2.11/32: 1/0", "192.0.2.12/32: 1/1", "192.0.2.13/32: 1/1",
                    "2001:db8::/48: 1/0",
                ]
            ),
            ("time/2s", ["2026-01-01 00:00:00: 2/0", "2026-01-01 00:00:02: 2/2", "2026-01-01 00:00:06: 1/0"]),
            ("frame.time/1h", ["2026-01-01 00:00:00: 5/2"]),
            ("hs.outcome", ["established: 3/0", "refused: 1/1", "unanswered: 1/1"]),
            ("hs.failed", ["false: 3/0", "true: 2/2"]),
            ("hs.rtt.total/10ms", ["0ns: 1/0", "20ms: 1/0", "unknown: 3/2"]),
            ("hs.mss.negotiated/1000", ["1000: 3/0", "unknown: 2/2"]),
            ("hs.failed_because", ["refused: 1/1", "no-answer: 1/1", "unknown: 3/0"]),
            ("hs.options.client.sack_permitted", ["false: 4/2", "true: 1/0"]),
        ] as [(String, [String])])
    func grouped(_ by: String, _ expected: [String]) throws {
        #expect(try Set(counts(by)) == Set(expected))
    }

    @Test("Of a field with several values an attempt is in the group of each, and without any in one of its own")
    func several() throws {
        #expect(try Set(counts("hs.findings")).isSuperset(of: ["none: 2/0"]))
        #expect(try counts("tcp.port").contains("443: 3/0"))
        #expect(try counts("vlan.id") == ["none: 5/2"])
    }

    @Test(
        "A mistake in --by says what was expected, with its place",
        arguments: [
            ("ip.dst,tcp.dstprt", 8, "did you mean 'tcp.dstport'"), ("ip.dst/33/129", 1, "bits of its network"),
            ("time", 1, "grouped by a duration"), ("time/0s", 1, "grouped by a duration"),
            ("hs.outcome/2", 1, "has no steps"),
            ("ip.src,ip.dst,tcp.dstport,tcp.srcport,hs.id", 1, "at most 4"), ("", 1, "a field should stand here"),
            ("tcp.dstport/0", 1, "grouped by a number"), ("ip.src,", 8, "a field should stand here"),
        ] as [(String, Int, String)])
    func mistakes(_ by: String, _ column: Int, _ message: String) {
        let error = #expect(throws: ExpressionError.self) { try Grouping(by) }
        #expect(error?.column == column)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("Counts, shares, times and reasons are those of the attempts")
    func figures() throws {
        let group = try #require(try table("ip.version").sorted(by: .attempts).first)
        let start = Records.five[0].firstTime
        #expect((group.attempts, group.established, group.failed, group.decided) == (4, 2, 2, 4))
        #expect((group.started, group.retransmitted) == (4, 2))
        #expect((group.firstTime, group.lastTime) == (start, start + 3_000_000_000))
        #expect((group.firstFailure, group.lastFailure) == (start + 2_000_000_000, start + 3_000_000_000))
        #expect(group.byReason.map(\.reason) == [.refused, .noAnswer])
        // The round trip of one is ambiguous: bounds are no figure.
        #expect(group.total.count == 1)
        #expect((group.total.minimum, group.total.maximum) == (21_000_000, 21_000_000))
        #expect(group.segmentSizes.map(\.size) == [1400, 1460])
    }

    @Test("Quantiles are within the stated step of those of the sorted values", arguments: 1...20)
    func quantiles(_ seed: UInt64) {
        var random = Draw(seed: seed)
        var histogram = ValueHistogram()
        var halves = (ValueHistogram(), ValueHistogram())
        let values = (0..<500).map { _ in Int64(random.next() >> (1 + random.next() % 62)) }
        for (place, value) in values.enumerated() {
            histogram.record(value)
            if place % 2 == 0 { halves.0.record(value) } else { halves.1.record(value) }
        }
        halves.0.add(halves.1)
        let sorted = values.sorted()
        for share in [0.01, 0.5, 0.9, 0.99, 1] {
            let exact = sorted[max(0, Int((share.nextDown * 500).rounded(.up)) - 1)]
            for histogram in [histogram, halves.0] {
                let said = histogram.quantile(share) ?? -1
                #expect(said >= exact && Double(said) <= Double(exact) * (1 + ValueHistogram.relativeError) + 1)
            }
        }
        #expect((histogram.minimum, histogram.maximum) == (sorted.first, sorted.last))
        #expect(halves.0.count == 500)
    }

    @Test(
        "Of more groups than are kept, those with failures stay; what was let go is counted, and later counts are bounds"
    )
    func bounded() throws {
        var table = GroupTable(try Grouping("ip.src"), maximum: 4)
        for record in Records.five + Records.five { table.add(record) }
        #expect(table.count <= 4)
        let groups = table.sorted(by: .failed)
        #expect(groups.prefix(2).allSatisfy { $0.failed == 2 })
        #expect(groups.reduce(0) { $0 + $1.attempts } + table.evictedAttempts == 10)
        #expect(table.attempts == 10)
        #expect(groups.contains { $0.isLowerBound })
    }

    @Test(
        "A group gives the display filter that shows its frames in Wireshark, where each key has a field there",
        arguments: [
            ("ip.dst,tcp.dstport", "tcp && ip.addr == 203.0.113.9 && tcp.port == 25"),
            ("ip.src/24", "tcp && ip.addr == 192.0.2.0/24"),
            ("tcp.dstport/1000", "tcp && tcp.port in {0..999}"), ("ip.version", "tcp && ip"),
            ("ip.dst,hs.outcome", nil), ("hs.icmp.reporter", nil),
            (
                "frame.time/1s",
                "tcp && frame.time >= \"2026-01-01T00:00:03.000000000Z\" && frame.time < \"2026-01-01T00:00:04.000000000Z\""
            ),
            ("hs.outcome", nil),
        ] as [(String, String?)])
    func filters(_ by: String, _ expected: String?) throws {
        let table = try table(by, [Records.five[3]])
        #expect(try table.displayFilter(#require(table.sorted(by: .key).first).key) == expected)
    }

    @Test(
        "The table fits the width that it is given, and says why the attempts of a group failed",
        arguments: [80, 120, 200])
    func text(_ width: Int) throws {
        var out = OutputBuffer()
        GroupReport(try table("ip.dst,tcp.dstport"), order: .failed).text(
            TextStyle(usesColor: false, usesUnicode: true, width: width), to: &out)
        let lines = String(decoding: out.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(lines.contains { $0.hasPrefix("198.51.100.1  8443") && $0.hasSuffix("refused") })
        #expect(lines.contains { $0.hasPrefix("203.0.113.9   25") && $0.hasSuffix("no-answer") })
    }

    @Test("Groups of a live run tell their span, an interval or the run", arguments: [true, false])
    func span(_ isWhole: Bool) throws {
        let span = GroupReport.Span(from: 0, to: 10_000_000_000, isWhole: isWhole)
        let report = GroupReport(try table("ip.dst"), order: .key, span: span)
        var (text, json) = (OutputBuffer(), OutputBuffer())
        report.text(TextStyle(usesColor: false, usesUnicode: false, width: 100), to: &text)
        report.jsonLines(to: &json)
        let heading = (isWhole ? "all decided " : "decided ") + Zone.utc.span(span.from, span.to)
        #expect(String(decoding: text.bytes, as: UTF8.self).hasPrefix(heading + "\n"))
        let fields = "\"span\":\"\(isWhole ? "run" : "interval")\",\"from\":\"1970-01-01T00:00:00.000000000Z\""
        let lines = String(decoding: json.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.allSatisfy { $0.contains(fields) })
    }

    @Test("CSV has a column for each key and figure in every row")
    func csv() throws {
        var out = OutputBuffer()
        GroupReport(try table("ip.dst,tcp.dstport"), order: .key).csv(to: &out)
        let rows = String(decoding: out.bytes, as: UTF8.self).split(separator: "\r\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.count == 5)
        #expect(Set(rows.map(\.count)).count == 1)
        #expect(rows[0].prefix(3) == ["ip.dst", "tcp.dstport", "attempts"])
    }

    @Test(
        "The line over time has at most so many columns whatever the span, and loses no attempt",
        arguments: [1, 60, 3600, 1_000_000])
    func timeLine(_ seconds: Int64) {
        var line = TimeLine()
        let step = seconds * 1_000_000_000 / 500
        // Out of order, as attempts are decided.
        for place in 0..<500 { line.add(5 + Int64(place * 7 % 500) * step, failed: place % 10 == 0) }
        let (attempts, failures, width) = line.lines(usesUnicode: false)
        #expect(attempts.count == failures.count)
        #expect((TimeLine.columns / 2 - 1...TimeLine.columns).contains(attempts.count))
        #expect(width * Int64(attempts.count) >= 499 * step)
        #expect((line.attempts, line.failures) == (500, 50))
        #expect((line.first, line.last) == (5, 5 + 499 * step))
    }

    @Test("The overview names the servers that fail most, with reasons and times, and not those that do not fail")
    func overview() {
        var overview = CaptureOverview()
        for record in Records.five { overview.add(record) }
        var out = OutputBuffer()
        let style = TextStyle(usesColor: false, usesUnicode: false, width: 100)
        TextReport(style: style).summary(HandshakeSummary(), CaptureLoss(), details: overview.rows(style), to: &out)
        let lines = String(decoding: out.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines[0] == "time        2026-01-01 00:00:00 to 2026-01-01 00:00:07 UTC (7.000 s, by first SYNs)")
        #expect(lines.contains("servers     198.51.100.1:8443 1 of 1 failed, refused by RST; at 00:00:02"))
        #expect(lines.contains { $0.contains("203.0.113.9:25 1 of 1 failed, no answer to the SYN; at 00:00:03") })
        #expect(!lines.contains { $0.contains("198.51.100.1:443") })
    }
}
