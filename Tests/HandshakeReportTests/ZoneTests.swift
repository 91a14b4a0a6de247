import HandshakeAnalysis
import HandshakeScenario
import PacketWire
import Testing

@testable import HandshakeReport

@Suite("The zone of times in text")
struct ZoneTests {
    /// The first frame of a scenario.
    private static let start: Int64 = 1_767_225_600_000_000_000

    private static func fixed(_ seconds: Int64) -> Zone { Zone(name: Zone.text(seconds)) { _ in seconds } }

    /// The clock is put forward, or back, from +01:00 some seconds after the start.
    private static func changing(after seconds: Int64, to offset: Int64) -> Zone {
        Zone(name: "Europe/Somewhere") { $0 < 1_767_225_600 + seconds ? 3600 : offset }
    }

    private func table(_ zone: Zone, width: Int = 132) throws -> [String] {
        let text =
            "flow a 192.0.2.1:1 > 198.51.100.1:80 isn 1 0\nflow b 192.0.2.2:2 > 198.51.100.2:80 isn 2 0\n"
            + "0 a > S\n10s b > S\n+100s idle\n+1s idle\n"
        let records = try Scenario(text: text, name: "zones").analysed().attempts.sorted { $0.id < $1.id }
        var out = OutputBuffer()
        var report = TextReport(style: TextStyle(usesColor: false, usesUnicode: false, width: width, zone: zone))
        report.begin(records, isComplete: true, to: &out)
        for record in records { report.attempt(record, to: &out) }
        return String(decoding: out.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func headings(_ zone: Zone) throws -> [String] { try table(zone).filter { $0.hasPrefix("202") } }

    @Test("Without a zone the table is in UTC, and says so")
    func usual() throws {
        let lines = try table(.utc)
        #expect(lines[0].contains("start (UTC)"))
        #expect(lines[1] == "2026-01-01" && lines[2].contains("00:00:00.000000"))
    }

    @Test("Another zone's offset stands beside the date", arguments: [60, 100, 132])
    func offset(_ width: Int) throws {
        let lines = try table(ZoneTests.fixed(-3 * 3600 - 1800), width: width)
        #expect(!lines[0].contains("UTC") && lines[0].contains("start "))
        #expect(lines[1] == "2025-12-31 -03:30" && lines[2].contains("20:30:00.000"))
    }

    @Test("The date stands where the zone's day begins, not where UTC's does")
    func dayBegins() throws {
        #expect(try headings(ZoneTests.fixed(-5)) == ["2025-12-31 -00:00:05", "2026-01-01 -00:00:05"])
        #expect(try headings(ZoneTests.fixed(3600)) == ["2026-01-01 +01:00"])
    }

    @Test("The date stands again where the clock is put forward or back")
    func clockChanges() throws {
        #expect(
            try headings(ZoneTests.changing(after: 5, to: 7200)) == ["2026-01-01 +01:00", "2026-01-01 +02:00"])
        #expect(try headings(ZoneTests.changing(after: 5, to: 0)) == ["2026-01-01 +01:00", "2026-01-01 +00:00"])
    }

    @Test("A span has its offset once, or both where the clock is changed in it")
    func span() {
        let (first, last) = (ZoneTests.start, ZoneTests.start + 10_500_000_000)
        #expect(Zone.utc.span(first, last) == "2026-01-01 00:00:00 to 2026-01-01 00:00:10.5 UTC")
        #expect(
            ZoneTests.fixed(3600).span(first, last) == "2026-01-01 01:00:00 to 2026-01-01 01:00:10.5 +01:00")
        #expect(
            ZoneTests.changing(after: 5, to: 0).span(first, last)
                == "2026-01-01 01:00:00 +01:00 to 2026-01-01 00:00:10.5 +00:00")
    }

    @Test("A time of RFC 3339 has its offset, and is the same moment")
    func rfc3339() {
        #expect(Zone.utc.rfc3339(ZoneTests.start + 1) == "2026-01-01T00:00:00.000000001Z")
        #expect(ZoneTests.fixed(19_800).rfc3339(ZoneTests.start + 1) == "2026-01-01T05:30:00.000000001+05:30")
    }

    @Test("A zone is asked of the second that a time is in, before the epoch too")
    func beforeEpoch() {
        let zone = Zone(name: "old") { $0 < 0 ? 60 : 120 }
        #expect(zone.offset(at: -1) == 60 && zone.offset(at: 0) == 120)
        #expect(zone.clock(-1) == "00:00:59.999999")
    }

    @Test("The ends of time have no place to be moved to", arguments: [Int64.min, .max])
    func endsOfTime(_ time: Int64) {
        for zone in [Zone.utc, ZoneTests.fixed(50_400), ZoneTests.fixed(-50_400)] {
            #expect(zone.rfc3339(time).count >= 30)
        }
    }
}
