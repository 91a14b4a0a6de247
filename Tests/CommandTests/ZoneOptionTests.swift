import Foundation
import TestSupport
import Testing

@Suite("--tz")
struct ZoneOptionTests {
    static let hasZones = FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Europe/Berlin")
    private let capture = Place.capture("incident.pcap")

    private func text(_ arguments: String..., environment: [String: String] = [:]) throws -> String {
        let run = try Run(arguments + [capture, "--ascii", "--width", "120"], environment: environment)
        #expect(run.status == 0, "\(run.errors)")
        return run.output
    }

    @Test("UTC is what is shown without it", arguments: ["UTC", "utc", "Z"])
    func utc(_ name: String) throws { #expect(try text("--tz", name) == text()) }

    @Test("An offset moves the table and the summary", arguments: ["+02:00", "+0200", "+02"])
    func offset(_ offset: String) throws {
        let text = try text("--tz", offset)
        #expect(text.contains("\n2026-01-01 +02:00\n") && text.contains(" 02:00:00.000000 "))
        #expect(text.contains("time        2026-01-01 02:00:00 to 2026-01-01 02:00:03.5 +02:00 (3.500 s"))
        #expect(!text.contains("UTC"))
    }

    @Test("An offset to the west is an offset, not an option")
    func west() throws { #expect(try text("--tz", "-03:30").contains("\n2025-12-31 -03:30\n")) }

    @Test(
        "A zone by name has its offset of that day", .enabled(if: hasZones, "there is no /usr/share/zoneinfo"),
        arguments: [("Europe/Berlin", "+01:00"), ("Australia/Sydney", "+11:00"), ("America/St_Johns", "-03:30")])
    func named(_ name: String, _ offset: String) throws {
        #expect(try text("--tz", name).contains("-01 \(offset)\n") || text("--tz", name).contains("-31 \(offset)\n"))
    }

    @Test(
        "Where the clock is put forward, the date stands again",
        .enabled(if: hasZones, "there is no /usr/share/zoneinfo"))
    func daylightSaving() throws {
        let folder = try TemporaryFolder()
        let capture = folder.path("spring.pcap")
        // 2026-03-29, at 01:00 UTC.
        let start = 1_774_746_000 - 1_767_225_600
        let scenario =
            "flow a 192.0.2.1:1 > 198.51.100.1:80 isn 1 0\nflow b 192.0.2.2:2 > 198.51.100.1:80 isn 2 0\n"
            + "\(start - 1)s a > S\n\(start + 1)s b > S\n"
        #expect(try Run(["craft", "-", "-w", capture], input: Array(scenario.utf8)).status == 0)
        let lines = try Run(["--tz", "Europe/Berlin", capture]).output.split(separator: "\n")
        #expect(lines.contains("2026-03-29 +01:00") && lines.contains("2026-03-29 +02:00"))
        #expect(lines.contains { $0.contains("01:59:59.000000") } && lines.contains { $0.contains("03:00:01.000000") })
        #expect(lines.contains { $0.contains("2026-03-29 01:59:59 +01:00 to 2026-03-29 03:00:01 +02:00") })
    }

    @Test("local is the zone of TZ")
    func local() throws {
        #expect(try text("--tz", "local", environment: ["TZ": "XST-4"]).contains("\n2026-01-01 +04:00\n"))
    }

    @Test("Machines read UTC in any zone", arguments: [["-T", "csv"], ["-T", "jsonl"], ["-T", "json"]])
    func machines(_ format: [String]) throws {
        #expect(try Run(format + [capture, "--tz", "+02:00"]).output == Run(format + [capture]).output)
        if format[1] == "json" { return }
        let group = ["group", "--by", "frame.time/1m", capture]
        #expect(try Run(group + format + ["--tz", "+02:00"]).output == Run(group + format).output)
    }

    @Test("Groups have their times in the zone, as keys too")
    func groups() throws {
        let table = try text("group", "--tz", "+02:00")
        #expect(table.contains("first 2026-01-01") && table.contains(" 02:00:0"))
        #expect(table.contains("\ntimes are in the zone +02:00\n"))
        #expect(try text("group", "--by", "frame.time/1m", "--tz", "+02:00").contains("2026-01-01 02:00:00 +02:00"))
    }

    @Test("A ladder has its time in the zone")
    func ladder() throws {
        let run = try Run(["draw", capture, "--attempt", "1", "--tz", "+02:00"])
        #expect(run.output.contains("2026-01-01T02:00:00.000000000+02:00"))
    }

    @Test(
        "What is no zone is told, with what is one",
        arguments: ["Mars/Phobos", "+25:00", "+2", "", "../../../etc/passwd", "/etc/localtime", "europe", "--verbose"])
    func unknown(_ name: String) throws {
        let run = try Run([capture, "--tz", name])
        #expect(run.status == 2)
        #expect(run.errors.contains("say UTC, local, an offset as +02:00"))
    }

    @Test(
        "A zone that is nearly right is named",
        .enabled(
            if: FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/tzdata.zi"), "there is no list of zones"),
        arguments: ["Europe/Berln", "europe/berlin"])
    func near(_ name: String) throws {
        #expect(try Run([capture, "--tz", name]).errors.contains("did you mean Europe/Berlin?"))
    }
}
